import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decode, encode, ofError, type Reply } from "../../../core/chain/rpc.ts";
import { recorded } from "../../support/bitcoind.ts";

const limits = { depthMax: 12, nodesMax: 100_000 };
const read = (status: number, body: string, count = 1): Reply =>
  decode(status, body, 5, count, limits);
const shown = (reply: Reply): string => {
  if (!reply.ok) return `${reply.reason} ${reply.fault.code}`;
  return reply.outcomes.map((outcome) => (outcome.ok ? "ok" : `error ${outcome.code}`)).join(", ");
};

/** Every recorded answer under our own ids. */
const all = ["errors", "wallet", "transactions", "shutdown"].flatMap((file) => (
  recorded(file).flatMap((exchange) => {
    const { responseText: text, request, status, name } = exchange;
    if (text === undefined) return [];
    const asked = Array.isArray(request) ? request : [request];
    const ids = asked.map((one) => (one as { id?: string } | null | undefined)?.id);
    let body = text;
    for (const [place, id] of ids.entries()) {
      if (id !== undefined) body = body.replace(`"id":"${id}"}`, `"id":"5.${place}"}`);
    }
    return [{ name, status, body, count: ids.length }];
  })
));

test("chain: rpc: every recorded answer of a node is read", () => {
  assert.ok(all.length > 60, `${all.length} answers`);
  const told = new Map<string, string>();
  for (const { name, status, body, count } of all) {
    const reply = read(status, body, count);
    if (status === 401) assert.equal(shown(reply), "credentials rpc-unauthorized");
    else assert.ok(reply.ok && reply.outcomes.length === count, `${name}: ${shown(reply)}`);
    told.set(name, shown(reply));
  }
  assert.equal(told.get("warm-up"), "error -28");
  assert.equal(told.get("not JSON"), "error -32700");
  assert.equal(told.get("unknown method"), "error -32601");
  assert.equal(told.get("wallet not loaded"), "error -18");
  assert.equal(told.get("batch of two, one unknown"), "ok, error -32601");
  assert.equal(told.get("jsonrpc 2.0 error"), "error -8");
  assert.equal(told.get("loadwallet already loaded"), "error -35");
  assert.equal(told.get("gettxout unconfirmed, without mempool"), "ok");
});

test("chain: rpc: every recorded answer cut off anywhere is nonsense, never a result", () => {
  for (const { status, body, count } of all.filter((one) => one.status !== 401)) {
    const { length } = body.trimEnd();
    const step = length > 2_000 ? 997 : 7;
    for (let end = 0; end < length; end += step) {
      const reply = read(status, body.slice(0, end), count);
      assert.ok(!reply.ok && reply.reason === "nonsense", body.slice(0, end));
    }
  }
});

test("chain: rpc: encode: one call is an object, several are a batch", () => {
  assert.equal(
    encode([["getblockhash", 5]], 3),
    "{\"jsonrpc\":\"1.0\",\"id\":\"3.0\",\"method\":\"getblockhash\",\"params\":[5]}",
  );
  const batch = JSON.parse(encode([["a"], ["b", "x", [0, 1], { k: null }]], 3)) as unknown;
  assert.deepEqual(batch, [
    { jsonrpc: "1.0", id: "3.0", method: "a", params: [] },
    { jsonrpc: "1.0", id: "3.1", method: "b", params: ["x", [0, 1], { k: null }] },
  ]);
  assert.throws(() => encode([], 1), /asks for something/);
});

test("chain: rpc: decode: another's answer is not taken", () => {
  assert.equal(shown(read(200, "{\"result\":1,\"error\":null,\"id\":\"4.0\"}")), "nonsense rpc-id");
  assert.equal(shown(read(200, "{\"result\":1,\"error\":null,\"id\":5}")), "nonsense rpc-id");
  assert.equal(shown(read(200, "{\"result\":1,\"error\":null}")), "nonsense rpc-id");
  const one = "{\"result\":1,\"error\":null,\"id\":\"5.0\"}";
  assert.equal(shown(read(200, `[${one},${one}]`, 2)), "nonsense rpc-id");
  assert.equal(shown(read(200, `[${one}]`, 2)), "nonsense rpc-shape");
  assert.equal(shown(read(200, `[${one}]`, 1)), "nonsense rpc-shape");
  assert.equal(shown(read(200, one, 2)), "nonsense rpc-shape");
});

