/**
 * The document's hazards, row by row of `docs/ark-hazards.md`: subscriptions, and what comes by
 * them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { growing } from "../../../core/ark/pause.ts";
import { defaults, source, type Policy } from "../../../core/ark/policy.ts";
import * as acts from "../../../sim/ark/acts.ts";
import type { ServerFault } from "../../../sim/ark/faults.ts";
import { barkdOf, type World } from "../../../sim/ark/state.ts";
import * as rigs from "../../support/ark-source.ts";

const {
  away, callsOf, coins, given, hour, isConnected, minute, rig, second, suffer, to, triesOf,
} = rigs;
const untilEver = Number.MAX_SAFE_INTEGER / 2;

/** The least time between two tries of a stream, from an instant on. */
function gapMs(tries: readonly number[], fromMs = 0): number {
  const gaps = tries.flatMap((at, i) => (i > 0 && at >= fromMs ? [at - tries[i - 1]!] : []));
  return Math.min(...gaps);
}

/** From an instant on, with all that was open closed at once. */
function faulty(policy: Policy, fault: ServerFault, fromMs: number, untilMs: number): rigs.Rig {
  const r = to(rig(policy), fromMs);
  suffer(r, [away(r, fault, fromMs, untilEver)]);
  acts.restartServer(r.world);
  return to(r, untilMs);
}

test("ark: hazards: H8: a server restarts: not all come back in one instant", () => {
  const wallets = Array.from({ length: 100 }, (_, i) => `w${i}`);
  const backAt = (policy: Policy): readonly number[] => {
    const r = rig(policy, { wallets, streams: ["rounds"], world: { subsMax: 200 } });
    rigs.at(r, 5 * minute, acts.restartServer);
    to(r, 5 * minute + 10 * second);
    return triesOf(r, "rounds").filter((at) => at >= 5 * minute);
  };
  const s = backAt(source);
  assert.equal(s.length, 100);
  assert.equal(new Set(s).size, 1, "the hazard: all of them at once");
  const d = backAt(defaults);
  assert.equal(d.length, 100);
  const perInstant = Math.max(...d.map((at) => d.filter((other) => other === at).length));
  assert.ok(perInstant <= 5, `${perInstant}`);
  assert.ok(Math.min(...d) >= 5 * minute + 500);
});

test("ark: hazards: H9: a failure that takes minutes is no health", () => {
  const world = (policy: Policy): rigs.Rig => {
    const net: rigs.Net = { subscribe: (stream, at) => (
      stream === "rounds" && at < 5 * minute
        ? { lastsMs: 10 * minute - at, why: "error" } : undefined
    ) };
    const r = to(rig(policy, { net }), 5 * minute);
    suffer(r, [away(r, { kind: "black-hole" }, 5 * minute, untilEver)]);
    return to(r, 4 * hour);
  };
  const s = world(source);
  const over = given(s, "over").filter(({ stream }) => stream === "rounds");
  assert.ok(over.length >= 20 && over.every(({ isHealthy }) => isHealthy));
  assert.ok(over.every(({ retryMs }) => retryMs === 0), "tried again in the same instant");
  assert.ok(isConnected(s), "and the flag is not lowered");
  const d = world(defaults);
  const late = given(d, "over").filter(({ stream, at }) => stream === "rounds" && at > hour);
  assert.ok(late.length >= 1);
  for (const { isHealthy, retryMs } of late) assert.ok(!isHealthy && retryMs >= 500);
  assert.ok(late.at(-1)!.retryMs >= 30 * second, "the waits have grown");
  assert.ok(!isConnected(d));
});

test("ark: hazards: H10: a server that lets in and closes is met with waits", () => {
  const s = faulty(source, { kind: "replay-close" }, 5 * minute, 65 * minute);
  const d = faulty(defaults, { kind: "replay-close" }, 5 * minute, 65 * minute);
  const tries = (r: rigs.Rig): number => triesOf(r, "rounds").length;
  // Not in the document: a successor had no wait after a clean end.
  assert.ok(tries(s) <= 62 && gapMs(triesOf(s, "rounds")) >= minute, `${tries(s)}`);
  assert.ok(tries(d) <= 62 + 120, `${tries(d)}`);
  assert.ok(gapMs(triesOf(d, "rounds")) >= 500);
  assert.ok(gapMs(triesOf(d, "rounds"), 30 * minute) >= 30 * second, "they grow");
  const mail = (policy: Policy): readonly number[] => triesOf(to(rig(policy, { net: {
    subscribe: (stream) => (stream === "mailbox" ? { lastsMs: 10, why: "clean" } : undefined),
  } }), hour), "mailbox");
  assert.ok(mail(source).length >= 6 * 58 && gapMs(mail(source)) < 100, "six in every T");
  assert.ok(mail(defaults).length <= 62 + 120 && gapMs(mail(defaults)) >= 500);
});

