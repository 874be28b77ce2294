/**
 * Which rows may hold a text: an index that keeps no texts.
 *
 * Rule 1: it keeps 32 bits of each text and the row's number, eight bytes in all and as much again
 * for room. So a candidate may be wrong and the caller looks at the row; none is missed.
 * Rule 2: the texts are our own addresses and transactions. The hash is quick and not secret: with
 * texts that an enemy chooses, a search would become a walk.
 * Not known here: what rows are.
 * @module
 */
import { assert } from "../assert.ts";

/** An open-addressed table; its size is a power of two and a third of it stays free. */
export type Find = {
  hashes: Int32Array;
  /** Row number plus one; 0: free. */
  places: Int32Array;
  count: number;
};

const sizeMin = 64;

/** Nothing is held. */
export function create(): Find {
  return { hashes: new Int32Array(sizeMin), places: new Int32Array(sizeMin), count: 0 };
}

/** Row `row` (zero or more) holds `text`. Harmless when repeated. */
export function add(m: Find, text: string, row: number): void {
  insert(m, hash(text), row);
}

/** The same for the text of the plain ASCII bytes `from` (inclusive) to `to` (exclusive). */
export function addBytes(m: Find, bytes: Uint8Array, from: number, to: number, row: number): void {
  let h = basis;
  for (let at = from; at < to; at += 1) h = Math.imul(h ^ (bytes[at] as number), prime);
  insert(m, mixed(h), row);
}

function insert(m: Find, key: number, row: number): void {
  assert(row >= 0, "rows are counted from 0");
  if (3 * (m.count + 1) > 2 * m.places.length) grow(m);
  if (put(m.hashes, m.places, key, row + 1)) m.count += 1;
}

/** The rows that may hold `text`, each once, lowest first. */
export function candidates(m: Find, text: string): readonly number[] {
  const wanted = hash(text);
  const mask = m.places.length - 1;
  const found: number[] = [];
  for (let at = wanted & mask; ; at = (at + 1) & mask) {
    const place = m.places[at] as number;
    if (place === 0) return found.sort((a, b) => a - b);
    if (m.hashes[at] === wanted) found.push(place - 1);
  }
}

function put(hashes: Int32Array, places: Int32Array, key: number, place: number): boolean {
  const mask = places.length - 1;
  for (let at = key & mask; ; at = (at + 1) & mask) {
    if (places[at] === 0) {
      hashes[at] = key;
      places[at] = place;
      return true;
    }
    if (hashes[at] === key && places[at] === place) return false;
  }
}

function grow(m: Find): void {
  const hashes = new Int32Array(2 * m.places.length);
  const places = new Int32Array(hashes.length);
  for (let i = 0; i < m.places.length; i += 1) {
    const place = m.places[i] as number;
    if (place !== 0) put(hashes, places, m.hashes[i] as number, place);
  }
  m.hashes = hashes;
  m.places = places;
}

const basis = 0x811c9dc5 | 0;
const prime = 0x01000193;

/** FNV-1a over the code units. */
function hash(text: string): number {
  let h = basis;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), prime);
  return mixed(h);
}

/** So that low bits differ too. */
function mixed(h: number): number {
  const once = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return once ^ (once >>> 13);
}
