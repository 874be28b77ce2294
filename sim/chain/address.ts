/**
 * Addresses of the stand-in chain: what their scripts are, and a derivation for worlds without a
 * curve.
 *
 * Rule 1: `derive` gives well-formed regtest addresses that depend on descriptor and index alone.
 * They are nobody's: a host that has the curve hands the chain its own function instead.
 * @module
 */
import { ascii, concat, hex, utf8 } from "../../core/bytes.ts";
import { canonical } from "../../core/chain/descriptor.ts";
import { checksum } from "../../core/chain/checksum.ts";
import { bytes as drawn, key, stream } from "../../core/prng.ts";
import { primitives } from "../primitives.ts";
import * as bech32 from "./bech32.ts";

/** The address at an index of a ranged descriptor. */
export type AddressOf = (descriptor: string, index: number) => string;

export const prefix = "bcrt";

/** A regtest address for an index of a descriptor, by the descriptor's kind; see rule 1. */
export function derive(descriptor: string, index: number): string {
  const isTaproot = descriptor.startsWith("tr(");
  const program = drawn(stream(key(canonical(descriptor)), index), isTaproot ? 32 : 20);
  return bech32.encode(prefix, { version: isTaproot ? 1 : 0, program });
}

/** An address that no descriptor has, for a name. */
export function addressFor(name: string): string {
  const program = primitives.sha256(utf8(name)).subarray(0, 20);
  return bech32.encode(prefix, { version: 0, program });
}

export function isAddress(text: string): boolean {
  return bech32.decode(prefix, text) !== undefined;
}

export type Script = {
  readonly hex: string; readonly asm: string; readonly type: string;
  readonly version: number; readonly program: string;
};

/** The output script of an address. The address must be one. */
export function scriptOf(address: string): Script {
  const { version, program } = bech32.decode(prefix, address)!;
  const opcode = version === 0 ? 0 : 0x50 + version;
  const text = hex(program);
  return {
    hex: hex(concat([Uint8Array.of(opcode, program.length), program])),
    asm: `${version} ${text}`, type: typeOf(version, program.length), version, program: text,
  };
}

function typeOf(version: number, length: number): string {
  if (version === 0) return length === 20 ? "witness_v0_keyhash" : "witness_v0_scripthash";
  return version === 1 && length === 32 ? "witness_v1_taproot" : "witness_unknown";
}

/** A descriptor with its checksum. */
export function summed(descriptor: string): string {
  return `${descriptor}#${checksum(descriptor) ?? ""}`;
}

const ACCOUNT = /^(wpkh|tr)\((?:\[([^\]]*)\])?([^/]+)\/([0-9]+)\/\*\)/;

/**
 * The descriptor of one address as a node writes it: the path in its origin, a key of its own.
 * `undefined` for a descriptor that is not an account's.
 */
export function derivedOf(descriptor: string, index: number): string | undefined {
  const found = ACCOUNT.exec(canonical(descriptor));
  if (found === null) return undefined;
  const [, kind, origin, key = "", branch] = found;
  const point = hex(primitives.sha256(ascii(`${key}/${branch}/${index}`)));
  const root = origin ?? hex(primitives.sha256(ascii(key))).slice(0, 8);
  const parity = kind === "tr" ? "" : "02";
  return summed(`${kind}([${root}/${branch}/${index}]${parity}${point})`);
}
