/**
 * How the history's records are spelled: one JSON object in printable ASCII for each.
 *
 *     {"v":1,"k":"added","at":1732000000000000,"role":"maker","cj":5000000,"to":"bcrt1q…"}
 *     {"v":1,"k":"confirmed","of":7,"at":1732000600000000,"n":1,"peers":5}
 *
 * Rule 1: what is at its default is left out. Amounts and instants are JSON integers: none is
 * beyond what a double holds exactly, and `encode` asserts it.
 * Rule 2: decoding never throws, and gives back exactly what was encoded. A record of a kind or a
 * version that is not known here is `unknown`: it stays in the file and says nothing here.
 * Rule 3: other parts keep their records in the same file under kinds of their own (`other`), with
 * named fields that mean nothing here.
 * Not known here: what records change (`entry.ts`), and the lines around them (`record.ts`).
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { blank, roles, type Change, type Entry } from "./entry.ts";

/** 21 million bitcoin. */
export const amountSatMax = 2_100_000_000_000_000n;
/** Characters of one text, and items of one list. */
export const textMax = 4_096;
export const listMax = 1_024;
/** Fields of a record of another part, and characters of its kind and of a field's name. */
export const fieldsMax = 64;
export const nameMax = 64;

export type Field = string | number | boolean;
/** Names and values, in order. Numbers are whole. */
export type Fields = readonly (readonly [name: string, value: Field])[];

/** What a body says. `seq` numbers are those of records in the same journal. */
export type Body =
  /** A transaction begins. */
  | { readonly type: "added"; readonly entry: Entry }
  /** A row of another program's history; what was over there is over here. */
  | { readonly type: "imported"; readonly entry: Entry }
  | Change
  /** What record `of` is worth telling was told, or is not to be. */
  | { readonly type: "told"; readonly of: number }
  /** A value to remember; the last record of a key counts. */
  | { readonly type: "value"; readonly key: string; readonly value: string }
  /** Another part's. `about`: the record that it tells of, if any; that is then told. */
  | {
    readonly type: "other"; readonly kind: string; readonly about: number | undefined;
    readonly fields: Fields;
  }
  /** Of a version that is not known here; never encoded. */
  | { readonly type: "unknown"; readonly kind: string };

type Json = { readonly [name: string]: unknown };

const version = 1;

const own: ReadonlySet<string> = new Set([
  "added", "imported", "txid", "signed", "seen", "confirmed", "lost", "settled", "warned",
  "given-up", "returned", "aged", "told", "value",
]);

const kindShape = /^[a-z][a-z0-9-]{0,63}$/;
const txidShape = /^[0-9a-f]{64}$/;
const beyondAscii = /[^\x20-\x7e]/g;

type SatKey = {
  [K in keyof Entry]: Entry[K] extends bigint ? K : never;
}[keyof Entry];
type TextKey = "reason" | "nicks" | "destination" | "change" | "broadcast" | "network"
  | "fingerprint" | "source";

const amounts: readonly (readonly [json: string, key: SatKey])[] = [
  ["cj", "cjSat"], ["fee", "feeReceivedSat"], ["txfee", "txfeeContributionSat"],
  ["makers", "makerFeesPaidSat"], ["mining", "miningFeePaidSat"], ["net", "netFeeSat"],
  ["in", "inputSat"], ["amount", "amountSat"],
];
const texts: readonly (readonly [json: string, key: TextKey])[] = [
  ["why", "reason"], ["nicks", "nicks"], ["to", "destination"], ["change", "change"],
  ["by", "broadcast"], ["network", "network"], ["wallet", "fingerprint"], ["source", "source"],
];

/** May this entry be recorded? All ranges hold, and texts and lists are not too long. */
export function isEntry(entry: Entry): boolean {
  return isInstant(entry.addedUs) && isMaybe(entry.completedUs, isInstant)
    && isMaybe(entry.confirmedUs, isInstant) && isMaybe(entry.peers, isCount)
    && isCount(entry.confirmations) && isCount(entry.mixdepth) && isVout(entry.vout)
    && (entry.txid === "" || isTxid(entry.txid))
    && amounts.every(([, key]) => isAmount(entry[key]))
    && texts.every(([, key]) => entry[key].length <= textMax)
    && isList(entry.utxos) && isList(entry.sourceAddresses);
}

/** 64 lower-case hex digits. */
export function isTxid(text: string): boolean {
  return txidShape.test(text);
}

/** An amount in range, negative ones included. */
export function isAmount(sat: bigint): boolean {
  return sat <= amountSatMax && sat >= -amountSatMax;
}

