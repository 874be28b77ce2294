import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unavailable, type Answer, type Tip } from "../../../core/chain/chain.ts";
import * as tip from "../../../core/chain/tip.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { hashAt } from "../../support/bitcoind.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: tip.Config = { pollMs: 10, staleMs: 1_000, silentMs: 50 };
const bornMs = 1_700_000_000_000;

const tipAt = (height: number, kept?: boolean, branch = 0, ageMs = 0): Tip => ({
  hash: hashAt(height, branch), height, timeS: (bornMs - ageMs) / 1_000, isSynced: true,
  keptSince: kept,
});
const told = (given: Tip): Answer => ({ ok: true, ask: "tip", tip: given });
const down = unavailable("unreachable", "x", "y");

type Bench = { readonly m: tip.Watch; at: number };
function bench(other: Partial<tip.Config> = {}): Bench {
  return { m: tip.create({ ...config, ...other }), at: 0 };
}
function say(b: Bench, event: tip.Event): readonly tip.Effect[] {
  const out: tip.Effect[] = [];
  tip.step(b.m, event, mono(b.at), out);
  return out;
}
const answer = (b: Bench, given: Answer): readonly tip.Effect[] =>
  say(b, { type: "answered", token: b.m.asked, answer: given });
const types = (effects: readonly tip.Effect[]): readonly string[] =>
  effects.map(({ type }) => type);

/** A watch that knows this tip; time stands at 0. */
function knowing(given: Tip, other: Partial<tip.Config> = {}): Bench {
  const b = bench(other);
  say(b, { type: "started", unixMs: bornMs });
  answer(b, told(given));
  return b;
}
/** Time passes to the next question, which is put. */
function poll(b: Bench): readonly tip.Effect[] {
  b.at += config.pollMs;
  return say(b, { type: "tick" });
}

test("tip: started: the tip is asked for at once, then pollMs after each answer", () => {
  const b = bench();
  assert.equal(tip.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "started", unixMs: bornMs }), [
    { type: "ask", token: 1, question: { ask: "tip" } },
  ]);
  b.at = 7;
  assert.deepEqual(types(answer(b, told(tipAt(5)))), ["answered", "found"]);
  assert.equal(tip.deadline(b.m), 17);
  b.at = 16;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.at = 17;
  assert.deepEqual(say(b, { type: "tick" }), [
    { type: "ask", token: 2, question: { ask: "tip", since: hashAt(5) } },
  ]);
});

test("tip: answered: the same block, the next, several at once", () => {
  const b = knowing(tipAt(5));
  poll(b);
  assert.deepEqual(types(answer(b, told(tipAt(5, true)))), ["answered"]);
  poll(b);
  const next = tipAt(9, true);
  assert.deepEqual(answer(b, told(next)), [
    { type: "answered", tip: next }, { type: "advanced", tip: next, from: tipAt(5, true) },
  ]);
});

test("tip: answered: a block left behind is a reorganisation at any height", () => {
  for (const height of [4, 5, 6]) {
    const b = knowing(tipAt(5));
    poll(b);
    const other = tipAt(height, false, 1);
    assert.deepEqual(answer(b, told(other))[1], {
      type: "reorganised", tip: other, from: tipAt(5),
    });
  }
});

test("tip: answered: a server that says it is behind tells no tip", () => {
  const b = knowing(tipAt(5));
  poll(b);
  const [effect] = answer(b, told({ ...tipAt(6, true), isSynced: false }));
  assert.ok(effect?.type === "failed" && effect.answer.reason === "syncing");
  assert.equal(b.m.tip?.height, 5);
});

test("tip: answered: what is not under way changes nothing", () => {
  const b = knowing(tipAt(5));
  assert.deepEqual(say(b, { type: "answered", token: 1, answer: told(tipAt(6)) }), []);
  assert.deepEqual(say(b, { type: "answered", token: 0, answer: told(tipAt(6)) }), []);
  assert.equal(b.m.tip?.height, 5);
});

