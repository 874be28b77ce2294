/**
 * Draws worlds with our Ark daemon: its wallets, what goes wrong around them, and what people do.
 *
 * Rule 1: as in `faults.ts`: each seed has its own subset of kinds, and each entry a stream of its
 * own.
 * Rule 2: coins are as short-lived as the profile says, so that their last blocks fall into the
 * run; nothing begins after the heal.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as prng from "../../core/prng.ts";
import type { Key, Prng } from "../../core/prng.ts";
import {
  barkdWrongs, serverWrongs, sourceWrongs, type CoinSpec, type FleetSettings,
  type ServerWrong, type WalletSpec,
} from "../fleet/spec.ts";
import {
  diskOrders, harmKinds, type ArkWork, type Fault, type Harm, type HarmKind, type Link,
  type NodeSpec, type Task, type Trigger, type Way, type Work,
} from "../scenario.ts";
import { weighted } from "./faults.ts";
import { weightOf, type Shape } from "./profiles.ts";

const minute = 60_000;
const hour = 60 * minute;
const fleet = "fleet0";
const ark = "ark0";
const link: Link = [fleet, ark];

/** Lives of so many blocks and fewer need stages that fit into them. */
const briefBlocks = 400;
const brief: FleetSettings = {
  refreshBlocks: 30, leadBlocks: 2, failingBlocks: 4, perLevelBlocks: 1, marginBlocks: 15,
};

/** The fleet and its ark. */
export function arkNodes(
  key: Key, shape: Shape, isLite: boolean, wanted: number | undefined,
): readonly NodeSpec[] {
  const p = prng.stream(key, "ark");
  const pace = prng.chance(p, 2, 3) ? "steady" : "drawn";
  const [least, most] = shape.wallets;
  const drawn = prng.between(p, least, most);
  const usual = isLite && drawn > 3 ? 3 : drawn;
  const count = wanted === undefined ? usual : wanted < 1 ? 1 : wanted;
  const { lifeBlocks } = shape;
  const isBrief = lifeBlocks <= briefBlocks;
  return [
    {
      id: fleet, kind: "fleet",
      wallets: Array.from({ length: count }, (_, i) => walletOf(key, i, shape)),
      ...(isBrief ? { settings: { ...brief, ...lookOf(key, shape) } } : {}),
    },
    {
      id: ark, kind: "ark", pace, blockMs: 10 * minute, roundMs: isBrief ? 10 * minute : hour,
      lifeBlocks, deltaBlocks: isBrief ? 6 : 12,
    },
  ];
}

/** As rarely as may be. */
function lookOf(key: Key, { rareLooks }: Shape): FleetSettings {
  const p = prng.stream(key, "look");
  if (!prng.chance(p, rareLooks, 100)) return {};
  return { lookMs: 5 * minute };
}

function walletOf(key: Key, i: number, { lifeBlocks, runThemselves }: Shape): WalletSpec {
  const p = prng.stream(key, "wallet", i);
  const own = prng.stream(key, "runs", i);
  const coins = Array.from({ length: prng.between(p, 1, 3) }, () => coinOf(p, lifeBlocks));
  const fundsSat = prng.chance(p, 4, 5) ? 500_000 : prng.below(p, 1_000);
  const autoExit = prng.chance(p, 3, 4);
  const autoClaim = prng.chance(p, 1, 2);
  const hasRounds = prng.chance(p, 2, 3);
  return {
    name: `wallet${i}`, coins, fundsSat, ...(autoExit ? { autoExit } : {}),
    ...(autoClaim ? { autoClaim } : {}), ...(hasRounds ? { hasRounds } : {}),
    ...(prng.chance(own, runThemselves, 100) ? ownOf(own) : {}),
  };
}

/** A program that runs itself: refreshes long after ours would, about then, or before; or alone. */
function ownOf(p: Prng): Partial<WalletSpec> {
  const ownBlocks = prng.pick(p, [12, 20, 28, 34]);
  const noRefresh = prng.chance(p, 1, 4);
  return { runsItself: true, ownBlocks, ...(noRefresh ? { noRefresh } : {}) };
}

