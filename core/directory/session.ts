/**
 * One connection: the phases from accept to close, and what each phase holds.
 *
 * Rule 1: data of a phase lives in the phase; a registered session has a peer and a beat, no other
 * has.
 * Rule 2: every change of phase is in `transitions`, and `move` refuses any other.
 * Rule 3: it reads no line and decides no admission; it only knows where the connection stands.
 *
 * The table cannot show that `closing` is also where a connection waits for the host to say that it
 * is gone.
 * @module
 */
import type { ConnId } from "../ids.ts";
import type { Lines } from "../joinmarket/lines.ts";
import type { Box } from "../outbox.ts";
import { assertMove, type Transition } from "../kernel/phases.ts";
import type { Beat } from "./heartbeat.ts";
import type { Peer } from "./registry.ts";

/** What a valid handshake said. */
export type Hello = {
  readonly nick: string;
  readonly location: string;
  readonly maker: boolean;
  readonly features: readonly string[];
  readonly network: string;
  /** The decoded handshake line; a nick-auth proof signs its hash. */
  readonly line: string;
};

export type Phase =
  /** Waiting for the PROXY line that names the Tor circuit. */
  | { readonly phase: "proxy" }
  /** Waiting for the handshake (793). */
  | { readonly phase: "greeting" }
  /** A valid newcomer waits until the owner of its nick has answered or not. */
  | { readonly phase: "waiting"; readonly hello: Hello }
  /** Random bytes for the challenge were asked for. */
  | { readonly phase: "drawing"; readonly hello: Hello }
  /** The challenge (803) was sent; the proof (805) is due. */
  | {
    readonly phase: "proving";
    readonly hello: Hello;
    readonly challenge: string;
    /** Our address as the challenge names it: it may be another when the proof comes. */
    readonly directoryId: string;
  }
  | { readonly phase: "registered"; readonly peer: Peer; readonly beat: Beat }
  /** Ended by us: nothing that it says has an effect. */
  | { readonly phase: "closing" };

export type PhaseName = Phase["phase"];

export type Session = {
  readonly conn: ConnId;
  readonly lines: Lines;
  readonly box: Box;
  /** Bytes of an unfinished line, as accounted in the total. */
  pendingBytes: number;
  at: Phase;
};

export const transitions: readonly Transition<PhaseName>[] = [
  { from: "proxy", on: "circuit named", to: "greeting", note: "PROXY line read" },
  { from: "greeting", on: "valid, nick free", to: "registered", note: "795 accepted" },
  { from: "greeting", on: "valid, nick owned", to: "waiting", note: "the owner is probed" },
  { from: "greeting", on: "valid, nick-auth", to: "drawing", note: "entropy wanted" },
  { from: "waiting", on: "owner silent", to: "registered", note: "the owner is evicted first" },
  { from: "drawing", on: "entropy given", to: "proving", note: "795 accepted, then 803" },
  { from: "proving", on: "proof holds", to: "registered", note: "807 ok; an owner is displaced" },
  { from: "*", on: "refused, evicted or shut down", to: "closing", note: "reason counted" },
];

const greeting: Phase = { phase: "greeting" };
const proxy: Phase = { phase: "proxy" };
const closing: Phase = { phase: "closing" };

export function create(conn: ConnId, lines: Lines, box: Box, circuits: boolean): Session {
  return { conn, lines, box, pendingBytes: 0, at: circuits ? proxy : greeting };
}

/** Changes the phase; throws `InvariantError` for a change that is not in the table. */
export function move(s: Session, on: string, to: Phase): void {
  assertMove(transitions, s.at.phase, on, to.phase);
  s.at = to;
}

/** The circuit is named: the handshake may come. */
export function greet(s: Session): void {
  move(s, "circuit named", greeting);
}

/** Ends the session for us. Idempotent. */
export function close(s: Session): void {
  if (s.at.phase !== "closing") move(s, "refused, evicted or shut down", closing);
}

/** Has the handshake not been finished, whatever it waits for? */
export function isShaking(s: Session): boolean {
  return s.at.phase !== "registered" && s.at.phase !== "closing";
}
