/**
 * The command table of `dogwatch sim`.
 *
 * Rule 1: a command parses and calls; what it does is in its own file.
 * @module
 */
import { type Command, Option } from "commander";
import type { Io } from "../io.ts";
import { bench, type BenchFlags, recordFile } from "./bench.ts";
import { addFiles, corpusFolder, type CorpusFlags, minimise, runAll } from "./corpus.ts";
import { cover, type CoverFlags } from "./cover.ts";
import { dashboard, type DashboardFlags } from "./dashboard.ts";
import { checkDeterminism, type DeterminismFlags } from "./determinism.ts";
import { diff } from "./diff.ts";
import { explain, type ExplainFlags } from "./explain.ts";
import { type FlagName, simFlag, type SimFlags } from "./flags.ts";
import { generate } from "./generate.ts";
import { hunt, type HuntFlags } from "./hunt.ts";
import { merge, type MergeFlags } from "./merge.ts";
import { mutate, type MutateFlags, mutateOptions } from "./mutate.ts";
import { replay, type ReplayFlags } from "./replay.ts";
import { run } from "./run.ts";
import { shrink, type ShrinkFlags } from "./shrink.ts";
import { why, type WhyFlags } from "./why.ts";
import { worker, type WorkerFlags } from "./worker.ts";

/** A command's answer: its exit code. */
type Done = (code: number) => void;

/** Flags that say which worlds. */
const worlds: readonly FlagName[] = ["profile", "fault", "nodes", "lite"];
const runs: readonly FlagName[] = ["noCheck", "budgetEvents", "lib"];
const pictures: readonly FlagName[] = ["html", "svg", "mermaid", "open"];
const talk: readonly FlagName[] = ["format", "quiet"];

/** Adds `sim` and all below it. */
export function addSim(root: Command, io: Io, done: Done): void {
  const sim = root.command("sim")
    .description("the simulator: worlds full of faults, run, searched, shrunk and drawn")
    .addHelpText("after", examples([
      "dogwatch sim run burst                       a world with a name, or a seed, or a file",
      "dogwatch sim hunt --for 10m                  many seeds on all cores",
      "dogwatch sim replay .sim/L1-0x94.json        step through what was found",
      "dogwatch sim why .sim/L1-0x94.json           which faults it needs, when it was decided",
    ]));
  addSearch(sim, io, done);
  addFound(sim, io, done);
  addProofs(sim, io, done);
  addKept(sim, io, done);
  addInner(sim, io, done);
}

function addSearch(sim: Command, io: Io, done: Done): void {
  add(sim, "run", "run one seed, file or named scenario", [
    ...worlds, "seedFrom", ...runs, "noShrink", "jobs", "out", ...pictures, ...talk,
  ], [
    "dogwatch sim run                             any seed; the last line names it",
    "dogwatch sim run 0x94 --profile chaos --html drawn, whether it passes or not",
    "dogwatch sim run burst                       a fault that was seen in existing servers",
  ]).argument("[SUBJECT]", "a seed, a file, or a name")
    .action(async (given: string | undefined, flags: SimFlags) =>
      done(await run(given, flags, io)));
  add(sim, "hunt", "search many seeds; tell failures apart, shrink and keep them", [
    ...worlds, "seedFrom", "shard", ...runs, "noShrink", "jobs", "out", ...pictures, ...talk,
  ], [
    "dogwatch sim hunt --seeds 10000 --profile chaos",
    "dogwatch sim hunt --seeds 0x1a00..0x1fff -j 2",
    "dogwatch sim hunt --for 10m --seed-from git  new seeds for every commit, the same for all",
    "dogwatch sim hunt --seeds 0..99999 --shard 2/4 --out shard2   then: dogwatch sim merge",
    "dogwatch sim hunt --resume                   go on where the last one stopped",
  ]).option("--seeds <A..B|N>", "which seeds, or how many; 1000")
    .option("--for <SPAN>", "search so long, such as 90s, 10m, 2h")
    .option("--stop", "stop at the first failure")
    .option("--resume [FILE]", "go on with a hunt that was stopped")
    .option("--goals <WHEN>", "fail if goals are not reached: auto, require, ignore")
    .action(async (flags: HuntFlags) => done(await hunt(flags, io)));
}

