/**
 * What a look at one thing comes to, and how long a look may take.
 *
 * Rule 1: every look ends: one that takes too long is a finding like any other.
 * Rule 2: whatever is not well comes with what the operator can do about it.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import { after } from "../../core/time.ts";

/** `warn`: it works, but not for long or not as it should. `skipped`: there is nothing to see. */
export type State = "ok" | "warn" | "fail" | "skipped";

export type Finding = {
  readonly what: string;
  readonly state: State;
  /** May hold texts of others: to be made safe before it is printed. */
  readonly seen: string;
  /** `undefined` where nothing is to be done. */
  readonly fix: string | undefined;
};

/** One thing to look at. */
export type Check = {
  /** For the progress and for a look that does not end. */
  readonly what: string;
  readonly limitMs: number;
  readonly look: () => Promise<readonly Finding[]>;
  /** Lets go of sockets, files and whatever else a look that was given up still holds. */
  readonly end: () => void;
};

export function ok(what: string, seen: string): Finding {
  return { what, state: "ok", seen, fix: undefined };
}

export function warn(what: string, seen: string, fix: string): Finding {
  return { what, state: "warn", seen, fix };
}

export function fail(what: string, seen: string, fix: string): Finding {
  return { what, state: "fail", seen, fix };
}

export function skipped(what: string, seen: string): Finding {
  return { what, state: "skipped", seen, fix: undefined };
}

/** Looks, for `limitMs` at most. Never rejects. */
export function within(
  check: Check, ambient: Pick<Ambient, "now" | "timer">,
): Promise<readonly Finding[]> {
  const { what, limitMs } = check;
  return new Promise((resolve) => {
    const late = ambient.timer(() => {
      const fix = "look again: what hangs may be overloaded";
      settle([fail(what, `no result within ${limitMs / 1_000} s`, fix)]);
    });
    const settle = (found: readonly Finding[]): void => {
      late.disarm();
      check.end();
      resolve(found);
    };
    late.arm(after(ambient.now(), limitMs));
    check.look().then(settle, (error: Error) => settle([
      fail(what, `this could not be looked at: ${error.message}`, "please report this"),
    ]));
  });
}
