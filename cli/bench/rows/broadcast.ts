/**
 * Public lines as fast as the server takes them.
 * @module
 */
import { nowUs, sleep } from "../clock.ts";
import { lineBytes } from "../lines.ts";
import { leaveAll } from "../peers.ts";
import { cpuUs, ownCpuUs } from "../proc.ts";
import { closedLoop, settle } from "../send.ts";
import { gather, mixed, senders, type Job, type Outcome } from "./job.ts";

const warmUpMs = 1_000;
const settleMs = 60_000;

export async function broadcast(job: Job): Promise<Outcome> {
  const o = await gather(job, "public", senders, mixed);
  const stop = closedLoop(o, job.window);
  await sleep(warmUpMs);
  const values = await measured(job, "Delivery", () => o.crowd.reader.tally.delivered);
  stop();
  const faults = await settle(o, settleMs);
  leaveAll(o.crowd);
  const offered =
    `${senders} senders, ${job.window} public lines of ${lineBytes} bytes of each under way, ` +
    `to ${job.n} idle receivers and the other senders`;
  return { offered, values, faults };
}

/**
 * `perSec<what>`, the server's CPU for each, and the share of a core that either side used, per
 * repetition.
 */
export async function measured(
  job: Job,
  what: string,
  count: () => number,
): Promise<{ [name: string]: number[] }> {
  const perSec: number[] = [];
  const cpuUsEach: number[] = [];
  const generatorShare: number[] = [];
  const serverShare: number[] = [];
  for (let i = 0; i < job.repetitions; i += 1) {
    const before = sample(job, count);
    await sleep(job.durationMs);
    const after = sample(job, count);
    const elapsedUs = after.atUs - before.atUs;
    const events = Math.max(1, after.count - before.count);
    perSec.push(((after.count - before.count) / elapsedUs) * 1e6);
    cpuUsEach.push((after.serverUs - before.serverUs) / events);
    serverShare.push((after.serverUs - before.serverUs) / elapsedUs);
    generatorShare.push((after.ownUs - before.ownUs) / elapsedUs);
  }
  const rates = { [`perSec${what}`]: perSec, generatorShare };
  if (job.serverPid === undefined) return rates;
  return Object.assign(rates, { [`cpuUsPer${what}`]: cpuUsEach, serverShare });
}

type Sample = {
  readonly atUs: number;
  readonly count: number;
  readonly serverUs: number;
  readonly ownUs: number;
};

function sample(job: Job, count: () => number): Sample {
  const serverUs = job.serverPid === undefined ? 0 : cpuUs(job.serverPid);
  return { atUs: nowUs(), count: count(), serverUs, ownUs: ownCpuUs() };
}
