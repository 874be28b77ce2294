/**
 * M9 to M11 of a maker daemon: what its durable records say of transactions, held against where
 * those really were.
 *
 * Rule 1: a record is true if its transaction was in such a place at some instant while the record
 * came about: from some time before it was first written.
 * Rule 2: given up is only what was absent, by whole answers of the node, for the whole timeout.
 * What nobody could answer counts for no more than `creditMaxMs`.
 * Rule 3: a status moves along its way and no other; what is settled moves no more.
 * @module
 */
import type { MakerConfig } from "../../core/maker/config.ts";
import type { Mono } from "../../core/time.ts";
import { violation, type InvariantId, type Violation } from "./violation.ts";

/** Where a transaction is: the truth. */
export type Place = "absent" | "pool" | "block";
export type Stay = { readonly place: Place; readonly fromUs: number };

/** One row, as records have it, and its transaction, as it is. */
export type Row = {
  /** The sequence of its record; 0: not seen in the file yet. */
  id: number;
  readonly txid: string;
  readonly destination: string;
  readonly stays: Stay[];
  stage: "waiting" | "confirmed" | "settled" | "given-up";
  /** For so long it was absent by answers, in the process's ms. */
  creditMs: number;
  /** What a durable record says of it: a new process goes on from there. */
  recordedMs: number;
  /** The last of these in this process. */
  absentAt: Mono | undefined;
  changes: number;
};

export type Rows = {
  readonly config: MakerConfig;
  readonly all: readonly Row[];
  readonly byId: Map<number, Row>;
  /** Records that are being written: when they were first. */
  readonly written: Map<string, number>;
  /** Questions under way, about these rows. */
  readonly asked: Map<number, readonly Row[]>;
  seq: number;
  /** Durable changes that somebody is to be told of and was not. */
  readonly untold: Set<number>;
  /** For goals. */
  readonly seen: Set<string>;
};

/** `expected`: what rows of this bot wait for. */
export function create(
  config: MakerConfig, expected: readonly { readonly txid: string; readonly destination: string }[],
): Rows {
  const all = expected.map(({ txid, destination }): Row => ({
    id: 0, txid, destination, stays: [{ place: "absent", fromUs: 0 }], stage: "waiting",
    creditMs: 0, recordedMs: 0, absentAt: undefined, changes: 0,
  }));
  return {
    config, all, byId: new Map(), written: new Map(), asked: new Map(), seq: 0, untold: new Set(),
    seen: new Set(),
  };
}

/** The chain has changed: where the rows' transactions are now. */
export function moved(m: Rows, placeOf: (row: Row) => Place, atUs: number): void {
  for (const row of m.all) {
    const place = placeOf(row);
    if (row.stays.at(-1)?.place !== place) row.stays.push({ place, fromUs: atUs });
  }
}

/** The process is gone; a new one measures ages from its own first look. */
export function crashed(m: Rows): void {
  m.asked.clear();
  m.written.clear();
  for (const row of m.all) {
    row.absentAt = undefined;
    // What it was about to record of a find is lost with it.
    if (row.recordedMs > row.creditMs) row.creditMs = row.recordedMs;
  }
}

/** A question to the node goes out. */
export function asks(m: Rows, req: number, body: string): void {
  const about = m.all.filter((row) => body.includes(row.txid) || body.includes(row.destination));
  if (about.length > 0) m.asked.set(req, about);
}

/** Its answer is here: whole and true, as of `answeredUs`; otherwise nobody has answered. */
export function answered(
  m: Rows, req: number, answeredUs: number | undefined, now: Mono,
): void {
  const about = m.asked.get(req);
  m.asked.delete(req);
  if (about === undefined || answeredUs === undefined) return;
  for (const row of about) {
    if (placeAt(row, answeredUs) !== "absent") {
      row.creditMs = 0;
      row.absentAt = undefined;
      continue;
    }
    const { creditMaxMs } = m.config.pending;
    const spanMs = row.absentAt === undefined ? 0 : now - row.absentAt;
    row.creditMs += spanMs < creditMaxMs ? spanMs : creditMaxMs;
    row.absentAt = now;
  }
}

export function placeAt(row: Row, atUs: number): Place {
  let place: Place = "absent";
  for (const stay of row.stays) if (stay.fromUs <= atUs) place = stay.place;
  return place;
}

/** A record is written, perhaps again. */
export function writes(m: Rows, bodies: readonly string[], atUs: number): void {
  for (const body of bodies) if (!m.written.has(body)) m.written.set(body, atUs);
}

/** How long before it is first written a record's answer may have been given, in microseconds. */
const aheadUs = 600_000_000;

const tellable: ReadonlySet<string> = new Set([
  "seen", "confirmed", "lost", "given-up", "returned",
]);

type Json = { readonly [name: string]: unknown };

