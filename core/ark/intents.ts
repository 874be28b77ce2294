/**
 * What we mean to do with VTXOs, as it stands in the journal: written down before it is asked for.
 *
 *     {"type":"ark-intent","id":7,"do":"refresh","vtxos":["…:0"],"at":1763780000000,"to":""}
 *     {"type":"ark-intent-sent","id":7}
 *     {"type":"ark-intent-sent","id":7,"is":"confirmed"}
 *     {"type":"ark-intent-settled","id":7,"as":"success"}
 *     {"type":"ark-intents","last":7}
 *     {"type":"ark-tip","height":900000,"at":1763780000000}
 *     {"type":"ark-tip","height":900000,"at":1763780000000,"is":"unproven"}
 *     {"type":"ark-wallet","is":"0badc0de"}
 *
 * Rule 1: opened, then sent (the wallet has taken the call; of one that is not, nobody knows), then
 * settled: `success`, `rejected`, or `superseded` (it came to nothing that we know of).
 * Rule 2: a VTXO is in at most one open intent. A record that says otherwise is passed over and
 * counted; we never write one.
 * Rule 3: ids only grow. A record that was read already changes nothing: reading the same records
 * again, or a part of them, gives the same book.
 * Rule 4: what is settled is kept as the newest `settledMax`, for people. `snapshot` says what is
 * open in as few records, for a file that begins anew.
 * Not known here: when anything is asked for, and what settles it.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { isNumeral, parseObject, quote, type Fields } from "../joinmarket/json.ts";

export type Config = {
  /** Intents that are open at a time. 64. */
  readonly openMax: number;
  /** VTXOs of one intent. 64; at most `vtxosCap`. */
  readonly vtxosMax: number;
  /** Settled ones that are kept. 32. */
  readonly settledMax: number;
};

export const defaults: Config = { openMax: 64, vtxosMax: 64, settledMax: 32 };

/** An intent has no more VTXOs, whatever is configured. */
export const vtxosCap = 256;
/** Characters of an id, or of a destination. */
export const textMax = 200;

export const aims = ["refresh", "exit", "claim"] as const;
export type Aim = (typeof aims)[number];

export const outcomes = ["success", "rejected", "superseded"] as const;
export type Outcome = (typeof outcomes)[number];

export type Intent = {
  readonly id: number;
  readonly aim: Aim;
  readonly vtxos: readonly string[];
  /** Where a claim goes; "" otherwise. */
  readonly destination: string;
  /** When it was opened, for people. */
  readonly unixMs: number;
  readonly isSent: boolean;
  /** A refresh whose round stands in a block: it comes to its end, however late. */
  readonly isConfirmed: boolean;
};

export type Settled = Intent & { readonly outcome: Outcome };

export type Record =
  | { readonly type: "ark-intent"; readonly intent: Intent }
  | { readonly type: "ark-intent-sent"; readonly id: number; readonly isConfirmed: boolean }
  | { readonly type: "ark-intent-settled"; readonly id: number; readonly outcome: Outcome }
  /** Ids up to `last` were given. */
  | { readonly type: "ark-intents"; readonly last: number }
  /** What was believed of the chain. The last one counts, whatever its stamp. */
  | { readonly type: "ark-tip" } & Tip
  /** Which wallet all this is about: its fingerprint. The last one counts. */
  | { readonly type: "ark-wallet"; readonly fingerprint: string }
  /** Which Ark server it is at: its public key. The last one counts. */
  | { readonly type: "ark-server"; readonly key: string }
  /** Another one than that was seen, and is not trusted; until the next record of its kind. */
  | { readonly type: "ark-strange"; readonly of: Known; readonly shown: string };

/** What was believed of the chain, when that was said, and whether there was proof of it. */
export type Tip = {
  readonly height: number; readonly unixMs: number; readonly isProven: boolean;
};

/** What a journal is about. */
export type Known = "wallet" | "server";
/** What somebody has seen of each; `undefined`: nothing. */
export type Shown = { readonly [of in Known]: string | undefined };

