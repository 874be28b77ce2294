import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../core/assert.ts";
import { ascii, text } from "../../../core/bytes.ts";
import * as prng from "../../../core/prng.ts";
import { secret, type Secret } from "../../../core/secret.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as control from "../../../core/tor/control.ts";
import * as onion from "../../../core/tor/onion.ts";
import * as reach from "../../../core/tor/reach.ts";
import * as service from "../../../core/tor/service.ts";
import { unplain } from "../../support/leaves.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { fakeTor, hostOf, hostOfBlob, talk, type FakeTor, type Talk } from "../../support/tor.ts";

const config: onion.Config = {
  ...onion.defaults, target: "127.0.0.1:5300", fileMs: 100, checkMs: 1_000,
  retry: { baseMs: 10, maxMs: 80, times: 2, per: 1 },
  control: { ...control.defaults, dialMs: 100, hostMs: 100, replyMs: 100 },
  reach: { ...reach.defaults, firstMs: 50, visitMs: 50, intervalMs: 400, retryMs: 40 },
};
const blob = Buffer.alloc(64, 5).toString("base64");
const host = hostOfBlob(blob);
const keyOf = (b: string): Secret => secret(ascii(`ED25519-V3:${b}`));

/** A host with a disk and a Tor, all of which may fail. */
type World = {
  readonly m: onion.Onion;
  readonly tor: FakeTor;
  at: number;
  isTorUp: boolean;
  link: number;
  talk: Talk | undefined;
  file: Secret | undefined;
  isDiskFull: boolean;
  hostname: string | undefined;
  failure: string | undefined;
  readonly told: onion.Effect[];
};

function world(limits: Partial<onion.Config> = {}, file?: Secret): World {
  const tor = fakeTor();
  tor.blobs.push(blob);
  const m = onion.create({ ...config, ...limits }, prng.key("onion"), mono(0));
  return {
    m, tor, at: 0, isTorUp: true, link: 0, talk: undefined, file, isDiskFull: false,
    hostname: undefined, failure: undefined, told: [],
  };
}

function say(w: World, event: onion.Event): void {
  const out: onion.Effect[] = [];
  onion.step(w.m, event, mono(w.at), primitives, out);
  assert.ok(onion.deadline(w.m) > w.at, "law 2");
  for (const effect of out) act(w, effect);
}

function act(w: World, effect: onion.Effect): void {
  switch (effect.type) {
    case "dial":
      w.link = effect.link;
      if (!w.isTorUp) return say(w, { type: "undialed", link: effect.link, reason: "refused" });
      w.talk = talk(w.tor);
      return say(w, { type: "dialed", link: effect.link });
    case "send": {
      if (w.talk === undefined) return;
      const bytes = secret(ascii(w.talk.say(text(effect.bytes.secret))));
      return say(w, { type: "received", link: effect.link, bytes });
    }
    case "hangup":
      w.talk = undefined;
      return;
    case "cookie.want":
      return say(w, { type: "cookie.given", req: effect.req, cookie: secret(w.tor.cookie) });
    case "nonce.want":
      return say(w, { type: "nonce.given", req: effect.req, bytes: new Uint8Array(32) });
    case "key.load": return load(w, effect.req);
    case "key.save": {
      if (w.isDiskFull) return say(w, { type: "key.failed", req: effect.req, reason: "full" });
      assert.equal(w.file, undefined, "a key was replaced");
      w.file = effect.file;
      return say(w, { type: "key.saved", req: effect.req });
    }
    case "hostname.want": {
      const { req } = effect;
      if (w.hostname === undefined) {
        return say(w, { type: "hostname.failed", req, reason: "absent" });
      }
      return say(w, { type: "hostname.given", req, text: w.hostname });
    }
    case "visit":
      w.told.push(effect);
      return say(w, { type: "visited", req: effect.req, failure: w.failure });
    case "password.want":
      return assert.fail("no password is configured");
    case "address": case "up": case "down": case "reachable": case "leave": case "log":
      w.told.push(effect);
      return;
    default: return unreachable(effect);
  }
}

function load(w: World, req: number): void {
  if (w.file === undefined) return say(w, { type: "key.absent", req });
  say(w, { type: "key.loaded", req, file: w.file });
}

