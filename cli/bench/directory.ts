/**
 * `npm run bench:directory`: measures the built directory daemon and says which promised figures
 * it reaches.
 *
 * Each row gets a fresh server process and a load generator process of its own. Rows that compare
 * with a bare write loop run server and loop in turns. Nothing is recorded unless asked for.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { defaults } from "../../core/directory/config.ts";
import * as figures from "./figures.ts";
import type { Report } from "./load.ts";
import * as plan from "./plan.ts";
import { openFilesMax } from "./proc.ts";
import { busiest } from "./profile.ts";
import * as report from "./report.ts";
import * as server from "./server.ts";
import { filesFor, toml } from "./settings.ts";

const help = `usage: bench:directory [options]
  --only ROWS      comma list of: ${plan.steps.map((step) => step.row).join(", ")}
  --n SIZES        comma list of idle peers (${plan.sizesDefault.join(",")})
  --quick          small sizes and short rows
  --json FILE      write all results there ("-": standard output instead of the table)
  --record         write docs/bench/directory.json and docs/bench/directory.md
  --profile        profile the server and print its busiest functions (figures suffer)
  --server FILE    the program under test (dist/dogwatch.js)
Exit code: 0 all rows were measured and every line arrived; 1 not; 2 usage.
`;

type Run = {
  readonly folder: string;
  readonly program: string;
  readonly isQuick: boolean;
  readonly isProfiled: boolean;
  readonly say: (line: string) => void;
};

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      n: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      record: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      server: { type: "string", default: "dist/dogwatch.js" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const usual = values.quick ? plan.sizesQuick : plan.sizesDefault;
  const sizes = values.n?.split(",").map(Number) ?? usual;
  const only = values.only?.split(",");
  const complaint = wrongArguments(sizes, only);
  if (complaint !== undefined) {
    process.stderr.write(`${complaint}\n`);
    return 2;
  }
  const isTable = values.json !== "-";
  const say = (line: string): void => void (isTable && process.stdout.write(`${line}\n`));
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
  const { server: program, quick: isQuick, profile: isProfiled } = values;
  const run = { folder, program, isQuick, isProfiled, say };
  try {
    const results = await measureAll(run, sizes, only);
    keep(results, values.json, values.record);
    return isSound(results) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function wrongArguments(
  sizes: readonly number[],
  only: readonly string[] | undefined,
): string | undefined {
  const rows = plan.steps.map((step) => step.row);
  const unknown = only?.find((row) => !rows.includes(row));
  if (unknown !== undefined) return `no row "${unknown}"; there are ${rows.join(", ")}`;
  const odd = sizes.find((n) => !Number.isSafeInteger(n) || n < 100);
  if (odd !== undefined) return "sizes are whole numbers from 100 up, separated by commas";
  const most = openFilesMax();
  const large = sizes.find((n) => filesFor(n) > most);
  if (large === undefined) return undefined;
  const says = `N = ${large} needs ${filesFor(large)} open files and the limit is ${most}`;
  return `${says}: raise it (ulimit -n) or leave ${large} out`;
}

async function measureAll(
  run: Run,
  sizes: readonly number[],
  only: readonly string[] | undefined,
): Promise<report.Results> {
  const rules = figures.rules(defaults.outbox.flushMs);
  const found: figures.Figure[] = [];
  const reports: Report[] = [];
  const failures: string[] = [];
  const where = report.machine();
  run.say(`${where}\n${report.headLine}`);
  for (const original of plan.steps) {
    if (only !== undefined && !only.includes(original.row)) continue;
    const step = run.isQuick ? plan.quick(original) : original;
    for (const n of step.sizes === "asked" ? sizes : step.sizes) {
      try {
        const [mine, bare] = await measure(run, step, n);
        const lines = figures.figures(rules, mine, bare);
        run.say([...lines.map(report.figureLine), report.reportLine(mine)].join("\n"));
        found.push(...lines);
        reports.push(mine, ...(bare === undefined ? [] : [{ ...bare, row: `bare-${bare.row}` }]));
      } catch (error) {
        failures.push(`${step.row}, N = ${n}: ${textOf(error)}`);
        run.say(`NOT MEASURED ${failures.at(-1)}`);
      }
    }
  }
  return report.results(where, found, reports, failures);
}

/**
 * The server's report and, for rows with a yardstick, the bare loop's; repetitions of all rounds
 * together.
 */
