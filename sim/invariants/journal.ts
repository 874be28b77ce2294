/**
 * M13 for a node that writes a journal, as checks that know nothing of how the journal works: what
 * it tells is held against what it orders and what the disk answers.
 *
 * Rule 1: after a crash at any boundary of effects the file holds what was announced as durable,
 * then some of what was being written, in the order of asking, each once, and nothing else.
 * Rule 2: nothing is announced before a sync that was ordered after its write was answered.
 * Rule 3: one order at a time, and no cut below what was announced.
 * Rule 4: a file that no one damaged does not break the journal. A disk that failed to sync may.
 * Rule 5: a process that dies alone after a failed sync, and before it cut the file, leaves records
 * that the next one reads and syncs in vain (`core/history/journal.ts`, limit). When the power
 * fails after that, what is there is not judged.
 * Not known here: checksums, and how the journal finds the end of its records. Only the shape of a
 * line is known: four words, then the body.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { text as textOf } from "../../core/bytes.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import type { Kernel } from "../../core/kernel/kernel.ts";
import type { Mono } from "../../core/time.ts";
import type { Journal, JournalEffect, JournalEvent, JournalTold } from "../actors/journal.ts";
import { stepTwice, type Stepped } from "./cross.ts";
import { violation, type Violation } from "./violation.ts";

type Told<K extends JournalTold["type"]> = Extract<JournalTold, { readonly type: K }>;
type Asked = { readonly token: number; readonly body: string; readonly since: Mono };

export type Observer = {
  /** Announced as durable by all processes so far, in order: at `i` is sequence `i + 1`. */
  readonly kept: string[];
  /** Written by processes that died before they announced it: it may be there, from the front. */
  doubt: string[];
  /** Asked for in this life and neither announced nor refused; the first `written` were written. */
  waiting: Asked[];
  written: number;
  writtenBytes: number;
  /** So many of them were written when the sync under way was ordered. */
  covered: number;
  isReady: boolean;
  isAppended: boolean;
  /** Where the last announced record ends. */
  endBytes: number;
  order: StoreEffect | undefined;
  /** A sync failed in this life. */
  isSpoiled: boolean;
  /** And nothing was cut off or announced since. */
  isUncut: boolean;
  /** `yes`: what is read may be on no disk, and nobody can tell. `lost`: then the power failed. */
  vain: "no" | "yes" | "lost";
};

/** Of a node whose disk is empty. */
export function create(): Observer {
  return {
    kept: [], doubt: [], waiting: [], written: 0, writtenBytes: 0, covered: 0, isReady: false,
    isAppended: false, endBytes: 0, order: undefined, isSpoiled: false, isUncut: false, vain: "no",
  };
}

const none: readonly Violation[] = [];

/** One step of the node. What it returned counts also if the process died within it. */
export function observe(
  o: Observer, event: JournalEvent | Tick, effects: readonly (JournalEffect | WakeEffect)[],
  now: Mono,
): readonly Violation[] {
  const found: Violation[] = [];
  const announced = "req" in event ? answered(o, event, found) : 0;
  for (const effect of effects) {
    if (effect.type !== "told" || effect.what.type !== "asked") continue;
    o.waiting.push({ token: effect.what.token, body: effect.what.body, since: now });
  }
  let durable = 0;
  for (const effect of effects) {
    switch (effect.type) {
      case "store.load": case "store.append": case "store.sync": case "store.truncate":
        ordered(o, effect, found);
        break;
      case "told":
        if (effect.what.type === "durable") durable += 1;
        heard(o, effect.what, found);
        break;
      case "log": case "mark": case "wake": break;
      default: unreachable(effect);
    }
  }
  if (durable !== announced) say(found, `${durable} records announced, ${announced} synced`);
  return found.length === 0 ? none : found;
}

/** The process died; with `power`, the machine too. What it was writing may be there or not. */
export function crashed(o: Observer, power = true): void {
  doubtful(o);
  if (power && o.vain === "yes") o.vain = "lost";
  else if (!power && o.isUncut && o.vain === "no") o.vain = "yes";
  o.isUncut = false;
  o.waiting = [];
  o.written = 0;
  o.isReady = false;
  o.isAppended = false;
  o.order = undefined;
  o.isSpoiled = false;
}

/** A new process, or anybody, has read these bodies from the disk. */
export function reloaded(o: Observer, bodies: readonly string[]): readonly Violation[] {
  const found: Violation[] = [];
  if (o.vain === "lost") return found;
  const { kept, doubt } = o;
  if (bodies.length < kept.length) {
    say(found, `${kept.length} records were announced, ${bodies.length} are there`);
  }
  if (bodies.length > kept.length + doubt.length) {
    const surplus = bodies.length - kept.length - doubt.length;
    say(found, `${surplus} records are there that were never written`);
  }
  for (const [i, body] of bodies.entries()) {
    const was = i < kept.length ? kept[i] : doubt[i - kept.length];
    if (was === undefined || was === body) continue;
    say(found, `record ${i + 1} is not what was written as such`);
    break;
  }
  return found;
}

/** When the record that waits longest was asked for; `undefined` when none waits. */
export function waitingSince(o: Observer): Mono | undefined {
  return o.waiting[0]?.since;
}

