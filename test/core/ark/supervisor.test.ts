import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as supervisor from "../../../core/ark/supervisor.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const { defaults } = supervisor;
type Config = supervisor.Config;
type Rig = { readonly m: supervisor.Supervisor; now: Mono; readonly out: supervisor.Effect[] };

function rig(over: Partial<Config> = {}): Rig {
  const m = supervisor.create({ ...defaults, ...over }, prng.stream(prng.key("supervisor")));
  return { m, now: mono(0), out: [] };
}

function say(r: Rig, event: supervisor.Event): readonly supervisor.Effect[] {
  const out: supervisor.Effect[] = [];
  supervisor.step(r.m, event, r.now, out);
  r.out.push(...out);
  return out;
}

/** Time passes to where it is due. */
function due(r: Rig): readonly supervisor.Effect[] {
  assert.ok(supervisor.deadline(r.m) < NEVER, "nothing is due");
  r.now = supervisor.deadline(r.m);
  return say(r, { type: "tick" });
}

function pass(r: Rig, ms: number): void {
  r.now = mono(r.now + ms);
}

const exited = (run: number, code: number | undefined = 1, signal = ""): supervisor.Event => (
  { type: "exited", run, code, signal }
);
const typesOf = (effects: readonly supervisor.Effect[]): readonly string[] => (
  effects.map(({ type }) => type)
);

/** A program that runs, as its first run. */
function up(over: Partial<Config> = {}): Rig {
  const r = rig(over);
  say(r, { type: "started" });
  say(r, { type: "silent" });
  say(r, { type: "spawned", run: 1, pid: 41 });
  return r;
}

test("ark supervisor: nobody answers: it is started at once; the last ms before is waited", () => {
  const r = rig();
  assert.deepEqual(say(r, { type: "started" }), []);
  assert.deepEqual(say(r, { type: "silent" }), [{ type: "start", run: 1 }]);
  assert.deepEqual(say(r, { type: "spawned", run: 1, pid: 41 }), [{ type: "up", pid: 41 }]);
  const quiet = rig();
  say(quiet, { type: "started" });
  quiet.now = mono(defaults.lookMs - 1);
  assert.deepEqual(say(quiet, { type: "tick" }), []);
  quiet.now = mono(defaults.lookMs);
  assert.deepEqual(say(quiet, { type: "tick" }), [{ type: "start", run: 1 }]);
});

test("ark supervisor: who answers already is left in place, until nobody does", () => {
  const r = rig();
  say(r, { type: "started" });
  assert.deepEqual(say(r, { type: "answers" }), [{ type: "up", pid: undefined }]);
  assert.equal(supervisor.deadline(r.m), NEVER);
  say(r, { type: "silent" });
  assert.deepEqual(due(r), [{ type: "start", run: 1 }]);
  const other = rig();
  say(other, { type: "started" });
  say(other, { type: "answers" });
  assert.deepEqual(say(other, { type: "stop", isBusy: true, waitMs: 9 }), []);
  assert.ok(supervisor.isOver(other.m), "it is not ours to end");
});

test("ark supervisor: waits grow with short runs, and are short again after a long one", () => {
  const r = up();
  const waits: number[] = [];
  for (let run = 1; run <= 12; run += 1) {
    const gone = say(r, exited(run))[0];
    assert.equal(gone?.type, "gone");
    waits.push(supervisor.deadline(r.m) - r.now);
    assert.deepEqual(due(r), [{ type: "start", run: run + 1 }]);
    say(r, { type: "spawned", run: run + 1, pid: 100 + run });
    pass(r, 5);
  }
  assert.ok(waits[0]! >= 1_000 && waits[0]! <= 2_000, `${waits[0]}`);
  assert.ok(waits.at(-1)! >= 150_000 && waits.at(-1)! <= 300_000, `${waits.at(-1)}`);
  r.now = supervisor.deadline(r.m);
  say(r, { type: "tick" });
  pass(r, 1);
  say(r, exited(13));
  assert.ok(supervisor.deadline(r.m) - r.now <= 1_000, "a long run has paid for a quick start");
});

