/**
 * Hunts with real workers over an engine whose verdicts are known.
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadFile } from "../../../cli/sim/files.ts";
import { folder, type Ran } from "../capture.ts";
import { fakeLib } from "./fake.ts";
import { run } from "./program.ts";

const temp = folder();
after(temp.remove);
const lib = fakeLib(join(temp.path, "lib"));
let runs = 0;

type Hunted = Ran & { readonly dir: string };

async function hunt(seeds: string, ...more: readonly string[]): Promise<Hunted> {
  runs += 1;
  const dir = join(temp.path, `out${runs}`);
  const ran = await run(["sim", "hunt", "--seeds", seeds, "--lib", lib, "--out", dir, ...more]);
  return { ...ran, dir };
}

function last(ran: Ran): string {
  return ran.out.trimEnd().split("\n").at(-1) ?? "";
}

/** What does not depend on the clock or on folder names. */
function steady({ out, dir }: Hunted): string {
  return out.replaceAll(dir, "DIR").replaceAll(/[0-9.]+ (m?s) of search/g, "TIME")
    .replaceAll(/[0-9.,]+ s\)/g, "TIME)");
}

test("sim cli: hunt: two ways to fail in many seeds are two findings, small and kept", async () => {
  const one = await hunt("0x100..0x2ff", "-j", "1", "-q");
  assert.equal(one.code, 10);
  assert.match(last(one), /^SIM fail id=D2 seed=0x[12]33 hash=\w+ repro=\S+ seeds=512 found=2/);
  const kept = readdirSync(one.dir).filter((name) => /^[DL]/.test(name)).sort((a, b) =>
    (a < b ? -1 : 1));
  assert.deepEqual(kept.map((name) => name.split("-")[0]), ["D2", "L1"]);
  const loaded = loadFile(join(one.dir, kept[0] ?? ""));
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.kept.scenario.faults.map((fault) => fault.id), [7]);
  assert.equal(loaded.kept.original?.faults.length, 5);
  assert.match(one.out, /SAFETY {2}D2/);
  assert.match(one.out, /LIVENESS {2}L1/);
  assert.match(one.out, /replay \S*D2-0x\w+\.json/);
});

test("sim cli: hunt: what it tells does not depend on how many workers there are", async () => {
  const one = await hunt("0x20..0x8f", "-j", "1", "-q", "--fault", "cut=off");
  const three = await hunt("0x20..0x8f", "-j", "3", "-q", "--fault", "cut=off");
  assert.equal(three.code, 12);
  const numbers = /\d{3,}/g;
  assert.equal(steady(three).replaceAll(numbers, "N"), steady(one).replaceAll(numbers, "N"));
});

test("sim cli: hunt: each class has its exit code", async () => {
  const cases: [string, string[], number, RegExp][] = [
    ["0x10..0x20", [], 0, /^SIM pass seeds=17 found=0 digest=\w+ (commit|version)=\S+ exit=0$/],
    ["0x50..0x58", [], 11, /^SIM fail id=L1 seed=0x55 /],
    ["0x88..0x89", [], 12, /^SIM differs seed=0x88 /],
    ["0xa0..0xab", ["--seed-from", "0"], 0, /^SIM pass /],
    ["0xaa..0xab", [], 12, /^SIM differs seed=0xaa /],
    ["0xb8..0xbc", [], 13, /^SIM fail seed=0xbb /],
    ["0x10..0x20", ["--goals", "require"], 14, /^SIM unmet .*unmet=\d+ /],
    ["0x66..0x67", [], 15, /^SIM inconclusive /],
  ];
  for (const [seeds, more, code, says] of cases) {
    const ran = await hunt(seeds, "-j", "1", "-q", ...more);
    assert.equal(ran.code, code, `${seeds}: ${ran.out}${ran.err}`);
    assert.match(last(ran), says);
  }
});

test("sim cli: hunt: a worker that dies is told with its seed", async () => {
  const ran = await hunt("0x74..0x7a", "-j", "1", "-q");
  assert.equal(ran.code, 13);
  assert.match(ran.out, /seed 0x77 had no end: its worker died: exit code 9/);
  assert.match(ran.err, /a worker died: exit code 9[^\n]*; it was started again/);
  assert.match(last(ran), /^SIM fail seed=0x77 seeds=7 /);
});

test("sim cli: hunt: stops at the first failure where that is asked", async () => {
  const ran = await hunt("0x100..0xffff", "-j", "2", "-q", "--stop", "--no-shrink");
  assert.equal(ran.code, 10);
  assert.match(last(ran), /seed=0x133 .*seeds=52 /);
});

