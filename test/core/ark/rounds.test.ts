import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaults, source } from "../../../core/ark/policy.ts";
import * as rounds from "../../../core/ark/rounds.ts";
import { done, unavailable, type Answer, type RoundEvent } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const small: rounds.Config = { ...defaults.rounds, queueMax: 3 };
const down = unavailable("other", "x", "y");
const unsupported: Answer = { ok: false, why: "unsupported" };
const attempt = (roundSeq: number, attemptSeq = 0): RoundEvent => (
  { kind: "attempt", roundSeq, attemptSeq }
);
const proposal = (roundSeq: number): RoundEvent => ({ kind: "proposal", roundSeq, attemptSeq: 0 });

type Bench = { readonly m: rounds.Rounds; at: number };
function say(b: Bench, event: rounds.Event): readonly rounds.Effect[] {
  const out: rounds.Effect[] = [];
  rounds.step(b.m, event, mono(b.at), out);
  return out;
}
const item = (b: Bench, event: RoundEvent, isReplay?: boolean): readonly rounds.Effect[] => (
  say(b, { type: "item", token: b.m.stream.tokens, event, isReplay })
);
const answer = (b: Bench, given?: Answer): readonly rounds.Effect[] => {
  const { under } = b.m.lane;
  assert.ok(under !== undefined, "a call");
  const good = done({ op: under.op } as Parameters<typeof done>[0]);
  return say(b, { type: "answered", token: under.token, answer: given ?? good });
};
/** A stream that is open. */
function opened(config: rounds.Config): Bench {
  const b = { m: rounds.create(config, stream(key("rounds"))), at: 0 };
  say(b, { type: "started" });
  for (let i = 0; b.m.stream.at.phase !== "opening" && i < 9; i += 1) {
    b.at = rounds.deadline(b.m);
    say(b, { type: "tick" });
  }
  say(b, { type: "subscribed", token: b.m.stream.tokens });
  return b;
}
const types = (effects: readonly rounds.Effect[]): readonly string[] => (
  effects.map((e) => (e.type === "call" ? e.call.op : e.type))
);

test("ark rounds: H12: the first item of a subscription is no news; the next is", () => {
  const b = opened(small);
  assert.deepEqual(types(item(b, attempt(7))), ["round", "began", "progress-rounds"]);
  assert.ok(!b.m.stream.hasNews);
  assert.deepEqual(types(item(b, proposal(7))), ["news", "round"]);
  say(b, { type: "ended", token: b.m.stream.tokens, why: "clean" });
  b.at = rounds.deadline(b.m);
  say(b, { type: "tick" });
  say(b, { type: "subscribed", token: b.m.stream.tokens });
  assert.deepEqual(types(item(b, proposal(7))), [], "seen before");
  assert.deepEqual(types(item(b, proposal(7))), [], "and again");
  assert.ok(!b.m.stream.hasNews);
  const known = opened(small);
  assert.deepEqual(types(item(known, attempt(1), false)).slice(0, 2), ["news", "round"]);
});

test("ark rounds: H16: a round is told with whatever shows it first, once", () => {
  for (const first of [attempt(3), attempt(3, 2), proposal(3)]) {
    const b = opened(small);
    const [told] = item(b, first).filter(({ type }) => type === "began");
    assert.deepEqual(told, { type: "began", roundSeq: 3 });
    const more = [...item(b, attempt(3, 4)), ...item(b, attempt(4))];
    assert.deepEqual(more.filter(({ type }) => type === "began"), [
      { type: "began", roundSeq: 4 },
    ]);
  }
  const b = opened(small);
  const over = item(b, { kind: "finished", roundSeq: 3, attemptSeq: 0 });
  assert.ok(!types(over).includes("began"), "it is over");
});

test("ark rounds: H13: events are read while one is handled; too many are dropped and told", () => {
  const b = opened(small);
  item(b, attempt(1));
  for (const seq of [2, 3, 4]) {
    assert.deepEqual(types(item(b, attempt(seq))), ["news", "round", "began"]);
  }
  assert.deepEqual(item(b, attempt(5)).at(-1), { type: "lagging", dropped: 1 });
  assert.equal(b.m.queue.length, 3);
  const handled = [1, 2, 3].map(() => answer(b)[0]);
  assert.deepEqual(handled.map((e) => e?.type === "call" && e.call), [3, 4, 5].map((seq) => (
    { op: "progress-rounds", event: attempt(seq) }
  )));
  say(b, { type: "ended", token: b.m.stream.tokens, why: "clean" });
  assert.equal(b.m.stream.at.phase, "waiting", "the end counts at once");
});

test("ark rounds: a wallet that takes no events is not asked again", () => {
  const b = opened(small);
  item(b, attempt(1));
  item(b, proposal(1));
  assert.deepEqual(answer(b, unsupported), [{ type: "unsupported", op: "progress-rounds" }]);
  assert.deepEqual(types(item(b, attempt(2))), ["news", "round", "began"]);
  const failing = opened(small);
  item(failing, attempt(1));
  assert.deepEqual(types(answer(failing, down)), ["failed"]);
});

