/**
 * What a maker's years leave in its journal, made up.
 *
 * Rule 1: deterministic; the same number of records gives the same bytes in every run.
 * @module
 */
import { concat } from "../../core/bytes.ts";
import { encode } from "../../core/history/body.ts";
import { blank, reasons } from "../../core/history/entry.ts";
import * as record from "../../core/history/record.ts";
import * as prng from "../../core/prng.ts";

export type Journal = { readonly bytes: Uint8Array; readonly lines: readonly string[] };

/** What each transaction has come to. */
export type Fate = "confirmed" | "settled";

/**
 * Records of a transaction: it begins, its id is known, it is confirmed, and somebody was told;
 * one that is settled has one more.
 */
export const recordsOf: { readonly [fate in Fate]: number } = { confirmed: 4, settled: 5 };

/** A journal of so many records. */
export function journal(records: number, fate: Fate): Journal {
  const draws = prng.stream(prng.key("bench history"));
  const lines: string[] = [];
  for (let seq = 1; seq <= records; seq += 1) lines.push(bodyOf(draws, seq, recordsOf[fate]));
  const parts = lines.map((line, i) => record.encode(i + 1, i, line));
  return { bytes: concat([record.header, ...parts]), lines };
}

function bodyOf(draws: prng.Prng, seq: number, each: number): string {
  const step = (seq - 1) % each;
  const of = seq - step;
  const atUs = 1_700_000_000_000_000 + seq * 1_000_000;
  switch (step) {
    case 0: {
      const utxos = [`${hex(draws, 64)}:${prng.below(draws, 9)}`];
      const addresses = { destination: address(draws), change: address(draws) };
      const cjSat = BigInt(prng.between(draws, 100_000, 900_000_000));
      return encode({
        type: "added", entry: {
          ...blank(atUs), ...addresses, cjSat, amountSat: cjSat, inputSat: cjSat + 12_345n, utxos,
          sourceAddresses: [address(draws)], nicks: "J5benchbenchOOOO", network: "mainnet",
          fingerprint: "deadbeef", source: "protocol", reason: reasons.awaiting,
        },
      });
    }
    case 1: return encode({ type: "txid", of, txid: hex(draws, 64) });
    case 3: return encode({ type: "told", of: seq - 1 });
    case 4: return encode({ type: "settled", of, confirmations: 6 });
    default: return encode({ type: "confirmed", of, atUs, confirmations: 1, peers: 6 });
  }
}

function hex(draws: prng.Prng, digits: number): string {
  let out = "";
  while (out.length < digits) out += prng.u32(draws).toString(16).padStart(8, "0");
  return out.slice(0, digits);
}

function address(draws: prng.Prng): string {
  return `bc1q${hex(draws, 38)}`;
}
