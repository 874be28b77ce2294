import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as pause from "../../../core/ark/pause.ts";
import * as rota from "../../../core/ark/rota.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const stepOf = (op: rota.Plain, other: Partial<rota.Step> = {}): rota.Step => (
  { op, gate: "none", waitMs: 50, everyMs: 0, coversFor: [], ...other }
);
const config: rota.Config = {
  steps: [stepOf("tip"), stepOf("sync-onchain"), stepOf("sync-rounds")],
  first: pause.exactly(0), rest: pause.exactly(100), retry: pause.even(10),
  wake: pause.exactly(2), gapMs: 30, behindMs: 400,
};
const down = unavailable("other", "x", "y");

type Bench = { readonly m: rota.Rota; at: number; readonly ran: string[] };
function bench(other: Partial<rota.Config> = {}): Bench {
  return { m: rota.create({ ...config, ...other }, stream(key("rota"))), at: 0, ran: [] };
}
function say(b: Bench, event: rota.Event): readonly rota.Effect[] {
  const out: rota.Effect[] = [];
  rota.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "call") b.ran.push(`${b.at} ${e.call.op}`);
  return out;
}
/** Time passes to `at`. */
function to(b: Bench, at: number): readonly rota.Effect[] {
  const out: rota.Effect[] = [];
  for (let i = 0; rota.deadline(b.m) <= at; i += 1) {
    assert.ok(i < 1_000, "time stands still");
    b.at = Math.max(b.at, rota.deadline(b.m));
    out.push(...say(b, { type: "tick" }));
  }
  b.at = at;
  return out;
}
function reply(b: Bench, answer?: Answer): readonly rota.Effect[] {
  const { under } = b.m.lane;
  assert.ok(under !== undefined, "a call");
  const good = done({ op: under.op } as Parameters<typeof done>[0]);
  return say(b, { type: "answered", token: under.token, answer: answer ?? good });
}
/** Answers all that is asked until the lane is free. */
function pass(b: Bench): void {
  for (let i = 0; b.m.lane.under !== undefined && i < 20; i += 1) reply(b);
}

test("ark rota: a pass in order, one step at a time; the next after its end", () => {
  const b = bench();
  assert.equal(rota.deadline(b.m), NEVER);
  say(b, { type: "started" });
  b.at = 5;
  reply(b);
  b.at = 9;
  reply(b);
  assert.deepEqual(b.ran.splice(0), ["0 tip", "5 sync-onchain", "9 sync-rounds"]);
  assert.deepEqual(reply(b).map(({ type }) => type), ["ran", "passed"]);
  to(b, 108);
  assert.deepEqual(b.ran, []);
  to(b, 109);
  assert.deepEqual(b.ran, ["109 tip"]);
  assert.throws(() => say(b, { type: "started" }), /started once/);
});

test("ark rota: H20: a failed step is retried by itself, and holds up no other", () => {
  const b = bench();
  say(b, { type: "started" });
  assert.deepEqual(reply(b, down)[0], {
    type: "failed", op: "tip", failed: down, failures: 1, retryMs: 10,
  });
  reply(b);
  reply(b);
  assert.deepEqual(b.ran.splice(0), ["0 tip", "0 sync-onchain", "0 sync-rounds"]);
  to(b, 10);
  assert.deepEqual(b.ran.splice(0), ["10 tip"], "at its own time, between passes");
  reply(b);
  to(b, 99);
  assert.deepEqual(b.ran, []);
  to(b, 100);
  assert.deepEqual(b.ran, ["100 tip"]);
});

test("ark rota: what needs the chain is left out while that is known to fail, and no more", () => {
  const steps = [stepOf("sync-onchain"), stepOf("sync", { gate: "chain" })];
  const b = bench({ steps });
  say(b, { type: "started" });
  // The step before it is what showed that the chain fails.
  say(b, { type: "blind", isBlind: true });
  assert.deepEqual(reply(b, down).map(({ type }) => type), ["failed", "passed"]);
  to(b, 100);
  pass(b);
  assert.deepEqual(b.ran.splice(0), ["0 sync-onchain", "10 sync-onchain", "100 sync-onchain"]);
  say(b, { type: "blind", isBlind: false });
  to(b, 200);
  pass(b);
  assert.deepEqual(b.ran, ["200 sync-onchain", "200 sync"]);
});

