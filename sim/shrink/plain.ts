/**
 * Everything else that can be made boring: what comes after the failure, nodes, names, the network,
 * the costs of hosts, phases, and faults that overlap.
 * @module
 */
import type { WalletSpec } from "../fleet/spec.ts";
import type { Fault, FleetSpec, NodeId, NodeSpec, Phases, Scenario } from "../scenario.ts";
import { text } from "../canonical.ts";
import {
  entryCount, renamed, replaced, without, withoutEntries, withoutIds, withoutNodes, withoutWallets,
} from "./edit.ts";
import type { Best, Choice, Lists } from "./pass.ts";

const minute = 60_000;
const second = 1_000;
const bufferBytes = 65_536;

/** Ends the run where it failed and drops what comes later, and what did nothing. */
export function truncate(best: Best): Choice[] {
  const finding = best.outcome.finding;
  if (finding === undefined) return [];
  const s = best.scenario;
  const atMs = Math.ceil(finding.atUs / 1_000);
  const idle = best.outcome.idle;
  return [
    () => endedAt(withoutIds(earlyOnly(s, atMs), idle), atMs, minute),
    () => endedAt(earlyOnly(s, atMs), atMs, second),
    () => earlyOnly(s, atMs),
    () => withoutIds(s, idle),
  ];
}

function earlyOnly(s: Scenario, atMs: number): Scenario {
  return {
    ...s,
    workload: s.workload.filter((task) => task.at <= atMs),
    faults: s.faults.filter((fault) => fault.at <= atMs),
  };
}

function endedAt(s: Scenario, atMs: number, unit: number): Scenario {
  const { faultyMs, convergeMs } = s.phases;
  if (atMs <= faultyMs) {
    const soonMs = roundedUp(atMs, unit);
    const phases: Phases = {
      faultyMs: soonMs < faultyMs ? soonMs : faultyMs, convergeMs: 0, core: [], fates: [],
    };
    return { ...s, phases };
  }
  const leftMs = roundedUp(atMs - faultyMs, unit);
  return { ...s, phases: { ...s.phases, convergeMs: leftMs < convergeMs ? leftMs : convergeMs } };
}

function roundedUp(ms: number, unit: number): number {
  return Math.ceil(ms / unit) * unit;
}

/** All tasks, all triggers, all faults. */
export function groups(best: Best): Choice[] {
  const s = best.scenario;
  return [
    () => ({ ...s, workload: [], triggers: [], faults: [] }),
    () => ({ ...s, workload: [] }),
    () => ({ ...s, triggers: [] }),
    () => ({ ...s, faults: [] }),
  ];
}

/** All entries as one list. */
export const entries: Lists = {
  count: (best, list) => (list === 0 ? entryCount(best.scenario) : undefined),
  least: () => 0,
  without: (best, _, from, to) => withoutEntries(best.scenario, from, to),
};

/** The least needed last, so that lone directories come when their peers are gone. */
const roles: readonly ((node: NodeSpec) => boolean)[] = [
  isHostile,
  (node) => node.kind === "watcher",
  (node) => node.kind === "taker",
  (node) => node.kind === "maker",
  (node) => node.kind === "bot",
  (node) => node.kind === "fleet",
  isServer,
];

function isServer({ kind }: NodeSpec): boolean {
  return kind === "directory" || kind === "journal" || kind === "chain" || kind === "ark";
}

function isHostile(node: NodeSpec): boolean {
  const { kind } = node;
  if (kind === "bot" || kind === "fleet" || isServer(node)) return false;
  return kind !== "watcher" && kind !== "taker" && kind !== "maker";
}

/** The nodes of each role as a list; one server stays. */
export const topology: Lists = {
  count: (best, list) => (list < roles.length ? members(best, list).length : undefined),
  least: (_, list) => (list === roles.length - 1 ? 1 : 0),
  without: (best, list, from, to) =>
    withoutNodes(best.scenario, members(best, list).slice(from, to)),
};

