/**
 * Seeds: how they are written, ranges of them, and who of several takes which.
 *
 * Rule 1: a seed is 64 bits, shown as `0x` and 16 hex digits; a commit stands for its first 64.
 * Rule 2: of n shards, shard i takes every n-th seed of the same range: all disjoint, none left
 * out.
 * @module
 */
import { execFileSync } from "node:child_process";

/** A range of seeds, both ends included; it may wrap around from the largest to 0. */
export type Range = { readonly from: bigint; readonly count: number };

/** Part `at` of `of`, from 1. */
export type Shard = { readonly at: number; readonly of: number };

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly says: string };

/** Seeds in one hunt: more could not be counted off one by one in a lifetime. */
export const seedsMax = 1_000_000_000;
const seedBits = 64n;

/** `0x` and 16 digits. */
export function seedText(seed: bigint): string {
  return `0x${BigInt.asUintN(64, seed).toString(16).padStart(16, "0")}`;
}

/** As people see it: without leading zeros. */
export function shortSeed(seed: string): string {
  return seed.replace(/^0x0+(?=[0-9a-f])/, "0x");
}

/** A seed as it is typed: `0x` and hex digits, decimal, or the 40 digits of a commit. */
export function readSeed(text: string): Read<bigint> {
  if (/^[0-9a-f]{40}$/i.test(text)) return good(BigInt(`0x${text.slice(0, 16)}`));
  const isNumber = /^0x[0-9a-f]{1,16}$/i.test(text) || /^[0-9]{1,20}$/.test(text);
  const value = isNumber ? BigInt(text) : -1n;
  if (value >= 0n && value < 1n << seedBits) return good(value);
  return bad("expected 0x and up to 16 hex digits, a decimal below 2^64, or a commit of 40 digits");
}

/** `A..B`, both included; or a count, from `base` on. */
export function readRange(text: string, base: () => bigint): Read<Range> {
  if (/^[0-9]{1,10}$/.test(text)) return counted(base(), BigInt(text));
  const cut = text.indexOf("..");
  if (cut < 0) return bad("expected a count such as 1000, or A..B");
  const from = readSeed(text.slice(0, cut));
  if (!from.ok) return from;
  const to = readSeed(text.slice(cut + 2));
  if (!to.ok) return to;
  if (to.value < from.value) return bad("the second seed is below the first");
  return counted(from.value, to.value - from.value + 1n);
}

function counted(from: bigint, count: bigint): Read<Range> {
  if (count >= 1n && count <= BigInt(seedsMax)) return good({ from, count: Number(count) });
  return bad(`expected 1 to ${seedsMax} seeds`);
}

/** `i/n`. */
export function readShard(text: string): Read<Shard> {
  const [, at, of] = /^([0-9]{1,6})\/([0-9]{1,6})$/.exec(text) ?? [];
  const shard = { at: Number(at), of: Number(of) };
  if (at !== undefined && shard.at >= 1 && shard.at <= shard.of) return good(shard);
  return bad("expected i/n with i from 1 to n, such as 2/4");
}

/** How many seeds of a range a shard takes. */
export function sizeOf(range: Range, shard: Shard): number {
  return Math.max(0, Math.ceil((range.count - (shard.at - 1)) / shard.of));
}

/** The `nth` seed (from 0) that a shard takes of a range. */
export function seedAt(range: Range, shard: Shard, nth: number): string {
  const offset = BigInt(shard.at - 1) + BigInt(nth) * BigInt(shard.of);
  return seedText(range.from + offset);
}

/** The range in words. */
export function rangeText(range: Range): string {
  return `${shortSeed(seedText(range.from))}..${
    shortSeed(seedText(range.from + BigInt(range.count - 1)))}`;
}

/** The commit that is checked out, in full, or `undefined` outside a repository. */
export function commit(): string | undefined {
  try {
    const said = execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8", stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return /^[0-9a-f]{40}$/.test(said) ? said : undefined;
  } catch {
    return undefined;
  }
}

/** Where seeds begin that are drawn from 8 random bytes. */
export function drawnSeed(bytes: Uint8Array): bigint {
  let seed = 0n;
  for (const byte of bytes) seed = (seed << 8n) | BigInt(byte);
  return BigInt.asUintN(64, seed);
}

function good<T>(value: T): Read<T> {
  return { ok: true, value };
}

function bad(says: string): { readonly ok: false; readonly says: string } {
  return { ok: false, says };
}
