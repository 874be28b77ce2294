import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../core/assert.ts";
import { utf8 } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import type { Tick } from "../../../core/kernel/io.ts";
import type { Root } from "../../../core/kernel/kernel.ts";
import { secret } from "../../../core/secret.ts";
import type { Mono } from "../../../core/time.ts";
import * as hostile from "../../../sim/actors/hostile.ts";
import type { PeerEffect, PeerEvent } from "../../../sim/actors/io.ts";
import { backoffMsMax, dialMs, greetMs, pingMsMax, pongMs } from "../../../sim/actors/link.ts";
import * as peer from "../../../sim/actors/peer.ts";
import { nickFor, onionFor, primitives, secretFor } from "../../../sim/primitives.ts";
import { hostileKinds, type HostileKind, type Work } from "../../../sim/scenario.ts";
import {
  effectsOf, laws, scripts, type Run, type Script, type Subject,
} from "../../support/laws.ts";
import { hostileConfig, peerConfig } from "./yard.ts";

const { types } = envelope;

/** An event about the connection that is current (or was: `-1`), as its number among the dials. */
type Sign = Exclude<PeerEvent, { readonly conn: ConnId }> | Tick | {
  readonly type: "conn.dialed" | "conn.failed" | "conn.congested" | "conn.drained" | "conn.closed";
  readonly back: number;
} | { readonly type: "conn.received"; readonly back: number; readonly bytes: Uint8Array };

function eventOf(sign: Sign, conns: readonly ConnId[]): PeerEvent | Tick | undefined {
  if (!("back" in sign)) return sign;
  const conn = conns[sign.back];
  if (conn === undefined) return undefined;
  switch (sign.type) {
    case "conn.received": return { type: sign.type, conn, bytes: sign.bytes.slice() };
    case "conn.closed": return { type: sign.type, conn, reason: "reset" };
    case "conn.failed": return { type: sign.type, conn, reason: "timeout" };
    case "conn.dialed":
    case "conn.congested":
    case "conn.drained":
      return { type: sign.type, conn };
    default: return unreachable(sign);
  }
}

function welcome(accepted: boolean): string {
  return handshake.directoryHello({
    nick: nickFor(77), network: "regtest", motd: "x", features: ["nick_auth", "ping"], accepted,
  });
}

const offers = "sw0reloffer 0 27300 2500000000 0 0.0001000003!cancel 1";
const frames: readonly Uint8Array[] = [
  envelope.encode(types.DN_HANDSHAKE, welcome(true)),
  envelope.encode(types.DN_HANDSHAKE, welcome(false)),
  envelope.encode(
    types.NICK_AUTH_CHALLENGE, nickauth.challengeLine("ab".repeat(32), onionFor(1_000)),
  ),
  envelope.encode(types.NICK_AUTH_RESULT, nickauth.resultLine("ok")),
  envelope.encode(types.NICK_AUTH_RESULT, nickauth.resultLine("policy")),
  envelope.encode(types.PING, ""),
  envelope.encode(types.PONG, ""),
  envelope.encode(types.PUBMSG, `${nickFor(5)}!PUBLIC!orderbook`),
  envelope.encode(types.PUBMSG, `${nickFor(5)}!PUBLIC!${offers}`),
  envelope.encode(types.PUBMSG, `${nickFor(5)}!PUBLIC!cancel 0`),
  utf8(`{"line":"${nickFor(5)}!PUBLIC!chat é","type":687}\r\n`),
  envelope.encode(types.PRIVMSG, `${nickFor(5)}!${nickFor(1)}!${offers}`),
  envelope.encode(types.PRIVMSG, `${nickFor(5)}!${nickFor(1)}!fill 0 1 #7 x`),
  envelope.encode(types.PRIVMSG, `${nickFor(0)}!${nickFor(1)}!pubkey #1000003`),
  envelope.encode(types.PRIVMSG, `${nickFor(5)}!${nickFor(2)}!pubkey #1`),
  envelope.encode(types.PEERLIST, `${nickFor(5)};${onionFor(5)};D,${nickFor(6)};${onionFor(6)}`),
  envelope.encode(types.PEERLIST, `${nickFor(6)};${onionFor(6)};F:ping`),
  Uint8Array.of(13, 10),
];

const piece: fc.Arbitrary<Uint8Array> = fc.oneof(
  // Most scripts should come past the handshake.
  { weight: 6, arbitrary: fc.constantFrom(...frames.slice(0, 1)) },
  { weight: 3, arbitrary: fc.constantFrom(...frames.slice(2, 4)) },
  { weight: 12, arbitrary: fc.constantFrom(...frames) },
  { weight: 1, arbitrary: fc.constantFrom(...frames).map((frame) => frame.slice(0, 30)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
);
const task: fc.Arbitrary<Work> = fc.oneof(
  fc.constantFrom<Work>(
    { op: "orderbook" }, { op: "peerlist" }, { op: "ping" }, { op: "announce", size: 9 },
    { op: "fill", maker: "maker0", bytes: 50 }, { op: "chat", bytes: 300 },
    { op: "away", forMs: 0 }, { op: "append", count: 1, bytes: 1 },
  ),
  fc.record({ op: fc.constant("burst" as const), count: fc.nat(40), bytes: fc.nat(40_000) }),
);
const back = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(2));
const sign: fc.Arbitrary<Sign> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("conn.dialed" as const), back }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("conn.failed" as const), back }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("conn.closed" as const), back }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("conn.congested" as const), back }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("conn.drained" as const), back }) },
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constant("conn.received" as const), back, bytes: piece }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("asked" as const), task }) },
);

