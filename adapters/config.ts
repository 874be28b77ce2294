/**
 * From a file, the environment and flags to checked settings.
 *
 * Rule 1: file < environment < flags, key by key; each value remembers where it came from.
 * Rule 2: every problem is found in one pass and told with its place, key, value and accepted
 * range.
 * Rule 3: relations between values, the core's and ours, are checked last, on values that are each
 * in range.
 * @module
 */
import { resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import type * as z from "zod";
import { check, type DirectoryConfig, type Network } from "../core/directory/config.ts";
import { type Address, addressText, isLoopback } from "./address.ts";
import { onionOf, type OnionSettings } from "./config/directory-onion.ts";
import { readConfig } from "./config/file.ts";
import { defaultDataDir, type Env } from "./config/files.ts";
import { isEnvName, type Key, keyOfCore, keyOfEnv } from "./config/keys.ts";
import { keys, keysByName, tables } from "./config/keys.ts";
import { lineFinder } from "./config/lines.ts";
import { type MemberFault, memberFaults } from "./config/members.ts";
import type { Relation } from "./config/targets.ts";
import { type Parsed, type Raw, schema } from "./config/schema.ts";
import { unknownEnv, unknownKey } from "./config/unknown.ts";
import { addressForm, longPath, valueText } from "./config/values.ts";
import { cleanText } from "./log.ts";

/** Where a value came from. `line` is missing where the file's layout hides it. */
export type Origin =
  | { readonly from: "default" }
  | { readonly from: "preset" }
  | { readonly from: "file"; readonly file: string; readonly line: number | undefined }
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "flag"; readonly name: string };

/** A setting given by a flag, and the flag's name for messages. */
export type FlagSetting = { readonly key: string; readonly flag: string; readonly raw: Raw };

export type Sources = {
  /** Read if given; it must exist. */
  readonly file: string | undefined;
  readonly env: Env;
  readonly flags: readonly FlagSetting[];
  /** Values that replace defaults before the file is read. */
  readonly preset?: Readonly<Record<string, Raw>>;
};

/** One effective setting, as TOML would hold it. */
export type Entry = { readonly key: Key; readonly raw: Raw; readonly origin: Origin };

/** Everything that `cli/run` needs. */
export type Settings = {
  readonly network: Network;
  /** Absolute. */
  readonly dataDir: string;
  readonly logFormat: "auto" | "json" | "pretty";
  readonly listen: readonly Address[];
  readonly http: Address;
  /** May `http` be an address that other machines reach? */
  readonly httpRemote: boolean;
  readonly directory: DirectoryConfig;
  /** The onion service of the directory node; `undefined`: there is none, or others see to it. */
  readonly onion: OnionSettings | undefined;
  /** All values of the file, for daemons that make more of them (`config/maker-settings.ts`). */
  readonly parsed: Parsed;
};

export type Loaded =
  | { readonly ok: true; readonly settings: Settings; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly problems: readonly string[] };

type Given = { readonly raw: unknown; readonly origin: Origin };
type Layers = {
  readonly given: Map<string, Given>;
  readonly problems: string[];
  /** Of the file, if there is one. */
  lineOf: (key: string) => number | undefined;
};

function noLayers(): Layers {
  return { given: new Map(), problems: [], lineOf: () => undefined };
}

/** Keys that do not exist are told one by one up to this many; the rest is counted. */
const unknownShownMax = 20;

/** The file that is being read. `unknown` counts its keys that do not exist. */
type FileSource = {
  readonly file: string;
  readonly lineOf: (key: string) => number | undefined;
  unknown: number;
};

/** Loads, merges and checks. Never throws for anything an operator can write. */
export function load(sources: Sources): Loaded {
  const layers = noLayers();
  for (const [key, raw] of Object.entries(sources.preset ?? {})) {
    layers.given.set(key, { raw, origin: { from: "preset" } });
  }
  if (sources.file !== undefined) addFile(layers, sources.file);
  addEnv(layers, sources.env);
  for (const { key, flag, raw } of sources.flags) {
    layers.given.set(key, { raw, origin: { from: "flag", name: flag } });
  }
  return checked(layers, sources.env);
}

/**
 * The configuration in force after a reload: of `read` what may change in a running daemon, of
 * `running` the rest.
 */
export function reloaded(
  read: readonly Entry[], running: readonly Entry[], env: Env,
): Loaded {
  const old = new Map(running.map((one) => [one.key.key, one]));
  const layers = noLayers();
  for (const fresh of read) {
    const { key, raw, origin } = fresh.key.reload ? fresh : old.get(fresh.key.key) ?? fresh;
    if (origin.from !== "default") layers.given.set(key.key, { raw, origin });
  }
  return checked(layers, env);
}

