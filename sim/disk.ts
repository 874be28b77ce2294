/**
 * One file on one simulated disk: what a reader sees, and what survives a power failure.
 *
 * Rule 1: an order is carried out when it is given and answered later, one after the other. A crash
 * before the answer leaves it done, undone or done in part.
 * Rule 2: when the process dies, everything that was written stays. When the power fails, what is
 * not synced is drawn: nothing of it, a part, a part and rubbish behind it (zeros, noise, a hole),
 * or all; a cut that is not synced may come undone.
 * Rule 3: a failed sync is worse than none: what was written is seen, and a later sync says that it
 * is kept, but it is on no disk until it is cut off and written again. Real systems do that.
 * Rule 4: a full disk takes a part of a write and says that it is full; it still cuts and syncs.
 * Not known here: what the bytes mean, and when anything breaks.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import { concat } from "../core/bytes.ts";
import type { StoreEffect, StoreEvent, StoreFailure } from "../core/history/store.ts";
import * as prng from "../core/prng.ts";
import type { Prng } from "../core/prng.ts";

/** What a cut may have to give back, and a crash to undo. */
type Image = {
  /** What a reader sees: the first `size` bytes. What an earlier image shows is not overwritten. */
  bytes: Uint8Array;
  size: number;
  /** So many of them were synced, and `lost` came behind them then and was cut off since. */
  kept: number;
  lost: Uint8Array;
  /** Seen and on no disk, from the first to the second: a sync failed. */
  spoiledFrom: number;
  spoiledTo: number;
};

export type Disk = Image & {
  readonly draws: Prng;
  readonly capacityBytes: number;
  /** The last order, when it is answered, and the file before it; crashes look at them. */
  last: StoreEffect["type"];
  before: Image;
  busyUntilUs: number;
  slowUs: number;
  /** How many faults say that the disk is full. */
  fulls: number;
  /** The next order of this type fails so. */
  fault: { readonly type: StoreEffect["type"]; readonly reason: StoreFailure } | undefined;
  /** The `next` write is cut short, or was: then the power fails. */
  tear: "no" | "next" | "done";
};

/** Who is told what became of an order, and when. */
export type Answer = (atUs: number, event: StoreEvent) => void;

/** Mean costs in microseconds, and how fast bytes go: those of a plain disk of our days. */
const orderUs = 60;
const syncUs = 4_000;
const bytesPerUs = 200;

/** 1 TiB: a disk that nothing here fills. */
const capacityBytesDefault = 1_099_511_627_776;
const roomBytesMin = 1_024;

/** An empty disk. `draws` is for its latencies, its partial writes and what crashes leave. */
export function create(capacityBytes: number | undefined, draws: Prng): Disk {
  const image = {
    bytes: new Uint8Array(roomBytesMin), size: 0, kept: 0, lost: new Uint8Array(0),
    spoiledFrom: 0, spoiledTo: 0,
  };
  return {
    ...image, draws, capacityBytes: capacityBytes ?? capacityBytesDefault, last: "store.load",
    before: image, busyUntilUs: 0, slowUs: 0, fulls: 0, fault: undefined, tear: "no",
  };
}

/** What stands in the file from the beginning, and is kept. */
export function hold(d: Disk, bytes: Uint8Array): void {
  put(d, bytes);
  d.kept = d.size;
  d.before = imageOf(d);
}

/** Every order takes `ms` longer; 0: no longer. */
export function slow(d: Disk, ms: number): void {
  d.slowUs = ms * 1_000;
}

/** One more fault says that the disk is full, or one less. */
export function full(d: Disk, on: boolean): void {
  d.fulls += on ? 1 : -1;
}

/** The next write is cut short and never answered; see `isTorn`. A crash ends it. */
export function tear(d: Disk): void {
  d.tear = "next";
}

/** Was a write cut short? Then the power must fail now. */
export function isTorn(d: Disk): boolean {
  return d.tear === "done";
}

/** The next order of this type fails for that reason. */
export function failNext(d: Disk, type: StoreEffect["type"], reason: StoreFailure): void {
  d.fault = { type, reason };
}

/** No order fails any more for having been told to, and no write to come is cut short. */
export function mend(d: Disk): void {
  d.fault = undefined;
  if (d.tear === "next") d.tear = "no";
}

/** A copy of what a reader sees. */
export function contents(d: Disk): Uint8Array {
  return d.bytes.slice(0, d.size);
}

/** Carries out an order at `nowUs`, and says what became of it and when that is known. */
export function order(d: Disk, effect: StoreEffect, nowUs: number, answer: Answer): void {
  const fromUs = nowUs > d.busyUntilUs ? nowUs : d.busyUntilUs;
  d.last = effect.type;
  d.before = imageOf(d);
  const event = carryOut(d, effect);
  d.busyUntilUs = fromUs + costUs(d, effect) + d.slowUs;
  if (event !== undefined) answer(d.busyUntilUs, event);
}

function imageOf(d: Disk): Image {
  const { bytes, size, kept, lost, spoiledFrom, spoiledTo } = d;
  return { bytes, size, kept, lost, spoiledFrom, spoiledTo };
}

function costUs(d: Disk, effect: StoreEffect): number {
  switch (effect.type) {
    case "store.load": return 1 + prng.tailed(d.draws, orderUs) + Math.floor(d.size / bytesPerUs);
    case "store.append":
      return 1 + prng.tailed(d.draws, orderUs) + Math.floor(effect.bytes.length / bytesPerUs);
    case "store.sync": return 1 + prng.tailed(d.draws, syncUs);
    case "store.truncate": return 1 + prng.tailed(d.draws, orderUs);
    default: return unreachable(effect);
  }
}

