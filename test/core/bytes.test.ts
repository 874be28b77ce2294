import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as bytes from "../../core/bytes.ts";

const anyBytes = fc.uint8Array({ maxLength: 300 });
const wellFormed = fc.string({ unit: "binary", maxLength: 200 });

test("bytes: hex and back is the same as the platform's", () => {
  fc.assert(fc.property(anyBytes, (b) => {
    assert.equal(bytes.hex(b), Buffer.from(b).toString("hex"));
    assert.deepEqual(bytes.unhex(bytes.hex(b)), b);
  }));
});

test("bytes: hex of upper case, odd length or other characters is refused", () => {
  const foreign = ["0", "AB", "0g", "zz", "é0", " 0", "00 "];
  for (const s of foreign) assert.equal(bytes.unhex(s), undefined);
  assert.deepEqual(bytes.unhex(""), new Uint8Array(0));
});

test("bytes: base64 and back is the same as the platform's", () => {
  fc.assert(fc.property(anyBytes, (b) => {
    assert.equal(bytes.base64(b), Buffer.from(b).toString("base64"));
    assert.deepEqual(bytes.unbase64(bytes.base64(b)), b);
  }));
});

test("bytes: base64 that is not the one spelling of its bytes is refused", () => {
  const foreign = ["A", "AA", "AAA", "AB==", "AAB=", "=", "====", "A===", "AA=A", "AA= "];
  for (const s of ["AAé=", "A-==", "AA==\n"]) assert.equal(bytes.unbase64(s), undefined, s);
  for (const s of foreign) assert.equal(bytes.unbase64(s), undefined, s);
  const nearly = fc.string({ unit: fc.constantFrom(..."AQgw+/=- Z9".split("")), maxLength: 12 });
  fc.assert(fc.property(nearly, (s) => {
    const platform = Buffer.from(s, "base64");
    const read = bytes.unbase64(s);
    assert.equal(read !== undefined, platform.toString("base64") === s);
    if (read !== undefined) assert.deepEqual(Buffer.from(read), platform);
  }));
});

test("bytes: utf8 and text are the platform's encoder and decoder", () => {
  fc.assert(fc.property(wellFormed, (s) => {
    const encoded = bytes.utf8(s);
    assert.deepEqual(encoded, new Uint8Array(Buffer.from(s)));
    assert.equal(bytes.utf8Bytes(s), encoded.length);
    assert.equal(bytes.text(encoded), s);
  }));
});

test("bytes: a long text survives", () => {
  for (const unit of ["x", "é", "水", "🐕"]) {
    const long = unit.repeat(20_000);
    assert.equal(bytes.text(bytes.utf8(long)), long);
  }
});

test("bytes: text takes a part", () => {
  assert.equal(bytes.text(bytes.utf8("a水🐕z"), 1, 8), "水🐕");
  assert.equal(bytes.text(bytes.ascii("J5abc"), 2, 4), "ab");
});

test("bytes: lone surrogates are not well formed and have no bytes", () => {
  for (const s of ["\ud800", "a\udc00", "\udc00\ud800", "\ud800\ud800\udc00", "\ud800x"]) {
    assert.equal(bytes.wellFormed(s), false);
    assert.throws(() => bytes.utf8(s), { name: "InvariantError" });
  }
  assert.equal(bytes.wellFormed("🐕é"), true);
});

test("bytes: ascii asserts its range", () => {
  assert.deepEqual(bytes.ascii("\u0000~\u007f"), Uint8Array.of(0, 126, 127));
  assert.throws(() => bytes.ascii("\u0080"), { name: "InvariantError" });
});

test("bytes: concat and equal", () => {
  const parts = [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)];
  assert.deepEqual(bytes.concat(parts), Uint8Array.of(1, 2, 3));
  assert.deepEqual(bytes.concat(parts, 3), Uint8Array.of(1, 2, 3));
  assert.throws(() => bytes.concat(parts, 4), { name: "InvariantError" });
  assert.equal(bytes.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  assert.equal(bytes.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
  assert.equal(bytes.equal(Uint8Array.of(1), Uint8Array.of(1, 3)), false);
});

test("bytes: copy puts a part in its place, short or long, and nothing beside it", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120, size: "max" }), fc.nat(120), fc.nat(120),
    fc.nat(5), (from, a, b, at) => {
      const [start, end] = [Math.min(a, b, from.length), Math.min(Math.max(a, b), from.length)];
      const out = new Uint8Array(140).fill(7);
      const wanted = out.slice();
      wanted.set(from.slice(start, end), at);
      bytes.copy(from, start, end, out, at);
      assert.deepEqual(out, wanted);
    }));
  for (const size of [0, 47, 48, 49]) {
    const from = new Uint8Array(size).fill(9);
    const out = new Uint8Array(60);
    bytes.copy(from, 0, size, out, 1);
    assert.deepEqual(out, Uint8Array.from({ length: 60 }, (_, i) => (i > 0 && i <= size ? 9 : 0)));
  }
});

test("bytes: text of any length around its pieces is the platform's", () => {
  for (const size of [0, 1, 3, 4, 15, 16, 17, 33, 511, 512, 513, 600]) {
    const ascii = Uint8Array.from({ length: size + 2 }, (_, i) => 33 + (i % 90));
    const wanted = Buffer.from(ascii).toString("latin1").slice(1, 1 + size);
    assert.equal(bytes.text(ascii, 1, 1 + size), wanted, `${size}`);
  }
});
