/**
 * What is shown to operators is a sentence, and short enough for a notice.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as journal from "../../../core/history/journal.ts";
import type { Ordered } from "../../../core/history/journal.ts";
import type { StoreFailure } from "../../../core/history/store.ts";
import type { Block } from "../../../core/maker/offers.ts";
import * as words from "../../../core/maker/words.ts";
import { words as shown } from "../../../core/notify/format.ts";

const ordered: readonly Ordered[] = [
  "loading", "creating", "cutting", "settling", "appending", "syncing",
];
const blocks: readonly Block[] = ["mainnet", "stopped", "journal", "backend", "coins"];

test("maker: words: a disk's trouble names no phase of ours, and a notice shows all of it", () => {
  const reasons: readonly StoreFailure[] = ["full", "io"];
  const all = ordered.flatMap((phase) => reasons.map((why) => words.diskTrouble(phase, why)));
  assert.equal(new Set(all).size, all.length);
  for (const one of all) {
    assert.equal(shown(one), one);
    assert.ok(ordered.every((phase) => !one.includes(phase)), one);
  }
  assert.equal(words.diskTrouble("appending", "full"), "no room is left while records are written");
  assert.equal(words.diskTrouble("syncing", "io"), "the disk failed while records are made safe");
});

test("maker: words: every phase of a journal, and every block of the offers", () => {
  for (const { from } of journal.transitions) {
    if (from !== "*") assert.match(words.diskWork(from), /^[a-z ]+$/);
  }
  for (const block of blocks) {
    const { why, does } = words.blocked(block);
    assert.equal(shown(why), why);
    assert.ok(does.length > 0);
  }
});
