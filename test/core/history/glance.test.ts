import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, text } from "../../../core/bytes.ts";
import { decode, encode, type Body } from "../../../core/history/body.ts";
import { firstStage } from "../../../core/history/entry.ts";
import * as glance from "../../../core/history/glance.ts";
import { bodies } from "../../support/history.ts";

const seqs = fc.integer({ min: 1, max: 1_000_000 });

/** What the index needs of a body, made from the whole of it. */
function slowly(body: Body): object | undefined {
  if (body.type === "value" || body.type === "other" || body.type === "unknown") return undefined;
  if (body.type !== "added" && body.type !== "imported") {
    return { kind: body.type, of: body.of, texts: "txid" in body ? [body.txid] : [] };
  }
  const { entry } = body;
  const { txid, destination, change, sourceAddresses } = entry;
  const texts = [txid, destination, change, ...sourceAddresses].filter((one) => one !== "").sort();
  return { kind: body.type, of: 0, stage: firstStage(entry), atUs: entry.addedUs, texts };
}

function quickly(body: string): object | undefined {
  const framed = ascii(`[${body}]`);
  const g = glance.create();
  if (!glance.look(g, framed, 1, framed.length - 1)) return undefined;
  const texts: string[] = [];
  for (let i = 0; i < g.ranges.length; i += 2) {
    texts.push(text(framed, g.ranges[i], g.ranges[i + 1]));
  }
  const shown = texts.filter((one) => one !== "").sort();
  if (g.kind !== "added" && g.kind !== "imported") return { kind: g.kind, of: g.of, texts: shown };
  const stage = g.isSuccess ? "settled" : g.isDone ? "given-up" : "waiting";
  return { kind: g.kind, of: 0, stage, atUs: g.atUs, texts: shown };
}

test("history: glance: where it answers, it says what decoding says", () => {
  let answered = 0;
  const puts = fc.constantFrom("", "0", '"', ",", "-", "a", "}");
  const spoiled = fc.tuple(bodies(seqs), fc.nat(), puts)
    .map(([body, at, put]) => {
      const whole = encode(body);
      return whole.slice(0, at % whole.length) + put + whole.slice((at % whole.length) + 1);
    });
  const drawn = fc.oneof(bodies(seqs).map(encode), spoiled);
  fc.assert(fc.property(drawn, (body) => {
    const quick = quickly(body);
    if (quick === undefined) return;
    answered += 1;
    const decoded = decode(body);
    assert.ok(decoded.ok, body);
    assert.deepEqual(quick, slowly(decoded.value));
  }), { numRuns: 2_000 });
  assert.ok(answered > 300, "it answers often");
});

test("history: glance: plain records of every kind about rows are answered", () => {
  const txid = "ab".repeat(32);
  const plain = [
    `{"v":1,"k":"added","at":-5,"role":"taker","done":7,"in-block":6,"ok":true,"n":1,`
      + `"txid":"${txid}","peers":3,"mixdepth":1,"vout":-1,"cj":1,"fee":-2,"why":"a b","to":"x",`
      + `"utxos":["a:0","b:1"],"from":["y","z"]}`,
    `{"v":1,"k":"imported","at":1732000000000000,"role":"maker"}`,
    `{"v":1,"k":"told","of":1}`, `{"v":1,"k":"txid","of":1,"txid":"${txid}"}`,
    `{"v":1,"k":"signed","of":1,"txid":"${txid}","fee":1,"txfee":0,"vout":2}`,
    `{"v":1,"k":"seen","of":1,"at":1}`, `{"v":1,"k":"confirmed","of":1,"at":1,"n":1}`,
    `{"v":1,"k":"lost","of":1,"at":1}`, `{"v":1,"k":"settled","of":1,"n":6}`,
    `{"v":1,"k":"warned","of":1,"at":1}`, `{"v":1,"k":"given-up","of":1,"at":1,"why":""}`,
    `{"v":1,"k":"returned","of":1,"at":1}`, `{"v":1,"k":"aged","of":1,"ms":0}`,
  ];
  for (const body of plain) {
    const decoded = decode(body);
    assert.ok(decoded.ok, body);
    assert.deepEqual(quickly(body), slowly(decoded.value), body);
  }
});

test("history: glance: surprises are left to decoding", () => {
  const txid = "ab".repeat(32);
  const odd = [
    "", "{}", `{"v":2,"k":"told","of":1}`, `{"v":1,"k":"told","of":01}`,
    `{"v":1,"k":"told","of":-0}`,
    `{"v":1,"k":"told","of":1,"of":2}`, `{"v":1,"k":"told","of":9007199254740993}`,
    `{"v":1,"k":"told","of":99999999999999999999}`, `{"v":1,"k":"told","of":1,"x":1}`,
    `{"v":1,"k":"told"}`, `{"v":1,"k":"told","of":0}`, `{"v":1,"k":"told", "of":1}`,
    `{"v":1,"k":"seen","of":1,"at":1,"n":2}`, `{"v":1,"k":"txid","of":1,"txid":"${txid}0"}`,
    `{"v":1,"k":"txid","of":1,"txid":"${txid.toUpperCase()}"}`,
    `{"v":1,"k":"added","at":1,"role":"maker","why":"a\\"b"}`,
    `{"v":1,"k":"added","at":1,"role":"maker","utxos":[]}`,
    `{"v":1,"k":"added","at":1,"role":"maker","utxos":["a"`,
    `{"v":1,"k":"added","at":1,"role":"maker","cj":2100000000000001}`,
    `{"v":1,"k":"added","at":1,"role":"maker","nicks":"${"x".repeat(4_097)}"}`,
  ];
  for (const body of odd) assert.equal(quickly(body), undefined, body);
});