test("ark rota: a slow step that may be cut is cut, and the others have their turn", () => {
  const b = bench();
  say(b, { type: "started" });
  to(b, 50);
  assert.deepEqual(b.ran, ["0 tip", "50 sync-onchain"]);
});

test("ark rota: wakes: one pass for all of them, after them, and gapMs apart", () => {
  const b = bench();
  say(b, { type: "started" });
  say(b, { type: "woken" });
  say(b, { type: "woken" });
  pass(b);
  b.ran.length = 0;
  to(b, 29);
  assert.deepEqual(b.ran, []);
  to(b, 30);
  assert.deepEqual(b.ran.splice(0), ["30 tip"]);
  pass(b);
  b.ran.length = 0;
  to(b, 80);
  say(b, { type: "woken" });
  to(b, 82);
  assert.deepEqual(b.ran.splice(0), ["82 tip"], "the gap is long over");
  pass(b);
  b.ran.length = 0;
  to(b, 181);
  assert.deepEqual(b.ran, [], "no wake is left");
});

test("ark rota: what the backend has not is asked once, and covered for in every pass", () => {
  const all = stepOf("sync", { everyMs: 1_000, coversFor: ["sync-rounds"] });
  const b = bench({ steps: [stepOf("sync-rounds"), all] });
  say(b, { type: "started" });
  pass(b);
  to(b, 100);
  pass(b);
  assert.deepEqual(b.ran.splice(0), ["0 sync-rounds", "0 sync", "100 sync-rounds"]);
  to(b, 200);
  assert.deepEqual(reply(b, { ok: false, why: "unsupported" }).map(({ type }) => type), [
    "unsupported", "call",
  ]);
  pass(b);
  assert.deepEqual(b.ran.splice(0), ["200 sync-rounds", "200 sync"]);
  to(b, 300);
  assert.deepEqual(b.ran, ["300 sync"]);
  assert.ok(rota.lacks(b.m, "sync-rounds"));
});

test("ark rota: gates are looked at when a pass begins", () => {
  const b = bench({ steps: [stepOf("sync-boards", { gate: "connected" }), stepOf("tip")] });
  say(b, { type: "started" });
  say(b, { type: "connected", isConnected: true });
  pass(b);
  to(b, 100);
  pass(b);
  assert.deepEqual(b.ran, ["0 tip", "100 sync-boards", "100 tip"]);
});

test("ark rota: behind: told once at behindMs, and its end", () => {
  const b = bench({ retry: undefined });
  say(b, { type: "started" });
  for (let i = 0; i < 3; i += 1) reply(b, down);
  for (const at of [100, 200, 300]) {
    assert.ok(!to(b, at).some(({ type }) => type === "behind"));
    for (let i = 0; i < 3; i += 1) reply(b, down);
  }
  assert.ok(!to(b, 399).some(({ type }) => type === "behind"));
  assert.deepEqual(to(b, 400)[0], { type: "behind", forMs: 400 });
  reply(b);
  reply(b);
  assert.deepEqual(reply(b).map(({ type }) => type), ["ran", "caught-up", "passed"]);
});

test("ark rota: H31: once stopped nothing is asked; a late answer still counts", () => {
  const b = bench();
  say(b, { type: "started" });
  reply(b);
  say(b, { type: "stopped" });
  assert.deepEqual(reply(b).map(({ type }) => type), ["ran"]);
  assert.equal(rota.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "woken" }), []);
});

