/**
 * Has VTXOs refreshed before they expire, by the server, in a round to come.
 *
 * Rule 1: which. Those that must: a stage from `due` on, or so deep that the server takes no deeper
 * ones. With them, as far as they fit, those that should: soon due, half as deep, or small. Nothing
 * is refreshed while none must be.
 * Rule 2: never what has expired, is on its way to the chain or about to leave for it, is in any
 * open intent, or is not spendable; and nothing at all while vtxos and exits were not both seen
 * just now; nor while the server is barred. What is seen is looked at once more right before the
 * call.
 * Rule 3: a refresh is settled by what the wallet shows. All its VTXOs gone: success. Still there
 * `patienceMs` after the wallet took it, in whatever run (`unsureMs` where nobody knows whether it
 * did): superseded, which counts as a failure; but never one whose round stands in a block. Where
 * the wallet says nothing, nothing is settled. A wallet shows what it has given away for a round as
 * spendable, and rounds may be far apart: it is never sooner than two of them, as far as the margin
 * of exits allows (`patience.ts`).
 * Rule 4: of a batch that is rejected, those that were named are left out; if none was, both halves
 * are tried. A single one that is rejected is told, and rests for `restMs`. Of one reason it is
 * told once in `tellMs`, of all at once.
 * Rule 5: what is worth less than dust is not refreshed by itself, but may come along.
 * Rule 6: what was superseded may be in a round that nobody shows yet (`ties.ts`): it is asked for
 * again as the same set, as long as all of the set are there to stay, or not at all, until the
 * wallet says that it has nothing under way with it. An exit never waits for that.
 * Rule 7: there is one call at a time, and a wait between two intents that grows with failures.
 * Not known here: records and calls (`drive.ts`).
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as backoff from "../backoff.ts";
import type { Prng } from "../prng.ts";
import { after, mono, NEVER, soonest, type Mono } from "../time.ts";
import * as drive from "./drive.ts";
import { byExpiry, heightOf, isAtLeast, type Coin, type Config as ExpiryConfig } from "./expiry.ts";
import type { Effect, Sight } from "./guardian-events.ts";
import { isText, type Intent } from "./intents.ts";
import * as patience from "./patience.ts";
import * as refusals from "./refusals.ts";
import * as ties from "./ties.ts";
import type { Vtxo } from "./wallet.ts";

export type Config = patience.Config & {
  /** Are VTXOs refreshed at all? On. */
  readonly isOn: boolean;
  /** VTXOs in one refresh. 32. */
  readonly batchMax: number;
  /** Comes along when it is due within so many blocks more. 28. */
  readonly shouldBlocks: number;
  /** Comes along when it is worth less, since an exit would cost more; in satoshis. 5,000. */
  readonly smallSat: bigint;
  /** A refresh is worth at least so much in all, in satoshis. 330. */
  readonly dustSat: bigint;
  /** What was rejected is asked for again after this, in ms. 21,600,000. */
  readonly restMs: number;
  /** Rejections of one reason are told so often at most, in ms. 600,000. */
  readonly tellMs: number;
  /** What is under way is asked for so often at most, where that matters, in ms. 300,000. */
  readonly pendingMs: number;
  /** Between two intents: after none, one, two... failures. From 5 s to 30 min. */
  readonly gap: backoff.Config;
};

export const defaults: Config = {
  ...patience.defaults, isOn: true, batchMax: 32, shouldBlocks: 28, smallSat: 5_000n,
  dustSat: 330n, restMs: 21_600_000,
  tellMs: 600_000, pendingMs: 300_000, gap: { baseMs: 5_000, maxMs: 1_800_000, times: 2, per: 1 },
};

export type Refresh = {
  readonly config: Config;
  readonly expiry: ExpiryConfig;
  /** Until when each one that was rejected rests. */
  readonly rests: Map<string, Mono>;
  /** What is left of rejected batches, to be tried apart. */
  readonly parts: (readonly string[])[];
  /** Rejections that were told, and those that are to be told later. */
  readonly untold: refusals.Untold;
  readonly ties: ties.Ties;
  readonly chance: Prng;
  /** No intent is opened before this. `NEVER`: at once. */
  openAt: Mono;
  /** In a row. */
  failures: number;
  lastSuccessAt: Mono | undefined;
};

