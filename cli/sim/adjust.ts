/**
 * What flags change about a drawn scenario: how many nodes, which faults and how often, how long.
 *
 * Rule 1: a function of the profile, the seed and the flags alone, so that a seed with its flags is
 * one scenario for ever.
 * Rule 2: the drawing itself is the generator's; only rates are made here, of its own faults.
 * @module
 */
import type { Wishes } from "../../sim/generate.ts";
import type { Fault, Harm, HarmKind, Scenario } from "../../sim/scenario.ts";
import { arkProfiles, type Engine, type Profile } from "./engine.ts";
import { seedText } from "./seeds.ts";

/** Groups of nodes that can be counted by a flag. */
export const groups = ["dirs", "makers", "takers", "watchers", "hostile", "wallets"] as const;
export type Group = (typeof groups)[number];

/** Plain JSON: it is sent to workers and kept with results. */
export type Adjust = {
  /** `on`: among those that may be drawn; `off`: none; a number: about so many in an hour. */
  readonly faults: readonly { readonly kind: HarmKind; readonly rate: "on" | "off" | number }[];
  readonly nodes: { readonly [group in Group]?: number };
  readonly lite: boolean;
};

export const unadjusted: Adjust = { faults: [], nodes: {}, lite: false };

const hourMs = 3_600_000;
/** How many other scenarios are searched for one fault of a kind. */
const lendersMax = 64;

/** The scenario of a seed, with the flags applied. */
export function drawn(profile: Profile, seed: string, adjust: Adjust, engine: Engine): Scenario {
  const wishes = wishesOf(adjust);
  let s = engine.generate(profile, seed, wishes);
  const lend = lender(engine, profile, wishes);
  for (const { kind, rate } of adjust.faults) {
    if (rate !== "on" && rate !== "off") s = withRate(s, kind, rate, lend);
  }
  return s;
}

function wishesOf({ faults, nodes, lite }: Adjust): Wishes {
  const { dirs, ...rest } = nodes;
  return {
    faults: new Map(faults.map(({ kind, rate }) => [kind, rate !== "off" && rate !== 0])),
    nodes: dirs === undefined ? rest : { ...rest, directories: dirs },
    lite,
  };
}

type Lender = (seed: string) => Scenario;

/** The liveliest scenarios lend faults; nodes as wished, so that their names mean something. */
function lender(engine: Engine, profile: Profile, wishes: Wishes): Lender {
  const from = arkProfiles.includes(profile) ? "ark" : "chaos";
  return (seed) => engine.generate(from, seed, wishes);
}

function withRate(s: Scenario, kind: HarmKind, rate: number, lend: Lender): Scenario {
  const others = s.faults.filter((fault) => fault.kind !== kind);
  const triggers = s.triggers.filter((trigger) => trigger.do.kind !== kind);
  if (rate === 0) return { ...s, faults: others, triggers };
  const have = s.faults.filter((fault) => fault.kind === kind);
  const want = Math.max(1, Math.round((rate * s.phases.faultyMs) / hourMs));
  const kept = have.length > want ? thinned(have, want) : have;
  const more = borrowed(s, kind, want - kept.length, lend);
  return { ...s, triggers, faults: inOrder([...others, ...kept, ...more]) };
}

/** `count` of them, evenly over the list. */
function thinned(list: readonly Fault[], count: number): Fault[] {
  const share = (i: number): number => Math.floor((i * count) / list.length);
  return list.filter((_, i) => share(i + 1) > share(i));
}

/** Faults of other drawn scenarios, with ids of their own, spread over this one's time. */
function borrowed(s: Scenario, kind: HarmKind, count: number, lend: Lender): Fault[] {
  const found: Fault[] = [];
  let id = Math.max(0, ...[...s.faults, ...s.triggers, ...s.workload].map((entry) => entry.id));
  const stride = 0x9e3779b97f4a7c15n;
  for (let i = 1; i <= lendersMax * count && found.length < count; i += 1) {
    const other = lend(seedText(BigInt(s.seed) + stride * BigInt(i)));
    for (const entry of harmsOf(other, kind)) {
      if (found.length === count) break;
      id += 1;
      const at = Math.floor((found.length * s.phases.faultyMs) / count);
      found.push({ ...entry, id, at: at + (entry.at % 60_000) });
    }
  }
  return found;
}

function harmsOf(s: Scenario, kind: HarmKind): Fault[] {
  const triggered = s.triggers.map((trigger): Fault => ({ id: 0, at: 0, ...(trigger.do as Harm) }));
  return [...s.faults, ...triggered].filter((fault) => fault.kind === kind);
}

function inOrder(faults: readonly Fault[]): Fault[] {
  return [...faults].sort((a, b) => a.at - b.at || a.id - b.id);
}
