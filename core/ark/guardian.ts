/**
 * The guard of one wallet's VTXOs: looks at the wallet, knows when each VTXO expires, has them
 * refreshed in time, and sees to the chain what cannot stay.
 *
 * Rule 1: it looks every `lookMs`: height, VTXOs, exits, one after the other; and, when due, what
 * the server says of itself, what is under way, and what exits would cost. What gives no answer is
 * left as it was: no failure is an empty list.
 * Rule 2: what leaves for the chain comes before what is refreshed: `shepherd` says first.
 * Rule 3: nothing is written or called before the journal was read. Looking and telling go on.
 * Rule 4: nothing is begun, asked for or settled by what another wallet shows than the one that the
 * journal is about: not before it is known which one answers, and then not until the operator
 * trusts it. The same holds for a wallet of another network than is configured.
 * Not known here: who runs the wallet, the other lanes, and where notices go.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as prng from "../prng.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as blindness from "./blindness.ts";
import * as drive from "./drive.ts";
import * as expiry from "./expiry.ts";
import * as funds from "./funds.ts";
import type { Effect, Event, Sight } from "./guardian-events.ts";
import * as heights from "./height.ts";
import * as intents from "./intents.ts";
import * as lasting from "./lasting.ts";
import * as network from "./network.ts";
import * as refresh from "./refresh.ts";
import * as shepherd from "./shepherd.ts";
import * as ties from "./ties.ts";
import * as trust from "./trust.ts";
import type { Answer, ArkInfo, Done, Exit, Op } from "./wallet.ts";

export type { Effect, Event, Lane, Sight } from "./guardian-events.ts";

export type Config = {
  readonly expiry: expiry.Config;
  readonly intents: intents.Config;
  readonly drive: drive.Config;
  readonly refresh: refresh.Config;
  readonly shepherd: shepherd.Config;
  /** From one look to the next, half of it more or less, in ms. 120,000. */
  readonly lookMs: number;
  /** A look's answers are acted on for so long, in ms; longer than `lookMs`. 360,000. */
  readonly sightMs: number;
  /** Without such answers for so long, it is told, in ms. 900,000. */
  readonly unseenMs: number;
  /** An answer is waited for so long, in ms. 30,000. */
  readonly waitMs: number;
  /** What the server says of itself is asked for so often, in ms. 3,600,000. */
  readonly infoMs: number;
  /** The height is written down so often, in ms. 3,600,000. */
  readonly recordMs: number;
  /** A wall clock that is set by so much, in ms, is another clock for records. 60,000. */
  readonly skewMs: number;
  /** Exits that are watched. 10,000. */
  readonly exitsMax: number;
  /** The network, by the wallet's own name of it, such as `bitcoin`; "": any. */
  readonly network: string;
};

export const defaults: Config = {
  expiry: expiry.defaults, intents: intents.defaults, drive: drive.defaults,
  refresh: refresh.defaults, shepherd: shepherd.defaults, lookMs: 120_000, sightMs: 360_000,
  unseenMs: 900_000,
  waitMs: 30_000, infoMs: 3_600_000, recordMs: 3_600_000, skewMs: 60_000, exitsMax: 10_000,
  network: "",
};

/** A call of the look that is under way, and those after it. */
type Reading = { readonly token: number; readonly op: Op; readonly from: Mono; next: Op[] };

export type Guardian = {
  readonly config: Config;
  readonly expiry: expiry.Expiry;
  readonly drive: drive.Drive;
  readonly refresh: refresh.Refresh;
  readonly shepherd: shepherd.Shepherd;
  readonly chance: prng.Prng;
  exits: Map<string, Exit>;
  vtxosFrom: Mono | undefined;
  exitsFrom: Mono | undefined;
  info: ArkInfo | undefined;
  infoAt: Mono;
  reading: Reading | undefined;
  lookAt: Mono;
  isNudged: boolean;
  /** Wall time, and when it was told. */
  anchor: lasting.Anchor | undefined;
  isOpened: boolean;
  isStopping: boolean;
  isBarred: boolean;
  readonly trust: trust.Trust;
  /** When VTXOs and exits were new enough last; and is it told that they are not? */
  seenAt: Mono;
  isUnseenTold: boolean;
  recordAt: Mono;
  /** Is the stamp of what was written by a clock that was set since? */
  isMisdated: boolean;
};

