import assert from "node:assert/strict";
import { test } from "node:test";
import * as drive from "../../../core/ark/drive.ts";
import type { Effect } from "../../../core/ark/guardian-events.ts";
import * as intents from "../../../core/ark/intents.ts";
import * as trust from "../../../core/ark/trust.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";

function start() {
  const book = intents.create(intents.defaults);
  const d = drive.create(drive.defaults, book, prng.stream(prng.key("trust"), "drive"));
  const m = trust.create();
  const out: Effect[] = [];
  const see = (shown: string, mayWrite = true): boolean => (
    trust.see(m, "server", shown, d, mayWrite, out)
  );
  const accept = (server: string | undefined): boolean => (
    trust.accept(m, "server", { wallet: undefined, server }, d, out)
  );
  const said = (): string[] => out.splice(0).map((one) => {
    if (one.type === "record") return one.body;
    return one.type === "log" ? one.code : one.type;
  });
  return { m, d, book, out, see, accept, said, doubt: () => trust.doubted(m, "server", d) };
}

const isA = `{"type":"ark-server","is":"02aa"}`;
const isB = `{"type":"ark-server","is":"02bb"}`;
const strangeB = `{"type":"ark-strange","of":"server","is":"02bb"}`;

test("ark: trust: the first is written down, another one is strange, told once", () => {
  const { see, said, doubt } = start();
  assert.equal(see("02aa"), false);
  assert.deepEqual([said(), doubt()], [[isA], undefined]);
  assert.equal(see("02bb"), true);
  assert.deepEqual([said(), doubt()], [[strangeB], { known: "02aa", shown: "02bb" }]);
  assert.equal(see("02bb"), false);
  assert.deepEqual(said(), []);
  assert.equal(see("02aa"), true, "it is back");
  assert.deepEqual([said(), doubt()], [[isA], undefined]);
});

test("ark: trust: what the operator has looked at is trusted, and nothing that came since", () => {
  const { see, accept, said, doubt, book } = start();
  see("02aa");
  see("02bb");
  said();
  assert.equal(accept("02cc"), false);
  assert.equal(accept(undefined), false);
  assert.deepEqual(said(), ["ark.trust-stale", "ark.trust-stale"]);
  assert.equal(accept("02bb"), true);
  assert.deepEqual(said(), ["ark.trusted"]);
  see("02bb");
  assert.deepEqual([said(), doubt(), book.server], [[isB], undefined, "02bb"]);
  assert.equal(accept("02bb"), false, "there is nothing to trust");
  assert.deepEqual(said(), []);
  assert.equal(see("02aa"), true, "the old one is another one now");
});

test("ark: trust: where nothing can be written, another one is strange all the same", () => {
  const { see, accept, said, doubt, d, out, book } = start();
  see("02aa", false);
  assert.equal(see("02bb", false), true);
  assert.deepEqual([said(), doubt()], [[], { known: "02aa", shown: "02bb" }]);
  assert.ok(accept("02bb"));
  see("02bb");
  const [, record] = out;
  assert.ok(record?.type === "record");
  drive.refused(d, record.token, mono(0));
  assert.equal(book.server, undefined);
  assert.equal(see("02cc", false), true);
  assert.deepEqual(doubt(), { known: "02bb", shown: "02cc" });
});

test("ark: trust: what no record can hold is passed over", () => {
  const { see, said, doubt } = start();
  see("02aa");
  said();
  for (const none of ["", "02 bb", "x".repeat(201)]) assert.equal(see(none), false);
  assert.deepEqual([said(), doubt()], [[], undefined]);
});
