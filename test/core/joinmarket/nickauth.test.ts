import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { base64, hex, unbase64, utf8 } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { nickOf } from "../../../core/joinmarket/nick.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import { der, ORDER, primitives, pubkeyOf, signEcdsa } from "../../support/primitives.ts";
import * as model from "../../support/wire-model.ts";

const vector = JSON.parse(
  fs.readFileSync("test/vectors/joinmarket/nickauth.json", "utf8"),
) as nickauth.Claim & { handshakeSha256: string };

const key = BigInt(`0x${"11".repeat(32)}`);
const holds = (changes: Partial<nickauth.Claim>): boolean =>
  nickauth.verify({ ...vector, ...changes }, primitives);

test("joinmarket: nickauth: the vector holds", () => {
  assert.equal(hex(primitives.sha256(utf8(vector.handshakeLine))), vector.handshakeSha256);
  assert.equal(pubkeyOf(key), vector.pubkey);
  assert.equal(holds({}), true);
});

test("joinmarket: nickauth: a proof made here holds, over any handshake line", () => {
  for (const handshakeLine of ["", "{}", "水😀".repeat(5_000)]) {
    const claim = { ...vector, handshakeLine };
    const signature = base64(signEcdsa(key, nickauth.digest(claim, primitives.sha256)));
    assert.equal(nickauth.verify({ ...claim, signature }, primitives), true);
  }
});

test("joinmarket: nickauth: row 2.6/replay: a proof for anything else does not hold", () => {
  assert.equal(holds({ challenge: "23".repeat(32) }), false);
  assert.equal(holds({ directoryId: "test:other" }), false);
  assert.equal(holds({ handshakeLine: `${vector.handshakeLine} ` }), false);
  assert.equal(holds({ nick: "J5Ckon1LuuapPSBM" }), false);
});

test("joinmarket: nickauth: row 2.6/nick-not-derived: version included", () => {
  assert.equal(holds({ pubkey: pubkeyOf(1n) }), false);
  assert.equal(holds({ nick: vector.nick.replace("J5", "J6") }), false);
  const nick = nickOf(vector.pubkey, 6, primitives.sha256);
  const claim = { ...vector, nick };
  const signature = base64(signEcdsa(key, nickauth.digest(claim, primitives.sha256)));
  assert.equal(nickauth.verify({ ...claim, signature }, primitives), true);
});

test("joinmarket: nickauth: malformed claims do not hold and do not throw", () => {
  const wrong: Partial<nickauth.Claim>[] = [
    { challenge: "" }, { challenge: "AB".repeat(32) }, { directoryId: "" }, { directoryId: "x|y" },
    { nick: "" }, { nick: "x".repeat(16) }, { pubkey: "" }, { pubkey: `04${"11".repeat(32)}` },
    { pubkey: vector.pubkey.toUpperCase() }, { pubkey: `02${"ff".repeat(32)}` },
    { handshakeLine: "\ud800" },
    { signature: "" }, { signature: "A".repeat(40_000) }, { signature: "AAAA" },
  ];
  for (const changes of wrong) {
    assert.equal(holds(changes), false, JSON.stringify(changes).slice(0, 80));
  }
});

const inner = nickauth.digest(vector, primitives.sha256);
const low = signEcdsa(key, inner);
const high = signEcdsa(key, inner, true);
const r = 1n;
const s = 1n;
const variants: [string, Uint8Array, boolean][] = [
  ["r zero", der(0n, s), false], ["s zero", der(r, 0n), false], ["r is n", der(ORDER, s), false],
  ["s is n", der(r, ORDER), false], ["largest r", der(ORDER - 1n, s), true],
  ["half", der(r, ORDER / 2n), true], ["beyond half", der(r, ORDER / 2n + 1n), true],
  ["no sequence", altered(der(r, s), 0, 0x31), false],
  ["no integer", altered(der(r, s), 2, 0x03), false],
  ["second no integer", altered(der(r, s), 5, 0x03), false],
  ["size too small", altered(der(r, s), 1, 5), false],
  ["size too large", altered(der(r, s), 1, 7), false],
  ["negative", altered(der(r, s), 4, 0x80), false],
  ["empty r", Uint8Array.of(0x30, 6, 2, 0, 2, 2, 1, 1), false],
  ["padded r", Uint8Array.of(0x30, 7, 2, 2, 0, 1, 2, 1, 1), false],
  ["too short", new Uint8Array(7), false],
  ["rest", Uint8Array.of(0x30, 7, 2, 1, 1, 2, 1, 1, 0), false],
  ["too long", new Uint8Array(73), false],
  ["r overlong", Uint8Array.of(0x30, 6, 2, 34, 1, 2, 1, 1), false],
  ["r past the end", Uint8Array.of(0x30, 6, 2, 30, 1, 2, 1, 1), false],
  ["s past the end", Uint8Array.of(0x30, 6, 2, 1, 1, 2, 9, 1), false],
  ["s missing", Uint8Array.of(0x30, 6, 2, 4, 1, 1, 1, 1), false],
];