function members(best: Best, list: number): NodeId[] {
  const role = roles[list];
  if (role === undefined) return [];
  return best.scenario.nodes.filter(role).map((node) => node.id);
}

/** The wallets of each fleet as a list; one stays. What has fewer of them is run sooner. */
export const wallets: Lists = {
  count: (best, list) => fleetsOf(best)[list]?.wallets.length,
  least: () => 1,
  without: (best, list, from, to) => {
    const fleet = fleetsOf(best)[list];
    if (fleet === undefined) return best.scenario;
    const gone = fleet.wallets.slice(from, to).map(({ name }) => name);
    return withoutWallets(best.scenario, fleet.id, gone);
  },
};

function fleetsOf({ scenario: { nodes } }: Best): FleetSpec[] {
  return nodes.filter((node) => node.kind === "fleet");
}

/** Small numbers in the names of nodes and entries; fewer of them at a time when all fail. */
export function rename(best: Best): Choice[] {
  const s = best.scenario;
  const names = smallNames(s);
  const one = [...names].map(([from, to]) => () => renamed(s, new Map([[from, to]])));
  return [
    () => numbered(renamed(s, names)), () => numbered(s), () => renamed(s, names),
    ...one,
  ];
}

/** Names that change: `maker17` becomes `maker1`; a free number is taken, so none are swapped. */
function smallNames(s: Scenario): Map<NodeId, NodeId> {
  const taken = new Set(s.nodes.map((node) => node.id));
  const names = new Map<NodeId, NodeId>();
  for (const node of s.nodes) {
    const parts = /^([A-Za-z]+)([0-9]+)$/.exec(node.id);
    if (parts === null) continue;
    const [, stem = "", digits = ""] = parts;
    const number = Number(digits);
    for (let n = stem === "dir" ? 0 : 1; n < number; n += 1) {
      const name = `${stem}${n}`;
      if (taken.has(name)) continue;
      taken.delete(node.id);
      taken.add(name);
      names.set(node.id, name);
      break;
    }
  }
  return names;
}

/** In the order of time, with ids from 1, faults first: reports call them by these. */
function numbered(s: Scenario): Scenario {
  const triggersAt = s.faults.length;
  const tasksAt = triggersAt + s.triggers.length;
  return {
    ...s,
    faults: inTime(s.faults).map((fault, i) => ({ ...fault, id: i + 1 })),
    triggers: s.triggers.map((trigger, i) => ({ ...trigger, id: triggersAt + i + 1 })),
    workload: inTime(s.workload).map((task, i) => ({ ...task, id: tasksAt + i + 1 })),
  };
}

function inTime<E extends { readonly at: number; readonly id: number }>(list: readonly E[]): E[] {
  return list.toSorted((a, b) => a.at - b.at || a.id - b.id);
}

/** Constant latency, whole writes, hosts that cost nothing: all at once, then one at a time. */
export function noise(best: Best): Choice[] {
  const s = best.scenario;
  const { latencyMinUs } = s.net;
  const host = { stepUs: 0, effectUs: 0, timerLateUs: 0 };
  const net = { ...s.net, latencyMeanUs: latencyMinUs, segment: "whole" as const };
  return [
    () => ({ ...s, net, host }),
    () => ({ ...s, host }),
    () => ({ ...s, net: { ...s.net, segment: "whole" } }),
    () => ({ ...s, net: { ...s.net, latencyMeanUs: latencyMinUs } }),
    () => ({ ...s, host: { ...s.host, stepUs: 0 } }),
    () => ({ ...s, host: { ...s.host, effectUs: 0 } }),
    () => ({ ...s, host: { ...s.host, timerLateUs: 0 } }),
    () => ({ ...s, net: { ...s.net, sendBufferBytes: bufferBytes } }),
    () => ({ ...s, net: { ...s.net, receiveBufferBytes: bufferBytes } }),
  ];
}

const peculiarities = [
  "settings", "auth", "twinOf", "directories", "joinsAt", "zeal",
] as const;

