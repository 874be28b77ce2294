/**
 * Each law about Ark daemons can be broken, and says so: a daemon that asks for what it must not,
 * before the observer that watches it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fleet from "../../../core/ark/ark.ts";
import type { Ark } from "../../../core/ark/node.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import { heightOf } from "../../../sim/ark/chain.ts";
import * as run from "../../../sim/ark/run.ts";
import { configOf } from "../../../sim/fleet/config.ts";
import type { ArkSpec, FleetSpec } from "../../../sim/fleet/spec.ts";
import * as towns from "../../../sim/fleet/town.ts";
import * as ark from "../../../sim/invariants/ark.ts";
import * as exits from "../../../sim/invariants/ark-exits.ts";
import * as stages from "../../../sim/invariants/ark-stages.ts";
import type { Violation } from "../../../sim/invariants/violation.ts";
import { arkWorld, wallet0 } from "../../support/ark-worlds.ts";

const startMs = 1_700_000_000_000;
const minute = 60_000;
const api = "/api/v1";
const refreshPath = `${api}/wallet/refresh/delegated/vtxos`;

type Stage = {
  readonly o: ark.Observer; readonly town: towns.Town; readonly state: Ark;
  /** The broken laws of one step at `at`. */
  readonly step: (at: number, event: unknown, ...effects: readonly unknown[]) => readonly string[];
  readonly at: (at: number, event?: unknown) => ark.Step;
  readonly ids: readonly string[];
};

function stage(): Stage {
  const [spec, around] = arkWorld({ faultyMs: 1 }).nodes as [FleetSpec, ArkSpec];
  const town = towns.found(around, spec.wallets, "0x1", startMs, startMs);
  const state = fleet.create(configOf(spec), prng.key("law"), mono(0));
  const o = ark.create(town);
  ark.booted(o, mono(0));
  const at = (ms: number, event: unknown = { type: "tick" }, effects: readonly unknown[] = []) => (
    { event, effects, state, now: mono(ms), nowUs: ms * 1_000 } as ark.Step
  );
  const step = (ms: number, event: unknown, ...effects: readonly unknown[]): readonly string[] => {
    const out: Violation[] = [];
    ark.observe(o, at(ms, event, effects), out);
    return idsOf(out);
  };
  return { o, town, state, step, at, ids: [...town.world.server.coins.keys()] };
}

function idsOf(found: readonly Violation[]): readonly string[] {
  return [...new Set(found.map(({ id }) => id))].sort();
}

const tick = { type: "tick" };

function asks(req: number, path: string, vtxos?: readonly string[]): object {
  const body = vtxos === undefined ? "" : JSON.stringify({ vtxos });
  return {
    type: "req.start", req, to: "barkd:wallet0", method: vtxos === undefined ? "GET" : "POST", path,
    body, headers: [], renew: false,
  };
}

/** The intent is durable: as if its record had been synced. */
function intend(s: Stage, id: number, vtxos: readonly string[]): void {
  const open = s.o.intents.get("wallet0") ?? new Map<number, readonly string[]>();
  open.set(id, vtxos);
  s.o.intents.set("wallet0", open);
}

test("ark laws: A2: a call of the same kind while one is open; not once it is answered", () => {
  const s = stage();
  assert.deepEqual(s.step(1, tick, asks(1, `${api}/wallet/vtxos`)), []);
  assert.deepEqual(s.step(2, tick, asks(3, `${api}/bitcoin/tip`)), []);
  assert.deepEqual(s.step(3, tick, asks(5, `${api}/wallet/vtxos?all=true`)), ["A2"]);
  const t = stage();
  t.step(1, tick, asks(1, `${api}/wallet/vtxos`));
  t.step(2, { type: "req.done", req: 1, status: 200, body: "[]" });
  assert.deepEqual(t.step(3, tick, asks(3, `${api}/wallet/vtxos`)), []);
});

test("ark laws: A2: a VTXO in two open intents", () => {
  const s = stage();
  const [one = "", two = ""] = s.ids;
  intend(s, 1, [one]);
  assert.deepEqual(s.step(1, tick, asks(1, refreshPath, [one])), []);
  intend(s, 2, [one, two]);
  assert.deepEqual(s.step(2, tick, asks(3, `${api}/exits/start/vtxos`, [one, two])), ["A2"]);
});

/** As barkd passes on what the server says. */
const refusal = JSON.stringify({
  message: "Error submitting round participation: status: code: 'Client specified an invalid "
    + "argument', message: \"input(s) not accepted\"",
});

