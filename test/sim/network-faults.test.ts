import assert from "node:assert/strict";
import { test } from "node:test";
import * as network from "../../sim/network.ts";
import {
  close, connect, cut, dial, got, heard, lab, runOut, runTo, send, when, type Lab,
} from "../support/net.ts";
import type { Socket } from "../../sim/network.ts";

const second = 1_000_000;
/** When a system gives up what is not acknowledged: 15 repetitions, from 200 ms, 120 s at most. */
const giveUpUs = 924_600_000;

/** Open, with 0.2 s to go until something that was lost is sent again. */
function opened(): [Lab, Socket, Socket] {
  const l = lab();
  const [s, far] = connect(l);
  return [l, s, far];
}

test("sim: network: faults: a cut hits what is under way, and what comes later", () => {
  const [l, s, far] = opened();
  send(l, s, 10);
  runTo(l, l.nowUs + 500);
  cut(l, 0, 1, 1);
  send(l, s, 20);
  runTo(l, l.nowUs + 100_000);
  assert.deepEqual(heard(l, far), ["opened"]);
  cut(l, 0, 1, -1);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", 30]);
});

test("sim: network: faults: after a cut it is sent again when the law says, not at once", () => {
  // Lost at 1 ms; repeated 0.2, 0.6, 1.4, 3.0, 6.2 … s later.
  for (const [cutMs, gotMs] of [[150, 202], [500, 602], [1_000, 1_402], [5_000, 6_202]] as const) {
    const [l, s, far] = opened();
    const fromUs = l.nowUs;
    cut(l, 0, 1, 1);
    send(l, s, 10);
    runTo(l, fromUs + cutMs * 1_000);
    cut(l, 0, 1, -1);
    runOut(l);
    assert.deepEqual(heard(l, far), ["opened", 10]);
    assert.equal(l.log.at(-1)?.atUs, fromUs + gotMs * 1_000);
  }
});

