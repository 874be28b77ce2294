import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as admission from "../../../core/directory/admission.ts";
import {
  defaults, type DirectoryConfig, type LimitsConfig,
} from "../../../core/directory/config.ts";
import type { ConnId } from "../../../core/ids.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const classes = ["public", "orderbook", "private", "peerlist", "ping", "other"] as const;
const id = (n: number) => n as ConnId;

function with_(
  limits: Partial<LimitsConfig>,
  rest: Partial<DirectoryConfig> = {},
): DirectoryConfig {
  return { ...defaults, ...rest, limits: { ...defaults.limits, ...limits } };
}

/** How many lines of a class are taken at one instant, up to `max`. */
function burst(m: admission.Admission, conn: number, cls: admission.Class, at: number, max = 600) {
  let taken = 0;
  while (taken < max && admission.admit(m, id(conn), cls, mono(at)) === "ok") taken += 1;
  return taken;
}

/** What is stored about connections and circuits, so that "nothing" can be said. */
function entries(m: admission.Admission): number {
  const tats = classes.reduce((sum, cls) => sum + m.buckets[cls].tats.size, 0);
  return tats + m.bound.size + m.circuits.size + m.departed.size + m.drops.size;
}

for (const cls of classes) {
  test(`directory: admission: flood of ${cls} is cut at its burst, other classes are not`, () => {
    const m = admission.create(defaults);
    const rate = defaults.limits[cls];
    assert.equal(burst(m, 1, cls, 0), rate.burst);
    const perTokenMs = Math.ceil(rate.perMs / rate.tokens);
    assert.equal(burst(m, 1, cls, perTokenMs - 1), 0);
    assert.equal(burst(m, 1, cls, perTokenMs), 1);
    for (const other of classes) {
      if (other !== cls) assert.equal(admission.admit(m, id(1), other, mono(perTokenMs)), "ok");
    }
    assert.equal(burst(m, 3, cls, perTokenMs), rate.burst, "another connection is not touched");
  });
}

test("directory: admission: a thousand drops in a minute are borne, one more closes", () => {
  const m = admission.create(defaults);
  burst(m, 1, "ping", 0); // ends with the first drop
  for (let i = 2; i <= 1_000; i += 1) {
    assert.equal(admission.admit(m, id(1), "ping", mono(1_000)), "drop");
  }
  assert.equal(admission.admit(m, id(1), "peerlist", mono(59_999)), "ok");
  assert.equal(admission.admit(m, id(1), "orderbook", mono(59_999)), "ok");
  burst(m, 1, "peerlist", 59_999);
  assert.equal(admission.admit(m, id(1), "peerlist", mono(59_999)), "close");
  assert.equal(admission.admit(m, id(3), "ping", mono(59_999)), "ok");
});

test("directory: admission: a window of drops ends at its very millisecond", () => {
  const slow = { tokens: 1, perMs: 86_400_000, burst: 1 };
  const m = admission.create(with_({ other: slow, dropsMax: 2, dropsWindowMs: 100 }));
  const at = (ms: number) => admission.admit(m, id(1), "other", mono(ms));
  assert.deepEqual([at(0), at(7), at(50), at(106)], ["ok", "drop", "drop", "close"]);
  assert.deepEqual([at(107), at(206), at(206)], ["drop", "drop", "close"]);
  const none = admission.create(with_({ other: slow, dropsMax: 0 }));
  assert.equal(admission.admit(none, id(1), "other", mono(0)), "ok");
  assert.equal(admission.admit(none, id(1), "other", mono(0)), "close");
});

test("directory: admission: ten thousand connections that never speak store nothing", () => {
  const m = admission.create(defaults);
  for (let conn = 1; conn <= 20_000; conn += 2) admission.opened(m, id(conn), mono(conn));
  assert.equal(entries(m), 0);
});

test("directory: admission: a connection that is gone leaves nothing", () => {
  const m = admission.create(with_({ dropsMax: 5 }));
  for (const cls of classes) burst(m, 1, cls, 0);
  assert.ok(entries(m) > 0);
  admission.closed(m, id(1));
  admission.closed(m, id(1));
  assert.equal(entries(m), 0);
});

test("directory: admission: connections of one circuit share one budget", () => {
  const m = admission.create(defaults);
  assert.ok(admission.circuit(m, id(1), 7));
  assert.ok(admission.circuit(m, id(3), 7));
  assert.ok(admission.circuit(m, id(5), 8));
  assert.equal(burst(m, 1, "public", 0), 200);
  assert.equal(burst(m, 3, "public", 0), 0);
  assert.equal(burst(m, 5, "public", 0), 200);
  assert.equal(burst(m, 9, "public", 0), 200, "an unbound connection has its own");
});

