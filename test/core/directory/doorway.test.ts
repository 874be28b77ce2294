/**
 * The onion service of a directory, with a small Tor and the real node behind the address.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, text } from "../../../core/bytes.ts";
import { defaults } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import type { DirectoryEvent } from "../../../core/directory/events.ts";
import * as doorway from "../../../core/directory/doorway.ts";
import { status } from "../../../core/directory/status.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as kernel from "../../../core/kernel/kernel.ts";
import * as prng from "../../../core/prng.ts";
import { secret } from "../../../core/secret.ts";
import { mono } from "../../../core/time.ts";
import * as onion from "../../../core/tor/onion.ts";
import { laws, scripts } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { fakeTor, hostOfBlob, talk, type FakeTor, type Talk } from "../../support/tor.ts";

const blob = Buffer.alloc(64, 9).toString("base64");
const host = hostOfBlob(blob);
const location = `${host}:5222`;
const control = "127.0.0.1:9051";

type Effect = doorway.DoorwayEffect | { readonly type: "wake" };
type World = {
  readonly k: kernel.Kernel<doorway.Doorway, doorway.DoorwayEvent, doorway.DoorwayEffect>;
  readonly node: kernel.Kernel<
    directory.Directory, DirectoryEvent, Parameters<ReturnType<typeof directory.root>["step"]>[3][0]
  >;
  readonly tor: FakeTor;
  readonly told: Effect[];
  at: number;
  isTorUp: boolean;
  talk: Talk | undefined;
  port: ConnId | undefined;
  /** Where a visit arrives: at the node, at a stranger, or nowhere. */
  leads: "node" | "stranger" | "nowhere";
  hostname: string | undefined;
  nextGuest: number;
};

const settings: doorway.Config = {
  network: "mainnet", control, onion: { ...onion.defaults, target: "127.0.0.1:5300" },
};

function world(over: Partial<onion.Config> = {}): World {
  const tor = fakeTor();
  tor.blobs.push(blob);
  const config = { ...settings, onion: { ...settings.onion, ...over } };
  const state = doorway.create(config, prng.key("doorway"), mono(0));
  const node = directory.create({ ...defaults, peersMax: 1 }, mono(0));
  return {
    k: kernel.create(doorway.root(primitives), state, mono(0), false),
    node: kernel.create(directory.root(primitives), node, mono(0), false),
    tor, told: [], at: 0, isTorUp: true, talk: undefined, port: undefined, leads: "node",
    hostname: undefined, nextGuest: 1,
  };
}

function started(over: Partial<onion.Config> = {}, change: (w: World) => void = () => {}): World {
  const w = world(over);
  change(w);
  toNode(w, { type: "operator.started", isAwaited: true });
  push(w, { type: "clock.anchored", unixMs: 1_700_000_000_000 });
  push(w, { type: "operator.started", nick: w.node.state.nick });
  return w;
}

function toNode(w: World, event: DirectoryEvent, visit?: ConnId): void {
  for (const effect of kernel.step(w.node, event, mono(w.at))) {
    if (effect.type === "entropy.want") {
      const bytes = new Uint8Array(effect.size).fill(3);
      toNode(w, { type: "entropy.given", req: effect.req, bytes });
    }
    if (effect.type === "conn.send" && visit !== undefined) {
      push(w, { type: "conn.received", conn: visit, bytes: effect.bytes });
    }
  }
}

function push(w: World, event: doorway.DoorwayEvent | { readonly type: "tick" }): void {
  for (const effect of kernel.step(w.k, event, mono(w.at))) {
    w.told.push(effect);
    act(w, effect);
  }
}

function act(w: World, effect: Effect): void {
  switch (effect.type) {
    case "key.load": return push(w, { type: "key.absent", req: effect.req });
    case "key.save": return push(w, { type: "key.saved", req: effect.req });
    case "cookie.want":
      return push(w, { type: "cookie.given", req: effect.req, cookie: secret(w.tor.cookie) });
    case "nonce.want":
      return push(w, { type: "nonce.given", req: effect.req, bytes: new Uint8Array(32) });
    case "hostname.want": {
      const { req } = effect;
      return push(w, w.hostname === undefined
        ? { type: "hostname.failed", req, reason: "absent" }
        : { type: "hostname.given", req, text: w.hostname });
    }
    case "onion.located": return toNode(w, effect);
    case "conn.dial": return dialled(w, effect);
    case "conn.confide": {
      assert.equal(effect.conn, w.port);
      const said = w.talk?.say(text(effect.bytes.secret)) ?? "";
      return push(w, { type: "conn.confided", conn: effect.conn, bytes: secret(ascii(said)) });
    }
    case "conn.send": return visits(w, effect.conn, effect.bytes);
    case "password.want": return assert.fail("no password is configured");
    case "conn.close": case "log": case "wake": return;
  }
}

