/**
 * Each kind of fault, alone, in a small world: what it does while it lasts, and that it ends.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as peer from "../../sim/actors/peer.ts";
import type { Peer } from "../../sim/actors/peer.ts";
import * as clocks from "../../sim/clocks.ts";
import { record } from "../../sim/record.ts";
import * as runner from "../../sim/runner.ts";
import {
  arkHarms, diskOrders, harmKinds, rpcWrongs, type Harm, type HarmKind, type NodeSpec, type Work,
} from "../../sim/scenario.ts";
import type { Node, World } from "../../sim/world.ts";
import {
  dir0, fine, maker0, on, passes, registered, small, taker0, until,
} from "../support/worlds.ts";

const tested = new Set<HarmKind>();

function kind(name: HarmKind, says: string, body: () => void): void {
  tested.add(name);
  test(`faults: ${name}: ${says}`, body);
}

function node(w: World, id: string): Node {
  const found = w.byId.get(id);
  assert.ok(found !== undefined);
  return found;
}

function phase(w: World, id: string): string {
  const state = node(w, id).kernel?.state as Peer | undefined;
  return state === undefined ? "down" : peer.links(state)[0]?.phase ?? "none";
}

/** What a directory has relayed since its process began. */
function relayed(w: World): number {
  const state = node(w, "dir0").kernel?.state;
  if (state === undefined || !("counts" in state) || !("totals" in state.counts)) return -1;
  return state.counts.totals.publicRelayed;
}

function asks(at: number, id: string, work: Work): Work & { id: number; at: number; node: string } {
  return { id: 10_000 + at, at, node: id, ...work };
}

/** A world with one fault from 30 s on, driven to just before it. */
function before(harm: Harm, work: readonly ReturnType<typeof asks>[] = []): runner.Run {
  const r = until(small({ faults: [[30_000, harm]], work, faultyMs: 4_000_000 }), 29_900);
  assert.deepEqual([...registered(r.world, "dir0")].sort(), ["maker0", "maker1", "taker0"]);
  return r;
}

kind("cut", "lines wait and come when it is over", () => {
  const work = [asks(35_000, "maker0", { op: "chat", bytes: 50 })];
  const r = before({ kind: "cut", link: ["maker0", "dir0"], way: "both", forMs: 20_000 }, work);
  const already = relayed(r.world);
  on(r, 49_000);
  assert.equal(relayed(r.world), already);
  on(r, 120_000);
  assert.ok(relayed(r.world) > already);
  assert.equal(r.world.net.lives, 3, "the connection outlives the cut");
});

kind("partition", "one way: the side hears and is not heard", () => {
  const side = ["maker0", "maker1"];
  const work = [
    asks(35_000, "maker0", { op: "chat", bytes: 50 }),
    asks(36_000, "taker0", { op: "chat", bytes: 50 }),
  ];
  const r = before({ kind: "partition", side, way: "there", forMs: 60_000 }, work);
  const already = relayed(r.world);
  on(r, 60_000);
  assert.equal(relayed(r.world), already + 1, "only the taker is heard");
  on(r, 200_000);
  assert.equal(relayed(r.world), already + 2);
});

kind("halfOpen", "nobody is told, the peer finds out by itself and comes back", () => {
  const r = before({ kind: "halfOpen", link: ["maker0", "dir0"], way: "both", forMs: 0 });
  on(r, 31_000);
  assert.equal(phase(r.world, "maker0"), "up");
  on(r, 400_000);
  assert.equal(phase(r.world, "maker0"), "up");
  assert.ok(r.world.net.lives > 3, "a second connection");
});

kind("slow", "what takes 10 ms takes 5 s, and then 10 ms again", () => {
  const slow: Harm = { kind: "slow", link: ["maker0", "dir0"], ms: 5_000, forMs: 20_000 };
  const work = [asks(31_000, "maker0", { op: "chat", bytes: 50 })];
  const r = before(slow, work);
  const already = relayed(r.world);
  on(r, 35_500);
  assert.equal(relayed(r.world), already);
  on(r, 36_500);
  assert.equal(relayed(r.world), already + 1);
});