test("ark rounds: source: inline handling, maintenance at attempt 0, 8 events, repeats too", () => {
  const b = opened(source.rounds);
  assert.deepEqual(types(item(b, attempt(1))), ["round", "began", "maintain"]);
  assert.deepEqual(types(item(b, proposal(1))), []);
  say(b, { type: "ended", token: 1, why: "clean" });
  assert.equal(b.m.stream.at.phase, "open", "not noticed while the event is handled");
  assert.deepEqual(types(answer(b, down)), ["failed", "progress-rounds"]);
  assert.deepEqual(types(answer(b)), ["news", "round", "progress-rounds"]);
  b.at = 59_000;
  const over = answer(b)[0];
  assert.ok(over?.type === "over" && over.isHealthy && over.retryMs === 0, "H9, as it was");
  say(b, { type: "subscribed", token: 2 });
  assert.deepEqual(types(item(b, proposal(1))), ["progress-rounds"], "the repeat is handled");
  assert.deepEqual(types(item(b, attempt(2, 1))), []);
  assert.deepEqual(types(answer(b)), ["news", "round", "began", "progress-rounds"]);
});

test("ark rounds: H17: once stopped nothing is asked or subscribed to", () => {
  const b = opened(small);
  item(b, attempt(1));
  item(b, proposal(1));
  assert.deepEqual(types(say(b, { type: "stopped" })), ["close"]);
  assert.deepEqual(answer(b), []);
});

test("ark rounds: finishing: the event under way is handled whole, and no other", () => {
  const b = opened({ ...small, isInline: true, maintain: "first-attempt" });
  item(b, attempt(1));
  item(b, proposal(1));
  assert.deepEqual(types(say(b, { type: "finishing" })), []);
  assert.deepEqual(types(item(b, attempt(2))), []);
  assert.deepEqual(types(answer(b)), ["progress-rounds"]);
  assert.deepEqual(types(answer(b)), ["close"]);
  const idle = opened(small);
  assert.deepEqual(types(say(idle, { type: "finishing" })), ["close"]);
});

type Played = { readonly type: "begin" | "open" | "end" | "good" | "bad" | "gone" | "tick" }
  | { readonly type: "item"; readonly seq: number };

function play(m: rounds.Rounds, e: Played, now: Mono, out: rounds.Effect[]): void {
  const step = (event: rounds.Event): void => rounds.step(m, event, now, out);
  const { tokens: token } = m.stream;
  const { under } = m.lane;
  switch (e.type) {
    case "begin":
      return m.stream.at.phase === "fresh" ? step({ type: "started" }) : undefined;
    case "open": return step({ type: "subscribed", token });
    case "item": {
      return step({ type: "item", token, event: attempt(e.seq), isReplay: undefined });
    }
    case "end": return step({ type: "ended", token, why: "error" });
    case "good": {
      if (under === undefined) return;
      const good = done({ op: under.op } as Parameters<typeof done>[0]);
      return step({ type: "answered", token: under.token, answer: good });
    }
    case "bad": return step({ type: "answered", token: m.lane.tokens, answer: down });
    case "gone": return step({ type: "released" });
    case "tick": return step({ type: "tick" });
  }
}

for (const [name, config] of [["defaults", small], ["source", source.rounds]] as const) {
  test(`ark rounds: laws: ${name}: bounded queues, and always a next try`, () => {
    const capMs = name === "source" ? 600_000 + 60_000 : 60_000 + 30_000;
    const subject: Subject<rounds.Rounds, Played, rounds.Effect> = {
      create: () => rounds.create(config, stream(key("laws"))), step: play,
      deadline: rounds.deadline, tick: { type: "tick" }, settleMs: 1_500_000,
      holds: (m) => {
        assert.ok(m.queue.length <= config.queueMax);
        assert.ok(m.unread.length <= config.queueMax + 1);
      },
      lives: (run) => {
        if (run.state.stream.at.phase === "open") return;
        const last = effectsOf(run).findLast(({ effect }) => effect.type === "subscribe");
        const hasBegun = run.steps.some(({ event }) => event.type === "begin");
        if (hasBegun) assert.ok(last !== undefined && run.now - last.at <= capMs, "no next try");
      },
    };
    const event: fc.Arbitrary<Played> = fc.oneof(
      fc.constantFrom("begin", "open", "end", "good", "bad", "gone").map((type) => (
        { type } as Played
      )),
      fc.record({ type: fc.constant("item" as const), seq: fc.nat(5) }),
    );
    fc.assert(fc.property(scripts(event, 70_000, 30), (s) => void laws(subject, s)), {
      numRuns: 50,
    });
  });
}
