/**
 * Lists that fill and empty all the time.
 * @module
 */

/** Takes everything out; the room stays, which setting `length` to 0 would give back. */
export function empty(list: unknown[]): void {
  while (list.length > 0) list.pop();
}
