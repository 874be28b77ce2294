/**
 * Where instants stand on paper: time goes down, and long gaps are folded.
 *
 * Rule 1: order is kept and never distance alone: a gap grows by the logarithm of its time, and
 * every step has a line of its own.
 * Rule 2: a gap of `foldUs` or more in which nothing is shown is folded into one torn line, with
 * its length and the number of steps that are left out.
 * @module
 */
import { foldUs, type Stop } from "./repeats.ts";

export type Fold = {
  readonly y: number;
  readonly us: number;
  /** Steps in between that are not shown. */
  readonly steps: number;
  /** How often what stands above happens again in between; 0: no repetition. */
  readonly repeats: number;
};

export type Scale = {
  /** The first stop that is drawn, and the one past the last. */
  readonly from: number;
  readonly to: number;
  /** Where each drawn stop stands, `ys[0]` for stop `from`. */
  readonly ys: readonly number[];
  readonly stops: readonly Stop[];
  readonly folds: readonly Fold[];
  readonly height: number;
};

const topPx = 34;
const bottomPx = 40;
const stepPx = 22;
const doublingPx = 3;
const foldPx = 52;

/** Stops `from` to `to` (not included) one below the other; `room`: pixels that one needs below. */
export function scaleOf(
  stops: readonly Stop[], from: number, to: number, room: (stop: Stop) => number,
): Scale {
  const ys: number[] = [];
  const folds: Fold[] = [];
  let y = topPx;
  for (let i = from; i < to; i += 1) {
    const stop = stops[i] as Stop;
    ys.push(y);
    const next = stops[i + 1];
    if (i + 1 >= to || next === undefined) continue;
    y += room(stop);
    const us = next.atUs - stop.atUs;
    if (us < foldUs && next.repeats === 0) {
      y += stepPx + doublingPx * doublings(us);
      continue;
    }
    folds.push({ y: y + foldPx / 2, us, steps: skipped(stops, i), repeats: next.repeats });
    y += foldPx;
  }
  const last = stops[to - 1];
  const height = y + (last === undefined ? 0 : room(last)) + bottomPx;
  return { from, to, ys, stops, folds, height };
}

/** Where an instant stands: on its stop, or between two; beyond the ends 0 or the height. */
export function yOf(s: Scale, atUs: number): number {
  const first = s.stops[s.from];
  const last = s.stops[s.to - 1];
  if (first === undefined || last === undefined || atUs < first.atUs) return 0;
  if (atUs > last.atUs) return s.height;
  let [low, high] = [s.from, s.to - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((s.stops[middle] as Stop).atUs < atUs) low = middle + 1;
    else high = middle;
  }
  const at = s.stops[low] as Stop;
  const y = s.ys[low - s.from] as number;
  if (at.atUs === atUs || low === s.from) return y;
  const before = s.stops[low - 1] as Stop;
  const above = s.ys[low - 1 - s.from] as number;
  const part = (atUs - before.atUs) / (at.atUs - before.atUs);
  return Math.round(above + (y - above) * part);
}

/** Where stop `i` of all stands; `undefined` when it is not drawn. */
export function yOfStop(s: Scale, i: number): number | undefined {
  return i < s.from || i >= s.to ? undefined : s.ys[i - s.from];
}

/** How often a millisecond was doubled: 0 for less than one, 10 for a second. */
function doublings(us: number): number {
  return 31 - Math.clz32(Math.floor(us / 1_000) + 1);
}

/** Steps between two stops; the numbers of steps are known around edges without one too. */
function skipped(stops: readonly Stop[], i: number): number {
  let before = i;
  while (before >= 0 && (stops[before] as Stop).step < 0) before -= 1;
  let next = i + 1;
  while (next < stops.length && (stops[next] as Stop).step < 0) next += 1;
  // Between two edges nobody knows which side the steps belong to: they count once, after the last.
  if (next >= stops.length || (stops[i] as Stop).step < 0 && before !== i) return 0;
  const first = before < 0 ? -1 : (stops[before] as Stop).step;
  return (stops[next] as Stop).step - first - 1;
}
