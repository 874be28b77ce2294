/**
 * The accounts of the demo's maker: public keys without private ones, and the addresses that follow
 * from them.
 *
 * Rule 1: made fresh for each run, from the operating system's randomness; kept nowhere. Nobody can
 * spend from them, and nobody needs to.
 * @module
 */
import { createECDH, createHash } from "node:crypto";
import { createBase58check } from "@scure/base";
import type { Ambient } from "../../adapters/ambient.ts";
import { addressesOf } from "../../adapters/derive.ts";
import { primitives } from "../../adapters/primitives.ts";
import { concat, hex } from "../../core/bytes.ts";
import * as descriptor from "../../core/chain/descriptor.ts";
import type { AddressOf } from "../../sim/chain/address.ts";

const base58 = createBase58check((bytes: Uint8Array) => (
  new Uint8Array(createHash("sha256").update(bytes).digest())
));

/** The version bytes of a `tpub`, and the depth of an account. */
const version = Uint8Array.of(0x04, 0x35, 0x87, 0xcf);
const depth = 3;

/** Account descriptors, one for each mixdepth; the last one is of Taproot. */
export function create(mixdepths: number, { entropy }: Pick<Ambient, "entropy">): string[] {
  const fingerprint = hex(entropy(4));
  return Array.from({ length: mixdepths }, (_, account) => {
    const isLast = account === mixdepths - 1;
    const place = Uint8Array.of(depth, ...entropy(4), 0x80, 0, 0, account);
    const key = base58.encode(concat([version, place, entropy(32), pointOf()]));
    const [kind, purpose] = isLast ? ["tr", 86] : ["wpkh", 84];
    return `${kind}([${fingerprint}/${purpose}h/1h/${account}h]${key}/<0;1>/*)`;
  });
}

function pointOf(): Uint8Array {
  const ecdh = createECDH("secp256k1");
  ecdh.generateKeys();
  return new Uint8Array(ecdh.getPublicKey(null, "compressed"));
}

/** Addresses are derived so many at a time. */
const batch = 20;

/** Derives the regtest addresses of descriptors of one branch, each of them once. */
export function deriver(): AddressOf {
  const known = new Map<string, string[]>();
  return (text, index) => {
    const addresses = known.get(text) ?? [];
    known.set(text, addresses);
    while (addresses.length <= index) addresses.push(...next(text, addresses.length));
    return addresses[index]!;
  };
}

function next(text: string, from: number): readonly string[] {
  const parsed = descriptor.parse(text, "regtest", primitives.sha256);
  if (!parsed.ok) throw new Error(parsed.fault.text);
  const [branch = 0] = parsed.value.branches;
  const addresses = addressesOf(parsed.value, "regtest", branch, from, batch);
  if (addresses === undefined) throw new Error(`${text} has no addresses`);
  return addresses;
}
