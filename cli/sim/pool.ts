/**
 * Workers: child processes that take jobs from one queue.
 *
 * Rule 1: each worker works in order, so the job that it was at when it died is known: the oldest
 * that it has not answered. That one is given to a fresh worker once more; if that dies too, the
 * job failed, and says so.
 * Rule 2: a worker that has answered nothing for `silentMs` is killed, which is one way to die.
 * Rule 3: processes that were started here end here: `close` waits for them.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Ambient } from "../../adapters/ambient.ts";
import { type Entry, entry } from "./entry.ts";
import type { Answer, Job } from "./job.ts";
import type { Line } from "./worker.ts";

export type PoolOptions = {
  readonly size: number;
  readonly ambient: Pick<Ambient, "now" | "every">;
  /** Another engine than this build's own: a folder of compiled output. */
  readonly lib?: string;
  /** Another program than this one: a build of the same code. */
  readonly program?: Entry;
  /** Another Node, further flags of it, or another environment; for checks of determinism. */
  readonly node?: string;
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A worker without an answer for so long is given up. */
  readonly silentMs?: number;
};

export type Reply = {
  readonly answer: Answer;
  /** Which worker, from 0. */
  readonly worker: number;
};

export type Pool = {
  readonly size: number;
  /** Does a job. `not`: by another worker than this one, if there is another. */
  readonly submit: (job: Job, not?: number) => Promise<Reply>;
  /** Workers that died, with the reason of each. */
  readonly deaths: readonly string[];
  /** Ends all workers. Jobs that wait never get an answer. */
  readonly close: () => Promise<void>;
};

type Order = {
  readonly id: number;
  readonly job: Job;
  readonly not: number | undefined;
  readonly done: (reply: Reply) => void;
  /** It was with a worker that died. */
  tries: number;
};

type Hand = {
  readonly index: number;
  process: ChildProcess | undefined;
  isReady: boolean;
  /** Orders that it was given and has not answered, oldest first. */
  readonly orders: Order[];
  rest: string;
  said: string;
  heardAt: number;
  /** Why it was killed by us. */
  killed: string | undefined;
};

type Crew = {
  readonly options: PoolOptions;
  readonly hands: Hand[];
  readonly queue: Order[];
  readonly deaths: string[];
  nextId: number;
  isClosing: boolean;
  /** Workers that died before they were ready, one after another. */
  stillborn: number;
};

/** One job in work and one more at hand, so that no worker waits for the parent. */
const ordersMax = 2;
const silentMsUsual = 120_000;
/** A machine under load may take so long to load a program. */
const startMs = 60_000;
const lookMs = 500;
const stillbornMax = 3;
const saidMax = 2_000;

/** A pool as the flags want it; `over`: what is otherwise. */
export function poolOf(
  { jobs, lib }: { readonly jobs: number; readonly lib: string | undefined },
  ambient: PoolOptions["ambient"], over: Partial<PoolOptions> = {},
): Pool {
  return createPool({ size: jobs, ambient, ...(lib === undefined ? {} : { lib }), ...over });
}

/** Starts the workers. */
export function createPool(options: PoolOptions): Pool {
  const crew: Crew = {
    options, hands: [], queue: [], deaths: [], nextId: 1, isClosing: false, stillborn: 0,
  };
  for (let index = 0; index < options.size; index += 1) {
    crew.hands.push({
      index, process: undefined, isReady: false, orders: [], rest: "", said: "",
      heardAt: 0, killed: undefined,
    });
  }
  const stopLooking = options.ambient.every(lookMs, () => look(crew));
  return {
    size: options.size,
    deaths: crew.deaths,
    submit: (job, not) => submit(crew, job, not),
    close: () => {
      stopLooking();
      return close(crew);
    },
  };
}

function submit(crew: Crew, job: Job, not: number | undefined): Promise<Reply> {
  return new Promise((done) => {
    const order: Order = { id: crew.nextId, job, not, done, tries: 0 };
    // Who asks for another worker waits for the answer to compare: first come, first served else.
    if (not === undefined) crew.queue.push(order);
    else crew.queue.unshift(order);
    crew.nextId += 1;
    hand(crew);
  });
}

