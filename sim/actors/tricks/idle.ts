/**
 * Those that take places and time: `drip` (never finishes a line), `crowd` (says nothing), `churn`
 * (comes and goes).
 * @module
 */
import { concat } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { after } from "../../../core/time.ts";
import { nickFor, onionFor } from "../../primitives.ts";
import * as crew from "../crew.ts";

const { types } = envelope;
type Hostile = crew.Hostile;
type Slot = crew.Slot;
type Turn = crew.Turn;

/** Numbers of people who do not exist: their nicks and addresses are valid and nobody's. */
const nobody = 2_000_000_000;

/** A byte now and then: of a handshake, or, in every other connection, of the line after it. */
export const drip: crew.Trick = {
  slots: (zeal) => 2 * zeal,
  restMs: [2_000, 30_000],
  opened: (h, s, t) => {
    const nick = nickFor(nobody + h.config.index * 100 + s.number);
    const hello = crew.hello(h, s, { nick, location: undefined, features: ["ping"] });
    const line = crew.frame(types.PUBMSG, `${nick}!PUBLIC!chat #${crew.nextTag(h)}`);
    const isLate = crew.choice(h, 2) === 0;
    s.drip = concat([hello, line, line]);
    if (isLate) {
      crew.send(s, hello, t);
      crew.mark(t, "hello.sent", s.conn);
      s.dripAt = hello.length;
    }
    crew.next(h, s, 100, 2_000, t);
  },
  act: (h, s, t) => {
    if (!s.isCongested) {
      const size = crew.choice(h, 20) === 0 ? 3 : 1;
      const to = s.dripAt + size < s.drip.length ? s.dripAt + size : s.drip.length;
      crew.send(s, s.drip.slice(s.dripAt, to), t);
      s.dripAt = to;
    }
    if (s.dripAt < s.drip.length) crew.next(h, s, 500, 8_000, t);
  },
  heard: nothing,
};

/** Many connections without a word. */
export const crowd: crew.Trick = {
  slots: (zeal) => 10 * zeal,
  restMs: [1_000, 60_000],
  opened: (h, s, t) => {
    if (crew.choice(h, 4) === 0) s.leaveAt = after(t.now, 1_000 + crew.choice(h, 60_000));
  },
  act: nothing,
  heard: nothing,
};

/** Somebody new each time, who says little and leaves in one of three ways. */
export const churn: crew.Trick = {
  slots: (zeal) => zeal,
  restMs: [1_000, 20_000],
  opened: (h, s, t) => {
    const number = nobody + 10_000 + crew.choice(h, 1_000_000);
    const location = crew.choice(h, 2) === 0 ? onionFor(number) : undefined;
    const features = crew.choice(h, 2) === 0 ? [] : ["ping", "peerlist_features"];
    crew.pose(h, s, { nick: nickFor(number), location, features }, t);
    crew.next(h, s, 1, 6_000, t);
  },
  act: (h, s, t) => {
    if (s.acts === 1) {
      crew.sendAll(s, fewWords(h, s), t);
      return crew.next(h, s, 1, 10_000, t);
    }
    const way = crew.choice(h, 3);
    if (way === 2) crew.send(s, crew.frame(types.DISCONNECT, ""), t);
    crew.leave(h, s, way === 0 ? "abort" : "flush", crew.draw(h, 1_000, 20_000), t);
  },
  heard: nothing,
};

function fewWords(h: Hostile, s: Slot): readonly Uint8Array[] {
  const tag = crew.nextTag(h);
  switch (crew.choice(h, 4)) {
    case 0: return [];
    case 1: return [crew.frame(types.GETPEERLIST, "")];
    case 2: return [crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!orderbook #${tag}`)];
    default: return [crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!${crew.offer(tag)}`)];
  }
}

function nothing(_h: Hostile, _s: Slot, _t: Turn | number): void {}
