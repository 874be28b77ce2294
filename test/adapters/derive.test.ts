import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf } from "../../adapters/derive.ts";

const bip84 = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2" +
  "fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";

test("derive: BIP84's own account gives its own addresses", () => {
  const account = { kind: "wpkh", key: bip84 } as const;
  assert.deepEqual(addressesOf(account, "mainnet", 0, 0, 2), [
    "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
  ]);
  assert.deepEqual(addressesOf(account, "mainnet", 1, 0, 1), [
    "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el",
  ]);
});

test("derive: BIP86's own account gives its own addresses", () => {
  const key = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLp" +
    "rQ3VCECoY49yfdDEHGCtMMj92pReUsQ";
  const account = { kind: "tr", key } as const;
  assert.deepEqual(addressesOf(account, "mainnet", 0, 0, 2), [
    "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
    "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh",
  ]);
  assert.deepEqual(addressesOf(account, "mainnet", 1, 0, 1), [
    "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
  ]);
});

test("derive: of a key that is none, and beyond the last index, nothing is made", () => {
  const of = (key: string, from: number): unknown =>
    addressesOf({ kind: "wpkh", key }, "mainnet", 0, from, 1);
  for (const key of ["xpub661My", "", "0OIl", bip84.replace("A", "B")]) {
    assert.equal(of(key, 0), undefined, key);
  }
  assert.equal(of(bip84, 2 ** 32), undefined);
});
