/**
 * Private lines as fast as the server takes them, then their delay at a tenth of that rate.
 * @module
 */
import { sleep } from "../clock.ts";
import { histogram, median, quantileMs, type Histogram } from "../histogram.ts";
import { lineBytes, type Role } from "../lines.ts";
import { leaveAll } from "../peers.ts";
import { closedLoop, settle, steady, type Outgoing } from "../send.ts";
import { measured } from "./broadcast.ts";
import { gather, mixed, senders, type Job, type Outcome } from "./job.ts";

const warmUpMs = 500;
const settleMs = 60_000;
/** Hints follow their line; give the last ones this long. */
const hintsMs = 500;

/** Senders that serve no onion: nothing follows a private line. */
export async function plain(job: Job): Promise<Outcome> {
  return run(job, "taker");
}

/** Senders that are makers: a PEERLIST hint follows every private line. */
export async function hinted(job: Job): Promise<Outcome> {
  return run(job, "maker");
}

async function run(job: Job, role: Role): Promise<Outcome> {
  const o = await gather(job, "private", senders, (i) => (i < senders ? role : mixed(i)));
  const { tally } = o.crowd.reader;
  const stop = closedLoop(o, job.window);
  await sleep(warmUpMs);
  const values = await measured(job, "Private", () => tally.delivered);
  stop();
  await settle(o, settleMs);
  const perSec = Math.floor(median(values["perSecPrivate"] ?? []) / 10);
  const delays = await delayed(o, perSec, job.durationMs);
  const faults = await settle(o, settleMs);
  await sleep(hintsMs);
  leaveAll(o.crowd);
  const all = {
    ...values,
    delayRatePerSec: [perSec],
    delayMedianMs: [quantileMs(delays, 0.5)],
    delayP99Ms: [quantileMs(delays, 0.99)],
    hintsMissing: [role === "maker" ? Math.max(0, tally.delivered - tally.hints) : 0],
  };
  return { offered: offeredText(job, role), values: all, faults };
}

async function delayed(o: Outgoing, perSec: number, durationMs: number): Promise<Histogram> {
  const into = histogram();
  o.crowd.reader.delays = { sentUs: o.sentUs, into };
  await steady(o, perSec, durationMs);
  await settle(o, settleMs);
  o.crowd.reader.delays = undefined;
  return into;
}

function offeredText(job: Job, role: Role): string {
  const who = role === "maker" ? "makers (a hint follows each line)" : "not serving (no hint)";
  return (
    `${senders} senders, ${who}, ${job.window} private lines of ${lineBytes} bytes of each under ` +
    `way, to random ones of ${job.n} idle receivers; delay at a tenth of that rate`
  );
}
