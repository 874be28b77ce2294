/**
 * The small commands over the real simulator.
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { counted } from "../../../cli/sim/bench.ts";
import { goals } from "../../../cli/sim/engine.ts";
import { check, loadFile } from "../../../cli/sim/files.ts";
import { harmRows } from "../../../cli/sim/harms.ts";
import { rules } from "../../../cli/sim/rules.ts";
import { harmKinds } from "../../../sim/scenario.ts";
import { folder, run as inside } from "../capture.ts";
import { fakeLib } from "./fake.ts";
import { run } from "./program.ts";

const temp = folder();
after(temp.remove);
const lib = fakeLib(join(temp.path, "lib"));
const place = (name: string): string => join(temp.path, name);

function last(out: string): string {
  return out.trimEnd().split("\n").at(-1) ?? "";
}

test("sim cli: run: a seed has a verdict, a digest, and the same one every time", async () => {
  const flags = ["--profile", "smoke", "--format", "json", "--no-shrink", "--out", place("run")];
  const one = await inside(["sim", "run", "0x2", ...flags]);
  const two = await inside(["sim", "run", "2", ...flags]);
  assert.deepEqual(JSON.parse(one.out), JSON.parse(two.out));
  assert.match(one.err, /^SIM \w+ (id=\S+ )?seed=0x2 steps=\d+ hash=\w{16} /m);
});

test("sim cli: run: what is no subject is told with what there is", async () => {
  const { code, err } = await inside(["sim", "run", "moonlight"]);
  assert.equal(code, 2);
  assert.match(err, /moonlight: no such file, and neither a seed \(.*\) nor one of burst, /);
  writeFileSync(place("bad.json"), "{\"simVersion\": 1}");
  const bad = await inside(["sim", "run", place("bad.json")]);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /bad\.json: name: missing; expected a text/);
});

test("sim cli: run: a subject and a place to draw one from do not go together", async () => {
  const { code, err } = await inside(["sim", "run", "0x1", "--seed-from", "git"]);
  assert.equal(code, 2);
  assert.match(err, /^dogwatch: --seed-from git: .*0x1 is what is run; name one of the two\n$/);
});

test("sim cli: run: exit code and last line of each class of verdict", async () => {
  const cases: [string, number, RegExp][] = [
    ["0x33", 10, /^SIM fail id=D2 seed=0x33 /], ["0x55", 11, /^SIM fail id=L1 /],
    ["0x66", 15, /^SIM inconclusive /], ["0x88", 12, /^SIM differs touched=Date\.now /],
  ];
  for (const [seed, exit, says] of cases) {
    const { code, out } = await run([
      "sim", "run", seed, "--lib", lib, "--out", place("fake"), "-j", "1", "-q",
    ]);
    assert.equal(code, exit, out);
    assert.match(last(out), says);
  }
  assert.ok(existsSync(place("fake/D2-0x33.json")));
});

test("sim cli: generate: what it prints is what run takes", async () => {
  const { code, out } = await inside(["sim", "generate", "0x7", "--profile", "smoke"]);
  assert.equal(code, 0);
  writeFileSync(place("seven.json"), out);
  const [file, seed] = await Promise.all([place("seven.json"), "0x7"].map((subject) => inside([
    "sim", "run", subject, "--profile", "smoke", "--format", "json", "--no-shrink",
    "--out", place("gen"),
  ])));
  const digest = (text = ""): unknown =>
    (JSON.parse(text) as { outcome: { digest: string } }).outcome.digest;
  assert.equal(digest(file?.out), digest(seed?.out));
});

test("sim cli: shrink: a kept failure gets smaller, and remembers what it was", async () => {
  const out = place("shrink");
  const { code } = await run([
    "sim", "run", "0x33", "--lib", lib, "--out", out, "-j", "1", "-q", "--no-shrink",
  ]);
  assert.equal(code, 10);
  const file = join(out, "D2-0x33.json");
  const ran = await run(["sim", "shrink", file, "--lib", lib, "--out", out, "-j", "2", "-q"]);
  assert.equal(ran.code, 10, ran.err);
  assert.match(last(ran.out), /^SIM fail id=D2 runs=\d+ minimal=yes /);
  const loaded = loadFile(file);
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.kept.scenario.faults.map((fault) => fault.id), [7]);
  assert.equal(loaded.kept.original?.faults.length, 5);
  assert.equal(loaded.kept.found?.seed, "0x33");
  const passing = await run(["sim", "shrink", "0x1", "--lib", lib, "--out", out, "-q"]);
  assert.equal(passing.code, 0);
  assert.match(passing.err, /0x1 does not fail: there is nothing to make smaller/);
});

test("sim cli: why: the one necessary fault is named", async () => {
  const ran = await run([
    "sim", "why", "0x33", "--lib", lib, "-j", "1", "-q", "--forks", "2", "--columns", "3",
    "--format", "json",
  ]);
  assert.equal(ran.code, 0, ran.err);
  const { why } = JSON.parse(ran.out) as { why: { rows: { id: number; without: string }[] } };
  const needed = why.rows.filter((row) => row.without === "passes").map((row) => row.id);
  assert.deepEqual(needed, [7]);
});

test("sim cli: explain: every rule and goal has its words", async () => {
  const ids = [...rules, ...goals].map((one) => one.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    const args = ["sim", "explain", id.toLowerCase(), "--out", place("none")];
    const { code, out } = await inside(args);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^${id.replace(".", "\\.")} {2}`));
  }
  const all = await inside(["sim", "explain"]);
  for (const id of ids) assert.ok(all.out.includes(`\n${id} `) || all.out.startsWith(`${id} `));
  const unknown = await inside(["sim", "explain", "Q9"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /explain Q9: unknown; there is D1, /);
});

test("sim cli: explain: every kind of fault has words, all its fields and an example", async () => {
  const { out } = await inside(["sim", "generate", "0x7", "--profile", "smoke"]);
  const scenario = { ...JSON.parse(out) as object, workload: [], triggers: [] };
  assert.deepEqual(harmRows.map((row) => row.kind), [...harmKinds]);
  for (const { kind, name, fields, example } of harmRows) {
    const checked = check(kind, { ...scenario, faults: [example] });
    assert.ok(checked.ok, checked.ok ? "" : checked.problems.join("\n"));
    const own = Object.keys(example).filter((field) => !["id", "at", "kind"].includes(field));
    assert.deepEqual(fields.map((text) => text.split(":")[0]), own, kind);
    for (const asked of [kind, kind.toUpperCase(), name]) {
      const told = await inside(["sim", "explain", asked, "--out", place("none")]);
      assert.equal(told.code, 0, asked);
      assert.match(told.out, new RegExp(`^${kind} {2}fault: `, "m"));
      assert.ok(told.out.includes(`"kind": "${kind}"`));
    }
  }
  const all = await inside(["sim", "explain"]);
  for (const kind of harmKinds) assert.match(all.out, new RegExp(`^${kind} +[A-Z]`, "m"));
});

test("sim cli: bench: progress names the measurement and how many there are", () => {
  const said: string[] = [];
  const spans = { warmMs: 3_000, spanMs: 10_000, spans: 5, seedsMs: 60_000, scaleMs: 5_000,
    scaleSteps: 1 };
  const told = counted((says) => void said.push(says), spans);
  for (const says of ["one process", "without checks", "2 processes"]) told(says);
  assert.deepEqual(said, [
    "9 measurements, about 3 minutes", "[1/9] one process", "[2/9] without checks",
    "[3/9] 2 processes",
  ]);
});

test("sim cli: corpus: add keeps once, run asks all to pass, min keeps what covers", async () => {
  const dir = place("corpus");
  const { out: scenario } = await inside(["sim", "generate", "0x1", "--profile", "smoke"]);
  writeFileSync(place("one.json"), scenario);
  const added = await inside([
    "sim", "corpus", "add", place("one.json"), "--dir", dir, "--note", "fixed long ago",
  ]);
  assert.equal(added.code, 0);
  const [name] = readdirSync(dir);
  const loaded = loadFile(join(dir, name ?? ""));
  assert.ok(loaded.ok);
  assert.equal(loaded.kept.note, "fixed long ago");
  const again = await inside(["sim", "corpus", "add", place("one.json"), "--dir", dir]);
  assert.match(again.out, /there already, as /);
  const missing = await inside(["sim", "corpus", "add", place("no.json"), "--dir", dir]);
  assert.equal(missing.code, 2);

  const fine = await run(["sim", "corpus", "run", dir, "--lib", lib, "-j", "1"]);
  assert.equal(fine.code, 0, fine.out);
  assert.match(fine.out, /^1 of 1 kept scenario pass\nSIM pass kept=1 /m);
  const failing = place("failing");
  mkdirSync(failing);
  const { out: bad } = await run(["sim", "generate", "0x33", "--lib", lib]);
  writeFileSync(join(failing, "D2.json"), bad);
  const red = await run(["sim", "corpus", "run", failing, dir, "--lib", lib, "-j", "1"]);
  assert.equal(red.code, 10);
  assert.match(red.out, /D2\.json: D2 at dir0: conn 0 is wrong\n1 of 2 kept scenarios pass/);

  const smoke = place("smoke.json");
  const min = await run([
    "sim", "corpus", "min", "--seeds", "0x100..0x131", "--lib", lib, "-j", "1", "--write", smoke,
  ]);
  assert.equal(min.code, 0, min.err);
  assert.match(min.out, /^2 of 50 reach the same goals, faults and states$/m);
  const both = await run(["sim", "corpus", "run", smoke, "--lib", lib, "-j", "1"]);
  assert.equal(both.code, 0);
  assert.match(both.out, /^2 of 2 kept scenarios pass/m);
});

test("sim cli: cover: goals, matrix and extremes, as text and as JSON", async () => {
  const json = await run([
    "sim", "cover", "--seeds", "0x0..0x3", "--profile", "smoke", "-j", "1", "-q",
    "--format", "json",
  ]);
  const told = JSON.parse(json.out) as {
    cover: { matrix: Record<string, Record<string, number>>; moves: Record<string, number> };
  };
  assert.ok((told.cover.moves["session greeting > registered"] ?? 0) > 0);
  assert.ok(Object.keys(told.cover.matrix).length > 0);
  const text = await run([
    "sim", "cover", "--seeds", "0x0..0x1", "--profile", "smoke", "-j", "1", "-q",
  ]);
  assert.match(text.out, /^goals after 2 seeds of smoke\n[^]*S22\.cut[^]*extremes, in thousandths/);
});

test("sim cli: check-determinism: all legs agree, and a difference is exit 12", async () => {
  const same = await run([
    "sim", "check-determinism", "0x3", "--lib", lib, "--node", process.execPath,
  ]);
  assert.equal(same.code, 0, same.out + same.err);
  assert.match(same.out, /A-B-A\) +1\/1\n[^]*just-in-time compiler +1\/1\n[^]*SIM pass legs=7 /);
  const differs = await run([
    "sim", "check-determinism", "0xaa", "--lib", lib, "--format", "json",
  ]);
  assert.equal(differs.code, 12);
  assert.match(differs.err, /^SIM differs legs=6 seeds=1 differing=\d seed=0xaa /m);
});

test("sim cli: dashboard: a page of its own, with every number that the lines hold", async () => {
  const json = await run([
    "sim", "hunt", "--seeds", "0x130..0x15f", "--lib", lib, "--out", place("dash"), "-j", "1", "-q",
    "--format", "json",
  ]);
  const line = (kind: string, day: number, result: unknown, exit = 0): string =>
    JSON.stringify({ kind, at: Date.UTC(2026, 1, day, 23), exit, node: "v20", result });
  const file = place("history.jsonl");
  writeFileSync(file, [
    line("hunt", 27, JSON.parse(json.out), 10), line("hunt", 28, JSON.parse(json.out), 10),
    line("mutants", 28, {
      rows: [{ id: "stale", kill: { seeds: 9 } }, { id: "blind-spot" }], median: 9,
    }),
    line("determinism", 28, { legs: [{ name: "x", seeds: 25, differing: [] }] }),
    line("canary", 28, { canary: "SIM pass canary=found" }),
    line("bench", 28, { machine: "Some <CPU>", figures: {
      eventsPerSecond: 512_345, ratio: 41_000, seedsPerHour: 43_210 } }),
    "", "not a line", "{}",
  ].join("\n"));
  const page = place("page.html");
  const made = await inside(["sim", "dashboard", file, "--out", page]);
  assert.equal(made.code, 0);
  assert.match(made.out, /page\.html: 2 days, 2 findings\n$/);
  assert.match(made.err, /2 lines left out/);
  const html = readFileSync(page, "utf8");
  assert.match(html, /default-src 'none'/);
  assert.doesNotMatch(html, /https?:|<script|src=|<CPU>/);
  const wanted = [
    "2026-02-27", "2026-02-28", "npx dogwatch sim run", "1 of 2", "25 of 25", "512k", "43k",
    "Some &lt;CPU&gt;", "blind-spot", "not reached: ",
  ];
  for (const text of wanted) assert.ok(html.includes(text), text);
  const none = await inside(["sim", "dashboard", place("no.jsonl")]);
  assert.equal(none.code, 1);
});
