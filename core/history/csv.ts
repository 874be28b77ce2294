/**
 * The history as joinmarket-ng keeps it: `history.csv`, 28 columns, in its order and spelling.
 *
 * Rule 1: what is read from a file in that program's own spelling is written back byte for byte,
 * given the same zone. Its times name none.
 * Rule 2: a row that cannot be read is reported with its line and kept out; the file is the
 * caller's and stays as it is. Columns that an older version did not have are at their defaults;
 * a column that is not known is reported once and its contents are left.
 * Rule 3: which rows are known already is told by what does not change in a row's life, and not by
 * its time, which a wrong zone shifts (`identityOf`).
 * Not known here: files, and the zones of the world (`zone.ts`).
 * @module
 */
import { unreachable } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { isEntry } from "./body.ts";
import { blank, roles, type Entry, type Role } from "./entry.ts";
import * as table from "./table.ts";
import * as zone from "./zone.ts";
import type { Zone } from "./zone.ts";

type Kind = "time" | "role" | "bool" | "count" | "maybe" | "sat" | "place" | "text" | "list";

/** The columns in order: their names there, what they are, and their names here. */
const columns: readonly (readonly [name: string, kind: Kind, key: keyof Entry])[] = [
  ["timestamp", "time", "addedUs"],
  ["completed_at", "time", "completedUs"],
  ["role", "role", "role"],
  ["success", "bool", "isSuccess"],
  ["failure_reason", "text", "reason"],
  ["confirmations", "count", "confirmations"],
  ["confirmed_at", "time", "confirmedUs"],
  ["txid", "text", "txid"],
  ["cj_amount", "sat", "cjSat"],
  ["peer_count", "maybe", "peers"],
  ["counterparty_nicks", "text", "nicks"],
  ["fee_received", "sat", "feeReceivedSat"],
  ["txfee_contribution", "sat", "txfeeContributionSat"],
  ["total_maker_fees_paid", "sat", "makerFeesPaidSat"],
  ["mining_fee_paid", "sat", "miningFeePaidSat"],
  ["net_fee", "sat", "netFeeSat"],
  ["source_mixdepth", "count", "mixdepth"],
  ["destination_address", "text", "destination"],
  ["change_address", "text", "change"],
  ["utxos_used", "list", "utxos"],
  ["broadcast_method", "text", "broadcast"],
  ["network", "text", "network"],
  ["wallet_fingerprint", "text", "fingerprint"],
  ["source_addresses", "list", "sourceAddresses"],
  ["source", "text", "source"],
  ["input_value", "sat", "inputSat"],
  ["destination_vout", "place", "vout"],
  ["amount", "sat", "amountSat"],
];

/** Without these there is nothing to make a row of. */
const needed = ["timestamp", "role", "success", "cj_amount", "txid", "destination_address"];

/** A row that was read. `doubts`: times of it that mean two instants, or none. */
export type Good = {
  readonly line: number;
  readonly entry: Entry;
  readonly doubts: readonly string[];
};

/** A row that was not, and why. */
export type Bad = { readonly line: number; readonly text: string };

export type Read = {
  readonly rows: readonly Good[];
  readonly faults: readonly Bad[];
  /** Columns that are not known here. */
  readonly ignored: readonly string[];
};

