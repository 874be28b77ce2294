/**
 * Runs the command of a notice target, such as Apprise.
 *
 * Rule 1: the configured program with its arguments, without a shell. The notice comes on standard
 * input, the title in the first line, an empty line, the body; and in the environment, as
 * `DOGWATCH_TITLE`, `DOGWATCH_BODY` and `DOGWATCH_PRIORITY`. No argument holds any of it: lists of
 * processes show arguments to everybody.
 * Rule 2: the program gets a new, small environment, no descriptor of ours beyond its standard
 * ones, and a process group of its own. What it may know stands in `passed`.
 * Rule 3: each `exec.start` gets one answer: `req.done` with 200 when it exits with 0, with 500 for
 * any other code, the end of its output in the body; `req.failed` when it did not start, was killed
 * or took too long. A program that takes too long is killed with its children.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { RequestEvent, RequestFailure } from "../core/kernel/io.ts";
import type { ExecEffect } from "../core/notify/target.ts";
import { after } from "../core/time.ts";
import type { Ambient, Timer } from "./ambient.ts";

export type Command = {
  /** A program, by its path or by name in `PATH`. */
  readonly command: string;
  readonly args: readonly string[];
};

export type Config = {
  /** By the name of the target. */
  readonly commands: ReadonlyMap<string, Command>;
  /** The environment to choose from: the daemon's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A program runs no longer than this, in ms. 60,000. */
  readonly timeMsMax: number;
  /** Of what a program prints, the last bytes are kept. 4,096. */
  readonly outputBytesMax: number;
  /** Programs that run at once; another one is refused. 16. */
  readonly runningMax: number;
};

export const defaults: Omit<Config, "commands" | "env"> = {
  timeMsMax: 60_000, outputBytesMax: 4_096, runningMax: 16,
};

/** Of our environment: where programs, settings and languages are. Nothing that could be secret. */
export const passed = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"] as const;

export interface Commands {
  /** Runs the command of the target; the answer comes later, never within the call. */
  start(effect: ExecEffect): void;
  /** Nobody waits any more: the program is killed and no answer comes. */
  drop(req: number): void;
  /** Kills every program. No answer comes. */
  closeAll(): void;
  running(): number;
}

type Run = { readonly child: ChildProcess; readonly timer: Timer; output: Buffer };

/** Runs commands and hands their answers to `answer`. */
export function createCommands(
  config: Config,
  ambient: Pick<Ambient, "now" | "timer">,
  answer: (event: RequestEvent) => void,
): Commands {
  const runs = new Map<number, Run>();

  function start(effect: ExecEffect): void {
    const { req } = effect;
    const command = config.commands.get(effect.to);
    if (command === undefined) return failLater(req, "denied");
    if (runs.size >= config.runningMax) return failLater(req, "refused");
    let child: ChildProcess;
    try {
      child = launch(command, effect, config.env);
    } catch {
      return failLater(req, "malformed");
    }
    begun(req, child);
    feed(child, effect);
  }

  function begun(req: number, child: ChildProcess): void {
    const timer = ambient.timer(() => expired(req));
    const run: Run = { child, timer, output: Buffer.alloc(0) };
    runs.set(req, run);
    timer.arm(after(ambient.now(), config.timeMsMax));
    collect(run, config.outputBytesMax);
    child.on("error", (error: NodeJS.ErrnoException) => end(req, failure(req, reasonOf(error))));
    // `close` comes after `exit`, when everything that was printed is read.
    child.on("close", () => end(req, outcome(req, run)));
  }

  function expired(req: number): void {
    const run = runs.get(req);
    if (run === undefined) return;
    // One that is gone has left a child behind that keeps its output open.
    const isGone = run.child.exitCode !== null || run.child.signalCode !== null;
    const event = isGone ? outcome(req, run) : failure(req, "timeout");
    kill(run);
    end(req, event);
  }

  function end(req: number, event: RequestEvent): void {
    if (forget(req)) answer(event);
  }

  function forget(req: number): boolean {
    runs.get(req)?.timer.disarm();
    return runs.delete(req);
  }

  function failLater(req: number, reason: RequestFailure): void {
    queueMicrotask(() => answer(failure(req, reason)));
  }

  function drop(req: number): void {
    const run = runs.get(req);
    if (run === undefined) return;
    forget(req);
    kill(run);
  }

  function closeAll(): void {
    for (const req of [...runs.keys()]) drop(req);
  }

  return { start, drop, closeAll, running: () => runs.size };
}

/** Keeps the last bytes of what a program prints. */
function collect(run: Run, bytesMax: number): void {
  for (const stream of [run.child.stdout, run.child.stderr]) {
    stream?.on("data", (bytes: Buffer) => {
      const all = Buffer.concat([run.output, bytes]);
      run.output = all.subarray(Math.max(0, all.length - bytesMax));
    });
    stream?.on("error", ignored);
  }
}

function launch(command: Command, effect: ExecEffect, env: Config["env"]): ChildProcess {
  return spawn(command.command, [...command.args], {
    cwd: "/", detached: true, env: environment(effect, env), shell: false,
    stdio: ["pipe", "pipe", "pipe"], windowsHide: true,
  });
}

function environment(effect: ExecEffect, env: Config["env"]): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of passed) {
    const value = env[name];
    if (value !== undefined) chosen[name] = value;
  }
  chosen["DOGWATCH_TITLE"] = effect.title;
  chosen["DOGWATCH_BODY"] = effect.body;
  chosen["DOGWATCH_PRIORITY"] = effect.priority;
  return chosen;
}

/** A program need not read what it is told. */
function feed(child: ChildProcess, effect: ExecEffect): void {
  child.stdin?.on("error", ignored);
  child.stdin?.end(`${effect.title}\n\n${effect.body}\n`);
}

function ignored(): void {
  // The program's end says what there is to say.
}

/** The whole group, while its leader is known to be there; otherwise only what we hold of it. */
function kill(run: Run): void {
  const { child } = run;
  const { pid } = child;
  if (pid !== undefined && child.exitCode === null && child.signalCode === null) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  }
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

function outcome(req: number, run: Run): RequestEvent {
  const { exitCode } = run.child;
  if (exitCode === null) return failure(req, "reset");
  const body = run.output.toString("utf8");
  return { type: "req.done", req, status: exitCode === 0 ? 200 : 500, body };
}

function failure(req: number, reason: RequestFailure): RequestEvent {
  return { type: "req.failed", req, reason };
}

/** The system has no room for another program at the moment. */
const scarce = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"]);

function reasonOf(error: NodeJS.ErrnoException): RequestFailure {
  const { code = "" } = error;
  if (code === "ENOENT") return "unreachable";
  if (code === "EACCES" || code === "EPERM") return "denied";
  return scarce.has(code) ? "refused" : "malformed";
}
