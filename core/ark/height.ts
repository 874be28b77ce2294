/**
 * How high the chain may be by now, at worst: what the chain source said, carried on by our clock.
 *
 * Rule 1: since the newest height came, a block is counted every `fastMs`: faster than blocks come
 * on the mean. A source that repeats itself, or is silent, brings nothing new: the count goes on
 * from when that height was first said. What is low (rule 4) is counted on from as well: it may
 * be stale, but it is new.
 * Rule 2: no height that was believed is ever forgotten: from each of them on, a block is counted
 * every `slowMs` at least. So a source that was behind and catches up step by step does not pull
 * the estimate down.
 * Rule 3: a height beyond what can have been found meanwhile (`jumpBlocks`, and one every `jumpMs`)
 * is doubted: it is told, and believed only when answers hold to it for `proofMs`. Whatever was
 * said may have been `staleMs` old, in this run or the one before, and nobody can tell: so what can
 * have been found in that time is never doubted. A source of another chain says more than that.
 * Rule 4: a lower height changes nothing. Only a source that stays low for `fallMs`, at more than a
 * reorganisation below us, and goes on growing, is believed; and then as `staleMs` old. No source
 * is stale for longer than that, so it is the higher one that was wrong.
 * Rule 5: the first height has nothing to be held against. It counts at once, and is proven when
 * answers hold to it for `proofMs`; until then a higher one may take its place, and one that is
 * lower than a stale source can explain. Any other that is lower is as in rule 4.
 * Rule 6: what an earlier run believed is carried on by the wall clock, until the first answer
 * that is not below it at the slow pace: what the wall clock alone had counted is taken back then,
 * also where that answer says nothing new. One that is below, as of a source that is stale, does so
 * only when answers hold to it for `proofMs`. A stamp that is not past is no proof; what had none
 * has none now, and gives way as in rule 5.
 * Rule 7: of a source that was low within `staleMs`, what the next run begins with is what is the
 * highest at the slow pace.
 * Guarantee: let the last height that was believed be true when it came, or at most `staleMs` old
 * under rule 4. As long as the chain has grown by no more than a block every `fastMs` since then
 * (every `slowMs`, where the source itself crawls), `at` is not below the chain.
 * Not known here: what heights mean for anybody, and hashes: the wallet does not tell them.
 * @module
 */
import { assert } from "../assert.ts";
import { mono, NEVER, soonest, type Mono } from "../time.ts";

export type Config = {
  /** One block is counted every so many ms since the newest height. 480,000: eight minutes. */
  readonly fastMs: number;
  /** And at least so slowly since any height that was believed, in ms. 720,000. */
  readonly slowMs: number;
  /** An advance is plausible by so many blocks at once, 6, ... */
  readonly jumpBlocks: number;
  /** ... and one more for each so many ms. 240,000. */
  readonly jumpMs: number;
  /** What is doubted has to stay for so long, in ms, 1,800,000, ... */
  readonly proofMs: number;
  /** ... in so many answers. 3. */
  readonly proofAnswers: number;
  /** A source that stays low and grows is believed after this, in ms. 28,800,000: eight hours. */
  readonly fallMs: number;
  /** What such a source says may be so old, in ms; below `fallMs`. 21,600,000: six hours. */
  readonly staleMs: number;
};

export const defaults: Config = {
  fastMs: 480_000, slowMs: 720_000, jumpBlocks: 6, jumpMs: 240_000, proofMs: 1_800_000,
  proofAnswers: 3, fallMs: 28_800_000, staleMs: 21_600_000,
};

/** A height, when it was first said, and how old it was then. */
export type Said = { readonly height: number; readonly at: Mono; readonly agoMs: number };

/** A height that is not believed yet: the lowest of its answers, and the newest. */
type Claim = {
  readonly since: Mono; answers: number; readonly first: number; height: number;
};

export type Height = {
  readonly config: Config;
  latest: Said | undefined;
  /** Of all that was believed, what is the highest at the slow pace. */
  floor: Said | undefined;
  isProven: boolean;
  hasHeard: boolean;
  proof: Claim | undefined;
  doubt: Claim | undefined;
  low: Claim | undefined;
  /** The highest that was said in this run, and not doubted, or had proof in the one before. */
  said: Said | undefined;
  /** Rule 6: is it the wall clock that counts? `far`: what was said is far below, if anything. */
  carried: "no" | "near" | "far";
  /** Rule 7: when the source was low last. */
  lowAt: Mono | undefined;
};

