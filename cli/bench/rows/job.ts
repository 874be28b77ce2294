/**
 * What one run of the load generator is asked for and what it answers, and the joining that most
 * rows begin with.
 * @module
 */
import { sleep } from "../clock.ts";
import type { Kind, Role } from "../lines.ts";
import { crowd, join, type Crowd } from "../peers.ts";
import { reader } from "../reader.ts";
import { outgoing, type Faults, type Outgoing } from "../send.ts";

export type Job = {
  readonly host: string;
  readonly port: number;
  /** The network's name on the wire. */
  readonly network: string;
  /** Idle peers. */
  readonly n: number;
  /** For CPU and memory of the server; without it those figures are left out. */
  readonly serverPid: number | undefined;
  /** Lines of each sender under way in a closed loop. */
  readonly window: number;
  readonly repetitions: number;
  /** Length of one repetition of a throughput or delay row. */
  readonly durationMs: number;
  /** Rest before memory is read. */
  readonly restMs: number;
};

export type Outcome = {
  /** The load in words: what was sent, by whom, to whom. */
  readonly offered: string;
  /** One value per repetition. */
  readonly values: { readonly [name: string]: readonly number[] };
  readonly faults: Faults;
};

export type Row = (job: Job) => Promise<Outcome>;

export const senders = 40;
export const noFaults: Faults = { missing: 0, repeated: 0, damaged: 0, lost: 0 };

/** Other servers finish a registration some time after their answer. */
const joinedRestMs = 300;

/**
 * A crowd of `senderCount` senders and `job.n` idle peers, all registered. Throws when anybody is
 * refused. `extra` is how many may join later.
 */
export async function gather(
  job: Job,
  kind: Kind,
  senderCount: number,
  roleOf: (index: number) => Role,
  extra = 0,
): Promise<Outgoing> {
  const all = senderCount + job.n;
  const lines = reader(kind, senderCount, all + extra);
  const c = crowd(job.host, job.port, job.network, lines);
  await join(c, all, roleOf);
  mustBeIn(c, all);
  await sleep(joinedRestMs);
  return outgoing(c, senderCount, all);
}

/** Throws unless all `count` peers are registered. */
export function mustBeIn(c: Crowd, count: number): void {
  if (c.registered === count) return;
  throw new Error(`${c.registered} of ${count} peers registered, ${c.refused} were refused`);
}

/** Every other peer a maker. */
export function mixed(index: number): Role {
  return index % 2 === 0 ? "maker" : "taker";
}
