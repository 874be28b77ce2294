import assert from "node:assert/strict";
import { test } from "node:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { base64, hex } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import { nickOf } from "../../../core/joinmarket/nick.ts";
import * as signed from "../../../core/joinmarket/signed.ts";
import * as pool from "../../../core/maker/pool.ts";
import * as prng from "../../../core/prng.ts";
import { mono, type Mono } from "../../../core/time.ts";
import * as node from "../../support/directory.ts";
import * as drive from "../../support/drive.ts";
import { primitives } from "../../support/primitives.ts";

const key = new Uint8Array(32).fill(77);
const pubkey = hex(secp256k1.getPublicKey(key, true));
const nick = nickOf(pubkey, 5, primitives.sha256);

/** What a host does with the nick's key: it signs 32 bytes, and hashes nothing. */
function signDigest(digest: Uint8Array): Uint8Array {
  return secp256k1.sign(digest, key, { prehash: false, format: "der" });
}

type Pair = {
  readonly directory: node.Node; readonly m: pool.Pool; readonly told: pool.Effect[];
  /** The pool's connections and the directory's. */
  readonly ends: Map<ConnId, ConnId>;
  readonly read: Map<ConnId, number>;
};

function couple(): Pair {
  const directory = node.start();
  const config = { ...pool.defaults };
  const identity = {
    nick, pubkey, network: "mainnet", features: ["ping", "peerlist_features"],
    auth: "require" as const,
  };
  const m = pool.create(config, identity, node.onion(5), prng.key("couple"));
  const p: Pair = { directory, m, told: [], ends: new Map(), read: new Map() };
  const directories = [{ to: node.ownLocation, directoryId: node.ownLocation, isolation: "dir" }];
  act(p, { type: "configured", directories });
  return p;
}

/** A step of the pool, and all that follows on both sides at the same instant. */
function act(p: Pair, event: pool.Event): void {
  const out: pool.Effect[] = [];
  pool.step(p.m, event, nowOf(p), primitives, out);
  carry(p, out);
}

function nowOf(p: Pair): Mono {
  return mono(node.now(p.directory));
}

function carry(p: Pair, effects: readonly pool.Effect[]): void {
  for (const effect of effects) {
    p.told.push(effect);
    perform(p, effect);
    deliver(p);
  }
}

function perform(p: Pair, effect: pool.Effect): void {
  const { drive: d } = p.directory;
  const theirs = (conn: ConnId): ConnId => p.ends.get(conn) as ConnId;
  if (effect.type === "conn.dial") {
    p.ends.set(effect.conn, drive.open(d));
    act(p, { type: "conn.dialed", conn: effect.conn });
  }
  if (effect.type === "conn.send") drive.feed(d, theirs(effect.conn), effect.bytes);
  if (effect.type === "conn.close") drive.hangUp(d, theirs(effect.conn));
  if (effect.type === "sign") {
    act(p, { type: "signed", token: effect.token, signature: signDigest(effect.digest) });
  }
}

/** What the directory has written reaches the pool. */
function deliver(p: Pair): void {
  for (const [mine, theirs] of p.ends) {
    const { got } = drive.linkOf(p.directory.drive, theirs);
    for (;;) {
      const at = p.read.get(mine) ?? 0;
      const bytes = got[at];
      if (bytes === undefined) break;
      p.read.set(mine, at + 1);
      act(p, { type: "conn.received", conn: mine, bytes });
    }
  }
}

function pass(p: Pair, ms: number): void {
  const until = nowOf(p) + ms;
  for (let i = 0; i < 10_000 && nowOf(p) < until; i += 1) {
    const next = Math.min(pool.deadline(p.m), p.directory.drive.kernel.wakeAt, until);
    node.advance(p.directory, next - nowOf(p));
    deliver(p);
    if (pool.deadline(p.m) <= nowOf(p)) act(p, { type: "tick" });
  }
}

const kinds = (p: Pair): string[] => p.told.map(({ type }) => type);

test("maker: pool: a real directory lets us in, with a proof that it believes", () => {
  const p = couple();
  act(p, { type: "started" });
  pass(p, 1_000);
  const up = p.told.find((e) => e.type === "up");
  assert.ok(up?.type === "up", kinds(p).join());
  assert.deepEqual([up.isProven, up.connected, up.total], [true, 1, 1]);
});

test("maker: pool: a real directory hears us for an hour, each probing the other", () => {
  const p = couple();
  const offers = { version: 1, change: [], current: ["sw0absoffer 0 1 2 0 5"] };
  act(p, { type: "offered", offers });
  act(p, { type: "started" });
  pass(p, 3_600_000);
  assert.ok(pool.views(p.m).every(({ phase }) => phase === "up"));
  assert.deepEqual(kinds(p).filter((t) => t === "down" || t === "failed"), []);
  assert.equal(kinds(p).filter((t) => t === "announced").length, 1);
  const writes = kinds(p).filter((t) => t === "conn.send").length;
  assert.ok(writes >= 55 && writes <= 75, `${writes} writes in an hour`);
});

test("maker: pool: what a digest is signed to holds for those who read the line", () => {
  const to = "J59cTYvZJZEbjWk4";
  const data = "no offers on this network";
  const der = signDigest(signed.digestFor(data, primitives.sha256));
  const line = signed.appended(signed.unsigned(nick, to, "error", data), pubkey, der);
  const read = signed.read(line, to, primitives.sha256);
  assert.ok(read.ok && read.value.signature === base64(der));
  assert.equal(signed.verify(read.value, primitives), true);
});
