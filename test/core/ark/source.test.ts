/**
 * The document's daemon, held by transcripts: what the profile `source` does, when, on the
 * stand-in. Each list was worked out by hand from the document's text; lines are named as it
 * numbers them. T is 60,000 ms, H is 59,000 ms (line 230 compares with it).
 *
 * What takes time here: a call to the server or the chain 40 ms, any other 1 ms; a subscription is
 * open 40 ms after its try.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as barkd from "../../../core/ark/barkd.ts";
import { defaults as limits } from "../../../core/ark/barkd-config.ts";
import { source, type Policy } from "../../../core/ark/policy.ts";
import { unavailable, type Op } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as sim from "../../../sim/ark/run.ts";
import type { World } from "../../../sim/ark/state.ts";
import * as rigs from "../../support/ark-source.ts";

const { away, given, hour, minute, rig, second, suffer, to, triesOf } = rigs;
const untilEver = Number.MAX_SAFE_INTEGER / 2;

/** What it does from an instant on, up to another one and what happens in it. */
function shows(r: rigs.Rig, fromMs: number, untilMs: number): readonly string[] {
  return rigs.transcript(to(r, untilMs)).filter((line) => Number(line.split(" ")[0]) >= fromMs);
}

/** Only lines about these. */
const about = (lines: readonly string[], what: RegExp): readonly string[] => (
  lines.filter((line) => what.test(line))
);

/** From the first instant on the server has this fault. */
const without = (fault: Parameters<typeof away>[1], untilMs: number) => (w: World): void => {
  const { startMs } = w.config;
  sim.suffer(w, [{ on: "server", fault, fromMs: startMs, untilMs: startMs + untilMs }]);
};

/** A way to the server that lets rounds through, or the mailbox, as it is told. */
const lasting = (
  of: "rounds" | "mailbox", lastsMs: number, why: "clean" | "error",
): rigs.Net => ({ subscribe: (stream) => (stream === of ? { lastsMs, why } : undefined) });

test("ark: source: startup: connection, sync, then all loops at once (302-335)", () => {
  assert.deepEqual(shows(rig(source), 0, 61 * second), [
    "0 startup: refresh-server",
    "40 connected: true",
    "40 startup: sync",
    // Each loop with its first step: 192, 282 (the first tick of an interval is at once), 99.
    "80 subscribe rounds", "80 sync: fee-rates", "80 subscribe mailbox",
    "120 sync: sync-boards", "121 sync: sync-offboards", "122 sync: sync-onchain",
    "162 sync: sync-rounds", "163 sync: sync-exits", "203 sync: progress-exits",
    // It ended at 243; 291 moves the next tick to T after that.
    "60243 sync: fee-rates", "60283 sync: sync-boards", "60284 sync: sync-offboards",
    "60285 sync: sync-onchain", "60325 sync: sync-rounds", "60326 sync: sync-exits",
    "60366 sync: progress-exits",
  ]);
});

test("ark: source: startup without a server: what needs it waits (98-109, 283)", () => {
  const r = rig(source, { before: without({ kind: "down" }, 90 * second) });
  assert.deepEqual(shows(r, 0, 3 * minute + 100), [
    "0 startup: refresh-server",
    // It failed, and the sync is done all the same (314).
    "1 startup: sync",
    // Rounds do not ask for the flag (226); fees, boards, offboards and mailbox do.
    "41 subscribe rounds", "41 sync: sync-onchain",
    "81 sync: sync-rounds", "82 sync: sync-exits", "122 sync: progress-exits",
    // T after each loop began, or after its last failure.
    "60041 probe: refresh-server", "60042 subscribe rounds", "60162 sync: sync-onchain",
    "60202 sync: sync-rounds", "60203 sync: sync-exits", "60243 sync: progress-exits",
    // It is back since 90 s. The mailbox looked at 120,041, too early, and sleeps for another T.
    "120042 probe: refresh-server", "120043 subscribe rounds", "120082 connected: true",
    "120283 sync: fee-rates", "120323 sync: sync-boards", "120324 sync: sync-offboards",
    "120325 sync: sync-onchain", "120365 sync: sync-rounds", "120366 sync: sync-exits",
    "120406 sync: progress-exits",
    "180041 subscribe mailbox",
  ]);
});

