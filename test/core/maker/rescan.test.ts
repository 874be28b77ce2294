import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  unavailable, type Answer, type Question, type Reason, type Tip,
} from "../../../core/chain/chain.ts";
import * as rescan from "../../../core/maker/rescan.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { hashAt } from "../../support/bitcoind.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: rescan.Config = {
  intervalMs: 600, deferMs: 20, deferMsMax: 100, pollMs: 50, retryMsMin: 10, retryMsMax: 40,
  slowMs: 200, lostMs: 1_000,
};
const tip: Tip = { hash: hashAt(9), height: 9, timeS: 0, isSynced: true, keptSince: undefined };
const coins: Answer = { ok: true, ask: "coins", tip, coins: [], foreign: 0 };
const prepared = (isScanned = true): Answer =>
  ({ ok: true, ask: "prepare", imported: 0, isScanned });
const searched: Answer = { ok: true, ask: "rescan", fromHeight: 0, toHeight: 9 };
const watching = (permille?: number): Answer => ({
  ok: true, ask: "rescan-progress",
  progress: permille === undefined ? undefined : { permille, atHeight: undefined },
});
const no = (reason: Reason): Answer => unavailable(reason, "x", "y");

type Bench = { readonly m: rescan.Rescan; at: number };
function bench(other: Partial<rescan.Config> = {}): Bench {
  return { m: rescan.create({ ...config, ...other }), at: 0 };
}
/** Effects in short: questions by their name. */
function say(b: Bench, event: rescan.Event): readonly string[] {
  const out: rescan.Effect[] = [];
  rescan.step(b.m, event, mono(b.at), out);
  return out.map((effect) => (
    effect.type === "ask" ? `ask ${nameOf(effect.question)}` : effect.type
  ));
}
const nameOf = (question: Question): string => (
  question.ask === "rescan" && question.fromHeight !== undefined ? `rescan ${question.fromHeight}`
    : question.ask
);
const answer = (b: Bench, given: Answer): readonly string[] =>
  say(b, { type: "answered", token: b.m.tokens, answer: given });
const tick = (b: Bench): readonly string[] => say(b, { type: "tick" });

/** A watch whose first pass is over; time stands at 0, the next pass is due at 600. */
function idle(other: Partial<rescan.Config> = {}): Bench {
  const b = bench(other);
  say(b, { type: "started" });
  answer(b, prepared());
  answer(b, coins);
  assert.equal(b.m.at.phase, "idle");
  return b;
}

test("rescan: started: made ready, searched if it never was, listed", () => {
  const b = bench();
  assert.equal(rescan.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "started" }), ["ask prepare"]);
  assert.deepEqual(answer(b, prepared(false)), ["ask rescan"]);
  assert.deepEqual(answer(b, searched), ["searched", "ask coins"]);
  assert.deepEqual(answer(b, coins), ["listed"]);
  assert.equal(rescan.deadline(b.m), 600);
  assert.throws(() => say(b, { type: "started" }), /begins once/);
});

test("rescan: periodic: intervalMs after the end of the last pass", () => {
  const b = idle();
  b.at = 599;
  assert.deepEqual(tick(b), []);
  b.at = 600;
  assert.deepEqual(tick(b), ["ask coins"]);
  b.at = 650;
  answer(b, coins);
  assert.equal(rescan.deadline(b.m), 1_250);
});

test("rescan: active: deferMs later, postponed by more, up to deferMsMax", () => {
  const b = idle();
  say(b, { type: "active" });
  assert.equal(rescan.deadline(b.m), 20);
  b.at = 19;
  assert.deepEqual(tick(b), []);
  say(b, { type: "active" });
  assert.equal(rescan.deadline(b.m), 39);
  for (; b.at < 95; b.at += 5) say(b, { type: "active" });
  assert.equal(rescan.deadline(b.m), 100, "not for ever");
  b.at = 100;
  assert.deepEqual(tick(b), ["ask coins"]);
  answer(b, coins);
  assert.equal(rescan.deadline(b.m), 114, "the last activity was younger than deferMs");
  b.at = 114;
  assert.deepEqual(tick(b), ["ask coins"]);
  answer(b, coins);
  assert.equal(rescan.deadline(b.m), 714);
});

