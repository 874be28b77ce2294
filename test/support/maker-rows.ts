/**
 * Makers that find rows of their history in the file when they start.
 * @module
 */
import { concat } from "../../core/bytes.ts";
import { encode } from "../../core/history/body.ts";
import { blank, stages } from "../../core/history/entry.ts";
import * as record from "../../core/history/record.ts";
import * as chains from "./maker-chain.ts";
import * as rig from "./maker.ts";
import { notify } from "./maker-told.ts";

/** A file with these bodies. */
export function write(r: rig.Rig, bodies: readonly string[]): void {
  const lines = bodies.map((body, i) => record.encode(i + 1, i, body));
  r.disk.bytes = concat([record.header, ...lines]);
  r.disk.durableBytes = r.disk.bytes.length;
}

/** A row that waits for its transaction, number `n`. */
export const waiting = (n: number): string => encode({
  type: "added",
  entry: {
    ...blank(rig.startedUnixMs * 1_000), txid: chains.txid(n), cjSat: 5_000_000n,
    amountSat: 5_000_000n, destination: "bcrt1qours00000",
  },
});

/** A maker that finds one waiting row, of transaction 7, in its file. */
export function withRow(options: rig.Options = {}): rig.Rig {
  return rig.start({
    config: { notify, ...options.config }, isStrict: options.isStrict ?? false,
    directories: options.directories ?? 1,
    before: (r) => {
      write(r, [waiting(7)]);
      options.before?.(r);
    },
  });
}

/** How far the first row has come. */
export const stageOf = (r: rig.Rig): string | undefined => {
  const { book } = r.kernel.state;
  return book.rows === 0 ? undefined : stages[book.stageOf[0]!];
};