test("sim: network: faults: a cut that outlasts all repetitions is an error for who sent", () => {
  const [l, s, far] = opened();
  const fromUs = l.nowUs;
  cut(l, 0, 1, 1);
  send(l, s, 10);
  runTo(l, fromUs + giveUpUs);
  assert.deepEqual(heard(l, s), ["dialed"]);
  runTo(l, fromUs + giveUpUs + 1_000);
  assert.deepEqual(heard(l, s), ["dialed", "error"]);
  runTo(l, fromUs + 5_000 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
});

test("sim: network: faults: whoever did not give up is reset when it sends", () => {
  const [l, s, far] = opened();
  cut(l, 0, 1, 1);
  send(l, s, 10);
  runTo(l, 1_000 * second);
  cut(l, 0, 1, -1);
  send(l, far, 5);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", "reset"]);
  assert.deepEqual(heard(l, s), ["dialed", "error"]);
});

test("sim: network: faults: a cut with nothing under way is not noticed", () => {
  const [l, s, far] = opened();
  cut(l, 0, 1, 1);
  runTo(l, 10_000 * second);
  cut(l, 0, 1, -1);
  send(l, s, 1);
  send(l, far, 2);
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed", 2]);
  assert.deepEqual(heard(l, far), ["opened", 1]);
});

test("sim: network: faults: a cut of the way back: data arrives, but is not acknowledged", () => {
  const [l, s, far] = opened();
  const fromUs = l.nowUs;
  network.path(l.n, 1, 0).cut = 1;
  send(l, s, 7_000);
  send(l, s, 4_000);
  runTo(l, fromUs + 60 * second);
  // The other end's buffer was empty again and again, but nobody could say so.
  assert.deepEqual(heard(l, far), ["opened", 5_000]);
  assert.deepEqual(heard(l, s), ["dialed", "congested"]);
  network.path(l.n, 1, 0).cut = 0;
  runTo(l, fromUs + 200 * second);
  assert.equal(got(l, far).length, 11_000);
  assert.deepEqual(heard(l, s), ["dialed", "congested", "drained"]);
});

test("sim: network: faults: without acknowledgements only who sent gives up", () => {
  const [l, s, far] = opened();
  const fromUs = l.nowUs;
  network.path(l.n, 1, 0).cut = 1;
  send(l, s, 7);
  runTo(l, fromUs + 2_000 * second);
  assert.deepEqual(heard(l, s), ["dialed", "error"]);
  assert.equal(when(l, s, "error"), fromUs + giveUpUs + 1_000);
  assert.deepEqual(heard(l, far), ["opened", 7]);
});

test("sim: network: faults: half-open both ways: nothing passes and no end is told", () => {
  const [l, s, far] = opened();
  send(l, s, 1);
  assert.equal(network.halfOpen(l.n, 0, 1, "both"), 1);
  const fromUs = l.nowUs;
  send(l, far, 2);
  close(l, s, "flush");
  runTo(l, fromUs + 900 * second);
  assert.deepEqual(heard(l, s), ["dialed"]);
  assert.deepEqual(heard(l, far), ["opened"]);
  // The systems give up by themselves what they could not deliver.
  runTo(l, fromUs + 1_000 * second);
  assert.deepEqual(heard(l, s), ["dialed", "closed"]);
  assert.deepEqual(heard(l, far), ["opened", "error"]);
});

test("sim: network: faults: half-open and idle is never noticed", () => {
  const [l, s, far] = opened();
  network.halfOpen(l.n, 1, undefined, "both");
  close(l, s, "abort");
  runTo(l, 100_000 * second);
  assert.deepEqual(heard(l, s), ["dialed", "aborted"]);
  assert.deepEqual(heard(l, far), ["opened"]);
});

test("sim: network: faults: half-open one way: the other way still arrives", () => {
  for (const way of ["there", "back"] as const) {
    const [l, s, far] = opened();
    network.halfOpen(l.n, 0, 1, way);
    send(l, s, 1);
    send(l, far, 2);
    runTo(l, l.nowUs + 100 * second);
    assert.deepEqual(heard(l, s), way === "there" ? ["dialed", 2] : ["dialed"]);
    assert.deepEqual(heard(l, far), way === "there" ? ["opened"] : ["opened", 1]);
    runTo(l, l.nowUs + 1_000 * second);
    // Neither gets an acknowledgement: one's bytes are lost, the other's answer is.
    assert.equal(heard(l, s).at(-1), "error");
    assert.equal(heard(l, far).at(-1), "error");
  }
});

test("sim: network: faults: half-open hits what is open now, nothing else", () => {
  const l = lab({}, 4);
  const [s] = connect(l, 0, 1);
  const [other] = connect(l, 2, 1);
  const dialing = dial(l, 0, 1);
  assert.equal(network.halfOpen(l.n, 0, 1, "both"), 1);
  assert.equal(network.halfOpen(l.n, 3, 1, "both"), 0);
  const [next] = connect(l, 0, 1);
  for (const one of [s, other, dialing, next]) send(l, one, 3);
  runTo(l, l.nowUs + 10 * second);
  assert.deepEqual(
    [s, other, dialing, next].map((one) => heard(l, one.peer)),
    [["opened"], ["opened", 3], ["opened", 3], ["opened", 3]],
  );
});

test("sim: network: faults: a late end leaves data as it was, and comes so much later", () => {
  for (const how of ["flush", "abort"] as const) {
    const [l, s, far] = opened();
    network.path(l.n, 0, 1).lateEndUs = 50 * second;
    const fromUs = l.nowUs;
    send(l, s, 4);
    close(l, s, how);
    runTo(l, fromUs + 50 * second);
    assert.deepEqual(heard(l, far), ["opened", 4]);
    runTo(l, fromUs + 60 * second);
    assert.equal(when(l, far, how === "flush" ? "eof" : "reset"), fromUs + 50 * second + 1_000);
  }
});

test("sim: network: faults: the old end arrives long after a new connection works", () => {
  const [l, s, far] = opened();
  network.path(l.n, 0, 1).lateEndUs = 20 * second;
  close(l, s, "flush");
  const [young, other] = connect(l);
  send(l, young, 8);
  runTo(l, l.nowUs + 10 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
  assert.deepEqual(heard(l, other), ["opened", 8]);
  runTo(l, l.nowUs + 20 * second);
  assert.deepEqual(heard(l, far), ["opened", "eof"]);
  assert.deepEqual(heard(l, other), ["opened", 8]);
});

test("sim: network: faults: a slow path adds its delay to each direction it is set for", () => {
  const [l, s, far] = opened();
  network.path(l.n, 0, 1).slowUs = 7 * second;
  const fromUs = l.nowUs;
  send(l, s, 1);
  send(l, far, 2);
  runOut(l);
  assert.deepEqual(l.log.slice(2).map((one) => [one.node, one.atUs - fromUs]), [
    [0, 1_000], [1, 7 * second + 1_000],
  ]);
});

test("sim: network: faults: a reset from outside is told to both ends, and hits what flies", () => {
  const [l, s, far] = opened();
  send(l, s, 10);
  assert.equal(network.reset(l.n, 0, 1), 1);
  assert.equal(network.reset(l.n, 0, 2), 0);
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed", "reset"]);
  assert.deepEqual(heard(l, far), ["opened", "reset"]);
});

test("sim: network: faults: a reset that is lost is not repeated", () => {
  const [l, s, far] = opened();
  cut(l, 0, 1, 1);
  close(l, s, "abort");
  runTo(l, l.nowUs + second);
  cut(l, 0, 1, -1);
  runTo(l, l.nowUs + 1_000 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
  send(l, far, 1);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", "reset"]);
});

test("sim: network: faults: an end that is lost is repeated, while someone cares", () => {
  // With its process the system repeats it until 804.6 s have passed, without until 51 s have.
  for (const [isKilled, cutS, isTold] of [
    [false, 800, true], [false, 810, false], [true, 50, true], [true, 60, false],
  ] as const) {
    const [l, s, far] = opened();
    cut(l, 0, 1, 1);
    if (isKilled) network.died(l.n, 0, false, l.nowUs);
    else close(l, s, "flush");
    runTo(l, l.nowUs + cutS * second);
    cut(l, 0, 1, -1);
    runTo(l, l.nowUs + 2_000 * second);
    assert.deepEqual(heard(l, far), isTold ? ["opened", "eof"] : ["opened"]);
  }
});

test("sim: network: faults: a process that dies ends in good order what it has sent", () => {
  const [l, s, far] = opened();
  send(l, s, 4_000);
  network.died(l.n, 0, false, l.nowUs);
  send(l, s, 1);
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed"]);
  assert.deepEqual(heard(l, far), ["opened", 4_000, "eof"]);
  assert.equal(l.n.sockets[0]?.size, 0);
});

test("sim: network: faults: what its system had not taken dies with a process", () => {
  const [l, s, far] = opened();
  l.asleep.add(1);
  send(l, s, 20_000);
  runTo(l, l.nowUs + second);
  network.died(l.n, 0, false, l.nowUs);
  l.asleep.clear();
  runOut(l);
  assert.equal(got(l, far).length, 15_000);
  assert.equal(heard(l, far).at(-1), "eof");
});

test("sim: network: faults: a process that dies with unread bytes resets", () => {
  const [l, s, far] = opened();
  l.asleep.add(0);
  send(l, far, 10);
  runTo(l, l.nowUs + second);
  network.died(l.n, 0, false, l.nowUs);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", "reset"]);
  assert.equal(s.unreadBytes, 0);
});

test("sim: network: faults: what comes for a process that died is reset, after its end", () => {
  const [l, s, far] = opened();
  network.path(l.n, 0, 1).slowUs = second;
  network.died(l.n, 0, false, l.nowUs);
  send(l, far, 10);
  runTo(l, l.nowUs + 10_000);
  assert.deepEqual([s.system, far.system], ["gone", "live"]);
  runOut(l);
  // The end arrives before the reset, and nothing is told after an end.
  assert.deepEqual(heard(l, far), ["opened", "eof"]);
  assert.equal(far.system, "gone");
});

test("sim: network: faults: a process that dies again and again harms nobody else", () => {
  const l = lab({}, 4);
  const [s] = connect(l, 2, 1);
  for (let i = 0; i < 5; i += 1) {
    connect(l, 0, 1);
    network.died(l.n, 0, false, l.nowUs);
  }
  send(l, s, 3);
  runOut(l);
  assert.deepEqual(heard(l, s.peer), ["opened", 3]);
  assert.deepEqual(l.n.sockets.map((of) => of.size), [0, 1, 1, 0]);
});

test("sim: network: faults: without power a machine is silent, and what flies arrives", () => {
  const [l, s, far] = opened();
  send(l, far, 10);
  send(l, s, 20);
  network.died(l.n, 0, true, l.nowUs);
  runTo(l, l.nowUs + 60 * second);
  assert.deepEqual(heard(l, far), ["opened", 20]);
  assert.deepEqual(heard(l, s), ["dialed"]);
});

test("sim: network: faults: a machine that boots resets what it does not know", () => {
  const [l, , far] = opened();
  network.died(l.n, 0, true, l.nowUs);
  runTo(l, l.nowUs + 60 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
  send(l, far, 10);
  runTo(l, l.nowUs + 60 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
  network.booted(l.n, 0);
  runTo(l, l.nowUs + 120 * second);
  assert.deepEqual(heard(l, far), ["opened", "reset"]);
});

test("sim: network: faults: a machine that never boots is an error for who sends", () => {
  const [l, , far] = opened();
  network.died(l.n, 0, true, l.nowUs);
  send(l, far, 10);
  runTo(l, l.nowUs + 1_000 * second);
  assert.deepEqual(heard(l, far), ["opened", "error"]);
});

test("sim: network: faults: a writer that waits for room notices that nobody is there", () => {
  for (const boots of [false, true]) {
    const [l, s] = opened();
    l.asleep.add(1);
    send(l, s, 12_000);
    runTo(l, l.nowUs + 10 * second);
    network.died(l.n, 1, true, l.nowUs);
    runTo(l, l.nowUs + 10 * second);
    if (boots) network.booted(l.n, 1);
    runTo(l, l.nowUs + 2_000 * second);
    assert.equal(heard(l, s).at(-1), boots ? "reset" : "error");
  }
});

test("sim: network: faults: word of new room that is lost is asked for again", () => {
  const [l, s, far] = opened();
  l.asleep.add(1);
  send(l, s, 12_000);
  runTo(l, l.nowUs + 10 * second);
  network.path(l.n, 1, 0).cut = 1;
  assert.equal(network.read(l.n, far, 5_000, l.nowUs)?.length, 5_000);
  runTo(l, l.nowUs + 10 * second);
  assert.equal(far.unreadBytes, 0);
  network.path(l.n, 1, 0).cut = 0;
  l.asleep.clear();
  runTo(l, l.nowUs + 100 * second);
  assert.equal(got(l, far).length, 7_000);
});

test("sim: network: faults: a cut between the repetition and its arrival is one more loss", () => {
  const [l, s, far] = opened();
  network.path(l.n, 0, 1).slowUs = second;
  const fromUs = l.nowUs;
  cut(l, 0, 1, 1);
  send(l, s, 10);
  runTo(l, fromUs + 1_100_000);
  cut(l, 0, 1, -1);
  runTo(l, fromUs + 1_300_000);
  cut(l, 0, 1, 1);
  runTo(l, fromUs + 2_300_000);
  cut(l, 0, 1, -1);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", 10]);
  assert.ok(Number(l.log.at(-1)?.atUs) > fromUs + 3 * second);
});

test("sim: network: faults: a stall does not hide an end for ever, nor a failure", () => {
  for (const [how, what] of [["flush", "eof"], ["abort", "reset"]] as const) {
    const [l, s, far] = opened();
    network.stall(l.n, 1, true);
    close(l, s, how);
    runTo(l, l.nowUs + 100 * second);
    assert.deepEqual(heard(l, far), ["opened"]);
    network.stall(l.n, 1, false);
    runOut(l);
    assert.deepEqual(heard(l, far), ["opened", what]);
  }
});

test("sim: network: faults: room that is free is used while an end waits behind the data", () => {
  const [l, s, far] = opened();
  l.asleep.add(1);
  send(l, s, 14_000);
  close(l, s, "flush");
  network.path(l.n, 0, 1).chop = "split";
  runTo(l, l.nowUs + second);
  assert.equal(far.unreadBytes, 5_000);
  l.asleep.clear();
  runOut(l);
  assert.equal(got(l, far).length, 14_000);
  assert.equal(heard(l, far).at(-1), "eof");
  assert.equal(heard(l, s).at(-1), "closed");
});
