/**
 * `npm run bench:ark`: what the built daemon of Ark wallets costs while nothing is wrong, and what
 * many wallets do to one server.
 *
 * Rule 1: the daemon is a process of its own, the built program; wallets' programs and the Ark
 * server are stand-ins in this one, over HTTP and gRPC.
 * Rule 2: what takes hours is done in virtual time (`ark-time.ts`), without a process.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createAmbient } from "../../adapters/ambient.ts";
import type { Status, WalletStatus } from "../../core/ark/status.ts";
import { type Stand, coinsEach, stand } from "./ark-stand.ts";
import { day, type Day, rush, type Rush } from "./ark-time.ts";
import { nowUs, sleep, today } from "./clock.ts";
import { type Figure, amount } from "./figures.ts";
import { median } from "./histogram.ts";
import { cpuUs, rssBytes } from "./proc.ts";
import { busiest } from "./profile.ts";
import { figureLine, headLine, machine } from "./report.ts";
import * as server from "./server.ts";

const help = `usage: bench:ark [options]
  --wallets N      wallets of the daemon (100)
  --seconds N      how long the daemon is measured at rest (60)
  --rounds N       the median of so many is taken (1)
  --crowd N        wallets at one Ark server that restarts, in virtual time (1000)
  --hours N        simulated hours of 100 wallets, up to a day (24)
  --json FILE      write all results there ("-": standard output instead of the table)
  --record         write docs/bench/ark.json and docs/bench/ark.md
  --profile        profile the daemon and print its busiest functions (figures suffer)
  --program FILE   the program under test (dist/dogwatch.js)
Exit code: 0 all targets hold; 1 not; 2 usage.
`;

type Plan = {
  readonly folder: string;
  readonly program: string;
  readonly wallets: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly crowd: number;
  readonly hours: number;
  readonly isProfiled: boolean;
};

/** What one round gave. Spans in ms, memory in bytes, CPU in percent of a core. */
type Round = {
  /** From the start of the process until every wallet was looked at. */
  readonly seenMs: number;
  /** And until the background of each has had its first success. */
  readonly atWorkMs: number;
  readonly cpuPercent: number;
  readonly rss: number;
  /** Calls each second. */
  readonly callsPerSec: number;
  /** Calls of one wallet at once, and of one wallet for one thing. */
  readonly mostOfWallet: number;
  readonly mostOfLane: number;
};

type Results = {
  readonly date: string;
  readonly machine: string;
  readonly plan: Pick<Plan, "wallets" | "seconds" | "rounds" | "crowd" | "hours">;
  readonly figures: readonly Figure[];
  readonly rounds: readonly Round[];
  readonly rush: Rush;
  readonly day: Day;
};