test("ark supervisor: a crash loop is told once, and its end", () => {
  const r = up();
  for (let run = 1; run <= 5; run += 1) {
    say(r, run === 2 ? exited(run, undefined, "SIGKILL") : exited(run));
    due(r);
    say(r, run === 4 ? { type: "failed", run: run + 1, why: "missing" }
      : { type: "spawned", run: run + 1, pid: run });
    if (run === 4) {
      due(r);
      say(r, { type: "spawned", run: run + 2, pid: run });
      break;
    }
  }
  assert.equal(r.out.filter(({ type }) => type === "looping").length, 1);
  assert.ok(supervisor.isLooping(r.m));
  assert.equal(r.m.last?.exit.failure, "missing");
  assert.deepEqual(typesOf(due(r)), ["steady"]);
  assert.ok(!supervisor.isLooping(r.m));
});

test("ark supervisor: at the end: it ends with its work, or its time; then term, then kill", () => {
  const r = up();
  assert.deepEqual(say(r, { type: "stop", isBusy: true, waitMs: 500 }), []);
  pass(r, 499);
  assert.deepEqual(say(r, { type: "tick" }), []);
  assert.deepEqual(say(r, { type: "idle" }), [{ type: "signal", run: 1, signal: "term" }]);
  assert.deepEqual(typesOf(say(r, exited(1, 0))), ["gone"]);
  assert.ok(supervisor.isOver(r.m));

  const slow = up();
  say(slow, { type: "stop", isBusy: true, waitMs: 500 });
  assert.deepEqual(due(slow), [{ type: "signal", run: 1, signal: "term" }]);
  assert.equal(slow.now, 500);
  assert.deepEqual(due(slow), [
    { type: "killed", waitedMs: defaults.termMs }, { type: "signal", run: 1, signal: "kill" },
  ]);
  assert.deepEqual(due(slow), [{ type: "stuck", pid: 41 }]);
  assert.equal(slow.now, 500 + defaults.termMs + defaults.killMs);
  assert.deepEqual(say(slow, exited(1)), []);
});

test("ark supervisor: an exit during the end is the end, and nothing is started any more", () => {
  for (const waits of [0, 1, 2]) {
    const r = up();
    say(r, { type: "stop", isBusy: true, waitMs: 500 });
    for (let i = 0; i < waits; i += 1) due(r);
    const [gone] = say(r, exited(1, undefined, "SIGSEGV"));
    assert.deepEqual(gone?.type === "gone" && gone.retryMs, undefined);
    assert.ok(supervisor.isOver(r.m));
    assert.equal(supervisor.deadline(r.m), NEVER);
    assert.equal(r.out.filter(({ type }) => type === "start").length, 1);
  }
});

test("ark supervisor: a stop before it runs: what was ordered is ended, or left", () => {
  for (const isLeft of [false, true]) {
    const r = rig({ isLeft });
    say(r, { type: "started" });
    say(r, { type: "silent" });
    say(r, { type: "stop", isBusy: false, waitMs: 500 });
    assert.ok(!supervisor.isOver(r.m));
    assert.deepEqual(typesOf(say(r, { type: "spawned", run: 1, pid: 41 })),
      ["up", isLeft ? "left" : "signal"]);
  }
  const failed = rig();
  say(failed, { type: "started" });
  say(failed, { type: "silent" });
  say(failed, { type: "stop", isBusy: false, waitMs: 500 });
  say(failed, { type: "failed", run: 1, why: "scarce" });
  assert.ok(supervisor.isOver(failed.m));
  const never = rig();
  say(never, { type: "stop", isBusy: false, waitMs: 500 });
  assert.ok(supervisor.isOver(never.m));
});

test("ark supervisor: by policy it is left running", () => {
  const r = up({ isLeft: true });
  assert.deepEqual(say(r, { type: "stop", isBusy: true, waitMs: 500 }),
    [{ type: "left", pid: 41 }]);
  assert.ok(supervisor.isOver(r.m));
});

