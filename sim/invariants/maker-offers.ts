/**
 * M6 of a maker daemon: what it says in public, and what it answers.
 *
 * Rule 1: after each step every directory that is up and takes bytes has been told the same offers,
 * each once for each connection and change, and none before it let us in.
 * Rule 2: what is public can be honoured from the coins that the process knows.
 * Rule 3: nothing is public while records do not become durable, nor when the node has not answered
 * for longer than all its times allow.
 * Rule 4: a bond is never public. A request for the order book is answered at most once, by the
 * directory that brought it.
 * @module
 */
import * as envelope from "../../core/joinmarket/envelope.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import type { Coin } from "../../core/chain/chain.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";
import { isUp, type Link, type Links } from "./maker-links.ts";
import { violation, type Violation } from "./violation.ts";

const { types } = envelope;

/** Requests of one nick that came close together, and lines of answers since the first of them. */
type Asker = { requests: number; lines: number; lastAt: Mono };

export type Offers = {
  readonly config: MakerConfig;
  /** Something public was said or lost in this step. */
  isTouched: boolean;
  coins: readonly Coin[] | undefined;
  /** The last whole answer of the node. */
  answeredAt: Mono;
  /** By directory and nick. */
  readonly askers: Map<string, Asker>;
  /** For goals. */
  shrunk: number;
  wasPublic: boolean;
};

export function create(config: MakerConfig): Offers {
  return {
    config, isTouched: false, coins: undefined, answeredAt: NEVER,
    askers: new Map(), shrunk: 0, wasPublic: false,
  };
}

/** Requests further apart are judged for themselves: an answer takes no longer. */
const apartMs = 120_000;

/** A frame came by way of a directory. */
export function heard(m: Offers, link: Link, type: number, text: string, now: Mono): void {
  if (type !== types.PUBMSG || !isUp(link)) return;
  const found = /^([0-9A-Za-z]{16})!PUBLIC!orderbook/.exec(text);
  if (found === null) return;
  const who = `${link.to} ${found[1]}`;
  const asker = m.askers.get(who);
  if (asker === undefined || now >= after(asker.lastAt, apartMs)) {
    m.askers.set(who, { requests: 1, lines: 0, lastAt: now });
    return;
  }
  asker.requests += 1;
  asker.lastAt = now;
}

/** The process says something by way of a directory. */
export function said(
  m: Offers, nick: string, link: Link, type: number, text: string, out: Violation[],
): void {
  const at = link.conn === undefined ? {} : { conn: link.conn };
  if (type === types.PRIVMSG) return answered(m, nick, link, text, out);
  if (type !== types.PUBMSG) return;
  m.isTouched = true;
  if (link.upAt === NEVER) out.push(violation("M6", "it announces before it is let in", at));
  if (/tbond/i.test(text)) out.push(violation("M6", "a bond is public", at));
  const head = `${nick}!PUBLIC!`;
  if (!text.startsWith(head)) return void out.push(violation("M6", "a line of another", at));
  for (const command of text.slice(head.length).split("!")) uttered(link, command, out);
}

function uttered(link: Link, command: string, out: Violation[]): void {
  const at = link.conn === undefined ? {} : { conn: link.conn };
  const [word = "", oid = ""] = command.split(" ");
  if (word === "cancel") {
    if (link.offers.delete(oid)) return;
    return void out.push(violation("M6", "it cancels what is not public there", at));
  }
  if (link.offers.get(oid) === command) {
    out.push(violation("M6", "an offer is announced twice on a connection", at));
  }
  link.offers.set(oid, command);
}

/** Private lines to one who asked: one for each offer and request. */
function answered(
  m: Offers, nick: string, link: Link, text: string, out: Violation[],
): void {
  const found = /^[0-9A-Za-z]{16}!([0-9A-Za-z]{16})!((?:sw|tr)0(?:abs|rel)offer) ([0-9]+) /
    .exec(text);
  if (found === null || !text.startsWith(`${nick}!`)) return;
  const asker = m.askers.get(`${link.to} ${found[1]}`);
  if (asker === undefined) {
    const nobody = "a request for the order book is answered where nobody made it";
    return void out.push(violation("M6", nobody, { nick: found[1] as string }));
  }
  asker.lines += 1;
  if (asker.lines <= m.config.offers.terms.length * asker.requests) return;
  out.push(violation("M6", "a request for the order book is answered more than once", {
    nick: found[1] as string,
  }));
}