test("ark laws: A5: what is not durable, what must not be cut, what was rejected", () => {
  const s = stage();
  const [one = ""] = s.ids;
  assert.deepEqual(s.step(1, tick, asks(1, refreshPath, [one])), ["A5"]);
  intend(s, 1, [one]);
  assert.deepEqual(s.step(2, tick, { type: "req.drop", req: 1 }), ["A5"]);
  s.step(3, tick, asks(3, refreshPath, [one]));
  s.step(4, { type: "req.done", req: 3, status: 500, body: refusal });
  assert.deepEqual(s.step(5, tick, asks(5, refreshPath, [one])), ["A5"]);
});

test("ark laws: A6: a refresh at a barred server", () => {
  const s = stage();
  const [one = ""] = s.ids;
  intend(s, 1, [one]);
  const node = s.state.byName.get("wallet0");
  assert.ok(node !== undefined);
  node.daemon.facts.isBarred = true;
  assert.deepEqual(s.step(1, tick, asks(1, refreshPath, [one])), ["A6"]);
});

test("ark laws: A9: more streams in an hour than the law of waits allows", () => {
  const s = stage();
  const open = { type: "stream.open", stream: 1, to: "rounds:ark" };
  for (let i = 0; i < 260; i += 1) assert.deepEqual(s.step(i, tick, open), []);
  assert.deepEqual(s.step(300, tick, open), ["A9"]);
  assert.deepEqual(s.step(2 * 3_600_000, tick, open), []);
});

/** The chain grows by so many blocks, and the daemon is told. */
function grown(s: Stage, blocks: number, at: number): readonly string[] {
  for (let i = 0; i < blocks; i += 1) run.block(s.town.world);
  s.step(at, tick, asks(101, `${api}/bitcoin/tip`));
  const body = `{"tip_height":${heightOf(s.town.world.chain)}}`;
  return s.step(at, { type: "req.done", req: 101, status: 200, body });
}

test("ark laws: A10: a refresh of what is no VTXO, and of what has expired", () => {
  const s = stage();
  const [, brief = ""] = s.ids;
  intend(s, 1, ["none"]);
  assert.deepEqual(s.step(1, tick, asks(1, refreshPath, ["none"])), ["A10"]);
  intend(s, 2, [brief]);
  grown(s, 19, 2);
  assert.deepEqual(s.step(3, tick, asks(3, `${refreshPath}`, [brief])).includes("A10"), false);
  s.step(4, { type: "req.failed", req: 3, reason: "reset" });
  grown(s, 1, 5);
  assert.ok(s.step(6, tick, asks(5, refreshPath, [brief])).includes("A10"));
});

test("ark laws: E3: the truth is doubted, a lie may be", () => {
  const s = stage();
  assert.deepEqual(grown(s, 1, 1), []);
  const node = s.state.byName.get("wallet0");
  assert.ok(node !== undefined);
  node.guardian.expiry.height.doubt = {} as typeof node.guardian.expiry.height.doubt;
  assert.deepEqual(grown(s, 1, 2), ["E3"]);
  s.step(3, tick, asks(103, `${api}/bitcoin/tip`));
  const body = "{\"tip_height\":999999}";
  assert.deepEqual(s.step(3, { type: "req.done", req: 103, status: 200, body }), []);
});

/** The guard knows the brief one, and takes it to be in this stage. */
function guarded(s: Stage, as: "fine" | "due" | "exit-now", isExiting = false): void {
  const [, id = ""] = s.ids;
  const vtxo = { id, amountSat: 50_000n } as never;
  const coin = { vtxo, stage: as, failures: 0, isExiting, isUntold: false };
  s.state.byName.get("wallet0")?.guardian.expiry.coins.set(id, coin);
}

function looked(s: Stage, at: number): readonly string[] {
  const out: Violation[] = [];
  assert.ok(stages.isDue(s.o, s.at(at)), "it is time to look");
  stages.look(s.o, s.at(at), out);
  return idsOf(out);
}

test("ark laws: E1: a stage that comes late; from the last block before it on it is right", () => {
  // It lives 20 blocks; its exit would begin 6 + 2 + 15 before the end.
  const s = stage();
  grown(s, 0, 1);
  guarded(s, "due");
  s.o.life.staged.set("wallet0 due", mono(1));
  assert.deepEqual(looked(s, 1), ["E1"]);
  guarded(s, "exit-now");
  s.o.life.staged.set("wallet0 exit-now", mono(2));
  run.block(s.town.world);
  assert.deepEqual(looked(s, 2), []);
});

