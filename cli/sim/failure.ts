/**
 * One failure, on one screen; the words are `sim/report.ts`.
 * @module
 */
import { record } from "../../sim/record.ts";
import * as report from "../../sim/report.ts";
import type { Look } from "../../sim/report.ts";
import { plainSigns, signs } from "../../sim/words.ts";
import type { Io } from "../io.ts";
import type { KeptFile } from "./keep.ts";
import { ruleOf } from "./rules.ts";
import { isPlain } from "./screen.ts";
import { codeText } from "./verdict.ts";

/** Steps of a run that is recorded for its story; longer ones are told without. */
const storySteps = 3_000_000;
const widthMax = 120;
const widthUsual = 80;

/** How reports look on this terminal. */
export function reportLook(io: Io): Look {
  const columns = process.stdout.columns || widthUsual;
  return {
    signs: isPlain(io) ? plainSigns : signs,
    width: Math.min(Math.max(columns, widthUsual), widthMax),
  };
}

/** The failure with its scenario, its story and the commands that show more. */
export function failureText(kept: KeptFile, io: Io): string {
  const { finding } = kept.outcome;
  if (finding === undefined) return "";
  const { shrunk, why, file, beside, scenario, outcome } = kept;
  const means = ruleOf(finding.id)?.name;
  const isTold = outcome.steps <= storySteps && kept.lib === undefined;
  const lines = report.failureText({
    scenario, outcome, finding, commit: codeText(),
    repro: kept.lib === undefined ? file : `${file} --lib ${kept.lib}`,
    ...(means === undefined ? {} : { means }),
    ...(isTold ? { recording: record(scenario) } : {}),
    ...(why === undefined ? {} : { why }),
    ...(shrunk === undefined ? {} : {
      shrunk: {
        fromFaults: shrunk.from.faults, runs: shrunk.runs, ms: kept.shrinkMs,
        isMinimal: shrunk.isMinimal,
      },
    }),
    ...pictureOf(beside),
  }, reportLook(io));
  const others = beside.filter((other) => other.endsWith(".json"));
  const slipped = others.map((other) => `  also     ${other}`);
  return `${[...lines, ...slipped].join("\n")}\n\n`;
}

function pictureOf(beside: readonly string[]): { readonly picture?: string } {
  const picture = beside.find((file) => file.endsWith(".html"));
  return picture === undefined ? {} : { picture };
}
