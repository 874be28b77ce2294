/**
 * What must come true for our makers after the heal: L1 and L2 for bots, and L5.
 *
 * | law | within, after the heal                        | what                                   |
 * |-----|-----------------------------------------------|----------------------------------------|
 * | L1  | `joinedMs`: silence noticed, the longest      | registered at every directory of the   |
 * |     | wait, dial, contest, handshake                | core that it knows, on the connection  |
 * |     |                                               | that it believes live; its own onion   |
 * |     |                                               | is served, if it has one (`servedMs`)  |
 * | L2  | `offeredMs`: L1, and a look at the coins, the | what it offers there is what the chain |
 * |     | disk's retry, the wait before an announcement | holds for it; nothing if that is none; |
 * |     |                                               | it gets through to its own onion       |
 * | L5  | `decidedMs`: an answer, or the whole timeout  | every transaction has the status that  |
 * |     |                                               | the chain implies                      |
 *
 * Rule 1: bounds are sums of the bot's own times, counted from the heal or from the last start of
 * the bot or the directory.
 * Rule 2: whatever is pending has a reason in words; excuses are those of `core.ts`.
 * @module
 */
import type { Maker } from "../../core/maker/node.ts";
import { isUp, type Link } from "../invariants/maker-links.ts";
import type { Observer } from "../invariants/maker.ts";
import { balanceOf } from "../invariants/maker-offers.ts";
import { placeAt, type Row } from "../invariants/maker-rows.ts";
import type { BotSpec } from "../scenario.ts";
import * as chain from "../bot/chain.ts";
import * as clocks from "../clocks.ts";
import {
  coreDirectories, directoryOf, goneMs, hasThieves, slackMs, type Pending,
} from "./core.ts";
import { groundOf } from "./makers.ts";
import type { OracleNode, OracleWorld } from "./world.ts";

export const botLaws = ["L1", "L2", "L5"] as const;
export type BotLaw = (typeof botLaws)[number];

export function isBotLaw(id: string): id is BotLaw {
  return botLaws.some((one) => one === id);
}

/** Tables of a bot that must not grow. */
export function tables(bot: OracleNode, out: Map<string, number>): void {
  const d = bot.kernel?.state as Maker | undefined;
  if (d === undefined) return;
  out.set(`${bot.id}: questions`, d.asked.size + d.requests.open.size);
  out.set(`${bot.id}: records`, d.recorded.size + d.journal.pending.queue.length);
  out.set(`${bot.id}: signatures`, d.signing.size);
  out.set(`${bot.id}: replies`, d.waiting.size + d.replies);
  out.set(`${bot.id}: late rows`, d.pending.asking.size + d.pending.telling.size);
}

/** Bots of the core that know a directory of the core. */
export function coreBots(w: OracleWorld): readonly OracleNode[] {
  return w.nodes.filter((node) => node.kind === "bot" && w.core.has(node.index));
}

/** L1 of a bot at a directory. */
export function joinedMs(w: OracleWorld, bot: OracleNode, directory: OracleNode): number {
  const link = bot.host?.config.pool.link;
  if (link === undefined) return 0;
  const silentMs = link.idleMs + link.pingGapMs + link.pongMs;
  const unheardMs = link.proveMs + link.unheardMs;
  const deafMs = silentMs > unheardMs ? silentMs : unheardMs;
  const spentMs = link.retriesMax > 0 ? link.spentMs : 0;
  const waitMs = link.retry.maxMs > spentMs ? link.retry.maxMs : spentMs;
  const contestMs = directory.config?.contestPingMs ?? 0;
  const ghostMs = hasThieves(w) ? goneMs(directory, false) : 0;
  const aloneMs = deafMs > ghostMs ? deafMs : ghostMs;
  return aloneMs + waitMs + link.dialMs + contestMs + link.handshakeMs + slackMs;
}

/** Until its own onion is served; hearing of the address first costs it its connections. */
export function servedMs(bot: OracleNode): number {
  const c = bot.host?.config.onion;
  if (c === undefined) return 0;
  return c.checkMs + c.retry.maxMs + c.fileMs + c.control.dialMs + slackMs;
}

/** From L1 to L2. */
export function offeredMs(bot: OracleNode): number {
  const c = bot.host?.config;
  if (c === undefined) return 0;
  return c.tip.pollMs + c.rescan.retryMsMax + c.rescan.intervalMs + 4 * (c.bitcoind?.callMs ?? 0)
    + c.journal.retryMaxMs + c.offers.announceDelayMaxMs + slackMs;
}

/** L5 of a bot. */
export function decidedMs(bot: OracleNode): number {
  const c = bot.host?.config;
  if (c === undefined) return 0;
  const { timeoutMs, lateCheckMs, checkMs, askMs } = c.pending;
  // Late rows wait for their turn, and what disappears waits for the timeout after that.
  return lateCheckMs + 2 * timeoutMs + 4 * (checkMs + askMs) + c.journal.retryMaxMs + slackMs;
}

/** When a law is due for a bot. */
export function dueMs(w: OracleWorld, law: BotLaw, bot: OracleNode): number {
  if (law === "L5") return decidedMs(bot);
  let most = 0;
  for (const directory of coreDirectories(w)) {
    const ms = joinedMs(w, bot, directory);
    if (ms > most) most = ms;
  }
  most += servedMs(bot);
  return law === "L1" ? most : most + offeredMs(bot);
}