kind("narrow", "a long line takes as long as its bytes need", () => {
  const harm: Harm = {
    kind: "narrow", link: ["maker0", "dir0"], bytesPerSec: 1_000, forMs: 60_000,
  };
  const r = before(harm, [asks(31_000, "maker0", { op: "chat", bytes: 10_000 })]);
  const already = relayed(r.world);
  on(r, 40_000);
  assert.equal(relayed(r.world), already);
  on(r, 45_000);
  assert.equal(relayed(r.world), already + 1);
});

kind("lateEnd", "the directory learns of an end long after it", () => {
  const harm: Harm = { kind: "lateEnd", link: ["maker0", "dir0"], ms: 30_000, forMs: 60_000 };
  const r = before(harm, [asks(31_000, "maker0", { op: "away", forMs: 500_000 })]);
  on(r, 50_000);
  assert.equal(phase(r.world, "maker0"), "waiting");
  assert.ok(registered(r.world, "dir0").includes("maker0"));
  on(r, 70_000);
  assert.ok(!registered(r.world, "dir0").includes("maker0"));
});

kind("reset", "both ends are told, and the peer comes back", () => {
  const r = before({ kind: "reset", link: ["maker0", "dir0"] });
  on(r, 30_100);
  assert.notEqual(phase(r.world, "maker0"), "up");
  on(r, 120_000);
  assert.equal(phase(r.world, "maker0"), "up");
});

kind("refuse", "dials are refused until it is over", () => {
  const harm: Harm = { kind: "refuse", link: ["maker0", "dir0"], forMs: 100_000 };
  const r = before(harm, [asks(31_000, "maker0", { op: "away", forMs: 1_000 })]);
  on(r, 120_000);
  assert.notEqual(phase(r.world, "maker0"), "up");
  on(r, 260_000);
  assert.equal(phase(r.world, "maker0"), "up");
});

kind("hang", "dials get no answer", () => {
  const harm: Harm = { kind: "hang", link: ["maker0", "dir0"], forMs: 100_000 };
  const r = before(harm, [asks(31_000, "maker0", { op: "away", forMs: 1_000 })]);
  on(r, 40_000);
  assert.equal(phase(r.world, "maker0"), "dialing");
  on(r, 400_000);
  assert.equal(phase(r.world, "maker0"), "up");
});

kind("lateDial", "a dial succeeds late", () => {
  const harm: Harm = { kind: "lateDial", link: ["maker0", "dir0"], ms: 5_000, forMs: 100_000 };
  const r = before(harm, [asks(31_000, "maker0", { op: "away", forMs: 1_000 })]);
  on(r, 36_000);
  assert.equal(phase(r.world, "maker0"), "dialing");
  on(r, 50_000);
  assert.equal(phase(r.world, "maker0"), "up");
});

kind("chop", "lines arrive in pieces, and are whole", () => {
  const harm: Harm = { kind: "chop", link: ["maker0", "dir0"], as: "tiny", forMs: 100_000 };
  const work = [asks(31_000, "maker0", { op: "chat", bytes: 300 })];
  const scenario = small({ faults: [[30_000, harm]], work, faultyMs: 60_000 });
  const pieces = record(scenario).steps
    .filter((one) => one.event === "conn.received" && one.says.includes("piece"));
  assert.ok(pieces.length > 3);
  const r = before(harm, work);
  const already = relayed(r.world);
  on(r, 60_000);
  assert.equal(relayed(r.world), already + 1);
});

kind("stall", "the peer reads nothing, then all of it", () => {
  const work = [asks(31_000, "maker1", { op: "chat", bytes: 300 })];
  const r = before({ kind: "stall", node: "maker0", forMs: 20_000 }, work);
  const unread = (): number => [...node(r.world, "maker0").sockets.values()]
    .reduce((sum, socket) => sum + socket.unreadBytes, 0);
  on(r, 45_000);
  assert.ok(unread() > 300);
  on(r, 51_000);
  assert.equal(unread(), 0);
});

