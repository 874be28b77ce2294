import assert from "node:assert/strict";
import { test } from "node:test";
import * as prng from "../../core/prng.ts";
import * as network from "../../sim/network.ts";
import type { NetWatch } from "../../sim/network.ts";
import * as queue from "../../sim/queue.ts";
import { bytesOf } from "../support/toy.ts";
import {
  close, connect, dial, got, heard, lab, look, runOut, runTo, send, when, type Lab,
} from "../support/net.ts";

const second = 1_000_000;

test("sim: network: a dial opens at the dialer after one round trip, then at the other end", () => {
  const l = lab();
  const s = dial(l);
  runOut(l);
  assert.deepEqual(l.log.map(({ atUs, node, what }) => [atUs, node, what]), [
    [2_000, 0, "dialed"], [3_000, 1, "opened"],
  ]);
  assert.equal(s.life, s.peer.life);
  assert.equal(l.accepted[0], s.peer);
});

test("sim: network: data sent at once by the dialer arrives after the opening", () => {
  const l = lab({ latencyMeanUs: 50_000 });
  const s = dial(l);
  while (s.phase === "dialing") runTo(l, l.nowUs + 100);
  send(l, s, 10);
  runOut(l);
  assert.deepEqual(heard(l, s.peer), ["opened", 10]);
});

test("sim: network: one write is one queue item, and its bytes are shared", () => {
  const l = lab();
  const [s] = connect(l);
  const bytes = bytesOf("hello");
  const before = l.steps;
  send(l, s, bytes);
  runOut(l);
  assert.equal(l.steps, before + 1);
  assert.equal(l.log.at(-1)?.what, bytes);
});

test("sim: network: several segments that wait are read together, at most so many bytes", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  for (const text of ["abc", "defg", "hi"]) {
    send(l, s, bytesOf(text));
    runTo(l, l.nowUs + 10_000);
  }
  assert.equal(l.inbox.length, 1);
  assert.deepEqual(network.read(l.n, far, 5, l.nowUs), bytesOf("abcde"));
  assert.equal(l.inbox.length, 2);
  assert.deepEqual(network.read(l.n, far, 2, l.nowUs), bytesOf("fg"));
  assert.deepEqual(network.read(l.n, far, 9, l.nowUs), bytesOf("hi"));
  assert.equal(network.read(l.n, far, 9, l.nowUs), undefined);
});

test("sim: network: many small segments are read in small bites, in order", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  for (let i = 0; i < 200; i += 1) send(l, s, Uint8Array.of(i, i + 1));
  runOut(l);
  const seen: number[] = [];
  for (;;) {
    const bytes = network.read(l.n, far, 3, l.nowUs);
    if (bytes === undefined) break;
    seen.push(...bytes);
  }
  assert.deepEqual(seen, Array.from({ length: 400 }, (_, i) => ((i >> 1) + (i & 1)) & 0xff));
});

test("sim: network: nothing overtakes, whatever the latencies", () => {
  const l = lab({ latencyMeanUs: 300_000, latencyMinUs: 0 });
  const [s, far] = connect(l);
  for (let i = 0; i < 100; i += 1) {
    send(l, s, Uint8Array.of(i));
    runTo(l, l.nowUs + 1_000);
  }
  runOut(l);
  assert.deepEqual(got(l, far), Array.from({ length: 100 }, (_, i) => i));
});

test("sim: network: empty writes, and writes and closes after the end, do nothing", () => {
  const l = lab();
  const [s, far] = connect(l);
  send(l, s, 0);
  close(l, s, "flush");
  send(l, s, 10);
  close(l, s, "flush");
  runOut(l);
  send(l, s, 10);
  close(l, s, "abort");
  runOut(l);
  assert.deepEqual(heard(l, s), ["dialed", "closed"]);
  assert.deepEqual(heard(l, far), ["opened", "eof"]);
  assert.equal(network.read(l.n, s, 9, l.nowUs), undefined);
});

