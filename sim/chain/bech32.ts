/**
 * Segwit addresses: bech32 for witness version 0 (BIP173), bech32m for all later ones (BIP350).
 *
 * Rule 1: an address that decodes is one that encodes to itself; upper case, padding that is not
 * zero and programs of a length that no script has are refused.
 * @module
 */
const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const TERMS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const sumLength = 6;
const lengthMax = 90;

export type Segwit = { readonly version: number; readonly program: Uint8Array };

/** The address of a witness program, for networks whose addresses begin with `prefix`. */
export function encode(prefix: string, { version, program }: Segwit): string {
  const symbols = regrouped(program, 8, 5, true)!;
  symbols.unshift(version);
  let sum = folded(beginning(prefix), symbols);
  for (let i = 0; i < sumLength; i += 1) sum = next(sum, 0);
  sum = (sum ^ finalOf(version)) >>> 0;
  let out = `${prefix}1`;
  for (const symbol of symbols) out += ALPHABET.charAt(symbol);
  for (let i = 0; i < sumLength; i += 1) {
    out += ALPHABET.charAt((sum >>> (5 * (sumLength - 1 - i))) & 31);
  }
  return out;
}

/** What `encode` wrote; `undefined` for anything else. */
export function decode(prefix: string, address: string): Segwit | undefined {
  if (address.length > lengthMax || !address.startsWith(`${prefix}1`)) return undefined;
  const symbols: number[] = [];
  for (const character of address.slice(prefix.length + 1)) {
    const at = ALPHABET.indexOf(character);
    if (at < 0) return undefined;
    symbols.push(at);
  }
  const [version] = symbols;
  if (version === undefined || version > 16 || symbols.length <= sumLength) return undefined;
  if (folded(beginning(prefix), symbols) >>> 0 !== finalOf(version)) return undefined;
  const bytes = regrouped(symbols.slice(1, -sumLength), 5, 8, false);
  if (bytes === undefined || bytes.length < 2 || bytes.length > 40) return undefined;
  if (version === 0 && bytes.length !== 20 && bytes.length !== 32) return undefined;
  return { version, program: Uint8Array.from(bytes) };
}

/** The constant in which the two encodings differ. */
function finalOf(version: number): number {
  return version === 0 ? 1 : 0x2bc830a3;
}

/** The sum over the prefix. */
function beginning(prefix: string): number {
  let sum = 1;
  for (let i = 0; i < prefix.length; i += 1) sum = next(sum, prefix.charCodeAt(i) >> 5);
  sum = next(sum, 0);
  for (let i = 0; i < prefix.length; i += 1) sum = next(sum, prefix.charCodeAt(i) & 31);
  return sum;
}

function folded(from: number, symbols: readonly number[]): number {
  let sum = from;
  for (const symbol of symbols) sum = next(sum, symbol);
  return sum;
}

function next(from: number, symbol: number): number {
  const top = from >>> 25;
  let sum = ((from & 0x1ffffff) << 5) ^ symbol;
  for (let i = 0; i < TERMS.length; i += 1) {
    if (((top >>> i) & 1) === 1) sum ^= TERMS[i] as number;
  }
  return sum;
}

/** Groups of `from` bits as groups of `to` bits; the rest is padded, or has to be padding. */
function regrouped(
  groups: Iterable<number>, from: number, to: number, isPadded: boolean,
): number[] | undefined {
  const out: number[] = [];
  let held = 0;
  let bits = 0;
  for (const group of groups) {
    held = ((held << from) | group) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      out.push((held >>> bits) & ((1 << to) - 1));
    }
  }
  const rest = (held << (to - bits)) & ((1 << to) - 1);
  if (isPadded) {
    if (bits > 0) out.push(rest);
    return out;
  }
  return bits < from && rest === 0 ? out : undefined;
}
