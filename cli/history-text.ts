/**
 * Rows of the history for people and for programs.
 *
 * Rule 1: what stands in a row may come from another program's file: it is made safe to print.
 * @module
 */
import { cleanText } from "../adapters/log.ts";
import { timeText } from "../core/history/csv.ts";
import type { Row } from "../core/history/entry.ts";
import type { Stats } from "../core/history/stats.ts";
import { localOf, type Zone } from "../core/history/zone.ts";

/** `12,345,678`. */
export function grouped(n: bigint | number): string {
  return String(n).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

/** A table of rows, oldest first, with a head; times without microseconds. */
export function tableText(rows: readonly Row[], zone: Zone): string {
  const head = ["ID", "ADDED", "ROLE", "STATE", "CONF", "AMOUNT", "NET FEE", "TXID", "REASON"];
  const lines = [head, ...rows.map((row) => cells(row, zone))];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  const isRight = [true, false, false, false, true, true, true, false, false];
  return lines.map((line) => `${line.map((cell, i) =>
    isRight[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
  ).join("  ").trimEnd()}\n`).join("");
}

const txidShown = 16;
const reasonShown = 60;

function cells(row: Row, zone: Zone): string[] {
  const { entry } = row;
  const local = localOf(entry.addedUs, zone);
  const txid = entry.txid === "" ? "-" : `${entry.txid.slice(0, txidShown)}…`;
  const reason = cleanText(entry.reason);
  return [
    String(row.id), timeText(local - (((local % 1_000_000) + 1_000_000) % 1_000_000)), entry.role,
    stateOf(row), String(entry.confirmations), grouped(entry.cjSat), grouped(entry.netFeeSat), txid,
    reason.length > reasonShown ? `${reason.slice(0, reasonShown)}…` : reason,
  ];
}

function stateOf({ stage, entry }: Row): string {
  if (stage === "waiting" && entry.txid === "") return "awaited";
  return stage === "waiting" ? "unconfirmed" : stage;
}

/** One line of sums. */
export function sumsText(sums: Stats): string {
  const { requests, successful, failed, pending, successfulVolumeSat, feesEarnedSat } = sums;
  return `${requests} requests: ${successful} successful, ${failed} failed, ${pending} pending; `
    + `volume ${grouped(successfulVolumeSat)} sats; earned ${grouped(feesEarnedSat)} sats; `
    + `${sums.utxosDisclosed} coins disclosed\n`;
}

/** Plain JSON: amounts are numbers, all of them exact; instants are microseconds since 1970. */
export function json(value: unknown): string {
  const plain = (_: string, one: unknown): unknown => (typeof one === "bigint" ? Number(one) : one);
  return `${JSON.stringify(value, plain)}\n`;
}

/** A row as a program reads it. */
export function rowJson({ id, stage, entry }: Row): { readonly [name: string]: unknown } {
  return { id, stage, ...entry };
}
