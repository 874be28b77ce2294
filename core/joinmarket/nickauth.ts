/**
 * Nick authentication: a peer proves that it owns the key behind its nick (803, 805, 807; draft
 * JMP-0005).
 *
 * Rule 1: the three objects are strict: exactly their keys, once each, strings as they must be. A
 * reader that resolved ambiguity in its own way could be shown a proof that another reader sees
 * differently.
 * Rule 2: the proof binds challenge, directory, the 793 line, nick and key, so none of them can be
 * replaced.
 * Rule 3: decides whether a proof holds; what follows from it is the directory's business.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, hex, unbase64, unhex, utf8, wellFormed } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import { create, scan, types } from "./envelope.ts";
import { parseObject } from "./json.ts";
import type { Json } from "./json.ts";
import * as message from "./message.ts";
import { isNick, nickOf } from "./nick.ts";

/** `ok`, or why the directory does not believe the peer. */
export type ResultCode = "ok" | "malformed" | "expired" | "invalid" | "policy";

export type Challenge = { readonly challenge: string; readonly directoryId: string };
export type Proof = {
  /** 66 lower-case hex characters of a compressed key. */
  readonly pubkey: string;
  /** Canonical base64 of a strict DER signature. */
  readonly signature: string;
};

const CODES: readonly string[] = ["ok", "malformed", "expired", "invalid", "policy"];
const SMALL = { depthMax: 1, nodesMax: 8 } as const;
/** Characters of a directory id. */
const ID_MAX = 128;

const SUFFIX = "nick-auth-v1";

/** Is this a directory id? In production `<56>.onion:port`, in lower case. */
export function isDirectoryId(id: string): boolean {
  return id.length <= ID_MAX && /^[a-z0-9][a-z0-9.:_-]*$/.test(id);
}

/** The text of an 803. The challenge is 32 random bytes in hex. */
export function challengeLine(challengeHex: string, directoryId: string): string {
  assert(isHex(challengeHex, 64), "nickauth: a malformed challenge");
  assert(isDirectoryId(directoryId), "nickauth: a malformed directory id");
  return `{"challenge":"${challengeHex}","directory-id":"${directoryId}"}`;
}

/** Reads the text of an 803. Faults: `json`, `fields`. */
export function parseChallenge(line: string): Decoded<Challenge> {
  const values = strict(line, ["challenge", "directory-id"]);
  if (!values.ok) return values;
  const [challenge, directoryId] = values.value;
  if (typeof challenge !== "string" || !isHex(challenge, 64)) {
    return bad("fields", "the challenge is not 64 lower-case hex characters");
  }
  if (typeof directoryId !== "string" || !isDirectoryId(directoryId)) {
    return bad("fields", "the directory id is malformed");
  }
  return good({ challenge, directoryId });
}

/** The text of an 805. */
export function proofLine(proof: Proof): string {
  assert(message.isPubkey(proof.pubkey), "nickauth: a malformed public key");
  assert(unbase64(proof.signature) !== undefined, "nickauth: a malformed signature");
  return `{"pubkey":"${proof.pubkey}","signature":"${proof.signature}"}`;
}

/**
 * Reads the text of an 805; whether its frame was strict too says `strictEnvelope`. Faults: `json`,
 * `fields`.
 */
export function parseProof(line: string): Decoded<Proof> {
  const values = strict(line, ["pubkey", "signature"]);
  if (!values.ok) return values;
  const [pubkey, signature] = values.value;
  if (typeof pubkey !== "string" || !message.isPubkey(pubkey)) {
    return bad("fields", "the public key is not 66 lower-case hex characters");
  }
  if (typeof signature !== "string" || signature.length > message.signatureLengthMax) {
    return bad("fields", "the signature is not a short text");
  }
  const der = unbase64(signature);
  if (der === undefined) return bad("fields", "the signature is not canonical base64");
  if (!message.isStrict(der, "any")) return bad("fields", "the signature is not strict DER");
  return good({ pubkey, signature });
}

/** The text of an 807. */
export function resultLine(code: ResultCode): string {
  return `{"code":"${code}","verified":${code === "ok"}}`;
}

/**
 * Reads the text of an 807; `verified` must go with `ok` and with nothing else. Faults: `json`,
 * `fields`.
 */
export function parseResult(line: string): Decoded<ResultCode> {
  const values = strict(line, ["code", "verified"]);
  if (!values.ok) return values;
  const [code, verified] = values.value;
  if (typeof code !== "string" || !CODES.includes(code)) return bad("fields", "an unknown code");
  if (verified !== (code === "ok")) return bad("fields", "verified contradicts the code");
  return good(code as ResultCode);
}

/** The values of an object that has exactly these keys, once each, in their order here. */
function strict(line: string, keys: readonly string[]): Decoded<readonly Json[]> {
  const object = parseObject(line, SMALL);
  if (!object.ok) return object;
  const { fields, duplicates } = object.value;
  if (duplicates || fields.size !== keys.length) return bad("fields", "not exactly the known keys");
  const out: Json[] = [];
  for (const key of keys) {
    const value = fields.get(key);
    if (value === undefined) return bad("fields", "not exactly the known keys");
    out.push(value);
  }
  return good(out);
}

/** Is the frame a valid proof envelope (805) with `type` and `line` and nothing else? */
export function strictEnvelope(frame: Uint8Array): boolean {
  const e = create();
  return scan(frame, e) === undefined && e.exact && e.type === types.NICK_AUTH_PROOF;
}

function isHex(s: string, length: number): boolean {
  return s.length === length && /^[0-9a-f]*$/.test(s);
}

/**
 * All that a proof speaks of. `handshakeLine` is the decoded text of the 793 that the peer sent.
 */
export type Claim = Challenge & Proof & {
  readonly handshakeLine: string;
  readonly nick: string;
};

/** Does the proof hold? False for anything malformed; never throws on what a peer can send. */
export function verify(claim: Claim, p: Primitives): boolean {
  const der = wellFormedDer(claim, p);
  return der !== undefined && p.verifyEcdsa(unhex(claim.pubkey)!, digest(claim, p.sha256), der);
}

/** All of `verify` but the signature itself: cheap, so that it can come before a budget. */
export function isWellFormed(claim: Claim, p: Primitives): boolean {
  return wellFormedDer(claim, p) !== undefined;
}

function wellFormedDer(claim: Claim, p: Primitives): Uint8Array | undefined {
  if (!isHex(claim.challenge, 64) || !isDirectoryId(claim.directoryId)) return undefined;
  if (!isNick(claim.nick) || !message.isPubkey(claim.pubkey)) return undefined;
  if (!wellFormed(claim.handshakeLine)) return undefined;
  const der = message.signatureOf(claim.signature);
  if (der === undefined) return undefined;
  if (nickOf(claim.pubkey, Number(claim.nick.charAt(1)), p.sha256) !== claim.nick) return undefined;
  return der;
}

/**
 * What the peer signs: the transcript as a Bitcoin signed message, hashed once (32 bytes). The
 * signature algorithm hashes this once more (`Primitives.verifyEcdsa`).
 */
export function digest(
  claim: Omit<Claim, "signature">, sha256: Primitives["sha256"],
): Uint8Array {
  const line = hex(sha256(utf8(claim.handshakeLine)));
  const parts = ["nick-auth", claim.challenge, claim.directoryId, line, claim.nick, claim.pubkey];
  const transcript = ascii(parts.join("|") + SUFFIX);
  assert(transcript.length <= 0xffff, "nickauth: the transcript is too long");
  return message.inner(transcript, sha256);
}
