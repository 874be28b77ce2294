/**
 * What a worker is asked to do and what it answers; and the doing itself, for one job.
 *
 * Rule 1: plain JSON both ways, one line each.
 * Rule 2: the answer depends on the job alone, never on the worker or on earlier jobs; that this is
 * so is checked by giving some jobs to two workers.
 * @module
 */
import type { Outcome } from "../../sim/outcome.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { type Adjust, drawn } from "./adjust.ts";
import type { Engine, Options, Profile } from "./engine.ts";
import { type Cover, coverWatch, stateWatch } from "./sights.ts";
import { runSliced } from "./slices.ts";
import { trapped } from "./traps.ts";

/** How scenarios come about from seeds. */
export type Recipe = { readonly profile: Profile; readonly adjust: Adjust };

/** The part of `Options` that can be sent. */
export type RunOptions = Omit<Options, "watch">;

export type Job = {
  readonly what:
    | { readonly seed: string; readonly recipe: Recipe }
    | { readonly scenario: Scenario };
  readonly options: RunOptions;
  /** Wants the digests on the way, too. */
  readonly checkpoints: boolean;
  /** Catch what reaches for clocks and chance. */
  readonly traps: boolean;
  /** A further look at the run. */
  readonly look?: "cover" | "states";
};

/** A run as it is sent: an outcome, mostly without its checkpoints. */
export type Done = {
  readonly outcome: Outcome;
  /** Faults and triggers that the scenario has. */
  readonly entries: number;
  /** What the run reached for that it must not; it is no fault of the machines then. */
  readonly touched: string | undefined;
  /** If the job asked to look. */
  readonly cover?: Cover;
  /** A digest over the states of all nodes at every checkpoint. */
  readonly states?: string;
};

export type Answer =
  | ({ readonly ok: true } & Done)
  /** The simulator itself threw. */
  | { readonly ok: false; readonly says: string; readonly touched: string | undefined };

/** The scenario that a job is about. */
export function scenarioOf(what: Job["what"], engine: Engine): Scenario {
  if ("scenario" in what) return what.scenario;
  const { profile, adjust } = what.recipe;
  return drawn(profile, what.seed, adjust, engine);
}

/** Does one job; `alive` is called now and then while it lasts. */
export function perform(job: Job, engine: Engine, alive: () => void = () => {}): Answer {
  const among = job.traps ? trapped : untrapped;
  const drawing = among(() => scenarioOf(job.what, engine));
  if ("error" in drawing.result) return thrown(drawing.result.error, drawing.touched);
  const scenario = drawing.result.value;
  const { watch, seen } = lookOf(job);
  const options = watch === undefined ? job.options : { ...job.options, watch };
  const ran = runSliced(engine, () => engine.begin(scenario, options), among, alive);
  const touched = drawing.touched ?? ran.touched;
  if ("error" in ran.result) return thrown(ran.result.error, touched);
  const outcome = ran.result.value;
  const entries = scenario.faults.length + scenario.triggers.length;
  const sent = job.checkpoints ? outcome : { ...outcome, checkpoints: [] };
  return { ok: true, outcome: sent, entries, ...seen(), touched };
}

function thrown(error: unknown, touched: string | undefined): Answer {
  return { ok: false, says: textOf(error), touched };
}

/** A further look, and what it has seen in the end. */
type Look = {
  readonly watch: Options["watch"] | undefined;
  readonly seen: () => Pick<Done, "cover" | "states">;
};

function lookOf({ look }: Job): Look {
  if (look === "cover") {
    const { watch, cover } = coverWatch();
    return { watch, seen: () => ({ cover }) };
  }
  if (look === "states") {
    const { watch, hash } = stateWatch();
    return { watch, seen: () => ({ states: hash() }) };
  }
  return { watch: undefined, seen: () => ({}) };
}

function untrapped<T>(work: () => T): ReturnType<typeof trapped<T>> {
  try {
    return { result: { value: work() }, touched: undefined };
  } catch (error) {
    return { result: { error }, touched: undefined };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