const restMs = 20_000;
const mb = 1_000_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      wallets: { type: "string", default: "100" },
      seconds: { type: "string", default: "60" },
      rounds: { type: "string", default: "1" },
      crowd: { type: "string", default: "1000" },
      hours: { type: "string", default: "24" },
      json: { type: "string" },
      record: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      program: { type: "string", default: "dist/dogwatch.js" },
      help: { type: "boolean", default: false },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
  const { program, profile: isProfiled } = values;
  const [wallets, seconds, rounds, crowd, hours] = [
    values.wallets, values.seconds, values.rounds, values.crowd, values.hours,
  ].map(Number) as [number, number, number, number, number];
  const isUsage = [wallets, seconds, rounds, crowd, hours].every((n) =>
    Number.isSafeInteger(n) && n >= 1) && wallets <= 1_000 && crowd <= 1_000;
  try {
    if (values.help || !isUsage) {
      process[values.help ? "stdout" : "stderr"].write(help);
      return values.help ? 0 : 2;
    }
    const plan = { folder, program, wallets, seconds, rounds, crowd, hours, isProfiled };
    const results = await measure(plan);
    keep(results, values.json, values.record);
    return results.figures.every(({ holds }) => holds !== false) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(plan: Plan): Promise<Results> {
  const where = machine();
  const done: Round[] = [];
  for (let i = 0; i < plan.rounds; i += 1) done.push(await round(plan, i));
  const { wallets, seconds, rounds, crowd, hours } = plan;
  const rushed = rush(crowd);
  const passed = day(hours);
  return {
    date: today(), machine: where, plan: { wallets, seconds, rounds, crowd, hours },
    figures: [...figuresOf(done, wallets), rushFigure(rushed), dayFigure(passed)],
    rounds: done, rush: rushed, day: passed,
  };
}

async function round(plan: Plan, at: number): Promise<Round> {
  const folder = join(plan.folder, `round-${at}`);
  const tokens = join(folder, "tokens");
  mkdirSync(tokens, { recursive: true, mode: 0o700 });
  const bench = await stand(plan.wallets, tokens, createAmbient());
  try {
    const config = join(folder, "dogwatch.toml");
    writeFileSync(config, toml(folder, bench));
    const fromUs = nowUs();
    const profiled = plan.isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${folder}`] : [];
    const daemon = await server.start(
      [...profiled, plan.program, "ark", "--config", config, "--json"], folder,
    );
    try {
      await every(plan, daemon, ({ isFresh }) => isFresh, 500);
      const seenMs = (nowUs() - fromUs) / 1_000;
      await every(plan, daemon, isAtWork, 5_000);
      const atWorkMs = (nowUs() - fromUs) / 1_000;
      return { seenMs, atWorkMs, ...await resting(plan, daemon, bench) };
    } finally {
      await server.stop(daemon);
      if (plan.isProfiled) process.stdout.write(`${busiest(folder).join("\n")}\n`);
    }
  } finally {
    await bench.close();
  }
}

function toml(folder: string, { ark, names }: Stand): string {
  const text = (value: string): string => JSON.stringify(value);
  const tables = names.map((name) => [
    "[[ark.wallet]]", `name = ${text(name)}`, `url = ${text(ark.url(name))}`,
    `token_file = ${text(ark.tokenFile(name))}`, `server = ${text(ark.server)}`, "",
  ].join("\n"));
  return [
    `network = "regtest"`, `data_dir = ${text(folder)}`, "[log]", `format = "json"`,
    "[ark]", `http = "127.0.0.1:0"`, ...tables,
  ].join("\n");
}

/** Until it is so of every wallet; asking costs the daemon something. */
async function every(
  { wallets }: Plan, daemon: server.Server, isSo: (one: WalletStatus) => boolean, stepMs: number,
): Promise<void> {
  const limitUs = nowUs() + (60_000 + 10_000 * wallets) * 1_000;
  while (!(await statusOf(daemon)).wallets.every(isSo)) {
    if (nowUs() > limitUs) {
      throw new Error(`not every wallet is ready:\n${server.saidBy(daemon.errors)}`);
    }
    await sleep(stepMs);
  }
}

/** Its background has begun, too: wallets of one server begin one after the other. */
function isAtWork({ lanes }: WalletStatus): boolean {
  return lanes.some(({ lane, okMs }) => lane === "sync" && okMs !== null);
}

function statusOf({ address }: server.Server): Promise<Status> {
  return new Promise((resolve, reject) => {
    get(`http://${address}/status`, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.once("end", () => resolve(JSON.parse(text) as Status));
    }).once("error", reject);
  });
}

/** CPU and memory while nothing happens but what always does. Nobody asks for its status. */
async function resting(
  { seconds }: Plan, daemon: server.Server, bench: Stand,
): Promise<Omit<Round, "seenMs" | "atWorkMs">> {
  await sleep(restMs);
  bench.reset();
  const fromCpuUs = cpuUs(daemon.pid);
  const fromUs = nowUs();
  await sleep(seconds * 1_000);
  const us = nowUs() - fromUs;
  const cpuPercent = ((cpuUs(daemon.pid) - fromCpuUs) / us) * 100;
  const { wallet: mostOfWallet, path: mostOfLane } = bench.most();
  const callsPerSec = bench.calls() / (us / 1_000_000);
  return { cpuPercent, rss: rssBytes(daemon.pid), callsPerSec, mostOfWallet, mostOfLane };
}

