/**
 * The command table of `dogwatch sim`.
 *
 * Rule 1: a command parses and calls; what it does is in its own file.
 * Rule 2: a file that cannot be written, and that the command did not expect, ends it with its
 * name.
 * @module
 */
import { type Command, Option } from "commander";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { bench, type BenchFlags, recordFile } from "./bench.ts";
import { addFiles, corpusFolder, type CorpusFlags, minimise, runAll } from "./corpus.ts";
import { cover, type CoverFlags } from "./cover.ts";
import { dashboard, type DashboardFlags } from "./dashboard.ts";
import { checkDeterminism, type DeterminismFlags } from "./determinism.ts";
import { diff } from "./diff.ts";
import { explain, type ExplainFlags } from "./explain.ts";
import { Unwritten } from "./files.ts";
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

/** Makes an action of what answers an exit code. */
type Act = <A extends readonly unknown[]>(
  work: (...args: A) => number | Promise<number>,
) => (...args: A) => Promise<void>;

/** Flags that say which worlds. */
const worlds: readonly FlagName[] = ["profile", "fault", "nodes", "lite"];
const runs: readonly FlagName[] = ["noCheck", "budgetEvents", "lib"];
const pictures: readonly FlagName[] = ["html", "svg", "mermaid", "open"];
const talk: readonly FlagName[] = ["format", "quiet"];

/** Adds `sim` and all below it; `ended` hears the exit code. */
export function addSim(root: Command, io: Io, ended: (code: number) => void): void {
  const act: Act = (work) => async (...args) => ended(await answer(() => work(...args), io));
  const sim = root.command("sim")
    .description("the simulator: worlds full of faults, run, searched, shrunk and drawn")
    .addHelpText("after", examples([
      "dogwatch sim run burst                       a world with a name, or a seed, or a file",
      "dogwatch sim hunt --for 10m                  many seeds on all cores",
      "dogwatch sim replay .sim/L1-0x94.json        step through what was found",
      "dogwatch sim why .sim/L1-0x94.json           which faults it needs, when it was decided",
    ]));
  addSearch(sim, io, act);
  addFound(sim, io, act);
  addProofs(sim, io, act);
  addKept(sim, io, act);
  addInner(sim, io, act);
}

async function answer(work: () => number | Promise<number>, io: Io): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    io.err(`dogwatch: ${error.message}\n`);
    return exits.failed;
  }
}

function addSearch(sim: Command, io: Io, act: Act): void {
  add(sim, "run", "run one seed, file or named scenario", [
    ...worlds, "seedFrom", ...runs, "noShrink", "jobs", "out", ...pictures, ...talk,
  ], [
    "dogwatch sim run                             any seed; the last line names it",
    "dogwatch sim run 0x94 --profile chaos --html drawn, whether it passes or not",
    "dogwatch sim run burst                       a fault that was seen in existing servers",
  ]).argument("[SUBJECT]", "a seed, a file, or a name")
    .action(act((given: string | undefined, flags: SimFlags) => run(given, flags, io)));
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
    .action(act((flags: HuntFlags) => hunt(flags, io)));
}

