/**
 * The safety of a maker daemon (M1 to M7, M9 to M15), seen from outside: its events and orders, the
 * wire, the bytes that the disk has promised to keep, and the truth of the chain.
 *
 * | id  | what must always hold                                     | where              |
 * |-----|-----------------------------------------------------------|--------------------|
 * | M1  | one connection to a directory                             | `maker-links.ts`   |
 * | M2  | waits within the law of backoff, reset by health alone    |                    |
 * | M3  | dials and handshakes end in time                          |                    |
 * | M4  | silence is asked about, and judged; no more than allowed  |                    |
 * | M5  | no directory waits for another; PING is answered at once  |                    |
 * | M6  | what is public is current, honourable and allowed         | `maker-offers.ts`  |
 * | M7  | all down and back again are told once each                | `maker-letters.ts` |
 * | M9  | nothing is given up that is there, nor before its time    | `maker-rows.ts`    |
 * | M10 | a status moves along its way                              |                    |
 * | M11 | no answer is not "not found"                              |                    |
 * | M12 | one notice of a confirmation, across restarts             | `maker-letters.ts` |
 * | M13 | what was durable stays, and nothing is told before        | `maker-file.ts`    |
 * | M14 | a signed request counts once                              | `maker-talk.ts`    |
 * | M15 | the own onion is what Tor says of it                      | `maker-onion.ts`   |
 *
 * Rule 1: what lives with the process is made anew with it; files, rows and letters outlive it.
 * @module
 */
import type { StoreEvent } from "../../core/history/store.ts";
import type { Coin } from "../../core/chain/chain.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import { NEVER, type Mono } from "../../core/time.ts";
import type { BotEffect, BotEvent } from "../vocabulary.ts";
import * as files from "./maker-file.ts";
import * as letters from "./maker-letters.ts";
import * as links from "./maker-links.ts";
import * as offers from "./maker-offers.ts";
import * as onion from "./maker-onion.ts";
import * as rows from "./maker-rows.ts";
import * as talk from "./maker-talk.ts";
import type { Violation } from "./violation.ts";

export type Observer = {
  readonly config: MakerConfig;
  readonly nick: string;
  links: links.Links;
  offers: offers.Offers;
  talk: talk.Talk;
  readonly onion: onion.Onion;
  readonly file: files.File;
  readonly rows: rows.Rows;
  readonly letters: letters.Letters;
  /** Since when records become durable without a failure, in true time. */
  wellUs: number;
  /** The last step, and what the process knew at most since a long pause, in true time. */
  lastUs: number;
  staleUs: number;
  staleUntilUs: number;
  /** Requests under way. */
  readonly open: Set<number>;
  /** Answers of the node that were whole, by request. */
  readonly answers: Map<number, { readonly atUs: number; readonly isSure: boolean }>;
};

/** What one step of the process has to do with. */
export type Step = {
  readonly event: BotEvent | Tick;
  readonly effects: readonly { readonly type: string }[];
  readonly now: Mono;
  readonly nowUs: number;
  /** What the process knows of its coins. */
  readonly coins: readonly Coin[];
  /**
   * The states that it says it is in; `undefined` while it stops; `same` of a step that does not
   * touch its onion service.
   */
  readonly names: readonly string[] | undefined | "same";
};

/** Of a bot whose history waits for `expected`. */
export function create(
  config: MakerConfig, nick: string,
  expected: readonly { readonly txid: string; readonly destination: string }[],
): Observer {
  return {
    config, nick, links: links.create(config), offers: offers.create(config),
    talk: talk.create(config, nick), onion: onion.create(config), file: files.create(),
    rows: rows.create(config, expected), letters: letters.create(),
    wellUs: 0, lastUs: -1, staleUs: 0, staleUntilUs: 0, open: new Set(),
    answers: new Map(),
  };
}

/** A process of the node has begun. */
export function booted(o: Observer): void {
  o.links = links.create(o.config);
  o.offers = offers.create(o.config);
  o.talk = talk.create(o.config, o.nick);
  onion.booted(o.onion);
  letters.booted(o.letters);
  o.answers.clear();
  o.open.clear();
}

/** The process is gone. */
export function crashed(o: Observer, nowUs: number): void {
  letters.crashed(o.letters, files.isWell(o.file) ? o.wellUs : nowUs, nowUs);
  files.crashed(o.file);
  rows.crashed(o.rows);
}

