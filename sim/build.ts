/**
 * Makes a world from a scenario.
 *
 * Rule 1: everything drawn here comes from streams named by what it is for: the seed, the node, the
 * purpose. Adding a node moves no draw of another.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import { defaults, type DirectoryConfig } from "../core/directory/config.ts";
import * as prng from "../core/prng.ts";
import * as chain from "./bot/chain.ts";
import * as bots from "./bot/config.ts";
import type { Host } from "./bot/state.ts";
import * as rows from "./bot/rows.ts";
import * as tors from "./bot/tor.ts";
import * as clocks from "./clocks.ts";
import * as digest from "./digest.ts";
import * as fleets from "./fleet/build.ts";
import * as disk from "./disk.ts";
import { type Item, itemOf } from "./items.ts";
import * as network from "./network.ts";
import * as oracles from "./oracles/oracles.ts";
import { nickFor, onionFor, primitives, pubkeyOf, secretFor } from "./primitives.ts";
import { endOfTimeUs, told } from "./process.ts";
import * as queue from "./queue.ts";
import type {
  BotSpec, DirectorySettings, NodeId, NodeSpec, Scenario, Trigger,
} from "./scenario.ts";
import type { Identity, Kind, Node, Watch, World } from "./world.ts";

/** The wall clock of every machine at the beginning: 2026-01-01. */
const epochMs = 1_767_225_600_000;

/** Directories are up before the others start. */
const headStartUs = 10_000;

/** A world at its beginning: nothing has run. */
export function build(scenario: Scenario, checks: boolean, watch: Watch | undefined): World {
  const key = prng.key(scenario.seed);
  const grounds = groundsOf(key, scenario);
  const nodes = scenario.nodes.map((spec, index) => nodeOf(key, spec, index, scenario, grounds));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const items: queue.Queue<Item> = queue.create(prng.stream(key, "ties"));
  // The network tells the world, and the world holds the network.
  const holder: { world: World | undefined } = { world: undefined };
  const host: network.Host = {
    told: (socket, what) => told(holder.world as World, socket, what),
  };
  const net = network.create(scenario.net, prng.derive(key, "net"), nodes.length, host, items);
  const { phases } = scenario;
  const w: World = {
    scenario, key, primitives, nodes, byId, byAddress: addresses(nodes),
    nicks: nicksOf(nodes), keys: keysOf(nodes), queue: items, net,
    oracles: oracles.create(key, nodes.length, walletsOf(scenario)), digest: digest.create(),
    ready: [], readyAt: 0,
    nowUs: 0, endUs: (phases.faultyMs + phases.convergeMs) * 1_000, steps: 0, checkpoints: [],
    finding: undefined, plan: [...scenario.faults], active: new Map(),
    marked: markedOf(scenario.triggers, byId), healed: false, core: coreOf(scenario, byId),
    fired: new Map(), idle: new Set(), watch, checks,
    untilMerged: prng.below(prng.stream(key, "merged"), 256),
  };
  holder.world = w;
  net.watch = watch?.net;
  plan(w);
  return w;
}

/** What is known from the beginning goes into the queue. */
function plan(w: World): void {
  const { scenario } = w;
  for (const node of w.nodes) {
    const atUs = node.kind === "directory" ? 0 : headStartUs;
    queue.push(w.queue, atUs, { kind: "boot", node: node.index, incarnation: 0 });
  }
  for (const [at, fault] of w.plan.entries()) {
    queue.push(w.queue, fault.at * 1_000, { kind: "begin", at });
  }
  for (const [at, task] of scenario.workload.entries()) {
    queue.push(w.queue, task.at * 1_000, { kind: "task", at });
  }
  if (scenario.phases.convergeMs === 0) return;
  queue.push(w.queue, scenario.phases.faultyMs * 1_000, { kind: "heal", at: 0 });
}

function walletsOf(scenario: Scenario): number {
  let count = 0;
  for (const one of scenario.nodes) if (one.kind === "fleet") count += one.wallets.length;
  return count;
}

