/**
 * The maker: connections to directories, coins, offers, pending transactions, notices.
 *
 * Rule 1: the parts run side by side and none waits for another: directories are dialled while the
 * journal is read and the node is asked. Nothing is announced before records become durable, the
 * backend is up, and the coins were looked at.
 * Rule 2: what one part wants of another within a step stands in `todo` and is done, in order,
 * before the step ends.
 * Rule 3: at the end the offers are cancelled first, then directories are left in good order, then
 * the journal has the rest of the time.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { ConfidedEvent, ConnEvent, DialEvent, Tick } from "../kernel/io.ts";
import type { Root } from "../kernel/kernel.ts";
import * as journal from "../history/journal.ts";
import * as delivery from "../notify/delivery.ts";
import type { Primitives } from "../primitives.ts";
import * as requests from "../requests.ts";
import * as tip from "../chain/tip.ts";
import * as errands from "../tor/errands.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import * as asking from "./asking.ts";
import { check } from "./config.ts";
import * as direct from "./direct.ts";
import * as directories from "./directories.ts";
import type { MakerEffect, MakerEvent, Reloadable } from "./events.ts";
import * as funds from "./funds.ts";
import * as guard from "./guard.ts";
import * as inbound from "./inbound.ts";
import * as ledger from "./ledger.ts";
import { log, unixMsAt, type Maker, type Todo, type Turn } from "./node.ts";
import * as offers from "./offers.ts";
import * as onions from "./onions.ts";
import * as pending from "./pending.ts";
import * as pool from "./pool.ts";
import * as reports from "./reports.ts";
import * as rescan from "./rescan.ts";
import * as signing from "./signing.ts";
import * as talk from "./talk.ts";
import * as telling from "./telling.ts";
import * as updates from "./updates.ts";
import * as wallet from "./wallet.ts";

export { create } from "./node.ts";

/** What the kernel drives. `p` are pure functions, so two makers may share them. */
export function root(p: Primitives): Root<Maker, MakerEvent, MakerEffect> {
  return {
    step: (d, event, now, out) => step(d, event, { now, p, out, todo: [] }),
    deadline, effectsMax,
  };
}

/** More than one delivery of lines and one batch of records can bring, each with its log lines. */
function effectsMax(d: Maker): number {
  const { journal: j, pool: p, talk: w, pending: q } = d.config;
  return 4_096 + 4 * j.queueRecordsMax + 8 * p.directoriesMax * (1 + p.link.announcedMax)
    + 2 * w.repliesMax + 4 * (q.questionsMax + q.noticesMax);
}

/**
 * What parts may do for each other in one step; more is a circle. The most is asked when rows and
 * what was not told of them come from the journal, or when ages are recorded at the end.
 */
function todoMax(d: Maker): number {
  const { journal: j, pending: q } = d.config;
  return 100_000 + 8 * (q.watchedMax + q.lateMax + q.noticesQueuedMax + j.queueRecordsMax);
}

function step(d: Maker, event: MakerEvent | Tick, t: Turn): void {
  if (d.phase === "stopped") return;
  handle(d, event, t);
  const most = todoMax(d);
  for (let at = 0; at < t.todo.length; at += 1) {
    assert(at < most, "parts of the maker keep each other busy");
    does(d, t.todo[at] as Todo, t);
  }
  // The last effect of all: whoever carries it out may exit.
  if (d.phase === "draining" && (t.now >= d.drainDueAt || isDrained(d))) stopped(d, t);
}

