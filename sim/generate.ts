/**
 * From a profile and a seed to a scenario: which nodes, what they are asked, what befalls them.
 *
 * Rule 1: pure; the same profile, seed and wishes give the same scenario, and each part has streams
 * of its own, named by what it is for.
 * Rule 2: what the scenario says is all there is: a run draws only what the scenario leaves open.
 * @module
 */
import * as prng from "../core/prng.ts";
import type { Key, Prng } from "../core/prng.ts";
import { ambushes, diskTraps } from "./generate/ambush.ts";
import { arkFaults, arkKinds, arkNodes, arkTasks, arkTriggers } from "./generate/arks.ts";
import { castOf, faults, swarm, triggers, weighted, type Cast } from "./generate/faults.ts";
import {
  arkProfiles, hostileWeights, makerProfiles, profiles, shapes, weightOf, type Profile, type Range,
  type Shape,
} from "./generate/profiles.ts";
import { rushes } from "./generate/rush.ts";
import { workload } from "./generate/workload.ts";
import { botOf } from "./generate/bots.ts";
import {
  segmentations, simVersion, trapKinds,
  type DirectorySettings, type Fate, type HarmKind, type HostSpec,
  type Net, type NodeId, type NodeSpec, type PeerSpec, type Phases, type Scenario,
} from "./scenario.ts";

export { arkProfiles, makerProfiles, profiles, shapes, weightOf, type Profile };

/** Kinds of nodes that can be counted. */
export type Crowd = "directories" | "makers" | "takers" | "watchers" | "hostile" | "bots"
  | "wallets";

/** What the command line may want otherwise. */
export type Wishes = {
  /** Fault kinds that must or must not be there. */
  readonly faults: ReadonlyMap<HarmKind, boolean>;
  /** Counts of nodes by kind. */
  readonly nodes: { readonly [kind in Crowd]?: number };
  /** Few nodes, no second phase: looks for crashes and broken invariants only. */
  readonly lite: boolean;
};

export const noWishes: Wishes = { faults: new Map(), nodes: {}, lite: false };

/** The scenario of a seed: `0x` and 16 hex digits. */
export function generate(profile: Profile, seed: string, wishes: Wishes = noWishes): Scenario {
  const shape = shapes[profile];
  const key = prng.derive(prng.key(seed), "scenario", profile);
  const p = prng.stream(key, "shape");
  const faultyMs = minutes(p, shape.faultyMin) + prng.below(p, 60_000);
  if (shape.wallets[1] > 0) return arkScenario(profile, seed, key, faultyMs, wishes);
  const nodes = nodesOf(key, shape, wishes, faultyMs);
  const cast = castOf(nodes);
  const kinds = swarm(key, shape, cast, wishes.faults);
  const [faultCount, triggerCount] = [among(p, shape.faults), among(p, shape.triggers)];
  const isBanned = (kind: HarmKind): boolean => wishes.faults.get(kind) === false;
  const traps = ambushes(key, among(p, shape.ambushes), faultyMs, nodes, cast, isBanned);
  const drawn = faults(key, faultCount, faultyMs, kinds, cast);
  const asked = workload(key, nodes, faultyMs, among(p, shape.tasksPerHour), shape.longBodies);
  const rushed = rushes(key, shape.rushes, faultyMs, nodes, isBanned);
  return {
    simVersion, name: profile, seed, nodes, net: netOf(key, shape), host: hostOf(key, shape),
    workload: inOrder([...asked, ...rushed.tasks]),
    faults: inOrder([...drawn, ...traps.faults, ...rushed.faults]),
    triggers: [
      ...triggers(key, triggerCount, kinds, cast), ...traps.triggers,
      ...diskTraps(key, shape.diskTraps, cast, isBanned),
    ],
    phases: phasesOf(key, nodes, cast, faultyMs, wishes.lite ? 0 : shape.convergeMs),
  };
}

/** Worlds with our Ark daemon. */
function arkScenario(
  profile: Profile, seed: string, key: Key, faultyMs: number, wishes: Wishes,
): Scenario {
  const shape = shapes[profile];
  const p = prng.stream(key, "counts");
  const nodes = arkNodes(key, shape, wishes.lite, wishes.nodes.wallets);
  const kinds = arkKinds(key, shape, wishes.faults);
  const [faultCount, triggerCount] = [among(p, shape.faults), among(p, shape.triggers)];
  const perHour = among(p, shape.tasksPerHour);
  const drawn = arkFaults(key, faultCount, faultyMs, kinds, nodes);
  return {
    simVersion, name: profile, seed, nodes, net: netOf(key, shape), host: hostOf(key, shape),
    workload: inOrder(arkTasks(key, faultyMs, perHour, nodes, drawn, shape.lifeBlocks)),
    faults: inOrder(drawn), triggers: arkTriggers(key, triggerCount, kinds),
    phases: {
      faultyMs, core: nodes.map(({ id }) => id), convergeMs: wishes.lite ? 0 : shape.convergeMs,
      fates: [],
    },
  };
}

