/**
 * What a command needs that asks about a failure: a subject that fails, with its outcome.
 * @module
 */
import type { Outcome } from "../../sim/outcome.ts";
import { exits } from "../exit.ts";
import { tellProblems } from "../flags.ts";
import type { Io } from "../io.ts";
import { engineOf } from "./engine.ts";
import { read, type Settings, type SimFlags } from "./flags.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { exitOf, lastLine } from "./verdict.ts";

export type Failing = {
  readonly settings: Settings;
  readonly subject: Subject;
  readonly outcome: Outcome & { readonly finding: NonNullable<Outcome["finding"]> };
};

/**
 * Runs what `given` names. The exit code, after it was told why, if there is nothing to ask:
 * `problems` with further flags, a subject that is none, or one that does not fail.
 */
export async function failingOf(
  given: string, flags: SimFlags, problems: readonly string[], toDo: string, io: Io,
): Promise<Failing | number> {
  const settings = read(flags, io);
  tellProblems(io, problems);
  if (settings === undefined || problems.length > 0) return exits.usage;
  const engine = await engineOf(settings.lib);
  const subject = subjectOf(given, settings, engine, io);
  if (subject === undefined) return exits.usage;
  const outcome = engine.run(subject.scenario, settings.options);
  const { finding } = outcome;
  if (finding !== undefined) return { settings, subject, outcome: { ...outcome, finding } };
  const exit = exitOf(outcome.verdict);
  io.err(`dogwatch: ${given} does not fail: there is nothing to ${toDo}\n`);
  io.out(lastLine(exit, { hash: outcome.digest }));
  return exit;
}
