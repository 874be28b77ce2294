/**
 * A thousand public lines at once, under the server's default limits: nobody may be lost for it.
 * @module
 */
import { nowUs } from "../clock.ts";
import { lineBytes } from "../lines.ts";
import { leaveAll } from "../peers.ts";
import { send, settle } from "../send.ts";
import { gather, mixed, senders, type Job, type Outcome } from "./job.ts";

const linesEach = 25;
const settleMs = 20_000;

export async function burst(job: Job): Promise<Outcome> {
  const o = await gather(job, "public", senders, mixed);
  const startUs = nowUs();
  for (let sender = 0; sender < senders; sender += 1) send(o, sender, linesEach);
  const faults = await settle(o, settleMs);
  const ms = (nowUs() - startUs) / 1_000;
  leaveAll(o.crowd);
  const offered =
    `${senders} senders write ${linesEach} public lines of ${lineBytes} bytes each at once, ` +
    `to ${job.n} idle receivers and the other senders; default limits`;
  return { offered, values: { lost: [faults.lost], missing: [faults.missing], ms: [ms] }, faults };
}
