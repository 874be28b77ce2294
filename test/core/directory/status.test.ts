import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import { status } from "../../../core/directory/status.ts";
import { mono } from "../../../core/time.ts";
import * as net from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { clone } from "../../support/laws.ts";

test("directory: status: a node that knows nothing yet", () => {
  const s = status(directory.create(defaults, mono(5)), mono(25));
  assert.equal(s.schema, 1);
  assert.deepEqual([s.nick, s.network, s.location], ["", "mainnet", null]);
  assert.deepEqual([s.startedUnixMs, s.uptimeMs, s.draining], [null, 20, false]);
  assert.deepEqual(s.peers, {
    registered: 0, makers: 0, takers: 0, pingCapable: 0, verified: 0, handshaking: 0,
    connections: 0, max: 10_000,
  });
  assert.deepEqual(s.heartbeat, { running: false, pending: 0 });
  assert.deepEqual(s.outbox, {
    queuedBytes: 0, queuedBytesMax: defaults.outbox.bytesTotalMax, congested: 0,
  });
  assert.deepEqual(s.recent, []);
});

test("directory: status: it says who is here, what waits and since when", () => {
  const n = net.start();
  net.join(n, net.maker(1));
  net.join(n, net.taker(2, []));
  net.join(n, net.prover(3n));
  net.raw(n, net.connect(n), "unfinished");
  net.greet(n, net.maker(1));
  const s = net.statusOf(n);
  assert.deepEqual(s.peers, {
    registered: 3, makers: 2, takers: 1, pingCapable: 2, verified: 1, handshaking: 2,
    connections: 5, max: 10_000,
  });
  assert.equal(s.location, net.ownLocation);
  assert.equal(s.startedUnixMs, 1_700_000_000_000);
  assert.equal(s.uptimeMs, n.drive.now - 1_000);
  assert.equal(s.heartbeat.running, true);
  assert.equal(s.contests, 1);
  assert.ok(s.inputBytes >= 10);
  assert.deepEqual(s.recent.map(({ code }) => code), Array(3).fill("peer.registered"));
  assert.ok(s.recent.every(({ agoMs }) => agoMs >= 0 && agoMs <= s.uptimeMs));
});

test("directory: status: queues of those who do not read are shown", () => {
  const n = net.start();
  const conn = net.join(n, net.maker(1));
  drive.stall(n.drive, net.join(n, net.maker(2)), 0);
  for (let i = 0; i < 2; i += 1) {
    net.publish(n, conn, net.maker(1), "hp2 x");
    net.advance(n, 20);
  }
  const { outbox, totals } = net.statusOf(n);
  assert.deepEqual([outbox.congested, totals.congestions], [1, 1]);
  assert.ok(outbox.queuedBytes > 0);
});

test("directory: status: a wall clock that was set anew moves the start, not the uptime", () => {
  const n = net.start();
  net.advance(n, 5_000);
  net.push(n, { type: "clock.anchored", unixMs: 1_800_000_000_000 });
  const s = net.statusOf(n);
  assert.deepEqual([s.startedUnixMs, s.uptimeMs], [1_800_000_000_000 - 5_000, 5_000]);
});

test("directory: status: reading it changes nothing, and it survives JSON", () => {
  const n = net.start();
  net.join(n, net.maker(1));
  net.push(n, { type: "operator.stop" });
  const before = clone(n.drive.kernel.state);
  const s = net.statusOf(n);
  assert.equal(s.draining, true);
  assert.deepEqual(n.drive.kernel.state, before);
  assert.deepEqual(JSON.parse(JSON.stringify(s)), s);
  (s.totals as { opened: number }).opened = 99;
  assert.equal(n.drive.kernel.state.counts.totals.opened, 1);
});