test("ark: source: rounds: ended H after the try is healthy, 1 ms less is not (230)", () => {
  const rounds = (lastsMs: number, why: "clean" | "error"): readonly string[] => about(
    shows(rig(source, { net: lasting("rounds", lastsMs, why) }), 41, 119 * second),
    /rounds|connected|probe/,
  ).filter((line) => !line.includes("sync"));
  // The try was at 80, the stream open at 120; subscribing is in the time (225).
  for (const why of ["clean", "error"] as const) {
    assert.deepEqual(rounds(58_960, why), ["80 subscribe rounds", "59080 subscribe rounds",
      "118080 subscribe rounds"], "at once, and the flag is not touched (232)");
    // The check is due at 60,080, and asks since the flag is down (262).
    assert.deepEqual(rounds(58_959, why), ["80 subscribe rounds", "59079 connected: false",
      "60080 probe: refresh-server", "60120 connected: true"], "T after the end (238)");
  }
  assert.deepEqual(rounds(57_960, "clean").slice(0, 2),
    ["80 subscribe rounds", "58080 connected: false"], "58 s");
  assert.deepEqual(rounds(59_960, "clean").slice(0, 2),
    ["80 subscribe rounds", "60080 subscribe rounds"], "60 s");
});

test("ark: source: rounds: a failed try lowers the flag, unless it took H (226-235)", () => {
  const r = to(rig(source, { streams: ["rounds"] }), 330 * second);
  suffer(r, [away(r, { kind: "down" }, 330 * second, untilEver)]);
  // The server's end came after a session of minutes; the next try found nobody.
  assert.deepEqual(about(shows(r, 330 * second, 7 * minute), /subscribe|connected/), [
    "330040 subscribe rounds", "330041 connected: false", "390041 subscribe rounds",
  ]);
  const hung = rig(source, { streams: ["rounds"], net: {
    subscribe: (_, at) => (at < minute ? { lastsMs: 5 * minute, why: "error" } : "hang"),
  } });
  // A request is given up after ten minutes; no wait follows, and the flag stays (230).
  assert.deepEqual(about(shows(hung, 60_000, 22 * minute), /subscribe|close|connected/), [
    "300120 subscribe rounds", "900120 close rounds", "900120 subscribe rounds",
  ]);
});

test("ark: source: rounds: what each event leads to, in order (168-183)", () => {
  const r = rig(source, { streams: ["rounds"], before: (w) => {
    // Somebody is in the round, so that it has a proposal and an end.
    acts.endow(w, "alice", [100_000n], 11, 2);
  } });
  assert.deepEqual(about(shows(r, minute, 11 * minute), /rounds: /), [
    "600040 rounds: maintain", "600080 rounds: progress-rounds attempt 0",
    "602040 rounds: progress-rounds proposal 0",
    "604040 rounds: progress-rounds finished 0",
  ]);
});

test("ark: source: rounds: an event waits while another is handled (193-199)", () => {
  const r = rig(source, { streams: ["rounds"], net: { call: ({ op }) => (
    op === "maintain" ? { instead: unavailable("chain", "x", "no height"), afterMs: 3 * second }
      : op === "progress-rounds" ? { moreMs: 10 * second - 1 } : undefined
  ) } });
  assert.deepEqual(about(shows(r, minute, 11 * minute), /rounds: /), [
    // A failure of the one does not keep the other from being asked (172-175).
    "600040 rounds: maintain", "603040 rounds: progress-rounds attempt 0",
    "613040 rounds: progress-rounds failed 0",
  ]);
});

test("ark: source: check: it sleeps first, asks only while the flag is down (252-274)", () => {
  const r = rig(source, { streams: [], before: without({ kind: "down" }, 150 * second) });
  assert.deepEqual(about(shows(r, 0, hour), /probe|connected/), [
    "60041 probe: refresh-server", "120042 probe: refresh-server", "180043 probe: refresh-server",
    "180083 connected: true",
  ], "and no more, for as long as it is up");
});

