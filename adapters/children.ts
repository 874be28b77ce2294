/**
 * Runs programs of wallets, such as barkd, for their supervisors (`core/ark/supervisor.ts`).
 *
 * Rule 1: the configured program with its arguments, without a shell, with a small environment
 * (`passed`) and in a process group of its own: a Ctrl-C is for us, and we end them in order.
 * Rule 2: each `child.start` gets `child.spawned` or `child.failed`, and what was spawned gets one
 * `child.exited`, never within a call. Signals go to the whole group, and only while its leader is
 * known to be there.
 * Rule 3: what they print goes to the log (`child-output.ts`). What is left running at the end has
 * no output from the beginning: it would end with us.
 * Rule 4: `closeAll` asks everything to end that is not to be left, and waits for nothing.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { ChildEffect, ChildEvent } from "../core/ark/events.ts";
import type { Failure } from "../core/ark/supervisor.ts";
import type { Ambient } from "./ambient.ts";
import * as output from "./child-output.ts";
import { passed } from "./notify.ts";

export type Program = {
  /** The program, by its path or by name in `PATH`, and its arguments. */
  readonly run: readonly string[];
  readonly isLeft: boolean;
};

export type Config = {
  /** By wallet. */
  readonly programs: ReadonlyMap<string, Program>;
  /** The environment to choose from: the daemon's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: output.Config;
};

export type Hooks = {
  readonly push: (event: ChildEvent) => void;
  readonly said: (wallet: string, line: string) => void;
  readonly left: (wallet: string, lines: number) => void;
};

export interface Children {
  start(effect: Extract<ChildEffect, { type: "child.start" }>): void;
  signal(effect: Extract<ChildEffect, { type: "child.signal" }>): void;
  closeAll(): void;
  running(): number;
}

type One = { readonly child: ChildProcess; readonly run: number; readonly isLeft: boolean };

export function createChildren(
  config: Config, ambient: Pick<Ambient, "now">, hooks: Hooks,
): Children {
  const all = new Map<string, One>();

  function start({ wallet, run }: Parameters<Children["start"]>[0]): void {
    const program = config.programs.get(wallet);
    if (program === undefined) return failLater(wallet, run, "missing");
    const child = launch(program, config.env);
    if (child === undefined) return failLater(wallet, run, "other");
    const one = { child, run, isLeft: program.isLeft };
    all.set(wallet, one);
    follow(wallet, one);
  }

  function follow(wallet: string, one: One): void {
    const { child, run } = one;
    let isThere = false;
    child.once("spawn", () => {
      isThere = true;
      hooks.push({ type: "child.spawned", wallet, run, pid: child.pid ?? 0 });
    });
    // An error of one that is there is a signal that could not be sent.
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (isThere) return;
      forget(wallet, one);
      hooks.push({ type: "child.failed", wallet, run, why: failureOf(error) });
    });
    child.once("exit", (code, signal) => {
      forget(wallet, one);
      hooks.push({
        type: "child.exited", wallet, run, code: code ?? undefined, signal: signal ?? "",
      });
    });
    output.read([child.stdout, child.stderr], config.output, ambient, {
      line: (line) => hooks.said(wallet, line), left: (lines) => hooks.left(wallet, lines),
    });
  }

  function forget(wallet: string, one: One): void {
    if (all.get(wallet) === one) all.delete(wallet);
  }

  function failLater(wallet: string, run: number, why: Failure): void {
    queueMicrotask(() => hooks.push({ type: "child.failed", wallet, run, why }));
  }

  function signal({ wallet, run, signal: which }: Parameters<Children["signal"]>[0]): void {
    const one = all.get(wallet);
    if (one?.run === run) send(one.child, which === "kill" ? "SIGKILL" : "SIGTERM");
  }

  function closeAll(): void {
    for (const { child, isLeft } of all.values()) {
      if (!isLeft) send(child, "SIGTERM");
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    }
    all.clear();
  }

  return { start, signal, closeAll, running: () => all.size };
}

/** `undefined`: nothing that could be a program. */
function launch({ run, isLeft }: Program, env: Config["env"]): ChildProcess | undefined {
  const [command = "", ...args] = run;
  const out = isLeft ? "ignore" : "pipe";
  try {
    return spawn(command, args, {
      cwd: "/", detached: true, env: environment(env), shell: false,
      stdio: ["ignore", out, out], windowsHide: true,
    });
  } catch {
    return undefined;
  }
}

function environment(env: Config["env"]): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of passed) {
    const value = env[name];
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

function send(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** The system has no room for another program at the moment. */
const scarce = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"]);

function failureOf({ code = "" }: NodeJS.ErrnoException): Failure {
  if (code === "ENOENT" || code === "ENOTDIR") return "missing";
  if (code === "EACCES" || code === "EPERM") return "denied";
  return scarce.has(code) ? "scarce" : "other";
}