function addFound(sim: Command, io: Io, done: Done): void {
  add(sim, "replay", "the same run again; step through it, forwards and backwards", [
    ...worlds, ...runs, "out", ...pictures, ...talk,
  ], [
    "dogwatch sim replay .sim/L1-0x94.json        on a terminal: step, back, state, help",
    "dogwatch sim replay .sim/L1-0x94.json --break 72:12 --command \"state dir0; effects\"",
    "dogwatch sim replay burst --break welcome.sent@dir0",
    "dogwatch sim replay 0x94 --trace run.jsonl   every step as a line",
    "dogwatch sim replay --from run.trace         a trace that a daemon recorded in the field",
  ]).argument("[SUBJECT]", "a file, a seed, or a name")
    .option("--from <STEP|TRACE>", "begin at this step; or look at a recorded trace")
    .option("--until <TIME|STEP>", "run to mm:ss or #step first")
    .addOption(again("--break <WHERE>", "stop at MARK[@NODE], mm:ss or #step"))
    .addOption(again("--command <WORDS>", "do this instead of asking; `;` between commands"))
    .option("--trace <FILE>", "write every step as a line of JSON")
    .action(async (given: string | undefined, flags: ReplayFlags) =>
      done(await replay(given, flags, io)));
  add(sim, "shrink", "make a failing scenario small", [
    ...worlds, ...runs, "jobs", "out", ...pictures, ...talk,
  ], [
    "dogwatch sim shrink .sim/L1-0x94.json --runs 5000",
  ]).argument("<SUBJECT>", "a file, a seed, or a name")
    .option("--runs <N>", "runs to spend; 1000")
    .action(async (given: string, flags: ShrinkFlags) => done(await shrink(given, flags, io)));
  add(sim, "why", "which faults a failure needs, and when it became certain", [
    ...worlds, ...runs, "jobs", ...talk,
  ], [
    "dogwatch sim why .sim/L1-0x94.json",
    "dogwatch sim why .sim/L1-0x94.json --forks 200 --columns 40",
  ]).argument("<SUBJECT>", "a file, a seed, or a name")
    .option("--forks <N>", "runs from each instant on; 20")
    .option("--columns <N>", "instants to begin with; 9")
    .action(async (given: string, flags: WhyFlags) => done(await why(given, flags, io)));
  add(sim, "diff", "the first step at which two runs or two traces part", [...worlds, ...talk], [
    "dogwatch sim diff 0x94 .sim/L1-0x94.json",
    "dogwatch sim diff before.jsonl after.jsonl",
  ]).argument("<A>", "a file, a seed, a name, or a trace").argument("<B>", "the other")
    .action((a: string, b: string, flags: SimFlags) => done(diff(a, b, flags, io)));
  add(sim, "explain", "what a rule or goal means, and what to doubt first", ["out"], [
    "dogwatch sim explain D2",
    "dogwatch sim explain                         all of them",
  ]).argument("[ID]", "D1 to D16, X1 to X6, L1 to L9, S1 to S22").option("--json", "as JSON")
    .action((id: string | undefined, flags: ExplainFlags) => done(explain(id, flags, io)));
}

function addProofs(sim: Command, io: Io, done: Done): void {
  add(sim, "check-determinism", "the same seeds under everything that must not matter", [
    ...worlds, "seedFrom", "budgetEvents", "lib", "out", ...talk,
  ], [
    "dogwatch sim check-determinism --seeds 25 --seed-from git",
    "dogwatch sim check-determinism 0x94 --node /usr/local/bin/node24",
    "dogwatch sim check-determinism --canary      a planted look at the clock must be found",
  ]).argument("[SEED]", "one seed").option("--seeds <A..B|N>", "which seeds, or how many; 20")
    .addOption(again("--node <PATH>", "on this Node, too"))
    .option("--canary", "plant a fault in a copy of the compiled tree and look for it")
    .action(async (given: string | undefined, flags: DeterminismFlags) =>
      done(await checkDeterminism(given, flags, io)));
  add(sim, "cover", "what a search sees: goals, faults against states, extremes", [
    ...worlds, "seedFrom", ...runs, "jobs", ...talk,
  ], [
    "dogwatch sim cover --seeds 5000 --profile chaos",
  ]).option("--seeds <A..B|N>", "which seeds, or how many; 500")
    .option("--goals <WHEN>", "fail if goals are not reached: auto, require, ignore")
    .action(async (flags: CoverFlags) => done(await cover(flags, io)));
  const mutants = add(sim, "mutate", "plant known bugs and see whether they are found", [], [
    "dogwatch sim mutate --recorded               each by the seed that found it before",
    "dogwatch sim mutate --only close-unregisters-by-nick",
  ]);
  for (const option of mutateOptions()) mutants.addOption(option);
  mutants.action(async (flags: MutateFlags) => done(await mutate(flags, io)));
  add(sim, "bench", "how fast the simulator is; one block of figures", ["jobs", "quiet"], [
    "dogwatch sim bench --history bench.jsonl     appended, and compared with the runs before",
    "dogwatch sim bench --quick",
  ]).option("--history <FILE>", "append the figures; fail when they fell by more than a fifth")
    .option("--record", `the same with ${recordFile}`)
    .option("--quick", "a few seconds for each figure: no figures to quote")
    .option("--json", "as JSON")
    .action(async (flags: BenchFlags) => done(await bench(flags, io)));
}

