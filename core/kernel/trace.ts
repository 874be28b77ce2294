/**
 * The record of a run: a running digest of every step, and one line of text for each.
 *
 * Rule 1: the digest walks the fields of events and effects; it makes no text. Its two lanes of 32
 * bits notice accidents and edits by hand; they are no protection against a forger.
 * Rule 2: a line holds the event in full and the effects by kind; a replay computes the effects
 * again and compares them through the digest.
 * Rule 3: secrets appear as seals (`core/secret.ts`) in both. Header and footer carry digests too,
 * so that every byte of a file is covered.
 * @module
 */
import { assert } from "../assert.ts";
import { hex as hexOf, unhex } from "../bytes.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { isSecret, seal, secret, type Secret } from "../secret.ts";
import type { Mono } from "../time.ts";
import * as canon from "./canon.ts";

/** A running digest. `seen` and `sums` are empty between steps. */
export type Digest = {
  a: number;
  b: number;
  /** What secrets are sealed with; `undefined`: seals are `-`. */
  key: Secret | undefined;
  readonly seen: Uint8Array[];
  readonly sums: number[];
};

/** The version of the file format. */
export const traceVersion = 1;

/** What one needs to know to play a trace again. */
export type Header = {
  /** Which daemon: its root machine. */
  readonly kind: string;
  readonly version: string;
  readonly node: string;
  /** The core's plain configuration. */
  readonly config: unknown;
  /** The seed of the core's generator; never a secret. */
  readonly seed: Uint8Array;
  /** The monotonic instant at which the kernel was created. */
  readonly startedAt: Mono;
  readonly startedUnixMs: number;
};

/** One line of a trace. `died` instead of effects: the step threw this message. */
export type Step = {
  readonly i: number;
  readonly t: Mono;
  readonly event: { readonly type: string };
  readonly died: string | undefined;
};

/** How many shared byte arrays one step remembers; a broadcast flush shares a handful. */
const seenMax = 8;

/** A fresh digest. `key`, random and never written, seals secrets. */
export function digest(key?: Uint8Array): Digest {
  const sealKey = key === undefined ? undefined : secret(key);
  return { a: 0x2f6e2b1, b: 0x5bd1e995, key: sealKey, seen: [], sums: [] };
}

/** Sets the seal key of a digest that has not folded anything yet. */
export function keyWith(d: Digest, key: Uint8Array): void {
  d.key = secret(key);
}

/** Folds one step in: the instant, the event, then every effect in order. */
export function fold(d: Digest, now: Mono, event: unknown, effects: readonly unknown[]): void {
  foldNumber(d, now);
  foldValue(d, event);
  mix(d, effects.length);
  for (let i = 0; i < effects.length; i += 1) foldValue(d, effects[i]);
  d.seen.length = 0;
  d.sums.length = 0;
}

/** The digest as 16 hex digits. */
export function hex(d: Digest): string {
  return hex32(d.a) + hex32(d.b);
}

function hex32(w: number): string {
  return (w >>> 0).toString(16).padStart(8, "0");
}

/** Each lane is a bijection of its state for a given word, and of the word for a given state. */
function mix(d: Digest, w: number): void {
  let k = Math.imul(w, 0x2c9277b5);
  k = (k << 15) | (k >>> 17);
  const a = d.a ^ Math.imul(k, 0x1b873593);
  d.a = (Math.imul((a << 13) | (a >>> 19), 5) + 0x6b43a9b5) | 0;
  const b = Math.imul(d.b ^ w, 0x7feb352d);
  d.b = (b ^ (b >>> 15)) + d.a | 0;
}

// One word in front of each value tells its kind, so that 1, "1" and true differ.
const kind = {
  small: 1, large: 2, other: 3, string: 4, bytes: 5, object: 6, array: 7, undefined: 8, null: 9,
  true: 10, false: 11, bigint: 12, secret: 13,
} as const;

function foldValue(d: Digest, value: unknown): void {
  switch (typeof value) {
    case "string": return foldString(d, kind.string, value);
    case "number": return foldNumber(d, value);
    case "boolean": return mix(d, value ? kind.true : kind.false);
    case "undefined": return mix(d, kind.undefined);
    case "bigint": return foldString(d, kind.bigint, String(value));
    case "object": return value === null ? mix(d, kind.null) : foldObject(d, value);
    case "function":
    case "symbol": assert(false, `a ${typeof value} in a trace`);
  }
}

function foldNumber(d: Digest, value: number): void {
  if ((value | 0) === value) {
    mix(d, kind.small);
    return mix(d, value);
  }
  if (!Number.isSafeInteger(value)) return foldString(d, kind.other, String(value));
  mix(d, kind.large);
  mix(d, value | 0);
  mix(d, Math.floor(value / 0x1_0000_0000));
}

function foldString(d: Digest, tag: number, value: string): void {
  mix(d, tag | (value.length << 4));
  let i = 0;
  for (; i + 1 < value.length; i += 2) {
    mix(d, value.charCodeAt(i) | (value.charCodeAt(i + 1) << 16));
  }
  if (i < value.length) mix(d, value.charCodeAt(i));
}

function foldObject(d: Digest, value: object): void {
  if (value instanceof Uint8Array) return foldBytes(d, value);
  if (Array.isArray(value)) {
    mix(d, kind.array | (value.length << 4));
    for (let i = 0; i < value.length; i += 1) foldValue(d, value[i]);
    return;
  }
  if (isSecret(value)) {
    mix(d, value.secret.length);
    return foldString(d, kind.secret, seal(value, d.key));
  }
  const names = Object.keys(value);
  mix(d, kind.object | (names.length << 4));
  for (const name of names) {
    foldString(d, kind.string, name);
    foldValue(d, (value as { readonly [name: string]: unknown })[name]);
  }
}

