/**
 * The memory of a registered peer that does nothing, and how fast a fresh server takes peers in.
 * @module
 */
import { sleep } from "../clock.ts";
import { crowd, join, leaveAll } from "../peers.ts";
import { rssBytes } from "../proc.ts";
import { reader } from "../reader.ts";
import { mixed, mustBeIn, noFaults, type Job, type Outcome } from "./job.ts";

/** Resident memory with `n` idle peers, less that of the server before the first, for each peer. */
export async function memory(job: Job): Promise<Outcome> {
  const pid = job.serverPid;
  if (pid === undefined) throw new Error("the memory row needs --server-pid");
  const c = crowd(job.host, job.port, job.network, reader("public", 1, job.n));
  const emptyBytes = rssBytes(pid);
  const elapsedUs = await join(c, job.n, mixed);
  mustBeIn(c, job.n);
  await sleep(job.restMs);
  const fullBytes = rssBytes(pid);
  const { lost } = c;
  leaveAll(c);
  const values = {
    handshakesPerSec: [(job.n / elapsedUs) * 1e6],
    rssPerPeerBytes: [(fullBytes - emptyBytes) / job.n],
    rssEmptyMb: [emptyBytes / 1e6],
    rssFullMb: [fullBytes / 1e6],
  };
  const offered =
    `${job.n} registered peers, every other one a maker, silent for ${job.restMs / 1_000} s; ` +
    "resident memory less that of the fresh server";
  return { offered, values, faults: { ...noFaults, lost } };
}
