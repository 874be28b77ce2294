import assert from "node:assert/strict";
import { test } from "node:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import { primitives } from "../../../adapters/primitives.ts";
import { InvariantError } from "../../../core/assert.ts";
import { base64, hex, unbase64, utf8 } from "../../../core/bytes.ts";
import * as message from "../../../core/joinmarket/message.ts";
import { nickOf } from "../../../core/joinmarket/nick.ts";
import * as signed from "../../../core/joinmarket/signed.ts";
import { der, ORDER } from "../../support/primitives.ts";

const { sha256 } = primitives;
const maker = "J52N8GdNkKtMA6TW";
const taker = "J59cTYvZJZEbjWk4";
const makerKey = new Uint8Array(32).fill(0x11);
const takerKey = new Uint8Array(32).fill(0x22);
const makerPub = "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa";
const takerPub = "02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27";

/** Strict DER with a low and with a high s. */
const low = der(1n, 1n);
const high = der(1n, ORDER / 2n + 1n);

/** Lines of deployed programs: addressee, word, data, key, signature. */
const vectors: readonly (readonly [string, string, string, string, string])[] = [
  [maker, taker, "sw0reloffer", "0 100000 5000000 0 0.00002",
    `${makerPub} MEQCIAbGLMtL22liwlbg+uXPHSMECIYRiMgLyXRUGwKpV2zJAiAjO2cC9ZB6pU2muHuo3paotp4XwmZ1r`
    + "gyrYFbrcT19uw=="],
  [taker, maker, "fill",
    "0 1000000 a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209 "
    + "P0699ef3695ee2050f6d0cfcdb8ef0b49d118d6b0b0bc9f56c8621639ad05bec6",
    `${takerPub} MEQCIDWOH/4Rjta34D334Qdb+3+vek8RSV3GVzFKfgWVV2pmAiAEdPRth7/BnlhAsmHAw5hZPL7QW9diJ`
    + "UUavwElWh1amA=="],
  [maker, taker, "pubkey",
    "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59 features=neutrino_compat",
    `${makerPub} MEUCIQCZT/dR9nMQhcbUmp0EpXKMYct0DS2qerjTdkCKHAO/UAIgBv74d6fRz8Io6FKTlA7xg8jTGkDnp`
    + "WHxsUFwmsFn330="],
];

for (const [from, to, word, data, tail] of vectors) {
  test(`joinmarket: signed: the literal !${word} holds`, () => {
    const read = signed.read(`${from}!${to}!${word} ${data} ${tail}`, to, sha256);
    assert.ok(read.ok);
    const [pubkey, signature] = tail.split(" ");
    assert.deepEqual(read.value, { from, to, word, data, pubkey, signature });
    assert.equal(signed.verify(read.value, primitives), true);
  });

  test(`joinmarket: signed: the literal !${word} is what this module would send`, () => {
    const [pubkey = "", signature = ""] = tail.split(" ");
    const line = signed.unsigned(from, to, word, data);
    const bytes = unbase64(signature);
    assert.ok(bytes !== undefined);
    assert.equal(signed.appended(line, pubkey, bytes), `${from}!${to}!${word} ${data} ${tail}`);
    const secret = from === maker ? makerKey : takerKey;
    const digest = signed.digestFor(data, sha256);
    assert.deepEqual(secp256k1.sign(digest, secret, { prehash: false, format: "der" }), bytes);
  });
}

function made(
  word: string, data: string, key = takerKey, from = taker, to = maker,
): string {
  const digest = sha256(message.inner(utf8(data + signed.hostId), sha256));
  const bytes = secp256k1.sign(digest, key, { prehash: false, format: "der" });
  const pubkey = hex(secp256k1.getPublicKey(key, true));
  return `${from}!${to}!${word} ${data} ${pubkey} ${base64(bytes)}`;
}

function verdict(line: string, to = maker): string {
  const read = signed.read(line, to, sha256);
  if (!read.ok) return read.fault.code;
  return signed.verify(read.value, primitives) ? "holds" : "forged";
}

test("joinmarket: signed: a bond in the data is signed with it", () => {
  const data = `0 100000 5000000 0 0.00002!tbond ${"A".repeat(336)}`;
  const line = made("sw0reloffer", data, makerKey, maker, taker);
  const read = signed.read(line, taker, sha256);
  assert.ok(read.ok && read.value.data === data);
  assert.equal(verdict(line, taker), "holds");
  assert.equal(verdict(line.replace("!tbond A", "!tbond B"), taker), "forged");
});

test("joinmarket: signed: any text as data, and stray exclamation marks before the command", () => {
  const text = fc.string({ minLength: 1, unit: "binary" });
  fc.assert(fc.property(text, fc.constantFrom("", "!", "!!!"), (data, marks) => {
    const line = made("fill", data).replace(`${maker}!`, `${maker}!${marks}`);
    const read = signed.read(line, maker, sha256);
    assert.ok(read.ok && read.value.data === data && read.value.word === "fill");
    assert.ok(signed.verify(read.value, primitives));
  }), { numRuns: 15 });
});

