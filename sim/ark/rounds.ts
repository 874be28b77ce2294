/**
 * The rounds of the stand-in server: attempt, proposal, finished or failed, one after the other.
 *
 * Rule 1: a round with nobody in it fails, as does one whose attempts are used up. A next attempt
 * leaves out those who did not follow the last one.
 * Rule 2: a delegated participation comes in by itself, at its height or as soon as there is a
 * round; an interactive one comes in while an attempt lasts and must have followed the proposal.
 * Rule 3: a round that failed leaves delegated ones to wait for the next one.
 * @module
 */
import { assert } from "../../core/assert.ts";
import type { RoundEvent } from "../../core/ark/wallet.ts";
import { heightOf, submit, type Chain } from "./chain.ts";
import type { ServerFault } from "./faults.ts";
import { hashOf } from "./marks.ts";
import {
  conclude, isReady, mint, participate, post, type Asked, type Participation, type Server,
  type Taken,
} from "./server.ts";

/** The next instant at which a round goes on. */
export function dueMs(s: Server): number {
  return s.round.dueMs;
}

/** The round begins, goes on or ends, if it is time; what everybody is told of it. */
export function step(
  s: Server, chain: Chain, faults: readonly ServerFault[], nowMs: number,
): readonly RoundEvent[] {
  if (nowMs < s.round.dueMs) return [];
  const events = stepped(s, chain, faults, nowMs);
  s.last = events.at(-1) ?? s.last;
  return events;
}

function stepped(
  s: Server, chain: Chain, faults: readonly ServerFault[], nowMs: number,
): readonly RoundEvent[] {
  const { round } = s;
  switch (round.phase) {
    case "idle": return begin(s, chain, faults, nowMs);
    case "attempt": {
      if (s.joined.length === 0) return [finish(s, "failed", nowMs)];
      s.round = { phase: "proposal", dueMs: nowMs + s.config.signMs, attempt: round.attempt };
      return [eventOf(s, "proposal", round.attempt)];
    }
    case "proposal": return close(s, chain, faults, round.attempt, nowMs);
  }
}

function begin(
  s: Server, chain: Chain, faults: readonly ServerFault[], nowMs: number,
): readonly RoundEvent[] {
  const isIdle = faults.some(({ kind }) => kind === "no-rounds");
  if (isIdle) {
    s.round = { phase: "idle", dueMs: nowMs + s.config.roundMs };
    return [];
  }
  s.seq += 1;
  s.joined = [];
  s.beganMs = s.round.dueMs;
  for (const one of s.open) {
    if (one.status === "pending" && one.isDelegated) enlist(s, chain, one);
  }
  s.round = { phase: "attempt", dueMs: nowMs + s.config.submitMs, attempt: 0 };
  return [eventOf(s, "attempt", 0)];
}

function enlist(s: Server, chain: Chain, one: Participation): void {
  if (one.fromHeight > heightOf(chain)) return;
  if (!isReady(s, chain, one)) {
    conclude(s, one, "gone");
    return;
  }
  // One of two that want the same coin; the other is looked at anew when this one has its round.
  const held = new Set(s.joined.flatMap((id) => s.participations.get(id)!.inputs));
  if (!one.inputs.some((id) => held.has(id))) s.joined.push(one.id);
}

function close(
  s: Server, chain: Chain, faults: readonly ServerFault[], attempt: number, nowMs: number,
): readonly RoundEvent[] {
  const missing = s.joined.filter((id) => isAway(s.participations.get(id)!));
  for (const id of missing) conclude(s, s.participations.get(id)!, "gone");
  s.joined = s.joined.filter((id) => !missing.includes(id));
  const isFailing = faults.some(({ kind }) => kind === "failing-rounds") || s.joined.length === 0;
  const isLast = attempt + 1 >= s.config.attemptsMax;
  if (isFailing || (missing.length > 0 && isLast)) return [finish(s, "failed", nowMs)];
  if (missing.length > 0) {
    s.round = { phase: "attempt", dueMs: nowMs + s.config.submitMs, attempt: attempt + 1 };
    return [eventOf(s, "attempt", attempt + 1)];
  }
  issue(s, chain, nowMs);
  return [finish(s, "finished", nowMs)];
}

function isAway(one: Participation): boolean {
  return !one.isDelegated && !one.isSigned;
}

/** The round's transaction, and what hangs on it. */
function issue(s: Server, chain: Chain, nowMs: number): void {
  const txid = hashOf(s.key, "round", s.seq);
  submit(chain, { txid, takes: [], needs: [], fromHeight: 0, rate: 1_000_000 });
  for (const id of s.joined) {
    const one = s.participations.get(id)!;
    if (!isReady(s, chain, one)) {
      conclude(s, one, "gone");
      continue;
    }
    const { owner, outputSat: amountSat } = one;
    const expiryHeight = heightOf(chain) + s.config.lifetimeBlocks;
    const coin = mint(s, { owner, amountSat, expiryHeight, exitDepth: s.config.treeDepth, txid });
    one.status = "issued";
    one.txid = txid;
    one.output = coin.id;
    post(s, owner, "round-completed", [], nowMs);
  }
}

function finish(s: Server, kind: "finished" | "failed", nowMs: number): RoundEvent {
  if (kind === "failed") {
    for (const id of s.joined) {
      const one = s.participations.get(id)!;
      if (!one.isDelegated) conclude(s, one, "gone");
    }
  }
  s.joined = [];
  // Rounds begin at their interval, however long the last one took.
  const nextMs = s.beganMs + s.config.roundMs;
  assert(nextMs > nowMs, "a round is shorter than its interval");
  s.round = { phase: "idle", dueMs: nextMs };
  return eventOf(s, kind, 0);
}

function eventOf(s: Server, kind: RoundEvent["kind"], attemptSeq: number): RoundEvent {
  assert(Number.isSafeInteger(s.seq), "rounds have numbers");
  return { kind, roundSeq: s.seq, attemptSeq };
}

/** An interactive participation in the attempt under way. */
export function join(s: Server, chain: Chain, asked: Asked): Taken {
  if (s.round.phase !== "attempt") return { ok: false, ids: [], text: "no attempt is under way" };
  const taken = participate(s, chain, asked);
  if (taken.ok && !s.joined.includes(taken.participation.id)) {
    s.joined.push(taken.participation.id);
  }
  return taken;
}

/** The owner signs what was proposed in this round; too late or too early is nothing. */
export function sign(s: Server, id: string, event: RoundEvent): void {
  const one = s.participations.get(id);
  const isNow = s.round.phase === "proposal" && event.kind === "proposal"
    && event.roundSeq === s.seq;
  if (isNow && one?.status === "pending" && s.joined.includes(id)) one.isSigned = true;
}

/** The server starts anew: no round is under way, and nothing is there to be replayed. */
export function restart(s: Server, nowMs: number): void {
  for (const id of s.joined) {
    const one = s.participations.get(id)!;
    if (!one.isDelegated && one.status === "pending") conclude(s, one, "gone");
  }
  s.joined = [];
  s.last = undefined;
  s.seq += 1_000;
  s.round = { phase: "idle", dueMs: nowMs + s.config.roundMs };
}
