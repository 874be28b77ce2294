/**
 * Scripts of random events over several connections, with small limits so that edges are common.
 * After every step: all invariants of `sim/invariants`, on the node and on a copy of it.
 *
 * `LAWS_RUNS` and `LAWS_EVENTS` make it longer, `LAWS_SEED` starts it elsewhere.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, base64, concat, unhex } from "../../../core/bytes.ts";
import { defaults, type DirectoryConfig, type Rate } from "../../../core/directory/config.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import { nickOf } from "../../../core/joinmarket/nick.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import { step, TICK } from "../../../core/kernel/kernel.ts";
import type { Primitives } from "../../../core/primitives.ts";
import { difference, clone } from "../../../sim/invariants/plain.ts";
import { sameOutcome } from "../../../sim/invariants/directory.ts";
import * as t from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { der, primitives } from "../../support/primitives.ts";

const runs = Number(process.env["LAWS_RUNS"] ?? 150);
const eventsMax = Number(process.env["LAWS_EVENTS"] ?? 60);
const seedGiven = process.env["LAWS_SEED"];
const parameters = seedGiven === undefined
  ? { numRuns: runs, seed: 20_261_121, includeErrorInReport: true }
  : { numRuns: runs, seed: Number(seedGiven), includeErrorInReport: true };

/** A signature scheme that costs two hashes: whoever knows the key's text can sign. */
const cheap: Primitives = { ...primitives, verifyEcdsa: (pubkey, inner, signature) => {
  return Buffer.from(signature).equals(Buffer.from(signed(pubkey, inner)));
} };

function signed(pubkey: Uint8Array, inner: Uint8Array): Uint8Array {
  const hash = primitives.sha256(concat([pubkey, inner]));
  return der(BigInt(`0x${Buffer.from(hash.subarray(1)).toString("hex")}`) + 1n, 77n);
}

const keys = ["02", "03"].map((head) => head + "5a".repeat(32));
const proven = keys.map((key) => nickOf(key, 5, primitives.sha256));

function rate(tokens: number, perMs: number, burst: number): Rate {
  return { tokens, perMs, burst };
}

const limits = {
  public: rate(4, 1_000, 12), orderbook: rate(1, 1_000, 2), private: rate(5, 1_000, 12),
  peerlist: rate(1, 500, 2), ping: rate(1, 500, 3), other: rate(2, 1_000, 8),
  publicBytes: rate(700, 1_000, 2_500), privateBytes: rate(1_100, 1_000, 4_000),
  proofs: rate(5, 1_000, 5), proofsPerCircuit: rate(1, 1_000, 2),
  dropsMax: 6, dropsWindowMs: 2_000,
};

const small: DirectoryConfig = {
  ...defaults, location: t.ownLocation, logLevel: "debug", peersMax: 5, handshakingMax: 4,
  handshakeMs: 3_000, lineBytesMax: 1_000, inputBytesTotalMax: 1_800, lineMs: 2_000,
  contestPingMs: 1_000, contestMakerMs: 5_000, leaveMs: 200, peerlistBytesMax: 120,
  peerlistLinesPerFlush: 2, drainMs: 500,
  heartbeat: { sweepMs: 600, idleMs: 6_000, hardMs: 15_000, pongMs: 300 }, limits,
  outbox: {
    bytesMax: 4_000, bytesTotalMax: 7_000, flushMs: 10, flushBytes: 600, congestedMsMax: 4_000,
    closeGraceMs: 400,
  },
};

const slots = fc.nat({ max: 7 });
const faces = fc.nat({ max: 5 });
type Face = { readonly nick: string; readonly features: readonly string[]; readonly key?: string };

/** Six identities, so that nicks collide all the time; the last two can prove theirs. */
function faceOf(i: number, asMaker: boolean, features: number): Face & { location: string } {
  const names = ["ping", "peerlist_features", "other"].filter((_, at) => (features >> at) & 1);
  const location = asMaker ? t.onion(i) : "NOT-SERVING-ONION";
  const key = keys[i - 4];
  if (key !== undefined ? features < 12 : features === 15) names.push("nick_auth");
  if (key === undefined) return { nick: t.nick(i), features: names, location };
  return { nick: proven[i - 4] ?? "", features: names, location, key };
}

