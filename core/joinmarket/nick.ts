/**
 * Nicks: who a peer says it is.
 *
 * Rule 1: `J`, a version digit, fourteen characters of base58 padded on the right with capital O
 * (which base58 does not have). Nothing in it can be mistaken for a separator of a public line or
 * of a peerlist.
 * Rule 2: a nick is derived from a public key; whether a peer owns that key is decided in
 * `nickauth.ts`.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii } from "../bytes.ts";
import type { Primitives } from "../primitives.ts";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Characters of every nick. */
export const nickLength = 16;
const TAIL_LENGTH = 14;
/** How much of the hash a nick keeps. */
const HASH_BYTES = 10;

/**
 * Is this a nick by its form? The padding may be all there is: no key gives such a nick, but the
 * deployed grammar takes it.
 */
export function isNick(s: string): boolean {
  return s.length === nickLength && /^J[0-9][1-9A-HJ-NP-Za-km-z]*O*$/.test(s);
}

/**
 * The nick of a public key: the hash is over the 66 characters of its lower-case hex, not over its
 * 33 bytes. `version` is the digit after the J.
 */
export function nickOf(pubkeyHex: string, version: number, sha256: Primitives["sha256"]): string {
  assert(Number.isInteger(version), "nick: the version is not an integer");
  assert(version >= 0 && version <= 9, "nick: the version is not one digit");
  const hash = sha256(ascii(pubkeyHex));
  assert(hash.length === 32, "nick: a SHA-256 of another size");
  return `J${version}${base58(hash.subarray(0, HASH_BYTES)).padEnd(TAIL_LENGTH, "O")}`;
}

/** Base58 as Bitcoin writes it: each leading zero byte is a `1`. */
function base58(bytes: Uint8Array): string {
  let left = 0n;
  for (const byte of bytes) left = left * 256n + BigInt(byte);
  let out = "";
  for (; left > 0n; left /= 58n) out = BASE58.charAt(Number(left % 58n)) + out;
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  return "1".repeat(zeros) + out;
}