test("chain: rpc: decode: a batch in another order is put in order", () => {
  const say = (place: number): string => `{"result":${place},"error":null,"id":"5.${place}"}`;
  const reply = read(200, `[${say(2)},${say(0)},${say(1)}]`, 3);
  assert.ok(reply.ok);
  assert.deepEqual(reply.outcomes, [0, 1, 2].map((n) => (
    { ok: true, result: { numeral: String(n) } }
  )));
});

test("chain: rpc: decode: an error about the whole request is every call's", () => {
  const body = "{\"result\":null,\"error\":{\"code\":-28,\"message\":\"Loading\"},\"id\":null}";
  assert.equal(shown(read(500, body, 2)), "error -28, error -28");
  assert.equal(shown(read(500, body, 1)), "error -28");
});

test("chain: rpc: decode: who speaks instead of the node is told apart", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [401, "", "credentials rpc-unauthorized"], [403, "", "refused rpc-forbidden"],
    [503, "Work queue depth exceeded", "busy rpc-busy"], [429, "", "busy rpc-busy"],
    [502, "<html>Bad Gateway</html>", "unreachable rpc-gateway"],
    [504, "", "unreachable rpc-gateway"], [302, "", "nonsense rpc-status"],
    [200, "<!DOCTYPE html><title>router</title>", "nonsense rpc-html"],
    [404, "\n <html>", "nonsense rpc-html"], [200, "", "nonsense rpc-empty"],
    [500, " \n", "nonsense rpc-empty"], [200, "ok", "nonsense rpc-json"],
    [200, "{\"result\":1", "nonsense rpc-json"], [200, "{}", "nonsense rpc-shape"],
    [200, "[]", "nonsense rpc-shape"], [200, "null", "nonsense rpc-shape"],
    [200, "{\"error\":null,\"id\":\"5.0\"}", "nonsense rpc-shape"],
    [500, "{\"error\":{\"code\":\"x\"},\"id\":\"5.0\"}", "nonsense rpc-shape"],
    [500, "{\"error\":{\"message\":\"x\"},\"id\":\"5.0\"}", "nonsense rpc-shape"],
    [500, "{\"result\":1,\"error\":{\"code\":-1},\"id\":\"5.0\"}", "nonsense rpc-shape"],
  ];
  for (const [status, body, expected] of cases) assert.equal(shown(read(status, body)), expected);
});

test("chain: rpc: decode: more values than the limit is nonsense", () => {
  const body = (count: number): string =>
    `{"result":[${"1,".repeat(count - 1)}1],"error":null,"id":"5.0"}`;
  // The object, its three members, and the items.
  assert.equal(shown(decode(200, body(96), 5, 1, { depthMax: 3, nodesMax: 100 })), "ok");
  assert.equal(
    shown(decode(200, body(97), 5, 1, { depthMax: 3, nodesMax: 100 })), "nonsense rpc-json",
  );
});

test("chain: rpc: errors: numbers that stand for many things are told apart", () => {
  const reason = (code: number, message = ""): string => ofError(code, message).reason;
  assert.equal(reason(-28), "warming-up");
  assert.equal(reason(-18), "wallet");
  assert.equal(reason(-35), "wallet");
  assert.equal(reason(-10), "syncing");
  assert.equal(reason(-9), "syncing");
  assert.equal(reason(-32601), "too-old");
  assert.equal(reason(-4), "wallet");
  assert.equal(reason(-4, "Wallet already loading."), "wallet-loading");
  assert.equal(
    reason(-4, "Wallet is currently rescanning. Abort existing rescan or wait."), "rescanning",
  );
  assert.equal(
    reason(-4, "Error: Prune: last wallet synchronisation goes beyond pruned data."), "pruned",
  );
  assert.equal(reason(-1, "Can't rescan beyond pruned data."), "pruned");
  assert.equal(reason(-1, "Rescan was aborted by user."), "refused");
  assert.equal(reason(-8), "refused");
  assert.equal(ofError(-4, "at /secret/path").fault.code, "rpc-error-4");
  assert.doesNotMatch(ofError(-4, "at /secret/path").fault.text, /secret/);
});

test("chain: rpc: decode: no bytes make it throw, and none of them a result by chance", () => {
  const pieces = fc.constantFrom(
    "{", "}", "[", "]", "\"result\":", "\"error\":", "null", ",", "\"id\":\"5.0\"", "1e-8", "\"",
  );
  const text = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 });
  fc.assert(fc.property(fc.nat(600), text, fc.nat(3), (status, parts, extra) => {
    const count = extra + 1;
    const reply = read(status, parts.join(""), count);
    if (reply.ok) assert.equal(reply.outcomes.length, count);
  }), { numRuns: 500 });
});
