/**
 * What must come true after the heal: L1 to L4 and L8, and L9, the closed list of excuses.
 *
 * | law | within, after the heal                   | what                                        |
 * |-----|------------------------------------------|---------------------------------------------|
 * | L1  | `soonMs`; late ones `lateMs`             | every honest peer of the core is registered |
 * |     |                                          | at every directory of the core that it      |
 * |     |                                          | knows, on the connection it believes live   |
 * | L2  | 60 s after L1                            | who collects offers there holds the current |
 * |     |                                          | ones of every maker, no others              |
 * | L3  | idle + sweep + pong; others hard + sweep | nobody who was cut off is registered        |
 * | L4  | 10 s after being asked, from L2 on       | a maker's answer reaches the taker          |
 * | L5  | see `oracles/recovery.ts`                | a maker's transactions are decided; L1, L2  |
 * |     |                                          | for makers of ours                          |
 * | L6  | at the end, see `oracles/ark-ends.ts`    | Ark wallets are seen and at rest; L7, L8    |
 * |     |                                          | for Ark daemons                             |
 * | L8  | the last 10 minutes                      | nothing grows, no record waits for its disk |
 *
 * Rule 1: a law is looked at twice, `againMs` apart; what is pending both times is broken. A peer
 * that a directory has just let go for its silence is back by then. Its questions and those to it
 * are lost with its connection, and no answer is awaited to them.
 * Rule 2: bounds are sums of the times that peers and directories take by their own rules
 * (`soonMs`, `lateMs`), counted from the heal, or from the last start of either, or from the end of
 * an absence that the peer was asked for.
 * Rule 3: L9: whatever is pending has a reason; who is excused is so by name (`excuses`), and there
 * is no other excuse.
 * @module
 */
import type { Told } from "./actors/told.ts";
import * as clocks from "./clocks.ts";
import * as journals from "./invariants/journal.ts";
import {
  boundMs, collected, coreDirectories, coreMakers, corePeers, directoryOf, ghosts, goneMs, isFree,
  isLate, isUp, knows, registered, sinceUs, slackMs, type Pending,
} from "./oracles/core.ts";
import * as arks from "./oracles/ark-ends.ts";
import * as recovery from "./oracles/recovery.ts";
import type { Law, LawId, Liveness, Sizes } from "./oracles/state.ts";
import type { Asked, OracleNode, OracleWorld } from "./oracles/world.ts";
import { shapeOf } from "./outcome.ts";
import type { NodeId } from "./scenario.ts";
import * as queue from "./queue.ts";

export { excuses, lateMs, soonMs } from "./oracles/core.ts";

/** Two looks at a law are so far apart. */
export const againMs = 60_000;
/** From L1 to L2. */
const bookMs = 60_000;
/** L4: from the question to the answer. */
const answerMs = 10_000;
/** L8 looks at the last so many ms. */
const quietMs = 600_000;
/** L8: what may come and go all the time. */
const growthMax = 16;
const growthBytesMax = 65_536;
/** Questions for L4, in all. */
const questionsMax = 32;

/** Nothing is due before the heal. */
export function create(): Liveness {
  return {
    healedUs: -1, laws: [], first: new Map(), bootedUs: new Map(), awayUs: new Map(),
    questions: new Map(), silenced: new Set(), early: undefined, hasThieves: undefined,
  };
}

/** The node's process has started. */
export function booted(w: OracleWorld, node: OracleNode): void {
  w.oracles.liveness.bootedUs.set(node.index, w.nowUs);
}

/** The peer was asked to stay away for so long. */
export function sentAway(w: OracleWorld, node: OracleNode, forMs: number): void {
  w.oracles.liveness.awayUs.set(node.index, w.nowUs + forMs * 1_000);
}