test("directory: admission: a circuit has no more connections than allowed", () => {
  const m = admission.create(with_({}, { connsPerCircuitMax: 2 }));
  assert.ok(admission.circuit(m, id(1), 0));
  assert.ok(admission.circuit(m, id(3), 0));
  assert.ok(!admission.circuit(m, id(5), 0));
  admission.closed(m, id(5));
  assert.ok(!admission.circuit(m, id(7), 0));
  admission.closed(m, id(1));
  assert.ok(admission.circuit(m, id(7), 0));
  assert.ok(admission.circuit(m, id(9), 0xffff_ffff));
});

test("directory: admission: reconnecting on the same circuit brings no fresh burst", () => {
  const m = admission.create(defaults);
  admission.circuit(m, id(1), 7);
  assert.equal(burst(m, 1, "orderbook", 0), 3);
  admission.closed(m, id(1));
  assert.equal(m.departed.size, 1);
  admission.circuit(m, id(3), 7);
  assert.equal(m.departed.size, 0);
  assert.equal(burst(m, 3, "orderbook", 9_999), 0);
  assert.equal(burst(m, 3, "orderbook", 10_000), 1);
  admission.closed(m, id(3));
  admission.opened(m, id(5), mono(59_999));
  assert.equal(m.departed.size, 1);
  admission.opened(m, id(5), mono(60_000));
  assert.equal(entries(m), 0);
});

test("directory: admission: drops of a circuit count on after a reconnect", () => {
  const m = admission.create(with_({ dropsMax: 3 }));
  admission.circuit(m, id(1), 7);
  burst(m, 1, "ping", 0);
  admission.admit(m, id(1), "ping", mono(0));
  admission.closed(m, id(1));
  admission.circuit(m, id(3), 7);
  assert.equal(admission.admit(m, id(3), "ping", mono(1)), "drop");
  assert.equal(admission.admit(m, id(3), "ping", mono(1)), "close");
});

test("directory: admission: departed circuits are bounded, the first to leave goes first", () => {
  const m = admission.create(defaults);
  for (let n = 0; n <= admission.departedMax; n += 1) {
    const conn = id(2 * n + 1);
    admission.circuit(m, conn, n);
    admission.admit(m, conn, "peerlist", mono(0));
    admission.closed(m, conn);
  }
  assert.equal(m.departed.size, admission.departedMax);
  assert.equal(m.buckets.peerlist.tats.size, admission.departedMax);
  assert.ok(!m.departed.has(-1));
  admission.opened(m, id(1), mono(120_000));
  assert.equal(entries(m), 0);
});

test("directory: admission: a circuit that spent nothing is not remembered", () => {
  const m = admission.create(defaults);
  admission.circuit(m, id(1), 7);
  assert.equal(entries(m), 2);
  admission.closed(m, id(1));
  assert.equal(entries(m), 0);
});

test("directory: admission: the node verifies so many proofs, whoever sends them", () => {
  const m = admission.create(defaults);
  let verified = 0;
  for (let i = 0; i < 1_000; i += 1) if (admission.proof(m, mono(0))) verified += 1;
  assert.equal(verified, 400);
  assert.ok(!admission.proof(m, mono(4)));
  assert.ok(admission.proof(m, mono(5)));
});

test("directory: admission: reload changes every limit and hands out no burst", () => {
  const m = admission.create(defaults);
  for (const cls of classes) burst(m, 1, cls, 0);
  const rate = { tokens: 1, perMs: 1_000, burst: 2 };
  const next = {
    public: rate, orderbook: rate, private: rate, peerlist: rate, ping: rate, other: rate,
    proofs: rate, dropsMax: 7, dropsWindowMs: 50_000,
  };
  admission.reload(m, next, mono(0));
  for (const cls of classes) assert.equal(burst(m, 1, cls, 0), 0);
  for (const cls of classes) assert.equal(burst(m, 1, cls, 1_000), 1);
  for (const cls of classes) assert.equal(burst(m, 3, cls, 1_000), 2);
  assert.equal(admission.admit(m, id(1), "ping", mono(1_000)), "close");
  assert.ok(admission.proof(m, mono(1_000)));
  assert.ok(admission.proof(m, mono(1_000)));
  assert.ok(!admission.proof(m, mono(1_000)));
});

