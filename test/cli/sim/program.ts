/**
 * The program as its users run it: one file, so that its workers start at once. Compiled tests run
 * inside the test instead, where what they reach is counted.
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import type { Entry } from "../../../cli/sim/entry.ts";
import * as inside from "../capture.ts";

const isCompiled = import.meta.url.endsWith(".js");
let built: string | undefined;

/** The bundle; built when it is first asked for, removed with the process. */
function bundle(): string {
  if (built !== undefined) return built;
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-bundle-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  built = join(folder, "dogwatch.mjs");
  buildSync({
    entryPoints: ["cli/main.ts"], bundle: true, platform: "node", format: "esm", outfile: built,
    logLevel: "warning", define: { bundledVersion: "\"0.0.0\"" },
    banner: { js: "import { createRequire as bundledRequire } from 'node:module'; " +
      "const require = bundledRequire(import.meta.url);" },
  });
  return built;
}

/** What starts the program, for a pool of its workers. */
export function entry(): Entry {
  const main = isCompiled ? "build/cli/main.js" : bundle();
  return { file: process.execPath, args: [main] };
}

/** Runs `dogwatch ARGS`; `input` is its stdin. */
export function run(
  args: readonly string[], env: Record<string, string> = {}, input = "",
): Promise<inside.Ran> {
  if (isCompiled && input === "") return inside.run(args, env);
  const { file, args: first } = entry();
  const child = spawn(file, [...first, ...args], {
    env: { ...process.env, ...env, NODE_OPTIONS: "" }, stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  const said = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => (said.out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (said.err += bytes.toString()));
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code: code ?? -1, ...said }));
  });
}
