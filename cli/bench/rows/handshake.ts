/**
 * Handshakes per second: everybody joins at once, leaves, and new peers join.
 * @module
 */
import { sleep } from "../clock.ts";
import { crowd, inFlightMax, join, leaveAll } from "../peers.ts";
import { cpuUs, ownCpuUs } from "../proc.ts";
import { reader } from "../reader.ts";
import { mixed, noFaults, type Job, type Outcome } from "./job.ts";

/**
 * Peers that join first, so that neither side measures its compiler. A fresh server is measured
 * by the memory row.
 */
const warmUp = 6_000;
/**
 * Longer than a directory collects leave notices (2 s by default): the last round's makers must not
 * be announced gone to the next round.
 */
const betweenMs = 2_300;

/** Each round brings new nicks; `handshakesPerSec` has one value for each. */
export async function handshake(job: Job): Promise<Outcome> {
  const rounds = job.repetitions;
  const c = crowd(job.host, job.port, job.network, reader("public", 1, warmUp + job.n * rounds));
  await join(c, warmUp, mixed);
  leaveAll(c);
  const handshakesPerSec: number[] = [];
  const cpuUsPerHandshake: number[] = [];
  const generatorShare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await sleep(betweenMs);
    const before = job.serverPid === undefined ? 0 : cpuUs(job.serverPid);
    const ownBefore = ownCpuUs();
    const elapsedUs = await join(c, job.n, mixed);
    const after = job.serverPid === undefined ? 0 : cpuUs(job.serverPid);
    handshakesPerSec.push((c.registered / elapsedUs) * 1e6);
    cpuUsPerHandshake.push((after - before) / job.n);
    generatorShare.push((ownCpuUs() - ownBefore) / elapsedUs);
    leaveAll(c);
  }
  const offered =
    `${job.n} peers join, ${inFlightMax} handshakes in flight, every other one a maker with a ` +
    `valid onion; ${rounds} rounds with new nicks after ${warmUp} others joined and left`;
  const values = { handshakesPerSec, cpuUsPerHandshake, generatorShare, refused: [c.refused] };
  return { offered, values, faults: { ...noFaults, missing: c.refused, lost: c.lost } };
}
