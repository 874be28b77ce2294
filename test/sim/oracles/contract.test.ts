/**
 * What every step of every node must keep, one by one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../../../core/bytes.ts";
import { NEVER, mono } from "../../../core/time.ts";
import type { Violation } from "../../../sim/invariants/violation.ts";
import * as contract from "../../../sim/oracles/contract.ts";
import type { Watched } from "../../../sim/oracles/state.ts";
import type { OracleNode, Typed } from "../../../sim/oracles/world.ts";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i * 7 & 0xff);
const peer = {
  kind: "peer", identity: { nick: "x", location: undefined, secret },
} as unknown as OracleNode;

function watched(): Watched {
  return {
    observer: undefined, shadow: undefined, maker: undefined, ark: undefined, journal: undefined,
    pulse: { at: mono(0), steps: 0 }, kept: undefined, auditAt: 0, steps: 0,
  };
}

function glance(m: Watched, effects: readonly Typed[], now = 1): readonly string[] {
  const out: Violation[] = [];
  contract.glance(peer, m, effects, mono(now), out);
  return out.map((v) => v.id);
}

const wake = { type: "wake", at: mono(5) };

test("sim: oracles: contract: kinds of effects, wakes and secrets in log lines", () => {
  assert.deepEqual(glance(watched(), [{ type: "conn.send" }, { type: "told" }, wake]), []);
  assert.deepEqual(glance(watched(), [{ type: "store.sync" }]), ["X2"]);
  assert.deepEqual(glance(watched(), [wake, wake]), ["X4"]);
  const line = { type: "log", level: "info", code: "key", fields: { key: hex(secret) } };
  assert.deepEqual(glance(watched(), [line]), ["X6"]);
  const sealed = { ...line, fields: { key: "-" } };
  assert.deepEqual(glance(watched(), [sealed]), []);
});

test("sim: oracles: contract: endless steps at one instant are X5, once", () => {
  const m = watched();
  const said: string[] = [];
  for (let i = 0; i < 50_100; i += 1) said.push(...glance(m, []));
  assert.deepEqual(said, ["X5"]);
  assert.deepEqual(glance(m, [], 2), []);
});

test("sim: oracles: contract: a close look sees fractions, late changes and deadlines", () => {
  const kernel = { root: { deadline: () => NEVER }, state: {}, wakeAt: NEVER, now: mono(1) };
  const look = (m: Watched, event: Typed, effects: readonly Typed[]): readonly string[] => {
    const out: Violation[] = [];
    contract.look(peer, m, kernel as never, event, effects, mono(1), out);
    return out.map((v) => v.id);
  };
  const send = { type: "conn.send", conn: 2, bytes: Uint8Array.of(1, 2) };
  const m = watched();
  assert.deepEqual(look(m, { type: "tick" }, [send]), []);
  send.bytes[0] = 9;
  assert.deepEqual(glance(m, []), ["X1"]);
  assert.deepEqual(glance(m, []), [], "looked at once");
  const half = { type: "conn.send", conn: 1 / 2 };
  assert.deepEqual(look(watched(), { type: "tick" }, [half]), ["X2"]);
  kernel.wakeAt = mono(3);
  assert.deepEqual(look(watched(), { type: "tick" }, []), ["X4"]);
  kernel.wakeAt = NEVER;
  const given = { type: "conn.received", bytes: secret };
  assert.deepEqual(look(watched(), given, []), ["X6"], "a secret that came unmarked");
});