function addFile(layers: Layers, file: string): void {
  const read = readConfig(file);
  if (!read.ok) {
    layers.problems.push(`cannot read the configuration file ${file}: ${read.says}`);
    return;
  }
  const table = parseToml(layers, file, read.text);
  if (table === undefined) return;
  layers.lineOf = lineFinder(read.text);
  const source: FileSource = { file, lineOf: layers.lineOf, unknown: 0 };
  addTable(layers, source, table, "");
  const more = source.unknown - unknownShownMax;
  if (more > 0) layers.problems.push(`${file}: ${more} more keys that do not exist`);
}

function parseToml(layers: Layers, file: string, text: string): object | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const says = (error.message.split("\n")[0] ?? "").replace("Invalid TOML document: ", "");
    layers.problems.push(`${file}:${error.line}:${error.column}: not valid TOML: ${says}`);
    return undefined;
  }
}

function addTable(layers: Layers, source: FileSource, table: object, path: string): void {
  const { file, lineOf } = source;
  for (const [name, raw] of Object.entries(table)) {
    const key = path === "" ? name : `${path}.${name}`;
    const origin: Origin = { from: "file", file, line: lineOf(key) };
    if (keysByName.has(key)) layers.given.set(key, { raw, origin });
    else if (!tables.has(key)) addUnknown(layers, source, key, origin);
    else if (isTable(raw)) addTable(layers, source, raw, key);
    else layers.problems.push(`${place(origin)}${key}: this is a table; write [${key}]`);
  }
}

function addUnknown(layers: Layers, source: FileSource, key: string, origin: Origin): void {
  source.unknown += 1;
  if (source.unknown > unknownShownMax) return;
  layers.problems.push(`${place(origin)}${cleanText(key)}: ${unknownKey(key)}`);
}

function isTable(raw: unknown): raw is object {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw) && !(raw instanceof Date);
}

function addEnv(layers: Layers, env: Env): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !isEnvName(name)) continue;
    const key = keysByName.get(keyOfEnv(name));
    if (key === undefined) layers.problems.push(unknownEnv(name));
    else layers.given.set(key.key, { raw: coerced(value, key), origin: { from: "env", name } });
  }
}

/**
 * The text of a variable as the type that its key has; text that does not fit stays text, and is
 * then refused.
 */
