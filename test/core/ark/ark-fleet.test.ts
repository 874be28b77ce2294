/**
 * Many wallets in one process: paced at their server, one call in each lane, the same twice.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as ark from "../../../core/ark/ark.ts";
import { defaults } from "../../../core/ark/config.ts";
import type { ArkEffect, ArkEvent } from "../../../core/ark/events.ts";
import type { Ark } from "../../../core/ark/node.ts";
import type { Tick } from "../../../core/kernel/io.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";
import { laws, play, scripts, type Subject } from "../../support/laws.ts";

const { minute, second } = rig;
const names = Array.from({ length: 100 }, (_, i) => `w${i}`);

/** The most of these instants within any second. */
function peak(all: readonly number[]): number {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted.reduce((most, at, i) => {
    const from = sorted.findIndex((other) => other > at - second);
    return Math.max(most, i - from + 1);
  }, 0);
}

test("ark: fleet: 100 wallets at one server start, and come back, two a second at most", () => {
  const r = rig.start({ wallets: names, before: ({ world }) => {
    for (const name of names) acts.endow(world, name, [100_000n], 36, 1);
  } });
  rig.pass(r, 8 * minute);
  const { up, total, counts, underWay } = rig.shown(r);
  assert.deepEqual([up, total], [100, 100]);
  assert.ok(counts.callsFailed === 0);
  assert.ok(peak(r.dials.map(({ at }) => at)) <= 2);
  assert.equal(underWay.streams, 100);
  assert.equal(underWay.held, 0);
  const { length } = r.dials;
  rig.act(r, acts.restartServer);
  rig.pass(r, 5 * minute);
  const again = r.dials.slice(length).map(({ at }) => at);
  assert.ok(again.length >= 100);
  assert.ok(peak(again) <= 2);
  assert.equal(rig.shown(r).underWay.streams, 100);
  assert.equal(rig.shown(r).up, 100);
});

test("ark: fleet: after an outage 100 wallets are back when each has had its turn", () => {
  const r = rig.start({ wallets: names, config: { logLevel: "warn" } });
  rig.pass(r, 8 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "server", fault: { kind: "down" }, fromMs, untilMs: fromMs + 15 * minute,
  }]);
  const { length } = r.dials;
  rig.pass(r, 15 * minute);
  assert.equal(rig.shown(r).up, 0);
  const tookMs = rig.until(r, () => rig.shown(r).up === 100, 5 * minute);
  assert.ok(tookMs <= 150 * second, `${tookMs} ms`);
  rig.pass(r, 2 * minute);
  assert.ok(peak(r.dials.slice(length).map(({ at }) => at)) <= 2);
  assert.equal(rig.shown(r).underWay.streams, 100);
});

test("ark: fleet: a server that accepts and closes makes no storm of 100 wallets", () => {
  const r = rig.start({ wallets: names });
  rig.pass(r, 8 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "server", fault: { kind: "replay-close" }, fromMs, untilMs: fromMs + 60 * minute,
  }]);
  rig.act(r, acts.restartServer);
  const { length } = r.dials;
  rig.pass(r, 20 * minute);
  const tries = r.dials.slice(length);
  assert.ok(peak(tries.map(({ at }) => at)) <= 2);
  for (const name of names) {
    assert.ok(tries.filter(({ wallet }) => wallet === name).length <= 40, name);
  }
});

test("ark: fleet: half a day of three wallets: all is refreshed, nothing grows", () => {
  const r = rig.start({ wallets: ["a", "b", "c"], before: ({ world }) => {
    for (const name of ["a", "b", "c"]) acts.endow(world, name, [100_000n], 36, 1);
  } });
  rig.pass(r, 12 * 60 * minute);
  const d = r.kernel.state;
  assert.equal(d.recorded.size, 0);
  assert.ok(d.calls.open.size <= 6 && d.streams.size === 3 && d.requests.open.size === 0);
  for (const { name, outcomes, vtxos } of rig.shown(r).wallets) {
    assert.ok(outcomes.success >= 2 && vtxos === 1, name);
    const perHour = rig.count(r, /./, name) / 12;
    assert.ok(perHour >= 300 && perHour <= 900, `${name}: ${perHour} requests an hour`);
  }
  const grave = r.logs.filter(({ level }) => level === "warn" || level === "error");
  assert.deepEqual(grave.map(({ code }) => code), []);
  assert.deepEqual(r.world.losses, []);
});

