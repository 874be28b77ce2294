/**
 * The simulated network against real sockets on loopback: the same script on both, and the same
 * told to each end.
 *
 * What legitimately differs is normalised: neighbouring reads count as one, since segments are cut
 * by the system; `some` stands for a number of bytes that depends on the sizes of buffers. The
 * order between the two ends is not compared, since there is none.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runModel } from "../support/parity-model.ts";
import { runReal } from "../support/parity-real.ts";
import { likened, type Observed, type Script, type Step } from "../support/parity.ts";

const big = 16 * 1_024 * 1_024;

const open: Step = { do: "open" };
const wire: Step = { do: "wire" };
const hold: Step = { do: "hold" };
const release: Step = { do: "release" };
const kill: Step = { do: "kill" };
const cSends = (bytes: number): Step => ({ do: "send", end: "client", bytes });
const sSends = (bytes: number): Step => ({ do: "send", end: "server", bytes });
const cGot = (bytes: number): Step => ({ do: "got", end: "client", bytes });
const sGot = (bytes: number): Step => ({ do: "got", end: "server", bytes });
const cFlush: Step = { do: "flush", end: "client" };
const sFlush: Step = { do: "flush", end: "server" };
const cAbort: Step = { do: "abort", end: "client" };
const sAbort: Step = { do: "abort", end: "server" };
const cEnd: Step = { do: "told", end: "client", what: "end" };
const sEnd: Step = { do: "told", end: "server", what: "end" };
const sCongested: Step = { do: "told", end: "server", what: "congested" };
const sDrained: Step = { do: "told", end: "server", what: "drained" };
const cDrained: Step = { do: "told", end: "client", what: "drained" };

const scripts: Script[] = [
  {
    name: "bytes go both ways, the client ends",
    steps: [open, cSends(1_000), sGot(1_000), sSends(2_000), cGot(2_000), cFlush, cEnd, sEnd],
    client: ["open", 2_000, "end closed"], server: ["open", 1_000, "end eof"],
  },
  {
    name: "the server ends",
    steps: [open, cSends(10), sGot(10), sFlush, cEnd, sEnd],
    client: ["open", "end eof"], server: ["open", 10, "end closed"],
  },
  {
    name: "the client aborts",
    steps: [open, cAbort, cEnd, sEnd],
    client: ["open", "end aborted"], server: ["open", "end reset"],
  },
  {
    name: "the server aborts",
    steps: [open, sAbort, cEnd, sEnd],
    client: ["open", "end reset"], server: ["open", "end aborted"],
  },
  {
    name: "data before the end arrives, from the client",
    steps: [open, cSends(100_000), cFlush, cEnd, sEnd],
    client: ["open", "end closed"], server: ["open", 100_000, "end eof"],
  },
  {
    name: "data before the end arrives, from the server",
    steps: [open, sSends(100_000), sFlush, cEnd, sEnd],
    client: ["open", 100_000, "end eof"], server: ["open", "end closed"],
  },
  {
    name: "a reset after all was read is a reset",
    steps: [open, sSends(1_000), cGot(1_000), sAbort, cEnd, sEnd],
    client: ["open", 1_000, "end reset"], server: ["open", "end aborted"],
  },
  {
    // The host's library takes what it sees together with the last bytes for an end.
    name: "data that has left before a reset can still be read, and the reset looks like an end",
    isBlurred: true,
    steps: [open, sSends(1_000), sAbort, cEnd, sEnd],
    client: ["open", 1_000, "end eof"], server: ["open", "end aborted"],
  },
  {
    name: "data, then a reset, towards a congested writer: the write fails",
    steps: [open, hold, sSends(big), sCongested, wire, cSends(50), cAbort, sEnd, cEnd],
    client: ["open", "end aborted"], server: ["open", "congested", 50, "end reset"],
  },
  {
    name: "a reset after an end that was not yet read: the end is read",
    steps: [
      open, hold, sSends(500), sFlush, cSends(1), sGot(1), sAbort, sEnd, wire, release, cEnd,
    ],
    client: ["open", 500, "end eof"], server: ["open", 1, "end closed"],
  },
  {
    name: "who has ended still reads",
    steps: [open, hold, sFlush, cSends(70), sGot(70), release, cEnd, sEnd],
    client: ["open", "end eof"], server: ["open", 70, "end closed"],
  },
  {
    name: "the reader aborts: a congested writer is reset",
    steps: [open, cSends(big), sGot(1), sAbort, cEnd, sEnd],
    client: ["open", "congested", "end reset"], server: ["open", "some", "end aborted"],
  },
  {
    name: "both end at once",
    steps: [open, cSends(5), sSends(7), cFlush, sFlush, cEnd, sEnd],
    client: ["open", 7, "end closed"], server: ["open", 5, "end closed"],
  },
  {
    name: "both abort at once",
    steps: [open, cAbort, sAbort, cEnd, sEnd],
    client: ["open", "end aborted"], server: ["open", "end aborted"],
  },
  {
    name: "an abort on the heels of an end is an end",
    steps: [open, sSends(100), sFlush, sAbort, cEnd, sEnd],
    client: ["open", 100, "end eof"], server: ["open", "end closed"],
  },
  {
    name: "big writes congest and drain, towards a reader",
    steps: [open, cSends(big), cDrained, sGot(big), cFlush, cEnd, sEnd],
    client: ["open", "congested", "drained", "end closed"], server: ["open", big, "end eof"],
  },
  {
    name: "a reader that stops congests, and drains when it goes on",
    steps: [
      open, hold, sSends(big), sCongested, wire, release, sDrained, cGot(big), sFlush, cEnd, sEnd,
    ],
    client: ["open", big, "end eof"], server: ["open", "congested", "drained", "end closed"],
  },
  {
    name: "congested is told once, however often one writes on",
    steps: [
      open, hold, sSends(big), sSends(10), sSends(10), sCongested, wire, release, sDrained,
      cGot(big + 20), cFlush, cEnd, sEnd,
    ],
    client: ["open", big + 20, "end closed"], server: ["open", "congested", "drained", "end eof"],
  },
  {
    name: "a reader that stopped aborts: the writer is reset, and drains no more",
    steps: [open, hold, sSends(big), sCongested, wire, cAbort, cEnd, sEnd],
    client: ["open", "end aborted"], server: ["open", "congested", "end reset"],
  },
  {
    name: "a congested writer aborts: what has left arrives, the rest is lost",
    isBlurred: true,
    steps: [open, hold, sSends(big), sCongested, wire, sAbort, sEnd, wire, release, cEnd],
    client: ["open", "some", "end eof"], server: ["open", "congested", "end aborted"],
  },
  {
    name: "a congested writer ends: everything arrives before the end",
    steps: [open, hold, sSends(big), sFlush, sCongested, wire, release, cEnd, sEnd],
    client: ["open", big, "end eof"], server: ["open", "congested", "drained", "end closed"],
  },
  {
    name: "a congested writer ends, then aborts: the first cause is told, the rest is lost",
    isBlurred: true,
    steps: [open, hold, sSends(big), sFlush, sCongested, wire, sAbort, sEnd, wire, release, cEnd],
    client: ["open", "some", "end eof"], server: ["open", "congested", "end closed"],
  },
  {
    name: "an end towards a congested writer: it writes the rest, then it is over",
    steps: [open, hold, sSends(big), sCongested, wire, cFlush, wire, release, sDrained, cEnd, sEnd],
    client: ["open", big, "end closed"], server: ["open", "congested", "drained", "end eof"],
  },
  {
    name: "an end is not seen by who does not read, and leaves its data readable",
    steps: [open, hold, sSends(500), sFlush, wire, release, cEnd, sEnd],
    client: ["open", 500, "end eof"], server: ["open", "end closed"],
  },
  {
    name: "an end with unread data: the other end sees the end, then the data is read",
    steps: [open, hold, sSends(500), cFlush, sEnd, release, cEnd],
    client: ["open", 500, "end closed"], server: ["open", "end eof"],
  },
  {
    name: "who sends before it sees the reset learns it from the write",
    steps: [open, cAbort, wire, sSends(10), sEnd, cEnd],
    client: ["open", "end aborted"], server: ["open", "end reset"],
  },
  {
    name: "who sends before it reads what came before a reset loses that",
    steps: [open, cSends(300), cAbort, wire, sSends(10), sEnd, cEnd],
    client: ["open", "end aborted"], server: ["open", "end reset"],
  },
  {
    name: "a port at which nobody listens",
    steps: [{ do: "openClosed" }], client: ["failed refused"], server: [],
  },
  {
    name: "a killed process ends in good order", isForked: true,
    steps: [open, cSends(40), sGot(40), kill, sEnd],
    client: ["open"], server: ["open", 40, "end eof"],
  },
  {
    // More than a stream that is paused takes in beforehand.
    name: "a killed process with unread data is a reset", isForked: true,
    steps: [open, hold, cSends(1), sGot(1), sSends(300_000), wire, kill, sEnd],
    client: ["open"], server: ["open", 1, "end reset"],
  },
  {
    name: "a killed process that did not read is a reset for a congested writer", isForked: true,
    steps: [open, hold, cSends(1), sGot(1), sSends(big), sCongested, wire, kill, sEnd],
    client: ["open"], server: ["open", 1, "congested", "end reset"],
  },
];

function compare(script: Script, seen: Observed, where: string): void {
  const client = likened(seen.client, script.client, script.isBlurred);
  assert.deepEqual(client, script.client, `client ${where}`);
  const server = likened(seen.server, script.server, script.isBlurred);
  assert.deepEqual(server, script.server, `server ${where}`);
}

for (const script of scripts) {
  test(`sim: parity: ${script.name}`, async () => {
    for (const segment of ["whole", "split", "tiny", "joined"] as const) {
      const seen = runModel(script, `parity ${segment}`, { segment });
      compare(script, seen, `of the model, ${segment}`);
    }
    compare(script, await runReal(script), "of real sockets");
  });
}
