/**
 * The wallet's program as its host sees it over HTTP: the token, what is not there, and faults.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import * as faults from "../../../sim/ark/faults.ts";
import type { BarkdFault } from "../../../sim/ark/faults.ts";
import * as rest from "../../../sim/ark/rest.ts";
import * as run from "../../../sim/ark/run.ts";
import { addWallet, type World } from "../../../sim/ark/state.ts";
import * as worlds from "../../support/ark-world.ts";

const { ask, json } = worlds;
const api = "/api/v1";

function bare(w: World, method: string, path: string, token?: string): rest.Asking {
  const headers = token === undefined ? [] : [["authorization", `Bearer ${token}`] as const];
  return rest.ask(w, "alice", { method, path, body: "", headers }, w.nowMs);
}
const statusOf = (asking: rest.Asking): number | string => (
  asking.type === "replied" ? asking.status : asking.type
);

test("sim: ark: rest: without the token only the ping is answered, and nothing is done", () => {
  const w = worlds.world();
  assert.equal(statusOf(bare(w, "GET", "/ping")), 200);
  assert.equal(statusOf(bare(w, "GET", `${api}/wallet`)), 401);
  assert.equal(statusOf(bare(w, "GET", `${api}/wallet`, "another")), 401);
  const old = w.barkds.get("alice")!.token;
  const token = acts.changeToken(w, "alice");
  assert.equal(statusOf(bare(w, "GET", `${api}/wallet`, old)), 401);
  assert.equal(statusOf(bare(w, "GET", `${api}/wallet`, token)), 200);
  worlds.fault(w, { on: "barkd", fault: { kind: "denied" } });
  assert.equal(statusOf(bare(w, "GET", `${api}/wallet`, token)), 401);
});

test("sim: ark: rest: without a wallet there is its absence, and it can be made", () => {
  const w = worlds.world({}, "bob");
  addWallet(w, "alice", { isManual: true, hasWallet: false });
  assert.deepEqual(json(ask(w, "GET", `${api}/wallet`)), { fingerprint: null });
  assert.deepEqual(json(ask(w, "GET", `${api}/wallet/vtxos`), 422), { message: "No wallet set" });
  worlds.fault(w, { on: "server", fault: { kind: "down" } });
  const body = { network: "regtest" };
  assert.equal(ask(w, "POST", `${api}/wallet/create`, body).status, 500);
  assert.equal(ask(w, "POST", `${api}/wallet/create`, { network: "signet" }).status, 500);
  assert.equal(ask(w, "POST", `${api}/wallet/create`, { ...body, force: true }).status, 200);
  assert.equal(ask(w, "POST", `${api}/wallet/create`, body).status, 500);
  assert.deepEqual(json(ask(w, "GET", `${api}/wallet/vtxos`)), []);
});

test("sim: ark: rest: what is not there, and bodies that are none", () => {
  const w = worlds.world();
  assert.equal(ask(w, "GET", `${api}/nothing`).status, 404);
  assert.equal(ask(w, "GET", "/elsewhere").status, 404);
  assert.equal(ask(w, "DELETE", `${api}/wallet/vtxos`).status, 404);
  const asked = { ...worlds.asking(w, "POST", `${api}/exits/start/vtxos`), body: "{" };
  assert.equal(statusOf(rest.ask(w, "alice", asked, w.nowMs)), 400);
  for (const path of [
    "/exits/start/vtxos", "/wallet/refresh/delegated/vtxos", "/exits/claim/vtxos",
    "/exits/claim/all", "/boards/board-amount", "/exits/progress",
  ]) assert.equal(ask(w, "POST", api + path).status, 422, path);
});

test("sim: ark: rest: a connection is remembered, and said to be there for ever", () => {
  const w = worlds.world();
  worlds.fault(w, { on: "server", fault: { kind: "down" } });
  assert.equal(ask(w, "GET", `${api}/wallet/ark-info`).status, 404);
  assert.equal(ask(w, "GET", `${api}/wallet/next-round`).status, 404);
  worlds.heal(w);
  const next = json<{ start_time: string }>(ask(w, "GET", `${api}/wallet/next-round`));
  assert.equal(Date.parse(next.start_time), w.config.startMs + 600_000);
  worlds.fault(w, { on: "server", fault: { kind: "down" } });
  assert.equal(ask(w, "GET", `${api}/wallet/next-round`).status, 500);
  assert.equal(ask(w, "GET", `${api}/wallet/ark-info`).status, 200);
  assert.deepEqual(json(ask(w, "GET", `${api}/wallet/connected`)), { connected: true });
});

test("sim: ark: rest: hazard H35: another key is seen after a new start, not before", () => {
  const w = worlds.world();
  const key = (): string => (
    json<{ server_pubkey: string }>(ask(w, "GET", `${api}/wallet/ark-info`)).server_pubkey
  );
  const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
  const old = key();
  worlds.fault(w, { on: "server", fault: { kind: "key" } });
  assert.equal(key(), old);
  acts.restartBarkd(w, "alice");
  assert.notEqual(key(), old);
  const body = { vtxos: [coin!.id] };
  const refused = ask(w, "POST", `${api}/wallet/refresh/delegated/vtxos`, body);
  assert.ok(json<{ message: string }>(refused, 500).message.includes(coin!.id));
});

test("sim: ark: rest: versions, networks and fees that do not fit", () => {
  for (const [fault, words] of [
    [{ kind: "version", min: 6, max: 9 }, /version mismatch/],
    [{ kind: "version", min: 5, max: 4 }, /version mismatch/],
    [{ kind: "network", network: "bitcoin" }, /network mismatch/],
  ] as const) {
    const w = worlds.world();
    worlds.fault(w, { on: "server", fault });
    const reply = ask(w, "POST", `${api}/wallet/sync/mailbox`);
    assert.match(json<{ message: string }>(reply, 500).message, words);
  }
  const w = worlds.world();
  worlds.fault(w, { on: "server", fault: { kind: "fees" } });
  const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
  const body = { vtxos: [coin!.id] };
  assert.equal(ask(w, "POST", `${api}/wallet/refresh/delegated/vtxos`, body).status, 500);
  worlds.sound(w);
});

test("sim: ark: rest: a server that vanishes is waited for; a slow one answers late", () => {
  const w = worlds.world();
  const path = `${api}/wallet/next-round`;
  worlds.fault(w, { on: "server", fault: { kind: "black-hole" } });
  assert.equal(ask(w, "GET", path).afterMs, w.config.connectMs);
  worlds.heal(w);
  ask(w, "GET", path);
  worlds.fault(w, { on: "server", fault: { kind: "black-hole" } });
  assert.equal(ask(w, "GET", path).afterMs, w.config.callMs);
  worlds.fault(w, { on: "server", fault: { kind: "slow", ms: 120_000 } });
  assert.equal(ask(w, "GET", path).afterMs, 120_000 + w.config.remoteMs);
  worlds.fault(w, { on: "server", fault: { kind: "slow", ms: 900_000 } });
  assert.deepEqual([ask(w, "GET", path).status, ask(w, "GET", path).afterMs], [500, 600_000]);
});

test("sim: ark: rest: the chain source may be old, lie, or be somebody else", () => {
  const w = worlds.world();
  const tip = (): unknown => JSON.parse(ask(w, "GET", `${api}/bitcoin/tip`).body);
  worlds.blocks(w, 5);
  assert.deepEqual(tip(), { tip_height: 100_005 });
  worlds.fault(w, { on: "chain", fault: { kind: "stale" } });
  worlds.blocks(w, 12);
  assert.deepEqual(tip(), { tip_height: 100_005 });
  worlds.fault(w, { on: "chain", fault: { kind: "backwards", blocks: 20 } });
  assert.deepEqual(tip(), { tip_height: 100_000 });
  worlds.fault(w, { on: "chain", fault: { kind: "html" } });
  assert.equal(ask(w, "GET", `${api}/bitcoin/tip`).status, 500);
  // The whole synchronisation says nothing of it.
  assert.deepEqual([ask(w, "POST", `${api}/wallet/sync`).status], [200]);
});

test("sim: ark: rest: a program that finds no chain goes away, and may be started again", () => {
  const w = worlds.world({ respawnMs: 5_000 });
  worlds.fault(w, { on: "chain", fault: { kind: "down" } });
  acts.restartBarkd(w, "alice");
  assert.deepEqual(bare(w, "GET", "/ping"), { type: "failed", reason: "refused" });
  worlds.heal(w);
  worlds.pass(w, 4_999);
  assert.equal(bare(w, "GET", "/ping").type, "failed");
  worlds.pass(w, 1);
  assert.equal(statusOf(bare(w, "GET", "/ping")), 200);
});

test("sim: ark: rest: answers that are spoiled, and questions that never arrive", () => {
  const w = worlds.world();
  acts.endow(w, "alice", [30_000n], 30, 2);
  const under = (fault: BarkdFault): rest.Asking => {
    worlds.fault(w, { on: "barkd", fault });
    return rest.ask(w, "alice", worlds.asking(w, "GET", `${api}/wallet/vtxos`), w.nowMs);
  };
  const bodyOf = (asking: rest.Asking): string => (asking.type === "replied" ? asking.body : "-");
  const whole = ask(w, "GET", `${api}/wallet/vtxos`).body;
  assert.deepEqual(under({ kind: "refusing" }), { type: "failed", reason: "refused" });
  assert.deepEqual(under({ kind: "closing" }), { type: "failed", reason: "reset" });
  assert.deepEqual(under({ kind: "silent" }), { type: "silent" });
  assert.equal(bodyOf(under({ kind: "truncated", permille: 500 })),
    whole.slice(0, Math.floor(whole.length / 2)));
  assert.equal(bodyOf(under({ kind: "empty" })), "");
  assert.match(bodyOf(under({ kind: "html", status: 502 })), /^<html>/);
  assert.ok(!bodyOf(under({ kind: "without", member: "expiry_height" })).includes("expiry_height"));
  const newer = faults.spoil({ kind: "newer" }, {
    type: "replied", status: 200, body: whole, isHtml: false, afterMs: 1,
  });
  assert.deepEqual(faults.spoil({ kind: "newer" }, newer), newer, "newer twice is newer");
  const rows = JSON.parse(bodyOf(under({ kind: "newer" }))) as object[];
  assert.ok(rows.every((row) => "since_9" in row), "what nobody knows is in every object");
  const many = JSON.parse(bodyOf(under({ kind: "bloated", times: 500 }))) as unknown[];
  assert.equal(many.length, 500);
  const slow = under({ kind: "slow", ms: 180_000 });
  assert.ok(slow.type === "replied" && slow.afterMs > 180_000);
  assert.equal(statusOf(under({ kind: "no-wallet" })), 422);
});

test("sim: ark: rest: what was done is done although the answer was lost", () => {
  const w = worlds.world();
  const [coin] = acts.endow(w, "alice", [30_000n], 30, 2);
  const path = `${api}/wallet/refresh/delegated/vtxos`;
  worlds.fault(w, { on: "barkd", fault: { kind: "silent" } });
  rest.ask(w, "alice", worlds.asking(w, "POST", path, { vtxos: [coin!.id] }), w.nowMs);
  assert.equal(w.server.open.size, 1);
  worlds.fault(w, { on: "barkd", fault: { kind: "closing" } });
  rest.ask(w, "alice", worlds.asking(w, "POST", `${api}/exits/start/all`), w.nowMs);
  assert.equal(w.barkds.get("alice")!.wallet!.exits.size, 0);
});

test("sim: ark: rest: a long poll ends with news, at its time, or with a restart", () => {
  const w = worlds.world();
  const path = `${api}/notifications/wait`;
  const wait = (since?: string): number => {
    const query = since === undefined ? "" : `?since=${encodeURIComponent(since)}`;
    const asking = rest.ask(w, "alice", worlds.asking(w, "GET", path + query), w.nowMs);
    assert.ok(asking.type === "waiting", JSON.stringify(asking));
    return asking.wait;
  };
  const answers = (): readonly unknown[] => run.drain(w).map((one) => (
    one.type === "answered" && one.reply.type === "replied" ? JSON.parse(one.reply.body) as unknown
      : one.type === "answered" ? one.reply.type : one.type
  ));
  wait();
  worlds.pass(w, 29_999);
  assert.deepEqual(answers(), []);
  worlds.pass(w, 1);
  assert.deepEqual(answers(), [{ notifications: [], last_pushed_at: null }]);
  wait();
  acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 30, exitDepth: 2 });
  worlds.pass(w, 1);
  assert.deepEqual(answers(), []);
  ask(w, "POST", `${api}/wallet/sync/mailbox`);
  worlds.pass(w, 1);
  const [told] = answers() as { notifications: unknown[]; last_pushed_at: string }[];
  assert.equal(told!.notifications.length, 1);
  // The same again without `since`; nothing new after it.
  assert.equal(json<{ notifications: unknown[] }>(ask(w, "GET", path)).notifications.length, 1);
  wait(told!.last_pushed_at);
  acts.restartBarkd(w, "alice");
  assert.deepEqual(answers(), ["failed"]);
  rest.hangUp(w, wait(), w.nowMs);
  assert.equal(w.waits.size, 0);
});

test("sim: ark: rest: news are kept in a number and for a time, and who lags is told", () => {
  const w = worlds.world({ newsMax: 4, waitsMax: 1 });
  for (let i = 0; i < 6; i += 1) {
    acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 30, exitDepth: 2 });
    ask(w, "POST", `${api}/wallet/sync/mailbox`);
  }
  const path = `${api}/notifications/wait`;
  const types = json<{ notifications: { type: string }[] }>(ask(w, "GET", path)).notifications
    .map(({ type }) => type);
  const created = "movement-created";
  assert.deepEqual(types, ["channel-lagging", created, created, created]);
  const far = `${path}?since=2999-01-01T00:00:00.000Z`;
  assert.equal(rest.ask(w, "alice", worlds.asking(w, "GET", far), w.nowMs).type, "waiting");
  assert.equal(ask(w, "GET", far).status, 500);
});

test("sim: ark: rest: a program with its own daemon looks after its wallet by itself", () => {
  const w = worlds.world({}, "bob");
  addWallet(w, "alice", { isManual: false, hasWallet: true });
  acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 30, exitDepth: 2 });
  worlds.pass(w, 59_999);
  assert.equal(w.barkds.get("alice")!.wallet!.vtxos.size, 0);
  worlds.pass(w, 1);
  assert.equal(w.barkds.get("alice")!.wallet!.vtxos.size, 1);
});
