/**
 * The text of a PEERLIST (789): who can be reached where.
 *
 * Rule 1: `nick;location`, then `;D` when the peer has left, or `;F:a+b` for readers that asked for
 * features. Never both: deployed clients throw an entry with four fields away, and a leave notice
 * must not be lost.
 * Rule 2: `F:` goes only to those who understand it; the caller knows who does.
 * Rule 3: reading is lenient with the list and strict with each entry: what is malformed is
 * counted, not believed.
 * @module
 */
import { assert } from "../assert.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import { isFeature, entriesMax as featuresMax, join, sorted } from "./features.ts";
import { isNick } from "./nick.ts";
import { isLocation, notServing } from "./onion.ts";

export type Entry = {
  readonly nick: string;
  /** `<56>.onion:port` or `NOT-SERVING-ONION`. The checksum is not checked here. */
  readonly location: string;
  readonly disconnected: boolean;
  /** Sorted. Empty also when the sender did not say. */
  readonly features: readonly string[];
};

export type Peerlist = {
  readonly entries: readonly Entry[];
  /** Entries that broke the grammar. */
  readonly malformed: number;
};

/** Entries taken from one line; other directories send whole lists of up to 20,000 in one. */
export const entriesMax = 50_000;

/**
 * One entry. `features` is `undefined` for readers that did not ask; a leave notice never carries
 * them.
 */
export function entry(
  nick: string, location: string, features: readonly string[] | undefined, disconnected: boolean,
): string {
  assert(isNick(nick), "peerlist: not a nick");
  assert(location === notServing || isLocation(location), "peerlist: not a location");
  if (disconnected) return `${nick};${location};D`;
  if (features === undefined || features.length === 0) return `${nick};${location}`;
  return `${nick};${location};F:${join(features)}`;
}

/** The text of a list of entries. */
export function encode(entries: readonly string[]): string {
  return entries.join(",");
}

/** Reads a list; empty text is an empty list. Faults: `peerlist` (too many entries). */
export function parse(line: string): Decoded<Peerlist> {
  if (line === "") return good({ entries: [], malformed: 0 });
  const entries: Entry[] = [];
  let malformed = 0;
  const texts = line.split(",", entriesMax + 1);
  if (texts.length > entriesMax) return bad("peerlist", "too many entries in one peerlist");
  for (const text of texts) {
    const read = parseEntry(text);
    if (read === undefined) malformed++;
    else entries.push(read);
  }
  return good({ entries, malformed });
}

/** One entry, or `undefined` if it breaks the grammar. */
function parseEntry(text: string): Entry | undefined {
  const fields = text.split(";", 5);
  if (fields.length < 2 || fields.length > 4) return undefined;
  const nick = fields[0]!;
  const location = fields[1]!;
  if (!isNick(nick)) return undefined;
  if (location !== notServing && !isLocation(location)) return undefined;
  const disconnected = fields[2] === "D";
  const listed = fields[disconnected ? 3 : 2];
  if (!disconnected && fields.length === 4) return undefined;
  if (listed === undefined) return { nick, location, disconnected, features: [] };
  const features = parseFeatures(listed);
  return features === undefined ? undefined : { nick, location, disconnected, features };
}

function parseFeatures(text: string): readonly string[] | undefined {
  if (!text.startsWith("F:")) return undefined;
  const names = text.slice(2).split("+", featuresMax + 1);
  if (names.length > featuresMax) return undefined;
  for (const name of names) if (!isFeature(name)) return undefined;
  return sorted(names);
}