/**
 * What an answer did. `first`, `advanced`: it counts. `same`, `lower`: nothing new. `doubted`: it
 * is too high, for the first time in a row; `doubtful`: again. `believed`: what was doubted counts.
 * `corrected`: what had counted was wrong and is lower now. `senseless`: no height at all.
 */
export type Verdict = "first" | "advanced" | "same" | "lower" | "doubted" | "doubtful" | "believed"
  | "corrected" | "senseless";

/** Nothing is known. Asserts the relations of `config`. */
export function create(config: Config): Height {
  for (const n of [config.fastMs, config.jumpMs, config.proofAnswers]) {
    assert(Number.isSafeInteger(n), "height: whole numbers");
    assert(n >= 1, "height: blocks take time");
  }
  assert(config.slowMs >= config.fastMs, "height: the slow pace is not the faster one");
  assert(config.jumpMs <= config.fastMs, "height: what we count ourselves is plausible");
  assert(config.jumpBlocks >= 1, "height: a block may come at once");
  assert(config.proofMs >= 0, "height: a proof takes time");
  assert(config.staleMs >= 0 && config.staleMs < config.fallMs, "height: stale sources recover");
  return {
    config, latest: undefined, floor: undefined, isProven: false, hasHeard: false,
    proof: undefined, doubt: undefined, low: undefined, said: undefined, carried: "no",
    lowAt: undefined,
  };
}

/**
 * What an earlier run believed, `agoMs` before now; below 1 if its stamp is not past, so that
 * nobody knows. `isProven`: did it have proof? Once; what was said before counts as if it had come
 * after.
 */
export function restore(
  m: Height, height: number, agoMs: number, isProven: boolean, now: Mono,
): void {
  if (!isHeight(height) || !Number.isSafeInteger(agoMs)) return;
  const { said } = m;
  if (said === undefined) return begin(m, height, agoMs, isProven, now);
  m.proof = undefined;
  m.low = undefined;
  begin(m, height, agoMs > 0 ? agoMs - (now - said.at) : agoMs, isProven, said.at);
  heard(m, said.height, said.at);
}

function begin(m: Height, height: number, agoMs: number, isProven: boolean, now: Mono): void {
  // Wall clocks may be wrong by years: no answer is held against more than a source can be stale.
  const { staleMs } = m.config;
  const isPast = agoMs > 0;
  const boundMs = isPast && agoMs < staleMs ? agoMs : staleMs;
  m.latest = { height, at: now, agoMs: isPast ? agoMs : 0 };
  m.floor = { height, at: now, agoMs: isPast ? boundMs : 0 };
  m.lowAt = now;
  m.isProven = isPast && isProven;
  m.carried = "far";
  // What had proof is not less known for being read. The wall clock's count since is not in it.
  if (m.isProven && (m.said === undefined || m.said.height < height)) {
    m.said = { height, at: now, agoMs: 0 };
  }
}

/** The chain source says so. */
export function heard(m: Height, height: number, now: Mono): Verdict {
  if (!isHeight(height)) return "senseless";
  const { latest } = m;
  m.hasHeard = true;
  if (latest === undefined) {
    m.proof = claim(height, now);
    prove(m, now);
    believe(m, height, now, 0);
    m.said = m.latest;
    return "first";
  }
  if (height > ceiling(m, now)) {
    if (m.isProven) return doubt(m, height, now);
    m.proof = undefined;
  }
  m.doubt = undefined;
  if (m.said === undefined || height > m.said.height) m.said = { height, at: now, agoMs: 0 };
  if (m.carried !== "no") return met(m, latest, height, now);
  if (height + m.config.jumpBlocks < (floorAt(m, now) ?? 0)) return lower(m, height, now);
  m.low = undefined;
  if (m.proof === undefined) m.proof = claim(height, now);
  else m.proof.answers += 1;
  prove(m, now);
  if (height === latest.height) return "same";
  if (height < latest.height) return "lower";
  believe(m, height, now, 0);
  return "advanced";
}

