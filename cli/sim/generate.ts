/**
 * `dogwatch sim generate`: the scenario of a seed, to look at or to edit.
 * @module
 */
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { engineOf } from "./engine.ts";
import { pretty } from "./files.ts";
import { read, type SimFlags } from "./flags.ts";
import { subjectOf } from "./subject.ts";

/** Prints it as JSON that `sim run` takes again. */
export async function generate(given: string, flags: SimFlags, io: Io): Promise<number> {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  const engine = await engineOf(settings.lib);
  const subject = subjectOf(given, settings, engine, io);
  if (subject === undefined) return exits.usage;
  io.out(`${pretty(subject.scenario, "")}\n`);
  return exits.ok;
}
