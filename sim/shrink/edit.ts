/**
 * Edits of a scenario: every one gives a new value and leaves the old one alone.
 *
 * Rule 1: what names a node that is taken out goes with it, so that no entry is left that does
 * nothing.
 * Rule 2: entries are tasks, triggers and faults, counted in that order.
 * @module
 */
import type { Fault, Harm, Link, NodeId, NodeSpec, Scenario, Task, Trigger } from "../scenario.ts";

/** How many entries there are. */
export function entryCount(s: Scenario): number {
  return s.workload.length + s.triggers.length + s.faults.length;
}

/** Without the entries from `from` up to and without `to`. */
export function withoutEntries(s: Scenario, from: number, to: number): Scenario {
  const keep = (index: number): boolean => index < from || index >= to;
  const triggersAt = s.workload.length;
  const faultsAt = triggersAt + s.triggers.length;
  return {
    ...s,
    workload: s.workload.filter((_, i) => keep(i)),
    triggers: s.triggers.filter((_, i) => keep(triggersAt + i)),
    faults: s.faults.filter((_, i) => keep(faultsAt + i)),
  };
}

/** Without the entries of these ids. */
export function withoutIds(s: Scenario, ids: readonly number[]): Scenario {
  const kept = (entry: { readonly id: number }): boolean => !ids.includes(entry.id);
  return {
    ...s,
    workload: s.workload.filter(kept), triggers: s.triggers.filter(kept),
    faults: s.faults.filter(kept),
  };
}

/** The same object without one of its fields. */
export function without<T extends object>(from: T, name: string): T {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name)) as T;
}

/** One item of a list replaced. */
export function replaced<T>(list: readonly T[], index: number, by: T): T[] {
  return list.map((item, i) => (i === index ? by : item));
}

/** Without some nodes and everything that names them. */
export function withoutNodes(s: Scenario, gone: readonly NodeId[]): Scenario {
  const stays = (id: NodeId): boolean => !gone.includes(id);
  return {
    ...s,
    nodes: s.nodes.filter((node) => stays(node.id)).map((node) => forgetful(node, stays)),
    workload: s.workload.filter((task) => taskStays(task, stays)),
    triggers: present(s.triggers.map((trigger) => triggerLeft(trigger, stays))),
    faults: present(s.faults.map((fault) => harmLeft(fault, stays))),
    phases: {
      ...s.phases,
      core: s.phases.core.filter(stays),
      fates: s.phases.fates.filter((fate) => stays(fate.node)),
    },
  };
}

/** Without some wallets of a fleet, and what is done to them alone. */
export function withoutWallets(s: Scenario, fleet: NodeId, gone: readonly string[]): Scenario {
  const isGone = (one: object): boolean => (
    "wallet" in one && typeof one.wallet === "string" && gone.includes(one.wallet)
  );
  return {
    ...s,
    nodes: s.nodes.map((node) => (node.id !== fleet || node.kind !== "fleet" ? node
      : { ...node, wallets: node.wallets.filter(({ name }) => !gone.includes(name)) })),
    workload: s.workload.filter((task) => !isGone(task)),
    triggers: s.triggers.filter((trigger) => !isGone(trigger.do)),
    faults: s.faults.filter((fault) => !isGone(fault)),
  };
}

type Stays = (id: NodeId) => boolean;

function forgetful(node: NodeSpec, stays: Stays): NodeSpec {
  let left = node;
  if ("twinOf" in left && left.twinOf !== undefined && !stays(left.twinOf)) {
    left = without(left, "twinOf");
  }
  if ("directories" in left && left.directories !== undefined) {
    const directories = left.directories.filter(stays);
    if (directories.length < left.directories.length) left = { ...left, directories };
  }
  return left;
}

function taskStays(task: Task, stays: Stays): boolean {
  return stays(task.node) && (task.op !== "fill" || stays(task.maker));
}

function triggerLeft(trigger: Trigger, stays: Stays): Trigger | undefined {
  if (!stays(trigger.on.node)) return undefined;
  const harm = harmLeft(trigger.do, stays);
  return harm === undefined ? undefined : { ...trigger, do: harm };
}