/** Nothing was tried. Asserts the ranges of `config`. */
export function create(config: Config, expiry: ExpiryConfig, chance: Prng): Refresh {
  backoff.check(config.gap);
  assert(config.batchMax >= 1, "a batch holds something");
  patience.check(config);
  assert(config.restMs >= 1 && config.tellMs >= 1, "what was rejected rests");
  return {
    config, expiry, rests: new Map(), parts: [], untold: new Map(),
    ties: ties.create(config.pendingMs), chance, openAt: NEVER, failures: 0,
    lastSuccessAt: undefined,
  };
}

/** When something that was due to wait may go on. */
export function deadline(m: Refresh): Mono {
  let at = m.openAt;
  for (const until of m.rests.values()) at = soonest(at, until);
  return soonest(at, refusals.deadline(m.untold));
}

/**
 * Judges what is open and opens what is due. `leaving`: those that are about to leave for the
 * chain. `failed`: takes those whose refresh came to nothing.
 */
export function look(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>, isReady: boolean,
  failed: string[], now: Mono, out: Effect[],
): void {
  for (const [id, until] of m.rests) if (until <= now || !s.coins.has(id)) m.rests.delete(id);
  if (m.openAt <= now) m.openAt = NEVER;
  ties.forget(m.ties, (id) => s.coins.has(id));
  refusals.tellLate(m.untold, m.expiry.wallet, m.config, now, out);
  judge(m, d, s, leaving, failed, now, out);
  if (!isReady || !isOpenable(m, d, s)) return;
  const batch = nextBatch(m, d, s, leaving);
  if (batch.length === 0) return;
  drive.open(d, "refresh", batch, "", s.unixMs, out);
  gap(m, now);
}

/** May this one be asked for right now, as far as anybody sees? */
export function mayAsk(
  m: Refresh, s: Sight, leaving: ReadonlySet<string>, intent: Intent,
): boolean {
  if (!m.config.isOn || !s.isFresh || s.isBarred) return false;
  return intent.vtxos.every((id) => isSound(s, leaving, id));
}

/** A call of ours was answered. */
export function heard(
  m: Refresh, one: drive.Heard, s: Sight, failed: string[], now: Mono, out: Effect[],
): void {
  const { vtxos } = one.intent;
  switch (one.as) {
    case "taken": return;
    case "undone": case "unsure":
      failed.push(...vtxos);
      m.failures += 1;
      return gap(m, now);
    case "rejected": return rejected(m, one, s, failed, now, out);
    default: return unreachable(one); /* c8 ignore next */
  }
}

/** Why this one is not refreshed although it may be due; `undefined` if nothing is in the way. */
export type Block = "off" | "blind" | "exiting" | "leaving" | "expired" | "not-spendable"
  | "intent" | "rejected" | "dust" | "unsound" | "barred" | "another-wallet"
  | "another-network" | "earlier-refresh";

/** See `Block`. */
export function blockOf(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>, coin: Coin,
): Block | undefined {
  const { id, state, amountSat } = coin.vtxo;
  if (isLeaving(s, coin)) return "exiting";
  if (isOver(s, coin)) return "expired";
  if (d.book.byVtxo.has(id)) return "intent";
  if (leaving.has(id)) return "leaving";
  if (state !== "spendable") return "not-spendable";
  if (!isText(id)) return "unsound";
  if (m.rests.has(id)) return "rejected";
  if (!m.config.isOn) return "off";
  if (s.isStrange) return s.isElsewhere ? "another-network" : "another-wallet";
  if (s.isBarred) return "barred";
  const tied = ties.all(m.ties, d.book);
  const tie = tied.get(id);
  if (tie !== undefined && !isWhole(d, s, leaving, tied, tie)) return "earlier-refresh";
  if (amountSat < m.config.dustSat) return "dust";
  return s.isFresh ? undefined : "blind";
}

/** Is it on its way to the chain, as the wallet shows it? An exit that was called off is none. */
export function isLeaving(s: Sight, coin: Coin): boolean {
  const exit = s.exits.get(coin.vtxo.id);
  return coin.vtxo.state === "exited" || (exit !== undefined && exit.state !== "canceled");
}

/** Is this a VTXO that a refresh may be about? Not whether it is free. */
function isSound(s: Sight, leaving: ReadonlySet<string>, id: string): boolean {
  const coin = s.coins.get(id);
  if (coin === undefined || isLeaving(s, coin) || leaving.has(id)) return false;
  return coin.vtxo.state === "spendable" && !isOver(s, coin) && isText(id);
}

