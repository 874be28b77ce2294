/**
 * How far old blocks were searched for our coins, written down where it cannot get lost: as the
 * label of our first address, in the very wallet that was searched.
 *
 * Rule 1: Core keeps no record of a scan. A node that dies within one has the descriptors but not
 * the coins, and nobody could tell it from a wallet that has none. The mark tells.
 * Rule 2: it names what was searched for (a checksum over descriptors and indexes) and since which
 * height; for a larger set or an earlier height it counts for nothing.
 * @module
 */
import { assert } from "../../assert.ts";
import { checksum } from "../checksum.ts";
import type { Config } from "./plan.ts";

/** Searched from `from` to `to`; `isWhole`: to the tip, and since then the wallet follows it. */
export type Mark = { readonly from: number; readonly to: number; readonly isWhole: boolean };

const FORM = /^dogwatch scan ([0-9a-z]{8}) ([0-9]{1,9}) ([0-9]{1,9})( whole)?$/;

export function write(config: Config, mark: Mark): string {
  return `dogwatch scan ${nameOf(config)} ${mark.from} ${mark.to}${mark.isWhole ? " whole" : ""}`;
}

/** The mark among an address's labels that is about this configuration and reaches far enough. */
export function read(config: Config, labels: readonly string[]): Mark | undefined {
  for (const label of labels) {
    const found = FORM.exec(label);
    if (found === null || found[1] !== nameOf(config)) continue;
    const mark = { from: Number(found[2]), to: Number(found[3]), isWhole: found[4] !== undefined };
    if (mark.from <= config.birthHeight) return mark;
  }
  return undefined;
}

/** Eight characters that change with every descriptor and with the range. */
function nameOf(config: Config): string {
  const sums = config.watch.map(({ descriptor }) => descriptor.slice(-8));
  const name = checksum(`${sums.toSorted(ascending).join("")}${config.indexMax}`);
  assert(name !== undefined, "checksums have descriptors' characters");
  return name;
}

function ascending(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