function inOrder<T extends { readonly at: number; readonly id: number }>(
  list: readonly T[],
): readonly T[] {
  return [...list].sort((a, b) => a.at - b.at || a.id - b.id);
}

function among(p: Prng, [low, high]: Range): number {
  return prng.between(p, low, high);
}

function minutes(p: Prng, range: Range): number {
  return among(p, range) * 60_000;
}

function nodesOf(
  key: Key, shape: Shape, wishes: Wishes, faultyMs: number,
): readonly NodeSpec[] {
  const p = prng.stream(key, "nodes");
  const wants = (kind: Crowd, range: Range): number => {
    const drawn = among(p, range);
    const most = wishes.lite ? 3 : drawn;
    return wishes.nodes[kind] ?? (drawn < most ? drawn : most);
  };
  const out: NodeSpec[] = [];
  const directories = wants("directories", shape.directories);
  const makers = wants("makers", shape.makers);
  const takers = wants("takers", shape.takers);
  const watchers = wants("watchers", shape.watchers);
  const hostile = wants("hostile", shape.hostile);
  const bots = wants("bots", shape.bots);
  const honest = makers + takers + watchers + bots;
  for (let i = 0; i < directories; i += 1) {
    out.push({ id: `dir${i}`, kind: "directory", settings: settingsOf(key, shape, i, honest) });
  }
  const names = out.map((one) => one.id);
  for (let i = 0; i < makers; i += 1) out.push(peerOf(key, "maker", i, faultyMs, names));
  for (let i = 0; i < takers; i += 1) out.push(peerOf(key, "taker", i, faultyMs, names));
  for (let i = 0; i < watchers; i += 1) out.push(peerOf(key, "watcher", i, faultyMs, names));
  twin(key, shape, out, faultyMs);
  for (let i = 0; i < hostile; i += 1) out.push(hostileOf(key, shape, i, faultyMs));
  for (let i = 0; i < bots; i += 1) out.push(botOf(key, i, faultyMs, names));
  if (bots > 0) out.push({ id: "chain0", kind: "chain" });
  const traps = bots > 0 ? among(prng.stream(key, "traps"), shape.traps) : 0;
  for (let i = 0; i < traps; i += 1) {
    const as = prng.pick(prng.stream(key, "trap", i), trapKinds);
    out.push({ id: `trap${i}`, kind: "trap", as });
  }
  if (isDrawn(key, "journal", shape.journal)) out.push({ id: "log0", kind: "journal" });
  return out;
}

/** So many of a hundred seeds. */
function isDrawn(key: Key, label: string, percent: number): boolean {
  return prng.chance(prng.stream(key, "drawn", label), percent, 100);
}

function peerOf(
  key: Key, kind: PeerSpec["kind"], i: number, faultyMs: number, directories: readonly NodeId[],
): PeerSpec {
  const p = prng.stream(key, kind, i);
  const speaks = prng.chance(p, 2, 3) ? "new" : "old";
  const auth = speaks === "new" && prng.chance(p, 1, 3);
  const isLate = prng.chance(p, 1, 4);
  const joinsAt = isLate ? prng.below(p, faultyMs >> 1) : prng.below(p, 20_000);
  const isChoosy = directories.length > 1 && prng.chance(p, 1, 6);
  return {
    id: `${kind}${i}`, kind, speaks, ...(auth ? { auth } : {}), joinsAt,
    ...(isChoosy ? { directories: [prng.pick(p, directories)] } : {}),
  };
}

/** The same person twice, as after a botched move to another machine. */
function twin(key: Key, shape: Shape, nodes: NodeSpec[], faultyMs: number): void {
  if (!isDrawn(key, "twin", shape.twins)) return;
  const p = prng.stream(key, "twin");
  const makers = nodes.filter((one): one is PeerSpec => one.kind === "maker");
  if (makers.length === 0) return;
  const elder = prng.pick(p, makers);
  nodes.push({ ...elder, id: "twin0", twinOf: elder.id, joinsAt: prng.below(p, faultyMs) });
}

function hostileOf(key: Key, shape: Shape, i: number, faultyMs: number): NodeSpec {
  const p = prng.stream(key, "hostile", i);
  const kind = weighted(p, hostileWeights);
  return {
    id: `${kind}${i}`, kind, joinsAt: prng.below(p, faultyMs >> 1),
    zeal: prng.between(p, 1, shape.zealMax),
  };
}