test("tip: nudged: asked at once, or right after the question under way", () => {
  const b = knowing(tipAt(5));
  assert.deepEqual(types(say(b, { type: "nudged" })), ["ask"]);
  assert.deepEqual(say(b, { type: "nudged" }), []);
  assert.deepEqual(say(b, { type: "nudged" }), []);
  assert.deepEqual(types(answer(b, told(tipAt(5, true)))), ["answered", "ask"]);
  assert.deepEqual(types(answer(b, told(tipAt(5, true)))), ["answered"]);
  assert.deepEqual(say(bench(), { type: "nudged" }), []);
});

test("tip: stale: silentMs without an answer, told once, and its end once", () => {
  const b = knowing(tipAt(5));
  poll(b);
  assert.deepEqual(types(answer(b, down)), ["failed"]);
  b.at = 20;
  assert.deepEqual(types(say(b, { type: "tick" })), ["ask"]);
  b.at = 49;
  assert.deepEqual(say(b, { type: "tick" }), []);
  assert.equal(tip.isFresh(b.m), true);
  assert.equal(tip.deadline(b.m), 50);
  b.at = 50;
  assert.deepEqual(say(b, { type: "tick" }), [{ type: "stale", why: "silent" }]);
  assert.equal(tip.isFresh(b.m), false);
  assert.equal(tip.deadline(b.m), NEVER, "the answer is certain");
  assert.deepEqual(types(answer(b, down)), ["failed"]);
  poll(b);
  assert.deepEqual(types(answer(b, told(tipAt(5, true)))), ["answered", "fresh"]);
  assert.equal(tip.isFresh(b.m), true);
});

test("tip: stale: silent from the start", () => {
  const b = bench();
  say(b, { type: "started", unixMs: bornMs });
  b.at = 50;
  assert.deepEqual(say(b, { type: "tick" }), [{ type: "stale", why: "silent" }]);
  assert.deepEqual(types(answer(b, told(tipAt(5)))), ["answered", "found", "fresh"]);
});

test("tip: stale: a block that is staleMs old, at the start or later", () => {
  const old = bench();
  say(old, { type: "started", unixMs: bornMs });
  assert.deepEqual(types(answer(old, told(tipAt(5, undefined, 0, 1_000)))), [
    "answered", "found", "stale",
  ]);
  const b = knowing(tipAt(5), { silentMs: 5_000 });
  for (; b.at < 990;) {
    poll(b);
    assert.deepEqual(types(answer(b, told(tipAt(5, true)))), ["answered"]);
  }
  b.at = 999;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.at = 1_000;
  assert.deepEqual(types(say(b, { type: "tick" })), ["ask", "stale"]);
  assert.deepEqual(types(answer(b, told({ ...tipAt(6, true), timeS: bornMs / 1_000 + 1 }))), [
    "answered", "advanced", "fresh",
  ]);
});

test("tip: stale: on regtest no block is too old", () => {
  const b = knowing(tipAt(5, undefined, 0, 99_999_000), { staleMs: 0 });
  assert.equal(tip.isFresh(b.m), true);
});

test("tip: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<tip.Config>[] = [{ pollMs: 0 }, { silentMs: 10 }, { staleMs: -1 }];
  for (const part of wrong) assert.throws(() => bench(part));
  const b = knowing(tipAt(1));
  assert.throws(() => say(b, { type: "started", unixMs: 0 }), /begins once/);
  poll(b);
  assert.throws(() => answer(b, { ok: true, ask: "address", payments: [] }), /another question/);
  poll(b);
  const other = knowing(tipAt(1));
  poll(other);
  assert.throws(() => answer(other, { ok: false, why: "absent", conflicts: [] }), /always a tip/);
});

type Played =
  | { readonly type: "begin" | "lost" | "nudged" | "late" }
  | { readonly type: "tells"; readonly height: number; readonly isKept: boolean }
  | { readonly type: "tick" };

function play(m: tip.Watch, event: Played, now: ReturnType<typeof mono>, out: tip.Effect[]): void {
  const step = (given: tip.Event): void => tip.step(m, given, now, out);
  switch (event.type) {
    case "begin": return m.isRunning ? undefined : step({ type: "started", unixMs: bornMs });
    case "nudged": case "tick": return step({ type: event.type });
    case "lost": return step({ type: "answered", token: m.asked, answer: down });
    case "late": return step({ type: "answered", token: m.asked - 1, answer: told(tipAt(1)) });
    case "tells": {
      const answer = told(tipAt(event.height, event.isKept));
      return step({ type: "answered", token: m.asked, answer });
    }
  }
}

