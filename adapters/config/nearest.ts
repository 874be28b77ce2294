/**
 * The name somebody probably meant. Used for keys, commands and flags.
 * @module
 */

/**
 * The candidate nearest to `word` by edits (insert, delete, replace, swap of neighbours), or
 * `undefined` when none is near enough to be a slip: more than a third of the longer word would
 * have to change. Ties go to the earlier candidate.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    const bound = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (edits > bound || edits >= bestEdits) continue;
    best = candidate;
    bestEdits = edits;
  }
  return best;
}

/** Words longer than this are cut: a hostile argument must not cost quadratic time. */
const lengthMax = 80;

function distance(left: string, right: string): number {
  const a = left.slice(0, lengthMax);
  const b = right.slice(0, lengthMax);
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) row.push(edits(a, b, i, j, row, last, beforeLast));
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

function edits(
  a: string,
  b: string,
  i: number,
  j: number,
  row: readonly number[],
  last: readonly number[],
  beforeLast: readonly number[],
): number {
  const same = a[i - 1] === b[j - 1];
  const kept = (last[j - 1] ?? 0) + (same ? 0 : 1);
  let cost = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, kept);
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  if (swapped) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
  return cost;
}
