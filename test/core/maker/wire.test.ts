import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as wire from "../../../core/maker/wire.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { config, ping, said } from "../../support/maker-link.ts";

type Event = { readonly type: "byte" | "pong" | "congested" | "drained" | "put" | "tick" };
type Effect = wire.Effect | { readonly type: "dead"; readonly why: wire.Dead };
type State = { readonly w: wire.Wire; dead: boolean };

/** The owner of a wire: it ends with the first verdict. */
function step(s: State, event: Event, now: Mono, out: Effect[]): void {
  if (s.dead) return;
  let dead: wire.Dead | undefined;
  switch (event.type) {
    case "byte": wire.heard(s.w, now); break;
    case "pong": wire.heard(s.w, now); wire.ponged(s.w, now); break;
    case "congested": wire.congested(s.w, now); break;
    case "drained": wire.drained(s.w); break;
    case "put": wire.put(s.w, new Uint8Array(700), out); break;
    case "tick": dead = wire.tick(s.w, now, out); break;
  }
  if (dead === undefined && s.w.isFull) dead = "outbox-full";
  if (dead === undefined) return wire.flush(s.w, out);
  s.dead = true;
  out.push({ type: "dead", why: dead });
}

function subject(pings: boolean, lives: (run: Run<State, Event, Effect>) => void) {
  const made: Subject<State, Event, Effect> = {
    create: (now) => {
      const w = wire.create(config, now);
      w.answersPing = pings;
      wire.watched(w, now);
      return { w, dead: false };
    },
    step,
    deadline: (s) => (s.dead ? NEVER : wire.deadline(s.w)),
    tick: { type: "tick" },
    settleMs: 2_000,
    holds: ({ w, dead }) => {
      assert.ok(dead || w.queuedBytes <= config.outboxBytesMax);
      assert.ok(dead || w.congestedAt !== NEVER || w.queue.length === 0);
    },
    lives,
  };
  return made;
}

const event: fc.Arbitrary<Event> = fc.constantFrom<Event>(
  { type: "byte" }, { type: "byte" }, { type: "pong" }, { type: "congested" }, { type: "drained" },
  { type: "put" },
);

test("maker: wire: the four laws hold; a silent directory that knows PING is dead in time", () => {
  fc.assert(fc.property(scripts(event, 150, 20, true), (script) => {
    laws(subject(true, ({ state, steps }) => {
      // Nothing is heard in the 2,000 ms at the end.
      assert.ok(state.dead, "nobody noticed");
      const pings = steps.filter(({ effects }) => effects.some((e) =>
        e.type === "send" && e.bytes.length === ping.length));
      const gaps = pings.slice(1).map(({ at }, i) => at - (pings[i]?.at ?? 0));
      // A PING that waits for room leaves later than it was asked for, the next one may not.
      const isLate = steps.some((one) => one.event.type === "congested");
      assert.ok(isLate || gaps.every((ms) => ms >= config.pingGapMs));
    }), script);
  }), { numRuns: 100 });
});

test("maker: wire: the four laws hold; a silent directory without PING is dead in time", () => {
  fc.assert(fc.property(scripts(event, 900, 12, true), (script) => {
    laws(subject(false, ({ state, steps }) => {
      assert.ok(state.dead);
      const sizes = steps.flatMap(({ effects }) => effects.flatMap((e) =>
        (e.type === "send" ? [e.bytes.length] : [])));
      assert.ok(sizes.every((bytes) => bytes % 700 === 0), "asked a directory that knows no PING");
    }), script);
  }), { numRuns: 80 });
});

test("maker: wire: M4: no run is silent for longer than idle and pong together", () => {
  const quiet: fc.Arbitrary<Event> = fc.constantFrom<Event>({ type: "byte" }, { type: "pong" });
  fc.assert(fc.property(scripts(quiet, 120, 20), (script) => {
    laws(subject(true, ({ steps }) => {
      let heardAt = 0;
      for (const { at, event: e, effects } of steps) {
        const dead = effects.find((x) => x.type === "dead");
        assert.ok(at - heardAt <= config.idleMs + config.pongMs);
        if (dead !== undefined) {
          if (dead.why === "no-pong") assert.ok(at - heardAt >= config.pongMs);
          return;
        }
        if (e.type === "byte" || e.type === "pong") heardAt = at;
      }
      assert.fail("never dead");
    }), script);
  }), { numRuns: 120 });
});

function fresh(pings = true) {
  const w = wire.create(config, mono(0));
  w.answersPing = pings;
  wire.watched(w, mono(0));
  const tick = (at: number): string[] => {
    const out: wire.Effect[] = [];
    const dead = wire.tick(w, mono(at), out);
    if (dead !== undefined) return [dead];
    wire.flush(w, out);
    return out.flatMap((effect) => said(effect.bytes));
  };
  return { w, tick };
}

