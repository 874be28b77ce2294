import assert from "node:assert/strict";
import { test } from "node:test";
import * as guardian from "../../../core/ark/guardian.ts";
import { lines, plan } from "../../../core/ark/plan.ts";
import * as prng from "../../../core/prng.ts";
import { clone } from "../../support/laws.ts";
import { config, live, min, vtxo, world, type World } from "../../support/ark-guard.ts";

const hour = 60 * min;
const rowsOf = (w: World) => plan(w.m, w.now).rows;

test("ark: plan: of an empty wallet it says so, and is JSON", () => {
  const w = world([]);
  const p = plan(w.m, w.now);
  assert.deepEqual(JSON.parse(JSON.stringify(p)), p);
  assert.deepEqual(lines(p), [
    "Wallet w: no height is known.",
    "The wallet does not answer just now: nothing is begun until it does.", "No VTXO is known.",
  ]);
});

test("ark: plan: what is fine is refreshed at its height, at worst then", () => {
  const w = world([vtxo("b:0", { expiryHeight: 1_300 }), vtxo("a:0", { expiryHeight: 1_200 })]);
  live(w, hour);
  const [row, other] = rowsOf(w);
  assert.equal(row?.vtxo, "a:0");
  assert.equal(other?.vtxo, "b:0");
  assert.equal(row?.stage, "fine");
  assert.deepEqual([row?.next, row?.nextHeight, row?.blocked], ["refresh", 1_141, null]);
  const { height } = plan(w.m, w.now).tip;
  assert.equal(row?.blocksLeft, 1_200 - (height ?? 0));
  assert.ok((row?.nextMs ?? 0) <= (1_141 - (height ?? 0)) * 8 * min);
  assert.ok((row?.leftMs ?? 0) > (row?.nextMs ?? 0));
});

test("ark: plan: it changes nothing, and every amount is text", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_040 })]);
  live(w, hour);
  const before = clone(w.m);
  const p = plan(w.m, w.now);
  lines(p);
  assert.deepEqual(w.m, before);
  assert.deepEqual(JSON.parse(JSON.stringify(p)), p);
});

test("ark: plan: what is in an intent says which, and the intent its phase", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_050 })]);
  live(w, 3 * min);
  const p = plan(w.m, w.now);
  assert.deepEqual(p.intents.map(({ id, aim, phase }) => [id, aim, phase]),
    [[1, "refresh", "watching"]]);
  assert.deepEqual([p.rows[0]?.next, p.rows[0]?.intent], ["refresh", 1]);
  const text = lines(p).join("\n");
  assert.match(text, /Intent 1: refresh of 1 VTXO, watching\./);
  assert.match(text, /next: refresh \(intent 1 is under way\)/);
});

test("ark: plan: what rests says until when", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_055 })]);
  w.bad.add("a:0");
  live(w, 10 * min);
  const [row] = rowsOf(w);
  assert.equal(row?.blocked, "rejected");
  assert.ok((row?.nextMs ?? 0) > 5 * hour && (row?.nextMs ?? 0) <= 6 * hour);
  assert.equal(row?.failures, 1);
});

test("ark: plan: where the operator has to act it says why", () => {
  const shepherd = { ...config.shepherd, autoExit: false };
  const w = world([
    vtxo("a:0", { expiryHeight: 1_010 }), vtxo("b:0", { expiryHeight: 990 }),
  ], { ...config, shepherd });
  w.isServerUp = false;
  live(w, 10 * min);
  const [b, a] = rowsOf(w);
  assert.deepEqual([b?.next, b?.blocked, b?.leftMs], ["operator", "not-allowed", 0]);
  assert.deepEqual([a?.next, a?.exitBlocked], ["refresh", "not-allowed"]);
  const text = lines(plan(w.m, w.now)).join("\n");
  assert.match(text, /expired {2}expired/);
  assert.match(text, /next: operator; in the way: not allowed/);
  assert.match(text, /no exit: not allowed/);
});

test("ark: plan: an exit is followed to its claim", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_030 })]);
  w.isServerUp = false;
  const seen = new Set<string>();
  for (let i = 0; i < 400; i += 1) {
    live(w, min);
    const [row] = rowsOf(w);
    if (row !== undefined) seen.add(`${row.next} ${row.exit} ${row.blocked}`);
  }
  for (const what of [
    "exit null null", "exit-progress start null", "exit-progress awaiting-delta null",
  ]) assert.ok(seen.has(what), `${what} of ${[...seen].join("; ")}`);
  assert.deepEqual(rowsOf(w), []);
});

test("ark: plan: an unproven height, a doubt, an estimate and unpaid fees are said", () => {
  const w = world([vtxo("a:0", { expiryHeight: 1_019 })]);
  w.isFundable = false;
  live(w, 3 * min);
  assert.match(lines(plan(w.m, w.now)).join("\n"), /not proven yet/);
  live(w, hour);
  assert.match(lines(plan(w.m, w.now)).join("\n"), /not be paid: it takes 3,000 sats/);
  const fee = { isFundable: false, feeSat: "3000", count: 3 };
  assert.match(lines({ ...plan(w.m, w.now), fee }).join("\n"),
    /Exits of 3 VTXOs could not all be paid: together they take 3,000 sats in fees/);
  w.source = "giant";
  live(w, 5 * min);
  assert.match(lines(plan(w.m, w.now)).join("\n"), /is in doubt/);
  w.source = "down";
  live(w, 2 * hour);
  assert.match(lines(plan(w.m, w.now)).join("\n"), /at worst; [0-9,]+ was said 2 h/);
  w.isWalletUp = false;
  live(w, hour);
  assert.match(lines(plan(w.m, w.now)).join("\n"), /does not answer just now/);
});

test("ark: plan: no more rows than asked for; the others are counted", () => {
  const w = world([1, 2, 3, 4, 5].map((n) => vtxo(`v${n}:0`, { expiryHeight: 2_000 + n })));
  live(w, 5 * min);
  const p = plan(w.m, w.now, 2);
  assert.deepEqual([p.rows.length, p.more], [2, 3]);
  assert.match(lines(p).at(-1) ?? "", /3 more/);
  assert.match(lines({ ...p, wallet: "" })[0] ?? "", /unnamed/);
});

test("ark: plan: before anything was seen nothing is invented", () => {
  const m = guardian.create(config, prng.key("new"), 0 as never);
  const p = plan(m, 5 as never);
  assert.deepEqual(p.tip, {
    height: null, isEstimate: false, isProven: false, saidHeight: null, saidMs: null, doubted: null,
  });
  assert.equal(p.seenMs, null);
});
