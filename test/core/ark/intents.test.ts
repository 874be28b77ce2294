import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as intents from "../../../core/ark/intents.ts";
import { isBody } from "../../../core/history/record.ts";
import { clone } from "../../support/laws.ts";

const fresh = (fields: Partial<intents.Config> = {}) =>
  intents.create({ ...intents.defaults, ...fields });

function opened(b: intents.Book, vtxos: readonly string[], aim: intents.Aim = "refresh"): string[] {
  const intent = intents.draft(b, aim, vtxos, aim === "claim" ? "bcrt1qhome" : "", 7);
  intents.take(b, { type: "ark-intent", intent });
  return [intents.encode({ type: "ark-intent", intent })];
}

test("ark: intents: a record reads as it was written, and is one line of ASCII", () => {
  const b = fresh();
  const intent = intents.draft(b, "claim", ["a:0", "b:1"], "bcrt1qhome", 1_763_780_000_000);
  const records: intents.Record[] = [
    { type: "ark-intent", intent }, { type: "ark-intent-sent", id: 1, isConfirmed: false },
    { type: "ark-intent-settled", id: 1, outcome: "superseded" },
    { type: "ark-intents", last: 9 }, { type: "ark-tip", height: 9, unixMs: 8, isProven: true },
    { type: "ark-tip", height: 9, unixMs: 8, isProven: false },
    { type: "ark-wallet", fingerprint: "0badcafe" }, { type: "ark-server", key: "02ab" },
    { type: "ark-strange", of: "server", shown: "02cd" },
  ];
  for (const record of records) {
    const body = intents.encode(record);
    assert.ok(intents.owns(body) && isBody(body));
    assert.deepEqual(intents.decode(body), { ok: true, value: record });
  }
  assert.ok(!intents.owns(`{"type":"notice","id":1}`));
});

test("ark: intents: opened, sent, settled; its VTXOs are free again", () => {
  const b = fresh();
  opened(b, ["a:0", "b:0"]);
  assert.ok(!intents.isFree(b, ["a:0"]) && intents.isFree(b, ["c:0"]));
  assert.ok(intents.take(b, { type: "ark-intent-sent", id: 1, isConfirmed: false }));
  assert.ok(!intents.take(b, { type: "ark-intent-sent", id: 1, isConfirmed: false }));
  assert.ok(b.open.get(1)?.isSent);
  assert.ok(intents.take(b, { type: "ark-intent-settled", id: 1, outcome: "success" }));
  assert.ok(intents.isFree(b, ["a:0", "b:0"]));
  assert.deepEqual(b.counts, { success: 1, rejected: 0, superseded: 0 });
  assert.equal(b.settled[0]?.outcome, "success");
});

test("ark: intents: what was strange is so until the next record of its kind", () => {
  const b = fresh();
  intents.take(b, { type: "ark-server", key: "02ab" });
  assert.ok(intents.take(b, { type: "ark-strange", of: "server", shown: "02cd" }));
  assert.ok(!intents.take(b, { type: "ark-strange", of: "server", shown: "02cd" }));
  assert.ok(intents.take(b, { type: "ark-wallet", fingerprint: "aa" }));
  assert.deepEqual([b.server, b.strange.server], ["02ab", "02cd"]);
  const copy = fresh();
  for (const body of intents.snapshot(b)) intents.replay(copy, body);
  assert.deepEqual([copy.server, copy.strange, copy.wallet], ["02ab", b.strange, "aa"]);
  assert.ok(intents.take(b, { type: "ark-server", key: "02ab" }), "it is back");
  assert.equal(b.strange.server, undefined);
  assert.ok(!intents.decode(`{"type":"ark-strange","of":"tip","is":"02cd"}`).ok);
  assert.ok(!intents.decode(`{"type":"ark-server","is":7}`).ok);
});

