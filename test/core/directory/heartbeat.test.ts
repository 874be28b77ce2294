import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { defaults, type HeartbeatConfig } from "../../../core/directory/config.ts";
import * as heartbeat from "../../../core/directory/heartbeat.ts";
import type { ConnId } from "../../../core/ids.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const kinds: readonly heartbeat.Kind[] = ["ping", "maker", "mute"];
const small: HeartbeatConfig = { sweepMs: 16, idleMs: 40, hardMs: 100, pongMs: 20 };
const other: HeartbeatConfig = { sweepMs: 100, idleMs: 30, hardMs: 70, pongMs: 3 };

type M = heartbeat.Heartbeat;
type Told = { readonly at: number; readonly effect: heartbeat.Effect };

const id = (n: number) => n as ConnId;
const kindOf = (conn: number) => kinds[conn % 3] as heartbeat.Kind;
const slotMs = (c: HeartbeatConfig) => c.sweepMs / Math.min(heartbeat.slotsMax, c.sweepMs);

/** A machine at an instant, driven as a host does it. */
function world(config = defaults.heartbeat, startAt = 0) {
  const m = heartbeat.create(config, mono(startAt));
  let now = mono(startAt);
  const told: Told[] = [];
  const tick = (at: number) => {
    const out: heartbeat.Effect[] = [];
    now = mono(at);
    heartbeat.tick(m, now, out);
    told.push(...out.map((effect) => ({ at, effect })));
    assert.ok(heartbeat.deadline(m) > now);
  };
  return {
    m,
    told,
    tick,
    to(at: number) {
      for (let ticks = 0; heartbeat.deadline(m) <= at; ticks += 1) {
        assert.ok(ticks < 100_000);
        tick(heartbeat.deadline(m));
      }
      now = mono(at);
    },
    start: () => heartbeat.started(m, now),
    stop: () => heartbeat.stopped(m),
    add: (conn: number, kind: heartbeat.Kind) => heartbeat.added(m, id(conn), kind, now),
    seen: (beat: heartbeat.Beat) => heartbeat.seen(m, beat, now),
    remove: (beat: heartbeat.Beat) => heartbeat.removed(m, beat),
    reload: (next: HeartbeatConfig) => heartbeat.reloaded(m, next, now),
    of: (type: heartbeat.Effect["type"]) => told.filter(({ effect }) => effect.type === type),
    pending: () => heartbeat.pending(m),
  };
}

const line = ({ at, effect }: Told) =>
  `${at} ${effect.type} ${effect.conn}${effect.type === "evict" ? ` ${effect.reason}` : ""}`;

function tracked(m: M): Map<ConnId, heartbeat.Beat> {
  return new Map(m.slots.flatMap((slot) => slot.beats.map((beat) => [beat.conn, beat] as const)));
}

/** D9, and that every peer knows its place. */
function holds(m: M): void {
  const all = tracked(m);
  for (const [conn, beat] of m.pending) {
    assert.equal(all.get(conn), beat, "pending but not tracked");
    assert.notEqual(beat.pingedAt, -1);
  }
  for (const beat of all.values()) {
    assert.equal(m.slots[beat.slot]?.beats[beat.index], beat);
    assert.equal(beat.pingedAt === -1, !m.pending.has(beat.conn));
  }
}

const conn = fc.integer({ min: 1, max: 6 }).map(id);
const peers: fc.Arbitrary<heartbeat.Event> = fc.oneof(
  conn.map((c) => ({ type: "added" as const, conn: c, kind: kindOf(c) })),
  fc.record({ type: fc.constant("seen" as const), conn }),
  fc.record({ type: fc.constant("seen" as const), conn }),
  fc.record({ type: fc.constant("removed" as const), conn }),
);

/** `added` for a peer that is tracked already means a line of it. */
function step(m: M, event: heartbeat.Event, now: Mono, out: heartbeat.Effect[]): void {
  const again = event.type === "added" && tracked(m).has(event.conn);
  heartbeat.step(m, again ? { type: "seen", conn: event.conn } : event, now, out);
}

