/**
 * How often one key may ask: intervals that grow with what it does wrong, then a ban.
 *
 * Rule 1: the interval runs from the last request that was answered. A request before its end is a
 * violation; enough of them lengthen the interval, more of them ban. The first request of a key
 * that was never answered is never early, however short the machine has been up.
 * Rule 2: good behaviour is time without a violation. Each `decayMs` of it takes one violation
 * back, and with the violations the interval shrinks. A ban forgives everything at its end and
 * nothing before.
 * Rule 3: there is an entry only for a key that was answered, so whoever is refused elsewhere costs
 * no memory. Beyond `keysMax` the entry that says least goes: not banned, fewest violations,
 * answered longest ago. A ban in force goes only when every entry is one, the oldest first. So
 * fresh keys push out each other and never the record of an offender.
 * Rule 4: there is no deadline. Whatever has passed is seen at the next call; `sweep` drops entries
 * that would no longer change an answer.
 *
 * Does not know what a key is or what is asked.
 * @module
 */
import { assert } from "../assert.ts";
import { after, type Mono } from "../time.ts";

export type Config = {
  /** The least time between two answers. */
  readonly intervalMs: number;
  /** From so many violations on the interval is `warnFactor` times as long. */
  readonly warnAt: number;
  readonly warnFactor: number;
  /** And from so many on `severeFactor` times. */
  readonly severeAt: number;
  readonly severeFactor: number;
  /** So many violations begin a ban of `banMs`. */
  readonly banAt: number;
  readonly banMs: number;
  /** One violation is forgiven for so long without another. */
  readonly decayMs: number;
  /** Keys that are remembered. */
  readonly keysMax: number;
};

/**
 * Public requests. joinmarket-ng's OrderbookRateLimiter: 10 s, six times from 10 violations, thirty
 * times from 50, a ban of an hour at 100. There violations stay until an hour without an answer;
 * here as many as a ban takes are gone after an hour without another. Its table is not bounded.
 */
export const orderbook: Config = {
  intervalMs: 10_000, warnAt: 10, warnFactor: 6, severeAt: 50, severeFactor: 30, banAt: 100,
  banMs: 3_600_000, decayMs: 36_000, keysMax: 4_096,
};

/**
 * Requests over one direct connection. joinmarket-ng's DirectConnectionRateLimiter: 30 s, a ban at
 * 10 violations, as long as the other. Ten violations are gone after an hour too.
 */
export const direct: Config = {
  intervalMs: 30_000, warnAt: 10, warnFactor: 1, severeAt: 10, severeFactor: 1, banAt: 10,
  banMs: 3_600_000, decayMs: 360_000, keysMax: 1_024,
};

/** Names of offenders in a report; the rest is counted. As in joinmarket-ng's report. */
export const listedMax = 5;

export type Entry<Label> = {
  readonly label: Label;
  /** `never` after a ban. */
  answeredAt: Mono | "never";
  violations: number;
  /** Since when time counts as good behaviour. */
  goodSince: Mono;
  bannedUntil: Mono | "never";
};

/** By key. `Label` is how a report names it; never mutated. */
export type Rates<Label> = { config: Config; readonly entries: Map<string, Entry<Label>> };

/** `ban`: early, and banned from now on. `banned`: was already. */
export type Verdict = "ok" | "early" | "ban" | "banned";

export type Offender<Label> = { readonly label: Label; readonly violations: number };

export type Report<Label> = {
  /** Of all keys that are remembered. */
  readonly violations: number;
  readonly tracked: number;
  /** At most `listedMax`, the worst first. */
  readonly banned: readonly Offender<Label>[];
  readonly bannedMore: number;
  /** The worst of all, banned or not; at most `listedMax`. */
  readonly top: readonly Offender<Label>[];
};

/** Nobody known. Asserts that the steps follow each other and every number is at least 1. */
export function create<Label>(config: Config): Rates<Label> {
  assertConfig(config);
  return { config, entries: new Map() };
}

/**
 * May this key be answered now? A refusal is counted against it; an `ok` only by `answered`, so
 * that the caller may still refuse for reasons of its own.
 */
export function judge<Label>(r: Rates<Label>, key: string, now: Mono): Verdict {
  const entry = r.entries.get(key);
  if (entry === undefined) return "ok";
  if (isBanned(entry, now)) {
    entry.violations += 1;
    return "banned";
  }
  forgive(r.config, entry, now);
  const { answeredAt } = entry;
  if (answeredAt === "never" || now - answeredAt >= intervalOf(r.config, entry)) return "ok";
  return violated(r.config, entry, now);
}

/** The key was answered at `now`, after a `judge` that said `ok`. */
export function answered<Label>(r: Rates<Label>, key: string, label: Label, now: Mono): void {
  const entry = r.entries.get(key);
  if (entry !== undefined) {
    entry.answeredAt = now;
    return;
  }
  makeRoom(r, r.config.keysMax - 1, now);
  r.entries.set(key, {
    label, answeredAt: now, violations: 0, goodSince: now, bannedUntil: "never",
  });
}

/** The violations that count against this key at `now`; 0 for one that is not remembered. */
export function violationsOf<Label>(r: Rates<Label>, key: string, now: Mono): number {
  const entry = r.entries.get(key);
  return entry === undefined ? 0 : standing(r.config, entry, now);
}

/** The key will not come back. What it did stays in the report until it is forgiven. */
export function gone<Label>(r: Rates<Label>, key: string, now: Mono): void {
  if (violationsOf(r, key, now) === 0) r.entries.delete(key);
}

