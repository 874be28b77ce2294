/**
 * Watches the tip: is it asked for often enough, did it move on, was a block left behind, is it of
 * today?
 *
 * Rule 1: blocks are told apart by hash. Another hash is an advance only if the server says that
 * the former tip is still in the chain; else it is a reorganisation, whatever the heights are.
 * Rule 2: one question at a time, the next `pollMs` after the answer; none is asked because the
 * last one is late. An answer is certain (`chain.ts`, rule 3).
 * Rule 3: a tip is stale when its block is `staleMs` old, or when nothing was heard for `silentMs`.
 * Both are told once, and their end once.
 * Rule 4: the age of a block is its own stamp against the wall clock as it was when the watch
 * began, moved on by monotonic time. A clock that is set while we run makes no tip old or new.
 * Rule 5: a server that says it is behind is as good as silent about the tip; it is told as
 * `failed`, not as an advance.
 * Rule 6: that clock may have been wrong. Blocks that arrive for a third of `staleMs`, no faster
 * than twice the pace of their stamps, are of today: the newest stamp is the wall clock from then
 * on. A server that catches up with the chain is faster; one that is cut off gets none.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono, type Wall } from "../time.ts";
import { unavailable, type Answer, type Question, type Tip, type Unavailable } from "./chain.ts";

/** Each at least 1 ms. */
export type Config = {
  /** From an answer to the next question. */
  readonly pollMs: number;
  /** A block older than this is not the tip of today; 0: never, as on regtest. */
  readonly staleMs: number;
  /** Without an answer for so long, what was known is old. Longer than `pollMs`. */
  readonly silentMs: number;
};

/** So many blocks, at least, show their pace. */
const pacedMin = 3;

/** Three hours without a block come about once in fifty years. */
export const defaults: Config = { pollMs: 15_000, staleMs: 10_800_000, silentMs: 120_000 };

export type Event =
  /** The daemon runs; `unixMs` is what the wall clock shows. Once. */
  | { readonly type: "started"; readonly unixMs: number }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  /** Something hints at a new block, or the backend is back: ask now. */
  | { readonly type: "nudged" }
  | Tick;

export type Staleness = "old-block" | "silent";

export type Effect =
  | { readonly type: "ask"; readonly token: number; readonly question: Question }
  /** The first tip that is seen. */
  | { readonly type: "found"; readonly tip: Tip }
  | { readonly type: "advanced"; readonly tip: Tip; readonly from: Tip }
  /** `from` is in no chain any more; what it and blocks below it confirmed is open again. */
  | { readonly type: "reorganised"; readonly tip: Tip; readonly from: Tip }
  | { readonly type: "failed"; readonly answer: Unavailable }
  /** The server answered, be it with the same tip. */
  | { readonly type: "answered"; readonly tip: Tip }
  | { readonly type: "stale"; readonly why: Staleness }
  | { readonly type: "fresh"; readonly tip: Tip };

export type Watch = {
  readonly config: Config;
  anchor: Wall;
  anchoredAt: Mono;
  isRunning: boolean;
  tip: Tip | undefined;
  /** The question under way; 0: none. */
  asked: number;
  tokens: number;
  pollAt: Mono;
  /** The last good answer; at first, the start. */
  heardAt: Mono;
  /** When the tip's block is too old. */
  oldAt: Mono;
  /** Since the pace of an old tip's successors is looked at; how many came. */
  paced: { readonly timeS: number; readonly at: Mono; blocks: number } | undefined;
  /** Has a new question been wished for while one was under way? */
  isNudged: boolean;
  stale: Staleness | undefined;
};

/** A watch that has not begun. Asserts the relations of `config`. */
export function create(config: Config): Watch {
  assert(config.pollMs >= 1, "a watch rests between two looks");
  assert(config.silentMs > config.pollMs, "silence is longer than a rest");
  assert(config.staleMs >= 0, "an age");
  return {
    config, anchor: { unixMs: 0 }, anchoredAt: 0 as Mono, isRunning: false, tip: undefined,
    asked: 0, tokens: 0, pollAt: NEVER, heardAt: 0 as Mono, oldAt: NEVER,
    paced: undefined, isNudged: false, stale: undefined,
  };
}

