/**
 * The document's hazards, row by row of `docs/ark-hazards.md`: work that is repeated, work that
 * hangs, programs that die, and the end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "../../../core/assert.ts";
import * as daemon from "../../../core/ark/daemon.ts";
import * as pause from "../../../core/ark/pause.ts";
import { check, defaults, source, type Policy } from "../../../core/ark/policy.ts";
import { done } from "../../../core/ark/wallet.ts";
import { NEVER } from "../../../core/time.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { flawless } from "../../../sim/ark/config.ts";
import * as run from "../../../sim/ark/run.ts";
import { barkdOf, type World } from "../../../sim/ark/state.ts";
import * as fleet from "../../support/ark-fleet.ts";
import * as rigs from "../../support/ark-source.ts";
import { clone } from "../../support/laws.ts";

const { callsOf, given, hour, minute, rig, second, suffer, to } = rigs;
const blocks = { kind: "steady", everyMs: 10 * minute } as const;

/** What each lane was asked in a span of time, in its order. */
function asked(r: rigs.Rig, fromMs: number, untilMs: number): readonly string[] {
  return given(r, "call").filter(({ at }) => at >= fromMs && at < untilMs)
    .map(({ lane, call }) => `${lane} ${call.op}`);
}

test("ark: hazards: H19: the start does nothing twice at once", () => {
  const world = { quirks: { ...flawless, booksTwice: true } };
  const before = (w: World): void => void acts.pay(w, "alice", {
    amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2,
  });
  const s = to(rig(source, { world, before }), 10 * second);
  // The whole sync, which ends with all that the first pass then does once more.
  assert.deepEqual(asked(s, 0, 10 * second), [
    "startup refresh-server", "startup sync", "sync fee-rates", "sync sync-boards",
    "sync sync-offboards", "sync sync-onchain", "sync sync-rounds", "sync sync-exits",
    "sync progress-exits",
  ]);
  const d = to(rig(defaults, { world, before }), 10 * second);
  const steps = asked(d, 0, 10 * second);
  assert.ok(!steps.some((one) => one.startsWith("startup")));
  assert.equal(steps.filter((one) => one.startsWith("sync")).length, 6, "one pass, and spread");
  for (const r of [s, d]) {
    assert.equal(barkdOf(r.world, "alice").wallet!.books.receivedSat, 5_000n, "booked once");
  }
});

test("ark: hazards: H20: one slow call to the chain holds up no exit", () => {
  const slow = (policy: Policy): readonly number[] => callsOf(to(rig(policy, { net: {
    call: ({ op }) => (op === "sync-onchain" ? { moreMs: 20 * minute } : undefined),
  } }), 2 * hour), "progress-exits");
  assert.ok(slow(source).length <= 6, "once in twenty minutes");
  const ours = slow(defaults);
  // Nothing is to exit: rarer than once a minute, and never held up.
  for (const [i, at] of ours.entries()) assert.ok(at - (ours[i - 1] ?? 0) <= 11 * minute + second);
});

test("ark: hazards: H21: what the wallet keeps locked makes one lane wait", () => {
  const stuck = (policy: Policy): ReadonlySet<string> => {
    const r = rig(policy, { net: {
      call: ({ op }) => (op === "sync-onchain" ? "never" : undefined),
    } });
    to(r, hour);
    return new Set(asked(r, 30 * minute, hour).map((one) => one.split(" ")[0]!));
  };
  assert.deepEqual([...stuck(source)], ["rounds"], "all that is periodic stands still");
  assert.deepEqual([...stuck(defaults)].sort((a, b) => (a < b ? -1 : 1)), [
    "exits", "mailbox", "probe", "rounds",
  ]);
  const r = fleet.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 36, 2);
  } });
  fleet.pass(r, 5 * minute);
  r.world.barkds.get("alice")!.exitsBusyUntilMs = Number.MAX_SAFE_INTEGER;
  fleet.pass(r, 2 * minute);
  assert.equal(fleet.one(r).balance?.exitSat, null, "not nothing");
});

test("ark: hazards: H22: an interval of nothing is refused", () => {
  for (const policy of [source, defaults]) {
    const none = pause.exactly(0);
    const { probe, sync, mailbox, rounds, exits } = policy;
    const wrong: readonly Partial<Policy>[] = [
      { probe: { ...probe, rest: none } }, { sync: { ...sync, rest: none } },
      { mailbox: { ...mailbox, poll: none } },
      { rounds: { ...rounds, stream: { ...rounds.stream, wait: pause.even(0) } } },
      { exits: { ...exits, idle: none } },
    ];
    check(policy);
    for (const part of wrong) {
      assert.throws(() => check({ ...policy, ...part }), InvariantError, Object.keys(part)[0]);
    }
  }
});

test("ark: hazards: H24: a block is followed by its work at once", () => {
  const registeredAt = (policy: Policy): number => {
    const r = rig(policy, { before: (w) => {
      acts.deposit(w, "alice", 200_000n);
      run.block(w);
      const { wallet } = barkdOf(w, "alice");
      wallet!.seenSat = 200_000n;
      const board = acts.board(w, "alice", 50_000n);
      assert.ok(board.ok);
      run.block(w);
    } });
    to(r, 10 * minute + 10 * second);
    rigs.at(r, r.now + 100, (w) => {
      run.block(w);
      run.block(w);
      rigs.say(r, "alice", { type: "tip" });
    });
    const fromMs = r.now;
    while (barkdOf(r.world, "alice").wallet!.boards.size > 0) to(r, r.now + second);
    return r.now - fromMs;
  };
  assert.ok(registeredAt(source) >= 30 * second);
  assert.ok(registeredAt(defaults) <= 8 * second);
});