test("sim: network: bytes in `split` arrive cut at any place, also inside a character", () => {
  const text = "é€😀".repeat(20);
  let isCutInside = false;
  let isWhole = false;
  for (let seed = 0; seed < 40; seed += 1) {
    const l = lab({ segment: "split" }, 3, `split ${seed}`);
    const [s, far] = connect(l);
    send(l, s, bytesOf(text));
    runOut(l);
    assert.deepEqual(got(l, far), [...bytesOf(text)]);
    const parts = l.log.filter((one) => typeof one.what !== "string");
    isWhole ||= parts.length === 1;
    // A byte of the form 10xxxxxx is inside a character.
    isCutInside ||= parts.slice(1).some((one) => (Number(one.what[0]) & 0xc0) === 0x80);
  }
  assert.ok(isCutInside);
  assert.ok(isWhole);
});

test("sim: network: bytes in `tiny` come one by one at times, but not without bound", () => {
  const l = lab({ segment: "tiny", sendBufferBytes: 200_000, receiveBufferBytes: 200_000 });
  const [s, far] = connect(l);
  send(l, s, 100_000);
  runOut(l);
  const sizes = heard(l, far).filter((one) => typeof one === "number");
  assert.ok(sizes.includes(1) || sizes.includes(2));
  assert.ok(sizes.length <= 17);
  assert.equal(sizes.reduce((sum, one) => sum + one, 0), 100_000);
});

test("sim: network: writes in `joined` wait for company, for 40 ms at most", () => {
  let joined = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const l = lab({ segment: "joined" }, 3, `joined ${seed}`);
    const [s, far] = connect(l);
    const { nowUs } = l;
    for (let i = 0; i < 3; i += 1) {
      send(l, s, bytesOf("line\n"));
      runTo(l, l.nowUs + 1_000);
    }
    runOut(l);
    const reads = l.log.filter((one) => one.node === far.node && typeof one.what !== "string");
    if (reads.length === 1) joined += 1;
    assert.equal(got(l, far).length, 15);
    assert.ok(reads.every((one) => one.atUs <= nowUs + 2_000 + 1_000 + 40_000));
  }
  assert.ok(joined > 10, `${joined} of 20`);
});

test("sim: network: a path's own segmentation comes before the network's", () => {
  const l = lab({}, 3, "own");
  const [s, far] = connect(l);
  network.path(l.n, 0, 1).chop = "tiny";
  send(l, s, 500);
  runOut(l);
  assert.ok(heard(l, far).length > 3);
  network.clear(network.path(l.n, 0, 1), l.n.net);
  assert.equal(network.path(l.n, 0, 1).chop, undefined);
});

test("sim: network: a writer is congested once the buffers of both systems are full", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  const before = l.log.length;
  for (let i = 0; i < 15; i += 1) {
    send(l, s, 1_000);
    runTo(l, l.nowUs + 100_000);
  }
  assert.equal(l.log.length, before);
  send(l, s, 1);
  send(l, s, 1);
  look(l);
  assert.deepEqual(heard(l, s), ["dialed", "congested"]);
  assert.equal(far.unreadBytes, 5_000);
  assert.equal(s.heldBytes, 10_000);
});

test("sim: network: a congested writer goes on when a third of its buffer is free", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  send(l, s, 16_000);
  runTo(l, l.nowUs + second);
  const readSome = (size: number): void => {
    assert.equal(network.read(l.n, far, size, l.nowUs)?.length, size);
    runTo(l, l.nowUs + 100_000);
  };
  readSome(3_000);
  assert.equal(s.heldBytes, 7_000);
  assert.deepEqual(heard(l, s), ["dialed", "congested"]);
  readSome(1_000);
  assert.deepEqual(heard(l, s), ["dialed", "congested", "drained"]);
  assert.equal(s.heldBytes, 6_000 + 1_000);
});

