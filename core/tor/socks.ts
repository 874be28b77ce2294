/**
 * Which connections may share a circuit of Tor: one label for each purpose, and for each directory.
 *
 * Rule 1: Tor keeps apart what comes with different credentials (`IsolateSOCKSAuth`, which is its
 * default). The user names the purpose; the password is drawn once for each process, so that
 * circuits are not shared with another process or with an earlier run of this one.
 * Rule 2: what directories see must not be linked by a circuit, nor to notices or look-ups, so that
 * no two labels share one.
 * Source: Tor's socks-extensions and its proposal 171.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { ascii, hex } from "../bytes.ts";
import { secret, type Secret } from "../secret.ts";

/** What a connection is for. */
export type Purpose =
  /** `address`: `host:port` of the directory. */
  | { readonly purpose: "directory"; readonly address: string }
  | { readonly purpose: "direct" | "probe" | "notify" | "update" | "esplora" | "doctor" };

/** Bytes from the operating system that a process draws once, at its start, for its passwords. */
export const keyBytes = 16;

/** SOCKS5 allows so many bytes for a user and for a password (RFC 1929). */
export const fieldBytesMax = 255;

/** The label of a purpose: what `conn.dial` says. The same purpose has the same label. */
export function label(purpose: Purpose): string {
  switch (purpose.purpose) {
    case "directory": return `directory:${purpose.address.toLowerCase()}`;
    case "direct":
    case "probe":
    case "notify":
    case "update":
    case "esplora":
    case "doctor":
      return purpose.purpose;
    default: return unreachable(purpose); /* c8 ignore next */
  }
}

/** May this be a label? Printable, without spaces, and short enough to be a user. */
export function isLabel(s: string): boolean {
  return /^[\x21-\x7e]+$/.test(s) && s.length <= fieldBytesMax - prefix.length;
}

const prefix = "dogwatch-";

export type Credentials = { readonly user: string; readonly password: Secret };

/**
 * The credentials of a label, for a process that drew `key` (`keyBytes`). Equal labels give equal
 * credentials, different labels different users.
 */
export function credentials(isolation: string, key: Secret): Credentials {
  assert(isLabel(isolation), "socks: not a label");
  assert(key.secret.length === keyBytes, "socks: a key of another size");
  return { user: `${prefix}${isolation}`, password: secret(ascii(hex(key.secret))) };
}