test("sim cli: hunt: shards merged are the whole", async () => {
  const whole = await hunt("0x0..0x3f", "-j", "1", "-q", "--no-shrink");
  const parts = [
    await hunt("0x0..0x3f", "-j", "1", "-q", "--no-shrink", "--shard", "1/2"),
    await hunt("0x0..0x3f", "-j", "1", "-q", "--no-shrink", "--shard", "2/2"),
  ];
  const files = parts.map(({ dir }) => stateIn(dir));
  const into = join(temp.path, "all.json");
  const merged = await run(["sim", "merge", ...files, "--into", into]);
  assert.equal(merged.code, whole.code);
  const brief = (text: string): string | undefined => /^SIM .*? seeds=\d+ found=\d+/m.exec(
    text.replaceAll(/repro=\S+ /g, ""))?.[0];
  assert.equal(brief(merged.out), brief(whole.out));
  assert.ok(existsSync(into));

  const half = await run(["sim", "merge", files[0] ?? ""]);
  assert.match(half.err, /shards that are missing: 2\/2/);
  const twice = await run(["sim", "merge", files[0] ?? "", files[0] ?? ""]);
  assert.equal(twice.code, 2);
  assert.match(twice.err, /its seeds are in another file already/);
  const other = await hunt("0x40..0x4f", "-j", "1", "-q", "--profile", "smoke");
  const mixed = await run(["sim", "merge", files[0] ?? "", stateIn(other.dir)]);
  assert.equal(mixed.code, 2);
  assert.match(mixed.err, /another profile or other flags/);
  const junk = join(temp.path, "junk.json");
  writeFileSync(junk, "{}");
  const refused = await run(["sim", "merge", junk]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /junk\.json: not the state of a hunt/);
});

function stateIn(dir: string): string {
  const [name] = readdirSync(dir).filter((one) => one.startsWith("hunt-"));
  return join(dir, name ?? "");
}

test("sim cli: hunt: goes on where it stopped, and comes to the same", async () => {
  const whole = await hunt("0x0..0x2f", "-j", "1", "-q");
  const begun = await hunt("0x0..0x2f", "-j", "1", "-q");
  const file = stateIn(begun.dir);
  const state = JSON.parse(readFileSync(file, "utf8")) as { next: number; tally: unknown };
  const short = await hunt("0x0..0x13", "-j", "1", "-q");
  const early = JSON.parse(readFileSync(stateIn(short.dir), "utf8")) as typeof state;
  writeFileSync(file, JSON.stringify({ ...state, next: early.next, tally: early.tally }));
  const resumed = await run([
    "sim", "hunt", "--resume", "--lib", lib, "--out", begun.dir, "-j", "1", "-q",
  ]);
  assert.equal(resumed.code, 0);
  assert.equal(last(resumed), last(whole));

  writeFileSync(file, JSON.stringify({ ...state, code: "0000000" }));
  const refused = await run(["sim", "hunt", "--resume", file, "--lib", lib]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /results of different code are not mixed/);
});

test("sim cli: hunt: JSON, JUnit and GitHub's commands, each a document of its own", async () => {
  const json = await hunt("0x30..0x37", "-j", "1", "-q", "--format", "json");
  const told = JSON.parse(json.out) as { exit: number; kept: { id: string }[] };
  assert.equal(told.exit, 10);
  assert.deepEqual(told.kept.map((one) => one.id), ["D2"]);
  assert.match(json.err, /^SIM fail id=D2 /m);
  const junit = await hunt("0x30..0x37", "-j", "1", "-q", "--format", "junit");
  assert.match(junit.out, /^<\?xml [^]*<testsuites tests="4" failures="1" [^]*<\/testsuites>\n$/);
  assert.match(junit.out, /<failure message="conn 0 is wrong \(seed 0x33\)">/);
  const github = await hunt("0x30..0x37", "-j", "1", "-q", "--format", "github");
  assert.match(github.out, /^::error title=D2%3A conn N is wrong::conn 0 is wrong \(seed 0x33\)/m);
  assert.match(last(github), /^SIM fail /);
});

test("sim cli: hunt: wrong flags start nothing", async () => {
  const cases: [string[], RegExp][] = [
    [["--seeds", "9..1"], /--seeds 9\.\.1: the second seed is below the first/],
    [["--for", "soon"], /--for soon: expected a span such as 90s/],
    [["--seed-from", "moon"], /--seed-from moon: expected git, random or a seed/],
    [["--goals", "all"], /--goals all: expected auto, require, ignore/],
    [["--resume", "none.json"], /--resume: none\.json: /],
  ];
  for (const [flags, says] of cases) {
    const { code, err } = await run(["sim", "hunt", ...flags]);
    assert.equal(code, 2);
    assert.match(err, says);
  }
});