/** Time passes; every tick at its instant. */
function pass(w: World, ms: number): void {
  const until = w.at + ms;
  for (let steps = 0; onion.deadline(w.m) <= until; steps += 1) {
    assert.ok(steps < 1_000, "ticks in a circle");
    w.at = onion.deadline(w.m);
    say(w, { type: "tick" });
  }
  w.at = until;
}

/** Tor dies: its services are gone, and so is our connection. */
function killTor(w: World): void {
  w.isTorUp = false;
  w.talk = undefined;
  w.tor.elsewhere.clear();
  say(w, { type: "closed", link: w.link });
}

/** What was told of the address since the last call. */
function take(w: World): readonly string[] {
  const types = w.told.map((effect) => effect.type);
  w.told.length = 0;
  return types.filter((type) => type === "address" || type === "up" || type === "down");
}

function started(limits: Partial<onion.Config> = {}, file?: Secret): World {
  const w = world(limits, file);
  say(w, { type: "started" });
  return w;
}

const adds = (w: World): readonly string[] =>
  w.tor.heard.filter((line) => line.startsWith("ADD_ONION"));

test("tor: onion: the first time a key is made, kept, and only then announced", () => {
  const w = started();
  assert.deepEqual(w.told.filter(({ type }) => type !== "log"), [
    { type: "address", host, location: `${host}:5222` }, { type: "up" },
  ]);
  assert.ok(w.file !== undefined);
  assert.deepEqual(service.decode(w.file, primitives.sha3), {
    ok: true, value: { key: keyOf(blob), host },
  });
  assert.ok(w.talk?.services.has(host.slice(0, 56)));
  assert.match(adds(w)[0] ?? "", /^ADD_ONION NEW:ED25519-V3 .*PoWDefensesEnabled=1/);
});

test("tor: onion: a kept key gives the same address at every start", () => {
  const file = service.encode({ key: keyOf(blob), host });
  const w = started({}, file);
  assert.deepEqual(take(w), ["address", "up"]);
  assert.match(adds(w)[0] ?? "", /^ADD_ONION ED25519-V3:BQUF/);
  assert.equal(w.file, file);
});

test("tor: onion: a key that could not be kept is not announced until it is", () => {
  const w = world();
  w.isDiskFull = true;
  say(w, { type: "started" });
  pass(w, 3_000);
  assert.deepEqual(take(w), []);
  assert.ok(w.talk?.services.has(host.slice(0, 56)));
  assert.equal(onion.status(w.m, mono(w.at)).fault?.code, "onion-key-unsaved-full");
  // Tor restarts meanwhile: it is still the same key.
  killTor(w);
  w.isTorUp = true;
  pass(w, 500);
  assert.deepEqual(take(w), []);
  w.isDiskFull = false;
  pass(w, 100);
  assert.deepEqual(take(w), ["address", "up"]);
  assert.equal(onion.status(w.m, mono(w.at)).fault, undefined);
  assert.equal(adds(w).filter((line) => line.includes("NEW:")).length, 1);
});

test("tor: onion: a damaged key file is never replaced by another key", () => {
  const w = started({}, secret(ascii("damaged")));
  pass(w, 10_000);
  assert.deepEqual(take(w), []);
  assert.deepEqual(w.tor.heard, []);
  assert.equal(onion.status(w.m, mono(w.at)).fault?.code, "onion-key");
  w.file = service.encode({ key: keyOf(blob), host });
  pass(w, 100);
  assert.deepEqual(take(w), ["address", "up"]);
});

test("tor: onion: hazard 13: a Tor that restarts is followed, again and again", () => {
  const w = started();
  take(w);
  for (let round = 0; round < 5; round += 1) {
    killTor(w);
    assert.deepEqual(take(w), ["down"]);
    pass(w, 5_000);
    assert.deepEqual(take(w), []);
    w.isTorUp = true;
    w.tor.cookie = new Uint8Array(32).fill(round);
    pass(w, 80);
    assert.deepEqual(take(w), ["up"]);
    assert.ok(w.talk?.services.has(host.slice(0, 56)));
    pass(w, 2_000);
  }
});

test("tor: onion: waits grow to the cap while Tor is away, and start anew after a proof", () => {
  const w = started();
  killTor(w);
  const waits: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const before = w.at;
    pass(w, onion.deadline(w.m) - w.at);
    waits.push(w.at - before);
  }
  for (const [i, waitMs] of waits.entries()) {
    const highMs = i > 3 ? 80 : 10 * 2 ** i;
    assert.ok(waitMs >= highMs / 2 && waitMs <= highMs, `wait ${i} is ${waitMs}`);
  }
  w.isTorUp = true;
  pass(w, 80);
  assert.ok(w.m.failures > 3, "a connection alone proves nothing");
  pass(w, 1_000);
  assert.equal(w.m.failures, 0);
});