/** One fact of an honest peer: questions and answers count from L2 on. */
export function told(w: OracleWorld, node: OracleNode, what: Told): void {
  const l = w.oracles.liveness;
  if (l.healedUs < 0) return;
  if (what.fact === "answered") l.questions.delete(`${node.index}:${what.tag}`);
  if (what.fact === "down") l.silenced.delete(`${node.index}@${what.directory}`);
  if (what.fact !== "asked" || !w.core.has(node.index) || !isSettled(w, node)) return;
  const to = coreMakers(w).find((one) => one.identity.nick === what.to);
  if (to === undefined || !isSettled(w, to) || l.questions.size >= questionsMax) return;
  for (const { index } of [node, to]) if (l.silenced.has(`${index}@${what.directory}`)) return;
  if (!isUp(w, node, what.directory) || !isUp(w, to, what.directory)) return;
  const says = `${node.id}@${what.directory}: no answer from ${to.id}`;
  l.questions.set(`${node.index}:${what.tag}`, {
    says, node: node.index, to: to.index, directory: what.directory, atUs: w.nowUs,
  });
  push(w, { id: "L4", isLate: false, isSecond: true }, w.nowUs + answerMs * 1_000);
}

/**
 * Rule 1: who cannot say that he is there may be let go just as he is asked, or asks. Until he
 * hears of it his connection passes for a live one.
 */
export function silenced(w: OracleWorld, at: NodeId, nick: string, reason: string): void {
  const { healedUs, questions: open, silenced: gone } = w.oracles.liveness;
  if (healedUs < 0 || !silences.has(reason)) return;
  for (const one of corePeers(w)) {
    if (one.identity.nick !== nick || !isLate(w, one)) continue;
    gone.add(`${one.index}@${at}`);
    for (const [key, { node, to, directory }] of open) {
      if (directory === at && (node === one.index || to === one.index)) open.delete(key);
    }
  }
}

/** For these a directory ends the connection of one from whom it has heard nothing. */
const silences: ReadonlySet<string> = new Set(["idle-timeout", "pong-timeout", "nick-contest"]);

/** Has L2 of such peers been looked at? Until then a dead connection may pass for a live one. */
function isSettled(w: OracleWorld, peer: OracleNode): boolean {
  return w.oracles.liveness.first.has(isLate(w, peer) ? "L2 late" : "L2 soon");
}

type Check = { readonly kind: string; readonly at: number };

function push(w: OracleWorld, law: Law, atUs: number): void {
  const { laws } = w.oracles.liveness;
  if (atUs < w.nowUs || atUs > w.endUs) return;
  laws.push(law);
  const item: Check = { kind: "check", at: laws.length - 1 };
  queue.push(w.queue, atUs, item);
}

/** The core has just been healed: laws are looked at when they are due. */
export function healed(w: OracleWorld): void {
  const l = w.oracles.liveness;
  l.healedUs = w.nowUs;
  const directories = coreDirectories(w);
  if (directories.length === 0) return;
  for (const bot of recovery.coreBots(w)) {
    for (const id of recovery.botLaws) {
      const law: Law = { id, isLate: false, isSecond: false, bot: bot.index };
      push(w, law, w.nowUs + recovery.dueMs(w, id, bot) * 1_000);
    }
  }
  push(w, { id: "L8", isLate: false, isSecond: false }, w.endUs - quietMs * 1_000);
  for (const late of [false, true]) {
    let lastUs = -1;
    for (const directory of directories) {
      const atUs = w.nowUs + boundMs(directory, late) * 1_000;
      if (atUs > lastUs) lastUs = atUs;
      const goneUs = w.nowUs + (goneMs(directory, !late) + slackMs) * 1_000;
      push(w, { id: "L3", isLate: late, isSecond: false }, goneUs);
    }
    push(w, { id: "L1", isLate: late, isSecond: false }, lastUs);
    push(w, { id: "L2", isLate: late, isSecond: false }, lastUs + bookMs * 1_000);
  }
}

/**
 * A law is due. Returns what peers are to be asked now, so that L4 has something to see.
 */
export function due(w: OracleWorld, at: number): readonly Asked[] {
  const law = w.oracles.liveness.laws[at];
  if (law === undefined) return [];
  if (law.bot !== undefined) {
    ofBot(w, law, law.bot);
    return [];
  }
  const l = w.oracles.liveness;
  if (law.id === "L8") l.early = sizes(w);
  const found = pendingOf(w, law);
  const name = `${law.id} ${law.isLate ? "late" : "soon"}`;
  const before = l.first.get(name);
  if (law.isSecond) {
    const both = found.filter((one) => law.id === "L4" || before?.has(one.key) === true);
    if (both.length > 0) expire(w, law.id, both);
    return [];
  }
  const keys = before ?? new Set();
  for (const one of found) keys.add(one.key);
  l.first.set(name, keys);
  if (found.length > 0) push(w, { ...law, isSecond: true }, w.nowUs + againMs * 1_000);
  if (law.id === "L1" || law.id === "L2") push(w, law, eachPair(w, law, () => {}));
  return law.id === "L2" ? questions(w) : [];
}

