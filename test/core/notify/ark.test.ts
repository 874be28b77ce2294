import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arkIdentity, arkKinds, arkPriority, arkWording, isArk, type ArkNotice, type ClaimBlock,
  type ExitBlock,
} from "../../../core/notify/ark.ts";
import { kinds } from "../../../core/notify/notice.ts";
import { samples, vtxo } from "../../support/notices.ts";

const amount = (sat: bigint): string => `<${sat}>`;
const whole = (n: ArkNotice): string => arkWording(n, amount).join("\n");

test("notify: ark: its kinds are among all kinds, and nothing else is one", () => {
  for (const kind of arkKinds) assert.ok(kinds.includes(kind) && isArk(samples[kind]));
  assert.equal(kinds.filter((kind) => isArk(samples[kind])).length, arkKinds.length);
});

test("notify: ark: the nearer the expiry, the more it matters", () => {
  const expiry = samples["ark-expiry"];
  const priorities = (["due", "failing", "exit-now", "expired"] as const)
    .map((stage) => arkPriority({ ...expiry, stage }));
  assert.deepEqual(priorities, ["normal", "high", "urgent", "urgent"]);
  assert.equal(arkPriority(samples["ark-exit-needed"]), "urgent");
});

test("notify: ark: a stage is told once for its VTXOs, and each reminder once", () => {
  const expiry = samples["ark-expiry"];
  const same = { ...expiry, blocksLeft: 1, leftMs: 1, isEstimate: false };
  assert.deepEqual(arkIdentity(same), arkIdentity(expiry));
  for (const other of [{ nth: 2 }, { stage: "expired" as const }, { count: 9 }, { lead: "x:0" }]) {
    assert.notDeepEqual(arkIdentity({ ...expiry, ...other }), arkIdentity(expiry));
  }
});

test("notify: ark: what ends a trouble has its subject and another state", () => {
  const [a, b] = [samples["ark-exit-unfundable"], samples["ark-exit-fundable"]].map(arkIdentity);
  assert.equal(a?.subject, b?.subject);
  assert.notEqual(a?.state, b?.state);
});

test("notify: ark: wallets are told apart", () => {
  for (const kind of arkKinds) {
    const here = arkIdentity(samples[kind]).subject;
    assert.notEqual(arkIdentity({ ...samples[kind], wallet: "other" }).subject, here, kind);
  }
});

test("notify: ark: no id of a VTXO is in the words, and every amount asks the setting", () => {
  for (const kind of arkKinds) {
    const text = whole(samples[kind]);
    assert.ok(!text.includes(vtxo.slice(0, 8)), kind);
    assert.ok(!text.replaceAll("<5432100>", "").includes("5432100"), kind);
    assert.ok(text.includes("savings"), kind);
  }
});

test("notify: ark: every stage and every reason has its words", () => {
  const texts = new Set<string>();
  for (const stage of ["due", "failing", "exit-now", "expired"] as const) {
    texts.add(whole({ ...samples["ark-expiry"], stage, nth: 0, isEstimate: false }));
  }
  const exits: readonly ExitBlock[] = [
    "not-allowed", "unfundable", "too-small", "rejected", "expired", "canceled",
  ];
  for (const why of exits) texts.add(whole({ ...samples["ark-exit-needed"], why }));
  const claims: readonly ClaimBlock[] = ["not-allowed", "no-destination", "rejected"];
  for (const why of claims) texts.add(whole({ ...samples["ark-exit-claimable"], why }));
  assert.equal(texts.size, 13);
  assert.match(whole(samples["ark-expiry"]), /counted on by clock[\s\S]*reminder 1/);
  assert.match(whole({ ...samples["ark-expiry"], wallet: "" }), /^[^\n]*\nThe wallet:/);
  assert.ok(!whole({ ...samples["ark-exit-claimed"], amountSat: 0n }).includes("in all"));
});