/** Rule 6. */
function met(m: Height, latest: Said, height: number, now: Mono): Verdict {
  const before = at(m, now) ?? 0;
  const floor = floorAt(m, now) ?? 0;
  if (m.proof === undefined) m.proof = claim(height, now);
  else m.proof.answers += 1;
  if (isFallen(m, height, now)) {
    m.carried = "no";
    m.proof = claim(height, now);
    return corrected(m, height, now, 0);
  }
  if (height < floor && !isHeld(m, m.proof, now)) {
    const { jumpBlocks, staleMs } = m.config;
    m.carried = height + jumpBlocks < floor ? "far" : "near";
    m.lowAt = now;
    if (latest.agoMs > staleMs) m.latest = { ...latest, agoMs: staleMs };
  } else {
    m.carried = "no";
    prove(m, now);
    // It counts from when it was said first, or known in this run, not from when it was proven.
    const { height: highest, at: saidAt } = m.said ?? { height, at: now };
    if (highest > latest.height) believe(m, highest, saidAt, 0);
    else believe(m, latest.height, latest.at, 0);
  }
  if ((at(m, now) ?? 0) < before) return "corrected";
  if (height < floor || height < latest.height) return "lower";
  return height > latest.height ? "advanced" : "same";
}

/** The height at worst; `undefined` while nobody has said anything. */
export function at(m: Height, now: Mono): number | undefined {
  if (m.latest === undefined) return undefined;
  const fast = carried(m.latest, m.config.fastMs, now);
  const slow = floorAt(m, now) ?? fast;
  return fast > slow ? fast : slow;
}

/** Does the height bear acts that cannot be taken back? Not before an answer in this run. */
export function isFirm(m: Height): boolean {
  return m.isProven && isKnown(m);
}

/** Is there anything for the next run: what this one was told, or knew and still holds? */
export function isKnown(m: Height): boolean {
  return m.hasHeard && m.carried !== "far";
}

/**
 * The highest that was said in this run, or had proof in the one before; `undefined` while there is
 * none, or nobody has said anything in this run.
 */
export function said(m: Height): number | undefined {
  return m.hasHeard ? m.said?.height : undefined;
}

/** The same, with what we count since it was said. */
export function counted(m: Height, now: Mono): number | undefined {
  return m.said === undefined || !m.hasHeard ? undefined : carried(m.said, m.config.fastMs, now);
}

/** What the next run is to begin with: of a source that was low, what was believed before. */
export function lasting(m: Height, now: Mono): Said | undefined {
  return isLow(m, now) ? m.floor : m.latest;
}

/** Is the height as it was said, and not counted on by us? */
export function isSaid(m: Height, now: Mono): boolean {
  return m.latest !== undefined && at(m, now) === m.latest.height;
}

/** The instant at which `at` is `height`, if nobody says anything before; 0 if it was so always. */
export function reaches(m: Height, height: number): Mono {
  if (m.latest === undefined || m.floor === undefined) return NEVER;
  const { fastMs, slowMs } = m.config;
  return soonest(reachedBy(m.latest, fastMs, height), reachedBy(m.floor, slowMs, height));
}

/** The highest that an answer may be without being doubted; `undefined`: anything. */
export function plausible(m: Height, now: Mono): number | undefined {
  return m.latest === undefined ? undefined : ceiling(m, now);
}

function ceiling(m: Height, now: Mono): number {
  const { jumpBlocks, jumpMs } = m.config;
  const said = m.latest === undefined ? 0 : carried(m.latest, jumpMs, now);
  // A source that catches up is fast against what it said last, and not against what was before.
  const since = m.floor === undefined ? 0 : carried(m.floor, jumpMs, now);
  const highest = said > since ? said : since;
  return highest + jumpBlocks + staleBlocks(m);
}

/** So many blocks, at most, does a stale source know less of. */
function staleBlocks({ config: { staleMs, jumpMs } }: Height): number {
  return (staleMs - (staleMs % jumpMs)) / jumpMs;
}

/** Was the source low just now? */
function isLow({ lowAt, config: { staleMs } }: Height, now: Mono): boolean {
  return lowAt !== undefined && now - lowAt <= staleMs;
}

