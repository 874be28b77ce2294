import assert from "node:assert/strict";
import { test } from "node:test";
import { calls, doubt, isUnknown } from "../../../../core/chain/plans/trust.ts";
import type { Outcome } from "../../../../core/chain/rpc.ts";
import { parse } from "../../../../core/joinmarket/json.ts";
import { config, quiet } from "../../../support/bitcoind.ts";

const ok = (text: unknown): Outcome => {
  const parsed = parse(String(text));
  assert.ok(parsed.ok);
  return { ok: true, result: parsed.value };
};
const outcomes = (address?: string, other: Readonly<Record<string, string>> = {}): Outcome[] =>
  calls(address).map(([method]) => ok(other[method] ?? quiet[method]));

const idle = { getindexinfo: "{}" };
const scanning = "{\"private_keys_enabled\":false,\"scanning\":{\"progress\":0.5}}";

test("chain: trust: an index knows all, a wallet its own, and nobody the rest", () => {
  const reason = (
    by: "knows" | "index" | "address", address?: string, other: Record<string, string> = {},
  ): string | undefined => doubt(config, outcomes(address, other), by)?.reason;
  assert.equal(reason("index"), undefined);
  assert.equal(reason("index", undefined, idle), "no-index");
  assert.equal(reason("index", "bcrt1qaddress0", idle), undefined);
  assert.equal(reason("knows", undefined, idle), undefined);
  assert.equal(reason("knows", undefined, { ...idle, getwalletinfo: scanning }), undefined);
  assert.equal(reason("address", "bcrt1qaddress0"), undefined);
  assert.equal(reason("address", "bcrt1qaddress0", { getwalletinfo: scanning }), "rescanning");
  assert.equal(
    reason("address", "bcrt1qaddress0", { getaddressinfo: "{\"ismine\":false}" }), "no-index",
    "an index of transactions does not know addresses",
  );
});

test("chain: trust: hazard 3: with blocksonly=1 nothing is absent, whoever would know it", () => {
  const getnetworkinfo = "{\"version\":300000,\"connections\":8,\"localrelay\":false}";
  for (const by of ["knows", "index", "address"] as const) {
    const address = by === "address" ? "bcrt1qaddress0" : undefined;
    const found = doubt(config, outcomes(address, { getnetworkinfo }), by);
    assert.equal(found?.reason, "blocks-only", by);
    assert.match(found.fault.text, /blocksonly=1/);
  }
});

test("chain: trust: the node's word that it does not know", () => {
  assert.equal(isUnknown({ ok: false, code: -5, message: "" }), true);
  assert.equal(isUnknown({ ok: false, code: -28, message: "" }), false);
  assert.equal(isUnknown({ ok: true, result: null }), false);
  assert.equal(isUnknown(undefined), false);
});
