/**
 * Each law about the habits of Ark daemons can be broken, and says so.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fleet from "../../../core/ark/ark.ts";
import type { Ark } from "../../../core/ark/node.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import { configOf, home } from "../../../sim/fleet/config.ts";
import type { ArkSpec, FleetSpec, WalletSpec } from "../../../sim/fleet/spec.ts";
import * as towns from "../../../sim/fleet/town.ts";
import * as ark from "../../../sim/invariants/ark.ts";
import * as habits from "../../../sim/invariants/ark-habits.ts";
import type { Violation } from "../../../sim/invariants/violation.ts";
import { arkWorld } from "../../support/ark-worlds.ts";

const minute = 60_000;
const api = "/api/v1";
const refreshPath = `${api}/wallet/refresh/delegated/vtxos`;
const tick = { type: "tick" };

type Stage = {
  readonly o: ark.Observer; readonly state: Ark; readonly id: string;
  /** The broken laws of one step at `at`. */
  readonly step: (at: number, event: unknown, ...effects: readonly unknown[]) => readonly string[];
  /** And of a look at all that is open. */
  readonly look: (at: number) => readonly string[];
};

function stage(specs?: readonly WalletSpec[]): Stage {
  const [spec, around] = arkWorld({ faultyMs: 1 }).nodes as [FleetSpec, ArkSpec];
  const town = towns.found(around, spec.wallets, "0x1", 1_700_000_000_000, 1_700_000_000_000);
  const state = fleet.create(configOf(spec), prng.key("law"), mono(0));
  const o = ark.create(town);
  ark.booted(o, mono(0));
  const ids = (of: (s: ark.Step, out: Violation[]) => void, ms: number, event: unknown,
    effects: readonly unknown[]): readonly string[] => {
    const out: Violation[] = [];
    of({ event, effects, state, now: mono(ms), nowUs: ms * 1_000 } as ark.Step, out);
    return [...new Set(out.map(({ id }) => id))];
  };
  const nobody = spec.wallets.map(({ name, coins, fundsSat }) => ({ name, coins, fundsSat }));
  return {
    o, state, id: [...town.world.server.coins.keys()][0] ?? "",
    step: (ms, event, ...effects) => (
      ids((s, out) => habits.observe(o, s, specs ?? nobody, out), ms, event, effects)
    ),
    look: (ms) => ids((s, out) => habits.look(o, s, out), ms, tick, []),
  };
}

function asks(req: number, path: string, body?: object): object {
  return {
    type: "req.start", req, to: "barkd:wallet0", method: body === undefined ? "GET" : "POST", path,
    body: body === undefined ? "" : JSON.stringify(body), headers: [], renew: false,
  };
}

/** The wallet lists this VTXO, and there is a durable intent about it. */
function listed(s: Stage, at: number): readonly string[] {
  s.o.intents.set("wallet0", new Map([[1, [s.id]]]));
  s.step(at, tick, asks(1_001, `${api}/wallet/vtxos`));
  const body = `[{"id":"${s.id}","expiry_height":9,"state":{"type":"spendable"}}]`;
  return s.step(at, { type: "req.done", req: 1_001, status: 200, body });
}

test("ark habits: A5: an intent is asked for once, and again if it was turned away", () => {
  const s = stage();
  const refresh = { vtxos: [s.id] };
  assert.deepEqual(listed(s, 1), []);
  assert.deepEqual(s.step(2, tick, asks(1, refreshPath, refresh)), []);
  s.step(3, { type: "req.done", req: 1, status: 401, body: "" });
  assert.deepEqual(s.step(4, tick, asks(3, refreshPath, refresh)), []);
  s.step(5, { type: "req.done", req: 3, status: 500, body: "" });
  assert.deepEqual(s.step(6, tick, asks(5, refreshPath, refresh)), ["A5"]);
});

test("ark habits: A5: it is asked for while what the wallet listed is new", () => {
  const s = stage();
  listed(s, 1);
  assert.deepEqual(s.step(360_001, tick, asks(1, refreshPath, { vtxos: [s.id] })), []);
  const t = stage();
  listed(t, 1);
  assert.deepEqual(t.step(360_002, tick, asks(1, refreshPath, { vtxos: [t.id] })), ["A5"]);
});

test("ark habits: A6: no refresh once another key was named, until the operator has looked", () => {
  const s = stage();
  listed(s, 1);
  for (const [req, key] of [[1, "aa"], [3, "bb"]] as const) {
    s.step(2, tick, asks(req, `${api}/wallet/ark-info`));
    s.step(2, { type: "req.done", req, status: 200, body: `{"server_pubkey":"${key}"}` });
  }
  assert.deepEqual(s.step(3, tick, asks(5, refreshPath, { vtxos: [s.id] })), ["A6"]);
  s.o.asked.clear();
  s.step(4, { type: "operator.trust", wallet: "wallet0" });
  assert.deepEqual(s.step(5, tick, asks(7, refreshPath, { vtxos: [s.id] })), []);
});

