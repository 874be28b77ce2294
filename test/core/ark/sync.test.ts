import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaults, source } from "../../../core/ark/policy.ts";
import * as sync from "../../../core/ark/sync.ts";
import { done, unavailable, type Answer, type OpName } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const down = unavailable("chain", "x", "y");
const good = (op: OpName): Answer => done({ op } as Parameters<typeof done>[0]);

type Bench = { readonly m: sync.Sync; at: number; readonly ran: string[] };
function bench(config: sync.Config): Bench {
  return { m: sync.create(config, stream(key("sync"))), at: 0, ran: [] };
}
function say(b: Bench, event: sync.Event): readonly sync.Effect[] {
  const out: sync.Effect[] = [];
  sync.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "call") b.ran.push(`${b.at / 1_000} ${e.call.op}`);
  return out;
}
/** Time passes; each call is answered after `ms`. */
function to(b: Bench, until: number, answer: (op: OpName) => Answer = good, ms = 1_000): void {
  for (let i = 0; i < 2_000; i += 1) {
    const { under } = b.m.lane;
    const answerAt = under === undefined ? until + 1 : under.sentAt + ms;
    const next = Math.min(answerAt, sync.deadline(b.m));
    if (next > until) break;
    b.at = next;
    if (under === undefined || answerAt > next) say(b, { type: "tick" });
    else say(b, { type: "answered", token: under.token, answer: answer(under.op) });
  }
  b.at = until;
}
const ops = (b: Bench): readonly string[] => b.ran.map((line) => line.split(" ")[1] ?? "");

test("ark sync: source: the order of steps, T after a pass, the flag sampled at its begin", () => {
  const b = bench(source.sync);
  say(b, { type: "connected", isConnected: true });
  say(b, { type: "started" });
  say(b, { type: "connected", isConnected: false });
  to(b, 66_999);
  assert.deepEqual(b.ran.splice(0), [
    "0 fee-rates", "1 sync-boards", "2 sync-offboards", "3 sync-onchain", "4 sync-rounds",
    "5 sync-exits", "6 progress-exits",
  ]);
  to(b, 75_000);
  assert.deepEqual(b.ran, [
    "67 sync-onchain", "68 sync-rounds", "69 sync-exits", "70 progress-exits",
  ]);
});

test("ark sync: source: a failure waits for the next pass; nothing wakes it", () => {
  const b = bench(source.sync);
  say(b, { type: "started" });
  to(b, 20_000, () => down);
  say(b, { type: "woken" });
  to(b, 63_999, () => down);
  assert.equal(b.ran.length, 4);
});

test("ark sync: H6: fee rates, boards and offboards do not wait for the server", () => {
  const b = bench(defaults.sync);
  say(b, { type: "connected", isConnected: false });
  say(b, { type: "started" });
  to(b, 20_000);
  assert.deepEqual(ops(b), [
    "fee-rates", "sync-onchain", "sync-rounds", "sync-boards", "sync-offboards", "sync",
  ]);
});

test("ark sync: H25: what only the whole sync retries is retried all day", () => {
  const b = bench(defaults.sync);
  say(b, { type: "started" });
  to(b, 3_600_000);
  const count = ops(b).filter((op) => op === "sync").length;
  assert.ok(count >= 9 && count <= 13, `${count} an hour`);
});

test("ark sync: over a backend without single steps the whole sync is in every pass", () => {
  const b = bench(defaults.sync);
  say(b, { type: "started" });
  const has = new Set<OpName>(["sync", "sync-onchain"]);
  to(b, 600_000, (op) => (has.has(op) ? good(op) : { ok: false, why: "unsupported" }));
  const count = (op: string): number => ops(b).filter((one) => one === op).length;
  assert.ok(count("sync") >= 4, `${count("sync")} in ten minutes`);
  assert.equal(count("sync-boards"), 1);
  assert.ok(sync.goodAt(b.m) !== undefined);
});

test("ark sync: H24: a block is answered within seconds, by one pass, in step with nobody", () => {
  const at = (seed: string): number => {
    const b: Bench = { m: sync.create(defaults.sync, stream(key(seed))), at: 0, ran: [] };
    say(b, { type: "started" });
    to(b, 30_000);
    b.ran.length = 0;
    for (let i = 0; i < 5; i += 1) say(b, { type: "woken" });
    to(b, 37_500);
    assert.equal(ops(b).filter((op) => op === "fee-rates").length, 1);
    return Number(b.ran[0]?.split(" ")[0]) * 1_000;
  };
  const all = ["a", "b", "c", "d"].map(at);
  for (const ms of all) assert.ok(ms >= 30_000 && ms <= 32_000, `${ms}`);
  assert.ok(new Set(all).size > 2, "wallets that hear of a block are spread");
});

test("ark sync: create: what is no step of it is refused", () => {
  const [first] = defaults.sync.steps;
  assert.ok(first !== undefined);
  const steps = [{ ...first, op: "maintain" as const }];
  assert.throws(() => bench({ ...defaults.sync, steps }), /no step/);
});

type Played = { readonly type: "begin" | "good" | "bad" | "woken" | "gone" | "tick" };

test("ark sync: laws: H20: whatever fails, every step has its turn within two intervals", () => {
  const play = (m: sync.Sync, { type }: Played, now: Mono, out: sync.Effect[]): void => {
    const step = (event: sync.Event): void => sync.step(m, event, now, out);
    const { under } = m.lane;
    switch (type) {
      case "begin": return m.at.phase === "fresh" ? step({ type: "started" }) : undefined;
      case "good": case "bad": {
        if (under === undefined) return;
        const answer = type === "bad" ? down : good(under.op);
        return step({ type: "answered", token: under.token, answer });
      }
      case "woken": return step({ type: "woken" });
      case "gone": return step({ type: "released" });
      case "tick": return step({ type: "tick" });
    }
  };
  const subject: Subject<sync.Sync, Played, sync.Effect> = {
    create: () => sync.create(defaults.sync, stream(key("laws"))), step: play,
    deadline: sync.deadline, tick: { type: "tick" }, settleMs: 0,
    holds: (m) => assert.ok(m.queue.length <= defaults.sync.steps.length),
    lives: (run) => {
      // With a wallet that answers every call, all have had their turn.
      const { state } = run;
      if (state.at.phase === "fresh") return;
      const from = run.steps.length;
      for (let i = 0; i < 400 && run.now < 4_000_000; i += 1) {
        const out: sync.Effect[] = [];
        const event: Played = state.lane.under === undefined ? { type: "tick" } : { type: "bad" };
        if (event.type === "tick") run.now = sync.deadline(state);
        play(state, event, run.now, out);
        run.steps.push({ at: run.now, event, effects: out, given: out });
      }
      const seen = new Set(effectsOf({ ...run, steps: run.steps.slice(from) }).flatMap(
        ({ effect }) => (effect.type === "call" ? [effect.call.op] : []),
      ));
      for (const { op } of defaults.sync.steps) assert.ok(seen.has(op), `${op} starves`);
    },
  };
  const event = fc.constantFrom<Played["type"]>("begin", "good", "bad", "woken", "gone")
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 30_000, 25), (s) => void laws(subject, s)), {
    numRuns: 50,
  });
});