/** The first look comes within half of `lookMs`. Asserts the relations of `config`. */
export function create(config: Config, key: prng.Key, now: Mono): Guardian {
  const { lookMs, sightMs } = config;
  assert(lookMs >= 2 && sightMs > lookMs, "what was seen lasts to the next look");
  assert(config.waitMs >= 1 && config.infoMs >= 1 && config.recordMs >= 1, "times");
  assert(config.skewMs >= 1, "a clock is set by something");
  assert(config.unseenMs >= 1, "blindness is told");
  assert(config.exitsMax >= 1, "an exit is watched");
  const { marginBlocks, fastMs } = config.expiry;
  assert(marginBlocks * fastMs >= config.refresh.patienceMs, "an exit can wait for a refresh");
  const chance = prng.stream(key, "guardian");
  const book = intents.create(config.intents);
  return {
    config, expiry: expiry.create(config.expiry, now), chance,
    drive: drive.create(config.drive, book, prng.stream(key, "drive")),
    refresh: refresh.create(config.refresh, config.expiry, prng.stream(key, "refresh")),
    shepherd: shepherd.create(config.shepherd, config.expiry, prng.stream(key, "shepherd")),
    exits: new Map(), vtxosFrom: undefined, exitsFrom: undefined, info: undefined, infoAt: now,
    reading: undefined, lookAt: after(now, prng.between(chance, 1, lookMs >> 1)), isNudged: false,
    anchor: undefined, isOpened: false, isStopping: false, isBarred: false,
    trust: trust.create(), seenAt: now,
    isUnseenTold: false, recordAt: now, isMisdated: false,
  };
}

/** Takes one event; answers and outcomes that nobody waits for change nothing. */
export function step(m: Guardian, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "replayed":
      assert(!m.isOpened, "the journal is read before it is opened");
      return intents.replay(m.drive.book, event.body);
    case "opened": opened(m, now, out); break;
    case "anchored":
      misdate(m, event.unixMs, now);
      m.anchor = { unixMs: event.unixMs, at: now };
      break;
    case "answered": answered(m, event.token, event.answer, now, out); break;
    case "durable": durable(m, event.token, now, out); break;
    case "refused": drive.refused(m.drive, event.token, now); break;
    case "nudged":
      if (m.reading === undefined) m.lookAt = now;
      else m.isNudged = true;
      break;
    case "barred": m.isBarred = event.isBarred; break;
    case "identified": shown(m, "wallet", event.fingerprint, out); break;
    case "trusted": trusted(m, event.looked, now, out); break;
    case "stopping": m.isStopping = true; break;
    case "tick":
      if (now < deadline(m)) return;
      break;
    default: return unreachable(event); /* c8 ignore next */
  }
  work(m, now, out);
}

/** When something is due without any answer. */
export function deadline(m: Guardian): Mono {
  const look = m.isStopping || m.reading !== undefined ? NEVER : m.lookAt;
  let at = soonest(soonest(look, expiry.deadline(m.expiry)), drive.deadline(m.drive));
  at = soonest(at, refresh.deadline(m.refresh));
  if (!m.isStopping) at = soonest(at, blindness.deadline(m, m.config.unseenMs));
  return soonest(at, shepherd.deadline(m.shepherd));
}

/** What is known, as the parts see it. */
export function sight(m: Guardian, now: Mono): Sight {
  const { vtxosFrom, exitsFrom, config: { sightMs } } = m;
  return {
    coins: m.expiry.coins, exits: m.exits, vtxosFrom, exitsFrom,
    isFresh: vtxosFrom !== undefined && exitsFrom !== undefined
      && now - vtxosFrom <= sightMs && now - exitsFrom <= sightMs,
    tip: expiry.tip(m.expiry, now), said: heights.said(m.expiry.height),
    counted: heights.counted(m.expiry.height, now), isProven: heights.isFirm(m.expiry.height),
    isStrange: m.trust.wallet.isOther || network.isElsewhere(m)
      || (m.drive.book.wallet !== undefined && m.trust.wallet.shown === undefined),
    isElsewhere: network.isElsewhere(m), isBarred: m.isBarred, info: m.info,
    unixMs: unixMsAt(m, now),
  };
}

/** A wall clock that was set makes the height be written down anew. */
function misdate(m: Guardian, unixMs: number, now: Mono): void {
  const byMs = m.anchor === undefined ? 0 : unixMs - unixMsAt(m, now);
  if (byMs > -m.config.skewMs && byMs < m.config.skewMs) return;
  m.isMisdated = true;
  m.recordAt = now;
}

function unixMsAt(m: Guardian, now: Mono): number {
  return m.anchor === undefined ? 0 : m.anchor.unixMs + (now - m.anchor.at);
}

function opened(m: Guardian, now: Mono, out: Effect[]): void {
  assert(!m.isOpened, "the journal is opened once");
  m.isOpened = true;
  drive.restore(m.drive, unixMsAt(m, now), now);
  showAgain(m, out);
  const { tip } = m.drive.book;
  if (tip === undefined || m.anchor === undefined) return;
  const agoMs = unixMsAt(m, now) - tip.unixMs;
  const { height, isProven } = tip;
  expiry.step(m.expiry, { type: "restored", height, isProven, agoMs }, now, out);
}

