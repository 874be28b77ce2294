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

/** One line; a short one unless told otherwise. */
function admit(
  m: admission.Admission, conn: number, cls: admission.Class, at: number, bytes = 9,
): admission.Verdict {
  return admission.admit(m, id(conn), cls, bytes, mono(at));
}

/** How many lines of a class are taken at one instant, up to `max`. */
function burst(m: admission.Admission, conn: number, cls: admission.Class, at: number, max = 600) {
  let taken = 0;
  while (taken < max && admit(m, conn, cls, at) === "ok") taken += 1;
  return taken;
}

/** What is stored about connections and circuits, so that "nothing" can be said. */
function entries(m: admission.Admission): number {
  const tats = Object.values(m.buckets).reduce((sum, bucket) => sum + bucket.tats.size, 0);
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
      if (other !== cls) assert.equal(admit(m, 1, other, perTokenMs), "ok");
    }
    assert.equal(burst(m, 3, cls, perTokenMs), rate.burst, "another connection is not touched");
  });
}

test("directory: admission: a thousand drops in a minute are borne, one more closes", () => {
  const m = admission.create(defaults);
  burst(m, 1, "ping", 0); // ends with the first drop
  for (let i = 2; i <= 1_000; i += 1) {
    assert.equal(admit(m, 1, "ping", 1_000), "drop");
  }
  assert.equal(admit(m, 1, "peerlist", 59_999), "ok");
  assert.equal(admit(m, 1, "orderbook", 59_999), "ok");
  burst(m, 1, "peerlist", 59_999);
  assert.equal(admit(m, 1, "peerlist", 59_999), "close");
  assert.equal(admit(m, 3, "ping", 59_999), "ok");
});

test("directory: admission: a window of drops ends at its very millisecond", () => {
  const slow = { tokens: 1, perMs: 86_400_000, burst: 1 };
  const m = admission.create(with_({ other: slow, dropsMax: 2, dropsWindowMs: 100 }));
  const at = (ms: number) => admit(m, 1, "other", ms);
  assert.deepEqual([at(0), at(7), at(50), at(106)], ["ok", "drop", "drop", "close"]);
  assert.deepEqual([at(107), at(206), at(206)], ["drop", "drop", "close"]);
  const none = admission.create(with_({ other: slow, dropsMax: 0 }));
  assert.equal(admit(none, 1, "other", 0), "ok");
  assert.equal(admit(none, 1, "other", 0), "close");
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
  admit(m, 1, "ping", 0);
  admission.closed(m, id(1));
  admission.circuit(m, id(3), 7);
  assert.equal(admit(m, 3, "ping", 1), "drop");
  assert.equal(admit(m, 3, "ping", 1), "close");
});

