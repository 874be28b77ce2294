import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isLocation, parse } from "../../../core/joinmarket/onion.ts";
import { primitives } from "../../support/primitives.ts";
import * as model from "../../support/wire-model.ts";

type Vectors = { valid: string[]; wrongChecksum: string[] };
const vectors = JSON.parse(
  fs.readFileSync("test/vectors/joinmarket/onions.json", "utf8"),
) as Vectors;
const host = vectors.valid[0]!;

function read(location: string): string | undefined {
  const found = parse(location, primitives.sha3);
  if (!found.ok) {
    assert.equal(found.fault.code, "location");
    return undefined;
  }
  return found.value.serving ? found.value.text : "";
}

test("joinmarket: onion: a valid address gives host, port and text", () => {
  const value = { serving: true, host, port: 5_222, text: `${host}:5222` };
  assert.deepEqual(parse(`${host}:5222`, primitives.sha3), { ok: true, value });
  assert.equal(read(`${host}:1`), `${host}:1`);
  assert.equal(read(`${host}:65535`), `${host}:65535`);
});

test("joinmarket: onion: row 2.4/not-serving: NOT-SERVING-ONION is not serving", () => {
  assert.equal(read("NOT-SERVING-ONION"), "");
  assert.equal(read("not-serving-onion"), undefined);
});

test("joinmarket: onion: row 2.4/empty: empty is not serving, no colon is refused", () => {
  assert.equal(read(""), "");
  for (const s of [" ", host, "9050", "null"]) assert.equal(read(s), undefined);
});

test("joinmarket: onion: row 2.4/two-colons: more than one colon is refused", () => {
  for (const s of [`${host}:1:2`, `${host}::1`, `:${host}:1`, "::1:5222"]) {
    assert.equal(read(s), undefined);
  }
});

test("joinmarket: onion: row 2.4/port-range: ports are 1 to 65535 in plain digits", () => {
  const wrong = [
    "0", "65536", "99999", "100000", "x", "", "05222", "+1", "-1", "1.0", "1e3", " 1", "1 ", "1\n",
    "١",
  ];
  for (const port of wrong) assert.equal(read(`${host}:${port}`), undefined, port);
});

test("joinmarket: onion: row 2.4/host-grammar: only version 3 names", () => {
  const wrong = [
    "example.com:5222", "127.0.0.1:5222", "expyuzz4wqqyqhjn.onion:80", `${host.slice(1)}:5222`,
    `2${host}:5222`,
    `${host.replace("2", "1")}:5222`, `${host}.com:5222`, `x.${host}:5222`,
    `${host.slice(0, 56)}.union:5222`,
    `a${";D,"}${host.slice(4)}:5222`, "a".repeat(40_000),
  ];
  for (const s of wrong) assert.equal(read(s), undefined, s.slice(0, 80));
});

test("joinmarket: onion: row 2.4/bad-checksum: a name that Tor would not accept", () => {
  for (const s of vectors.wrongChecksum) {
    assert.equal(read(`${s}:5222`), undefined, s);
    assert.equal(isLocation(`${s}:5222`), true);
  }
});

test("joinmarket: onion: row 2.4/upper-case: an address is lowered", () => {
  assert.equal(read(`${host.toUpperCase()}:5222`), `${host}:5222`);
  assert.equal(isLocation(`${host.toUpperCase()}:5222`), false);
});

test("joinmarket: onion: isLocation is the grammar of the one spelling", () => {
  assert.equal(isLocation(`${host}:5222`), true);
  for (const s of ["", "NOT-SERVING-ONION", host, `${host}:0`, `${host}:65536`, `${host}:5222 `]) {
    assert.equal(isLocation(s), false);
  }
});

test("joinmarket: onion: mutated addresses are judged as the model judges them", () => {
  const marks = fc.constantFrom(..."a2Z:7.0;!\n9é".split(""));
  const edit = fc.tuple(fc.nat(70), fc.nat(1), marks);
  fc.assert(fc.property(fc.array(edit, { maxLength: 2 }), fc.boolean(), (edits, upper) => {
    let s = upper ? `${host.toUpperCase()}:5222` : `${host}:5222`;
    for (const [at, drop, mark] of edits) s = s.slice(0, at) + mark + s.slice(at + drop);
    const want = model.location.safeParse(s);
    assert.equal(read(s), want.success ? want.data : undefined, s);
  }), { numRuns: 500 });
});
