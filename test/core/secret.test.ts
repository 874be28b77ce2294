import assert from "node:assert/strict";
import test from "node:test";
import { isSecret, seal, secret } from "../../core/secret.ts";

const key = secret(Uint8Array.from({ length: 8 }, (_, i) => i));

test("core: secret: the seal is HalfSipHash-2-4 with 64 bits", () => {
  // Vectors of the reference implementation: input 00 01 02 … of growing length, key 00 … 07.
  const known = [
    "218d1f59b9b83cc8", "be552412f8387315", "064f39ef7c50eb57", "ce0f1a45f7060679",
    "d5e78a175be52ea1", "cb9d7c3f2f3db580", "ce3e91358aa2bc25", "ff202728b07bc684",
  ];
  for (const [length, want] of known.entries()) {
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    assert.equal(seal(secret(bytes), key), want);
  }
});

test("core: secret: a seal depends on bytes, length and key, and tells nothing without it", () => {
  const seen = new Set<string>();
  for (let length = 0; length < 20; length += 1) {
    seen.add(seal(secret(new Uint8Array(length)), key));
  }
  seen.add(seal(secret(new Uint8Array(3)), secret(new Uint8Array(8))));
  assert.equal(seen.size, 21);
  assert.equal(seal(secret(new Uint8Array(3)), undefined), "-");
});

test("core: secret: a secret that was read from a trace keeps its seal", () => {
  const sealed = { secret: new Uint8Array(4), sealed: "0123456789abcdef" };
  assert.equal(seal(sealed, key), "0123456789abcdef");
});

test("core: secret: a seal key that is too short is a bug", () => {
  assert.throws(() => seal(secret(new Uint8Array(1)), secret(new Uint8Array(7))), /seal key/);
});

test("core: secret: only marked bytes are secrets, and none reaches a text by joining", () => {
  assert.ok(isSecret(key));
  for (const other of [null, undefined, "x", 1, {}, { secret: "x" }, [key]]) {
    assert.ok(!isSecret(other));
  }
  assert.equal(`${key as unknown as string}`, "[object Object]");
});