test("sim: network: a reader that stopped costs next to nothing, for hours", () => {
  const l = lab();
  const [s] = connect(l);
  network.stall(l.n, 1, true);
  send(l, s, 30_000);
  const before = l.steps;
  runTo(l, 6 * 3_600 * second);
  assert.ok(l.steps - before < 250, `${l.steps - before} items`);
  assert.equal(s.phase, "open");
  network.stall(l.n, 1, false);
  runTo(l, l.nowUs + 10 * second);
  assert.deepEqual(heard(l, s), ["dialed", "congested", "drained"]);
  assert.equal(got(l, s.peer).length, 30_000);
});

test("sim: network: a stalled process sees neither bytes nor ends, and answers none", () => {
  const l = lab();
  const [s, far] = connect(l);
  network.stall(l.n, 1, true);
  send(l, s, 5);
  close(l, s, "flush");
  runTo(l, l.nowUs + 60 * second);
  assert.deepEqual(heard(l, far), ["opened"]);
  assert.deepEqual(heard(l, s), ["dialed"]);
  network.stall(l.n, 1, false);
  runOut(l);
  assert.deepEqual(heard(l, far), ["opened", 5, "eof"]);
  assert.deepEqual(heard(l, s), ["dialed", "closed"]);
});

test("sim: network: what was told before a stall, and not looked at, is told again", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  send(l, s, 5);
  runTo(l, l.nowUs + second);
  network.stall(l.n, 1, true);
  assert.deepEqual(l.inbox.splice(0), [[far, "readable"]]);
  network.stall(l.n, 1, false);
  assert.deepEqual(l.inbox, [[far, "readable"]]);
});

test("sim: network: a stalled process that is congested learns of a reset from its writes", () => {
  const l = lab();
  const [s, far] = connect(l);
  l.asleep.add(1);
  network.stall(l.n, 0, true);
  send(l, far, 10);
  send(l, s, 20_000);
  runTo(l, l.nowUs + second);
  close(l, far, "abort");
  runTo(l, l.nowUs + second);
  assert.deepEqual(heard(l, s), ["dialed", "congested", "reset"]);
});

test("sim: network: a narrow path lets so many bytes pass in a second", () => {
  const l = lab();
  const [s, far] = connect(l);
  network.path(l.n, 0, 1).bytesPerSec = 1_000;
  const { nowUs } = l;
  send(l, s, 500);
  send(l, s, 1_500);
  runOut(l);
  const at = l.log.filter((one) => one.node === far.node && typeof one.what !== "string");
  assert.deepEqual(at.map((one) => one.atUs - nowUs), [501_000, 2_001_000]);
});

test("sim: network: writing on and on to a congested socket is a fault of ours", () => {
  const l = lab();
  const [s] = connect(l);
  const much = new Uint8Array(64 * 1_024 * 1_024);
  for (let i = 0; i < 4; i += 1) send(l, s, much);
  assert.throws(() => send(l, s, much), /congested/);
});

test("sim: network: what happens elsewhere moves nothing", () => {
  const times = (disturb: (l: Lab) => void): unknown[] => {
    const l = lab({ latencyMeanUs: 30_000, segment: "split" }, 4, "apart");
    const s = dial(l);
    disturb(l);
    runTo(l, second);
    for (let i = 0; i < 20; i += 1) {
      send(l, s, 100 + i);
      disturb(l);
      runTo(l, l.nowUs + 10_000);
    }
    close(l, s, "flush");
    runOut(l);
    return l.log.filter((one) => one.life === s.life)
      .map(({ atUs, node, what }) => [atUs, node, typeof what === "string" ? what : what.length]);
  };
  const alone = times(() => undefined);
  assert.ok(alone.length > 10);
  assert.deepEqual(times((l) => send(l, dial(l, 2, 1), 10)), alone);
  assert.deepEqual(times((l) => send(l, dial(l, 1, 0), 10)), alone);
});

