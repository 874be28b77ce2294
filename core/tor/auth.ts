/**
 * How a controller proves itself to Tor: which ways there are, and the two hashes of SAFECOOKIE.
 *
 * Rule 1: with SAFECOOKIE both sides prove that they know the cookie, and neither shows it
 * (control-spec §3.24). Tor's hash is checked first: who cannot make it learns nothing from us.
 * Rule 2: what is sent is hex, also a password: in hex no byte of it needs an escape.
 * Rule 3: holds no state and asks nobody.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, concat, hex, unhex } from "../bytes.ts";
import { bad, good, type Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import { secret, type Secret } from "../secret.ts";
import { type Reply, unquoted } from "./reply.ts";

/** Bytes of Tor's cookie, of a nonce and of a hash. */
export const cookieBytes = 32;

/** The ways to prove oneself, by the names that Tor gives them. */
export type Method = "NULL" | "SAFECOOKIE" | "COOKIE" | "HASHEDPASSWORD";

/** What Tor says of itself before anybody has proved anything. */
export type Introduction = {
  readonly methods: readonly string[];
  /** Where its cookie is, as Tor sees the file system. */
  readonly cookieFile: string | undefined;
  /** Such as `0.4.9.11`; empty if it was not said. */
  readonly version: string;
};

/** Reads the answer to `PROTOCOLINFO 1`. Faults: `control-introduction`, `control-quoted`. */
export function introduction(reply: Reply): Decoded<Introduction> {
  const line = reply.lines.find((one) => one.startsWith("AUTH "));
  if (reply.code !== 250 || line === undefined) {
    return bad("control-introduction", "the control port does not say how to authenticate");
  }
  const methods = /(?:^| )METHODS=([A-Z,]+)/.exec(line)?.[1];
  if (methods === undefined) return bad("control-introduction", "Tor names no way to authenticate");
  const version = reply.lines.map((one) => /^VERSION Tor="([^"\\]{1,64})"/.exec(one)?.[1])
    .find((one) => one !== undefined) ?? "";
  const at = line.indexOf(" COOKIEFILE=");
  if (at < 0) return good({ methods: methods.split(","), cookieFile: undefined, version });
  const path = unquoted(line.slice(at + " COOKIEFILE=".length));
  if (!path.ok) return path;
  return good({ methods: methods.split(","), cookieFile: path.value, version });
}

/**
 * Which way to take. Who has a password wants it used. A cookie is shown to nobody if that can be
 * avoided. `undefined`: Tor offers nothing that we have.
 */
export function choose(methods: readonly string[], hasPassword: boolean): Method | undefined {
  const known: readonly Method[] = hasPassword
    ? ["HASHEDPASSWORD", "NULL"] : ["NULL", "SAFECOOKIE", "COOKIE"];
  return known.find((method) => methods.includes(method));
}

/** What Tor answers to a challenge. */
export type Challenge = { readonly serverHash: Uint8Array; readonly serverNonce: Uint8Array };

/** Reads the answer to `AUTHCHALLENGE`. Faults: `control-challenge`. */
export function challenge(reply: Reply): Decoded<Challenge> {
  const fields = /^AUTHCHALLENGE SERVERHASH=([0-9A-Fa-f]{64}) SERVERNONCE=([0-9A-Fa-f]{64})$/
    .exec(reply.lines[0] ?? "");
  if (reply.code !== 250 || fields === null) {
    return bad("control-challenge", "Tor did not answer the challenge");
  }
  const [, serverHash = "", serverNonce = ""] = fields;
  return good({
    serverHash: unhex(serverHash.toLowerCase()) as Uint8Array,
    serverNonce: unhex(serverNonce.toLowerCase()) as Uint8Array,
  });
}

const serverKey = ascii("Tor safe cookie authentication server-to-controller hash");
const clientKey = ascii("Tor safe cookie authentication controller-to-server hash");

/** The hash with which Tor proves that it knows the cookie, over both nonces. */
export function serverHash(
  cookie: Secret, nonce: Uint8Array, serverNonce: Uint8Array, sha256: Primitives["sha256"],
): Uint8Array {
  assert(cookie.secret.length === cookieBytes, "a cookie of another size");
  return hmac(sha256, serverKey, concat([cookie.secret, nonce, serverNonce]));
}

/** The hash with which we prove the same. */
export function clientHash(
  cookie: Secret, nonce: Uint8Array, serverNonce: Uint8Array, sha256: Primitives["sha256"],
): Uint8Array {
  assert(cookie.secret.length === cookieBytes, "a cookie of another size");
  return hmac(sha256, clientKey, concat([cookie.secret, nonce, serverNonce]));
}

/** `AUTHENTICATE` and `proof` (may be empty) in hex. */
export function authenticate(proof: Uint8Array): Secret {
  return secret(ascii(proof.length === 0 ? "AUTHENTICATE" : `AUTHENTICATE ${hex(proof)}`));
}

/** Same size, same bytes, in a time that does not depend on where they differ. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i += 1) differ |= (a[i] as number) ^ (b[i] as number);
  return differ === 0;
}

const blockBytes = 64;

/** HMAC-SHA256 (RFC 2104), 32 bytes. */
export function hmac(
  sha256: Primitives["sha256"], key: Uint8Array, message: Uint8Array,
): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(key.length > blockBytes ? sha256(key) : key);
  const inner = sha256(concat([block.map((byte) => byte ^ 0x36), message]));
  return sha256(concat([block.map((byte) => byte ^ 0x5c), inner]));
}
