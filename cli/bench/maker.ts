/**
 * `npm run bench:maker`: what the built maker costs while nothing is wrong, and how soon it offers.
 *
 * Rule 1: the maker, each of its directories and the chain are processes of their own; the chain's
 * is this one. All are the built program, except the chain, which is the stand-in.
 * Rule 2: each round begins with a fresh wallet in the node, is stopped, and started again: the
 * first start has to search old blocks, the second one is measured for as long as was asked.
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Address, parseAddress } from "../../adapters/address.ts";
import { createAmbient } from "../../adapters/ambient.ts";
import { mine } from "../../sim/chain/blocks.ts";
import { serveChain, type ChainServer } from "../demo/chain.ts";
import { fund, type Funded } from "../demo/fund.ts";
import { sleep, today, unixMs, until } from "./clock.ts";
import { type Figure, amount } from "./figures.ts";
import { median } from "./histogram.ts";
import { journal, recordsOf } from "./journal.ts";
import { cpuUs, rssBytes } from "./proc.ts";
import { busiest } from "./profile.ts";
import { figureLine, headLine, machine } from "./report.ts";
import * as server from "./server.ts";
import { asker, type Asker } from "./taker.ts";

const help = `usage: bench:maker [options]
  --directories N  directory nodes, each a process (8)
  --entries N      transactions in the history (10000)
  --seconds N      how long the maker is measured at rest, and again with a taker (60)
  --rounds N       the median of so many is taken (1)
  --json FILE      write all results there ("-": standard output instead of the table)
  --record         write docs/bench/maker.json and docs/bench/maker.md
  --profile        profile the maker and print its busiest functions (figures suffer)
  --program FILE   the program under test (dist/dogwatch.js)
Exit code: 0 all targets hold; 1 not; 2 usage.
`;

type Plan = {
  readonly folder: string;
  readonly program: string;
  readonly directories: number;
  readonly entries: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly isProfiled: boolean;
};

/** What one round gave. Spans in ms, memory in bytes, CPU in percent of a core. */
type Round = {
  readonly firstMs: number;
  readonly againMs: number;
  readonly offeredMs: number;
  readonly cpuPercent: number;
  /** With a taker who asks every directory each 20 s. */
  readonly askedPercent: number;
  readonly rss: number;
};

type Results = {
  readonly date: string;
  readonly machine: string;
  readonly plan: Pick<Plan, "directories" | "entries" | "seconds" | "rounds">;
  readonly figures: readonly Figure[];
  readonly rounds: readonly Round[];
};

