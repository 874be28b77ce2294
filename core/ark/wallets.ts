/**
 * The machines of one wallet, and who hears what they say.
 *
 * Rule 1: what the guard has done is work for the background: a refresh wakes the sync, an exit the
 * exits, a new height both.
 * Rule 2: news, the end of a round and a program that is back let the guard look at once, but no
 * more than once in `nudgeMs`: whoever makes news makes no storm.
 * Rule 3: a server that shows another key than before is barred, also where the wallet's program
 * sees nothing wrong with it: nothing is refreshed there. Exits go on, and so does the probe.
 * @module
 */
import { unreachable } from "../assert.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as asking from "./asking.ts";
import * as books from "./books.ts";
import type { Asker } from "./calls.ts";
import * as daemon from "./daemon.ts";
import { laneNames } from "./daemon-events.ts";
import * as facts from "./facts.ts";
import * as guardian from "./guardian.ts";
import type { Shown } from "./intents.ts";
import * as news from "./news.ts";
import { laneOf, logOf, named, type Ark, type Node, type Turn } from "./node.ts";
import * as programs from "./programs.ts";
import * as reports from "./reports.ts";
import { unavailable, type Answer, type Op } from "./wallet.ts";
import * as watch from "./watch.ts";

/** It is this wallet's turn to begin. */
export function start(d: Ark, node: Node, t: Turn): void {
  node.startAt = NEVER;
  programs.tell(d, node, { type: "started" }, t);
  toWatch(d, node, { type: "started" }, t);
  // The guard looks before its wallet's turn to begin has come: what was heard is no news any more.
  for (const of of watch.watched) {
    const { state, evidence } = facts.factOf(node.daemon.facts, of);
    if (state === "up") toWatch(d, node, { type: "edge", of, to: "up", evidence }, t);
  }
  const hasRounds = node.config.rounds !== undefined;
  toDaemon(d, node, { type: "started", hasRounds, hasMailbox: false }, t);
  toNews(d, node, { type: "started" }, t);
  toBooks(d, node, { type: "started" }, t);
}

/** Nothing new is asked. */
export function stop(d: Ark, node: Node, t: Turn): void {
  node.startAt = NEVER;
  node.nudgeAt = NEVER;
  toWatch(d, node, { type: "stopped" }, t);
  toNews(d, node, { type: "stopped" }, t);
  toBooks(d, node, { type: "stopped" }, t);
  toGuardian(d, node, { type: "stopping" }, t);
  toDaemon(d, node, { type: "stop", isWaiting: true }, t);
}

/** When any of its machines is due. */
export function deadline(node: Node): Mono {
  const work = soonest(daemon.deadline(node.daemon), guardian.deadline(node.guardian));
  const rest = soonest(news.deadline(node.news), books.deadline(node.books));
  const own = soonest(node.startAt, soonest(node.nudgeAt, watch.deadline(node.watch)));
  return soonest(soonest(work, programs.deadline(node)), soonest(rest, own));
}

/** Does what is due. */
export function tick(d: Ark, node: Node, t: Turn): void {
  const event = { type: "tick" } as const;
  if (node.startAt <= t.now) start(d, node, t);
  if (node.nudgeAt <= t.now) look(d, node, t);
  if (programs.deadline(node) <= t.now) programs.tell(d, node, event, t);
  if (watch.deadline(node.watch) <= t.now) toWatch(d, node, event, t);
  if (daemon.deadline(node.daemon) <= t.now) toDaemon(d, node, event, t);
  if (guardian.deadline(node.guardian) <= t.now) toGuardian(d, node, event, t);
  if (news.deadline(node.news) <= t.now) toNews(d, node, event, t);
  if (books.deadline(node.books) <= t.now) toBooks(d, node, event, t);
}

/** Rule 2. */
export function nudge(d: Ark, node: Node, t: Turn): void {
  if (d.phase !== "running") return;
  const { nudgedAt } = node;
  const openAt = nudgedAt === undefined ? t.now : after(nudgedAt, d.config.nudgeMs);
  if (openAt <= t.now) return look(d, node, t);
  t.touched.add(node);
  node.nudgeAt = openAt;
}

function look(d: Ark, node: Node, t: Turn): void {
  node.nudgedAt = t.now;
  node.nudgeAt = NEVER;
  toGuardian(d, node, { type: "nudged" }, t);
}

/** An answer for whoever asked, and what follows from it for the others. */
export function answered(d: Ark, asker: Asker, op: Op, answer: Answer, t: Turn): void {
  const node = named(d, asker.wallet);
  asking.heard(d, asker, op, answer, t);
  programs.heard(d, node, answer, t);
  const { who, token } = asker;
  const event = { type: "answered", token, answer } as const;
  if (who !== "daemon") toDaemon(d, node, { type: "heard", op: op.op, answer }, t);
  switch (who) {
    case "daemon": {
      const lane = laneNames.find((name) => name === asker.lane);
      if (lane !== undefined) toDaemon(d, node, { ...event, lane }, t);
      return;
    }
    case "guardian":
      toGuardian(d, node, event, t);
      return follow(d, node, op, answer, t);
    case "news": return toNews(d, node, event, t);
    case "books":
      toBooks(d, node, event, t);
      return identified(d, node, answer, t);
    default: return unreachable(who); /* c8 ignore next */
  }
}