test("rescan: hazard 8: asked during a pass: never two at once, exactly one more", () => {
  const b = idle();
  b.at = 600;
  tick(b);
  for (let i = 0; i < 10; i += 1) {
    b.at += 1;
    assert.deepEqual(say(b, { type: "active" }), []);
    assert.deepEqual(say(b, { type: "asked" }), []);
  }
  b.at = 700;
  assert.deepEqual(answer(b, coins), ["listed", "ask coins"]);
  assert.deepEqual(answer(b, coins), ["listed"]);
  assert.equal(rescan.deadline(b.m), 1_300);
});

test("rescan: active during a pass: the next begins no earlier than deferMs after", () => {
  const b = idle();
  b.at = 600;
  tick(b);
  b.at = 610;
  say(b, { type: "active" });
  assert.deepEqual(answer(b, coins), ["listed"]);
  assert.equal(rescan.deadline(b.m), 630);
});

test("rescan: a periodic pass right after activity does not count for it", () => {
  const b = idle();
  b.at = 595;
  say(b, { type: "active" });
  b.at = 600;
  assert.deepEqual(tick(b), ["ask coins"]);
  answer(b, coins);
  assert.equal(rescan.deadline(b.m), 615);
});

test("rescan: asked: now, also while a failure is waited out", () => {
  assert.deepEqual(say(idle(), { type: "asked" }), ["ask coins"]);
  const b = idle();
  say(b, { type: "asked" });
  answer(b, no("unreachable"));
  assert.deepEqual(say(b, { type: "asked" }), ["ask prepare"]);
});

test("rescan: search: the operator's wish, then what is left, then the coins", () => {
  const b = idle();
  assert.deepEqual(say(b, { type: "search", fromHeight: 5 }), ["ask rescan 5"]);
  assert.deepEqual(answer(b, searched), ["searched", "ask prepare"]);
  assert.deepEqual(answer(b, prepared(false)), ["ask rescan"]);
  assert.deepEqual(answer(b, searched), ["searched", "ask coins"]);
  assert.deepEqual(answer(b, coins), ["listed"]);
});

test("rescan: search: a wish during a search is another search", () => {
  const b = idle();
  say(b, { type: "search", fromHeight: 5 });
  assert.deepEqual(say(b, { type: "search", fromHeight: 0 }), []);
  assert.deepEqual(answer(b, searched), ["searched", "ask prepare"]);
  assert.deepEqual(answer(b, prepared()), ["ask rescan 0"]);
  answer(b, searched);
  answer(b, prepared());
  assert.deepEqual(answer(b, coins), ["listed", "ask coins"]);
  assert.deepEqual(answer(b, coins), ["listed"]);
});

test("rescan: search: a wish that cannot be met is given up, what must be is not", () => {
  const b = idle();
  say(b, { type: "search", fromHeight: 0 });
  assert.deepEqual(answer(b, no("pruned")), ["failed"]);
  b.at += 10;
  assert.deepEqual(tick(b), ["ask prepare"]);
  assert.deepEqual(answer(b, prepared()), ["ask coins"]);
  const must = bench();
  say(must, { type: "started" });
  answer(must, prepared(false));
  answer(must, no("pruned"));
  must.at += 10;
  tick(must);
  assert.deepEqual(answer(must, prepared(false)), ["ask rescan"]);
});

test("rescan: hazard 3: a failure lists nothing, and is retried with growing waits", () => {
  const b = bench();
  say(b, { type: "started" });
  const waits: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    assert.deepEqual(answer(b, no("unreachable")), ["failed"]);
    waits.push(rescan.deadline(b.m) - b.at);
    b.at = rescan.deadline(b.m) - 1;
    assert.deepEqual(tick(b), []);
    b.at += 1;
    assert.deepEqual(tick(b), ["ask prepare"]);
  }
  assert.deepEqual(waits, [10, 20, 40, 40, 40]);
  answer(b, prepared());
  answer(b, coins);
  b.at += 600;
  tick(b);
  answer(b, no("timeout"));
  assert.equal(rescan.deadline(b.m) - b.at, 10, "a success ends the row");
});