export type Book = {
  readonly config: Config;
  readonly open: Map<number, Intent>;
  /** The open intent of each VTXO that is in one. */
  readonly byVtxo: Map<string, number>;
  readonly settled: Settled[];
  lastId: number;
  /** The height that was written down last. */
  tip: Tip | undefined;
  /** The fingerprint of the wallet that all this is about. */
  wallet: string | undefined;
  /** The public key of its server. */
  server: string | undefined;
  /** Seen in the place of those, and not trusted. */
  readonly strange: { [of in Known]: string | undefined };
  /** By outcome, in this run and in what was read. */
  readonly counts: { [outcome in Outcome]: number };
  /** Records that were none, or that no book of ours would hold. */
  readonly skipped: { malformed: number; conflicts: number };
};

/** Nothing is meant yet. Asserts the ranges of `config`. */
export function create(config: Config): Book {
  assert(config.openMax >= 1 && config.vtxosMax >= 1, "an intent has room");
  assert(config.vtxosMax <= vtxosCap, "a record has room for an intent");
  assert(config.settledMax >= 0, "a count");
  return {
    config, open: new Map(), byVtxo: new Map(), settled: [], lastId: 0, tip: undefined,
    wallet: undefined, server: undefined, strange: { wallet: undefined, server: undefined },
    counts: { success: 0, rejected: 0, superseded: 0 }, skipped: { malformed: 0, conflicts: 0 },
  };
}

/** May these be in a new intent: few, well-formed, each once, none in an open one? */
export function isFree(b: Book, vtxos: readonly string[]): boolean {
  if (vtxos.length === 0 || vtxos.length > b.config.vtxosMax) return false;
  if (b.open.size >= b.config.openMax || new Set(vtxos).size !== vtxos.length) return false;
  return vtxos.every((id) => isText(id) && !b.byVtxo.has(id));
}

/** An intent with the next id, to be written down. Asserts `isFree`. It is not in the book yet. */
export function draft(
  b: Book, aim: Aim, vtxos: readonly string[], destination: string, unixMs: number,
): Intent {
  assert(isFree(b, vtxos), "a VTXO is in one open intent");
  assert((aim === "claim") === (destination !== ""), "a claim, and only a claim, goes somewhere");
  assert(destination === "" || isText(destination), "a destination is short");
  assert(Number.isSafeInteger(unixMs) && unixMs >= 0 && unixMs < 1e15, "a stamp");
  return { id: b.lastId + 1, aim, vtxos: [...vtxos], destination, unixMs, isSent: false,
    isConfirmed: false };
}

/** Takes one record: read, or on its way to the file. Says whether it changed anything. */
export function take(b: Book, record: Record): boolean {
  switch (record.type) {
    case "ark-intent": return opened(b, record.intent);
    case "ark-intent-sent": {
      const intent = b.open.get(record.id);
      const { isConfirmed } = record;
      if (intent === undefined) return false;
      if (intent.isSent && (intent.isConfirmed || !isConfirmed)) return false;
      b.open.set(record.id, { ...intent, isSent: true, isConfirmed });
      return true;
    }
    case "ark-intent-settled": return settled(b, record.id, record.outcome);
    case "ark-intents": {
      if (record.last <= b.lastId) return false;
      b.lastId = record.last;
      return true;
    }
    case "ark-tip": {
      const { height, unixMs, isProven } = record;
      const { tip } = b;
      // The last one counts: a wall clock may have gone back since.
      const isSame = tip?.height === height && tip.unixMs === unixMs;
      if (isSame && tip.isProven === isProven) return false;
      b.tip = { height, unixMs, isProven };
      return true;
    }
    case "ark-wallet": return known(b, "wallet", record.fingerprint);
    case "ark-server": return known(b, "server", record.key);
    case "ark-strange": {
      if (b.strange[record.of] === record.shown) return false;
      b.strange[record.of] = record.shown;
      return true;
    }
    default: return unreachable(record); /* c8 ignore next */
  }
}