const base: Omit<Subject<M, heartbeat.Event, heartbeat.Effect>, "lives"> = {
  create: (now) => heartbeat.create(small, now),
  step,
  deadline: heartbeat.deadline,
  tick: { type: "tick" },
  settleMs: 200,
  holds,
};

test("directory: heartbeat: the four laws hold through reloads, stops and pauses", () => {
  const event: fc.Arbitrary<heartbeat.Event> = fc.oneof(
    { weight: 8, arbitrary: peers },
    { weight: 1, arbitrary: fc.constantFrom({ type: "started" as const }, { type: "stopped" }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("reloaded" as const),
        config: fc.constantFrom(small, other),
      }),
    },
  );
  const lives = ({ state }: Run<M, heartbeat.Event, heartbeat.Effect>) => {
    // 200 ms of silence is more than any hard eviction and sweep here.
    if (state.running) assert.deepEqual([...tracked(state).keys()], []);
  };
  fc.assert(fc.property(scripts(event, 60, 30, true), (script) => {
    laws({ ...base, lives }, [{ afterMs: 0, event: { type: "started" } }, ...script]);
  }), { numRuns: 200 });
});

test("directory: heartbeat: no eviction is early, none is late, every answer counts", () => {
  fc.assert(fc.property(scripts(peers, 60), (script) => {
    laws({ ...base, lives: judge }, [{ afterMs: 0, event: { type: "started" } }, ...script]);
  }), { numRuns: 200 });
});

/** D5, D6 and D7 told from the transcript alone. */
function judge(run: Run<M, heartbeat.Event, heartbeat.Effect>): void {
  const seenAt = new Map<ConnId, number>();
  const pingedAt = new Map<ConnId, number>();
  const { sweepMs, idleMs, hardMs, pongMs } = small;
  for (const { at, event, effects } of run.steps) {
    for (const effect of effects) {
      const silentMs = at - (seenAt.get(effect.conn) ?? NaN);
      if (effect.type === "evict") {
        const sinceMs = at - (pingedAt.get(effect.conn) ?? NaN);
        if (effect.reason === "pong-timeout") assert.equal(sinceMs, pongMs);
        else assert.ok(silentMs >= hardMs);
        seenAt.delete(effect.conn);
      } else {
        assert.ok(silentMs >= idleMs);
        assert.equal(kindOf(effect.conn), effect.type === "ping" ? "ping" : "maker");
        if (effect.type === "ping") {
          assert.ok(!pingedAt.has(effect.conn));
          pingedAt.set(effect.conn, at);
        }
      }
    }
    if (event.type === "removed") seenAt.delete(event.conn);
    if (event.type === "added") seenAt.set(event.conn, at);
    if (event.type === "seen" && seenAt.has(event.conn)) seenAt.set(event.conn, at);
    if ("conn" in event) pingedAt.delete(event.conn);
    for (const c of [...pingedAt.keys()]) if (!seenAt.has(c)) pingedAt.delete(c);
    for (const [c, since] of seenAt) {
      const bound = kindOf(c) === "ping" ? idleMs + sweepMs + pongMs : hardMs + sweepMs;
      assert.ok(at - since <= bound, `peer ${c} silent for ${at - since}`);
    }
  }
  assert.equal(seenAt.size, 0);
}

test("directory: heartbeat: a peer that can be pinged is pinged at the threshold itself", () => {
  const w = world();
  w.start();
  w.add(1, "ping");
  w.to(599_999);
  assert.deepEqual(w.told, []);
  w.to(600_000);
  assert.deepEqual(w.told.map(line), ["600000 ping 1"]);
  assert.deepEqual(w.pending(), [1]);
  w.to(629_999);
  assert.equal(w.told.length, 1);
  w.to(630_000);
  assert.deepEqual(w.told.slice(1).map(line), ["630000 evict 1 pong-timeout"]);
  assert.deepEqual(w.pending(), []);
});