async function measure(
  run: Run,
  step: plan.Step,
  n: number,
): Promise<[Report, Report | undefined]> {
  const mine: Report[] = [];
  const bare: Report[] = [];
  for (let round = 0; round < step.rounds; round += 1) {
    mine.push(await against(run, step, n, daemonArgs(run, step, n)));
    if (step.isCompared) bare.push(await against(run, step, n, [here("./bare.js")]));
  }
  return [merged(mine), bare.length === 0 ? undefined : merged(bare)];
}

function daemonArgs(run: Run, step: plan.Step, n: number): readonly string[] {
  const config = join(run.folder, `${step.row}-${n}.toml`);
  writeFileSync(config, toml(step.limits, n, join(run.folder, "data")));
  const into = `--cpu-prof-dir=${profilesOf(run, step, n)}`;
  const profiled = run.isProfiled ? ["--cpu-prof", into] : [];
  const addresses = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const settings = ["--network", "regtest", "--config", config];
  return [...profiled, run.program, "directory", ...addresses, ...settings];
}

const profilesOf = (run: Run, step: plan.Step, n: number): string =>
  join(run.folder, `profile-${step.row}-${n}`);

async function against(
  run: Run,
  step: plan.Step,
  n: number,
  args: readonly string[],
): Promise<Report> {
  const s = await server.start(args, run.folder);
  try {
    const options = {
      connect: s.address,
      "server-pid": s.pid,
      row: step.row,
      n,
      window: step.window,
      repetitions: step.repetitions,
      "duration-ms": step.durationMs,
      "rest-ms": run.isQuick ? plan.restQuickMs : plan.restMs,
    };
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return JSON.parse(await server.generate(here("./load.js"), flags)) as Report;
  } catch (error) {
    const said = server.saidBy(s.errors);
    throw new Error(`${textOf(error)}\n${said}`, { cause: error });
  } finally {
    await server.stop(s);
    if (args[0] === "--cpu-prof") run.say(busiest(profilesOf(run, step, n)).join("\n"));
  }
}

/** Repetitions strung together, faults and costs added up. */
function merged(all: readonly Report[]): Report {
  return all.reduce((a, b) => ({
    ...a,
    values: Object.fromEntries(
      Object.entries(a.values).map(([name, list]) => [name, [...list, ...(b.values[name] ?? [])]]),
    ),
    faults: {
      missing: a.faults.missing + b.faults.missing,
      repeated: a.faults.repeated + b.faults.repeated,
      damaged: a.faults.damaged + b.faults.damaged,
      lost: a.faults.lost + b.faults.lost,
    },
    generatorCpuSec: a.generatorCpuSec + b.generatorCpuSec,
    wallSec: a.wallSec + b.wallSec,
  }));
}

function keep(results: report.Results, json: string | undefined, isRecorded: boolean): void {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else if (json !== undefined) writeFileSync(json, text);
  if (!isRecorded) return;
  mkdirSync("docs/bench", { recursive: true });
  writeFileSync("docs/bench/directory.json", text);
  writeFileSync("docs/bench/directory.md", report.markdown(results));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isSound(results: report.Results): boolean {
  if (results.failures.length > 0) return false;
  return results.reports.every((r) => figures.faultText(r) === "");
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    server.endAll();
    process.exit(1);
  });
}
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    server.endAll();
    process.stderr.write(`${textOf(error)}\n`);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  },
);
