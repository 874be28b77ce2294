/**
 * Many makers leave at once while takers stay, under the server's default limits: no taker may be
 * lost, and each must hear of each maker exactly once.
 * @module
 */
import { nowUs, sleep, until } from "../clock.ts";
import { nickOf } from "../lines.ts";
import { crowd, join, leave, leaveAll, peerAt, type Crowd } from "../peers.ts";
import { reader, type Reader } from "../reader.ts";
import { mustBeIn, type Job, type Outcome } from "./job.ts";

const takers = 700;
const makers = 600;
const limitMs = 60_000;
const restMs = 300;

/** The numbers are the row's own; `job.n` is not used. */
export async function massLeave(job: Job): Promise<Outcome> {
  const lines = reader("public", 1, takers + makers);
  const notices = expectNotices(lines);
  const c = crowd(job.host, job.port, job.network, lines);
  await join(c, takers + makers, (i) => (i < takers ? "taker" : "maker"));
  mustBeIn(c, takers + makers);
  await sleep(restMs);
  const startUs = nowUs();
  for (let i = takers; i < takers + makers; i += 1) leave(c, peerAt(c, i), "close");
  const want = takers * makers;
  await until(() => notices.received >= want || c.lost > 0, limitMs, 10);
  const ms = (notices.lastUs - startUs) / 1_000;
  await sleep(restMs);
  return outcome(c, notices, ms);
}

function outcome(c: Crowd, notices: Notices, ms: number): Outcome {
  const { lost } = c;
  leaveAll(c);
  const want = takers * makers;
  const missing = want - notices.received;
  const values = { lost: [lost], noticesReceived: [notices.received], expected: [want], ms: [ms] };
  const offered =
    `${makers} makers with valid onions close at once, ${takers} takers stay; default limits`;
  return { offered, values, faults: { missing, repeated: notices.repeated, damaged: 0, lost } };
}

type Notices = { received: number; repeated: number; lastUs: number };

function expectNotices(lines: Reader): Notices {
  const notices: Notices = { received: 0, repeated: 0, lastUs: 0 };
  const heard = new Uint8Array(takers * makers);
  const makerOf = new Map<string, number>();
  for (let i = 0; i < makers; i += 1) makerOf.set(nickOf(takers + i), i);
  lines.onOther = (receiver, line) => {
    if (receiver >= takers) return;
    for (const nick of goneNicks(line.toString("latin1"))) {
      const maker = makerOf.get(nick);
      if (maker === undefined) continue;
      const slot = receiver * makers + maker;
      if (heard[slot] === 1) notices.repeated += 1;
      else notices.received += 1;
      heard[slot] = 1;
    }
    notices.lastUs = nowUs();
  };
  return notices;
}

/**
 * The nicks that a PEERLIST line declares gone: entries `nick;location;D`, with or without
 * features behind.
 */
function goneNicks(line: string): string[] {
  const found = /"type": ?789, ?"line": ?"([^"]*)"/.exec(line);
  if (found === null) return [];
  const gone: string[] = [];
  for (const entry of (found[1] ?? "").split(",")) {
    const fields = entry.split(";");
    if (fields[2] === "D") gone.push(fields[0] ?? "");
  }
  return gone;
}