/** Takes one event; answers to questions that are not under way change nothing. */
export function step(m: Watch, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": return started(m, event.unixMs, now, out);
    case "answered": return answered(m, event.token, event.answer, now, out);
    case "nudged": return nudged(m, now, out);
    case "tick": return tick(m, now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the tip is asked for again, or counts as stale. */
export function deadline(m: Watch): Mono {
  if (!m.isRunning) return NEVER;
  const pollAt = m.asked === 0 ? m.pollAt : NEVER;
  return m.stale === undefined ? soonest(pollAt, soonest(silentAt(m), m.oldAt)) : pollAt;
}

/** Is the tip known and of today, as far as anybody could tell? */
export function isFresh(m: Watch): boolean {
  return m.tip !== undefined && m.stale === undefined;
}

function silentAt(m: Watch): Mono {
  return after(m.heardAt, m.config.silentMs);
}

function started(m: Watch, unixMs: number, now: Mono, out: Effect[]): void {
  assert(!m.isRunning, "a watch begins once");
  m.isRunning = true;
  m.anchor = { unixMs };
  m.anchoredAt = now;
  m.heardAt = now;
  ask(m, out);
}

function ask(m: Watch, out: Effect[]): void {
  m.tokens += 1;
  m.asked = m.tokens;
  m.isNudged = false;
  const question: Question = m.tip === undefined ? { ask: "tip" }
    : { ask: "tip", since: m.tip.hash };
  out.push({ type: "ask", token: m.asked, question });
}

function nudged(m: Watch, now: Mono, out: Effect[]): void {
  if (!m.isRunning) return;
  if (m.asked !== 0) {
    m.isNudged = true;
    return;
  }
  ask(m, out);
  look(m, now, out);
}

function tick(m: Watch, now: Mono, out: Effect[]): void {
  if (now < deadline(m)) return;
  if (m.asked === 0 && now >= m.pollAt) ask(m, out);
  look(m, now, out);
}

function answered(m: Watch, token: number, answer: Answer, now: Mono, out: Effect[]): void {
  if (token !== m.asked || m.asked === 0) return;
  m.asked = 0;
  m.pollAt = after(now, m.config.pollMs);
  if (answer.ok) {
    assert(answer.ask === "tip", "the answer to another question");
    if (answer.tip.isSynced) heard(m, answer.tip, now, out);
    else out.push({ type: "failed", answer: behind });
  } else {
    assert(answer.why === "unavailable", "there is always a tip");
    out.push({ type: "failed", answer });
  }
  if (m.isNudged) ask(m, out);
  look(m, now, out);
}

const behind = unavailable("syncing", "chain-syncing", "the server says that blocks are missing");

function heard(m: Watch, tip: Tip, now: Mono, out: Effect[]): void {
  const from = m.tip;
  m.heardAt = now;
  m.tip = tip;
  out.push({ type: "answered", tip });
  if (from?.hash === tip.hash) return;
  m.oldAt = oldAtOf(m, tip);
  if (now < m.oldAt) m.paced = undefined;
  else pace(m, tip, from !== undefined && tip.keptSince === true, now);
  if (from === undefined) out.push({ type: "found", tip });
  else out.push({ type: tip.keptSince === true ? "advanced" : "reorganised", tip, from });
}

/** Rule 6, for a tip that looks old. */
function pace(m: Watch, tip: Tip, isNext: boolean, now: Mono): void {
  const { paced, config: { staleMs } } = m;
  const gainedMs = (tip.timeS - (paced?.timeS ?? 0)) * 1_000;
  const passedMs = now - (paced?.at ?? now);
  const isSlow = gainedMs <= 2 * Math.max(passedMs, staleMs / 3);
  if (paced === undefined || !isNext || !isSlow) {
    m.paced = { timeS: tip.timeS, at: now, blocks: 0 };
    return;
  }
  paced.blocks += 1;
  if (paced.blocks < pacedMin || passedMs < staleMs / 3) return;
  m.anchor = { unixMs: tip.timeS * 1_000 };
  m.anchoredAt = now;
  m.oldAt = after(now, staleMs);
  m.paced = undefined;
}

/** The instant at which the tip's block is `staleMs` old; at once if it was so before we began. */
function oldAtOf(m: Watch, tip: Tip): Mono {
  const { staleMs } = m.config;
  if (staleMs === 0) return NEVER;
  const aheadMs = tip.timeS * 1_000 + staleMs - m.anchor.unixMs;
  return aheadMs <= 0 ? m.anchoredAt : after(m.anchoredAt, aheadMs);
}

/** Has something become stale, or fresh? */
function look(m: Watch, now: Mono, out: Effect[]): void {
  const why: Staleness | undefined = now >= silentAt(m) ? "silent"
    : now >= m.oldAt ? "old-block" : undefined;
  if (why === undefined) {
    if (m.stale !== undefined && m.tip !== undefined) out.push({ type: "fresh", tip: m.tip });
    m.stale = undefined;
    return;
  }
  if (m.stale === undefined) out.push({ type: "stale", why });
  m.stale ??= why;
}