const upMsMax = 60_000;
const restMs = 15_000;
const askEveryMs = 20_000;
const mb = 1_000_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      directories: { type: "string", default: "8" },
      entries: { type: "string", default: "10000" },
      seconds: { type: "string", default: "60" },
      rounds: { type: "string", default: "1" },
      json: { type: "string" },
      record: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      program: { type: "string", default: "dist/dogwatch.js" },
      help: { type: "boolean", default: false },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bench-"));
  const { program, profile: isProfiled } = values;
  const [directories, entries, seconds, rounds] = [
    values.directories, values.entries, values.seconds, values.rounds,
  ].map(Number) as [number, number, number, number];
  const isUsage = [directories, entries, seconds, rounds].every((n) =>
    Number.isSafeInteger(n) && n >= 1) && directories <= 64;
  const plan = { folder, program, directories, entries, seconds, rounds, isProfiled };
  try {
    if (values.help || !isUsage) {
      process[values.help ? "stdout" : "stderr"].write(help);
      return values.help ? 0 : 2;
    }
    const results = await measure(plan);
    keep(results, values.json, values.record);
    return results.figures.every(({ holds }) => holds !== false) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(plan: Plan): Promise<Results> {
  const where = machine();
  const nodes: server.Server[] = [];
  try {
    for (let i = 0; i < plan.directories; i += 1) nodes.push(await directory(plan, i));
    const rounds: Round[] = [];
    for (let i = 0; i < plan.rounds; i += 1) rounds.push(await round(plan, nodes, i));
    const { directories, entries, seconds } = plan;
    return {
      date: today(), machine: where,
      plan: { directories, entries, seconds, rounds: plan.rounds },
      figures: figuresOf(rounds, directories), rounds,
    };
  } finally {
    await Promise.all(nodes.map(server.stop));
  }
}

function directory({ folder, program }: Plan, at: number): Promise<server.Server> {
  const place = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--network", "regtest"];
  return server.start([
    program, "directory", ...place, "--data-dir", join(folder, `directory-${at}`),
  ], folder);
}

async function round(
  plan: Plan, nodes: readonly server.Server[], at: number,
): Promise<Round> {
  const folder = join(plan.folder, `maker-${at}`);
  mkdirSync(join(folder, "maker"), { recursive: true, mode: 0o700 });
  const ambient = createAmbient();
  const world = fund(ambient);
  const cookieFile = join(folder, "cookie");
  const { chain, nowMs } = world;
  const node = await serveChain({ chain, cookieFile, ambient, nowMs });
  const asking = asker(nodes.map(({ address }) => addressOf(address)));
  try {
    const { bytes } = journal(plan.entries * recordsOf.settled, "settled");
    writeFileSync(join(folder, "maker", "history.journal"), bytes, { mode: 0o600 });
    writeFileSync(join(folder, "dogwatch.toml"), toml(folder, nodes, world, node, cookieFile));
    const first = await started(plan, folder, asking);
    await server.stop(first.maker);
    asking.forget();
    const again = await started(plan, folder, asking);
    try {
      const spent = await resting(plan, again.maker, world, asking);
      const { firstMs: againMs, offeredMs } = again;
      return { firstMs: first.firstMs, againMs, offeredMs, ...spent };
    } finally {
      await server.stop(again.maker);
      if (plan.isProfiled) process.stdout.write(`${busiest(folder).join("\n")}\n`);
    }
  } finally {
    asking.end();
    await node.close();
  }
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

function toml(
  folder: string, nodes: readonly server.Server[], { descriptors }: Funded, node: ChainServer,
  cookieFile: string,
): string {
  const list = (all: readonly string[]): string => JSON.stringify(all);
  return [
    `network = "regtest"`, `data_dir = ${JSON.stringify(folder)}`, "[log]", `format = "json"`,
    "[maker]", `http = "127.0.0.1:0"`, `directories = ${list(nodes.map((one) => one.address))}`,
    `descriptors = ${list(descriptors)}`, "[bitcoind]",
    `url = ${JSON.stringify(node.url("bitcoind"))}`, `auth = ${JSON.stringify(cookieFile)}`, "",
    // The stand-in's addresses cost a curve operation each, in this process.
    "index_max = 19", "",
  ].join("\n");
}

type Start = {
  readonly maker: server.Server;
  /** From the first directory that was up to the first public offer. */
  readonly firstMs: number;
  /** From the start of the process to an offer in the hands of a taker. */
  readonly offeredMs: number;
};

/** Starts the maker and waits until every directory has its offers. */
async function started(plan: Plan, folder: string, asking: Asker): Promise<Start> {
  const fromMs = unixMs();
  const profiled = plan.isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${folder}`] : [];
  const config = join(folder, "dogwatch.toml");
  const maker = await server.start(
    [...profiled, plan.program, "maker", "--config", config, "--json"], folder,
  );
  const isComplete = await until(() => asking.heardAtMs().length === plan.directories, upMsMax, 10);
  if (!isComplete) {
    await server.stop(maker);
    throw new Error(`not every directory was told of offers:\n${server.saidBy(maker.errors)}`);
  }
  const said = readFileSync(maker.errors, "utf8").split("\n");
  const upAtMs = timeOf(said, "maker.directory-up");
  const publicAtMs = timeOf(said, "maker.offers-announced");
  const firstMs = Math.max(0, publicAtMs - upAtMs);
  return { maker, firstMs, offeredMs: Math.min(...asking.heardAtMs()) - fromMs };
}

function timeOf(lines: readonly string[], code: string): number {
  const line = lines.find((one) => one.includes(`"code":"${code}"`));
  if (line === undefined) throw new Error(`the maker's log has no ${code}`);
  return (JSON.parse(line) as { time: number }).time;
}

/** CPU and memory: first nothing happens but what always does and a block; then a taker asks. */
async function resting(
  { seconds }: Plan, { pid }: server.Server, { chain, nowMs }: Funded, asking: Asker,
): Promise<Pick<Round, "cpuPercent" | "askedPercent" | "rss">> {
  await sleep(restMs);
  const ms = seconds * 1_000;
  mine(chain.ledger, 1, nowMs());
  const cpuPercent = await spending(pid, () => sleep(ms));
  const askedPercent = await spending(pid, async () => {
    for (const endMs = unixMs() + ms; unixMs() < endMs;) {
      asking.ask();
      await sleep(Math.min(askEveryMs, Math.max(1, endMs - unixMs())));
    }
  });
  return { cpuPercent, askedPercent, rss: rssBytes(pid) };
}

/** The share of a core, in percent, that a process takes meanwhile. */
async function spending(pid: number, meanwhile: () => Promise<void>): Promise<number> {
  const fromUs = cpuUs(pid);
  const fromMs = unixMs();
  await meanwhile();
  return (cpuUs(pid) - fromUs) / (unixMs() - fromMs) / 10;
}

function figuresOf(rounds: readonly Round[], n: number): readonly Figure[] {
  const of = (name: keyof Round): number => median(rounds.map((one) => one[name]));
  const figure = (
    name: string, target: string, measured: string, holds: boolean | undefined,
  ): Figure => ({ row: "maker", name, n, target, measured, holds });
  const share = (name: string, cpu: number): Figure =>
    figure(name, "< 0.5 %", `${amount(cpu)} % of a core`, cpu < 0.5);
  const rss = of("rss");
  const ms = (value: number): string => `${amount(value)} ms`;
  const soon = (name: string, value: number): Figure =>
    figure(name, "< 2,000 ms", ms(value), value < 2_000);
  return [
    share("CPU at rest", of("cpuPercent")),
    share("CPU while a taker asks all directories each 20 s", of("askedPercent")),
    figure("RSS at rest", "< 90 MB", `${amount(rss / mb)} MB`, rss < 90 * mb),
    soon("first directory up to first offer, first start", of("firstMs")),
    soon("first directory up to first offer, next start", of("againMs")),
    figure(
      "process start to an offer at a taker, next start", "-", ms(of("offeredMs")), undefined,
    ),
  ];
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
  writeFileSync("docs/bench/maker.json", text);
  writeFileSync("docs/bench/maker.md", markdown(results));
}

function markdown({ date, machine: where, plan, figures }: Results): string {
  const verdict = { true: "yes", false: "no", undefined: "-" };
  const { directories, entries, seconds, rounds } = plan;
  const history = `${entries.toString().replace(/\B(?=(\d{3})+$)/g, ",")} transactions`;
  return [
    "# Maker: benchmark",
    "",
    `Measured ${date} by \`npm run bench:maker -- --record\`: ${where}.`,
    `The maker has ${directories} directories, each a process on loopback, a history of ${history}`,
    "that are settled, and three accounts with coins at a stand-in node over HTTP. At rest: for",
    `${seconds} s, with one block; then as long with a taker that asks every directory for the`,
    `order book each 20 s, and gets all answers. Rounds: ${rounds}; figures are medians.`,
    "",
    "| figure | target | measured | holds |",
    "|---|---|---|---|",
    ...figures.map((f) =>
      `| ${f.name} | ${f.target} | ${f.measured} | ${verdict[`${f.holds}`]} |`),
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
