/**
 * The background of a wallet, whole: transcripts of the source beside what the defaults do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { laneOf } from "../../../core/ark/parts.ts";
import { defaults, source, type Policy } from "../../../core/ark/policy.ts";
import { unavailable } from "../../../core/ark/wallet.ts";
import {
  begun, callsOf, chainDown, down, given, good, later, run, say, timesOf, transcript, unsupported,
  well, type Happens, type World,
} from "../../support/ark-bench.ts";

/** The server is away until `ms`; the wallet itself and its chain are well. */
const serverFrom = (ms: number): World["call"] => (op, at) => {
  const needsServer = ["probe", "refresh-server", "sync-mailbox"].includes(op.op);
  return { afterMs: 500, answer: needsServer && at < ms ? down : good(op) };
};
type Streams = NonNullable<World["subscribe"]>;
/** A server that lets in, and ends what it let in after so many ms. */
const sessions = (lastsMs: number): Streams => (stream, token): readonly Happens[] => [
  { afterMs: 100, event: { type: "subscribed", stream, token } },
  { afterMs: 100 + lastsMs, event: { type: "ended", stream, token, why: "clean" } },
];

test("ark daemon: source: startup in its order, then the loops, each with its first step", () => {
  const b = run(begun(source, { call: well(1_000) }, ["rounds", "mailbox"]), 70_000);
  assert.deepEqual(transcript(b), [
    "0 startup: refresh-server", "1 connected: true", "1 startup: sync",
    "2 subscribe rounds", "2 sync: fee-rates", "2 subscribe mailbox",
    "3 sync: sync-boards", "4 sync: sync-offboards", "5 sync: sync-onchain",
    "6 sync: sync-rounds", "7 sync: sync-exits", "8 sync: progress-exits",
    "69 sync: fee-rates", "70 sync: sync-boards",
  ]);
});

test("ark daemon: source: manual: only the check runs, and not while connected (H7)", () => {
  const manual: Policy = { ...source, isManual: true };
  const b = run(begun(manual, { call: serverFrom(100_000) }, ["rounds", "mailbox"]), 3_600_000);
  assert.deepEqual(transcript(b), [
    "0 startup: refresh-server", "60.5 probe: refresh-server", "121 probe: refresh-server",
    "121.5 connected: true",
  ]);
  const d = run(begun({ ...defaults, isManual: true }, { call: serverFrom(0) }), 3_600_000);
  assert.ok(callsOf(d, "probe").length >= 50, "by default it goes on asking");
  assert.deepEqual(d.lines.filter(({ effect }) => (
    effect.type === "call" && effect.lane !== "probe"
  )), []);
});

test("ark daemon: H2: rounds fail, the check succeeds: the source flaps, we do not", () => {
  const refused: Streams = (stream, token) => [
    { afterMs: 50, event: { type: "ended", stream, token, why: "refused" } },
  ];
  const world: World = { call: well(100), subscribe: refused };
  const b = run(begun(source, world, ["rounds"]), 1_200_000);
  assert.ok(timesOf(b, "connected").length >= 12, "the hazard");
  const d = run(begun(defaults, world, ["rounds"]), 1_200_000);
  assert.equal(timesOf(d, "connected").length, 1);
});

test("ark daemon: H5: a server that comes back: the source's mailbox takes 2T, ours a wait", () => {
  const back = 30_000;
  const b = run(begun(source, { call: serverFrom(back) }), 200_000);
  assert.deepEqual(callsOf(b, "sync-mailbox"), [121_000, 181_500], "both slept T from one instant");
  const d = run(begun(defaults, { call: serverFrom(back) }), 200_000);
  const read = callsOf(d, "sync-mailbox").find((at) => at >= back);
  assert.ok(read !== undefined && read <= back + 33_000, `${read}`);
});

test("ark daemon: H6, A8: server and mailbox hang: exits and fee rates keep their interval", () => {
  const call: World["call"] = (op) => {
    if (["probe", "refresh-server", "sync-mailbox", "sync"].includes(op.op)) return undefined;
    const isExits = op.op === "progress-exits";
    const answer = isExits ? { ok: true as const, done: {
      op: "progress-exits" as const, isDone: false, claimableHeight: undefined, exits: [],
    } } : good(op);
    return { afterMs: 200, answer };
  };
  const d = run(begun(defaults, { call }), 1_800_000);
  const passes = callsOf(d, "progress-exits");
  assert.ok(passes.length >= 24, `${passes.length}`);
  for (const [i, at] of passes.entries()) assert.ok(at - (passes[i - 1] ?? 0) <= 71_000);
  assert.ok(callsOf(d, "fee-rates", "exits").length >= 24);
  const told = given(d, "overdue").filter(({ isDropped }) => !isDropped);
  assert.deepEqual(told.map(({ lane }) => lane).sort((x, y) => (x < y ? -1 : 1)), [
    "mailbox", "sync",
  ], "each told once");
  const s = run(begun(source, { call }), 1_800_000);
  assert.deepEqual(callsOf(s, "progress-exits"), [], "the hazard: nothing begins at all");
});