function known(b: Book, of: Known, is: string): boolean {
  if (b[of] === is && b.strange[of] === undefined) return false;
  b[of] = is;
  b.strange[of] = undefined;
  return true;
}

/** Takes the body of a journal record, if it is one of ours. */
export function replay(b: Book, body: string): void {
  if (!owns(body)) return;
  const record = decode(body);
  if (record.ok) take(b, record.value);
  else b.skipped.malformed += 1;
}

/** It never was: its record was refused. */
export function forget(b: Book, id: number): void {
  const intent = b.open.get(id);
  if (intent === undefined) return;
  b.open.delete(id);
  for (const vtxo of intent.vtxos) b.byVtxo.delete(vtxo);
}

/** The bodies that say all that is open, and no more. */
export function snapshot(b: Book): string[] {
  const records: Record[] = [];
  for (const intent of b.open.values()) {
    records.push({ type: "ark-intent", intent });
    const { id, isSent, isConfirmed } = intent;
    if (isSent) records.push({ type: "ark-intent-sent", id, isConfirmed });
  }
  records.push({ type: "ark-intents", last: b.lastId });
  if (b.tip !== undefined) records.push({ type: "ark-tip", ...b.tip });
  if (b.wallet !== undefined) records.push({ type: "ark-wallet", fingerprint: b.wallet });
  if (b.server !== undefined) records.push({ type: "ark-server", key: b.server });
  for (const of of ["wallet", "server"] as const) {
    const shown = b.strange[of];
    if (shown !== undefined) records.push({ type: "ark-strange", of, shown });
  }
  return records.map(encode);
}

function opened(b: Book, intent: Intent): boolean {
  if (intent.id <= b.lastId) return false;
  const { vtxos } = intent;
  // What an earlier run wrote may be more than is configured now.
  if (new Set(vtxos).size !== vtxos.length || vtxos.some((vtxo) => b.byVtxo.has(vtxo))) {
    b.skipped.conflicts += 1;
    return false;
  }
  b.lastId = intent.id;
  b.open.set(intent.id, { ...intent, isSent: false, isConfirmed: false });
  for (const vtxo of vtxos) b.byVtxo.set(vtxo, intent.id);
  return true;
}

function settled(b: Book, id: number, outcome: Outcome): boolean {
  const intent = b.open.get(id);
  if (intent === undefined) return false;
  forget(b, id);
  b.counts[outcome] += 1;
  b.settled.push({ ...intent, outcome });
  if (b.settled.length > b.config.settledMax) b.settled.shift();
  return true;
}

/** Is this body of a journal record one of ours? Cheap: for every record of a large file. */
export function owns(body: string): boolean {
  return body.startsWith(`{"type":"ark-`);
}

/** A record as the body of a journal record: printable ASCII. */
export function encode(r: Record): string {
  switch (r.type) {
    case "ark-intent": {
      const { id, aim, vtxos, unixMs, destination } = r.intent;
      const list = vtxos.map((vtxo) => quote(vtxo)).join(",");
      return `{"type":"ark-intent","id":${id},"do":"${aim}","vtxos":[${list}],"at":${unixMs},`
        + `"to":${quote(destination)}}`;
    }
    case "ark-intent-sent":
      return `{"type":"ark-intent-sent","id":${r.id}${r.isConfirmed ? `,"is":"confirmed"` : ""}}`;
    case "ark-intent-settled":
      return `{"type":"ark-intent-settled","id":${r.id},"as":"${r.outcome}"}`;
    case "ark-intents": return `{"type":"ark-intents","last":${r.last}}`;
    case "ark-tip":
      return `{"type":"ark-tip","height":${r.height},"at":${r.unixMs}`
        + `${r.isProven ? "" : `,"is":"unproven"`}}`;
    case "ark-wallet": return `{"type":"ark-wallet","is":${quote(r.fingerprint)}}`;
    case "ark-server": return `{"type":"ark-server","is":${quote(r.key)}}`;
    case "ark-strange":
      return `{"type":"ark-strange","of":"${r.of}","is":${quote(r.shown)}}`;
    default: return unreachable(r); /* c8 ignore next */
  }
}

