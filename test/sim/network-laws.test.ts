/**
 * Whatever is done to a network: each end reads a beginning of what the other sent, is told one end
 * and nothing after it, and everything comes to rest.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as network from "../../sim/network.ts";
import type { Socket, Told } from "../../sim/network.ts";
import { segmentations, type Net } from "../../sim/scenario.ts";
import {
  close, cut, dial, got, heard, lab, runOut, runTo, send, type Lab,
} from "../support/net.ts";
import { pattern } from "../support/parity.ts";

type Op = { readonly op: string; readonly of: number; readonly size: number };

const nodes = 3;
const kindly = ["dial", "send", "send", "send", "wait", "flush", "sleep", "wake", "chop"];
const harsh = [
  ...kindly, "abort", "cut", "heal", "halfOpen", "reset", "die", "power", "boot", "stall",
  "unstall", "lateEnd", "narrow", "slow", "hang", "clear",
];
const net: fc.Arbitrary<Partial<Net>> = fc.record({
  latencyMinUs: fc.constantFrom(0, 1_000), latencyMeanUs: fc.constantFrom(0, 1_000, 60_000),
  segment: fc.constantFrom(...segmentations), sendBufferBytes: fc.constantFrom(1, 1_000, 10_000),
  receiveBufferBytes: fc.constantFrom(1, 700, 5_000),
});
const ops = (from: string[]): fc.Arbitrary<Op[]> => fc.array(
  fc.record({ op: fc.constantFrom(...from), of: fc.nat(11), size: fc.nat(3_000) }),
  { maxLength: 40, size: "max" },
);

const endings: readonly unknown[] = ["eof", "reset", "error", "aborted", "closed"] as Told[];
const failures: readonly unknown[] = ["refused", "timeout", "unreachable"] as Told[];

type Play = { readonly l: Lab; readonly dialed: Socket[]; readonly sent: Map<Socket, number> };

function apply(p: Play, { op, of, size }: Op): void {
  const { l, dialed, sent } = p;
  const [a, b] = [[0, 1], [1, 2], [2, 0]][of % 3] as [number, number];
  const s = dialed.length === 0 ? undefined : dialed[of % dialed.length];
  const end = of % 2 === 0 || s === undefined ? s : s.peer;
  const there = network.path(l.n, a, b);
  switch (op) {
    case "dial": dialed.push(dial(l, a, b)); return;
    case "send":
      // A process writes to what it knows, and stops when it is told to.
      if (end === undefined || end.phase !== "open" || end.conn === 0 || end.isCongested) return;
      if (end.finWanted || end.brokenBy !== undefined) return;
      sent.set(end, (sent.get(end) ?? 0) + size);
      return send(l, end, pattern((sent.get(end) ?? 0) - size, size));
    case "wait": return runTo(l, l.nowUs + size * size);
    case "flush": case "abort":
      if (end !== undefined && end.conn !== 0) close(l, end, op);
      return;
    case "sleep": l.asleep.add(a); return;
    case "wake": l.asleep.clear(); return;
    case "chop": there.chop = segmentations[size % segmentations.length]; return;
    case "cut": return cut(l, a, b, 1);
    case "heal": return heal(l);
    case "halfOpen": network.halfOpen(l.n, a, b, "there"); return;
    case "reset": network.reset(l.n, a, undefined); return;
    case "die": case "power":
      network.died(l.n, a, op === "power", l.nowUs);
      l.inbox.splice(0, l.inbox.length, ...l.inbox.filter(([one]) => one.node !== a));
      return;
    case "boot": return network.listen(l.n, a, true);
    case "stall": case "unstall": return network.stall(l.n, a, op === "stall");
    case "lateEnd": there.lateEndUs = size * 1_000; return;
    case "narrow": there.bytesPerSec = 1 + size; return;
    case "slow": there.slowUs = size * 1_000; return;
    case "hang": there.hang = true; return;
    case "clear": return network.clear(there, l.n.net);
    default: assert.fail(op);
  }
}

function heal(l: Lab): void {
  for (let from = 0; from < nodes; from += 1) {
    for (let to = 0; to < nodes; to += 1) network.clear(network.path(l.n, from, to), l.n.net);
    network.stall(l.n, from, false);
  }
}

function play(script: readonly Op[], how: Partial<Net>): Play {
  const l = lab(how, nodes, "laws", [0, 1, 2]);
  const p: Play = { l, dialed: [], sent: new Map() };
  for (const op of script) apply(p, op);
  l.asleep.clear();
  heal(l);
  runOut(l);
  return p;
}

function assertReads(p: Play, s: Socket): void {
  const bytes = got(p.l, s);
  assert.ok(bytes.length <= (p.sent.get(s.peer) ?? 0), "more was read than sent");
  assert.deepEqual(bytes, [...pattern(0, bytes.length)]);
}

function assertLife(p: Play, s: Socket): void {
  const all = heard(p.l, s);
  const open = all.filter((one) => one === "dialed" || one === "opened");
  assert.ok(open.length <= 1);
  if (open.length === 1) assert.equal(all[0], open[0], "told before it was open");
  const at = all.findIndex((one) => endings.includes(one) || failures.includes(one));
  if (at >= 0) assert.equal(at, all.length - 1, `told after the end: ${all.join(" ")}`);
  const turns = all.filter((one) => one === "congested" || one === "drained");
  for (const [i, one] of turns.entries()) {
    assert.equal(one, i % 2 === 0 ? "congested" : "drained");
  }
}

test("sim: network: laws: with faults, each end reads a beginning of what was sent", () => {
  fc.assert(fc.property(ops(harsh), net, (script, how) => {
    const p = play(script, how);
    for (const s of p.dialed) {
      for (const end of [s, s.peer]) {
        assertReads(p, end);
        assertLife(p, end);
      }
    }
  }), { numRuns: 400 });
});

test("sim: network: laws: without faults, all that was sent is read, and ends are told", () => {
  fc.assert(fc.property(ops(kindly), net, (script, how) => {
    const p = play(script, how);
    for (const s of p.dialed) {
      for (const end of [s, s.peer]) {
        assertLife(p, end);
        assert.equal(got(p.l, end).length, p.sent.get(end.peer) ?? 0);
        assertReads(p, end);
        const isOver = [s, s.peer].some((one) => one.ending === "closed");
        if (isOver) assert.equal(end.phase, "ended");
      }
    }
  }), { numRuns: 200 });
});

test("sim: network: laws: what is over leaves nothing behind", () => {
  fc.assert(fc.property(ops(harsh), net, (script, how) => {
    const { l, dialed } = play(script, how);
    for (const s of dialed) {
      for (const end of [s, s.peer]) {
        assert.ok(end.flyingBytes >= 0);
        assert.ok(end.heldBytes >= 0);
        assert.ok(end.head <= end.sent);
        assert.ok(end.sent <= end.line.length);
        assert.ok(end.unreadBytes <= l.n.net.receiveBufferBytes, "the receive buffer overflows");
        assert.ok(end.heldBytes <= l.n.net.sendBufferBytes, "the send buffer overflows");
        const isKnown = l.n.sockets[end.node]?.has(end) === true;
        if (end.system === "gone" && end.phase === "ended") assert.ok(!isKnown);
        if (end.phase === "open") assert.ok(isKnown);
      }
    }
  }), { numRuns: 200 });
});

test("sim: network: laws: the same script is told the same", () => {
  fc.assert(fc.property(ops(harsh), net, (script, how) => {
    assert.deepEqual(play(script, how).l.log, play(script, how).l.log);
  }), { numRuns: 50 });
});
