/**
 * What is noted of the habits of one process of an Ark daemon, from one step to the next.
 * @module
 */

/** A call that was made and not answered. */
export type Open = {
  readonly at: number; readonly wallet: string; readonly method: string; readonly path: string;
  /** The intent that it carries out, if any. */
  readonly intent: string | undefined;
};

export type Noted = {
  readonly open: Map<number, Open>;
  /** The VTXOs that each wallet listed last, and when. */
  readonly listed: Map<string, readonly string[]>;
  readonly listedAt: Map<string, number>;
  /** Where each of its exits was, as each wallet said last. */
  readonly exits: Map<string, ReadonlyMap<string, string>>;
  /** The server's key as each wallet named it first; and who named another. */
  readonly keys: Map<string, string>;
  readonly strangers: Set<string>;
  /** How often something was done in this hour. */
  readonly counts: Map<string, number>;
  hour: number;
  /** Who dialled within the last second. */
  readonly dials: { readonly wallet: string; readonly at: number }[];
};

/** Nothing was noted. */
export function create(): Noted {
  return {
    open: new Map(), listed: new Map(), listedAt: new Map(), exits: new Map(), keys: new Map(),
    strangers: new Set(), counts: new Map(), hour: 0, dials: [],
  };
}
