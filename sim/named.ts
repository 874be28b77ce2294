/**
 * Worlds with a name: the faults that were seen in existing directory servers, made on purpose.
 *
 * Rule 1: each is a scenario like any other; it can be run, drawn, edited and shrunk.
 * Rule 2: what must hold is what the invariants say; a name only says what is hard about it.
 * @module
 */
import { makerWorlds } from "./bot/worlds.ts";
import { arkWorlds } from "./fleet/worlds.ts";
import type { Parts } from "./parts.ts";
import {
  simVersion, type Fault, type NodeSpec, type Scenario, type Task,
} from "./scenario.ts";

export type Named = { readonly says: string; readonly scenario: Scenario };

/** All of them, by name. */
export function named(): ReadonlyMap<string, Named> {
  const out = new Map<string, Named>();
  const add = (name: string, says: string, parts: Parts): void => {
    out.set(name, { says, scenario: scenarioOf(name, parts) });
  };
  add("burst", "every peer publishes at once; no receiver may lose a line", burst());
  add("mass-leave", "most makers die in the same instant; each is announced once", massLeave());
  add("stuck-reader", "one peer never reads; nobody else waits for it", stuckReader());
  add("evict-undrained", "a peer that does not drain is evicted, the others stay watched",
    evictUndrained());
  add("split-line", "every line arrives in pieces while much else does", splitLine());
  add("injection", "forged senders, injected lines and answers that nobody gave", injection());
  add("private-flood", "private lines for one who does not read starve nobody", privateFlood());
  add("ghost-nick", "the old connection of a nick is dead and nobody has said so", ghostNick());
  for (const [name, says, parts] of makerWorlds()) add(name, says, parts);
  for (const [name, says, parts] of arkWorlds()) add(name, says, parts);
  add("partial-heal", "a part of the world stays broken for ever", partialHeal());
  return out;
}

function scenarioOf(name: string, parts: Parts): Scenario {
  const honest = parts.nodes.filter((one) => (
    one.kind === "directory" || one.kind === "bot" || one.kind === "chain" || "speaks" in one
      || one.kind === "fleet" || one.kind === "ark"
  ));
  return {
    simVersion, name, seed: "0x00000000000000d0", nodes: parts.nodes,
    net: {
      latencyMinUs: 20_000, latencyMeanUs: 60_000, segment: "whole",
      sendBufferBytes: 87_040, receiveBufferBytes: 131_072,
    },
    host: { stepUs: 20, effectUs: 3, timerLateUs: 1_200 },
    workload: parts.work
      .map(([at, node, work], i): Task => ({ id: 10_000 + i, at, node, ...work })),
    faults: parts.harm.map(([at, harm], i): Fault => ({ id: 1_000 + i, at, ...harm })),
    triggers: [],
    phases: {
      faultyMs: parts.faultyMs, core: parts.core ?? honest.map((one) => one.id),
      convergeMs: parts.convergeMs ?? 2_100_000, fates: [],
    },
  };
}

const dir: NodeSpec = { id: "dir0", kind: "directory" };

function makers(count: number): readonly NodeSpec[] {
  return range(count).map((i): NodeSpec => ({
    id: `maker${i}`, kind: "maker", speaks: i % 3 === 2 ? "old" : "new", joinsAt: i * 20,
  }));
}

