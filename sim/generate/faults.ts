/**
 * Draws faults and triggers for a world.
 *
 * Rule 1: swarm. Each seed draws which kinds it has at all, so that some worlds have one kind many
 * times and others a few of all.
 * Rule 2: half of the faults crowd around a few moments, because what breaks things is two at once.
 * Rule 3: durations are drawn by size: an instant of the network, of a handshake, of a heartbeat.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as prng from "../../core/prng.ts";
import type { Key, Prng } from "../../core/prng.ts";
import {
  arkHarms, botHarms, diskOrders, harmKinds, rpcWrongs, segmentations,
  type Fault, type Harm, type HarmKind, type Link, type Mark,
  type NodeId, type NodeSpec, type Trigger, type Way,
} from "../scenario.ts";
import { weightOf, type Shape } from "./profiles.ts";

/** Who there is, by what can happen to them. */
export type Cast = {
  readonly directories: readonly NodeId[];
  readonly peers: readonly NodeId[];
  readonly all: readonly NodeId[];
  readonly journals: readonly NodeId[];
  readonly bots: readonly NodeId[];
  readonly chains: readonly NodeId[];
  /** Who has a disk. */
  readonly disks: readonly NodeId[];
};

/** Who is dialled, asked, or alone. */
const servers: readonly NodeSpec["kind"][] = ["directory", "journal", "chain", "trap"];

export function castOf(nodes: readonly NodeSpec[]): Cast {
  const of = (wants: (spec: NodeSpec) => boolean): readonly NodeId[] =>
    nodes.filter(wants).map((spec) => spec.id);
  return {
    directories: of((spec) => spec.kind === "directory"),
    peers: of(({ kind }) => !servers.includes(kind)),
    all: of((spec) => spec.kind !== "journal"),
    journals: of((spec) => spec.kind === "journal"),
    bots: of((spec) => spec.kind === "bot"),
    chains: of((spec) => spec.kind === "chain"),
    disks: of((spec) => spec.kind === "journal" || spec.kind === "bot"),
  };
}

const diskKinds: readonly HarmKind[] = ["diskSlow", "diskFull", "diskTorn"];

/** The kinds of this seed, with their weights. `wanted` of the command line goes first. */
export function swarm(
  key: Key, shape: Shape, cast: Cast, wanted: ReadonlyMap<HarmKind, boolean>,
): readonly (readonly [HarmKind, number])[] {
  const p = prng.stream(key, "swarm");
  const out: (readonly [HarmKind, number])[] = [];
  for (const kind of harmKinds) {
    const isOn = prng.chance(p, 1, 2);
    const times = prng.between(p, 1, 4);
    const isWanted = wanted.get(kind);
    const usual = weightOf(shape, kind);
    const weight = (usual === 0 && isWanted === true ? 1 : usual) * times;
    if (weight === 0 || (kind === "diskFails" && cast.journals.length === 0)) continue;
    if (arkHarms.has(kind)) continue;
    if (diskKinds.includes(kind) && cast.disks.length === 0) continue;
    if (botHarms.has(kind) && (cast.bots.length === 0 || cast.chains.length === 0)) continue;
    if (isWanted ?? isOn) out.push([kind, weight]);
  }
  return out;
}

/** So many faults within `[0, untilMs)`, in no order. Each entry has a stream of its own. */
export function faults(
  key: Key, count: number, untilMs: number, kinds: readonly (readonly [HarmKind, number])[],
  cast: Cast,
): readonly Fault[] {
  if (kinds.length === 0) return [];
  const hot = hotMoments(key, untilMs);
  const out: Fault[] = [];
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "fault", i);
    const isHot = prng.chance(p, 1, 2);
    const at = isHot
      ? clamp(prng.pick(p, hot) + prng.between(p, -5_000, 30_000), untilMs)
      : prng.below(p, untilMs);
    const harm = harmOf(p, weighted(p, kinds), cast);
    if (harm !== undefined) out.push({ id: 1_000 + i, at, ...harm });
  }
  return out;
}

