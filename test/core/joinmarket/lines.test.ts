import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as lines from "../../../core/joinmarket/lines.ts";

const MAX = 40_000;

function bytesOf(s: string): Uint8Array {
  return new Uint8Array(Buffer.from(s, "latin1"));
}

type Fed = { out: string[]; fits: boolean; l: lines.Lines };

function feedAll(chunks: readonly Uint8Array[], maxBytes = MAX): Fed {
  const l = lines.create();
  const out: Uint8Array[] = [];
  let fits = true;
  for (const chunk of chunks) fits = lines.feed(l, chunk, maxBytes, out);
  return { out: out.map((line) => Buffer.from(line).toString("latin1")), fits, l };
}

/** What must come out: cut at LF, drop one CR, stop at the first that is too long. */
function expected(stream: string, maxBytes: number): { out: string[]; fits: boolean } {
  const parts = stream.split("\n");
  const rest = parts.pop()!;
  const out: string[] = [];
  for (const part of parts) {
    const line = part.endsWith("\r") ? part.slice(0, -1) : part;
    if (line.length > maxBytes) return { out, fits: false };
    out.push(`${line}\r\n`);
  }
  return { out, fits: (rest.endsWith("\r") ? rest.length - 1 : rest.length) <= maxBytes };
}

const unit = fc.constantFrom("a", "b", "\r", "\n", "\r\n", "xyz");
const stream = fc.string({ unit, maxLength: 60 });

test("joinmarket: lines: row 1.2/line-ends: any split of any stream gives the same lines", () => {
  fc.assert(fc.property(stream, fc.array(fc.nat(80), { maxLength: 12 }), (s, cuts) => {
    const inside = cuts.filter((c) => c < s.length);
    const places = [...new Set([0, ...inside, s.length])].toSorted((a, b) => a - b);
    const chunks = places.slice(1).map((to, i) => bytesOf(s.slice(places[i], to)));
    const fed = feedAll(chunks, 8);
    const want = expected(s, 8);
    assert.equal(fed.fits, want.fits);
    // A limit that is passed inside a chunk ends the stream there, so later lines never count.
    assert.deepEqual(fed.out, want.out);
  }), { numRuns: 1_000 });
});

test("joinmarket: lines: row 1.2/line-ends: LF and CRLF both end a line, CR alone does not", () => {
  const fed = feedAll([bytesOf("a\nb\r\nc\rd\n\r\r\n")]);
  assert.deepEqual(fed.out, ["a\r\n", "b\r\n", "c\rd\r\n", "\r\r\n"]);
});

test("joinmarket: lines: row 1.2/line-ends: what comes out ends in exactly one CRLF", () => {
  assert.deepEqual(feedAll([bytesOf("a\n\n\r\n")]).out, ["a\r\n", "\r\n", "\r\n"]);
  assert.deepEqual(feedAll([bytesOf("a\r"), bytesOf("\n")]).out, ["a\r\n"]);
  assert.deepEqual(feedAll([bytesOf("\r"), bytesOf("\n\r"), bytesOf("\n")]).out, ["\r\n", "\r\n"]);
});

for (const end of ["\n", "\r\n"]) {
  const named = end === "\n" ? "LF" : "CRLF";
  test(`joinmarket: lines: row 1.2/oversized: 40,000 bytes pass, 40,001 do not (${named})`, () => {
    const longest = "x".repeat(MAX);
    for (const size of [1, 7, 4_096, 50_000]) {
      const whole = bytesOf(`ok${end}${longest}${end}`);
      const fed = feedAll(cut(whole, size));
      assert.equal(fed.fits, true);
      assert.deepEqual(fed.out, ["ok\r\n", `${longest}\r\n`]);
      const over = feedAll(cut(bytesOf(`ok${end}${longest}x${end}later${end}`), size));
      assert.equal(over.fits, false);
      assert.deepEqual(over.out, ["ok\r\n"]);
    }
  });
}

function cut(b: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < b.length; at += size) out.push(b.slice(at, at + size));
  return out;
}

test("joinmarket: lines: row 1.2/oversized: an endless line is refused for good", () => {
  const fed = feedAll([bytesOf("x".repeat(MAX)), bytesOf("x")]);
  assert.equal(fed.fits, false);
  assert.equal(lines.pendingBytes(fed.l), 0);
  const out: Uint8Array[] = [];
  assert.equal(lines.feed(fed.l, bytesOf("\nfine\n"), MAX, out), false);
  assert.deepEqual(out, []);
});

test("joinmarket: lines: row 1.2/oversized: a CR at the limit may begin a terminator", () => {
  const full = bytesOf(`${"x".repeat(MAX)}\r`);
  assert.equal(feedAll([full]).fits, true);
  assert.equal(feedAll([full, bytesOf("\n")]).fits, true);
  assert.equal(feedAll([full, bytesOf("x")]).fits, false);
  assert.equal(feedAll([full, bytesOf("\r")]).fits, false);
});

test("joinmarket: lines: row 1.2/partial-split: a partial line is kept", () => {
  const l = lines.create();
  const out: Uint8Array[] = [];
  lines.feed(l, bytesOf("first\r\nsec"), MAX, out);
  assert.equal(out.length, 1);
  assert.ok(lines.pendingBytes(l) >= 3);
  lines.feed(l, new Uint8Array(0), MAX, out);
  lines.feed(l, bytesOf("ond\r\n"), MAX, out);
  assert.equal(Buffer.from(out[1]!).toString(), "second\r\n");
  assert.equal(lines.pendingBytes(l), 0);
  assert.equal(l.partial, undefined);
});

test("joinmarket: lines: row 1.2/partial-eof: an unfinished line never comes out", () => {
  assert.deepEqual(feedAll([bytesOf("{\"type\": 798, \"line\": \"\"}")]).out, []);
});

test("joinmarket: lines: a whole line is a view, a partial one is a copy", () => {
  const chunk = bytesOf("whole\r\npart");
  const l = lines.create();
  const out: Uint8Array[] = [];
  lines.feed(l, chunk, MAX, out);
  assert.equal(out[0]!.buffer, chunk.buffer);
  assert.notEqual(l.partial!.buffer, chunk.buffer);
  assert.ok(l.partial!.length <= 64);
});

test("joinmarket: lines: a one-byte drip allocates in proportion to its length", () => {
  const l = lines.create();
  const out: Uint8Array[] = [];
  const rooms = new Set<Uint8Array>();
  for (let i = 0; i < MAX; i++) {
    assert.equal(lines.feed(l, Uint8Array.of(120), MAX, out), true);
    rooms.add(l.partial!);
  }
  assert.ok(rooms.size <= 11, `${rooms.size} allocations`);
  assert.ok(lines.pendingBytes(l) <= MAX + 1);
  lines.feed(l, Uint8Array.of(13), MAX, out);
  lines.feed(l, Uint8Array.of(10), MAX, out);
  assert.equal(out[0]!.length, MAX + 2);
});