/** The first steps of most runs: dialled, let in; and asked for a proof that holds. */
const arrival: Script<Sign> = [
  { afterMs: 600, event: { type: "asked", task: { op: "orderbook" } } },
  { afterMs: 10, event: { type: "conn.dialed", back: 0 } },
  { afterMs: 20, event: { type: "conn.received", back: 0, bytes: frames[0] as Uint8Array } },
];
const proof: Script<Sign> = [2, 3].map((at) => {
  return {
    afterMs: 20, event: { type: "conn.received", back: 0, bytes: frames[at] as Uint8Array },
  };
});

/** A machine with the connections it has dialled, newest first. */
type Rig<S> = { readonly state: S; conns: ConnId[] };

function step<S>(
  rig: Rig<S>, event: Sign, out: PeerEffect[],
  run: (state: S, event: PeerEvent | Tick, out: PeerEffect[]) => void,
): void {
  const real = eventOf(event, rig.conns);
  if (real === undefined) return;
  run(rig.state, real, out);
  for (const effect of out) if (effect.type === "conn.dial") rig.conns.unshift(effect.conn);
  if (rig.conns.length > 4) rig.conns.length = 4;
}

/** What a machine does, in a rig. */
function rigOf<S>(
  root: Pick<Root<S, PeerEvent, PeerEffect>, "step" | "deadline">,
): Pick<Subject<Rig<S>, Sign, PeerEffect>, "step" | "deadline" | "tick"> {
  return {
    step: (rig, event, now, out) => {
      step(rig, event, out, (state, real, to) => root.step(state, real, now, to));
    },
    deadline: (rig) => root.deadline(rig.state),
    tick: { type: "tick" },
  };
}

type Kind = "maker" | "taker" | "watcher";

function peerSubject(kind: Kind, speaks: "old" | "new", auth: boolean):
  Subject<Rig<peer.Peer>, Sign, PeerEffect> {
  const root = peer.root(primitives);
  return {
    create: (now) => {
      const state = peer.create(peerConfig(1, { kind, speaks, auth }), now);
      const key = secret(secretFor(1));
      if (auth) root.step(state, { type: "key.given", key }, now, []);
      root.step(state, { type: "started" }, now, []);
      return { state, conns: [] };
    },
    ...rigOf(root),
    settleMs: 400_000,
    startAt: 5_000,
    holds: (rig, now) => bounded(rig.state, now),
    lives: (run) => lives(run, speaks),
  };
}

/** What is remembered has its bound, and no phase lasts longer than it may. */
function bounded(p: peer.Peer, now: Mono): void {
  for (const l of p.links) {
    assert.ok(l.waitingBytes <= 256 * 1024);
    assert.ok(l.book.missing.size <= 256);
    assert.ok(!l.isStuck);
    const age = now - l.since;
    if (l.phase === "dialing") assert.ok(age <= dialMs, `dialing for ${age}`);
    if (l.phase === "greeting" || l.phase === "challenged" || l.phase === "proving") {
      assert.ok(age <= greetMs, `${l.phase} for ${age}`);
    }
    if (l.phase === "apart") assert.ok(age <= backoffMsMax, `apart for ${age}`);
  }
  assert.ok(p.pending.length <= 64);
}

/**
 * A host that never answers: whoever is not up dials again and again; a new peer that is up and
 * hears nothing finds out.
 */
function lives(run: Run<Rig<peer.Peer>, Sign, PeerEffect>, speaks: "old" | "new"): void {
  const [link] = run.state.state.links;
  assert.ok(link !== undefined);
  const effects = effectsOf(run);
  const lastAt = run.steps.findLast((one) => one.event.type !== "tick")?.at ?? 0;
  if (speaks === "old" && link.phase === "up") return;
  const dials = effects.filter(({ effect }) => effect.type === "conn.dial");
  const patience = pingMsMax + pongMs + backoffMsMax;
  const last = dials.at(-1)?.at ?? 0;
  assert.ok(last > lastAt || run.now - lastAt < patience, `no dial since ${last}`);
  for (let i = 1; i < dials.length; i += 1) {
    const gap = (dials[i]?.at ?? 0) - (dials[i - 1]?.at ?? 0);
    assert.ok(gap >= 1, "dials do not overlap");
  }
}

for (const kind of ["maker", "taker", "watcher"] as const) {
  for (const speaks of ["old", "new"] as const) {
    test(`sim: actors: peer: laws: ${speaks} ${kind}`, () => {
      fc.assert(fc.property(scripts(sign, 15_000, 40, true), fc.boolean(), (script, auth) => {
        laws(peerSubject(kind, speaks, auth), [...(auth ? [] : arrival), ...script]);
        laws(peerSubject(kind, speaks, auth), auth ? [...arrival, ...proof, ...script] : script);
      }), { numRuns: 5 });
    });
  }
}

function hostileSubject(kind: HostileKind): Subject<Rig<hostile.Hostile>, Sign, PeerEffect> {
  const root = hostile.root(primitives);
  return {
    create: (now) => {
      const state = hostile.create(hostileConfig(1, kind, 2), now);
      root.step(state, { type: "started" }, now, []);
      return { state, conns: [] };
    },
    ...rigOf(root),
    settleMs: 200_000,
    startAt: 5_000,
    lives: (run) => {
      // It comes back for ever: in any two minutes and a rest somebody dials or is still inside.
      const last = effectsOf(run).findLast(({ effect }) => effect.type === "conn.dial")?.at ?? 0;
      const open = run.state.state.slots.filter((s) => s.phase === "open").length;
      assert.ok(open > 0 || run.now - last <= 150_000, `no dial since ${last}`);
    },
  };
}

for (const kind of hostileKinds) {
  test(`sim: actors: hostile: laws: ${kind}`, () => {
    fc.assert(fc.property(scripts(sign, 20_000, 30, true), (script) => {
      laws(hostileSubject(kind), script);
    }), { numRuns: 5 });
  });
}
