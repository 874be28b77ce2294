import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as exits from "../../../core/ark/exits.ts";
import { defaults, source } from "../../../core/ark/policy.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config = defaults.exits;
const down = unavailable("chain", "x", "y");
const progress = (isDone: boolean): Answer => (
  done({ op: "progress-exits", isDone, claimableHeight: undefined, exits: [] })
);

type Bench = { readonly m: exits.Exits; at: number; readonly ran: number[] };
function bench(given: exits.Config = config): Bench {
  const b = { m: exits.create(given, stream(key("exits"))), at: 0, ran: [] };
  say(b, { type: "started" });
  return b;
}
function say(b: Bench, event: exits.Event): readonly exits.Effect[] {
  const out: exits.Effect[] = [];
  exits.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "call" && e.call.op === "progress-exits") b.ran.push(b.at);
  return out;
}
/** Time passes; calls are answered at once, fee rates badly. */
function to(b: Bench, until: number, answer: () => Answer | undefined): void {
  for (let i = 0; exits.deadline(b.m) <= until; i += 1) {
    assert.ok(i < 2_000, "time stands still");
    b.at = Math.max(b.at, exits.deadline(b.m));
    say(b, { type: "tick" });
    reply(b, answer);
  }
  b.at = until;
}
function reply(b: Bench, answer: () => Answer | undefined): void {
  for (let i = 0; i < 4; i += 1) {
    const { under } = b.m.rota.lane;
    const given = under?.op === "fee-rates" ? down : answer();
    if (under === undefined || given === undefined) return;
    say(b, { type: "answered", token: under.token, answer: given });
  }
}

test("ark exits: H6: fee rates are refreshed here, and exits go on without them", () => {
  const b = bench();
  to(b, 600_000, () => progress(false));
  assert.ok(b.ran.length >= 8 && b.ran.length <= 12, `${b.ran.length} passes in ten minutes`);
  const silent = bench();
  to(silent, 20_000, () => undefined);
  assert.deepEqual(silent.ran.length, 1);
  const [first] = silent.ran;
  assert.ok(first !== undefined && first <= 5_000 + 10_000);
});

test("ark exits: none under way: rare passes; one that begins, or a block, brings the next", () => {
  const b = bench();
  to(b, 3_600_000, () => progress(true));
  assert.ok(b.ran.length <= 8, `${b.ran.length} passes`);
  const { length } = b.ran;
  say(b, { type: "woken" });
  to(b, b.at + 2_000, () => progress(false));
  assert.equal(b.ran.length, length + 1);
  to(b, b.at + 72_000, () => progress(false));
  assert.equal(b.ran.length, length + 2);
});

test("ark exits: a pass that hangs is told; there is no second beside it", () => {
  const b = bench();
  to(b, 3_600_000, () => undefined);
  assert.equal(b.ran.length, 1);
  assert.ok(b.m.rota.isBehind);
});

test("ark exits: source: exits are steps of the sync, and this lane is idle", () => {
  const b = bench(source.exits);
  assert.equal(exits.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "woken" }), []);
});

test("ark exits: create: they wait for no server, and make progress", () => {
  const [fees, step] = config.rota.steps;
  assert.ok(fees !== undefined && step !== undefined);
  const wrong = [[fees], [{ ...step, gate: "connected" as const }]];
  for (const steps of wrong) {
    assert.throws(() => bench({ ...config, rota: { ...config.rota, steps } }));
  }
});

type Played = { readonly type: "begin" | "live" | "none" | "bad" | "woken" | "gone" | "tick" };

test("ark exits: laws: A8: with one under way, a pass within an interval of the last", () => {
  const play = (m: exits.Exits, { type }: Played, now: Mono, out: exits.Effect[]): void => {
    const step = (event: exits.Event): void => exits.step(m, event, now, out);
    const { under } = m.rota.lane;
    switch (type) {
      case "begin": return m.rota.at.phase === "fresh" ? step({ type: "started" }) : undefined;
      case "live": case "none": case "bad": {
        if (under === undefined) return;
        const isBad = type === "bad" || under.op === "fee-rates";
        const answer = isBad ? down : progress(type === "none");
        return step({ type: "answered", token: under.token, answer });
      }
      case "woken": return step({ type: "woken" });
      case "gone": return step({ type: "released" });
      case "tick": return step({ type: "tick" });
    }
  };
  const subject: Subject<exits.Exits, Played, exits.Effect> = {
    create: () => exits.create(config, stream(key("laws"))), step: play,
    deadline: exits.deadline, tick: { type: "tick" }, settleMs: 200_000,
    lives: (run) => {
      const { isLive, rota } = run.state;
      if (rota.at.phase === "fresh" || rota.lane.under !== undefined || isLive !== true) return;
      const last = effectsOf(run).findLast(({ effect }) => (
        effect.type === "call" && effect.call.op === "progress-exits"
      ));
      assert.ok(last !== undefined && run.now - last.at <= 70_000 + 10_000 + 120_000);
    },
  };
  const event = fc.constantFrom<Played["type"]>("begin", "live", "none", "bad", "woken", "gone")
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 40_000, 30, true), (s) => void laws(subject, s)), {
    numRuns: 60,
  });
});