kind("pause", "nothing is done meanwhile, and everything after", () => {
  const work = [asks(31_000, "maker1", { op: "chat", bytes: 30 })];
  const r = before({ kind: "pause", node: "dir0", forMs: 60_000 }, work);
  const already = relayed(r.world);
  on(r, 89_000);
  assert.equal(relayed(r.world), already);
  on(r, 91_000);
  assert.ok(relayed(r.world) > already);
});

kind("crash", "the process is gone, its peers are told, it comes back empty", () => {
  const r = before({ kind: "crash", node: "dir0", effect: 0, power: false, forMs: 10_000 });
  on(r, 31_000);
  assert.equal(node(r.world, "dir0").kernel, undefined);
  assert.notEqual(phase(r.world, "maker0"), "up");
  on(r, 41_000);
  assert.equal(node(r.world, "dir0").incarnation, 2);
  on(r, 200_000);
  assert.equal(registered(r.world, "dir0").length, 3);
});

kind("crash", "with the power nobody is told", () => {
  const r = before({ kind: "crash", node: "maker0", effect: 0, power: true, forMs: 500_000 });
  on(r, 60_000);
  assert.ok(registered(r.world, "dir0").includes("maker0"));
});

kind("crash", "between two effects: what was not carried out never happens", () => {
  const work = [asks(31_000, "maker0", { op: "chat", bytes: 30 })];
  const r = before({ kind: "crash", node: "dir0", effect: 1, power: false, forMs: 5_000 }, work);
  on(r, 33_000);
  assert.equal(node(r.world, "dir0").kernel, undefined);
});

kind("restart", "the directory says goodbye in order and is back", () => {
  const r = before({ kind: "restart", node: "dir0", forMs: 5_000 });
  on(r, 120_000);
  assert.equal(node(r.world, "dir0").incarnation, 2);
  assert.equal(registered(r.world, "dir0").length, 3);
});

kind("jump", "wall time moves, monotonic time does not", () => {
  const r = before({ kind: "jump", node: "dir0", ms: -86_400_000 });
  const { clock } = node(r.world, "dir0");
  const [wall, mono] = [clocks.wall(clock, r.world.nowUs), clocks.now(clock, r.world.nowUs)];
  on(r, 31_000);
  assert.ok(clocks.wall(clock, r.world.nowUs) < wall - 86_000_000);
  assert.ok(clocks.now(clock, r.world.nowUs) > mono);
});

kind("drift", "a clock that runs fast, and then no more", () => {
  const r = before({ kind: "drift", node: "dir0", ppm: 50_000, forMs: 100_000 });
  const { clock } = node(r.world, "dir0");
  const from = clocks.monoUs(clock, 30_000_000);
  on(r, 131_000);
  const gained = clocks.monoUs(clock, 130_000_000) - from - 100_000_000;
  assert.ok(gained > 4_900_000 && gained < 5_100_000, `${gained}`);
  const later = clocks.monoUs(clock, 230_000_000) - clocks.monoUs(clock, 130_000_000);
  assert.equal(later, 100_000_000);
});

/** A journal that is asked for records, and one fault of its disk. */
function disk(harm: Harm): runner.Run {
  const nodes = [{ id: "log0", kind: "journal" } as const];
  const work = Array.from({ length: 60 }, (_, i) =>
    asks(1_000 * (i + 1), "log0", { op: "append", count: 3, bytes: 40 }));
  return until(small({ nodes, work, faults: [[30_000, harm]], faultyMs: 400_000 }), 29_900);
}

function synced(w: World): number {
  return node(w, "log0").marks.get("synced") ?? 0;
}

