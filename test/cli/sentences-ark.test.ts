/**
 * What people read of Ark wallets: a sentence for every code, made of fields that are there.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sentences as common } from "../../cli/sentences.ts";
import { sentences } from "../../cli/sentences-ark.ts";
import { sources, text } from "../tidy/files.ts";

const root = process.cwd();

/** Codes as they stand where something is said. */
const said: readonly (readonly [files: readonly string[], code: RegExp])[] = [
  [sources(root, ["core/ark", "core/notify"]), /"((?:ark|maker)\.[a-z-]+)"/g],
  [["adapters/round-events.ts", "adapters/requests.ts"], /report\("([a-z]+\.[a-z-]+)"/g],
  [["cli/ark.ts", "cli/ark-journal.ts", "cli/foreground.ts", "cli/run-ark.ts",
    "cli/run-locked.ts", "cli/overrun.ts", "cli/reload.ts"], /log\("\w+", "([a-z]+\.[a-z-]+)"/g],
];

test("ark: sentences: every code that is said has one, and none stands for nothing", () => {
  const found = said.flatMap(([files, code]) => files.flatMap((file) => (
    [...text(root, file).matchAll(code)].map(([, one = ""]) => one)
  )));
  const all = [...new Set(found)];
  assert.ok(all.length > 60, `only ${all.length} codes were found`);
  assert.deepEqual(all.filter((code) => sentences[code] === undefined), []);
  const own = Object.keys(sentences).filter((code) => !(code in common));
  assert.deepEqual(own.filter((code) => !all.includes(code)), []);
});

test("ark: sentences: they bear the wallet's name, and no field that is not there", () => {
  const fields = { wallet: "alice", ms: 1, evidence: "timeout", why: "auth" };
  for (const [code, sentence] of Object.entries(sentences)) {
    const says = sentence?.(fields) ?? "";
    assert.ok(says.length > 0, code);
  }
  const overdue = sentences["ark.call-overdue"];
  const says = overdue?.({ wallet: "alice", op: "sync", ranMs: 60_000, isDropped: false });
  assert.equal(says, "alice: sync has no answer after 1 min 0 s; it is left alone, and not " +
    "waited for");
});
