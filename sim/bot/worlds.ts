/**
 * Named worlds with our maker daemon: what operators meet, one trouble in each.
 * @module
 */
import type { Parts } from "../parts.ts";
import type { BotSettings, Harm, NodeId, NodeSpec, Work } from "../scenario.ts";

type World = readonly [name: string, says: string, parts: Parts];

/** All of them. */
export function makerWorlds(): readonly World[] {
  return [
    ["tor-restart", "Tor dies under a maker, twice, and comes back", torRestart()],
    ["backend-outage", "a maker's node is gone, starts, and has another password", outage()],
    ["reorg", "the chain takes confirmations back, some of them for good", reorg()],
    ["disk-full", "a maker's disk is full for a while, and then its power fails", diskFull()],
    ["all-directories-down", "no directory can be reached for an hour", allDown()],
    ["given-up", "transactions are late, dropped, replaced, and one comes back", givenUp()],
    ["disk-hangs", "a maker's disk does not answer for minutes, twice", diskHangs()],
    ["replay", "two false directories bring a taker's line again and again", replay()],
  ];
}

/** Times that fit into such a world. */
const quick: BotSettings = {
  announceDelayMaxMs: 30_000, backendGraceMs: 60_000, downMs: 30_000, pollMs: 10_000,
  intervalMs: 120_000, checkMs: 30_000, timeoutMs: 600_000, warnMs: 300_000,
  lateCheckMs: 120_000, settledMin: 3,
};
const convergeMs = 3_000_000;

function nodes(directories: number, rows: number, settings: BotSettings = quick): Parts["nodes"] {
  const servers = Array.from({ length: directories }, (_, i): NodeSpec => ({
    id: `dir${i}`, kind: "directory",
  }));
  return [
    ...servers,
    { id: "taker0", kind: "taker", speaks: "new", joinsAt: 1_000 },
    { id: "bot0", kind: "bot", joinsAt: 500, rows, settings },
    { id: "chain0", kind: "chain" },
  ];
}

type Task = readonly [at: number, node: NodeId, work: Work];

function chainDoes(at: number, work: Work): Task {
  return [at, "chain0", work];
}

/** A block now and then, and everything that the bot waits for. */
function life(rows: number, untilMs: number): readonly Task[] {
  const out: Task[] = [];
  for (let row = 0; row < rows; row += 1) {
    out.push(chainDoes(60_000 + row * 45_000, { op: "send", bot: "bot0", row }));
  }
  for (let at = 200_000; at < untilMs; at += 300_000) {
    out.push(chainDoes(at, { op: "mine", blocks: 1 }));
  }
  for (let at = 90_000; at < untilMs; at += 400_000) out.push([at, "taker0", { op: "orderbook" }]);
  return out;
}

function torRestart(): Parts {
  const faultyMs = 1_500_000;
  const tor = (at: number, forMs: number): readonly [number, Harm] => (
    [at, { kind: "tor", node: "bot0", forMs }]
  );
  return {
    nodes: nodes(3, 2).map((one) => (one.kind === "bot" ? { ...one, onion: true } : one)),
    work: life(2, faultyMs), faultyMs, convergeMs,
    harm: [tor(120_000, 40_000), tor(600_000, 400_000)],
  };
}

function outage(): Parts {
  const faultyMs = 1_800_000;
  return {
    nodes: nodes(2, 3), work: life(3, faultyMs), faultyMs, convergeMs,
    harm: [
      [300_000, { kind: "crash", node: "chain0", effect: 0, power: false, forMs: 400_000 }],
      [700_500, { kind: "rpcWrong", node: "chain0", as: "warming", forMs: 60_000 }],
      [900_000, { kind: "pause", node: "chain0", forMs: 240_000 }],
      [1_200_000, { kind: "rpcWrong", node: "chain0", as: "html", forMs: 200_000 }],
      [1_500_000, { kind: "rpcWrong", node: "chain0", as: "alone", forMs: 200_000 }],
    ],
  };
}

function reorg(): Parts {
  const faultyMs = 2_000_000;
  return {
    nodes: nodes(2, 4), faultyMs, convergeMs, harm: [],
    work: [
      ...life(4, faultyMs),
      chainDoes(550_000, { op: "reorg", blocks: 2, isDropped: false }),
      chainDoes(900_000, { op: "reorg", blocks: 2, isDropped: true }),
      chainDoes(1_000_000, { op: "send", bot: "bot0", row: 0 }),
    ],
  };
}

function diskFull(): Parts {
  const faultyMs = 1_500_000;
  return {
    nodes: nodes(2, 4), work: life(4, faultyMs), faultyMs, convergeMs,
    harm: [
      [180_000, { kind: "diskFull", node: "bot0", forMs: 500_000 }],
      [800_000, { kind: "diskSlow", node: "bot0", ms: 8_000, forMs: 120_000 }],
      [1_000_000, { kind: "crash", node: "bot0", effect: 1, power: true, forMs: 5_000 }],
      [1_200_000, { kind: "diskTorn", node: "bot0", forMs: 5_000 }],
    ],
  };
}

function diskHangs(): Parts {
  const faultyMs = 1_200_000;
  return {
    nodes: nodes(2, 3), work: life(3, faultyMs), faultyMs, convergeMs,
    harm: [
      [100_000, { kind: "diskSlow", node: "bot0", ms: 120_000, forMs: 60_000 }],
      [700_000, { kind: "diskSlow", node: "bot0", ms: 20_000, forMs: 300_000 }],
    ],
  };
}

function replay(): Parts {
  const faultyMs = 600_000;
  return {
    nodes: [
      ...nodes(1, 0), { id: "trap0", kind: "trap", as: "replays" },
      { id: "trap1", kind: "trap", as: "replays" },
    ],
    work: [], faultyMs, convergeMs, harm: [],
  };
}

function allDown(): Parts {
  const faultyMs = 4_500_000;
  const down = (id: NodeId): readonly [number, Harm] => (
    [300_000, { kind: "crash", node: id, effect: 0, power: true, forMs: 3_600_000 }]
  );
  const limited = { ...quick, retriesMax: 8, spentMs: 900_000 };
  return {
    nodes: nodes(3, 1, limited), work: life(1, faultyMs), faultyMs, convergeMs,
    harm: [down("dir0"), down("dir1"), down("dir2")],
  };
}

function givenUp(): Parts {
  const faultyMs = 3_000_000;
  const row = (at: number, op: "send" | "replace" | "evict", n: number): Task => (
    chainDoes(at, { op, bot: "bot0", row: n })
  );
  return {
    nodes: nodes(2, 6), faultyMs, convergeMs,
    work: [
      row(60_000, "send", 0), row(200_000, "evict", 0), row(1_500_000, "send", 0),
      row(60_000, "send", 1), row(120_000, "replace", 1), row(1_200_000, "send", 2),
      row(700_000, "send", 3), chainDoes(400_000, { op: "mine", blocks: 4 }),
      chainDoes(1_600_000, { op: "mine", blocks: 2 }),
      chainDoes(2_000_000, { op: "mine", blocks: 4 }),
    ],
    harm: [
      [500_000, { kind: "cut", link: ["bot0", "chain0"], way: "both", forMs: 500_000 }],
      [1_100_000, { kind: "jump", node: "bot0", ms: 86_400_000 }],
      [1_300_000, { kind: "crash", node: "bot0", effect: 2, power: false, forMs: 60_000 }],
    ],
  };
}
