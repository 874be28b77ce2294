/**
 * Anything in any order, through both faces and any trouble: after each act everything adds up.
 *
 * What a careless daemon may ask for is asked for too; what it did wrong is noted, and no coin is
 * in two places for it.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Op, RoundEvent } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { audit } from "../../../sim/ark/audit.ts";
import { defaults, today } from "../../../sim/ark/config.ts";
import type { Outage } from "../../../sim/ark/faults.ts";
import * as port from "../../../sim/ark/port.ts";
import * as run from "../../../sim/ark/run.ts";
import { create, addWallet, type Violation, type World } from "../../../sim/ark/state.ts";
import * as streams from "../../../sim/ark/streams.ts";
import { home, minuteMs, quick } from "../../support/ark-world.ts";

/** Everything comes to its end within a script. */
const brisk = { ...quick, roundMs: 2 * minuteMs, exitDeltaBlocks: 1, treeDepth: 1 };

const faults: readonly Omit<Outage, "fromMs" | "untilMs">[] = [
  { on: "server", fault: { kind: "down" } }, { on: "server", fault: { kind: "black-hole" } },
  { on: "server", fault: { kind: "failing-rounds" } }, { on: "server", fault: { kind: "key" } },
  { on: "server", fault: { kind: "rejecting" } }, { on: "server", fault: { kind: "no-rounds" } },
  { on: "server", fault: { kind: "storm", perSecond: 2 } },
  { on: "server", fault: { kind: "replay-close" } },
  { on: "server", fault: { kind: "one-and-close" } },
  { on: "server", fault: { kind: "endless-mailbox" } },
  { on: "server", fault: { kind: "wild-numbers" } },
  { on: "server", fault: { kind: "slow", ms: 90_000 } },
  { on: "chain", fault: { kind: "down" } }, { on: "chain", fault: { kind: "stale" } },
  { on: "chain", fault: { kind: "backwards", blocks: 3 } },
  { on: "chain", fault: { kind: "slow", ms: 60_000 } },
  { on: "barkd", fault: { kind: "restarting" } }, { on: "barkd", fault: { kind: "silent" } },
] as Omit<Outage, "fromMs" | "untilMs">[];

type Act =
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "block"; readonly isEmpty: boolean }
  | { readonly do: "reorg"; readonly depth: number; readonly isEmpty: boolean }
  | { readonly do: "pay"; readonly sats: readonly number[]; readonly isPoison: boolean }
  | { readonly do: "deposit" | "board" | "restart" | "restart-server" | "mystify" }
  | { readonly do: "fault"; readonly which: number; readonly ms: number }
  | { readonly do: "stream"; readonly which: "rounds" | "mailbox"; readonly how: number }
  | { readonly do: "op"; readonly op: Op["op"]; readonly picks: readonly number[] }
  | { readonly do: "rate"; readonly rate: number };

const one = fc.nat({ max: 5 });
const ops: readonly Op["op"][] = [
  "refresh", "refresh", "refresh", "exit", "claim", "progress-exits", "progress-exits",
  "sync-mailbox", "sync", "sync-onchain", "sync-boards", "sync-rounds", "maintain",
  "progress-rounds", "balance", "vtxos", "exits", "pending", "exit-fee", "probe", "ark-info",
  "refresh-server", "fee-rates", "notifications",
];
const actArb: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({
    do: fc.constant("pass" as const), ms: fc.constantFrom(1, 1_999, 2_000, 60_000, 600_000),
  }) },
  { weight: 5, arbitrary: fc.record({
    do: fc.constant("block" as const), isEmpty: fc.boolean(),
  }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("reorg" as const), depth: fc.integer({ min: 1, max: 4 }), isEmpty: fc.boolean(),
  }) },
  { weight: 2, arbitrary: fc.record({
    do: fc.constant("pay" as const), isPoison: fc.constantFrom(false, false, false, true),
    sats: fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 3 }),
  }) },
  { weight: 2, arbitrary: fc.record({
    do: fc.constantFrom("deposit", "board", "restart", "restart-server", "mystify"),
  }) as fc.Arbitrary<Act> },
  { weight: 2, arbitrary: fc.record({
    do: fc.constant("fault" as const), which: fc.nat({ max: faults.length - 1 }),
    ms: fc.constantFrom(1_000, 300_000, 7_200_000),
  }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("stream" as const), how: one,
    which: fc.constantFrom("rounds" as const, "mailbox" as const),
  }) },
  { weight: 12, arbitrary: fc.record({
    do: fc.constant("op" as const), op: fc.constantFrom(...ops),
    picks: fc.array(one, { maxLength: 3 }),
  }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("rate" as const), rate: fc.integer({ min: 1, max: 9 }),
  }) },
);

