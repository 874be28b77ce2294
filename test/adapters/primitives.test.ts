import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { primitives } from "../../adapters/primitives.ts";
import { hex, unbase64, unhex } from "../../core/bytes.ts";
import { bytesOf } from "../support/toy.ts";

const { sha256, sha3, verifyEcdsa } = primitives;

test("adapters: primitives: the hashes are those of FIPS 180-4 and 202", () => {
  assert.equal(
    hex(sha256(bytesOf("abc"))),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert.equal(
    hex(sha3(bytesOf("abc"))),
    "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
  );
  assert.equal(Object.getPrototypeOf(sha256(bytesOf(""))), Uint8Array.prototype);
});

/** A compressed point and a signature over the double hash of `message`. */
function signed(message: Uint8Array): { pubkey: Uint8Array; signature: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const odd = (Buffer.from(y ?? "", "base64url")[31] ?? 0) & 1;
  const pubkey = Uint8Array.of(2 + odd, ...Buffer.from(x ?? "", "base64url"));
  const inner = createHash("sha256").update(message).digest();
  return { pubkey, signature: sign("sha256", inner, privateKey) };
}

test("adapters: primitives: ECDSA verifies over the double hash, given the inner one", () => {
  const message = bytesOf("watch");
  const { pubkey, signature } = signed(message);
  const inner = sha256(message);
  assert.ok(verifyEcdsa(pubkey, inner, signature));
  assert.ok(!verifyEcdsa(pubkey, sha256(inner), signature));
  assert.ok(!verifyEcdsa(signed(message).pubkey, inner, signature));
  const other = Uint8Array.from(pubkey);
  other[0] = (other[0] ?? 0) ^ 1;
  assert.ok(!verifyEcdsa(other, inner, signature));
});

test("adapters: primitives: ECDSA accepts a proof made by another implementation", () => {
  const pubkey = unhex("034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa");
  const signature = unbase64(
    "MEQCIDTAF2VwsN1hK3n+Hc2iGt2xkhURfTfCiJnM4myGM6T2" +
      "AiAbXU8Kl5f16SwddktRYcl+gLHt5zS1nY7eLSi61e1g6w==",
  );
  assert.ok(pubkey !== undefined && signature !== undefined);
  const parts = [
    "nick-auth", "22".repeat(32),
    "nakamotourflxwjnjpnrk7yc2nhkf6r62ed4gdfxmmn5f4saw5q5qoyd.onion:5222",
    "ac72075bdc7009683bd8a563dfd09c5ad7ef8c42e8040db0717a5fb3c19b7666",
    "J52N8GdNkKtMA6TW", hex(pubkey),
  ];
  const signedText = `${parts.join("|")}nick-auth-v1`;
  assert.ok(signedText.length > 253 && signedText.length < 65_536);
  const length = [253, signedText.length & 255, signedText.length >> 8];
  const message = Uint8Array.of(
    0x18, ...bytesOf("Bitcoin Signed Message:\n"), ...length, ...bytesOf(signedText),
  );
  assert.ok(verifyEcdsa(pubkey, sha256(message), signature));
});

test("adapters: primitives: ECDSA answers false to any hostile bytes", () => {
  const message = bytesOf("watch");
  const { pubkey, signature } = signed(message);
  const inner = sha256(message);
  const bytes = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(bytes, bytes, bytes, (a, b, c) => {
      assert.ok(!verifyEcdsa(a, inner, signature));
      assert.ok(!verifyEcdsa(pubkey, b, signature));
      assert.ok(!verifyEcdsa(pubkey, inner, c));
    }),
    { numRuns: 50 },
  );
  // x = 5 is on no point of the curve; the uncompressed and the hybrid form are not taken.
  const offCurve = new Uint8Array(33);
  offCurve.set([2], 0);
  offCurve.set([5], 32);
  const whole = new Uint8Array(65).fill(4);
  for (const point of [offCurve, new Uint8Array(33), whole, pubkey.subarray(1)]) {
    assert.ok(!verifyEcdsa(point, inner, signature));
  }
});
