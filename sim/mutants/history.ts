/**
 * Bugs of the journal: what survives a crash.
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const history: readonly Mutant[] = [
  {
    id: "journal-durable-before-sync", aims: "journal",
    says: "a record is said to be durable when it is written and not yet synced",
    file: "core/history/journal.js",
    find: `return order(m, "appended", "syncing", now, out);`,
    replace: "m.pending.queue.slice(0, m.pending.writing).forEach(({ token }, i) =>\n" +
      `                out.push({ type: "durable", token, seq: m.count + i + 1 }));\n` +
      `            return order(m, "appended", "syncing", now, out);`,
    and: {
      file: "core/history/journal.js",
      find: `out.push({ type: "durable", token, seq: m.count });`,
      replace: "",
    },
  },
  {
    id: "journal-failed-sync-repeated", aims: "journal",
    says: "a failed sync is simply given again",
    file: "core/history/journal.js",
    find: `{ from: "syncing", on: "failed", to: "loading",`,
    replace: `{ from: "syncing", on: "failed", to: "syncing",`,
    and: {
      file: "core/history/journal.js",
      find: `case "syncing": return order(m, "failed", "loading", now, out);`,
      replace: `case "syncing": return order(m, "failed", "syncing", now, out);`,
    },
  },
  {
    id: "journal-torn-tail-kept", aims: "journal",
    says: "what a cut-short write left at the end of the file stays, and records follow it",
    file: "core/history/journal.js",
    find: `if (tornBytes > 0)\n        return order(m, "torn", "cutting", now, out);`,
    replace: "",
  },
  {
    id: "journal-end-not-advanced", aims: "journal",
    says: "after a failed write the file is cut back to what was durable at the start",
    file: "core/history/journal.js",
    find: "m.endBytes += m.pending.writingBytes;",
    replace: "",
  },
  {
    id: "journal-takes-what-waits", aims: "journal",
    says: "records that were asked for during a write are taken for written with it",
    file: "core/history/pending.js",
    find: "m.queue.splice(0, m.writing)",
    replace: "m.queue.splice(0)",
  },
  {
    id: "journal-never-tries-again", aims: "journal",
    says: "after a failure the wait before the next try has no end",
    file: "core/history/journal.js",
    find: "return m.at.until;",
    replace: "return NEVER;",
  },
  {
    id: "journal-checksum-ignored", aims: "journal",
    says: "a record with a wrong checksum is taken for whole",
    file: "core/history/record.js",
    find: "return sumAt(bytes, at) === crc32(bytes, at + sumDigits + 1, line.end - 1);",
    replace: "return sumAt(bytes, at) >= 0;",
  },
];