test("ark: hazards: H26: a broken machine ends the process", () => {
  for (const policy of [source, defaults]) {
    const r = to(rig(policy), 10 * minute);
    const d = r.daemons.get("alice")!;
    const token = d.probe.lane.tokens;
    // What the port promises is broken here: the answer to another call.
    const isAsking = d.probe.lane.under !== undefined;
    d.probe.lane.under ??= {
      token, op: policy.probe.op, sentAt: 0 as never, waitUntil: NEVER,
    };
    assert.ok(!isAsking);
    assert.throws(() => daemon.step(d, {
      type: "answered", lane: "probe", token, answer: done({ op: "alive" }),
    }, r.now as never, []), InvariantError, "the process ends with 13, and is started anew");
  }
});

test("ark: hazards: H27: heights that go back or are low break nothing", () => {
  for (const baseHeight of [0, 100_000]) {
    for (const policy of [source, defaults]) {
      const r = rig(policy, { world: { baseHeight, pace: blocks }, before: (w) => {
        acts.endow(w, "alice", [50_000n], 36, 2);
      } });
      to(r, 10 * minute);
      const fromMs = rigs.wallMs(r);
      suffer(r, [{
        on: "chain", fault: { kind: "backwards", blocks: 50 }, fromMs, untilMs: fromMs + hour,
      }]);
      to(r, hour);
      run.reorg(r.world, 3, 1);
      to(r, 3 * hour);
      assert.ok(callsOf(r, "progress-exits").some((at) => at > 170 * minute));
    }
    const f = fleet.start({ world: { baseHeight }, before: ({ world }) => {
      acts.endow(world, "alice", [50_000n], 36, 2);
    } });
    const fromMs = fleet.wallMs(f);
    fleet.suffer(f, [{
      on: "chain", fault: { kind: "backwards", blocks: 50 }, fromMs: fromMs + 10 * minute,
      untilMs: fromMs + hour,
    }]);
    fleet.pass(f, 8 * hour);
    assert.deepEqual(f.world.losses, []);
    assert.deepEqual(fleet.troubles(f), []);
  }
});

test("ark: hazards: H29: versions that are no range are a reason, and no more", () => {
  for (const policy of [source, defaults]) {
    const r = rig(policy, { before: (w) => run.suffer(w, [{
      on: "server", fault: { kind: "version", min: 5, max: 4 }, fromMs: w.nowMs,
      untilMs: w.nowMs + 30 * minute,
    }]) });
    to(r, 20 * minute);
    assert.ok(!rigs.isConnected(r), policy.name);
    to(r, 40 * minute);
    assert.ok(rigs.isConnected(r), "and once it is a range again, it is tried again");
  }
});

test("ark: hazards: H30: a daemon is plain data, holds no wallet, and ends", () => {
  for (const policy of [source, defaults]) {
    const r = to(rig(policy), 5 * minute);
    const d = r.daemons.get("alice")!;
    assert.deepEqual(clone(d), d, "no functions, no handles: whoever drops it is rid of it");
    rigs.say(r, "alice", { type: "stop", isWaiting: true });
    const { length } = r.lines;
    to(r, hour);
    assert.equal(given(r, "stopped").length, 1);
    const types = new Set(r.lines.slice(length).map(({ effect }) => effect.type));
    assert.ok(!types.has("call") && !types.has("subscribe"), "facts grow old, and that is all");
    assert.equal(daemon.deadline(d), NEVER, "and it never wants to be woken again");
    assert.equal(r.subs.size, 0);
  }
});

test("ark: hazards: H31: a start waits until nothing of the former run is left", () => {
  const net: rigs.Net = { call: ({ op }) => (
    op === "progress-exits" ? { moreMs: 5 * minute } : undefined
  ) };
  const stopped = (policy: Policy): rigs.Rig => {
    const r = rig(policy, { net, streams: [] });
    while (![...r.under.values()].includes("progress-exits")) to(r, r.now + 20);
    rigs.say(r, "alice", { type: "stop", isWaiting: false });
    assert.equal(given(r, "stop-answered").length, 1, "the wish is answered in the same instant");
    return r;
  };
  const s = stopped(source);
  // The document's handle is free again then, and so a second daemon begins beside the first.
  rigs.begin(s, source, "alice/2", []);
  const both = (): boolean => (
    [...s.under.values()].filter((op) => op === "progress-exits").length > 1
  );
  for (let i = 0; i < 100 && !both(); i += 1) to(s, s.now + 20);
  assert.ok(both(), "two at one wallet");
  assert.ok(to(s, 4 * minute) && given(s, "stopped").length === 0, "and no end of the first");
  const d = stopped(defaults);
  rigs.say(d, "alice", { type: "start" });
  to(d, 4 * minute);
  assert.equal(given(d, "start").length, 0);
  assert.deepEqual(given(d, "stopped").map(({ running }) => running.length), [1], "it is named");
  to(d, 7 * minute);
  assert.equal(given(d, "start").length, 1);
});
