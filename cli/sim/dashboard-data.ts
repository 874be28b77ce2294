/**
 * What a history of nights says: sums by day, findings with their first and last day, the newest
 * word on goals, mutants, determinism and speed.
 *
 * Rule 1: a line is `{"kind", "at", "exit", "result"}`, as `.ci/nightly` writes it; a line that is
 * none of them is counted and left out.
 * Rule 2: days are those of UTC; no clock is read: "now" is the newest line.
 * @module
 */
import * as z from "zod";

const count = z.number().min(0);

const hunt = z.looseObject({
  code: z.string(), profile: z.string(), flags: z.array(z.string()),
  tally: z.looseObject({
    seeds: count, steps: count, virtualMs: count, wallMs: count, twice: count,
    goals: z.record(z.string(), z.looseObject({ count })),
    found: z.array(z.looseObject({
      verdict: z.string(), seed: z.string(), count, steps: count,
      finding: z.looseObject({ id: z.string(), shape: z.string(), says: z.string() }),
    })),
    differing: z.array(z.unknown()), touched: z.array(z.unknown()), broken: z.array(z.unknown()),
    spent: z.array(z.unknown()),
  }),
  goals: z.looseObject({ missing: z.array(z.string()) }),
  kept: z.array(z.looseObject({ file: z.string(), shape: z.string() })),
});
const mutants = z.looseObject({
  rows: z.array(z.looseObject({
    id: z.string(), kill: z.looseObject({ seeds: count }).optional(),
  })),
  median: z.number().nullable(),
});
const determinism = z.looseObject({
  legs: z.array(z.looseObject({
    name: z.string(), seeds: count, differing: z.array(z.unknown()),
  })),
});
const bench = z.looseObject({
  machine: z.string(), figures: z.looseObject({
    eventsPerSecond: count, ratio: count, seedsPerHour: count,
  }),
});
const canary = z.looseObject({ canary: z.string() });

const stamped = { at: count, exit: z.number() };
const lineSchema = z.discriminatedUnion("kind", [
  z.looseObject({ ...stamped, kind: z.literal("hunt"), result: hunt }),
  z.looseObject({ ...stamped, kind: z.literal("mutants"), result: mutants }),
  z.looseObject({ ...stamped, kind: z.literal("determinism"), result: determinism }),
  z.looseObject({ ...stamped, kind: z.literal("bench"), result: bench }),
  z.looseObject({ ...stamped, kind: z.literal("canary"), result: canary }),
]);
type Line = z.infer<typeof lineSchema>;
type HuntLine = Extract<Line, { kind: "hunt" }>;

/** One day of searching. */
export type Day = {
  /** `2026-11-22`. */
  readonly day: string;
  seeds: number;
  virtualMs: number;
  wallMs: number;
  steps: number;
  /** Seeds that failed. */
  failed: number;
  /** Shapes that were seen for the first time. */
  fresh: number;
  /** Runs that differed, reached for a clock, or crashed their worker. */
  flakes: number;
  readonly codes: Set<string>;
  readonly goals: Set<string>;
};

/** One shape over all days. */
export type Seen = {
  readonly shape: string;
  readonly id: string;
  readonly verdict: string;
  readonly says: string;
  readonly firstDay: string;
  lastDay: string;
  seeds: number;
  /** The fastest-failing seed, and the command that makes it fail again. */
  seed: string;
  steps: number;
  command: string;
  code: string;
};

export type Point = { readonly day: string; readonly value: number };

export type History = {
  readonly days: readonly Day[];
  readonly found: readonly Seen[];
  /** Killed, all, and the median of seeds needed, newest last. */
  readonly mutants: readonly { day: string; killed: number; all: number; median: number | null }[];
  readonly survivors: readonly string[];
  readonly speed: readonly Point[];
  readonly ratio: readonly Point[];
  readonly seedsPerHour: readonly Point[];
  readonly machine: string;
  readonly determinism: { day: string; same: number; all: number; legs: number } | undefined;
  readonly canary: { day: string; says: string; isFound: boolean } | undefined;
  /** Goals that the newest day missed in every profile. */
  readonly missing: readonly string[];
  readonly reached: number;
  readonly profiles: readonly { profile: string; seeds: number; failed: number }[];
  readonly newest: string;
  /** Lines that were none. */
  readonly odd: number;
};

/** Reads the lines of histories, in any order. */
export function historyOf(texts: readonly string[]): History {
  const lines: Line[] = [];
  let odd = 0;
  for (const text of texts) {
    if (text.trim() === "") continue;
    const line = lineOf(text);
    if (line === undefined) odd += 1;
    else lines.push(line);
  }
  lines.sort((a, b) => a.at - b.at);
  const hunts = lines.filter((line) => line.kind === "hunt");
  const days = daysOf(hunts);
  const newest = dayOf(lines.at(-1)?.at ?? 0);
  return {
    days, found: foundOf(hunts, days), ...mutantsOf(lines), ...speedOf(lines), ...proofsOf(lines),
    ...goalsOf(hunts), profiles: profilesOf(hunts), newest, odd,
  };
}