function handle(d: Maker, event: MakerEvent | Tick, t: Turn): void {
  switch (event.type) {
    case "conn.opened": case "conn.received": case "conn.congested": case "conn.drained":
    case "conn.closed": case "conn.dialed": case "conn.failed": case "conn.confided":
      return connected(d, event, t);
    case "cookie.given": case "cookie.failed": case "password.given": case "password.failed":
    case "nonce.given": case "key.loaded": case "key.absent": case "key.saved": case "key.failed":
    case "hostname.given": case "hostname.failed":
      return onions.tell(d, event, t);
    case "req.done": case "req.failed": return asking.settled(d, event, t);
    case "derive.given": return asking.derived(d, event.req, event.addresses, t);
    case "sign.given": return signed(d, event.req, event.signature, t);
    case "store.loaded": case "store.appended": case "store.synced": case "store.truncated":
    case "store.failed":
      return ledger.tell(d, event, t);
    case "clock.anchored":
      d.anchor = { unixMs: event.unixMs };
      d.anchoredAt = t.now;
      return;
    case "operator.started": return started(d, t);
    case "operator.stop": return stop(d, t);
    case "operator.reload": return reload(d, event.settings, t);
    case "operator.rescan": return rescanned(d, event.fromHeight, t);
    case "tick": return tick(d, t);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** Connections that we dialled have even numbers; those of guests odd ones. */
function connected(d: Maker, event: ConnEvent | DialEvent | ConfidedEvent, t: Turn): void {
  if (errands.owns(event.conn)) return onions.happened(d, event, t);
  if (event.type === "conn.confided") return;
  if (event.conn % 2 === 0) {
    assert(event.type !== "conn.opened", "an accepted connection with an even number");
    return directories.tell(d, event, t);
  }
  switch (event.type) {
    case "conn.opened": return guest(d, { type: "opened", conn: event.conn }, t);
    case "conn.received":
      return guest(d, { type: "received", conn: event.conn, bytes: event.bytes }, t);
    case "conn.congested": return guest(d, { type: "congested", conn: event.conn }, t);
    case "conn.drained": return guest(d, { type: "drained", conn: event.conn }, t);
    case "conn.closed": return guest(d, { type: "closed", conn: event.conn }, t);
    case "conn.dialed": case "conn.failed": return;
    default: return unreachable(event); /* c8 ignore next */
  }
}

function guest(d: Maker, event: inbound.Event, t: Turn): void {
  for (const said of direct.tell(d, event, t)) {
    const way = { via: "direct", conn: said.conn } as const;
    if (said.is === "private") talk.whisperedDirectly(d, way, said.from, said.text, t);
    else talk.publishedDirectly(d, way, said.from, said.text, t);
  }
}

function does(d: Maker, todo: Todo, t: Turn): void {
  switch (todo.do) {
    case "hear":
      if (todo.kind === "public") return talk.published(d, todo.directory, todo.line, t);
      return talk.whispered(d, todo.directory, todo.line, t);
    case "ask": return asking.ask(d, todo.asker, todo.question, t);
    case "drop": return asking.drop(d, todo.asker, t);
    case "answered": {
      const { asker: { who, token }, answer } = todo;
      if (who !== "pending") return funds.answered(d, who, token, answer, t);
      return ledger.watch(d, { type: "answered", token, answer, unixMs: unixMsAt(d, t.now) }, t);
    }
    case "progress": {
      const { asker: { who, token }, progress } = todo;
      if (who === "rescan") funds.looked(d, { type: "progress", token, progress }, t);
      return;
    }
    case "record": return ledger.write(d, todo.recorder, t);
    case "durable": return ledger.durable(d, todo.recorder, todo.seq, t);
    case "refused": return ledger.refused(d, todo.recorder, t);
    case "notice": return telling.notice(d, todo.notice, t);
    case "order": return asking.order(d, todo.asker, todo.effect, t);
    case "notified":
      if (todo.asker === "update") return telling.look(d, todo.event, t);
      return telling.tell(d, todo.event, t);
    case "disk":
      return funds.offered(d, { type: "journal", isWritable: ledger.isWritable(d) }, t);
    case "active": return funds.looked(d, { type: "active" }, t);
    default: return unreachable(todo); /* c8 ignore next */
  }
}

/** The next instant at which a tick changes anything. */
export function deadline(d: Maker): Mono {
  if (d.phase === "stopped") return NEVER;
  const ways = soonest(pool.deadline(d.pool), inbound.deadline(d.inbound));
  const links = soonest(ways, onions.deadline(d));
  const chain = soonest(requests.deadline(d.requests), tip.deadline(d.tip));
  const funds = soonest(rescan.deadline(d.rescan), wallet.deadline(d.wallet));
  const records = soonest(journal.deadline(d.journal), pending.deadline(d.pending));
  const outside = soonest(delivery.deadline(d.notify), updates.deadline(d.updates));
  const telling = soonest(outside, reports.deadline(d.reports));
  const rest = soonest(soonest(offers.deadline(d.offers), signing.deadline(d)), d.drainDueAt);
  return soonest(soonest(soonest(links, chain), soonest(funds, records)), soonest(telling, rest));
}

function tick(d: Maker, t: Turn): void {
  const event: Tick = { type: "tick" };
  if (pool.deadline(d.pool) <= t.now) directories.tell(d, event, t);
  if (inbound.deadline(d.inbound) <= t.now) guest(d, event, t);
  if (onions.deadline(d) <= t.now) onions.tell(d, event, t);
  asking.tick(d, t);
  unsigned(d, t);
  if (tip.deadline(d.tip) <= t.now) funds.tipped(d, event, t);
  if (rescan.deadline(d.rescan) <= t.now) funds.looked(d, event, t);
  if (wallet.deadline(d.wallet) <= t.now) funds.viewed(d, event, t);
  if (offers.deadline(d.offers) <= t.now) funds.offered(d, event, t);
  if (journal.deadline(d.journal) <= t.now) ledger.tell(d, event, t);
  if (pending.deadline(d.pending) <= t.now) ledger.watch(d, event, t);
  if (delivery.deadline(d.notify) <= t.now) telling.tell(d, event, t);
  if (reports.deadline(d.reports) <= t.now) telling.report(d, event, t);
  if (updates.deadline(d.updates) <= t.now) telling.look(d, event, t);
}

function started(d: Maker, t: Turn): void {
  assert(d.phase === "fresh", "a maker is started once");
  d.phase = "running";
  const { config, nick } = d;
  log(d, "info", "maker.named", { nick, network: config.network }, t);
  if (d.chain === undefined) log(d, "warn", "maker.no-backend", {}, t);
  const { updates: { version }, network } = config;
  telling.notice(d, { kind: "started", nick, version, network }, t);
  directories.configure(d, config.directories, t);
  directories.tell(d, { type: "started" }, t);
  guest(d, { type: "located", location: config.location }, t);
  onions.tell(d, { type: "started" }, t);
  ledger.tell(d, { type: "opened" }, t);
  funds.started(d, t);
}

function signed(d: Maker, req: number, signature: Uint8Array, t: Turn): void {
  const one = signing.take(d, req);
  if (one === undefined) return;
  if (one.who === "talk") return talk.given(d, one.data, signature, t);
  directories.tell(d, { type: "signed", token: one.token, signature }, t);
}

/** A directory that waits for a proof has its own deadline. */
function unsigned(d: Maker, t: Turn): void {
  for (const one of signing.expired(d, t.now)) {
    if (one.who === "talk") talk.unsigned(d, one.data, t);
    else log(d, "warn", "maker.sign-late", { replies: 0 }, t);
  }
}

/** Settings that contradict each other change nothing. */
function reload(d: Maker, settings: Reloadable, t: Turn): void {
  if (d.phase !== "running") return;
  const config = { ...d.config, ...settings };
  const broken = check(config);
  if (broken !== undefined) {
    return log(d, "error", "maker.reload-refused", {
      keys: broken.keys.join(" "), why: broken.says,
    }, t);
  }
  d.config = config;
  directories.configure(d, settings.directories, t);
  funds.offered(d, { type: "reloaded", config: settings.offers }, t);
  guard.reload(d.guard, settings.guard, t.now);
  telling.tell(d, { type: "reloaded", config: settings.notify }, t);
  telling.report(d, { type: "reloaded", config: settings.reports }, t);
  log(d, "info", "maker.reloaded", { directories: settings.directories.length }, t);
}

function rescanned(d: Maker, fromHeight: number | undefined, t: Turn): void {
  if (d.phase !== "running" || d.chain === undefined) return;
  // Whoever asks may just have mended the backend.
  funds.tipped(d, { type: "nudged" }, t);
  funds.looked(d, fromHeight === undefined ? { type: "asked" } : { type: "search", fromHeight }, t);
}

function stop(d: Maker, t: Turn): void {
  if (d.phase === "draining") return;
  if (d.phase === "fresh") return stopped(d, t);
  d.phase = "draining";
  d.drainDueAt = after(t.now, d.config.drainMs);
  log(d, "info", "maker.draining", { directories: d.config.directories.length }, t);
  // What is on offer is cancelled on connections that are still open.
  funds.offered(d, { type: "stopped" }, t);
  telling.notice(d, { kind: "stopping", why: "the operator asked for it" }, t);
  telling.tell(d, { type: "closing" }, t);
  ledger.watch(d, { type: "stopping" }, t);
  directories.tell(d, { type: "stopped" }, t);
  guest(d, { type: "stopped" }, t);
  onions.tell(d, { type: "stopped" }, t);
}

/** Nothing is left to say, to write or to send. A broken journal has nothing to wait for. */
function isDrained(d: Maker): boolean {
  return d.pool.phase === "stopped" && d.notify.closing === "closed"
    && (journal.isQuiet(d.journal) || d.journal.at.phase === "broken")
    && d.inbound.guests.all.size === 0;
}

function stopped(d: Maker, t: Turn): void {
  d.phase = "stopped";
  d.drainDueAt = NEVER;
  t.out.push({ type: "stopped" });
}
