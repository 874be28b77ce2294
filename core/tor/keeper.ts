/**
 * The key of our onion address: read once, and made durable once if Tor had to make it.
 *
 * Rule 1: a file that cannot be read is read again, for ever, and never replaced: a new key would
 * be a new address, and the old one would be lost.
 * Rule 2: the address of a key that Tor has just made is told when the file is durable, not before.
 * Until then it is written again and again; the key is kept in memory meanwhile.
 * Not known here: where the file is and what an onion service is.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type { Primitives } from "../primitives.ts";
import type * as prng from "../prng.ts";
import type { Secret } from "../secret.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as service from "./service.ts";

export type Config = {
  /** Until the host has read or written the file, in ms. 10,000. */
  readonly fileMs: number;
  /** Waits between tries that fail. 1 s, doubling to a minute. */
  readonly retry: backoff.Config;
};

export const defaults: Config = {
  fileMs: 10_000, retry: { baseMs: 1_000, maxMs: 60_000, times: 2, per: 1 },
};

/** Why the host could not read or write a file. */
export type FileFailure = "denied" | "full" | "failed";

/** What the host answers, with the `req` of the effect. */
export type HostEvent =
  | { readonly type: "key.loaded"; readonly req: number; readonly file: Secret }
  /** There is no such file: a first start. */
  | { readonly type: "key.absent"; readonly req: number }
  /** The file is durable. */
  | { readonly type: "key.saved"; readonly req: number }
  | { readonly type: "key.failed"; readonly req: number; readonly reason: FileFailure };

export type HostEffect =
  /** Reads the file, at most `service.fileBytesMax + 1` bytes of it. */
  | { readonly type: "key.load"; readonly req: number }
  /**
   * Makes the file, readable by us only, synced with its folder. A file that is there already must
   * stay; if it holds the very same bytes, it is saved.
   */
  | { readonly type: "key.save"; readonly req: number; readonly file: Secret };

export type Event =
  | HostEvent
  | { readonly type: "wanted" }
  /** Tor made this key; only after `ready` without one, and once. */
  | { readonly type: "made"; readonly kept: service.Kept & { readonly host: string } }
  | Tick;

export type Effect =
  | HostEffect
  /** What is kept is known; `undefined`: nothing, a key must be made. Once. */
  | { readonly type: "ready"; readonly kept: service.Kept | undefined }
  /** The key that was made survives whatever comes. Once. */
  | { readonly type: "durable" }
  /** The first failure in a row. */
  | { readonly type: "failing"; readonly fault: Fault };

type At =
  | { readonly phase: "idle" | "absent" | "durable" }
  | { readonly phase: "loading"; readonly req: number; readonly dueAt: Mono }
  | { readonly phase: "unloaded"; readonly dueAt: Mono }
  | {
    readonly phase: "saving"; readonly req: number; readonly dueAt: Mono; readonly file: Secret;
  }
  | { readonly phase: "unsaved"; readonly dueAt: Mono; readonly file: Secret };
export type PhaseName = At["phase"];

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "idle", on: "wanted", to: "loading", note: "the file is read" },
  { from: "loading", on: "loaded", to: "durable", note: "a key was kept" },
  { from: "loading", on: "absent", to: "absent", note: "a first start" },
  { from: "loading", on: "failed", to: "unloaded", note: "read again later" },
  { from: "unloaded", on: "retry", to: "loading", note: "the wait is over" },
  { from: "absent", on: "made", to: "saving", note: "the file is written" },
  { from: "saving", on: "saved", to: "durable", note: "the address may be told" },
  { from: "saving", on: "failed", to: "unsaved", note: "written again later" },
  { from: "unsaved", on: "retry", to: "saving", note: "the wait is over" },
];

export type Keeper = {
  readonly config: Config;
  readonly jitter: prng.Prng;
  at: At;
  nextReq: number;
  /** In a row. */
  failures: number;
};

export function create(config: Config, jitter: prng.Prng): Keeper {
  backoff.check(config.retry);
  assert(config.fileMs >= 1, "keeper: fileMs is at least 1");
  return { config, jitter, at: { phase: "idle" }, nextReq: 1, failures: 0 };
}

