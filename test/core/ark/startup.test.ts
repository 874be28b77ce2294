import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaults, source } from "../../../core/ark/policy.ts";
import * as startup from "../../../core/ark/startup.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const refreshed = done({ op: "refresh-server" });

function begin(config: startup.Config, isManual = false): [startup.Startup, startup.Effect[]] {
  const m = startup.create(config);
  const out: startup.Effect[] = [];
  startup.step(m, { type: "started", isManual }, mono(0), out);
  return [m, out];
}
function reply(m: startup.Startup, answer: Answer): readonly string[] {
  const out: startup.Effect[] = [];
  startup.step(m, { type: "answered", token: m.lane.tokens, answer }, mono(5), out);
  return out.map((e) => (
    e.type === "call" ? e.call.op : e.type === "connected" ? `connected ${e.isConnected}` : e.type
  ));
}

test("ark startup: by default nothing has to come first", () => {
  assert.deepEqual(begin(defaults.startup)[1], [{ type: "ready" }]);
});

test("ark startup: source: connects, syncs, then the loops; manual leaves out the sync", () => {
  const [m, out] = begin(source.startup);
  assert.deepEqual(out, [
    { type: "call", token: 1, call: { op: "refresh-server" }, waitMs: 600_000 },
  ]);
  assert.deepEqual(reply(m, refreshed), ["connected true", "sync"]);
  assert.deepEqual(reply(m, done({ op: "sync" })), ["ready"]);
  const [manual] = begin(source.startup, true);
  assert.deepEqual(reply(manual, refreshed), ["connected true", "ready"]);
});

test("ark startup: H1: a changed key counts as connected in the source; here it does not", () => {
  for (const reason of ["server-key", "malformed", "server-down", "timeout"] as const) {
    const answer = unavailable(reason, "x", "y");
    const isMade = reason === "server-key" || reason === "malformed";
    const [m] = begin(source.startup);
    assert.deepEqual(reply(m, answer), ["failed", `connected ${isMade}`, "sync"]);
    const [honest] = begin({ ...source.startup, connectedBy: "answer" });
    assert.deepEqual(reply(honest, answer), ["failed", "connected false", "sync"]);
  }
});

test("ark startup: stopped: the call under way ends, and none follows", () => {
  const [m] = begin(source.startup);
  startup.step(m, { type: "stopped" }, mono(1), []);
  assert.deepEqual(reply(m, refreshed), ["connected true"]);
});

type Played = { readonly type: "begin" | "good" | "bad" | "gone" | "stop" | "tick" };

test("ark startup: laws: ready when every call was answered or given up", () => {
  const bad = unavailable("other", "x", "y");
  const play = (m: startup.Startup, { type }: Played, now: Mono, out: startup.Effect[]): void => {
    const step = (event: startup.Event): void => startup.step(m, event, now, out);
    const { under, tokens: token } = m.lane;
    switch (type) {
      case "begin": {
        return token === 0 ? step({ type: "started", isManual: false }) : undefined;
      }
      case "good": {
        if (under === undefined) return;
        const answer = done({ op: under.op } as Parameters<typeof done>[0]);
        return step({ type: "answered", token, answer });
      }
      case "bad": return step({ type: "answered", token, answer: bad });
      case "gone": return step({ type: "released" });
      case "stop": return step({ type: "stopped" });
      case "tick": return step({ type: "tick" });
    }
  };
  const subject: Subject<startup.Startup, Played, startup.Effect> = {
    create: () => startup.create({ ...source.startup, waitMs: 50 }), step: play,
    deadline: startup.deadline, tick: { type: "tick" }, settleMs: 100,
    lives: (run) => {
      const ready = effectsOf(run).filter(({ effect }) => effect.type === "ready");
      assert.ok(ready.length <= 1);
      const isStopped = run.steps.some(({ event }) => event.type === "stop");
      // The sync is never cut: only its own end ends it.
      if (isStopped || run.state.lane.under !== undefined) return;
      assert.equal(ready.length, run.steps.some(({ event }) => event.type === "begin") ? 1 : 0);
    },
  };
  const event = fc.constantFrom<Played["type"]>("begin", "good", "bad", "gone", "stop")
    .map((type): Played => ({ type }));
  fc.assert(fc.property(scripts(event, 40, 12), (s) => void laws(subject, s)), { numRuns: 80 });
});