/** Rule 1. */
function follow(d: Ark, node: Node, op: Op, answer: Answer, t: Turn): void {
  if (!answer.ok || d.phase !== "running") return;
  if (op.op === "refresh") return toDaemon(d, node, { type: "work" }, t);
  if (op.op === "exit" || op.op === "claim") return toDaemon(d, node, { type: "exit" }, t);
  if (answer.done.op !== "tip" || answer.done.height === node.height) return;
  const isFirst = node.height === undefined;
  node.height = answer.done.height;
  if (!isFirst) toDaemon(d, node, { type: "tip" }, t);
}

/** The guard acts for one wallet only. */
function identified(d: Ark, node: Node, answer: Answer, t: Turn): void {
  if (!answer.ok || answer.done.op !== "identity") return;
  const { fingerprint } = answer.done;
  if (fingerprint !== undefined) toGuardian(d, node, { type: "identified", fingerprint }, t);
}

/** Rule 3. */
const otherKey = unavailable("server-key", "ark-key", "the server shows another key than before");

/** The operator has looked. Whom the program itself refuses is asked again at least. */
export function trust(d: Ark, node: Node, looked: Shown | undefined, t: Turn): void {
  toGuardian(d, node, { type: "trusted", looked }, t);
  if (node.guardian.trust.server.isOther) return;
  if (node.daemon.facts.isBarred) logOf(d, node, "warn", "ark.unbarred", {}, t);
  toDaemon(d, node, { type: "trusted" }, t);
}

/** Something for the background. */
export function toDaemon(d: Ark, node: Node, event: daemon.Event, t: Turn): void {
  t.touched.add(node);
  const wishes: daemon.Effect[] = [];
  daemon.step(node.daemon, event, t.now, wishes);
  const wallet = node.config.name;
  for (const wish of wishes) {
    switch (wish.type) {
      case "call": {
        const asker = { wallet, who: "daemon", lane: wish.lane, token: wish.token } as const;
        asking.ask(d, node, asker, wish.call, wish.waitMs, t);
        break;
      }
      case "drop": asking.drop(d, node, wish.lane, wish.token, t); break;
      case "subscribe": asking.subscribe(d, node, wish.stream, wish.token, t); break;
      case "close": asking.close(d, node, wish.stream, t); break;
      // Nobody wishes for a second run in one process.
      case "start": break;
      case "barred":
        toGuardian(d, node, { type: "barred", isBarred: true }, t);
        reports.told(d, node, wish, t);
        break;
      case "ready": case "edge": case "connected": case "round": case "began":
      case "lagging": case "ran": case "failed": case "unsupported": case "overdue": case "late":
      case "passed": case "behind": case "caught-up": case "over": case "moved":
      case "went-back": case "stuck": case "still": case "stop-answered": case "stopped":
      case "drained":
        if (reports.told(d, node, wish, t)) nudge(d, node, t);
        if (wish.type === "edge" && wish.of === "program" && wish.to === "up") back(d, node, t);
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** Something for the guard. */
export function toGuardian(d: Ark, node: Node, event: guardian.Event, t: Turn): void {
  t.touched.add(node);
  const wishes: guardian.Effect[] = [];
  guardian.step(node.guardian, event, t.now, wishes);
  const wallet = node.config.name;
  for (const wish of wishes) {
    switch (wish.type) {
      case "call": {
        const asker = { wallet, who: "guardian", lane: wish.lane, token: wish.token } as const;
        asking.ask(d, node, asker, wish.call, wish.waitMs, t);
        break;
      }
      case "record": {
        const recorder = { who: "guardian", wallet, token: wish.token, body: wish.body } as const;
        t.todo.push({ do: "record", recorder });
        break;
      }
      case "notice": t.todo.push({ do: "notice", notice: wish.notice }); break;
      case "rekeyed":
        toDaemon(d, node, { type: "heard", op: "ark-info", answer: otherKey }, t);
        break;
      case "log": logOf(d, node, wish.level, wish.code, wish.fields, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The question for news is held back for long: that it works would be seen late. */
function back(d: Ark, node: Node, t: Turn): void {
  const lane = laneOf(node, "news");
  lane.failures = 0;
  lane.why = "";
  toNews(d, node, { type: "back" }, t);
  toBooks(d, node, { type: "nudged" }, t);
}

function toNews(d: Ark, node: Node, event: news.Event, t: Turn): void {
  t.touched.add(node);
  const wishes: news.Effect[] = [];
  news.step(node.news, event, t.now, wishes);
  for (const wish of wishes) {
    if (wish.type === "call") {
      const { token, call, waitMs } = wish;
      const asker = { wallet: node.config.name, who: "news", lane: "news", token } as const;
      asking.ask(d, node, asker, call, waitMs, t);
    } else {
      toDaemon(d, node, { type: "news" }, t);
      toBooks(d, node, { type: "nudged" }, t);
      nudge(d, node, t);
    }
  }
}

function toBooks(d: Ark, node: Node, event: books.Event, t: Turn): void {
  t.touched.add(node);
  const wishes: books.Effect[] = [];
  books.step(node.books, event, t.now, wishes);
  for (const { token, call, waitMs } of wishes) {
    const asker = { wallet: node.config.name, who: "books", lane: "books", token } as const;
    asking.ask(d, node, asker, call, waitMs, t);
  }
}

function toWatch(d: Ark, node: Node, event: watch.Event, t: Turn): void {
  t.touched.add(node);
  reports.watched(d, node, event, t);
}
