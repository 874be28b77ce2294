import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { text } from "../../../core/bytes.ts";
import { secret } from "../../../core/secret.ts";
import * as socks from "../../../core/tor/socks.ts";

const key = secret(new Uint8Array(16).fill(0xab));
const address = fc.tuple(
  fc.stringMatching(/^[a-z2-7]{56}$/), fc.integer({ min: 1, max: 65_535 }),
).map(([name, port]) => `${name}.onion:${port}`);
const purpose: fc.Arbitrary<socks.Purpose> = fc.oneof(
  address.map((at) => ({ purpose: "directory" as const, address: at })),
  fc.constantFrom("direct", "probe", "notify", "update", "esplora", "doctor")
    .map((name) => ({ purpose: name })),
);

test("tor: socks: the user names the purpose, the password the process", () => {
  const label = socks.label({ purpose: "directory", address: "ABC.onion:5222" });
  assert.equal(label, "directory:abc.onion:5222");
  const { user, password } = socks.credentials(label, key);
  assert.equal(user, "dogwatch-directory:abc.onion:5222");
  assert.equal(text(password.secret), "ab".repeat(16));
});

test("tor: socks: two purposes share credentials only if they are one", () => {
  fc.assert(fc.property(purpose, purpose, (a, b) => {
    const one = socks.credentials(socks.label(a), key);
    const two = socks.credentials(socks.label(b), key);
    const isOne = JSON.stringify(a) === JSON.stringify(b);
    assert.equal(one.user === two.user, isOne);
    assert.deepEqual(one.password, two.password);
  }));
});

test("tor: socks: another process has another password for the same purpose", () => {
  const size16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(fc.property(purpose, size16, size16, (one, a, b) => {
    fc.pre(a.some((byte, i) => byte !== b[i]));
    const label = socks.label(one);
    const ours = socks.credentials(label, secret(a));
    const theirs = socks.credentials(label, secret(b));
    assert.equal(ours.user, theirs.user);
    assert.notDeepEqual(ours.password, theirs.password);
  }), { numRuns: 50 });
});

test("tor: socks: both fit in what SOCKS5 has room for", () => {
  fc.assert(fc.property(purpose, (one) => {
    const { user, password } = socks.credentials(socks.label(one), key);
    assert.ok(user.length <= socks.fieldBytesMax);
    assert.ok(password.secret.length <= socks.fieldBytesMax);
  }), { numRuns: 30 });
  assert.ok(socks.isLabel("x".repeat(246)));
  assert.ok(!socks.isLabel("x".repeat(247)));
});

test("tor: socks: what is no label, or no key, is our own mistake", () => {
  for (const label of ["", "a b", "a\n", "\u00e9"]) {
    assert.ok(!socks.isLabel(label));
    assert.throws(() => socks.credentials(label, key), /not a label/);
  }
  assert.throws(() => socks.credentials("probe", secret(new Uint8Array(15))), /another size/);
});