function altered(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  bytes[at] = byte;
  return bytes;
}

for (const [name, bytes, reads] of variants) {
  test(`joinmarket: nickauth: row 2.6/bad-signature: ${name}`, () => {
    const signature = base64(bytes);
    const line = JSON.stringify({ pubkey: vector.pubkey, signature });
    assert.equal(nickauth.parseProof(line).ok, reads);
    assert.equal(holds({ signature }), false);
  });
}

test("joinmarket: nickauth: row 2.6/bad-signature: only the low s holds", () => {
  assert.equal(holds({ signature: base64(low) }), true);
  assert.equal(holds({ signature: base64(high) }), false);
  assert.equal(primitives.verifyEcdsa(Buffer.from(vector.pubkey, "hex"), inner, high), true);
});

test("joinmarket: nickauth: row 2.6/bad-signature: only canonical base64 is read", () => {
  const bare = vector.signature.replace(/=+$/, "");
  const { signature: whole } = vector;
  for (const signature of [bare, `${bare}=`, `${whole}\n`, ` ${whole}`, "!"]) {
    assert.equal(
      nickauth.parseProof(JSON.stringify({ pubkey: vector.pubkey, signature })).ok, false,
    );
    assert.equal(holds({ signature }), false);
  }
});

const proof = { pubkey: vector.pubkey, signature: vector.signature };
const challenge = { "challenge": vector.challenge, "directory-id": vector.directoryId };

test("joinmarket: nickauth: the three lines are written and read back", () => {
  const line = nickauth.challengeLine(vector.challenge, vector.directoryId);
  assert.equal(line, JSON.stringify(challenge));
  const { directoryId } = vector;
  assert.deepEqual(nickauth.parseChallenge(line), {
    ok: true, value: { challenge: vector.challenge, directoryId },
  });
  assert.equal(nickauth.proofLine(proof), JSON.stringify(proof));
  assert.deepEqual(
    nickauth.parseProof(JSON.stringify(proof, undefined, 1)), { ok: true, value: proof },
  );
  for (const code of ["ok", "malformed", "expired", "invalid", "policy"] as const) {
    assert.deepEqual(JSON.parse(nickauth.resultLine(code)), { code, verified: code === "ok" });
    assert.deepEqual(nickauth.parseResult(nickauth.resultLine(code)), { ok: true, value: code });
  }
});

test("joinmarket: nickauth: row 2.6/strict-object: exactly the keys, with their types", () => {
  const proofs: unknown[] = [
    {}, [], null, "x", { ...proof, x: 1 }, { pubkey: proof.pubkey }, { ...proof, pubkey: 1 },
    { ...proof, signature: null },
    { ...proof, signature: [proof.signature] }, { ...proof, pubkey: { a: { b: 1 } } },
    { Pubkey: proof.pubkey, signature: "" },
    { ...proof, pubkey: proof.pubkey.slice(2) }, { ...proof, pubkey: proof.pubkey.toUpperCase() },
    { ...proof, pubkey: `04${proof.pubkey.slice(2)}` },
    { pubkey: proof.pubkey, signatur: proof.signature },
  ];
  for (const value of proofs) {
    assert.equal(nickauth.parseProof(JSON.stringify(value)).ok, false, JSON.stringify(value));
  }
  for (const line of ["", "{", "NaN", JSON.stringify(proof).replace("}", ",\"x\":NaN}")]) {
    assert.equal(nickauth.parseProof(line).ok, false);
  }
});