function dialled(w: World, effect: Extract<Effect, { type: "conn.dial" }>): void {
  const { conn, to, isolation, isSecret } = effect;
  assert.equal(conn % 4, 0);
  if (to === control) {
    assert.deepEqual([isSecret, isolation], [true, undefined]);
    if (!w.isTorUp) return push(w, { type: "conn.failed", conn, reason: "refused" });
    w.port = conn;
    w.talk = talk(w.tor);
    return push(w, { type: "conn.dialed", conn });
  }
  assert.deepEqual([to, isolation, isSecret], [location, "probe", undefined]);
  return push(w, w.leads === "nowhere" ? { type: "conn.failed", conn, reason: "unreachable" }
    : { type: "conn.dialed", conn });
}

/** What a visitor says arrives at the node, as that of any other. */
function visits(w: World, visit: ConnId, bytes: Uint8Array): void {
  if (w.leads === "stranger") {
    return push(w, { type: "conn.received", conn: visit, bytes: ascii("HTTP/1.1 400\r\n") });
  }
  const conn = w.nextGuest as ConnId;
  w.nextGuest += 2;
  toNode(w, { type: "conn.opened", conn });
  toNode(w, { type: "conn.received", conn, bytes }, visit);
}

function pass(w: World, ms: number): void {
  const until = w.at + ms;
  for (let i = 0; i < 10_000 && w.at < until; i += 1) {
    w.at = Math.min(until, Math.max(w.at, w.k.wakeAt));
    push(w, { type: "tick" });
  }
}

function killTor(w: World): void {
  w.isTorUp = false;
  w.talk = undefined;
  push(w, { type: "conn.closed", conn: w.port as ConnId, reason: "reset" });
}

const located = (w: World): number => w.told.filter((e) => e.type === "onion.located").length;
const view = (w: World): doorway.View => doorway.view(w.k.state, mono(w.at));
const wrong = (w: World): string => view(w).degraded.map(({ name }) => name).join();

test("directory: doorway: the node learns its address once, and offers proofs from then on", () => {
  const w = started();
  assert.equal(located(w), 1);
  assert.equal(w.node.state.location, location);
  assert.equal(wrong(w), "");
  const shown = status(w.node.state, mono(w.at), view(w));
  assert.deepEqual([shown.location, shown.onion.state, shown.degraded], [location, "up", []]);
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), shown);
});

test("directory: doorway: a visit is known by our own nick, registers nobody, and ends", () => {
  const w = started();
  pass(w, 31_000);
  assert.equal(view(w).onion.isReachable, true);
  assert.equal(w.node.state.counts.handshakes["own-nick"], 1);
  assert.equal(w.node.state.registry.byNick.size, 0);
  assert.equal(w.k.state.errands.open.size, 1, "the control port is all that is left");
});

test("directory: doorway: a full node is reached all the same", () => {
  const w = started({}, (it) => { it.node.state.config = { ...defaults, peersMax: 0 }; });
  pass(w, 31_000);
  assert.equal(view(w).onion.isReachable, true);
});

test("directory: doorway: a stranger behind the address, or nobody, is not us", () => {
  for (const leads of ["stranger", "nowhere"] as const) {
    const w = started({}, (it) => { it.leads = leads; });
    pass(w, 600_000);
    assert.equal(wrong(w), "onion-unreachable");
    assert.match(view(w).degraded[0]?.why ?? "", leads === "stranger" ? /handshake/ : /unreach/);
    w.leads = "node";
    pass(w, 120_000);
    assert.equal(wrong(w), "");
  }
});

