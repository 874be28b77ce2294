/**
 * A pool of links on made-up connections.
 * @module
 */
import assert from "node:assert/strict";
import { unreachable } from "../../core/assert.ts";
import { concat } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as pool from "../../core/maker/pool.ts";
import * as prng from "../../core/prng.ts";
import { mono, type Mono } from "../../core/time.ts";
import * as made from "./maker-link.ts";

export const config: pool.Config = {
  ...pool.defaults, link: made.config, startupMs: 120, directoriesMax: 4,
};

export const names = ["a.test:5222", "b.test:5222", "c.test:5222"] as const;
export const [a, b, c] = names;
export const directories: readonly pool.Directory[] = names.map((to) => ({ to }));

/** One effect in short, or nothing for what is of no interest. */
export function shown(effect: pool.Effect): string {
  switch (effect.type) {
    case "conn.dial":
      return `dial ${effect.to}${effect.isolation === undefined ? "" : ` ${effect.isolation}`}`;
    case "conn.send": return `send ${effect.conn}`;
    case "conn.close": return `close ${effect.conn} ${effect.how} ${effect.reason}`;
    case "up": return `up ${effect.directory} ${effect.connected}/${effect.total}`;
    case "down":
      return `down ${effect.directory} ${effect.connected}/${effect.total} ${effect.why}`;
    case "failed": return `failed ${effect.directory} ${effect.why}`;
    case "settled": return `settled ${effect.isReached ? "reached" : "in vain"}`;
    case "all-down": return `all-down ${effect.total}${effect.isStartup ? " startup" : ""}`;
    case "all-back": return `all-back ${effect.connected}/${effect.total}`;
    case "heard": return `heard ${effect.directory} ${effect.line}`;
    case "announced": return `announced ${effect.directory} ${effect.version}`;
    case "sign": return `sign ${effect.token}`;
    case "ended": return effect.type;
    default: return unreachable(effect);
  }
}

export type World = {
  readonly m: pool.Pool;
  readonly told: pool.Effect[];
  now: Mono;
  readonly on: (event: pool.Event) => string[];
  readonly to: (at: number) => string[];
  /** The latest connection to a directory. */
  readonly conn: (name: string) => ConnId;
  /** The directory sends frames. */
  readonly hear: (name: string, ...frames: readonly Uint8Array[]) => string[];
  /** The directory accepts, and lets us in. */
  readonly accept: (name: string, hello?: made.Hello) => string[];
  readonly close: (name: string) => string[];
  readonly say: (line: string, via?: string) => number;
};

/** A pool with three directories that has not started. */
export function world(
  changes: Partial<pool.Config> = {}, list: readonly pool.Directory[] = directories,
): World {
  const key = prng.key("pool");
  const m = pool.create({ ...config, ...changes }, made.identity, made.location, key);
  const told: pool.Effect[] = [];
  const w: World = {
    m, told, now: mono(0),
    on: (event) => {
      const out: pool.Effect[] = [];
      pool.step(m, event, w.now, made.primitives, out);
      assert.ok(pool.deadline(m) > w.now, "law 2");
      told.push(...out);
      return out.map(shown);
    },
    to: (at) => {
      const all: string[] = [];
      for (let i = 0; pool.deadline(m) <= at; i += 1) {
        assert.ok(i < 10_000);
        w.now = pool.deadline(m);
        all.push(...w.on({ type: "tick" }));
      }
      w.now = mono(at);
      return all;
    },
    conn: (name) => {
      const dials = told.flatMap((e) => (e.type === "conn.dial" && e.to === name ? [e.conn] : []));
      const last = dials.at(-1);
      assert.ok(last !== undefined, `${name} was never dialled`);
      return last;
    },
    hear: (name, ...frames) =>
      w.on({ type: "conn.received", conn: w.conn(name), bytes: concat(frames) }),
    accept: (name, hello) => [
      ...w.on({ type: "conn.dialed", conn: w.conn(name) }), ...w.hear(name, made.welcome(hello)),
    ].filter((line) => !line.startsWith("send")),
    close: (name) => w.on({ type: "conn.closed", conn: w.conn(name), reason: "eof" }),
    say: (line, via) => {
      const out: pool.Effect[] = [];
      const taken = pool.say(m, line, via, w.now, made.primitives, out);
      told.push(...out);
      return taken;
    },
  };
  w.on({ type: "configured", directories: list });
  return w;
}

/** All are up at instant 0; they know no PING unless told otherwise, so that nothing happens. */
export function upWorld(hello: made.Hello = { features: [] }): World {
  const w = world();
  w.on({ type: "started" });
  for (const name of names) w.accept(name, hello);
  w.told.length = 0;
  for (const slot of w.m.slots) {
    w.told.push({ type: "conn.dial", conn: slot.conn as ConnId, to: slot.directory.to });
  }
  return w;
}
