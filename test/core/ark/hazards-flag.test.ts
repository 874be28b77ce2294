/**
 * The document's hazards, row by row of `docs/ark-hazards.md`: who says that the server is
 * connected, and who believes it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults, source, type Policy } from "../../../core/ark/policy.ts";
import { factOf } from "../../../core/ark/facts.ts";
import { unavailable } from "../../../core/ark/wallet.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as run from "../../../sim/ark/run.ts";
import * as fleet from "../../support/ark-fleet.ts";
import * as rigs from "../../support/ark-source.ts";

const {
  away, callsOf, coins, given, hour, isConnected, minute, rig, second, suffer, to,
} = rigs;
const untilEver = Number.MAX_SAFE_INTEGER / 2;

/** A rig whose server has this fault from an instant on; from the first one: before it starts. */
function since(
  policy: Policy, fault: Parameters<typeof away>[1], fromMs: number, untilMs = untilEver,
  options: rigs.Options = {},
): rigs.Rig {
  if (fromMs > 0) {
    const r = to(rig(policy, options), fromMs);
    suffer(r, [away(r, fault, fromMs, untilMs)]);
    return r;
  }
  return rig(policy, { ...options, before: (w) => {
    options.before?.(w);
    const { startMs } = w.config;
    run.suffer(w, [{ on: "server", fault, fromMs: startMs, untilMs: startMs + untilMs }]);
  } });
}

const flags = (r: rigs.Rig): readonly (readonly [number, boolean])[] => (
  given(r, "connected").map((one) => [one.at, one.isConnected])
);

test("ark: hazards: H1: another key, mad fees: connected is what was answered", () => {
  for (const kind of ["key", "fees"] as const) {
    const s = to(since(source, { kind }, 0), hour);
    assert.equal(given(s, "failed").filter(({ op }) => op === "refresh-server").length, 1);
    assert.deepEqual(flags(s), [[40, true]], "the refresh failed, and the flag is up for good");
  }
  const d = fleet.start();
  fleet.pass(d, 10 * minute);
  const fromMs = fleet.wallMs(d);
  fleet.suffer(d, [{ on: "server", fault: { kind: "key" }, fromMs, untilMs: fromMs + 9 * hour }]);
  fleet.act(d, (w) => acts.restartBarkd(w, "alice"));
  fleet.until(d, () => fleet.troubles(d).includes("server-key"), 65 * minute, minute);
  assert.equal(fleet.one(d).isConnected, false);
  fleet.pass(d, hour);
  assert.equal(fleet.one(d).isConnected, false, "however well it answers");
});

test("ark: hazards: H2: rounds are refused, the server answers: boards go on", () => {
  const world = (policy: Policy): rigs.Rig => to(rig(policy, { net: {
    subscribe: (stream) => (stream === "rounds" ? "refuse" : undefined),
  } }), hour);
  const s = world(source);
  assert.ok(flags(s).length >= 100, "up by the check, down by the stream, once in T each");
  assert.equal(callsOf(s, "sync-onchain").length, 60);
  assert.equal(callsOf(s, "sync-boards").length, 1, "each later pass looks when it is down");
  const d = world(defaults);
  assert.deepEqual(flags(d).map(([, is]) => is), [true]);
  assert.ok(callsOf(d, "sync-boards").length >= 25);
});

test("ark: hazards: H3: packets vanish: what is not heard of is not believed", () => {
  const s = to(since(source, { kind: "black-hole" }, 5 * minute), 3 * hour);
  assert.ok(isConnected(s), "nobody asks while it is up");
  assert.deepEqual(callsOf(s, "refresh-server"), [0]);
  const d = to(since(defaults, { kind: "black-hole" }, 5 * minute), 3 * hour);
  const [, down] = flags(d);
  // A question comes after 70 s at most, and is waited for 20 s.
  assert.ok(down !== undefined && !down[1] && down[0] <= 5 * minute + 90 * second, `${down?.[0]}`);
});

test("ark: hazards: H4: a mailbox that fails is a fact, and a question", () => {
  const net: rigs.Net = {
    subscribe: (stream) => (stream === "mailbox" ? "refuse" : undefined),
    call: ({ op }) => (op !== "sync-mailbox" ? undefined : {
      instead: unavailable("timeout", "x", "no answer"), afterMs: 40,
    }),
  };
  const s = to(rig(source, { net }), hour);
  assert.deepEqual(flags(s), [[40, true]]);
  assert.deepEqual(callsOf(s, "refresh-server"), [0], "and nothing is asked about it");
  const d = to(rig(defaults, { net }), hour);
  const fact = factOf(d.daemons.get("alice")!.facts, "mailbox");
  assert.equal(fact.state, "down");
  assert.ok(callsOf(d, "probe").length > 1.2 * callsOf(to(rig(defaults), hour), "probe").length);
});

test("ark: hazards: H5: a server that comes back wakes who waits for it", () => {
  const gotAt = (policy: Policy): number => {
    const r = since(policy, { kind: "down" }, 0, 30 * second, { before: (w) => {
      acts.pay(w, "alice", { amountsSat: [5_000n], lifeBlocks: 100, exitDepth: 2 });
    } });
    while (coins(r).length === 0) to(r, r.now + second);
    return r.now;
  };
  const s = gotAt(source);
  assert.ok(s >= 2 * minute && s < 2 * minute + 2 * second, "it slept while it was raised in T");
  const d = gotAt(defaults);
  assert.ok(d <= minute + 5 * second, `${d}`);
});

test("ark: hazards: H7: manual: the check goes on while it is connected", () => {
  const manual = (policy: Policy): Policy => ({ ...policy, isManual: true });
  const s = to(since(manual(source), { kind: "down" }, 10 * minute), 6 * hour);
  assert.deepEqual(rigs.transcript(s), ["0 startup: refresh-server", "40 connected: true"]);
  const d = to(since(manual(defaults), { kind: "down" }, 10 * minute), 6 * hour);
  assert.deepEqual(flags(d).map(([, is]) => is), [true, false]);
  assert.ok((flags(d)[1]?.[0] ?? 0) <= 11 * minute + 30 * second);
  const lanes = new Set(given(d, "call").map(({ lane }) => lane));
  assert.deepEqual([...lanes], ["probe"]);
});