/** Nodes without what sets them apart, and a heal of fewer. */
export function plainer(best: Best): Choice[] {
  const s = best.scenario;
  const { core, fates } = s.phases;
  const phases = (by: Partial<Phases>): Choice => () => ({ ...s, phases: { ...s.phases, ...by } });
  return [
    () => ({ ...s, nodes: s.nodes.map(plainNode) }),
    ...s.nodes.flatMap((node, i) => plainerNodes(node).map((plain) => () =>
      ({ ...s, nodes: replaced(s.nodes, i, plain) }))),
    phases({ fates: [] }),
    ...fates.map((_, i) => phases({ fates: fates.filter((__, at) => at !== i) })),
    ...core.map((id) => phases({ core: core.filter((other) => other !== id) })),
  ];
}

function plainNode(node: NodeSpec): NodeSpec {
  return peculiarities.reduce((left, name) => without(left, name), node);
}

const wishes = [
  "autoExit", "autoClaim", "hasRounds", "runsItself", "ownBlocks", "noRefresh",
] as const;

/** A fleet with one VTXO less, or with a plainer wallet. */
function plainerFleets(node: FleetSpec): NodeSpec[] {
  const { wallets } = node;
  const out: NodeSpec[] = peculiarities.filter((name) => name in node)
    .map((name) => without(node, name));
  for (const [i, wallet] of wallets.entries()) {
    const put = (one: WalletSpec): void => {
      out.push({ ...node, wallets: replaced(wallets, i, one) });
    };
    const { coins } = wallet;
    for (const at of coins.keys()) put({ ...wallet, coins: coins.filter((_, k) => k !== at) });
    if (wallet.fundsSat > 0) put({ ...wallet, fundsSat: 0 });
    for (const name of wishes) {
      if (name in wallet) put(without(wallet, name));
    }
  }
  return out;
}

function plainerNodes(node: NodeSpec): NodeSpec[] {
  if (node.kind === "fleet") return plainerFleets(node);
  const whole = peculiarities.filter((name) => name in node).map((name) => without(node, name));
  const settings = "settings" in node ? node.settings : undefined;
  if (settings === undefined) return whole;
  const keys = Object.keys(settings);
  if (keys.length < 2) return whole;
  const less = (key: string): NodeSpec =>
    ({ ...node, settings: without(settings, key) }) as NodeSpec;
  return [...whole, ...keys.map(less)];
}

/** Two faults of one kind at one place become one that lasts from the first to the last. */
export function merge(best: Best): Choice[] {
  const s = best.scenario;
  return s.faults.flatMap((fault, i) =>
    s.faults.slice(i + 1).flatMap((other, k) =>
      alike(fault, other) ? [() => merged(s, i, i + 1 + k)] : []));
}

function alike(a: Fault, b: Fault): boolean {
  return "forMs" in a && "forMs" in b && placeText(a) === placeText(b);
}

function placeText(fault: Fault): string {
  return text(without(without(without(fault, "id"), "at"), "forMs"));
}

function merged(s: Scenario, i: number, k: number): Scenario {
  const a = s.faults[i];
  const b = s.faults[k];
  if (a === undefined || b === undefined || !("forMs" in a) || !("forMs" in b)) return s;
  const at = a.at < b.at ? a.at : b.at;
  const endsAt = a.at + a.forMs > b.at + b.forMs ? a.at + a.forMs : b.at + b.forMs;
  const faults = replaced(s.faults, i, { ...a, at, forMs: endsAt - at });
  return { ...s, faults: faults.filter((_, at_) => at_ !== k) };
}

/** Up to so many entries, each two are taken out together. */
const pairsMax = 6;

/** Entries that are only needed because of each other. */
export function pairs(best: Best): Choice[] {
  const s = best.scenario;
  const ids = [...s.faults, ...s.triggers, ...s.workload].map((entry) => entry.id);
  if (ids.length > pairsMax) return [];
  return ids.flatMap((id, i) => ids.slice(i + 1).map((other) => () => withoutIds(s, [id, other])));
}
