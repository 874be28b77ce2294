import assert from "node:assert/strict";
import test from "node:test";
import type { Address } from "../../adapters/address.ts";
import { targetOf } from "../../adapters/target.ts";
import { secret } from "../../core/secret.ts";

const url = new URL("https://example.org/");
const key = secret(new Uint8Array(16).fill(1));
const tcp: Address = { kind: "tcp", host: "127.0.0.1", port: 9050 };
const unix: Address = { kind: "unix", path: "/run/tor/socks" };
const credentials = { kind: "none" } as const;

test("adapters: target: on this machine nothing stands between", () => {
  const target = targetOf({ url, credentials, isolation: undefined }, tcp, key);
  assert.deepEqual(target, { url, credentials, proxy: undefined });
});

test("adapters: target: elsewhere goes through Tor, wherever that listens, as its label", () => {
  for (const at of [tcp, unix]) {
    const { proxy } = targetOf({ url, credentials, isolation: "notify" }, at, key);
    assert.deepEqual([proxy?.at, proxy?.as.user], [at, "dogwatch-notify"]);
    assert.equal(Buffer.from(proxy?.as.password.secret ?? "").toString(), "01".repeat(16));
  }
});

test("adapters: target: without Tor there is no way, which requests refuse", () => {
  const target = targetOf({ url, credentials, isolation: "notify" }, undefined, key);
  assert.equal(target.proxy, undefined);
});
