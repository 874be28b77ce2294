import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat } from "../../../core/bytes.ts";
import type { Network } from "../../../core/chain/chain.ts";
import { checksum } from "../../../core/chain/checksum.ts";
import {
  accountsMax, canonical, descriptorOf, parse, placeOf, watchOf, type Account,
} from "../../../core/chain/descriptor.ts";
import { accounts, watch } from "../../support/bitcoind.ts";
import { primitives } from "../../support/primitives.ts";

const { sha256 } = primitives;
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** An extended key of our own making: version, depth, child number, and where the key begins. */
function keyOf(version: number, depth = 3, child = 0x80000000, lead = 2): string {
  const body = new Uint8Array(78);
  new DataView(body.buffer).setUint32(0, version);
  body[4] = depth;
  new DataView(body.buffer).setUint32(9, child);
  body[45] = lead;
  const bytes = concat([body, sha256(sha256(body)).subarray(0, 4)]);
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  let text = "";
  for (; value > 0n; value /= 58n) text = alphabet.charAt(Number(value % 58n)) + text;
  return text;
}

const xpub = keyOf(0x0488b21e);
const tpub = keyOf(0x043587cf);

const faultOf = (text: string, network: Network = "regtest"): string => {
  const parsed = parse(text, network, sha256);
  if (parsed.ok) return "none";
  for (const part of text.split(/[^0-9A-Za-z]/)) {
    assert.ok(part.length < 8 || !parsed.fault.text.includes(part), "a fault echoes the text");
  }
  return parsed.fault.code;
};

const good = (text: string, network: Network = "regtest"): Account => {
  const parsed = parse(text, network, sha256);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.fault.text);
  return parsed.value;
};

test("chain: descriptor: the accounts of the recorded wallet, branch by branch", () => {
  const all = [[good(accounts.wpkh)], [good(accounts.tr)]];
  const found = watchOf(all);
  assert.ok(found.ok);
  assert.deepEqual(found.value, watch);
});

test("chain: descriptor: with a checksum, apostrophes, one branch, without an origin", () => {
  const [first, second] = watch;
  assert.deepEqual(good(first.descriptor).branches, [0]);
  assert.deepEqual(good(second.descriptor).branches, [1]);
  const quoted = good(accounts.wpkh.replaceAll("h/", "'/").replace("0h]", "0']"));
  assert.equal(descriptorOf(quoted, 0), first.descriptor);
  const upper = good(accounts.wpkh.replace("67a47aff", "67A47AFF"));
  assert.equal(descriptorOf(upper, 0), first.descriptor);
  assert.equal(good(`wpkh(${tpub}/<0;1>/*)`).origin, "");
  assert.equal(good(` ${first.descriptor}\n`).kind, "wpkh");
  assert.throws(() => descriptorOf(good(first.descriptor), 1), /not watched/);
});

test("chain: descriptor: a checksum that is there must be right", () => {
  const [{ descriptor }] = watch;
  assert.equal(faultOf(`${descriptor.slice(0, -1)}q`), "descriptor-checksum");
  assert.equal(faultOf(descriptor.slice(0, -1)), "descriptor-checksum");
  assert.equal(faultOf(`${descriptor}#${descriptor.slice(-8)}`), "descriptor-checksum");
  assert.equal(faultOf(descriptor.replace("84h", "85h")), "descriptor-checksum");
});

test("chain: descriptor: a private key is refused and not shown, in any form", () => {
  for (const version of [0x0488ade4, 0x04358394]) {
    const key = keyOf(version, 3, 0x80000000, 0);
    assert.match(key, /^[xt]prv/);
    assert.equal(faultOf(`wpkh([67a47aff/84h/1h/0h]${key}/0/*)`), "descriptor-private");
    assert.equal(faultOf(key), "descriptor-private");
    assert.equal(faultOf(`sh(wpkh(${key}/0/*))`), "descriptor-private");
    assert.equal(faultOf(`${key} `.repeat(20)), "descriptor-private");
  }
  const wif = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn";
  assert.equal(faultOf(`wpkh(${wif}/0/*)`), "descriptor-key");
  assert.equal(
    faultOf("abandon abandon abandon abandon abandon abandon abandon about"), "descriptor-form",
  );
});

test("chain: descriptor: letters of a private key within a public one mean nothing", () => {
  assert.equal(faultOf(`wpkh([67a47aff/84h/1h/0h]${tpub.slice(0, 20)}xprv${tpub.slice(24)}/0/*)`),
    "descriptor-key");
});

test("chain: descriptor: a key belongs to its network", () => {
  const main = `wpkh([67a47aff/84h/0h/0h]${xpub}/0/*)`;
  const test = `wpkh([67a47aff/84h/1h/0h]${tpub}/0/*)`;
  assert.equal(faultOf(main, "mainnet"), "none");
  assert.equal(faultOf(test, "mainnet"), "descriptor-network");
  for (const network of ["testnet", "testnet4", "signet", "regtest"] as const) {
    assert.equal(faultOf(main, network), "descriptor-network");
    assert.equal(faultOf(test, network), "none");
  }
});