export function step(m: Keeper, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  switch (event.type) {
    case "wanted": return wanted(m, now, out);
    case "made": return made(m, event.kept, now, out);
    case "key.loaded": return loaded(m, event.req, event.file, now, p, out);
    case "key.absent": return absent(m, event.req, out);
    case "key.saved": return saved(m, event.req, out);
    case "key.failed": return failed(m, event.req, event.reason, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(m: Keeper): Mono {
  return "dueAt" in m.at ? m.at.dueAt : NEVER;
}

/** What is tried again and again: its waits, and how often it has failed in a row. */
export type Tried = {
  readonly config: Pick<Config, "retry">; readonly jitter: prng.Prng; readonly failures: number;
};

/** When to try again. Asked before the failure that it follows is counted. */
export function retryAt(m: Tried, now: Mono): Mono {
  return after(now, backoff.delayMs(m.config.retry, m.failures, m.jitter));
}

/** May the address be told? */
export function isDurable(m: Keeper): boolean {
  return m.at.phase === "durable";
}

function move(m: Keeper, on: string, to: At): void {
  assertMove(transitions, m.at.phase, on, to.phase);
  m.at = to;
}

function wanted(m: Keeper, now: Mono, out: Effect[]): void {
  if (m.at.phase === "idle") load(m, "wanted", now, out);
}

function load(m: Keeper, on: string, now: Mono, out: Effect[]): void {
  const req = m.nextReq++;
  move(m, on, { phase: "loading", req, dueAt: after(now, m.config.fileMs) });
  out.push({ type: "key.load", req });
}

function save(m: Keeper, on: string, file: Secret, now: Mono, out: Effect[]): void {
  const req = m.nextReq++;
  move(m, on, { phase: "saving", req, dueAt: after(now, m.config.fileMs), file });
  out.push({ type: "key.save", req, file });
}

function loaded(
  m: Keeper, req: number, file: Secret, now: Mono, p: Primitives, out: Effect[],
): void {
  if (m.at.phase !== "loading" || m.at.req !== req) return;
  const kept = service.decode(file, p.sha3);
  if (!kept.ok) return unloaded(m, kept.fault, now, out);
  m.failures = 0;
  move(m, "loaded", { phase: "durable" });
  out.push({ type: "ready", kept: kept.value });
}

function absent(m: Keeper, req: number, out: Effect[]): void {
  if (m.at.phase !== "loading" || m.at.req !== req) return;
  m.failures = 0;
  move(m, "absent", { phase: "absent" });
  out.push({ type: "ready", kept: undefined });
}

function made(
  m: Keeper, kept: service.Kept & { readonly host: string }, now: Mono, out: Effect[],
): void {
  if (m.at.phase === "absent") save(m, "made", service.encode(kept), now, out);
}

function saved(m: Keeper, req: number, out: Effect[]): void {
  if (m.at.phase !== "saving" || m.at.req !== req) return;
  m.failures = 0;
  move(m, "saved", { phase: "durable" });
  out.push({ type: "durable" });
}

function failed(
  m: Keeper, req: number, reason: FileFailure | "late", now: Mono, out: Effect[],
): void {
  if (m.at.phase === "saving" && m.at.req === req) return unsaved(m, reason, now, out);
  if (m.at.phase !== "loading" || m.at.req !== req) return;
  unloaded(m, { code: `onion-key-${reason}`, text: readTexts[reason] }, now, out);
}

const readTexts = {
  denied: "the file of the onion key may not be read: give it to our user, mode 0600",
  full: "the file of the onion key cannot be read",
  failed: "the file of the onion key cannot be read",
  late: "the file of the onion key was not read in time",
} as const;

const writeTexts = {
  denied: "the onion key may not be written: its folder must be ours",
  full: "the onion key cannot be written: the disk is full",
  failed: "the onion key cannot be written, or another file is in its place",
  late: "the onion key was not written in time",
} as const;

function unloaded(m: Keeper, fault: Fault, now: Mono, out: Effect[]): void {
  move(m, "failed", { phase: "unloaded", dueAt: retryAt(m, now) });
  tell(m, fault, out);
}

function unsaved(m: Keeper, reason: FileFailure | "late", now: Mono, out: Effect[]): void {
  if (m.at.phase !== "saving") return;
  move(m, "failed", { phase: "unsaved", dueAt: retryAt(m, now), file: m.at.file });
  tell(m, { code: `onion-key-unsaved-${reason}`, text: writeTexts[reason] }, out);
}

function tell(m: Keeper, fault: Fault, out: Effect[]): void {
  m.failures += 1;
  if (m.failures === 1) out.push({ type: "failing", fault });
}

function tick(m: Keeper, now: Mono, out: Effect[]): void {
  if (!("dueAt" in m.at) || m.at.dueAt > now) return;
  switch (m.at.phase) {
    case "loading":
    case "saving":
      return failed(m, m.at.req, "late", now, out);
    case "unloaded": return load(m, "retry", now, out);
    case "unsaved": return save(m, "retry", m.at.file, now, out);
    default: return unreachable(m.at); /* c8 ignore next */
  }
}
