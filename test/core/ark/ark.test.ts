/**
 * The daemon of Ark wallets as a whole, over a little world: its start, the life of a VTXO, what
 * goes wrong on the way to a wallet.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import type { Outage } from "../../../sim/ark/faults.ts";
import * as rig from "../../support/ark-fleet.ts";

const { minute, hour, second } = rig;

/** Alice has two VTXOs that live for 36 blocks of ten minutes. */
const endowed = ({ world }: rig.Rig): void => {
  acts.endow(world, "alice", [100_000n, 50_000n], 36, 1);
};

/** Something is wrong for so long from now. */
function during(r: rig.Rig, ms: number, what: Pick<Outage, "on" | "fault">): void {
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{ ...what, fromMs, untilMs: fromMs + ms } as Outage]);
}

function sound(r: rig.Rig): void {
  assert.deepEqual(audit(r.world), []);
  assert.deepEqual(r.world.breaches, []);
  assert.deepEqual(r.world.losses, []);
}

test("ark: start: a wallet is looked at, its server is up, and nothing is degraded", () => {
  const r = rig.start({ isStrict: true, before: endowed });
  assert.deepEqual(rig.troubles(r), ["program-down", "unseen"]);
  rig.pass(r, 2 * minute);
  const { degraded, up, total } = rig.shown(r);
  assert.deepEqual(degraded, []);
  assert.deepEqual([up, total], [1, 1]);
  const wallet = rig.one(r);
  assert.deepEqual(wallet.degraded, []);
  assert.equal(wallet.balance!.spendableSat, "150000");
  assert.equal(wallet.isConnected, true);
  assert.equal(wallet.vtxos, 2);
  assert.deepEqual(wallet.nextExpiry!.height, 100_036);
  assert.ok(rig.told(r, "Watching over 1 wallet") === 1);
});

test("ark: refresh: before expiry, recorded before it is asked, again and again", () => {
  const r = rig.start({ isStrict: false, before: endowed });
  rig.pass(r, 24 * hour);
  assert.ok(rig.count(r, /delegated\/vtxos$/) >= 3);
  const { outcomes, intents, vtxos, exits } = rig.one(r);
  assert.ok(outcomes.success >= 3);
  assert.deepEqual([outcomes.rejected, outcomes.superseded], [0, 0]);
  assert.ok(intents.length <= 1);
  assert.ok(vtxos >= 1);
  assert.deepEqual(exits, []);
  sound(r);
});

test("ark: exit: a server that is gone for good: it is told, begun, shown and claimed", () => {
  const r = rig.start({ before: (it) => {
    endowed(it);
    acts.deposit(it.world, "alice", 500_000n);
  } });
  rig.pass(r, 30 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{ on: "server", fault: { kind: "down" }, fromMs, untilMs: fromMs + 90 * hour }]);
  rig.pass(r, 10 * minute);
  assert.deepEqual(rig.troubles(r), ["server-down"]);
  assert.equal(rig.told(r, "Ark server away"), 1);
  rig.pass(r, 9 * hour);
  assert.ok(rig.count(r, /start\/vtxos$/) >= 1);
  assert.equal(rig.told(r, "Exit begun"), 1);
  rig.pass(r, 8 * hour);
  assert.ok(rig.count(r, /claim\/vtxos$/) >= 1);
  assert.ok(rig.told(r, "Exit claimed") >= 1);
  assert.equal(rig.one(r).exits.every(({ state }) => state === "claimed"), true);
  sound(r);
});

test("ark: bad: a program that is down at boot is told after its grace, then looked after", () => {
  const r = rig.start({ before: (it) => {
    endowed(it);
    acts.stopBarkd(it.world, "alice");
  } });
  rig.pass(r, 90 * second);
  assert.deepEqual(rig.troubles(r), ["program-down", "unseen"]);
  assert.equal(rig.told(r, "Wallet program away"), 0);
  rig.pass(r, minute);
  assert.equal(rig.told(r, "Wallet program away"), 1);
  rig.pass(r, hour);
  assert.ok(rig.count(r, /./) < 60 * 16, "asked for an hour, not in a storm");
  rig.act(r, (w) => acts.restartBarkd(w, "alice"));
  const tookMs = rig.until(r, () => rig.troubles(r).length === 0, 5 * minute);
  assert.ok(tookMs <= 3 * minute);
  assert.equal(rig.told(r, "Wallet program back"), 1);
});

test("ark: bad: a token that was changed is read again, and nothing else is needed", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 5 * minute);
  rig.act(r, (w) => void acts.changeToken(w, "alice"));
  const before = r.asked.length;
  const tookMs = rig.until(r, () => rig.troubles(r).length === 0 && r.asked.slice(before).some(
    ({ renew }) => renew), 5 * minute);
  assert.ok(tookMs <= 2 * minute);
  rig.pass(r, 5 * minute);
  assert.deepEqual(rig.troubles(r), []);
});