test("chain: descriptor: keys that are none, or name their script", () => {
  const around = (key: string): string => `wpkh([67a47aff/84h/1h/0h]${key}/0/*)`;
  assert.equal(faultOf(around(keyOf(0x045f1cf6))), "descriptor-key");
  assert.equal(faultOf(around(keyOf(0x04b24746))), "descriptor-key");
  assert.equal(faultOf(around(keyOf(0x01020304))), "descriptor-key");
  assert.equal(faultOf(around(keyOf(0x043587cf, 3, 0x80000000, 4))), "descriptor-key");
  assert.equal(faultOf(around(`${tpub.slice(0, -1)}z`)), "descriptor-key");
});

test("chain: descriptor: the origin is that of the key", () => {
  assert.equal(faultOf(`wpkh([67a47aff/84h/1h/1h]${tpub}/0/*)`), "descriptor-depth");
  assert.equal(faultOf(`wpkh([67a47aff/84h/1h]${tpub}/0/*)`), "descriptor-depth");
  assert.equal(faultOf(`wpkh([67a47aff/84h/1h/0]${tpub}/0/*)`), "descriptor-depth");
  assert.equal(faultOf(`wpkh([67a47a/84h/1h/0h]${tpub}/0/*)`), "descriptor-origin");
  assert.equal(faultOf(`wpkh([67a47aff/84h/1h/2147483648h]${tpub}/0/*)`), "descriptor-origin");
  assert.equal(faultOf(`wpkh([67a47aff/84x/1h/0h]${tpub}/0/*)`), "descriptor-origin");
});

test("chain: descriptor: other forms are refused", () => {
  const forms = [
    "", "wpkh()", `pkh(${tpub}/0/*)`, `wpkh(${tpub})`, `wpkh(${tpub}/0)`, `wpkh(${tpub}/2/*)`,
    `wpkh(${tpub}/<1;0>/*)`, `wpkh(${tpub}/0/*h)`, `wpkh(${tpub}/0/*`, `tr(${tpub}/0/*,pk(00))`,
    `sh(wpkh(${tpub}/0/*))`, `wsh(multi(1,${tpub}/0/*))`, "addr(bcrt1q)",
    `wpkh(${"1".repeat(500)})`,
  ];
  for (const form of forms) assert.equal(faultOf(form), "descriptor-form", form);
});

test("chain: descriptor: one account in two mixdepths, and too many of them", () => {
  const account = good(accounts.wpkh);
  const twice = watchOf([[account], [good(watch[1].descriptor)]]);
  assert.ok(!twice.ok && twice.fault.code === "descriptor-twice");
  const some = (count: number): readonly (readonly Account[])[] => (
    Array.from({ length: count }, (_, i) => [{ ...account, key: `${account.key}${i}` }])
  );
  assert.equal(watchOf(some(accountsMax)).ok, true);
  const many = watchOf(some(accountsMax + 1));
  assert.ok(!many.ok && many.fault.code === "descriptor-many");
});

test("chain: descriptor: canonical: others' spelling in ours", () => {
  const others = "wpkh([67a47aff/84'/1'/0']x/0/*)#abcdefgh";
  assert.equal(canonical(others), "wpkh([67a47aff/84h/1h/0h]x/0/*)");
});

test("chain: descriptor: placeOf: branch and index of a derived address", () => {
  assert.deepEqual(placeOf("wpkh([67a47aff/84h/1h/0h/0/7]02ab)#q"), { branch: 0, index: 7 });
  assert.deepEqual(placeOf("tr([67a47aff/86'/1'/0'/1/0]ab)"), { branch: 1, index: 0 });
  assert.deepEqual(placeOf("wpkh([67a47aff/1/42]02ab)"), { branch: 1, index: 42 });
  for (const text of ["", "addr(x)", "wpkh(02ab)", "wpkh([67a47aff/84h/1h/0h/2/7]02)",
    "wpkh([67a47aff/0/2147483648]02)", "wpkh([67a47aff/0/7h]02)"]) {
    assert.equal(placeOf(text), undefined, text);
  }
});

test("chain: descriptor: what is read and written again is the same", () => {
  fc.assert(fc.property(
    fc.constantFrom("wpkh", "tr"), fc.constantFrom("0", "1", "<0;1>"),
    fc.integer({ min: 0, max: 0x7fffffff }), fc.boolean(), (kind, branch, last, isHardened) => {
      const key = keyOf(0x043587cf, 1, isHardened ? last + 0x80000000 : last);
      const body = `${kind}([01234567/${last}${isHardened ? "h" : ""}]${key}/${branch}/*)`;
      const account = good(`${body}#${checksum(body)!}`);
      for (const one of account.branches) {
        assert.deepEqual(good(descriptorOf(account, one)), { ...account, branches: [one] });
      }
    },
  ), { numRuns: 50 });
});

test("chain: descriptor: no text makes it throw", () => {
  const pieces = fc.constantFrom(
    "wpkh(", "tr(", "[67a47aff/84h/1h/0h]", tpub, "/0/*)", "#", "<0;1>", "é",
  );
  fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
    void parse(parts.join(""), "regtest", sha256);
  }), { numRuns: 300 });
});