test("ark: hazards: H11: an error after hours of a good stream is no failure", () => {
  const deafMs = (policy: Policy): number => {
    const r = rig(policy, { net: { subscribe: (stream, at) => (
      stream === "mailbox" && at < hour
        ? { lastsMs: 2 * hour - at, why: "error" } : undefined
    ) } });
    rigs.at(r, 2 * hour + 2 * second, (w) => void acts.pay(w, "alice", {
      amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2,
    }));
    to(r, 2 * hour + 2 * second);
    while (coins(r).length === 0) to(r, r.now + second);
    return r.now - 2 * hour;
  };
  assert.ok(deafMs(source) >= minute);
  assert.ok(deafMs(defaults) <= 5 * second);
});

test("ark: hazards: H12: what is repeated to every subscriber is no health", () => {
  const { stream } = source.rounds;
  const successor: Policy = { ...source, rounds: { ...source.rounds, stream: {
    ...stream, afterHealthy: "wait", resetBy: "any-item", wait: growing(second, 30 * second),
  } } };
  const late = (policy: Policy): readonly number[] => (
    triesOf(faulty(policy, { kind: "replay-close" }, 11 * minute, 71 * minute), "rounds")
      .filter((at) => at >= 41 * minute)
  );
  assert.ok(late(successor).length >= 1_800, "what a successor does: one a second, for ever");
  assert.ok(late(source).length <= 31, "the document waits T, whatever came");
  assert.ok(late(defaults).length <= 61);
});

test("ark: hazards: H13: events are read while one is handled", () => {
  const storm = (policy: Policy): rigs.Rig => {
    const r = rig(policy, { net: { call: ({ op }) => (
      op === "progress-rounds" || op === "maintain" ? { moreMs: 30 * second } : undefined
    ) } });
    to(r, 5 * minute);
    suffer(r, [away(r, { kind: "storm", perSecond: 2 }, 5 * minute, 6 * minute)]);
    return to(r, 12 * minute);
  };
  const began = (r: rigs.Rig): readonly number[] => (
    given(r, "round").filter(({ event }) => event.kind !== "attempt").map(({ at }) => at)
  );
  const [s, d] = [storm(source), storm(defaults)];
  assert.ok(given(s, "lagging").length >= 50);
  assert.ok((began(s)[0] ?? untilEver) > 10 * minute + 30 * second, "the round at ten minutes");
  assert.ok((began(d)[0] ?? untilEver) < 10 * minute + 5 * second);
  const lagging = given(d, "lagging");
  assert.ok(lagging.length >= 1);
  const [first] = lagging;
  const isSoon = (at: number): boolean => at >= first!.at && at <= first!.at + 10 * second;
  assert.ok(callsOf(d, "sync-rounds").some(isSoon), "a sync makes up for what was lost");
});

test("ark: hazards: H18: a stream that never opens: the mailbox is read", () => {
  const received = (policy: Policy): number => {
    const r = rig(policy, { net: {
      subscribe: (stream) => (stream === "mailbox" ? "refuse" : undefined),
    } });
    rigs.at(r, 10 * minute, (w: World) => void acts.pay(w, "alice", {
      amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2,
    }));
    to(r, 12 * minute);
    const early = coins(r).length;
    to(r, 6 * hour);
    assert.equal(coins(r).length, early, "nothing else ever reads it");
    return barkdOf(r.world, "alice").wallet!.vtxos.size;
  };
  assert.equal(received(source), 0);
  assert.equal(received(defaults), 1);
});

test("ark: hazards: H17: a stop comes first, and nothing is begun after it", () => {
  const begunAfter = (policy: Policy, at: number): readonly string[] => {
    const r = to(rig(policy), at);
    const { length } = r.lines;
    rigs.say(r, "alice", { type: "stop", isWaiting: false });
    to(r, at + 10 * minute);
    return r.lines.slice(length).flatMap(({ effect }) => (
      effect.type === "subscribe" ? [effect.stream] : effect.type === "call" ? [effect.call.op] : []
    ));
  };
  assert.deepEqual(begunAfter(source, 0), ["sync", "mailbox"]);
  assert.deepEqual(begunAfter(source, 60_300), ["sync-rounds", "sync-exits", "progress-exits"]);
  for (const at of [0, 100, 400, 1_200, 4_400, 51_330, 60_850, 10 * minute]) {
    assert.deepEqual(begunAfter(defaults, at), [], `${at}`);
  }
  // Of a stop and a pass that are due in one instant the stop is first, always.
  for (const at of [60_243, 120_406]) {
    const r = to(rig(source), at - 1);
    r.now = at;
    rigs.say(r, "alice", { type: "stop", isWaiting: true });
    assert.deepEqual(given(r, "stopped").map((one) => one.at), [at]);
  }
});