function addFound(sim: Command, io: Io, act: Act): void {
  add(sim, "replay", "the same run again; step through it, forwards and backwards", [
    ...worlds, ...runs, "out", ...pictures, ...talk,
  ], [
    "dogwatch sim replay .sim/L1-0x94.json        on a terminal: step, back, state, help",
    "dogwatch sim replay .sim/L1-0x94.json --break 72:12 --command \"state dir0; effects\"",
    "dogwatch sim replay burst --break welcome.sent@dir0",
    "dogwatch sim replay 0x94 --trace run.jsonl   every step as a line",
    "dogwatch sim replay run.trace                a trace that a daemon recorded in the field",
  ]).argument("[SUBJECT]", "a file, a seed, a name, or a recorded trace")
    .option("--from <STEP|TRACE>", "begin at this step; or look at a recorded trace")
    .option("--until <TIME|STEP>", "run to mm:ss or #step first")
    .addOption(again("--break <WHERE>", "stop at MARK[@NODE], mm:ss or #step"))
    .addOption(again("--command <WORDS>", "do this instead of asking; `;` between commands"))
    .option("--trace <FILE>", "write every step as a line of JSON")
    .action(act((given: string | undefined, flags: ReplayFlags) => replay(given, flags, io)));
  add(sim, "shrink", "make a failing scenario small", [
    ...worlds, ...runs, "jobs", "out", ...pictures, ...talk,
  ], [
    "dogwatch sim shrink .sim/L1-0x94.json --runs 5000",
  ]).argument("<SUBJECT>", "a file, a seed, or a name")
    .option("--runs <N>", "runs to spend; 1000")
    .action(act((given: string, flags: ShrinkFlags) => shrink(given, flags, io)));
  add(sim, "why", "which faults a failure needs, and when it became certain", [
    ...worlds, ...runs, "jobs", ...talk,
  ], [
    "dogwatch sim why .sim/L1-0x94.json",
    "dogwatch sim why .sim/L1-0x94.json --forks 200 --columns 40",
  ]).argument("<SUBJECT>", "a file, a seed, or a name")
    .option("--forks <N>", "runs from each instant on; 20")
    .option("--columns <N>", "instants to begin with; 9")
    .action(act((given: string, flags: WhyFlags) => why(given, flags, io)));
  add(sim, "diff", "the first step at which two runs or two traces part", [...worlds, ...talk], [
    "dogwatch sim diff 0x94 .sim/L1-0x94.json",
    "dogwatch sim diff before.jsonl after.jsonl",
  ]).argument("<A>", "a file, a seed, a name, or a trace").argument("<B>", "the other")
    .action(act((a: string, b: string, flags: SimFlags) => diff(a, b, flags, io)));
  add(sim, "explain", "what a rule, a goal or a fault means", ["out"], [
    "dogwatch sim explain D2                      a rule: why it is there, what to doubt first",
    "dogwatch sim explain halfOpen                a fault: what it does, how it is written",
    "dogwatch sim explain                         all of them",
  ]).argument("[ID]", "D1 to D16, X1 to X6, L1 to L9, S1 to S22; a kind of fault")
    .option("--json", "as JSON")
    .action(act((id: string | undefined, flags: ExplainFlags) => explain(id, flags, io)));
}

function addProofs(sim: Command, io: Io, act: Act): void {
  add(sim, "check-determinism", "the same seeds under everything that must not matter", [
    ...worlds, "seedFrom", "budgetEvents", "lib", "out", ...talk,
  ], [
    "dogwatch sim check-determinism --seeds 25 --seed-from git",
    "dogwatch sim check-determinism 0x94 --node /usr/local/bin/node24",
    "dogwatch sim check-determinism --canary      a planted look at the clock must be found",
  ]).argument("[SEED]", "one seed").option("--seeds <A..B|N>", "which seeds, or how many; 20")
    .addOption(again("--node <PATH>", "on this Node, too"))
    .option("--canary", "plant a fault in a copy of the compiled tree and look for it")
    .action(act((given: string | undefined, flags: DeterminismFlags) =>
      checkDeterminism(given, flags, io)));
  add(sim, "cover", "what a search sees: goals, faults against states, extremes", [
    ...worlds, "seedFrom", ...runs, "jobs", ...talk,
  ], [
    "dogwatch sim cover --seeds 5000 --profile chaos",
  ]).option("--seeds <A..B|N>", "which seeds, or how many; 500")
    .option("--goals <WHEN>", "fail if goals are not reached: auto, require, ignore")
    .action(act((flags: CoverFlags) => cover(flags, io)));
  const mutants = add(sim, "mutate", "plant known bugs and see whether they are found", [], [
    "dogwatch sim mutate --recorded               each by the seed that found it before",
    "dogwatch sim mutate --only close-unregisters-by-nick",
  ]);
  for (const option of mutateOptions()) mutants.addOption(option);
  mutants.action(act((flags: MutateFlags) => mutate(flags, io)));
  add(sim, "bench", "how fast the simulator is; one block of figures", ["jobs", "quiet"], [
    "dogwatch sim bench --history bench.jsonl     appended, and compared with the runs before",
    "dogwatch sim bench --quick",
  ]).option("--history <FILE>", "append the figures; fail when they fell by more than a fifth")
    .option("--record", `the same with ${recordFile}`)
    .option("--quick", "a few seconds for each figure: no figures to quote")
    .option("--json", "as JSON")
    .action(act((flags: BenchFlags) => bench(flags, io)));
}