function coinOf(p: Prng, lifeBlocks: number): CoinSpec {
  const least = lifeBlocks < 28 ? 1 : 14;
  return {
    sat: prng.between(p, 20_000, 200_000), blocks: prng.between(p, least, lifeBlocks),
    levels: prng.between(p, 1, 3),
  };
}

/** The kinds of this seed, with their weights. */
export function arkKinds(
  key: Key, shape: Shape, wanted: ReadonlyMap<HarmKind, boolean>,
): readonly (readonly [HarmKind, number])[] {
  const p = prng.stream(key, "swarm");
  const out: (readonly [HarmKind, number])[] = [];
  for (const kind of harmKinds) {
    const isOn = prng.chance(p, 1, 2);
    const times = prng.between(p, 1, 4);
    const usual = weightOf(shape, kind);
    const isWanted = wanted.get(kind);
    const weight = (usual === 0 && isWanted === true ? 1 : usual) * times;
    if (weight > 0 && (isWanted ?? isOn)) out.push([kind, weight]);
  }
  return out;
}

/** So many faults within `[0, untilMs)`, in no order. */
export function arkFaults(
  key: Key, count: number, untilMs: number, kinds: readonly (readonly [HarmKind, number])[],
  nodes: readonly NodeSpec[],
): readonly Fault[] {
  if (kinds.length === 0) return [];
  const names = namesOf(nodes);
  const out: Fault[] = [];
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "fault", i);
    const at = prng.below(p, untilMs);
    const harm = harmOf(p, weighted(p, kinds), names);
    if (harm !== undefined) out.push({ id: 1_000 + i, at, ...harm });
  }
  return out;
}

/** Deaths at the moments at which coins are about to move. */
export function arkTriggers(
  key: Key, count: number, kinds: readonly (readonly [HarmKind, number])[],
): readonly Trigger[] {
  const out: Trigger[] = [];
  if (!kinds.some(([kind]) => kind === "crash")) return out;
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "trigger", i);
    const mark = prng.pick(p, ["appended", "synced", "ordered", "ordered"] as const);
    const nth = mark === "ordered" ? prng.between(p, 1, 4) : prng.between(p, 1, 20);
    out.push({
      id: 2_000 + i, on: { mark, node: fleet, nth },
      delayMs: prng.chance(p, 1, 2) ? 0 : prng.below(p, 300), do: crash(p),
    });
  }
  return out;
}

function namesOf(nodes: readonly NodeSpec[]): readonly string[] {
  return nodes.flatMap((one) => (
    one.kind === "fleet" ? one.wallets.map(({ name }) => name) : []
  ));
}

/** Minutes and hours: what is over at once is nothing to those who look every ten minutes. */
function lasting(p: Prng): number {
  return 1_000 + prng.tailed(p, prng.pick(p, [minute, 10 * minute, 30 * minute]));
}

function crash(p: Prng): Harm {
  return {
    kind: "crash", node: fleet, effect: prng.below(p, 5), power: prng.chance(p, 2, 3),
    forMs: 1_000 + prng.tailed(p, 5 * minute),
  };
}

const jumps: readonly number[] = [minute, hour, 24 * hour, 365 * 24 * hour];