test("tor: onion: hazard 13: a Tor that has forgotten the service is told again", () => {
  const w = started();
  take(w);
  w.talk?.services.clear();
  pass(w, 999);
  assert.deepEqual(take(w), []);
  pass(w, 1);
  assert.deepEqual(take(w), ["down", "up"]);
  assert.ok(w.talk?.services.has(host.slice(0, 56)));
});

test("tor: onion: a connection that is only half there is noticed within check and reply", () => {
  const w = started();
  take(w);
  w.talk = undefined;
  pass(w, 1_000 + 99);
  assert.deepEqual(take(w), []);
  pass(w, 1);
  assert.equal(take(w)[0], "down");
  pass(w, 80);
  assert.deepEqual(take(w), ["up"]);
});

test("tor: onion: an older Tor is asked without proof of work, and again at the next link", () => {
  const w = world();
  w.tor.knowsPow = false;
  say(w, { type: "started" });
  assert.deepEqual(take(w), ["address", "up"]);
  assert.deepEqual(adds(w).map((line) => line.includes("PoW")), [true, false]);
  assert.equal(onion.status(w.m, mono(0)).isPow, false);
  killTor(w);
  w.isTorUp = true;
  w.tor.knowsPow = true;
  pass(w, 80);
  assert.equal(onion.status(w.m, mono(w.at)).isPow, true);
});

test("tor: onion: an address that a detached service holds is taken over", () => {
  const w = world({}, service.encode({ key: keyOf(blob), host }));
  w.tor.detached.add(host.slice(0, 56));
  say(w, { type: "started" });
  assert.deepEqual(take(w), ["address", "up"]);
  assert.equal(w.tor.detached.size, 0);
  assert.ok(w.talk?.services.has(host.slice(0, 56)));
});

test("tor: onion: an address that another connection holds is served, and taken over later", () => {
  const w = world({}, service.encode({ key: keyOf(blob), host }));
  w.tor.elsewhere.add(host.slice(0, 56));
  say(w, { type: "started" });
  assert.deepEqual(take(w), ["address", "up"]);
  assert.equal(w.m.at.phase, "shared");
  pass(w, 2_000);
  assert.deepEqual(take(w), []);
  w.tor.elsewhere.clear();
  pass(w, 80);
  assert.equal(w.m.at.phase, "up");
  assert.ok(w.talk?.services.has(host.slice(0, 56)));
  assert.deepEqual(take(w), []);
});

test("tor: onion: an imported key that is taken has no address to tell yet", () => {
  const w = world({}, keyOf(blob));
  w.tor.elsewhere.add(host.slice(0, 56));
  say(w, { type: "started" });
  pass(w, 500);
  assert.deepEqual(take(w), []);
  assert.equal(onion.status(w.m, mono(w.at)).fault?.code, "onion-taken");
  w.tor.elsewhere.clear();
  pass(w, 80);
  assert.deepEqual(take(w), ["address", "up"]);
  assert.deepEqual(w.file, keyOf(blob));
});

test("tor: onion: a refusal is told with its code, and tried again after a wait", () => {
  const w = world();
  w.tor.refusal = "551 no";
  say(w, { type: "started" });
  assert.match(onion.status(w.m, mono(0)).fault?.text ?? "", /551/);
  assert.deepEqual(adds(w).map((line) => line.includes("PoW")), [true, false]);
  assert.deepEqual([w.talk, take(w)], [undefined, []]);
  w.tor.refusal = undefined;
  pass(w, 10);
  assert.deepEqual(take(w), ["address", "up"]);
});

test("tor: onion: another address than the one kept with the key is not believed", () => {
  const w = started({}, service.encode({ key: keyOf(blob), host: hostOf(new Uint8Array(32)) }));
  assert.deepEqual(take(w), ["address"]);
  assert.equal(onion.status(w.m, mono(0)).fault?.code, "onion-answer");
  assert.equal(w.m.at.phase, "waiting");
  pass(w, 500);
  assert.ok(adds(w).length > 3);
  assert.deepEqual(take(w), []);
});