function takers(count: number): readonly NodeSpec[] {
  return range(count).map((i): NodeSpec => ({
    id: `taker${i}`, kind: "taker", speaks: "new", joinsAt: i * 20,
  }));
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function burst(): Parts {
  const crowd = range(80);
  return {
    nodes: [dir, ...makers(80), ...takers(20)], faultyMs: 300_000, harm: [],
    work: [
      ...crowd.map((i) => [60_000, `maker${i}`, { op: "announce", size: 5 }] as const),
      ...crowd.map((i) => [60_000, `maker${i}`, { op: "chat", bytes: 2_000 }] as const),
      [90_000, "taker0", { op: "orderbook" }],
      [90_000, "taker1", { op: "burst", count: 150, bytes: 400 }],
    ],
  };
}

function massLeave(): Parts {
  return {
    nodes: [dir, ...makers(120), ...takers(40)], faultyMs: 400_000,
    work: [[100_000, "taker0", { op: "peerlist" }], [250_000, "taker1", { op: "peerlist" }]],
    harm: range(110).map((i) => [
      200_000, { kind: "crash", node: `maker${i}`, effect: 0, power: i % 2 === 1, forMs: 60_000 },
    ] as const),
  };
}

function stuckReader(): Parts {
  return {
    nodes: [dir, ...makers(6), ...takers(3)], faultyMs: 1_800_000,
    harm: [[60_000, { kind: "stall", node: "maker0", forMs: 1_500_000 }]],
    work: range(120).map((i) => [
      70_000 + i * 2_500, `maker${1 + i % 5}`, { op: "chat", bytes: 30_000 },
    ] as const),
  };
}

function evictUndrained(): Parts {
  const settings = { sweepMs: 2_000, idleMs: 60_000, hardMs: 150_000, pongMs: 5_000 };
  return {
    nodes: [{ id: "dir0", kind: "directory", settings }, ...makers(6), ...takers(3)],
    faultyMs: 900_000,
    harm: [
      [60_000, { kind: "stall", node: "maker0", forMs: 800_000 }],
      [100_000, { kind: "halfOpen", link: ["maker3", "dir0"], way: "both", forMs: 700_000 }],
      [110_000, { kind: "halfOpen", link: ["maker4", "dir0"], way: "there", forMs: 700_000 }],
    ],
    work: range(100).map((i) => [
      62_000 + i * 500, "maker1", { op: "chat", bytes: 19_000 },
    ] as const),
  };
}

function splitLine(): Parts {
  return {
    nodes: [dir, ...makers(20), ...takers(10)], faultyMs: 300_000,
    harm: [[0, { kind: "chop", link: ["dir0", "*"], as: "tiny", forMs: 300_000 }]],
    work: range(200).map((i) => [
      60_000 + i * 200, `maker${i % 20}`,
      i % 2 === 0 ? { op: "chat", bytes: 500 } : { op: "announce", size: 3 },
    ] as const),
  };
}

function injection(): Parts {
  const forgers = range(4).map((i): NodeSpec => ({
    id: `forger${i}`, kind: "forger", joinsAt: 20_000 + i * 1_000, zeal: 10,
  }));
  return {
    nodes: [dir, ...makers(6), ...takers(3), ...forgers], faultyMs: 600_000, harm: [],
    work: range(12).map((i) => [60_000 + i * 40_000, "taker0", { op: "orderbook" }] as const),
  };
}

function privateFlood(): Parts {
  return {
    nodes: [dir, ...makers(3), ...takers(4)], faultyMs: 900_000,
    harm: [[60_000, { kind: "stall", node: "maker0", forMs: 700_000 }]],
    work: [
      ...range(300).map((i) => [
        65_000 + i * 300, `taker${i % 3}`, { op: "fill", maker: "maker0", bytes: 30_000 },
      ] as const),
      ...range(60).map((i) => [
        65_100 + i * 2_000, "taker3", { op: "fill", maker: "maker1", bytes: 200 },
      ] as const),
    ],
  };
}

function ghostNick(): Parts {
  return {
    nodes: [dir, ...makers(4), ...takers(2)], faultyMs: 900_000,
    harm: range(4).map((i) => [
      60_000 + i * 100, { kind: "halfOpen", link: [`maker${i}`, "dir0"], way: "both", forMs: 0 },
    ] as const),
    work: range(4).map((i) => [
      70_000 + i * 500, `maker${i}`, { op: "away", forMs: 200 },
    ] as const),
  };
}

function partialHeal(): Parts {
  const core = ["dir0", "maker0", "maker1", "taker0"];
  return {
    nodes: [dir, { id: "dir1", kind: "directory" }, ...makers(5), ...takers(2)],
    faultyMs: 600_000, core, work: [[100_000, "taker0", { op: "orderbook" }]],
    harm: [
      [200_000, { kind: "partition", side: core, way: "there", forMs: 900_000 }],
      [300_000, { kind: "crash", node: "dir0", effect: 2, power: true, forMs: 500_000 }],
    ],
  };
}
