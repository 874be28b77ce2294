/**
 * One append-only file, as orders to a host and what became of them.
 *
 * Rule 1: each order has a `req` of its own and gets exactly one answer, in the order of asking.
 * Rule 2: `store.appended` says that the system has the bytes, so that a reader sees them; only
 * `store.synced` says that they survive a power failure. Bytes that were appended before a sync was
 * ordered are covered by it, and so is a `store.truncate` before it. The first sync after the file
 * was made covers its name in the directory too.
 * Rule 3: after `store.failed` nobody knows how much was done: an append may have written a part, a
 * sync may have lost what it should have kept. Systems report a failed sync once and then take the
 * pages for clean, so that a second sync succeeds though the bytes are on no disk. A failed sync
 * must never be repeated: the file is read again, cut back to what was durable before, and what
 * followed is written again.
 * Not known here: what the bytes mean.
 * @module
 */

/** Why an order failed. `full`: no room. `io`: anything else that the system says. */
export type StoreFailure = "full" | "io";

export type StoreEvent =
  /** All bytes of the file, none if there is no file. The host gives the array away. */
  | { readonly type: "store.loaded"; readonly req: number; readonly bytes: Uint8Array }
  /** All bytes are written, at the end of the file. */
  | { readonly type: "store.appended"; readonly req: number }
  | { readonly type: "store.synced"; readonly req: number }
  | { readonly type: "store.truncated"; readonly req: number }
  | { readonly type: "store.failed"; readonly req: number; readonly reason: StoreFailure };

export type StoreEffect =
  | { readonly type: "store.load"; readonly req: number }
  | { readonly type: "store.append"; readonly req: number; readonly bytes: Uint8Array }
  | { readonly type: "store.sync"; readonly req: number }
  /** Cuts the file to `size` bytes; it is not shorter. */
  | { readonly type: "store.truncate"; readonly req: number; readonly size: number };