test("directory: admission: misuse and limits out of range are caught", () => {
  const m = admission.create(defaults);
  for (const bad of [-1, 0.5, 2 ** 32]) {
    assert.throws(() => admission.circuit(m, id(1), bad), InvariantError);
  }
  admission.circuit(m, id(1), 1);
  assert.throws(() => admission.circuit(m, id(1), 2), InvariantError);
  assert.throws(() => admission.opened(m, id(-1), mono(0)), InvariantError);
  assert.throws(() => admission.create(with_({ dropsMax: -1 })), InvariantError);
  assert.throws(() => admission.create(with_({ dropsWindowMs: 0 })), InvariantError);
  assert.throws(() => admission.create(with_({}, { connsPerCircuitMax: 0 })), InvariantError);
});

type Call =
  | { readonly type: "opened" | "closed" | "speaks"; readonly conn: ConnId; readonly cls: 0 | 1 }
  | { readonly type: "proof" | "tick" };
type Said = { readonly conn: ConnId; readonly cls: admission.Class; readonly said: string };

const rate = { tokens: 1, perMs: 50, burst: 2 };
const small = with_(
  { public: rate, private: rate, proofs: rate, dropsMax: 3, dropsWindowMs: 200 },
  { connsPerCircuitMax: 2 },
);
/** Connection 1 comes without a circuit, 2 to 5 share two. */
const circuitOf = (conn: number) => (conn <= 1 ? undefined : conn % 2);
const keyOf = (conn: number) => circuitOf(conn) ?? conn + 10;

function step(m: admission.Admission, event: Call, now: Mono, out: Said[]): void {
  switch (event.type) {
    case "opened": {
      if (m.bound.has(event.conn)) return;
      admission.opened(m, event.conn, now);
      const circuit = circuitOf(event.conn);
      if (circuit !== undefined) admission.circuit(m, event.conn, circuit);
      return;
    }
    case "closed": return admission.closed(m, event.conn);
    case "speaks": {
      const { conn } = event;
      if (circuitOf(conn) !== undefined && !m.bound.has(conn)) return;
      const cls = event.cls === 0 ? "public" : "private";
      out.push({ conn, cls, said: admission.admit(m, conn, cls, now) });
      return;
    }
    case "proof": return void admission.proof(m, now);
    case "tick": return;
  }
}

function holds(m: admission.Admission): void {
  const counted = new Map<number, number>();
  for (const key of m.bound.values()) counted.set(key, (counted.get(key) ?? 0) + 1);
  assert.deepEqual(m.circuits, counted);
  for (const key of m.departed) assert.ok(!m.circuits.has(key));
  const known = (key: number) => key >= 0 || m.circuits.has(key) || m.departed.has(key);
  for (const cls of classes) for (const key of m.buckets[cls].tats.keys()) assert.ok(known(key));
  for (const key of m.drops.keys()) assert.ok(known(key));
}

test("directory: admission: the four laws hold and no circuit gains by reconnecting", () => {
  const conn = fc.integer({ min: 1, max: 5 }).map(id);
  const cls = fc.constantFrom(0 as const, 1 as const);
  const type = fc.constantFrom("opened", "closed", "speaks", "speaks", "speaks", "speaks");
  const event = fc.oneof(
    { weight: 12, arbitrary: fc.record({ type, conn, cls }) as fc.Arbitrary<Call> },
    { weight: 1, arbitrary: fc.constant<Call>({ type: "proof" }) },
  );
  const lives = ({ steps, state, now }: Run<admission.Admission, Call, Said>) => {
    const taken = steps.flatMap(({ at, effects }) => effects.map((effect) => ({ at, ...effect })))
      .filter((line) => line.said === "ok" && circuitOf(line.conn) !== undefined);
    taken.forEach((first, i) => {
      const same = taken.slice(i)
        .filter((line) => line.cls === first.cls && keyOf(line.conn) === keyOf(first.conn));
      same.forEach((line, more) => {
        assert.ok(more + 1 <= rate.burst + Math.floor((line.at - first.at) / rate.perMs));
      });
    });
    // Left alone for longer than a refill and a window, everybody has a burst, and only that.
    for (let c = 1; c <= 5; c += 1) admission.closed(state, id(c));
    admission.opened(state, id(9), now);
    assert.equal(entries(state), 0);
    assert.equal(burst(state, 9, "public", now), rate.burst);
  };
  const subject: Subject<admission.Admission, Call, Said> = {
    create: () => admission.create(small),
    step,
    deadline: () => NEVER,
    tick: { type: "tick" },
    settleMs: 60_000,
    holds,
    lives,
  };
  fc.assert(fc.property(scripts(event, 80, 40), (script) => {
    laws(subject, script);
  }), { numRuns: 200 });
});
