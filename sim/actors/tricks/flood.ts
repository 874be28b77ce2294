/**
 * Those that want too much: `flood` (as many lines as it can send) and `mute` (asks and never
 * reads).
 * @module
 */
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { after } from "../../../core/time.ts";
import { nickFor, onionFor } from "../../primitives.ts";
import * as crew from "../crew.ts";

const { types } = envelope;
type Hostile = crew.Hostile;
type Slot = crew.Slot;

/** Actions in a row, and the pause behind them. */
const bout = 20;
const EMPTY = crew.raw("");
const ODD = crew.frame(900, "");
const LIST = crew.frame(types.GETPEERLIST, "");
const PING = crew.frame(types.PING, "");

/** Bouts of some seconds: every budget of the directory is overdrawn, one after the other. */
export const flood: crew.Trick = {
  slots: () => 1,
  restMs: [3_000, 30_000],
  opened: (h, s, t) => {
    const { nick } = h.config;
    crew.pose(h, s, { nick, location: undefined, features: ["ping"] }, t);
    crew.next(h, s, 200, 2_000, t);
  },
  act: (h, s, t) => {
    if (s.isIn && !s.isCongested) crew.sendAll(s, heap(h, s), t);
    if (s.acts % bout === 0) crew.next(h, s, 20_000, 90_000, t);
    else crew.next(h, s, 30, 250, t);
  },
  heard: () => {},
};

/** Many lines of one class. */
function heap(h: Hostile, s: Slot): readonly Uint8Array[] {
  const { zeal } = h;
  switch (crew.choice(h, 8)) {
    case 0: return times(20 * zeal, () => chat(h, s, 10));
    case 1: return times(zeal, () => chat(h, s, 20_000));
    case 2: return times(3 * zeal, () => ask(h, s));
    case 3: return times(50 * zeal, () => {
      return whisper(h, s, crew.victim(h), crew.choice(h, 10) === 0 ? 2_000 : 20);
    });
    case 4: return times(10 * zeal, () => LIST);
    case 5: return times(20 * zeal, () => PING);
    case 6: return besieged(h, s);
    default: return times(50 * zeal, () => (crew.choice(h, 2) === 0 ? EMPTY : ODD));
  }
}

/** Long private lines for one peer, which may be behind; now and then another is chosen. */
function besieged(h: Hostile, s: Slot): readonly Uint8Array[] {
  if (s.target === "" || crew.choice(h, 8) === 0) s.target = crew.victim(h);
  const size = 500 + crew.choice(h, 20_000);
  return times(2 * h.zeal, () => whisper(h, s, s.target, size));
}

function times(count: number, make: () => Uint8Array): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) out.push(make());
  return out;
}

function chat(h: Hostile, s: Slot, bytes: number): Uint8Array {
  const tag = crew.nextTag(h);
  return crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!chat #${tag} ${"x".repeat(bytes)}`);
}

function ask(h: Hostile, s: Slot): Uint8Array {
  return crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!orderbook #${crew.nextTag(h)}`);
}

function whisper(h: Hostile, s: Slot, to: string, bytes: number): Uint8Array {
  const line = `${s.nick}!${to}!note #${crew.nextTag(h)} ${"x".repeat(bytes)}`;
  return crew.frame(types.PRIVMSG, line);
}

/** Numbers of people who do not exist. */
const nobody = 2_100_000_000;

/** Joins without waiting for the answer, asks for all there is, and leaves after some minutes. */
export const mute: crew.Trick = {
  slots: (zeal) => zeal,
  restMs: [5_000, 60_000],
  opened: (h, s, t) => {
    const number = nobody + h.config.index * 100 + s.number;
    const location = s.number % 2 === 0 ? undefined : onionFor(number);
    crew.pose(h, s, { nick: nickFor(number), location, features: ["ping"] }, t);
    crew.sendAll(s, [LIST, ask(h, s), LIST, LIST], t);
    s.leaveAt = after(t.now, 60_000 + crew.choice(h, 240_000));
    crew.next(h, s, 1_000, 10_000, t);
  },
  act: (h, s, t) => {
    crew.sendAll(s, crew.choice(h, 2) === 0 ? [LIST] : [ask(h, s), PING], t);
    crew.next(h, s, 5_000, 30_000, t);
  },
  heard: () => {},
};