function foldBytes(d: Digest, bytes: Uint8Array): void {
  let at = d.seen.lastIndexOf(bytes);
  if (at < 0) at = remember(d, bytes);
  mix(d, kind.bytes);
  mix(d, d.sums[2 * at] as number);
  mix(d, d.sums[2 * at + 1] as number);
}

function remember(d: Digest, bytes: Uint8Array): number {
  if (d.seen.length === seenMax) {
    d.seen.shift();
    d.sums.splice(0, 2);
  }
  const own: Digest = { a: 1, b: 2, key: undefined, seen: [], sums: [] };
  mix(own, bytes.length);
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8);
    mix(own, low | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24));
  }
  for (let i = whole; i < bytes.length; i += 1) mix(own, bytes[i] as number);
  d.sums.push(own.a, own.b);
  return d.seen.push(bytes) - 1;
}

/**
 * The line of step `i`, without its newline. `after` is the digest with this step folded in; its
 * key seals the secrets of the text.
 */
export function stepText(
  i: number,
  now: Mono,
  event: { readonly type: string },
  effects: readonly { readonly type: string }[],
  after: Digest,
): string {
  const kinds = kindsOf(effects).map(canon.quote).join(",");
  const text = canon.encode(event, after.key);
  return `{"i":${i},"t":${now},"e":${text},"fx":[${kinds}],"h":"${hex(after)}"}`;
}

/** The last line of a run that ended in a thrown error, in place of the step that threw. */
export function deathText(
  i: number,
  now: Mono,
  event: { readonly type: string },
  message: string,
  key: Secret | undefined,
): string {
  const text = canon.encode(event, key);
  return `{"i":${i},"t":${now},"e":${text},"died":${canon.quote(message)}}`;
}

/** A step as a crash report shows it: no digest, and `kinds` as the caller kept them. */
export function tailText(i: number, now: Mono, event: unknown, kinds: readonly string[]): string {
  const text = canon.encode(event, undefined);
  return `{"i":${i},"t":${now},"e":${text},"fx":[${kinds.map(canon.quote).join(",")}]}`;
}

/** The kinds of effects in order, runs counted: `["conn.send#3","wake"]`. */
export function kindsOf(effects: readonly { readonly type: string }[]): string[] {
  const kinds: string[] = [];
  let run = 0;
  for (let i = 0; i < effects.length; i += 1) {
    const type = (effects[i] as { readonly type: string }).type;
    run += 1;
    if (effects[i + 1]?.type === type) continue;
    kinds.push(run === 1 ? type : `${type}#${run}`);
    run = 0;
  }
  return kinds;
}

/** The full canonical text of one effect, to show a difference. */
export function effectText(effect: { readonly type: string }, key?: Secret): string {
  return canon.encode(effect, key);
}

/** Reads a step line or a death line. Checks shape only: certainty comes from encoding it again. */
export function parseStep(line: string): Decoded<Step> {
  const json = object(line);
  if (!json.ok) return json;
  const { i, t, e, died } = json.value;
  if (!isCount(i) || !isCount(t)) return bad("trace-step", "not a step");
  if (died !== undefined && typeof died !== "string") return bad("trace-step", "not a death");
  const event = canon.decode(e);
  if (!event.ok) return event;
  if (!isTyped(event.value)) return bad("trace-event", "an event without a type");
  return good({ i, t: t as Mono, event: event.value, died });
}

function object(line: string): Decoded<{ readonly [name: string]: unknown }> {
  const json = canon.parse(line);
  if (!json.ok) return json;
  if (typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) {
    return bad("trace-line", "not an object");
  }
  return good(json.value as { readonly [name: string]: unknown });
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTyped(value: unknown): value is { readonly type: string } {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
  );
}

/** The first line of a file, without its newline. */
export function headerText(h: Header): string {
  const body = canon.encode(headerFields(h), undefined);
  const d = digest();
  foldValue(d, body);
  return `${body.slice(0, -1)},"h":"${hex(d)}"}`;
}

function headerFields(h: Header): object {
  return {
    trace: traceVersion, kind: h.kind, version: h.version, node: h.node, config: h.config,
    seed: hexOf(h.seed), startedAt: h.startedAt, startedUnixMs: h.startedUnixMs,
  };
}

/** Reads a header line and checks it to the last byte. */
export function parseHeader(line: string): Decoded<Header> {
  const json = object(line);
  if (!json.ok) return json;
  if (json.value["trace"] !== traceVersion) return bad("trace-version", "not a trace of version 1");
  const { kind, version, node, seed, startedAt, startedUnixMs } = json.value;
  const config = canon.decode(json.value["config"]);
  if (!config.ok) return config;
  const seedBytes = typeof seed === "string" ? unhex(seed) : undefined;
  if (typeof kind !== "string" || typeof version !== "string" || typeof node !== "string") {
    return bad("trace-header", "a header without kind or version");
  }
  if (seedBytes === undefined || !isCount(startedAt) || !isCount(startedUnixMs)) {
    return bad("trace-header", "a header without seed or start");
  }
  const header: Header = {
    kind, version, node, config: config.value, seed: seedBytes,
    startedAt: startedAt as Mono, startedUnixMs,
  };
  return headerText(header) === line ? good(header) : bad("trace-header", "a damaged header");
}

/** The last line of a run that ended cleanly, without its newline. */
export function footerText(steps: number, d: Digest): string {
  return `{"end":${steps},"h":"${hex(d)}"}`;
}
