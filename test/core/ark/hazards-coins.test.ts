/**
 * The document's hazards, row by row of `docs/ark-hazards.md`: what they mean for coins that must
 * be refreshed, leave, or be received. Each is met by the document's profile and by the default
 * one, or by a whole daemon with its guard.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, source, type Policy } from "../../../core/ark/policy.ts";
import * as acts from "../../../sim/ark/acts.ts";
import { flawless, today } from "../../../sim/ark/config.ts";
import type { Outage } from "../../../sim/ark/faults.ts";
import * as port from "../../../sim/ark/port.ts";
import * as rest from "../../../sim/ark/rest.ts";
import { barkdOf, type World } from "../../../sim/ark/state.ts";
import * as fleet from "../../support/ark-fleet.ts";
import * as source_ from "../../support/ark-source.ts";
import * as worlds from "../../support/ark-world.ts";

const { hour, minute, second, callsOf, coins, given, rig, suffer, to } = source_;
const blocks = { kind: "steady", everyMs: 10 * minute } as const;
const untilEver = Number.MAX_SAFE_INTEGER;

/** One coin of so many more blocks. */
const endowed = (lifeBlocks: number) => (w: World): void => {
  acts.endow(w, "alice", [100_000n], lifeBlocks, 2);
};

/** Funds for an exit, and the exit. */
function leave(w: World): void {
  const [coin] = acts.endow(w, "alice", [100_000n], 200, 2);
  acts.deposit(w, "alice", 100_000n);
  const begun = port.call(w, "alice", { op: "exit", vtxos: [coin!.id] }, w.nowMs);
  assert.ok(begun.type === "answered" && begun.answer.ok);
}

const stagesOf = (w: World): readonly string[] => (
  [...barkdOf(w, "alice").wallet!.exits.values()].map(({ stage }) => stage.at)
);

/** A daemon with its guard over REST: was the coin refreshed, and is nothing lost? */
function guarded(outages: (fromMs: number) => readonly Outage[]): void {
  const r = fleet.start({ before: ({ world }) => endowed(36)(world) });
  fleet.suffer(r, outages(fleet.wallMs(r)));
  fleet.pass(r, 8 * hour);
  assert.deepEqual(r.world.losses, []);
  const [coin] = [...barkdOf(r.world, "alice").wallet!.vtxos.values()]
    .filter(({ state }) => state === "spendable");
  assert.ok(coin !== undefined, "there is a coin");
  assert.ok(r.world.server.coins.get(coin.id)!.expiryHeight > 100_060, "and it is a new one");
}

test("ark: hazards: H6: the server is away, fees rise: an exit goes on at today's rate", () => {
  const end = (policy: Policy): readonly string[] => {
    const r = rig(policy, { world: { pace: blocks }, before: leave });
    to(r, 5 * minute);
    suffer(r, [source_.away(r, { kind: "down" }, 5 * minute, untilEver)]);
    acts.setRate(r.world, 20);
    to(r, 5 * hour);
    return stagesOf(r.world);
  };
  assert.deepEqual(end(source), ["processing"], "nothing of it ever gets into a block");
  assert.deepEqual(end(defaults), ["claimable"]);
});

test("ark: hazards: H14: an event handled for 10 s loses the round; delegated, none", () => {
  const refreshed = (moreMs: number): boolean => {
    const r = rig(source, { world: { pace: blocks }, before: endowed(11), net: {
      call: ({ op }) => (op === "progress-rounds" ? { moreMs } : undefined),
    } });
    to(r, 3 * hour);
    return r.world.losses.length === 0;
  };
  assert.ok(refreshed(0), "in time it is in the first round");
  assert.ok(!refreshed(10 * second), "two seconds to sign, ten to be asked: it expires");
  guarded((fromMs) => [{
    on: "barkd", fault: { kind: "slow", ms: 10 * second }, fromMs, untilMs: untilEver,
  }]);
});

test("ark: hazards: H15: an attempt is lost on its way: the guard goes by heights", () => {
  const lostOf = (net: source_.Net): number => to(rig(source, {
    world: { pace: blocks }, before: endowed(11), net,
  }), 3 * hour).world.losses.length;
  assert.equal(lostOf({}), 0, "with every event it is in the first round");
  assert.equal(lostOf({ loses: ({ kind }) => kind === "attempt" }), 1);
  guarded((fromMs) => [{ on: "server", fault: { kind: "mute" }, fromMs, untilMs: untilEver }]);
});