/** What a file holds; a fault if it is no such file. `at`: the zone of its times. */
export function read(text: string, at: Zone): Decoded<Read> {
  const [head, ...lines] = table.read(text);
  if (head === undefined) return bad("history-csv", "the file is empty");
  const names = head.fields ?? [];
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    return bad("history-csv", `the first line names no column ${missing.join(", ")}`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return bad("history-csv", "the first line names a column twice");
  const rows: Good[] = [];
  const faults: Bad[] = [];
  for (const { line, fields } of lines) {
    const made = fields === undefined ? "quotes do not match" : entryOf(names, fields, at);
    if (typeof made === "string") faults.push({ line, text: made });
    else rows.push({ line, ...made });
  }
  const known = new Set(columns.map(([name]) => name));
  return good({ rows, faults, ignored: names.filter((name) => !known.has(name)) });
}

type Made = { readonly entry: Entry; readonly doubts: readonly string[] };

function entryOf(names: readonly string[], fields: readonly string[], at: Zone): Made | string {
  if (fields.length !== names.length) {
    return `${fields.length} fields where the first line names ${names.length}`;
  }
  const entry: { [name: string]: unknown } = blank(0);
  const doubts: string[] = [];
  for (const [name, kind, key] of columns) {
    const field = fields[names.indexOf(name)];
    if (field === undefined) continue;
    const isEmpty = field === "" && kind !== "text" && kind !== "list";
    if (isEmpty && needed.includes(name)) return `${name} is empty`;
    if (isEmpty) continue;
    const value = valueOf(kind, field, at);
    if (value === undefined) return `${name} is not ${wanted(kind)}`;
    if (typeof value !== "object" || !("unixUs" in value)) entry[key] = value;
    else {
      entry[key] = value.unixUs;
      if (value.doubt !== undefined) doubts.push(doubtOf(name, value.doubt));
    }
  }
  const made = entry as Entry;
  return isEntry(made) ? { entry: made, doubts } : "a value is out of range";
}

function doubtOf(name: string, doubt: "twice" | "never"): string {
  return doubt === "twice"
    ? `${name} is in an hour that came twice, and is read as its first time`
    : `${name} is in an hour that the clocks left out, and is read as if they had not been set`;
}

function wanted(kind: Kind): string {
  switch (kind) {
    case "time": return "a time such as 2025-01-31T23:59:59";
    case "role": return `one of ${roles.join(", ")}`;
    case "bool": return "True or False";
    case "count": case "maybe": return "a whole number, zero or more";
    case "place": return "a whole number, -1 or more";
    case "sat": return "a whole number of satoshis";
    case "text": case "list": return "a text";
    default: return unreachable(kind); /* c8 ignore next */
  }
}

type Value = string | number | bigint | boolean | readonly string[] | zone.Reading;

function valueOf(kind: Kind, field: string, at: Zone): Value | undefined {
  switch (kind) {
    case "time": return timeOf(field, at);
    case "role": return roles.find((role) => role === field);
    case "bool": {
      const word = field.toLowerCase();
      return word === "true" ? true : word === "false" ? false : undefined;
    }
    case "count": case "maybe": return numberOf(field, 0);
    case "place": return numberOf(field, -1);
    case "sat": return /^-?[0-9]{1,16}$/.test(field) ? BigInt(field) : undefined;
    case "text": return field;
    case "list": return field === "" ? [] : field.split(",");
    default: return unreachable(kind); /* c8 ignore next */
  }
}

function numberOf(field: string, min: number): number | undefined {
  if (!/^-?[0-9]{1,9}$/.test(field)) return undefined;
  const n = Number(field);
  return n >= min ? n + 0 : undefined;
}

const timeShape = new RegExp(
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.]([0-9]{3,6}))?"
  + "(Z|[+-][0-9]{2}:[0-9]{2})?$",
);

/** The instant of a time as the file has it. One that names its own zone is taken at its word. */
function timeOf(field: string, at: Zone): zone.Reading | undefined {
  const found = timeShape.exec(field);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number, number, number, number, number, number,
  ];
  const days = zone.dayOf(year, month, day);
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = Number((found[7] ?? "").padEnd(6, "0"));
  const localUs = (86_400 * days + 3_600 * hour + 60 * minute + second) * 1_000_000 + fraction;
  if (!Number.isSafeInteger(localUs)) return undefined;
  const named = offsetOf(found[8] ?? "");
  return zone.instantOf(localUs, named === undefined ? at : zone.fixed(named));
}

/** The milliseconds of `+02:00` or `Z`; `undefined` for anything else. */
export function offsetOf(text: string): number | undefined {
  if (text === "Z") return 0;
  const found = /^([+-])([0-9]{2}):([0-9]{2})$/.exec(text);
  if (found === null || Number(found[2]) > 14 || Number(found[3]) > 59) return undefined;
  const ms = (60 * Number(found[2]) + Number(found[3])) * 60_000;
  return found[1] === "-" ? 0 - ms : ms;
}

/** The first line of a file, with its end. */
export const header: string = table.write(columns.map(([name]) => name));

/** The line of a row, with its end; times are those of `at`. */
export function write(entry: Entry, at: Zone): string {
  return table.write(columns.map(([, kind, key]) => fieldOf(kind, entry[key], at)));
}

function fieldOf(kind: Kind, value: Entry[keyof Entry], at: Zone): string {
  if (value === undefined) return "";
  switch (kind) {
    case "time": return timeText(zone.localOf(value as number, at));
    case "bool": return value === true ? "True" : "False";
    case "list": return (value as readonly string[]).join(",");
    case "role": case "count": case "maybe": case "sat": case "place": case "text":
      return String(value);
    default: return unreachable(kind); /* c8 ignore next */
  }
}

/** `2025-01-31T23:59:59`, with six more digits where there are microseconds. */
export function timeText(localUs: number): string {
  const seconds = Math.floor(localUs / 1_000_000);
  const days = Math.floor(seconds / 86_400);
  const { year, month, day } = zone.dateOf(days);
  const rest = seconds - 86_400 * days;
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const [hour, minute] = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60];
  const time = `${digits(hour, 2)}:${digits(minute, 2)}:${digits(rest % 60, 2)}`;
  const fraction = localUs - 1_000_000 * seconds;
  return `${date}T${time}${fraction === 0 ? "" : `.${digits(fraction, 6)}`}`;
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, "0");
}

/**
 * What stays the same in a row's life, as one text. A CoinJoin has a destination of its own and
 * coins; the transaction of a payment is known from the start, that of a CoinJoin is not.
 */
export function identityOf(entry: Entry): string {
  const { role, destination, change, cjSat, amountSat, utxos } = entry;
  const isJoin: boolean = isCoinJoin(role);
  const paid = isJoin ? [] : [entry.txid, String(entry.vout), String(amountSat)];
  return JSON.stringify([role, destination, change, String(cjSat), utxos, ...paid]);
}

function isCoinJoin(role: Role): boolean {
  return role === "maker" || role === "taker";
}
