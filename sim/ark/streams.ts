/**
 * Subscriptions: to the rounds, which anybody may watch, and to a wallet's mailbox.
 *
 * Rule 1: the first item of a round stream repeats the last event, if there was one.
 * Rule 2: whoever reads slowly (`isHeld`) falls behind; beyond the ring events are gone, and nobody
 * says so (hazard H13).
 * Rule 3: a message is processed by the wallet as it is delivered. One that cannot be ends the
 * stream, and comes again with the next one.
 * @module
 */
import { assert } from "../../core/assert.ts";
import type { RoundEvent } from "../../core/ark/wallet.ts";
import * as faults from "./faults.ts";
import { reach } from "./link.ts";
import * as mail from "./mail.ts";
import {
  barkdOf, no, said, unavailable, type Barkd, type Item, type Said, type Stream, type Sub,
  type World,
} from "./state.ts";

/** A wallet is needed for its mailbox, and may be left out for rounds. Its number. */
export function subscribe(
  w: World, stream: Stream, wallet: string | undefined,
): Said<number> {
  const { localMs, remoteMs, subsMax } = w.config;
  if (w.subs.size >= subsMax) return unavailable("busy", "too many streams", localMs);
  let afterMs = remoteMs;
  if (wallet !== undefined) {
    const b = barkdOf(w, wallet);
    if (isAway(w, b)) return unavailable("unreachable", "nobody answers", localMs);
    if (b.wallet === undefined) return unavailable("no-wallet", "no wallet", localMs);
    const reached = reach(w, b);
    if (!reached.ok) return reached;
    ({ afterMs } = reached);
  } else {
    const trouble = closedTo(w);
    if (trouble !== undefined) return trouble;
  }
  if (stream === "mailbox" && wallet === undefined) {
    return no("bad", "a mailbox is somebody's", [], localMs);
  }
  const sub: Sub = {
    id: w.nextId, stream, wallet, seen: w.told, isHeld: false, afterMs,
    checkpoint: wallet === undefined ? 0 : barkdOf(w, wallet).wallet!.checkpoint,
  };
  w.nextId += 1;
  w.subs.set(sub.id, sub);
  if (stream === "mailbox") w.mailSubs += 1;
  greet(w, sub);
  return said(sub.id, afterMs);
}

/** Does the program's host find nobody? */
export function isAway(w: World, b: Barkd): boolean {
  if (b.process !== "running") return true;
  return faults.ofBarkd(w.outages, b.name, w.nowMs).some(faults.isUnheard);
}

/** For somebody without a wallet, who shakes no hands. */
function closedTo(w: World): Said<number> | undefined {
  const { localMs, connectMs } = w.config;
  for (const { kind } of faults.ofServer(w.outages, w.nowMs)) {
    if (kind === "down" || kind === "closing") {
      return unavailable("server-down", "the server closed the connection", localMs);
    }
    if (kind === "black-hole") return unavailable("server-down", "no answer", connectMs);
  }
  return undefined;
}

function greet(w: World, sub: Sub): void {
  const found = faults.ofServer(w.outages, w.nowMs);
  const isMute = found.some(({ kind }) => kind === "mute" || kind === "black-hole");
  const { last } = w.server;
  if (sub.stream === "rounds" && last !== undefined && !isMute) {
    give(w, sub, { stream: "rounds", event: last }, true);
  }
  if (sub.stream === "mailbox") pumpMail(w, sub);
  if (found.some(({ kind }) => kind === "replay-close")) end(w, sub, "clean");
}

function give(w: World, sub: Sub, item: Item, isReplay: boolean): void {
  w.out.push({ type: "item", sub: sub.id, item, isReplay, afterMs: sub.afterMs });
}

/** Nothing more comes of it, and it is told so. */
export function end(w: World, sub: Sub, reason: "clean" | "error"): void {
  if (!remove(w, sub.id)) return;
  w.out.push({ type: "ended", sub: sub.id, reason, afterMs: sub.afterMs });
}

/** Whoever had it has left; nothing is told. False: it was not there. */
export function unsubscribe(w: World, id: number): boolean {
  return remove(w, id);
}

function remove(w: World, id: number): boolean {
  if (w.subs.get(id)?.stream === "mailbox") w.mailSubs -= 1;
  return w.subs.delete(id);
}

/** Its reader is busy with what it has. */
export function hold(w: World, id: number): void {
  const sub = w.subs.get(id);
  if (sub !== undefined) sub.isHeld = true;
}

/** Its reader reads on, from the oldest that is still there. */
export function release(w: World, id: number): void {
  const sub = w.subs.get(id);
  if (sub === undefined) return;
  sub.isHeld = false;
  catchUp(w, sub);
}

function catchUp(w: World, sub: Sub): void {
  if (sub.stream === "mailbox") return pumpMail(w, sub);
  const oldest = w.told - w.ring.length;
  if (sub.seen < oldest) sub.seen = oldest;
  for (; sub.seen < w.told; sub.seen += 1) {
    const event = w.ring[sub.seen - oldest];
    assert(event !== undefined, "what is in the ring is there");
    give(w, sub, { stream: "rounds", event }, false);
  }
}

/** All who watch rounds hear of it, unless the server keeps quiet. */
export function broadcast(w: World, event: RoundEvent): void {
  const found = faults.ofServer(w.outages, w.nowMs);
  const isWild = found.some(({ kind }) => kind === "wild-numbers");
  const told = isWild
    ? { ...event, roundSeq: Number.MAX_SAFE_INTEGER, attemptSeq: 4_294_967_295 } : event;
  w.ring.push(told);
  if (w.ring.length > w.config.ringMax) w.ring.shift();
  w.told += 1;
  const isQuiet = found.some(({ kind }) => kind === "mute" || kind === "black-hole");
  for (const sub of [...w.subs.values()]) {
    if (sub.stream !== "rounds") continue;
    if (isQuiet) sub.seen = w.told;
    else if (!sub.isHeld) catchUp(w, sub);
  }
}

/** Mailboxes may have something new. */
export function pump(w: World): void {
  if (w.mailSubs === 0) return;
  for (const sub of [...w.subs.values()]) if (sub.stream === "mailbox") pumpMail(w, sub);
}

function pumpMail(w: World, sub: Sub): void {
  const b = barkdOf(w, sub.wallet!);
  const found = faults.ofServer(w.outages, w.nowMs);
  const isQuiet = found.some(({ kind }) => kind === "mute" || kind === "black-hole");
  if (b.wallet === undefined || sub.isHeld || isQuiet) return;
  const isShort = found.some(({ kind }) => kind === "one-and-close");
  for (let i = 0; i < w.config.pagesMax; i += 1) {
    const { messages } = mail.pageOf(w, b.name, sub.checkpoint);
    if (messages.length === 0) return;
    for (const message of messages) {
      const isProcessed = mail.process(w, b, b.wallet, message);
      sub.checkpoint = message.checkpoint;
      give(w, sub, { stream: "mailbox", message, isProcessed }, false);
      if (!isProcessed && !w.config.quirks.buries) return end(w, sub, "error");
      if (isShort) return end(w, sub, "clean");
    }
  }
}

/** Ends what cannot go on: the server is away, or the wallet's program. */
export function cut(w: World): void {
  const isServerAway = faults.ofServer(w.outages, w.nowMs)
    .some(({ kind }) => kind === "down" || kind === "closing");
  for (const sub of [...w.subs.values()]) {
    const isCut = isServerAway || (sub.wallet !== undefined && isAway(w, barkdOf(w, sub.wallet)));
    if (isCut) end(w, sub, "error");
  }
}
