/**
 * Every kind of malformed line, as a directory may send it to a maker: nothing breaks, and the next
 * good line is handled.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, concat, utf8 } from "../../../core/bytes.ts";
import type { ConnId } from "../../../core/ids.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { defaults } from "../../../core/maker/config.ts";
import * as rig from "../../support/maker.ts";
import * as rules from "../../support/maker-rules.ts";
import * as takers from "../../support/maker-taker.ts";
import { codes, running, stateOf } from "../../support/maker-told.ts";

const one = rig.nameOf(0);
const nested = "[".repeat(50_000) + "]".repeat(50_000);
const good = envelope.encode(envelope.types.PUBMSG, `${takers.taker(1).nick}!PUBLIC!orderbook`);

function connOf(r: rig.Rig): ConnId {
  const [line] = [...r.lines.values()].filter(({ to, isGone }) => to === one && !isGone);
  assert.ok(line !== undefined, "the connection is open");
  return line.conn;
}

function hear(r: rig.Rig, bytes: Uint8Array): void {
  rig.push(r, { type: "conn.received", conn: connOf(r), bytes });
}

const said = (text: string): Uint8Array => ascii(`${text}\r\n`);

/** Lines of each row; none of them ends a connection alone. */
const rowsOf: readonly (readonly [row: string, lines: readonly Uint8Array[]])[] = [
  ["1.2/not-utf8", [concat([Uint8Array.of(0xff, 0xfe, 0x80), ascii("\r\n")])]],
  ["1.2/not-json", ["no", "{", "{]", "{\"type\":687,}", "793"].map(said)],
  ["1.2/empty-line", ["", " ", "\t"].map(said)],
  ["1.2/missing-key", ["{}", "{\"type\":687}", "{\"line\":\"x\"}"].map(said)],
  ["1.2/wrong-type", [
    "{\"type\":687,\"line\":1}", "{\"type\":687,\"line\":null}", "{\"type\":[],\"line\":\"x\"}",
    "[687,\"x\"]", "null", "\"x\"",
  ].map(said)],
  ["1.2/deep-nesting", [said(`{"type":687,"line":"x","a":${nested}}`), said(nested)]],
  ["1.2/type-coercion", ["\"687\"", "687.5", "true", "-687", "1e999", "99999999999999999999"]
    .map((type) => said(`{"type":${type},"line":"x"}`))],
  ["1.2/duplicate-keys", [said("{\"type\":687,\"line\":\"a\",\"type\":685,\"line\":\"b\"}")]],
  ["1.2/unknown-type", [0, 1, 690, 804, 65_535].map((type) => envelope.encode(type, "x"))],
];

for (const [row, lines] of rowsOf) {
  test(`maker: malformed: row ${row}: passed over, and the next line is handled`, () => {
    for (const bytes of lines) {
      const r = running();
      hear(r, bytes);
      hear(r, good);
      assert.equal(stateOf(r).counts.orderbooks, 1);
      rig.pass(r, 1_000);
      rules.settled(r.rules, stateOf(r));
      assert.ok(!codes(r).includes("maker.directory-down"));
    }
  });
}

test("maker: malformed: row 1.2/line-ends: LF and CRLF end a line", () => {
  const r = running();
  hear(r, concat([good.subarray(0, -2), ascii("\n"), good]));
  assert.equal(stateOf(r).counts.orderbooks, 2);
});

test("maker: malformed: row 1.2/partial-split, row 1.2/partial-eof: halves of lines", () => {
  const r = running();
  const cut = good.length >> 1;
  hear(r, good.subarray(0, cut));
  rig.pass(r, 10_000);
  assert.equal(stateOf(r).counts.orderbooks, 0);
  hear(r, good.subarray(cut));
  assert.equal(stateOf(r).counts.orderbooks, 1);
  hear(r, good.subarray(0, -2));
  rig.push(r, { type: "conn.closed", conn: connOf(r), reason: "eof" });
  assert.equal(stateOf(r).counts.orderbooks, 1);
});

test("maker: malformed: row 1.2/oversized: the connection ends, another one begins", () => {
  const r = running();
  hear(r, new Uint8Array(defaults.pool.link.lineBytesMax + 1).fill(0x61));
  assert.deepEqual(r.logs.filter(({ code }) => code === "maker.directory-down")
    .map(({ fields }) => fields["why"]), ["line-too-long"]);
  rig.pass(r, 60_000);
  rules.settled(r.rules, stateOf(r));
});

test("maker: malformed: what peers put into public and private lines is passed over", () => {
  const { types } = envelope;
  const { nick } = rig;
  const hostile = [
    "", "!", "!!", "!!!", "J5", "a!b", `${nick}!PUBLIC!orderbook`, "x!PUBLIC!orderbook",
    `J5${"A".repeat(100)}!PUBLIC!orderbook`, "J5AAAAAAAAAAAAAA!PUBLIC!",
    "J5AAAAAAAAAAAAAA!PUBLIC!!",
    "J5AAAAAAAAAAAAAA!PUBLIC!ORDERBOOK", "J5AAAAAAAAAAAAAA!PUBLIC! orderbook",
    `J5AAAAAAAAAAAAAA!${nick}!`, `J5AAAAAAAAAAAAAA!${nick}!fill`, `!${nick}!fill 0 1 2 3 4 5`,
    `J5AAAAAAAAAAAAAA!${nick}!fill 0 1 2 3 ${"0".repeat(66)} ${"A".repeat(96)}`,
    "J5AAAAAAAAAAAAAA!other!fill 0 1 2 3", "\u0000\u001b[31m!PUBLIC!orderbook", "é!PUBLIC!ü",
  ];
  const r = running();
  for (const line of hostile) {
    for (const type of [types.PUBMSG, types.PRIVMSG, types.PEERLIST]) {
      const frame = JSON.stringify({ type, line });
      hear(r, utf8(`${frame}\r\n`));
    }
  }
  // What only a program talks of with itself, and what a directory alone may say once.
  for (const type of [types.LOCAL_CONNECT, types.LOCAL_DISCONNECT, types.LOCAL_CONNECT_IN]) {
    hear(r, envelope.encode(type, "x"));
  }
  const before = stateOf(r).counts.orderbooks;
  hear(r, good);
  assert.equal(stateOf(r).counts.orderbooks, before + 1);
  assert.ok(before <= 1, `${before} requests were seen in that`);
  assert.equal(stateOf(r).counts.fills, 0);
  assert.ok(!codes(r).includes("maker.directory-down"));
});