test("directory: heartbeat: a line a millisecond before idle puts the probe off", () => {
  const w = world();
  w.start();
  const beat = w.add(1, "ping");
  w.to(599_999);
  w.seen(beat);
  w.to(1_199_998);
  assert.deepEqual(w.told, []);
  w.to(1_260_000);
  assert.deepEqual(w.told.slice(0, 1).map(line), ["1200000 ping 1"]);
});

test("directory: heartbeat: silent maker is probed at every sweep and evicted at hard", () => {
  const w = world();
  w.start();
  w.add(1, "maker");
  w.to(2_000_000);
  const probes = Array.from({ length: 15 }, (_, i) => `${600_000 + i * 60_000} probe 1`);
  assert.deepEqual(w.told.map(line), [...probes, "1500000 evict 1 idle-timeout"]);
});

test("directory: heartbeat: maker that answers is left alone until idle again", () => {
  const w = world();
  w.start();
  const beat = w.add(1, "maker");
  w.to(610_000);
  w.seen(beat);
  w.to(1_210_000);
  assert.deepEqual(w.told.map(line), ["600000 probe 1"]);
  w.to(1_260_000);
  assert.deepEqual(w.told.slice(1).map(line), ["1260000 probe 1"]);
});

test("directory: heartbeat: silent taker without ping is never probed and goes at hard", () => {
  const w = world();
  w.start();
  w.add(1, "mute");
  w.to(1_499_999);
  assert.deepEqual(w.told, []);
  w.to(1_500_000);
  assert.deepEqual(w.told.map(line), ["1500000 evict 1 idle-timeout"]);
});

test("directory: heartbeat: hard eviction does not wait for a pong", () => {
  const w = world({ sweepMs: 10, idleMs: 95, hardMs: 100, pongMs: 90 });
  w.start();
  w.add(1, "ping");
  w.to(200);
  assert.deepEqual(w.told.map(line), ["100 evict 1 idle-timeout"]);
  const v = world({ sweepMs: 10, idleMs: 50, hardMs: 60, pongMs: 49 });
  v.start();
  v.add(1, "ping");
  v.to(200);
  assert.deepEqual(v.told.map(line), ["50 ping 1", "60 evict 1 idle-timeout"]);
  assert.deepEqual(v.pending(), []);
});

test("directory: heartbeat: answer a millisecond before the deadline saves, at it not", () => {
  for (const [answerAt, saved] of [[629_999, true], [630_000, false]] as const) {
    const w = world();
    w.start();
    const beat = w.add(1, "ping");
    w.to(answerAt); // runs a due tick first, as the kernel does
    w.seen(beat);
    w.to(631_000);
    assert.equal(w.of("evict").length, saved ? 0 : 1);
    assert.deepEqual(w.pending(), []);
    assert.equal(heartbeat.isPending(w.m, beat), false);
  }
});

test("directory: heartbeat: who answered is not pinged again before it is idle again", () => {
  const w = world();
  w.start();
  const beat = w.add(1, "ping");
  w.to(600_100);
  w.seen(beat);
  w.to(1_200_099);
  assert.equal(w.told.length, 1);
  w.to(1_260_000);
  assert.deepEqual(w.told.map(line), ["600000 ping 1", "1260000 ping 1"]);
});

test("directory: heartbeat: the pong wait of one peer delays no other", () => {
  const w = world({ sweepMs: 64, idleMs: 1_000, hardMs: 5_000, pongMs: 900 });
  w.start();
  w.add(1, "ping");
  w.to(500);
  w.add(2, "ping");
  w.to(1_600);
  assert.deepEqual(w.told.map(line), ["1024 ping 1", "1537 ping 2"]);
  assert.deepEqual(w.pending(), [1, 2]);
});

