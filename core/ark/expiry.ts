/**
 * When each VTXO expires, at worst, and how far it has come: the stages of an alarm.
 *
 * Rule 1: a stage begins at a height of its own, computed from the VTXO, and counts when the height
 * at worst (`height.ts`) is there: at the latest at the instant that follows from what was said
 * last, without any new answer. So a notice comes never later than its stage's height, whatever the
 * chain source says and however long it is silent, within the guarantee of `height.ts`.
 * Rule 2: a stage is never taken back while the VTXO is there, except when the height itself turned
 * out to be wrong, which is told.
 * Rule 3: VTXOs that enter a stage in one step are told of in one notice, and what stays in a stage
 * that needs somebody is told again every `remindBlocks`. The number of a reminder follows from
 * heights, so that a restart repeats no notice that was told (`notice.ts`, `once`).
 * Rule 4: a height that is doubted moves no stage: it is told at once, with what it would mean, and
 * `isProven` says whether the height bears acts that cannot be taken back.
 * Rule 5: one that is on its way to the chain is not told of, but for its expiry. The stage that it
 * came to meanwhile is told once it turns out not to be on its way.
 * Not known here: how VTXOs are refreshed, and what stands in the way.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { LogEffect, Tick } from "../kernel/io.ts";
import type { ArkNotice } from "../notify/ark.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as heights from "./height.ts";
import type { Vtxo } from "./wallet.ts";

export type Config = heights.Config & {
  /** The wallet's name in notices. */
  readonly wallet: string;
  /** A refresh is due from so many blocks before expiry on. 144: a day. */
  readonly refreshBlocks: number;
  /** And at least so many before an exit would have to begin. 36. */
  readonly leadBlocks: number;
  /** Due for so many blocks, a refresh counts as failing; 36. */
  readonly failingBlocks: number;
  /** Or after so many failures. 3. */
  readonly failuresMax: number;
  /** What one transaction of an exit takes to confirm, in blocks. 3. */
  readonly perLevelBlocks: number;
  /** An exit is begun so much earlier: fees rise, and blocks come in bursts. 36. */
  readonly marginBlocks: number;
  /** What needs somebody is told again after so many blocks. 36. */
  readonly remindBlocks: number;
  /** Without any height for so long while there are VTXOs, it is told, in ms. 1,800,000. */
  readonly blindMs: number;
  /** What is worth less is in no notice, in satoshis; the plan has it. 330. */
  readonly quietSat: bigint;
  /** VTXOs that are watched: those that expire first. 10,000. */
  readonly coinsMax: number;
};

export const defaults: Config = {
  ...heights.defaults, wallet: "", refreshBlocks: 144, leadBlocks: 36, failingBlocks: 36,
  failuresMax: 3, perLevelBlocks: 3, marginBlocks: 36, remindBlocks: 36, blindMs: 1_800_000,
  quietSat: 330n, coinsMax: 10_000,
};

/** In order of urgency. */
export const stages = ["fine", "due", "failing", "exit-now", "expired"] as const;
export type Stage = (typeof stages)[number];

/** A VTXO and how far it has come. */
export type Coin = {
  vtxo: Vtxo;
  stage: Stage;
  /** Refreshes that failed, in a row. */
  failures: number;
  isExiting: boolean;
  /** Nobody was told of its stage: rule 5. */
  isUntold: boolean;
};

export type Event =
  /** What an earlier run believed of the chain, `agoMs` before now: `heights.restore`. */
  | {
    readonly type: "restored"; readonly height: number; readonly agoMs: number;
    readonly isProven: boolean;
  }
  | { readonly type: "tip"; readonly height: number }
  /** All VTXOs of the wallet; what is not among them is gone. */
  | { readonly type: "vtxos"; readonly vtxos: readonly Vtxo[] }
  /** These, and no others, are on their way to the chain. */
  | {
    readonly type: "exiting"; readonly vtxos: readonly string[];
    /** Of these nobody can tell, whatever their VTXOs are called. */
    readonly doubted: readonly string[];
  }
  /** A refresh of these came to nothing. */
  | { readonly type: "failed"; readonly vtxos: readonly string[] }
  | Tick;

export type Effect =
  | { readonly type: "notice"; readonly notice: ArkNotice }
  | LogEffect;

/** Where effects go: a list of these or of more kinds. */
export type Out = { readonly push: (effect: Effect) => unknown };

