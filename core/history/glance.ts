/**
 * What a record's bytes say, at a glance: enough for an index, without making texts of them.
 *
 * Rule 1: it answers for records about rows as this version spells them, and leaves everything
 * else, escapes and surprises included, to `body.decode`. Where it answers, `decode` says the same.
 * Rule 2: one `Glance` serves a million records: it is written over each time.
 * Not known here: what records change.
 * @module
 */
import { unreachable } from "../assert.ts";
import { ascii } from "../bytes.ts";
import { amountSatMax, listMax, textMax } from "./body.ts";
import { roles, type Change } from "./entry.ts";

export type Kind = "added" | "imported" | "told" | Change["type"];

/** A record as seen. Ranges are places in the bytes, in pairs: from, to. */
export type Glance = {
  kind: Kind;
  /** The row it is about, or for `told` the record; 0 for one that begins a row. */
  of: number;
  atUs: number;
  isSuccess: boolean;
  isDone: boolean;
  /** Transaction and addresses. */
  readonly ranges: number[];
};

/** A glance to fill. */
export function create(): Glance {
  return { kind: "added", of: 0, atUs: 0, isSuccess: false, isDone: false, ranges: [] };
}

type WholeShape = "of" | "at" | "done" | "instant" | "count" | "vout" | "amount";
type TextShape = "txid" | "role" | "text" | "address";
type Shape = WholeShape | TextShape | "true" | "list" | "addresses";

type Name = { readonly name: Uint8Array; readonly shape: Shape; readonly bit: number };

const names: readonly (readonly [name: string, shape: Shape])[] = [
  ["of", "of"], ["at", "at"], ["txid", "txid"], ["n", "count"], ["peers", "count"],
  ["ms", "count"], ["fee", "amount"], ["txfee", "amount"], ["vout", "vout"], ["why", "text"],
  ["role", "role"], ["done", "done"], ["in-block", "instant"], ["ok", "true"],
  ["mixdepth", "count"], ["cj", "amount"], ["makers", "amount"], ["mining", "amount"],
  ["net", "amount"], ["in", "amount"], ["amount", "amount"], ["nicks", "text"], ["to", "address"],
  ["change", "address"], ["by", "text"], ["network", "text"], ["wallet", "text"],
  ["source", "text"], ["utxos", "list"], ["from", "addresses"],
];

const bitOf: ReadonlyMap<string, number> = new Map(names.map(([name], i) => [name, 1 << i]));

function bits(list: readonly string[]): number {
  let sum = 0;
  for (const name of list) sum |= bitOf.get(name) as number;
  return sum;
}

type Form = {
  readonly kind: Kind; readonly word: Uint8Array; readonly needs: number; readonly takes: number;
};

function form(kind: Kind, needs: readonly string[], more: readonly string[] = []): Form {
  return { kind, word: ascii(kind), needs: bits(needs), takes: bits([...needs, ...more]) };
}

const ofEntries = names.map(([name]) => name).filter((name) => name !== "of" && name !== "ms");

/** What each kind of record must say and what it may say. */
const forms: readonly Form[] = [
  form("added", ["at", "role"], ofEntries), form("imported", ["at", "role"], ofEntries),
  form("told", ["of"]), form("txid", ["of", "txid"]),
  form("signed", ["of", "txid", "fee", "txfee", "vout"]), form("seen", ["of", "at"]),
  form("confirmed", ["of", "at", "n"], ["peers"]), form("lost", ["of", "at"]),
  form("settled", ["of", "n"]), form("warned", ["of", "at"]),
  form("given-up", ["of", "at", "why"]), form("returned", ["of", "at"]),
  form("aged", ["of", "ms"]),
];

const byCode: ReadonlyMap<number, Name> = new Map(names.map(([name, shape]) => {
  const word = ascii(name);
  return [codeOf(word, 0, word.length), { name: word, shape, bit: bitOf.get(name) as number }];
}));

/** Different for every name above; others may share one. */
function codeOf(bytes: Uint8Array, from: number, to: number): number {
  return ((to - from) << 16) | ((bytes[from] as number) << 8) | (bytes[to - 1] as number);
}

const start = ascii(`{"v":1,"k":"`);
const yes = ascii("true");
const roleWords = roles.map((role) => ascii(role));
const amountMax = Number(amountSatMax);
const digitsMax = 16;
const txidDigits = 64;
const quoteByte = 0x22;
const commaByte = 0x2c;
const colonByte = 0x3a;

/** Fills `g` with what the bytes `from` to `to` say; false: ask `decode`. */
export function look(g: Glance, bytes: Uint8Array, from: number, to: number): boolean {
  if (!isAt(bytes, from, start) || bytes[to - 1] !== 0x7d) return false;
  const word = from + start.length;
  const wordEnd = textEnd(bytes, word, to);
  const found = wordEnd < 0 ? undefined : formOf(bytes, word, wordEnd);
  if (found === undefined) return false;
  g.kind = found.kind;
  g.of = 0;
  g.isSuccess = false;
  g.isDone = false;
  g.ranges.length = 0;
  const seen = fields(g, bytes, wordEnd + 1, to - 1);
  return seen >= 0 && (seen & found.needs) === found.needs && (seen & ~found.takes) === 0;
}

