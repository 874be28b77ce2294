/**
 * Signed private lines: `from!to!command data pubkey signature`.
 *
 * Rule 1: the data alone is signed, with the fixed name of the network behind it. Neither the
 * command nor the addressee nor a time is: who must not take a message twice has to remember its
 * signature (`maker/dedup.ts`).
 * Rule 2: strict, so that one message has one spelling: canonical base64, strict DER, low s, and a
 * nick that is the key's to the last character. Data that is empty is refused: its signature would
 * be good for every command without arguments, for ever.
 * Rule 3: `read` costs one hash; `verify` costs a verification, and comes after whatever limits
 * how often.
 * Rule 4: the key is not here. `digestFor` is what its owner signs, `appended` is what comes of it.
 * @module
 */
import { assert } from "../assert.ts";
import { base64, unhex, utf8, wellFormed } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import * as message from "./message.ts";
import { isNick, nickOf } from "./nick.ts";

/** Stands behind the data in what is signed: the name that onion channels share. */
export const hostId = "onion-network";

/** A space, the key, a space and the longest signature: what signing adds to a line. */
export const addedLengthMax = 2 + 66 + message.signatureLengthMax;

/** A private line whose signature is well-formed and not yet verified. */
export type Signed = {
  readonly from: string;
  readonly to: string;
  /** The command, without its exclamation mark. Not signed. */
  readonly word: string;
  /** All between the command and the key, later commands of the line included. Signed. */
  readonly data: string;
  /** 66 lower-case hex characters, whose nick is `from`. */
  readonly pubkey: string;
  /** Canonical base64 of strict DER with a low s: one text for one signature. */
  readonly signature: string;
};

/**
 * Reads a private line to `to` by all its rules but the signature itself. Never throws. Faults:
 * `grammar`, `addressee`, `unsigned`, `pubkey`, `signature`, `nick`.
 */
export function read(
  line: string, to: string, sha256: Primitives["sha256"],
): Decoded<Signed> {
  const fromEnd = line.indexOf("!");
  const toEnd = line.indexOf("!", fromEnd + 1);
  if (fromEnd < 0 || toEnd < 0) return bad("grammar", "the line is not from!to!command");
  const from = line.slice(0, fromEnd);
  if (!isNick(from)) return bad("grammar", "the sender's nick is malformed");
  if (line.slice(fromEnd + 1, toEnd) !== to) return bad("addressee", "the line is for another");
  const rest = line.slice(toEnd + 1).replace(/^!+/, "");
  const wordEnd = rest.indexOf(" ");
  const signatureAt = rest.lastIndexOf(" ");
  const pubkeyAt = signatureAt < 1 ? -1 : rest.lastIndexOf(" ", signatureAt - 1);
  if (wordEnd < 0 || pubkeyAt <= wordEnd + 1) return bad("unsigned", "no data, key and signature");
  const word = rest.slice(0, wordEnd);
  if (!isWord(word)) return bad("grammar", "the command is no short word");
  const pubkey = rest.slice(pubkeyAt + 1, signatureAt);
  if (!message.isPubkey(pubkey)) return bad("pubkey", "no compressed key in lower-case hex");
  const signature = rest.slice(signatureAt + 1);
  if (message.signatureOf(signature) === undefined) {
    return bad("signature", "the signature is not strict DER with a low s in base64");
  }
  const data = rest.slice(wordEnd + 1, pubkeyAt);
  if (!wellFormed(data)) return bad("grammar", "the data has a lone surrogate");
  if (nickOf(pubkey, Number(from.charAt(1)), sha256) !== from) {
    return bad("nick", "the key is another nick's");
  }
  return good({ from, to, word, data, pubkey, signature });
}

function isWord(word: string): boolean {
  return word.length <= 32 && /^[A-Za-z0-9_-]+$/.test(word);
}

/** Has the owner of the key signed this data? Costs a verification. */
export function verify(s: Signed, p: Primitives): boolean {
  const der = message.signatureOf(s.signature);
  const pubkey = message.isPubkey(s.pubkey) ? unhex(s.pubkey) : undefined;
  if (der === undefined || pubkey === undefined || !wellFormed(s.data)) return false;
  return p.verifyEcdsa(pubkey, innerOf(s.data, p.sha256), der);
}

function innerOf(data: string, sha256: Primitives["sha256"]): Uint8Array {
  return message.inner(utf8(data + hostId), sha256);
}

/**
 * What the owner of a nick signs for a line with this data: 32 bytes, hashed twice. `data` is
 * well-formed text, not empty.
 */
export function digestFor(data: string, sha256: Primitives["sha256"]): Uint8Array {
  assert(data !== "", "signed: nothing to sign");
  return sha256(innerOf(data, sha256));
}

/** A private line that is still to be signed. `data` may hold later commands, such as `!tbond`. */
export function unsigned(from: string, to: string, word: string, data: string): string {
  assert(isNick(from), "signed: the sender is no nick");
  assert(isNick(to), "signed: the addressee is no nick");
  assert(isWord(word), "signed: the command is no word");
  assert(data !== "", "signed: a line without data");
  return `${from}!${to}!${word} ${data}`;
}

/** The line with its key (66 hex characters) and its signature (strict DER, low s). */
export function appended(line: string, pubkeyHex: string, der: Uint8Array): string {
  assert(message.isPubkey(pubkeyHex), "signed: a malformed public key");
  assert(message.isStrict(der), "signed: a signature that nobody would take");
  return `${line} ${pubkeyHex} ${base64(der)}`;
}
