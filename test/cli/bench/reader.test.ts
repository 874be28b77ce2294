/**
 * The benchmark's reader must notice every kind of wrong delivery, however the bytes are cut.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as lines from "../../../cli/bench/lines.ts";
import { missing, reader, readLines, type Reader } from "../../../cli/bench/reader.ts";
import * as nick from "../../../core/joinmarket/nick.ts";
import * as onion from "../../../core/joinmarket/onion.ts";

const sha3 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha3-256").update(bytes).digest());

/** Line `seq` of `sender`. */
function line(sender: number, seq: number, kind: lines.Kind = "public"): Buffer {
  const template = lines.templateOf(sender, kind);
  const bytes = Buffer.from(template.bytes);
  const seqAt = template.numbersAt + lines.senderDigits + 1;
  lines.putDigits(bytes, seqAt, lines.seqDigits, lines.seqBase + seq);
  return bytes;
}

function read(r: Reader, parts: readonly Buffer[]): void {
  const bytes = Buffer.concat(parts);
  assert.equal(readLines(r, 0, bytes, 0, bytes.length), bytes.length);
}

/** Two senders, one receiver; each sender sent three lines. */
const absent = (r: Reader): number => missing(r, () => 3);

test("bench: reader: each line once and in order is clean", () => {
  const r = reader("public", 2, 1);
  read(r, [line(0, 0), line(1, 0), line(0, 1), line(0, 2), line(1, 1), line(1, 2)]);
  assert.equal(r.tally.delivered, 6);
  assert.equal(absent(r), 0);
  assert.equal(r.tally.repeated + r.tally.damaged + r.tally.others, 0);
});

test("bench: reader: a line left out or not sent yet is missing", () => {
  const r = reader("public", 2, 1);
  read(r, [line(0, 0), line(0, 2), line(1, 0), line(1, 1)]);
  assert.equal(absent(r), 2);
});

test("bench: reader: a repetition is counted", () => {
  const r = reader("public", 2, 1);
  read(r, [line(0, 0), line(0, 0), line(0, 1), line(0, 2), line(1, 0), line(1, 1), line(1, 2)]);
  assert.equal(r.tally.repeated, 1);
});

test("bench: reader: two lines exchanged are noticed", () => {
  const r = reader("public", 2, 1);
  read(r, [line(0, 1), line(0, 0), line(0, 2), line(1, 0), line(1, 1), line(1, 2)]);
  assert.equal(r.tally.repeated, 1);
  assert.equal(absent(r), 1);
});

test("bench: reader: one changed byte in a compared line is damage", () => {
  const r = reader("public", 1, 1);
  const all = Array.from({ length: 101 }, (_, seq) => line(0, seq));
  all[100]?.write("3", lines.lineBytes - 6);
  read(r, all);
  assert.equal(r.tally.damaged, 1);
});

test("bench: reader: another server's spelling is learned and an unfinished line is left", () => {
  const r = reader("public", 1, 1);
  const compact = (seq: number): Buffer =>
    Buffer.from(line(0, seq).toString("latin1").replaceAll(": ", ":").replace(", ", ","), "latin1");
  const bytes = Buffer.concat([compact(0), compact(1), compact(2)]);
  const cut = bytes.length - 7;
  const rest = readLines(r, 0, bytes, 0, cut);
  assert.equal(rest, compact(0).length * 2);
  assert.equal(readLines(r, 0, bytes, rest, bytes.length), bytes.length);
  assert.equal(r.tally.delivered, 3);
  assert.equal(r.tally.damaged, 0);
});

test("bench: reader: a hint counts only behind the private line of the peer that it names", () => {
  const r = reader("private", 2, 1);
  const hint = (index: number): Buffer => {
    const entry = `${lines.nickOf(index)};${lines.onionOf(index)}`;
    return Buffer.from(`{"type": 789, "line": "${entry}"}\r\n`, "latin1");
  };
  read(r, [line(0, 0, "private"), hint(0), hint(0), line(1, 0, "private"), hint(0)]);
  assert.equal(r.tally.hints, 1);
  assert.equal(r.tally.others, 2);
});

test("bench: lines: identities satisfy the codecs under test", () => {
  for (let i = 0; i < 50; i += 1) {
    assert.ok(nick.isNick(lines.nickOf(i)));
    assert.ok(onion.parse(lines.onionOf(i), sha3).ok);
  }
});