test("ark: intents: a VTXO is in one open intent, and what says otherwise is passed over", () => {
  const b = fresh();
  opened(b, ["a:0"]);
  assert.throws(() => opened(b, ["a:0", "c:0"]));
  const twice = { id: 5, aim: "exit", vtxos: ["a:0", "c:0"], destination: "", unixMs: 0,
    isSent: false, isConfirmed: false } as const;
  assert.ok(!intents.take(b, { type: "ark-intent", intent: twice }));
  assert.equal(b.skipped.conflicts, 1);
  assert.ok(intents.isFree(b, ["c:0"]));
});

test("ark: intents: limits: intents that are open, VTXOs of one, settled ones, texts", () => {
  const b = fresh({ openMax: 2, vtxosMax: 2, settledMax: 1 });
  assert.ok(!intents.isFree(b, []) && !intents.isFree(b, ["a", "b", "c"]));
  assert.ok(!intents.isFree(b, ["a", "a"]) && !intents.isFree(b, ["x".repeat(201)]));
  assert.ok(!intents.isFree(b, ["with space"]) && !intents.isFree(b, [""]));
  opened(b, ["a"]);
  opened(b, ["b"]);
  assert.ok(!intents.isFree(b, ["c"]));
  for (const id of [1, 2]) intents.take(b, { type: "ark-intent-settled", id, outcome: "rejected" });
  assert.deepEqual(b.settled.map(({ id }) => id), [2]);
  assert.equal(b.counts.rejected, 2);
  for (const wrong of [{ openMax: 0 }, { vtxosMax: 257 }, { vtxosMax: 0 }, { settledMax: -1 }]) {
    assert.throws(() => fresh(wrong));
  }
  assert.throws(() => intents.draft(fresh(), "claim", ["a"], "", 0));
  assert.throws(() => intents.draft(fresh(), "exit", ["a"], "", -1));
  // The largest record there can be fits a journal's default.
  const large = fresh({ vtxosMax: 256 });
  const all = Array.from({ length: 256 }, (_, i) => `${i}`.padStart(200, "x"));
  assert.ok((opened(large, all)[0] as string).length < 65_536);
});

test("ark: intents: one that an earlier run with larger limits wrote is read all the same", () => {
  const [body = ""] = opened(fresh(), ["a", "b", "c"]);
  const b = fresh({ vtxosMax: 1, openMax: 1 });
  intents.replay(b, body);
  assert.equal(b.open.get(1)?.vtxos.length, 3);
});

test("ark: intents: bodies that are none of ours change nothing, whatever they hold", () => {
  const b = fresh();
  const before = clone(b);
  for (const body of ["", "{}", `{"v":1,"k":"added"}`, `{"type":"notice","id":1}`]) {
    intents.replay(b, body);
  }
  assert.deepEqual(b, before);
  const wrong = [
    `{"type":"ark-`, `{"type":"ark-other"}`, `{"type":"ark-intent-sent","id":0}`,
    `{"type":"ark-intent-sent","id":1e3}`, `{"type":"ark-intent-settled","id":1,"as":"x"}`,
    `{"type":"ark-intents","last":-1}`, `{"type":"ark-tip","height":1}`,
    `{"type":"ark-intent","id":1,"do":"refresh","vtxos":[],"at":0,"to":""}`,
    `{"type":"ark-intent","id":1,"do":"refresh","vtxos":[1],"at":0,"to":""}`,
    `{"type":"ark-intent","id":1,"do":"refresh","vtxos":["a"],"at":0,"to":"x"}`,
    `{"type":"ark-intent","id":1,"do":"claim","vtxos":["a"],"at":0,"to":""}`,
    `{"type":"ark-intent","id":1,"do":"claim","vtxos":["a"],"at":0,"to":" "}`,
    `{"type":"ark-intent","id":1,"do":"spend","vtxos":["a"],"at":0,"to":""}`,
    `{"type":"ark-intent","id":1,"do":"exit","vtxos":"a","at":0,"to":""}`,
    `{"type":"ark-tip","type":"ark-tip","height":1,"at":1}`,
  ];
  for (const body of wrong) intents.replay(b, body);
  assert.equal(b.skipped.malformed, wrong.length);
  assert.equal(b.open.size, 0);
});