test("directory: doorway: Tor away is a named state, and the same address comes back", () => {
  const w = started();
  killTor(w);
  assert.equal(wrong(w), "onion-down");
  pass(w, 60_000);
  const [state] = view(w).degraded;
  assert.equal(state?.sinceMs, 60_000);
  assert.match(`${state?.why} ${state?.does}`, /control port.*serves whom it has/);
  assert.equal(w.node.state.location, location, "the address stays known");
  w.isTorUp = true;
  pass(w, 120_000);
  assert.equal(wrong(w), "");
  assert.ok(w.talk?.services.has(host.slice(0, 56)), "published again");
  assert.equal(located(w), 1);
});

test("directory: doorway: an address in torrc's care is read when it is there", () => {
  const w = started({ managed: "torrc" });
  assert.equal(wrong(w), "onion-down");
  assert.match(view(w).degraded[0]?.why ?? "", /hostname/);
  w.hostname = `${host}\n`;
  pass(w, 120_000);
  assert.equal(w.node.state.location, location);
  assert.equal(view(w).onion.isReachable, true);
  assert.equal(w.port, undefined, "the control port is left alone");
});

test("directory: doorway: it stops once, before the start or after, and is quiet then", () => {
  const w = started();
  push(w, { type: "operator.stop" });
  assert.equal(w.k.wakeAt, Number.MAX_SAFE_INTEGER);
  assert.deepEqual([wrong(w), view(w).onion.state], ["", "down"]);
  assert.ok(!w.told.some((e) => e.type === "log" && e.level === "error"), "no trouble");
  const told = w.told.length;
  push(w, { type: "operator.stop" });
  push(w, { type: "conn.closed", conn: w.port as ConnId, reason: "aborted" });
  assert.equal(w.told.length, told);
  const early = world();
  push(early, { type: "operator.stop" });
  assert.equal(early.told.length, 0);
  assert.throws(() => push(early, { type: "operator.started", nick: "J5a" }), /started once/);
});

test("directory: doorway: laws: whatever happens to its connections and files", () => {
  const conn = fc.constantFrom(4, 8, 12, 16).map((id) => id as ConnId);
  const req = fc.integer({ min: 1, max: 3 });
  const bytes = fc.constantFrom(
    "250 OK\r\n", "250-AUTH METHODS=NULL\r\n250 OK\r\n", "x", "650 HS_DESC UPLOADED\r\n",
  ).map((line) => ascii(line));
  const events: fc.Arbitrary<doorway.DoorwayEvent | { readonly type: "tick" }> = fc.oneof(
    conn.map((id) => ({ type: "conn.dialed", conn: id }) as const),
    conn.map((id) => ({ type: "conn.failed", conn: id, reason: "refused" }) as const),
    conn.map((id) => ({ type: "conn.closed", conn: id, reason: "eof" }) as const),
    fc.tuple(conn, bytes).map(([id, b]) =>
      ({ type: "conn.confided", conn: id, bytes: secret(b) }) as const),
    fc.tuple(conn, bytes).map(([id, b]) =>
      ({ type: "conn.received", conn: id, bytes: b }) as const),
    req.map((n) => ({ type: "key.absent", req: n }) as const),
    req.map((n) => ({ type: "key.failed", req: n, reason: "denied" }) as const),
    req.map((n) => ({ type: "nonce.given", req: n, bytes: new Uint8Array(32) }) as const),
    fc.constant({ type: "operator.stop" } as const),
  );
  const root = doorway.root(primitives);
  fc.assert(fc.property(scripts(events, 30_000), (script) => {
    laws({
      create: (now) => {
        const d = doorway.create(settings, prng.key("laws"), now);
        root.step(d, { type: "operator.started", nick: "J5Ckon1LuuapPSBM" }, now, []);
        return d;
      },
      step: root.step, deadline: root.deadline, tick: { type: "tick" } as const,
      settleMs: 200_000,
      holds: (d) => assert.ok(d.errands.open.size <= 2, "a control port and a visit"),
      // No stopped service asks for anything; a running one is never idle for longer than a file,
      // a dial, a reply or a wait may take.
      lives: ({ steps, state, now }) => {
        if (state.phase === "stopped") return;
        const last = steps.at(-1)?.at ?? 0;
        assert.ok(now - last <= 90_000, `idle for ${now - last} ms`);
      },
    }, script);
  }), { numRuns: 60 });
});
