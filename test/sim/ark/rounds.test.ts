/**
 * Rounds of the stand-in server, and refreshes that ride on them.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Op } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import * as port from "../../../sim/ark/port.ts";
import * as run from "../../../sim/ark/run.ts";
import type { Output, World } from "../../../sim/ark/state.ts";
import * as streams from "../../../sim/ark/streams.ts";
import * as worlds from "../../support/ark-world.ts";

const { minuteMs } = worlds;

function kinds(out: readonly Output[]): readonly string[] {
  return out.map((one) => {
    if (one.type !== "item" || one.item.stream !== "rounds") return one.type;
    const { kind, attemptSeq } = one.item.event;
    return `${one.isReplay ? "again " : ""}${kind}${attemptSeq === 0 ? "" : ` ${attemptSeq}`}`;
  });
}

function watch(w: World): number {
  const sub = streams.subscribe(w, "rounds", undefined);
  assert.ok(sub.ok);
  return sub.value;
}

const ids = (w: World): readonly string[] => (
  [...w.barkds.get("alice")!.wallet!.vtxos.values()].filter(({ state }) => state === "spendable")
    .map(({ id }) => id)
);
function call(w: World, op: Op): Exclude<port.Called, { type: "silent" | "waiting" }>["answer"] {
  const called = port.call(w, "alice", op, w.nowMs);
  assert.ok(called.type === "answered");
  return called.answer;
}

/** Two VTXOs, and a round that begins in ten minutes. */
function world(over: Partial<typeof worlds.quick> = {}): World {
  const w = worlds.world({ server: { ...worlds.quick, ...over } });
  acts.endow(w, "alice", [30_000n, 40_000n], 20, 2);
  return w;
}

const refresh = (w: World, vtxos: readonly string[]): unknown => call(w, { op: "refresh", vtxos });

test("sim: ark: rounds: an empty round fails; the next begins at its interval", () => {
  const w = worlds.world();
  watch(w);
  worlds.pass(w, 10 * minuteMs - 1);
  assert.deepEqual(kinds(run.drain(w)), []);
  worlds.pass(w, 1);
  assert.deepEqual(kinds(run.drain(w)), ["attempt"]);
  worlds.pass(w, 2_000);
  assert.deepEqual(kinds(run.drain(w)), ["failed"]);
  worlds.pass(w, 20 * minuteMs);
  assert.deepEqual(kinds(run.drain(w)), ["attempt", "failed", "attempt", "failed"]);
});

test("sim: ark: rounds: a delegated refresh: spendable until it is fetched, then spent", () => {
  const w = world();
  watch(w);
  const [first] = ids(w);
  refresh(w, [first!]);
  worlds.pass(w, 11 * minuteMs);
  assert.deepEqual(kinds(run.drain(w)), ["attempt", "proposal", "finished"]);
  // Issued, but in no block yet.
  call(w, { op: "sync-rounds" });
  assert.ok(ids(w).includes(first!));
  run.block(w);
  call(w, { op: "sync-mailbox" });
  assert.ok(!ids(w).includes(first!));
  assert.equal(ids(w).length, 2);
  const [fresh] = ids(w).slice(-1);
  const coin = w.server.coins.get(fresh!)!;
  assert.equal(coin.amountSat, 30_000n - 130n);
  assert.equal(coin.expiryHeight, 100_000 + 36);
  worlds.sound(w);
});

test("sim: ark: rounds: the same wish again is one; another with the same coin is noted", () => {
  const w = world();
  const [a, b] = ids(w) as [string, string];
  assert.deepEqual(refresh(w, [a]), refresh(w, [a]));
  worlds.sound(w);
  refresh(w, [a, b]);
  assert.deepEqual(audit(w).map(({ law, blame }) => `${law} ${blame}`), ["A2 daemon", "A2 daemon"]);
  worlds.blocks(w, 2);
  call(w, { op: "sync-rounds" });
  // Only one of them came to something.
  assert.equal([...w.server.coins.values()].filter(({ fate }) => fate === "forfeited").length, 1);
  worlds.blocks(w, 2);
  call(w, { op: "sync-rounds" });
  assert.equal(w.barkds.get("alice")!.wallet!.rounds.size, 0);
  assert.ok(audit(w).every(({ law }) => law === "A2"));
});

test("sim: ark: rounds: a strict server refuses by name what waits already", () => {
  const w = world({ refusesDoubles: true });
  const [a, b] = ids(w) as [string, string];
  refresh(w, [a]);
  const answer = call(w, { op: "refresh", vtxos: [a, b] });
  assert.ok(!answer.ok && answer.why === "rejected");
  assert.deepEqual(answer.ids, [a]);
});

test("sim: ark: rounds: at its height, and not before", () => {
  const w = world();
  const [a] = ids(w);
  worlds.ask(w, "POST", "/api/v1/wallet/refresh/delegated/vtxos", { vtxos: [a], height: 100_003 });
  worlds.blocks(w, 3);
  worlds.pass(w, minuteMs);
  assert.equal([...w.server.participations.values()][0]!.status, "pending");
  worlds.blocks(w, 1);
  worlds.pass(w, minuteMs);
  assert.equal([...w.server.participations.values()][0]!.status, "issued");
});

