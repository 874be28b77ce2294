import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, concat, text } from "../../../core/bytes.ts";
import * as record from "../../../core/history/record.ts";

const bodies = ['{"type":"seen"}', "", "a b c", "~".repeat(300)] as const;

/** A file whose records were written in batches of so many, each synced before the next. */
function file(count: number, batch: number): Uint8Array {
  const lines = [record.header];
  for (let i = 0; i < count; i += 1) {
    const known = i - (i % batch);
    lines.push(record.encode(i + 1, known, bodies[i % bodies.length] as string));
  }
  return concat(lines);
}

/** Where each line ends. */
function ends(bytes: Uint8Array): readonly number[] {
  return [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []));
}

function scanned(bytes: Uint8Array, tornBytesMax = 4_096): record.Scan | string {
  const found = record.scan(bytes, tornBytesMax);
  return found.ok ? found.value : found.fault.code;
}

function read(bytes: Uint8Array, end: number): readonly (readonly [number, string])[] {
  const found: (readonly [number, string])[] = [];
  record.each(bytes, end, (seq, body) => found.push([seq, body]));
  return found;
}

test("record: the checksum is the CRC-32 of other tools", () => {
  assert.equal(record.crc32(ascii("123456789")), 0xcbf43926);
  assert.equal(record.crc32(new Uint8Array(0)), 0);
});

test("record: a line reads as documented", () => {
  assert.equal(text(record.header), "dogwatch-journal 1\n");
  const line = text(record.encode(12, 9, '{"type":"seen"}'));
  const rest = '12 9 15 {"type":"seen"}';
  assert.equal(line, `${record.crc32(ascii(rest)).toString(16).padStart(8, "0")} ${rest}\n`);
  assert.equal(line, '15796eb5 12 9 15 {"type":"seen"}\n');
});

test("record: encode: what no file may hold is a bug of the caller", () => {
  assert.throws(() => record.encode(1, 0, "two\nlines"), /printable/);
  assert.throws(() => record.encode(1, 0, "ä"), /printable/);
  assert.throws(() => record.encode(1, 1, "x"), /itself/);
  assert.throws(() => record.encode(1, -1, "x"), /before the first/);
  assert.throws(() => record.encode(2 ** 53, 0, "x"), /whole number/);
  assert.throws(() => record.encode(1, 0, "x".repeat(record.bodyBytesCap + 1)), /printable/);
  assert.equal(record.isBody("x".repeat(record.bodyBytesCap)), true);
});

test("record: frameBytesMax: the largest frame", () => {
  const seq = 999_999_999_999_999;
  const body = "x".repeat(record.bodyBytesCap);
  assert.equal(record.encode(seq, seq - 1, body).length, body.length + record.frameBytesMax);
});

test("record: scan: a whole file is read back", () => {
  const bytes = file(40, 3);
  assert.deepEqual(scanned(bytes), { count: 40, end: bytes.length, tornBytes: 0 });
  const found = read(bytes, bytes.length);
  assert.deepEqual(found.map(([seq]) => seq), Array.from({ length: 40 }, (_, i) => i + 1));
  assert.deepEqual(found.map(([, body]) => body).slice(0, 4), bodies);
});

test("record: scan: cut anywhere, a file keeps its whole lines", () => {
  const bytes = file(6, 2);
  for (let size = 0; size <= bytes.length; size += 1) {
    const whole = ends(bytes).filter((end) => end <= size);
    const end = whole.at(-1) ?? 0;
    const count = Math.max(0, whole.length - 1);
    const found = scanned(bytes.subarray(0, size));
    assert.deepEqual(found, { count, end, tornBytes: size - end }, `cut at ${size}`);
  }
});

test("record: scan: a changed byte never passes, and damage to durable records is told", () => {
  const bytes = file(9, 3);
  const lines = ends(bytes);
  for (let at = record.header.length; at < bytes.length; at += 1) {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ 1;
    const found = scanned(changed);
    const line = lines.findIndex((end) => at < end);
    // Lines 7 to 9 know that 6 were durable; nobody knows of themselves.
    if (line <= 6) assert.equal(found, "journal-damaged", `byte ${at}`);
    else assert.equal((found as record.Scan).count, line - 1, `byte ${at}`);
  }
});

test("record: scan: damage says where it is", () => {
  const bytes = file(4, 1);
  const at = ends(bytes)[1] as number;
  bytes[at + 3] = 0x7a;
  const found = record.scan(bytes, 4_096);
  assert.ok(!found.ok);
  assert.equal(found.fault.text, `record 2 at byte ${at} is damaged`);
});