test("ark rota: finishing: the pass under way has its end, and there is no other", () => {
  const b = bench();
  say(b, { type: "started" });
  say(b, { type: "woken" });
  say(b, { type: "finishing" });
  pass(b);
  assert.deepEqual(b.ran.splice(0), ["0 tip", "0 sync-onchain", "0 sync-rounds"]);
  assert.equal(rota.deadline(b.m), NEVER);
  const resting = bench();
  say(resting, { type: "started" });
  pass(resting);
  say(resting, { type: "finishing" });
  assert.equal(rota.deadline(resting.m), NEVER);
});

test("ark rota: create: what makes no sense is our own mistake", () => {
  const many = Array.from({ length: 17 }, () => stepOf("tip"));
  const wrong: readonly Partial<rota.Config>[] = [
    { steps: [] }, { steps: many }, { steps: [stepOf("tip"), stepOf("tip")] },
    { rest: pause.exactly(0) }, { gapMs: 0 }, { behindMs: 0 }, { retry: pause.even(0) },
    { steps: [stepOf("tip", { waitMs: 0 })] }, { steps: [stepOf("tip", { everyMs: -1 })] },
  ];
  for (const part of wrong) assert.throws(() => bench(part));
});

type Played = { readonly type: "begin" | "good" | "bad" | "missing" | "woken" | "gone" | "tick"
  | "blind" | "seeing" };

function play(m: rota.Rota, { type }: Played, now: Mono, out: rota.Effect[]): void {
  const give = (answer: Answer): void => (
    rota.step(m, { type: "answered", token: m.lane.tokens, answer }, now, out)
  );
  switch (type) {
    case "begin": return m.at.phase === "fresh" ? rota.step(m, { type: "started" }, now, out)
      : undefined;
    case "good": {
      const { under } = m.lane;
      if (under === undefined) return;
      return give(done({ op: under.op } as Parameters<typeof done>[0]));
    }
    case "bad": return give(down);
    case "missing": return give({ ok: false, why: "unsupported" });
    case "woken": return rota.step(m, { type: "woken" }, now, out);
    case "blind": return rota.step(m, { type: "blind", isBlind: true }, now, out);
    case "seeing": return rota.step(m, { type: "blind", isBlind: false }, now, out);
    case "gone": return rota.step(m, { type: "released" }, now, out);
    case "tick": return rota.step(m, { type: "tick" }, now, out);
  }
}

test("ark rota: laws: with calls that end, every step has its turn again and again", () => {
  // All may be cut, so that nobody's silence can hold the lane.
  const steps = [stepOf("tip"), stepOf("fee-rates"), stepOf("alive")];
  const gated = [...steps, stepOf("exits", { gate: "chain" })];
  const subject: Subject<rota.Rota, Played, rota.Effect> = {
    create: () => rota.create({ ...config, steps: gated }, stream(key("laws"))), step: play,
    deadline: rota.deadline, tick: { type: "tick" }, settleMs: 600,
    holds: (m) => {
      assert.ok(m.queue.length <= gated.length);
      assert.equal(new Set(m.queue).size, m.queue.length, "a step stands there once");
    },
    lives: (run) => {
      const begun = run.steps.find(({ event }) => event.type === "begin")?.at;
      if (begun === undefined || run.now - begun < 600) return;
      for (const { op } of steps) {
        if (rota.lacks(run.state, op)) continue;
        const last = run.steps.findLast(({ effects }) => (
          effects.some((e) => e.type === "call" && e.call.op === op)
        ));
        // A rest, and each step's time once for a pass and once for a retry.
        assert.ok(last !== undefined && run.now - last.at <= 100 + 8 * 50, `${op} starves`);
      }
    },
  };
  const event = fc.constantFrom<Played["type"]>("good", "bad", "missing", "woken", "gone", "good",
    "blind", "seeing")
    .map((type): Played => ({ type }));
  const all = scripts(event, 40, 25, true).map((s) => (
    [{ afterMs: 3, event: { type: "begin" as const } }, ...s]
  ));
  fc.assert(fc.property(all, (s) => void laws(subject, s)), { numRuns: 80 });
});
