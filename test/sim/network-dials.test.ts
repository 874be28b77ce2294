import assert from "node:assert/strict";
import { test } from "node:test";
import * as network from "../../sim/network.ts";
import {
  close, connect, cut, dial, heard, lab, runOut, runTo, send, when,
} from "../support/net.ts";

const second = 1_000_000;

test("sim: network: dials: a node that does not listen refuses", () => {
  const l = lab();
  const s = dial(l, 0, 2);
  runOut(l);
  assert.deepEqual(heard(l, s), ["refused"]);
  assert.equal(when(l, s, "refused"), 2_000);
  assert.equal(l.n.sockets[0]?.size, 0);
});

test("sim: network: dials: a node that listens no more refuses, and keeps what is open", () => {
  const l = lab();
  const [open, far] = connect(l);
  network.listen(l.n, 1, false);
  const s = dial(l);
  send(l, open, 3);
  runOut(l);
  assert.deepEqual(heard(l, s), ["refused"]);
  assert.deepEqual(heard(l, far), ["opened", 3]);
});

test("sim: network: dials: what is no node is unreachable", () => {
  const l = lab();
  const s = dial(l, 0, 7);
  runOut(l);
  assert.deepEqual(heard(l, s), ["unreachable"]);
});

test("sim: network: dials: a path may refuse, and takes the next one", () => {
  const l = lab();
  network.path(l.n, 0, 1).refuse = true;
  const s = dial(l);
  runOut(l);
  assert.deepEqual(heard(l, s), ["refused"]);
  network.path(l.n, 0, 1).refuse = false;
  connect(l);
});

test("sim: network: dials: without an answer the system gives up after 127 s", () => {
  const l = lab();
  network.path(l.n, 0, 1).hang = true;
  const s = dial(l);
  runOut(l);
  assert.deepEqual(heard(l, s), ["timeout"]);
  assert.equal(when(l, s, "timeout"), 127 * second);
  assert.equal(l.n.sockets[0]?.size, 0);
});

test("sim: network: dials: one that hangs succeeds late, at its next attempt", () => {
  for (const [untilMs, atUs] of [[500, 1_002_000], [1_500, 3_002_000], [20_000, 31_002_000]]) {
    const l = lab();
    network.path(l.n, 0, 1).hang = true;
    const s = dial(l);
    runTo(l, Number(untilMs) * 1_000);
    network.path(l.n, 0, 1).hang = false;
    runOut(l);
    assert.deepEqual(heard(l, s), ["dialed"]);
    assert.equal(when(l, s, "dialed"), atUs);
  }
});

test("sim: network: dials: a cut in either direction loses the dial or its answer", () => {
  for (const [from, to] of [[0, 1], [1, 0]] as const) {
    const l = lab();
    network.path(l.n, from, to).cut = 1;
    const s = dial(l);
    runTo(l, 10 * second);
    assert.deepEqual(l.log, []);
    network.path(l.n, from, to).cut = 0;
    runTo(l, 16 * second);
    assert.deepEqual(heard(l, s), ["dialed"]);
    assert.deepEqual(heard(l, s.peer), ["opened"]);
  }
});

test("sim: network: dials: a late one succeeds so much later", () => {
  const l = lab();
  network.path(l.n, 0, 1).lateDialUs = 30 * second;
  const s = dial(l);
  runOut(l);
  assert.equal(when(l, s, "dialed"), 30 * second + 2_000);
  assert.deepEqual(heard(l, s.peer), ["opened"]);
});

test("sim: network: dials: one that would be too late is given up", () => {
  const l = lab();
  network.path(l.n, 0, 1).lateDialUs = 200 * second;
  const s = dial(l);
  runOut(l);
  assert.deepEqual(heard(l, s), ["timeout"]);
  assert.equal(when(l, s, "timeout"), 127 * second);
});

test("sim: network: dials: closing before the outcome gives up, and nothing follows", () => {
  for (const how of ["abort", "flush"] as const) {
    for (const afterUs of [0, 500, 1_500]) {
      const l = lab();
      const s = dial(l);
      runTo(l, afterUs);
      close(l, s, how);
      runOut(l);
      assert.deepEqual(l.log, []);
      assert.equal(l.n.sockets[0]?.size, 0);
    }
  }
});

test("sim: network: dials: a process that dies while it dials opens nothing", () => {
  const l = lab();
  dial(l);
  runTo(l, 1_500);
  network.died(l.n, 0, false, l.nowUs);
  runOut(l);
  assert.deepEqual(l.log, []);
});

test("sim: network: dials: a machine without power does not answer, a dead process refuses", () => {
  const l = lab();
  network.died(l.n, 1, true, 0);
  const s = dial(l);
  runTo(l, 2 * second);
  assert.deepEqual(heard(l, s), []);
  network.booted(l.n, 1);
  runTo(l, 4 * second);
  assert.deepEqual(heard(l, s), ["refused"]);
  network.listen(l.n, 1, true);
  connect(l);
});

test("sim: network: dials: the acceptor dies before the last packet: open, then reset", () => {
  const l = lab();
  const s = dial(l);
  runTo(l, 2_500);
  network.died(l.n, 1, false, l.nowUs);
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed", "reset"]);
  assert.deepEqual(heard(l, s.peer), []);
});

test("sim: network: dials: the acceptor dies before it accepts: reset", () => {
  const l = lab();
  l.asleep.add(1);
  const s = dial(l);
  runTo(l, second);
  network.died(l.n, 1, false, l.nowUs);
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed", "reset"]);
});

test("sim: network: dials: the last packet is lost: the first data opens the other end", () => {
  const l = lab();
  const s = dial(l);
  runTo(l, 2_500);
  cut(l, 0, 1, 1);
  runTo(l, 5 * second);
  assert.deepEqual(heard(l, s), ["dialed"]);
  assert.deepEqual(heard(l, s.peer), []);
  cut(l, 0, 1, -1);
  send(l, s, 9);
  runTo(l, 20 * second);
  assert.deepEqual(heard(l, s.peer), ["opened", 9]);
});

test("sim: network: dials: the last packet is lost for ever: the dialer does not know", () => {
  const l = lab();
  const s = dial(l);
  runTo(l, 2_500);
  cut(l, 0, 1, 1);
  runTo(l, 3_000 * second);
  assert.deepEqual(l.log.length, 1);
  cut(l, 0, 1, -1);
  send(l, s, 9);
  runTo(l, 3_100 * second);
  assert.deepEqual(heard(l, s), ["dialed", "reset"]);
});

test("sim: network: dials: generations between two nodes are apart", () => {
  const l = lab();
  const [first, old] = connect(l);
  const [again, young] = connect(l);
  assert.notEqual(first.life, again.life);
  assert.equal(again.nth, first.nth + 1);
  send(l, first, 1);
  send(l, again, 2);
  runOut(l);
  close(l, first, "abort");
  runOut(l);
  assert.deepEqual(heard(l, old), ["opened", 1, "reset"]);
  assert.deepEqual(heard(l, young), ["opened", 2]);
});
