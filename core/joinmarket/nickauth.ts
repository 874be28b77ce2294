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
import { ascii, concat, hex, unbase64, unhex, utf8, wellFormed } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import { create, scan, types } from "./envelope.ts";
import { parseObject } from "./json.ts";
import type { Json } from "./json.ts";
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
/** A DER signature is 8 to 72 bytes, 96 characters of base64 at most. */
const DER_MIN = 8;
const DER_MAX = 72;
const SIGNATURE_LENGTH_MAX = 96;

const SUFFIX = "nick-auth-v1";
/**
 * Bitcoin signed messages: the size of the magic text, the text, then the size of the message and
 * the message.
 */
const MAGIC = concat([Uint8Array.of(0x18), ascii("Bitcoin Signed Message:\n")]);
/** Half the order of secp256k1, rounded down: the largest low s. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 2n * HALF_ORDER + 1n;

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
  assert(isPubkey(proof.pubkey), "nickauth: a malformed public key");
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
  if (typeof pubkey !== "string" || !isPubkey(pubkey)) {
    return bad("fields", "the public key is not 66 lower-case hex characters");
  }
  if (typeof signature !== "string" || signature.length > SIGNATURE_LENGTH_MAX) {
    return bad("fields", "the signature is not a short text");
  }
  const der = unbase64(signature);
  if (der === undefined) return bad("fields", "the signature is not canonical base64");
  if (!isStrictDer(der, ORDER - 1n)) return bad("fields", "the signature is not strict DER");
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

function isPubkey(s: string): boolean {
  return isHex(s, 66) && (s.startsWith("02") || s.startsWith("03"));
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
  if (!isNick(claim.nick) || !isPubkey(claim.pubkey)) return undefined;
  if (!wellFormed(claim.handshakeLine)) return undefined;
  if (claim.signature.length > SIGNATURE_LENGTH_MAX) return undefined;
  const der = unbase64(claim.signature);
  if (der === undefined || !isStrictDer(der, HALF_ORDER)) return undefined;
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
  const message = ascii(parts.join("|") + SUFFIX);
  assert(message.length <= 0xffff, "nickauth: the transcript is too long");
  return sha256(concat([MAGIC, varint(message.length), message]));
}

/** Bitcoin's variable-length integer, for sizes up to 65,535. */
function varint(size: number): Uint8Array {
  return size < 0xfd ? Uint8Array.of(size) : Uint8Array.of(0xfd, size & 0xff, size >> 8);
}

/**
 * Strict DER (BIP 66) of an ECDSA signature over secp256k1: 1 <= r < n, 1 <= s <= `sMax`. A proof
 * holds only with a low s (at most half the order); otherwise anyone could turn a valid signature
 * into a second one.
 */
function isStrictDer(der: Uint8Array, sMax: bigint): boolean {
  if (der.length < DER_MIN || der.length > DER_MAX) return false;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return false;
  const r = integerAt(der, 2);
  if (r === undefined) return false;
  const s = integerAt(der, 4 + r.length);
  if (s === undefined || 6 + r.length + s.length !== der.length) return false;
  return inRange(r, ORDER - 1n) && inRange(s, sMax);
}

/** The bytes of the minimal, non-negative DER integer at `at`. */
function integerAt(der: Uint8Array, at: number): Uint8Array | undefined {
  const size = der[at + 1];
  if (der[at] !== 0x02 || size === undefined) return undefined;
  if (size < 1 || size > 33 || at + 2 + size > der.length) return undefined;
  const bytes = der.subarray(at + 2, at + 2 + size);
  if (bytes[0]! >= 0x80) return undefined;
  if (bytes[0] === 0 && size > 1 && bytes[1]! < 0x80) return undefined;
  return bytes;
}

function inRange(bytes: Uint8Array, max: bigint): boolean {
  const value = BigInt(`0x${hex(bytes)}`);
  return value >= 1n && value <= max;
}
