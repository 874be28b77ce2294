import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as fields from "../../../core/ark/barkd-fields.ts";
import { idA, idB, idC } from "../../support/barkd.ts";

const number = (numeral: string): { numeral: string } => ({ numeral });

test("barkd: fields: a VTXO's id is a lower-case txid and an output's number", () => {
  for (const id of [idA, idB, idC]) assert.equal(fields.idOf(id), id);
  const others = [
    "", idA.toUpperCase(), idA.slice(1), `${idA.slice(0, 65)}4294967296`, `${idA.slice(0, 65)}01`,
    `${idA} `, `${idA}\n`, idA.replace(":", ""),
  ];
  for (const other of others) assert.equal(fields.isVtxoId(other), false, other);
});

test("barkd: fields: ids in a text, each once and no more than wanted", () => {
  const text = `inputs [${idA},${idB},${idA}] of ${idC}0 and 0${idB}`;
  assert.deepEqual(fields.idsIn(text, 10), [idA, idB]);
  assert.deepEqual(fields.idsIn(text, 1), [idA]);
  assert.deepEqual(fields.idsIn("a".repeat(100_000), 10), []);
});

test("barkd: fields: heights, short numbers and keys have bounds", () => {
  assert.equal(fields.heightOf(number("0")), 0);
  assert.equal(fields.heightOf(number("499999999")), 499_999_999);
  assert.equal(fields.heightOf(number("500000000")), undefined);
  assert.equal(fields.heightOf(number("-1")), undefined);
  assert.equal(fields.shortOf(number("65535")), 65_535);
  assert.equal(fields.shortOf(number("65536")), undefined);
  assert.equal(fields.shortOf(number("1.0")), undefined);
  const key = `02${"ab".repeat(32)}`;
  assert.equal(fields.keyOf(key), key);
  for (const other of [`04${"ab".repeat(32)}`, key.slice(2), key.toUpperCase()]) {
    assert.equal(fields.keyOf(other), undefined);
  }
});

test("barkd: fields: spans as they are written in words", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["0s", 0], ["10s", 10], ["1m", 60], ["1h 30m", 5_400], ["1day 1h 1s", 90_001],
    ["2days", 172_800], ["1month", 2_630_016], ["1year 2months", 36_817_632], ["500ms", 0],
    ["59s 999ms 1us 1ns", 59], ["", undefined], ["10", undefined], ["s", undefined],
    ["-1s", undefined], ["1s  2s", undefined], ["1 h", undefined], ["1w", undefined],
    ["01s", undefined], ["9999999999s", undefined], [`${"1s ".repeat(40)}1s`, undefined],
  ];
  for (const [text, seconds] of cases) assert.equal(fields.secondsOf(text), seconds, text);
  assert.equal(fields.secondsOf(number("10")), undefined);
});

test("barkd: fields: instants are those of the calendar", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["2026-08-22T18:30:00+02:00", "2026-08-22T16:30:00.000Z"],
    ["2026-08-22T00:10:00-09:30", "2026-08-22T09:40:00.000Z"],
    ["2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999Z"],
    ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.9Z", "9999-12-31T23:59:59.900Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
  ];
  for (const [text, meant] of cases) {
    assert.equal(fields.instantOf(text), Date.parse(meant), text);
  }
  const others = [
    "", "2026-08-22", "2026-08-22 18:30:00Z", "2026-08-22T18:30:00", "2023-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00.Z", "+12026-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567890Z",
  ];
  for (const other of others) assert.equal(fields.isInstant(other), false, other);
});

test("barkd: fields: every instant that can be written is read as it was meant", () => {
  const instants = fc.date({
    min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(instants, (date) => {
    assert.equal(fields.instantOf(date.toISOString()), date.getTime());
  }), { numRuns: 100 });
});
