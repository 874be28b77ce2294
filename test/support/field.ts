/**
 * The trace of a short day of a directory, as its daemon records it.
 * @module
 */
import { defaults, type DirectoryConfig } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import type { DirectoryEvent } from "../../core/directory/events.ts";
import type { ConnId } from "../../core/ids.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import * as trace from "../../core/kernel/trace.ts";
import { mono } from "../../core/time.ts";
import type { DirectoryKernel } from "../../sim/picture/field.ts";
import { frame, helloOf, maker, nick, taker, types, type Who } from "./directory.ts";
import { primitives } from "./primitives.ts";

export const header: trace.Header = {
  kind: "directory", version: "0.1.0", node: "v20", config: defaults, seed: new Uint8Array(4),
  startedAt: mono(5_000), startedUnixMs: 1_700_000_000_000,
};

/** The kernel that a header asks for. */
export function make(read: trace.Header): DirectoryKernel {
  const state = directory.create(read.config as DirectoryConfig, read.startedAt);
  return kernel.create(directory.root(primitives), state, read.startedAt, true);
}

export type Script = readonly (readonly [atMs: number, event: DirectoryEvent])[];

/** What a daemon writes with `--record`: every step, ticks and random bytes too. */
export function recorded(script: Script): string {
  const k = make(header);
  const lines = [trace.headerText(header)];
  const queue = script.map(([atMs, event]) => ({ at: 5_000 + atMs, event }));
  const step = (at: number, event: DirectoryEvent | typeof kernel.TICK): void => {
    const i = k.steps;
    const effects = kernel.step(k, event, mono(at));
    lines.push(trace.stepText(i, mono(at), event, effects, k.digest ?? trace.digest()));
    for (const effect of effects) {
      if (effect.type !== "entropy.want") continue;
      const bytes = new Uint8Array(effect.size).fill(7);
      queue.unshift({ at, event: { type: "entropy.given", req: effect.req, bytes } });
    }
  };
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
    while (k.wakeAt <= one.at) step(k.wakeAt, kernel.TICK);
    step(one.at, one.event);
  }
  lines.push(trace.footerText(k.steps, k.digest ?? trace.digest()));
  return lines.map((line) => `${line}\n`).join("");
}

const [one, two, three] = [1 as ConnId, 3 as ConnId, 5 as ConnId];

function said(conn: ConnId, type: number, line: string): DirectoryEvent {
  return { type: "conn.received", conn, bytes: frame(type, line) };
}

function hello(conn: ConnId, who: Who): DirectoryEvent {
  return said(conn, types.HANDSHAKE, helloOf(who));
}

/** A maker that comes, speaks, is lost and comes back; a taker; a stranger that says nothing. */
export const script: Script = [
  [0, { type: "clock.anchored", unixMs: 1_700_000_000_000 }], [0, { type: "operator.started" }],
  [100, { type: "conn.opened", conn: one }], [120, hello(one, maker(1))],
  [300, { type: "conn.opened", conn: two }], [320, hello(two, taker(2, []))],
  [900, said(one, types.PUBMSG, `${nick(1)}!PUBLIC!hello`)],
  [60_000, { type: "conn.closed", conn: one, reason: "reset" }],
  [61_000, { type: "conn.opened", conn: three }], [61_020, hello(three, maker(1))],
  [62_000, { type: "conn.opened", conn: 7 as ConnId }],
  [63_000, { type: "conn.received", conn: 7 as ConnId, bytes: Uint8Array.of(0, 255, 13, 10) }],
  [90_000, { type: "conn.closed", conn: two, reason: "eof" }],
];
