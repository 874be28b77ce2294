import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Coin, Reason, Tip } from "../../../core/chain/chain.ts";
import * as wallet from "../../../core/maker/wallet.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { hashAt } from "../../support/bitcoind.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";

const config: wallet.Config = { mixdepths: 3, confirmationsMin: 2, downMs: 60, viewMsMax: 500 };
const tip: Tip = { hash: hashAt(9), height: 9, timeS: 0, isSynced: true, keptSince: undefined };
const fault = { code: "x", text: "y" };

const coin = (n: number, other: Partial<Coin> = {}): Coin => ({
  outpoint: `${n.toString(16).padStart(64, "0")}:0`, valueSat: BigInt(n) * 1_000n,
  address: "a", confirmations: 6, mixdepth: 0, branch: 0, index: n, isLocked: false, ...other,
});

type Bench = { readonly m: wallet.Wallet; at: number };
function bench(other: Partial<wallet.Config> = {}): Bench {
  return { m: wallet.create({ ...config, ...other }, mono(0)), at: 0 };
}
function say(b: Bench, event: wallet.Event): readonly string[] {
  const out: wallet.Effect[] = [];
  wallet.step(b.m, event, mono(b.at), out);
  return out.map(({ type }) => type);
}
const listed = (b: Bench, ...coins: readonly Coin[]): readonly string[] =>
  say(b, { type: "listed", coins, tip });
const seen = (b: Bench): readonly string[] => say(b, { type: "seen", part: "tip" });
const failed = (
  b: Bench, reason: Reason = "unreachable", part: wallet.Part = "coins",
): readonly string[] => say(b, { type: "failed", part, reason, fault });

/** A wallet of two coins, its backend up; time stands at 0. */
function up(other: Partial<wallet.Config> = {}): Bench {
  const b = bench(other);
  seen(b);
  assert.deepEqual(listed(b, coin(1), coin(2)), ["up", "changed"]);
  return b;
}

test("wallet: balances: spendable, unconfirmed and locked, by mixdepth", () => {
  const b = bench();
  listed(b,
    coin(1), coin(2), coin(3, { confirmations: 1 }), coin(4, { isLocked: true }),
    coin(5, { mixdepth: 2, confirmations: 2 }), coin(6, { mixdepth: 2, confirmations: 0 }));
  const [zero, one, two] = wallet.balances(b.m);
  assert.deepEqual(zero, {
    spendableSat: 3_000n, largestSat: 2_000n, unconfirmedSat: 3_000n, lockedSat: 4_000n,
    totalSat: 10_000n, coins: 4,
  });
  assert.equal(one?.totalSat, 0n);
  assert.deepEqual([two?.spendableSat, two?.unconfirmedSat], [5_000n, 6_000n]);
  assert.deepEqual(wallet.spendable(b.m).map(({ index }) => index), [1, 2, 5]);
});

test("wallet: balances: hazard 9: what is held for something under way cannot be offered", () => {
  const b = up();
  const held = new Set([coin(2).outpoint]);
  const [zero] = wallet.balances(b.m, held);
  assert.deepEqual(
    [zero?.spendableSat, zero?.largestSat, zero?.lockedSat], [1_000n, 1_000n, 2_000n],
  );
  assert.deepEqual(wallet.spendable(b.m, held).map(({ index }) => index), [1]);
});

test("wallet: changed: only when what could be spent has changed", () => {
  const b = up();
  assert.deepEqual(listed(b, coin(2), coin(1)), []);
  assert.deepEqual(listed(b, coin(1, { confirmations: 99 }), coin(2)), []);
  assert.deepEqual(listed(b, coin(1, { confirmations: 1 }), coin(2)), ["changed"]);
  const young = coin(3, { confirmations: 0 });
  assert.deepEqual(listed(b, coin(1, { confirmations: 1 }), coin(2), young), []);
  assert.deepEqual(listed(b, coin(2, { mixdepth: 1 })), ["changed"]);
  assert.deepEqual(listed(b, coin(2, { mixdepth: 1, isLocked: true })), ["changed"]);
  assert.deepEqual(listed(b), []);
});

test("wallet: up: both the tip and the coins have to be seen", () => {
  const b = bench();
  assert.deepEqual(b.m.backend, { state: "down", since: 0, trouble: undefined });
  assert.deepEqual(listed(b), ["changed"], "an empty wallet is known, too");
  assert.equal(wallet.isReliable(b.m), false);
  assert.deepEqual(seen(b), ["up"]);
  assert.equal(wallet.isReliable(b.m), true);
});

test("wallet: down: hazard 3: an outage takes no coin away", () => {
  const b = up();
  const before = wallet.balances(b.m);
  for (; b.at < 400; b.at += 20) {
    failed(b);
    assert.deepEqual(wallet.balances(b.m), before);
  }
  assert.equal(b.m.backend.state, "down");
  assert.equal(wallet.isReliable(b.m), false);
  assert.equal(wallet.ageMs(b.m, mono(400)), 400);
});

