import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as facts from "../../../core/ark/facts.ts";
import { source } from "../../../core/ark/policy.ts";
import {
  done, names, reasons, unavailable, type Answer, type OpName,
} from "../../../core/ark/wallet.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: facts.Config = {
  owner: "evidence", agesMs: { program: 100, server: 100, rounds: 0, mailbox: 300, chain: 300 },
};
const bad = (reason: Parameters<typeof unavailable>[0]): Answer => unavailable(reason, "x", "y");
const good = (op: OpName): Answer => done({ op } as Parameters<typeof done>[0]);

type Bench = { readonly m: facts.Facts; at: number };
function bench(given: facts.Config = config): Bench {
  return { m: facts.create(given, mono(0)), at: 0 };
}
function say(b: Bench, event: facts.Event): readonly string[] {
  const out: facts.Effect[] = [];
  facts.step(b.m, event, mono(b.at), out);
  return out.map((e) => {
    if (e.type === "edge") return `${e.of} ${e.from}>${e.to} ${e.evidence}`;
    return e.type === "connected" ? `connected ${e.isConnected}` : e.type;
  });
}
const heard = (b: Bench, op: OpName, answer: Answer = good(op)): readonly string[] => (
  say(b, { type: "answered", op, answer })
);

test("ark facts: H1: connected is what the server said, not that there is a cell", () => {
  const b = bench();
  for (const op of ["alive", "ark-info", "sync", "vtxos", "balance"] as const) heard(b, op);
  assert.ok(!facts.isConnected(b.m), "answers from memory, or without errors, prove nothing");
  assert.deepEqual(heard(b, "refresh-server", bad("server-key")), [
    "barred", "server unknown>down server-key",
  ]);
  assert.deepEqual(say(b, { type: "written", isConnected: true }), []);
  assert.deepEqual(heard(b, "probe"), ["server down>up answered"], "A6: barred all the same");
  assert.ok(!facts.isConnected(b.m));
  assert.deepEqual(say(b, { type: "trusted" }), ["connected true"]);
});

test("ark facts: H2: a round stream that fails while the server answers makes no flag flap", () => {
  const b = bench();
  heard(b, "probe");
  const told: string[] = [];
  for (let i = 0; i < 20; i += 1) {
    told.push(...say(b, { type: "streamed", stream: "rounds", what: "opened" }));
    told.push(...say(b, { type: "streamed", stream: "rounds", what: "over" }));
    told.push(...heard(b, "probe"));
  }
  assert.ok(!told.some((line) => line.startsWith("connected") || line.startsWith("server")));
  const s = bench(source.connected);
  const flag: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    flag.push(...say(s, { type: "written", isConnected: true }));
    flag.push(...say(s, { type: "written", isConnected: false }));
  }
  assert.equal(flag.length, 10, "the hazard: the last writer is right");
});

test("ark facts: H3: what is up and not heard of is unknown at its age, and is asked about", () => {
  const b = bench();
  assert.deepEqual(heard(b, "probe"), [
    "program unknown>up answered", "server unknown>up answered", "connected true",
  ]);
  b.at = 99;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.at = 100;
  assert.deepEqual(say(b, { type: "tick" }), [
    "program up>unknown aged", "server up>unknown aged", "doubt", "connected false",
  ]);
  assert.equal(facts.deadline(b.m), NEVER);
  const { state, since, at } = facts.factOf(b.m, "server");
  assert.deepEqual([state, since, at], ["unknown", 100, 0]);
});

test("ark facts: H4: a mailbox that fails is seen, and the server asked about", () => {
  const b = bench();
  heard(b, "probe");
  assert.deepEqual(heard(b, "sync-mailbox", bad("timeout")), [
    "mailbox unknown>down timeout", "doubt",
  ]);
  assert.ok(facts.isConnected(b.m), "one slow call is a doubt, no fact");
  assert.deepEqual(heard(b, "sync-mailbox"), ["mailbox down>up answered"]);
});

