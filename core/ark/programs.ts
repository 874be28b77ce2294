/**
 * The programs of wallets that this process runs itself: what their supervisors hear and wish.
 *
 * Rule 1: with a run's end, all that went on in it has ended: who waits for it hears so at once.
 * Rule 2: at the end a program is asked to end when no call to it is open any more, or when the
 * time for those that must not be cut is over; then they are named, as they may be lost.
 * @module
 */
import { unreachable } from "../assert.ts";
import { NEVER, type Mono } from "../time.ts";
import * as asking from "./asking.ts";
import { endMsOf } from "./config.ts";
import type { ChildEvent } from "./events.ts";
import { logOf, type Ark, type Node, type Turn } from "./node.ts";
import * as supervisor from "./supervisor.ts";
import type { Answer } from "./wallet.ts";
import * as words from "./words.ts";

/** Something for the supervisor of a wallet, if it has one. */
export function tell(d: Ark, node: Node, event: supervisor.Event, t: Turn): void {
  const { program } = node;
  if (program === undefined) return;
  t.touched.add(node);
  const wishes: supervisor.Effect[] = [];
  supervisor.step(program, event, t.now, wishes);
  for (const wish of wishes) translate(d, node, wish, t);
}

function translate(d: Ark, node: Node, wish: supervisor.Effect, t: Turn): void {
  const { name: wallet } = node.config;
  switch (wish.type) {
    case "start":
      d.counts.programStarts += 1;
      return void t.out.push({ type: "child.start", wallet, run: wish.run });
    case "signal": {
      const { run, signal } = wish;
      if (signal === "term") cut(d, node, t);
      return void t.out.push({ type: "child.signal", wallet, run, signal });
    }
    case "up": {
      const { pid } = wish;
      return pid === undefined ? logOf(d, node, "warn", "ark.program-found", {}, t)
        : logOf(d, node, "info", "ark.program-up", { pid }, t);
    }
    case "gone": return gone(d, node, wish, t);
    case "looping": {
      const { runs, exit } = wish;
      const how = words.exit(exit);
      logOf(d, node, "error", "ark.program-crashing", { runs, how }, t);
      const notice = { kind: "ark-program-crashing", wallet, runs, how } as const;
      return void t.todo.push({ do: "notice", notice });
    }
    case "steady": {
      const { loopedMs } = wish;
      logOf(d, node, "info", "ark.program-steady", { loopedMs }, t);
      const notice = { kind: "ark-program-steady", wallet, loopedMs } as const;
      return void t.todo.push({ do: "notice", notice });
    }
    case "killed": case "stuck": case "left": return ended(d, node, wish, t);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** Rule 2. */
function cut(d: Ark, node: Node, t: Turn): void {
  for (const { op, lane, ranMs } of asking.remaining(d, t.now, node.config.name)) {
    logOf(d, node, "error", "ark.work-cut", { lane, op, ranMs }, t);
  }
}

function gone(
  d: Ark, node: Node, wish: Extract<supervisor.Effect, { type: "gone" }>, t: Turn,
): void {
  const { exit, ranMs, retryMs } = wish;
  const how = words.exit(exit);
  if (retryMs === undefined) logOf(d, node, "info", "ark.program-ended", { how, ranMs }, t);
  else logOf(d, node, "warn", "ark.program-exited", { how, ranMs, retryMs }, t);
  if (exit.failure === undefined) release(d, node, t);
}

/** Rule 1. */
export function release(d: Ark, node: Node, t: Turn): void {
  asking.gone(d, node, t);
  t.todo.push({ do: "daemon", node, event: { type: "released" } });
}

type End = Extract<supervisor.Effect, { type: "killed" | "stuck" | "left" }>;

function ended(d: Ark, node: Node, wish: End, t: Turn): void {
  switch (wish.type) {
    // No notice is sent any more that late.
    case "killed": {
      const { waitedMs } = wish;
      return logOf(d, node, "error", "ark.program-killed", { waitedMs }, t);
    }
    case "stuck": return logOf(d, node, "error", "ark.program-stuck", { pid: wish.pid }, t);
    case "left": return logOf(d, node, "info", "ark.program-left", { pid: wish.pid }, t);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

/** What the host says of a program. */
export function host(d: Ark, event: ChildEvent, t: Turn): void {
  const node = d.byName.get(event.wallet);
  if (node === undefined) return;
  const { run } = event;
  switch (event.type) {
    case "child.spawned": return tell(d, node, { type: "spawned", run, pid: event.pid }, t);
    case "child.failed": return tell(d, node, { type: "failed", run, why: event.why }, t);
    case "child.exited": {
      const { code, signal } = event;
      return tell(d, node, { type: "exited", run, code, signal }, t);
    }
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** What an answer says of whether somebody is there at all. */
export function heard(d: Ark, node: Node, answer: Answer, t: Turn): void {
  if (node.program === undefined || (!answer.ok && answer.why === "unsupported")) return;
  if (answer.ok || answer.why !== "unavailable") return tell(d, node, { type: "answers" }, t);
  if (answer.reason === "unreachable") tell(d, node, { type: "silent" }, t);
}

/** The end has come; after everybody else was told. */
export function stop(d: Ark, node: Node, t: Turn): void {
  const { program, policy: { stopping: { stopMs } } } = node.config;
  if (program === undefined) return;
  const waitMs = stopMs === 0 ? d.config.drainMs - endMsOf(program) : stopMs;
  tell(d, node, { type: "stop", isBusy: asking.isBusy(d, node.config.name), waitMs }, t);
}

/** Who has nothing more to do may end. */
export function settle(d: Ark, t: Turn): void {
  for (const node of d.nodes) {
    if (node.program?.at.phase !== "draining" || asking.isBusy(d, node.config.name)) continue;
    tell(d, node, { type: "idle" }, t);
  }
}

/** Is no program left to wait for? */
export function isOver(d: Ark): boolean {
  return d.nodes.every(({ program }) => program === undefined || supervisor.isOver(program));
}

/** When a supervisor is due. */
export function deadline({ program }: Node): Mono {
  return program === undefined ? NEVER : supervisor.deadline(program);
}