function coerced(text: string, key: Key): Raw {
  if (typeof key.initial === "number" && /^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  if (key.members !== undefined) return tablesIn(text);
  if (typeof key.initial === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  const isList = Array.isArray(key.initial)
    || (key.key === "directory.listen" && text.includes(","));
  return isList ? text.split(",").map((one) => one.trim()) : text;
}

/** An array of tables is JSON in the environment. */
function tablesIn(text: string): Raw {
  try {
    return JSON.parse(text) as Raw;
  } catch {
    return text;
  }
}

function checked(layers: Layers, env: Env): Loaded {
  const parsed = schema.safeParse(nested(layers.given));
  const { problems } = layers;
  const issues = parsed.error?.issues ?? [];
  problems.push(...issues.flatMap((issue) => told(issue, layers)));
  if (!parsed.success || problems.length > 0) {
    return { ok: false, problems: [...new Set(problems)] };
  }
  const onions: Relation[] = [];
  const settings = settingsOf(parsed.data, env, onionOf(parsed.data, env, onions));
  const broken = [
    ...coreRelation(layers, settings), ...httpRelation(layers, settings),
    ...onions.map(({ keys: names, says }) => relation(layers, names, says)),
  ];
  if (broken.length > 0) return { ok: false, problems: broken };
  return { ok: true, settings, entries: keys.map((key) => entry(layers, key)) };
}

function coreRelation(layers: Layers, { directory }: Settings): string[] {
  const broken = check(directory);
  return broken === undefined ? [] : [relation(layers, broken.keys.map(keyOfCore), broken.says)];
}

function httpRelation(layers: Layers, { http, httpRemote }: Settings): string[] {
  if (httpRemote || isLoopback(http)) return [];
  const says = `${addressText(http)} is reachable from other machines and has no access control; ` +
    "choose a loopback address or a Unix socket, or set directory.http_remote = true";
  return [relation(layers, ["directory.http", "directory.http_remote"], says)];
}

function relation(layers: Layers, names: readonly string[], says: string): string {
  return relationText(keys.map((key) => entry(layers, key)), names, says);
}

function nested(given: ReadonlyMap<string, Given>): object {
  const root: Record<string, unknown> = {};
  for (const [key, { raw }] of given) {
    const path = key.split(".");
    let table = root;
    for (const part of path.slice(0, -1)) table = (table[part] ??= {}) as Record<string, unknown>;
    table[path.at(-1) ?? ""] = raw;
  }
  return root;
}

function told(issue: z.core.$ZodIssue, layers: Layers): readonly string[] {
  const path = issue.path.join(".");
  const key = keys.find((one) => path === one.key || path.startsWith(`${one.key}.`));
  if (key === undefined) return [`${path}: ${issue.message}`];
  const given = layers.given.get(key.key);
  const origin: Origin = given?.origin ?? { from: "default" };
  const inside = memberFaults(key, issue, given?.raw);
  if (inside !== undefined) return inside.map((one) => member(layers, origin, one));
  const fault = key.accepts.startsWith(addressForm) ? longPath(given?.raw) : undefined;
  const says = fault ?? `expected ${key.accepts}`;
  return [`${place(origin)}${key.key} = ${valueText(given?.raw)}: ${says}`];
}

/** A fault within a table, with the line of the member or else that of its table. */
function member(layers: Layers, origin: Origin, { path, says }: MemberFault): string {
  if (origin.from !== "file") return `${place(origin)}${says}`;
  const table = path.replace(/\.[^.]*$/, "");
  const line = layers.lineOf(path) ?? layers.lineOf(table) ?? origin.line;
  return `${place({ ...origin, line })}${says}`;
}

/** A relation that is broken, with the values of its keys and where they come from. */
export function relationText(
  entries: readonly Entry[], names: readonly string[], says: string,
): string {
  const shown = names.map((name) => {
    const found = entries.find(({ key }) => key.key === name);
    if (found === undefined) return name;
    return `${name} = ${valueText(found.raw)} (${originText(found.origin)})`;
  });
  return `${shown.join(", ")}: ${says}`;
}

function entry(layers: Layers, key: Key): Entry {
  const given = layers.given.get(key.key);
  if (given === undefined) return { key, raw: key.initial, origin: { from: "default" } };
  return { key, raw: given.raw as Raw, origin: given.origin };
}

function place(origin: Origin): string {
  return origin.from === "default" ? "" : `${originText(origin)}: `;
}

/** Where a value came from, in words. */
export function originText(origin: Origin): string {
  switch (origin.from) {
    case "default": return "default";
    case "preset": return "demo default";
    case "file": return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
    case "env": return `environment ${origin.name}`;
    case "flag": return `flag ${origin.name}`;
  }
}

function settingsOf(parsed: Parsed, env: Env, onion: OnionSettings | undefined): Settings {
  const dataDir = resolve(parsed.data_dir === "" ? defaultDataDir(env) : parsed.data_dir);
  return {
    network: parsed.network,
    dataDir,
    logFormat: parsed.log.format,
    listen: parsed.directory.listen,
    http: parsed.directory.http,
    httpRemote: parsed.directory.http_remote,
    directory: directoryOf(parsed),
    onion,
    parsed,
  };
}

function directoryOf(parsed: Parsed): DirectoryConfig {
  const { directory: d, directory: { heartbeat: h, limits: l, outbox: o } } = parsed;
  return {
    network: parsed.network,
    location: d.location === "" ? undefined : d.location,
    motd: d.motd,
    peersMax: d.peers_max,
    handshakingMax: d.handshaking_max,
    handshakeBytesMax: d.handshake_bytes_max,
    handshakeMs: d.handshake_timeout_sec,
    lineBytesMax: d.line_bytes_max,
    inputBytesTotalMax: d.input_bytes_total_max,
    lineMs: d.line_timeout_sec,
    circuits: d.circuit_header,
    connsPerCircuitMax: d.conns_per_circuit_max,
    contestPingMs: d.contest_ping_sec,
    contestMakerMs: d.contest_maker_sec,
    unseenLeaves: d.unseen_leaves,
    leaveMs: d.leave_window_sec,
    peerlistBytesMax: d.peerlist_bytes_max,
    peerlistLinesPerFlush: d.peerlist_lines_per_flush,
    drainMs: d.drain_sec,
    logLevel: parsed.log.level,
    heartbeat: {
      sweepMs: h.sweep_interval_sec,
      idleMs: h.idle_threshold_sec,
      hardMs: h.hard_evict_sec,
      pongMs: h.pong_wait_sec,
    },
    limits: {
      public: l.public,
      publicBytes: l.public_bytes,
      orderbook: l.orderbook,
      private: l.private,
      privateBytes: l.private_bytes,
      peerlist: l.peerlist,
      ping: l.ping,
      other: l.other,
      proofs: l.proofs,
      proofsPerCircuit: l.proofs_per_circuit,
      dropsMax: l.drops_max,
      dropsWindowMs: l.drops_window_sec,
    },
    outbox: {
      bytesMax: o.bytes_max,
      bytesTotalMax: o.bytes_total_max,
      flushMs: o.flush_ms,
      flushBytes: o.flush_bytes,
      congestedMsMax: o.congested_max_sec,
      closeGraceMs: o.close_grace_sec,
    },
  };
}