test("joinmarket: nickauth: row 2.6/duplicate-keys: in the object and in its envelope", () => {
  for (const again of ["pubkey", "p\\u0075bkey"]) {
    const line = JSON.stringify(proof).replace("{", `{"${again}":"${proof.pubkey}",`);
    assert.equal(nickauth.parseProof(line).ok, false);
  }
  const inside = JSON.stringify(JSON.stringify(proof));
  const strict = (text: string): boolean => nickauth.strictEnvelope(
    new Uint8Array(Buffer.from(text)),
  );
  assert.equal(strict(`{"type": 805, "line": ${inside}}\r\n`), true);
  assert.equal(strict(`{"line":${inside},"type":805}`), true);
  assert.equal(strict(`{"type": 805, "line": ${inside}, "x": 1}`), false);
  assert.equal(strict(`{"type": 805, "type": 805, "line": ${inside}}`), false);
  assert.equal(strict(`{"type": 805, "line": "", "line": ${inside}}`), false);
});

test("joinmarket: nickauth: row 2.6/wrong-type: only an 805 is a proof", () => {
  for (const type of [793, 798, 803, 807]) {
    assert.equal(nickauth.strictEnvelope(envelope.encode(type, JSON.stringify(proof))), false);
  }
  assert.equal(nickauth.strictEnvelope(envelope.encode(805, JSON.stringify(proof))), true);
});

test("joinmarket: nickauth: challenges and results are strict too, as the model is", () => {
  const values = [
    challenge, { ...challenge, x: 1 }, { challenge: vector.challenge },
    { ...challenge, challenge: 1 },
    { ...challenge, "challenge": "AB".repeat(32) }, { ...challenge, "directory-id": "-x" },
    { ...challenge, "directory-id": 1 }, { ...challenge, "directory-id": "x".repeat(129) }, null,
    [],
    { code: "ok", verified: true }, { code: "ok", verified: false },
    { code: "policy", verified: true },
    { code: "policy", verified: false }, { code: "other", verified: false },
    { code: "ok", verified: 1 },
    { code: "ok" }, { code: "ok", verified: true, x: null }, { code: 1, verified: false },
  ];
  for (const value of values) {
    const line = JSON.stringify(value);
    assert.equal(nickauth.parseChallenge(line).ok, model.takes(model.challenge, line), line);
    assert.equal(nickauth.parseResult(line).ok, model.takes(model.result, line), line);
  }
});

test("joinmarket: nickauth: directory ids", () => {
  const fine = ["a", "0", "test:directory", vector.directoryId, "x".repeat(128), "a.b_c-d:1"];
  for (const id of fine) assert.equal(nickauth.isDirectoryId(id), true, id);
  for (const id of ["", "A", ".a", "a|b", "a b", "é", "x".repeat(129), "a\n"]) {
    assert.equal(nickauth.isDirectoryId(id), false, id);
  }
});

test("joinmarket: nickauth: what cannot be sent is our mistake", () => {
  const mistakes = [
    () => nickauth.challengeLine("x", "test:a"),
    () => nickauth.challengeLine(vector.challenge, "A"),
    () => nickauth.proofLine({ ...proof, pubkey: "x" }),
    () => nickauth.proofLine({ ...proof, signature: "x" }),
  ];
  for (const mistake of mistakes) assert.throws(mistake, { name: "InvariantError" });
});

test("joinmarket: nickauth: one changed bit of a signature never holds, and never throws", () => {
  const der0 = unbase64(vector.signature)!;
  fc.assert(fc.property(fc.nat(der0.length * 8 - 1), (bit) => {
    const changed = Uint8Array.from(der0);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(holds({ signature: base64(changed) }), false);
  }), { numRuns: 60 });
});

test("joinmarket: nickauth: any text is judged without a throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => {
    assert.equal(nickauth.parseProof(line).ok, false);
    assert.equal(nickauth.parseChallenge(line).ok, false);
    assert.equal(nickauth.parseResult(line).ok, false);
  }));
});