/** The node has answered a request at `atUs`; `isSure`: and knows what it does not have. */
export function told(o: Observer, req: number, isSure: boolean, atUs: number): void {
  if (o.open.has(req)) o.answers.set(req, { atUs, isSure });
}

/** One step of the process, with what it ordered. */
export function observe(o: Observer, s: Step): readonly Violation[] {
  const out: Violation[] = [];
  const { event, effects, now, nowUs } = s;
  aged(o, nowUs, now);
  if (event.type === "req.done" || event.type === "req.failed") answered(o, event, now, nowUs);
  if (isStore(event)) stored(o, event, nowUs, out);
  const ear: links.Ear = {
    heard: (link, type, text) => {
      offers.heard(o.offers, link, type, text, now);
      talk.heard(o.talk, link, type, text, now);
    },
    said: (link, type, text) => {
      offers.said(o.offers, o.nick, link, type, text, out);
      talk.said(o.talk, type, text, out);
      onion.said(o.onion, type, text, out);
    },
  };
  links.observe(o.links, event, effects, now, ear, out);
  for (const effect of effects) ordered(o, effect as BotEffect, now, nowUs, out);
  if (s.names !== "same") onion.observe(o.onion, event, effects, s.names, out);
  o.letters.onionLosses = o.onion.losses;
  const isLate = files.isLate(o.file, o.config.journal.slowMs, now);
  offers.judge(o.offers, o.links, s.coins, isLate || !files.isWell(o.file), now, out);
  if (o.links.isSettled && !o.links.isStopping) {
    const wellUs = files.isWell(o.file) ? o.wellUs : nowUs;
    letters.directories(o.letters, o.links.all.some(links.isUp), wellUs, nowUs, out);
  }
  return out;
}

/** After a long pause the process works with what it had heard before. */
const pauseUs = 60_000_000;
const afterwardsUs = 900_000_000;

function aged(o: Observer, nowUs: number, now: Mono): void {
  if (o.lastUs >= 0 && nowUs - o.lastUs > pauseUs) {
    // It has to ask before it can know that nobody answers.
    if (o.offers.answeredAt !== NEVER) o.offers.answeredAt = now;
    o.wellUs = nowUs;
    o.staleUs = o.lastUs - afterwardsUs;
    o.staleUntilUs = nowUs + afterwardsUs;
  }
  o.lastUs = nowUs;
}

function isStore(event: BotEvent | Tick): event is StoreEvent {
  return event.type.startsWith("store.");
}

function answered(
  o: Observer, event: Extract<BotEvent, { readonly type: "req.done" | "req.failed" }>, now: Mono,
  nowUs: number,
): void {
  // Who has given up waiting does not hear it.
  if (!o.open.delete(event.req)) return;
  const isTaken = event.type === "req.done" && event.status === 200;
  letters.answered(o.letters, event.req, isTaken, nowUs);
  const answer = o.answers.get(event.req);
  o.answers.delete(event.req);
  if (answer !== undefined && event.type === "req.done") o.offers.answeredAt = now;
  rows.answered(o.rows, event.req, answer?.isSure === true ? answer.atUs : undefined, now);
}

function stored(o: Observer, event: StoreEvent, nowUs: number, out: Violation[]): void {
  if (event.type === "store.failed" || event.type === "store.loaded") o.wellUs = nowUs;
  const staleUs = nowUs < o.staleUntilUs ? o.staleUs : nowUs;
  for (const body of files.answered(o.file, event, out)) {
    rows.durable(o.rows, body, staleUs, nowUs, out);
    letters.durable(o.letters, body, out);
    letters.delivered(o.letters, body);
  }
}

function ordered(
  o: Observer, effect: BotEffect, now: Mono, nowUs: number, out: Violation[],
): void {
  switch (effect.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      if (effect.type === "store.append") {
        rows.writes(o.rows, files.bodiesOf(effect.bytes), nowUs);
      }
      return files.ordered(o.file, effect, now, out);
    case "req.drop":
      o.open.delete(effect.req);
      o.answers.delete(effect.req);
      return;
    case "req.start":
      o.open.add(effect.req);
      if (effect.to === "bitcoind") return rows.asks(o.rows, effect.req, effect.body);
      return letters.leaves(o.letters, effect.req, effect.body, out);
    case "conn.close": case "conn.dial": case "conn.send": case "derive.want": case "exec.start":
    case "log": case "sign.want": case "stopped": case "conn.confide": case "cookie.want":
    case "nonce.want": case "key.load": case "key.save": return;
    default: effect satisfies never;
  }
}