function addKept(sim: Command, io: Io, act: Act): void {
  const group = sim.command("corpus").description("kept scenarios: what was found stays found")
    .addHelpText("after", examples([
      "dogwatch sim corpus add .sim/L1-0x94.json --note \"fixed by ...\"",
      "dogwatch sim corpus run                      all have to pass",
    ]));
  add(group, "add", "keep scenarios in the folder of the tests", [], [
    "dogwatch sim corpus add .sim/*.json --dir test/sim/regressions",
  ]).argument("<FILE...>", "scenarios").option("--dir <DIR>", `where to; ${corpusFolder}`)
    .option("--note <TEXT>", "what it was, and what fixed it")
    .action(act((files: string[], flags: CorpusFlags) => addFiles(files, flags, io)));
  add(group, "run", "run what is kept; everything has to pass", [
    "noCheck", "budgetEvents", "lib", "jobs", "quiet",
  ], [
    "dogwatch sim corpus run test/sim/regressions test/sim/smoke.json",
  ]).argument("[PLACE...]", `folders, scenarios, or files of seeds; ${corpusFolder}`)
    .action(act((places: string[], flags: CorpusFlags) => runAll(places, flags, io)));
  add(group, "min", "choose the few that reach what all reach", [
    ...worlds, "seedFrom", "budgetEvents", "lib", "jobs", "quiet",
  ], [
    "dogwatch sim corpus min --seeds 0..1999 --profile smoke --write test/sim/smoke.json",
  ]).argument("[PLACE...]", "folders, scenarios, or files of seeds; else --seeds")
    .option("--seeds <A..B|N>", "seeds to choose from; 500")
    .option("--write <FILE>", "write the chosen seeds")
    .action(act((places: string[], flags: CorpusFlags) => minimise(places, flags, io)));
}

function addInner(sim: Command, io: Io, act: Act): void {
  add(sim, "merge", "the results of shards as those of one search", ["format"], [
    "dogwatch sim merge shard*/hunt-*.json --into all.json",
  ]).argument("<FILE...>", "states of hunts, .sim/hunt-*.json")
    .option("--into <FILE>", "write the state of the whole")
    .option("--goals <WHEN>", "fail if goals are not reached: auto, require, ignore")
    .action(act((files: string[], flags: MergeFlags) => merge(files, flags, io)));
  add(sim, "generate", "print the scenario of a seed", [...worlds, "lib"], [
    "dogwatch sim generate 0x94 > mine.json       edit it, then: dogwatch sim run mine.json",
    "dogwatch sim generate .sim/L1-0x94.json      the scenario in a kept file, without its story",
  ]).argument("<SUBJECT>", "a seed, a file, or a name")
    .action(act((given: string, flags: SimFlags) => generate(given, flags, io)));
  add(sim, "dashboard", "a page about many nights of searching", [], [
    "dogwatch sim dashboard history.jsonl --out page.html",
  ]).argument("<FILE...>", "histories that .ci/nightly writes")
    .option("--out <FILE>", "the page; dashboard.html")
    .action(act((files: string[], flags: DashboardFlags) => dashboard(files, flags, io)));
  sim.command("worker", { hidden: true }).description("do jobs from stdin; for the other commands")
    .addOption(simFlag("lib"))
    .addHelpText("after", examples(["dogwatch sim worker                         a line, a job"]))
    .action(act((flags: WorkerFlags) => worker(flags, io)));
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