/** The body of a record. Asserts the ranges; the journal bounds the whole. */
export function encode(body: Exclude<Body, { type: "unknown" }>): string {
  const text = JSON.stringify(jsonOf(body));
  return text.replace(beyondAscii, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function jsonOf(body: Exclude<Body, { type: "unknown" }>): Json {
  const { type: k } = body;
  switch (body.type) {
    case "added": case "imported": return jsonOfEntry(k, body.entry);
    case "txid": case "signed": case "seen": case "confirmed": case "lost": case "settled":
    case "warned": case "given-up": case "returned": case "aged":
      return jsonOfChange(body);
    case "told":
      assert(isSeq(body.of), "a record has a sequence");
      return { v: version, k, of: body.of };
    case "value":
      assert(isText(body.key) && isText(body.value), "a value is short");
      return { v: version, k, key: body.key, value: body.value };
    case "other": return jsonOfOther(body);
    default: return unreachable(body); /* c8 ignore next */
  }
}

function jsonOfEntry(k: string, entry: Entry): Json {
  assert(isEntry(entry), "an entry is in its ranges");
  const json: { [name: string]: unknown } = { v: version, k, at: entry.addedUs, role: entry.role };
  if (entry.completedUs !== undefined) json["done"] = entry.completedUs;
  if (entry.confirmedUs !== undefined) json["in-block"] = entry.confirmedUs;
  if (entry.isSuccess) json["ok"] = true;
  if (entry.confirmations !== 0) json["n"] = entry.confirmations;
  if (entry.txid !== "") json["txid"] = entry.txid;
  if (entry.peers !== undefined) json["peers"] = entry.peers;
  if (entry.mixdepth !== 0) json["mixdepth"] = entry.mixdepth;
  if (entry.vout !== -1) json["vout"] = entry.vout;
  for (const [name, key] of amounts) if (entry[key] !== 0n) json[name] = Number(entry[key]);
  for (const [name, key] of texts) if (entry[key] !== "") json[name] = entry[key];
  if (entry.utxos.length > 0) json["utxos"] = entry.utxos;
  if (entry.sourceAddresses.length > 0) json["from"] = entry.sourceAddresses;
  return json;
}

function jsonOfChange(change: Change): Json {
  const { type: k, of } = change;
  assert(isSeq(of), "a record has a sequence");
  switch (change.type) {
    case "txid":
      assert(isTxid(change.txid), "a txid is 64 hex digits");
      return { v: version, k, of, txid: change.txid };
    case "signed": return jsonOfSigned(change);
    case "seen": case "lost": case "warned": case "returned":
      return { v: version, k, of, at: instant(change.atUs) };
    case "confirmed":
      assert(isCount(change.confirmations), "confirmations are counted");
      return {
        v: version, k, of, at: instant(change.atUs), n: change.confirmations,
        ...(change.peers === undefined ? {} : { peers: change.peers }),
      };
    case "settled":
      assert(isCount(change.confirmations), "confirmations are counted");
      return { v: version, k, of, n: change.confirmations };
    case "given-up":
      assert(isText(change.why), "a reason is short");
      return { v: version, k, of, at: instant(change.atUs), why: change.why };
    case "aged":
      assert(isCount(change.ageMs), "an age is counted");
      return { v: version, k, of, ms: change.ageMs };
    default: return unreachable(change); /* c8 ignore next */
  }
}

function jsonOfSigned(change: Extract<Change, { type: "signed" }>): Json {
  const { type: k, of, txid, feeReceivedSat, txfeeContributionSat, vout } = change;
  assert(isTxid(txid), "a txid is 64 hex digits");
  assert(isAmount(feeReceivedSat), "a fee is an amount");
  assert(isAmount(txfeeContributionSat), "a contribution is an amount");
  assert(isVout(vout), "an output has a place");
  const [fee, txfee] = [Number(feeReceivedSat), Number(txfeeContributionSat)];
  return { v: version, k, of, txid, fee, txfee, vout };
}

function jsonOfOther(body: Extract<Body, { type: "other" }>): Json {
  const { kind, about, fields } = body;
  assert(kindShape.test(kind) && !own.has(kind), "another part has a kind of its own");
  assert(isMaybe(about, isSeq), "a record has a sequence");
  assert(isFields(fields), "fields are few, named and plain");
  return { v: version, k: kind, ...(about === undefined ? {} : { about }), f: fields };
}

/** What a body says, or that it is none of ours. Never throws. */
export function decode(body: string): Decoded<Body> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return bad("history-json", "a record is not JSON");
  }
  if (typeof json !== "object" || json === null) return malformed("a record");
  const { v, k, type } = json as Json;
  // Notices and reports keep their records under a grammar of their own.
  if (k === undefined && typeof type === "string" && kindShape.test(type)) {
    return good({ type: "other", kind: type, about: undefined, fields: [] });
  }
  if (typeof v !== "number" || !isSeq(v) || typeof k !== "string") return malformed("a record");
  if (v !== version) return good({ type: "unknown", kind: k });
  const value = bodyOf(k, json as Json);
  return value === undefined ? malformed(own.has(k) ? k : "a record") : good(value);
}

function malformed(what: string): Decoded<Body> {
  return bad("history-record", `${what} is not as this version writes it`);
}

