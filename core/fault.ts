/**
 * The first kind of error: a peer broke the protocol. Decoders return it; callers drop, count or
 * close.
 * @module
 */

/** A stable code for counters and logs, and a short text without peer-supplied bytes. */
export type Fault = { readonly code: string; readonly text: string };

/** What every decoder returns: it never throws on any input. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** A decoded value. */
export function good<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

/** A refusal. `code` is kebab-case and becomes a metric label; `text` is for people. */
export function bad(code: string, text: string): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: { code, text } };
}
