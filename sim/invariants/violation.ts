/**
 * The names of what must always hold, and the value that says it did not.
 *
 * Rule 1: ids are stable; reports, kept scenarios and tests use them.
 * Rule 2: a statement is one line, in the words of a person who has to act on it.
 * Not known here: how anything is checked.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";

/** Every invariant of one directory node and of its kernel, with what it says. */
export const statements = Object.freeze({
  D1: "a nick has one owner, and the owner shook hands on its own connection",
  D2: "nothing that belongs to an ended connection changes anything of another",
  D3: "a nick passes on only to its proven key, or when its owner did not answer",
  D4: "peers stay within peersMax, and no table outlives what it is about",
  D5: "whoever was heard within the idle time is not evicted by the heartbeat",
  D6: "any line after a PING counts as its answer",
  D7: "the dead are noticed within idle + sweep + pong, the silent within hard + sweep",
  D8: "a jump of the wall clock changes nothing",
  D9: "a PING is pending only for a connection that owns its nick",
  D10: "a private line reaches the owner of the nick, once, from who sent it",
  D11: "a public line reaches everyone else who was here, once, in its sender's order",
  D12: "who does not read holds a bounded queue, ends in time and delays nobody",
  D13: "each maker that left is announced once, and none whose nick is back",
  D14: "a peerlist names makers that are here, all of them, and the node itself",
  D15: "lines do not depend on how bytes arrive, and a bad line harms its sender alone",
  D16: "a handshake ends in time, and nothing before it has any effect",
  M1: "a maker has one connection to each directory",
  M2: "a maker waits longer after each failure, and less only after proof of health",
  M3: "dials and handshakes of a maker end in time, whatever else arrives",
  M4: "a maker asks silent directories, and leaves those that do not answer",
  M5: "no directory makes a maker wait with another, and PING is answered at once",
  M6: "what a maker offers is the same everywhere, can be kept, and is said once",
  M7: "that all directories are down, or back, is told once each time",
  M9: "no transaction is given up that is there, or before its time",
  M10: "a transaction's status moves along its way",
  M11: "no answer is not an answer: no status changes without one",
  M12: "a confirmation is told once, across restarts",
  M13: "a crash at any boundary leaves the durable state before it or after it, no third one",
  M14: "a signed request counts once, whoever brings it again",
  M15: "a maker's own onion is one address for good, and its loss is seen while it lasts",
  A1: "what came into a wallet is what it has, paid, claimed and lost",
  A2: "a VTXO is in one action at most, and no wallet is asked twice at once",
  A3: "no message is passed that was not processed",
  A4: "nothing that came twice is booked twice",
  A5: "what moves coins is durable before it is asked, not cut off, and rests when rejected",
  A6: "nothing is refreshed at a server that shows another key",
  A7: "exits go on after a reorganisation",
  A8: "exits go on whatever else is stuck",
  A9: "subscriptions of an hour are bounded, whatever the server does",
  A10: "what has expired is neither refreshed nor spent",
  A11: "what may be given up is not waited for without end",
  A12: "nothing leaves without permission, or to anywhere else",
  E1: "no stage of a VTXO comes later than its deadline",
  E2: "what enters a stage is told at once",
  E3: "a height that is true is not doubted",
  E4: "no VTXO is lost that could have been saved",
  E5: "what a wallet lists is watched",
  X1: "a step depends on the state, the event and the time, and owns what it returns",
  X2: "effects are plain data of known kinds",
  X3: "every queue and every table has a bound",
  X4: "a step leaves its deadline ahead and asks for at most one wake",
  X5: "time goes on: no endless events at one instant",
  X6: "no secret in a trace, a log line or an error",
  wire: "deployed clients are sent only what they take",
});

export type InvariantId = keyof typeof statements;

/** One broken invariant. `conn` and `nick` say where, as far as that is known. */
export type Violation = {
  readonly id: InvariantId;
  readonly says: string;
  readonly conn?: ConnId;
  readonly nick?: string;
};

/** A violation of `id`; `says` is what was seen, without bytes that a peer chose. */
export function violation(
  id: InvariantId, says: string, at: { readonly conn?: ConnId; readonly nick?: string } = {},
): Violation {
  return { id, says, ...at };
}

/** One line for people: the id, the statement, what was seen and where. */
export function text(v: Violation): string {
  const conn = v.conn === undefined ? "" : ` conn ${v.conn}`;
  const nick = v.nick === undefined ? "" : ` ${v.nick}`;
  return `${v.id} (${statements[v.id]}): ${v.says}${conn}${nick}`;
}
