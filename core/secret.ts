/**
 * The mark on secret bytes, and the only thing that may be written about them.
 *
 * Rule 1: a secret is an object, not a string, so that it cannot be joined into a text by accident.
 * Rule 2: traces, logs and errors hold a seal or nothing (invariant X6).
 * Rule 3: a seal is keyed with random bytes that are never written, so a short password cannot be
 * guessed from a file; equal secrets in one trace have equal seals.
 * @module
 */
import { assert } from "./assert.ts";

export type Secret = {
  readonly secret: Uint8Array;
  /** Only in a replay: the seal that was read, in place of bytes that nobody knows any more. */
  readonly sealed?: string;
};

/** Bytes of a key for `seal`. */
export const sealKeyBytes = 8;

/** Marks bytes as secret. */
export function secret(bytes: Uint8Array): Secret {
  return { secret: bytes };
}

/** Is this value a marked secret? */
export function isSecret(value: unknown): value is Secret {
  return (
    typeof value === "object" &&
    value !== null &&
    "secret" in value &&
    value.secret instanceof Uint8Array
  );
}

/**
 * What a trace says about a secret: 16 hex digits, `-` when there is no key. The function is
 * HalfSipHash-2-4 with a 64-bit result (Aumasson and Bernstein), a keyed function of 32-bit words;
 * only the first `sealKeyBytes` of `key` count.
 */
export function seal(value: Secret, key: Secret | undefined): string {
  if (value.sealed !== undefined) return value.sealed;
  if (key === undefined) return "-";
  assert(key.secret.length >= sealKeyBytes, `a seal key of ${key.secret.length} bytes`);
  return halfSip(value.secret, key.secret);
}

type Lanes = { v0: number; v1: number; v2: number; v3: number };

function halfSip(bytes: Uint8Array, key: Uint8Array): string {
  const k0 = word(key, 0);
  const k1 = word(key, 4);
  const s: Lanes = { v0: k0, v1: k1 ^ 0xee, v2: 0x6c796765 ^ k0, v3: 0x74656462 ^ k1 };
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) absorb(s, word(bytes, i));
  absorb(s, tail(bytes, whole));
  s.v2 ^= 0xee;
  rounds(s, 4);
  const low = s.v1 ^ s.v3;
  s.v1 ^= 0xdd;
  rounds(s, 4);
  return hexLittle(low) + hexLittle(s.v1 ^ s.v3);
}

function absorb(s: Lanes, w: number): void {
  s.v3 ^= w;
  rounds(s, 2);
  s.v0 ^= w;
}

function rounds(s: Lanes, count: number): void {
  for (let i = 0; i < count; i += 1) {
    s.v0 = (s.v0 + s.v1) | 0;
    s.v1 = rotate(s.v1, 5) ^ s.v0;
    s.v0 = rotate(s.v0, 16);
    s.v2 = (s.v2 + s.v3) | 0;
    s.v3 = rotate(s.v3, 8) ^ s.v2;
    s.v0 = (s.v0 + s.v3) | 0;
    s.v3 = rotate(s.v3, 7) ^ s.v0;
    s.v2 = (s.v2 + s.v1) | 0;
    s.v1 = rotate(s.v1, 13) ^ s.v2;
    s.v2 = rotate(s.v2, 16);
  }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function word(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** The last, short word: what is left of the bytes, and the length in the top byte. */
function tail(bytes: Uint8Array, from: number): number {
  let w = bytes.length << 24;
  for (let i = from; i < bytes.length; i += 1) w |= (bytes[i] as number) << (8 * (i - from));
  return w;
}

function hexLittle(w: number): string {
  let text = "";
  for (let i = 0; i < 4; i += 1) text += ((w >>> (8 * i)) & 0xff).toString(16).padStart(2, "0");
  return text;
}