function floorAt(m: Height, now: Mono): number | undefined {
  return m.floor === undefined ? undefined : carried(m.floor, m.config.slowMs, now);
}

function carried(from: Said, paceMs: number, now: Mono): number {
  const passedMs = now - from.at + from.agoMs;
  return from.height + (passedMs - (passedMs % paceMs)) / paceMs;
}

function reachedBy(from: Said, paceMs: number, height: number): Mono {
  const ms = (height - from.height) * paceMs - from.agoMs + from.at;
  if (ms <= 0) return mono(0);
  return ms >= NEVER ? NEVER : mono(ms);
}

function claim(height: number, now: Mono): Claim {
  return { since: now, answers: 1, first: height, height };
}

/** It counts from now on. */
function believe(m: Height, height: number, now: Mono, agoMs: number): void {
  m.latest = { height, at: now, agoMs };
  const { floor, config: { slowMs } } = m;
  if (floor !== undefined && carried(m.latest, slowMs, now) < carried(floor, slowMs, now)) return;
  m.floor = m.latest;
}

function isHeld(m: Height, { since, answers }: Claim, now: Mono): boolean {
  return answers >= m.config.proofAnswers && now - since >= m.config.proofMs;
}

function prove(m: Height, now: Mono): void {
  if (m.proof !== undefined && isHeld(m, m.proof, now)) m.isProven = true;
}

/** Rule 3. */
function doubt(m: Height, height: number, now: Mono): Verdict {
  const { jumpBlocks, jumpMs } = m.config;
  const old = m.doubt;
  if (old === undefined || height + jumpBlocks < old.height) {
    m.doubt = claim(height, now);
    if (isHeld(m, m.doubt, now)) return trust(m, height, now);
    return old === undefined ? "doubted" : "doubtful";
  }
  old.answers += 1;
  if (!isHeld(m, old, now)) return "doubtful";
  // What went up while it was doubted is taken at its lowest: the first that was said.
  const passedMs = now - old.since;
  const grown = old.first + jumpBlocks + (passedMs - (passedMs % jumpMs)) / jumpMs;
  return trust(m, height < grown ? height : grown, now);
}

function trust(m: Height, height: number, now: Mono): Verdict {
  m.doubt = undefined;
  m.low = undefined;
  m.isProven = true;
  m.carried = "no";
  believe(m, height, now, 0);
  m.said = m.latest;
  return "believed";
}

/** Rules 4 and 5. */
function lower(m: Height, height: number, now: Mono): Verdict {
  const { proofAnswers, fallMs, staleMs, jumpBlocks } = m.config;
  if (isFallen(m, height, now)) {
    m.proof = claim(height, now);
    return corrected(m, height, now, 0);
  }
  if (!m.isProven) {
    // It may be stale, and then it bears the higher one out.
    if (m.proof === undefined) m.proof = claim(height, now);
    else m.proof.answers += 1;
    prove(m, now);
  }
  m.lowAt = now;
  countOn(m, now);
  if (m.low === undefined || height + jumpBlocks < m.low.height) {
    m.low = claim(height, now);
    return "lower";
  }
  m.low.answers += 1;
  m.low.height = height;
  const isLong = now - m.low.since >= fallMs && m.low.answers >= proofAnswers;
  if (!isLong || height <= m.low.first) return "lower";
  return corrected(m, height, now, staleMs);
}

/** Rule 1, of what is low. */
function countOn(m: Height, now: Mono): void {
  const { latest, said: highest, config: { fastMs } } = m;
  if (latest === undefined || highest === undefined) return;
  if (carried(latest, fastMs, now) < carried(highest, fastMs, now)) m.latest = highest;
}

/** Rule 5: does what has no proof give way to this one? */
function isFallen(m: Height, height: number, now: Mono): boolean {
  if (m.isProven) return false;
  return height + m.config.jumpBlocks + staleBlocks(m) < (floorAt(m, now) ?? 0);
}

function corrected(m: Height, height: number, now: Mono, agoMs: number): Verdict {
  m.low = undefined;
  m.floor = undefined;
  m.lowAt = undefined;
  believe(m, height, now, agoMs);
  m.said = m.latest;
  return "corrected";
}

function isHeight(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
