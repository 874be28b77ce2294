/**
 * The flags of `dogwatch sim`, and the settings that they stand for.
 *
 * Rule 1: every flag is read here, once; a command gets settings or nothing.
 * Rule 2: all problems are told, each with the flag, the value and what is accepted.
 * @module
 */
import { availableParallelism } from "node:os";
import { Option } from "commander";
import { harmKinds } from "../../sim/scenario.ts";
import { exits } from "../exit.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { type Adjust, type Group, groups } from "./adjust.ts";
import { defaultOptions, profiles } from "./engine.ts";
import type { Recipe, RunOptions } from "./job.ts";
import { readShard, type Read, type Shard } from "./seeds.ts";

/** What commander parsed. Every field is absent unless given; `--no-x` gives `x: false`. */
export type SimFlags = {
  readonly profile?: string;
  readonly fault?: readonly string[];
  readonly nodes?: string;
  readonly lite?: boolean;
  readonly shrink?: boolean;
  readonly check?: boolean;
  readonly budgetEvents?: string;
  readonly shard?: string;
  readonly seedFrom?: string;
  readonly format?: string;
  readonly html?: string | true;
  readonly svg?: string | true;
  readonly mermaid?: string | true;
  readonly open?: boolean;
  readonly quiet?: boolean;
  readonly jobs?: string;
  readonly out?: string;
  readonly lib?: string;
};

export const formats = ["tty", "json", "junit", "github"] as const;
export type Format = (typeof formats)[number];

/** What the flags stand for. */
export type Settings = {
  readonly recipe: Recipe;
  /** Flags as they have to be given again to draw the same scenarios. */
  readonly again: readonly string[];
  readonly options: RunOptions;
  readonly shrink: boolean;
  readonly shard: Shard;
  readonly seedFrom: string;
  readonly format: Format;
  readonly pictures: Pictures;
  readonly isQuiet: boolean;
  readonly jobs: number;
  /** The folder for what is found. */
  readonly folder: string;
  readonly lib: string | undefined;
};

/** Pictures that are wanted: a file, `true` for one beside the kept scenario. */
export type Pictures = {
  readonly html: string | true | undefined;
  readonly svg: string | true | undefined;
  readonly mermaid: string | true | undefined;
  readonly open: boolean;
};

const jobsMax = 256;

const makers = {
  profile: () => new Option("--profile <NAME>", `which worlds: ${profiles.join(", ")}`),
  fault: () => new Option("--fault <KIND[=on|off|N]>", "only with, without, or N an hour; again")
    .argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
  nodes: () => new Option("--nodes <COUNTS>", `how many, such as makers=5,dirs=2; ${
    groups.join(", ")}`),
  lite: () => new Option("--lite", "few nodes, no second phase: crashes and invariants only"),
  noShrink: () => new Option("--no-shrink", "leave what is found as large as it is"),
  noCheck: () => new Option("--no-check", "no invariants, only to measure what they cost"),
  budgetEvents: () => new Option("--budget-events <N>", "give a run up after so many steps"),
  shard: () => new Option("--shard <I/N>", "every n-th seed only, from the i-th on"),
  seedFrom: () => new Option("--seed-from <WHERE>", "git: the commit; random; or a seed"),
  format: () => new Option("--format <NAME>", `how to report: ${formats.join(", ")}`),
  html: () => new Option("--html [FILE]", "draw the run as a page"),
  svg: () => new Option("--svg [FILE]", "draw the run as a picture"),
  mermaid: () => new Option("--mermaid [FILE]", "draw the run as a Mermaid diagram"),
  open: () => new Option("--open", "open the page in a browser"),
  quiet: () => new Option("-q, --quiet", "no progress, only the end"),
  jobs: () => new Option("-j, --jobs <N>", "worker processes; as many as there are cores"),
  out: () => new Option("--out <DIR>", "where to write what is found; .sim"),
  lib: () => new Option("--lib <DIR>", "simulate the compiled tree in this folder instead"),
} as const;
export type FlagName = keyof typeof makers;

/** The flags by name. */
export function simFlag(name: FlagName): Option {
  return makers[name]();
}

/** The words that these flags take, for shell completion. */
export const simWords: readonly (readonly [string, readonly string[]])[] = [
  ["--profile", profiles], ["--format", formats], ["--fault", harmKinds],
  ["--seed-from", ["git", "random"]],
];

/** Settings, or `undefined` after every problem was told; the exit code is then `exits.usage`. */
export function read(flags: SimFlags, io: Io): Settings | undefined {
  const problems: string[] = [];
  const settings = readAll(flags, problems);
  tellProblems(io, problems);
  return problems.length === 0 ? settings : undefined;
}

