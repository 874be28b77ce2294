/**
 * `dogwatch sim explain`: what a rule means, why it is there, and what to doubt first; what a fault
 * does and how it is written.
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type HarmKind, harmKinds, type Scenario } from "../../sim/scenario.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { type Goal, goals } from "./engine.ts";
import { type Kept, loadFile, spaced } from "./files.ts";
import { misused } from "./flags.ts";
import { harmOf, type HarmRow, harmRows } from "./harms.ts";
import { type Rule, ruleOf, rules } from "./rules.ts";

export type ExplainFlags = { readonly json?: boolean; readonly out?: string };

/** Where kept scenarios may lie. */
const folders = ["test/sim/regressions", ".sim"];
const relatedMax = 10;

/** Explains one rule, goal or fault, or lists all. */
export function explain(id: string | undefined, flags: ExplainFlags, io: Io): number {
  if (id === undefined) return list(flags, io);
  const rule = ruleOf(id);
  const goal = goals.find((one) => one.id.toLowerCase() === id.toLowerCase());
  const fault = harmOf(id);
  if (rule === undefined && goal === undefined && fault === undefined) {
    const known = [...[...rules, ...goals].map((one) => one.id), ...harmKinds].join(", ");
    return misused(io, `explain ${id}: unknown; there is ${known}`);
  }
  const name = rule?.id ?? goal?.id;
  const related = relatedTo(flags, ({ finding, scenario }) => (name === undefined
    ? kindsIn(scenario).some((kind) => kind === fault?.kind)
    : finding?.id === name));
  if (flags.json === true) {
    io.out(`${JSON.stringify({ schema: 1, rule, goal, fault, related })}\n`);
    return exits.ok;
  }
  const lines = [
    ...(rule === undefined ? [] : ruleLines(rule)), ...(goal === undefined ? [] : goalLines(goal)),
    ...(fault === undefined ? [] : faultLines(fault)),
  ];
  const kept = related.map((one) => `  kept        ${one}`);
  const rate = fault === undefined ? "" : ` --fault ${fault.kind}=20`;
  const search = `  search      dogwatch sim hunt${rate} --seeds 5000 --stop`;
  io.out(`${[...lines, ...kept, search].join("\n")}\n`);
  return exits.ok;
}

function ruleLines(rule: Rule): string[] {
  return [
    `${rule.id}  ${rule.name}`, "", `  must hold   ${rule.says}`, `  because     ${rule.why}`,
    `  doubt       ${rule.doubt}`, `  broken by   ${rule.faults}`,
  ];
}

function goalLines(goal: Goal): string[] {
  return [
    `${goal.id}  goal: ${goal.what}`, "", `  seen when   ${goal.how}`,
    "  because     a search that never gets there does not look at everything (exit code 14)",
  ];
}

function faultLines({ kind, name, says, fields, example }: HarmRow): string[] {
  const [first = "", ...rest] = fields;
  return [
    `${kind}  fault: ${name}`, "", `  does        ${says}`, `  fields      ${first}`,
    ...rest.map((field) => `              ${field}`),
    `  example     ${spaced(example)}`,
  ];
}

function list({ json }: ExplainFlags, io: Io): number {
  if (json === true) {
    io.out(`${JSON.stringify({ schema: 1, rules, goals, faults: harmRows })}\n`);
    return exits.ok;
  }
  const named = [
    ...rules, ...goals.map(({ id, what }) => ({ id, name: what })),
    ...harmRows.map(({ kind, says }) => ({ id: kind, name: says })),
  ];
  const lines = named.map(({ id, name }) => `${id.padEnd(14)} ${name}`);
  io.out(`${lines.join("\n")}\n`);
  return exits.ok;
}

function kindsIn({ faults, triggers }: Scenario): HarmKind[] {
  return [...faults.map(({ kind }) => kind), ...triggers.map((trigger) => trigger.do.kind)];
}

/** Kept scenarios that are like that. */
function relatedTo({ out }: ExplainFlags, isLike: (kept: Kept) => boolean): string[] {
  const places = out === undefined ? folders : [out];
  return places.flatMap((folder) => {
    const files = jsonFiles(folder);
    return files.filter((file) => {
      const loaded = loadFile(file);
      return loaded.ok && isLike(loaded.kept);
    });
  }).slice(0, relatedMax);
}

/** States of hunts and shrinkers lie in the same folder. */
function isKept(name: string): boolean {
  return name.endsWith(".json") && !/^(hunt|shrink)-/.test(name);
}

function jsonFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter(isKept).sort((a, b) =>
      (a < b ? -1 : 1)).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
