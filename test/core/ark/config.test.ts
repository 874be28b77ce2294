import assert from "node:assert/strict";
import { test } from "node:test";
import {
  check, defaults, isName, problemsOf, targetOf, walletOf, type ArkConfig, type WalletConfig,
} from "../../../core/ark/config.ts";
import * as supervisor from "../../../core/ark/supervisor.ts";
import { home } from "../../support/ark-world.ts";

const a = walletOf("a", "s");
const keysOf = (c: Partial<ArkConfig>): readonly string[] => (
  problemsOf({ ...defaults, ...c }).flatMap(({ keys }) => keys)
);
const ofWallet = (one: WalletConfig): readonly string[] => keysOf({ wallets: [one] });
const guard = (part: object): WalletConfig => ({ ...a, guardian: { ...a.guardian, ...part } });

test("ark: config: what is there by default holds together, with wallets and without", () => {
  assert.deepEqual(problemsOf(defaults), []);
  assert.deepEqual(problemsOf({ ...defaults, wallets: [a, walletOf("b")] }), []);
  assert.equal(check(defaults), undefined);
  assert.equal(targetOf("a"), "barkd:a");
});

test("ark: config: by default no exit is begun and none is claimed", () => {
  const { autoExit, autoClaim, destination } = a.guardian.shepherd;
  assert.deepEqual([autoExit, autoClaim, destination], [false, false, ""]);
  assert.equal(a.guardian.expiry.wallet, "a");
});

test("ark: config: relations that do not hold, each by its name", () => {
  assert.deepEqual(keysOf({ wallets: [a, a] }), ["wallets"]);
  assert.deepEqual(keysOf({ wallets: [a, walletOf("b")], walletsMax: 1 }), ["wallets"]);
  assert.deepEqual(keysOf({ drainMs: 0 }), ["drainMs"]);
  assert.deepEqual(keysOf({ nudgeMs: 999 }), ["nudgeMs"]);
  const openMax = { ...defaults.calls, openMax: 0 };
  assert.deepEqual(keysOf({ wallets: [a], calls: openMax }), ["calls.openMax"]);
  assert.deepEqual(keysOf({ wallets: [a], drainMs: 29_999 }), ["wallet.a.stopMs"]);
});

test("ark: config: a program has its time to end, unless it is left running", () => {
  const program = { ...supervisor.defaults, termMs: 13_001 };
  assert.deepEqual(ofWallet({ ...a, program }), ["wallet.a.program"]);
  assert.deepEqual(ofWallet({ ...a, program: { ...program, termMs: 13_000 } }), []);
  assert.deepEqual(ofWallet({ ...a, program: { ...program, isLeft: true } }), []);
});

test("ark: config: a wallet's name stands in records and targets, and is its notices' own", () => {
  for (const name of ["a", "A-1_.z", "x".repeat(40)]) assert.ok(isName(name), name);
  for (const name of ["", "a b", "\"", "ä", "x".repeat(41)]) assert.ok(!isName(name), name);
  assert.deepEqual(ofWallet(walletOf("a b")), ["wallet.a b.name"]);
  const other = { ...a, name: "other" };
  assert.deepEqual(ofWallet(other), ["wallet.other.guardian.expiry.wallet"]);
});

test("ark: config: no call names more than the backend takes; a claim goes somewhere", () => {
  const { intents, refresh, shepherd } = a.guardian;
  const many = ofWallet(guard({
    intents: { ...intents, vtxosMax: 201 }, refresh: { ...refresh, batchMax: 201 },
    shepherd: { ...shepherd, batchMax: 201 },
  }));
  assert.equal(many.length, 3);
  const key = "wallet.a.guardian.shepherd.destination";
  assert.deepEqual(ofWallet(guard({ shepherd: { ...shepherd, autoClaim: true } })), [key]);
  assert.deepEqual(ofWallet(guard({ shepherd: { ...shepherd, destination: "a b" } })), [key]);
  const good = { ...shepherd, autoClaim: true, destination: home };
  assert.deepEqual(ofWallet(guard({ shepherd: good })), []);
});
