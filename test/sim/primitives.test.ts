import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { base64, hex, unhex } from "../../core/bytes.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import { isNick } from "../../core/joinmarket/nick.ts";
import * as onion from "../../core/joinmarket/onion.ts";
import {
  nickFor, nickOf, onionFor, primitives, pubkeyOf, secretFor, sign,
} from "../../sim/primitives.ts";

const challenge = "22".repeat(32);

function claimOf(index: number): Omit<nickauth.Claim, "signature"> {
  return {
    challenge, directoryId: onionFor(1), handshakeLine: "{\"nick\": \"x\"}",
    nick: nickFor(index), pubkey: pubkeyOf(secretFor(index)),
  };
}

function signed(claim: Omit<nickauth.Claim, "signature">, secret: Uint8Array): nickauth.Claim {
  const inner = nickauth.digest(claim, primitives.sha256);
  return { ...claim, signature: base64(sign(secret, inner)) };
}

test("sim: primitives: the bytes never change", () => {
  assert.equal(nickFor(0), "J56SnVezRarMK58d");
  assert.equal(hex(primitives.sha256(new Uint8Array(0))).length, 64);
  assert.equal(
    onionFor(1_000), "tmcgs5p5i5px2cuqsbbi37sqt4xobjddxy4gi2pvhsb4npxyv62xaqqd.onion:5222",
  );
});

test("sim: primitives: nicks and onions pass the core's checks, and differ", () => {
  const nicks = new Set<string>();
  for (let index = 0; index < 300; index += 1) {
    assert.ok(isNick(nickFor(index)));
    const parsed = onion.parse(onionFor(index), primitives.sha3);
    assert.ok(parsed.ok && parsed.value.serving);
    nicks.add(nickFor(index)).add(onionFor(index));
  }
  assert.equal(nicks.size, 600);
  assert.equal(onion.parse(onionFor(3).replace(/^./, "b"), primitives.sha3).ok, false);
});

test("sim: primitives: the proof of a nick holds, and every forgery fails", () => {
  fc.assert(fc.property(fc.nat(1_000), (index) => {
    const secret = secretFor(index);
    const claim = signed(claimOf(index), secret);
    assert.equal(secret.length, 32);
    assert.equal(claim.nick, nickOf(secret));
    assert.ok(nickauth.isWellFormed(claim, primitives));
    assert.ok(nickauth.verify(claim, primitives));
    assert.ok(nickauth.parseProof(nickauth.proofLine(claim)).ok);
    const forged: nickauth.Claim[] = [
      signed(claimOf(index), secretFor(index + 1)),
      { ...claim, challenge: "23".repeat(32) },
      { ...claim, directoryId: onionFor(2) },
      { ...claim, handshakeLine: `${claim.handshakeLine} ` },
      { ...claim, nick: nickFor(index + 1) },
      { ...claim, pubkey: pubkeyOf(secretFor(index + 1)) },
      { ...claim, signature: base64(new Uint8Array(70)) },
    ];
    for (const one of forged) assert.equal(nickauth.verify(one, primitives), false);
  }), { numRuns: 100 });
});

test("sim: primitives: hostile bytes do not verify and do not throw", () => {
  const inner = primitives.sha256(Uint8Array.of(1));
  const key = unhex(pubkeyOf(secretFor(1))) as Uint8Array;
  const der = sign(secretFor(1), inner);
  assert.ok(primitives.verifyEcdsa(key, inner, der));
  for (let at = 0; at < der.length; at += 1) {
    const changed = der.slice();
    changed[at] = (changed[at] as number) ^ 1;
    assert.equal(primitives.verifyEcdsa(key, inner, changed), false);
  }
  assert.equal(primitives.verifyEcdsa(new Uint8Array(0), inner, der), false);
  assert.equal(primitives.verifyEcdsa(key, new Uint8Array(0), der), false);
  assert.equal(primitives.verifyEcdsa(key, inner, new Uint8Array(0)), false);
  assert.equal(primitives.verifyEcdsa(Uint8Array.of(4, ...key.subarray(1)), inner, der), false);
});

test("sim: primitives: each bit and the length change the hash", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
  fc.assert(fc.property(bytes, fc.nat(), (input, at) => {
    const before = hex(primitives.sha256(input));
    const changed = input.slice();
    const index = at % input.length;
    changed[index] = (changed[index] as number) ^ (1 << (at % 8));
    assert.notEqual(hex(primitives.sha256(changed)), before);
    assert.notEqual(hex(primitives.sha256(Uint8Array.of(...input, 0))), before);
    assert.notEqual(hex(primitives.sha3(input)), before);
    assert.equal(hex(primitives.sha256(input)), before);
  }), { numRuns: 300 });
});

test("sim: primitives: hashes of many short texts differ in their first eight bytes", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i += 1) {
    seen.add(hex(primitives.sha256(Uint8Array.of(i & 255, i >> 8)).subarray(0, 8)));
  }
  assert.equal(seen.size, 20_000);
});