test("tip: laws: a silent server is stale in silentMs; stale and fresh take turns", () => {
  const subject: Subject<tip.Watch, Played, tip.Effect> = {
    create: () => tip.create(config), step: play, deadline: tip.deadline, tick: { type: "tick" },
    settleMs: 200,
    lives: (run) => {
      let isStale = false;
      let heardAt: number | undefined;
      for (const { at, event, effects } of run.steps) {
        if (event.type === "begin") heardAt ??= at;
        for (const { type } of effects) {
          if (type === "answered") heardAt = at;
          if (type === "stale") assert.equal(isStale, false, "stale twice");
          if (type === "fresh") assert.equal(isStale, true, "fresh twice");
          if (type === "stale" || type === "fresh") isStale = type === "stale";
        }
      }
      if (heardAt !== undefined && run.now - heardAt >= config.silentMs) {
        assert.equal(isStale, true, "silent and not told");
      }
    },
  };
  const event: fc.Arbitrary<Played> = fc.oneof(
    fc.constantFrom(
      { type: "begin" as const }, { type: "lost" as const }, { type: "nudged" as const },
      { type: "late" as const },
    ),
    fc.record({ type: fc.constant("tells" as const), height: fc.nat(3), isKept: fc.boolean() }),
  );
  const all = scripts(event, 40, 25, true).map((script) => (
    [{ afterMs: 3, event: { type: "begin" as const } }, ...script]
  ));
  fc.assert(fc.property(all, (script) => {
    const run = laws(subject, script);
    // At most one question at a time: as many answers taken as questions, or one less.
    const asked = effectsOf(run).filter(({ effect }) => effect.type === "ask").length;
    assert.equal(run.state.tokens, asked);
  }), { numRuns: 80 });
});

/** A watch whose wall clock was two days ahead when it began: every block looks old. */
function ahead(): Bench {
  const b = bench();
  say(b, { type: "started", unixMs: bornMs + 172_800_000 });
  assert.deepEqual(types(answer(b, told(tipAt(5)))), ["answered", "found", "stale"]);
  return b;
}
/** The next block comes `ms` later; its stamp is `stampMs` after that of its parent. */
function next(b: Bench, ms: number, stampMs: number, kept = true): readonly string[] {
  b.at += ms;
  say(b, { type: "tick" });
  const { height, timeS } = b.m.tip ?? assert.fail("no tip");
  const block = { ...tipAt(height + 1, kept), timeS: timeS + stampMs / 1_000 };
  return types(answer(b, told(block)));
}

test("tip: a clock that was ahead at the start is found out by the pace of blocks", () => {
  const b = ahead();
  for (let i = 0; i < 3; i += 1) assert.deepEqual(next(b, 100, 100), ["answered", "advanced"]);
  assert.deepEqual(next(b, 100, 100), ["answered", "advanced", "fresh"]);
  assert.ok(tip.isFresh(b.m));
  // From here on it is as with a clock that was right.
  b.at += 40;
  for (let i = 0; i < 24; i += 1, b.at += 40) {
    say(b, { type: "tick" });
    assert.deepEqual(types(answer(b, told({ ...b.m.tip as Tip, keptSince: true }))), ["answered"]);
  }
  assert.ok(tip.isFresh(b.m));
  assert.ok(types(say(b, { type: "tick" })).includes("stale"));
});

test("tip: a node that catches up, is cut off, or goes astray stays old", () => {
  const catching = ahead();
  for (let i = 0; i < 100; i += 1) {
    assert.deepEqual(next(catching, 20, 1_000), ["answered", "advanced"]);
  }
  const silent = ahead();
  for (let i = 0; i < 100; i += 1) {
    silent.at += 40;
    say(silent, { type: "tick" });
    assert.deepEqual(types(answer(silent, told(tipAt(5, true)))), ["answered"]);
  }
  const astray = ahead();
  for (let i = 0; i < 100; i += 1) {
    assert.deepEqual(next(astray, 100, 100, false), ["answered", "reorganised"]);
  }
  const few = ahead();
  for (let i = 0; i < 2; i += 1) next(few, 400, 400);
  assert.ok([catching, silent, astray, few].every(({ m }) => !tip.isFresh(m)));
});