test("ark daemon: H8, H9: subscriptions after ends of every kind, by policy", () => {
  const healthy = run(begun(source, { call: well(), subscribe: sessions(59_000) }, ["rounds"]),
    240_000);
  assert.deepEqual(timesOf(healthy, "subscribe"), [200, 59_300, 118_400, 177_500, 236_600]);
  assert.deepEqual(given(healthy, "connected").map(({ isConnected }) => isConnected), [true]);
  const short = run(begun(source, { call: well(), subscribe: sessions(58_000) }, ["rounds"]),
    300_000);
  assert.deepEqual(timesOf(short, "subscribe"), [200, 118_300, 236_400]);
  const black: Streams = (stream, token) => [
    { afterMs: 127_000, event: { type: "ended", stream, token, why: "refused" } },
  ];
  const slow = run(begun(source, { call: well(), subscribe: black }, ["rounds"]), 300_000);
  assert.deepEqual(timesOf(slow, "subscribe"), [200, 127_200, 254_200], "slow failure is health");
  for (const subscribe of [sessions(59_000), sessions(0), black]) {
    const d = run(begun(defaults, { call: well(), subscribe }, ["rounds"]), 1_200_000);
    const tries = timesOf(d, "subscribe");
    for (const [i, at] of tries.entries()) assert.ok(at - (tries[i - 1] ?? -500) >= 500);
    assert.ok(tries.length <= 45, `${tries.length}`);
  }
});

test("ark daemon: H8: all sessions end in one instant: none is back in it", () => {
  const endAt = 80_000;
  const subscribe: Streams = (stream, token, at) => [
    { afterMs: 10, event: { type: "subscribed", stream, token } },
    ...(token === 1 ? [{
      afterMs: endAt - at, event: { type: "ended" as const, stream, token, why: "error" as const },
    }] : []),
  ];
  const second = (policy: Policy, i: number): number => {
    const d = run(begun(policy, { call: well(), subscribe }, ["rounds"], `w${i}`), 90_000);
    return timesOf(d, "subscribe")[1] ?? assert.fail("no second try");
  };
  const backs = Array.from({ length: 100 }, (_, i) => second(defaults, i));
  // Over half a second only: that a server sees few of them a second is for who dials for many.
  for (const at of backs) assert.ok(at >= endAt + 500 && at <= endAt + 1_000, `${at}`);
  assert.ok(new Set(backs).size >= 70, `${new Set(backs).size} different instants`);
  assert.equal(second(source, 1), endAt, "the hazard: all of them at once");
});

test("ark daemon: H17: after a stop no call is made and nothing is subscribed to", () => {
  const halting = { ...source, stopping: { ...source.stopping, isFinishing: false } };
  for (const policy of [defaults, halting]) {
    for (const at of [0, 50, 1_000, 1_500, 5_000, 60_000, 61_050]) {
      const world = { call: well(400), subscribe: sessions(10_000) };
      const b = run(begun(policy, world, ["rounds", "mailbox"]), at);
      say(b, { type: "stop", isWaiting: true });
      const { length } = b.lines;
      run(b, at + 300_000);
      const after = b.lines.slice(length).map(({ effect }) => effect.type);
      assert.ok(!after.includes("call") && !after.includes("subscribe"), `${policy.name} ${at}`);
      assert.equal(given(b, "stopped").length, 1);
      assert.equal(given(b, "stop-answered").length, 1);
    }
  }
});

test("ark daemon: H31: a stop is bounded, names what runs on, and a start waits for that", () => {
  const call: World["call"] = (op) => (
    op.op === "progress-exits" ? { afterMs: 90_000, answer: good(op) } : well()(op, 0)
  );
  const b = run(begun(defaults, { call }), 15_000);
  say(b, { type: "stop", isWaiting: true });
  say(b, { type: "start" });
  run(b, 44_999);
  assert.equal(given(b, "stopped").length, 0);
  run(b, 45_000);
  const [stopped] = given(b, "stopped");
  assert.deepEqual(stopped?.running.map(({ lane, op }) => [lane, op]), [
    ["exits", "progress-exits"],
  ]);
  assert.equal(given(b, "start").length, 0);
  run(b, 120_000);
  assert.equal(given(b, "drained").length, 1);
  assert.equal(given(b, "start").length, 1);
});