test("directory: admission: departed circuits are bounded, the first to leave goes first", () => {
  const m = admission.create(defaults);
  for (let n = 0; n <= admission.departedMax; n += 1) {
    const conn = id(2 * n + 1);
    admission.circuit(m, conn, n);
    admission.admit(m, conn, "peerlist", 9, mono(0));
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

/** How many proofs of a connection are verified at one instant. */
function proofs(m: admission.Admission, conn: number, at: number): number {
  let verified = 0;
  while (verified < 5_000 && admission.proof(m, id(conn), mono(at))) verified += 1;
  return verified;
}

test("directory: admission: the node verifies so many proofs, whoever sends them", () => {
  const m = admission.create(defaults);
  assert.equal(proofs(m, 1, 0), 2_000);
  assert.equal(proofs(m, 3, 1), 0);
  assert.equal(proofs(m, 3, 2), 1);
  assert.equal(entries(m), 0, "nothing is stored for a connection");
});

test("directory: admission: a circuit has few proofs, over all its connections", () => {
  const m = admission.create(defaults);
  for (const conn of [1, 3]) admission.circuit(m, id(conn), 7);
  admission.circuit(m, id(5), 8);
  assert.equal(proofs(m, 1, 0), 5);
  assert.equal(proofs(m, 3, 999), 0);
  assert.equal(proofs(m, 3, 1_000), 1);
  assert.equal(proofs(m, 5, 1_000), 5, "another circuit has its own");
  admission.closed(m, id(1));
  admission.closed(m, id(3));
  admission.circuit(m, id(9), 7);
  assert.equal(proofs(m, 9, 1_001), 0, "reconnecting brings no fresh burst");
});

test("directory: admission: a proof that the node refuses costs its circuit nothing", () => {
  const m = admission.create(with_({ proofs: { tokens: 1, perMs: 1_000, burst: 3 } }));
  admission.circuit(m, id(1), 7);
  assert.equal(proofs(m, 3, 0), 3);
  assert.equal(proofs(m, 1, 0), 0);
  assert.equal(m.buckets.proofsPerCircuit.tats.size, 0);
  admission.reload(m, { ...defaults.limits, proofs: { tokens: 1, perMs: 1, burst: 9 } }, mono(0));
  assert.equal(proofs(m, 1, 100), 5);
});

test("directory: admission: a proof that its circuit may not have costs the node nothing", () => {
  const m = admission.create(with_({ proofs: { tokens: 1, perMs: 1_000, burst: 6 } }));
  admission.circuit(m, id(1), 7);
  assert.equal(proofs(m, 1, 0), 5);
  assert.equal(proofs(m, 3, 0), 1);
});

/** The classes whose bytes are counted, and the budget that counts them. */
const sized = [
  ["public", "publicBytes"], ["orderbook", "publicBytes"], ["private", "privateBytes"],
] as const;
const endless = { tokens: 1_000, perMs: 1, burst: 1_000_000 };
const unlimited = { public: endless, orderbook: endless, private: endless };

for (const [cls, name] of sized) {
  test(`directory: admission: the bytes of ${cls} lines fit to the byte and to the ms`, () => {
    const m = admission.create(with_({ ...unlimited, dropsMax: 9 }));
    const { tokens, perMs, burst } = defaults.limits[name];
    assert.equal(admit(m, 1, cls, 0, burst + 1), "drop");
    assert.equal(admit(m, 1, cls, 0, burst - 10), "ok");
    assert.equal(admit(m, 1, cls, 0, 11), "drop");
    assert.equal(admit(m, 1, cls, 0, 10), "ok");
    const perMsBytes = tokens / perMs;
    assert.equal(admit(m, 1, cls, 49, 50 * perMsBytes), "drop");
    assert.equal(admit(m, 1, cls, 50, 50 * perMsBytes), "ok");
    assert.equal(admit(m, 1, cls, 50, 1), "drop");
    assert.equal(admit(m, 3, cls, 50, burst), "ok", "another connection is not touched");
  });

  test(`directory: admission: ${cls} refused by one budget spends nothing of the other`, () => {
    const two = { tokens: 1, perMs: 1_000, burst: 2 };
    const bytes = { tokens: 1, perMs: 1, burst: 100 };
    const m = admission.create(with_({ [cls]: two, [name]: bytes }));
    assert.equal(admit(m, 1, cls, 0, 101), "drop");
    assert.equal(m.buckets[cls].tats.size, 0, "a line that is too long spends no line");
    assert.equal(admit(m, 1, cls, 0, 30), "ok");
    assert.equal(admit(m, 1, cls, 0, 71), "drop");
    assert.equal(admit(m, 1, cls, 0, 30), "ok");
    assert.equal(admit(m, 1, cls, 60, 40), "drop");
    assert.equal(m.buckets[name].tats.get(1), 60, "a line too many spends no bytes");
    assert.equal(admit(m, 1, cls, 1_000, 100), "ok");
  });
}

test("directory: admission: bytes of public and orderbook lines are one budget", () => {
  const m = admission.create(with_(unlimited));
  assert.equal(admit(m, 1, "orderbook", 0, 262_144), "ok");
  assert.equal(admit(m, 1, "public", 0, 1), "drop");
  assert.equal(admit(m, 1, "private", 0, 2_000_000), "ok");
  for (const cls of ["peerlist", "ping", "other"] as const) {
    assert.equal(admit(m, 1, cls, 0, 10_000_000), "ok");
  }
});

test("directory: admission: connections of a circuit share its bytes, at once or in turn", () => {
  const m = admission.create(with_(unlimited));
  for (const conn of [1, 3]) admission.circuit(m, id(conn), 7);
  admission.circuit(m, id(5), 8);
  assert.equal(admit(m, 1, "public", 0, 200_000), "ok");
  assert.equal(admit(m, 3, "public", 0, 62_145), "drop");
  assert.equal(admit(m, 3, "public", 0, 62_144), "ok");
  assert.equal(admit(m, 5, "public", 0, 262_144), "ok");
  for (const conn of [1, 3]) admission.closed(m, id(conn));
  admission.circuit(m, id(9), 7);
  assert.equal(admit(m, 9, "public", 5, 101), "drop");
  assert.equal(admit(m, 9, "public", 5, 100), "ok");
});

test("directory: admission: bytes over budget count as drops, and too many close", () => {
  const m = admission.create(with_({ ...unlimited, dropsMax: 3 }));
  assert.equal(admit(m, 1, "private", 0, 2_000_000), "ok");
  for (let i = 0; i < 3; i += 1) assert.equal(admit(m, 1, "private", 0, 40_000), "drop");
  assert.equal(admit(m, 1, "private", 0, 40_000), "close");
});

test("directory: admission: a reload of byte rates hands out no burst", () => {
  const m = admission.create(with_(unlimited));
  assert.equal(admit(m, 1, "public", 0, 100_000), "ok");
  const publicBytes = { tokens: 1, perMs: 1, burst: 150_000 };
  admission.reload(m, { ...defaults.limits, ...unlimited, publicBytes }, mono(0));
  assert.equal(admit(m, 1, "public", 0, 50_001), "drop");
  assert.equal(admit(m, 1, "public", 0, 50_000), "ok");
  assert.equal(admit(m, 1, "public", 99, 100), "drop");
  assert.equal(admit(m, 1, "public", 100, 100), "ok");
});

test("directory: admission: reload changes every limit and hands out no burst", () => {
  const m = admission.create(defaults);
  for (const cls of classes) burst(m, 1, cls, 0);
  const rate = { tokens: 1, perMs: 1_000, burst: 2 };
  const next = {
    public: rate, orderbook: rate, private: rate, peerlist: rate, ping: rate, other: rate,
    publicBytes: endless, privateBytes: endless,
    proofs: rate, proofsPerCircuit: rate, dropsMax: 7, dropsWindowMs: 50_000,
  };
  admission.reload(m, next, mono(0));
  for (const cls of classes) assert.equal(burst(m, 1, cls, 0), 0);
  for (const cls of classes) assert.equal(burst(m, 1, cls, 1_000), 1);
  for (const cls of classes) assert.equal(burst(m, 3, cls, 1_000), 2);
  assert.equal(admit(m, 1, "ping", 1_000), "close");
  assert.ok(admission.proof(m, id(1), mono(1_000)));
  assert.ok(admission.proof(m, id(1), mono(1_000)));
  assert.ok(!admission.proof(m, id(1), mono(1_000)));
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
  | {
    readonly type: "opened" | "closed" | "speaks" | "proof";
    readonly conn: ConnId;
    readonly cls: 0 | 1;
    readonly bytes: number;
  }
  | { readonly type: "tick" };
type Said = {
  readonly conn: ConnId; readonly cls: admission.Class; readonly bytes: number;
  readonly said: string;
};

const rate = { tokens: 1, perMs: 50, burst: 2 };
const byteRate = { tokens: 2, perMs: 3, burst: 60 };
const small = with_(
  {
    public: rate, private: rate, publicBytes: byteRate, privateBytes: byteRate, proofs: rate,
    proofsPerCircuit: rate, dropsMax: 3, dropsWindowMs: 200,
  },
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
      const { conn, bytes } = event;
      if (circuitOf(conn) !== undefined && !m.bound.has(conn)) return;
      const cls = event.cls === 0 ? "public" : "private";
      out.push({ conn, cls, bytes, said: admission.admit(m, conn, cls, bytes, now) });
      return;
    }
    case "proof": return void admission.proof(m, event.conn, now);
    case "tick": return;
  }
}

function holds(m: admission.Admission): void {
  const counted = new Map<number, number>();
  for (const key of m.bound.values()) counted.set(key, (counted.get(key) ?? 0) + 1);
  assert.deepEqual(m.circuits, counted);
  for (const key of m.departed) assert.ok(!m.circuits.has(key));
  const known = (key: number) => key >= 0 || m.circuits.has(key) || m.departed.has(key);
  for (const { tats } of Object.values(m.buckets)) {
    for (const key of tats.keys()) assert.ok(known(key));
  }
  for (const key of m.drops.keys()) assert.ok(known(key));
}

test("directory: admission: the four laws hold and no circuit gains by reconnecting", () => {
  const conn = fc.integer({ min: 1, max: 5 }).map(id);
  const cls = fc.constantFrom(0 as const, 1 as const);
  const speaks = ["speaks", "speaks", "speaks", "speaks"];
  const type = fc.constantFrom("opened", "closed", "proof", ...speaks);
  const bytes = fc.integer({ min: 1, max: 70 });
  const event = fc.record({ type, conn, cls, bytes }) as fc.Arbitrary<Call>;
  const lives = ({ steps, state, now }: Run<admission.Admission, Call, Said>) => {
    const taken = steps.flatMap(({ at, effects }) => effects.map((effect) => ({ at, ...effect })))
      .filter((line) => line.said === "ok" && circuitOf(line.conn) !== undefined);
    taken.forEach((first, i) => {
      const same = taken.slice(i)
        .filter((line) => line.cls === first.cls && keyOf(line.conn) === keyOf(first.conn));
      let sum = 0;
      same.forEach((line, more) => {
        const ms = line.at - first.at;
        sum += line.bytes;
        assert.ok(more + 1 <= rate.burst + Math.floor(ms / rate.perMs));
        assert.ok(sum <= byteRate.burst + Math.floor((ms * byteRate.tokens) / byteRate.perMs));
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