export type Expiry = {
  readonly config: Config;
  readonly height: heights.Height;
  readonly coins: Map<string, Coin>;
  /** Those of which nobody can tell whether they exit, by what was said of exits last. */
  doubted: ReadonlySet<string>;
  /** So many did not fit. */
  dropped: number;
  /** The lowest height at which a stage changes; `NEVER` is no height. */
  nextHeight: number;
  /** At which height each stage that needs somebody was told last. */
  readonly toldAt: Map<Stage, number>;
  /** When it is told that there is no height. */
  blindAt: Mono;
  /** Is anybody alarmed by a stage from `failing` on? */
  isAlarmed: boolean;
};

const needy: readonly Stage[] = ["failing", "exit-now", "expired"];

/** No VTXO is known. Asserts the ranges of `config`. */
export function create(config: Config, now: Mono): Expiry {
  const { refreshBlocks, leadBlocks, failingBlocks, failuresMax, perLevelBlocks } = config;
  for (const n of [refreshBlocks, leadBlocks, failingBlocks, perLevelBlocks, config.marginBlocks]) {
    assert(Number.isSafeInteger(n), "blocks are counted");
    assert(n >= 0 && n <= 1_000_000, "blocks before an expiry");
  }
  assert(failingBlocks >= 1 && failuresMax >= 1, "a refresh may fail");
  assert(Number.isSafeInteger(config.remindBlocks), "blocks are counted");
  assert(config.remindBlocks >= 1 && config.blindMs >= 1, "notices have their time");
  assert(config.coinsMax >= 1, "something is watched");
  return {
    config, height: heights.create(config), coins: new Map(), doubted: new Set(), dropped: 0,
    nextHeight: NEVER, toldAt: new Map(), blindAt: after(now, config.blindMs), isAlarmed: false,
  };
}

/** Takes one event. */
export function step(m: Expiry, event: Event, now: Mono, out: Out): void {
  switch (event.type) {
    case "restored":
      heights.restore(m.height, event.height, event.agoMs, event.isProven, now);
      break;
    case "tip": heard(m, event.height, now, out); break;
    case "vtxos": known(m, event.vtxos, out); break;
    case "exiting": exiting(m, event.vtxos, event.doubted); break;
    case "failed":
      for (const id of event.vtxos) {
        const coin = m.coins.get(id);
        if (coin !== undefined) coin.failures += 1;
      }
      break;
    case "tick":
      if (now < deadline(m)) return;
      break;
    default: return unreachable(event); /* c8 ignore next */
  }
  look(m, now, out);
}

/** When a stage begins if nobody says anything, or something is told again. */
export function deadline(m: Expiry): Mono {
  return soonest(m.blindAt, heights.reaches(m.height, m.nextHeight));
}

/** The height at worst, `undefined` while there is none. */
export function tip(m: Expiry, now: Mono): number | undefined {
  return heights.at(m.height, now);
}

/** The first height at which `stage` counts for this VTXO, whatever came of its refreshes. */
export function heightOf(c: Config, vtxo: Vtxo, stage: Exclude<Stage, "fine">): number {
  const { expiryHeight, exitDeltaBlocks, exitDepth } = vtxo;
  const exit = expiryHeight - exitDeltaBlocks - exitDepth * c.perLevelBlocks - c.marginBlocks;
  const due = smaller(expiryHeight - c.refreshBlocks + 1, exit - c.leadBlocks);
  switch (stage) {
    case "due": return due;
    case "failing": return smaller(due + c.failingBlocks, exit);
    case "exit-now": return exit;
    case "expired": return expiryHeight;
    default: return unreachable(stage); /* c8 ignore next */
  }
}

/** The instant at which a height is reached at worst. */
export function reaches(m: Expiry, height: number): Mono {
  return heights.reaches(m.height, height);
}

function smaller(a: number, b: number): number {
  return a < b ? a : b;
}

function isFrom(stage: Stage, from: Stage): boolean {
  return stages.indexOf(stage) >= stages.indexOf(from);
}

/** Has this one come at least so far? */
export function isAtLeast(coin: Coin, from: Stage): boolean {
  return isFrom(coin.stage, from);
}