test("record: scan: a durable record that is missing is damage", () => {
  const bytes = file(5, 1);
  const lines = ends(bytes);
  const without = concat([bytes.subarray(0, lines[1]), bytes.subarray(lines[2])]);
  assert.equal(scanned(without), "journal-damaged");
});

test("record: scan: a hole in the last write is a write that was cut short", () => {
  const bytes = file(9, 3);
  const lines = ends(bytes);
  const from = lines[6] as number;
  const holed = bytes.slice().fill(0, from + 5, (lines[7] as number) + 2);
  assert.deepEqual(scanned(holed), { count: 6, end: from, tornBytes: bytes.length - from });
});

test("record: scan: a line twice is read once", () => {
  const bytes = file(2, 2);
  const twice = concat([bytes, bytes.subarray(ends(bytes)[1] as number)]);
  const tornBytes = twice.length - bytes.length;
  assert.deepEqual(scanned(twice), { count: 2, end: bytes.length, tornBytes });
});

test("record: scan: knowledge never goes back", () => {
  const lines = [record.encode(1, 0, "a"), record.encode(2, 1, "b"), record.encode(3, 0, "c")];
  const found = scanned(concat([record.header, ...lines]));
  assert.equal((found as record.Scan).count, 2);
});

test("record: scan: a damaged end larger than any write is damage", () => {
  const bytes = concat([file(3, 3), new Uint8Array(100)]);
  assert.equal((scanned(bytes, 100) as record.Scan).tornBytes, 100);
  assert.equal(scanned(bytes, 99), "journal-damaged");
});

test("record: scan: a header that was cut short, of another version, of another program", () => {
  assert.deepEqual(scanned(new Uint8Array(0)), { count: 0, end: 0, tornBytes: 0 });
  for (const rubbish of [new Uint8Array(19), ascii("dogwatch-jour"), ascii("\n\n\n")]) {
    assert.deepEqual(scanned(rubbish), { count: 0, end: 0, tornBytes: rubbish.length });
  }
  assert.equal(scanned(ascii("dogwatch-journal 2\n")), "journal-version");
  assert.equal(scanned(ascii("dogwatch-journal 23\n0 1 2 3\n")), "journal-version");
  assert.equal(scanned(ascii("[wallet]\nkey = 1234567890\n")), "journal-foreign");
  assert.equal(scanned(ascii("\u0000".repeat(20))), "journal-foreign");
});

/** A line with a right checksum and the rest as given. */
function forged(rest: string): Uint8Array {
  const sum = record.crc32(ascii(rest)).toString(16).padStart(8, "0");
  return concat([record.header, ascii(`${sum} ${rest}\n`)]);
}

test("record: scan: only the canonical spelling is a record", () => {
  assert.equal((scanned(forged("1 0 1 x")) as record.Scan).count, 1);
  const others = [
    "01 0 1 x", "1 00 1 x", "1 0 01 x", "1 0 2 x", "1 0 0 x", "1 1 1 x", "0 0 1 x", "2 0 1 x",
    "1  0 1 x", "1 0 1", "", "1", "-1 0 1 x", "1 0 x", " 1 0 1 x", "1 0 9999999 x",
    "1000000000000000 0 1 x",
  ];
  for (const rest of others) {
    assert.equal((scanned(forged(rest)) as record.Scan).count, 0, rest);
  }
  const upper = forged("1 0 1 x");
  const from = record.header.length;
  const at = upper.findIndex((byte, i) => i >= from && byte >= 0x61 && byte <= 0x66);
  assert.ok(at > 0);
  upper[at] = (upper[at] as number) - 0x20;
  assert.equal((scanned(upper) as record.Scan).count, 0);
});

test("record: property: scan never throws, and what it keeps can be read", () => {
  const arb = fc.record({
    records: fc.integer({ min: 0, max: 8 }), at: fc.nat(400), isInside: fc.boolean(),
    noise: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(fc.property(arb, ({ records, at, noise, isInside }) => {
    const bytes = file(records, 3);
    const cut = Math.min(at, bytes.length);
    const tail = isInside ? bytes.subarray(Math.min(cut + noise.length, bytes.length))
      : new Uint8Array(0);
    const mixed = concat([bytes.subarray(0, cut), noise, tail]);
    const found = record.scan(mixed, 4_096);
    if (!found.ok) return;
    const { count, end, tornBytes } = found.value;
    assert.equal(end + tornBytes, mixed.length);
    assert.equal(end === 0 ? 0 : read(mixed, end).length, count);
  }), { numRuns: 300 });
});