/** Faults: `ark-record`. Fields that are not known are passed over. */
export function decode(body: string): Decoded<Record> {
  const parsed = parseObject(body);
  const found = parsed.ok && !parsed.value.duplicates ? recordIn(parsed.value) : undefined;
  return found === undefined ? bad("ark-record", "not a record of an Ark wallet") : good(found);
}

function recordIn(f: Fields): Record | undefined {
  const id = numberOf(f, "id");
  const type = records.find((one) => one === f.fields.get("type"));
  switch (type) {
    case "ark-intent": {
      const intent = intentIn(f, id);
      return intent === undefined ? undefined : { type, intent };
    }
    case "ark-intent-sent":
      return isId(id) ? { type, id, isConfirmed: f.fields.get("is") === "confirmed" } : undefined;
    case "ark-intent-settled": {
      const outcome = outcomes.find((one) => one === f.fields.get("as"));
      return isId(id) && outcome !== undefined ? { type, id, outcome } : undefined;
    }
    case "ark-intents": {
      const last = numberOf(f, "last");
      return last === undefined ? undefined : { type, last };
    }
    case "ark-tip": {
      const [height, unixMs] = [numberOf(f, "height"), numberOf(f, "at")];
      if (height === undefined || unixMs === undefined) return undefined;
      return { type, height, unixMs, isProven: f.fields.get("is") !== "unproven" };
    }
    case "ark-wallet": {
      const fingerprint = f.fields.get("is");
      return isText(fingerprint) ? { type, fingerprint } : undefined;
    }
    case "ark-server": {
      const key = f.fields.get("is");
      return isText(key) ? { type, key } : undefined;
    }
    case "ark-strange": {
      const [of, shown] = [f.fields.get("of"), f.fields.get("is")];
      return (of === "wallet" || of === "server") && isText(shown) ? { type, of, shown }
        : undefined;
    }
    case undefined: return undefined;
    default: return unreachable(type); /* c8 ignore next */
  }
}

const records: readonly Record["type"][] = [
  "ark-intent", "ark-intent-sent", "ark-intent-settled", "ark-intents", "ark-tip",
  "ark-wallet", "ark-server", "ark-strange",
];

function intentIn(f: Fields, id: number | undefined): Intent | undefined {
  const aim = aims.find((one) => one === f.fields.get("do"));
  const vtxos = f.fields.get("vtxos");
  const destination = f.fields.get("to");
  const unixMs = numberOf(f, "at");
  if (!isId(id) || aim === undefined || unixMs === undefined || !Array.isArray(vtxos)) {
    return undefined;
  }
  const list: string[] = [];
  for (const vtxo of vtxos as readonly unknown[]) {
    if (!isText(vtxo)) return undefined;
    list.push(vtxo);
  }
  if (list.length === 0 || list.length > vtxosCap) return undefined;
  if (destination !== "" && !isText(destination)) return undefined;
  if ((aim === "claim") !== (destination !== "")) return undefined;
  return {
    id, aim, vtxos: list, destination, unixMs, isSent: false, isConfirmed: false,
  };
}

/** Is it an id, or a destination, that a record can hold? Printable ASCII, and short. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= textMax && textShape.test(value);
}

const textShape = /^[\x21-\x7e]+$/;

function isId(id: number | undefined): id is number {
  return id !== undefined && id >= 1;
}

/** So that it stays a safe integer. */
const numeral = /^(0|[1-9][0-9]{0,14})$/;

function numberOf(f: Fields, name: string): number | undefined {
  const value = f.fields.get(name);
  return isNumeral(value) && numeral.test(value.numeral) ? Number(value.numeral) : undefined;
}