function heard(m: Expiry, height: number, now: Mono, out: Out): void {
  const { wallet } = m.config;
  const before = tip(m, now) ?? 0;
  const verdict = heights.heard(m.height, height, now);
  switch (verdict) {
    case "doubted": {
      let affected = 0;
      for (const { vtxo } of m.coins.values()) {
        if (height >= heightOf(m.config, vtxo, "exit-now")) affected += 1;
      }
      const expected = before;
      const fields = { height, expected };
      out.push({ type: "log", level: "warn", code: "ark.tip-doubted", fields });
      return void out.push({
        type: "notice", notice: { kind: "ark-tip-doubted", wallet, height, expected, affected },
      });
    }
    case "corrected": {
      const fields = { height, before };
      out.push({ type: "log", level: "warn", code: "ark.tip-corrected", fields });
      m.toldAt.clear();
      for (const coin of m.coins.values()) coin.stage = "fine";
      return;
    }
    case "believed": {
      const fields = { height, before };
      return void out.push({ type: "log", level: "warn", code: "ark.tip-believed", fields });
    }
    case "senseless":
      return void out.push({ type: "log", level: "warn", code: "ark.tip-senseless", fields: {} });
    case "first": case "advanced": case "same": case "lower": case "doubtful": return;
    default: return unreachable(verdict); /* c8 ignore next */
  }
}

function known(m: Expiry, vtxos: readonly Vtxo[], out: Out): void {
  const there = new Set<string>();
  for (const vtxo of kept(m, vtxos, out)) {
    if (vtxo.state === "spent" || there.has(vtxo.id)) continue;
    there.add(vtxo.id);
    const coin = m.coins.get(vtxo.id);
    if (coin === undefined) {
      const isExiting = vtxo.state === "exited" && !m.doubted.has(vtxo.id);
      m.coins.set(vtxo.id, { vtxo, stage: "fine", failures: 0, isExiting, isUntold: false });
      continue;
    }
    if (coin.vtxo.expiryHeight !== vtxo.expiryHeight) coin.stage = "fine";
    coin.vtxo = vtxo;
    if (vtxo.state === "exited" && !m.doubted.has(vtxo.id)) coin.isExiting = true;
  }
  for (const id of m.coins.keys()) if (!there.has(id)) m.coins.delete(id);
}

/** Those that expire first, if there is no room for all. */
function kept(m: Expiry, vtxos: readonly Vtxo[], out: Out): readonly Vtxo[] {
  const { coinsMax } = m.config;
  const dropped = vtxos.length > coinsMax ? vtxos.length - coinsMax : 0;
  if (dropped > 0 && m.dropped === 0) {
    out.push({ type: "log", level: "warn", code: "ark.vtxos-full", fields: { dropped } });
  }
  m.dropped = dropped;
  if (dropped === 0) return vtxos;
  return vtxos.toSorted(byExpiry).slice(0, coinsMax);
}

