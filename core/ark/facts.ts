/**
 * What is known about the way to the wallet and beyond: per capability whether it is up, by what
 * evidence, and since when.
 *
 * Rule 1: facts are observed, not set. Every answer and every stream is evidence for what it needs,
 * and for nothing else: a call that swallows its errors proves that the wallet's program runs, and
 * no more. What was not asked is evidence for nothing.
 * Rule 2: evidence grows old. What was up and was not heard of for `agesMs` is unknown: nobody
 * counts as connected because he once was.
 * Rule 3: the server is down when the probe fails, or when the wallet names the server as its
 * reason. A stream that ended or a call that took too long is only a doubt, and a question.
 * Rule 4: changes are edges, told once each; whoever waits is woken by them.
 * Rule 5: a server with another key than the wallet knows is barred until the operator trusts it
 * again, whatever else it answers.
 * Rule 6: who owns `connected` is policy. `writers` is the source's way: a flag of several writers,
 * of whom the last is right.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Tick } from "../kernel/io.ts";
import { after, NEVER, soonest, type Mono } from "../time.ts";
import { needs, type Answer, type Done, type Failed, type OpName, type Reason } from "./wallet.ts";

/** `program`: the wallet's own, such as barkd. `chain`: the wallet's chain source. */
export type Capability = "program" | "server" | "rounds" | "mailbox" | "chain";
export const capabilities: readonly Capability[] = [
  "program", "server", "rounds", "mailbox", "chain",
];

export type State = "unknown" | "up" | "down";

/** What a fact rests on. `aged`: on nothing any more. */
export type Evidence = "none" | "answered" | "stream-open" | "stream-news" | "stream-ended"
  | "probe-failed" | "aged" | Reason;

export type Fact = {
  readonly state: State;
  readonly evidence: Evidence;
  /** When it came into this state. */
  readonly since: Mono;
  /** When there was evidence last. */
  readonly at: Mono;
};

export type Config = {
  readonly owner: "evidence" | "writers";
  /** How long each is believed to be up without being heard of; 0: as long as nothing denies it. */
  readonly agesMs: { readonly [c in Capability]: number };
};

export type Event =
  /** A call ended. The root says so of every one, whoever made it. */
  | { readonly type: "answered"; readonly op: OpName; readonly answer: Answer }
  | {
    readonly type: "streamed"; readonly stream: "rounds" | "mailbox";
    readonly what: "opened" | "news" | "over";
  }
  /** One of the source's writers: startup, the check, or the round stream. */
  | { readonly type: "written"; readonly isConnected: boolean }
  /** The operator has looked at the server's key. */
  | { readonly type: "trusted" }
  | Tick;

export type Effect =
  | {
    readonly type: "edge"; readonly of: Capability; readonly from: State; readonly to: State;
    readonly evidence: Evidence;
  }
  | { readonly type: "connected"; readonly isConnected: boolean }
  /** It should be asked whether the server is there. */
  | { readonly type: "doubt" }
  /** The server's key is another one. Once, until it is trusted. */
  | { readonly type: "barred" };

export type Facts = {
  readonly config: Config;
  readonly facts: Map<Capability, Fact>;
  isConnected: boolean;
  isBarred: boolean;
};

/** Nothing is known. Asserts the ranges of `config`. */
export function create(config: Config, now: Mono): Facts {
  const facts = new Map<Capability, Fact>();
  for (const c of capabilities) {
    const ms = config.agesMs[c];
    assert(Number.isSafeInteger(ms), "facts: whole milliseconds");
    assert(ms >= 0, "facts: no negative age");
    facts.set(c, { state: "unknown", evidence: "none", since: now, at: now });
  }
  return { config, facts, isConnected: false, isBarred: false };
}

export function step(m: Facts, event: Event, now: Mono, out: Effect[]): void {
  switch (event.type) {
    case "answered": answered(m, event.op, event.answer, now, out); break;
    case "streamed": streamed(m, event.stream, event.what, now, out); break;
    case "written": {
      if (m.config.owner === "writers") write(m, event.isConnected, out);
      break;
    }
    case "trusted": m.isBarred = false; break;
    case "tick": age(m, now, out); break;
    default: return unreachable(event); /* c8 ignore next */
  }
  derive(m, out);
}

/** When a fact grows too old. */
export function deadline(m: Facts): Mono {
  let dueAt = NEVER;
  for (const [c, fact] of m.facts) dueAt = soonest(dueAt, agedAt(m, c, fact));
  return dueAt;
}

/** What is known of `c`. */
export function factOf(m: Facts, c: Capability): Fact {
  const fact = m.facts.get(c);
  assert(fact !== undefined, "facts: there is one of each");
  return fact;
}

/** May the server be asked for work? */
export function isConnected(m: Facts): boolean {
  return m.isConnected;
}

function agedAt(m: Facts, c: Capability, fact: Fact): Mono {
  const ms = m.config.agesMs[c];
  return fact.state !== "up" || ms === 0 ? NEVER : after(fact.at, ms);
}

