/**
 * Starts and ends the processes that the benchmark measures and drives.
 *
 * Rule 1: everything that was started is ended, also when a run fails or is interrupted.
 * Rule 2: a server is known by the one line it prints when it is ready.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { alarm } from "./clock.ts";

export type Server = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Where peers connect; of a server that nobody connects to, where its status is. */
  readonly address: string;
  /** Where its standard error goes. */
  readonly errors: string;
};

const readyMs = 15_000;
const stopMs = 8_000;
const alive = new Set<ChildProcess>();

/** Ends every process still running; for an interrupted run. */
export function endAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

/** Starts `node ...args` and waits for its ready line. `folder` takes its standard error. */
export async function start(args: readonly string[], folder: string): Promise<Server> {
  const errors = join(folder, `server-${alive.size}-${process.hrtime.bigint()}.log`);
  const fd = openSync(errors, "w");
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", fd] });
  closeSync(fd);
  own(child);
  const line = await firstLine(child, errors);
  const address = /"listen":"([^"]+)"/.exec(line)?.[1] ?? /"http":"([^"]+)"/.exec(line)?.[1];
  const { pid } = child;
  if (address === undefined || pid === undefined) throw new Error(`not a ready line: ${line}`);
  return { child, pid, address, errors };
}

function own(child: ChildProcess): void {
  alive.add(child);
  child.once("exit", () => alive.delete(child));
}

function firstLine(child: ChildProcess, errors: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const cancel = alarm(readyMs, () => failed("was not ready in time"));
    const failed = (what: string): void => {
      cancel();
      child.kill("SIGKILL");
      reject(new Error(`the server ${what}:\n${saidBy(errors)}`));
    };
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (!text.includes("\n")) return;
      cancel();
      resolve(text);
    });
    child.once("exit", () => failed("ended before it was ready"));
    child.once("error", (error) => failed(error.message));
  });
}

/** The start and the end of what a server wrote to standard error. */
export function saidBy(errors: string): string {
  const said = readFileSync(errors, "utf8").trimEnd().split("\n");
  return (said.length <= 6 ? said : [...said.slice(0, 3), "…", ...said.slice(-3)]).join("\n");
}

/** Asks the server to stop; ends it when it does not. */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.child.exitCode !== null || server.child.signalCode !== null) return resolve();
    const cancel = alarm(stopMs, () => server.child.kill("SIGKILL"));
    server.child.once("exit", () => {
      cancel();
      resolve();
    });
    server.child.kill("SIGTERM");
  });
}

/** Runs the load generator; resolves with what it printed, rejects with what it complained of. */
export function generate(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    const child = spawn(process.execPath, [program, ...args], { stdio });
    own(child);
    let out = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint += chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(complaint.trim() || `the load generator ended with code ${code}`));
    });
  });
}
