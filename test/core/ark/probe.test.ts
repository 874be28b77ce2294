import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as pause from "../../../core/ark/pause.ts";
import { source } from "../../../core/ark/policy.ts";
import * as probe from "../../../core/ark/probe.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: probe.Config = {
  op: "probe", first: pause.exactly(2), rest: pause.exactly(100), retry: pause.growing(10, 80),
  waitMs: 20, whileUp: "probe", gapMs: 15,
};
const up = done({ op: "probe", nextRoundUnixMs: undefined });
const down = unavailable("server-down", "x", "y");

type Bench = { readonly m: probe.Probe; at: number; readonly asked: number[] };
function bench(other: Partial<probe.Config> = {}): Bench {
  const b = { m: probe.create({ ...config, ...other }, stream(key("probe"))), at: 0, asked: [] };
  say(b, { type: "started" });
  return b;
}
function say(b: Bench, event: probe.Event): readonly probe.Effect[] {
  const out: probe.Effect[] = [];
  probe.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "call") b.asked.push(b.at);
  return out;
}
function to(b: Bench, until: number): readonly probe.Effect[] {
  const out: probe.Effect[] = [];
  for (let i = 0; probe.deadline(b.m) <= until; i += 1) {
    assert.ok(i < 1_000, "time stands still");
    b.at = Math.max(b.at, probe.deadline(b.m));
    out.push(...say(b, { type: "tick" }));
  }
  b.at = until;
  return out;
}
const reply = (b: Bench, answer: Answer): readonly probe.Effect[] => (
  say(b, { type: "answered", token: b.m.lane.tokens, answer })
);

test("ark probe: H3, H7: it goes on asking while the answers are good", () => {
  const b = bench();
  to(b, 2);
  assert.equal(reply(b, up)[0]?.type, "up");
  say(b, { type: "connected", isConnected: true });
  to(b, 101);
  assert.deepEqual(b.asked, [2]);
  to(b, 102);
  assert.deepEqual(b.asked, [2, 102]);
});

test("ark probe: a question without an answer is given up, and asked again", () => {
  const b = bench();
  to(b, 21);
  assert.equal(b.m.failures, 0);
  const out = to(b, 22);
  assert.deepEqual(out.map(({ type }) => type), ["overdue", "drop", "down"]);
  to(b, 32);
  assert.equal(b.asked.length, 2);
});

test("ark probe: a doubt brings the next question forward, gapMs after the last", () => {
  const b = bench();
  to(b, 2);
  say(b, { type: "doubted" });
  say(b, { type: "doubted" });
  to(b, 3);
  reply(b, up);
  to(b, 16);
  assert.deepEqual(b.asked, [2]);
  to(b, 17);
  assert.deepEqual(b.asked, [2, 17], "the answer may be older than the doubt");
  reply(b, up);
  to(b, 40);
  say(b, { type: "doubted" });
  assert.deepEqual(b.asked, [2, 17, 40], "at once");
});

test("ark probe: a backend that cannot is asked once; a stopped one never", () => {
  const b = bench();
  to(b, 2);
  assert.deepEqual(reply(b, { ok: false, why: "unsupported" }), [
    { type: "unsupported", op: "probe" },
  ]);
  assert.equal(probe.deadline(b.m), NEVER);
  const s = bench();
  say(s, { type: "stopped" });
  say(s, { type: "doubted" });
  assert.equal(probe.deadline(s.m), NEVER);
  to(s, 500);
  assert.deepEqual(s.asked, []);
});

test("ark probe: source: sleep first; no question while connected; T after each", () => {
  const b = bench(source.probe);
  to(b, 59_999);
  assert.deepEqual(b.asked, []);
  to(b, 60_000);
  b.at = 60_500;
  reply(b, down);
  say(b, { type: "doubted" });
  to(b, 120_499);
  assert.deepEqual(b.asked, [60_000]);
  to(b, 120_500);
  reply(b, done({ op: "refresh-server" }));
  say(b, { type: "connected", isConnected: true });
  to(b, 3_600_000);
  assert.deepEqual(b.asked, [60_000, 120_500], "H3, H7: nobody asks while true");
  say(b, { type: "connected", isConnected: false });
  to(b, 3_660_500);
  assert.equal(b.asked.length, 3);
});

test("ark probe: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<probe.Config>[] = [
    { rest: pause.exactly(0) }, { retry: pause.even(0) }, { waitMs: 0 }, { gapMs: 0 },
  ];
  for (const part of wrong) assert.throws(() => bench(part));
  assert.throws(() => say(bench(), { type: "started" }), /started once/);
});

type Played = { readonly type: "good" | "bad" | "doubt" | "gone" | "tick" };

test("ark probe: laws: asked within a rest and a wait of the last; no storm", () => {
  const play = (m: probe.Probe, { type }: Played, now: Mono, out: probe.Effect[]): void => {
    const step = (event: probe.Event): void => probe.step(m, event, now, out);
    if (!m.isRunning && type !== "tick") step({ type: "started" });
    switch (type) {
      case "good": return step({ type: "answered", token: m.lane.tokens, answer: up });
      case "bad": return step({ type: "answered", token: m.lane.tokens, answer: down });
      case "doubt": return step({ type: "doubted" });
      case "gone": return step({ type: "released" });
      case "tick": return step({ type: "tick" });
    }
  };
  const subject: Subject<probe.Probe, Played, probe.Effect> = {
    create: () => probe.create(config, stream(key("laws"))), step: play,
    deadline: probe.deadline, tick: { type: "tick" }, settleMs: 300,
    lives: (run) => {
      const asked = effectsOf(run).filter(({ effect }) => effect.type === "call");
      for (const [i, { at }] of asked.entries()) {
        const former = asked[i - 1];
        if (former !== undefined) assert.ok(at - former.at >= 5, "a storm");
      }
      const last = asked.at(-1);
      if (run.steps.length === 0) return;
      assert.ok(last !== undefined && run.now - last.at <= 120, "nobody asks");
    },
  };
  const event = fc.constantFrom<Played["type"]>("good", "bad", "doubt", "gone")
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 60, 30), (s) => void laws(subject, s)), { numRuns: 80 });
});
