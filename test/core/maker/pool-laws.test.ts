import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ConnId } from "../../../core/ids.ts";
import * as pool from "../../../core/maker/pool.ts";
import * as prng from "../../../core/prng.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import {
  identity, location, other, ping, primitives, privateFrame, proving, welcome,
} from "../../support/maker-link.ts";
import { config, directories } from "../../support/maker-pool.ts";

type Event = pool.Event | { readonly type: "say" } | { readonly type: "change" };
type S = { readonly m: pool.Pool; version: number };
type Effect = pool.Effect | { readonly type: "said"; readonly taken: number; readonly up: number };
type Done = Run<S, Event, Effect>;

const upOf = (m: pool.Pool): number =>
  pool.views(m).filter(({ phase }) => phase === "up").length;

function step(s: S, event: Event, now: Done["now"], out: Effect[]): void {
  const told = out as pool.Effect[];
  if (event.type === "say") {
    const up = upOf(s.m);
    const line = `${identity.nick}!${other}!error ${"x".repeat(300)}`;
    const taken = pool.say(s.m, line, undefined, now, primitives, told);
    out.push({ type: "said", taken, up });
  } else if (event.type === "change") {
    s.version += 1;
    const current = [`sw0absoffer 0 1 ${s.version} 0 5`];
    const offers = { version: s.version, current, change: current };
    pool.step(s.m, { type: "offered", offers }, now, primitives, told);
  } else pool.step(s.m, event, now, primitives, told);
}

/** Silence is noticed soon, so that runs can be short. */
const brief: pool.Config = { ...config, link: { ...config.link, silentMs: 400 } };

function subject(lives: (run: Done) => void): Subject<S, Event, Effect> {
  return {
    create: () => {
      const m = pool.create(brief, identity, location, prng.key("laws"));
      return { m, version: 0 };
    },
    step,
    deadline: ({ m }) => pool.deadline(m),
    tick: { type: "tick" },
    settleMs: 900,
    holds: ({ m }) => {
      for (const [conn, slot] of m.byConn) assert.equal(slot.conn, conn);
      const open = m.slots.filter((slot) => slot.conn !== undefined);
      assert.equal(open.length, m.byConn.size);
      assert.equal(new Set(m.slots.map((s) => s.directory.to)).size, m.slots.length, "M1");
      assert.ok(m.slots.length <= 2 * config.directoriesMax);
    },
    lives,
  };
}

const conn = fc.nat(14).map((n) => (2 + 4 * n) as ConnId);
const bytes = fc.constantFrom(
  welcome(), welcome(), welcome({ features: [] }), welcome(proving), ping, privateFrame("fill 0 5"),
  welcome({ accepted: false }),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: conn.map((id): Event => ({ type: "conn.dialed", conn: id })) },
  {
    weight: 10,
    arbitrary: fc.record({ type: fc.constant("conn.received" as const), conn, bytes }),
  },
  {
    weight: 4,
    arbitrary: conn.map((id): Event => ({ type: "conn.closed", conn: id, reason: "eof" })),
  },
  {
    weight: 2,
    arbitrary: conn.map((id): Event => ({ type: "conn.failed", conn: id, reason: "refused" })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(conn, fc.constantFrom("conn.congested" as const, "conn.drained" as const))
      .map(([id, type]): Event => ({ type, conn: id })),
  },
  {
    weight: 5,
    arbitrary: fc.oneof(
      fc.constantFrom<Event>({ type: "say" }, { type: "change" }),
      fc.subarray([...directories]).map((list): Event =>
        ({ type: "configured", directories: list })),
    ),
  },
);
const begin = [
  { afterMs: 0, event: { type: "configured", directories } as const },
  { afterMs: 0, event: { type: "started" } as const },
];

test("maker: pool: the four laws hold; every directory is tried again and again", () => {
  fc.assert(fc.property(scripts(event, 100, 30, true), (script) => {
    laws(subject(({ state, steps, now }) => {
      const waitMax = config.link.dialMs + config.link.retry.maxMs;
      const dialedAt = new Map<string, number>();
      for (const { at, effects } of steps) {
        for (const e of effects) if (e.type === "conn.dial") dialedAt.set(e.to, at);
      }
      for (const { directory } of pool.views(state.m)) {
        const ms = now - (dialedAt.get(directory) ?? -Infinity);
        assert.ok(ms <= waitMax, `${directory} was dialled ${ms} ms ago`);
      }
      // Nobody has answered for long: none is up, and that was said.
      assert.equal(upOf(state.m), 0);
      assert.equal(state.m.isAllDown, state.m.slots.length > 0);
    }), [...begin, ...script]);
  }), { numRuns: 25 });
});

test("maker: pool: M1, M7 and the counts hold in every transcript", () => {
  fc.assert(fc.property(scripts(event, 60, 40), (script) => {
    laws(subject(({ steps }) => {
      let down = false;
      const live = new Map<ConnId, string>();
      for (const { event: e, effects } of steps) {
        if (e.type === "conn.closed" || e.type === "conn.failed") live.delete(e.conn);
        for (const effect of effects) {
          if (effect.type === "conn.dial") {
            assert.ok(![...live.values()].includes(effect.to), "M1: two connections");
            live.set(effect.conn, effect.to);
          }
          if (effect.type === "conn.close" && effect.how === "abort") live.delete(effect.conn);
          if (effect.type === "all-down" || effect.type === "all-back") {
            assert.equal(effect.type === "all-down", !down, "M7: said twice");
            down = !down;
          }
          if (effect.type === "up" || effect.type === "down") {
            assert.ok(effect.connected <= effect.total);
            assert.ok(effect.type === "down" || effect.connected >= 1);
          }
          if (effect.type === "said") assert.ok(effect.taken <= effect.up);
        }
        // An episode without any directory ends unsaid.
        if (e.type === "configured" && e.directories.length === 0) down = false;
      }
    }), [...begin, ...script]);
  }), { numRuns: 25 });
});