function figuresOf(rounds: readonly Round[], n: number): readonly Figure[] {
  const of = (name: keyof Round): number => median(rounds.map((one) => one[name]));
  const worst = (name: keyof Round): number => Math.max(...rounds.map((one) => one[name]));
  const figure = (
    name: string, target: string, measured: string, holds: boolean | undefined,
  ): Figure => ({ row: "ark", name, n, target, measured, holds });
  const [cpu, rss] = [of("cpuPercent"), of("rss")];
  const calls = `${amount(of("callsPerSec"))} calls a second`;
  return [
    figure("CPU at rest", "< 2 %", `${amount(cpu)} % of a core (${calls})`, cpu < 2),
    figure("RSS at rest", "< 150 MB", `${amount(rss / mb)} MB`, rss < 150 * mb),
    figure(
      "calls at once of a wallet and lane", "<= 1", `${worst("mostOfLane")}`,
      worst("mostOfLane") <= 1,
    ),
    figure("calls at once of a wallet", "-", `${worst("mostOfWallet")}`, undefined),
    figure(
      "process start to every wallet looked at", "-", `${amount(of("seenMs"))} ms`, undefined,
    ),
    figure(
      "process start to every wallet at work", "-", `${amount(of("atWorkMs"))} ms`, undefined,
    ),
  ];
}

function rushFigure({ wallets, mostInSecond, lastMs }: Rush): Figure {
  const share = (mostInSecond / wallets) * 100;
  return {
    row: "rush", name: "share that connects in one second after a restart", n: wallets,
    target: "<= 2.5 %", measured: `${amount(share)} % (from first to last ${amount(lastMs)} ms)`,
    holds: share <= 2.5,
  };
}

function dayFigure({ wallets, hours, cpuMs, steps }: Day): Figure {
  const ratio = (hours * 3_600_000) / cpuMs;
  const each = (cpuMs * 1_000) / steps;
  return {
    row: "day", name: `simulated time to time of a core, ${hours} h`, n: wallets,
    target: ">= 2,000",
    measured: `${amount(ratio)} : 1 (${amount(steps)} steps, ${amount(each)} µs each)`,
    holds: ratio >= 2_000,
  };
}

function keep(results: Results, json: string | undefined, isRecorded: boolean): void {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  if (json === "-") process.stdout.write(text);
  else {
    const lines = [results.machine, headLine, ...results.figures.map(figureLine)];
    process.stdout.write(`${lines.join("\n")}\n`);
    if (json !== undefined) writeFileSync(json, text);
  }
  if (!isRecorded) return;
  mkdirSync("docs/bench", { recursive: true });
  writeFileSync("docs/bench/ark.json", text);
  writeFileSync("docs/bench/ark.md", markdown(results));
}

function markdown({ date, machine: where, plan, figures }: Results): string {
  const verdict = { true: "yes", false: "no", undefined: "-" };
  const { wallets, seconds, rounds, crowd, hours } = plan;
  return [
    "# Ark daemon: benchmark",
    "",
    `Measured ${date} by \`npm run bench:ark -- --record\`: ${where}.`,
    `The daemon looks after ${wallets} wallets with ${coinsEach} VTXOs each. Each has a program of`,
    "its own over HTTP on loopback, and all share one Ark server with round events over gRPC; both",
    `are stand-ins in the process of the benchmark. At rest: for ${seconds} s, ${rounds} times;`,
    "figures are medians, and for calls at once the worst.",
    "",
    `In virtual time: ${crowd} wallets at one Ark server that is away for some minutes; who opens`,
    "a stream of rounds, or calls what makes a program dial a server that is not known to be up,",
    "connects. In no second, wherever it begins, may there be more. Each wallet's own waiting",
    `comes after that. And ${hours} hours of a day of the simulator's profile \`ark24\`, with`,
    "faults and judges.",
    "",
    "| figure | N | target | measured | holds |",
    "|---|---|---|---|---|",
    ...figures.map((f) =>
      `| ${f.name} | ${f.n} | ${f.target} | ${f.measured} | ${verdict[`${f.holds}`]} |`),
    "",
  ].join("\n");
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
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  },
);
