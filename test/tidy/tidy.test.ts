import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { files, sources, text } from "./files.ts";
import { load } from "./modules.ts";
import { functions, imports, isTypesOnly } from "./shape.ts";

const root = process.cwd();
const ours = sources(root, ["core", "sim", "adapters", "cli"]);
const tests = sources(root, ["test"]);
const all = [...ours, ...tests];
const linesMax = 400;
const functionLinesMax = 70;
const columnsMax = 100;

/** What the package names: scripts and public files. */
type Package = {
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
};
const pack = JSON.parse(text(root, "package.json")) as Package;

test("tidy: tests: the test script runs every test file, and there are some", () => {
  const listing = /\$\((find [^)]*)\)/.exec(pack.scripts["test"] ?? "")?.[1];
  assert.ok(listing !== undefined, "the test script lists its files");
  const run = execFileSync("sh", ["-c", listing], { cwd: root, encoding: "utf8" });
  const listed = run.split("\n").filter((line) => line !== "");
  assert.ok(listed.length > 0, "no test file");
  const holding = tests.filter((file) => /^import .*"node:test";$/m.test(text(root, file)));
  none(holding.filter((file) => !listed.includes(file)), "a file with tests that no run loads");
});

test("tidy: sources: each opens with what it decides and is a @module", () => {
  none(ours.filter((file) => !hasHeader(text(root, file))), "no header comment with @module");
});

test("tidy: sources: sizes stay within the limits", () => {
  const long = ours.filter((file) => linesOf(file).length > linesMax);
  none(long, `more than ${linesMax} lines: a noun is missing`);
  none(ours.flatMap(longFunctions), `function of more than ${functionLinesMax} lines`);
  none(all.flatMap(wideLines), `more than ${columnsMax} columns`);
});

test("tidy: tests: every core file with functions has its test", () => {
  const core = ours.filter((file) => file.startsWith("core/"));
  const testable = core.filter((file) => functions(root, file).length > 0);
  none(testable.filter((file) => !tests.includes(testOf(file))), "no test file of the same name");
});

test("tidy: sources: files of types alone compile to nothing", async () => {
  const types = ours.filter((file) => file.startsWith("core/") && isTypesOnly(root, file));
  assert.ok(types.length > 0);
  for (const file of types) assert.deepEqual(Object.keys(await load(file)), [], file);
});

test("tidy: sources: no file that nobody imports", () => {
  const used = new Set(all.flatMap(importsBeyondOwnTest));
  none(ours.filter((file) => !used.has(file) && !isEntry(file)), "dead file");
});

test("tidy: words: nothing unfinished and no path of one machine", () => {
  const unfinished = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  const machine = new RegExp(`(^|[^\\w.])/(${["work", "root", "home", "Users"].join("|")})/`);
  const texts = [...all, ...files(root, ["docs", ".ci"]), ...topLevel().filter(isText)];
  none(texts.filter((file) => unfinished.test(text(root, file))), "unfinished business");
  none(texts.filter((file) => machine.test(text(root, file))), "a path of one machine");
});

test("tidy: coverage: only what cannot be reached is left out", () => {
  const marks = ours.flatMap((file) => linesOf(file).map((line, i) => ({ file, line, at: i + 1 })))
    .filter(({ line }) => /(?:[cv]8|istanbul|node:coverage) (?:ignore|disable)/.test(line));
  const wrong = marks.filter(({ file, line }) => !file.startsWith("core/") || !isUnreachable(line));
  none(wrong.map(({ file, at }) => `${file}:${at}`), "left out of coverage");
});

test("tidy: layout: the top level holds what it must and nothing else", () => {
  const allowed = new Set([
    "package.json", "package-lock.json", "tsconfig.json", ".gitignore", "LICENSE",
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md",
    "core", "adapters", "sim", "cli", "test", "docs", ".ci",
  ]);
  none(topLevel().filter((name) => !allowed.has(name)), "does not belong at the top level");
});

test("tidy: rows: every row of bad input has a test that names it", () => {
  const rows = JSON.parse(text(root, "test/tidy/rows.json")) as { id: string; says: string }[];
  const ids = new Set(rows.map((row) => row.id));
  assert.equal(ids.size, rows.length, "a row is listed twice");
  const named = new Set(tests.flatMap(rowsNamed));
  none([...named].filter((id) => !ids.has(id)), "a test names a row that is not in rows.json");
  none(rows.filter((row) => !named.has(row.id)).map((row) => `${row.id}: ${row.says}`), "no test");
});