function lineOf(text: string): Line | undefined {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const dayMs = 86_400_000;

/** The day of an instant in Unix milliseconds, by counting: no time zone is asked. */
export function dayOf(unixMs: number): string {
  const days = Math.floor(unixMs / dayMs);
  // Days since 0000-03-01, in eras of 400 years (Howard Hinnant's civil_from_days).
  const z0 = days + 719_468;
  const era = Math.floor(z0 / 146_097);
  const ofEra = z0 - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524)
    - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const full = year + era * 400 + (month <= 2 ? 1 : 0);
  return `${full}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}

function daysOf(hunts: readonly HuntLine[]): Day[] {
  const days = new Map<string, Day>();
  for (const { at, result: { tally, code } } of hunts) {
    const day = dayOf(at);
    const known = days.get(day) ?? {
      day, seeds: 0, virtualMs: 0, wallMs: 0, steps: 0, failed: 0, fresh: 0, flakes: 0,
      codes: new Set<string>(), goals: new Set<string>(),
    };
    days.set(day, known);
    known.seeds += tally.seeds;
    known.virtualMs += tally.virtualMs;
    known.wallMs += tally.wallMs;
    known.steps += tally.steps;
    known.failed += tally.found.reduce((sum, one) => sum + one.count, 0);
    known.flakes += tally.differing.length + tally.touched.length + tally.broken.length;
    known.codes.add(code);
    for (const goal of Object.keys(tally.goals)) known.goals.add(goal);
  }
  return [...days.values()];
}

function foundOf(hunts: readonly HuntLine[], days: readonly Day[]): Seen[] {
  const seen = new Map<string, Seen>();
  for (const { at, result } of hunts) {
    const day = dayOf(at);
    for (const { finding, verdict, seed, steps, count: seeds } of result.tally.found) {
      const known = seen.get(finding.shape);
      const command = ["npx dogwatch sim run", seed, ...result.flags].join(" ");
      const fastest = { seed, steps, command, code: result.code };
      if (known === undefined) {
        const { id, shape, says } = finding;
        const firstDay = day;
        seen.set(shape, { id, shape, says, verdict, firstDay, lastDay: day, seeds, ...fastest });
        const fresh = days.find((one) => one.day === day);
        if (fresh !== undefined) fresh.fresh += 1;
        continue;
      }
      known.lastDay = day;
      known.seeds += seeds;
      // An old commit's seed may have been fixed since: the newest day stands, then the fastest.
      if (known.code !== result.code || steps < known.steps) Object.assign(known, fastest);
    }
  }
  return [...seen.values()].sort((a, b) =>
    (a.lastDay === b.lastDay ? b.seeds - a.seeds : a.lastDay < b.lastDay ? 1 : -1));
}

function mutantsOf(lines: readonly Line[]): Pick<History, "mutants" | "survivors"> {
  const all = lines.filter((line) => line.kind === "mutants");
  const last = all.at(-1)?.result.rows ?? [];
  return {
    mutants: all.map(({ at, result: { rows, median } }) => ({
      day: dayOf(at), killed: rows.filter((row) => row.kill !== undefined).length,
      all: rows.length, median,
    })),
    survivors: last.filter((row) => row.kill === undefined).map((row) => row.id),
  };
}

function speedOf(
  lines: readonly Line[],
): Pick<History, "speed" | "ratio" | "seedsPerHour" | "machine"> {
  const all = lines.filter((line) => line.kind === "bench");
  const machine = all.at(-1)?.result.machine ?? "";
  const same = all.filter(({ result }) => result.machine === machine);
  const points = (value: (line: (typeof all)[number]) => number): Point[] =>
    same.map((line) => ({ day: dayOf(line.at), value: value(line) }));
  return {
    speed: points(({ result }) => result.figures.eventsPerSecond),
    ratio: points(({ result }) => result.figures.ratio),
    seedsPerHour: points(({ result }) => result.figures.seedsPerHour), machine,
  };
}

function proofsOf(lines: readonly Line[]): Pick<History, "determinism" | "canary"> {
  const proof = lines.findLast((line) => line.kind === "determinism");
  const bird = lines.findLast((line) => line.kind === "canary");
  const legs = proof?.result.legs ?? [];
  const all = legs.reduce((sum, leg) => sum + leg.seeds, 0);
  const differing = legs.reduce((sum, leg) => sum + leg.differing.length, 0);
  return {
    determinism: proof === undefined ? undefined
      : { day: dayOf(proof.at), same: all - differing, all, legs: legs.length },
    canary: bird === undefined ? undefined
      : { day: dayOf(bird.at), says: bird.result.canary, isFound: bird.exit === 0 },
  };
}

function goalsOf(hunts: readonly HuntLine[]): Pick<History, "missing" | "reached"> {
  const newest = dayOf(hunts.at(-1)?.at ?? 0);
  const today = hunts.filter(({ at }) => dayOf(at) === newest);
  const reached = new Set(today.flatMap(({ result }) => Object.keys(result.tally.goals)));
  const missing = new Set(today.flatMap(({ result }) => result.goals.missing)
    .filter((name) => !reached.has(name.split(" ")[0] ?? "")));
  return { missing: [...missing], reached: reached.size };
}

function profilesOf(hunts: readonly HuntLine[]): History["profiles"] {
  const sums = new Map<string, { profile: string; seeds: number; failed: number }>();
  for (const { result: { profile, tally } } of hunts) {
    const sum = sums.get(profile) ?? { profile, seeds: 0, failed: 0 };
    sum.seeds += tally.seeds;
    sum.failed += tally.found.reduce((all, one) => all + one.count, 0);
    sums.set(profile, sum);
  }
  return [...sums.values()];
}
