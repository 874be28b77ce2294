import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createIdentity } from "../../adapters/identity.ts";
import { primitives } from "../../adapters/primitives.ts";
import { base64, hex } from "../../core/bytes.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";

const sha = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytes).digest());

test("identity: signatures of a fixed key are those of every other implementation", () => {
  const one = createIdentity(() => new Uint8Array(32).fill(0x11));
  const pubkey = hex(one.pubkey);
  assert.equal(pubkey, "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa");
  assert.equal(nickOf(pubkey, 5, primitives.sha256), "J52N8GdNkKtMA6TW");
  const data = Buffer.from("0 100000 5000000 0 0.00002onion-network");
  const head = Buffer.from("\x18Bitcoin Signed Message:\n");
  const inner = sha(Buffer.concat([head, Buffer.from([data.length]), data]));
  const signature = one.sign(sha(inner));
  assert.equal(base64(signature), "MEQCIAbGLMtL22liwlbg+uXPHSMECIYRiMgLyXRUGwKpV2zJ" +
    "AiAjO2cC9ZB6pU2muHuo3paotp4XwmZ1rgyrYFbrcT19uw==");
  assert.ok(primitives.verifyEcdsa(one.pubkey, inner, signature));
});

test("identity: bytes that are no key are drawn again", () => {
  const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(1)];
  let drawn = 0;
  const one = createIdentity(() => draws[drawn++] as Uint8Array);
  assert.equal(drawn, 3);
  assert.equal(one.pubkey.length, 33);
});
