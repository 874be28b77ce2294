/**
 * `forger`: other people's nicks in its lines, forged answers and notices, and JSON that readers
 * may read in two ways.
 * @module
 */
import { concat } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as onion from "../../../core/joinmarket/onion.ts";
import { after } from "../../../core/time.ts";
import { onionFor } from "../../primitives.ts";
import * as crew from "../crew.ts";
import * as masks from "./masks.ts";
import { spelled, twofold } from "./spelling.ts";

const { types } = envelope;
type Hostile = crew.Hostile;
type Slot = crew.Slot;

/** Numbers of people who do not exist. */
const nobody = 2_300_000_000;

/** A valid peer that lies, twice under one nick; at times it lies in the handshake already. */
export const forger: crew.Trick = {
  slots: () => 2,
  restMs: [2_000, 20_000],
  opened: (h, s, t) => {
    if (crew.choice(h, 2) === 0) crew.poseWrong(s, masks.wrong(h), t);
    else {
      const location = crew.choice(h, 2) === 0 ? onionFor(nobody + h.config.index) : undefined;
      crew.pose(h, s, { nick: h.config.nick, location, features: ["ping"] }, t);
    }
    s.leaveAt = after(t.now, 30_000 + crew.choice(h, 60_000));
    crew.next(h, s, 200, 3_000, t);
  },
  act: (h, s, t) => {
    if (s.isIn) crew.send(s, lie(h, s), t);
    const pause = Math.floor(8_000 / h.zeal);
    crew.next(h, s, 100, 100 + pause, t);
  },
  heard: () => {},
};

/** One forgery. */
function lie(h: Hostile, s: Slot): Uint8Array {
  const kinds = [
    stolen, stolen, misdirected, notice, local, answer, doubled, doubled, smuggled, disguised, many,
  ];
  return (kinds[crew.choice(h, kinds.length)] ?? stolen)(h, s);
}

/** A line of somebody else, in any spelling. */
function stolen(h: Hostile, s: Slot): Uint8Array {
  const type = crew.choice(h, 4) === 0 ? types.PRIVMSG : types.PUBMSG;
  const line = stolenLine(h, s, type);
  return crew.choice(h, 2) === 0 ? crew.frame(type, line) : spelled(h, type, line);
}

function stolenLine(h: Hostile, s: Slot, type: number): string {
  const victim = crew.victim(h);
  const from = crew.choice(h, 8) === 0 && s.host !== "" ? s.host : victim;
  // If the directory has given it the nick, the line is its own.
  const tag = from === s.nick ? crew.nextTag(h) : crew.stolenTag(h);
  if (type === types.PRIVMSG) return `${from}!${crew.victim(h)}!pubkey #${tag}`;
  switch (crew.choice(h, 4)) {
    case 0: return `${from}!PUBLIC!orderbook #${tag}`;
    case 1: return `${from}!PUBLIC!cancel 0!cancel 1!note #${tag}`;
    default: return `${from}!PUBLIC!${crew.offer(tag)}!note #${tag}`;
  }
}

/** Its own lines, to everybody or to one, in any spelling. */
function disguised(h: Hostile, s: Slot): Uint8Array {
  const tag = crew.nextTag(h);
  const to = crew.victim(h);
  return crew.choice(h, 2) === 0
    ? spelled(h, types.PUBMSG, `${s.nick}!PUBLIC!chat #${tag}`)
    : spelled(h, types.PRIVMSG, `${s.nick}!${to}!note #${tag}`);
}

/** Lines for many, and questions for lists, in one write. */
function many(h: Hostile, s: Slot): Uint8Array {
  const out: Uint8Array[] = [];
  for (let i = 0; i < 2 * h.zeal; i += 1) {
    const line = `${s.nick}!${crew.victim(h)}!note #${crew.nextTag(h)}`;
    out.push(crew.frame(types.PRIVMSG, line));
    if (i % 4 === 0) out.push(crew.frame(types.GETPEERLIST, ""));
  }
  return concat(out);
}

function misdirected(h: Hostile, s: Slot): Uint8Array {
  const tag = crew.nextTag(h);
  switch (crew.choice(h, 4)) {
    case 0: return crew.frame(types.PRIVMSG, `${s.nick}!PUBLIC!chat #${tag}`);
    case 1: return crew.frame(types.PUBMSG, `${s.nick}!${crew.victim(h)}!fill 0 1 #${tag}`);
    case 2: return crew.frame(types.PRIVMSG, `${s.nick}!${s.nick}!note #${tag}`);
    default: return crew.frame(types.PUBMSG, `${s.nick}!PUBLIC`);
  }
}

/** Only a directory says who left. */
function notice(h: Hostile): Uint8Array {
  return crew.frame(types.PEERLIST, `${crew.victim(h)};${onion.notServing};D`);
}

/** Deployed clients take these for their own. */
function local(h: Hostile): Uint8Array {
  const kinds = [types.LOCAL_CONNECT, types.LOCAL_DISCONNECT, types.LOCAL_CONNECT_IN];
  return crew.frame(kinds[crew.choice(h, 3)] ?? types.LOCAL_CONNECT, onionFor(nobody));
}

/** What only a directory, or only a newcomer, says. Some of these end the connection. */
function answer(h: Hostile, s: Slot): Uint8Array {
  switch (crew.choice(h, 6)) {
    case 0: return crew.frame(types.DN_HANDSHAKE, s.helloLine);
    case 1: return crew.frame(types.HANDSHAKE, s.helloLine.replace(s.nick, crew.victim(h)));
    case 2: return crew.frame(types.NICK_AUTH_RESULT, `{"code":"ok","verified":true}`);
    case 3: return crew.frame(types.NICK_AUTH_PROOF, "{}");
    case 4: return crew.frame(types.PONG, "x");
    default: return crew.frame(types.DISCONNECT, "");
  }
}

/** Envelopes with a key twice, or with more than they should have. */
function doubled(h: Hostile, s: Slot): Uint8Array {
  const own = `${s.nick}!PUBLIC!chat #${crew.nextTag(h)}`;
  return twofold(h, own, stolenLine(h, s, types.PUBMSG));
}

/** A line within a line, and names in disguise. */
function smuggled(h: Hostile, s: Slot): Uint8Array {
  const tag = crew.nextTag(h);
  const left = `{"type": 789, "line": "${crew.victim(h)};${onion.notServing};D"}`;
  const hidden = `\\u004a${s.nick.slice(1)}`;
  switch (crew.choice(h, 4)) {
    case 0: return crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!chat #${tag}\r\n${left}`);
    case 1: return crew.raw(`{"type": 687, "line": "${hidden}!PUBLIC!chat #${tag}"}`);
    case 2: return crew.frame(types.PRIVMSG, `${s.nick}!${crew.victim(h)}!x #${tag}\n${left}\n`);
    default: return crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!chat #${tag} \u2028\u0000"\\é`);
  }
}
