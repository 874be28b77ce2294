/**
 * What a command is about: a file, a seed, or a scenario with a name.
 *
 * Rule 1: a trace of a simulated run stands for the scenario in its first line.
 * @module
 */
import { existsSync } from "node:fs";
import { cleanText } from "../../adapters/log.ts";
import { named } from "../../sim/named.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Engine } from "./engine.ts";
import { check, type Kept, type Loaded, loadFile } from "./files.ts";
import type { Settings } from "./flags.ts";
import { scenarioOf } from "./job.ts";
import { readSeed, seedText, shortSeed } from "./seeds.ts";
import { traceKind, tracedScenario } from "./tracing.ts";

export type Subject = {
  readonly scenario: Scenario;
  /** Where it comes from: exactly one of the three. */
  readonly file: string | undefined;
  readonly seed: string | undefined;
  readonly name: string | undefined;
  readonly kept: Kept | undefined;
  /** As it can be typed again, with the flags that draw the same. */
  readonly again: string;
};

/** The subject that `text` names, or `undefined` after the problems were told. */
export function subjectOf(
  text: string, settings: Settings, engine: Engine, io: Io,
): Subject | undefined {
  if (existsSync(text)) return fromFile(text, io);
  const known = named().get(text);
  if (known !== undefined) {
    return {
      scenario: known.scenario, file: undefined, seed: undefined, name: text, kept: undefined,
      again: text,
    };
  }
  const seed = readSeed(text);
  if (seed.ok) return fromSeed(seedText(seed.value), settings, engine);
  const names = [...named().keys()].join(", ");
  const says = `no such file, and neither a seed (${seed.says}) nor one of ${names}`;
  io.err(`dogwatch: ${text}: ${says}\n`);
  return undefined;
}

function fromFile(file: string, io: Io): Subject | undefined {
  const kind = traceKind(file);
  if (kind === "recorded") {
    const so = `look at it with: dogwatch sim replay ${file}`;
    io.err(`dogwatch: ${file} is what a daemon recorded, and no scenario; ${so}\n`);
    return undefined;
  }
  if (kind === "simulated") {
    io.err(`dogwatch: ${file} is the trace of a simulated run; what is run is its scenario\n`);
  }
  const loaded = kind === "simulated" ? fromTrace(file) : loadFile(file);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return undefined;
  }
  const { kept } = loaded;
  return {
    scenario: kept.scenario, file, seed: undefined, name: undefined, kept, again: file,
  };
}

function fromTrace(file: string): Loaded {
  try {
    return check(file, tracedScenario(file));
  } catch (error) {
    const says = `its first line is damaged: ${cleanText((error as Error).message)}`;
    return { ok: false, problems: [`${file}: ${says}`] };
  }
}

/** The subject of a seed. */
export function fromSeed(seed: string, settings: Settings, engine: Engine): Subject {
  return {
    scenario: scenarioOf({ seed, recipe: settings.recipe }, engine), file: undefined, seed,
    name: undefined, kept: undefined, again: [shortSeed(seed), ...settings.again].join(" "),
  };
}
