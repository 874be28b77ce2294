import assert from "node:assert/strict";
import { test } from "node:test";
import type { WalletConfig } from "../../../core/ark/config.ts";
import * as programs from "../../../core/ark/programs.ts";
import * as supervisor from "../../../core/ark/supervisor.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";

const { hour, minute, second } = rig;
const { defaults } = supervisor;

const run = (one: WalletConfig): WalletConfig => ({ ...rig.quick(one), program: defaults });
const left = (one: WalletConfig): WalletConfig => (
  { ...rig.quick(one), program: { ...defaults, isLeft: true } }
);
const off = (r: rig.Rig): void => acts.stopBarkd(r.world, "alice");

type Options = Parameters<typeof rig.start>[0];
const start = (options: Options = {}): rig.Rig => (
  rig.start({ wallet: run, before: off, ...options })
);

const program = (r: rig.Rig, wallet = "alice") => rig.one(r, wallet).program!;
const ofWallet = (r: rig.Rig, code: string): number => (
  rig.codes(r, "alice").filter((one) => one === code).length
);

test("ark programs: a wallet's program is started, killed, and started again", () => {
  const r = start({ isStrict: true });
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  const { pid, restarts, phase, lastExit } = program(r);
  assert.deepEqual([pid, restarts, phase, lastExit], [1_001, 0, "up", null]);
  rig.end(r, "alice", 1, "SIGKILL");
  rig.pass(r, 10);
  assert.deepEqual(program(r).lastExit!.how, "ended by SIGKILL");
  assert.equal(program(r).pid, null);
  const backMs = rig.until(r, () => program(r).pid !== null, 5 * second);
  assert.ok(backMs <= 2 * second, `${backMs}`);
  rig.until(r, () => rig.troubles(r).length === 0, 2 * minute);
  assert.equal(program(r).restarts, 1);
  assert.equal(rig.told(r, "keeps ending"), 0, "one crash is for the log");
});

test("ark programs: a crash loop is a state and one notice, without a storm, and ends", () => {
  const r = start();
  r.manners.set("alice", { livesMs: 200 });
  rig.pass(r, hour);
  assert.ok(r.starts.length >= 10 && r.starts.length <= 40, `${r.starts.length} starts`);
  assert.ok(rig.troubles(r).includes("program-crashing"));
  const [worst] = rig.one(r).degraded;
  assert.match(worst!.why, /ends soon after each start: ended by SIGABRT/);
  assert.equal(rig.told(r, "Wallet program keeps ending"), 1);
  assert.ok(program(r).isCrashing);
  r.manners.clear();
  rig.until(r, () => rig.troubles(r).length === 0, 10 * minute);
  assert.equal(rig.told(r, "Wallet program runs again"), 1);
});

test("ark programs: what cannot be started is a crash loop too, and says why", () => {
  const r = start();
  r.manners.set("alice", { failure: "missing" });
  rig.pass(r, 5 * minute);
  assert.match(rig.one(r).degraded[0]!.why, /there is no such program/);
  assert.ok(rig.troubles(r).includes("program-down"));
});

test("ark programs: with a run's end what went on in it has ended, and is asked anew", () => {
  const r = start();
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  rig.suffer(r, [{
    on: "barkd", fault: { kind: "silent" }, fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER,
  }]);
  rig.pass(r, 10 * minute);
  assert.ok(rig.one(r).lanes.some(({ running }) => running?.isOverdue));
  assert.equal(r.starts.length, 1, "one that hangs is not killed: it may be at work");
  rig.suffer(r, []);
  rig.end(r, "alice", 1, "SIGKILL");
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  assert.ok(rig.one(r).lanes.every(({ running }) => running?.isOverdue !== true));
});

/** A wallet in which work goes on that must not be cut. */
function busy(options: Options = {}): rig.Rig {
  const r = start(options);
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  rig.suffer(r, [{
    on: "barkd", fault: { kind: "silent" }, fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER,
  }]);
  const isAt = (): boolean => rig.one(r).lanes.some(({ lane, running }) => (
    lane === "sync" && running !== null
  ));
  rig.until(r, isAt, 5 * minute);
  return r;
}

