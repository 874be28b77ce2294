import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import * as canon from "../../../core/kernel/canon.ts";
import * as trace from "../../../core/kernel/trace.ts";
import { secret } from "../../../core/secret.ts";
import { mono } from "../../../core/time.ts";
import { event, plain } from "../../support/plain.ts";
import { bytesOf } from "../../support/toy.ts";

test("core: trace: a step line reads back, and digests agree on both sides", () => {
  fc.assert(
    fc.property(event, fc.nat(), (value, t) => {
      const d = trace.digest();
      trace.fold(d, mono(t), value, []);
      const step = trace.parseStep(trace.stepText(7, mono(t), value, [], d));
      assert.ok(step.ok);
      assert.deepEqual(step.value, { i: 7, t, event: value, died: undefined });
      const again = trace.digest();
      trace.fold(again, mono(t), step.value.event, []);
      assert.equal(trace.hex(again), trace.hex(d));
    }),
    { numRuns: 200 },
  );
});

test("core: trace: no text makes the readers throw", () => {
  const canonical = plain.map((value) => canon.encode(value, undefined));
  const hostile = fc.oneof(fc.string({ unit: "binary" }), fc.json(), canonical);
  fc.assert(
    fc.property(hostile, (text) => {
      trace.parseStep(text);
      trace.parseHeader(text);
    }),
    { numRuns: 400 },
  );
  const shapes = [
    `{"a":1}`, `{"x":"0"}`, `{"x":"0G"}`, `{"n":"1.5"}`, `{"n":1}`, `{"o":1}`, `{"o":"x"}`,
    `{"secret":1}`, `{"secret":"-"}`, `{"secret":"-","bytes":-1}`,
    `{"secret":"-","bytes":99999999}`,
    `{"u":2}`, "[".repeat(100) + "]".repeat(100),
  ];
  for (const shape of shapes) {
    trace.parseStep(`{"i":0,"t":0,"e":{"type":"x","f":${shape}},"fx":[],"h":""}`);
  }
  assert.ok(!trace.parseStep(`{"i":0,"t":0,"e":{"type":1}}`).ok);
  assert.ok(!trace.parseStep(`{"i":0,"t":0,"e":{"type":"x"},"died":1}`).ok);
  assert.ok(!trace.parseStep(`{"i":-1,"t":0,"e":{"type":"x"}}`).ok);
  assert.ok(!trace.parseStep("[]").ok);
});

test("core: trace: values that look alike have different digests", () => {
  const values = [
    1, "1", true, false, null, undefined, 1n, 0, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 1.5, -0.5, "",
    [], {}, [[]], [1], ["1"], { a: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2, a: 1 }, "ab", "ba",
    ...["", "a", "ab", "ba", "aaaa", "aaaaa"].map(bytesOf), secret(bytesOf("a")),
    secret(bytesOf("ab")),
  ];
  const seen = new Set(values.map((value) => digestOf(value)));
  assert.equal(seen.size, values.length);
});

function digestOf(value: unknown, key?: Uint8Array): string {
  const d = trace.digest(key);
  trace.fold(d, mono(0), { type: "x", value }, []);
  return trace.hex(d);
}

test("core: trace: one flipped bit in a step changes the digest", () => {
  const clean = digestOf(bytesOf("the quick brown fox"));
  for (let bit = 0; bit < 19 * 8; bit += 1) {
    const bytes = bytesOf("the quick brown fox");
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.notEqual(digestOf(bytes), clean);
  }
});

test("core: trace: a batch shared by many sends is hashed once, and nothing is kept after", () => {
  let reads = 0;
  const batch = new Proxy(bytesOf("x".repeat(1_000)), {
    get(target, field) {
      if (field === "0") reads += 1;
      const value = Reflect.get(target, field, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const d = trace.digest();
  const sends = Array.from({ length: 50 }, (_, conn) => ({ type: "s", conn, bytes: batch }));
  trace.fold(d, mono(0), { type: "tick" }, sends);
  assert.equal(reads, 1);
  assert.equal(d.seen.length + d.sums.length, 0);
});

test("core: trace: more batches than are remembered give the same digest as copies of them", () => {
  const batches = Array.from({ length: 20 }, (_, i) => bytesOf(`batch ${i}`));
  const order = [...batches, ...batches.slice(0, 9), ...batches];
  const shared = trace.digest();
  const sends = order.map((bytes) => ({ type: "s", bytes }));
  trace.fold(shared, mono(0), { type: "tick" }, sends);
  const copied = trace.digest();
  const copies = order.map((bytes) => ({ type: "s", bytes: bytes.slice() }));
  trace.fold(copied, mono(0), { type: "tick" }, copies);
  assert.equal(trace.hex(shared), trace.hex(copied));
});

test("core: trace: a secret leaves a seal only, which depends on the key", () => {
  const key = bytesOf("12345678");
  const held = { type: "x", password: secret(bytesOf("hunter2")) };
  const d = trace.digest();
  trace.keyWith(d, key);
  trace.fold(d, mono(0), held, []);
  const line = trace.stepText(0, mono(0), held, [], d);
  assert.ok(!line.includes("hunter2"));
  assert.match(line, /"password":\{"secret":"[0-9a-f]{16}","bytes":7\}/);
  assert.notEqual(digestOf(held, key), digestOf(held, bytesOf("87654321")));
  const step = trace.parseStep(line);
  assert.ok(step.ok);
  // Without the key: the seal that was read stands in for it.
  const again = trace.digest();
  trace.fold(again, mono(0), step.value.event, []);
  assert.equal(trace.stepText(0, mono(0), step.value.event, [], again), line);
});

test("core: trace: effects are told by kind, runs counted", () => {
  const kinds = ["conn.send", "conn.send", "log", "conn.send", "wake"].map((type) => ({ type }));
  assert.deepEqual(trace.kindsOf(kinds), ["conn.send#2", "log", "conn.send", "wake"]);
  assert.deepEqual(trace.kindsOf([]), []);
  assert.equal(trace.effectText({ type: "wake" }), `{"type":"wake"}`);
});

const header: trace.Header = {
  kind: "directory", version: "0.1.0", node: "v20.20.2",
  config: { location: undefined, motd: "grüße", limits: [1, 2n] },
  seed: bytesOf("0123456789abcdef0123456789abcdef"), startedAt: mono(12),
  startedUnixMs: 1_700_000_000_000,
};

test("core: trace: a header reads back, and no byte of it can change unnoticed", () => {
  const line = trace.headerText(header);
  assert.match(line, /^[\x20-\x7e]*$/);
  assert.deepEqual(trace.parseHeader(line), { ok: true, value: header });
  for (let at = 0; at < line.length; at += 1) {
    const flipped = String.fromCharCode(line.charCodeAt(at) ^ 1);
    assert.ok(!trace.parseHeader(line.slice(0, at) + flipped + line.slice(at + 1)).ok);
  }
});

test("core: trace: what is not plain data is a bug", () => {
  assert.throws(() => digestOf(() => 1), /trace/);
  assert.throws(() => digestOf(Symbol("x")), /trace/);
});
