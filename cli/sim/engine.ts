/**
 * The simulator as the commands use it, in one place: this build's own, or the compiled output of
 * another one in a folder.
 *
 * Rule 1: commands and workers name no file of `sim/` that draws or runs a world; they ask here.
 * @module
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as generate from "../../sim/generate.ts";
import type { Outcome } from "../../sim/outcome.ts";
import * as runner from "../../sim/runner.ts";
import type { Scenario } from "../../sim/scenario.ts";

export { type Goal, goals } from "../../sim/goals.ts";
export {
  arkProfiles, makerProfiles, type Profile, profiles, shapes, weightOf,
} from "../../sim/generate.ts";
export { defaultOptions, type Options, type Run } from "../../sim/runner.ts";

export type Engine = {
  readonly generate: typeof generate.generate;
  readonly run: (scenario: Scenario, options?: Partial<runner.Options>) => Outcome;
  readonly begin: typeof runner.begin;
  readonly advance: typeof runner.advance;
  readonly outcome: typeof runner.outcome;
};

/** This build's own. */
export const builtIn: Engine = {
  generate: generate.generate, run: runner.run, begin: runner.begin, advance: runner.advance,
  outcome: runner.outcome,
};

/** The engine compiled into `lib`, or this build's own where none is named. */
export async function engineOf(lib: string | undefined): Promise<Engine> {
  return lib === undefined ? builtIn : loaded(lib);
}

/** A folder with `sim/runner.js` and `sim/generate.js`. */
async function loaded(lib: string): Promise<Engine> {
  const { run, begin, advance, outcome } = await module(lib, "runner.js") as Engine;
  const drawing = await module(lib, "generate.js") as Pick<Engine, "generate">;
  return { generate: drawing.generate, run, begin, advance, outcome };
}

function module(lib: string, name: string): Promise<unknown> {
  return import(pathToFileURL(resolve(join(lib, "sim", name))).href);
}