function harmLeft<H extends Harm>(harm: H, stays: Stays): H | undefined {
  if ("link" in harm) return linkStays(harm.link, stays) ? harm : undefined;
  if ("side" in harm) {
    const side = harm.side.filter(stays);
    return side.length === 0 ? undefined : { ...harm, side };
  }
  return stays(harm.node) ? harm : undefined;
}

function linkStays(link: Link, stays: Stays): boolean {
  return stays(link[0]) && (link[1] === "*" || stays(link[1]));
}

function present<T>(list: readonly (T | undefined)[]): T[] {
  return list.filter((item) => item !== undefined);
}

/** The nodes that a harm names; `*` is left out. */
export function nodesOf(harm: Harm): NodeId[] {
  if ("link" in harm) return harm.link.filter((id) => id !== "*");
  return "side" in harm ? harm.side.slice() : [harm.node];
}

/** With other names for nodes; those that the map lacks keep theirs. */
export function renamed(s: Scenario, names: ReadonlyMap<NodeId, NodeId>): Scenario {
  const name = (id: NodeId): NodeId => names.get(id) ?? id;
  return {
    ...s,
    nodes: s.nodes.map((node) => renamedNode(node, name)),
    workload: s.workload.map((task) => renamedTask(task, name)),
    triggers: s.triggers.map((trigger) => ({
      ...trigger,
      on: { ...trigger.on, node: name(trigger.on.node) },
      do: renamedHarm(trigger.do, name),
    })),
    faults: s.faults.map((fault) => renamedHarm(fault, name)),
    phases: {
      ...s.phases,
      core: s.phases.core.map(name),
      fates: s.phases.fates.map((fate) => ({ ...fate, node: name(fate.node) })),
    },
  };
}

type Name = (id: NodeId) => NodeId;

function renamedNode(node: NodeSpec, name: Name): NodeSpec {
  let left: NodeSpec = { ...node, id: name(node.id) };
  if ("twinOf" in left && left.twinOf !== undefined) {
    left = { ...left, twinOf: name(left.twinOf) };
  }
  if ("directories" in left && left.directories !== undefined) {
    left = { ...left, directories: left.directories.map(name) };
  }
  if ("chain" in left && left.chain !== undefined) left = { ...left, chain: name(left.chain) };
  if ("ark" in left && left.ark !== undefined) left = { ...left, ark: name(left.ark) };
  return left;
}

function renamedTask(task: Task, name: Name): Task {
  const left = { ...task, node: name(task.node) };
  if (left.op === "fill") return { ...left, maker: name(left.maker) };
  return "bot" in left ? { ...left, bot: name(left.bot) } : left;
}

function renamedHarm<H extends Harm>(harm: H, name: Name): H {
  if ("link" in harm) {
    const far = harm.link[1] === "*" ? "*" : name(harm.link[1]);
    return { ...harm, link: [name(harm.link[0]), far] };
  }
  if ("side" in harm) return { ...harm, side: harm.side.map(name) };
  return { ...harm, node: name(harm.node) };
}

/** Where an entry's instant can be moved: tasks and faults, in this order. */
export function timedCount(s: Scenario): number {
  return s.workload.length + s.faults.length;
}

/** The instants of tasks and faults, in this order. */
export function timesOf(s: Scenario): number[] {
  return [...s.workload.map((task) => task.at), ...s.faults.map((fault) => fault.at)];
}

/** Some of the tasks and faults `ms` earlier, never before 0. */
export function earlier(s: Scenario, which: (index: number) => boolean, ms: number): Scenario {
  const move = <E extends Task | Fault>(entry: E, index: number): E =>
    which(index) ? { ...entry, at: entry.at < ms ? 0 : entry.at - ms } : entry;
  return {
    ...s,
    workload: s.workload.map((task, i) => move(task, i)),
    faults: s.faults.map((fault, i) => move(fault, s.workload.length + i)),
  };
}
