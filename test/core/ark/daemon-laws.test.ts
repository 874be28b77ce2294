import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { laneNames, type LaneName, type StreamName } from "../../../core/ark/daemon-events.ts";
import * as daemon from "../../../core/ark/daemon.ts";
import { laneOf, runningIn } from "../../../core/ark/parts.ts";
import { defaults, source } from "../../../core/ark/policy.ts";
import { reasons, unavailable, type Op, type Reason } from "../../../core/ark/wallet.ts";
import { key } from "../../../core/prng.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { good } from "../../support/ark-bench.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

type Played =
  | { readonly type: "answer"; readonly lane: LaneName; readonly reason: Reason | undefined }
  | { readonly type: "subscribed" | "ended"; readonly stream: StreamName }
  | { readonly type: "round" | "message"; readonly n: number }
  | { readonly type: "begin" | "stop" }
  | { readonly type: "tip" | "exit" }
  | { readonly type: "news" }
  | { readonly type: "released" }
  | { readonly type: "trusted" }
  | { readonly type: "tick" };

function play(d: daemon.Daemon, e: Played, now: Mono, out: daemon.Effect[]): void {
  const step = (event: daemon.Event): void => daemon.step(d, event, now, out);
  const tokenOf = (stream: StreamName): number => d[stream].stream.tokens;
  switch (e.type) {
    case "answer": {
      const { under } = laneOf(d, e.lane);
      if (under === undefined) return;
      const answer = e.reason === undefined ? good({ op: under.op } as Op)
        : unavailable(e.reason, "x", "y");
      return step({ type: "answered", lane: e.lane, token: under.token, answer });
    }
    case "subscribed": return step({ ...e, type: "subscribed", token: tokenOf(e.stream) });
    case "ended": return step({ ...e, type: "ended", token: tokenOf(e.stream), why: "clean" });
    case "round": {
      const event = { kind: "attempt" as const, roundSeq: e.n, attemptSeq: 0 };
      return step({ type: "round", token: tokenOf("rounds"), event, isReplay: undefined });
    }
    case "message":
      return step({ type: "message", token: tokenOf("mailbox"), checkpoint: e.n });
    case "begin": return step({ type: "started", hasRounds: true, hasMailbox: true });
    case "stop": return step({ type: "stop", isWaiting: true });
    case "tip": case "exit": case "news": case "released": case "trusted": case "tick":
      return step(e);
  }
}

const lane = fc.constantFrom(...laneNames);
const stream = fc.constantFrom<StreamName>("rounds", "mailbox");
const event: fc.Arbitrary<Played> = fc.oneof(
  { weight: 6, arbitrary: fc.record({
    type: fc.constant("answer" as const), lane,
    reason: fc.option(fc.constantFrom(...reasons), { nil: undefined, freq: 2 }),
  }) },
  { weight: 2, arbitrary: fc.record({
    type: fc.constantFrom("subscribed" as const, "ended" as const), stream,
  }) },
  { weight: 2, arbitrary: fc.record({
    type: fc.constantFrom("round" as const, "message" as const), n: fc.nat(9),
  }) },
  { weight: 2, arbitrary: fc.constantFrom("tip", "exit", "news", "released", "trusted").map(
    (type): Played => ({ type } as Played),
  ) },
);

for (const policy of [defaults, source]) {
  test(`ark daemon: laws: ${policy.name}: one call a lane; a stop ends all that begins`, () => {
    const subject: Subject<daemon.Daemon, Played, daemon.Effect> = {
      create: (now) => daemon.create(policy, key("laws"), now), step: play,
      deadline: daemon.deadline, tick: { type: "tick" }, settleMs: 100_000,
      lives: (run) => {
        const stopAt = run.steps.find((s) => s.event.type === "stop")?.at ?? mono(0);
        const late = effectsOf(run).filter(({ at, effect }) => (
          at > stopAt && (effect.type === "call" || effect.type === "subscribe")
        ));
        // The document goes through with the pass, the event or the start that it was at.
        const words = late.map(({ effect }) => (effect.type === "call" ? effect.call.op : "try"));
        if (policy.stopping.isFinishing) assert.equal(new Set(words).size, words.length);
        else assert.deepEqual(late, []);
        const stops = effectsOf(run).filter(({ effect }) => effect.type === "stopped");
        assert.ok(stops.length <= 1);
        const { stopMs } = policy.stopping;
        if (stopMs > 0) assert.ok(stops.every(({ at }) => at <= stopAt + stopMs));
        const isFree = laneNames.every((name) => runningIn(run.state, name) === undefined);
        if (stopMs > 0 || isFree) assert.equal(stops.length, 1);
      },
    };
    const all = scripts(event, 30_000, 40).map((script): typeof script => [
      { afterMs: 3, event: { type: "begin" } }, ...script, { afterMs: 1, event: { type: "stop" } },
    ]);
    fc.assert(fc.property(all, (script) => void laws(subject, script)), { numRuns: 25 });
  });
}
