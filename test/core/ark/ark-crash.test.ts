/**
 * The daemon of Ark wallets dies: at every boundary of effects, with a disk that fails, and in good
 * order.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import * as rig from "../../support/ark-fleet.ts";

const { minute, hour, second } = rig;

const endowed = ({ world }: rig.Rig): void => {
  acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
  acts.deposit(world, "alice", 500_000n);
};

function sound(r: rig.Rig): void {
  assert.deepEqual(audit(r.world), []);
  assert.deepEqual(r.world.breaches, []);
  assert.deepEqual(r.world.losses, []);
}

/** Just before a refresh is due, and until it is done. */
const leadMs = 55 * minute;
const spanMs = 40 * minute;

test("ark: crash: at every effect around a refresh, it is settled and nothing asked twice", () => {
  const clean = rig.start({ before: endowed });
  rig.pass(clean, leadMs);
  const from = clean.effects;
  assert.equal(rig.count(clean, /delegated\/vtxos$/), 0);
  rig.until(clean, () => rig.count(clean, /delegated\/vtxos$/) > 0, spanMs);
  const asked = clean.effects;
  rig.until(clean, () => rig.one(clean).outcomes.success > 0, spanMs);
  const boundaries: number[] = [];
  for (let at = from + 1; at <= clean.effects + 3; at += 1) {
    if (at % 9 === 0 || (at > asked - 25 && at < asked + 15) || at > clean.effects - 12) {
      boundaries.push(at);
    }
  }
  for (const at of boundaries) {
    const r = rig.start({ before: endowed });
    r.diesAt = at;
    rig.pass(r, leadMs + spanMs);
    assert.equal(r.life, 2, `effect ${at}`);
    rig.pass(r, hour);
    const { intents, exits, outcomes } = rig.one(r);
    assert.deepEqual(exits, [], `effect ${at}`);
    assert.ok(intents.length <= 1, `effect ${at}`);
    assert.ok(outcomes.success + outcomes.superseded >= 1, `effect ${at}`);
    assert.ok(rig.count(r, /delegated\/vtxos$/) <= 2, `effect ${at}`);
    sound(r);
  }
});

test("ark: crash: deaths again and again lose no intent and begin none twice", () => {
  const r = rig.start({ before: endowed });
  for (let i = 0; i < 60; i += 1) {
    r.diesAt = r.effects + 30 + 19 * (i % 11);
    rig.pass(r, 12 * minute);
  }
  r.diesAt = Number.MAX_SAFE_INTEGER;
  rig.pass(r, 6 * hour);
  assert.ok(r.life >= 30);
  assert.ok(rig.one(r).outcomes.success >= 1);
  sound(r);
});

test("ark: journal: nothing is asked for while the disk fails, and it is when it is well", () => {
  const r = rig.start({ before: (it) => {
    endowed(it);
    it.disk.fault = "io";
  } });
  rig.pass(r, 80 * minute);
  assert.equal(rig.count(r, /delegated\/vtxos$/), 0);
  assert.ok(rig.shown(r).degraded.some(({ name }) => name === "disk-failing"));
  assert.equal(rig.one(r).isFresh, true, "looking waits for nobody");
  r.disk.fault = "none";
  rig.until(r, () => rig.one(r).outcomes.success >= 1, hour, minute);
  assert.deepEqual(rig.shown(r).degraded, []);
  assert.ok(rig.told(r, "disk") >= 1);
  sound(r);
});

test("ark: journal: a disk that fails in the midst of it stops what is new, not what runs", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 30 * minute);
  r.disk.fault = "full";
  rig.pass(r, 65 * minute);
  assert.equal(rig.count(r, /delegated\/vtxos$/), 0);
  assert.ok(rig.shown(r).degraded.some(({ name }) => name === "disk-failing"));
  r.disk.fault = "none";
  rig.pass(r, 20 * minute);
  assert.ok(rig.count(r, /delegated\/vtxos$/) >= 1);
  sound(r);
});