function age(m: Facts, now: Mono, out: Effect[]): void {
  for (const c of capabilities) {
    if (now < agedAt(m, c, factOf(m, c))) continue;
    observe(m, c, "unknown", "aged", now, out);
    if (c === "server") out.push({ type: "doubt" });
  }
}

function observe(
  m: Facts, c: Capability, state: State, evidence: Evidence, now: Mono, out: Effect[],
): void {
  const former = factOf(m, c);
  const isEdge = former.state !== state;
  const at = evidence === "aged" ? former.at : now;
  m.facts.set(c, { state, evidence, since: isEdge ? now : former.since, at });
  if (isEdge) out.push({ type: "edge", of: c, from: former.state, to: state, evidence });
}

/** `connected`, where it is derived. */
function derive(m: Facts, out: Effect[]): void {
  if (m.config.owner === "writers") return;
  write(m, factOf(m, "server").state === "up" && !m.isBarred, out);
}

function write(m: Facts, isConnected: boolean, out: Effect[]): void {
  if (m.isConnected === isConnected) return;
  m.isConnected = isConnected;
  out.push({ type: "connected", isConnected });
}

/** Calls that the wallet can only do with its server; others answer from memory, or hide errors. */
const serverProofs: ReadonlySet<OpName> = new Set<OpName>([
  "probe", "refresh-server", "sync-mailbox", "refresh",
]);
const chainProofs: ReadonlySet<OpName> = new Set<OpName>([
  "tip", "sync-onchain", "progress-exits",
]);

function answered(m: Facts, op: OpName, answer: Answer, now: Mono, out: Effect[]): void {
  if (answer.ok) return proved(m, answer.done, now, out);
  switch (answer.why) {
    // The backend says so without asking anybody.
    case "unsupported": return;
    case "absent": return observe(m, "program", "up", "answered", now, out);
    case "rejected": {
      observe(m, "program", "up", "answered", now, out);
      if (needs(op) === "server") observe(m, "server", "up", "answered", now, out);
      return;
    }
    case "unavailable": return failed(m, op, answer, now, out);
    default: return unreachable(answer); /* c8 ignore next */
  }
}

function proved(m: Facts, { op }: Done, now: Mono, out: Effect[]): void {
  observe(m, "program", "up", "answered", now, out);
  if (serverProofs.has(op)) observe(m, "server", "up", "answered", now, out);
  if (op === "sync-mailbox") observe(m, "mailbox", "up", "answered", now, out);
  if (chainProofs.has(op)) observe(m, "chain", "up", "answered", now, out);
}

type Unavailable = Extract<Failed, { why: "unavailable" }>;

function failed(m: Facts, op: OpName, { reason }: Unavailable, now: Mono, out: Effect[]): void {
  if (op === "sync-mailbox" && reason !== "unasked") {
    observe(m, "mailbox", "down", reason, now, out);
  }
  switch (reason) {
    case "unreachable": case "auth": case "no-wallet":
      return observe(m, "program", "down", reason, now, out);
    case "server-down": case "network":
      observe(m, "program", "up", "answered", now, out);
      return observe(m, "server", "down", reason, now, out);
    case "server-key":
      observe(m, "program", "up", "answered", now, out);
      bar(m, out);
      return observe(m, "server", "down", reason, now, out);
    case "chain":
      observe(m, "program", "up", "answered", now, out);
      return observe(m, "chain", "down", reason, now, out);
    // The server's version or the program's: the question was for one of them.
    case "version":
      return observe(m, needs(op) === "server" ? "server" : "program", "down", reason, now, out);
    case "unasked": return;
    case "timeout": case "malformed": case "busy": case "other":
      return vague(m, op, reason, now, out);
    default: return unreachable(reason); /* c8 ignore next */
  }
}

/** Rule 5. The source only logs it. */
function bar(m: Facts, out: Effect[]): void {
  if (m.isBarred || m.config.owner === "writers") return;
  m.isBarred = true;
  out.push({ type: "barred" });
}

/** Nobody said whose fault it is: what the call was for decides. */
function vague(m: Facts, op: OpName, reason: Reason, now: Mono, out: Effect[]): void {
  if (op === "probe" || op === "refresh-server") {
    return observe(m, "server", "down", "probe-failed", now, out);
  }
  if (op === "alive") return observe(m, "program", "down", reason, now, out);
  if (op === "tip") return observe(m, "chain", "down", reason, now, out);
  if (serverProofs.has(op)) out.push({ type: "doubt" });
}

function streamed(
  m: Facts, c: "rounds" | "mailbox", what: "opened" | "news" | "over", now: Mono, out: Effect[],
): void {
  switch (what) {
    case "opened": return observe(m, c, "up", "stream-open", now, out);
    case "news": return observe(m, c, "up", "stream-news", now, out);
    case "over":
      observe(m, c, "down", "stream-ended", now, out);
      return void out.push({ type: "doubt" });
    default: return unreachable(what); /* c8 ignore next */
  }
}
