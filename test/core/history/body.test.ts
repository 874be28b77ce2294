import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import {
  amountSatMax, decode, encode, fieldsMax, isEntry, listMax, nameMax, textMax, type Body,
} from "../../../core/history/body.ts";
import { blank } from "../../../core/history/entry.ts";
import { isBody } from "../../../core/history/record.ts";
import { bodies } from "../../support/history.ts";

const seqs = fc.integer({ min: 1, max: 1_000_000 });
const entry = blank(1_732_000_000_000_000);
const txid = "ab".repeat(32);

test("history: body: what was encoded is decoded, as one printable line", () => {
  fc.assert(fc.property(bodies(seqs), (body) => {
    const text = encode(body);
    assert.ok(isBody(text));
    const decoded = decode(text);
    assert.ok(decoded.ok, text);
    assert.deepEqual(decoded.value, body);
    assert.equal(encode(decoded.value as typeof body), text);
  }), { numRuns: 500 });
});

test("history: body: the spelling stays", () => {
  const spelled: readonly (readonly [Parameters<typeof encode>[0], string])[] = [
    [
      { type: "added", entry: { ...entry, cjSat: 5_000_000n, destination: "bcrt1q", txid } },
      `{"v":1,"k":"added","at":1732000000000000,"role":"maker","txid":"${txid}","cj":5000000,`
        + `"to":"bcrt1q"}`,
    ],
    [
      { type: "confirmed", of: 7, atUs: 9, confirmations: 1, peers: 5 },
      `{"v":1,"k":"confirmed","of":7,"at":9,"n":1,"peers":5}`,
    ],
    [{ type: "aged", of: 7, ageMs: 60_000 }, `{"v":1,"k":"aged","of":7,"ms":60000}`],
    [
      { type: "other", kind: "notice", about: 8, fields: [["title", "\u00e9\n"]] },
      `{"v":1,"k":"notice","about":8,"f":[["title","\\u00e9\\n"]]}`,
    ],
  ];
  for (const [body, text] of spelled) assert.equal(encode(body), text);
});

test("history: body: any text is decoded or refused, never thrown at", () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
  const near = fc.tuple(bodies(seqs), fc.nat(), fc.string({ maxLength: 3 })).map(([b, at, s]) => {
    const text = encode(b);
    return text.slice(0, at % text.length) + s + text.slice((at % text.length) + 1);
  });
  fc.assert(fc.property(fc.oneof(fc.string(), json, near), (text) => {
    const decoded = decode(text);
    if (!decoded.ok) return assert.match(decoded.fault.code, /^history-/);
    if (decoded.value.type !== "unknown") {
      assert.deepEqual(decode(encode(decoded.value)), decoded);
    }
  }), { numRuns: 500 });
});

test("history: body: a newer version or kind is unknown, not an error", () => {
  for (const text of [`{"v":2,"k":"added"}`, `{"v":1,"k":"tumbled","of":1}`, `{"v":9,"k":""}`]) {
    const decoded = decode(text);
    assert.ok(decoded.ok, text);
    assert.equal(decoded.value.type, "unknown");
  }
});

test("history: body: what is not as this version writes it is a fault", () => {
  const broken = [
    "", "7", "null", "[]", "{}", `{"v":1}`, `{"v":0,"k":"added"}`, `{"v":1,"k":7}`,
    `{"v":1,"k":"added"}`, `{"v":1,"k":"added","at":1,"role":"owner"}`,
    `{"v":1,"k":"added","at":1.5,"role":"maker"}`,
    `{"v":1,"k":"added","at":1,"role":"maker","cj":0.1}`,
    `{"v":1,"k":"added","at":1,"role":"maker","cj":2100000000000001}`,
    `{"v":1,"k":"added","at":1,"role":"maker","txid":"AB"}`,
    `{"v":1,"k":"added","at":1,"role":"maker","utxos":"x"}`,
    `{"v":1,"k":"added","at":1,"role":"maker","vout":-2}`,
    `{"v":1,"k":"added","at":1,"role":"maker","ok":1}`,
    `{"v":1,"k":"added","at":1,"role":"maker","nicks":null}`,
    `{"v":1,"k":"txid","of":0,"txid":"${txid}"}`, `{"v":1,"k":"txid","of":1,"txid":"x"}`,
    `{"v":1,"k":"confirmed","of":1,"at":1,"n":-1}`, `{"v":1,"k":"given-up","of":1,"at":1}`,
    `{"v":1,"k":"signed","of":1,"txid":"${txid}","fee":1}`, `{"v":1,"k":"told"}`,
    `{"v":1,"k":"value","key":1,"value":""}`, `{"v":1,"k":"notice","f":{}}`,
    `{"v":1,"k":"notice","f":[["a",1.5]]}`, `{"v":1,"k":"Notice","f":[]}`,
    `{"v":1,"k":"notice","about":0,"f":[]}`, `{"v":1,"k":"aged","of":1,"ms":-1}`,
  ];
  for (const text of broken) assert.equal(decode(text).ok, false, text);
});

test("history: body: every limit is reached and not passed", () => {
  const list = (n: number) => Array.from({ length: n }, () => "x");
  assert.ok(isEntry({ ...entry, cjSat: amountSatMax, netFeeSat: -amountSatMax }));
  assert.ok(!isEntry({ ...entry, cjSat: amountSatMax + 1n }));
  assert.ok(!isEntry({ ...entry, netFeeSat: -amountSatMax - 1n }));
  assert.ok(isEntry({ ...entry, reason: "x".repeat(textMax) }));
  assert.ok(!isEntry({ ...entry, reason: "x".repeat(textMax + 1) }));
  assert.ok(isEntry({ ...entry, utxos: list(listMax) }));
  assert.ok(!isEntry({ ...entry, utxos: list(listMax + 1) }));
  const other = (n: number, name: number): Parameters<typeof encode>[0] => ({
    type: "other", kind: "notice", about: undefined,
    fields: list(n).map((x) => [x.repeat(name), 1] as const),
  });
  assert.ok(decode(encode(other(fieldsMax, nameMax))).ok);
  assert.throws(() => encode(other(fieldsMax + 1, 1)), InvariantError);
  assert.throws(() => encode(other(1, nameMax + 1)), InvariantError);
});

test("history: body: what is out of range is our fault when it is encoded", () => {
  const wrong: readonly Exclude<Body, { type: "unknown" }>[] = [
    { type: "txid", of: 1, txid: "x" }, { type: "txid", of: 0, txid },
    { type: "seen", of: 1, atUs: 0.5 }, { type: "aged", of: 1, ageMs: -1 },
    { type: "told", of: 0 }, { type: "settled", of: 1, confirmations: -1 },
    { type: "given-up", of: 1, atUs: 1, why: "x".repeat(textMax + 1) },
    { type: "value", key: "x".repeat(textMax + 1), value: "" },
    { type: "other", kind: "added", about: undefined, fields: [] },
    { type: "other", kind: "Other", about: undefined, fields: [] },
    { type: "added", entry: { ...entry, txid: "x" } },
  ];
  for (const body of wrong) assert.throws(() => encode(body), InvariantError, body.type);
});