kind("diskSlow", "records are durable later", () => {
  const r = disk({ kind: "diskSlow", node: "log0", ms: 8_000, forMs: 20_000 });
  const already = synced(r.world);
  on(r, 37_000);
  assert.ok(synced(r.world) - already <= 1);
  on(r, 120_000);
  assert.ok(synced(r.world) - already > 5);
});

kind("diskFull", "nothing is durable until there is room", () => {
  const r = disk({ kind: "diskFull", node: "log0", forMs: 20_000 });
  on(r, 31_000);
  const already = synced(r.world);
  on(r, 49_000);
  assert.ok(synced(r.world) - already <= 1);
  on(r, 200_000);
  assert.ok(synced(r.world) > already, "there is room again");
});

kind("diskTorn", "the tail is repaired and the journal goes on", () => {
  const r = disk({ kind: "diskTorn", node: "log0", forMs: 2_000 });
  on(r, 100_000);
  assert.equal(node(r.world, "log0").incarnation, 2);
  assert.ok(synced(r.world) > 10);
});

for (const order of diskOrders) {
  kind("diskFails", `${order}: one order fails, and records are durable again later`, () => {
    const r = disk({ kind: "diskFails", node: "log0", order });
    on(r, 31_900);
    const already = synced(r.world);
    on(r, 200_000);
    assert.ok(synced(r.world) > already + 5);
    const told = node(r.world, "log0").disk?.fault;
    // Nothing is read or cut while all is well.
    const isLeft = order === "load" || order === "truncate";
    assert.equal(told !== undefined, isLeft);
  });
}

/** A world with our maker, and with one fault from 60 s on. */
function withBot(harm: Harm): runner.Run {
  const nodes: readonly NodeSpec[] = [
    dir0, taker0, { id: "bot0", kind: "bot", settings: { pollMs: 5_000 } },
    { id: "chain0", kind: "chain" },
  ];
  const r = until(small({ nodes, faults: [[60_000, harm]], faultyMs: 4_000_000 }), 59_900);
  assert.ok(registered(r.world, "dir0").includes("bot0"));
  return r;
}

/** Answers of its node that a bot has had, and those among them that were answers. */
function answers(r: runner.Run, untilMs: number): { readonly all: number; readonly good: number } {
  let [all, good] = [0, 0];
  const { world } = r;
  const counted = runner.begin(world.scenario, { watch: {
    stepped: (w, one, event) => {
      if (one.id !== "bot0" || event.type !== "req.done" || w.nowUs < 60_000_000) return;
      if (w.nowUs > untilMs * 1_000) return;
      all += 1;
      if (event.status === 200 && event.body.endsWith("]\n")) good += 1;
    },
  } });
  on(counted, untilMs);
  return { all, good };
}

kind("tor", "a bot's connections to directories end, and new ones are refused meanwhile", () => {
  const r = withBot({ kind: "tor", node: "bot0", forMs: 40_000 });
  on(r, 62_000);
  assert.ok(!registered(r.world, "dir0").includes("bot0"));
  on(r, 99_000);
  assert.ok(!registered(r.world, "dir0").includes("bot0"));
  assert.ok(registered(r.world, "dir0").includes("taker0"), "others have their own way");
  on(r, 400_000);
  assert.ok(registered(r.world, "dir0").includes("bot0"));
});

for (const as of rpcWrongs) {
  const isPlain = as === "alone";
  kind("rpcWrong", `${as}: ${isPlain ? "it still answers" : "nobody learns of the tip"}`, () => {
    const r = withBot({ kind: "rpcWrong", node: "chain0", as, forMs: 30_000 });
    const during = answers(r, 89_000);
    if (as === "silent") assert.equal(during.all, 0);
    else assert.ok(during.all > 0);
    if (as === "warming") assert.ok(during.good > 0, "it says that it starts");
    else assert.equal(during.good > 0, isPlain);
    assert.ok(answers(r, 300_000).good > 5, "afterwards it is as before");
  });
}

