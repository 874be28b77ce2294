/**
 * What a node takes for the time: a monotonic clock that may drift and a wall clock that may jump.
 *
 * Rule 1: the monotonic clock never goes back; it counts from the start of the machine and stands
 * still for nobody: a paused process finds it moved.
 * Rule 2: drift changes the speed from now on and nothing before. Integers only: speed is in parts
 * of a million.
 * @module
 */
import { mono, type Mono } from "../core/time.ts";

export type Clock = {
  /** Monotonic microseconds at true time `fromUs`. */
  baseUs: number;
  fromUs: number;
  ppm: number;
  /** Wall time less monotonic time, in ms. */
  wallMs: number;
};

/** A clock of a machine that started before the run: it shows `startMs` at true time 0. */
export function create(startMs: number, wallMs: number): Clock {
  return { baseUs: startMs * 1_000, fromUs: 0, ppm: 0, wallMs };
}

/** Monotonic microseconds at true time `nowUs`. */
export function monoUs(c: Clock, nowUs: number): number {
  const passed = nowUs - c.fromUs;
  if (c.ppm === 0) return c.baseUs + passed;
  return c.baseUs + passed + Math.trunc(passed * c.ppm / 1_000_000);
}

/** What the node reads: whole milliseconds. */
export function now(c: Clock, nowUs: number): Mono {
  return mono(Math.floor(monoUs(c, nowUs) / 1_000));
}

/** What the node takes for the date, in Unix milliseconds. */
export function wall(c: Clock, nowUs: number): number {
  return Math.floor(monoUs(c, nowUs) / 1_000) + c.wallMs;
}

/** The first true instant at or after `nowUs` at which the node reads `at` or later. */
export function whenUs(c: Clock, at: Mono, nowUs: number): number {
  const wantUs = at * 1_000;
  const missing = wantUs - monoUs(c, nowUs);
  if (missing <= 0) return nowUs;
  if (c.ppm === 0) return nowUs + missing;
  // Each round leaves a part of the error that is as small as the drift.
  let guess = nowUs + missing;
  for (let round = 0; round < roundsMax; round += 1) {
    const error = wantUs - monoUs(c, guess);
    if (error === 0) break;
    guess += error;
  }
  while (monoUs(c, guess) < wantUs) guess += 1;
  while (guess > nowUs && monoUs(c, guess - 1) >= wantUs) guess -= 1;
  return guess;
}

const roundsMax = 40;

/** The clock runs at another speed from now on. */
export function drift(c: Clock, ppm: number, nowUs: number): void {
  c.baseUs = monoUs(c, nowUs);
  c.fromUs = nowUs;
  c.ppm = ppm;
}

/** The wall clock is set, `ms` later or, if negative, earlier. */
export function jump(c: Clock, ms: number): void {
  c.wallMs += ms;
}
