/**
 * `dogwatch sim why`: which entries a failure needs, and when it became certain.
 * @module
 */
import { type Ambient, createAmbient } from "../../adapters/ambient.ts";
import type { Outcome } from "../../sim/outcome.ts";
import { record } from "../../sim/record.ts";
import type { Recording } from "../../sim/recording.ts";
import { whyReport } from "../../sim/report.ts";
import type { Scenario } from "../../sim/scenario.ts";
import type { WhyOptions, WhyResult } from "../../sim/why.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { onStop } from "../signals.ts";
import { whyOn } from "./asking.ts";
import { failingOf } from "./failing.ts";
import { reportLook } from "./failure.ts";
import { type Settings, type SimFlags, whole } from "./flags.ts";
import { poolOf } from "./pool.ts";
import { liveLine } from "./screen.ts";
import type { Subject } from "./subject.ts";
import { lastLine } from "./verdict.ts";

export type WhyFlags = SimFlags & { readonly forks?: string; readonly columns?: string };

const forksMax = 10_000;
const columnsMax = 1_000;

/** Answers; exit code 0 once it has, that of the outcome if there is nothing to ask. */
export async function why(
  given: string, flags: WhyFlags, io: Io, ambient: Ambient = createAmbient(),
): Promise<number> {
  const problems: string[] = [];
  const forks = whole("--forks", flags.forks, forksMax, problems);
  const columns = whole("--columns", flags.columns, columnsMax, problems);
  const failing = await failingOf(given, flags, problems, "explain", io);
  if (typeof failing === "number") return failing;
  const { settings, subject, outcome } = failing;
  const limits = {
    ...(forks === undefined ? {} : { forks }),
    ...(columns === undefined ? {} : { columns: Math.max(2, columns) }),
  };
  const answer = await ask(subject.scenario, outcome, settings, limits, io, ambient);
  if (answer === undefined) return exits.failed;
  const last = lastLine(exits.ok, {
    id: outcome.finding.id, runs: answer.runs, certainUs: answer.jump.toUs,
    necessary: answer.rows.filter((row) => row.without !== "fails").length, hash: outcome.digest,
  });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, finding: outcome.finding, why: answer })}\n`);
    io.err(last);
    return exits.ok;
  }
  const lines = whyReport(answer, subject.scenario, recordingOf(subject, settings), reportLook(io));
  io.out(`${lines.join("\n")}\n${last}`);
  return exits.ok;
}

/** Runs of another build are not recorded here. */
function recordingOf({ scenario }: Subject, { lib }: Settings): Recording | undefined {
  return lib === undefined ? record(scenario) : undefined;
}

/** Asks over a pool of its own; `undefined`: stopped. */
async function ask(
  scenario: Scenario, outcome: Outcome, settings: Settings, limits: Partial<WhyOptions>, io: Io,
  ambient: Ambient,
): Promise<WhyResult | undefined> {
  const pool = poolOf(settings, ambient);
  let isStopped = false;
  const undo = onStop(() => (isStopped = true), io);
  const line = liveLine(io, settings.isQuiet);
  try {
    return await whyOn(scenario, outcome, pool, settings.options, {
      told: (runs) => line.tell(`${runs} runs`),
      isOver: () => isStopped,
    }, limits);
  } finally {
    undo();
    line.end();
    await pool.close();
  }
}
