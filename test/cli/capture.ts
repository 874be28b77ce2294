/**
 * Runs the command line inside the test, and as a child process where signals or streams matter.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dogwatch } from "../../cli/args.ts";

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Runs `dogwatch ARGS` in this process with an environment of its own. */
export async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await dogwatch(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env: { ...nowhere, ...env },
  });
  return { code, out, err };
}

/** No file of the machine's own may reach a test. */
const nowhere = { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: "/nonexistent" };

/** A folder of its own, and what removes it. */
export function folder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "dogwatch-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export type Child = {
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /**
   * Resolves once `pattern` is found in what the child has written; rejects when it ends before.
   */
  readonly until: (stream: "out" | "err", pattern: RegExp) => Promise<RegExpExecArray>;
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
};

/** Starts `dogwatch ARGS` from the sources as a process. */
export function start(
  args: readonly string[], state: string, env: Record<string, string> = {},
): Child {
  // Under coverage the compiled tree runs; there the same file is JavaScript.
  const isCompiled = import.meta.url.endsWith(".js");
  const main = isCompiled ? ["build/cli/main.js"] : ["--import", "tsx", "cli/main.ts"];
  const child = spawn(process.execPath, [...main, ...args], {
    env: { ...process.env, ...nowhere, XDG_STATE_HOME: state, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { out: "", err: "" };
  const waiting = new Set<() => void>();
  const heard = (stream: "out" | "err") => (bytes: Buffer) => {
    written[stream] += bytes.toString();
    for (const look of waiting) look();
  };
  child.stdout.on("data", heard("out"));
  child.stderr.on("data", heard("err"));
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  const until = (stream: "out" | "err", pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(written[stream]);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      void ended.then((code) => reject(new Error(`ended with ${code}: ${written.err}`)));
      look();
    });
  return { process: child, out: () => written.out, err: () => written.err, until, ended };
}
