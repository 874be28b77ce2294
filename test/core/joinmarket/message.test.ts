import assert from "node:assert/strict";
import { test } from "node:test";
import { primitives } from "../../../adapters/primitives.ts";
import { base64, concat, utf8 } from "../../../core/bytes.ts";
import * as message from "../../../core/joinmarket/message.ts";
import { der, ORDER } from "../../support/primitives.ts";

const half = ORDER / 2n;
const altered = (bytes: Uint8Array, at: number, byte: number): Uint8Array =>
  Uint8Array.from(bytes, (old, i) => (i === at ? byte : old));

const variants: readonly [string, Uint8Array, boolean][] = [
  ["smallest", der(1n, 1n), true], ["largest", der(ORDER - 1n, half), true],
  ["r zero", der(0n, 1n), false], ["s zero", der(1n, 0n), false], ["r is n", der(ORDER, 1n), false],
  ["high s", der(1n, half + 1n), false],
  ["no sequence", altered(der(1n, 1n), 0, 0x31), false],
  ["size too small", altered(der(1n, 1n), 1, 5), false],
  ["size too large", altered(der(1n, 1n), 1, 7), false],
  ["r no integer", altered(der(1n, 1n), 2, 3), false],
  ["s no integer", altered(der(1n, 1n), 5, 3), false],
  ["negative", altered(der(1n, 1n), 4, 0x80), false],
  ["empty r", Uint8Array.of(0x30, 6, 2, 0, 2, 2, 1, 1), false],
  ["padded r", Uint8Array.of(0x30, 7, 2, 2, 0, 1, 2, 1, 1), false],
  ["r past the end", Uint8Array.of(0x30, 6, 2, 30, 1, 2, 1, 1), false],
  ["r overlong", Uint8Array.of(0x30, 6, 2, 34, 1, 2, 1, 1), false],
  ["s missing", Uint8Array.of(0x30, 6, 2, 4, 1, 1, 1, 1), false],
  ["rest", Uint8Array.of(0x30, 7, 2, 1, 1, 2, 1, 1, 0), false],
  ["too short", new Uint8Array(7), false], ["too long", new Uint8Array(73), false],
];

for (const [name, bytes, isStrict] of variants) {
  test(`joinmarket: message: strict DER: ${name}`, () => {
    assert.equal(message.isStrict(bytes), isStrict);
    const read = message.signatureOf(base64(bytes));
    assert.deepEqual(read, isStrict ? bytes : undefined);
  });
}

test("joinmarket: message: the form alone has room for a high s, and for nothing else", () => {
  for (const [name, bytes, isStrict] of variants) {
    assert.equal(message.isStrict(bytes, "any"), isStrict || name === "high s", name);
  }
  assert.equal(message.isStrict(der(1n, ORDER - 1n), "any"), true);
  assert.equal(message.isStrict(der(1n, ORDER), "any"), false);
});

test("joinmarket: message: a signature has one text", () => {
  const good = base64(der(1n, 1n));
  assert.ok(message.signatureOf(good) !== undefined);
  for (const bad of ["", `${good} `, ` ${good}`, `${good}=`, good.slice(0, -1), "A".repeat(100)]) {
    assert.equal(message.signatureOf(bad), undefined, bad);
  }
});

test("joinmarket: message: a public key is a compressed point in lower-case hex", () => {
  assert.ok(message.isPubkey(`02${"ab".repeat(32)}`));
  assert.ok(message.isPubkey(`03${"00".repeat(32)}`));
  const wrong = ["", "02", `04${"ab".repeat(32)}`, `02${"AB".repeat(32)}`, `02${"ab".repeat(32)}0`];
  wrong.push(`02${"ab".repeat(31)}a\n`);
  for (const s of wrong) assert.equal(message.isPubkey(s), false, s);
});

test("joinmarket: message: the size is written as Bitcoin does, at each of its borders", () => {
  const magic = concat([Uint8Array.of(24), utf8("Bitcoin Signed Message:\n")]);
  const sizes: readonly [number, readonly number[]][] = [
    [0, [0]], [252, [252]], [253, [253, 253, 0]], [65_535, [253, 255, 255]],
    [65_536, [254, 0, 0, 1, 0]], [70_000, [254, 0x70, 0x11, 1, 0]],
  ];
  for (const [size, head] of sizes) {
    const text = new Uint8Array(size).fill(0x61);
    const framed = concat([magic, Uint8Array.from(head), text]);
    assert.deepEqual(message.inner(text, primitives.sha256), primitives.sha256(framed), `${size}`);
  }
});