test("ark programs: at the end: at once where nothing goes on", () => {
  const r = start();
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  const isIdle = (): boolean => [...r.open.values()].every(({ asked }) => asked.method === "GET");
  rig.until(r, isIdle, minute, 100);
  rig.push(r, { type: "operator.stop" });
  const tookMs = rig.until(r, () => r.isStopped, 45 * second, 100);
  assert.ok(tookMs <= 6_000, `${tookMs}`);
  assert.equal(r.children.size, 0);
  assert.equal(ofWallet(r, "ark.program-ended"), 1);
  assert.equal(ofWallet(r, "ark.work-cut"), 0);
});

test("ark programs: at the end: work is waited for, then named, and the program ended", () => {
  const r = busy();
  const from = r.now;
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 29 * second);
  assert.ok(r.children.has("alice"), "it is left alone while it may work");
  rig.until(r, () => r.isStopped, 45 * second, 100);
  assert.ok(r.now - from <= 31 * second, `${r.now - from}`);
  assert.ok(ofWallet(r, "ark.work-cut") >= 1);
  assert.equal(ofWallet(r, "ark.program-killed"), 0);
  assert.equal(r.children.size, 0);
});

test("ark programs: at the end: what does not listen is killed, loudly, and in time", () => {
  const r = busy();
  r.manners.set("alice", { termMs: hour });
  const from = r.now;
  rig.push(r, { type: "operator.stop" });
  rig.until(r, () => r.isStopped, 46 * second, 100);
  assert.ok(r.now - from > 40 * second && r.now - from <= 45 * second, `${r.now - from}`);
  const killed = r.logs.find(({ code }) => code === "ark.program-killed");
  assert.equal(killed?.level, "error");
  assert.equal(r.children.size, 0);
  assert.equal(r.starts.length, 1);
});

test("ark programs: an exit during the end is the end, and work is not waited for any more", () => {
  const r = busy();
  rig.push(r, { type: "operator.stop" });
  rig.pass(r, 2 * second);
  rig.end(r, "alice", 1, "SIGSEGV");
  const tookMs = rig.until(r, () => r.isStopped, 10 * second, 100);
  assert.ok(tookMs <= 5 * second, `${tookMs}`);
  assert.equal(r.starts.length, 1);
});

test("ark programs: one that is left running, or outlives a crash, is found again", () => {
  const r = start({ wallet: left });
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  rig.push(r, { type: "operator.stop" });
  rig.until(r, () => r.isStopped, 45 * second);
  assert.ok(r.children.has("alice"), "by policy");
  r.isStopped = false;
  rig.die(r);
  rig.boot(r);
  rig.until(r, () => rig.troubles(r).length === 0, 3 * minute);
  assert.equal(program(r).phase, "foreign");
  assert.equal(r.starts.length, 1);
  // It ends, and nobody tells.
  rig.act(r, (w) => acts.stopBarkd(w, "alice"));
  rig.until(r, () => program(r).phase === "up", 3 * minute);
  assert.equal(r.starts.length, 2);
});

test("ark programs: one wallet's crash loop is no other wallet's trouble", () => {
  const r = rig.start({
    wallets: ["alice", "bob"], before: off,
    wallet: (one) => (one.name === "alice" ? run(one) : rig.quick(one)),
  });
  r.manners.set("alice", { livesMs: 100 });
  rig.pass(r, 10 * minute);
  assert.deepEqual(rig.troubles(r, "bob"), []);
  assert.equal(rig.one(r, "bob").program, null);
  assert.ok(rig.troubles(r, "alice").includes("program-crashing"));
  rig.push(r, { type: "child.exited", wallet: "nobody", run: 1, code: 1, signal: "" });
  rig.push(r, { type: "child.exited", wallet: "bob", run: 1, code: 1, signal: "" });
  assert.ok(!programs.isOver(r.kernel.state));
});