test("ark daemon: chain source down and back: exits and sync go on by themselves", () => {
  const call: World["call"] = (op, at) => {
    const isChain = ["sync-onchain", "progress-exits"].includes(op.op);
    return { afterMs: 200, answer: isChain && at < 600_000 ? chainDown : good(op) };
  };
  const d = run(begun(defaults, { call }), 700_000);
  const read = callsOf(d, "progress-exits").find((at) => at >= 600_000);
  assert.ok(read !== undefined && read <= 670_000, `${read}`);
  assert.equal(given(d, "connected").length, 1, "that is nothing of the server's");
});

test("ark daemon: H34: chain source down: nothing is received until it is back", () => {
  const call: World["call"] = (op, at) => {
    const isChain = ["sync-onchain", "progress-exits"].includes(op.op);
    return { afterMs: 200, answer: isChain && at < 600_000 ? chainDown : good(op) };
  };
  const d = run(begun(defaults, { call, subscribe: sessions(9_000_000) }, ["mailbox"]), 700_000);
  const reading = [...callsOf(d, "sync-mailbox"), ...callsOf(d, "sync")];
  // The first failure of all is what shows it.
  assert.deepEqual(reading.filter((at) => at > 10_000 && at < 600_000), []);
  const [back] = given(d, "edge").filter(({ of, from, to }) => (
    of === "chain" && from === "down" && to === "up"
  ));
  assert.ok(back !== undefined);
  assert.ok(callsOf(d, "sync-mailbox").some((at) => at >= 600_000 && at <= 672_000));
  assert.ok(callsOf(d, "sync").some((at) => at >= 600_000));
  const [opened, ...more] = timesOf(d, "subscribe");
  assert.ok(opened !== undefined && opened >= 600_000 && more.length === 0, `${opened}`);
});

test("ark daemon: A6: another key bars mailbox and rounds, told once, until it is trusted", () => {
  const call: World["call"] = (op) => ({
    afterMs: 100,
    answer: op.op === "probe" ? unavailable("server-key", "x", "another key") : good(op),
  });
  const d = run(begun(defaults, { call, subscribe: sessions(5_000) }, ["rounds"]), 600_000);
  assert.equal(timesOf(d, "barred").length, 1);
  const [barredAt] = timesOf(d, "barred");
  assert.ok(barredAt !== undefined);
  assert.ok(callsOf(d, "sync-mailbox").every((at) => at <= barredAt));
  assert.ok(timesOf(d, "subscribe").every((at) => at <= barredAt));
  assert.ok(callsOf(d, "progress-exits").length >= 1, "exits go on");
  const s = run(begun(source, { call: (op) => ({
    afterMs: 100,
    answer: op.op === "refresh-server" ? unavailable("server-key", "x", "another key") : good(op),
  }) }), 130_000);
  assert.equal(timesOf(s, "barred").length, 0, "the source goes on, and counts as connected");
  assert.deepEqual(given(s, "connected").map(({ isConnected }) => isConnected), [true]);
  assert.ok(callsOf(s, "sync-mailbox").length >= 2);
  d.world = { call: well() };
  say(d, { type: "trusted" });
  run(d, 800_000);
  assert.ok(callsOf(d, "sync-mailbox").some((at) => at > 600_000));
});

test("ark daemon: barkd's REST: what is not there is told once, and nobody waits for it", () => {
  const has = new Set(["probe", "sync", "sync-onchain", "sync-mailbox", "progress-exits"]);
  const call: World["call"] = (op) => (
    { afterMs: 100, answer: has.has(op.op) ? good(op) : unsupported }
  );
  for (const policy of [defaults, source]) {
    const d = run(begun(policy, { call }), 1_800_000);
    const missing = given(d, "unsupported").map(({ lane, op }) => `${lane} ${op}`);
    assert.equal(new Set(missing).size, missing.length, policy.name);
  }
  const d = run(begun(defaults, { call }), 1_800_000);
  assert.ok(callsOf(d, "sync").length >= 12 && callsOf(d, "sync-onchain").length >= 12);
});

test("ark daemon: the wallet's program is gone: lanes are free, and begin when it is back", () => {
  const b = begun(defaults, { call: () => undefined });
  run(b, 20_000);
  b.world = { call: well() };
  later(b, 0, { type: "released" });
  b.under.clear();
  run(b, 120_000);
  for (const lane of ["mailbox", "sync", "exits"] as const) {
    assert.equal(laneOf(b.d, lane).under, undefined);
    assert.ok(given(b, "ran").some((e) => e.lane === lane));
  }
});

test("ark daemon: no two wallets ask in step: a hundred starts are spread over seconds", () => {
  const firsts = Array.from({ length: 100 }, (_, i) => (
    callsOf(run(begun(defaults, { call: well() }, [], `w${i}`), 10_000), "fee-rates", "sync")[0]
  ));
  assert.ok(new Set(firsts.map((at) => Math.floor((at ?? 0) / 100))).size >= 25);
});
