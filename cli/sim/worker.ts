/**
 * `dogwatch sim worker`: jobs as lines on stdin, answers as lines on stdout, in the same order.
 *
 * Rule 1: ends when its stdin does; a Ctrl-C at the terminal is for whoever started it.
 * Rule 2: a job that cannot be read ends it: whoever sends such a thing cannot be helped.
 * @module
 */
import type { Readable } from "node:stream";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { type Engine, engineOf } from "./engine.ts";
import { type Answer, type Job, perform } from "./job.ts";

export type WorkerFlags = { readonly lib?: string };

/** A line to the parent: the answer to its job of that number, or that it lives, number 0. */
export type Line = { readonly id: number; readonly answer: Answer | undefined };

/** Works until `jobs` ends; the exit code. */
export async function worker(
  flags: WorkerFlags, io: Io, jobs: Readable = process.stdin,
): Promise<number> {
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  const engine = await engineOf(flags.lib);
  tell(io, { id: 0, answer: undefined });
  let rest = "";
  jobs.setEncoding("utf8");
  for await (const piece of jobs) {
    const lines = `${rest}${piece as string}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) answer(line, engine, io);
  }
  process.off("SIGINT", ignore);
  return exits.ok;
}

function answer(line: string, engine: Engine, io: Io): void {
  const { id, job } = JSON.parse(line) as { id: number; job: Job };
  // A line of any kind says that it lives: a long run is not a hang.
  const alive = (): void => tell(io, { id: 0, answer: undefined });
  tell(io, { id, answer: perform(job, engine, alive) });
}

function tell(io: Io, line: Line): void {
  io.out(`${JSON.stringify(line)}\n`);
}
