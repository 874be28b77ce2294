/**
 * Named worlds with our Ark daemon: what its operators meet, one trouble in each.
 * @module
 */
import type { Parts } from "../parts.ts";
import type { ArkHarm, Harm, NodeSpec, Work } from "../scenario.ts";
import type { WalletSpec } from "./spec.ts";

type World = readonly [name: string, says: string, parts: Parts];

/** All of them. */
export function arkWorlds(): readonly World[] {
  return [
    ["ark-stale", "chain sources hear of nothing new for six hours, and VTXOs end", stale()],
    ["ark-outage", "an Ark server is gone for so long that VTXOs have to exit", outage()],
    ["ark-key", "an Ark server shows another key, until its operator has looked", otherKey()],
    ["ark-reorg", "the tip is replaced at equal height while exits are under way", reorg()],
    ["ark-crash", "the Ark daemon dies around each refresh and each exit", crashes()],
  ];
}

const minute = 60_000;
const hour = 60 * minute;
const convergeMs = 3 * hour;

function wallet(name: string, blocks: readonly number[]): WalletSpec {
  return {
    name, fundsSat: 500_000, autoExit: true, autoClaim: true, hasRounds: true,
    coins: blocks.map((left, i) => ({ sat: 50_000 + i, blocks: left, levels: 1 + (i % 3) })),
  };
}

const wallets: readonly WalletSpec[] = [
  wallet("wallet0", [36, 28, 20]), wallet("wallet1", [32, 24]),
];

/** Wallets whose VTXOs live for some hours, and an ark with a block every ten minutes. */
function nodes(): readonly NodeSpec[] {
  return [
    {
      id: "fleet0", kind: "fleet", wallets,
      settings: {
        refreshBlocks: 30, leadBlocks: 2, failingBlocks: 4, perLevelBlocks: 1, marginBlocks: 15,
      },
    },
    {
      id: "ark0", kind: "ark", pace: "steady", blockMs: 10 * minute, roundMs: 10 * minute,
      lifeBlocks: 36, deltaBlocks: 6,
    },
  ];
}

function parts(
  harm: readonly (readonly [number, Harm])[], work: readonly (readonly [number, Work])[] = [],
): Parts {
  return {
    nodes: nodes(), faultyMs: 8 * hour, convergeMs, harm,
    work: work.map(([at, what]) => [at, "ark0", what] as const),
  };
}

function stale(): Parts {
  const harm: ArkHarm = {
    kind: "sourceWrong", node: "ark0", wallet: "*", as: "stale", size: 0, forMs: 6 * hour,
  };
  return parts([[hour, harm]]);
}

function outage(): Parts {
  const down: ArkHarm = {
    kind: "serverWrong", node: "ark0", as: "down", size: 0, forMs: 7 * hour,
  };
  return parts([[10 * minute, down]], [[2 * hour, { op: "feeRate", rate: 20 }]]);
}

function otherKey(): Parts {
  const harm: ArkHarm = {
    kind: "serverWrong", node: "ark0", as: "key", size: 0, forMs: 2 * hour,
  };
  return parts([[20 * minute, harm]], [
    [20 * minute + 1, { op: "restartProgram", wallet: "wallet0" }],
    [20 * minute + 1, { op: "restartProgram", wallet: "wallet1" }],
  ]);
}

function reorg(): Parts {
  const down: ArkHarm = {
    kind: "serverWrong", node: "ark0", as: "down", size: 0, forMs: 6 * hour,
  };
  const work: (readonly [number, Work])[] = [];
  for (let at = hour + minute; at < 7 * hour; at += 47 * minute) {
    work.push([at, { op: "reorg", blocks: 2, isDropped: at % 2 === 0 }]);
  }
  return parts([[10 * minute, down]], work);
}

function crashes(): Parts {
  const harm: (readonly [number, Harm])[] = [];
  for (let i = 0; i < 24; i += 1) {
    const at = 3 * minute + i * 19 * minute;
    harm.push([at, {
      kind: "crash", node: "fleet0", effect: i % 5, power: i % 3 > 0, forMs: 5_000 + i * 1_000,
    }]);
  }
  harm.push([2 * hour, { kind: "diskFull", node: "fleet0", forMs: 40 * minute }]);
  return parts(harm);
}