/** Gives out what waits to who has the fewest orders. */
function hand(crew: Crew): void {
  for (let depth = 0; depth < ordersMax; depth += 1) {
    for (const one of crew.hands) {
      if (one.orders.length > depth) continue;
      const at = crew.queue.findIndex(({ not }) => not !== one.index || crew.hands.length === 1);
      if (at < 0) continue;
      give(crew, one, crew.queue.splice(at, 1)[0] as Order);
    }
  }
}

function give(crew: Crew, one: Hand, order: Order): void {
  if (one.process === undefined) start(crew, one);
  if (one.orders.length === 0) one.heardAt = crew.options.ambient.now();
  one.orders.push(order);
  const line = JSON.stringify({ id: order.id, job: order.job });
  one.process?.stdin?.write(`${line}\n`);
}

/**
 * A run makes much that is gone at once: with this much room, and from the beginning, seven parts
 * in a hundred are saved.
 */
const youngFlags = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

function start(crew: Crew, one: Hand): void {
  const { options } = crew;
  const { file, args } = options.program ?? entry();
  const lib = options.lib === undefined ? [] : ["--lib", options.lib];
  const flags = [...youngFlags, ...(options.nodeFlags ?? []), ...args, "sim", "worker", ...lib];
  const child = spawn(options.node ?? file, flags, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  Object.assign(one, { process: child, isReady: false, rest: "", said: "", killed: undefined });
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => heard(crew, one, text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    one.said = (one.said + text).slice(-saidMax);
  });
  let isOver = false;
  const over = (how: string): void => {
    if (isOver) return;
    isOver = true;
    died(crew, one, how);
  };
  child.on("error", (error) => over(error.message));
  child.on("close", (code, signal) => over(signal ?? `exit code ${code}`));
}

function heard(crew: Crew, one: Hand, text: string): void {
  one.heardAt = crew.options.ambient.now();
  const lines = (one.rest + text).split("\n");
  one.rest = lines.pop() ?? "";
  for (const line of lines) answered(crew, one, JSON.parse(line) as Line);
  hand(crew);
}

function answered(crew: Crew, one: Hand, { id, answer }: Line): void {
  if (answer === undefined) {
    one.isReady = true;
    crew.stillborn = 0;
    return;
  }
  if (one.orders[0]?.id !== id) return;
  one.orders.shift()?.done({ answer, worker: one.index });
}

function died(crew: Crew, one: Hand, how: string): void {
  one.process = undefined;
  const orders = one.orders.splice(0);
  if (crew.isClosing) return;
  const last = one.said.trim().split("\n").at(-1) ?? "";
  const says = one.killed ?? `died: ${how}${last === "" ? "" : `: ${last}`}`;
  crew.deaths.push(says);
  if (!one.isReady) crew.stillborn += 1;
  const [culprit, ...rest] = orders;
  crew.queue.unshift(...rest);
  if (culprit !== undefined) blame(crew, one, culprit, says);
  hand(crew);
}

/** The first time it may have been the machine; the second time, or if no worker starts, not. */
function blame(crew: Crew, one: Hand, order: Order, says: string): void {
  order.tries += 1;
  if (order.tries === 1 && crew.stillborn < stillbornMax) {
    crew.queue.unshift(order);
    return;
  }
  const answer: Answer = { ok: false, says: `its worker ${says}`, touched: undefined };
  order.done({ answer, worker: one.index });
}

function look(crew: Crew): void {
  const silentMs = crew.options.silentMs ?? silentMsUsual;
  for (const one of crew.hands) {
    if (one.orders.length === 0 || one.process === undefined) continue;
    const limitMs = one.isReady ? silentMs : Math.max(silentMs, startMs);
    if (crew.options.ambient.now() - one.heardAt < limitMs) continue;
    one.killed = `was silent for ${Math.round(limitMs / 1_000)} s`;
    one.process.kill("SIGKILL");
  }
}

async function close(crew: Crew): Promise<void> {
  crew.isClosing = true;
  crew.queue.length = 0;
  await Promise.all(crew.hands.flatMap(({ process: child }) =>
    (child === undefined ? [] : [ended(child)])));
}

/** Tells a worker to end, and waits until it has. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("close", () => resolve());
    child.stdin?.destroy();
    child.kill("SIGTERM");
  });
}