function formOf(bytes: Uint8Array, from: number, to: number): Form | undefined {
  for (const one of forms) {
    if (one.word.length === to - from && isAt(bytes, from, one.word)) return one;
  }
  return undefined;
}

/** Reads names and values up to `to`; the names as bits, -1 for a surprise. */
function fields(g: Glance, bytes: Uint8Array, from: number, to: number): number {
  let seen = 0;
  let at = from;
  while (at < to) {
    if (bytes[at] !== commaByte || bytes[at + 1] !== quoteByte) return -1;
    const nameEnd = textEnd(bytes, at + 2, to);
    if (nameEnd <= at + 2 || bytes[nameEnd + 1] !== colonByte) return -1;
    const known = byCode.get(codeOf(bytes, at + 2, nameEnd));
    if (known === undefined || (seen & known.bit) !== 0) return -1;
    if (known.name.length !== nameEnd - at - 2 || !isAt(bytes, at + 2, known.name)) return -1;
    seen |= known.bit;
    at = value(g, known.shape, bytes, nameEnd + 2, to);
    if (at < 0) return -1;
  }
  return at === to ? seen : -1;
}

/** Reads the value at `from`; where it ends, -1 for a surprise. */
function value(g: Glance, shape: Shape, bytes: Uint8Array, from: number, to: number): number {
  switch (shape) {
    case "of": case "at": case "done": case "instant": case "count": case "vout":
    case "amount":
      return whole(g, shape, bytes, from, to);
    case "true":
      g.isSuccess = true;
      return isAt(bytes, from, yes) ? from + yes.length : -1;
    case "list": case "addresses": return list(g, shape === "addresses", bytes, from, to);
    case "txid": case "role": case "text": case "address": return plain(g, shape, bytes, from, to);
    default: return unreachable(shape); /* c8 ignore next */
  }
}

function plain(g: Glance, shape: TextShape, bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== quoteByte) return -1;
  const end = textEnd(bytes, from + 1, to);
  if (end < 0) return -1;
  if (shape === "role" && !isRole(bytes, from + 1, end)) return -1;
  if (shape === "txid" && !isTxidAt(bytes, from + 1, end)) return -1;
  if (shape === "txid" || shape === "address") g.ranges.push(from + 1, end);
  return end + 1;
}

function whole(g: Glance, shape: WholeShape, bytes: Uint8Array, from: number, to: number): number {
  const isNegative = bytes[from] === 0x2d;
  const first = isNegative ? from + 1 : from;
  let n = 0;
  let at = first;
  for (; at < to && at <= first + digitsMax; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    n = n * 10 + digit;
  }
  const isCanonical = at === first + 1 ? n > 0 || !isNegative : bytes[first] !== 0x30;
  if (at === first || !isCanonical || n > Number.MAX_SAFE_INTEGER) return -1;
  return takes(g, shape, isNegative ? -n : n) ? at : -1;
}

function takes(g: Glance, shape: WholeShape, n: number): boolean {
  switch (shape) {
    case "of":
      g.of = n;
      return n >= 1;
    case "at":
      g.atUs = n;
      return true;
    case "done":
      g.isDone = true;
      return true;
    case "instant": return true;
    case "count": return n >= 0;
    case "vout": return n >= -1;
    case "amount": return n <= amountMax && n >= -amountMax;
    default: return unreachable(shape); /* c8 ignore next */
  }
}

/** A list of texts that is not empty. */
function list(
  g: Glance, isKept: boolean, bytes: Uint8Array, from: number, to: number,
): number {
  if (bytes[from] !== 0x5b) return -1;
  let at = from;
  for (let count = 0; count < listMax; count += 1) {
    if (bytes[at + 1] !== quoteByte) return -1;
    const end = textEnd(bytes, at + 2, to);
    if (end < 0) return -1;
    if (isKept) g.ranges.push(at + 2, end);
    at = end + 1;
    if (bytes[at] === 0x5d) return at + 1;
    if (bytes[at] !== commaByte) return -1;
  }
  return -1;
}

/** Where the text that begins at `from` ends, without its quote; -1 for one that is not plain. */
function textEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quoteByte) return at - from <= textMax ? at : -1;
    if (byte === 0x5c || byte < 0x20 || byte > 0x7e) return -1;
  }
  return -1;
}

function isRole(bytes: Uint8Array, from: number, to: number): boolean {
  return roleWords.some((word) => word.length === to - from && isAt(bytes, from, word));
}

function isTxidAt(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== txidDigits) return false;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x66 || (byte > 0x39 && byte < 0x61)) return false;
  }
  return true;
}

function isAt(bytes: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i += 1) if (bytes[from + i] !== word[i]) return false;
  return true;
}