test("ark: intents: the wallet that all is about outlives the file; the last one counts", () => {
  const b = fresh();
  for (const fingerprint of ["aa", "b\"b"]) {
    assert.ok(intents.take(b, { type: "ark-wallet", fingerprint }));
    assert.ok(!intents.take(b, { type: "ark-wallet", fingerprint }));
  }
  const again = fresh();
  for (const body of intents.snapshot(b)) intents.replay(again, body);
  assert.equal(again.wallet, "b\"b");
  intents.replay(again, `{"type":"ark-wallet","is":""}`);
  assert.equal(again.skipped.malformed, 1);
});

test("ark: intents: the height that was written last counts, whatever its stamp", () => {
  const b = fresh();
  assert.ok(intents.take(b, { type: "ark-tip", height: 9, unixMs: 100, isProven: true }));
  assert.ok(!intents.take(b, { type: "ark-tip", height: 9, unixMs: 100, isProven: true }));
  assert.ok(intents.take(b, { type: "ark-tip", height: 12, unixMs: 50, isProven: true }));
  assert.deepEqual(b.tip, { height: 12, unixMs: 50, isProven: true });
  assert.ok(!intents.take(b, { type: "ark-intents", last: 0 }));
});

test("ark: intents: that a round stands in a block is written down, and is not taken back", () => {
  const b = fresh();
  opened(b, ["a:0"]);
  const body = `{"type":"ark-intent-sent","id":1,"is":"confirmed"}`;
  const record = { type: "ark-intent-sent", id: 1, isConfirmed: true } as const;
  assert.equal(intents.encode(record), body);
  intents.replay(b, `{"type":"ark-intent-sent","id":1}`);
  assert.equal(b.open.get(1)?.isConfirmed, false);
  intents.replay(b, body);
  assert.ok(!intents.take(b, { ...record, isConfirmed: false }));
  const again = fresh();
  for (const one of intents.snapshot(b)) intents.replay(again, one);
  assert.ok(again.open.get(1)?.isConfirmed);
});

const acts = fc.array(fc.tuple(
  fc.constantFrom("open", "open", "send", "settle", "forget"), fc.integer({ min: 0, max: 5 }),
), { maxLength: 40, size: "max" });

test("ark: intents: read again, in part or whole, or from a snapshot, the book is the same", () => {
  fc.assert(fc.property(acts, fc.nat(40), (script, cut) => {
    const b = fresh();
    const bodies: string[] = [];
    const take = (record: intents.Record): void => {
      if (intents.take(b, record)) bodies.push(intents.encode(record));
    };
    for (const [what, n] of script) {
      const ids = [...b.open.keys()];
      const id = ids[n % (ids.length || 1)] ?? 0;
      const vtxos = [`v${n}`, `v${(n + 1) % 6}`];
      if (what === "open" && intents.isFree(b, vtxos)) {
        const aim = intents.aims[n % 2] ?? "exit";
        take({ type: "ark-intent", intent: intents.draft(b, aim, vtxos, "", n) });
      } else if (what === "send") take({ type: "ark-intent-sent", id, isConfirmed: false });
      else if (what === "settle") {
        take({ type: "ark-intent-settled", id, outcome: intents.outcomes[n % 3] ?? "success" });
      }
      const seen = [...b.open.values()].flatMap((intent) => intent.vtxos);
      assert.equal(new Set(seen).size, seen.length);
      assert.equal(b.byVtxo.size, seen.length);
    }
    const once = fresh();
    for (const body of bodies) intents.replay(once, body);
    assert.deepEqual(once, b);
    for (const body of bodies.slice(0, cut)) intents.replay(once, body);
    assert.deepEqual(once, b);
    const anew = fresh();
    for (const body of intents.snapshot(b)) intents.replay(anew, body);
    assert.deepEqual([...anew.open], [...b.open]);
    assert.equal(anew.lastId, b.lastId);
  }), { numRuns: 80 });
});

test("ark: intents: decoding never throws", () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
    intents.decode(`{"type":"ark-${text}`);
    intents.decode(text);
  }), { numRuns: 100 });
});