function bodyOf(k: string, json: Json): Body | undefined {
  const of = json["of"] as number;
  switch (k) {
    case "added": case "imported": {
      const entry = entryOf(json);
      return entry === undefined ? undefined : { type: k, entry };
    }
    case "told": return isSeq(of) ? { type: k, of } : undefined;
    case "value": {
      const { key, value } = json;
      return isText(key) && isText(value) ? { type: k, key, value } : undefined;
    }
    default: return changeOf(k, of, json) ?? (own.has(k) ? undefined : otherOf(k, json));
  }
}

function changeOf(type: string, of: number, json: Json): Change | undefined {
  const { at, n, txid } = json;
  if (!isSeq(of)) return undefined;
  switch (type) {
    case "aged": {
      const { ms } = json;
      return isCount(ms) ? { type, of, ageMs: ms } : undefined;
    }
    case "settled": return isCount(n) ? { type, of, confirmations: n } : undefined;
    case "txid": return typeof txid === "string" && isTxid(txid) ? { type, of, txid } : undefined;
    case "signed": return signedOf(of, json);
    case "seen": case "lost": case "warned": case "returned":
      return isInstant(at) ? { type, of, atUs: at } : undefined;
    case "confirmed": {
      const { peers } = json;
      if (!isInstant(at) || !isCount(n) || !isMaybe(peers, isCount)) return undefined;
      return { type, of, atUs: at, confirmations: n, peers };
    }
    case "given-up": {
      const { why } = json;
      return isInstant(at) && isText(why) ? { type, of, atUs: at, why } : undefined;
    }
    default: return undefined;
  }
}

function signedOf(of: number, json: Json): Change | undefined {
  const { txid, fee, txfee, vout } = json;
  if (typeof txid !== "string" || !isTxid(txid) || !isVout(vout)) return undefined;
  if (!isAmountNumber(fee) || !isAmountNumber(txfee)) return undefined;
  const [feeReceivedSat, txfeeContributionSat] = [BigInt(fee), BigInt(txfee)];
  return { type: "signed", of, txid, feeReceivedSat, txfeeContributionSat, vout };
}

function otherOf(kind: string, json: Json): Body | undefined {
  const { about, f } = json;
  if (f === undefined) return { type: "unknown", kind };
  if (!kindShape.test(kind) || !isMaybe(about, isSeq) || !isFields(f)) return undefined;
  return { type: "other", kind, about, fields: f };
}

/** The entry of a record; `undefined` if anything in it is not as it should be. */
function entryOf(json: Json): Entry | undefined {
  const { at, done, role, ok = false, n = 0, txid = "", peers, mixdepth = 0, vout = -1 } = json;
  const { utxos = none, from = none, "in-block": inBlock } = json;
  if (!isInstant(at) || !isMaybe(done, isInstant) || !isMaybe(inBlock, isInstant)) return undefined;
  if (!isCount(n) || !isMaybe(peers, isCount) || !isCount(mixdepth)) return undefined;
  if (!isVout(vout) || typeof ok !== "boolean" || !isList(utxos) || !isList(from)) return undefined;
  if (typeof txid !== "string" || (txid !== "" && !isTxid(txid))) return undefined;
  const known = roles.find((one) => one === role);
  if (known === undefined) return undefined;
  const made: { -readonly [K in keyof Entry]: Entry[K] } = blank(at);
  made.completedUs = done;
  made.confirmedUs = inBlock;
  made.role = known;
  made.isSuccess = ok;
  made.confirmations = n;
  made.txid = txid;
  made.peers = peers;
  made.mixdepth = mixdepth;
  made.vout = vout;
  made.utxos = utxos;
  made.sourceAddresses = from;
  for (const [name, key] of amounts) {
    const sat = json[name];
    if (sat === undefined) continue;
    if (!isAmountNumber(sat)) return undefined;
    made[key] = BigInt(sat);
  }
  for (const [name, key] of texts) {
    const text = json[name];
    if (text === undefined) continue;
    if (!isText(text)) return undefined;
    made[key] = text;
  }
  return made;
}

const none: readonly string[] = [];

function instant(atUs: number): number {
  assert(isInstant(atUs), "an instant is a whole number of microseconds");
  return atUs;
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isCount(value: unknown): value is number {
  return isInstant(value) && value >= 0;
}

function isSeq(value: unknown): value is number {
  return isInstant(value) && value >= 1;
}

function isVout(value: unknown): value is number {
  return isInstant(value) && value >= -1;
}

function isAmountNumber(value: unknown): value is number {
  return isInstant(value) && value <= 2_100_000_000_000_000 && value >= -2_100_000_000_000_000;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= textMax;
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= listMax && value.every(isText);
}

function isMaybe<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || is(value);
}

function isFields(value: unknown): value is Fields {
  return Array.isArray(value) && value.length <= fieldsMax && value.every(isField);
}

function isField(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [name, plain] = value as unknown[];
  if (typeof name !== "string" || name.length > nameMax) return false;
  return typeof plain === "boolean" || isText(plain) || isInstant(plain);
}