test("directory: heartbeat: a new connection inherits no pending mark", () => {
  const w = world();
  w.start();
  const old = w.add(1, "ping");
  w.to(610_000);
  assert.ok(heartbeat.isPending(w.m, old));
  w.remove(old);
  const next = w.add(3, "ping");
  assert.deepEqual(w.pending(), []);
  w.seen(old);
  w.remove(old);
  w.to(1_200_000);
  assert.deepEqual(w.told.map(line), ["600000 ping 1"]);
  assert.equal(tracked(w.m).get(id(3)), next);
  holds(w.m);
});

test("directory: heartbeat: an evicted peer is evicted once, and removing it is harmless", () => {
  const w = world();
  w.start();
  const beats = [1, 2, 3].map((conn) => w.add(conn, "mute"));
  w.to(3_000_000);
  assert.equal(w.of("evict").length, 3);
  for (const beat of beats) {
    w.seen(beat);
    w.remove(beat);
    w.remove(beat);
  }
  w.to(6_000_000);
  assert.equal(w.told.length, 3);
  assert.equal(tracked(w.m).size, 0);
});

test("directory: heartbeat: removing leaves the others of the slot in place", () => {
  const w = world({ sweepMs: 1, idleMs: 40, hardMs: 100, pongMs: 20 });
  w.start();
  const beats = [1, 2, 3, 4].map((conn) => w.add(conn, "mute"));
  w.remove(beats[1] as heartbeat.Beat);
  holds(w.m);
  w.remove(beats[3] as heartbeat.Beat);
  w.remove(beats[0] as heartbeat.Beat);
  holds(w.m);
  w.to(100);
  assert.deepEqual(w.told.map(line), ["100 evict 3 idle-timeout"]);
});

test("directory: heartbeat: ten thousand idle peers are pinged evenly over one sweep", () => {
  const w = world();
  w.start();
  for (let conn = 1; conn <= 10_000; conn += 1) w.add(conn, "ping");
  w.to(700_000);
  const at = w.of("ping").map((told) => told.at);
  assert.equal(at.length, 10_000);
  assert.ok(Math.min(...at) >= 600_000);
  assert.ok(Math.max(...at) < 660_000);
  let from = 0;
  at.forEach((instant, i) => {
    while ((at[from] as number) <= instant - Math.floor(slotMs(defaults.heartbeat))) from += 1;
    assert.ok(i - from + 1 <= Math.ceil(10_000 / 64));
  });
  assert.equal(w.of("evict").length, 10_000);
  assert.ok(w.of("evict").every((told) => told.at <= 690_000));
});

test("directory: heartbeat: lines of a thousand peers cost few ticks", () => {
  const w = world();
  w.start();
  const beats = Array.from({ length: 1_000 }, (_, i) => w.add(i, "ping"));
  let ticks = 0;
  for (let at = 0; at < 3_600_000; at += 120_000) {
    while (heartbeat.deadline(w.m) <= at) {
      w.tick(heartbeat.deadline(w.m));
      ticks += 1;
    }
    w.to(at);
    for (const beat of beats) w.seen(beat);
  }
  assert.deepEqual(w.told, []);
  assert.ok(ticks <= 64 * 8, `${ticks} ticks in an hour`);
});

test("directory: heartbeat: nothing before started, everything tracked from then on", () => {
  const w = world();
  w.add(1, "ping");
  w.to(5_000_000);
  assert.deepEqual(w.told, []);
  assert.equal(heartbeat.isRunning(w.m), false);
  w.start();
  w.start();
  assert.equal(heartbeat.isRunning(w.m), true);
  w.to(5_060_000);
  assert.deepEqual(w.told.map(line), ["5060000 evict 1 idle-timeout"]);
});