function hotMoments(key: Key, untilMs: number): readonly number[] {
  const p = prng.stream(key, "hot");
  const out: number[] = [];
  for (let i = prng.between(p, 1, 4); i > 0; i -= 1) out.push(prng.below(p, untilMs));
  return out;
}

/** An instant of the faulty phase: the nearest to `at`. */
export function clamp(at: number, untilMs: number): number {
  if (at < 0) return 0;
  return at < untilMs ? at : untilMs - 1;
}

/** One of a list that is not empty, as likely as it weighs. */
export function weighted<T>(p: Prng, list: readonly (readonly [T, number])[]): T {
  let total = 0;
  for (const [, weight] of list) total += weight;
  let draw = prng.below(p, total);
  for (const [item, weight] of list) {
    if (draw < weight) return item;
    draw -= weight;
  }
  return (list[0] as readonly [T, number])[0];
}

/** Durations by size, in ms. */
function lasting(p: Prng): number {
  switch (prng.below(p, 5)) {
    case 0: return prng.between(p, 1, 500);
    case 1: return prng.between(p, 500, 35_000);
    case 2: return prng.between(p, 10_000, 120_000);
    case 3: return prng.between(p, 120_000, 720_000);
    default: return prng.between(p, 600_000, 1_900_000);
  }
}

function short(p: Prng): number {
  return prng.chance(p, 2, 3) ? prng.between(p, 10, 5_000) : prng.between(p, 1_000, 90_000);
}

function wayOf(p: Prng): Way {
  return prng.pick(p, ["both", "both", "there", "back"]);
}

function linkOf(p: Prng, cast: Cast): Link {
  if (prng.chance(p, 1, 8)) return [prng.pick(p, cast.all), "*"];
  if (cast.chains.length > 0 && cast.bots.length > 0 && prng.chance(p, 1, 4)) {
    return [prng.pick(p, cast.bots), prng.pick(p, cast.chains)];
  }
  return [prng.pick(p, cast.peers), prng.pick(p, cast.directories)];
}

/** A directory one time in three, else a peer. */
function someone(p: Prng, cast: Cast): NodeId {
  if (cast.bots.length > 0 && prng.chance(p, 1, 2)) {
    const isChain = cast.chains.length > 0 && prng.chance(p, 1, 3);
    return isChain ? prng.pick(p, cast.chains) : prng.pick(p, cast.bots);
  }
  return prng.chance(p, 1, 3) ? prng.pick(p, cast.directories) : prng.pick(p, cast.peers);
}

const jumps: readonly number[] = [1_000, 61_000, 600_000, 3_600_000, 86_400_000, 30 * 86_400_000];

function harmOf(p: Prng, kind: HarmKind, cast: Cast): Harm | undefined {
  const forMs = lasting(p);
  const link = linkOf(p, cast);
  switch (kind) {
    case "cut": return { kind, link, way: wayOf(p), forMs };
    case "partition": {
      const side = cast.all.filter(() => prng.chance(p, 1, 3));
      return side.length === 0 ? undefined : { kind, side, way: wayOf(p), forMs };
    }
    case "halfOpen": return { kind, link, way: wayOf(p), forMs: prng.chance(p, 1, 2) ? forMs : 0 };
    case "slow": return { kind, link, ms: prng.between(p, 1, 20_000), forMs };
    case "narrow": return { kind, link, bytesPerSec: 1 << prng.between(p, 6, 17), forMs };
    case "lateEnd": return { kind, link, ms: lasting(p), forMs };
    case "reset": return { kind, link };
    case "refuse": case "hang": return { kind, link, forMs };
    case "lateDial": return { kind, link, ms: prng.between(p, 10, 60_000), forMs };
    case "chop": return { kind, link, as: prng.pick(p, segmentations), forMs };
    case "stall": case "pause": case "crash": case "restart": case "jump": case "drift":
    case "diskSlow": case "diskFull": case "diskTorn": return nodeHarm(p, kind, cast, forMs);
    case "diskFails": return failing(p, cast);
    case "tor": case "hookDown": return { kind, node: prng.pick(p, cast.bots), forMs };
    case "rpcWrong":
      return { kind, node: prng.pick(p, cast.chains), as: prng.pick(p, rpcWrongs), forMs };
    // Nobody here has an Ark: `arks.ts` draws for those who do.
    case "barkdWrong": case "serverWrong": case "sourceWrong": return undefined;
    default: unreachable(kind);
  }
}

