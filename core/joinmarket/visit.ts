/**
 * A visit to one's own address: what the visitor says there, and what shows that it is ours.
 *
 * Rule 1: the visitor bears our own nick, and so must the answer: it comes over the circuit to our
 * address, where nobody else can be.
 * @module
 */
import * as envelope from "./envelope.ts";
import * as handshake from "./handshake.ts";
import { notServing } from "./onion.ts";

/** How a visitor under our nick behaves. */
export type Visit = {
  /** The visitor's handshake (793). */
  readonly hello: () => Uint8Array;
  /** Is this frame our own answer: a peer's handshake (793), or a directory's (795)? */
  readonly isOurs: (frame: Uint8Array) => boolean;
};

/** Visits to a maker of this nick, or to a directory node. */
export function visit(to: "maker" | "directory", nick: string, network: string): Visit {
  return {
    hello: () => envelope.encode(envelope.types.HANDSHAKE, handshake.peerHello({
      nick, network, location: notServing, features: [],
    })),
    isOurs: (frame) => {
      const into = envelope.create();
      if (envelope.scan(frame, into) !== undefined) return false;
      const { HANDSHAKE, DN_HANDSHAKE } = envelope.types;
      if (into.type !== (to === "maker" ? HANDSHAKE : DN_HANDSHAKE)) return false;
      const line = envelope.content(frame, into);
      const hello = to === "maker" ? handshake.parsePeer(line) : handshake.parseDirectory(line);
      return hello.ok && hello.value.nick === nick;
    },
  };
}