/** Does everything that is due, in the order of rule 2. */
function work(m: Guardian, now: Mono, out: Effect[]): void {
  if (now >= expiry.deadline(m.expiry)) expiry.step(m.expiry, { type: "tick" }, now, out);
  drive.tick(m.drive, now, out);
  const s = sight(m, now);
  const isReady = m.isOpened && !m.isStopping && m.anchor !== undefined;
  const { unseenMs, expiry: { wallet } } = m.config;
  if (!m.isStopping) blindness.look(m, wallet, unseenMs, s.isFresh, now, out);
  if (!s.isStrange) act(m, s, isReady, now, out);
  if (m.isStopping || m.reading !== undefined || now < m.lookAt) return;
  read(m, looks(m, now), now, out);
}

function act(m: Guardian, s: Sight, isReady: boolean, now: Mono, out: Effect[]): void {
  const failed: string[] = [];
  shepherd.look(m.shepherd, m.drive, s, isReady, now, out);
  const { leaving } = m.shepherd;
  refresh.look(m.refresh, m.drive, s, leaving, isReady, failed, now, out);
  if (failed.length > 0) expiry.step(m.expiry, { type: "failed", vtxos: failed }, now, out);
  if (isReady) drive.ask(m.drive, (intent) => mayAsk(m, s, intent), now, out);
}

/** Rule 4. */
function shown(m: Guardian, of: trust.Known, is: string, out: Effect[]): void {
  const mayWrite = m.isOpened && !m.isStopping && drive.isWritable(m.drive);
  if (!trust.see(m.trust, of, is, m.drive, mayWrite, out)) return;
  const { isOther } = m.trust[of];
  if (of === "server" && isOther) out.push({ type: "rekeyed" });
  if (of === "server") return;
  // What the other one has shown is not this one's.
  m.vtxosFrom = undefined;
  m.exitsFrom = undefined;
  if (!isOther) return;
  const { wallet } = m.config.expiry;
  out.push({ type: "notice", notice: { kind: "ark-exchanged", wallet } });
  const { known = "" } = trust.doubted(m.trust, of, m.drive) ?? {};
  const fields = { known, shown: is };
  out.push({ type: "log", level: "error", code: "ark.exchanged", fields });
}

function showAgain(m: Guardian, out: Effect[]): void {
  for (const of of trust.subjects) {
    const is = m.trust[of].shown;
    if (is !== undefined) shown(m, of, is, out);
  }
}

function trusted(
  m: Guardian, looked: trust.Shown | undefined, now: Mono, out: Effect[],
): void {
  m.infoAt = now;
  for (const of of trust.subjects) trust.accept(m.trust, of, looked, m.drive, out);
  m.isBarred = m.trust.server.isOther;
  showAgain(m, out);
}

function mayAsk(m: Guardian, s: Sight, intent: intents.Intent): boolean {
  if (s.isStrange) return false;
  if (intent.aim === "refresh") return refresh.mayAsk(m.refresh, s, m.shepherd.leaving, intent);
  return shepherd.mayAsk(m.shepherd, s, intent);
}

/** May this call of ours, which was held up, still be sent? What is only looked at always may. */
export function mayStill(m: Guardian, token: number, now: Mono): boolean {
  const call = m.drive.calls.get(token);
  if (call === undefined) return true;
  const intent = m.drive.book.open.get(call.id);
  if (intent === undefined || m.drive.held.get(call.id)?.phase.is !== "calling") return false;
  return !m.isStopping && mayAsk(m, sight(m, now), intent);
}

function looks(m: Guardian, now: Mono): Op[] {
  const ops: Op[] = [{ op: "tip" }, { op: "vtxos" }, { op: "exits" }];
  // Whose server it is comes before what it may be given; who looks at a doubt sees it as of now.
  const isOld = m.info === undefined || now >= m.infoAt;
  const isInDoubt = m.isBarred || m.trust.server.isOther || network.isElsewhere(m);
  return isOld || isInDoubt ? [{ op: "ark-info" }, ...ops] : ops;
}

/** Asks for the first of these, or ends the look. */
function read(m: Guardian, ops: Op[], now: Mono, out: Effect[]): void {
  const [op, ...next] = ops;
  if (op === undefined || m.isStopping) {
    m.reading = undefined;
    const { lookMs } = m.config;
    const half = lookMs >> 1;
    const waitMs = m.isNudged ? 1 : half + prng.between(m.chance, 1, lookMs);
    m.isNudged = false;
    m.lookAt = after(now, waitMs);
    return;
  }
  const token = drive.nextToken(m.drive);
  m.reading = { token, op, from: now, next };
  out.push({ type: "call", token, lane: "look", call: op, waitMs: m.config.waitMs });
}