test("rescan: what takes time is no failure: asked again every pollMs", () => {
  for (const reason of ["warming-up", "syncing", "wallet-loading", "unsettled"] as const) {
    const b = bench();
    say(b, { type: "started" });
    for (let i = 0; i < 10; i += 1) {
      assert.deepEqual(answer(b, no(reason)), ["waiting"]);
      assert.equal(b.m.failures, 0);
      b.at += 50;
      assert.deepEqual(tick(b), ["ask prepare"]);
    }
  }
  const b = idle();
  b.at = 600;
  tick(b);
  answer(b, no("unsettled"));
  b.at = 650;
  assert.deepEqual(tick(b), ["ask coins"], "the wallet is as it was");
});

test("rescan: somebody's search is watched until it is over, and its progress told", () => {
  const b = bench();
  say(b, { type: "started" });
  assert.deepEqual(answer(b, no("rescanning")), ["waiting"]);
  for (const permille of [10, 500]) {
    b.at += 50;
    assert.deepEqual(tick(b), ["ask rescan-progress"]);
    assert.deepEqual(answer(b, watching(permille)), ["progress"]);
  }
  b.at += 50;
  tick(b);
  assert.deepEqual(answer(b, watching()), ["ask prepare"]);
  assert.deepEqual(answer(b, no("rescanning")), ["waiting"]);
  b.at += 50;
  tick(b);
  assert.deepEqual(answer(b, no("unreachable")), ["failed"]);
});

test("rescan: slow: told once for each step, and no failure", () => {
  const b = bench();
  say(b, { type: "started" });
  answer(b, prepared(false));
  b.at = 199;
  assert.deepEqual(tick(b), []);
  b.at = 200;
  assert.deepEqual(tick(b), ["slow"]);
  b.at = 900;
  const progress = { permille: 5, atHeight: 7 };
  assert.deepEqual(say(b, { type: "progress", token: b.m.tokens, progress }), ["progress"]);
  assert.deepEqual(say(b, { type: "progress", token: 1, progress }), []);
  assert.equal(rescan.deadline(b.m), 1_900, "progress is life");
  b.at = 1_899;
  assert.deepEqual(answer(b, searched), ["searched", "ask coins"]);
});

test("rescan: lost: what nothing was heard of for lostMs is given up", () => {
  const b = idle();
  b.at = 600;
  tick(b);
  b.at = 800;
  tick(b);
  b.at = 1_599;
  assert.deepEqual(tick(b), []);
  b.at = 1_600;
  assert.deepEqual(tick(b), ["drop", "failed"]);
  assert.deepEqual(answer(b, coins), [], "too late");
  b.at = 1_610;
  assert.deepEqual(tick(b), ["ask prepare"]);
});

test("rescan: answered: what is not under way changes nothing", () => {
  const b = idle();
  assert.deepEqual(say(b, { type: "answered", token: 2, answer: coins }), []);
  b.at = 600;
  tick(b);
  assert.deepEqual(say(b, { type: "answered", token: 2, answer: no("timeout") }), []);
  assert.throws(() => answer(b, { ok: false, why: "absent", conflicts: [] }), /never absent/);
});

test("rescan: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<rescan.Config>[] = [
    { intervalMs: 0 }, { deferMs: 0 }, { deferMsMax: 19 }, { pollMs: 0 }, { retryMsMin: 0 },
    { retryMsMax: 9 }, { slowMs: 0 }, { lostMs: 200 },
  ];
  for (const part of wrong) assert.throws(() => bench(part));
  const b = bench();
  say(b, { type: "started" });
  assert.throws(() => answer(b, { ok: true, ask: "tip", tip }), /another question/);
});

type Played =
  | { readonly type: "begin" | "active" | "asked" | "search" | "progress" | "late" }
  | { readonly type: "reply"; readonly how: "well" | "unscanned" | Reason }
  | { readonly type: "tick" };

function play(m: rescan.Rescan, event: Played, now: Mono, out: rescan.Effect[]): void {
  const step = (given: rescan.Event): void => rescan.step(m, given, now, out);
  if (event.type === "begin") {
    if (m.at.phase === "closed") step({ type: "started" });
    return;
  }
  if (m.at.phase === "closed") return;
  const token = m.tokens;
  switch (event.type) {
    case "active": case "asked": case "tick": return step({ type: event.type });
    case "search": return step({ type: "search", fromHeight: now });
    case "progress":
      return step({ type: "progress", token, progress: { permille: 1, atHeight: 1 } });
    case "late": return step({ type: "answered", token: token - 1, answer: coins });
    case "reply": return step({ type: "answered", token, answer: answerTo(m.at.phase, event.how) });
  }
}