test("ark supervisor: what is said of another run changes nothing", () => {
  const r = up();
  for (const event of [
    exited(2), exited(0), { type: "spawned", run: 2, pid: 9 }, { type: "answers" },
    { type: "silent" }, { type: "failed", run: 1, why: "other" }, { type: "idle" },
    { type: "started" },
  ] as const) assert.deepEqual(say(r, event), []);
  assert.deepEqual(supervisor.running(r.m)?.pid, 41);
  assert.throws(() => rig({ loopRuns: 0 }));
});

/** The host answers each order of a hostile program, in the step of the test that asks it. */
type Played = { readonly type: "spawn" | "fail" | "exit" | "answers" | "silent" | "stop" | "tick"
  | "started" | "idle"; };

const played: Subject<supervisor.Supervisor, Played, supervisor.Effect>["step"] = (
  m, { type }, now, out,
) => {
  const tell = (event: supervisor.Event): void => supervisor.step(m, event, now, out);
  switch (type) {
    case "spawn": return tell({ type: "spawned", run: m.runs, pid: 7 });
    case "fail": return tell({ type: "failed", run: m.runs, why: "other" });
    case "exit": return tell(exited(m.runs));
    case "stop": return tell({ type, isBusy: m.runs % 2 === 0, waitMs: 30_000 });
    case "answers": case "silent": case "tick": case "started": case "idle": return tell({ type });
  }
};

const kinds = ["spawn", "spawn", "fail", "exit", "exit", "answers", "silent", "started"] as const;

function subjectOf(
  lives: Subject<supervisor.Supervisor, Played, supervisor.Effect>["lives"],
): Subject<supervisor.Supervisor, Played, supervisor.Effect> {
  return {
    create: () => supervisor.create(defaults, prng.stream(prng.key("laws"))), step: played,
    deadline: supervisor.deadline, tick: { type: "tick" }, settleMs: 400_000, lives,
  };
}

test("ark supervisor: laws: starts lie apart, whatever a program does", () => {
  const subject = subjectOf((run) => {
    const starts = effectsOf(run).filter(({ effect }) => effect.type === "start");
    starts.forEach(({ at }, i) => {
      if (i > 0) assert.ok(at - starts[i - 1]!.at >= 500, `at ${at}`);
    });
    // Whoever is wanted and does not run is started within the longest wait.
    if (["resting", "looking"].includes(run.state.at.phase)) {
      assert.fail("it is waited longer than any wait");
    }
  });
  const event = fc.constantFrom(...kinds).map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 90_000, 40), (s) => void laws(subject, s)),
    { numRuns: 60 });
});

test("ark supervisor: laws: a stop comes to its end in time, once the host has answered", () => {
  const subject = subjectOf((run) => {
    const stopAt = run.steps.find(({ event }) => event.type === "stop")?.at;
    if (stopAt === undefined || run.state.at.phase === "starting") return;
    assert.ok(supervisor.isOver(run.state), run.state.at.phase);
    const late = effectsOf(run).filter(({ at, effect }) => at > stopAt && effect.type === "start");
    assert.deepEqual(late, []);
  });
  const event = fc.constantFrom(...kinds, "stop" as const, "idle" as const)
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 20_000, 30), (s) => void laws(subject, s)),
    { numRuns: 60 });
});

test("ark supervisor: no storm: an hour of a program that dies at once has few starts", () => {
  for (const livesMs of [0, 1, 59_999, 60_000]) {
    const r = up();
    const startAt: Mono[] = [];
    for (let run = 1; r.now < 3_600_000; run += 1) {
      pass(r, livesMs);
      if (supervisor.deadline(r.m) <= r.now) say(r, { type: "tick" });
      say(r, exited(run));
      due(r);
      startAt.push(r.now);
      say(r, { type: "spawned", run: run + 1, pid: run });
    }
    assert.ok(startAt.length <= (livesMs < 1_000 ? 40 : 60), `${livesMs}: ${startAt.length}`);
    assert.ok(startAt.length >= 10, "and it is tried on");
  }
});
