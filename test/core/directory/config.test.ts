import assert from "node:assert/strict";
import { test } from "node:test";
import { check, defaults, type DirectoryConfig } from "../../../core/directory/config.ts";
import * as directory from "../../../core/directory/directory.ts";
import { InvariantError } from "../../../core/assert.ts";
import { encode, lineBytesMax, types } from "../../../core/joinmarket/envelope.ts";
import { mono } from "../../../core/time.ts";

type Over = Partial<DirectoryConfig>;
const { heartbeat, limits, outbox } = defaults;

function bytes(name: "publicBytes" | "privateBytes", burst: number): Over {
  return { limits: { ...limits, [name]: { tokens: 1, perMs: 1, burst } } };
}

/** Each relation: settings at its edge, settings just beyond, and the keys that are named. */
const relations: readonly (readonly [Over, Over, readonly string[]])[] = [
  [
    { heartbeat: { ...heartbeat, pongMs: heartbeat.idleMs - 1 } },
    { heartbeat: { ...heartbeat, pongMs: heartbeat.idleMs } },
    ["heartbeat.pongMs", "heartbeat.idleMs"],
  ],
  [
    { heartbeat: { ...heartbeat, idleMs: heartbeat.hardMs - 1 } },
    { heartbeat: { ...heartbeat, idleMs: heartbeat.hardMs } },
    ["heartbeat.idleMs", "heartbeat.hardMs"],
  ],
  [{ contestPingMs: 29_999 }, { contestPingMs: 30_000 }, ["contestPingMs", "handshakeMs"]],
  [{ lineBytesMax: 40_000 }, { lineBytesMax: 40_001 }, ["lineBytesMax"]],
  [
    bytes("publicBytes", 40_002), bytes("publicBytes", 40_001),
    ["limits.publicBytes", "lineBytesMax"],
  ],
  [
    bytes("privateBytes", 40_002), bytes("privateBytes", 40_001),
    ["limits.privateBytes", "lineBytesMax"],
  ],
  [
    { peerlistBytesMax: 20_000, lineBytesMax: 20_000 },
    { peerlistBytesMax: 20_001, lineBytesMax: 20_000 },
    ["peerlistBytesMax", "lineBytesMax"],
  ],
  [
    { peerlistBytesMax: 39_975 }, { peerlistBytesMax: 39_976 }, ["peerlistBytesMax"],
  ],
  [
    { outbox: { ...outbox, bytesMax: 80_000 } },
    { outbox: { ...outbox, bytesMax: 79_999 } },
    ["outbox.bytesMax", "lineBytesMax"],
  ],
  [
    { outbox: { ...outbox, bytesTotalMax: outbox.bytesMax } },
    { outbox: { ...outbox, bytesTotalMax: outbox.bytesMax - 1 } },
    ["outbox.bytesTotalMax", "outbox.bytesMax"],
  ],
];

test("directory: config: the defaults hold together", () => {
  assert.equal(check(defaults), undefined);
  assert.deepEqual([heartbeat.sweepMs, heartbeat.idleMs, heartbeat.hardMs, heartbeat.pongMs],
    [60_000, 600_000, 1_500_000, 30_000]);
});

test("directory: config: each relation holds at its edge and names its keys beyond", () => {
  for (const [edge, beyond, keys] of relations) {
    assert.equal(check({ ...defaults, ...edge }), undefined, keys.join());
    const broken = check({ ...defaults, ...beyond });
    assert.deepEqual(broken?.keys, keys);
    assert.ok((broken?.says ?? "").length > 10);
  }
});

test("directory: config: a node refuses to be made with a broken relation", () => {
  for (const [edge, beyond] of relations) {
    assert.doesNotThrow(() => directory.create({ ...defaults, ...edge }, mono(0)));
    assert.throws(() => directory.create({ ...defaults, ...beyond }, mono(0)), InvariantError);
  }
});

test("directory: config: the longest allowed PEERLIST is just as long as may be sent", () => {
  const line = encode(types.PEERLIST, "x".repeat(39_975));
  assert.equal(line.length - 2, lineBytesMax);
});