test("ark facts: every failure is evidence for what it names, and nothing else", () => {
  const rows: readonly (readonly [OpName, Answer, readonly string[]])[] = [
    ["vtxos", bad("unreachable"), ["program up>down unreachable"]],
    ["vtxos", bad("auth"), ["program up>down auth"]],
    ["vtxos", bad("no-wallet"), ["program up>down no-wallet"]],
    ["sync", bad("server-down"), ["server up>down server-down", "connected false"]],
    ["probe", bad("network"), ["server up>down network", "connected false"]],
    ["probe", bad("version"), ["server up>down version", "connected false"]],
    ["vtxos", bad("version"), ["program up>down version"]],
    ["sync-onchain", bad("chain"), ["chain up>down chain"]],
    ["tip", bad("malformed"), ["chain up>down malformed"]],
    ["alive", bad("timeout"), ["program up>down timeout"]],
    ["probe", bad("other"), ["server up>down probe-failed", "connected false"]],
    ["refresh", bad("timeout"), ["doubt"]],
    ["vtxos", bad("busy"), []],
    ["tip", bad("unasked"), []],
    ["alive", bad("unasked"), []],
    ["probe", bad("unasked"), []],
    ["sync-mailbox", bad("unasked"), []],
    ["vtxos", { ok: false, why: "unsupported" }, []],
    ["ark-info", { ok: false, why: "absent" }, []],
    ["refresh", { ok: false, why: "rejected", fault: { code: "x", text: "y" }, ids: [] }, []],
  ];
  for (const [op, answer, expected] of rows) {
    const b = bench();
    heard(b, "probe");
    heard(b, "tip");
    assert.deepEqual(heard(b, op, answer), expected, `${op} ${JSON.stringify(answer)}`);
  }
});

test("ark facts: source: the flag has three writers; answers write nothing", () => {
  const b = bench(source.connected);
  heard(b, "refresh-server");
  assert.ok(!facts.isConnected(b.m));
  say(b, { type: "written", isConnected: true });
  heard(b, "sync", bad("server-down"));
  b.at = 86_400_000;
  say(b, { type: "tick" });
  assert.ok(facts.isConnected(b.m), "H3, as it was");
});

test("ark facts: laws: nobody counts as connected longer than his evidence lives", () => {
  type Played = { readonly type: "answered"; readonly op: OpName; readonly answer: Answer }
    | facts.Event;
  const subject: Subject<facts.Facts, Played, facts.Effect> = {
    create: (now) => facts.create(config, now), step: facts.step, deadline: facts.deadline,
    tick: { type: "tick" }, settleMs: 150,
    holds: (m, now) => {
      if (facts.isConnected(m)) assert.ok(now - facts.factOf(m, "server").at < 100);
    },
    lives: (run) => {
      assert.ok(!facts.isConnected(run.state), "for 150 ms nothing was heard");
      let is = false;
      for (const { effect } of effectsOf(run)) {
        if (effect.type === "edge") assert.notEqual(effect.from, effect.to);
        if (effect.type !== "connected") continue;
        assert.notEqual(effect.isConnected, is, "told twice");
        is = effect.isConnected;
      }
    },
  };
  const op = fc.constantFrom(...names);
  const event: fc.Arbitrary<Played> = fc.oneof(
    op.map((of) => ({ type: "answered" as const, op: of, answer: good(of) })),
    fc.tuple(op, fc.constantFrom(...reasons)).map(([of, reason]) => (
      { type: "answered" as const, op: of, answer: bad(reason) }
    )),
    fc.record({
      type: fc.constant("streamed" as const), stream: fc.constantFrom("rounds", "mailbox"),
      what: fc.constantFrom("opened", "news", "over"),
    }),
    fc.constant({ type: "trusted" as const }),
  );
  fc.assert(fc.property(scripts(event, 60, 30, true), (s) => void laws(subject, s)), {
    numRuns: 80,
  });
});
