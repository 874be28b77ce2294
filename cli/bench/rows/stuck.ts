/**
 * The delay of public lines with and without one peer that stopped reading, in turns on one server.
 * @module
 */
import { sleep } from "../clock.ts";
import { histogram, median, quantileMs } from "../histogram.ts";
import { ballastOf, lineBytes, nickOf } from "../lines.ts";
import { join, leave, leaveAll, peerAt, type Peer } from "../peers.ts";
import { heldBytes } from "../proc.ts";
import { settle, steady, type Outgoing } from "../send.ts";
import { gather, mixed, senders, type Job, type Outcome } from "./job.ts";

/** Slow enough for default limits and for a server that is half idle. */
const linesPerSec = 50;
const settleMs = 20_000;
/** Lines of ballast per round: within a default private burst when all rounds are needed. */
const ballastLines = 10;
const ballastBytes = 20_000;
const roundsMax = 40;
const roundMs = 40;
/** Growth below this in two rounds running: the kernel takes no more, the server is congested. */
const growthMin = 32_768;

export async function stuck(job: Job): Promise<Outcome> {
  const o = await gather(job, "public", senders, mixed, job.repetitions);
  const free: number[] = [];
  const beside: number[] = [];
  const heldMb: number[] = [];
  let kept = 0;
  await p99Ms(job, o);
  for (let i = 0; i < job.repetitions; i += 1) {
    // Each goes first as often as the other, so that a drift of the machine favours neither.
    if (i % 2 === 0) free.push(await p99Ms(job, o));
    const peer = await stopReading(o);
    heldMb.push((await fill(job, o, peer, i % senders)) / 1e6);
    beside.push(await p99Ms(job, o));
    if (peer.phase === "registered") kept += 1;
    leave(o.crowd, peer, "reset");
    await sleep(roundMs);
    if (i % 2 === 1) free.push(await p99Ms(job, o));
  }
  const faults = await settle(o, settleMs);
  leaveAll(o.crowd);
  const ratio = [median(beside) / median(free)];
  const values = { p99FreeMs: free, p99StuckMs: beside, p99Ratio: ratio, heldMb, kept: [kept] };
  const offered =
    `${senders} senders, ${linesPerSec} public lines of ${lineBytes} bytes per second in all, to ` +
    `${job.n} idle receivers and the other senders; in turns with and without one more peer ` +
    "that does not read; default limits";
  return { offered, values, faults: { ...faults, lost: o.crowd.lost - (job.repetitions - kept) } };
}

async function p99Ms(job: Job, o: Outgoing): Promise<number> {
  const into = histogram();
  o.crowd.reader.delays = { sentUs: o.sentUs, into };
  await steady(o, linesPerSec, job.durationMs);
  await sleep(roundMs * 5);
  o.crowd.reader.delays = undefined;
  return quantileMs(into, 0.99);
}

async function stopReading(o: Outgoing): Promise<Peer> {
  const index = o.crowd.peers.length;
  await join(o.crowd, 1, () => "taker");
  const peer = peerAt(o.crowd, index);
  peer.socket.pause();
  return peer;
}

/** Sends private ballast until the kernel holds all it will; returns the bytes held. */
async function fill(job: Job, o: Outgoing, peer: Peer, sender: number): Promise<number> {
  const ballast = ballastOf(nickOf(sender), nickOf(peer.index), ballastBytes);
  const batch = Buffer.concat(Array.from({ length: ballastLines }, () => ballast));
  const clientPort = peer.socket.localPort ?? 0;
  let held = 0;
  let flat = 0;
  for (let round = 0; round < roundsMax && flat < 2; round += 1) {
    peerAt(o.crowd, sender).socket.write(batch);
    await sleep(roundMs);
    const now = heldBytes(clientPort, job.port);
    flat = now - held < growthMin ? flat + 1 : 0;
    held = now;
  }
  return held;
}