/** The chains of a world, by name, each with the bots that ask it. */
function groundsOf(key: prng.Key, scenario: Scenario): ReadonlyMap<NodeId, chain.Ground> {
  const out = new Map<NodeId, chain.Ground>();
  const bots = scenario.nodes.filter((spec) => spec.kind === "bot");
  for (const { id, kind } of scenario.nodes) {
    if (kind !== "chain") continue;
    const own = bots.filter((spec) => chainOf(scenario, spec) === id);
    out.set(id, chain.found(prng.derive(key, "chain", id), own, epochMs));
  }
  return out;
}

/** Whom a bot asks. */
function chainOf(scenario: Scenario, spec: BotSpec): NodeId | undefined {
  const all = scenario.nodes.filter((one) => one.kind === "chain");
  const wanted = all.find((one) => one.id === spec.chain);
  return (wanted ?? all[0])?.id;
}

function nodeOf(
  key: prng.Key, spec: NodeSpec, index: number, scenario: Scenario,
  grounds: ReadonlyMap<NodeId, chain.Ground>,
): Node {
  const own = prng.stream(key, "machine", spec.id);
  const startMs = prng.between(own, 1_000, 1_000_000_000);
  const clock = clocks.create(startMs, epochMs - startMs);
  const identity = identityOf(key, spec, scenario);
  return {
    index, id: spec.id, spec, kind: kindOf(spec), identity,
    config: spec.kind === "directory"
      ? configOf(spec.settings ?? {}, identity.location)
      : undefined,
    clock, costs: prng.stream(key, "costs", spec.id),
    disk: diskOf(key, spec, scenario, grounds), host: hostOf(key, spec, scenario, identity),
    ground: grounds.get(spec.id), fleet: fleets.hostOf(spec, scenario),
    town: fleets.townOf(spec, scenario, epochMs, clock.wallMs),
    kernel: undefined, incarnation: 0, run: itemOf("run", index, 0),
    wake: itemOf("wake", index, 0), entropy: own, inbox: [], inboxAt: 0, isListed: false,
    busyUntilUs: 0, pausedUntilUs: 0, armedUs: endOfTimeUs,
    stalls: spec.kind === "mute" ? 1 : 0,
    crash: undefined, restartMs: undefined, sockets: new Map(), nextConn: 1, marks: new Map(),
    sessions: 0,
  };
}

function diskOf(
  key: prng.Key, spec: NodeSpec, scenario: Scenario, grounds: ReadonlyMap<NodeId, chain.Ground>,
): disk.Disk | undefined {
  if (spec.kind !== "journal" && spec.kind !== "bot" && spec.kind !== "fleet") return undefined;
  const made = disk.create(spec.settings?.diskBytes, prng.stream(key, "disk", spec.id));
  if (spec.kind !== "bot") return made;
  const name = chainOf(scenario, spec);
  const ground = name === undefined ? undefined : grounds.get(name);
  if (ground === undefined || name === undefined) return made;
  disk.hold(made, rows.journalOf(prng.derive(key, "chain", name), spec, ground.drafts, epochMs));
  return made;
}

function hostOf(
  key: prng.Key, spec: NodeSpec, scenario: Scenario, own: Identity,
): Host | undefined {
  if (spec.kind !== "bot" || own.secret === undefined) return undefined;
  const far = scenario.nodes.filter((one) => one.kind === "directory" || one.kind === "trap")
    .filter(({ id }) => spec.directories === undefined || spec.directories.includes(id))
    .map((one) => identityOf(key, one, scenario).location ?? one.id);
  const directories = far.map((to) => ({ to, isolation: "directories", directoryId: to }));
  const name = chainOf(scenario, spec);
  return {
    config: bots.configOf(spec, own.secret, directories), cookie: 0,
    tor: tors.create(),
    chain: scenario.nodes.findIndex(({ id }) => id === name),
  };
}

function kindOf(spec: NodeSpec): Kind {
  switch (spec.kind) {
    case "directory": case "journal": case "bot": case "chain": case "fleet": case "ark":
      return spec.kind;
    case "maker": case "taker": case "watcher": return "peer";
    case "flood": case "squatter": case "drip": case "garbage": case "forger":
    case "mute": case "churn": case "crowd": case "trap":
      return "hostile";
    default: unreachable(spec);
  }
}

