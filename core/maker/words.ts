/**
 * What is the matter with a maker, in the words of people: for pages, notices and the log.
 *
 * Rule 1: an operator is never shown a name that only this program knows.
 * Rule 2: no sentence is longer than a notice shows of it.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Ordered, PhaseName } from "../history/journal.ts";
import type { StoreFailure } from "../history/store.ts";
import type * as offers from "./offers.ts";

/** Why records do not become durable: what was the matter, and what was being done. */
export function diskTrouble(phase: Ordered, reason: StoreFailure): string {
  return `${reason === "full" ? "no room is left" : "the disk failed"} while ${diskWork(phase)}`;
}

/** What a journal in this phase is about. */
export function diskWork(phase: PhaseName): string {
  switch (phase) {
    case "loading": return "the journal is read";
    case "creating": return "the journal is made";
    case "cutting": return "the journal is cut back";
    case "settling": return "the journal is made safe";
    case "appending": return "records are written";
    case "syncing": return "records are made safe";
    case "closed": case "idle": case "broken": case "waiting": return "nothing is asked of it";
    default: return unreachable(phase); /* c8 ignore next */
  }
}

/** Why nothing is announced, for people, and what ends it. */
export function blocked(block: offers.Block): { readonly why: string; readonly does: string } {
  switch (block) {
    case "mainnet":
      return {
        why: "this version serves no coinjoins, and would lead takers on mainnet into a void",
        does: "everything else runs; use another network to see offers",
      };
    case "stopped": return { why: "it is stopping", does: "offers were cancelled" };
    case "journal":
      return { why: "records do not become durable", does: "offers come back when they do" };
    case "backend":
      return { why: "the backend is down", does: "offers come back when it is up again" };
    case "coins":
      return { why: "the coins were not looked at yet", does: "offers follow when they were" };
    default: return unreachable(block); /* c8 ignore next */
  }
}