/** After each step. `isFailing`: records do not become durable. */
export function judge(
  m: Offers, links: Links, coins: readonly Coin[], isFailing: boolean, now: Mono,
  out: Violation[],
): void {
  const isSeen = coins === m.coins && !m.isTouched;
  if (m.isTouched && coins !== m.coins && m.wasPublic) m.shrunk += 1;
  m.coins = coins;
  m.isTouched = false;
  let first: Link | undefined;
  for (const link of links.all) {
    if (!isUp(link) || link.isCongested) continue;
    if (!isSeen && first !== undefined && !isSame(first, link)) {
      out.push(violation("M6", "two directories were told different offers"));
    }
    first ??= link;
  }
  if (first === undefined || first.offers.size === 0) {
    m.wasPublic = false;
    return;
  }
  m.wasPublic = true;
  if (isFailing) out.push(violation("M6", "offers are public, and records not durable"));
  const { network } = m.config;
  if (network === "mainnet") out.push(violation("M6", "offers are public on mainnet"));
  if (now > after(m.answeredAt, patienceMs(m.config))) {
    out.push(violation("M6", "offers are public, and the node has been silent for long"));
  }
  if (!isSeen) honourable(first, balanceOf(m.config, coins), out);
}

function isSame(a: Link, b: Link): boolean {
  if (a.offers.size !== b.offers.size) return false;
  for (const [oid, text] of a.offers) if (b.offers.get(oid) !== text) return false;
  return true;
}

/** A look at the tip, its time-out, the time until it counts as down, the grace. */
export function patienceMs(c: MakerConfig): number {
  const callMs = c.bitcoind?.callMs ?? 0;
  return c.tip.pollMs + 2 * callMs + c.wallet.downMs + c.offers.backendGraceMs + slackMs;
}

const slackMs = 5_000;

/** What the largest mixdepth holds; of the first, its largest coin. */
export function balanceOf(c: MakerConfig, coins: readonly Coin[]): bigint {
  const sums = new Map<number, bigint>();
  for (const { mixdepth, valueSat, confirmations, isLocked } of coins) {
    if (isLocked || confirmations < c.coins.confirmationsMin) continue;
    const before = sums.get(mixdepth) ?? 0n;
    if (mixdepth !== 0) sums.set(mixdepth, before + valueSat);
    else if (valueSat > before) sums.set(mixdepth, valueSat);
  }
  let most = 0n;
  for (const sum of sums.values()) if (sum > most) most = sum;
  return most;
}

/** JoinMarket's dust: what is left over must be more. */
const dustSat = 27_300n;

function honourable(link: Link, balanceSat: bigint, out: Violation[]): void {
  for (const text of link.offers.values()) {
    const [word = "", , min = "", max = "", txfee = "", fee = ""] = text.split(" ");
    const [minSat, maxSat, txfeeSat] = [BigInt(min), BigInt(max), BigInt(txfee)];
    const feeSat = word.includes("abs") ? BigInt(fee) : partOf(maxSat, fee);
    const needed = maxSat + txfeeSat + dustSat + 1n - feeSat;
    if (needed > balanceSat) {
      out.push(violation("M6", `an offer needs ${needed} satoshis of ${balanceSat}`));
    }
    if (minSat > maxSat || minSat < dustSat) {
      out.push(violation("M6", `an offer from ${minSat} to ${maxSat} satoshis`));
    }
    if (txfeeSat > (word.includes("abs") ? feeSat : partOf(minSat, fee))) {
      out.push(violation("M6", "an offer that can cost more than it earns"));
    }
  }
}

/** A decimal fraction of an amount, to the nearest satoshi, a half to the even one. */
function partOf(sat: bigint, fraction: string): bigint {
  const [whole = "0", digits = ""] = fraction.split(".");
  const scale = 10n ** BigInt(digits.length);
  const product = sat * (BigInt(whole) * scale + BigInt(digits === "" ? "0" : digits));
  const down = product / scale;
  const twice = 2n * (product - down * scale);
  return twice > scale || (twice === scale && down % 2n === 1n) ? down + 1n : down;
}
