/**
 * What the operator is told when Tor's control port does not let us in: what is wrong, and what
 * to do about it.
 *
 * Rule: a text names paths and settings, and never what was received or a secret.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Method } from "./auth.ts";
import type { Fault } from "../fault.ts";

/** Why the host has no secret for us. */
export type NoSecret = "absent" | "denied" | "malformed" | "failed";

export const unwanted: Fault = {
  code: "control-unwanted", text: "the connection to Tor was given up",
};
export const closed: Fault = {
  code: "control-closed", text: "Tor closed the control connection",
};
export const unasked: Fault = {
  code: "control-unasked", text: "Tor answered what nobody asked",
};
export const tooMany: Fault = { code: "control-busy", text: "Tor was asked too much at once" };
export const noPath: Fault = {
  code: "control-cookie-path",
  text: "Tor does not say where its cookie is: set the path of the cookie",
};
export const stranger: Fault = {
  code: "control-server-hash",
  text: "what answers on the control port does not know the cookie in this file: "
    + "it is another Tor's cookie, or no Tor",
};

/** The dial failed; `reason` is a word of the host's, such as `refused`. */
export function undialed(reason: string): Fault {
  const text = "Tor's control port cannot be reached: is Tor running, and is ControlPort set?";
  return { code: `control-dial-${reason}`, text };
}

/** Tor offers no way that we have. */
export function noMethod(hasPassword: boolean): Fault {
  const code = "control-method";
  return hasPassword
    ? { code, text: "Tor takes no password: set HashedControlPassword in torrc, or remove ours" }
    : { code, text: "Tor offers no cookie: set CookieAuthentication 1 in torrc, or a password" };
}

export function noCookie(reason: NoSecret, path: string): Fault {
  const where = `Tor's cookie ${path}`;
  const code = `control-cookie-${reason}`;
  switch (reason) {
    case "absent":
      return { code, text: `${where} is not there: set the path under which we see it` };
    case "denied":
      return {
        code, text: `${where} may not be read: join Tor's group (debian-tor), `
          + "and set CookieAuthFileGroupReadable 1 in torrc",
      };
    case "malformed": return { code, text: `${where} does not have 32 bytes: it is no cookie` };
    case "failed": return { code, text: `${where} cannot be read` };
    default: return unreachable(reason); /* c8 ignore next */
  }
}

export function noPassword(reason: NoSecret): Fault {
  const text = "the password for Tor's control port cannot be read, or is empty or too long";
  return { code: `control-password-${reason}`, text };
}

/** Tor did not accept what we proved ourselves with. */
export function refused(method: Method): Fault {
  const code = "control-refused";
  return method === "HASHEDPASSWORD"
    ? { code, text: "Tor refuses our password: it is not that of HashedControlPassword in torrc" }
    : { code, text: "Tor refuses our proof: the cookie is another Tor's, or has just changed" };
}

/** A deadline passed in this phase. */
export function late(phase: string): Fault {
  const text = phase === "fetching" || phase === "drawing"
    ? "the host did not read a secret in time" : "Tor's control port did not answer in time";
  return { code: "control-timeout", text: `${text} (${phase})` };
}
