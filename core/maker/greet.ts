/**
 * How a maker introduces itself to a directory, and what it makes of the answers.
 *
 * Rule 1: a challenge is answered for the directory that was dialled and for no other, so that
 * nobody can pass our proof on.
 * Rule 2: what we say we can do is what we do: `nick_auth` is promised only where the id of the
 * directory is known, since a directory that reads it will ask.
 * Rule 3: the 793 is kept as it was sent, because the proof covers its text.
 * Not known here: connections, time, and the key.
 * @module
 */
import type { Primitives } from "../primitives.ts";
import * as features from "../joinmarket/features.ts";
import * as handshake from "../joinmarket/handshake.ts";
import * as nickauth from "../joinmarket/nickauth.ts";

/**
 * `prefer`: prove the nick to a directory that asks for it. `require`: stay with no other.
 * `disabled`: never.
 */
export type AuthMode = "prefer" | "require" | "disabled";

/** Who we are. */
export type Identity = {
  readonly nick: string;
  /** 66 lower-case hex characters. */
  readonly pubkey: string;
  readonly network: string;
  /** What we can do. `nick_auth` is added where it holds. */
  readonly features: readonly string[];
  readonly auth: AuthMode;
};

/** Why we do not stay. */
export type Why =
  /** It says no. */
  | "refused"
  /** Its 795 is malformed or speaks for something else. */
  | "handshake" | "network" | "proto-ver"
  /** `require`, and it asks for no proof, or its id is not known. */
  | "auth-missing"
  /** The exchange is malformed, for another directory, or the proof was not believed. */
  | "auth-malformed" | "auth-directory" | "auth-refused";

export type No = { readonly ok: false; readonly why: Why; readonly says: string };
export type Welcome = {
  readonly ok: true;
  readonly motd: string;
  readonly answersPing: boolean;
  /** A challenge must follow. */
  readonly proves: boolean;
};

/** Of what a directory says about itself so many characters are kept. */
export const motdLengthMax = 512;

function no(why: Why, says = ""): No {
  return { ok: false, why, says };
}

/** Do we prove our nick to a directory with this id, if it wants? */
export function canProve(identity: Identity, directoryId: string | undefined): boolean {
  return identity.auth !== "disabled" && directoryId !== undefined;
}

/** The text of our 793. */
export function introduction(
  identity: Identity, directoryId: string | undefined, location: string,
): string {
  const { nick, network } = identity;
  const names = identity.features.filter((name) => name !== features.nickAuth);
  if (canProve(identity, directoryId)) names.push(features.nickAuth);
  return handshake.peerHello({ nick, network, location, features: names });
}

/** What the text of a 795 means for us. */
export function welcome(
  line: string, identity: Identity, directoryId: string | undefined,
): Welcome | No {
  const hello = handshake.parseDirectory(line);
  if (!hello.ok) return no("handshake", hello.fault.text);
  const motd = hello.value.motd.slice(0, motdLengthMax);
  const verdict = handshake.checkDirectory(hello.value, { network: identity.network });
  if (!verdict.ok) return no(whyOf(verdict.fault.code), motd);
  const isAsking = hello.value.features.includes(features.nickAuth);
  const proves = isAsking && canProve(identity, directoryId);
  if (!proves && identity.auth === "require") return no("auth-missing", motd);
  return { ok: true, motd, answersPing: hello.value.features.includes(features.ping), proves };
}

function whyOf(code: string): Why {
  return code === "refused" || code === "network" || code === "proto-ver" ? code : "handshake";
}

/** What the owner of the nick signs for the text of an 803: 32 bytes, hashed twice. */
export function challenge(
  line: string, hello: string, identity: Identity, directoryId: string | undefined,
  sha256: Primitives["sha256"],
): { readonly ok: true; readonly digest: Uint8Array } | No {
  const asked = nickauth.parseChallenge(line);
  if (!asked.ok) return no("auth-malformed", asked.fault.text);
  if (asked.value.directoryId !== directoryId) return no("auth-directory");
  const { nick, pubkey } = identity;
  const inner = nickauth.digest({ ...asked.value, handshakeLine: hello, nick, pubkey }, sha256);
  return { ok: true, digest: sha256(inner) };
}

/** What the text of an 807 means for us. */
export function verdict(line: string): { readonly ok: true } | No {
  const code = nickauth.parseResult(line);
  if (!code.ok) return no("auth-malformed", code.fault.text);
  return code.value === "ok" ? { ok: true } : no("auth-refused", code.value);
}
