/**
 * The checksum of output descriptors (BIP380): eight characters of the bech32 alphabet over the
 * text, a BCH code that detects any four wrong characters.
 *
 * Rule 1: a text with a character that descriptors do not have has no checksum.
 * @module
 */
const INPUT =
  "0123456789()[],'/*abcdefgh@:$%{}" +
  "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~" +
  "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
const OUTPUT = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [
  0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn,
] as const;

export const checksumLength = 8;

/** The checksum of a descriptor without `#`; `undefined` for a foreign character. */
export function checksum(text: string): string | undefined {
  let sum = 1n;
  let group = 0;
  let grouped = 0;
  for (const character of text) {
    const at = INPUT.indexOf(character);
    if (at < 0) return undefined;
    sum = mix(sum, at & 31);
    // The upper parts of three characters make one more symbol.
    group = group * 3 + (at >> 5);
    grouped += 1;
    if (grouped < 3) continue;
    sum = mix(sum, group);
    group = 0;
    grouped = 0;
  }
  if (grouped > 0) sum = mix(sum, group);
  for (let i = 0; i < checksumLength; i += 1) sum = mix(sum, 0);
  return spelled(sum ^ 1n);
}

function mix(sum: bigint, symbol: number): bigint {
  const top = sum >> 35n;
  let next = ((sum & 0x7ffffffffn) << 5n) ^ BigInt(symbol);
  for (const [i, term] of GENERATOR.entries()) {
    if (((top >> BigInt(i)) & 1n) === 1n) next ^= term;
  }
  return next;
}

function spelled(sum: bigint): string {
  let out = "";
  for (let i = 0; i < checksumLength; i += 1) {
    out += OUTPUT.charAt(Number((sum >> BigInt(5 * (checksumLength - 1 - i))) & 31n));
  }
  return out;
}