test("tor: onion: visits follow the service, an upload hurries the first", () => {
  const w = started();
  const id = host.slice(0, 56);
  const told = secret(ascii(`650 HS_DESC UPLOADED ${id} UNKNOWN $AB~c\r\n`));
  w.at = 20;
  say(w, { type: "received", link: w.link, bytes: told });
  take(w);
  pass(w, 1);
  const types = w.told.map((effect) => effect.type).filter((type) => type !== "log");
  assert.deepEqual(types, ["visit", "reachable"]);
  const status = onion.status(w.m, mono(w.at + 9));
  assert.deepEqual([status.uploadedMs, status.reachedMs, status.isReachable], [10, 9, true]);
  w.failure = "unreachable";
  w.told.length = 0;
  pass(w, 1_000);
  const failed = w.told.find((effect) => effect.type === "reachable");
  assert.deepEqual(failed, { type: "reachable", isReachable: false, failure: "unreachable" });
  killTor(w);
  take(w);
  pass(w, 1_000);
  assert.ok(w.told.every((effect) => effect.type !== "visit"));
});

test("tor: onion: stopped, nothing is due; started again, it is the same address", () => {
  const w = started();
  take(w);
  say(w, { type: "stopped" });
  assert.deepEqual(take(w), ["down"]);
  assert.equal(w.talk, undefined);
  assert.equal(onion.deadline(w.m), NEVER);
  say(w, { type: "stopped" });
  say(w, { type: "started" });
  assert.deepEqual(take(w), ["up"]);
  assert.equal(adds(w).filter((line) => line.includes("NEW:")).length, 1);
});

test("tor: onion: torrc: where it leads is torrc's business, however it is written", () => {
  const w = started({ managed: "torrc", target: "unix:/a folder/s.sock" });
  w.hostname = `${host}\n`;
  pass(w, 500);
  assert.ok(take(w).includes("address"));
  assert.throws(() => started({ target: "unix:/a folder/s.sock" }), /one printable word/);
});

test("tor: onion: torrc: the address is read, and the control port left alone", () => {
  const w = started({ managed: "torrc" });
  pass(w, 500);
  assert.deepEqual(take(w), []);
  w.hostname = `${host}\n`;
  pass(w, 80);
  assert.deepEqual(take(w), ["address", "up"]);
  assert.deepEqual(w.tor.heard, []);
  const moved = hostOf(new Uint8Array(32).fill(3));
  w.hostname = moved;
  pass(w, 80);
  assert.deepEqual(w.told.filter(({ type }) => type === "address"), [
    { type: "address", host: moved, location: `${moved}:5222` },
  ]);
  w.hostname = undefined;
  pass(w, 500);
  assert.equal(onion.status(w.m, mono(w.at)).fault?.code, "onion-hostname-absent");
  w.hostname = moved;
  pass(w, 80);
  assert.equal(onion.status(w.m, mono(w.at)).fault, undefined);
  say(w, { type: "stopped" });
  assert.equal(onion.deadline(w.m), NEVER);
});

test("tor: onion: a log holds no key, no cookie and, above debug, no address", () => {
  const w = started();
  killTor(w);
  w.isTorUp = true;
  pass(w, 2_000);
  for (const effect of w.told) {
    if (effect.type !== "log") continue;
    const line = JSON.stringify(effect);
    for (const word of [blob, host, "0707"]) assert.ok(!line.includes(word), line);
  }
});

test("tor: onion: its state is plain to its leaves, whatever it has lived through", () => {
  for (const managed of ["control", "torrc"] as const) {
    const w = world({ managed });
    w.hostname = host;
    const plain = (): void => assert.equal(unplain(w.m), undefined);
    plain();
    say(w, { type: "started" });
    for (let i = 0; i < 20; i += 1) {
      if (i === 10 && managed === "control") killTor(w);
      w.isTorUp = i < 10 || i > 12;
      pass(w, 100);
      plain();
    }
    assert.equal(onion.status(w.m, mono(w.at)).isUp, true);
    assert.equal(onion.status(w.m, mono(w.at)).isReachable, true);
    say(w, { type: "stopped" });
    plain();
  }
});

