/**
 * The fourth kind of error: we erred.
 *
 * Rule 1: an assertion states what must hold whatever a peer, a disk or an operator does.
 * Rule 2: nobody in the core catches what is thrown here; the host dumps the trace tail and exits.
 * @module
 */

/** Thrown when Dogwatch itself is wrong. Never thrown for bad input from a peer. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Throws `InvariantError(message)` unless `condition` holds. Split compound conditions into several
 * calls.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The default of an exhaustive `switch`: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