test("ark: hazards: H16: no height just when each round begins: the guard asks again", () => {
  const atRounds = (fromMs: number): readonly Outage[] => Array.from({ length: 60 }, (_, i) => {
    const roundMs = fromMs - fromMs % (10 * minute) + (i + 1) * 10 * minute;
    return {
      on: "chain", fault: { kind: "down" }, fromMs: roundMs - 15 * second,
      untilMs: roundMs + 15 * second,
    };
  });
  const r = rig(source, { world: { pace: blocks, startMs: 1_700_000_400_000 },
    before: endowed(11) });
  suffer(r, atRounds(r.world.config.startMs));
  to(r, 3 * hour);
  assert.ok(callsOf(r, "maintain").length >= 10);
  assert.equal(r.world.losses.length, 1, "asked at every round, and never heard");
  guarded(atRounds);
});

test("ark: hazards: H23: a wallet without funds on the chain: its exits go on", () => {
  for (const policy of [source, defaults]) {
    const r = rig(policy, { world: { pace: blocks }, before: (w) => {
      leave(w);
      barkdOf(w, "alice").wallet!.deposits.clear();
    } });
    to(r, hour);
    assert.ok(callsOf(r, "progress-exits").length >= 45, policy.name);
    assert.deepEqual(stagesOf(r.world), ["processing"]);
    acts.deposit(r.world, "alice", 100_000n);
    to(r, 5 * hour);
    assert.deepEqual(stagesOf(r.world), ["claimable"], "funds that come are seen");
  }
});

test("ark: hazards: H25: what only the whole sync retries is tried all day", () => {
  const r = rig(source);
  to(r, 6 * hour);
  assert.deepEqual(callsOf(r, "sync"), [40]);
  const d = rig(defaults);
  to(d, 6 * hour);
  const tries = callsOf(d, "sync");
  assert.ok(tries.length >= 55, `${tries.length}`);
  for (const [i, at] of tries.entries()) assert.ok(at - (tries[i - 1] ?? 0) <= 7 * minute);
});

test("ark: hazards: H28: progress that takes long is never hung up on", () => {
  const world = { quirks: today };
  const hungUp = worlds.world({ ...world, pace: blocks });
  leave(hungUp);
  const asked = worlds.asking(hungUp, "POST", "/api/v1/exits/progress", {});
  const reply = rest.ask(hungUp, "alice", asked, hungUp.nowMs);
  assert.ok(reply.type === "replied" && reply.ticket !== undefined);
  rest.hangUp(hungUp, reply.ticket, hungUp.nowMs + 1);
  assert.ok(barkdOf(hungUp, "alice").hasForgottenExits, "the hazard is in the wallet's program");
  // Neither profile gives a call of progress up: in the document only a panic, or its end, would.
  for (const policy of [source, defaults]) {
    const r = rig(policy, { world: { ...world, pace: blocks }, before: leave, net: {
      call: ({ op }) => (op === "progress-exits" ? { moreMs: 20 * minute } : undefined),
    } });
    to(r, hour);
    assert.ok(!given(r, "drop").some(({ lane }) => lane === "exits" || lane === "sync"));
  }
  const f = fleet.start({ world, before: ({ world: w }) => leave(w) });
  fleet.suffer(f, [{
    on: "barkd", fault: { kind: "slow", ms: 11 * minute }, fromMs: fleet.wallMs(f),
    untilMs: fleet.wallMs(f) + 2 * hour,
  }]);
  fleet.pass(f, 8 * hour);
  assert.ok(!barkdOf(f.world, "alice").hasForgottenExits);
  assert.deepEqual(stagesOf(f.world), ["claimed"]);
});

/** What was paid while nothing was wrong, with and without a message that nobody can process. */
function paid(policy: Policy, quirks: typeof flawless): source_.Rig {
  const r = rig(policy, { world: { quirks } });
  to(r, 10 * minute);
  const pay = (isPoison: boolean) => (w: World): void => {
    acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2, isPoison });
  };
  source_.at(r, 20 * minute, pay(true));
  source_.at(r, 30 * minute, pay(false));
  return to(r, 2 * hour);
}

