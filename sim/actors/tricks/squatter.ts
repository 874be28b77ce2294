/**
 * `squatter`: takes nicks of others, of the directory too, without their keys.
 * @module
 */
import { base64 } from "../../../core/bytes.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import * as nickauth from "../../../core/joinmarket/nickauth.ts";
import { after } from "../../../core/time.ts";
import { nickOf as nickOfSecret, onionFor, pubkeyOf, secretFor, sign } from "../../primitives.ts";
import * as crew from "../crew.ts";
import * as read from "../read.ts";

const { types } = envelope;
type Hostile = crew.Hostile;
type Slot = crew.Slot;

/** Numbers of people who do not exist: who it is when it steals from nobody. */
const nobody = 2_200_000_000;
const people = 100;

/** The nick of an honest peer, held for some time if it is free or its owner does not answer. */
export const squatter: crew.Trick = {
  slots: (zeal) => (zeal > 3 ? 3 : zeal),
  restMs: [3_000, 30_000],
  opened: (h, s, t) => {
    const features = [[], ["ping"], ["nick_auth", "ping"]][crew.choice(h, 3)] ?? [];
    const location = crew.choice(h, 2) === 0 ? onionFor(nobody + h.config.index) : undefined;
    const nick = nickOf(h, s);
    const isOwn = nick === ownNick(h, s);
    crew.pose(h, s, { nick, location, features: isOwn ? ["nick_auth", "ping"] : features }, t);
    s.leaveAt = after(t.now, 20_000 + crew.choice(h, 40_000));
    crew.next(h, s, 500, 5_000, t);
  },
  act: (h, s, t) => {
    if (!s.isIn) return crew.next(h, s, 500, 5_000, t);
    const offer = crew.offer(crew.nextTag(h));
    crew.send(s, crew.frame(types.PUBMSG, `${s.nick}!PUBLIC!${offer}`), t);
    crew.next(h, s, 5_000, 30_000, t);
  },
  heard: (h, s, type, frame, t) => {
    if (type !== types.NICK_AUTH_CHALLENGE) return;
    crew.send(s, crew.frame(types.NICK_AUTH_PROOF, proof(h, s, read.lineOf(frame), t)), t);
    crew.mark(t, "proof.sent", s.conn);
  },
};

function nickOf(h: Hostile, s: Slot): string {
  switch (crew.choice(h, 6)) {
    case 0: return s.host === "" ? crew.victim(h) : s.host;
    case 1: return ownNick(h, s);
    default: return crew.victim(h);
  }
}

function secretOf(h: Hostile, s: Slot): Uint8Array {
  return secretFor(nobody + h.config.index * people + s.number);
}

function ownNick(h: Hostile, s: Slot): string {
  return nickOfSecret(secretOf(h, s));
}

/** A proof that holds, once for each slot, for what it says later with it; and many that do not. */
function proof(h: Hostile, s: Slot, line: string, t: crew.Turn): string {
  const secret = secretOf(h, s);
  const challenge = nickauth.parseChallenge(line);
  if (!challenge.ok) return "{}";
  const pubkey = pubkeyOf(secret);
  const signed = (key: string): string => {
    const claim = {
      ...challenge.value, handshakeLine: s.helloLine, nick: s.nick, pubkey: key,
    };
    return base64(sign(secret, nickauth.digest(claim, t.p.sha256)));
  };
  if (s.spent === "" && s.nick === ownNick(h, s)) {
    s.spent = nickauth.proofLine({ pubkey, signature: signed(pubkey) });
    return s.spent;
  }
  s.isProofFalse = true;
  const theirs = h.config.keys?.get(s.nick) ?? pubkey;
  const own = signed(pubkey);
  switch (crew.choice(h, 8)) {
    case 0: return `{"pubkey":"${pubkey}","signature":"AAAA"}`;
    case 1: return `{"pubkey":"${theirs}","pubkey":"${pubkey}","signature":"${own}"}`;
    // With its own key, for a nick that is another's, or spoilt for its own.
    case 2: case 3: return nickauth.proofLine({ pubkey, signature: spoilt(h, s, own) });
    // What was said before, about another challenge.
    case 4: return s.spent === "" ? "{}" : s.spent;
    // With the key of the one whose nick it is, and a signature that is not.
    default: {
      const signature = theirs === pubkey ? other(s, t) : signed(theirs);
      return nickauth.proofLine({ pubkey: theirs, signature });
    }
  }
}

/** A good signature is good for its own nick only. */
function spoilt(h: Hostile, s: Slot, signature: string): string {
  if (s.nick !== ownNick(h, s)) return signature;
  const at = 12 + crew.choice(h, 20);
  const by = signature.charAt(at) === "A" ? "B" : "A";
  return signature.slice(0, at) + by + signature.slice(at + 1);
}

/** A signature of somebody else, over something else. */
function other(s: Slot, t: crew.Turn): string {
  return base64(sign(secretFor(nobody - 1 - s.number), t.p.sha256(secretFor(nobody))));
}