test("ark: source: sync: the flag is seen as a pass begins; failures end none (282-291)", () => {
  const r = rig(source, { streams: ["rounds"], net: {
    subscribe: (_, at) => (at < minute ? { lastsMs: 20 * second - 110, why: "clean" } : "refuse"),
    call: ({ op }, at) => {
      if (at < 10 * second) return op === "fee-rates" ? { moreMs: 20 * second - 60 } : undefined;
      return op === "sync-exits" || op === "sync-onchain"
        ? { instead: unavailable("chain", "x", "no chain"), afterMs: 7 } : undefined;
    },
  } });
  assert.deepEqual(about(shows(r, 0, 82 * second), /sync: |connected/), [
    "40 connected: true", "80 sync: fee-rates",
    "20010 connected: false",
    // The flag fell while fees were asked for; this pass has boards and offboards all the same.
    "20060 sync: sync-boards", "20061 sync: sync-offboards", "20062 sync: sync-onchain",
    "20069 sync: sync-rounds", "20070 sync: sync-exits",
    // Exits make progress although looking after them failed (162).
    "20077 sync: progress-exits",
    "60120 connected: true", "80050 connected: false",
    // The next one does not have them: T after the last one's end.
    "80117 sync: sync-onchain", "80124 sync: sync-rounds", "80125 sync: sync-exits",
    "80132 sync: progress-exits",
  ]);
});

test("ark: source: mailbox: five tries at once after short sessions, then T (99-109)", () => {
  const r = rig(source, { net: lasting("mailbox", 10, "clean") });
  assert.deepEqual(about(shows(r, 0, 61 * second), /mailbox/), [
    "80 subscribe mailbox", "130 subscribe mailbox", "180 subscribe mailbox",
    "230 subscribe mailbox", "280 subscribe mailbox", "330 subscribe mailbox",
    // Given up at 380.
    "60380 subscribe mailbox", "60430 subscribe mailbox", "60480 subscribe mailbox",
    "60530 subscribe mailbox", "60580 subscribe mailbox", "60630 subscribe mailbox",
  ]);
});

test("ark: source: mailbox: a clean end after H of open stream is followed at once", () => {
  const tries = (lastsMs: number, why: "clean" | "error"): readonly number[] => (
    triesOf(to(rig(source, { net: lasting("mailbox", lastsMs, why) }), 130 * second), "mailbox")
  );
  // Its time counts from the open stream; only a clean end may be healthy.
  assert.deepEqual(tries(59_000, "clean"), [80, 59_120, 118_160]);
  assert.deepEqual(tries(59_000, "error"), [80, 119_120]);
  assert.deepEqual(tries(1_000, "error"), [80, 61_120, 122_160]);
});

test("ark: source: mailbox: a message makes the count of tries begin anew", () => {
  const r = rig(source, { streams: ["mailbox"] });
  to(r, 5 * minute);
  // One message, then a clean end: nine sessions in a row, with no wait between.
  suffer(r, [away(r, { kind: "one-and-close" }, 5 * minute, untilEver)]);
  for (let i = 0; i < 9; i += 1) {
    acts.pay(r.world, "alice", { amountsSat: [1_000n], lifeBlocks: 100, exitDepth: 2 });
  }
  const lines = shows(r, 5 * minute, 7 * minute);
  assert.deepEqual(about(lines, /subscribe mailbox/).slice(0, 9), [
    "300040 subscribe mailbox", "300080 subscribe mailbox", "300120 subscribe mailbox",
    "300160 subscribe mailbox", "300200 subscribe mailbox", "300240 subscribe mailbox",
    "300280 subscribe mailbox", "300320 subscribe mailbox", "300360 subscribe mailbox",
  ]);
  assert.equal(rigs.coins(r).length, 9);
  assert.deepEqual(about(lines, /sync-mailbox/), []);
});

test("ark: source: mailbox: the flag is looked at every T, and never written (98-109)", () => {
  const r = rig(source, { net: {
    subscribe: (stream) => (stream === "mailbox" ? "refuse" : undefined),
  } });
  assert.deepEqual(about(shows(r, 0, 3 * minute), /mailbox|connected/), [
    "40 connected: true", "80 subscribe mailbox", "60120 subscribe mailbox",
    "120160 subscribe mailbox",
  ]);
});

const manual: Policy = { ...source, isManual: true };

