/**
 * What is in a write, for people: `HANDSHAKE`, `PUBMSG x3, PING`.
 *
 * Rule 1: reads types only, and only where a line begins as every line of ours does; the rest is
 * counted as bytes. Nothing that a peer wrote is shown.
 * @module
 */
import * as envelope from "../core/joinmarket/envelope.ts";

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(envelope.types).map(([name, type]) => [type, name]),
);

/** Types of lines in order, runs counted; at most four, then how many more. */
export function shownTypes(bytes: Uint8Array): string {
  const found: string[] = [];
  const counts: number[] = [];
  let from = 0;
  for (let at = 0; at <= bytes.length; at += 1) {
    if (at < bytes.length && bytes[at] !== lineFeed) continue;
    if (at > from) add(found, counts, nameOf(bytes, from, at));
    from = at + 1;
  }
  const shown = found.slice(0, shownMax)
    .map((name, i) => (counts[i] === 1 ? name : `${name} x${counts[i]}`));
  const more = found.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

const lineFeed = 10;
const shownMax = 4;

function add(found: string[], counts: number[], name: string): void {
  if (found[found.length - 1] === name) {
    counts[counts.length - 1] = (counts[counts.length - 1] as number) + 1;
    return;
  }
  found.push(name);
  counts.push(1);
}

/** `{"type": 795, …`: the digits after the key. A piece of a line has no name. */
function nameOf(bytes: Uint8Array, from: number, to: number): string {
  const head = String.fromCharCode(...bytes.subarray(from, to < from + 16 ? to : from + 16));
  const digits = /^\{"type": ?([0-9]{1,4}),/.exec(head)?.[1];
  if (digits === undefined) return "piece";
  return names.get(Number(digits)) ?? `type ${digits}`;
}
