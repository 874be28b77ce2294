/**
 * Which wallet answers at an address, and which Ark server it is at: what the journal is about, and
 * what is shown now.
 *
 * Rule 1: the first one that is seen is written down, and counts from then on, in later runs too.
 * Rule 2: another one is told, written down as strange, and acted on for nobody, until it is gone
 * or the operator trusts it: what was looked at, by name, and not whatever has come since.
 * Rule 3: what no record can hold is passed over.
 * Not known here: what follows for coins (`guardian.ts`), and for the server's lanes (`facts.ts`).
 * @module
 */
import * as drive from "./drive.ts";
import type { Effect } from "./guardian-events.ts";
import { isText, type Known, type Shown } from "./intents.ts";

export type { Known, Shown } from "./intents.ts";

/** A wallet's fingerprint, and its server's public key. */
export const subjects: readonly Known[] = ["wallet", "server"];

export type One = {
  /** What was seen last in this run. */
  shown: string | undefined;
  /** What was right in this run, where no record says it. */
  own: string | undefined;
  /** Is what is shown another one than that? */
  isOther: boolean;
};

export type Trust = { readonly [of in Known]: One };

/** Nothing was seen. */
export function create(): Trust {
  const one = (): One => ({ shown: undefined, own: undefined, isOther: false });
  return { wallet: one(), server: one() };
}

/** Something is seen, or was before the journal was read. True: what is acted on has changed. */
export function see(
  m: Trust, of: Known, shown: string, d: drive.Drive, mayWrite: boolean, out: Effect[],
): boolean {
  if (!isText(shown)) return false;
  const one = m[of];
  const { book } = d;
  const known = book[of] ?? one.own;
  one.shown = shown;
  const isOther = known !== undefined && known !== shown;
  const hasChanged = isOther !== one.isOther;
  one.isOther = isOther;
  if (!isOther) one.own = shown;
  if (mayWrite && !isOther && (book[of] === undefined || book.strange[of] !== undefined)) {
    drive.writeKnown(d, of, shown, out);
  } else if (mayWrite && isOther && book.strange[of] !== shown) {
    drive.writeStrange(d, of, shown, out);
  }
  return hasChanged;
}

/**
 * The operator trusts what is shown, if it is what he has looked at; `undefined`: whatever it is,
 * also what comes next. True: it was another one and is the right one now.
 */
export function accept(
  m: Trust, of: Known, looked: Shown | undefined, d: drive.Drive, out: Effect[],
): boolean {
  const one = m[of];
  const { shown, isOther } = one;
  if (looked !== undefined && looked[of] !== shown) {
    if (isOther) {
      out.push({ type: "log", level: "warn", code: "ark.trust-stale", fields: { subject: of } });
    }
    return false;
  }
  if (!isOther && (shown !== undefined || looked !== undefined)) return false;
  const known = d.book[of] ?? one.own ?? "";
  d.book[of] = undefined;
  one.own = shown;
  one.isOther = false;
  if (shown === undefined) return true;
  const fields = { subject: of, known, shown };
  out.push({ type: "log", level: "warn", code: "ark.trusted", fields });
  return true;
}

/** What is in doubt, for the operator to look at: what the journal is about, and what is shown. */
export function doubted(
  m: Trust, of: Known, d: drive.Drive,
): { readonly known: string; readonly shown: string } | undefined {
  const { shown, own, isOther } = m[of];
  const known = d.book[of] ?? own;
  return isOther && shown !== undefined && known !== undefined ? { known, shown } : undefined;
}