/** Is it too late for a refresh, by what was said or had proof, and what we count since? */
export function isOver(s: Sight, { stage, vtxo: { expiryHeight } }: Coin): boolean {
  return stage === "expired" && (s.counted === undefined || s.counted >= expiryHeight);
}

function isFree(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>, id: string,
): boolean {
  return isSound(s, leaving, id) && !d.book.byVtxo.has(id) && !m.rests.has(id);
}

/** Must it be refreshed, whatever else? */
export function isMust(coin: Coin, s: Sight): boolean {
  const deepest = s.info?.maxExitDepth ?? 0;
  return isAtLeast(coin, "due") || (deepest > 0 && coin.vtxo.exitDepth >= deepest);
}

function isShould(m: Refresh, coin: Coin, s: Sight): boolean {
  const { exitDepth, amountSat } = coin.vtxo;
  const deepest = s.info?.maxExitDepth ?? 0;
  if (deepest > 0 && exitDepth * 2 >= deepest) return true;
  const due = heightOf(m.expiry, coin.vtxo, "due");
  if (s.tip !== undefined && s.tip >= due - m.config.shouldBlocks) return true;
  return amountSat < m.config.smallSat || amountSat < m.config.dustSat;
}

function isOpenable(m: Refresh, d: drive.Drive, s: Sight): boolean {
  if (!m.config.isOn || !s.isFresh || s.isBarred || m.openAt !== NEVER) return false;
  if (!drive.isWritable(d) || drive.isBusy(d, "refresh")) return false;
  if (d.book.open.size >= d.book.config.openMax) return false;
  for (const { id, phase } of d.held.values()) {
    if (d.book.open.get(id)?.aim !== "refresh") continue;
    if (phase.is !== "watching") return false;
  }
  return true;
}

/** The parts of what was rejected first, then what must be refreshed and what comes along. */
function nextBatch(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>,
): readonly string[] {
  const tied = ties.all(m.ties, d.book);
  while (m.parts.length > 0) {
    const part = (m.parts.shift() ?? []).filter((id) => (
      isFree(m, d, s, leaving, id) && !tied.has(id)
    ));
    if (isWorth(m, s, part)) return part;
  }
  for (const tie of new Set(tied.values())) {
    const { vtxos: set } = tie;
    if (!isWhole(d, s, leaving, tied, tie)) continue;
    if (!set.every((id) => isFree(m, d, s, leaving, id)) || !isWorth(m, s, set)) continue;
    if (set.some((id) => isMustBe(s, id))) return set;
  }
  const must: Coin[] = [];
  const should: Coin[] = [];
  for (const [id, coin] of s.coins) {
    if (tied.has(id) || !isFree(m, d, s, leaving, id)) continue;
    if (isMust(coin, s)) must.push(coin);
    else if (isShould(m, coin, s)) should.push(coin);
  }
  // Without anything that is worth a refresh by itself, dust does not begin one.
  if (!must.some(({ vtxo }) => vtxo.amountSat >= m.config.dustSat)) return [];
  const byTurn = (a: Coin, b: Coin): number => byExpiry(a.vtxo, b.vtxo);
  const max = m.config.batchMax < d.book.config.vtxosMax ? m.config.batchMax
    : d.book.config.vtxosMax;
  const batch = [...must.toSorted(byTurn), ...should.toSorted(byTurn)].slice(0, max);
  return keepWorth(m, must.toSorted(byTurn), batch.map(({ vtxo }) => vtxo.id), s);
}

/** Rule 6: may the very same set be asked for again, as far as its VTXOs go? */
function isWhole(
  { book }: drive.Drive, s: Sight, leaving: ReadonlySet<string>, tied: ties.Tied, tie: ties.Tie,
): boolean {
  if (tie.isRefused || tie.vtxos.length > book.config.vtxosMax) return false;
  return tie.vtxos.every((id) => tied.get(id)?.id === tie.id && isStaying(s, leaving, id));
}

/**
 * Is the wallet to be asked which VTXOs have something under way? Only where a refresh that is due
 * waits for that, and no call is under way that may begin one.
 */
export function asksPending(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>, now: Mono,
): boolean {
  if (!m.config.isOn || s.isBarred || s.isStrange || drive.isBusy(d, "refresh")) return false;
  if (!ties.mayAsk(m.ties, now)) return false;
  const tied = ties.all(m.ties, d.book);
  const isFreed = (id: string): boolean => isFree(m, d, s, leaving, id);
  for (const [id, tie] of tied) {
    if (!isMustBe(s, id) || !isFreed(id)) continue;
    if (isWhole(d, s, leaving, tied, tie) && tie.vtxos.every(isFreed)) continue;
    ties.asks(m.ties, tied, now);
    return true;
  }
  return false;
}

