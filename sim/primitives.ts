/**
 * Stand-ins for cryptography in simulated worlds: pure, deterministic, cheap, and no security.
 *
 * Rule 1: shapes are real: 32-byte hashes, 33-byte compressed keys, strict DER with a low s, nicks
 * and onion addresses that pass the core's own checks.
 * Rule 2: a signature that was made with another key, or over something else, does not verify; that
 * is all that a simulated forger tries.
 * Rule 3: integer arithmetic only, so that every engine gives the same bytes.
 * @module
 */
import { ascii, concat, equal, hex } from "../core/bytes.ts";
import { nickOf as nickOfKey } from "../core/joinmarket/nick.ts";
import type { Primitives } from "../core/primitives.ts";

const SHA256 = 0x6a09e667;
const SHA3 = 0xbb67ae85;
const KEY = 0x3c6ef372;
const POINT = 0xa54ff53a;
const ONION = 0x1f83d9ab;
const SIGN_R = 0x510e527f;
const SIGN_S = 0x9b05688c;

/** The stand-ins. One for all worlds: there is no state. */
export const primitives: Primitives = {
  sha256: (bytes) => mixed(bytes, SHA256),
  sha3: (bytes) => mixed(bytes, SHA3),
  verifyEcdsa,
};

/** A signature (DER, 70 bytes) over `inner`, as `Primitives.verifyEcdsa` takes it. */
export function sign(secret: Uint8Array, inner: Uint8Array): Uint8Array {
  return signature(pointOf(secret), inner);
}

/** A signature over what was hashed twice already: over `inner` above, hashed once more. */
export function signDigest(secret: Uint8Array, digest: Uint8Array): Uint8Array {
  return signature(pointOf(secret), digest);
}

/** The compressed public key, as 66 lower-case hex characters. */
export function pubkeyOf(secret: Uint8Array): string {
  return hex(pointOf(secret));
}

/** The secret key of the person with this number. */
export function secretFor(index: number): Uint8Array {
  return mixed(ascii(String(index)), KEY);
}

/** The nick of a secret key. */
export function nickOf(secret: Uint8Array): string {
  return nickOfKey(pubkeyOf(secret), 5, primitives.sha256);
}

/** An onion service for a secret key: `<56>.onion:5222`, with its checksum. */
export function onionOf(secret: Uint8Array): string {
  const key = mixed(secret, ONION);
  const version = Uint8Array.of(3);
  const sum = primitives.sha3(concat([ascii(".onion checksum"), key, version]));
  return `${base32(concat([key, sum.subarray(0, 2), version]))}.onion:5222`;
}

/** The nick of the person with this number. */
export function nickFor(index: number): string {
  return nickOf(secretFor(index));
}

/** The onion service of the person with this number. */
export function onionFor(index: number): string {
  return onionOf(secretFor(index));
}

function pointOf(secret: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(2), mixed(secret, POINT)]);
}

function verifyEcdsa(pubkey: Uint8Array, inner: Uint8Array, der: Uint8Array): boolean {
  if (pubkey.length !== 33 || inner.length !== 32) return false;
  if (pubkey[0] !== 2 && pubkey[0] !== 3) return false;
  return equal(der, signature(pubkey, inner)) || equal(der, signatureOver(pubkey, inner));
}

/** As `signDigest` makes it. */
function signatureOver(pubkey: Uint8Array, inner: Uint8Array): Uint8Array {
  return signature(pubkey, mixed(inner, SHA256));
}

/**
 * Two integers of 32 bytes. The first byte of r is 0x40 to 0x7f and that of s 0x20 to 0x3f: minimal
 * and positive, below the order of secp256k1 and below half of it.
 */
function signature(pubkey: Uint8Array, inner: Uint8Array): Uint8Array {
  const about = concat([pubkey, inner]);
  const out = new Uint8Array(70);
  out.set([0x30, 68, 0x02, 32], 0);
  out.set(mixed(about, SIGN_R), 4);
  out.set([0x02, 32], 36);
  out.set(mixed(about, SIGN_S), 38);
  out[4] = ((out[4] as number) & 0x3f) | 0x40;
  out[38] = ((out[38] as number) & 0x1f) | 0x20;
  return out;
}

/** 32 bytes that depend on every bit of `bytes`, on their number and on `purpose`. */
function mixed(bytes: Uint8Array, purpose: number): Uint8Array {
  let a = purpose | 0;
  let b = bytes.length ^ 0x9e3779b9;
  let c = 0x85ebca6b;
  let d = 0x27d4eb2f;
  const whole = bytes.length & ~3;
  for (let at = 0; at <= whole; at += 4) {
    a = Math.imul(a ^ (at < whole ? wordAt(bytes, at) : tail(bytes, whole)), -1640531535);
    a ^= a >>> 15;
    b = Math.imul((b + a) | 0, -2048144777);
    b ^= b >>> 13;
    c = Math.imul(c ^ b, -1028477379);
    c ^= c >>> 16;
    d = (Math.imul((d + c) | 0, 668265263) + a) | 0;
    a = (a + ((d << 11) | (d >>> 21))) | 0;
  }
  const out = new Uint8Array(32);
  for (let at = 0; at < 32; at += 4) {
    a = Math.imul(a ^ (d + at), -1640531535);
    a ^= a >>> 15;
    b = Math.imul((b + a) | 0, -2048144777);
    b ^= b >>> 13;
    c = Math.imul(c ^ b, -1028477379);
    c ^= c >>> 16;
    d = (Math.imul((d + c) | 0, 668265263) + a) | 0;
    out[at] = d;
    out[at + 1] = d >>> 8;
    out[at + 2] = d >>> 16;
    out[at + 3] = d >>> 24;
  }
  return out;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** What is left behind the last whole word: none to three bytes. */
function tail(bytes: Uint8Array, from: number): number {
  let word = 0;
  for (let at = from; at < bytes.length; at += 1) {
    word |= (bytes[at] as number) << (8 * (at - from));
  }
  return word;
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 35 bytes are 56 whole characters: there is no padding. */
function base32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32.charAt((pending >> bits) & 31);
    }
  }
  return out;
}
