/**
 * The addresses of an account, from its public key alone.
 *
 * Rule 1: BIP32 public derivation, branch and index; BIP84 (P2WPKH) and BIP86 (P2TR) addresses. No
 * private key comes near.
 * Rule 2: a key that is none, and the one index in 2^127 that has no key, have no address: then
 * there is no answer, and nothing is thrown at a daemon that has other work.
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bech32, bech32m, createBase58check } from "@scure/base";
import type { Network } from "../core/chain/chain.ts";
import type { Account } from "../core/chain/descriptor.ts";

const { Point } = secp256k1;
type Curve = InstanceType<typeof Point>;

type Key = { readonly point: Curve; readonly chain: Uint8Array };

const base58 = createBase58check((bytes: Uint8Array) => sha256(bytes));
const versionBytes = 4;
const keyBytes = 78;
const hrps: Readonly<Record<Network, string>> = {
  mainnet: "bc", testnet: "tb", testnet4: "tb", signet: "tb", regtest: "bcrt",
};

/** `count` addresses of a branch from index `from` on; `undefined` if they cannot be made. */
export function addressesOf(
  account: Pick<Account, "kind" | "key">, network: Network, branch: number, from: number,
  count: number,
): readonly string[] | undefined {
  try {
    return made(account, network, branch, from, count);
  } catch {
    // What was wrong would quote the key.
    return undefined;
  }
}

function made(
  account: Pick<Account, "kind" | "key">, network: Network, branch: number, from: number,
  count: number,
): readonly string[] {
  const parent = child(decoded(account.key), branch);
  return Array.from({ length: count }, (_, i) => {
    const { point } = child(parent, from + i);
    return account.kind === "tr" ? taproot(point, hrps[network]) : segwit(point, hrps[network]);
  });
}

function decoded(text: string): Key {
  const bytes = base58.decode(text);
  if (bytes.length !== keyBytes) throw new Error("not an extended public key");
  const chainAt = versionBytes + 9;
  return { chain: bytes.slice(chainAt, chainAt + 32), point: Point.fromBytes(bytes.slice(45)) };
}

/** CKDpub of BIP32. */
function child(parent: Key, index: number): Key {
  const data = Buffer.alloc(37);
  data.set(parent.point.toBytes(true));
  data.writeUInt32BE(index, 33);
  const made = createHmac("sha512", parent.chain).update(data).digest();
  const tweak = scalar(made.subarray(0, 32));
  const point = Point.BASE.multiply(tweak).add(parent.point);
  if (point.is0()) throw new Error(`index ${index} has no key`);
  return { point, chain: new Uint8Array(made.subarray(32)) };
}

function scalar(bytes: Uint8Array): bigint {
  const value = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  if (value === 0n || value >= Point.CURVE().n) throw new Error("an index without a key");
  return value;
}

function segwit(point: Curve, hrp: string): string {
  const hash = createHash("ripemd160").update(sha256(point.toBytes(true))).digest();
  return bech32.encode(hrp, [0, ...bech32.toWords(new Uint8Array(hash))]);
}

/** BIP86: the key commits to no script. */
function taproot(point: Curve, hrp: string): string {
  const x = point.toBytes(true).slice(1);
  const even = Point.fromBytes(Uint8Array.of(2, ...x));
  const tag = sha256(new TextEncoder().encode("TapTweak"));
  const tweak = scalar(sha256(Buffer.concat([tag, tag, x])));
  const output = even.add(Point.BASE.multiply(tweak)).toBytes(true).slice(1);
  return bech32m.encode(hrp, [1, ...bech32m.toWords(output)]);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