test("directory: heartbeat: stopped in any phase emits nothing more and clears the pending", () => {
  for (const at of [0, 599_999, 600_000, 615_000, 629_999, 630_000]) {
    const w = world();
    w.start();
    w.add(1, "ping");
    const beat = w.add(2, "ping");
    w.to(at);
    const before = w.told.length;
    w.stop();
    w.stop();
    assert.deepEqual(w.pending(), []);
    assert.equal(heartbeat.isPending(w.m, beat), false);
    w.to(9_000_000);
    w.tick(9_000_000);
    assert.equal(w.told.length, before);
  }
});

test("directory: heartbeat: started again does not evict for the old ping", () => {
  const w = world();
  w.start();
  w.add(1, "ping");
  w.to(610_000);
  w.stop();
  w.to(620_000);
  w.start();
  w.to(709_999);
  assert.deepEqual(w.told.map(line), ["600000 ping 1", "680000 ping 1"]);
  w.to(710_000);
  assert.equal(w.told.map(line)[2], "710000 evict 1 pong-timeout");
});

test("directory: heartbeat: reload changes the thresholds of existing peers", () => {
  const w = world();
  w.start();
  w.add(1, "ping");
  w.add(2, "mute");
  w.to(100_000);
  w.reload({ sweepMs: 1_000, idleMs: 50_000, hardMs: 120_000, pongMs: 5_000 });
  holds(w.m);
  w.to(130_000);
  assert.deepEqual(w.told.map(line), [
    "101000 ping 1", "106000 evict 1 pong-timeout", "120015 evict 2 idle-timeout",
  ]);
});

test("directory: heartbeat: reload to a shorter pong wait takes hold a millisecond later", () => {
  const w = world();
  w.start();
  w.add(1, "ping");
  w.to(620_000);
  w.reload({ ...defaults.heartbeat, pongMs: 10_000 });
  assert.equal(heartbeat.deadline(w.m), 620_001);
  w.to(620_001);
  assert.deepEqual(w.told.map(line).slice(1), ["620001 evict 1 pong-timeout"]);
});

test("directory: heartbeat: an hour's pause is nobody's silence", () => {
  const w = world();
  w.start();
  const beats = Array.from({ length: 640 }, (_, i) => w.add(i, kinds[i % 3] as heartbeat.Kind));
  w.to(620_000); // some are pinged and wait
  const before = w.told.length;
  const waiting = w.pending().length;
  assert.ok(waiting > 0);
  w.tick(4_220_000);
  assert.deepEqual(w.of("evict"), []);
  assert.ok(w.told.length - before <= 10, "the probes stay spread out");
  for (const beat of beats) w.seen(beat); // what had arrived is read now
  w.to(4_220_000 + 590_000);
  assert.deepEqual(w.of("evict"), []);
  w.to(4_220_000 + 1_600_000);
  assert.equal(w.of("evict").length, 640);
});

test("directory: heartbeat: who is dead after a pause goes within its time of running", () => {
  const w = world();
  w.start();
  w.add(1, "ping");
  w.add(64, "mute");
  w.to(610_000);
  w.tick(610_000 + 3_600_000);
  const resumed = 610_000 + 3_600_000;
  assert.deepEqual(w.of("evict"), []);
  w.to(resumed + 30_000);
  assert.deepEqual(w.of("evict").map(({ effect }) => effect.conn), [1]);
  w.to(resumed + 1_500_000);
  assert.deepEqual(w.of("evict").map(({ effect }) => effect.conn), [1, 64]);
});

test("directory: heartbeat: late by a sweep counts as silence, later as a pause", () => {
  for (const [lateMs, pausedMs] of [[60_000, 0], [60_001, 60_001]] as const) {
    const w = world();
    w.start();
    w.add(1, "ping");
    w.tick(600_000 + lateMs);
    assert.equal(w.m.pausedMs, pausedMs);
    assert.deepEqual(w.told.map(line), [`${600_000 + lateMs} ping 1`]);
  }
});