/** May it be in a round, for all that was said? One that has expired by our count may be. */
function isStaying(s: Sight, leaving: ReadonlySet<string>, id: string): boolean {
  const coin = s.coins.get(id);
  if (coin === undefined || isLeaving(s, coin) || leaving.has(id)) return false;
  return s.said === undefined || s.said < coin.vtxo.expiryHeight;
}

function isMustBe(s: Sight, id: string): boolean {
  const coin = s.coins.get(id);
  return coin !== undefined && isMust(coin, s);
}

/** Dust alone fills no batch: the first that is worth a refresh takes the last place then. */
function keepWorth(
  m: Refresh, must: readonly Coin[], batch: readonly string[], s: Sight,
): readonly string[] {
  if (isWorth(m, s, batch)) return batch;
  const worth = must.find(({ vtxo }) => vtxo.amountSat >= m.config.dustSat);
  assert(worth !== undefined, "something is worth a refresh");
  return [...batch.slice(0, -1), worth.vtxo.id];
}

function isWorth(m: Refresh, s: Sight, batch: readonly string[]): boolean {
  let sum = 0n;
  for (const id of batch) sum += s.coins.get(id)?.vtxo.amountSat ?? 0n;
  return batch.length > 0 && sum >= m.config.dustSat;
}

/** Rule 3. */
function judge(
  m: Refresh, d: drive.Drive, s: Sight, leaving: ReadonlySet<string>, failed: string[], now: Mono,
  out: Effect[],
): void {
  if (s.vtxosFrom === undefined) return;
  for (const held of d.held.values()) {
    const intent = d.book.open.get(held.id);
    if (intent?.aim !== "refresh" || !drive.isSettleable(held)) continue;
    const { phase } = held;
    if (intent.vtxos.every((id) => !s.coins.has(id))) {
      drive.settle(d, held.id, held.isAsked ? "success" : "superseded", out);
      if (held.isAsked) succeeded(m, now);
    } else if (phase.is === "watching" || phase.is === "calling") {
      // A call that never ends keeps its lane, but not its VTXOs: those may have to leave.
      if (intent.isConfirmed) continue;
      const leftMs = patience.leftMs(m.config, m.expiry, s, leaving, intent, held.agoMs);
      if (s.vtxosFrom < after(phase.since, leftMs > 1 ? leftMs : 1)) continue;
      drive.settle(d, held.id, "superseded", out);
      failed.push(...intent.vtxos);
      m.failures += 1;
      gap(m, now);
    } else if (phase.is === "resting" && !intent.vtxos.every((id) => isSound(s, leaving, id))) {
      drive.settle(d, held.id, "superseded", out);
    }
  }
}

function succeeded(m: Refresh, now: Mono): void {
  m.failures = 0;
  m.lastSuccessAt = now;
}

function gap(m: Refresh, now: Mono): void {
  m.openAt = after(now, backoff.delayMs(m.config.gap, m.failures, m.chance));
}

/** Rule 4. */
function rejected(
  m: Refresh, one: Extract<drive.Heard, { as: "rejected" }>, s: Sight, failed: string[], now: Mono,
  out: Effect[],
): void {
  const { vtxos } = one.intent;
  const blamed = new Set(vtxos.length === 1 ? vtxos : one.ids.filter((id) => vtxos.includes(id)));
  if (blamed.size === 0) {
    const half = (vtxos.length + 1) >> 1;
    m.parts.push(vtxos.slice(0, half), vtxos.slice(half));
    // Halves are tried soon: it is known how often, at most twice for each VTXO.
    m.openAt = after(now, m.config.gap.baseMs);
    return;
  }
  const list: Vtxo[] = [];
  for (const id of blamed) {
    m.rests.set(id, after(now, m.config.restMs));
    failed.push(id);
    const coin = s.coins.get(id);
    if (coin !== undefined) list.push(coin.vtxo);
  }
  refusals.tell(m.untold, m.expiry.wallet, m.config, one.why, list, now, out);
  const others = vtxos.filter((id) => !blamed.has(id));
  if (others.length > 0) m.parts.push(others);
  m.openAt = after(now, m.config.gap.baseMs);
}

/** Until when this one rests. */
export function restsUntil(m: Refresh, id: string): Mono {
  return m.rests.get(id) ?? mono(0);
}