/** Twins are one person: they share what the elder has. */
function identityOf(key: prng.Key, spec: NodeSpec, scenario: Scenario): Identity {
  const twin = "twinOf" in spec ? spec.twinOf : undefined;
  const isTwin = twin !== undefined && scenario.nodes.some((one) => one.id === twin);
  const person = isTwin ? twin : spec.id;
  const number = prng.below(prng.stream(key, "person", person), 1_000_000_000);
  const isShown = spec.kind === "directory" || spec.kind === "maker" || spec.kind === "trap";
  const hasKey = ("auth" in spec && spec.auth === true) || spec.kind === "bot";
  return {
    nick: nickFor(number), location: isShown ? onionFor(number) : undefined,
    secret: hasKey ? secretFor(number) : undefined,
  };
}

function addresses(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  for (const node of nodes) {
    const isDialled = node.kind === "directory" || node.spec.kind === "trap";
    if (isDialled) out.set(node.identity.location ?? node.id, node.index);
  }
  return out;
}

function nicksOf(nodes: readonly Node[]): ReadonlyMap<NodeId, string> {
  const honest = nodes.filter((node) => node.kind === "peer" || node.kind === "bot");
  return new Map(honest.map((node) => [node.id, node.identity.nick]));
}

function keysOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const { kind, identity } of nodes) {
    if (kind === "peer" && identity.secret !== undefined) {
      out.set(identity.nick, pubkeyOf(identity.secret));
    }
  }
  return out;
}

function coreOf(scenario: Scenario, byId: ReadonlyMap<NodeId, Node>): ReadonlySet<number> {
  const core = new Set<number>();
  for (const id of scenario.phases.core) {
    const node = byId.get(id);
    if (node !== undefined) core.add(node.index);
  }
  return core;
}

/** Directories and fleets whose marks somebody waits for. */
function markedOf(
  triggers: readonly Trigger[], byId: ReadonlyMap<NodeId, Node>,
): ReadonlySet<number> {
  const out = new Set<number>();
  for (const { on } of triggers) {
    const node = byId.get(on.node);
    if (node?.kind === "directory" || node?.kind === "fleet") out.add(node.index);
  }
  return out;
}

/** The daemon's defaults with a scenario's settings over them. Asserts nothing: the core does. */
export function configOf(s: DirectorySettings, location: string | undefined): DirectoryConfig {
  const d = defaults;
  return {
    ...d, network: "regtest", location: s.location === false ? undefined : location,
    peersMax: s.peersMax ?? d.peersMax, handshakingMax: s.handshakingMax ?? d.handshakingMax,
    handshakeMs: s.handshakeMs ?? d.handshakeMs, lineMs: s.lineMs ?? d.lineMs,
    contestPingMs: s.contestPingMs ?? d.contestPingMs,
    contestMakerMs: s.contestMakerMs ?? d.contestMakerMs, leaveMs: s.leaveMs ?? d.leaveMs,
    peerlistBytesMax: s.peerlistBytesMax ?? d.peerlistBytesMax,
    peerlistLinesPerFlush: s.peerlistLinesPerFlush ?? d.peerlistLinesPerFlush,
    inputBytesTotalMax: s.inputBytesTotalMax ?? d.inputBytesTotalMax,
    logLevel: s.verbose === true ? "debug" : "warn",
    heartbeat: {
      sweepMs: s.sweepMs ?? d.heartbeat.sweepMs, idleMs: s.idleMs ?? d.heartbeat.idleMs,
      hardMs: s.hardMs ?? d.heartbeat.hardMs, pongMs: s.pongMs ?? d.heartbeat.pongMs,
    },
    outbox: {
      ...d.outbox, bytesMax: s.outboxBytesMax ?? d.outbox.bytesMax,
      bytesTotalMax: s.outboxBytesTotalMax ?? d.outbox.bytesTotalMax,
      flushMs: s.flushMs ?? d.outbox.flushMs, flushBytes: s.flushBytes ?? d.outbox.flushBytes,
      congestedMsMax: s.congestedMsMax ?? d.outbox.congestedMsMax,
    },
  };
}