test("tor: onion: keys reach no effect but as secrets", () => {
  const out: onion.Effect[] = [];
  const w = world();
  const spy = (event: onion.Event): void => onion.step(w.m, event, mono(0), primitives, out);
  spy({ type: "started" });
  spy({ type: "key.loaded", req: 1, file: service.encode({ key: keyOf(blob), host }) });
  for (let at = 0; at < out.length && at < 50; at += 1) {
    const effect = out[at];
    if (effect?.type === "dial") spy({ type: "dialed", link: effect.link });
    if (effect?.type === "cookie.want") {
      spy({ type: "cookie.given", req: effect.req, cookie: secret(w.tor.cookie) });
    }
    if (effect?.type === "nonce.want") {
      spy({ type: "nonce.given", req: effect.req, bytes: new Uint8Array(32) });
    }
    if (effect?.type !== "send") continue;
    w.talk ??= talk(w.tor);
    const bytes = secret(ascii(w.talk.say(text(effect.bytes.secret))));
    spy({ type: "received", link: effect.link, bytes });
  }
  assert.equal(w.m.at.phase, "up");
  const masked = JSON.stringify(out, (_, value: unknown) =>
    typeof value === "object" && value !== null && "secret" in value ? "sealed" : value);
  assert.ok(!masked.includes("BQUF"));
});

const req = fc.integer({ min: 1, max: 5 });
const said = [
  "250-AUTH METHODS=NULL\r\n250 OK\r\n", "250 OK\r\n", "550 taken\r\n", "512 no\r\n",
  `250-ServiceID=${host.slice(0, 56)}\r\n250-PrivateKey=ED25519-V3:${blob}\r\n250 OK\r\n`,
  `250-onions/current=${host.slice(0, 56)}\r\n250 OK\r\n`, "250-onions/current=\r\n250 OK\r\n",
  `650 HS_DESC UPLOADED ${host.slice(0, 56)} x\r\n`,
].map((line) => secret(ascii(line)));
const heard = fc.record({
  type: fc.constant("received" as const), link: req, bytes: fc.constantFrom(...said),
});
const events: fc.Arbitrary<onion.Event> = fc.oneof(
  { weight: 6, arbitrary: heard },
  { weight: 2, arbitrary: fc.constantFrom<onion.Event>({ type: "started" }, { type: "started" }) },
  { weight: 1, arbitrary: fc.constant<onion.Event>({ type: "stopped" }) },
  { weight: 3, arbitrary: req.map((link) => ({ type: "dialed" as const, link })) },
  { weight: 1, arbitrary: req.map((link) => ({ type: "closed" as const, link })) },
  { weight: 2, arbitrary: req.map((one) => ({ type: "key.absent" as const, req: one })) },
  { weight: 2, arbitrary: req.map((one) => ({ type: "key.saved" as const, req: one })) },
  { weight: 1, arbitrary: fc.record({
    type: fc.constant("key.failed" as const), req, reason: fc.constant("full" as const),
  }) },
  { weight: 1, arbitrary: fc.record({
    type: fc.constant("visited" as const), req, failure: fc.constantFrom(undefined, "x"),
  }) },
);

const subject: Subject<onion.Onion, onion.Event, onion.Effect> = {
  create: (now) => onion.create(config, prng.key("laws"), now),
  step: (m, event, now, out) => onion.step(m, event, now, primitives, out),
  deadline: onion.deadline,
  tick: { type: "tick" },
  settleMs: 1_500,
  holds: (m) => assert.equal(unplain(m), undefined),
  lives: triesOn,
};

/**
 * Up and down alternate, an address comes before the first `up`; and while it is started and not up
 * the host is asked for something at least every second.
 */
function triesOn(run: Run<onion.Onion, onion.Event, onion.Effect>): void {
  let isUp = false;
  let isTold = false;
  for (const { effects } of run.steps) {
    for (const effect of effects) {
      if (effect.type === "address") isTold = true;
      if (effect.type === "up") assert.ok(isTold && !isUp);
      if (effect.type === "down") assert.ok(isUp);
      if (effect.type === "up" || effect.type === "down") isUp = effect.type === "up";
    }
  }
  if (run.state.at.phase === "off") return;
  const asks = new Set(["dial", "send", "key.load", "key.save", "visit"]);
  const last = run.steps.filter((s) => s.effects.some(({ type }) => asks.has(type))).at(-1);
  assert.ok(last !== undefined && run.now - last.at <= 1_100, "nothing is tried any more");
}

test("tor: onion: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 60, 40, true), (script) => void laws(subject, script)), {
    numRuns: 80,
  });
});
