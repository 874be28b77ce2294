/**
 * The numbers of a scenario and their boring values.
 *
 * Rule 1: which fields there are depends on which entries and nodes there are, not on numbers.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { Harm, NodeSpec, Scenario, Task } from "../scenario.ts";
import type { Field } from "./bisect.ts";
import { earlier, replaced, timedCount, timesOf } from "./edit.ts";
import type { Best } from "./pass.ts";

const minute = 60_000;
const timeUnits = [minute, 1_000, 1];
const delayUnits = [minute, 1_000, 100, 1];
const jumpUnits = [60 * minute, minute, 1_000, 1];
const countUnits = [1];
const byteUnits = [1_000, 100, 1];
const ppmUnits = [10_000, 1_000, 100, 1];
/** Latencies need not be exact. */
const latencyUnits = [100_000, 10_000, 1_000];
/** A fault of no length is no fault; this is the least one looked at. */
const leastMs = 1_000;

/** A number inside a part of the scenario. */
type Slot<T> = {
  readonly name: string;
  readonly boring: number;
  readonly isNothing: boolean;
  readonly units: readonly number[];
  readonly in: T;
};

function slot<T>(part: T, name: string, boring: number, units: readonly number[]): Slot<T> {
  return { name, boring, isNothing: false, units, in: part };
}

function effective<T>(part: T, name: string, units: readonly number[]): Slot<T> {
  return { name, boring: 0, isNothing: true, units, in: part };
}

/** Fields of faults and triggers first, then of tasks, nodes, phases and the network. */
export function fields(best: Best): Field[] {
  const s = best.scenario;
  return [
    ...s.faults.flatMap((_, i) => faultFields(s, i)),
    ...s.triggers.flatMap((_, i) => triggerFields(s, i)),
    ...s.workload.flatMap((_, i) => taskFields(s, i)),
    ...s.nodes.flatMap((_, i) => nodeFields(s, i)),
    ...phaseFields(s),
    ...netFields(s),
  ];
}

/** The field of a slot: its magnitude counts, and it keeps its sign. */
function field<T extends object>(of: Slot<T>, put: (part: T) => Scenario): Field {
  const held = (of.in as { readonly [name: string]: unknown })[of.name];
  const value = typeof held === "number" ? held : 0;
  const sign = value < 0 ? -1 : 1;
  return {
    value: value * sign, boring: of.boring, isNothing: of.isNothing, isShift: false,
    units: of.units,
    with: (next) => put({ ...of.in, [of.name]: next * sign }),
  };
}

function faultFields(s: Scenario, index: number): Field[] {
  const fault = s.faults[index];
  if (fault === undefined) return [];
  const slots = [...harmSlots(fault), slot(fault, "at", 0, timeUnits)];
  return slots.map((of) =>
    field(of, (part) => ({ ...s, faults: replaced(s.faults, index, part) })));
}

function triggerFields(s: Scenario, index: number): Field[] {
  const trigger = s.triggers[index];
  if (trigger === undefined) return [];
  const put = (part: typeof trigger): Scenario =>
    ({ ...s, triggers: replaced(s.triggers, index, part) });
  return [
    ...harmSlots(trigger.do).map((of) => field(of, (part) => put({ ...trigger, do: part }))),
    field(slot(trigger.on, "nth", 1, countUnits), (part) => put({ ...trigger, on: part })),
    field(slot(trigger, "delayMs", 0, timeUnits), put),
  ];
}

function harmSlots<H extends Harm>(harm: H): Slot<H>[] {
  const of: Harm = harm;
  switch (of.kind) {
    case "reset":
    case "diskFails": return [];
    case "jump": return [effective(harm, "ms", jumpUnits)];
    case "slow":
    case "lateEnd":
    case "lateDial":
    case "diskSlow": return [effective(harm, "ms", delayUnits), lasting(harm)];
    case "drift": return [effective(harm, "ppm", ppmUnits), lasting(harm)];
    case "crash": return [slot(harm, "effect", 0, countUnits), lasting(harm)];
    case "cut":
    case "partition":
    case "halfOpen":
    case "narrow":
    case "refuse":
    case "hang":
    case "chop":
    case "stall":
    case "pause":
    case "restart":
    case "diskFull":
    case "diskTorn":
    case "tor":
    case "rpcWrong":
    case "hookDown": return [lasting(harm)];
    case "barkdWrong":
    case "serverWrong":
    case "sourceWrong": return [slot(harm, "size", 0, byteUnits), lasting(harm)];
    default: return unreachable(of);
  }
}

function lasting<H extends Harm>(harm: H): Slot<H> {
  return slot(harm, "forMs", leastMs, timeUnits);
}

