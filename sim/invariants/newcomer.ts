/**
 * What a directory node was told by connections that are no peers yet, as an observer takes it: the
 * circuit, the handshake, the proof of a nick.
 *
 * Rule 1: whether a connection was registered in this step is taken from the node; whether that was
 * right is judged here and in `directory.ts`.
 * @module
 */
import { ascii, unbase64, unhex } from "../../core/bytes.ts";
import * as proxy from "../../core/directory/proxy.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";
import * as budget from "./budget.ts";
import { register, type Conn, type Hello, type Observer, type Seen } from "./observer.ts";
import { violation } from "./violation.ts";

/** Did this step register the connection? */
export function isIn(o: Observer, c: Conn, seen: Seen): boolean {
  if (seen.node.sessions.byConn.get(c.id)?.at.phase === "registered") return true;
  if (!seen.closes.has(c.id)) return false;
  return seen.node.counts.totals.registered > o.registeredSum;
}

/** The line that names the circuit. */
export function circuit(o: Observer, c: Conn, frame: Uint8Array): boolean {
  const named = proxy.parse(frame);
  if (!named.ok) return false;
  budget.bind(o.budgets, c.id, named.value);
  c.phase = "greeting";
  return true;
}

/** The handshake. */
export function greeting(o: Observer, c: Conn, frame: Uint8Array, seen: Seen): boolean {
  const e = o.scratch.envelope;
  if (envelope.scan(frame, e) !== undefined || e.type !== envelope.types.HANDSHAKE) return false;
  const hello = handshake.parsePeer(envelope.content(frame, e));
  if (!hello.ok) return false;
  c.hello = helloOf(hello.value);
  c.helloLine = envelope.content(frame, e);
  c.nickBytes = ascii(c.hello.nick);
  o.scratch.greeted = c;
  c.phase = "asked";
  if (isIn(o, c, seen)) register(o, c, c.hello.nick, seen.now);
  return true;
}

function helloOf(hello: handshake.PeerHello): Hello {
  const location = hello.location === "" ? "NOT-SERVING-ONION" : hello.location;
  const maker = location !== "NOT-SERVING-ONION";
  return {
    nick: hello.nick, network: hello.network, maker,
    location: maker ? location.toLowerCase() : location, ping: hello.features.includes("ping"),
    wantsFeatures: hello.features.includes("peerlist_features"),
    features: hello.features.join("+"),
  };
}

/** A line before registration: the proof of its nick, or nothing. */
export function asked(o: Observer, c: Conn, frame: Uint8Array, seen: Seen): boolean {
  if (!isIn(o, c, seen)) return true;
  const e = o.scratch.envelope;
  const isProof = envelope.scan(frame, e) === undefined && nickauth.strictEnvelope(frame);
  const proof = isProof ? nickauth.parseProof(envelope.content(frame, e)) : undefined;
  if (proof?.ok !== true) return false;
  c.pubkey = proof.value.pubkey;
  if (!isProven(o, c, proof.value)) {
    const at = { conn: c.id, nick: c.hello?.nick ?? "" };
    seen.out.push(violation("D3", "registered with a proof that proves nothing", at));
  }
  register(o, c, c.hello?.nick ?? "", seen.now);
  return true;
}

/** Is the key that of the nick, and did it sign what it was asked to? */
function isProven(o: Observer, c: Conn, proof: nickauth.Proof): boolean {
  const { primitives: p, config: { location } } = o;
  if (p === undefined || c.hello === undefined) return true;
  if (c.challenge === undefined || location === undefined) return false;
  const { nick } = c.hello;
  const { pubkey, signature } = proof;
  if (nickOf(pubkey, Number(nick.charAt(1)), p.sha256) !== nick) return false;
  const claim = {
    challenge: c.challenge, directoryId: location, handshakeLine: c.helloLine, nick, pubkey,
  };
  const key = unhex(pubkey);
  const der = unbase64(signature);
  if (key === undefined || der === undefined) return false;
  return p.verifyEcdsa(key, nickauth.digest(claim, p.sha256), der);
}
