/**
 * What runs before everything else, one call after the other.
 *
 * Rule 1: `calls` is empty by default: every lane begins by itself, and a slow server delays
 * nothing.
 * Rule 2: the source connects and syncs first. A failure is told and ends nothing; the next call
 * follows.
 * Rule 3: what the server's connection counts as afterwards is the policy's: the answer itself, or
 * that a connection was made at all, which some failures come after.
 * Rule 4: manual sync leaves out what syncs.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import type { Mono } from "../time.ts";
import * as lane from "./lane.ts";
import type { Answer, Failed, OpName, Reason } from "./wallet.ts";

export type Call = "refresh-server" | "sync";

export type Config = {
  readonly calls: readonly Call[];
  /** `made`: a refusal that needs a connection counts as one. */
  readonly connectedBy: "answer" | "made";
  /** Failures that a connection comes before. */
  readonly madeBefore: readonly Reason[];
  readonly waitMs: number;
};

export type Event =
  | { readonly type: "started"; readonly isManual: boolean }
  | { readonly type: "answered"; readonly token: number; readonly answer: Answer }
  /** `finishing`: what is left to do is done. */
  | { readonly type: "released" | "stopped" | "finishing" }
  | Tick;

export type Effect = lane.Effect
  | { readonly type: "connected"; readonly isConnected: boolean }
  | { readonly type: "failed"; readonly op: OpName; readonly failed: Failed }
  /** All is done that has to come first. Once, unless it is stopped before. */
  | { readonly type: "ready" };

export type Startup = {
  readonly config: Config;
  readonly lane: lane.Lane;
  /** What is still to do; `undefined`: not begun, or over. */
  left: Call[] | undefined;
};

export function create(config: Config): Startup {
  assert(config.waitMs >= 1, "startup: a call takes its time");
  assert(new Set(config.calls).size === config.calls.length, "startup: each call once");
  return { config, lane: lane.create(), left: undefined };
}

export function step(m: Startup, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "started": {
      m.left = m.config.calls.filter((op) => op !== "sync" || !event.isManual);
      return proceed(m, now, out);
    }
    case "answered": {
      return ended(m, lane.answered(m.lane, event.token, event.answer, now, out), now, out);
    }
    case "released": return ended(m, lane.released(m.lane, now), now, out);
    case "stopped": return void (m.left = undefined);
    case "finishing": return;
    case "tick": return ended(m, lane.tick(m.lane, now, out), now, out);
    default: return unreachable(event); /* c8 ignore next */
  }
}

/** When the call under way is overdue. */
export function deadline(m: Startup): Mono {
  return lane.deadline(m.lane);
}

function proceed(m: Startup, now: Mono, out: Effect[]): void {
  if (m.left === undefined) return;
  const op = m.left.shift();
  if (op !== undefined) return lane.call(m.lane, { op }, m.config.waitMs, now, out);
  m.left = undefined;
  out.push({ type: "ready" });
}

function ended(m: Startup, of: lane.Ended | undefined, now: Mono, out: Effect[]): void {
  if (of === undefined) return;
  const { answer, op } = of;
  if (!answer.ok) out.push({ type: "failed", op, failed: answer });
  if (op === "refresh-server") {
    out.push({ type: "connected", isConnected: answer.ok || isMade(m, answer) });
  }
  proceed(m, now, out);
}

function isMade(m: Startup, failed: Failed): boolean {
  const { connectedBy, madeBefore } = m.config;
  return connectedBy === "made" && failed.why === "unavailable"
    && madeBefore.includes(failed.reason);
}