test("ark laws: E1: what nobody could know is no fault, and is measured", () => {
  const s = stage();
  guarded(s, "fine");
  assert.deepEqual(looked(s, 1), []);
  grown(s, 0, 2);
  guarded(s, "exit-now");
  s.o.life.staged.set("wallet0 exit-now", mono(2));
  for (let i = 0; i < 25; i += 1) run.block(s.town.world);
  looked(s, minute);
  looked(s, 3 * minute);
  assert.equal(s.o.lateMaxMs, 2 * minute);
});

test("ark laws: E2: a stage that nobody is told of", () => {
  const s = stage();
  guarded(s, "exit-now");
  assert.deepEqual(looked(s, 1), ["E2"]);
  const t = stage();
  guarded(t, "exit-now");
  t.step(1, tick, { type: "log", level: "warn", code: "ark.expiry-exit-now",
    fields: { wallet: "wallet0", count: 1 } });
  assert.deepEqual(looked(t, 1), []);
});

test("ark laws: E2: a stage entered on the way to the chain, which then was none", () => {
  const s = stage();
  guarded(s, "exit-now", true);
  assert.deepEqual(looked(s, 1), []);
  guarded(s, "exit-now");
  assert.deepEqual(looked(s, 1 + minute), ["E2"]);
});

/** What is wrong with exits at an instant, in ms. */
function driven(s: Stage, at: number): readonly string[] {
  const out: Violation[] = [];
  exits.look(s.o, s.at(at), [wallet0], out);
  return idsOf(out);
}

function leaving(s: Stage): void {
  const [id = ""] = s.ids;
  s.town.world.barkds.get("wallet0")?.wallet?.exits.set(id, {
    vtxo: id, stage: { at: "start" }, history: [], paid: new Map(), isShort: false,
  });
}

test("ark laws: A8, A7: an exit that nobody drives, but in bad weather", () => {
  const s = stage();
  leaving(s);
  assert.deepEqual(driven(s, 17 * minute), ["A8"], "nothing was ever asked");
  s.step(18 * minute, tick, asks(1, `${api}/exits/progress`));
  assert.deepEqual(driven(s, 33 * minute), []);
  assert.deepEqual(driven(s, 35 * minute), ["A8"]);
  s.town.reorgMs = startMs + 30 * minute;
  assert.deepEqual(driven(s, 35 * minute), ["A7"]);
  const cut = { kind: "cut", link: ["fleet0", "ark0"], way: "both", forMs: 1 } as const;
  exits.struck(s.o, cut, 36 * minute * 1_000);
  assert.deepEqual(driven(s, 36 * minute), []);
  s.town.reorgMs = -1;
  exits.struck(s.o, { kind: "serverWrong", node: "ark0", as: "down", size: 0, forMs: 1 }, 1e12);
  assert.deepEqual(driven(s, 70 * minute), ["A8"], "the server is no excuse");
});

function losing(s: Stage, more: object = {}): readonly string[] {
  const [vtxo = ""] = s.ids;
  for (let h = 100_000; h < 100_020; h += 1) s.o.good.add(h);
  s.town.world.losses.push({
    wallet: "wallet0", vtxo, amountSat: 50_000n, height: 100_020, blame: "daemon",
    chances: {
      blocks: 14, refreshes: 0, exits: 6, barkdDown: 0, serverDown: 0, chainDown: 0, unfunded: 0,
      refreshAskedAt: undefined, exitAskedAt: undefined, ...more,
    },
  });
  return driven(s, 1);
}

test("ark laws: E4: a loss after six chances, and no other", () => {
  assert.deepEqual(losing(stage()), ["E4"]);
  assert.deepEqual(losing(stage(), { exits: 5 }), []);
  assert.deepEqual(losing(stage(), { exitAskedAt: 1 }), []);
  const s = stage();
  losing(s);
  assert.deepEqual(driven(s, 2), [], "once");
  const away = stage();
  away.o.good.clear();
  const out: Violation[] = [];
  losing(away);
  away.o.good.clear();
  away.o.losses = 0;
  exits.look(away.o, away.at(2), [wallet0], out);
  assert.deepEqual(idsOf(out), [], "it was not well at those blocks");
});

test("ark laws: A1: books that do not add up", () => {
  const s = stage();
  const out: Violation[] = [];
  exits.sound(s.o, out);
  assert.deepEqual(out, []);
  const wallet = s.town.world.barkds.get("wallet0")?.wallet;
  assert.ok(wallet !== undefined);
  wallet.books.feesSat += 1n;
  exits.sound(s.o, out);
  assert.deepEqual(idsOf(out), ["A1"]);
});
