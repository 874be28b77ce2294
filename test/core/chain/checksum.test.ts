import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checksum } from "../../../core/chain/checksum.ts";
import { recorded } from "../../support/bitcoind.ts";

test("chain: checksum: every descriptor that a node wrote has the checksum that we compute", () => {
  const seen = new Set<string>();
  for (const file of ["wallet", "transactions"]) {
    for (const { responseText } of recorded(file)) {
      for (const [, text] of (responseText ?? "").matchAll(/"([a-z]+\([^"]*\)#[0-9a-z]{8})"/g)) {
        seen.add(text!);
      }
    }
  }
  assert.ok(seen.size >= 8, `${seen.size} descriptors`);
  for (const text of seen) {
    const [body, sum] = text.split("#");
    assert.equal(checksum(body!), sum, text);
  }
});

test("chain: checksum: the node's own examples of a wrong one", () => {
  assert.equal(checksum("wpkh(zz)"), "ejjmpnxm");
});

test("chain: checksum: a character that no descriptor has", () => {
  assert.equal(checksum("wpkh(ä)"), undefined);
  assert.equal(checksum("wpkh(\n)"), undefined);
});

test("chain: checksum: any one wrong character changes it", () => {
  const text = "tr([67a47aff/86h/1h/0h]tpubDDnFzULJf7UykSUAHXXH1cKQ/0/*)";
  const letters = "0123456789abcdefXYZ/*h'<;>";
  fc.assert(fc.property(
    fc.nat(text.length - 1), fc.nat(letters.length - 1), (at, letter) => {
      const other = text.slice(0, at) + letters.charAt(letter) + text.slice(at + 1);
      assert.equal(checksum(other) === checksum(text), other === text);
    },
  ), { numRuns: 200 });
});