function answerTo(phase: rescan.PhaseName, how: "well" | "unscanned" | Reason): Answer {
  if (how !== "well" && how !== "unscanned") return no(how);
  switch (phase) {
    case "preparing": return prepared(how === "well");
    case "searching": return searched;
    case "watching": return watching(how === "well" ? undefined : 7);
    case "listing": case "idle": case "waiting": case "closed": return coins;
  }
}

test("rescan: laws: one question at a time; activity is looked at, or the failure told", () => {
  const subject: Subject<rescan.Rescan, Played, rescan.Effect> = {
    create: () => rescan.create(config), step: play, deadline: rescan.deadline,
    tick: { type: "tick" }, settleMs: 2_500,
    lives: (run) => {
      let open: number | undefined;
      let activeAt: number | undefined;
      let beganAt = 0;
      for (const { at, event, effects } of run.steps) {
        if (event.type === "active") activeAt = at;
        // Nothing was asked of a watch that had not begun.
        if (run.steps[0]!.event.type !== "begin") return;
        const before = open;
        for (const effect of effects) {
          if (effect.type === "drop") open = undefined;
          if (effect.type === "listed" || effect.type === "failed" || effect.type === "waiting") {
            open = undefined;
          }
          if (effect.type !== "ask") continue;
          assert.ok(open === undefined || open === before, "two questions at once");
          open = effect.token;
          if (effect.question.ask === "coins") beganAt = at;
        }
      }
      // Nobody answers at the end of a run, so the last pass is at least begun.
      const failed = effectsOf(run).findLast(({ effect }) => effect.type === "failed");
      if (activeAt !== undefined && (failed === undefined || failed.at < activeAt)) {
        assert.ok(beganAt >= activeAt + config.deferMs || run.state.at.phase !== "idle",
          "activity was forgotten");
      }
    },
  };
  const how = fc.oneof(
    { weight: 6, arbitrary: fc.constant("well" as const) },
    { weight: 3, arbitrary: fc.constantFrom<"unscanned" | Reason>(
      "unscanned", "unreachable", "rescanning", "warming-up", "unsettled", "pruned",
    ) },
  );
  const event: fc.Arbitrary<Played> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant("reply" as const), how }) },
    { weight: 5, arbitrary: fc.constantFrom<Played>(
      { type: "active" }, { type: "asked" }, { type: "search" }, { type: "progress" },
      { type: "late" },
    ) },
  );
  const all = scripts(event, 120, 40, true).map((script) => (
    [{ afterMs: 0, event: { type: "begin" as const } }, ...script]
  ));
  fc.assert(fc.property(all, (script) => void laws(subject, script)), { numRuns: 80 });
});

test("rescan: liveness: a backend that answers: coins are listed soon after activity", () => {
  fc.assert(fc.property(fc.array(fc.nat(150), { maxLength: 30 }), fc.nat(60), (gaps, latencyMs) => {
    const b = idle();
    let activeAt = 0;
    let answerAt = NEVER as number;
    let listedFrom = -1;
    let beganAt = -1;
    const run = (until: number): void => {
      for (let i = 0; i < 10_000; i += 1) {
        const next = Math.min(rescan.deadline(b.m), answerAt);
        if (next > until) break;
        b.at = next;
        const isAnswer = next === answerAt;
        if (isAnswer) answerAt = NEVER;
        const said = isAnswer ? answer(b, coins) : tick(b);
        if (said.includes("listed")) listedFrom = beganAt;
        if (said.includes("ask coins")) {
          beganAt = b.at;
          answerAt = b.at + latencyMs;
        }
      }
      b.at = until;
    };
    for (const gap of gaps) {
      run(b.at + gap);
      activeAt = b.at;
      say(b, { type: "active" });
    }
    run(b.at + config.deferMsMax + config.deferMs + 3 * latencyMs + 1);
    if (gaps.length > 0) assert.ok(listedFrom >= activeAt + config.deferMs, "not looked at");
  }), { numRuns: 60 });
});