test("joinmarket: signed: every change of data, key or signature ends it", () => {
  const line = made("fill", "0 5");
  assert.equal(verdict(line), "holds");
  assert.equal(verdict(line.replace("0 5", "0 6")), "forged");
  assert.equal(verdict(line.replace("0 5", "0  5")), "forged");
  assert.equal(verdict(made("fill", "0 5", makerKey)), "nick");
  assert.equal(verdict(line.replace(takerPub, `02${"ff".repeat(32)}`)), "nick");
  const [last = ""] = line.split(" ").slice(-1);
  assert.equal(verdict(line.replace(last, base64(high))), "signature");
  assert.equal(verdict(`${line}=`), "signature");
  assert.equal(verdict(`${line} `), "pubkey");
  assert.equal(verdict(line.replace(takerPub, takerPub.toUpperCase())), "pubkey");
});

test("joinmarket: signed: the nick is the key's to the last character and its version", () => {
  const six = nickOf(takerPub, 6, sha256);
  assert.equal(verdict(made("fill", "0 5", takerKey, six)), "holds");
  assert.equal(six, taker.replace("J5", "J6"));
  for (const from of [maker, `${taker.slice(0, -1)}O`, `J5${"O".repeat(14)}`]) {
    assert.equal(verdict(made("fill", "0 5", takerKey, from)), "nick");
  }
});

test("joinmarket: signed: the command is not signed, which is why memory is needed", () => {
  assert.equal(verdict(made("fill", "0 5").replace("!fill", "!auth")), "holds");
});

test("joinmarket: signed: lines that are none are refused with their reason", () => {
  const tail = `${takerPub} ${base64(low)}`;
  const cases: readonly (readonly [string, string])[] = [
    ["", "grammar"], ["!", "grammar"], ["!!", "grammar"], [taker, "grammar"],
    [`${taker}!${maker}`, "grammar"], [`nobody!${maker}!fill 0 ${tail}`, "grammar"],
    [`${taker}!${maker}!fi\u00e9 0 ${tail}`, "grammar"],
    [`${taker}!${maker}!${"f".repeat(33)} 0 ${tail}`, "grammar"],
    [`${taker}!${maker}!fill \ud800 ${tail}`, "grammar"],
    [`${taker}!${taker}!fill 0 ${tail}`, "addressee"],
    [`${taker}!PUBLIC!fill 0 ${tail}`, "addressee"],
    [`${taker}!${maker}!`, "unsigned"], [`${taker}!${maker}!fill`, "unsigned"],
    [`${taker}!${maker}!fill 0 1 2`, "pubkey"], [`${taker}!${maker}!fill ${tail}`, "unsigned"],
    [`${taker}!${maker}!fill  ${tail}`, "unsigned"], [`${taker}!${maker}! 0 ${tail}`, "grammar"],
    [`${taker}!${maker}!fill 0 ${takerPub} x`, "signature"],
  ];
  for (const [line, code] of cases) assert.equal(verdict(line), code, JSON.stringify(line));
});

test("joinmarket: signed: no text throws", () => {
  const piece = fc.constantFrom(taker, maker, "!", " ", "fill", takerPub, "MEQC", "\ud800", "0");
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    assert.notEqual(verdict(pieces.join("")), "holds");
  }), { numRuns: 300 });
});

test("joinmarket: signed: a key that is on no curve verifies nothing", () => {
  const pubkey = `02${"00".repeat(31)}05`;
  const from = nickOf(pubkey, 5, sha256);
  const signature = base64(low);
  assert.equal(verdict(`${from}!${maker}!fill 0 ${pubkey} ${signature}`), "forged");
});

test("joinmarket: signed: verify alone refuses what read would not have let through", () => {
  const read = signed.read(made("fill", "0 5"), maker, sha256);
  assert.ok(read.ok);
  for (const changes of [{ signature: "" }, { pubkey: "" }, { data: "\ud800" }, { pubkey: "zz" }]) {
    assert.equal(signed.verify({ ...read.value, ...changes }, primitives), false);
  }
});

test("joinmarket: signed: signing adds at most what is promised", () => {
  const line = signed.unsigned(taker, maker, "fill", "0");
  const most = der(ORDER - 1n, ORDER / 2n);
  assert.equal(most.length, 71, "r takes 33 bytes and s, being low, 32");
  assert.ok(signed.appended(line, takerPub, most).length - line.length <= signed.addedLengthMax);
});

test("joinmarket: signed: our own mistakes are found", () => {
  const line = signed.unsigned(taker, maker, "fill", "0");
  assert.throws(() => signed.appended(line, takerPub, high), InvariantError);
  assert.throws(() => signed.appended(line, "", low), InvariantError);
  assert.throws(() => signed.digestFor("", sha256), InvariantError);
  assert.throws(() => signed.unsigned(taker, "PUBLIC", "fill", "0"), InvariantError);
  assert.throws(() => signed.unsigned("me", maker, "fill", "0"), InvariantError);
  assert.throws(() => signed.unsigned(taker, maker, "fi ll", "0"), InvariantError);
  assert.throws(() => signed.unsigned(taker, maker, "fill", ""), InvariantError);
});