test("directory: heartbeat: a late tick lets the host read before it evicts, once", () => {
  const late = () => {
    const w = world();
    w.start();
    const beat = w.add(1, "ping");
    w.to(600_000);
    w.tick(631_001);
    assert.deepEqual(w.of("evict"), []);
    return { w, beat };
  };
  const answered = late();
  answered.w.seen(answered.beat);
  answered.w.to(650_000);
  assert.deepEqual(answered.w.of("evict"), []);
  const silent = late();
  silent.w.to(650_000);
  assert.deepEqual(silent.w.of("evict").map(line), ["632001 evict 1 pong-timeout"]);
  const lateAgain = late();
  lateAgain.w.tick(639_000);
  assert.deepEqual(lateAgain.w.of("evict").map(line), ["639000 evict 1 pong-timeout"]);
  const punctual = world();
  punctual.start();
  punctual.add(1, "ping");
  punctual.to(600_000);
  punctual.tick(631_000);
  assert.deepEqual(punctual.of("evict").map(line), ["631000 evict 1 pong-timeout"]);
});

test("directory: heartbeat: a silent taker that a late tick spares goes when mercy ends", () => {
  const w = world();
  w.start();
  w.add(1, "mute");
  w.tick(1_510_000);
  assert.deepEqual(w.told, []);
  w.to(1_600_000);
  assert.deepEqual(w.told.map(line), ["1511000 evict 1 idle-timeout"]);
  // What was read meanwhile counts, and one that is late again evicts.
  const heard = world();
  heard.start();
  const beat = heard.add(1, "mute");
  heard.tick(1_510_000);
  heard.seen(beat);
  heard.to(3_000_000);
  assert.deepEqual(heard.told, []);
  const again = world();
  again.start();
  again.add(1, "mute");
  again.tick(1_510_000);
  again.tick(1_519_000);
  assert.deepEqual(again.told.map(line), ["1519000 evict 1 idle-timeout"]);
});

test("directory: heartbeat: whatever the pauses, no peer that answers is evicted", () => {
  const nap = fc.record({ awakeMs: fc.integer({ min: 0, max: 90 }), pauseMs: fc.nat(5_000) });
  fc.assert(fc.property(fc.array(nap, { maxLength: 12 }), (naps) => {
    const w = world(small);
    w.start();
    const beats = Array.from({ length: 8 }, (_, i) => w.add(i, "ping"));
    let heard = 0;
    let now = 0;
    // Each PING is answered a millisecond later, and read when the host runs again.
    const read = () => {
      for (; heard < w.told.length; heard += 1) {
        const { effect } = w.told[heard] as Told;
        assert.equal(effect.type, "ping");
        w.seen(beats[effect.conn] as heartbeat.Beat);
      }
    };
    for (const { awakeMs, pauseMs } of naps) {
      for (const end = now + awakeMs; now < end;) {
        w.to((now += 1));
        read();
      }
      now += pauseMs < 40 ? 0 : pauseMs;
      if (heartbeat.deadline(w.m) <= now) w.tick(now);
      now += 1;
      w.to(now);
      read();
    }
    assert.equal(tracked(w.m).size, 8);
  }), { numRuns: 150 });
});

test("directory: heartbeat: thresholds out of order or range are refused", () => {
  for (const bad of [
    { pongMs: 40 }, { idleMs: 100 }, { sweepMs: 0 }, { sweepMs: 1.5 }, { hardMs: NaN },
  ]) {
    assert.throws(() => heartbeat.create({ ...small, ...bad }, mono(0)), InvariantError);
  }
  const m = heartbeat.create(small, mono(0));
  heartbeat.step(m, { type: "added", conn: id(1), kind: "ping" }, mono(0), []);
  const again = { type: "added", conn: id(1), kind: "ping" } as const;
  assert.throws(() => heartbeat.step(m, again, mono(0), []), InvariantError);
  for (const type of ["seen", "removed"] as const) {
    heartbeat.step(m, { type, conn: id(9) }, mono(0), []);
  }
});
