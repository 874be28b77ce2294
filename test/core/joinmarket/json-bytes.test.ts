import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as skip from "../../../core/joinmarket/json-bytes.ts";

function bytesOf(s: string): Uint8Array {
  return new Uint8Array(Buffer.from(s));
}

test("joinmarket: json-bytes: a value ends where the platform's text of it ends", () => {
  const values = fc.jsonValue({ stringUnit: "binary", maxDepth: 6 });
  fc.assert(fc.property(values, fc.constantFrom("", ",", "]", " ", "\r"), (value, behind) => {
    const written = JSON.stringify(value);
    const text = bytesOf(written);
    const b = bytesOf(written + behind);
    // Lone surrogates come out of the platform as escapes; those are refused.
    if (/\\ud[89a-f]/.test(written)) return;
    assert.equal(skip.skipValue(b, 0, b.length, 20), text.length);
  }));
});

test("joinmarket: json-bytes: nothing beyond the end is read", () => {
  const text = "{\"a\": [1.5e-7, \"\\ud83d\\ude00é\", true, null, {\"b\": false}]}";
  const b = bytesOf(text);
  assert.equal(skip.skipValue(b, 0, b.length, 10), b.length);
  for (let end = 0; end < b.length; end++) {
    assert.ok(skip.skipValue(b, 0, end, 10) < 0, `cut at ${end}`);
  }
});

test("joinmarket: json-bytes: depth is counted in arrays and objects alike", () => {
  const b = bytesOf("[{\"a\":[]}]");
  assert.equal(skip.skipValue(b, 0, b.length, 3), b.length);
  assert.equal(skip.skipValue(b, 0, b.length, 2), skip.AMISS_DEPTH);
});

test("joinmarket: json-bytes: every escape has its meaning", () => {
  const b = bytesOf("a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00水z");
  assert.equal(skip.unescaped(b, 0, b.length), "a\"\\/\b\f\n\r\té😀水z");
  assert.equal(skip.hasBackslash(b, 0, 1), false);
  assert.equal(skip.hasBackslash(b, 0, 2), true);
});

test("joinmarket: json-bytes: row 1.2/not-utf8: what the platform decodes", () => {
  const sequences = fc.array(fc.constantFrom(0x41, 0x80, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed,
    0xef, 0xf0, 0x90, 0x8f, 0xf4, 0xf5, 0xff), { maxLength: 6 });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  fc.assert(fc.property(sequences, (inside) => {
    const b = Uint8Array.from([0x22, ...inside, 0x22]);
    let want = b.length;
    try {
      decoder.decode(b);
    } catch {
      want = skip.AMISS_UTF8;
    }
    assert.equal(skip.skipString(b, 0, b.length), want);
  }), { numRuns: 1_000 });
});
