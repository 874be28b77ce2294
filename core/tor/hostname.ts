/**
 * The address of an onion service that the operator's torrc manages, read from its `hostname` file.
 *
 * Rule 1: Tor writes the file when it starts, perhaps after us: it is read until it is there, and
 * now and then after that, since the service may be replaced under us.
 * Rule 2: an address once known stays known while the file cannot be read.
 * Not known here: whether Tor runs.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Fault } from "../fault.ts";
import type { Tick } from "../kernel/io.ts";
import type { Primitives } from "../primitives.ts";
import type * as prng from "../prng.ts";
import { after, NEVER, type Mono } from "../time.ts";
import * as keeper from "./keeper.ts";
import type { FileFailure } from "./keeper.ts";
import * as service from "./service.ts";

export type HostEvent =
  | { readonly type: "hostname.given"; readonly req: number; readonly text: string }
  | {
    readonly type: "hostname.failed"; readonly req: number; readonly reason: "absent" | FileFailure;
  };

/** Reads the file, at most 1,024 bytes of it. */
export type HostEffect = { readonly type: "hostname.want"; readonly req: number };

export type Event = HostEvent | { readonly type: "wanted" | "unwanted" } | Tick;

export type Effect =
  | HostEffect
  /** 56 characters and `.onion`. When it is known first, and at each change. */
  | { readonly type: "known"; readonly host: string }
  /** The first failure in a row. */
  | { readonly type: "failing"; readonly fault: Fault }
  /** After failures the known address was read again. */
  | { readonly type: "recovered" };

type At =
  | { readonly phase: "idle" }
  | { readonly phase: "reading"; readonly req: number; readonly dueAt: Mono }
  | { readonly phase: "waiting"; readonly dueAt: Mono };

export type Hostname = {
  readonly config: keeper.Config;
  readonly jitter: prng.Prng;
  at: At;
  nextReq: number;
  failures: number;
  /** Empty while it is not known. */
  host: string;
};

/** `retry.maxMs` is also the wait between readings that succeed. */
export function create(config: keeper.Config, jitter: prng.Prng): Hostname {
  backoff.check(config.retry);
  assert(config.fileMs >= 1, "hostname: fileMs is at least 1");
  return { config, jitter, at: { phase: "idle" }, nextReq: 1, failures: 0, host: "" };
}

export function step(m: Hostname, event: Event, now: Mono, p: Primitives, out: Effect[]): void {
  switch (event.type) {
    case "wanted": return m.at.phase === "idle" ? read(m, now, out) : undefined;
    case "unwanted":
      m.at = { phase: "idle" };
      return;
    case "hostname.given": return given(m, event.req, event.text, now, p, out);
    case "hostname.failed": return failed(m, event.req, event.reason, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

export function deadline(m: Hostname): Mono {
  return m.at.phase === "idle" ? NEVER : m.at.dueAt;
}

function read(m: Hostname, now: Mono, out: Effect[]): void {
  const req = m.nextReq++;
  m.at = { phase: "reading", req, dueAt: after(now, m.config.fileMs) };
  out.push({ type: "hostname.want", req });
}

function given(
  m: Hostname, req: number, text: string, now: Mono, p: Primitives, out: Effect[],
): void {
  if (m.at.phase !== "reading" || m.at.req !== req) return;
  const host = service.hostname(text, p.sha3);
  if (!host.ok) return missed(m, host.fault, now, out);
  const isBack = m.failures > 0 && host.value === m.host;
  m.failures = 0;
  m.at = { phase: "waiting", dueAt: after(now, m.config.retry.maxMs) };
  if (isBack) out.push({ type: "recovered" });
  if (host.value === m.host) return;
  m.host = host.value;
  out.push({ type: "known", host: m.host });
}

function failed(
  m: Hostname, req: number, reason: "absent" | "late" | FileFailure, now: Mono, out: Effect[],
): void {
  if (m.at.phase !== "reading" || m.at.req !== req) return;
  missed(m, { code: `onion-hostname-${reason}`, text: texts[reason] }, now, out);
}

const texts = {
  absent: "there is no hostname file: has Tor started with the HiddenServiceDir in torrc?",
  denied: "the hostname file may not be read: set HiddenServiceDirGroupReadable 1 in torrc",
  full: "the hostname file cannot be read",
  failed: "the hostname file cannot be read",
  late: "the hostname file was not read in time",
} as const;

function missed(m: Hostname, fault: Fault, now: Mono, out: Effect[]): void {
  m.at = { phase: "waiting", dueAt: keeper.retryAt(m, now) };
  m.failures += 1;
  if (m.failures === 1) out.push({ type: "failing", fault });
}

function tick(m: Hostname, now: Mono, out: Effect[]): void {
  if (deadline(m) > now) return;
  if (m.at.phase === "reading") failed(m, m.at.req, "late", now, out);
  else if (m.at.phase === "waiting") read(m, now, out);
}
