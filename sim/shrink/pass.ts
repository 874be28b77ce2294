/**
 * What the passes of the shrinker have in common, and the two simplest forms: trying choices one by
 * one, and taking chunks out of a list.
 *
 * Rule 1: a pass proposes one simpler scenario at a time and is told whether it still fails. Where
 * it is, is plain data (`Place`), so that it can be copied to look ahead, and written to a file.
 * Rule 2: `propose` may move the place past what does not apply; it never depends on anything but
 * the best scenario, its outcome, the place and the round.
 * @module
 */
import type { Outcome } from "../outcome.ts";
import type { Scenario } from "../scenario.ts";

/** The smallest failing scenario so far, and what came of it. */
export type Best = { readonly scenario: Scenario; readonly outcome: Outcome };

/** Where a pass is. What the numbers mean is the pass's own affair; all start at 0. */
export type Place = {
  /** Which choice, list or field. */
  i: number;
  stage: number;
  low: number;
  high: number;
  tries: number;
};

export type Pass = {
  readonly name: string;
  /** `undefined`: the pass has nothing more. `round` counts from 0. */
  readonly propose: (best: Best, p: Place, round: number) => Scenario | undefined;
  /** `best` is the new one if the proposal was accepted. */
  readonly moved: (best: Best, p: Place, accepted: boolean) => void;
};

/** One thing to try; made only when its turn comes. */
export type Choice = () => Scenario;

export function start(): Place {
  return { i: 0, stage: 0, low: 0, high: 0, tries: 0 };
}

/** The choices in order. After an accepted one the list is made anew and goes on where it was. */
export function choices(name: string, list: (best: Best) => readonly Choice[]): Pass {
  return {
    name,
    propose: (best, p) => list(best)[p.i]?.(),
    moved: (_, p, accepted) => {
      if (!accepted) p.i += 1;
    },
  };
}

/** Lists to take chunks out of. `least`: how many items must stay. */
export type Lists = {
  readonly count: (best: Best, list: number) => number | undefined;
  readonly least: (best: Best, list: number) => number;
  readonly without: (best: Best, list: number, from: number, to: number) => Scenario;
};

/**
 * Takes out everything, then halves, quarters and so on down to single items, from the end to the
 * front, until no single item can go (delta debugging by complements). One list after another.
 */
export function chunks(name: string, lists: Lists): Pass {
  return {
    name,
    propose: (best, p) => proposeChunk(lists, best, p),
    moved: (best, p, accepted) => movedChunk(lists, best, p, accepted),
  };
}

// The place of chunks: `stage` is the size of chunks (0: a list not begun), `high` the end of the
// current chunk, `tries` how many were taken out in this sweep.
function proposeChunk(lists: Lists, best: Best, p: Place): Scenario | undefined {
  for (;;) {
    const count = lists.count(best, p.i);
    if (count === undefined) return undefined;
    const least = lists.least(best, p.i);
    if (count <= least) {
      nextList(p);
      continue;
    }
    if (p.stage === 0) {
      p.stage = count - least;
      p.high = count;
    }
    const from = p.high > p.stage ? p.high - p.stage : 0;
    const to = p.high - from > count - least ? from + count - least : p.high;
    return lists.without(best, p.i, from, to);
  }
}

function movedChunk(lists: Lists, best: Best, p: Place, accepted: boolean): void {
  if (accepted) p.tries += 1;
  p.high = p.high > p.stage ? p.high - p.stage : 0;
  if (p.high > 0) return;
  const count = lists.count(best, p.i) ?? 0;
  if (p.stage === 1 && p.tries === 0) return nextList(p);
  const size = p.stage > 1 ? p.stage >> 1 : 1;
  p.stage = size < count ? size : count;
  p.high = count;
  p.tries = 0;
}

function nextList(p: Place): void {
  p.i += 1;
  p.stage = 0;
  p.high = 0;
  p.tries = 0;
}
