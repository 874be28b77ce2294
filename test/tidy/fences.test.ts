import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { leaks } from "./fences.ts";
import { text } from "./files.ts";
import { clean, plants, type Plant } from "./plants.ts";

const repository = process.cwd();
const configs = [
  "package.json", "tsconfig.json", "core/tsconfig.json", "sim/tsconfig.json", "core/assert.ts",
  "test/tidy/oxlint.core.json", "test/tidy/oxlint.rest.json", "test/tidy/imports.json",
];
const tools = path.join(repository, "node_modules");

let tidy = "";
let planted = "";

before(() => {
  tidy = tree(clean);
  planted = tree([...clean, ...plants]);
});

after(() => {
  for (const folder of [tidy, planted]) fs.rmSync(folder, { recursive: true, force: true });
});

test("tidy: fences: the compiler sees what the host would have to supply", () => {
  assertSeen(compiled(planted), plants.filter((p) => p.compiler === true).map((p) => p.file));
  assert.deepEqual(compiled(tidy), []);
});

test("tidy: fences: the linter sees ambient names, foreign imports and forgotten cases", () => {
  const wanted = plants.filter((p) => p.lint !== undefined).map((p) => `${p.file} ${p.lint}`);
  assertSeen(linted(planted), wanted);
  assert.deepEqual(linted(tidy), []);
});

test("tidy: fences: the import graph sees every forbidden direction and every cycle", () => {
  const wanted = plants.filter((p) => p.imports !== undefined).map((p) => `${p.file} ${p.imports}`);
  assertSeen(cruised(planted), wanted);
  assert.deepEqual(cruised(tidy), []);
});

test("tidy: fences: the syntax walk sees the rest, and clocks outside their one file", () => {
  const wanted = plants.filter((p) => p.walk !== undefined).map((p) => `${p.file} ${p.walk}`);
  assertSeen(walked(planted), wanted);
  assert.deepEqual(walked(tidy), []);
});

test("tidy: fences: each leak is planted once and some tool must see it", () => {
  assert.equal(new Set(plants.map((p) => p.file)).size, plants.length);
  for (const p of plants) assert.ok(p.compiler ?? p.lint ?? p.imports ?? p.walk, p.file);
});

for (const [name, tool] of Object.entries({ compiled, linted, cruised, walked })) {
  test(`tidy: fences: this repository is clean when ${name}`, () => {
    assert.deepEqual(tool(repository), []);
  });
}

/** A tree outside the repository with our configuration and these files. */
function tree(all: readonly Plant[]): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "dogwatch-fences-"));
  for (const file of configs) write(root, file, text(repository, file));
  for (const { file, source } of all) write(root, file, `${source}\n`);
  fs.symlinkSync(tools, path.join(root, "node_modules"));
  return root;
}

function write(root: string, file: string, source: string): void {
  const at = path.join(root, file);
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.writeFileSync(at, source);
}

function assertSeen(found: readonly string[], wanted: readonly string[]): void {
  assert.ok(wanted.length > 0);
  assert.deepEqual(wanted.filter((leak) => !found.includes(leak)), [], "planted and not seen");
}

/**
 * Runs a tool and returns what `findings` reads from its output; status and findings must agree.
 */
function run(
  root: string,
  tool: string,
  args: readonly string[],
  findings: (out: string) => string[],
): string[] {
  // An empty folder keeps the coverage of this run free of the tools' own code.
  const env = { ...process.env, NODE_V8_COVERAGE: "" };
  const done = spawnSync(process.execPath, [path.join(tools, tool), ...args], {
    cwd: root, env, encoding: "utf8", timeout: 60_000, maxBuffer: 16 * 1024 * 1024,
  });
  assert.equal(done.error, undefined);
  const found = done.stdout === "" ? [] : findings(done.stdout);
  const agree = (done.status === 0) === (found.length === 0);
  assert.ok(agree, `${tool}: status ${done.status}: ${done.stdout}${done.stderr}`);
  return found;
}

/** Files with an error in the fenced programs. */
function compiled(root: string): string[] {
  return ["core", "sim"].flatMap((part) =>
    run(root, "typescript7/bin/tsc", ["-p", part, "--pretty", "false"], (out) =>
      [...out.matchAll(/^([\w./-]+)\(\d+,\d+\): error/gm)].map((m) => m[1] ?? "")));
}

/** "file rule" of every lint error, over both configurations. */
function linted(root: string): string[] {
  const lint = (config: string, folders: readonly string[]): string[] =>
    run(root, "oxlint/bin/oxlint", [
      "--type-aware", "--format", "unix", "-c", `test/tidy/${config}`, ...folders,
    ], lintFindings);
  return [
    ...lint("oxlint.core.json", ["core", "sim"]),
    ...lint("oxlint.rest.json", ["adapters", "cli", "test"]),
  ];
}

function lintFindings(out: string): string[] {
  const lines = out.matchAll(/^([\w./-]+):\d+:\d+: .*\[\w+\/[\w-]+\(([\w-]+)\)\]$/gm);
  return [...lines].map((m) => `${m[1]} ${m[2]}`);
}

/** "file rule" of every import violation. */
function cruised(root: string): string[] {
  return run(root, "dependency-cruiser/bin/dependency-cruise.mjs", [
    "--config", "test/tidy/imports.json", "--output-type", "err",
    "core", "sim", "adapters", "cli", "test",
  ], cruiseFindings);
}

function cruiseFindings(out: string): string[] {
  return [...out.matchAll(/^  error ([\w-]+): ([\w./-]+)/gm)].map((m) => `${m[2]} ${m[1]}`);
}

/** "file rule" of every leak that the walk finds. */
function walked(root: string): string[] {
  return leaks(root).map(({ file, rule }) => `${file} ${rule}`);
}
