/**
 * Who a demo peer is: a key, the nick that follows from it, and an onion address that nobody
 * serves.
 *
 * Rule 1: made fresh for each run, from the operating system's randomness; kept nowhere.
 * @module
 */
import { createECDH, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { createAmbient } from "../../adapters/ambient.ts";
import { primitives } from "../../adapters/primitives.ts";
import { ascii, base64, concat, hex } from "../../core/bytes.ts";
import * as message from "../../core/joinmarket/message.ts";
import * as nick from "../../core/joinmarket/nick.ts";
import * as nickauth from "../../core/joinmarket/nickauth.ts";

export type Identity = {
  readonly nick: string;
  /** Compressed, 66 hex characters. */
  readonly pubkey: string;
  readonly key: KeyObject;
};

const { entropy } = createAmbient();

/** The version digit of nicks in use. */
const nickVersion = 5;

/** A new key and its nick. */
export function create(): Identity {
  const ecdh = createECDH("secp256k1");
  ecdh.generateKeys();
  const pubkey = ecdh.getPublicKey("hex", "compressed");
  const point = ecdh.getPublicKey(null, "uncompressed");
  const key = createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "secp256k1",
      d: ecdh.getPrivateKey().toString("base64url"),
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33, 65).toString("base64url"),
    },
  });
  return { nick: nick.nickOf(pubkey, nickVersion, primitives.sha256), pubkey, key };
}

/**
 * Half of the signatures have a high s, which verifiers refuse; so many draws without a low one do
 * not happen.
 */
const drawsMax = 128;

/** The answer to a directory's challenge: the text of an 805. */
export function prove(
  who: Identity,
  challenge: nickauth.Challenge,
  handshakeLine: string,
): string {
  const claim = { ...challenge, handshakeLine, nick: who.nick, pubkey: who.pubkey };
  const inner = nickauth.digest(claim, primitives.sha256);
  const signature = base64(drawn(who, inner));
  return nickauth.proofLine({ pubkey: who.pubkey, signature });
}

/** A signature that verifiers take, over what is hashed once more. */
function drawn({ key }: Identity, inner: Uint8Array): Uint8Array {
  for (let draw = 0; draw < drawsMax; draw += 1) {
    const signature = new Uint8Array(sign("sha256", inner, key));
    if (message.isStrict(signature)) return signature;
  }
  throw new Error("no signature with a low s was drawn");
}

/**
 * A private command as deployed peers send it: its words, the sender's public key, and a signature
 * over the words after the first and the name of the message channel.
 */
export function signed(who: Identity, command: string): string {
  const data = ascii(`${command.slice(command.indexOf(" ") + 1)}onion-network`);
  const signature = drawn(who, message.inner(data, primitives.sha256));
  return `${command} ${who.pubkey} ${base64(signature)}`;
}

/** So many random bytes in hex, for the opaque words of commands. */
export function opaque(bytes: number): string {
  return hex(entropy(bytes));
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** A well-formed version 3 onion address with port, whose service does not exist. */
export function onionAddress(): string {
  const version = Uint8Array.of(3);
  const key = entropy(32);
  const checksum = primitives.sha3(concat([ascii(".onion checksum"), key, version])).subarray(0, 2);
  const bytes = concat([key, checksum, version]);
  let host = "";
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    host += alphabet.charAt((pair >> (11 - (bit & 7))) & 31);
  }
  return `${host}.onion:5222`;
}
