/**
 * `npm run bench:shrink`: what it takes to make a failure small.
 *
 * Rule 1: the failures are those of planted bugs, each by the seed that is on record for it
 * (`test/sim/mutants.json`): every `every`-th of them, in the order of the record. Left out are
 * those that stop the simulator itself, and those that two runs tell: of them no run fails.
 * Rule 2: each is made small by the built program, as `dogwatch sim shrink` does it for anybody:
 * all cores, a thousand runs at most. Its own count of runs and time is taken.
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { today } from "./clock.ts";
import { amount } from "./figures.ts";
import { median } from "./histogram.ts";
import { machine } from "./report.ts";

const help = `usage: bench:shrink [options]
  --every N       one in so many of the recorded planted bugs (6)
  --record        write docs/bench/shrink.json and docs/bench/shrink.md
  --program FILE  the program under test (dist/dogwatch.js)
Exit code: 0 both targets hold; 1 not; 2 usage.
`;

const runsMax = 500;
const secondsMax = 10;
const recordFile = "test/sim/mutants.json";

/** No run of a scenario ends so. */
const unfit: readonly string[] = ["thrown", "differs"];

type Recorded = { readonly profile: string; readonly seed: string; readonly by: string };
type Shrunk = {
  readonly bug: string;
  readonly by: string;
  readonly runs: number;
  readonly seconds: number;
  /** Faults and tasks, before and after. */
  readonly from: number;
  readonly to: number;
};

function main(): number {
  const { values } = parseArgs({
    options: {
      every: { type: "string", default: "6" },
      record: { type: "boolean", default: false },
      program: { type: "string", default: "dist/dogwatch.js" },
      help: { type: "boolean", default: false },
    },
  });
  const every = Number(values.every);
  if (values.help || !Number.isSafeInteger(every) || every < 1) {
    process[values.help ? "stdout" : "stderr"].write(help);
    return values.help ? 0 : 2;
  }
  const where = machine();
  const all = Object.entries(JSON.parse(readFileSync(recordFile, "utf8")) as {
    readonly [bug: string]: Recorded;
  });
  const fit = all.filter(([, { by }]) => !unfit.includes(by));
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-shrink-"));
  const done: Shrunk[] = [];
  try {
    for (const [bug, one] of fit.filter((_, at) => at % every === 0)) {
      const shrunk = shrink(values.program, folder, bug, one);
      process.stderr.write(`${bug}: ${shrunk.runs} runs, ${shrunk.seconds.toFixed(1)} s\n`);
      done.push(shrunk);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return told(where, done, values.record);
}

/** Plants the bug, and makes what it breaks small. */
function shrink(program: string, folder: string, bug: string, one: Recorded): Shrunk {
  run(program, ["mutate", "--only", bug, "--recorded", "--out", folder, "-q"], 0);
  const lib = join(folder, "mutants", bug);
  const said = run(program, [
    "shrink", one.seed, "--profile", one.profile, "--lib", lib, "--out", folder, "--format", "json",
    "-q",
  ], undefined);
  const { file } = JSON.parse(said) as { readonly file: string };
  const { shrunk } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly shrunk: { runs: number; ms: number; from: number; to: number };
  };
  const { runs, ms, from, to } = shrunk;
  rmSync(lib, { recursive: true, force: true });
  return { bug, by: one.by, runs, seconds: ms / 1_000, from, to };
}

function run(program: string, args: readonly string[], exit: number | undefined): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, [program, "sim", ...args], { encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (status === null || (exit !== undefined && status !== exit) || stdout === "" && exit !== 0) {
    throw new Error(`sim ${args.join(" ")}: exit code ${status}\n${stderr}`);
  }
  return stdout;
}

function told(where: string, done: readonly Shrunk[], isRecorded: boolean): number {
  const runs = median(done.map((one) => one.runs));
  const seconds = median(done.map((one) => one.seconds));
  const holds = runs <= runsMax && seconds <= secondsMax;
  process.stdout.write(`${where}\nshrink: ${done.length} failures, median ${runs} runs, ${
    amount(seconds)} s: ${holds ? "within" : "ABOVE"} ${runsMax} runs, ${secondsMax} s\n`);
  if (isRecorded) {
    mkdirSync("docs/bench", { recursive: true });
    const record = { date: today(), machine: where, runs, seconds, failures: done };
    writeFileSync("docs/bench/shrink.json", `${JSON.stringify(record, null, 2)}\n`);
    writeFileSync("docs/bench/shrink.md", page(where, done, runs, seconds));
  }
  return holds ? 0 : 1;
}

function page(where: string, done: readonly Shrunk[], runs: number, seconds: number): string {
  const verdict = (isReached: boolean): string => (isReached ? "yes" : "no");
  return [
    "# Shrinking: benchmark", "",
    `Measured ${today()} by \`npm run bench:shrink -- --record\`: ${where}.`,
    `The failures are those of ${done.length} planted bugs, each by its recorded seed.`, "",
    "| figure | target | measured | holds |", "|---|---|---|---|",
    `| runs, median | <= ${runsMax} | ${amount(runs)} | ${verdict(runs <= runsMax)} |`,
    `| seconds, median | <= ${secondsMax} | ${amount(seconds)} | ${
      verdict(seconds <= secondsMax)} |`,
    "", "| bug | broke | runs | seconds | parts before | after |", "|---|---|---|---|---|---|",
    ...done.map((one) => `| \`${one.bug}\` | ${one.by} | ${one.runs} | ${
      one.seconds.toFixed(1)} | ${one.from} | ${one.to} |`),
    "",
  ].join("\n");
}

process.exitCode = main();