kind("hookDown", "notices wait, and come when it is over", () => {
  const r = withBot({ kind: "hookDown", node: "bot0", forMs: 60_000 });
  on(r, 300_000);
  const letters = r.world.oracles.watched[node(r.world, "bot0").index]?.maker?.letters;
  assert.ok(letters !== undefined && letters.closed.size > 0);
});

// Those around Ark wallets have a file of their own: `fleet/wrongs.test.ts`.
for (const name of arkHarms) tested.add(name);

test("faults: every kind has its test", () => {
  assert.deepEqual(harmKinds.filter((name) => !tested.has(name)), []);
});

test("faults: a fault that names nobody does nothing and is told", () => {
  const outcome = passes(small({
    faults: [[1_000, { kind: "pause", node: "nobody", forMs: 5 }]], faultyMs: 10_000,
  }));
  assert.deepEqual(outcome.idle, [1_000]);
});

test("faults: overlapping cuts end when the last one ends", () => {
  const cut: Harm = { kind: "cut", link: ["maker0", "dir0"], way: "both", forMs: 20_000 };
  const r = until(small({
    faults: [[30_000, cut], [40_000, cut]], faultyMs: 300_000,
    work: [asks(31_000, "maker0", { op: "chat", bytes: 9 })],
  }), 29_000);
  const already = relayed(r.world);
  on(r, 58_000);
  assert.equal(relayed(r.world), already);
  on(r, 150_000);
  assert.ok(relayed(r.world) > already);
});

test("faults: a trigger begins its fault at the moment it waits for", () => {
  const outcome = runner.run(small({
    triggers: [{
      id: 7, on: { mark: "hello.sent", node: "maker0", nth: 1 }, delayMs: 0,
      do: { kind: "reset", link: ["maker0", "dir0"] },
    }], faultyMs: 60_000,
  }));
  fine(outcome);
  assert.deepEqual(outcome.faults, { reset: { fired: 1, active: 1 } });
});

test("faults: a process that starts anew is a moment that a trigger can wait for", () => {
  const outcome = runner.run(small({
    faults: [[20_000, { kind: "crash", node: "maker0", effect: 0, power: false, forMs: 1_000 }]],
    triggers: [{
      id: 7, on: { mark: "restarted", node: "maker0", nth: 1 }, delayMs: 500,
      do: { kind: "pause", node: "maker0", forMs: 1_000 },
    }], faultyMs: 60_000,
  }));
  fine(outcome);
  assert.deepEqual(outcome.faults, {
    crash: { fired: 1, active: 1 }, pause: outcome.faults.pause,
  });
  assert.equal(outcome.faults.pause?.fired, 1);
});

test("faults: the heal ends what strikes the core and leaves the rest broken", () => {
  const scenario = small({
    nodes: [dir0, maker0, taker0, { ...maker0, id: "maker9" }],
    faults: [
      [5_000, { kind: "pause", node: "maker0", forMs: 9_000_000 }],
      [5_000, { kind: "cut", link: ["taker0", "dir0"], way: "both", forMs: 9_000_000 }],
    ],
    faultyMs: 60_000, convergeMs: 2_100_000, core: ["dir0", "maker0", "taker0"],
  });
  const r = runner.begin(scenario);
  while (r.world.nowUs < 2_000_000_000 && runner.advance(r));
  fine(runner.outcome(r));
  assert.deepEqual([...registered(r.world, "dir0")].sort(), ["maker0", "taker0"]);
});

test("faults: a disk that was told to fail does not after the heal", () => {
  const r = runner.begin(small({
    nodes: [dir0, { id: "log0", kind: "journal" }],
    faults: [[50_000, { kind: "diskFails", node: "log0", order: "sync" }]],
    faultyMs: 60_000, convergeMs: 60_000, core: ["dir0", "log0"],
  }));
  const own = node(r.world, "log0").disk;
  while (own?.fault === undefined && runner.advance(r));
  assert.equal(r.world.healed, false);
  while (!r.world.healed && runner.advance(r));
  assert.equal(own?.fault, undefined);
});
