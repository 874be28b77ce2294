/**
 * One public line to an idle crowd: from the sender's write to the last receiver's read.
 * @module
 */
import { nowUs, sleep, until } from "../clock.ts";
import { lineBytes } from "../lines.ts";
import { leaveAll } from "../peers.ts";
import { owed, send, settle, type Outgoing } from "../send.ts";
import { gather, mixed, type Job, type Outcome } from "./job.ts";

const restMs = 200;
const limitMs = 20_000;

export async function one(job: Job): Promise<Outcome> {
  const o = await gather(job, "public", 1, mixed);
  const ms: number[] = [];
  for (let i = 0; i < job.repetitions; i += 1) {
    ms.push(await broadcastMs(o));
    await sleep(restMs);
  }
  const faults = await settle(o, limitMs);
  leaveAll(o.crowd);
  const offered =
    `1 sender, ${job.n} idle receivers, one public line of ${lineBytes} bytes at a time, ` +
    `${job.repetitions} times`;
  return { offered, values: { broadcastMs: ms }, faults };
}

async function broadcastMs(o: Outgoing): Promise<number> {
  const { tally } = o.crowd.reader;
  const startUs = nowUs();
  let lastUs = 0;
  send(o, 0, 1);
  const want = owed(o);
  o.crowd.onRead = () => {
    if (tally.delivered >= want && lastUs === 0) lastUs = nowUs();
  };
  await until(() => lastUs !== 0 || o.crowd.lost > 0, limitMs, 5);
  o.crowd.onRead = undefined;
  return (lastUs - startUs) / 1_000;
}