function carryOut(d: Disk, effect: StoreEffect): StoreEvent | undefined {
  const { req } = effect;
  const reason = failureOf(d, effect.type);
  switch (effect.type) {
    case "store.load":
      if (reason !== undefined) return { type: "store.failed", req, reason };
      return { type: "store.loaded", req, bytes: contents(d) };
    case "store.append": return appended(d, req, effect.bytes, reason);
    case "store.sync":
      if (reason !== undefined) return spoiled(d, req, reason);
      d.kept = d.size;
      d.lost = new Uint8Array(0);
      return { type: "store.synced", req };
    case "store.truncate":
      if (reason !== undefined) return { type: "store.failed", req, reason };
      cut(d, effect.size);
      return { type: "store.truncated", req };
    default: return unreachable(effect);
  }
}

function failureOf(d: Disk, type: StoreEffect["type"]): StoreFailure | undefined {
  const { fault } = d;
  if (fault?.type !== type) return undefined;
  d.fault = undefined;
  return fault.reason;
}

function appended(
  d: Disk, req: number, bytes: Uint8Array, fault: StoreFailure | undefined,
): StoreEvent | undefined {
  const { length } = bytes;
  if (d.tear === "next") {
    d.tear = "done";
    put(d, bytes.subarray(0, prng.below(d.draws, length)));
    return undefined;
  }
  const isShort = d.size + length > d.capacityBytes;
  const reason = fault ?? (d.fulls > 0 || isShort ? "full" : undefined);
  if (reason === undefined) {
    put(d, bytes);
    return { type: "store.appended", req };
  }
  const most = isShort ? larger(d.capacityBytes - d.size, 0) : prng.below(d.draws, length);
  put(d, bytes.subarray(0, most));
  return { type: "store.failed", req, reason };
}

function larger(a: number, b: number): number {
  return a > b ? a : b;
}

function put(d: Disk, bytes: Uint8Array): void {
  const size = d.size + bytes.length;
  if (size > d.bytes.length) {
    const room = new Uint8Array(larger(2 * size, roomBytesMin));
    room.set(d.bytes.subarray(0, d.size));
    d.bytes = room;
  }
  d.bytes.set(bytes, d.size);
  d.size = size;
}

/** What is not kept is never kept by a later sync, though it is seen. */
function spoiled(d: Disk, req: number, reason: StoreFailure): StoreEvent {
  if (d.spoiledFrom === d.spoiledTo) d.spoiledFrom = d.kept;
  d.spoiledTo = d.size;
  return { type: "store.failed", req, reason };
}

function cut(d: Disk, size: number): void {
  if (size < d.kept) {
    d.lost = concat([d.bytes.slice(size, d.kept), d.lost]);
    d.kept = size;
  }
  d.size = size;
  if (d.spoiledTo > size) d.spoiledTo = size;
  if (d.spoiledFrom > d.spoiledTo) d.spoiledFrom = d.spoiledTo;
}

/**
 * The process dies at `nowUs`; with `power`, the machine too. What is left is what the next process
 * finds, and what it finds after a power failure survives the next one.
 */
export function crash(d: Disk, power: boolean, nowUs: number): void {
  if (nowUs < d.busyUntilUs) interrupt(d);
  d.busyUntilUs = nowUs;
  if (power) lose(d);
  d.tear = "no";
}

/** The order under way is done or not, and a write in part. */
function interrupt(d: Disk): void {
  if (d.last === "store.append") {
    if (d.tear !== "done") d.size = prng.between(d.draws, d.before.size, d.size);
  } else if (prng.chance(d.draws, 1, 2)) {
    Object.assign(d, d.before);
  }
}

/** The power fails: what was not synced is drawn. */
function lose(d: Disk): void {
  const whole = contents(d);
  const fresh = whole.subarray(d.kept);
  const rest = d.lost.length > 0 && prng.chance(d.draws, 1, 2)
    ? undone(d, fresh) : survivors(d, fresh);
  whole.fill(0, d.spoiledFrom, d.spoiledTo);
  d.bytes = concat([whole.subarray(0, d.kept), rest]);
  d.size = d.bytes.length;
  d.kept = d.size;
  d.lost = new Uint8Array(0);
  d.spoiledFrom = 0;
  d.spoiledTo = 0;
  d.before = imageOf(d);
}

/** The cut comes undone: behind what was written over it stands what was there before. */
function undone(d: Disk, fresh: Uint8Array): Uint8Array {
  const most = fresh.length < d.lost.length ? fresh.length : d.lost.length;
  const over = prng.between(d.draws, 0, most);
  return concat([fresh.subarray(0, over), d.lost.subarray(over)]);
}

/** What is left of bytes that were written and not synced. */
function survivors(d: Disk, fresh: Uint8Array): Uint8Array {
  const { length } = fresh;
  if (d.tear === "done") return fresh.slice();
  const whole = prng.between(d.draws, 0, length);
  const end = prng.between(d.draws, whole, length);
  switch (prng.below(d.draws, 6)) {
    case 0: return new Uint8Array(0);
    case 1: return fresh.slice();
    case 2: return fresh.slice(0, whole);
    case 3: return concat([fresh.subarray(0, whole), new Uint8Array(end - whole)]);
    case 4: return concat([fresh.subarray(0, whole), prng.bytes(d.draws, end - whole)]);
    // A page that was not written, and later ones that were.
    default: return fresh.slice().fill(0, whole, end);
  }
}