/** All settings; what is wrong is added to `problems`. */
export function readAll(flags: SimFlags, problems: string[]): Settings {
  const lite = flags.lite === true;
  const adjust: Adjust = {
    faults: (flags.fault ?? []).flatMap((text) => faultOf(text, problems)),
    nodes: nodesOf(flags.nodes, problems),
    lite,
  };
  const { html, svg, mermaid, open = false } = flags;
  if (flags.lib !== undefined && [html, svg, mermaid].some((to) => to !== undefined)) {
    problems.push(`--lib ${flags.lib}: runs of another build cannot be drawn; name no picture`);
  }
  const eventsMax = whole("--budget-events", flags.budgetEvents, 1e12, problems);
  return {
    recipe: { profile: oneOf("--profile", flags.profile ?? "std", profiles, problems), adjust },
    again: againOf(flags),
    options: {
      ...plainOptions, checks: flags.check !== false,
      eventsMax: eventsMax ?? defaultOptions.eventsMax,
    },
    shrink: flags.shrink !== false,
    shard: flags.shard === undefined
      ? { at: 1, of: 1 }
      : told("--shard", flags.shard, readShard(flags.shard), problems) ?? { at: 1, of: 1 },
    seedFrom: flags.seedFrom ?? "random",
    format: oneOf("--format", flags.format ?? "tty", formats, problems),
    pictures: { html: open ? html ?? true : html, svg, mermaid, open },
    isQuiet: flags.quiet === true,
    jobs: whole("--jobs", flags.jobs, jobsMax, problems) ?? availableParallelism(),
    folder: flags.out ?? ".sim",
    lib: flags.lib,
  };
}

/** The options of a run that no flag sets. */
export const plainOptions: RunOptions = {
  checks: defaultOptions.checks, eventsMax: defaultOptions.eventsMax, untilStep: undefined,
  fork: undefined,
};

function againOf(flags: SimFlags): string[] {
  return [
    ...(flags.profile === undefined ? [] : ["--profile", flags.profile]),
    ...(flags.fault ?? []).flatMap((text) => ["--fault", text]),
    ...(flags.nodes === undefined ? [] : ["--nodes", flags.nodes]),
    ...(flags.lite === true ? ["--lite"] : []),
    ...(flags.budgetEvents === undefined ? [] : ["--budget-events", flags.budgetEvents]),
  ];
}

/** A value, or the problem told and `undefined`. */
export function told<T>(
  flag: string, text: string, given: Read<T>, problems: string[],
): T | undefined {
  if (given.ok) return given.value;
  problems.push(`${flag} ${text}: ${given.says}`);
  return undefined;
}

function oneOf<T extends string>(
  flag: string, text: string, words: readonly T[], problems: string[],
): T {
  if (words.includes(text as T)) return text as T;
  problems.push(`${flag} ${text}: expected ${words.join(", ")}`);
  return words[0] as T;
}

/** A whole number from 1 to `most`. */
export function whole(
  flag: string, text: string | undefined, most: number, problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= most) return value;
  problems.push(`${flag} ${text}: expected a whole number from 1 to ${most}`);
  return undefined;
}

const rateMax = 10_000;

function faultOf(text: string, problems: string[]): Adjust["faults"][number][] {
  const [name = "", rate = "on", ...rest] = text.split("=");
  const kind = harmKinds.find((one) => one.toLowerCase() === name.toLowerCase());
  if (kind === undefined) {
    problems.push(`--fault ${text}: expected one of ${harmKinds.join(", ")}`);
    return [];
  }
  if (rest.length === 0 && (rate === "on" || rate === "off")) return [{ kind, rate }];
  const isRate = /^[0-9]+$/.test(rate) && Number(rate) <= rateMax;
  if (rest.length === 0 && isRate) return [{ kind, rate: Number(rate) }];
  problems.push(`--fault ${text}: expected on, off, or 0 to ${rateMax} an hour`);
  return [];
}

const nodesMax = 10_000;

function nodesOf(text: string | undefined, problems: string[]): Adjust["nodes"] {
  const counts: { [group in Group]?: number } = {};
  for (const part of text === undefined ? [] : text.split(",")) {
    const [name, count = ""] = part.split("=");
    const group = groups.find((one) => one === name);
    if (group !== undefined && /^[0-9]+$/.test(count) && Number(count) <= nodesMax) {
      counts[group] = Number(count);
    } else {
      const says = `expected GROUP=0 to ${nodesMax}, with GROUP one of ${groups.join(", ")}`;
      problems.push(`--nodes ${part}: ${says}`);
    }
  }
  if (counts.dirs === 0) problems.push("--nodes dirs=0: expected at least 1 directory");
  return counts;
}

/** A span such as `90s`, `10m`, `2h`, in ms; plain digits are seconds. */
export function readSpan(text: string): Read<number> {
  const [, digits, unit = "s"] = /^([0-9]{1,9})(s|m|h|d)?$/.exec(text) ?? [];
  const unitMs: Readonly<Record<string, number>> = {
    s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000,
  };
  const ms = Number(digits) * (unitMs[unit] ?? 0);
  if (digits !== undefined && ms > 0) return { ok: true, value: ms };
  return { ok: false, says: "expected a span such as 90s, 10m or 2h" };
}

/** Tells one problem of usage; the exit code. */
export function misused(io: Io, says: string): number {
  io.err(`dogwatch: ${says}\n`);
  return exits.usage;
}
