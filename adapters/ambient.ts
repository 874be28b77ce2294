/**
 * Every clock, timer and source of chance that the daemons touch; no other file has one.
 *
 * Rule 1: decides nothing. A timer may call back late, never early, and never spins: spans beyond
 * what the platform's timers can hold are waited for in pieces.
 * Rule 2: globals are looked up at each call, so that tests can stand in for them.
 * @module
 */
import { randomFillSync } from "node:crypto";
import { NEVER, type Mono, type Wall } from "../core/time.ts";

/** A timer that is armed again and again and owns at most one platform timer. */
export interface Timer {
  /** Call back once, at or after `at`. Replaces what was armed before; `NEVER` disarms. */
  arm(at: Mono): void;
  disarm(): void;
}

export interface Ambient {
  /** Whole milliseconds since the process began; never goes back. */
  now(): Mono;
  /** The wall clock, which people and NTP may set. */
  wall(): Wall;
  timer(due: () => void): Timer;
  /** Calls back every `ms` until the function it returns is called. */
  every(ms: number, again: () => void): () => void;
  /** Random bytes of the operating system. */
  entropy(size: number): Uint8Array;
  /** Aborts after `ms`; keeps no process alive. */
  expiry(ms: number): AbortSignal;
}

/** Node's timers take a signed 32-bit count of milliseconds; a longer one would fire at once. */
export const timerMsMax = 2 ** 31 - 1;

/** The real one. */
export function createAmbient(): Ambient {
  return { now, wall, timer, every, entropy, expiry };
}

function now(): Mono {
  return Math.floor(performance.now()) as Mono;
}

function wall(): Wall {
  return { unixMs: Date.now() };
}

function entropy(size: number): Uint8Array {
  return randomFillSync(new Uint8Array(size));
}

function expiry(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

function every(ms: number, again: () => void): () => void {
  const handle = setInterval(again, Math.min(Math.max(ms, 1), timerMsMax));
  return () => clearInterval(handle);
}

function timer(due: () => void): Timer {
  let handle: ReturnType<typeof setTimeout> | undefined;
  /** What the owner asked for, and when the platform timer will wake us: at or before it. */
  let at: Mono = NEVER;
  let firesAt: Mono = NEVER;

  function start(): void {
    const wait = Math.min(Math.max(at - now(), 1), timerMsMax);
    firesAt = (now() + wait) as Mono;
    handle = setTimeout(fired, wait);
  }

  function fired(): void {
    handle = undefined;
    if (at === NEVER) return;
    // Platform timers may fire a millisecond early, and long waits are cut.
    if (now() < at) return start();
    at = NEVER;
    due();
  }

  function arm(next: Mono): void {
    at = next;
    if (next === NEVER) return;
    // An earlier platform timer serves: when it fires it waits for the rest. So a deadline that
    // traffic pushes on costs nothing until then.
    if (handle !== undefined && firesAt <= next) return;
    if (handle !== undefined) clearTimeout(handle);
    start();
  }

  function disarm(): void {
    at = NEVER;
    if (handle !== undefined) clearTimeout(handle);
    handle = undefined;
  }

  return { arm, disarm };
}

/** The wall clock may drift this far from the monotonic one before it is told again. */
const jumpMsMin = 1_000;

/**
 * Watches for jumps of the wall clock. `look` returns the wall time to tell the core, the first
 * time and whenever wall and monotonic time have moved apart by more than a second since it did.
 */
export function createJumpWatcher(ambient: Pick<Ambient, "now" | "wall">): {
  readonly look: () => Wall | undefined;
} {
  let offset: number | undefined;
  function look(): Wall | undefined {
    const read = ambient.wall();
    const apart = read.unixMs - ambient.now();
    if (offset !== undefined && Math.abs(apart - offset) <= jumpMsMin) return undefined;
    offset = apart;
    return read;
  }
  return { look };
}