function taskFields(s: Scenario, index: number): Field[] {
  const task = s.workload[index];
  if (task === undefined) return [];
  const slots = [...workSlots(task), slot(task, "at", 0, timeUnits)];
  return slots.map((of) =>
    field(of, (part) => ({ ...s, workload: replaced(s.workload, index, part) })));
}

function workSlots(task: Task): Slot<Task>[] {
  switch (task.op) {
    case "orderbook":
    case "peerlist":
    case "ping":
    case "send":
    case "replace":
    case "evict":
    case "restartServer":
    case "restartProgram":
    case "changeToken":
    case "drain": return [];
    case "pay": return [
      slot(task, "sat", 1_000, byteUnits), slot(task, "blocks", 1, countUnits),
      slot(task, "levels", 1, countUnits),
    ];
    case "deposit": return [slot(task, "sat", 1_000, byteUnits)];
    case "feeRate": return [slot(task, "rate", 1, countUnits)];
    case "mine":
    case "reorg": return [slot(task, "blocks", 1, countUnits)];
    case "fund": return [slot(task, "kSat", 1, countUnits)];
    case "announce": return [slot(task, "size", 1, countUnits)];
    case "fill":
    case "chat": return [slot(task, "bytes", 1, byteUnits)];
    case "away": return [slot(task, "forMs", leastMs, timeUnits)];
    case "burst":
    case "append": return [
      slot(task, "count", 1, countUnits), slot(task, "bytes", 1, byteUnits),
    ];
    default: return unreachable(task);
  }
}

function nodeFields(s: Scenario, index: number): Field[] {
  const node = s.nodes[index];
  if (node === undefined || node.kind === "directory" || node.kind === "journal") return [];
  if (node.kind === "chain" || node.kind === "trap" || node.kind === "ark") return [];
  const slots: Slot<NodeSpec>[] = [
    slot(node, "joinsAt", 0, timeUnits), slot(node, "zeal", 1, countUnits),
  ];
  return slots.map((of) =>
    field(of, (part) => ({ ...s, nodes: replaced(s.nodes, index, part) })));
}

function phaseFields(s: Scenario): Field[] {
  const names = ["faultyMs", "convergeMs"];
  return names.map((name) =>
    field(slot(s.phases, name, 0, timeUnits), (phases) => ({ ...s, phases })));
}

/** A mean no less than the least; once they are equal they stay so. */
function netFields(s: Scenario): Field[] {
  const { latencyMinUs, latencyMeanUs } = s.net;
  const isConstant = latencyMeanUs <= latencyMinUs;
  const mean = slot(s.net, "latencyMeanUs", latencyMinUs, latencyUnits);
  const low = slot(s.net, "latencyMinUs", 1_000, latencyUnits);
  return [
    field(mean, (net) => ({ ...s, net })),
    field(low, (net) => ({
      ...s, net: isConstant ? { ...net, latencyMeanUs: net.latencyMinUs } : net,
    })),
  ];
}

/** With more movable entries than this, only neighbours are moved together. */
const pairsMax = 7;

/**
 * Several numbers moved together: all instants with the heal, all instants, each two instants, and
 * the beginning of a fault towards its end.
 */
export function together(best: Best): Field[] {
  const s = best.scenario;
  const count = timedCount(s);
  if (count === 0) return [];
  const all = (): boolean => true;
  const moves: Field[] = [withHeal(s), moving(s, all)];
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      if (count > pairsMax && j > i + 1) continue;
      moves.push(moving(s, (index) => index === i || index === j));
    }
  }
  return [...moves, ...s.faults.map((_, i) => trimmed(s, i))];
}

function moving(s: Scenario, which: (index: number) => boolean): Field {
  const value = least(timesOf(s).filter((_, i) => which(i)));
  return {
    value, boring: 0, isNothing: false, isShift: true, units: timeUnits,
    with: (next) => earlier(s, which, value - next),
  };
}

function withHeal(s: Scenario): Field {
  const all = moving(s, () => true);
  const faultyMs = s.phases.faultyMs;
  const earlierHeal = (ms: number): number => (faultyMs < ms ? 0 : faultyMs - ms);
  return {
    ...all,
    with: (next) => ({
      ...all.with(next),
      phases: { ...s.phases, faultyMs: earlierHeal(all.value - next) },
    }),
  };
}

/** A fault that ends when it did and begins later. */
function trimmed(s: Scenario, index: number): Field {
  const fault = s.faults[index];
  const isLong = fault !== undefined && "forMs" in fault;
  const value = isLong ? fault.forMs : 0;
  return {
    value, boring: leastMs, isNothing: false, isShift: true, units: timeUnits,
    with: (next) => {
      if (!isLong) return s;
      const part = { ...fault, at: fault.at + value - next, forMs: next };
      return { ...s, faults: replaced(s.faults, index, part) };
    },
  };
}

function least(list: readonly number[]): number {
  return list.reduce((low, value) => (value < low ? value : low), list[0] ?? 0);
}