function harmOf(p: Prng, kind: HarmKind, names: readonly string[]): Harm | undefined {
  const forMs = lasting(p);
  const wallet = prng.chance(p, 1, 2) ? "*" : prng.pick(p, names);
  switch (kind) {
    case "barkdWrong": {
      const as = prng.pick(p, barkdWrongs);
      const size = as === "slow" ? prng.between(p, 1, 4 * minute)
        : as === "cut" ? prng.below(p, 1_000) : 0;
      return { kind, node: ark, wallet, as, size, forMs };
    }
    case "serverWrong": {
      const as = prng.chance(p, 1, 6) ? "key" : prng.pick(p, serverWrongs);
      const size = as === "slow" ? prng.between(p, 1, 5 * minute)
        : as === "storm" ? prng.between(p, 1, 3) : 0;
      return { kind, node: ark, as, size, forMs };
    }
    case "sourceWrong": {
      const as = prng.chance(p, 1, 3) ? "stale" : prng.pick(p, sourceWrongs);
      const size = as === "slow" ? prng.between(p, 1, minute)
        : as === "backwards" ? prng.between(p, 1, 36) : 0;
      return { kind, node: ark, wallet, as, size, forMs: 1 + prng.below(p, 6 * hour) };
    }
    case "cut": return { kind, link, way: prng.pick<Way>(p, ["both", "there", "back"]), forMs };
    case "refuse": case "hang": return { kind, link, forMs };
    case "slow": return { kind, link, ms: prng.between(p, 1, 20_000), forMs };
    case "crash": return crash(p);
    case "pause": case "diskFull": case "hookDown": return { kind, node: fleet, forMs };
    case "restart": case "diskTorn": return { kind, node: fleet, forMs: 1 + prng.below(p, forMs) };
    case "jump":
      return { kind, node: fleet, ms: prng.pick(p, jumps) * (prng.chance(p, 1, 2) ? 1 : -1) };
    case "drift": return { kind, node: fleet, ppm: prng.between(p, -500, 500), forMs };
    case "diskSlow":
      return { kind, node: fleet, ms: prng.pick(p, [500, 9_000, 300_000]), forMs };
    case "diskFails": return { kind, node: fleet, order: prng.pick(p, diskOrders) };
    case "partition": case "halfOpen": case "narrow": case "lateEnd": case "reset":
    case "lateDial": case "chop": case "stall": case "tor": case "rpcWrong":
      return undefined;
    default: return unreachable(kind);
  }
}

/** What people and blocks do, at most `perHour` times an hour, and what makes faults felt. */
export function arkTasks(
  key: Key, untilMs: number, perHour: number, nodes: readonly NodeSpec[],
  faults: readonly Fault[], lifeBlocks: number,
): readonly Task[] {
  const names = namesOf(nodes);
  const out: Task[] = [];
  const count = prng.below(prng.stream(key, "tasks"), Math.ceil(untilMs / hour) * perHour + 1);
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "task", i);
    const at = prng.below(p, untilMs);
    out.push({ id: 10_000 + i, at, node: ark, ...workOf(p, prng.pick(p, names), lifeBlocks) });
  }
  for (const [i, fault] of faults.entries()) {
    if (fault.kind !== "serverWrong" || fault.at + 1 >= untilMs) continue;
    const work = seenBy(fault.as, names[0] ?? "");
    if (work !== undefined) out.push({ id: 20_000 + i, at: fault.at + 1, node: ark, ...work });
  }
  return out;
}

/** What some troubles need to be noticed. */
export function seenBy(as: ServerWrong, wallet: string): ArkWork | undefined {
  if (as === "key" || as === "oddVersion" || as === "oddNetwork") {
    return { op: "restartProgram", wallet };
  }
  return as === "replayClose" ? { op: "restartServer" } : undefined;
}

function workOf(p: Prng, wallet: string, lifeBlocks: number): Work {
  const simple: ArkWork = prng.pick(p, [
    { op: "restartServer" }, { op: "restartProgram", wallet }, { op: "changeToken", wallet },
  ] as const);
  switch (prng.below(p, 9)) {
    case 0: case 1: {
      const { sat, blocks, levels } = coinOf(p, lifeBlocks);
      return { op: "pay", wallet, sat, blocks, levels };
    }
    case 2: return { op: "deposit", wallet, sat: 100_000 };
    case 3: case 4:
      return { op: "reorg", blocks: prng.between(p, 1, 3), isDropped: prng.chance(p, 1, 2) };
    case 5: return { op: "mine", blocks: prng.between(p, 1, 3) };
    case 6: return { op: "feeRate", rate: prng.between(p, 1, 40) };
    default: return simple;
  }
}