/** A law about a bot: like the others, once its time has come for this bot. */
function ofBot(w: OracleWorld, law: Law, index: number): void {
  const bot = w.nodes[index];
  if (bot === undefined || !recovery.isBotLaw(law.id)) return;
  const atUs = recovery.sinceUs(w, bot) + recovery.dueMs(w, law.id, bot) * 1_000;
  if (w.nowUs < atUs) return push(w, { ...law, isSecond: false }, atUs);
  const found: Pending[] = [];
  recovery.pending(w, law.id, bot, found);
  const { first } = w.oracles.liveness;
  const name = `${law.id} ${bot.id}`;
  if (law.isSecond) {
    const both = found.filter((one) => first.get(name)?.has(one.key) === true);
    if (both.length > 0) expire(w, law.id, both);
  } else if (found.length > 0) {
    first.set(name, new Set(found.map(({ key }) => key)));
    push(w, { ...law, isSecond: true }, w.nowUs + againMs * 1_000);
  }
}

function pendingOf(w: OracleWorld, law: Law): readonly Pending[] {
  const out: Pending[] = [];
  switch (law.id) {
    case "L1": eachPair(w, law, (peer, at) => registered(w, peer, at, out)); break;
    case "L2": eachPair(w, law, (peer, at) => collected(w, law, peer, at, out)); break;
    case "L3": for (const at of coreDirectories(w)) ghosts(w, at, !law.isLate, out); break;
    case "L4": unanswered(w, out); break;
    case "L5": case "L6": case "L7": case "L8": break;
    default: law.id satisfies never;
  }
  return out;
}

/**
 * Every reason for which something is not yet as it should be, in words: "maker3@dir1: shaking
 * hands since 2,131 s".
 */
export function pending(w: OracleWorld): readonly string[] {
  const found: string[] = [];
  for (const id of ["L1", "L2", "L3", "L4"] as const) {
    for (const late of [false, true]) {
      if (id === "L4" && late) continue;
      for (const one of pendingOf(w, { id, isLate: late, isSecond: true })) found.push(one.says);
    }
  }
  for (const bot of recovery.coreBots(w)) {
    const own: Pending[] = [];
    for (const id of recovery.botLaws) recovery.pending(w, id, bot, own);
    for (const one of own) found.push(one.says);
  }
  for (const one of unrested(w)) found.push(one.says);
  return found;
}

function expire(w: OracleWorld, id: LawId, found: readonly Pending[]): void {
  const first = found[0];
  if (first === undefined || w.finding !== undefined) return;
  const { says } = first;
  w.finding = {
    id, node: first.node.id, says, shape: shapeOf(id, says), step: w.steps < 1 ? 0 : w.steps - 1,
    atUs: w.nowUs, pending: pending(w).slice(0, pendingMax),
  };
}

/** Reasons that a finding holds. */
const pendingMax = 64;

/** Pairs of the core whose time has come; returns when the last of the others has its, or -1. */
function eachPair(
  w: OracleWorld, law: Law, look: (peer: OracleNode, directory: OracleNode) => void,
): number {
  let laterUs = -1;
  for (const directory of coreDirectories(w)) {
    for (const peer of corePeers(w)) {
      if (!isAbout(w, law, peer) || !knows(peer, directory)) continue;
      const moreMs = law.id === "L2" ? bookMs : 0;
      const atUs = sinceUs(w, peer, directory) + (boundMs(directory, law.isLate) + moreMs) * 1_000;
      if (w.nowUs >= atUs) look(peer, directory);
      else if (atUs > laterUs) laterUs = atUs;
    }
  }
  return laterUs;
}

/** New peers hold what old makers say no earlier than those notice a dead connection. */
function isAbout(w: OracleWorld, law: Law, peer: OracleNode): boolean {
  return isLate(w, peer) === law.isLate || (law.isLate && law.id === "L2");
}

/** L4: questions that are not answered in time. */
function unanswered(w: OracleWorld, out: Pending[]): void {
  for (const [key, one] of w.oracles.liveness.questions) {
    if (w.nowUs < one.atUs + answerMs * 1_000) continue;
    out.push({ key, node: w.nodes[one.node] as OracleNode, says: one.says });
  }
}

