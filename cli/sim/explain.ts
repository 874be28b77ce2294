/**
 * `dogwatch sim explain`: what a rule means, why it is there, and what to doubt first.
 * @module
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { goals } from "./engine.ts";
import { loadFile } from "./files.ts";
import { misused } from "./flags.ts";
import { ruleOf, rules } from "./rules.ts";

export type ExplainFlags = { readonly json?: boolean; readonly out?: string };

/** Where kept scenarios may lie. */
const folders = ["test/sim/regressions", ".sim"];
const relatedMax = 10;

/** Explains one rule or goal, or lists all. */
export function explain(id: string | undefined, flags: ExplainFlags, io: Io): number {
  if (id === undefined) return list(flags, io);
  const rule = ruleOf(id);
  const goal = goals.find((one) => one.id.toLowerCase() === id.toLowerCase());
  const related = relatedTo(rule?.id ?? goal?.id ?? id, flags);
  if (rule === undefined && goal === undefined) {
    const known = [...rules, ...goals].map((one) => one.id).join(", ");
    return misused(io, `explain ${id}: unknown; there is ${known}`);
  }
  if (flags.json === true) {
    io.out(`${JSON.stringify({ schema: 1, rule, goal, related })}\n`);
    return exits.ok;
  }
  const lines = rule === undefined
    ? [
      `${goal?.id}  goal: ${goal?.what}`, "", `  seen when   ${goal?.how}`,
      "  because     a search that never gets there does not look at everything (exit code 14)",
    ]
    : [
      `${rule.id}  ${rule.name}`, "", `  must hold   ${rule.says}`, `  because     ${rule.why}`,
      `  doubt       ${rule.doubt}`, `  broken by   ${rule.faults}`,
    ];
  const kept = related.map((one) => `  kept        ${one}`);
  const search = `  search      dogwatch sim hunt --seeds 5000 --stop`;
  io.out(`${[...lines, ...kept, search].join("\n")}\n`);
  return exits.ok;
}

function list({ json }: ExplainFlags, io: Io): number {
  if (json === true) {
    io.out(`${JSON.stringify({ schema: 1, rules, goals })}\n`);
    return exits.ok;
  }
  const named = [...rules, ...goals.map(({ id, what }) => ({ id, name: what }))];
  const lines = named.map(({ id, name }) => `${id.padEnd(14)} ${name}`);
  io.out(`${lines.join("\n")}\n`);
  return exits.ok;
}

/** Kept scenarios of that rule. */
function relatedTo(id: string, { out }: ExplainFlags): string[] {
  const places = out === undefined ? folders : [out];
  return places.flatMap((folder) => {
    const files = jsonFiles(folder);
    return files.filter((file) => {
      const loaded = loadFile(file);
      return loaded.ok && loaded.kept.finding?.id === id;
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
