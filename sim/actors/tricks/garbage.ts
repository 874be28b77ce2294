/**
 * `garbage`: bytes of all sorts, before and after a valid handshake.
 * @module
 */
import { concat } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as prng from "../../../core/prng.ts";
import { nickFor } from "../../primitives.ts";
import * as crew from "../crew.ts";

const { types } = envelope;
type Hostile = crew.Hostile;
type Slot = crew.Slot;

/** Numbers of people who do not exist. */
const nobody = 2_400_000_000;
const CRLF = Uint8Array.of(13, 10);

export const garbage: crew.Trick = {
  slots: (zeal) => (zeal > 4 ? 4 : zeal),
  restMs: [1_000, 15_000],
  opened: (h, s, t) => {
    if (crew.choice(h, 3) > 0) {
      const nick = nickFor(nobody + h.config.index * 100 + s.number);
      const hello = crew.hello(h, s, { nick, location: undefined, features: ["ping"] });
      const isAtOnce = crew.choice(h, 2) === 0;
      crew.send(s, isAtOnce ? concat([hello, scrap(h, s)]) : hello, t);
      crew.mark(t, "hello.sent", s.conn);
    } else crew.send(s, scrap(h, s), t);
    crew.next(h, s, 50, 3_000, t);
  },
  act: (h, s, t) => {
    crew.send(s, scrap(h, s), t);
    crew.next(h, s, 200, 200 + Math.floor(8_000 / h.zeal), t);
  },
  heard: () => {},
};

/** Texts that are not an envelope, or one that says nothing. */
const odd: readonly string[] = [
  "", "{}", "[]", "null", "true", "0", "\"", "{", "}", "{\"type\": 687}", "{\"line\": \"x\"}",
  "{\"type\": 687, \"line\": 1}", "{\"type\": \"687\", \"line\": \"x\"}",
  "{\"type\": 687.0, \"line\": \"x\"}", "{\"type\": 6e2, \"line\": \"x\"}",
  "{\"type\": -1, \"line\": \"\"}", "{\"type\": 0687, \"line\": \"\"}",
  "{\"type\": 4294967296, \"line\": \"\"}", "{\"type\": 4294967295, \"line\": \"\"}",
  "{\"type\": 687, \"line\": \"\\ud800\"}", "{\"type\": 687, \"line\": \"\\x\"}",
  "{\"type\": 687, \"line\": \"\"} x", "{\"type\": 687, \"line\": null}",
  "{\"__proto__\": 1, \"type\": 799, \"line\": \"\"}",
  "{\"type\": 687, \"line\": {\"line\": \"x\"}}", "[{\"type\": 687, \"line\": \"x\"}]",
  "{\"type\": 687, \"type\": 687, \"line\": \"\"}",
  "{\"type\": \"\\u0036\\u0038\\u0037\", \"line\": \"\"}", "GET / HTTP/1.1",
  "PROXY TCP6 ::1 ::1 1 2",
];

function scrap(h: Hostile, s: Slot): Uint8Array {
  switch (crew.choice(h, 24)) {
    case 0: return prng.bytes(h.chance, 1 + crew.choice(h, 2_000));
    case 1: return concat([prng.bytes(h.chance, 1 + crew.choice(h, 200)), CRLF]);
    case 2: return crew.raw(`{"type": 687, "line": "x", "y": ${nested(9 + crew.choice(h, 200))}}`);
    case 3: return longLine(39_990 + crew.choice(h, 20));
    case 4: case 5: case 6: return brokenUtf8(h, s);
    case 7: return crew.raw("\r\n".repeat(1 + crew.choice(h, 100)));
    case 8: case 9: case 10: return halfLine(h, s);
    default: return crew.raw(prng.pick(h.chance, odd));
  }
}

/** Near the limit of a line, on both sides of it. */
function longLine(size: number): Uint8Array {
  return concat([new Uint8Array(size).fill(0x78), CRLF]);
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** A public line with a byte that is no UTF-8, or half a character at its end. */
function brokenUtf8(h: Hostile, s: Slot): Uint8Array {
  const frame = crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!chat #${crew.nextTag(h)} xxxx`);
  const at = frame.length - 6;
  const bad = [0xff, 0xc0, 0xed, 0xe2, 0x80, 0xf8];
  frame[at] = bad[crew.choice(h, bad.length)] ?? 0xff;
  return frame;
}

/** The beginning of a line whose end comes with the next scrap, or never. */
function halfLine(h: Hostile, s: Slot): Uint8Array {
  const frame = crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!chat #${crew.nextTag(h)} half`);
  return frame.slice(0, 1 + crew.choice(h, frame.length - 1));
}