test("ark: hazards: H32: a message that failed is told before it is passed", () => {
  const buries = { ...flawless, buries: true };
  const passed = (policy: Policy): readonly number[] => {
    const r = paid(policy, buries);
    assert.equal(coins(r).length, 1, "the next message is read, and the failed one is past");
    return given(r, "stuck").map(({ at }) => at);
  };
  assert.deepEqual(passed(source), []);
  const [told] = passed(defaults);
  assert.ok(told !== undefined && told < 30 * minute, `${told}`);
  const d = paid(defaults, flawless);
  assert.equal(coins(d).length, 0, "today's keeps it, and what comes after it");
  assert.ok(barkdOf(d.world, "alice").wallet!.checkpoint < d.world.nowMs - 90 * minute);
});

test("ark: hazards: H33: a message that always fails is told, once", () => {
  const s = paid(source, flawless);
  assert.equal(given(s, "stuck").length, 0);
  assert.ok(source_.triesOf(s, "mailbox").length >= 90, "the same message, once in T, for ever");
  assert.ok(source_.isConnected(s));
  const d = paid(defaults, flawless);
  assert.equal(given(d, "stuck").length, 1);
  assert.ok(given(d, "ran").some(({ at, lane }) => at > hour && lane === "exits"));
});

test("ark: hazards: H34: paid while the chain fails: read when it can be checked", () => {
  const received = (policy: Policy, failsMs: number): number => {
    const r = rig(policy, { world: { quirks: today } });
    to(r, 10 * minute);
    const fromMs = source_.wallMs(r);
    suffer(r, [{ on: "chain", fault: { kind: "html" }, fromMs, untilMs: fromMs + failsMs }]);
    source_.at(r, 20 * minute, (w) => void acts.pay(w, "alice", {
      amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2,
    }));
    to(r, 45 * minute);
    return coins(r).length;
  };
  assert.equal(received(source, 5 * minute), 1);
  assert.equal(received(source, 30 * minute), 0, "dropped, and acknowledged");
  assert.equal(received(defaults, 30 * minute), 1);
});

test("ark: hazards: H35: another key is seen after the program's restart", () => {
  const keyed = (w: World): void => acts.restartBarkd(w, "alice");
  const s = rig(source);
  to(s, 10 * minute);
  suffer(s, [source_.away(s, { kind: "key" }, 10 * minute, untilEver)]);
  source_.at(s, hour, keyed);
  to(s, 3 * hour);
  assert.ok(source_.isConnected(s));
  assert.deepEqual(callsOf(s, "refresh-server"), [0], "nobody asks as long as it is connected");
  assert.ok(callsOf(s, "sync-boards").some((at) => at > 2 * hour));
  const r = fleet.start({ before: ({ world }) => endowed(36)(world) });
  fleet.pass(r, 10 * minute);
  const fromMs = fleet.wallMs(r);
  fleet.suffer(r, [{ on: "server", fault: { kind: "key" }, fromMs, untilMs: untilEver }]);
  fleet.pass(r, hour);
  assert.ok(!fleet.troubles(r).includes("server-key"), "the program answers from its memory");
  fleet.act(r, keyed);
  fleet.pass(r, 65 * minute);
  assert.ok(fleet.troubles(r).includes("server-key"));
  assert.equal(fleet.told(r, "another key"), 1);
  const reads = fleet.count(r, /mailbox|delegated/);
  fleet.pass(r, 30 * minute);
  assert.equal(fleet.count(r, /mailbox|delegated/), reads);
});

test("ark: hazards: H36: a page that says it is the last: read on till nothing moves", () => {
  const held = (policy: Policy): number => {
    const r = rig(policy, {
      world: { server: { ...worlds.quick, truncates: true } }, streams: ["rounds"],
    });
    to(r, minute / 2);
    for (let i = 0; i < 60; i += 1) {
      acts.pay(r.world, "alice", {
        amountsSat: [1_000n, 1_000n, 1_000n], lifeBlocks: 100, exitDepth: 2,
      });
    }
    const [read] = callsOf(r, "sync-mailbox").filter((at) => at >= r.now);
    assert.equal(read, undefined);
    to(r, (policy === source ? 60 : 61) * second + 20 * second);
    return coins(r).length;
  };
  assert.equal(held(source), 100, "the first page; the rest in T, or with the next message");
  assert.equal(held(defaults), 178, "all but the tail that the server cut off, which nobody sees");
});