/** Mostly the defaults; small limits and fast heartbeats in some seeds. */
function settingsOf(key: Key, shape: Shape, i: number, honest: number): DirectorySettings {
  const p = prng.stream(key, "settings", i);
  const isSmall = isDrawn(key, "small", shape.smallLimits);
  const isQuick = isDrawn(key, "quick", shape.quickBeats);
  const quick: DirectorySettings = {
    sweepMs: prng.between(p, 2, 20) * 1_000, idleMs: prng.between(p, 40, 120) * 1_000,
    hardMs: prng.between(p, 150, 400) * 1_000, pongMs: prng.between(p, 3, 30) * 1_000,
  };
  const peersMax = honest + prng.between(p, 0, 6);
  const handshakingMax = prng.between(p, 4, 32);
  const outboxBytesMax = prng.between(p, 80_000, 200_000);
  const small: DirectorySettings = {
    peersMax, handshakingMax, outboxBytesMax,
    // Two readers that are stuck reach it.
    outboxBytesTotalMax: outboxBytesMax + (prng.between(p, 200_000, 2_000_000) >> 4),
    congestedMsMax: prng.between(p, 5, 60) * 1_000, inputBytesTotalMax: 90_000,
    peerlistBytesMax: prng.between(p, 200, 2_000), peerlistLinesPerFlush: prng.between(p, 1, 4),
    flushMs: prng.between(p, 1, 50), leaveMs: prng.between(p, 1, 5_000),
  };
  const location = prng.chance(p, 1, 6) ? { location: false } : {};
  const verbose = prng.chance(p, 1, 6) ? { verbose: true } : {};
  const tight = isDrawn(key, "tight", shape.tightQueues) ? tightOf(key, i) : {};
  return {
    ...(isSmall ? small : {}), ...(isQuick ? quick : {}), ...location, ...verbose, ...tight,
  };
}

/** All queues together hold little more than one of them may. */
function tightOf(key: Key, i: number): DirectorySettings {
  const p = prng.stream(key, "tight", i);
  const outboxBytesMax = prng.between(p, 80_000, 120_000);
  return {
    outboxBytesMax, outboxBytesTotalMax: outboxBytesMax + prng.between(p, 1_000, 40_000),
    flushBytes: prng.between(p, 1_024, 8_192), flushMs: prng.between(p, 1, 50),
    congestedMsMax: prng.between(p, 10, 60) * 1_000,
  };
}

function netOf(key: Key, shape: Shape): Net {
  const p = prng.stream(key, "net");
  const isSmall = isDrawn(key, "buffers", shape.smallBuffers);
  const isOdd = isDrawn(key, "segments", shape.oddSegments);
  const latencyMinUs = prng.pick(p, [200, 5_000, 40_000, 150_000]);
  return {
    latencyMinUs, latencyMeanUs: latencyMinUs + prng.pick(p, [100, 5_000, 60_000, 300_000]),
    segment: isOdd ? prng.pick(p, segmentations) : "whole",
    sendBufferBytes: isSmall ? prng.between(p, 2_048, 16_384) : 87_040,
    receiveBufferBytes: isSmall ? prng.between(p, 2_048, 16_384) : 131_072,
  };
}

function hostOf(key: Key, shape: Shape): HostSpec {
  const p = prng.stream(key, "host");
  const isSlow = isDrawn(key, "slowHosts", shape.slowHosts);
  return isSlow
    ? { stepUs: prng.between(p, 50, 3_000), effectUs: prng.between(p, 5, 300), timerLateUs: 20_000 }
    : { stepUs: 20, effectUs: 3, timerLateUs: 1_200 };
}

/** A random core that can work: a directory at least, and some peers of different persons. */
function phasesOf(
  key: Key, nodes: readonly NodeSpec[], cast: Cast, faultyMs: number, convergeMs: number,
): Phases {
  const p = prng.stream(key, "core");
  const kept = cast.directories.filter(() => prng.chance(p, 2, 3));
  const core: NodeId[] = kept.length > 0 ? [...kept] : [prng.pick(p, cast.directories)];
  const persons = new Set<NodeId>();
  const fates: { node: NodeId; fate: Fate }[] = [];
  for (const spec of nodes) {
    if (spec.kind === "directory" || spec.kind === "journal") continue;
    if (spec.kind === "chain") continue;
    const isHonest = "speaks" in spec || spec.kind === "bot";
    const person = "speaks" in spec ? spec.twinOf ?? spec.id : spec.id;
    const isCore = isHonest && prng.chance(p, 4, 5) && !persons.has(person);
    if (isCore) {
      persons.add(person);
      core.push(spec.id);
      continue;
    }
    const fate = fateOf(p, spec);
    if (fate !== "cut") fates.push({ node: spec.id, fate });
  }
  core.push(...cast.journals, ...cast.chains);
  return { faultyMs, core, convergeMs, fates };
}

/** A squatter may hold a nick of the core for good: by design it goes with the heal. */
function fateOf(p: Prng, spec: NodeSpec): Fate {
  const drawn = prng.pick<Fate>(p, ["cut", "silent", "dead", "free", "free", "free"]);
  const isHonest = "speaks" in spec || spec.kind === "bot";
  const mayStay = spec.kind !== "squatter" && !isHonest;
  return drawn === "free" && !mayStay ? "cut" : drawn;
}