function addKept(sim: Command, io: Io, done: Done): void {
  const group = sim.command("corpus").description("kept scenarios: what was found stays found")
    .addHelpText("after", examples([
      "dogwatch sim corpus add .sim/L1-0x94.json --note \"fixed by ...\"",
      "dogwatch sim corpus run                      all have to pass",
    ]));
  add(group, "add", "keep scenarios in the folder of the tests", [], [
    "dogwatch sim corpus add .sim/*.json --dir test/sim/regressions",
  ]).argument("<FILE...>", "scenarios").option("--dir <DIR>", `where to; ${corpusFolder}`)
    .option("--note <TEXT>", "what it was, and what fixed it")
    .action((files: string[], flags: CorpusFlags) => done(addFiles(files, flags, io)));
  add(group, "run", "run what is kept; everything has to pass", [
    "noCheck", "budgetEvents", "lib", "jobs", "quiet",
  ], [
    "dogwatch sim corpus run test/sim/regressions test/sim/smoke.json",
  ]).argument("[PLACE...]", `folders, scenarios, or files of seeds; ${corpusFolder}`)
    .action(async (places: string[], flags: CorpusFlags) =>
      done(await runAll(places, flags, io)));
  add(group, "min", "choose the few that reach what all reach", [
    ...worlds, "seedFrom", "budgetEvents", "lib", "jobs", "quiet",
  ], [
    "dogwatch sim corpus min --seeds 0..1999 --profile smoke --write test/sim/smoke.json",
  ]).argument("[PLACE...]", "folders, scenarios, or files of seeds; else --seeds")
    .option("--seeds <A..B|N>", "seeds to choose from; 500")
    .option("--write <FILE>", "write the chosen seeds")
    .action(async (places: string[], flags: CorpusFlags) =>
      done(await minimise(places, flags, io)));
}

function addInner(sim: Command, io: Io, done: Done): void {
  add(sim, "merge", "the results of shards as those of one search", ["format"], [
    "dogwatch sim merge shard*/hunt-*.json --into all.json",
  ]).argument("<FILE...>", "states of hunts, .sim/hunt-*.json")
    .option("--into <FILE>", "write the state of the whole")
    .option("--goals <WHEN>", "fail if goals are not reached: auto, require, ignore")
    .action((files: string[], flags: MergeFlags) => done(merge(files, flags, io)));
  add(sim, "generate", "print the scenario of a seed", [...worlds, "lib"], [
    "dogwatch sim generate 0x94 > mine.json       edit it, then: dogwatch sim run mine.json",
    "dogwatch sim generate .sim/L1-0x94.json      the scenario in a kept file, without its story",
  ]).argument("<SUBJECT>", "a seed, a file, or a name")
    .action(async (given: string, flags: SimFlags) => done(await generate(given, flags, io)));
  add(sim, "dashboard", "a page about many nights of searching", [], [
    "dogwatch sim dashboard history.jsonl --out page.html",
  ]).argument("<FILE...>", "histories that .ci/nightly writes")
    .option("--out <FILE>", "the page; dashboard.html")
    .action((files: string[], flags: DashboardFlags) => done(dashboard(files, flags, io)));
  sim.command("worker", { hidden: true }).description("do jobs from stdin; for the other commands")
    .addOption(simFlag("lib"))
    .addHelpText("after", examples(["dogwatch sim worker                         a line, a job"]))
    .action(async (flags: WorkerFlags) => done(await worker(flags, io)));
}

/** A flag that may come again. */
function again(name: string, about: string): Option {
  return new Option(name, about)
    .argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}

function add(
  parent: Command, name: string, about: string, flags: readonly FlagName[],
  shown: readonly string[],
): Command {
  const command = parent.command(name).description(about).addHelpText("after", examples(shown));
  for (const flag of flags) command.addOption(simFlag(flag));
  return command;
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