/** Syncs above all: what a failed one was about is seen, and on no disk. */
export function failing(p: Prng, cast: Cast): Harm {
  const order = prng.chance(p, 1, 2) ? "sync" : prng.pick(p, diskOrders);
  return { kind: "diskFails", node: prng.pick(p, cast.journals), order };
}

function nodeHarm(
  p: Prng, kind: Exclude<HarmKind, "cut" | "partition" | "halfOpen" | "slow" | "narrow" |
    "lateEnd" | "reset" | "refuse" | "hang" | "lateDial" | "chop" | "tor" | "rpcWrong" |
    "hookDown" | "diskFails" | "barkdWrong" | "serverWrong" | "sourceWrong">,
  cast: Cast, forMs: number,
): Harm | undefined {
  const node = someone(p, cast);
  switch (kind) {
    case "stall": return { kind, node: prng.pick(p, cast.peers), forMs };
    case "pause": return { kind, node, forMs };
    case "crash": {
      const isJournal = cast.journals.length > 0 && prng.chance(p, 1, 4);
      return {
        kind, node: isJournal ? prng.pick(p, cast.journals) : node,
        effect: prng.below(p, 5), power: prng.chance(p, 1, 2), forMs: short(p),
      };
    }
    case "restart": return { kind, node, forMs: short(p) };
    case "jump": return { kind, node, ms: prng.pick(p, jumps) * (prng.chance(p, 1, 2) ? 1 : -1) };
    case "drift": return { kind, node, ppm: prng.between(p, -50_000, 50_000), forMs };
    case "diskSlow":
      return { kind, node: prng.pick(p, cast.disks), ms: prng.between(p, 1, 30_000), forMs };
    case "diskFull": return { kind, node: prng.pick(p, cast.disks), forMs };
    case "diskTorn": return { kind, node: prng.pick(p, cast.disks), forMs: short(p) };
    default: unreachable(kind);
  }
}

const peerMarks: readonly Mark[] = [
  "dial", "hello.sent", "proof.sent", "registered", "pong.sent", "closed",
];
const directoryMarks: readonly Mark[] = [
  "welcome.sent", "ping.sent", "list.sent", "evicted", "closed", "congested",
];

/** Faults that wait for a moment of the protocol. */
export function triggers(
  key: Key, count: number, kinds: readonly (readonly [HarmKind, number])[], cast: Cast,
): readonly Trigger[] {
  if (kinds.length === 0) return [];
  const out: Trigger[] = [];
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "trigger", i);
    const isPeer = prng.chance(p, 2, 3);
    const node = isPeer ? prng.pick(p, cast.peers) : prng.pick(p, cast.directories);
    const mark = prng.pick(p, isPeer ? peerMarks : directoryMarks);
    const nth = prng.chance(p, 1, 2) ? 1 : prng.between(p, 2, 12);
    const delayMs = prng.chance(p, 1, 2) ? 0 : prng.below(p, 1_000);
    const harm = harmOf(p, weighted(p, kinds), cast);
    if (harm !== undefined) {
      out.push({ id: 2_000 + i, on: { mark, node, nth }, delayMs, do: harm });
    }
  }
  return out;
}