/** From when on a bot has had no reason to be behind. */
export function sinceUs(w: OracleWorld, bot: OracleNode): number {
  const { healedUs, bootedUs } = w.oracles.liveness;
  let atUs = healedUs;
  for (const node of [bot, w.nodes[bot.host?.chain ?? -1], ...coreDirectories(w)]) {
    const upUs = node === undefined ? 0 : bootedUs.get(node.index) ?? 0;
    if (upUs > atUs) atUs = upUs;
  }
  const joinsUs = ((bot.spec as BotSpec).joinsAt ?? 0) * 1_000;
  return joinsUs > atUs ? joinsUs : atUs;
}

/** What is not as it should be by now. */
export function pending(w: OracleWorld, law: BotLaw, bot: OracleNode, out: Pending[]): void {
  const observer = w.oracles.watched[bot.index]?.maker;
  if (observer === undefined || bot.kernel === undefined) {
    out.push({ key: `${bot.id}`, node: bot, says: `${bot.id}: does not run` });
    return;
  }
  switch (law) {
    case "L1":
      if (observer.onion.config.onion !== undefined && !observer.onion.isServed) {
        out.push({ key: `${bot.id} onion`, node: bot, says: `${bot.id}: Tor serves no onion` });
      }
      eachLink(w, bot, observer, (link, directory) => {
        const says = apart(w, bot, link, directory);
        if (says !== undefined) out.push({ key: `${bot.id}@${directory.id}`, node: bot, says });
      });
      return;
    case "L2":
      if (isUnreachable(bot)) {
        const says = `${bot.id}: its visits to itself fail`;
        out.push({ key: `${bot.id} visits`, node: bot, says });
      }
      eachLink(w, bot, observer, (link, directory) => {
        if (!isUp(link) || apart(w, bot, link, directory) !== undefined) return;
        const says = offering(w, bot, link);
        if (says === undefined) return;
        const name = `${bot.id}@${directory.id}`;
        out.push({ key: `${name} offers`, node: bot, says: `${name}: ${says}` });
      });
      return;
    case "L5": return undecided(w, bot, observer, out);
    default: law satisfies never;
  }
}

/** Does it say that nobody gets through to its onion? */
function isUnreachable(bot: OracleNode): boolean {
  const state = bot.kernel?.state as Maker | undefined;
  return state?.errands?.onion.standing.reach.isReachable === false;
}

function eachLink(
  w: OracleWorld, bot: OracleNode, o: Observer,
  look: (link: Link, directory: OracleNode) => void,
): void {
  for (const directory of coreDirectories(w)) {
    const to = directory.identity.location ?? directory.id;
    const link = o.links.all.find((one) => one.to === to);
    if (link !== undefined && bot.host !== undefined) look(link, directory);
  }
}

/** Why the bot is not in. */
function apart(
  w: OracleWorld, bot: OracleNode, link: Link, directory: OracleNode,
): string | undefined {
  const name = `${bot.id}@${directory.id}`;
  const node = directoryOf(directory);
  if (node === undefined) return `${name}: ${directory.id} does not run`;
  if (node.registry.byNick.size >= node.config.peersMax) return undefined;
  const sinceMs = clocks.now(bot.clock, w.nowUs) - link.since;
  const sinceS = Math.floor(sinceMs / 1_000);
  if (link.phase !== "open" || link.conn === undefined) {
    return `${name}: ${link.phase === "none" ? "waiting to dial" : "dialling"} since ${sinceS} s`;
  }
  const far = bot.sockets.get(link.conn)?.peer;
  const owner = node.registry.byNick.get(bot.identity.nick)?.conn;
  if (far !== undefined && far.node === directory.index && far.conn === owner) return undefined;
  return `${name}: open since ${sinceS} s, on a connection that is not registered`;
}

/** Enough for any offer that is configured, with all that is drawn. */
const enoughSat = 1_000_000n;

function offering(w: OracleWorld, bot: OracleNode, link: Link): string | undefined {
  const ground = groundOf(w, bot);
  const state = bot.kernel?.state as Maker | undefined;
  if (ground === undefined || state === undefined) return undefined;
  const truthSat = balanceOf(state.config, chain.coinsOf(ground, bot.id));
  const size = link.offers.size;
  if (size === 0 && truthSat >= enoughSat) return `nothing is offered of ${truthSat} satoshis`;
  for (const text of link.offers.values()) {
    if (BigInt(text.split(" ")[3] ?? "0") <= truthSat) continue;
    return `more is offered than ${truthSat} satoshis`;
  }
  return undefined;
}

function undecided(w: OracleWorld, bot: OracleNode, o: Observer, out: Pending[]): void {
  const ground = groundOf(w, bot);
  if (ground === undefined) return;
  for (const row of o.rows.all) {
    if (row.id === 0) continue;
    const wanted = statusOf(ground, o, row, w.nowUs);
    if (wanted.includes(row.stage)) continue;
    const says = `${bot.id}: record ${row.id} is ${row.stage}, its transaction is`
      + ` ${placeAt(row, w.nowUs)}`;
    out.push({ key: `${bot.id} row ${row.id}`, node: bot, says });
  }
}

/** What the chain implies; what is settled stays so. */
function statusOf(
  ground: chain.Ground, o: Observer, row: Row, nowUs: number,
): readonly Row["stage"][] {
  if (row.stage === "settled") return ["settled"];
  switch (placeAt(row, nowUs)) {
    case "absent": return ["given-up"];
    case "pool": return ["waiting"];
    case "block": {
      const depth = chain.depthIn(ground, row.txid);
      return depth >= o.config.pending.settledMin ? ["settled"] : ["confirmed"];
    }
    default: return [];
  }
}