/** Who expires first comes first. */
export function byExpiry(a: Vtxo, b: Vtxo): number {
  if (a.expiryHeight !== b.expiryHeight) return a.expiryHeight - b.expiryHeight;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function exiting(m: Expiry, vtxos: readonly string[], doubted: readonly string[]): void {
  const all = new Set(vtxos);
  m.doubted = new Set(doubted);
  for (const [id, coin] of m.coins) {
    coin.isExiting = all.has(id) || (coin.vtxo.state === "exited" && !m.doubted.has(id));
  }
}

/** Moves every VTXO to where it belongs, and tells what is new. */
function look(m: Expiry, now: Mono, out: Out): void {
  const height = tip(m, now);
  if (height === undefined) return blind(m, now, out);
  m.blindAt = NEVER;
  const entered = new Map<Stage, Coin[]>();
  m.nextHeight = NEVER;
  for (const coin of m.coins.values()) {
    const stage = stageOf(m, coin, height);
    if (isFrom(stage, coin.stage) && stage !== coin.stage) {
      coin.stage = stage;
      coin.isUntold = true;
    }
    if (coin.isUntold && !isQuiet(m.config, coin)) {
      coin.isUntold = false;
      push(entered, coin.stage, coin);
    }
    const next = nextOf(m.config, coin);
    if (next < m.nextHeight) m.nextHeight = next;
  }
  for (const [stage, coins] of entered) tell(m, stage, coins, height, now, out);
  remind(m, height, now, out);
}

function blind(m: Expiry, now: Mono, out: Out): void {
  if (now < m.blindAt) return;
  m.blindAt = m.coins.size === 0 ? after(now, m.config.blindMs) : NEVER;
  if (m.coins.size === 0) return;
  const { wallet, blindMs } = m.config;
  const notice = { kind: "ark-tip-missing", wallet, count: m.coins.size, blindMs } as const;
  out.push({ type: "notice", notice });
}

function stageOf(m: Expiry, { vtxo, failures }: Coin, height: number): Stage {
  const { config: c } = m;
  if (height >= heightOf(c, vtxo, "expired")) return "expired";
  if (height >= heightOf(c, vtxo, "exit-now")) return "exit-now";
  if (height < heightOf(c, vtxo, "due")) return "fine";
  const isLong = height >= heightOf(c, vtxo, "failing");
  return isLong || failures >= c.failuresMax ? "failing" : "due";
}

/** The height at which the next stage begins. */
function nextOf(c: Config, { vtxo, stage }: Coin): number {
  switch (stage) {
    case "fine": return heightOf(c, vtxo, "due");
    case "due": return heightOf(c, vtxo, "failing");
    case "failing": return heightOf(c, vtxo, "exit-now");
    case "exit-now": return heightOf(c, vtxo, "expired");
    case "expired": return NEVER;
    default: return unreachable(stage); /* c8 ignore next */
  }
}

/** Rule 5; and what is worth nothing wakes nobody. */
function isQuiet(c: Config, { isExiting, stage, vtxo }: Coin): boolean {
  return vtxo.amountSat < c.quietSat || (isExiting && stage !== "expired");
}

function push(lists: Map<Stage, Coin[]>, stage: Stage, coin: Coin): void {
  const list = lists.get(stage);
  if (list === undefined) lists.set(stage, [coin]);
  else list.push(coin);
}

function tell(
  m: Expiry, stage: Stage, coins: readonly Coin[], height: number, now: Mono, out: Out,
): void {
  if (stage === "fine") return;
  const [first, ...others] = coins.map(({ vtxo }) => vtxo).toSorted(byExpiry);
  assert(first !== undefined, "a notice is about something");
  const { expiryHeight } = first;
  const { remindBlocks, wallet } = m.config;
  m.toldAt.set(stage, height);
  const blocksLeft = expiryHeight > height ? expiryHeight - height : 0;
  const expiresAt = heights.reaches(m.height, expiryHeight);
  const passed = height - heightOf(m.config, first, stage);
  const nth = passed <= 0 ? 0 : (passed - (passed % remindBlocks)) / remindBlocks;
  const amountSat = others.reduce((sum, vtxo) => sum + vtxo.amountSat, first.amountSat);
  const count = coins.length;
  out.push({
    type: "notice",
    notice: {
      kind: "ark-expiry", wallet, stage, lead: first.id, count, amountSat, expiryHeight, blocksLeft,
      leftMs: expiresAt > now ? expiresAt - now : 0, nth,
      isEstimate: !heights.isSaid(m.height, now),
    },
  });
  const level = isFrom(stage, "failing") ? "warn" : "info";
  out.push({ type: "log", level, code: codes[stage], fields: { count, blocksLeft } });
}

const codes: { readonly [stage in Exclude<Stage, "fine">]: string } = {
  "due": "ark.expiry-due", "failing": "ark.expiry-failing", "exit-now": "ark.expiry-exit-now",
  "expired": "ark.expiry-expired",
};

/** What needs somebody is told again; that nothing does any more, once. */
function remind(m: Expiry, height: number, now: Mono, out: Out): void {
  const held = new Map<Stage, Coin[]>();
  for (const coin of m.coins.values()) {
    if (isFrom(coin.stage, "failing") && !isQuiet(m.config, coin)) push(held, coin.stage, coin);
  }
  for (const stage of needy) {
    const coins = held.get(stage);
    if (coins === undefined) {
      m.toldAt.delete(stage);
      continue;
    }
    const { remindBlocks } = m.config;
    if (height >= (m.toldAt.get(stage) ?? -1) + remindBlocks) {
      tell(m, stage, coins, height, now, out);
    }
    const next = (m.toldAt.get(stage) ?? height) + remindBlocks;
    if (next < m.nextHeight) m.nextHeight = next;
  }
  if (held.size === 0 && m.isAlarmed) {
    out.push({ type: "notice", notice: { kind: "ark-expiry-over", wallet: m.config.wallet } });
  }
  m.isAlarmed = held.size > 0;
}
