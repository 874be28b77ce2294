import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventOf, versionsOf } from "../../adapters/round-proto.ts";
import { bytesField, eventBytes, varintField } from "../support/ark-rounds.ts";

test("round proto: every kind of event with its numbers, whatever else it holds", () => {
  const kinds = [[1, "attempt"], [2, "proposal"], [4, "finished"], [5, "failed"]] as const;
  for (const [field, kind] of kinds) {
    assert.deepEqual(eventOf(eventBytes(field, 1_234_567_890n, 3n)), {
      kind, roundSeq: 1_234_567_890, attemptSeq: 3,
    });
    assert.deepEqual(eventOf(eventBytes(field, 5n, 0n)), { kind, roundSeq: 5, attemptSeq: 0 });
  }
});

test("round proto: an event without a known kind is one, a number too large is none", () => {
  assert.equal(eventOf(eventBytes(3, 1n, 1n)), "unknown");
  assert.equal(eventOf(eventBytes(9, 1n, 1n)), "unknown");
  assert.equal(eventOf(new Uint8Array(0)), "unknown");
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  assert.deepEqual(eventOf(eventBytes(1, most, most)), {
    kind: "attempt", roundSeq: Number.MAX_SAFE_INTEGER, attemptSeq: Number.MAX_SAFE_INTEGER,
  });
  assert.equal(eventOf(eventBytes(1, most + 1n, 0n)), undefined);
  assert.equal(eventOf(eventBytes(1, 0n, 2n ** 64n - 1n)), undefined);
});

test("round proto: versions", () => {
  const versions = Uint8Array.from([
    ...varintField(1, 4n), ...varintField(2, 5n), ...bytesField(3, [0x68, 0x69]),
  ]);
  assert.deepEqual(versionsOf(versions), { min: 4, max: 5 });
  assert.deepEqual(versionsOf(new Uint8Array(0)), { min: 0, max: 0 });
  assert.equal(versionsOf(Uint8Array.from(varintField(1, 2n ** 63n))), undefined);
  assert.equal(versionsOf(Uint8Array.from([0x08])), undefined);
});

test("round proto: a message cut in a field is none", () => {
  const whole = eventBytes(2, 300n, 1n);
  for (let end = 1; end < whole.length; end += 1) {
    assert.equal(eventOf(whole.subarray(0, end)), undefined);
  }
});

test("round proto: any bytes are read without harm", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    eventOf(bytes);
    versionsOf(bytes);
  }), { numRuns: 100 });
  const deep = Uint8Array.from(Array.from({ length: 100_000 }, () => 0x0b));
  assert.equal(eventOf(deep), undefined);
});
