/**
 * Base58Check, as extended keys are written: 58 characters and a checksum of four bytes.
 *
 * Rule 1: `undefined` for anything that is not exactly that; nothing of the text is echoed.
 * @module
 */
import { equal } from "../bytes.ts";
import type { Primitives } from "../primitives.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const checksumBytes = 4;
/** Longer than any key; the time to decode grows with the square. */
export const lengthMax = 128;

/** The bytes that `text` stands for, without the checksum, which is verified. */
export function decode(text: string, sha256: Primitives["sha256"]): Uint8Array | undefined {
  const bytes = digits(text);
  if (bytes === undefined || bytes.length <= checksumBytes) return undefined;
  const body = bytes.subarray(0, bytes.length - checksumBytes);
  const sum = sha256(sha256(body)).subarray(0, checksumBytes);
  return equal(sum, bytes.subarray(body.length)) ? body : undefined;
}

/** Each leading `1` is a zero byte; the rest is one large number in base 58. */
function digits(text: string): Uint8Array | undefined {
  if (text.length > lengthMax) return undefined;
  const zeros = /^1*/.exec(text)?.[0].length ?? 0;
  const low: number[] = [];
  for (const character of text.slice(zeros)) {
    let carry = ALPHABET.indexOf(character);
    if (carry < 0) return undefined;
    for (let i = 0; i < low.length; i += 1) {
      carry += low[i]! * 58;
      low[i] = carry & 0xff;
      carry >>= 8;
    }
    while (carry > 0) {
      low.push(carry & 0xff);
      carry >>= 8;
    }
  }
  const out = new Uint8Array(zeros + low.length);
  out.set(low.toReversed(), zeros);
  return out;
}
