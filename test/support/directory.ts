/**
 * A directory node on a fake network, with every invariant asserted after every step.
 * @module
 */
import assert from "node:assert/strict";
import { ascii, base64, concat, text, unhex } from "../../core/bytes.ts";
import { defaults, type DirectoryConfig } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import type { DirectoryEffect, DirectoryEvent } from "../../core/directory/events.ts";
import { status, type Status } from "../../core/directory/status.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";
import type { LogEffect, Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import type { Primitives } from "../../core/primitives.ts";
import { mono, type Mono } from "../../core/time.ts";
import * as cross from "../../sim/invariants/cross.ts";
import * as invariants from "../../sim/invariants/directory.ts";
import { text as say, type Violation } from "../../sim/invariants/violation.ts";
import * as drive from "./drive.ts";
import { poisoned } from "./laws.ts";
import { primitives, pubkeyOf, signEcdsa } from "./primitives.ts";

export const { types } = envelope;

type Config = DirectoryConfig;
type Kernel = kernel.Kernel<directory.Directory, DirectoryEvent, DirectoryEffect>;

export type Node = {
  readonly drive: drive.Drive<directory.Directory, DirectoryEvent, DirectoryEffect>;
  readonly observer: invariants.Observer;
  readonly outcome: invariants.Outcome;
  readonly logs: LogEffect[];
  readonly read: Map<ConnId, number>;
  /** Requests for random bytes; answered at once unless `holdsEntropy`. */
  readonly wanted: number[];
  holdsEntropy: boolean;
  chance: number;
  stopped: boolean;
  kept: cross.Kept | undefined;
  readonly pulse: cross.Pulse;
};

/** The address of the node itself in tests that have one. */
export const ownLocation = onion(1_000);

export type Options = {
  /** X1 is checked too: each step also runs on a copy of the state. */
  readonly strict?: boolean;
  readonly at?: number;
  /** Cheaper ones, for long scripts. */
  readonly primitives?: Primitives;
};

const effectKinds = new Set([
  "conn.send", "conn.close", "entropy.want", "log", "stopped", "wake",
]);

/** A started node with these settings over the defaults; with an address unless told otherwise. */
export function start(settings: Partial<Config> = {}, options: Options = {}): Node {
  const config: Config = { ...defaults, location: ownLocation, logLevel: "debug", ...settings };
  const at = mono(options.at ?? 1_000);
  const root = directory.root(options.primitives ?? primitives);
  const k: Kernel = kernel.create(root, directory.create(config, at), at, false);
  const n: Node = {
    drive: drive.create(k, {
      step: (it, event, now) => steppedBy(n, options.strict === true, it, event, now),
      stepped: (event, effects) => check(n, event, effects),
      perform: (effect) => perform(n, effect),
    }),
    observer: invariants.create(config, at), outcome: new Map(), logs: [], read: new Map(),
    wanted: [], holdsEntropy: false, chance: 7, stopped: false, kept: undefined,
    pulse: { at, steps: 0 },
  };
  push(n, { type: "clock.anchored", unixMs: 1_700_000_000_000 });
  push(n, { type: "operator.started" });
  return n;
}

function steppedBy(
  n: Node, isStrict: boolean, k: Kernel, event: DirectoryEvent | Tick, now: Mono,
): readonly (DirectoryEffect | WakeEffect)[] {
  return poisoned(() => {
    if (!isStrict) return kernel.step(k, event, now);
    const { effects, violations } = cross.stepTwice(k, event, now);
    none(violations, event, n);
    return effects;
  });
}

/** All invariants, after each step. */
function check(
  n: Node, event: DirectoryEvent | Tick, effects: readonly (DirectoryEffect | WakeEffect)[],
): void {
  const { kernel: k, now } = n.drive;
  none([
    ...invariants.observe(n.observer, k.state, event, effects, now),
    ...invariants.audit(n.observer, k.state, now),
    ...cross.plain(effects, effectKinds),
    ...cross.wakes(k, effects, now),
    ...cross.pulse(n.pulse, now, 50_000),
    ...(n.kept === undefined ? [] : cross.unchanged(n.kept)),
  ], event, n);
  n.kept = cross.keep(effects);
  invariants.gather(n.outcome, effects);
}

function none(violations: readonly Violation[], event: { type: string }, n: Node): void {
  if (violations.length === 0) return;
  const where = `at ${n.drive.now}, step ${n.drive.steps}, ${event.type}`;
  assert.fail(`${where}:\n  ${violations.map(say).join("\n  ")}`);
}

function perform(n: Node, effect: DirectoryEffect | WakeEffect): void {
  if (effect.type === "log") n.logs.push(effect);
  if (effect.type === "stopped") n.stopped = true;
  if (effect.type !== "entropy.want") return;
  if (n.holdsEntropy) return void n.wanted.push(effect.req);
  give(n, effect.req, effect.size);
}

/** The host answers a request for random bytes: here from a count. */
export function give(n: Node, req: number, size: number): void {
  n.chance += 1;
  const bytes = Uint8Array.from({ length: size }, (_, i) => (n.chance * 31 + i * 7) & 0xff);
  push(n, { type: "entropy.given", req, bytes });
}

export function push(n: Node, event: DirectoryEvent): void {
  drive.push(n.drive, event);
}

export function advance(n: Node, ms: number): void {
  drive.advance(n.drive, ms);
}

export function now(n: Node): number {
  return n.drive.now;
}

export function statusOf(n: Node): Status {
  return status(n.drive.kernel.state, n.drive.now);
}

/** A base58 text without the letters that would end a nick early. */
export function nick(i: number): string {
  const letters = "123456789ABCDEFGH";
  const tail = String(i).split("").map((digit) => letters.charAt(Number(digit))).join("");
  return `J5${tail.padStart(14, "a")}`;
}

/** A version 3 address with its checksum, and a port. */
export function onion(i: number): string {
  const key = Uint8Array.from({ length: 32 }, (_, at) => (i * 13 + at * 5) & 0xff);
  const sum = primitives.sha3(concat([ascii(".onion checksum"), key, Uint8Array.of(3)]));
  const bytes = concat([key, sum.subarray(0, 2), Uint8Array.of(3)]);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = "abcdefghijklmnopqrstuvwxyz234567";
  const groups = bits.match(/.{5}/g) ?? [];
  return `${groups.map((five) => letters.charAt(Number.parseInt(five, 2))).join("")}.onion:5222`;
}

export type Who = {
  readonly nick: string;
  /** An address; a taker has none. */
  readonly location?: string;
  readonly features?: readonly string[];
  /** The key behind the nick, for nick-auth. */
  readonly key?: bigint;
};

/** A maker that knows PING, unless told otherwise. */
export function maker(i: number, features: readonly string[] = ["ping"]): Who {
  return { nick: nick(i), location: onion(i), features };
}

export function taker(i: number, features: readonly string[] = ["ping"]): Who {
  return { nick: nick(i), features };
}

const nicks = new Map<bigint, string>();

/** A maker that proves its nick. */
export function prover(key: bigint, features: readonly string[] = ["ping"]): Who {
  const known = nicks.get(key) ?? nickOf(pubkeyOf(key), 5, primitives.sha256);
  nicks.set(key, known);
  return {
    nick: known, location: onion(Number(key)), features: [...features, "nick_auth"], key,
  };
}

/** The bytes of one line. */
export function frame(type: number, line: string): Uint8Array {
  return envelope.encode(type, line);
}

export function helloOf(who: Who, network = "mainnet"): string {
  return handshake.peerHello({
    nick: who.nick, network, location: who.location ?? "NOT-SERVING-ONION",
    features: who.features ?? [],
  });
}

export function connect(n: Node): ConnId {
  return drive.open(n.drive);
}

export function send(n: Node, conn: ConnId, type: number, line: string): void {
  drive.feed(n.drive, conn, frame(type, line));
}

export function raw(n: Node, conn: ConnId, bytes: string | Uint8Array): void {
  drive.feed(n.drive, conn, typeof bytes === "string" ? ascii(bytes) : bytes);
}

/** Opens a connection and says the handshake. */
export function greet(n: Node, who: Who): ConnId {
  const conn = connect(n);
  send(n, conn, types.HANDSHAKE, helloOf(who));
  return conn;
}

/** A peer that is in: handshake, proof if it has a key, and its answers read. */
export function join(n: Node, who: Who): ConnId {
  const conn = greet(n, who);
  if (who.key !== undefined) prove(n, conn, who);
  advance(n, 20);
  assert.ok(isIn(n, conn), `${who.nick} is not in: ${JSON.stringify(frames(n, conn))}`);
  fresh(n, conn);
  return conn;
}

/** Answers the challenge that came on `conn`. */
export function prove(n: Node, conn: ConnId, who: Who, key = who.key): void {
  advance(n, 20);
  const line = frames(n, conn).find((f) => f.type === types.NICK_AUTH_CHALLENGE)?.line;
  const challenge = nickauth.parseChallenge(line ?? "");
  assert.ok(challenge.ok && key !== undefined, "no challenge, or no key to answer it");
  const pubkey = pubkeyOf(key);
  const claim = { ...challenge.value, handshakeLine: helloOf(who), nick: who.nick, pubkey };
  const inner = nickauth.digest(claim, primitives.sha256);
  const signature = base64(signEcdsa(key, inner));
  assert.equal(unhex(pubkey)?.length, 33);
  send(n, conn, types.NICK_AUTH_PROOF, nickauth.proofLine({ pubkey, signature }));
}

export function isIn(n: Node, conn: ConnId): boolean {
  return n.drive.kernel.state.sessions.byConn.get(conn)?.at.phase === "registered";
}

export function ownerOf(n: Node, nickname: string): ConnId | undefined {
  return n.drive.kernel.state.registry.byNick.get(nickname)?.conn;
}

export function ownNick(n: Node): string {
  return n.drive.kernel.state.nick;
}

export function publish(n: Node, conn: ConnId, who: Who, words: string): void {
  send(n, conn, types.PUBMSG, `${who.nick}!PUBLIC!${words}`);
}

export function whisper(n: Node, conn: ConnId, who: Who, to: string, words: string): void {
  send(n, conn, types.PRIVMSG, `${who.nick}!${to}!${words}`);
}

export type Frame = { readonly type: number; readonly line: string; readonly bytes: string };

/** Everything that the peer has read. */
export function frames(n: Node, conn: ConnId): readonly Frame[] {
  const stream = text(concat(drive.linkOf(n.drive, conn).got));
  const lines = stream.split("\r\n");
  assert.equal(lines.pop(), "", "the stream ends with a whole line");
  return lines.map((bytes) => ({ ...(JSON.parse(bytes) as Frame), bytes }));
}

/** What the peer has read since the last call. */
export function fresh(n: Node, conn: ConnId): readonly Frame[] {
  const all = frames(n, conn);
  const from = n.read.get(conn) ?? 0;
  n.read.set(conn, all.length);
  return all.slice(from);
}

/** The texts of the lines of one type that the peer has read since the last call. */
export function freshLines(n: Node, conn: ConnId, type: number): readonly string[] {
  return fresh(n, conn).filter((f) => f.type === type).map((f) => f.line);
}

/** Why the node closed the connection, if it did. */
export function closedAs(n: Node, conn: ConnId): string | undefined {
  return drive.linkOf(n.drive, conn).closed?.reason;
}

/** What the last handshake answer on `conn` said. */
export function refusal(n: Node, conn: ConnId): string | undefined {
  const line = frames(n, conn).find((f) => f.type === types.DN_HANDSHAKE)?.line;
  const hello = handshake.parseDirectory(line ?? "");
  return hello.ok && !hello.value.accepted ? hello.value.motd : undefined;
}