test("sim: network: the same seed draws the same, another seed something else", () => {
  const times = (seed: string, fork = false): number[] => {
    const l = lab({ latencyMeanUs: 30_000 }, 3, seed);
    const [s] = connect(l);
    if (fork) network.reseed(l.n, prng.key("fork"));
    for (let i = 0; i < 10; i += 1) {
      send(l, s, 1);
      send(l, s.peer, 1);
      runTo(l, l.nowUs + second);
    }
    return l.log.map((one) => one.atUs);
  };
  assert.deepEqual(times("a"), times("a"));
  assert.notDeepEqual(times("a"), times("b"));
  assert.notDeepEqual(times("a"), times("a", true));
  assert.deepEqual(times("a", true), times("a", true));
});

test("sim: network: whoever goes on writing to a congested socket is stopped", () => {
  const l = lab();
  const [s] = connect(l);
  const bytes = new Uint8Array(64 * 1_024 * 1_024);
  for (let i = 0; i < 4; i += 1) send(l, s, bytes);
  assert.throws(() => send(l, s, bytes), /goes on writing to a congested socket/);
});

test("sim: network: one who watches is told of every byte and every end", () => {
  const l = lab();
  const told: unknown[] = [];
  const watch: NetWatch = {
    dialed: (...all) => told.push(["dialed", ...all]),
    opened: (...all) => told.push(["opened", ...all]),
    ended: (...all) => told.push(["ended", ...all]),
    sent: (life, from, to, bytes, end) => told.push(["sent", life, from, to, bytes.length, end]),
    read: (...all) => told.push(["read", ...all]),
  };
  l.n.watch = watch;
  const [s, far] = connect(l);
  send(l, s, 10);
  runOut(l);
  send(l, s, 5);
  close(l, far, "abort");
  runOut(l);
  const { life } = s;
  assert.deepEqual(told, [
    ["dialed", life, 0, 1], ["opened", life, 0], ["opened", life, 1],
    ["sent", life, 0, 1, 10, 10], ["read", life, 1, 10], ["sent", life, 0, 1, 5, 15],
    ["ended", life, 1, "aborted"], ["ended", life, 0, "reset"],
  ]);
});

test("sim: network: a socket that is over is forgotten by both systems", () => {
  for (const how of ["flush", "abort"] as const) {
    const l = lab();
    const [s, far] = connect(l);
    send(l, s, 100);
    send(l, far, 100);
    close(l, far, how);
    runOut(l);
    assert.deepEqual([s.system, far.system], ["gone", "gone"]);
    assert.deepEqual(l.n.sockets.map((of) => of.size), [0, 0, 0]);
    assert.equal(queue.nextAt(l.items), undefined);
  }
});

test("sim: network: a network has buffers, and nodes dial", () => {
  assert.throws(() => lab({ sendBufferBytes: 0 }), /send buffer/);
  assert.throws(() => lab({ receiveBufferBytes: 0 }), /receive buffer/);
  assert.throws(() => dial(lab(), 9, 0), /dials/);
});

test("sim: network: the tail of latencies is long and bounded", () => {
  const l = lab({ latencyMinUs: 10_000, latencyMeanUs: 30_000 });
  const [s, far] = connect(l);
  let sum = 0;
  for (let i = 0; i < 2_000; i += 1) {
    const { nowUs } = l;
    send(l, s, 1);
    runTo(l, l.nowUs + second);
    const { atUs } = l.log.at(-1) as { atUs: number };
    assert.ok(atUs - nowUs >= 10_000);
    assert.ok(atUs - nowUs <= 10_000 + 16 * 20_000);
    sum += atUs - nowUs;
  }
  assert.equal(heard(l, far).length, 2_001);
  assert.ok(sum > 2_000 * 22_000);
  assert.ok(sum < 2_000 * 38_000);
  assert.equal(when(l, far, "eof"), -1);
});
