/**
 * What a careful peer looks at in the lines that a directory sends it: names, addresses, heads.
 *
 * Rule 1: it reads bytes and makes nothing, because every broadcast passes through here.
 * Rule 2: it shares no code with the core that it judges, but for plain bytes: a mistake there must
 * be seen here.
 * @module
 */
import { ascii, concat } from "../../core/bytes.ts";
import type { Primitives } from "../../core/primitives.ts";

const nickLength = 16;
const hostLength = 56;
const QUOTE = 0x22;
const BANG = 0x21;
const SEMICOLON = 0x3b;
const LETTER_D = 0x44;
const LETTER_F = 0x46;
const LETTER_J = 0x4a;
const LETTER_O = 0x4f;

/** Characters below 128, by what they may be part of. */
const BASE58 = 1;
const BASE32 = 2;
const FEATURE = 4;

const bits = table();

function table(): Uint8Array {
  const out = new Uint8Array(256);
  set(out, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", BASE58);
  set(out, "abcdefghijklmnopqrstuvwxyz234567", BASE32);
  set(out, "abcdefghijklmnopqrstuvwxyz0123456789_-.+ABCDEFGHIJKLMNOPQRSTUVWXYZ", FEATURE);
  return out;
}

function set(out: Uint8Array, characters: string, bit: number): void {
  for (let i = 0; i < characters.length; i += 1) {
    const code = characters.charCodeAt(i);
    out[code] = (out[code] as number) | bit;
  }
}

/** Is there a nick at this place: `J`, a digit, base58, and capital O for the rest? */
export function isNickAt(b: Uint8Array, at: number): boolean {
  const digit = b[at + 1] ?? 0;
  if (b[at] !== LETTER_J || digit < 0x30 || digit > 0x39) return false;
  let i = at + 2;
  const end = at + nickLength;
  while (i < end && ((bits[b[i] ?? 0] as number) & BASE58) !== 0) i += 1;
  while (i < end && b[i] === LETTER_O) i += 1;
  return i === end;
}

/** Do these bytes stand at this place? */
export function standsAt(b: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) if (b[at + i] !== bytes[i]) return false;
  return bytes.length > 0;
}

/** Is it `nick!PUBLIC!` from here on? */
export function isPublicHead(b: Uint8Array, at: number): boolean {
  const to = at + nickLength;
  return b[to] === BANG && b[to + 1] === 0x50 && b[to + 2] === 0x55 && b[to + 3] === 0x42 &&
    b[to + 4] === 0x4c && b[to + 5] === 0x49 && b[to + 6] === 0x43 && b[to + 7] === BANG &&
    isNickAt(b, at);
}

/** Is it `nick!nick!` from here on? */
export function isPrivateHead(b: Uint8Array, at: number): boolean {
  const to = at + nickLength;
  return b[to] === BANG && b[to + nickLength + 1] === BANG && isNickAt(b, at) &&
    isNickAt(b, to + 1);
}

/** Does the text that begins at `from` end with the frame: no other quote, then `"}` and CRLF? */
export function isToTheEnd(b: Uint8Array, from: number): boolean {
  const end = b.length - 4;
  return b[end + 1] === 0x7d && b[end + 2] === 0x0d && b[end + 3] === 0x0a &&
    b.indexOf(QUOTE, from) === end;
}

const NOWHERE = ascii("NOT-SERVING-ONION");
const ONION = ascii(".onion:");
const LABEL = ascii(".onion checksum");
const VERSION = Uint8Array.of(3);

/** Is `from` to `end` an entry of a peerlist by its form? The checksum is not looked at. */
export function isEntry(b: Uint8Array, from: number, end: number): boolean {
  if (!isNickAt(b, from) || b[from + nickLength] !== SEMICOLON) return false;
  const past = locationEnd(b, from + nickLength + 1);
  if (past < 0 || past > end) return false;
  if (past === end) return true;
  if (b[past] !== SEMICOLON) return false;
  if (b[past + 1] === LETTER_D) return past + 2 === end;
  return b[past + 1] === LETTER_F && b[past + 2] === 0x3a && isFeatures(b, past + 3, end);
}

function isFeatures(b: Uint8Array, from: number, end: number): boolean {
  for (let i = from; i < end; i += 1) {
    if (((bits[b[i] as number] as number) & FEATURE) === 0) return false;
  }
  return from < end;
}

/** Just past the location that begins here; -1 if there is none. */
function locationEnd(b: Uint8Array, from: number): number {
  if (standsAt(b, from, NOWHERE)) return from + NOWHERE.length;
  let at = from;
  while (at < from + hostLength && ((bits[b[at] ?? 0] as number) & BASE32) !== 0) at += 1;
  if (at !== from + hostLength || !standsAt(b, at, ONION)) return -1;
  at += ONION.length;
  const portAt = at;
  let port = 0;
  for (; at < portAt + 5; at += 1) {
    const digit = (b[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    port = 10 * port + digit;
  }
  return at > portAt && b[portAt] !== 0x30 && port <= 65_535 ? at : -1;
}

/** Does the entry that begins here name no address, or one with its checksum? */
export function hasChecksum(b: Uint8Array, entryAt: number, sha3: Primitives["sha3"]): boolean {
  const from = entryAt + nickLength + 1;
  if (standsAt(b, from, NOWHERE)) return true;
  const raw = new Uint8Array(35);
  let held = 0;
  let count = 0;
  let at = 0;
  for (let i = from; i < from + hostLength; i += 1) {
    const c = b[i] as number;
    held = ((held << 5) | (c >= 0x61 ? c - 0x61 : c - 0x18)) & 0xfff;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    raw[at] = (held >> count) & 0xff;
    at += 1;
  }
  const sum = sha3(concat([LABEL, raw.subarray(0, 32), VERSION]));
  return raw[32] === sum[0] && raw[33] === sum[1] && raw[34] === 3;
}

/** A number for these bytes: another one, but for an accident, if they change. */
export function sumOf(b: Uint8Array, from: number, end: number): number {
  let sum = 0x811c9dc5 | 0;
  for (let i = from; i < end; i += 1) sum = Math.imul(sum ^ (b[i] as number), 0x01000193);
  return sum;
}
