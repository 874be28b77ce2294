/**
 * Leaks to plant, and which tool must see each.
 *
 * Rule 1: a leak names every tool that is relied on for it; a tool that may or may not see it is
 * not named.
 * @module
 */

/**
 * A planted file and who reports it: the compiler, a lint rule, an import rule, a rule of the
 * syntax walk.
 */
export type Plant = {
  readonly file: string;
  readonly source: string;
  readonly compiler?: true;
  readonly lint?: string;
  readonly imports?: string;
  readonly walk?: string;
};

const hostGlobals = [
  "setTimeout", "console", "Buffer", "fetch", "crypto", "process", "performance", "TextEncoder",
  "structuredClone", "queueMicrotask", "URL",
];
const languageGlobals = ["Date", "WeakRef", "Intl", "Promise", "FinalizationRegistry"];
const mathProperties = ["random", "pow", "exp", "log", "sqrt"];

/** Leaks that core and sim must not hold. */
function pure(folder: "core" | "sim"): Plant[] {
  const at = (name: string): string => `${folder}/${name}.ts`;
  const rule = folder === "core" ? "core-imports-core" : "sim-imports-sim-and-core";
  return [
    ...hostGlobals.map((name): Plant => ({
      file: at(`host-${name}`), source: `export const x = ${name};`,
      compiler: true, lint: "no-restricted-globals",
    })),
    ...languageGlobals.map((name): Plant => ({
      file: at(`language-${name}`), source: `export const x = ${name};`,
      lint: "no-restricted-globals",
    })),
    ...mathProperties.map((name): Plant => ({
      file: at(`math-${name}`), source: `export const x = Math.${name};`,
      lint: "no-restricted-properties",
    })),
    {
      file: at("locale"), source: 'export const x = "a".localeCompare("b");',
      lint: "no-restricted-properties",
    },
    {
      file: at("node-fs"),
      source: 'import { readFileSync } from "node:fs"; export { readFileSync };',
      compiler: true, lint: "no-restricted-imports", imports: rule, walk: "import",
    },
    {
      file: at("node-fs-promises"),
      source: 'import { readFile } from "node:fs/promises"; export { readFile };',
      compiler: true, lint: "no-restricted-imports", imports: rule, walk: "import",
    },
    {
      file: at("package"), source: 'import { z } from "zod"; export { z };',
      lint: "no-restricted-imports", imports: rule, walk: "import",
    },
    {
      file: at("package-type"), source: 'export type X = import("zod").ZodType;',
      imports: rule, walk: "import",
    },
    {
      file: at("from-adapters"), source: 'export { leaf } from "../adapters/leaf.ts";',
      ...(folder === "core" ? { compiler: true } : {}),
      lint: "no-restricted-imports", imports: rule,
    },
    {
      file: at("dynamic"), source: 'export const x = import("./dynamic.ts");',
      walk: "dynamic import",
    },
    {
      file: at("async"), source: "export async function x() { await x(); }",
      lint: "no-async-await", walk: "async",
    },
    { file: at("await"), source: "export async function x() { await x(); }", walk: "await" },
    { file: at("promise-type"), source: "export type X = Promise<void>;", walk: "Promise" },
    {
      file: at("for-in"),
      source: "export function x(o: object): void { for (const k in o) if (k === '') return; }",
      walk: "for..in",
    },
    {
      file: at("sort"), source: "export const x = [2, 10].sort();",
      lint: "require-array-sort-compare", walk: "bare sort",
    },
    { file: at("let"), source: "export let x = 1;", walk: "module-level let" },
    { file: at("class"), source: "export class X {}", walk: "class" },
    { file: at("class-name"), source: "export const X = class InvariantError {};", walk: "class" },
    { file: at("throw"), source: 'export function x() { throw new Error("x"); }', walk: "throw" },
    { file: at("fraction"), source: "export const x = 0.5;", walk: "fraction" },
    {
      file: at("switch"),
      source: 'export function x(a: "p" | "q"): void { switch (a) { case "p": return; } }',
      lint: "switch-exhaustiveness-check",
    },
    {
      file: at("switch-default"),
      source: 'import { unreachable } from "../core/assert.ts";\n'
        + 'export function x(a: "p" | "q"): number {\n'
        + '  switch (a) { case "p": return 1; default: return unreachable(a); }\n}',
      compiler: true,
    },
    {
      file: at("cycle-a"),
      source: 'import { y } from "./cycle-b.ts"; export const x = (): number => y();',
      imports: "no-cycle",
    },
    {
      file: at("cycle-b"),
      source: 'import { x } from "./cycle-a.ts"; export const y = (): number => x();',
      lint: "no-cycle",
    },
  ];
}

