/**
 * What the background of a wallet reports: kept for status, logged, and told where it matters.
 *
 * Rule 1: of one trouble there is one line: that something is not reached any more, with the
 * reason. What fails for that reason, and the streams that end with it, are for whoever looks
 * closely; so is every failure in a row but the first.
 * Rule 2: what comes back by itself within its grace is told to nobody (`watch.ts`).
 * Rule 3: a server that several wallets share is told of once for all of them (`outages.ts`).
 * @module
 */
import { unreachable } from "../assert.ts";
import type { LogLevel } from "../kernel/io.ts";
import { mono } from "../time.ts";
import type { Report } from "./daemon.ts";
import type { Capability, State } from "./facts.ts";
import { laneOf, logOf, type Ark, type Node, type Turn } from "./node.ts";
import * as outages from "./outages.ts";
import { doubted } from "./trust.ts";
import * as watch from "./watch.ts";

/** Takes one; true: the guard should look, as something has changed. */
export function told(d: Ark, node: Node, report: Report, t: Turn): boolean {
  switch (report.type) {
    case "edge": return edge(d, node, report, t);
    case "round": return round(d, node, report, t);
    case "barred": barred(d, node, t); return false;
    case "moved":
      node.isMailStuck = false;
      logOf(d, node, "debug", "ark.mail-moved", { checkpoint: report.checkpoint }, t);
      return true;
    case "stuck": mailStuck(d, node, report, t); return false;
    case "overdue": case "late": timed(d, node, report, t); return false;
    case "behind": case "caught-up": pace(d, node, report, t); return false;
    case "failed": {
      const { lane, op, failures } = report;
      // Why it failed was said when it was answered.
      logOf(d, node, "debug", "ark.lane-failed", { lane, op, failures }, t);
      return false;
    }
    case "stopped": left(d, node, report, t); return false;
    case "ready": case "connected": case "began": case "lagging": case "ran": case "unsupported":
    case "passed": case "over": case "went-back": case "still": case "stop-answered":
    case "drained":
      said(d, node, report, t);
      return false;
    default: return unreachable(report); /* c8 ignore next */
  }
}

type Of<K extends Report["type"]> = Extract<Report, { readonly type: K }>;

/** A program or a chain source that is back may have something new to show. */
function edge(d: Ark, node: Node, { of, from, to, evidence }: Of<"edge">, t: Turn): boolean {
  const hasTold = watched(d, node, { type: "edge", of, to, evidence }, t);
  const level = hasTold ? "debug" : levelOf(of, from, to);
  logOf(d, node, level, "ark.fact", { of, from, to, evidence }, t);
  return to === "up" && from === "down" && (of === "program" || of === "chain");
}

/** That a stream ends, that all is reached in the beginning, or nothing was heard, is no news. */
function levelOf(of: Capability, from: State, to: State): LogLevel {
  if (of === "rounds" || of === "mailbox" || from === "unknown" && to === "up") return "debug";
  if (to === "unknown") return "debug";
  return to === "down" ? "warn" : "info";
}

/** Something for the watch over what was away for too long. True: it was told that it is back. */
export function watched(d: Ark, node: Node, event: watch.Event, t: Turn): boolean {
  const wishes: watch.Effect[] = [];
  watch.step(node.watch, event, t.now, wishes);
  const { name: wallet, server } = node.config;
  for (const wish of wishes) {
    const { of: way } = wish;
    const isShared = way === "server" && outages.isShared(d.outages, server);
    if (wish.type === "away") {
      const { why, awayMs } = wish;
      logOf(d, node, "error", "ark.way-down", { way, why }, t);
      const since = mono(t.now - awayMs);
      if (isShared) missed(d, { type: "away", server, wallet, why, since }, t);
      else t.todo.push({ do: "notice", notice: { kind: "ark-way-down", wallet, way, why } });
    } else {
      const { awayMs } = wish;
      logOf(d, node, "info", "ark.way-up", { way, awayMs }, t);
      if (isShared) missed(d, { type: "back", server, wallet }, t);
      else t.todo.push({ do: "notice", notice: { kind: "ark-way-up", wallet, way, awayMs } });
    }
  }
  return wishes.some(({ type }) => type === "back");
}

/** Something of the servers that several wallets share (rule 3). */
export function missed(d: Ark, event: outages.Event, t: Turn): void {
  const wishes: outages.Effect[] = [];
  outages.step(d.outages, event, t.now, wishes);
  for (const wish of wishes) {
    if (wish.type === "down") {
      const { server, wallet, count, total, why } = wish;
      const notice = { kind: "ark-server-down", server, wallet, count, total, why } as const;
      t.todo.push({ do: "notice", notice });
    } else {
      const { server, awayMs } = wish;
      t.todo.push({ do: "notice", notice: { kind: "ark-server-up", server, awayMs } });
    }
  }
}