test("ark: source: manual sync: no first sync, and the check alone runs (314, 324-328)", () => {
  const r = rig(manual, { before: without({ kind: "down" }, 90 * second) });
  assert.deepEqual(shows(r, 0, hour), [
    "0 startup: refresh-server", "60001 probe: refresh-server", "120002 probe: refresh-server",
    "120042 connected: true",
  ]);
});

/** What follows a wish to stop at an instant. */
function ended(policy: Policy, atMs: number, isWaiting: boolean, net: rigs.Net = {}) {
  const r = to(rig(policy, { net }), atMs);
  const { length } = rigs.transcript(r);
  rigs.say(r, "alice", { type: "stop", isWaiting });
  return rigs.transcript(to(r, atMs + 20 * minute)).slice(length);
}

test("ark: source: stop: at rest it ends in the same instant, streams and all (33-43)", () => {
  for (const isWaiting of [false, true]) {
    assert.deepEqual(ended(source, 30_000, isWaiting), [
      "30000 close rounds", "30000 close mailbox", "30000 stop-answered", "30000 stopped",
    ]);
  }
  assert.deepEqual(ended(manual, 30_000, true), ["30000 stop-answered", "30000 stopped"]);
});

test("ark: source: stop: a pass is finished; who does not wait is answered (282-296)", () => {
  const rest = ["60325 sync: sync-rounds", "60326 sync: sync-exits", "60366 sync: progress-exits"];
  const closed = ["60300 close rounds", "60300 close mailbox"];
  assert.deepEqual(ended(source, 60_300, true), [
    ...closed, ...rest, "60406 stop-answered", "60406 stopped",
  ]);
  assert.deepEqual(ended(source, 60_300, false), [
    ...closed, "60300 stop-answered", ...rest, "60406 stopped",
  ]);
});

test("ark: source: stop: the start is finished, and the mailbox subscribes (302, 99)", () => {
  for (const atMs of [0, 20]) {
    assert.deepEqual(ended(source, atMs, true), [
      "40 connected: true", "40 startup: sync", "80 subscribe mailbox", "120 close mailbox",
      "120 stop-answered", "120 stopped",
    ]);
  }
  // Rounds look first (220). Of the first pass and the stop, which are both ready, one is drawn
  // by lot there (281); here it is the stop.
  assert.deepEqual(ended({ ...source, isManual: true }, 20, true), [
    "40 connected: true", "40 stop-answered", "40 stopped",
  ]);
});

test("ark: source: stop: a subscription has its outcome, an event its end (188, 193)", () => {
  assert.deepEqual(about(ended(source, 100, true), /subscribe|close|stop/), [
    "120 close rounds", "120 close mailbox", "243 stop-answered", "243 stopped",
  ]);
  const refused: rigs.Net = { subscribe: () => "refuse" };
  assert.deepEqual(about(ended(source, 100, true, refused), /subscribe|close|stop|connected/), [
    "120 connected: false", "243 stop-answered", "243 stopped",
  ]);
  const slow: rigs.Net = { call: ({ op }) => (
    op === "maintain" || op === "progress-rounds" ? { moreMs: 30 * second } : undefined
  ) };
  // The round began at ten minutes; what else came meanwhile is not handled any more.
  assert.deepEqual(ended(source, 610_000, true, slow), [
    "610000 close mailbox", "630080 rounds: progress-rounds attempt 0", "660081 close rounds",
    "660081 stop-answered", "660081 stopped",
  ]);
});

test("ark: source: over barkd's REST what it has not is unsupported", () => {
  const missing: readonly Op[] = [
    { op: "refresh-server" }, { op: "fee-rates" }, { op: "sync-boards" },
    { op: "sync-offboards" }, { op: "sync-rounds" }, { op: "sync-exits" }, { op: "maintain" },
    { op: "progress-rounds", event: undefined },
  ];
  for (const op of missing) assert.equal(barkd.requestOf(limits, op), undefined, op.op);
  const asked = new Set(given(to(rig(source), 11 * minute), "call").map(({ call }) => call.op));
  const rest = [...asked].filter((op) => !missing.some((one) => one.op === op));
  assert.deepEqual(rest, ["sync", "sync-onchain", "progress-exits"]);
  for (const op of rest) assert.ok(barkd.requestOf(limits, { op } as Op) !== undefined, op);
});