const ambientUses: readonly (readonly [string, string])[] = [
  ["new Date()", "Date"], ["Date.now()", "Date"], ["performance.now()", "performance"],
  ["setTimeout(() => {}, 1)", "setTimeout"], ["setInterval(() => {}, 1)", "setInterval"],
  ["setImmediate(() => {})", "setImmediate"], ["globalThis.setTimeout", "setTimeout"],
  ["process.hrtime.bigint()", "hrtime"], ["process.uptime()", "uptime"],
  ["Math.random()", "Math.random"], ["AbortSignal.timeout(1)", "AbortSignal.timeout"],
  ["crypto.getRandomValues(new Uint8Array(1))", "getRandomValues"],
  ["crypto.randomUUID()", "randomUUID"],
];

/** Leaks that adapters and the command line must not hold. */
function impure(folder: "adapters" | "cli"): Plant[] {
  const at = (name: string): string => `${folder}/${name}.ts`;
  const rule = folder === "cli" ? "cli-imports-no-test" : "adapters-import-core-and-adapters";
  return [
    ...ambientUses.map(([use, walk], i): Plant => ({
      file: at(`ambient-${i}`), source: `export const x = ${use};`, walk,
    })),
    {
      file: at("bytes"),
      source: 'import { randomBytes } from "node:crypto"; export { randomBytes };',
      walk: "randomBytes",
    },
    {
      file: at("timers"),
      source: 'import { scheduler } from "node:timers/promises"; export { scheduler };',
      walk: "import of clocks or timers",
    },
    {
      file: at("dropped"),
      source: "async function f(): Promise<void> { await f(); }\n"
        + "export function g(): void { f(); }",
      lint: "no-floating-promises",
    },
    {
      file: at("switch"),
      source: 'export function x(a: "p" | "q"): void { switch (a) { case "p": return; } }',
      lint: "switch-exhaustiveness-check",
    },
    { file: at("from-test"), source: 'export { help } from "../test/help.ts";', imports: rule },
    {
      file: at("development"), source: 'import * as fc from "fast-check"; export { fc };',
      imports: "users-need-no-development-package",
    },
    { file: at("nowhere"), source: 'import "./not-there.ts";', imports: "no-unresolvable" },
  ];
}

/** Every leak, in a folder where it is one. */
export const plants: readonly Plant[] = [
  ...pure("core"), ...pure("sim"), ...impure("adapters"), ...impure("cli"),
  {
    file: "adapters/from-cli.ts", source: 'export { main } from "../cli/main.ts";',
    imports: "adapters-import-core-and-adapters",
  },
  {
    file: "adapters/from-sim.ts", source: 'export { sim } from "../sim/clean.ts";',
    imports: "adapters-import-core-and-adapters",
  },
  {
    file: "core/from-sim.ts", source: 'export { sim } from "../sim/clean.ts";',
    compiler: true, imports: "core-imports-core",
  },
];

/** Files that no tool may report: what each folder is allowed to do. */
export const clean: readonly Plant[] = [
  {
    file: "core/clean.ts",
    source: 'import { assert, unreachable } from "./assert.ts";\n'
      + 'export function size(a: "p" | "q"): number {\n  assert(a !== "p", "no p");\n'
      + '  switch (a) {\n    case "q": return [2, 1].sort((x, y) => x - y).length;\n'
      + "    default: return unreachable(a);\n  }\n}\n"
      + "declare const brand: unique symbol;\nexport type Id = number & { [brand]: true };",
  },
  {
    file: "sim/clean.ts",
    source: 'import { size } from "../core/clean.ts";\nexport const sim = size("q");',
  },
  {
    file: "adapters/ambient.ts",
    source: "export const now = (): number => performance.now();\n"
      + "export const later = (act: () => void): unknown => setTimeout(act, 1);",
  },
  {
    file: "adapters/leaf.ts",
    source: 'import * as fs from "node:fs";\nimport { z } from "zod";\n'
      + 'import { now } from "./ambient.ts";\n'
      + "export function leaf(at: unknown): boolean {\n"
      + '  return at instanceof Date && fs.existsSync("x") && now() > 0\n'
      + "    && z.date().safeParse(at).success;\n}",
  },
  { file: "cli/bench/clock.ts", source: "export const at = (): number => performance.now();" },
  {
    file: "cli/main.ts",
    source: 'import { leaf } from "../adapters/leaf.ts";\nimport { sim } from "../sim/clean.ts";\n'
      + "export const main = (): boolean => leaf(sim);",
  },
  {
    file: "test/help.ts",
    source: 'import * as fc from "fast-check";\nimport { test } from "node:test";\n'
      + 'test("x", () => {});\nexport const help = (): unknown => fc.integer();',
  },
];