function answered(m: Guardian, token: number, answer: Answer, now: Mono, out: Effect[]): void {
  const { reading } = m;
  if (reading?.token === token) {
    seen(m, reading, answer, now, out);
    const { next } = reading;
    if (reading.op.op === "exits") next.push(...questions(m, now));
    if (reading.op.op === "exit-fee") next.push(...funds.next(m.shepherd.funds));
    return read(m, next, now, out);
  }
  const heard = drive.answered(m.drive, token, answer, now, out);
  if (heard === undefined) return;
  if (heard.intent.aim !== "refresh") return shepherd.heard(m.shepherd, heard, now);
  const failed: string[] = [];
  refresh.heard(m.refresh, heard, sight(m, now), failed, now, out);
  expiry.step(m.expiry, { type: "failed", vtxos: failed }, now, out);
}

/** What is asked once VTXOs and exits were seen. */
function questions(m: Guardian, now: Mono): Op[] {
  const s = sight(m, now);
  const ops: Op[] = [];
  if (refresh.asksPending(m.refresh, m.drive, s, m.shepherd.leaving, now)) {
    ops.push({ op: "pending" });
  }
  return [...ops, ...shepherd.feeQuestion(m.shepherd, m.drive, s, now)];
}

/** One answer of the look. */
function seen(m: Guardian, reading: Reading, answer: Answer, now: Mono, out: Effect[]): void {
  const { op: { op }, from } = reading;
  if (answer.ok) return took(m, answer.done, from, now, out);
  if (op === "exit-fee") shepherd.feeHeard(m.shepherd, m.drive, sight(m, now), undefined, out);
  // A wallet that knows no exits has none.
  if (op === "exits" && answer.why === "unsupported") exits(m, [], from, now, out);
  const reason = answer.why === "unavailable" ? answer.reason : answer.why;
  out.push({ type: "log", level: "debug", code: "ark.look-failed", fields: { op, reason } });
}

/** The look asks for six things. */
function took(m: Guardian, done: Done, from: Mono, now: Mono, out: Effect[]): void {
  if (done.op === "tip") {
    expiry.step(m.expiry, { type: "tip", height: done.height }, now, out);
    recordTip(m, now, out);
  } else if (done.op === "vtxos") {
    m.vtxosFrom = from;
    expiry.step(m.expiry, { type: "vtxos", vtxos: done.vtxos }, now, out);
  } else if (done.op === "exits") {
    exits(m, done.exits, from, now, out);
  } else if (done.op === "pending") {
    ties.heard(m.refresh.ties, done.vtxos);
  } else if (done.op === "ark-info") {
    network.heard(m.config.expiry.wallet, m.config.network, m.info, done.info, out);
    m.info = done.info;
    m.infoAt = after(now, m.config.infoMs);
    shown(m, "server", done.info.serverPubkey, out);
  } else if (done.op === "exit-fee") {
    const { isFundable, feeSat } = done;
    const s = sight(m, now);
    shepherd.feeHeard(m.shepherd, m.drive, s, { isFundable, feeSat }, out);
  }
}

function exits(
  m: Guardian, list: readonly Exit[], from: Mono, now: Mono, out: Effect[],
): void {
  m.exitsFrom = from;
  m.exits = new Map(list.slice(0, m.config.exitsMax).map((exit) => [exit.vtxo, exit]));
  const vtxos: string[] = [];
  const doubted: string[] = [];
  for (const { vtxo, state } of m.exits.values()) {
    // A state that this version has not may be a failure: its deadline is told as any other's.
    if (state === "unknown") doubted.push(vtxo);
    else if (state !== "canceled") vtxos.push(vtxo);
  }
  expiry.step(m.expiry, { type: "exiting", vtxos, doubted }, now, out);
}

/** What is believed of the chain outlives the process. */
function recordTip(m: Guardian, now: Mono, out: Effect[]): void {
  const { anchor, drive: d } = m;
  if (!m.isOpened || m.isStopping || anchor === undefined || !drive.isWritable(d)) return;
  const isDue = now >= m.recordAt;
  const tip = lasting.tipOf(m.expiry.height, d.book.tip, anchor, isDue, m.isMisdated, now);
  if (tip === undefined) return;
  m.isMisdated = false;
  m.recordAt = after(now, m.config.recordMs);
  drive.writeTip(d, tip, out);
}

function durable(m: Guardian, token: number, now: Mono, out: Effect[]): void {
  const settled = drive.durable(m.drive, token);
  if (settled === undefined || settled.aim === "refresh") return;
  shepherd.settled(m.shepherd, settled, sight(m, now), out);
}

/** Is nothing under way that must not be cut? */
export function isQuiet(m: Guardian): boolean {
  return m.drive.calls.size === 0 && m.drive.records.size === 0;
}
