import assert from "node:assert/strict";
import { test } from "node:test";
import * as pause from "../../../core/ark/pause.ts";
import * as policy from "../../../core/ark/policy.ts";

const { defaults, source } = policy;

test("ark policy: both profiles hold every range", () => {
  policy.check(defaults);
  policy.check(source);
});

test("ark policy: H22: an interval of nothing is refused wherever something repeats", () => {
  const none = pause.exactly(0);
  const wrong: readonly Partial<policy.Policy>[] = [
    { probe: { ...defaults.probe, rest: none } },
    { probe: { ...defaults.probe, retry: pause.even(0) } },
    { sync: { ...defaults.sync, rest: pause.exactly(999) } },
    { exits: { ...defaults.exits, idle: none } },
    { mailbox: { ...defaults.mailbox, poll: none } },
    {
      rounds: {
        ...defaults.rounds, stream: { ...defaults.rounds.stream, wait: pause.even(999) },
      },
    },
    { sync: { ...defaults.sync, retry: pause.growing(10, 100) } },
  ];
  for (const part of wrong) assert.throws(() => policy.check({ ...defaults, ...part }));
});

test("ark policy: rounds wait for no flag, and evidence outlives a probe", () => {
  const { stream } = defaults.rounds;
  const gated = { ...defaults.rounds, stream: { ...stream, gate: "connected" as const } };
  assert.throws(() => policy.check({ ...defaults, rounds: gated }), /no flag/);
  const connected = {
    owner: "evidence" as const, agesMs: { ...defaults.connected.agesMs, server: 60_000 },
  };
  assert.throws(() => policy.check({ ...defaults, connected }), /outlives|longer/);
});

test("ark policy: no lane of the defaults starts, or rests, in step with another wallet's", () => {
  const rests = [
    defaults.probe.first, defaults.probe.rest, defaults.mailbox.first, defaults.mailbox.poll,
    defaults.sync.first, defaults.sync.rest, defaults.exits.rota.first, defaults.exits.rota.rest,
    defaults.rounds.stream.first,
  ];
  for (const { spreadMs } of rests) assert.ok(spreadMs >= 1_000);
});

test("ark policy: H6: nothing waits for the server; the source gates three steps", () => {
  const gated = (p: policy.Policy): readonly string[] => (
    p.sync.steps.filter(({ gate }) => gate === "connected").map(({ op }) => op)
  );
  assert.deepEqual(gated(defaults), []);
  assert.deepEqual(gated(source), ["fee-rates", "sync-boards", "sync-offboards"]);
});