/** Each taker of the core asks a maker of the core, of those that are settled. */
function questions(w: OracleWorld): readonly Asked[] {
  const makers = coreMakers(w).filter((one) => one.kernel !== undefined && isSettled(w, one));
  const out: Asked[] = [];
  for (const [at, taker] of corePeers(w).entries()) {
    const maker = makers[at % (makers.length === 0 ? 1 : makers.length)];
    if (taker.spec.kind !== "taker" || maker === undefined || out.length >= questionsMax) continue;
    if (!isSettled(w, taker)) continue;
    out.push({ node: taker.index, task: { op: "fill", maker: maker.id, bytes: 100 } });
  }
  return out;
}

/** The end: nothing of the core has grown in the last ten minutes, and no journal is stuck. */
export function finished(w: OracleWorld): void {
  unwritten(w);
  for (const law of arks.arkLaws) expire(w, law, unrested(w, law));
  const before = w.oracles.liveness.early;
  if (before === undefined || w.nodes.some((node) => isFree(w, node))) return;
  const found: Pending[] = [];
  for (const [name, size] of sizes(w)) {
    const most = (before.get(name) ?? 0) + (name.endsWith("bytes") ? growthBytesMax : growthMax);
    const node = w.byId.get(name.slice(0, name.indexOf(":")));
    if (size <= most || node === undefined) continue;
    found.push({ key: name, node, says: `${name} grew to ${size} in ten minutes` });
  }
  expire(w, "L8", found);
}

/** What Ark daemons should have come to by now. */
function unrested(w: OracleWorld, only?: arks.ArkLaw): readonly Pending[] {
  const out: Pending[] = [];
  for (const node of w.nodes) {
    if (node.kind !== "fleet") continue;
    for (const law of arks.arkLaws) {
      if (only === undefined || law === only) arks.pending(w, law, node, out);
    }
  }
  return out;
}

/** Records that wait all the time, though their disk has been well. */
function unwritten(w: OracleWorld): void {
  const { healedUs, bootedUs } = w.oracles.liveness;
  const found: Pending[] = [];
  for (const node of w.nodes) {
    const observer = w.oracles.watched[node.index]?.journal;
    const since = observer === undefined ? undefined : journals.waitingSince(observer);
    if (since === undefined || !w.core.has(node.index) || healedUs < 0) continue;
    const wellUs = Math.max(healedUs, bootedUs.get(node.index) ?? 0);
    const waitedMs = clocks.now(node.clock, w.nowUs) - since;
    if (w.nowUs - wellUs < quietMs * 1_000 || waitedMs < quietMs) continue;
    const says = `${node.id}: a record waits for the disk since ${Math.floor(waitedMs / 1_000)} s`;
    found.push({ key: node.id, node, says });
  }
  expire(w, "L8", found);
}

function sizes(w: OracleWorld): Sizes {
  const out: Sizes = new Map();
  for (const node of w.nodes) {
    if (!w.core.has(node.index) || node.kernel === undefined) continue;
    out.set(`${node.id}: connections`, node.sockets.size);
    if (node.kind === "directory") tables(node, out);
    if (node.kind === "bot") recovery.tables(node, out);
  }
  return out;
}

function tables(node: OracleNode, out: Sizes): void {
  const d = directoryOf(node);
  if (d === undefined) return;
  out.set(`${node.id}: queued bytes`, d.outbox.totalBytes + d.outbox.pieceBytes);
  out.set(`${node.id}: unfinished bytes`, d.sessions.pendingBytes);
  out.set(`${node.id}: handshakes`, d.sessions.shaking.due.size);
  out.set(`${node.id}: late lines`, d.sessions.unfinished.due.size);
  out.set(`${node.id}: closing`, d.sessions.closing.due.size);
  out.set(`${node.id}: stuck readers`, d.outbox.stuck.due.size);
  out.set(`${node.id}: pings`, d.heartbeat.pending.size);
  out.set(`${node.id}: contests`, d.contest.open.size + d.contest.waiting.size);
  out.set(`${node.id}: peace`, d.contest.peace.size);
  out.set(`${node.id}: lists`, d.listing.cursors.size);
  out.set(`${node.id}: notices`, d.leaves.gone.size);
  out.set(`${node.id}: random bytes`, d.draws.size);
}