test("ark: bad: a token that stays wrong is a program that is away, with its reason", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 5 * minute);
  during(r, hour, { on: "barkd", fault: { kind: "denied" } });
  rig.pass(r, 10 * minute);
  assert.match(rig.one(r).degraded[0]!.why, /token/);
  assert.equal(rig.told(r, "Reason: auth"), 1);
  rig.pass(r, hour);
  assert.deepEqual(rig.troubles(r), []);
});

test("ark: bad: a wallet that does not exist yet, and comes", () => {
  const r = rig.start({ before: (it) => acts.shelve(it.world, "alice", true) });
  rig.pass(r, 10 * minute);
  assert.match(rig.one(r).degraded[0]!.why, /without a wallet/);
  rig.act(r, (w) => acts.shelve(w, "alice", false));
  rig.until(r, () => rig.troubles(r).length === 0, 5 * minute);
});

test("ark: bad: a server that is down for a while: told after the grace, work goes on", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 10 * minute);
  for (const kind of ["down", "closing", "black-hole"] as const) {
    const told = rig.told(r, "Ark server away");
    during(r, 40 * minute, { on: "server", fault: { kind } });
    const syncs = rig.count(r, /onchain\/sync$/);
    rig.pass(r, 39 * minute);
    assert.ok(rig.troubles(r).includes("server-down"), kind);
    assert.equal(rig.told(r, "Ark server away"), told + 1, kind);
    // A server that swallows everything holds the wallet's own sync for ten minutes at a time.
    const least = kind === "black-hole" ? 3 : 20;
    assert.ok(rig.count(r, /onchain\/sync$/) > syncs + least, kind);
    rig.pass(r, 40 * minute);
    assert.deepEqual(rig.troubles(r), [], kind);
  }
  sound(r);
});

test("ark: bad: another key: nothing is asked of the server until the operator trusts it", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 10 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{ on: "server", fault: { kind: "key" }, fromMs, untilMs: fromMs + 9 * hour }]);
  rig.act(r, (w) => acts.restartBarkd(w, "alice"));
  rig.pass(r, 65 * minute);
  assert.deepEqual(rig.troubles(r), ["server-key"]);
  assert.equal(rig.told(r, "another key"), 1);
  assert.equal(rig.one(r).isConnected, false);
  rig.pass(r, 30 * minute);
  assert.deepEqual(rig.troubles(r), ["server-key"]);
  rig.push(r, { type: "operator.trust", wallet: "alice", looked: undefined });
  rig.push(r, { type: "operator.trust", wallet: "nobody", looked: undefined });
  rig.until(r, () => rig.troubles(r).length === 0, 5 * minute);
});

test("ark: bad: replies that are none, late or of another version put no coin at risk", () => {
  const faults: readonly Extract<Outage, { on: "barkd" }>["fault"][] = [
    { kind: "html", status: 502 }, { kind: "empty" }, { kind: "truncated", permille: 500 },
    { kind: "newer" }, { kind: "without", member: "expiry_height" },
    { kind: "bloated", times: 6_000 }, { kind: "slow", ms: 45_000 }, { kind: "closing" },
    { kind: "no-wallet" }, { kind: "restarting" },
  ];
  for (const fault of faults) {
    const r = rig.start({ before: endowed });
    rig.pass(r, 10 * minute);
    during(r, 30 * minute, { on: "barkd", fault });
    rig.pass(r, 30 * minute);
    rig.pass(r, 10 * minute);
    assert.deepEqual(rig.troubles(r), [], fault.kind);
    rig.pass(r, hour);
    assert.deepEqual(rig.one(r).exits, [], fault.kind);
    sound(r);
  }
});

test("ark: bad: a program that never answers: lanes are told, readers are freed", () => {
  // They live so long that none of them has to leave meanwhile: nothing but the silence is amiss.
  const r = rig.start({ before: ({ world }) => acts.endow(world, "alice", [100_000n], 100, 1) });
  rig.pass(r, 10 * minute);
  during(r, 3 * hour, { on: "barkd", fault: { kind: "silent" } });
  rig.pass(r, 2 * hour);
  const names = rig.troubles(r);
  assert.ok(names.includes("lane-stuck"), names.join());
  assert.ok(names.includes("unseen"), names.join());
  assert.ok(rig.told(r, "Work does not end") >= 1);
  const stuck = rig.one(r).lanes.filter(({ running }) => running?.isOverdue);
  assert.ok(stuck.length >= 1);
  assert.ok(r.open.size <= 11, "one call in each lane");
  rig.suffer(r, []);
  rig.act(r, (w) => acts.restartBarkd(w, "alice"));
  r.open.clear();
  rig.push(r, { type: "program.gone", wallet: "alice" });
  rig.push(r, { type: "program.gone", wallet: "nobody" });
  rig.until(r, () => rig.troubles(r).length === 0, 5 * minute);
  assert.ok(rig.one(r).lanes.every(({ running }) => running?.isOverdue !== true));
  rig.pass(r, hour);
  assert.deepEqual(rig.troubles(r), []);
  assert.deepEqual(rig.one(r).exits, []);
  sound(r);
});