test("ark: journal: an order that hangs is slow; the wallet is looked after all the same", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 30 * minute);
  r.disk.fault = "hang";
  rig.pass(r, 3 * hour);
  assert.ok(rig.shown(r).degraded.some(({ name }) => name === "disk-slow"));
  assert.equal(rig.count(r, /delegated\/vtxos$/), 0);
  assert.deepEqual(rig.troubles(r).filter((name) => name === "unseen"), []);
});

test("ark: journal: a file that is damaged is left alone, and no intent is begun", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 6 * hour);
  rig.die(r);
  const damaged = r.disk.bytes.slice();
  damaged[40] = damaged[40]! ^ 1;
  r.disk.bytes = damaged;
  const before = rig.count(r, /delegated\/vtxos$/);
  rig.pass(r, 4 * hour);
  assert.ok(rig.shown(r).degraded.some(({ name }) => name === "journal-broken"));
  assert.equal(rig.count(r, /delegated\/vtxos$/), before);
  assert.deepEqual(r.disk.bytes, damaged);
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, minute);
  assert.ok(r.isStopped);
});

test("ark: journal: records of a wallet that is gone are kept, counted and told of", () => {
  const r = rig.start({ wallets: ["alice", "bob"], before: (it) => {
    acts.endow(it.world, "bob", [100_000n], 30, 1);
  } });
  rig.pass(r, 4 * hour);
  const records = rig.bodies(r).length;
  rig.die(r);
  r.config = { ...r.config, wallets: r.config.wallets.slice(0, 1) };
  rig.pass(r, hour);
  assert.ok(rig.shown(r).counts.recordsOfOthers >= 3);
  assert.ok(rig.codes(r).includes("ark.journal-others"));
  assert.ok(rig.bodies(r).length >= records);
});

test("ark: stop: at once when nothing runs; a second wish changes nothing", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 30 * minute);
  rig.push(r, { type: "operator.stop" });
  rig.push(r, { type: "operator.stop" });
  assert.deepEqual(rig.shown(r).degraded.map(({ name }) => name), ["draining"]);
  rig.pass(r, 2 * second);
  assert.ok(r.isStopped);
  assert.equal(r.open.size, 0, "what may be cut was given up");
  assert.deepEqual(rig.shown(r).leftRunning, []);
  const { length } = r.asked;
  rig.pass(r, hour);
  assert.equal(r.asked.length, length);
});

test("ark: stop: work that must not be cut is waited for, then named, and never given up", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 30 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "barkd", fault: { kind: "silent" }, fromMs, untilMs: fromMs + 9 * hour,
  }]);
  rig.until(r, () => [...r.open.values()].some(({ asked: { method } }) => method === "POST"), hour);
  const at = r.now;
  rig.push(r, { type: "operator.stop" });
  rig.until(r, () => r.isStopped, 2 * minute, 100);
  assert.ok(r.now - at <= 45_000, `${r.now - at}`);
  assert.ok(r.now - at >= 29_000, `${r.now - at}`);
  assert.ok(rig.shown(r).leftRunning.length >= 1);
  assert.ok(rig.codes(r).includes("ark.left-running"));
  assert.ok([...r.open.values()].every(({ asked: { method } }) => method === "POST"));
});

test("ark: stop: whatever hangs, the end comes within drainMs; and before the start", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 3 * hour);
  r.disk.fault = "hang";
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{ on: "barkd", fault: { kind: "silent" }, fromMs, untilMs: fromMs + 9 * hour }]);
  rig.pass(r, 30 * minute);
  const at = r.now;
  rig.push(r, { type: "operator.stop" });
  rig.until(r, () => r.isStopped, 2 * minute, 100);
  assert.ok(r.now - at <= 45_000);
  const none = rig.start({ wallets: [] });
  assert.deepEqual(rig.shown(none).degraded.map(({ name }) => name),
    ["journal-unread", "no-wallets"]);
  rig.push(none, { type: "operator.stop" });
  rig.pass(none, second);
  assert.ok(none.isStopped);
});
