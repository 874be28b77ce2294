import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerOf, defaults, ofFailure, requestOf } from "../../../core/ark/barkd.ts";
import { names, reasons, type Answer, type Op } from "../../../core/ark/wallet.ts";
import { goods, idA, idB, vtxo } from "../../support/barkd.ts";

const bare = {
  vtxos: [idA, idB], since: undefined, destination: "bcrt1qclaims0here",
  event: undefined,
};
const ops = names.map((name) => ({ op: name, ...bare }) as Op);
const statuses = fc.oneof(
  fc.constantFrom(200, 400, 401, 404, 405, 422, 429, 500, 502, 503), fc.integer(),
);

/** Every answer is whole, and none of its words come from the reply. */
function judge(answer: Answer, body: string): void {
  if (answer.ok || answer.why === "absent" || answer.why === "unsupported") return;
  const { code, text } = answer.fault;
  assert.match(code, /^barkd-[a-z0-9-]+$/);
  assert.ok(text.length > 0 && text.length < 100);
  const secret = /[0-9a-f]{12}/.exec(body)?.[0];
  if (secret !== undefined) assert.ok(!text.includes(secret));
  if (answer.why === "unavailable") assert.ok(reasons.includes(answer.reason));
  else assert.ok(answer.ids.every((id) => bare.vtxos.includes(id)));
}

test("barkd: good replies are done", () => {
  for (const [op, body] of goods) {
    const answer = answerOf(defaults, op, 200, JSON.stringify(body));
    assert.ok(answer.ok && answer.done.op === op.op, op.op);
  }
  const alive = answerOf(defaults, { op: "alive" }, 200, "pong");
  assert.deepEqual(alive, { ok: true, done: { op: "alive" } });
  for (const op of ["sync", "sync-onchain"] as const) {
    for (const body of ["", "null", " {} \n"]) {
      assert.deepEqual(answerOf(defaults, { op }, 200, body), { ok: true, done: { op } });
    }
  }
});

test("barkd: calls without a request are unsupported, whoever answers", () => {
  for (const op of ops) {
    if (requestOf(defaults, op) !== undefined) continue;
    const answer = answerOf(defaults, op, 200, "{}");
    assert.deepEqual(answer, { ok: false, why: "unsupported" }, op.op);
  }
});

test("barkd: a page, nothing or another program is no barkd", () => {
  const bodies = ["<html>pong</html>", "pong!", "\"pong\"", "{\"status\":\"ok\"}"];
  for (const op of ops) {
    if (requestOf(defaults, op) === undefined) continue;
    for (const body of bodies) {
      const answer = answerOf(defaults, op, 200, body);
      const isWallet = op.op === "identity" && body.startsWith("{");
      assert.equal(answer.ok, isWallet, `${op.op} ${body}`);
      if (!answer.ok) assert.ok(answer.why === "unavailable" && answer.reason === "malformed");
    }
  }
});

test("barkd: a reply cut at any place is never a shorter one", () => {
  for (const [op, body] of goods) {
    const whole = JSON.stringify(body);
    for (let end = 0; end < whole.length; end += 1) {
      const answer = answerOf(defaults, op, 200, whole.slice(0, end));
      assert.ok(!answer.ok && answer.why === "unavailable" && answer.reason === "malformed");
    }
  }
});

test("barkd: any text with any status has an answer, in words of our own", () => {
  const bodies = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }), fc.json({ maxDepth: 3 }),
    fc.string({ maxLength: 80 }).map((message) => JSON.stringify({ message })),
    fc.string({ maxLength: 40 }).map((said) => JSON.stringify({
      message: `code: 'Client specified an invalid argument', message: "${said} ${idA} ${said}`,
      resources: [idA, said],
    })),
  );
  fc.assert(fc.property(fc.constantFrom(...ops), statuses, bodies, (op, status, body) => {
    judge(answerOf(defaults, op, status, body), body);
  }), { numRuns: 100 });
});

test("barkd: a status that is not good is never done and never an empty list", () => {
  fc.assert(fc.property(fc.constantFrom(...goods), statuses, ([op, body], status) => {
    const answer = answerOf(defaults, op, status, JSON.stringify(body));
    assert.equal(answer.ok, status === 200);
  }), { numRuns: 100 });
});

test("barkd: VTXOs come back as they were sent, to the last satoshi", () => {
  const one = fc.record({
    id: fc.tuple(fc.stringMatching(/^[0-9a-f]{64}$/), fc.nat()).map(([txid, n]) => `${txid}:${n}`),
    amountSat: fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }),
    expiryHeight: fc.nat({ max: 499_999_999 }), exitDeltaBlocks: fc.nat({ max: 65_535 }),
    exitDepth: fc.nat({ max: 65_535 }),
    state: fc.constantFrom("spendable", "locked", "exited", "spent"),
  }, { noNullPrototype: true });
  const lists = fc.uniqueArray(one, { selector: ({ id }) => id, maxLength: 8 });
  fc.assert(fc.property(lists, (vtxos) => {
    const rows = vtxos.map((v) => ({
      ...vtxo, id: v.id, amount_sat: Number(v.amountSat), expiry_height: v.expiryHeight,
      exit_delta: v.exitDeltaBlocks, exit_depth: v.exitDepth, state: { type: v.state },
    }));
    const answer = answerOf(defaults, { op: "vtxos" }, 200, JSON.stringify(rows));
    assert.deepEqual(answer, { ok: true, done: { op: "vtxos", vtxos } });
  }), { numRuns: 50 });
});

test("barkd: a large reply is read in good time, and a hostile one refused in good time", () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `${idA.slice(0, 65)}${i}`);
  const many = ids.map((id) => ({ ...vtxo, id }));
  assert.ok(answerOf(defaults, { op: "vtxos" }, 200, JSON.stringify(many)).ok);
  const hostile = [
    " ".repeat(1_000_000), "[".repeat(1_000_000), `"${"a".repeat(1_000_000)}`,
    JSON.stringify({ message: `code: '${"x".repeat(99)}', message: "${"\\".repeat(500_000)}` }),
    JSON.stringify({ message: "a".repeat(1_000_000) }),
  ];
  for (const body of hostile) {
    for (const status of [200, 404, 500]) {
      for (const op of [{ op: "sync" }, { op: "refresh", ...bare }] as Op[]) {
        assert.ok(!answerOf(defaults, op, status, body).ok || body.trim() === "");
      }
    }
  }
});

test("barkd: what a request without a reply came to is nobody's fault but the way's", () => {
  const answer = ofFailure("refused");
  assert.ok(!answer.ok && answer.why === "unavailable" && answer.reason === "unreachable");
});
