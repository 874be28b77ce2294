import assert from "node:assert/strict";
import { test } from "node:test";
import {
  absent, isAddress, isPatient, malformed, needsPerson, ofFailure, unavailable,
  type Question, type Reason,
} from "../../../core/chain/chain.ts";

const reasons: readonly Reason[] = [
  "unreachable", "timeout", "credentials", "refused", "busy", "warming-up", "syncing",
  "wallet-loading", "rescanning", "wallet", "pruned", "no-index", "blocks-only", "wrong-network",
  "too-old", "unsettled", "stale", "too-many", "nonsense",
];

test("chain: failures: no failure of a request is an absence", () => {
  const failures = [
    "refused", "timeout", "unreachable", "reset", "too-large", "malformed", "denied",
  ] as const;
  const answers = failures.map(ofFailure);
  assert.ok(answers.every((answer) => answer.why === "unavailable"));
  assert.deepEqual(answers.map(({ reason }) => reason), [
    "unreachable", "timeout", "unreachable", "unreachable", "too-many", "nonsense", "unreachable",
  ]);
  assert.equal(new Set(answers.map(({ fault }) => fault.code)).size, failures.length);
});

test("chain: reasons: none passes by itself and needs a person too", () => {
  assert.ok(reasons.every((reason) => !(isPatient(reason) && needsPerson(reason))));
  assert.deepEqual(reasons.filter(isPatient), [
    "warming-up", "syncing", "wallet-loading", "rescanning", "unsettled",
  ]);
  assert.deepEqual(reasons.filter(needsPerson), [
    "credentials", "wallet", "pruned", "no-index", "blocks-only", "wrong-network", "too-old",
    "too-many",
  ]);
});

test("chain: questions: what cannot exist is not asked about", () => {
  const id = "ab".repeat(32);
  const fine: readonly Question[] = [
    { ask: "tip" }, { ask: "tip", since: id }, { ask: "coins" }, { ask: "prepare" },
    { ask: "rescan", fromHeight: undefined }, { ask: "rescan", fromHeight: 0 },
    { ask: "rescan-progress" }, { ask: "tx", txid: id },
    { ask: "address", address: "bcrt1qxyz123" },
    { ask: "tx", txid: id, address: "bcrt1qxyz123" },
  ];
  for (const question of fine) assert.equal(malformed(question), undefined, question.ask);
  const wrong: readonly Question[] = [
    { ask: "tip", since: "" }, { ask: "tx", txid: "../x" }, { ask: "tx", txid: id.toUpperCase() },
    { ask: "tx", txid: id, address: "a/b" }, { ask: "address", address: "" },
    { ask: "rescan", fromHeight: -1 }, { ask: "rescan", fromHeight: 1.5 },
    { ask: "rescan", fromHeight: 1_000_000_000 },
  ];
  for (const question of wrong) {
    assert.equal(malformed(question)?.fault.code, "chain-question", question.ask);
  }
});

test("chain: isAddress: fits into a path", () => {
  assert.equal(isAddress("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), true);
  const wrong = ["", "short", "bcrt1q/../x00", "bcrt1q?x=1234", "é".repeat(20), "a".repeat(101)];
  for (const text of wrong) {
    assert.equal(isAddress(text), false, text);
  }
});

test("chain: answers: absent names a few conflicts, unavailable its reason", () => {
  assert.equal(absent(Array.from({ length: 20 }, String)).conflicts.length, 8);
  assert.deepEqual(unavailable("stale", "a-b", "text"), {
    ok: false, why: "unavailable", reason: "stale", fault: { code: "a-b", text: "text" },
  });
});