test("ark habits: A9: what is asked for all the time, and wallets that dial together", () => {
  const s = stage();
  for (let i = 0; i < 1_200; i += 1) {
    assert.deepEqual(s.step(i, tick, asks(2 * i + 1, `${api}/bitcoin/tip`)), []);
  }
  assert.deepEqual(s.step(2_000, tick, asks(9_001, `${api}/bitcoin/tip`)), ["A9"]);
  const open = (stream: number): object => ({ type: "stream.open", stream, to: "rounds:ark" });
  const [node] = s.state.nodes;
  assert.ok(node !== undefined, "a wallet");
  s.state.streams.set(1, { node, stream: "rounds", token: 1 });
  assert.deepEqual(s.step(3_000, tick, open(1)), []);
  assert.deepEqual(s.step(3_999, tick, open(2)), ["A9"], "another one");
  assert.deepEqual(s.step(4_999, tick, open(1)), []);
});

test("ark habits: A11: a question is not open for more than five minutes; work may be", () => {
  const s = stage();
  listed(s, 1);
  s.o.life.noted.listed.clear();
  s.step(2, tick, asks(1, `${api}/bitcoin/tip`), asks(3, refreshPath, { vtxos: [s.id] }));
  assert.deepEqual(s.look(2 + 5 * minute), []);
  assert.deepEqual(s.look(3 + 5 * minute), ["A11"]);
  s.step(4 + 5 * minute, tick, { type: "req.drop", req: 1 });
  assert.deepEqual(s.look(9 * minute), []);
});

test("ark habits: A12: exits and claims that nobody allowed", () => {
  const s = stage();
  listed(s, 1);
  const exit = asks(1, `${api}/exits/start/vtxos`, { vtxos: [s.id] });
  assert.deepEqual(s.step(2, tick, exit), ["A12"]);
  s.o.asked.clear();
  const claim = asks(3, `${api}/exits/claim/vtxos`, { vtxos: [s.id], destination: home });
  assert.deepEqual(s.step(3, tick, claim), ["A12"]);
});

test("ark habits: A12: what is claimed is what the wallet said of it last", () => {
  const claim = asks(3, `${api}/exits/claim/vtxos`, { vtxos: ["v:0"], destination: home });
  const height = { height: 9, hash: "00" };
  const claimable = { type: "claimable", claimable_since: height };
  const row = (state: object): string => JSON.stringify([{ vtxo_id: "v:0", state }]);
  const after = (status: number, ...bodies: readonly string[]): string => {
    const s = stage([{ name: "wallet0", coins: [], fundsSat: 0, autoClaim: true }]);
    listed(s, 1);
    for (const [i, body] of bodies.entries()) {
      s.step(2, tick, asks(10 + i, `${api}/exits/status/all`));
      s.step(2, { type: "req.done", req: 10 + i, status, body });
    }
    return s.step(3, tick, claim).join();
  };
  const told = row(claimable);
  assert.equal(after(200, told), "");
  assert.equal(after(503, told), "A12", "no answer");
  assert.equal(after(200), "A12", "nothing was said of it");
  assert.equal(after(200, told, "[]"), "A12", "it is there no more");
  for (const type of ["start", "processing", "claimed", "resting"]) {
    assert.equal(after(200, told, row({ type })), "A12", type);
    assert.equal(after(200, row({ type }), told), "", `after ${type}`);
  }
  assert.equal(after(200, told, row({ type: "awaiting-delta", claimable_height: 9 })), "A12");
  const nothing = [
    told.slice(0, -1), "<html>", "{}", "7", row({}), row({ type: "awaiting-delta" }),
    row({ type: "claimable" }), row({ type: "claim-in-progress" }), "[{}]",
    `[${told.slice(1, -1)},${row({ type: "start" }).slice(1)}`,
  ];
  for (const body of nothing) {
    assert.equal(after(200, told, body), "", `${body} takes nothing back`);
    assert.equal(after(200, row({ type: "start" }), body), "A12", `${body} frees nothing`);
  }
});

test("ark habits: E2, E5: a stage told all the time; what is listed and not watched", () => {
  const s = stage();
  const log = { type: "log", level: "info", code: "ark.expiry-due", fields: { wallet: "wallet0" } };
  for (let i = 0; i < 15; i += 1) assert.deepEqual(s.step(i, tick, log), []);
  assert.deepEqual(s.step(20, tick, log), ["E2"]);
  assert.deepEqual(s.step(3_600_000, tick, log), [], "another hour");
  assert.deepEqual(s.look(3_600_001), []);
  listed(s, 3_600_002);
  assert.deepEqual(s.look(3_600_003), ["E5"]);
});
