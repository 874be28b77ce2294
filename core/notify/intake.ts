/**
 * Letters that wait for their record, in the order of telling.
 *
 * Rule 1: a letter leaves when its record is answered, either way, or has taken too long; never
 * before those in front of it.
 * Rule 2: one record may stand for several letters.
 * Not known here: what the journal did, and where letters go.
 * @module
 */
import { NEVER, type Mono } from "../time.ts";
import type { Letter } from "./letter.ts";

/** A letter, the targets it goes to, and how long it waits at most. */
export type Waiting = {
  readonly letter: Letter; readonly to: readonly string[]; readonly until: Mono;
  isSettled: boolean;
};

/** The first one waits longest. */
export type Intake = Waiting[];

/** A letter waits behind the others. */
export function push(m: Intake, letter: Letter, to: readonly string[], until: Mono): void {
  m.push({ letter, to, until, isSettled: false });
}

/** The record `token` is answered, or there will be none. */
export function settle(m: Intake, token: number, isDurable: boolean): void {
  for (const waiting of m) {
    if (waiting.letter.token !== token) continue;
    waiting.isSettled = true;
    if (isDurable) waiting.letter.isRecorded = true;
  }
}

/** Takes the first letter, if it may leave. */
export function next(m: Intake, now: Mono): Waiting | undefined {
  const first = m[0];
  if (first === undefined || (!first.isSettled && now < first.until)) return undefined;
  m.shift();
  return first;
}

/** When the first letter leaves at the latest; the others wait for it in any case. */
export function deadline(m: Intake): Mono {
  const first = m[0];
  return first === undefined ? NEVER : first.until;
}