test("maker: wire: asked after idleMs of silence, dead pongMs later, to the millisecond", () => {
  const { w, tick } = fresh();
  assert.deepEqual(tick(59), []);
  assert.equal(wire.deadline(w), 60);
  assert.deepEqual(tick(60), ["798"]);
  assert.deepEqual(tick(89), []);
  assert.equal(wire.deadline(w), 90);
  assert.deepEqual(tick(90), ["no-pong"]);
});

test("maker: wire: any byte in the last millisecond saves the connection", () => {
  const { w, tick } = fresh();
  tick(60);
  wire.heard(w, mono(89));
  assert.deepEqual(tick(90), []);
  assert.equal(wire.deadline(w), 149, "asked again after another idleMs");
  assert.deepEqual(tick(149), ["798"]);
});

test("maker: wire: at most one question in pingGapMs", () => {
  const { w, tick } = fresh();
  tick(60);
  wire.heard(w, mono(61));
  wire.ponged(w, mono(61));
  for (let at = 62; at < 121; at += 1) assert.deepEqual(tick(at), []);
  assert.deepEqual(tick(121), ["798"]);
});

test("maker: wire: half-open: a directory that is heard but does not hear us is found", () => {
  const { w, tick } = fresh();
  const seen: string[] = [];
  for (let at = 1; at <= 500; at += 1) {
    wire.heard(w, mono(at));
    const now = tick(at);
    if (now.length > 0) seen.push(`${at} ${now.join()}`);
    if (now[0] === "unheard") break;
  }
  assert.deepEqual(seen, ["300 798", "420 unheard"]);
});

test("maker: wire: an answer among other bytes is proof for another proveMs", () => {
  const { w, tick } = fresh();
  const asked: number[] = [];
  for (let at = 1; at <= 1_000; at += 1) {
    wire.heard(w, mono(at));
    if (tick(at).length > 0) {
      asked.push(at);
      wire.ponged(w, mono(at));
    }
  }
  assert.deepEqual(asked, [300, 600, 900]);
});

test("maker: wire: a directory without PING has silentMs, to the millisecond", () => {
  const { w, tick } = fresh(false);
  wire.heard(w, mono(7));
  assert.deepEqual(tick(1_800), []);
  assert.deepEqual(tick(1_806), []);
  assert.equal(wire.deadline(w), 1_807);
  assert.deepEqual(tick(1_807), ["silent"]);
});

test("maker: wire: hazard 2: stuck after congestedMsMax, unless it drains, to the ms", () => {
  const { w, tick } = fresh(false);
  wire.congested(w, mono(10));
  wire.congested(w, mono(50));
  assert.deepEqual(tick(79), []);
  wire.drained(w);
  assert.deepEqual(tick(80), []);
  wire.congested(w, mono(100));
  assert.deepEqual(tick(169), []);
  assert.equal(wire.deadline(w), 170);
  assert.deepEqual(tick(170), ["stuck"]);
});

test("maker: wire: congestion before the registration counts from there", () => {
  const w = wire.create(config, mono(0));
  wire.congested(w, mono(0));
  wire.watched(w, mono(500));
  assert.equal(wire.deadline(w), 570);
});

test("maker: wire: the outbox takes exactly its limit while nothing goes out", () => {
  const { w } = fresh();
  const out: wire.Effect[] = [];
  wire.congested(w, mono(0));
  wire.put(w, new Uint8Array(1_999), out);
  wire.put(w, new Uint8Array(1), out);
  assert.deepEqual([w.isFull, w.queuedBytes, out.length], [false, 2_000, 0]);
  wire.drained(w);
  wire.flush(w, out);
  assert.deepEqual(out.map(({ bytes }) => bytes.length), [2_000], "one write, in order");
  wire.congested(w, mono(1));
  wire.put(w, new Uint8Array(2_001), out);
  assert.equal(w.isFull, true);
});

test("maker: wire: what the system takes is never over the limit, in one step or in many", () => {
  const { w } = fresh();
  const out: wire.Effect[] = [];
  for (let i = 0; i < 5; i += 1) wire.put(w, new Uint8Array(1_500), out);
  assert.deepEqual([out.length, w.isFull, w.queuedBytes], [4, false, 1_500]);
});

test("maker: wire: a PING that fills the outbox ends it", () => {
  const { w } = fresh();
  const out: wire.Effect[] = [];
  wire.congested(w, mono(50));
  wire.put(w, new Uint8Array(1_990), out);
  assert.equal(wire.tick(w, mono(60), out), "outbox-full");
});

test("maker: wire: limits that make no sense are refused", () => {
  wire.check(wire.defaults);
  const wrong: Partial<wire.Config>[] = [
    { idleMs: 0 }, { pongMs: 1.5 }, { unheardMs: 29 }, { unheardMs: NaN }, { outboxBytesMax: 5 },
    { lineBytesMax: 0 }, { pingGapMs: 61 },
  ];
  for (const changes of wrong) {
    assert.throws(() => wire.check({ ...config, ...changes }), InvariantError);
  }
  assert.throws(() => wire.watched(fresh().w, mono(1)), InvariantError);
});