test("tidy: hazards: every row of docs/maker.md has a scenario of a whole maker", () => {
  const table = text(root, "docs/maker.md").split("### What is different on purpose")[1] ?? "";
  const rows = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, row = ""]) => row);
  assert.equal(rows.length, 20);
  const scenarios = tests.filter((file) => file.startsWith("test/core/maker/"))
    .map((file) => text(root, file)).join("\n");
  none(rows.filter((row) => !scenarios.includes(`: hazard ${row}: `)), "no scenario");
});

test("tidy: hazards: every row of docs/ark-hazards.md has its scenario", () => {
  const rows = [...text(root, "docs/ark-hazards.md").matchAll(/^\| H(\d+) \|(.*)\|$/gm)]
    .map(([, row = "", cells = ""]) => ({ row: Number(row), cells: cells.split("|") }));
  const numbers = rows.map(({ row }) => row).sort((a, b) => a - b);
  assert.deepEqual(numbers, Array.from({ length: 36 }, (_, i) => i + 1));
  none(rows.filter(({ cells }) => cells.length !== 4).map(({ row }) => `H${row}`), "four cells");
  const scenarios = tests.filter((file) => file.startsWith("test/core/ark/hazards-"))
    .flatMap((file) => [...text(root, file).matchAll(/^test\("ark: hazards: (H\d+: [^"]*)"/gm)])
    .map(([, name = ""]) => name);
  const listed = rows.map(({ row, cells }) => `H${row}: ${cells[1]?.trim()}`);
  none(listed.filter((name) => !scenarios.includes(name)), "no scenario");
  none(scenarios.filter((name) => !listed.includes(name)), "no row, or another name there");
  assert.equal(new Set(scenarios).size, scenarios.length, "a scenario of each name");
});

/** Fails with one line for each finding. */
function none(found: readonly string[], what: string): void {
  assert.ok(found.length === 0, `${what}:\n  ${found.join("\n  ")}`);
}

function linesOf(file: string): string[] {
  return text(root, file).replace(/\n$/, "").split("\n");
}

function hasHeader(source: string): boolean {
  const header = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? "";
  return /@module\b/.test(header) && header.replace("@module", "").replaceAll(/[\s*]/g, "") !== "";
}

function longFunctions(file: string): string[] {
  return functions(root, file)
    .filter((f) => f.lines > functionLinesMax)
    .map((f) => `${file}:${f.line}: ${f.name}, ${f.lines}`);
}

function wideLines(file: string): string[] {
  return linesOf(file)
    .map((line, i) => ({ columns: Array.from(line).length, at: i + 1 }))
    .filter(({ columns }) => columns > columnsMax)
    .map(({ columns, at }) => `${file}:${at}: ${columns}`);
}

function testOf(file: string): string {
  return `test/${file.replace(/\.ts$/, ".test.ts")}`;
}

function importsBeyondOwnTest(file: string): string[] {
  return imports(root, file).filter((target) => testOf(target) !== file);
}

/** Commands, benchmarks and public modules are started or imported from outside. */
function isEntry(file: string): boolean {
  if (file === "cli/main.ts" || file === "cli/sim/viewer/main.ts") return true;
  if (file.startsWith("cli/bench/")) return true;
  return Object.values(pack.exports).some((target) => {
    const built = typeof target === "string" ? target : target.default;
    return built === `./dist/lib/${file.replace(/\.ts$/, ".js")}`;
  });
}

function isUnreachable(line: string): boolean {
  return line.includes("unreachable(") && line.includes("/* c8 ignore next */");
}

/** Files and folders at the top, without what git ignores. */
function topLevel(): string[] {
  const ignored = linesOf(".gitignore").map((line) => line.replace(/\/$/, "").replace(/^\*/, ""));
  return fs.readdirSync(root)
    .filter((name) => name !== ".git" && !ignored.some((end) => end !== "" && name.endsWith(end)));
}

function isText(name: string): boolean {
  return /\.(md|json)$/.test(name);
}

/** Rows in test names, `row <id>`, and the quoted ids of files that build names from a list. */
function rowsNamed(file: string): string[] {
  const source = text(root, file);
  const ids = [...source.matchAll(/\brow ([\w.]+\/[\w-]+)/g)].map((m) => m[1] ?? "");
  if (!source.includes("row ${")) return ids;
  return [...ids, ...[...source.matchAll(/"((?:[\d.]+|issue)\/[\w-]+)"/g)].map((m) => m[1] ?? "")];
}