const subject: Subject<Ark, ArkEvent | Tick, ArkEffect> = {
  create: (now) => ark.create({
    ...defaults, logLevel: "debug", drainMs: 45_000,
    notify: { ...defaults.notify, targets: [rig.target] },
    wallets: ["a", "b"].map((name) => rig.quick(rig.plain(name))),
  }, prng.key("laws"), now),
  step: (d, event, now, out) => ark.root.step(d, event, now, out),
  deadline: ark.deadline, tick: { type: "tick" }, settleMs: 46_000,
  holds: (d) => {
    const lanes = [...d.calls.open.values()].map(({ asker }) => `${asker.wallet} ${asker.lane}`);
    assert.equal(new Set(lanes).size, lanes.length, "one call in each lane");
    assert.equal(d.calls.byLane.size, d.calls.open.size);
    assert.ok(d.streams.size <= d.nodes.length);
  },
  lives: ({ state, steps }) => {
    const stopAt = steps.findIndex(({ event }) => event.type === "operator.stop");
    if (stopAt < 0) return;
    const { at } = steps[stopAt]!;
    const end = steps.find(({ effects }) => effects.some(({ type }) => type === "stopped"));
    assert.ok(end !== undefined && end.at - at <= 45_000, "the end comes in time");
    assert.equal(state.phase, "stopped");
  },
};

const anchored = { type: "clock.anchored", unixMs: 1_700_000_000_000 } as const;

const body = fc.constantFrom(
  "", "pong", "[]", "{}", "<html>", "{\"message\":\"x\"}", "{\"tip_height\":100000}",
  "{\"fingerprint\":\"00\"}",
);
const req = fc.integer({ min: 1, max: 60 });
const stream = fc.integer({ min: 1, max: 6 });
const fault = { code: "x", text: "x" };
const event: fc.Arbitrary<ArkEvent> = fc.oneof(
  fc.record({
    type: fc.constant("req.done" as const), req, body, status: fc.constantFrom(200, 401, 404, 500),
  }),
  fc.record({
    type: fc.constant("req.failed" as const), req,
    reason: fc.constantFrom("refused" as const, "reset" as const, "timeout" as const),
  }),
  fc.record({ type: fc.constant("stream.subscribed" as const), stream }),
  fc.record({
    type: fc.constant("stream.ended" as const), stream, fault: fc.constant(fault),
    reason: fc.constantFrom("clean" as const, "error" as const, "refused" as const),
  }),
  fc.record({
    type: fc.constant("stream.item" as const), stream, event: fc.record({
      kind: fc.constantFrom("attempt" as const, "finished" as const), attemptSeq: fc.nat(3),
      roundSeq: fc.nat(5),
    }),
  }),
  fc.constantFrom<ArkEvent>(
    { type: "clock.anchored", unixMs: 1_700_000_000_000 }, { type: "operator.look" },
    { type: "operator.trust", wallet: "a", looked: undefined },
    { type: "program.gone", wallet: "a" },
  ),
  fc.record({ type: fc.constant("store.loaded" as const), req: fc.constant(1),
    bytes: fc.constant(new Uint8Array(0)) }),
  fc.record({
    type: fc.constant("store.failed" as const), req: fc.nat(6), reason: fc.constant("io" as const),
  }),
);

test("ark: laws: deadlines, the same twice, one call in each lane, and an end in time", () => {
  const startMs = fc.integer({ min: 1, max: 60_000 });
  const all = fc.tuple(scripts(event, 20_000, 20), startMs, fc.boolean());
  fc.assert(fc.property(all, ([script, afterMs, isStopped]) => {
    laws(subject, [
      { afterMs: 1, event: anchored }, { afterMs, event: { type: "operator.started" } }, ...script,
      ...(isStopped ? [{ afterMs: 1, event: { type: "operator.stop" } as const }] : []),
    ]);
  }), {
    numRuns: 5,
    // A lane waits for its turn when its program is gone, and wants the same again.
    examples: [[[[{
      afterMs: 5_576, event: { type: "program.gone", wallet: "a" }, paused: false,
    }], 1, false]]],
  });
});

test("ark: start: however late it comes, nothing is asked or known before it", () => {
  const run = play({ ...subject, settleMs: 0 }, [
    { afterMs: 1, event: anchored }, { afterMs: 600_000, event: { type: "operator.started" } },
  ]);
  const at = run.steps.findIndex(({ event: { type } }) => type === "operator.started");
  assert.equal(at, 1, "nothing is due before");
  assert.deepEqual(run.steps[0]!.effects, []);
  const asked = run.steps.filter(({ effects }) => effects.some(({ type }) => type === "req.start"));
  assert.equal(asked[0]?.at, 600_001);
  const codes = run.steps.flatMap(({ effects }) => effects.flatMap((one) => (
    one.type === "log" ? [one.code] : [])));
  assert.equal(codes[0], "ark.started");
  assert.ok(!codes.includes("ark.call-failed") && !codes.includes("ark.fact"), codes.join());
  for (const { daemon } of run.state.nodes) {
    for (const { state } of daemon.facts.facts.values()) assert.equal(state, "unknown");
  }
});

test("ark: laws: a settings object that contradicts itself is refused by an assertion", () => {
  assert.throws(() => ark.create({ ...defaults, drainMs: 0 }, prng.key("x"), mono(0)));
});