const junk = [
  "\r\n", "\n", "{}\r\n", "nonsense\n", "{\"type\": 687}\r\n",
  "{\"type\": 999, \"line\": \"\"}\r\n",
  "{\"type\": 797, \"line\": \"\"}\r\n", "{\"type\": \"687\", \"line\": \"x\"}\r\n",
  "{\"type\": 687, \"line\": \"J5stranger!PUBLIC!hp2\"}\r\n", "[[[[[[[[[[[[1]]]]]]]]]]]]\r\n",
  "{\"type\": 687, \"line\": \"\", \"__proto__\": {}}\r\n", "\u00ff\u00fe\r\n", "PROXY TCP6\r\n",
  "{\"type\": 793, \"line\": \"{}\"}\r\n", "{\"type\": 805, \"line\": \"\"}\r\n",
  "{\"line\": \"\", \"type\": 799}\r\n",
];

const commands = fc.oneof(
  { weight: 6, arbitrary: fc.record({
    do: fc.constant("hello" as const), face: faces, maker: fc.boolean(), features: fc.nat(15),
    more: fc.boolean(), keep: fc.boolean(), prove: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("connect" as const) }) },
  { weight: 3, arbitrary: fc.record({
    do: fc.constant("prove" as const), slot: slots, good: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({
    do: fc.constant("public" as const), slot: slots, size: fc.nat({ max: 700 }),
    times: fc.integer({ min: 1, max: 9 }), extra: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({
    do: fc.constant("private" as const), slot: slots, to: faces,
    times: fc.integer({ min: 1, max: 9 }), size: fc.nat({ max: 700 }) }) },
  { weight: 3, arbitrary: fc.record({
    do: fc.constant("siege" as const), slot: slots, of: slots, size: fc.nat({ max: 900 }),
    times: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 6, arbitrary: fc.record({
    do: fc.constant("ask" as const), slot: slots, times: fc.integer({ min: 1, max: 4 }),
    type: fc.constantFrom(791, 798, 799, 687, 801, 803) }) },
  { weight: 3, arbitrary: fc.record({
    do: fc.constant("junk" as const), slot: slots, which: fc.nat({ max: junk.length - 1 }) }) },
  { weight: 2, arbitrary: fc.record({
    do: fc.constant("part" as const), slot: slots, size: fc.integer({ min: 1, max: 1_100 }) }) },
  { weight: 2, arbitrary: fc.record({
    do: fc.constant("stall" as const), slot: slots, room: fc.nat({ max: 400 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const), slot: slots }) },
  { weight: 2, arbitrary: fc.record({
    do: fc.constant("hangUp" as const), slot: slots,
    reason: fc.constantFrom("eof" as const, "reset" as const, "error" as const) }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("late" as const), on: fc.boolean(), entropy: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({
    do: fc.constant("advance" as const),
    ms: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 30 }) },
      { weight: 4, arbitrary: fc.constantFrom(199, 200, 299, 300, 399, 400, 600, 999, 1_000) },
      { weight: 2, arbitrary: fc.constantFrom(2_999, 3_000, 4_000, 5_000, 5_999, 6_000) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 9_000 }) }) }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("pause" as const), ms: fc.constantFrom(50, 700, 1_500, 20_000) }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("wall" as const), by: fc.constantFrom(-86_400_000, 86_400_000) }) },
  { weight: 1, arbitrary: fc.record({
    do: fc.constant("reload" as const), peersMax: fc.integer({ min: 1, max: 6 }),
    idleMs: fc.constantFrom(3_000, 6_000, 9_000), burst: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stop" as const), really: fc.nat(9) }) },
);
type Command = typeof commands extends fc.Arbitrary<infer C> ? C : never;

type Play = {
  readonly n: t.Node;
  readonly conns: ConnId[];
  readonly faces: Map<ConnId, Face & { readonly location: string }>;
  /** How a delivery is cut: into pieces of this size; 0: whole. */
  readonly piece: number;
  readonly circuits: boolean;
};

/** `roomy`: no bound on all unfinished lines together, which depends on how they are cut. */
type Variant = "own" | "nowhere" | "circuits" | "roomy";

/** `strict`: each step also runs on a copy of the state. */
function play(
  script: readonly Command[], piece: number, strict: boolean, variant: Variant = "own",
): Play {
  const circuits = variant === "circuits";
  const location = variant === "nowhere" ? undefined : small.location;
  const inputBytesTotalMax = variant === "roomy" ? 1_000_000 : small.inputBytesTotalMax;
  const config = { ...small, location, circuits, connsPerCircuitMax: 3, inputBytesTotalMax };
  const n = t.start(config, { strict, primitives: cheap });
  const p: Play = { n, conns: [], faces: new Map(), piece, circuits };
  script.forEach((command, i) => {
    act(p, command);
    if (i % 3 === 0) early(p);
  });
  return p;
}

function connOf(p: Play, slot: number): ConnId | undefined {
  return p.conns[p.conns.length - 1 - slot];
}

function say(p: Play, conn: ConnId | undefined, bytes: Uint8Array): void {
  if (conn === undefined) return;
  const cuts: number[] = [];
  if (p.piece > 0) for (let at = p.piece; at < bytes.length; at += p.piece) cuts.push(at);
  drive.feed(p.n.drive, conn, bytes, cuts);
}

function act(p: Play, c: Command): void {
  const { n } = p;
  switch (c.do) {
    case "connect": return void p.conns.push(t.connect(n));
    case "hello": return hello(p, c);
    case "prove": return prove(p, connOf(p, c.slot), c.good);
    case "public": return speak(p, c.slot, c.times, (nick, i) =>
      pub(`${nick}!PUBLIC!hp2 ${i}${"x".repeat(c.size)}`, c.extra));
    case "private": return speak(p, c.slot, c.times, (nick, i) =>
      t.frame(685, `${nick}!${faceOf(c.to, true, 0).nick}!fill ${i}${"y".repeat(c.size)}`));
    case "siege": return siege(p, c);
    case "ask": return speak(p, c.slot, c.times, (nick) =>
      t.frame(c.type, c.type === 687 ? `${nick}!PUBLIC!orderbook` : ""));
    case "junk": return say(p, connOf(p, c.slot), latin(junk[c.which] ?? ""));
    case "part": return say(p, connOf(p, c.slot), ascii("z".repeat(c.size)));
    case "stall": return withOpen(p, c.slot, (conn) => drive.stall(n.drive, conn, c.room));
    case "resume": return withOpen(p, c.slot, (conn) => drive.resume(n.drive, conn));
    case "hangUp": return withOpen(p, c.slot, (conn) => drive.hangUp(n.drive, conn, c.reason));
    case "late": return late(p, c.on, c.entropy);
    case "advance": return t.advance(n, c.ms);
    case "pause": return drive.pause(n.drive, c.ms);
    case "wall": return t.push(n, { type: "clock.anchored", unixMs: 1_700_000_000_000 + c.by });
    case "reload": return reload(p, c.peersMax, c.idleMs, c.burst);
    case "stop": if (c.really === 0) t.push(n, { type: "operator.stop" }); return;
    default: return c satisfies never;
  }
}

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function pub(line: string, extra: boolean): Uint8Array {
  if (!extra) return t.frame(687, line);
  return ascii(`{"line":"${line}","more":[1],"type":687}\n`);
}

function withOpen(p: Play, slot: number, use: (conn: ConnId) => void): void {
  const conn = connOf(p, slot);
  if (conn !== undefined && !drive.linkOf(p.n.drive, conn).gone) use(conn);
}

function hello(p: Play, c: Command & { do: "hello" }): void {
  const face = faceOf(c.face, c.maker, c.features);
  const last = p.conns.at(-1);
  const conn = c.keep && last !== undefined && !p.faces.has(last) ? last : t.connect(p.n);
  if (conn !== last) p.conns.push(conn);
  p.faces.set(conn, face);
  if (p.circuits && conn !== last) {
    say(p, conn, ascii(`PROXY TCP6 fc00:dead:beef:4dad::0:${c.face % 2} ::1 1 5222\r\n`));
  }
  const line = t.frame(793, handshake.peerHello({ ...face, network: "mainnet" }));
  const more = c.more ? pub(`${face.nick}!PUBLIC!early`, false) : new Uint8Array();
  say(p, conn, concat([line, more]));
  if (c.prove) prove(p, conn, true);
}

function prove(p: Play, conn: ConnId | undefined, good: boolean): void {
  const face = conn === undefined ? undefined : p.faces.get(conn);
  if (conn === undefined || face === undefined) return;
  t.advance(p.n, 12);
  const line = t.frames(p.n, conn).find((f) => f.type === 803)?.line;
  const challenge = line === undefined ? undefined : nickauth.parseChallenge(line);
  if (challenge?.ok !== true) return;
  const pubkey = face.key ?? keys[0] ?? "";
  const handshakeLine = handshake.peerHello({ ...face, network: "mainnet" });
  const claim = { ...challenge.value, handshakeLine, nick: face.nick, pubkey };
  const inner = nickauth.digest(claim, primitives.sha256);
  const der = signed(unhex(pubkey) as Uint8Array, good ? inner : primitives.sha256(inner));
  say(p, conn, t.frame(805, nickauth.proofLine({ pubkey, signature: base64(der) })));
}

function speak(
  p: Play, slot: number, times: number, line: (nick: string, i: number) => Uint8Array,
): void {
  const conn = connOf(p, slot);
  if (conn === undefined) return;
  const nick = p.faces.get(conn)?.nick ?? t.nick(9);
  say(p, conn, concat(Array.from({ length: times }, (_, i) => line(nick, i))));
}

/** Private lines to a peer that reads no more. */
function siege(p: Play, c: Command & { do: "siege" }): void {
  const to = connOf(p, c.of);
  const face = to === undefined ? undefined : p.faces.get(to);
  if (face === undefined) return;
  withOpen(p, c.of, (conn) => drive.stall(p.n.drive, conn));
  speak(p, c.slot, c.times, (nick, i) =>
    t.frame(685, `${nick}!${face.nick}!fill ${i}${"z".repeat(c.size)}`));
}

function late(p: Play, on: boolean, holdsEntropy: boolean): void {
  const { n } = p;
  n.drive.lateCloses = on;
  if (!on) for (const conn of p.conns) settle(p, conn);
  n.holdsEntropy = holdsEntropy;
  if (!holdsEntropy) for (const req of n.wanted.splice(0)) t.give(n, req, 32);
}

/** A connection that the node has aborted is gone at last. */
function settle(p: Play, conn: ConnId): void {
  const link = drive.linkOf(p.n.drive, conn);
  if (link.closed?.how === "abort" && !link.gone) drive.closeLate(p.n.drive, conn);
}

function reload(p: Play, peersMax: number, idleMs: number, burst: number): void {
  const { motd, logLevel, heartbeat } = small;
  t.push(p.n, { type: "operator.reload", settings: {
    motd, logLevel, peersMax, heartbeat: { ...heartbeat, idleMs },
    limits: {
      ...limits, public: rate(3, 1_000, burst), private: rate(7, 900, burst),
      publicBytes: rate(800, 900, 1_000 + 100 * burst),
      privateBytes: rate(13, 7, 1_100 + 400 * burst),
    },
  } });
}

/** Law 1: a tick before the deadline changes nothing. */
function early(p: Play): void {
  const { kernel, now } = p.n.drive;
  assert.ok(kernel.wakeAt > now);
  const before = clone(kernel.state);
  const effects = step(kernel, TICK, now);
  assert.deepEqual(effects, [], "law 1: an early tick had effects");
  // What bounds the effects of the step itself is counted anew by every step.
  before.stepLines = kernel.state.stepLines;
  assert.equal(difference(kernel.state, before), undefined, "law 1: an early tick changed");
}

/** Law 4: left alone, a node holds nobody and nothing, and says so in bounded time. */
function rest(p: Play): void {
  const { n } = p;
  late(p, false, false);
  t.advance(n, 3_000 + 5_000 + 15_000 + 600 + 300 + 4_000);
  for (const conn of p.conns) settle(p, conn);
  const status = t.statusOf(n);
  assert.equal(status.peers.connections, 0, "law 4: a silent connection stays");
  assert.equal(status.outbox.queuedBytes, 0);
  assert.equal(status.inputBytes, 0);
  assert.equal(status.totals.opened, status.totals.closed);
  assert.equal(n.stopped, status.draining, "law 4: a drained node has stopped");
}

const scripts = fc.array(commands, {
  minLength: Math.floor(eventsMax / 3), maxLength: eventsMax, size: "max",
});

test("directory: laws: invariants hold in every script, and silence ends every peer", () => {
  const variants = fc.constantFrom<Variant[]>("own", "own", "own", "nowhere", "circuits");
  fc.assert(fc.property(scripts, variants, fc.nat({ max: 40 }), (script, variant, piece) => {
    const p = play(script, piece, script.length % 3 === 0, variant);
    rest(p);
  }), parameters);
});

test("directory: laws: the same script gives the same run (law 3)", () => {
  fc.assert(fc.property(scripts, (script) => {
    const [a, b] = [play(script, 0, false), play(script, 0, false)];
    assert.equal(difference(a.n.drive.kernel.state, b.n.drive.kernel.state), undefined);
    assert.equal(difference(a.n.outcome, b.n.outcome), undefined);
  }), { ...parameters, numRuns: Math.ceil(runs / 5) });
});

test("directory: laws: how bytes are cut changes nothing (D15)", () => {
  const pieces = fc.integer({ min: 1, max: 60 });
  fc.assert(fc.property(scripts, pieces, (script, piece) => {
    const [whole, cut] = [play(script, 0, false, "roomy"), play(script, piece, false, "roomy")];
    assert.deepEqual(sameOutcome(whole.n.outcome, cut.n.outcome), []);
  }), { ...parameters, numRuns: Math.ceil(runs / 5) });
});
