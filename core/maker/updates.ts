/**
 * Looks for newer versions, if the operator wants that: it tells others that we run.
 *
 * Rule 1: one question through the target `update`, once in `everyMs`; the host reaches it through
 * Tor or not at all. No failure is answered by another way there.
 * Rule 2: the answer is read strictly: a published release with a plain version of three numbers.
 * Anything else is a failure.
 * Rule 3: the first failure in a row is logged, the others are not. A newer version is told once.
 * Not known here: addresses and proxies. Nothing is ever downloaded or run.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { parseObject } from "../joinmarket/json.ts";
import type { LogEffect, RequestEffect, RequestEvent, Tick } from "../kernel/io.ts";
import type { Notice } from "../notify/notice.ts";
import * as prng from "../prng.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Config = {
  /** Off unless the operator turns it on. */
  readonly isOn: boolean;
  /** Of the running program: `1.2.3`. */
  readonly version: string;
  /** Where a GitHub API tells the latest release: `/repos/<owner>/<name>/releases/latest`. None. */
  readonly path: string;
  /** The first question comes between this and twice this after the start, in ms. 600,000. */
  readonly firstMs: number;
  /** Between two questions, and after a failure, in ms. 86,400,000 and 14,400,000. */
  readonly everyMs: number;
  readonly retryMs: number;
  /** A question without an answer, in ms. 120,000. */
  readonly answerMs: number;
  /** An answer is no longer, in UTF-16 units: releases list their files. 1,048,576. */
  readonly answerMax: number;
};

export const defaults: Config = {
  isOn: false, version: "0.0.0", path: "", firstMs: 600_000,
  everyMs: 86_400_000, retryMs: 14_400_000, answerMs: 120_000, answerMax: 1_048_576,
};

export type Event = RequestEvent | Tick;

export type Effect =
  | RequestEffect
  | { readonly type: "notice"; readonly notice: Notice }
  | LogEffect;

type At =
  | { readonly phase: "off" }
  | { readonly phase: "waiting"; readonly until: Mono }
  | { readonly phase: "asking"; readonly until: Mono; readonly req: number };

export type Updates = {
  readonly config: Config;
  at: At;
  reqs: number;
  /** In a row. */
  failures: number;
  /** A newer version, as the last answer told. */
  newer: string | undefined;
};

/** Waits for the first question. Asserts the ranges of `config`, and that its version is one. */
export function create(config: Config, rng: prng.Prng, now: Mono): Updates {
  for (const n of [config.everyMs, config.retryMs, config.answerMs, config.answerMax]) {
    assert(Number.isSafeInteger(n), "a limit of updates is whole");
    assert(n >= 1, "a question takes its time");
  }
  assert(config.firstMs >= 1 && config.firstMs <= 0x4000_0000, "the first question comes soon");
  assert(!config.isOn || /^\/[!-~]+$/.test(config.path), "a question needs a path");
  assert(versionOf(config.version) !== undefined, "the running version is three numbers");
  const until = after(now, prng.between(rng, config.firstMs, 2 * config.firstMs));
  const at: At = config.isOn ? { phase: "waiting", until } : { phase: "off" };
  return { config, at, reqs: 0, failures: 0, newer: undefined };
}

/** Takes one event; an answer that nothing waits for changes nothing. */
export function step(m: Updates, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "req.done":
      if (!isAwaited(m, event.req)) return;
      return answered(m, event.status, event.body, now, out);
    case "req.failed":
      if (!isAwaited(m, event.req)) return;
      return failed(m, event.reason, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When a question is due, or has taken too long; `NEVER` while off. */
export function deadline(m: Updates): Mono {
  return m.at.phase === "off" ? NEVER : m.at.until;
}

/** A version newer than this one, if the last answer named one. */
export function available(m: Updates): string | undefined {
  return m.newer;
}

function isAwaited(m: Updates, req: number): boolean {
  return m.at.phase === "asking" && m.at.req === req;
}

function tick(m: Updates, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  if (m.at.phase !== "asking") return ask(m, now, out);
  out.push({ type: "req.drop", req: m.at.req });
  failed(m, "timeout", now, out);
}

function ask(m: Updates, now: Mono, out: Effect[]): void {
  m.reqs += 1;
  const req = m.reqs;
  m.at = { phase: "asking", req, until: after(now, m.config.answerMs) };
  out.push({
    type: "req.start", req, to: "update", method: "GET", path: m.config.path,
    // GitHub refuses requests without an agent.
    headers: [["accept", "application/vnd.github+json"], ["user-agent", "dogwatch"]],
    body: "", renew: false,
  });
}

function answered(m: Updates, status: number, body: string, now: Mono, out: Effect[]): void {
  if (status !== 200) return failed(m, `http-${status}`, now, out);
  const latest = latestIn(body, m.config.answerMax);
  if (!latest.ok) return failed(m, latest.fault.code, now, out);
  m.failures = 0;
  m.at = { phase: "waiting", until: after(now, m.config.everyMs) };
  const { version: current } = m.config;
  const before = m.newer;
  m.newer = isNewer(latest.value, current) ? latest.value : undefined;
  if (m.newer === undefined || m.newer === before) return;
  const fields = { version: m.newer, current };
  out.push({ type: "log", level: "info", code: "maker.update-available", fields });
  const notice: Notice = { kind: "update-available", version: m.newer, current };
  out.push({ type: "notice", notice });
}

function failed(m: Updates, why: string, now: Mono, out: Effect[]): void {
  m.failures += 1;
  m.at = { phase: "waiting", until: after(now, m.config.retryMs) };
  if (m.failures > 1) return;
  out.push({ type: "log", level: "warn", code: "maker.update-check-failed", fields: { why } });
}

/**
 * The version of the release that a GitHub API tells, without a leading `v`. Faults: `release`.
 * Drafts and pre-releases are none.
 */
export function latestIn(body: string, answerMax: number): Decoded<string> {
  if (body.length > answerMax) return bad("release", "the answer is too long");
  const parsed = parseObject(body, { depthMax: 10, nodesMax: 20_000 });
  if (!parsed.ok || parsed.value.duplicates) return bad("release", "not an object");
  const { fields } = parsed.value;
  const tag = fields.get("tag_name");
  if (typeof tag !== "string") return bad("release", "no tag");
  if (fields.get("draft") !== false) return bad("release", "not published");
  if (fields.get("prerelease") !== false) return bad("release", "not a release");
  const version = tag.startsWith("v") ? tag.slice(1) : tag;
  return versionOf(version) === undefined ? bad("release", "not a version") : good(version);
}

type Version = readonly [major: number, minor: number, patch: number];

function versionOf(text: string): Version | undefined {
  const found = /^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
}

/** Is version `a` later than `b`? Both as `latestIn` returns them; otherwise no. */
export function isNewer(a: string, b: string): boolean {
  const left = versionOf(a);
  const right = versionOf(b);
  if (left === undefined || right === undefined) return false;
  for (const i of [0, 1, 2] as const) if (left[i] !== right[i]) return left[i] > right[i];
  return false;
}