test("ark: bad: a chain source that is stale, lies or is gone is counted on by clock", () => {
  for (const fault of [
    { kind: "down" }, { kind: "html" }, { kind: "stale" }, { kind: "backwards", blocks: 20 },
    { kind: "slow", ms: 50_000 },
  ] as const) {
    const r = rig.start({ before: endowed });
    rig.pass(r, hour);
    during(r, 2 * hour, { on: "chain", fault });
    rig.pass(r, 2 * hour);
    const { tip } = rig.one(r);
    assert.ok(tip.height! >= 100_018, `${fault.kind}: ${tip.height}`);
    rig.pass(r, 12 * hour);
    sound(r);
  }
});

test("ark: coins for an exit that come at last are seen within minutes", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 25, 2);
  } });
  rig.until(r, () => rig.one(r).fee?.isFundable === false, 30 * minute);
  const asked = (): number => rig.count(r, /exits\/fee/);
  rig.act(r, (w) => acts.deposit(w, "alice", 1_000_000n));
  rig.until(r, () => rig.one(r).fee?.isFundable === true, 20 * minute);
  const before = asked();
  rig.pass(r, 30 * minute);
  assert.ok(asked() - before <= 1, "and then it is asked by the hour");
});

test("ark: of two that have to leave, the one that can be paid does", () => {
  const ids: string[] = [];
  const r = rig.start({ before: ({ world: w }) => {
    // Two transactions can be paid: one of the first, and not three of the second as well.
    acts.deposit(w, "alice", BigInt(2 * w.config.exitVb * w.rate));
    ids.push(acts.endow(w, "alice", [100_000n], 26, 1)[0]!.id);
    ids.push(acts.endow(w, "alice", [90_000n], 27, 3)[0]!.id);
  } });
  during(r, 200 * hour, { on: "server", fault: { kind: "closing" } });
  const [cheap, dear] = ids;
  const exits = () => r.world.barkds.get("alice")!.wallet!.exits;
  rig.until(r, () => exits().has(cheap!), 5 * hour);
  assert.equal(rig.one(r).fee?.isFundable, false);
  rig.pass(r, 2 * hour);
  assert.equal(exits().get(cheap!)?.stage.at, "claimed");
  assert.ok(!exits().has(dear!), "by half it would not be saved");
  assert.deepEqual(audit(r.world), []);
  rig.act(r, (w) => acts.deposit(w, "alice", 100_000n));
  rig.until(r, () => exits().has(dear!), hour);
  rig.pass(r, 2 * hour);
  sound(r);
});

test("ark: mailbox: what is paid in is read at once when news come, and polled otherwise", () => {
  const r = rig.start();
  rig.pass(r, 3 * minute);
  rig.act(r, (w) => void acts.pay(w, "alice", {
    amountsSat: [40_000n], lifeBlocks: 36, exitDepth: 1,
  }));
  const tookMs = rig.until(r, () => rig.one(r).vtxos === 1, 5 * minute);
  assert.ok(tookMs <= 3 * minute, `${tookMs}`);
  assert.ok(rig.one(r).checkpoint! >= 1);
});

test("ark: wallets: the failure of one is its own", () => {
  const r = rig.start({ wallets: ["alice", "bob"], before: (it) => {
    endowed(it);
    acts.endow(it.world, "bob", [70_000n], 36, 1);
  } });
  rig.pass(r, 10 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "barkd", wallet: "bob", fault: { kind: "silent" }, fromMs, untilMs: fromMs + 3 * hour,
  }]);
  rig.pass(r, 3 * hour);
  assert.deepEqual(rig.troubles(r), []);
  assert.ok(rig.troubles(r, "bob").length > 0);
  assert.equal(rig.shown(r).up, 1);
  assert.deepEqual(rig.shown(r).degraded, []);
});

test("ark: reload: a level of the log; a look that the operator wants comes at once", () => {
  const r = rig.start({ before: endowed });
  rig.pass(r, 10 * minute);
  const { notify } = r.config;
  rig.push(r, { type: "operator.reload", settings: { notify, logLevel: "error" } });
  assert.equal(r.kernel.state.config.logLevel, "error");
  const before = rig.count(r, /bitcoin\/tip$/);
  rig.push(r, { type: "operator.look" });
  rig.push(r, { type: "operator.look" });
  rig.pass(r, second);
  assert.equal(rig.count(r, /bitcoin\/tip$/), before + 1);
  assert.deepEqual(rig.codes(r).filter((code) => code === "ark.reloaded"), []);
});
