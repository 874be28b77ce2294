import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, text } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import { defaults, type MakerConfig } from "../../../core/maker/config.ts";
import type { MakerEffect, MakerEvent } from "../../../core/maker/events.ts";
import * as maker from "../../../core/maker/maker.ts";
import * as onions from "../../../core/maker/onions.ts";
import type { Maker } from "../../../core/maker/node.ts";
import { status, type Status } from "../../../core/maker/status.ts";
import * as prng from "../../../core/prng.ts";
import { secret } from "../../../core/secret.ts";
import { mono } from "../../../core/time.ts";
import * as errands from "../../../core/tor/errands.ts";
import * as onion from "../../../core/tor/onion.ts";
import { primitives } from "../../support/primitives.ts";
import { fakeTor, hostOfBlob, talk, type FakeTor, type Talk } from "../../support/tor.ts";

const pubkey = "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa";
const blob = Buffer.alloc(64, 5).toString("base64");
const host = hostOfBlob(blob);

type Effect = MakerEffect | { readonly type: "wake" };
type World = {
  readonly k: kernel.Kernel<Maker, MakerEvent, MakerEffect>;
  readonly tor: FakeTor;
  readonly told: Effect[];
  at: number;
  isTorUp: boolean;
  talk: Talk | undefined;
  /** The connection to the control port, and that of a visit. */
  port: ConnId | undefined;
  visit: ConnId | undefined;
  isServed: boolean;
};

function world(): World {
  const tor = fakeTor();
  tor.blobs.push(blob);
  const config: MakerConfig = {
    ...defaults, network: "regtest", pubkey, offers: { ...defaults.offers, network: "regtest" },
    torControl: "127.0.0.1:9051", onion: { ...onion.defaults, target: "127.0.0.1:5300" },
  };
  const state = maker.create(config, prng.key("onions"), primitives, mono(0));
  const k = kernel.create(maker.root(primitives), state, mono(0), false);
  return {
    k, tor, told: [], at: 0, isTorUp: true, talk: undefined, port: undefined, visit: undefined,
    isServed: true,
  };
}

function push(w: World, event: MakerEvent | { readonly type: "tick" }): void {
  for (const effect of kernel.step(w.k, event, mono(w.at))) {
    w.told.push(effect);
    act(w, effect);
  }
}

function act(w: World, effect: Effect): void {
  const { type } = effect;
  if (type === "key.load") push(w, { type: "key.absent", req: effect.req });
  if (type === "key.save") push(w, { type: "key.saved", req: effect.req });
  if (type === "cookie.want") {
    push(w, { type: "cookie.given", req: effect.req, cookie: secret(w.tor.cookie) });
  }
  if (type === "nonce.want") {
    push(w, { type: "nonce.given", req: effect.req, bytes: new Uint8Array(32) });
  }
  if (type === "conn.dial") dialled(w, effect);
  if (type === "conn.confide") {
    assert.equal(effect.conn, w.port);
    const said = w.talk?.say(text(effect.bytes.secret)) ?? "";
    push(w, { type: "conn.confided", conn: effect.conn, bytes: secret(ascii(said)) });
  }
}

function dialled(w: World, { conn, to, isolation, isSecret }: MakerEffect & { type: "conn.dial" }) {
  assert.equal(conn % 4, 0, "the pool mints the other even numbers");
  if (to === "127.0.0.1:9051") {
    assert.deepEqual([isSecret, isolation], [true, undefined]);
    if (!w.isTorUp) return push(w, { type: "conn.failed", conn, reason: "refused" });
    w.port = conn;
    w.talk = talk(w.tor);
    return push(w, { type: "conn.dialed", conn });
  }
  assert.deepEqual([to, isolation, isSecret], [`${host}:5222`, "probe", undefined]);
  w.visit = conn;
  return push(w, w.isServed ? { type: "conn.dialed", conn }
    : { type: "conn.failed", conn, reason: "unreachable" });
}

function pass(w: World, ms: number): void {
  const until = w.at + ms;
  for (let i = 0; i < 10_000 && w.at < until; i += 1) {
    w.at = Math.min(until, Math.max(w.at, w.k.wakeAt));
    push(w, { type: "tick" });
  }
}

const logged = (w: World, code: string): number =>
  w.told.filter((e) => e.type === "log" && e.code === code).length;

function started(): World {
  const w = world();
  push(w, { type: "clock.anchored", unixMs: 1_700_000_000_000 });
  push(w, { type: "operator.started" });
  return w;
}

/** What is shown of the service: its state, the degraded states that are its, and the address. */
function shown(w: World): { readonly told: Status; readonly wrong: string } {
  const told = status(w.k.state, mono(w.at));
  assert.deepEqual(JSON.parse(JSON.stringify(told)), told);
  const wrong = told.degraded.filter(({ name }) => name.startsWith("onion"));
  return { told, wrong: wrong.map(({ name, why }) => `${name}: ${why}`).join() };
}