/** With the end of a round what was refreshed in it is there. */
function round(d: Ark, node: Node, { event, isReplay }: Of<"round">, t: Turn): boolean {
  d.counts.rounds += 1;
  node.round = { event, at: t.now };
  const { kind, roundSeq } = event;
  logOf(d, node, "debug", "ark.round", { kind, roundSeq, isReplay }, t);
  return kind === "finished" && !isReplay;
}

function barred(d: Ark, node: Node, t: Turn): void {
  const { guardian: { trust, drive } } = node;
  const { known = "", shown = "" } = doubted(trust, "server", drive) ?? {};
  logOf(d, node, "error", "ark.server-key", { known, shown }, t);
  const { name: wallet } = node.config;
  t.todo.push({ do: "notice", notice: { kind: "ark-server-key", wallet } });
}

function mailStuck(d: Ark, node: Node, { hint, reads }: Of<"stuck">, t: Turn): void {
  node.isMailStuck = true;
  logOf(d, node, "warn", "ark.mail-stuck", { hint, reads }, t);
  const { name: wallet } = node.config;
  t.todo.push({ do: "notice", notice: { kind: "ark-mail-stuck", wallet, reads } });
}

/** What may be cut was given up, and has no answer; the rest goes on. */
function timed(d: Ark, node: Node, report: Of<"overdue"> | Of<"late">, t: Turn): void {
  const { lane, op, ranMs } = report;
  if (report.type === "late") {
    return logOf(d, node, "info", "ark.call-late", { lane, op, ranMs }, t);
  }
  const { isDropped } = report;
  if (isDropped) {
    const one = laneOf(node, lane);
    one.failures += 1;
    one.why = "timeout";
  } else {
    d.counts.callsOverdue += 1;
  }
  logOf(d, node, "warn", "ark.call-overdue", { lane, op, ranMs, isDropped }, t);
}

function pace(d: Ark, node: Node, report: Of<"behind"> | Of<"caught-up">, t: Turn): void {
  const { lane } = report;
  const { name: wallet } = node.config;
  const one = laneOf(node, lane);
  if (report.type === "caught-up") {
    one.behindAt = undefined;
    logOf(d, node, "info", "ark.lane-good", { lane }, t);
    t.todo.push({ do: "notice", notice: { kind: "ark-lane-good", wallet, lane } });
    return;
  }
  const { forMs } = report;
  one.behindAt = t.now;
  logOf(d, node, "warn", "ark.lane-behind", { lane, forMs }, t);
  t.todo.push({ do: "notice", notice: { kind: "ark-lane-behind", wallet, lane, forMs } });
}

/** What was left running is named once more when the process ends. */
function left(d: Ark, node: Node, { running, tookMs }: Of<"stopped">, t: Turn): void {
  logOf(d, node, "info", "ark.wallet-stopped", { running: running.length, tookMs }, t);
}

/** So many ends in a row are no coincidence, where the server is there. */
const oddFailures = 3;

type Quiet = Of<
  "ready" | "connected" | "began" | "lagging" | "ran" | "unsupported" | "passed" | "over"
    | "went-back" | "still" | "stop-answered" | "drained"
>;

function said(d: Ark, node: Node, report: Quiet, t: Turn): void {
  switch (report.type) {
    case "ready": return logOf(d, node, "info", "ark.wallet-ready", {}, t);
    case "connected": {
      const { isConnected } = report;
      return logOf(d, node, "debug", "ark.connected", { isConnected }, t);
    }
    case "began": {
      const { roundSeq } = report;
      return logOf(d, node, "debug", "ark.round-began", { roundSeq }, t);
    }
    case "lagging": {
      const { dropped } = report;
      return logOf(d, node, "warn", "ark.rounds-lagging", { dropped }, t);
    }
    case "unsupported": {
      const { lane, op } = report;
      return logOf(d, node, "debug", "ark.unsupported", { lane, op }, t);
    }
    case "over": {
      const { stream, why, isHealthy, failures, retryMs } = report;
      const fields = { stream, why, isHealthy, failures, retryMs };
      const isOdd = failures === oddFailures && node.daemon.facts.isConnected;
      return logOf(d, node, isOdd ? "warn" : "debug", "ark.stream-over", fields, t);
    }
    case "went-back": {
      const { from, to } = report;
      return logOf(d, node, "warn", "ark.mail-went-back", { from, to }, t);
    }
    case "still": {
      const { forMs, news } = report;
      return logOf(d, node, "warn", "ark.mail-still", { forMs, news }, t);
    }
    case "ran": case "passed": case "stop-answered": case "drained": return;
    default: return unreachable(report); /* c8 ignore next */
  }
}
