/**
 * A link of the maker on a made-up connection, and the frames that a directory would send.
 * @module
 */
import assert from "node:assert/strict";
import { unreachable } from "../../core/assert.ts";
import { concat, text } from "../../core/bytes.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import type { Identity } from "../../core/maker/greet.ts";
import * as link from "../../core/maker/link.ts";
import * as prng from "../../core/prng.ts";
import { mono, type Mono } from "../../core/time.ts";
import * as cheap from "../../sim/primitives.ts";

export const { primitives } = cheap;
export const { types } = envelope;
export const secret = cheap.secretFor(1);
export const identity: Identity = {
  nick: cheap.nickOf(secret), pubkey: cheap.pubkeyOf(secret), network: "regtest",
  features: ["ping", "peerlist_features"], auth: "prefer",
};
export const other = cheap.nickFor(2);
export const directoryId = cheap.onionOf(cheap.secretFor(3));
export const location = cheap.onionOf(secret);

/** Small waits, so that tests can name every millisecond. */
export const config: link.Config = {
  ...link.defaults, dialMs: 200, handshakeMs: 100, closingMs: 50, healthyMs: 400,
  idleMs: 60, pingGapMs: 60, pongMs: 30, proveMs: 300, unheardMs: 120, silentMs: 1_800,
  congestedMsMax: 70, outboxBytesMax: 2_000, lineBytesMax: 5_000,
  startup: { baseMs: 5, maxMs: 30, times: 3, per: 2 },
  retry: { baseMs: 8, maxMs: 300, times: 2, per: 1 }, retriesMax: 0, spentMs: 3_600,
};

export const frame = (type: number, line = ""): Uint8Array => envelope.encode(type, line);
export const ping = frame(types.PING);
export const pong = frame(types.PONG);

export type Hello = {
  readonly accepted?: boolean; readonly features?: readonly string[]; readonly network?: string;
  readonly motd?: string;
};

/** A 795. */
export function welcome(hello: Hello = {}): Uint8Array {
  return frame(types.DN_HANDSHAKE, handshake.directoryHello({
    nick: cheap.nickFor(9), network: "regtest", motd: "hello", features: ["ping"], accepted: true,
    ...hello,
  }));
}

export const proving: Hello = { features: ["ping", "nick_auth"] };

/** An 803. */
export function challenge(id = directoryId): Uint8Array {
  return frame(types.NICK_AUTH_CHALLENGE, nickauth.challengeLine("22".repeat(32), id));
}

export function result(code: nickauth.ResultCode = "ok"): Uint8Array {
  return frame(types.NICK_AUTH_RESULT, nickauth.resultLine(code));
}

export const publicFrame = (words: string): Uint8Array =>
  frame(types.PUBMSG, `${other}!PUBLIC!${words}`);
export const privateFrame = (words: string): Uint8Array =>
  frame(types.PRIVMSG, `${other}!${identity.nick}!${words}`);

/** What a write holds, as `type line`, in order. */
export function said(bytes: Uint8Array): string[] {
  const e = envelope.create();
  return text(bytes).split("\r\n").slice(0, -1).map((line) => {
    const one = new TextEncoder().encode(line);
    assert.equal(envelope.scan(one, e), undefined);
    return `${e.type} ${envelope.content(one, e)}`.trim();
  });
}

/** One effect in short. */
export function shown(effect: link.Effect): string {
  switch (effect.type) {
    case "send": return said(effect.bytes).map((line) => `> ${short(line)}`).join(", ");
    case "close": return `close ${effect.how} ${effect.reason}`;
    case "sign": return `sign ${effect.digest.length}`;
    case "up": return `up${effect.isProven ? " proven" : ""}`;
    case "lost": return `lost ${effect.why}${effect.wasUp ? " up" : ""} ${effect.failures}`;
    case "heard": return `heard ${effect.kind} ${effect.line}`;
    case "announced": return `announced ${effect.version} ${effect.lines}`;
    case "dial": case "ended": return effect.type;
    default: return unreachable(effect);
  }
}

function short(line: string): string {
  return /^(793|805) /.test(line) ? line.slice(0, 3) : line;
}

export type World = {
  readonly m: link.Link;
  readonly told: link.Effect[];
  now: Mono;
  /** Takes an event and answers what came of it, in short. */
  readonly on: (event: link.Event) => string[];
  /** The directory sends frames, in one piece. */
  readonly hear: (...frames: readonly Uint8Array[]) => string[];
  /** Time passes; every tick at its own instant. */
  readonly to: (at: number) => string[];
  readonly post: (bytes: Uint8Array) => boolean;
};

export type Options = {
  readonly config?: Partial<link.Config>; readonly identity?: Partial<Identity>;
  readonly id?: string | undefined; readonly seed?: string;
};

/** A link that has not started. */
export function world(options: Options = {}): World {
  const id = "id" in options ? options.id : directoryId;
  const m = link.create(
    { ...config, ...options.config }, { ...identity, ...options.identity }, id, location,
    prng.stream(prng.key(options.seed ?? "link")),
  );
  const told: link.Effect[] = [];
  const w: World = {
    m, told, now: mono(0),
    on: (event) => {
      const out: link.Effect[] = [];
      link.step(m, event, w.now, primitives, out);
      assert.ok(link.deadline(m) > w.now, "law 2");
      told.push(...out);
      return out.map(shown);
    },
    hear: (...frames) => w.on({ type: "received", bytes: concat(frames) }),
    to: (at) => {
      const all: string[] = [];
      for (let i = 0; link.deadline(m) <= at; i += 1) {
        assert.ok(i < 10_000);
        w.now = link.deadline(m);
        all.push(...w.on({ type: "tick" }));
      }
      w.now = mono(at);
      return all;
    },
    post: (bytes) => {
      const out: link.Effect[] = [];
      const taken = link.post(m, bytes, w.now, out);
      told.push(...out);
      return taken;
    },
  };
  return w;
}

/** Up, at instant 0, with a directory that knows PING unless told otherwise. */
export function upWorld(options: Options = {}, hello: Hello = {}): World {
  const w = world(options);
  w.on({ type: "started", isStartup: false });
  w.on({ type: "dialed" });
  assert.deepEqual(w.hear(welcome(hello)), ["up"]);
  return w;
}

/** Signs what a link asks for, as the host does. */
export function signature(digest: Uint8Array): Uint8Array {
  assert.equal(digest.length, 32);
  // The stand-ins sign what is hashed once; a test of real signatures is in the pool's.
  return cheap.sign(secret, digest);
}
