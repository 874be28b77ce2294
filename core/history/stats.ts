/**
 * What happened in a period, for the summary and for people.
 *
 * Rule 1: a request is a CoinJoin row that was added in the period. It has succeeded, failed, or
 * waits: `requests = successful + failed + pending`, always.
 * Rule 2: fees are gross, as they were agreed; `netFeesSat` is what they left. Failed and waiting
 * rows earn nothing. Coins are counted as disclosed once, whatever became of the request.
 * Not known here: dates; a period is two instants.
 * @module
 */
import { assert } from "../assert.ts";
import * as book from "./book.ts";
import type { Entry, Role } from "./entry.ts";

/** Of which CoinJoins: those we served, those we made, or both. */
export type Side = "maker" | "taker" | "both";

export type Stats = {
  readonly requests: number;
  readonly successful: number;
  readonly failed: number;
  readonly pending: number;
  readonly makerRequests: number;
  readonly takerRequests: number;
  /** Successful of all requests, rounded, in percent; 0 without requests. */
  readonly successPercent: number;
  readonly volumeSat: bigint;
  readonly successfulVolumeSat: bigint;
  /** What takers paid us. */
  readonly feesEarnedSat: bigint;
  /** Less our share of the miners' fee. */
  readonly netFeesSat: bigint;
  /** What we paid makers and miners. */
  readonly feesPaidSat: bigint;
  /** Different coins that were shown to others. */
  readonly utxosDisclosed: number;
};

type Summed = Exclude<keyof Stats, "successPercent" | "utxosDisclosed">;
type Sums = { -readonly [K in Summed]: Stats[K] };

/** Requests added from `fromUs`, included, to `toUs`, not included; microseconds since 1970. */
export function between(m: book.Book, fromUs: number, toUs: number, side: Side): Stats {
  assert(fromUs <= toUs, "a period does not end before it begins");
  const sums: Sums = {
    requests: 0, successful: 0, failed: 0, pending: 0, makerRequests: 0, takerRequests: 0,
    volumeSat: 0n, successfulVolumeSat: 0n, feesEarnedSat: 0n, netFeesSat: 0n, feesPaidSat: 0n,
  };
  const coins = new Set<string>();
  for (const at of book.addedBetween(m, fromUs, toUs)) {
    const { entry } = book.rowAt(m, at);
    if (!isOf(entry.role, side)) continue;
    count(sums, entry);
    for (const coin of entry.utxos) coins.add(coin);
  }
  const { requests, successful } = sums;
  const twice = 200 * successful + requests;
  const successPercent = requests === 0 ? 0 : Math.floor(twice / (2 * requests));
  return { ...sums, successPercent, utxosDisclosed: coins.size };
}

/** Of all time. */
export function total(m: book.Book, side: Side): Stats {
  return between(m, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, side);
}

function isOf(role: Role, side: Side): boolean {
  return side === "both" ? role === "maker" || role === "taker" : role === side;
}

function count(sums: Sums, entry: Entry): void {
  const isMaker = entry.role === "maker";
  sums.requests += 1;
  sums.volumeSat += entry.cjSat;
  if (isMaker) sums.makerRequests += 1;
  else sums.takerRequests += 1;
  if (entry.isSuccess) succeeded(sums, entry, isMaker);
  else if (entry.completedUs === undefined) sums.pending += 1;
  else sums.failed += 1;
}

function succeeded(sums: Sums, entry: Entry, isMaker: boolean): void {
  sums.successful += 1;
  sums.successfulVolumeSat += entry.cjSat;
  if (isMaker) {
    sums.feesEarnedSat += entry.feeReceivedSat;
    sums.netFeesSat += entry.netFeeSat;
  } else {
    sums.feesPaidSat += entry.makerFeesPaidSat + entry.miningFeePaidSat;
  }
}
