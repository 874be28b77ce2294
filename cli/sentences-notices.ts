/**
 * What people read for the log codes of notices: the same for every daemon that sends them.
 * @module
 */
import type { Sentences } from "../adapters/log.ts";

export const sentences: Sentences = {
  "maker.notice-delayed": (f) =>
    `a notice did not arrive at ${f["target"]}: ${f["why"]}; it is sent again`,
  "maker.notice-lost": (f) => `a notice to ${f["target"]} is given up (${f["loss"]}): ${f["why"]}`,
  "maker.notice-resent": (f) =>
    `notices arrive at ${f["target"]} again, after ${f["failures"]} failures; ` +
    `${f["lost"]} were lost`,
  "maker.notice-resumed": (f) => `${f["count"]} notices of an earlier run are sent now`,
  "maker.notice-record-unreadable": (f) =>
    `${f["count"]} records of notices in the journal cannot be read and are passed over`,
};
