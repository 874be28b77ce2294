/**
 * Direct connections as the maker sees them.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { ConnId } from "../ids.ts";
import * as guard from "./guard.ts";
import * as guests from "./guests.ts";
import * as inbound from "./inbound.ts";
import type { Maker, Turn } from "./node.ts";

/** What a guest said, for the maker to act on. */
export type Said =
  | { readonly is: "private"; readonly conn: ConnId; readonly from: string; readonly text: string }
  | { readonly is: "public"; readonly conn: ConnId; readonly from: string; readonly text: string };

/** Something for the direct connections; answers what their guests said. */
export function tell(d: Maker, event: inbound.Event, t: Turn): readonly Said[] {
  const wishes: inbound.Effect[] = [];
  inbound.step(d.inbound, event, t.now, t.p, wishes);
  const said: Said[] = [];
  for (const wish of wishes) {
    switch (wish.type) {
      case "send": t.out.push({ type: "conn.send", conn: wish.conn, bytes: wish.bytes }); break;
      case "close":
        t.out.push({ type: "conn.close", conn: wish.conn, how: wish.how, reason: wish.reason });
        break;
      case "gone": guard.closed(d.guard, wish.conn, t.now); break;
      case "greeted": case "identified": break;
      case "line":
        said.push({ is: "private", conn: wish.conn, from: wish.from, text: wish.text });
        break;
      case "public":
        said.push({ is: "public", conn: wish.conn, from: wish.from, text: wish.text });
        break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
  return said;
}

/** The signature of a line holds. Is it to be acted on? */
export function verify(d: Maker, conn: ConnId, nick: string, t: Turn): boolean {
  tell(d, { type: "verified", conn, nick }, t);
  return inbound.isFrom(d.inbound, conn, nick);
}

/** A line that was not looked at, or does not hold. */
export function refuse(d: Maker, conn: ConnId, t: Turn): void {
  tell(d, { type: "refused", conn, end: false }, t);
}

/** The connection has asked too often. */
export function turnAway(d: Maker, conn: ConnId, t: Turn): void {
  tell(d, { type: "refused", conn, end: true }, t);
}

/**
 * A frame for the guest on this connection, if it still calls itself `to`; false if it does not.
 * What is said to somebody who has only asked has to be fit for everybody.
 */
export function say(d: Maker, conn: ConnId, to: string, frame: Uint8Array, t: Turn): boolean {
  const at = guests.find(d.inbound.guests, conn)?.at;
  if (at === undefined || !("nick" in at) || at.nick !== to) return false;
  tell(d, { type: "said", conn, frame }, t);
  return true;
}
