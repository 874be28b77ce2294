/**
 * What waits in a bot's history when it starts first, and the transactions that it waits for.
 *
 * Rule 1: every second row knows its transaction; the others know the address that will be paid.
 * Rule 2: a row's transaction exists from the beginning, and spends a coin of its own; whether it
 * is ever sent is the workload's business.
 * @module
 */
import { concat } from "../../core/bytes.ts";
import { encode } from "../../core/history/body.ts";
import { blank, reasons, type Entry } from "../../core/history/entry.ts";
import * as record from "../../core/history/record.ts";
import * as prng from "../../core/prng.ts";
import type { Key } from "../../core/prng.ts";
import type { Tx } from "../chain/tx.ts";
import type { BotSpec, NodeId } from "../scenario.ts";
import { addressOf, indexMax, paidMixdepth } from "./config.ts";

/** Rows of one bot at most. */
export const rowsMax = indexMax;

export function countOf(spec: BotSpec): number {
  const rows = spec.rows ?? 0;
  return rows < rowsMax ? rows : rowsMax;
}

/** What row `row` (from 0) of a bot is paid, in satoshis. */
export function amountOf(key: Key, bot: NodeId, row: number): bigint {
  return 100_000n + BigInt(prng.below(prng.stream(key, "row", bot, row), 50_000_000));
}

/** Where it is paid. */
export function destinationOf(bot: NodeId, row: number): string {
  return addressOf(bot, paidMixdepth, row);
}

export function nameOf(bot: NodeId, row: number): string {
  return `${bot}:${row}`;
}

/** Does the row know its transaction? */
export function isKnown(row: number): boolean {
  return row % 2 === 0;
}

/** The journal that the bot finds: its rows, written down at `unixMs`. Empty without rows. */
export function journalOf(
  key: Key, spec: BotSpec, drafts: ReadonlyMap<string, Tx>, unixMs: number,
): Uint8Array {
  const lines: Uint8Array[] = [];
  for (let row = 0; row < countOf(spec); row += 1) {
    const tx = drafts.get(nameOf(spec.id, row));
    if (tx === undefined) continue;
    const body = encode({ type: "added", entry: entryOf(key, spec.id, row, tx, unixMs) });
    lines.push(record.encode(lines.length + 1, lines.length, body));
  }
  return lines.length === 0 ? new Uint8Array(0) : concat([record.header, ...lines]);
}

function entryOf(key: Key, bot: NodeId, row: number, tx: Tx, unixMs: number): Entry {
  const cjSat = amountOf(key, bot, row);
  const txid = isKnown(row) ? tx.txid : "";
  return {
    ...blank(unixMs * 1_000), role: "maker", cjSat, amountSat: cjSat, txid, network: "regtest",
    destination: destinationOf(bot, row), mixdepth: paidMixdepth,
    reason: txid === "" ? reasons.awaiting : reasons.unconfirmed,
  };
}
