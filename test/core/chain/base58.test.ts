import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, hex } from "../../../core/bytes.ts";
import { decode, lengthMax } from "../../../core/chain/base58.ts";
import { primitives } from "../../support/primitives.ts";

const { sha256 } = primitives;
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Written from the definition, with one large number. */
function encode(body: Uint8Array): string {
  const bytes = concat([body, sha256(sha256(body)).subarray(0, 4)]);
  let value = BigInt(`0x${hex(bytes)}`);
  let text = "";
  for (; value > 0n; value /= 58n) text = alphabet.charAt(Number(value % 58n)) + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}

test("chain: base58: any bytes come back", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (body) => {
    assert.deepEqual(decode(encode(body), sha256), body);
  }), { numRuns: 100 });
});

test("chain: base58: the address of the first block", () => {
  const body = decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", sha256);
  assert.equal(hex(body!), "0062e907b15cbf27d5425399ebf6f0fb50ebb88f18");
});

test("chain: base58: a wrong character, a foreign one, none, too many", () => {
  assert.equal(decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", sha256), undefined);
  assert.equal(decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", sha256), undefined);
  assert.equal(decode("", sha256), undefined);
  assert.equal(decode("1111", sha256), undefined);
  assert.equal(decode("1".repeat(lengthMax + 1), sha256), undefined);
});
