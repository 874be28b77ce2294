import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, text } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as prng from "../../../core/prng.ts";
import { secret } from "../../../core/secret.ts";
import { mono } from "../../../core/time.ts";
import * as errands from "../../../core/tor/errands.ts";
import * as onion from "../../../core/tor/onion.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const host = hostOf(new Uint8Array(32).fill(4));
const manners: errands.Manners = {
  hello: () => ascii("hello\r\n"), isOurs: (frame) => text(frame).trim() === "welcome",
};

type World = { readonly m: errands.Errands; at: number };

function world(managed: "control" | "torrc"): World {
  const config = { ...onion.defaults, managed };
  const service = onion.create(config, prng.key("errands"), mono(0));
  return { m: errands.create(service, "127.0.0.1:9051"), at: 0 };
}

function turn(w: World, act: (t: errands.Turn) => void): readonly errands.Effect[] {
  const out: errands.Effect[] = [];
  act({ now: mono(w.at), p: primitives, out, manners });
  return out.filter(({ type }) => type !== "log");
}

const tell = (w: World, event: onion.Event): readonly errands.Effect[] =>
  turn(w, (t) => errands.tell(w.m, event, t));
const happened = (w: World, event: errands.WireEvent): readonly errands.Effect[] =>
  turn(w, (t) => errands.happened(w.m, event, t));

/** A service of torrc whose first visit has been dialled. */
function visiting(): World {
  const w = world("torrc");
  tell(w, { type: "started" });
  tell(w, { type: "hostname.given", req: 1, text: `${host}\n` });
  w.at = onion.defaults.reach.firstMs;
  const dial = tell(w, { type: "tick" }).find(({ type }) => type === "conn.dial");
  assert.deepEqual(dial, {
    type: "conn.dial", conn: 4, to: `${host}:5222`, isolation: "probe",
  });
  return w;
}

const conn = 4 as ConnId;

test("tor: errands: every fourth number is theirs", () => {
  assert.deepEqual([1, 2, 3, 4, 6, 8].map((id) => errands.owns(id as ConnId)), [
    false, false, false, true, false, true,
  ]);
});

test("tor: errands: the control port is dialled as a secret, and without Tor's help", () => {
  const w = world("control");
  tell(w, { type: "started" });
  assert.deepEqual(tell(w, { type: "key.absent", req: 1 }), [
    { type: "conn.dial", conn: 4, to: "127.0.0.1:9051", isSecret: true },
  ]);
  const [said] = happened(w, { type: "conn.dialed", conn });
  assert.ok(said?.type === "conn.confide" && text(said.bytes.secret) === "PROTOCOLINFO 1\r\n");
  happened(w, { type: "conn.confided", conn, bytes: secret(ascii("nonsense\r\n")) });
  assert.equal(w.m.open.size, 0, "what is no Tor is left");
  assert.deepEqual(happened(w, { type: "conn.closed", conn, reason: "aborted" }), []);
});

test("tor: errands: a control port that refuses, or that ends, is dialled again later", () => {
  for (const event of [
    { type: "conn.failed", conn, reason: "refused" }, { type: "conn.closed", conn, reason: "eof" },
  ] as const) {
    const w = world("control");
    tell(w, { type: "started" });
    tell(w, { type: "key.absent", req: 1 });
    if (event.type === "conn.closed") happened(w, { type: "conn.dialed", conn });
    happened(w, event);
    assert.equal(w.m.onion.at.phase, "waiting");
    w.at = errands.deadline(w.m);
    assert.deepEqual(tell(w, { type: "tick" }), [
      { type: "conn.dial", conn: 8, to: "127.0.0.1:9051", isSecret: true },
    ]);
  }
});

test("tor: errands: a visit says hello, and the right answer in pieces is one", () => {
  const w = visiting();
  const [hello] = happened(w, { type: "conn.dialed", conn });
  assert.ok(hello?.type === "conn.send" && text(hello.bytes) === "hello\r\n");
  assert.deepEqual(happened(w, { type: "conn.received", conn, bytes: ascii("welc") }), []);
  const over = happened(w, { type: "conn.received", conn, bytes: ascii("ome\r\nmore\r\n") });
  assert.deepEqual(over.map(({ type }) => type), ["conn.close", "reachable"]);
  assert.equal(w.m.open.size, 0);
});

test("tor: errands: another answer, a long line, an end, a failed dial: no handshake", () => {
  const events: readonly errands.WireEvent[] = [
    { type: "conn.received", conn, bytes: ascii("go away\r\n") },
    { type: "conn.received", conn, bytes: ascii("x".repeat(20_000)) },
    { type: "conn.closed", conn, reason: "reset" },
    { type: "conn.failed", conn, reason: "unreachable" },
  ];
  for (const event of events) {
    const w = visiting();
    if (event.type !== "conn.failed") happened(w, { type: "conn.dialed", conn });
    happened(w, event);
    assert.equal(w.m.onion.standing.reach.failures, 1, event.type);
    assert.equal(w.m.open.size, 0);
  }
});

test("tor: errands: a visit that takes too long is left", () => {
  const w = visiting();
  happened(w, { type: "conn.dialed", conn });
  w.at += onion.defaults.reach.visitMs;
  const closed = tell(w, { type: "tick" }).find(({ type }) => type === "conn.close");
  assert.deepEqual(closed, { type: "conn.close", conn, how: "abort", reason: "done" });
});

test("tor: errands: what happens to others' connections changes nothing", () => {
  const w = visiting();
  const before = structuredClone(w.m);
  for (const id of [5, 12] as ConnId[]) {
    assert.deepEqual(happened(w, { type: "conn.received", conn: id, bytes: ascii("x") }), []);
    assert.deepEqual(happened(w, { type: "conn.drained", conn: id }), []);
  }
  assert.deepEqual(happened(w, { type: "conn.congested", conn }), []);
  assert.deepEqual(w.m, before);
});
