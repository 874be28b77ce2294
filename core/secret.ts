/**
 * The mark on secret bytes. A secret is an object, not a string, so that it cannot be joined into a text by accident;
 * traces, logs and errors hold a digest or nothing (invariant X6).
 * @module
 */
export type Secret = { readonly secret: Uint8Array };

/** Marks bytes as secret. */
export function secret(bytes: Uint8Array): Secret {
  return { secret: bytes };
}

/** Is this value a marked secret? */
export function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && "secret" in value && value.secret instanceof Uint8Array;
}
