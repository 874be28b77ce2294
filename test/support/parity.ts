/**
 * One script for two ends of a connection, run on the simulated network and on real sockets, and
 * what each end was told.
 *
 * The ends: `server` accepts as the daemon does; `client` dials. Both send a pattern of bytes that
 * depends on nothing but the offset, so that whoever reads can tell a lost or moved byte.
 * @module
 */

export type End = "client" | "server";

export type Step =
  /** The client dials, and both ends are told that it is open. */
  | { readonly do: "open" }
  /** The client dials a port at which nobody listens, and is told. */
  | { readonly do: "openClosed" }
  | { readonly do: "send"; readonly end: End; readonly bytes: number }
  /** The client stops or goes on reading. */
  | { readonly do: "hold" | "release" }
  | { readonly do: "flush" | "abort"; readonly end: End }
  /** The client's process is killed. */
  | { readonly do: "kill" }
  /** What is under way arrives while no process looks. */
  | { readonly do: "wire" }
  /** Until this end has read so many bytes in all, or was told so. */
  | { readonly do: "got"; readonly end: End; readonly bytes: number }
  | { readonly do: "told"; readonly end: End; readonly what: "congested" | "drained" | "end" };

/** What a client is asked to do. */
export type Command =
  | { readonly do: "send"; readonly bytes: number }
  | { readonly do: "hold" | "release" | "flush" | "abort" };

/** What an end was told, in order; neighbouring reads are one. */
export type Heard = (string | number)[];
export type Observed = { readonly client: Heard; readonly server: Heard };

export type Script = {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What both must come to. `some`: a number of bytes that depends on the sizes of buffers. */
  readonly client: readonly (string | number)[];
  readonly server: readonly (string | number)[];
  /** The client must be a process of its own. */
  readonly isForked?: boolean;
  /**
   * A reset that is seen together with the last bytes: an end to the library of Node 20, a reset to
   * that of Node 24.
   */
  readonly isBlurred?: boolean;
};

/** The pattern begins anew after so many bytes; the table holds it twice. */
const period = 65_536;
const table = Buffer.from(
  Array.from({ length: 2 * period }, (_, i) => (i * 31 + (i >> 8)) & 0xff),
);

/** The bytes at an offset of either direction. */
export function pattern(from: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = 0; at < size; at += period) {
    const start = (from + at) % period;
    out.set(table.subarray(start, start + Math.min(period, size - at)), at);
  }
  return out;
}

/** Whether `bytes`, one read of at most 64 KiB, are those that were sent at `from`. */
export function isPattern(from: number, bytes: Uint8Array): boolean {
  const start = from % period;
  return table.compare(bytes, 0, bytes.length, start, start + bytes.length) === 0;
}

/** Notes what an end is told; `wrong` where the bytes are not those that were sent. */
export function note(heard: Heard, what: string | Uint8Array, before: number): void {
  if (typeof what === "string") {
    heard.push(what);
    return;
  }
  if (!isPattern(before, what)) heard.push("wrong bytes");
  const last = heard.at(-1);
  if (typeof last === "number") heard[heard.length - 1] = last + what.length;
  else heard.push(what.length);
}

/** Numbers where `wanted` says `some` are so called. */
export function likened(
  heard: Heard, wanted: readonly (string | number)[], isBlurred = false,
): Heard {
  return heard.map((one, i) => {
    if (typeof one === "number" && wanted[i] === "some") return "some";
    return isBlurred && one === "end reset" && wanted[i] === "end eof" ? "end eof" : one;
  });
}