/** M13, double drive: the same step on a copy gives the same effects and the same state. */
export function stepDouble(
  k: Kernel<Journal, JournalEvent, JournalEffect>, event: JournalEvent | Tick, now: Mono,
): Stepped<JournalEffect> {
  const { effects, violations } = stepTwice(k, event, now);
  return { effects, violations: violations.map(({ says }) => violation("M13", says)) };
}

/** The bodies of the lines from the second on to `end`. */
export function bodiesOf(bytes: Uint8Array, end = bytes.length): readonly string[] {
  if (end > bytes.length) return [];
  const lines = textOf(bytes, 0, end).split("\n");
  return lines.slice(1, -1).map(bodyOf);
}

function bodyOf(line: string): string {
  return line.split(" ").slice(4).join(" ");
}

function say(found: Violation[], says: string): void {
  found.push(violation("M13", says));
}

/** An answer of the disk. Returns how many records are durable by it. */
function answered(o: Observer, event: StoreEvent, found: Violation[]): number {
  const { order } = o;
  if (order === undefined || order.req !== event.req) {
    say(found, "the disk answered an order that was not given");
    return 0;
  }
  o.order = undefined;
  if (event.type === "store.failed" && order.type === "store.sync") {
    o.isSpoiled = true;
    o.isUncut = true;
  }
  if (event.type === "store.truncated") o.isUncut = false;
  if (event.type === "store.appended") o.isAppended = o.written > 0;
  if (event.type !== "store.synced") return 0;
  // A sync after a cut: what was written before the cut is gone for good.
  if (!o.isAppended) o.written = 0;
  return o.covered;
}

function ordered(o: Observer, order: StoreEffect, found: Violation[]): void {
  if (o.order !== undefined) say(found, `${order.type} while ${o.order.type} is under way`);
  o.order = order;
  switch (order.type) {
    case "store.append": return appends(o, order.bytes, found);
    case "store.sync":
      o.covered = o.isAppended ? o.written : 0;
      return;
    case "store.truncate":
      o.isAppended = false;
      if (o.isReady && order.size < o.endBytes) say(found, "announced records are cut off");
      return;
    case "store.load": return;
    default: return unreachable(order);
  }
}

/** A write holds the records that wait, in their order, or a header. */
function appends(o: Observer, bytes: Uint8Array, found: Violation[]): void {
  o.isAppended = false;
  if (!o.isReady) return;
  if (o.written > 0) say(found, "a second write before the first is durable or cut off");
  const lines = textOf(bytes).split("\n");
  o.written = lines.length - 1;
  o.writtenBytes = bytes.length;
  if (lines.pop() !== "") say(found, "a write does not end with a line");
  for (const [i, line] of lines.entries()) {
    if (o.waiting[i]?.body === bodyOf(line)) continue;
    say(found, `line ${i + 1} of a write is not the record that waits there`);
    return;
  }
}

function heard(o: Observer, what: JournalTold, found: Violation[]): void {
  switch (what.type) {
    case "asked": return;
    case "ready": return ready(o, what, found);
    case "durable": return durable(o, what, found);
    case "refused": return refused(o, what, found);
    case "broken":
      doubtful(o);
      if (!o.isSpoiled && o.vain !== "lost") {
        say(found, `the journal broke (${what.code}) over a sound file`);
      }
      return;
    default: return unreachable(what);
  }
}

function ready(o: Observer, what: Told<"ready">, found: Violation[]): void {
  if (o.isReady) say(found, "the journal is ready twice in one life");
  const bodies = bodiesOf(what.bytes, what.end);
  if (bodies.length !== what.count) {
    say(found, `${what.count} records are told of, ${bodies.length} are there`);
  }
  for (const one of reloaded(o, bodies)) found.push(one);
  o.kept.length = 0;
  for (const body of bodies) o.kept.push(body);
  o.doubt = [];
  if (o.vain === "lost") o.vain = "no";
  o.isReady = true;
  o.endBytes = what.end;
}

function durable(o: Observer, what: Told<"durable">, found: Violation[]): void {
  o.isUncut = false;
  const first = o.waiting[0];
  if (first?.token !== what.token) {
    say(found, `record ${what.token} is announced out of turn`);
    return;
  }
  o.waiting.shift();
  o.kept.push(first.body);
  if (what.seq !== o.kept.length) {
    say(found, `record ${o.kept.length} is announced as number ${what.seq}`);
  }
  o.written -= 1;
  if (o.written !== 0) return;
  o.endBytes += o.writtenBytes;
  o.isAppended = false;
}

function refused(o: Observer, what: Told<"refused">, found: Violation[]): void {
  const at = o.waiting.findLastIndex((one) => one.token === what.token);
  if (at < 0) return say(found, `record ${what.token} is refused and was not asked for`);
  if (at < o.written && what.why !== "broken") say(found, `record ${what.token} was written`);
  o.waiting.splice(at, 1);
}

/** What is written and not announced may survive this process. */
function doubtful(o: Observer): void {
  if (!o.isReady || o.written === 0) return;
  o.doubt = o.waiting.slice(0, o.written).map((one) => one.body);
  o.written = 0;
}
