/**
 * The port's own face: every call has an answer, with the reason that a daemon needs.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { names, type Answer, type Op, type OpName } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import type { Outage } from "../../../sim/ark/faults.ts";
import * as port from "../../../sim/ark/port.ts";
import * as run from "../../../sim/ark/run.ts";
import { addWallet, type World } from "../../../sim/ark/state.ts";
import * as streams from "../../../sim/ark/streams.ts";
import * as worlds from "../../support/ark-world.ts";

function opOf(op: OpName, vtxos: readonly string[]): Op {
  if (op === "refresh") return { op, vtxos };
  if (op === "exit" || op === "exit-fee") return { op, vtxos };
  if (op === "claim") return { op, vtxos, destination: worlds.home };
  if (op === "notifications") return { op, since: undefined };
  return op === "progress-rounds" ? { op, event: undefined } : { op };
}

function call(w: World, op: Op): Answer {
  const called = port.call(w, "alice", op, w.nowMs);
  assert.ok(called.type === "answered", op.op);
  assert.ok(called.afterMs >= 0);
  return called.answer;
}

function reasonOf(answer: Answer): string {
  return answer.ok ? "done" : answer.why === "unavailable" ? answer.reason : answer.why;
}

test("sim: ark: port: every call is answered, and by its own name", () => {
  const w = worlds.world();
  const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
  acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 30, exitDepth: 2 });
  call(w, { op: "sync-mailbox" });
  for (const op of names) {
    const answer = call(w, opOf(op, [coin!.id]));
    if (op === "claim") assert.equal(reasonOf(answer), "other");
    else assert.ok(answer.ok && answer.done.op === op, op);
  }
});

test("sim: ark: port: each trouble has its reason", () => {
  const server = (fault: Extract<Outage, { on: "server" }>["fault"]): Outage => (
    { on: "server", fault, ...worlds.ever }
  );
  const barkd = (fault: Extract<Outage, { on: "barkd" }>["fault"]): Outage => (
    { on: "barkd", fault, ...worlds.ever }
  );
  const rows: readonly (readonly [Outage, OpName, string])[] = [
    [server({ kind: "down" }), "probe", "server-down"],
    [server({ kind: "closing" }), "sync-mailbox", "server-down"],
    [server({ kind: "version", min: 1, max: 1 }), "refresh-server", "version"],
    [server({ kind: "network", network: "signet" }), "refresh-server", "network"],
    [server({ kind: "fees" }), "refresh-server", "other"],
    [server({ kind: "key" }), "refresh-server", "server-key"],
    [server({ kind: "key" }), "probe", "done"],
    [barkd({ kind: "refusing" }), "alive", "unreachable"],
    [barkd({ kind: "denied" }), "vtxos", "auth"], [barkd({ kind: "denied" }), "alive", "done"],
    [barkd({ kind: "no-wallet" }), "vtxos", "no-wallet"],
    [barkd({ kind: "no-wallet" }), "identity", "done"],
    [barkd({ kind: "html", status: 502 }), "vtxos", "unreachable"],
    [barkd({ kind: "html", status: 200 }), "vtxos", "malformed"],
    [barkd({ kind: "empty" }), "vtxos", "malformed"], [barkd({ kind: "empty" }), "sync", "done"],
    [{ on: "chain", fault: { kind: "down" }, ...worlds.ever }, "tip", "chain"],
    [{ on: "chain", fault: { kind: "html" }, ...worlds.ever }, "progress-exits", "chain"],
    [{ on: "chain", fault: { kind: "down" }, ...worlds.ever }, "sync", "done"],
  ];
  for (const [outage, op, reason] of rows) {
    const w = worlds.world();
    run.suffer(w, [outage]);
    assert.equal(reasonOf(call(w, opOf(op, []))), reason, `${op} ${JSON.stringify(outage.fault)}`);
  }
});

test("sim: ark: port: what was done is done although the answer is lost", () => {
  for (const kind of ["silent", "empty"] as const) {
    const w = worlds.world();
    const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
    worlds.fault(w, { on: "barkd", fault: { kind } });
    port.call(w, "alice", opOf("refresh", [coin!.id]), w.nowMs);
    assert.equal(w.server.open.size, 1);
    port.call(w, "alice", opOf("notifications", []), w.nowMs);
    assert.equal(w.waits.size, 0);
  }
});

test("sim: ark: port: without a wallet, without a program, without an answer", () => {
  const w = worlds.world({}, "bob");
  addWallet(w, "alice", { isManual: true, hasWallet: false });
  const identity = call(w, { op: "identity" });
  assert.ok(identity.ok && identity.done.op === "identity");
  assert.equal(identity.done.fingerprint, undefined);
  assert.equal(reasonOf(call(w, { op: "vtxos" })), "no-wallet");
  acts.stopBarkd(w, "alice");
  assert.equal(reasonOf(call(w, { op: "alive" })), "unreachable");
  acts.restartBarkd(w, "alice");
  worlds.fault(w, { on: "barkd", fault: { kind: "silent" } });
  assert.equal(port.call(w, "alice", { op: "alive" }, w.nowMs).type, "silent");
});

test("sim: ark: port: who waits for news is answered in the port's own words too", () => {
  const w = worlds.world();
  const called = port.call(w, "alice", { op: "notifications", since: undefined }, w.nowMs);
  assert.equal(called.type, "waiting");
  worlds.pass(w, 30_000);
  const [told] = run.drain(w);
  assert.ok(told?.type === "answered" && told.answer.ok);
  assert.deepEqual(told.answer.done, { op: "notifications", news: [], last: undefined });
  acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 30, exitDepth: 2 });
  call(w, { op: "sync-mailbox" });
  const news = call(w, { op: "notifications", since: undefined });
  assert.ok(news.ok && news.done.op === "notifications" && news.done.news.length === 1);
  const crowded = worlds.world({ waitsMax: 1 });
  port.call(crowded, "alice", opOf("notifications", []), crowded.nowMs);
  assert.equal(reasonOf(call(crowded, opOf("notifications", []))), "busy");
});

test("sim: ark: port: streams: refused, cut, limited", () => {
  const w = worlds.world({ subsMax: 2 });
  const refused = (): boolean => !streams.subscribe(w, "mailbox", "alice").ok;
  worlds.fault(w, { on: "server", fault: { kind: "down" } });
  assert.ok(refused());
  assert.ok(!streams.subscribe(w, "rounds", undefined).ok);
  worlds.fault(w, { on: "server", fault: { kind: "black-hole" } });
  assert.ok(!streams.subscribe(w, "rounds", undefined).ok);
  worlds.heal(w);
  assert.ok(!streams.subscribe(w, "mailbox", undefined).ok);
  assert.ok(!refused());
  assert.ok(streams.subscribe(w, "rounds", "alice").ok);
  assert.ok(refused());
  acts.stopBarkd(w, "alice");
  assert.deepEqual(run.drain(w).map(({ type }) => type), ["ended", "ended"]);
  assert.ok(refused());
});

test("sim: ark: port: hostile streams: closed after the replay, closed after one, mute", () => {
  const w = worlds.world();
  worlds.pass(w, 11 * worlds.minuteMs);
  worlds.fault(w, { on: "server", fault: { kind: "replay-close" } });
  streams.subscribe(w, "rounds", "alice");
  assert.deepEqual(run.drain(w).map(({ type }) => type), ["item", "ended"]);
  worlds.fault(w, { on: "server", fault: { kind: "mute" } });
  streams.subscribe(w, "rounds", "alice");
  streams.subscribe(w, "mailbox", "alice");
  acts.mystify(w, "alice");
  worlds.pass(w, 60 * worlds.minuteMs);
  assert.deepEqual(run.drain(w), []);
  worlds.fault(w, { on: "server", fault: { kind: "one-and-close" } });
  acts.mystify(w, "alice");
  worlds.pass(w, 1);
  assert.deepEqual(run.drain(w).map(({ type }) => type), ["item", "ended"]);
  worlds.fault(w, { on: "server", fault: { kind: "wild-numbers" } });
  worlds.pass(w, 10 * worlds.minuteMs);
  const items = run.drain(w).flatMap((one) => (
    one.type === "item" && one.item.stream === "rounds" ? [one.item.event.roundSeq] : []
  ));
  assert.ok(items.length > 0 && items.every((seq) => seq === Number.MAX_SAFE_INTEGER));
});