test("wallet: down: after downMs of failing and not a millisecond before, once", () => {
  const b = up();
  b.at = 10;
  assert.deepEqual(failed(b), []);
  assert.equal(wallet.deadline(b.m), 70);
  b.at = 69;
  assert.deepEqual(failed(b, "timeout"), []);
  assert.deepEqual(say(b, { type: "tick" }), []);
  assert.equal(wallet.isReliable(b.m), true);
  b.at = 70;
  assert.deepEqual(say(b, { type: "tick" }), ["down"]);
  assert.deepEqual(b.m.backend, {
    state: "down", since: 10,
    trouble: { part: "coins", since: 10, failures: 2, reason: "timeout", fault },
  });
  assert.deepEqual(failed(b), []);
  assert.equal(b.m.backend.state === "down" && b.m.backend.trouble?.failures, 3);
});

test("wallet: down: a failure that is mended in time is nothing", () => {
  const b = up();
  failed(b);
  b.at = 59;
  assert.deepEqual(listed(b, coin(1), coin(2)), []);
  b.at = 60;
  assert.deepEqual(say(b, { type: "tick" }), []);
  assert.equal(b.m.backend.state, "up");
});

test("wallet: down: either part is enough, and both have to be well again", () => {
  const b = up();
  failed(b, "unreachable", "tip");
  failed(b, "unreachable", "coins");
  b.at = 60;
  assert.deepEqual(say(b, { type: "tick" }), ["down"]);
  assert.deepEqual(seen(b), []);
  b.at = 90;
  const out: wallet.Effect[] = [];
  wallet.step(b.m, { type: "listed", coins: [], tip }, mono(b.at), out);
  assert.deepEqual(out, [{ type: "up", downMs: 90 }, { type: "changed" }]);
});

test("wallet: down: what only a person can mend counts at once", () => {
  const b = up();
  assert.deepEqual(failed(b, "credentials"), ["down"]);
  assert.deepEqual(failed(up({ downMs: 0 })), ["down"]);
});

test("wallet: down: before the first look the trouble is told once", () => {
  const b = bench();
  assert.deepEqual(failed(b), ["down"]);
  assert.deepEqual(failed(b), []);
  assert.equal(wallet.deadline(b.m), NEVER);
});

test("wallet: aged: coins not seen for viewMsMax are no ground for offers", () => {
  const b = up();
  assert.equal(wallet.deadline(b.m), 500);
  b.at = 499;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.at = 500;
  assert.deepEqual(say(b, { type: "tick" }), ["aged"]);
  assert.equal(wallet.isReliable(b.m), false);
  assert.equal(b.m.backend.state, "up");
  assert.equal(wallet.deadline(b.m), NEVER);
  assert.deepEqual(listed(b, coin(1), coin(2)), ["changed"], "known again");
  assert.equal(wallet.isReliable(b.m), true);
});

test("wallet: create, listed: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<wallet.Config>[] = [
    { mixdepths: 0 }, { confirmationsMin: 0 }, { downMs: -1 }, { viewMsMax: 0 },
  ];
  for (const part of wrong) assert.throws(() => bench(part));
  assert.throws(() => listed(bench(), coin(1, { mixdepth: 3 })), /mixdepth 3/);
  assert.equal(wallet.ageMs(bench().m, mono(5)), undefined);
});

test("wallet: laws: down and up take turns; no failure of downMs goes unnoticed", () => {
  const subject: Subject<wallet.Wallet, wallet.Event, wallet.Effect> = {
    create: (now: Mono) => wallet.create(config, now), step: wallet.step,
    deadline: wallet.deadline, tick: { type: "tick" }, settleMs: 600,
    holds: (m) => {
      const total = wallet.balances(m).reduce((sum, balance) => sum + balance.totalSat, 0n);
      assert.equal(total, m.coins.reduce((sum, { valueSat }) => sum + valueSat, 0n));
    },
    lives: (run) => {
      let state = "none";
      const failingSince = new Map<string, number>();
      for (const { at, event, effects } of run.steps) {
        const personal = event.type === "failed" && event.reason === "credentials";
        if (event.type === "failed" && !failingSince.has(event.part)) {
          failingSince.set(event.part, at);
        }
        if (event.type === "seen") failingSince.delete(event.part);
        if (event.type === "listed") failingSince.delete("coins");
        for (const { type } of effects) {
          if (type !== "up" && type !== "down") continue;
          assert.notEqual(type, state, `${type} twice`);
          state = type;
        }
        if (personal) assert.notEqual(state, "up");
      }
      for (const since of failingSince.values()) {
        if (run.now - since >= config.downMs) assert.notEqual(state, "up", "failing and not told");
      }
    },
  };
  const part = fc.constantFrom("tip" as const, "coins" as const);
  const coins = fc.subarray([coin(1), coin(2, { mixdepth: 1 }), coin(3, { confirmations: 1 })]);
  const event: fc.Arbitrary<wallet.Event> = fc.oneof(
    fc.record({ type: fc.constant("listed" as const), coins, tip: fc.constant(tip) }),
    fc.record({ type: fc.constant("seen" as const), part }),
    fc.record({
      type: fc.constant("failed" as const), part, fault: fc.constant(fault),
      reason: fc.constantFrom<Reason>("unreachable", "timeout", "credentials", "syncing"),
    }),
  );
  fc.assert(fc.property(scripts(event, 80, 25, true), (script) => void laws(subject, script)), {
    numRuns: 80,
  });
});