/** A record is durable. `staleUs`: what the process knew may be as old as this. */
export function durable(
  m: Rows, body: string, staleUs: number, nowUs: number, out: Violation[],
): void {
  m.seq += 1;
  const firstUs = m.written.get(body) ?? nowUs;
  m.written.delete(body);
  const json = read(body);
  if (json === undefined) return;
  const k = json["k"];
  if (k === "added" || k === "imported") return added(m, json);
  if (k === "told") return void m.untold.delete(json["of"] as number);
  if (tellable.has(k as string)) m.untold.add(m.seq);
  const row = m.byId.get(json["of"] as number);
  if (row === undefined || typeof k !== "string") return;
  const beganUs = firstUs - aheadUs;
  const since = beganUs < staleUs ? beganUs : staleUs;
  change(m, row, k, json, { since, until: nowUs }, out);
}

function read(body: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null ? json as Json : undefined;
  } catch {
    return undefined;
  }
}

function added(m: Rows, json: Json): void {
  const row = m.all.find(({ destination }) => destination === json["to"]);
  if (row === undefined) return;
  row.id = m.seq;
  m.byId.set(m.seq, row);
}

type Span = { readonly since: number; readonly until: number };

const next: { readonly [kind: string]: {
  readonly from: readonly Row["stage"][]; readonly to: Row["stage"] | undefined;
  readonly places: readonly Place[]; readonly id: InvariantId;
} } = {
  txid: { from: ["waiting", "given-up"], to: undefined, places: ["pool", "block"], id: "M10" },
  seen: { from: ["waiting"], to: undefined, places: ["pool", "block"], id: "M11" },
  confirmed: { from: ["waiting"], to: "confirmed", places: ["block"], id: "M11" },
  lost: { from: ["confirmed"], to: "waiting", places: ["absent", "pool"], id: "M11" },
  settled: { from: ["confirmed"], to: "settled", places: ["block"], id: "M11" },
  warned: { from: ["waiting"], to: undefined, places: ["absent"], id: "M11" },
  "given-up": { from: ["waiting"], to: "given-up", places: ["absent"], id: "M9" },
  returned: { from: ["given-up"], to: "waiting", places: ["pool", "block"], id: "M11" },
};

function change(
  m: Rows, row: Row, kind: string, json: Json, span: Span, out: Violation[],
): void {
  if (kind === "aged") return grows(row, json["ms"], out);
  const law = next[kind];
  if (law === undefined) return;
  if (kind !== "warned") row.recordedMs = 0;
  row.changes += 1;
  m.seen.add(kind);
  if (!law.from.includes(row.stage)) {
    out.push(violation("M10", `a row that is ${row.stage} becomes ${kind}`));
  }
  if (!law.places.some((place) => wasIn(row, place, span))) {
    const place = placeAt(row, span.until);
    out.push(violation(law.id, `${kind}, of a transaction that is ${words[place]}`));
  }
  if (kind === "txid" && json["txid"] !== row.txid) {
    out.push(violation("M10", "a row takes another transaction for its own"));
  }
  if (kind === "settled" && (json["n"] as number) < m.config.pending.settledMin) {
    out.push(violation("M10", `a row is settled by ${String(json["n"])} confirmations`));
  }
  if (kind === "given-up") abandoned(m, row, json["why"], out);
  if (kind === "warned") since(m, row, m.config.pending.warnMs, "warned", out);
  if (law.to !== undefined) row.stage = law.to;
}

function grows(row: Row, ms: unknown, out: Violation[]): void {
  const age = typeof ms === "number" ? ms : 0;
  row.recordedMs = age;
  if (age <= row.creditMs) return;
  const [said, was] = [Math.floor(age / 1_000), Math.floor(row.creditMs / 1_000)];
  out.push(violation("M9", `an age of ${said} s is recorded after ${was} s of absence`));
}

const words = { absent: "nowhere", pool: "in the memory pool", block: "in a block" } as const;

function wasIn(row: Row, place: Place, { since, until }: Span): boolean {
  return row.stays.some((stay, i) => (
    stay.place === place && stay.fromUs <= until && (row.stays[i + 1]?.fromUs ?? until + 1) > since
  ));
}

function abandoned(m: Rows, row: Row, why: unknown, out: Violation[]): void {
  // A rival that is deep in the chain decides at once.
  if (typeof why === "string" && /another transaction/.test(why)) return;
  since(m, row, m.config.pending.timeoutMs, "given up", out);
}

function since(m: Rows, row: Row, ms: number, what: string, out: Violation[]): void {
  if (row.creditMs >= ms) return;
  const s = Math.floor(row.creditMs / 1_000);
  out.push(violation("M9", `${what} after ${s} s of absence, not ${Math.floor(ms / 1_000)} s`));
}