function perform(w: World, act: Act): void {
  switch (act.do) {
    case "pass": return run.advance(w, w.nowMs + act.ms);
    case "block": return run.block(w, act.isEmpty);
    case "reorg":
      if (act.depth < w.chain.blocks.length) run.reorg(w, act.depth, act.depth, act.isEmpty);
      return;
    case "pay": {
      const amountsSat = act.sats.map(BigInt);
      acts.pay(w, "alice", { amountsSat, lifeBlocks: 20, exitDepth: 2, isPoison: act.isPoison });
      return;
    }
    case "deposit": return void acts.deposit(w, "alice", 50_000n);
    case "board": return void acts.board(w, "alice", 20_000n);
    case "restart": return acts.restartBarkd(w, "alice");
    case "restart-server": return acts.restartServer(w);
    case "mystify": return acts.mystify(w, "alice");
    case "fault": {
      const fault = { ...faults[act.which]!, fromMs: w.nowMs, untilMs: w.nowMs + act.ms } as Outage;
      return run.suffer(w, [...w.outages.filter(({ untilMs }) => untilMs > w.nowMs), fault]);
    }
    case "stream": return stream(w, act.which, act.how);
    case "op": return void port.call(w, "alice", opOf(w, act.op, act.picks), w.nowMs);
    case "rate": return acts.setRate(w, act.rate);
  }
}

function stream(w: World, which: "rounds" | "mailbox", how: number): void {
  const [first] = w.subs.keys();
  if (how < 2) return void streams.subscribe(w, which, "alice");
  if (first === undefined) return;
  if (how === 2) streams.hold(w, first);
  else if (how === 3) streams.release(w, first);
  else if (how === 4) streams.unsubscribe(w, first);
}

function opOf(w: World, op: Op["op"], picks: readonly number[]): Op {
  const known = [...w.barkds.get("alice")!.wallet!.vtxos.keys()];
  const vtxos = [...new Set(picks.map((at) => known[at]))].filter((id) => id !== undefined);
  if (op === "refresh" || op === "exit" || op === "exit-fee") return { op, vtxos };
  if (op === "claim") return { op, vtxos: ripe(w), destination: home };
  if (op === "notifications") return { op, since: undefined };
  return op === "progress-rounds" ? { op, event: eventOf(w) } : { op };
}

function ripe(w: World): readonly string[] {
  const exits = [...w.barkds.get("alice")!.wallet!.exits.values()];
  return exits.filter(({ stage }) => stage.at === "claimable").map(({ vtxo }) => vtxo);
}

function eventOf(w: World): RoundEvent | undefined {
  return w.ring.at(-1);
}

/** What no daemon can be blamed for, and must not be. */
function ofOthers(found: readonly Violation[]): readonly Violation[] {
  return found.filter(({ law, blame }) => law !== "loss" && blame !== "daemon");
}

test("sim: ark: random: everything adds up after each act", () => {
  let acted = 0;
  fc.assert(fc.property(fc.array(actArb, { maxLength: 120, size: "max" }), (script) => {
    const w = create({ ...defaults, server: brisk });
    addWallet(w, "alice");
    acts.deposit(w, "alice", 1_000_000n);
    acts.endow(w, "alice", [30_000n, 40_000n], 40, 1);
    for (const act of script) {
      perform(w, act);
      acted += 1;
      assert.deepEqual(ofOthers(audit(w)), []);
    }
  }), { numRuns: 100 });
  assert.ok(acted > 1_000);
});

test("sim: ark: random: the same script gives the same world", () => {
  fc.assert(fc.property(fc.array(actArb, { maxLength: 60 }), (script) => {
    const told = [0, 1].map(() => {
      const w = create({ ...defaults, server: quick, quirks: today });
      addWallet(w, "alice", { isManual: false, hasWallet: true });
      acts.endow(w, "alice", [30_000n, 40_000n], 25, 2);
      for (const act of script) perform(w, act);
      return JSON.stringify([w.out, audit(w), w.nowMs, w.chain.blocks], (_, value: unknown) => (
        typeof value === "bigint" ? String(value) : value
      ));
    });
    assert.equal(told[0], told[1]);
  }), { numRuns: 20 });
});