test("maker: onions: status: down with Tor, up with it, and reached or not", () => {
  const w = world();
  w.isTorUp = false;
  w.isServed = false;
  push(w, { type: "operator.started" });
  assert.match(shown(w).wrong, /^onion-down: .*control port/);
  assert.deepEqual([shown(w).told.onion.state, shown(w).told.location],
    ["down", "NOT-SERVING-ONION"]);
  pass(w, 5_000);
  assert.equal(shown(w).told.onion.sinceMs, 5_000);
  w.isTorUp = true;
  pass(w, 60_000);
  const { told, wrong } = shown(w);
  assert.equal(wrong, "");
  assert.deepEqual([told.onion.state, told.onion.why, told.location], ["up", null, `${host}:5222`]);
  assert.match(told.onion.torVersion ?? "", /^0\./);
  assert.equal(told.onion.reachedMs, null);
  pass(w, 600_000);
  assert.match(shown(w).wrong, /^onion-unreachable: .*unreachable$/);
  assert.equal(shown(w).told.onion.isReachable, false);
  w.isTorUp = false;
  push(w, { type: "conn.closed", conn: w.port as ConnId, reason: "reset" });
  assert.match(shown(w).wrong, /^onion-down: /);
  push(w, { type: "operator.stop" });
  assert.equal(shown(w).wrong, "", "it is down because it stops");
  assert.equal(logged(w, "maker.onion-down"), 1, "that of Tor alone");
});

test("maker: onions: the address is served, and told once its key is durable", () => {
  const w = started();
  assert.equal(logged(w, "maker.onion-address"), 1);
  assert.equal(logged(w, "maker.onion-up"), 1);
  assert.equal(w.k.state.pool.location, `${host}:5222`);
  assert.equal(w.k.state.inbound.location, `${host}:5222`);
  const saved = w.told.findIndex((e) => e.type === "key.save");
  const address = w.told.findIndex((e) => e.type === "log" && e.code === "maker.onion-address");
  assert.ok(saved >= 0 && saved < address, "saved first");
});

test("maker: onions: a visit is a taker's way, and ends with a handshake", () => {
  const w = started();
  pass(w, 31_000);
  const { visit } = w;
  assert.ok(visit !== undefined, "a first visit");
  const sent = w.told.find((e) => e.type === "conn.send" && e.conn === visit);
  assert.ok(sent?.type === "conn.send" && text(sent.bytes).includes("\"type\": 793"), "greeted");
  const hello = handshake.peerHello({
    nick: w.k.state.nick, network: "regtest", location: `${host}:5222`, features: [],
  });
  const frame = envelope.encode(envelope.types.HANDSHAKE, hello);
  push(w, { type: "conn.received", conn: visit, bytes: frame.slice(0, 20) });
  assert.equal(logged(w, "maker.onion-reachable"), 0, "half a line is none");
  push(w, { type: "conn.received", conn: visit, bytes: frame.slice(20) });
  assert.equal(logged(w, "maker.onion-reachable"), 1);
  const closed = w.told.some((e) => e.type === "conn.close" && e.conn === visit);
  assert.ok(closed, "and left");
  assert.equal(w.k.state.errands?.open.has(visit), false);
  push(w, { type: "conn.closed", conn: visit, reason: "aborted" });
});

test("maker: onions: who comes to ourselves through Tor is answered by ourselves", () => {
  const w = started();
  pass(w, 31_000);
  const { visit } = w;
  const said = w.told.find((e) => e.type === "conn.send" && e.conn === visit);
  assert.ok(said?.type === "conn.send" && visit !== undefined);
  const guest = 1 as ConnId;
  push(w, { type: "conn.opened", conn: guest });
  push(w, { type: "conn.received", conn: guest, bytes: said.bytes });
  const answer = w.told.find((e) => e.type === "conn.send" && e.conn === guest);
  assert.ok(answer?.type === "conn.send", "an answer");
  push(w, { type: "conn.received", conn: visit, bytes: answer.bytes });
  assert.equal(shown(w).told.onion.isReachable, true);
});

test("maker: onions: whoever answers otherwise, or nobody, was not us", () => {
  const other = handshake.peerHello({
    nick: "J5Ckon1LuuapPSBM", network: "regtest", location: `${host}:5222`, features: [],
  });
  for (const bytes of [
    ascii("hello\r\n"), ascii(`${"x".repeat(20_000)}\r\n`),
    envelope.encode(envelope.types.HANDSHAKE, other), envelope.encode(envelope.types.PING, ""),
  ]) {
    const w = started();
    pass(w, 31_000);
    push(w, { type: "conn.received", conn: w.visit as ConnId, bytes });
    assert.equal(w.k.state.errands?.onion.standing.reach.failures, 1, "a failure");
  }
  const w = started();
  w.isServed = false;
  pass(w, 300_000);
  assert.equal(logged(w, "maker.onion-reachable"), 1, "told once");
});

test("maker: onions: hazard 13: a Tor that restarts is told, and the service made again", () => {
  const w = started();
  w.isTorUp = false;
  push(w, { type: "conn.closed", conn: w.port as ConnId, reason: "reset" });
  assert.equal(logged(w, "maker.onion-down"), 1);
  assert.equal(w.k.state.onionDownAt, 0);
  pass(w, 60_000);
  assert.equal(logged(w, "maker.onion-up"), 1);
  w.isTorUp = true;
  pass(w, 120_000);
  assert.equal(logged(w, "maker.onion-up"), 2);
  assert.equal(w.k.state.onionDownAt, undefined);
  assert.equal(logged(w, "maker.onion-address"), 1, "the address stays");
});

test("maker: onions: without a service nothing is dialled and nothing is due", () => {
  const config: MakerConfig = {
    ...defaults, network: "regtest", pubkey, offers: { ...defaults.offers, network: "regtest" },
  };
  const d = maker.create(config, prng.key("none"), primitives, mono(0));
  assert.equal(onions.deadline(d), Number.MAX_SAFE_INTEGER);
  const out: MakerEffect[] = [];
  onions.tell(d, { type: "started" }, { now: mono(0), p: primitives, out, todo: [] });
  assert.deepEqual(out, []);
  assert.deepEqual([2, 4, 6, 8].map((conn) => errands.owns(conn as ConnId)), [
    false, true, false, true,
  ]);
});