/** Drops what would change no answer. */
export function sweep<Label>(r: Rates<Label>, now: Mono): void {
  for (const [key, entry] of r.entries) {
    if (isBanned(entry, now)) continue;
    forgive(r.config, entry, now);
    if (entry.violations > 0) continue;
    const { answeredAt } = entry;
    if (answeredAt === "never" || now - answeredAt >= r.config.intervalMs) r.entries.delete(key);
  }
}

/** Other limits from `now` on. No ban lasts longer than one that begins now. */
export function reload<Label>(r: Rates<Label>, config: Config, now: Mono): void {
  assertConfig(config);
  for (const entry of r.entries.values()) {
    const until = after(now, config.banMs);
    if (isBanned(entry, now)) entry.bannedUntil = least(entry.bannedUntil, until);
    else forgive(r.config, entry, now);
  }
  r.config = config;
  makeRoom(r, config.keysMax, now);
}

/** What there is to tell; changes nothing. */
export function report<Label>(r: Rates<Label>, now: Mono): Report<Label> {
  const bad = [...r.entries]
    .map(([key, entry]) => ({ key, entry, violations: standing(r.config, entry, now) }))
    .filter(({ violations }) => violations > 0)
    .sort((a, b) => b.violations - a.violations || (a.key < b.key ? -1 : 1));
  const banned = bad.filter(({ entry }) => isBanned(entry, now));
  return {
    violations: bad.reduce((sum, { violations }) => sum + violations, 0),
    tracked: r.entries.size,
    banned: banned.slice(0, listedMax).map(offender),
    bannedMore: banned.length > listedMax ? banned.length - listedMax : 0,
    top: bad.slice(0, listedMax).map(offender),
  };
}

function offender<Label>(
  found: { readonly entry: Entry<Label>; readonly violations: number },
): Offender<Label> {
  return { label: found.entry.label, violations: found.violations };
}

function violated<Label>(config: Config, entry: Entry<Label>, now: Mono): Verdict {
  entry.violations += 1;
  entry.goodSince = now;
  if (entry.violations < config.banAt) return "early";
  entry.bannedUntil = after(now, config.banMs);
  return "ban";
}

function isBanned<Label>(entry: Entry<Label>, now: Mono): boolean {
  return entry.bannedUntil !== "never" && now < entry.bannedUntil;
}

/** Rule 2, put down: what has passed since the last time is taken off. */
function forgive<Label>(config: Config, entry: Entry<Label>, now: Mono): void {
  if (entry.bannedUntil !== "never") {
    entry.bannedUntil = "never";
    entry.answeredAt = "never";
    entry.violations = 0;
    entry.goodSince = now;
    return;
  }
  const left = standing(config, entry, now);
  const forgiven = entry.violations - left;
  entry.violations = left;
  entry.goodSince = left === 0 ? now : after(entry.goodSince, forgiven * config.decayMs);
}

function standing<Label>(config: Config, entry: Entry<Label>, now: Mono): number {
  if (isBanned(entry, now)) return entry.violations;
  if (entry.bannedUntil !== "never") return 0;
  const goodMs = now - entry.goodSince;
  const forgiven = (goodMs - (goodMs % config.decayMs)) / config.decayMs;
  return forgiven >= entry.violations ? 0 : entry.violations - forgiven;
}

function intervalOf<Label>(config: Config, entry: Entry<Label>): number {
  if (entry.violations >= config.severeAt) return config.intervalMs * config.severeFactor;
  if (entry.violations >= config.warnAt) return config.intervalMs * config.warnFactor;
  return config.intervalMs;
}

/** Rule 3: at most `keys` entries stay. */
function makeRoom<Label>(r: Rates<Label>, keys: number, now: Mono): void {
  if (r.entries.size <= keys) return;
  sweep(r, now);
  while (r.entries.size > keys) r.entries.delete(leastOf(r, now));
}

function leastOf<Label>(r: Rates<Label>, now: Mono): string {
  let found: { readonly key: string; readonly entry: Entry<Label> } | undefined;
  for (const [key, entry] of r.entries) {
    if (found === undefined || saysLess(r.config, entry, found.entry, now)) found = { key, entry };
  }
  assert(found !== undefined, "a full table has entries");
  return found.key;
}

function saysLess<Label>(
  config: Config, a: Entry<Label>, b: Entry<Label>, now: Mono,
): boolean {
  const bannedA = isBanned(a, now);
  const bannedB = isBanned(b, now);
  if (bannedA !== bannedB) return bannedB;
  if (bannedA) return numberOf(a.bannedUntil) < numberOf(b.bannedUntil);
  const byViolations = standing(config, a, now) - standing(config, b, now);
  if (byViolations !== 0) return byViolations < 0;
  return numberOf(a.answeredAt) < numberOf(b.answeredAt);
}

function numberOf(at: Mono | "never"): number {
  return at === "never" ? -1 : at;
}

function least(a: Mono | "never", b: Mono): Mono {
  return a === "never" || b < a ? b : a;
}

function assertConfig(config: Config): void {
  const {
    intervalMs, warnAt, warnFactor, severeAt, severeFactor, banAt, banMs, decayMs, keysMax,
  } = config;
  for (const count of [
    intervalMs, warnAt, warnFactor, severeAt, severeFactor, banAt, banMs, decayMs, keysMax,
  ]) {
    assert(Number.isSafeInteger(count), "a limit is a whole number");
    assert(count >= 1, "a limit is at least 1");
  }
  assert(Number.isSafeInteger(intervalMs * severeFactor), "the longest interval is countable");
  assert(warnAt <= severeAt, "a warning comes before what is severe");
  assert(severeAt <= banAt, "what is severe comes before a ban");
  assert(warnFactor <= severeFactor, "intervals grow");
}
