import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isNick, nickOf } from "../../../core/joinmarket/nick.ts";
import { primitives, pubkeyOf } from "../../support/primitives.ts";
import * as model from "../../support/wire-model.ts";

type Row = { pubkey: string; nick: string };
const rows = JSON.parse(fs.readFileSync("test/vectors/joinmarket/nicks.json", "utf8")) as Row[];

for (const row of rows) {
  test(`joinmarket: nick: ${row.nick} is derived from its key`, () => {
    assert.equal(nickOf(row.pubkey, 5, primitives.sha256), row.nick);
    assert.equal(isNick(row.nick), true);
  });
}

test("joinmarket: nick: the vectors are the keys 1, 2, 3, 4 and 0x11 repeated", () => {
  const keys = [1n, 2n, 3n, 4n, BigInt(`0x${"11".repeat(32)}`)];
  assert.deepEqual(keys.map(pubkeyOf), rows.map((row) => row.pubkey));
});

test("joinmarket: nick: leading zeros of the hash become ones, and every nick is padded", () => {
  const zeros = (): Uint8Array => new Uint8Array(32);
  assert.equal(nickOf("00", 5, zeros), "J51111111111OOOO");
  const last = (): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (i === 9 ? 57 : 0));
  assert.equal(nickOf("00", 0, last), "J0111111111zOOOO");
  const most = (): Uint8Array => new Uint8Array(32).fill(255);
  assert.equal(isNick(nickOf("00", 9, most)), true);
});

test("joinmarket: nick: every derived nick fits the grammar", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(9), (hash, v) => {
    assert.equal(isNick(nickOf("", v, () => hash)), true);
  }));
});

test("joinmarket: nick: a version of more than one digit is our mistake", () => {
  assert.throws(() => nickOf("00", 10, primitives.sha256), { name: "InvariantError" });
  assert.throws(() => nickOf("00", 0.5, primitives.sha256), { name: "InvariantError" });
});

test("joinmarket: nick: row 2.1/nick: what is not of the form is refused", () => {
  const wrong = [
    "", "PUBLIC", "J5", "j5Ckon1LuuapPSBM", "JACkon1LuuapPSBM", "J5Ckon1LuuapPSB",
    "J5Ckon1LuuapPSBMM",
    "J5Ckon1LuuapPSB0", "J5Ckon1LuuapPSBI", "J5Ckon1LuuapPSBl", "J5CkonOLuuapPSBM",
    "J5OOOOOOOOOOOOOM",
    "J5Ckon1LuuapPSB\n", "J5Ckon1LuuapPSé", "J5Ckon1Luuap;PSB", " J5Ckon1LuuapPSB",
  ];
  for (const s of wrong) assert.equal(isNick(s), false, s);
  assert.equal(isNick("J5OOOOOOOOOOOOOO"), true);
});

test("joinmarket: nick: row 10/T2-peerlist-injection: no nick holds a separator", () => {
  const character = fc.constantFrom(..."J5COo1z;,!+:\n\r \"\\".split(""));
  const nickish = fc.string({ unit: character, minLength: 14, maxLength: 14 }).map((s) => `J5${s}`);
  fc.assert(fc.property(nickish, (s) => {
    assert.equal(isNick(s), model.nick.safeParse(s).success);
    if (isNick(s)) assert.match(s, /^[A-Za-z0-9]{16}$/);
  }), { numRuns: 1_000 });
});
