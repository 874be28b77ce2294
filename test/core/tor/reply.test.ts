import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, concat } from "../../../core/bytes.ts";
import * as reply from "../../../core/tor/reply.ts";

const limits: reply.Limits = { lineBytesMax: 40, replyLinesMax: 6, replyBytesMax: 100 };

function read(text: string, by = text.length): readonly reply.Reply[] {
  const r = reply.create();
  const out: reply.Reply[] = [];
  for (let at = 0; at < text.length; at += by) {
    assert.equal(reply.feed(r, ascii(text.slice(at, at + by)), limits, out), undefined);
  }
  return out;
}

function faultOf(text: string): string | undefined {
  return reply.feed(reply.create(), ascii(text), limits, [])?.code;
}

test("tor: reply: lines, data and what was not asked for, at any split", () => {
  const text = "250 OK\r\n250-a=1\r\n250+b=\r\nx\r\n..y\r\n.\r\n250 OK\r\n"
    + "650 HS_DESC\r\n552 no\r\n";
  const whole = [
    { code: 250, lines: ["OK"] },
    { code: 250, lines: ["a=1", "b=\nx\n.y", "OK"] },
    { code: 650, lines: ["HS_DESC"] },
    { code: 552, lines: ["no"] },
  ];
  for (const by of [1, 2, 3, 7, 1_000]) assert.deepEqual(read(text, by), whole);
});

test("tor: reply: what is not ASCII becomes a question mark", () => {
  const out: reply.Reply[] = [];
  const line = concat([ascii("250 "), Uint8Array.of(0xc3, 0xa9, 0x07), ascii("\r\n")]);
  assert.equal(reply.feed(reply.create(), line, limits, out), undefined);
  assert.deepEqual(out, [{ code: 250, lines: ["???"] }]);
});

test("tor: reply: a line, a reply in lines and a reply in bytes have their limits", () => {
  assert.equal(faultOf(`250 ${"x".repeat(36)}\r\n`), undefined);
  assert.equal(faultOf(`250 ${"x".repeat(37)}\r\n`), "control-line");
  assert.equal(faultOf("x".repeat(42)), "control-line");
  assert.equal(faultOf("250-x\r\n".repeat(6)), undefined);
  assert.equal(faultOf("250-x\r\n".repeat(7)), "control-reply");
  assert.equal(faultOf(`250+x\r\n${"y\r\n".repeat(6)}`), "control-reply");
  assert.equal(faultOf(`250-${"x".repeat(28)}\r\n`.repeat(2)), undefined);
  assert.equal(faultOf(`250-${"x".repeat(28)}\r\n`.repeat(3)), "control-reply");
  // The limits are of one reply: any number of them may come.
  assert.equal(read("250 OK\r\n".repeat(100)).length, 100);
});

test("tor: reply: what does not speak as Tor does is a fault", () => {
  for (const line of ["", "OK", "250", "250OK", "150 x", "HTTP/1.1 400", "2x0 y", "250_x"]) {
    assert.equal(faultOf(`${line}\r\n`), "control-grammar", line);
  }
});

test("tor: reply: any bytes at any split give the same replies or the same fault", () => {
  const word = fc.constantFrom("250 ", "250-", "250+", "650 ", ".", "..", "a", "=", "\r\n", "\n");
  fc.assert(fc.property(fc.array(word, { maxLength: 40 }), fc.nat(9), (words, by) => {
    const text = words.join("");
    const one: reply.Reply[] = [];
    const fault = reply.feed(reply.create(), ascii(text), limits, one)?.code;
    const r = reply.create();
    const two: reply.Reply[] = [];
    let late: string | undefined;
    for (let at = 0; at < text.length && late === undefined; at += by + 1) {
      late = reply.feed(r, ascii(text.slice(at, at + by + 1)), limits, two)?.code;
    }
    assert.deepEqual(two, one);
    assert.equal(late, fault);
  }), { numRuns: 200 });
});

test("tor: reply: the value of a key, also of data", () => {
  const one = { code: 250, lines: ["onions/current=a", "b=\nx\ny", "OK"] };
  assert.equal(reply.valueOf(one, "onions/current"), "a");
  assert.equal(reply.valueOf(one, "b"), "\nx\ny");
  assert.equal(reply.valueOf(one, "onions"), undefined);
});

test("tor: reply: quoted strings, as Tor writes paths", () => {
  const read = (s: string): string => {
    const text = reply.unquoted(s);
    return text.ok ? text.value : text.fault.code;
  };
  assert.equal(read('"/run/tor/control.authcookie"'), "/run/tor/control.authcookie");
  assert.equal(read('"C:\\\\Tor\\\\a \\"b\\"" MORE="x"'), 'C:\\Tor\\a "b"');
  assert.equal(read('"a\\040b\\tc"'), "a b\tc");
  for (const s of ['"', "x", '"\\303\\251"', '"a\\"', ""]) assert.equal(read(s), "control-quoted");
});
