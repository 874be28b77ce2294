/**
 * Bitcoin signed messages: what is hashed, and the strict form of the signature over it.
 *
 * Rule 1: a message is hashed with the magic text before it, so that no signature over a message is
 * one over a transaction.
 * Rule 2: signatures are strict DER (BIP 66) with a low s. Any other spelling would let anybody
 * turn one valid signature into a second one, and a memory of signatures would not know it again.
 * Not known here: who signs, and what a message says.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, concat, hex, unbase64 } from "../bytes.ts";
import type { Primitives } from "../primitives.ts";

/** The size of the magic text, and the text. */
const MAGIC = concat([Uint8Array.of(0x18), ascii("Bitcoin Signed Message:\n")]);
/** A DER signature is 8 to 72 bytes, 96 characters of base64 at most. */
const DER_MIN = 8;
const DER_MAX = 72;
/** Characters of the longest signature in base64. */
export const signatureLengthMax = 96;
/** Half the order of secp256k1, rounded down: the largest low s. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 2n * HALF_ORDER + 1n;

/**
 * SHA-256 of the message in its frame, taken once (32 bytes): what `Primitives.verifyEcdsa` takes.
 * A signer hashes it once more.
 */
export function inner(message: Uint8Array, sha256: Primitives["sha256"]): Uint8Array {
  return sha256(concat([MAGIC, varint(message.length), message]));
}

/** Bitcoin's variable-length integer, up to 32 bits. */
function varint(size: number): Uint8Array {
  if (size < 0xfd) return Uint8Array.of(size);
  if (size <= 0xffff) return Uint8Array.of(0xfd, size & 0xff, size >> 8);
  assert(size <= 0xffff_ffff, "message: too long");
  return Uint8Array.of(0xfe, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, size >>> 24);
}

/** Is it a compressed public key by its form: 66 lower-case hex characters that begin so? */
export function isPubkey(s: string): boolean {
  return s.length === 66 && /^0[23][0-9a-f]*$/.test(s);
}

/** The bytes of a signature in canonical base64, strict DER and with a low s; or `undefined`. */
export function signatureOf(text: string): Uint8Array | undefined {
  if (text.length > signatureLengthMax) return undefined;
  const der = unbase64(text);
  return der !== undefined && isStrict(der) ? der : undefined;
}

/**
 * Strict DER of a pair over secp256k1: 1 <= r < n and 1 <= s <= n / 2; with "any" s up to n - 1:
 * the form alone, of a signature that does not hold for that.
 */
export function isStrict(der: Uint8Array, s: "low" | "any" = "low"): boolean {
  if (der.length < DER_MIN || der.length > DER_MAX) return false;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const r = integerAt(der, 2);
  if (r === undefined) return false;
  const second = integerAt(der, 4 + r.length);
  if (second === undefined || 6 + r.length + second.length !== der.length) return false;
  return inRange(r, ORDER - 1n) && inRange(second, s === "low" ? HALF_ORDER : ORDER - 1n);
}

/** The bytes of the minimal, non-negative DER integer at `at`. */
function integerAt(der: Uint8Array, at: number): Uint8Array | undefined {
  const size = der[at + 1];
  if (der[at] !== 0x02 || size === undefined) return undefined;
  if (size < 1 || size > 33 || at + 2 + size > der.length) return undefined;
  const bytes = der.subarray(at + 2, at + 2 + size);
  if (bytes[0]! >= 0x80) return undefined;
  if (bytes[0] === 0 && size > 1 && bytes[1]! < 0x80) return undefined;
  return bytes;
}

function inRange(bytes: Uint8Array, max: bigint): boolean {
  const value = BigInt(`0x${hex(bytes)}`);
  return value >= 1n && value <= max;
}
