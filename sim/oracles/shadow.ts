/**
 * D15 in a world: a second process of a directory, which nobody talks to, is told what the first
 * one is told, with every delivery cut into pieces. Both must write the same and end the same.
 *
 * Rule 1: the bound of all unfinished lines together counts what is unfinished between two pieces
 * too; where it ends a connection the comparison is over.
 * Rule 2: what was written is kept as a digest per connection; nothing grows with the run.
 * @module
 */
import type { DirectoryConfig } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../core/directory/events.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import type { Primitives } from "../../core/primitives.ts";
import * as prng from "../../core/prng.ts";
import type { Prng } from "../../core/prng.ts";
import type { Mono } from "../../core/time.ts";
import { violation, type Violation } from "../invariants/violation.ts";

type Effects = readonly (DirectoryEffect | WakeEffect)[];

/** What one of the two wrote on a connection, and how often and as what it ended it. */
type Side = { sum: number; bytes: number; ends: string };

export type Shadow = {
  readonly kernel: kernel.Kernel<directory.Directory, DirectoryEvent, DirectoryEffect>;
  readonly cuts: Prng;
  readonly sides: Map<ConnId, { readonly ours: Side; readonly theirs: Side }>;
  /** Connections of the step under way. */
  readonly touched: Set<ConnId>;
  isOver: boolean;
};

/** A process that starts now, with cuts drawn from `cuts`. */
export function create(
  config: DirectoryConfig, primitives: Primitives, cuts: Prng, now: Mono,
): Shadow {
  const root = directory.root(primitives);
  const state = directory.create(config, now);
  return {
    kernel: kernel.create(root, state, now, false), cuts, sides: new Map(), touched: new Set(),
    isOver: false,
  };
}

/** One step of the first process; the second follows. */
export function follow(
  s: Shadow, event: DirectoryEvent | Tick, effects: Effects, now: Mono,
): readonly Violation[] {
  if (s.isOver) return none;
  s.touched.clear();
  gather(s, "ours", effects);
  for (const piece of pieces(s, event)) gather(s, "theirs", kernel.step(s.kernel, piece, now));
  if (s.isOver) return none;
  const out: Violation[] = [];
  for (const conn of s.touched) compare(s, conn, out);
  if (event.type === "conn.closed") s.sides.delete(event.conn);
  return out;
}

const none: readonly Violation[] = [];

/** Most deliveries in few pieces, some byte by byte at the end, where line ends are. */
function pieces(s: Shadow, event: DirectoryEvent | Tick): readonly (DirectoryEvent | Tick)[] {
  if (event.type !== "conn.received" || event.bytes.length < 2) return [event];
  const { conn, bytes } = event;
  const cuts = new Set<number>();
  for (let i = prng.below(s.cuts, 4); i >= 0; i -= 1) {
    cuts.add(prng.between(s.cuts, 1, bytes.length - 1));
  }
  if (prng.chance(s.cuts, 1, 4)) cuts.add(bytes.length - 1);
  const ends = [...cuts].sort((a, b) => a - b);
  ends.push(bytes.length);
  let from = 0;
  return ends.map((to) => {
    const piece = bytes.slice(from, to);
    from = to;
    return { type: "conn.received", conn, bytes: piece };
  });
}

function gather(s: Shadow, side: "ours" | "theirs", effects: Effects): void {
  for (const effect of effects) {
    if (effect.type === "conn.send") {
      const one = sideOf(s, side, effect.conn);
      one.sum = hashed(one.sum, effect.bytes);
      one.bytes += effect.bytes.length;
    } else if (effect.type === "conn.close") {
      if (effect.reason === "input-full") s.isOver = true;
      const one = sideOf(s, side, effect.conn);
      if (one.ends === "") one.ends = effect.reason;
    }
  }
}

function sideOf(s: Shadow, side: "ours" | "theirs", conn: ConnId): Side {
  s.touched.add(conn);
  let known = s.sides.get(conn);
  if (known === undefined) {
    known = { ours: { sum: 0, bytes: 0, ends: "" }, theirs: { sum: 0, bytes: 0, ends: "" } };
    s.sides.set(conn, known);
  }
  return known[side];
}

function hashed(sum: number, bytes: Uint8Array): number {
  let h = sum;
  for (let i = 0; i < bytes.length; i += 1) h = Math.imul(h ^ (bytes[i] as number), 0x01000193) + 1;
  return h;
}

function compare(s: Shadow, conn: ConnId, out: Violation[]): void {
  const known = s.sides.get(conn);
  if (known === undefined) return;
  const { ours, theirs } = known;
  if (ours.ends !== theirs.ends) {
    const says = `cut differently, closed as ${word(theirs)} and not as ${word(ours)}`;
    out.push(violation("D15", says, { conn }));
  } else if (ours.sum !== theirs.sum || ours.bytes !== theirs.bytes) {
    out.push(violation("D15", "cut differently, it is sent different lines", { conn }));
  }
}

function word(side: Side): string {
  return side.ends === "" ? "open" : side.ends;
}