test("sim: ark: rounds: what is refused is named, and dust is none", () => {
  const w = world({ inputFloorSat: 35_000n });
  const [a, b] = ids(w) as [string, string];
  const refused = call(w, { op: "refresh", vtxos: [a, b] });
  assert.ok(!refused.ok && refused.why === "rejected");
  assert.deepEqual(refused.ids, [a]);
  acts.refuse(w, [b]);
  const other = call(w, { op: "refresh", vtxos: [b] });
  assert.ok(!other.ok && other.why === "rejected" && other.ids[0] === b);
  acts.refuse(w, [b], false);
  assert.ok(call(w, { op: "refresh", vtxos: [b] }).ok);
  const [small] = acts.endow(w, "alice", [400n], 20, 2);
  const dust = call(w, { op: "refresh", vtxos: [small!.id] });
  assert.ok(!dust.ok && dust.why === "rejected" && dust.ids.length === 0);
  const never = `${"0".repeat(64)}:0`;
  const absent = call(w, { op: "refresh", vtxos: [never] });
  assert.deepEqual(absent, { ok: false, why: "absent" });
});

test("sim: ark: rounds: interactive: who follows gets there, who does not is left out", () => {
  for (const isFollowing of [true, false]) {
    const w = world();
    worlds.blocks(w, 9);
    watch(w);
    w.out = [];
    worlds.pass(w, 10 * minuteMs);
    assert.deepEqual(kinds(run.drain(w)).slice(-1), ["attempt"]);
    assert.ok(call(w, { op: "maintain" }).ok);
    const locked = [...w.barkds.get("alice")!.wallet!.vtxos.values()];
    assert.ok(locked.every(({ state }) => state === "locked"));
    worlds.pass(w, 2_000);
    const event = w.ring.at(-1);
    assert.equal(event!.kind, "proposal");
    if (isFollowing) call(w, { op: "progress-rounds", event });
    worlds.pass(w, 2_000);
    assert.deepEqual(kinds(run.drain(w)).slice(-1), [isFollowing ? "finished" : "failed"]);
    worlds.blocks(w, 1);
    call(w, { op: "sync-rounds" });
    assert.equal(ids(w).length, isFollowing ? 1 : 2);
    worlds.sound(w);
  }
});

test("sim: ark: rounds: those who did not follow make another attempt of the rest", () => {
  const w = worlds.world({ server: worlds.quick }, "alice", "bob");
  for (const name of ["alice", "bob"]) acts.endow(w, name, [30_000n], 8, 2);
  const [bobs] = [...w.barkds.get("bob")!.wallet!.vtxos.keys()];
  port.call(w, "bob", { op: "refresh", vtxos: [bobs!] }, w.nowMs);
  watch(w);
  worlds.pass(w, 10 * minuteMs);
  call(w, { op: "maintain" });
  worlds.pass(w, minuteMs);
  assert.deepEqual(kinds(run.drain(w)), [
    "attempt", "proposal", "attempt 1", "proposal", "finished",
  ].map((kind, at) => (at === 3 ? "proposal 1" : kind)));
});

test("sim: ark: rounds: the last event is the first item, unless the server is new", () => {
  const w = worlds.world();
  worlds.pass(w, 11 * minuteMs);
  const sub = watch(w);
  assert.deepEqual(kinds(run.drain(w)), ["again failed"]);
  const before = w.server.seq;
  acts.restartServer(w);
  assert.deepEqual(kinds(run.drain(w)), ["ended"]);
  assert.equal(streams.unsubscribe(w, sub), false);
  watch(w);
  assert.deepEqual(kinds(run.drain(w)), []);
  assert.ok(w.server.seq > before + 1);
});

test("sim: ark: rounds: hazard H13: who is busy for too long misses events without a word", () => {
  const w = worlds.world();
  const sub = watch(w);
  streams.hold(w, sub);
  worlds.pass(w, 61 * minuteMs);
  assert.deepEqual(run.drain(w), []);
  streams.release(w, sub);
  // Twelve were told; the ring holds eight.
  assert.equal(w.told, 12);
  assert.equal(run.drain(w).length, 8);
});

test("sim: ark: rounds: trouble: none begin, all fail, and a storm has its measure", () => {
  const w = world();
  watch(w);
  worlds.fault(w, { on: "server", fault: { kind: "no-rounds" } });
  worlds.pass(w, 60 * minuteMs);
  assert.deepEqual(run.drain(w), []);
  worlds.fault(w, { on: "server", fault: { kind: "failing-rounds" } });
  refresh(w, ids(w));
  worlds.pass(w, 11 * minuteMs);
  assert.deepEqual(kinds(run.drain(w)), ["attempt", "proposal", "failed"]);
  worlds.fault(w, { on: "server", fault: { kind: "storm", perSecond: 1_000_000 } });
  worlds.pass(w, 10_000);
  assert.equal(run.drain(w).length, 1_000);
  worlds.heal(w);
  worlds.blocks(w, 2);
  call(w, { op: "sync-rounds" });
  assert.equal(ids(w).length, 1);
  worlds.sound(w);
});
