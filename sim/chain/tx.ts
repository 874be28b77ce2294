/**
 * Transactions of the stand-in chain, with the bytes and sizes that a node would show.
 *
 * Rule 1: the serialization is the real one (BIP144); signatures and the hash are stand-ins, so
 * that a txid depends on all that a real one depends on.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { hex, unhex, utf8 } from "../../core/bytes.ts";
import { primitives } from "../primitives.ts";
import { scriptOf } from "./address.ts";

export type Output = { readonly valueSat: bigint; readonly address: string };

/** An input: what it spends, `txid:vout`, and what that is worth to whom. */
export type Input = Output & { readonly outpoint: string };

export type Tx = {
  readonly txid: string;
  readonly wtxid: string;
  /** Empty: a coinbase. */
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly feeSat: bigint;
  readonly locktime: number;
  /** A coinbase's script; "" for all others. */
  readonly coinbase: string;
  readonly hex: string;
  readonly sizeBytes: number;
  readonly weight: number;
};

export const sequence = 0xfffffffd;

export type Draft = Pick<Tx, "inputs" | "outputs" | "locktime" | "coinbase">;

/** The transaction of a draft: its ids, bytes and fee. */
export function make(draft: Draft): Tx {
  const { inputs, outputs, locktime, coinbase } = draft;
  const ins = inputs.length === 0
    ? `01${"00".repeat(32)}ffffffff${pushed(coinbase)}ffffffff`
    : count(inputs.length) + inputs.map(inputHex).join("");
  const outs = count(outputs.length) + outputs.map(outputHex).join("");
  const body = ins + outs;
  const lock = little(BigInt(locktime), 4);
  const base = `02000000${body}${lock}`;
  const witness = inputs.length === 0 ? `0120${"00".repeat(32)}`
    : inputs.map((input, at) => witnessHex(witnessOf(input, at, base))).join("");
  const whole = `020000000001${body}${witness}${lock}`;
  const sizeBytes = whole.length / 2;
  const weight = base.length / 2 * 3 + sizeBytes;
  const txid = digest(base);
  return {
    txid, wtxid: digest(whole), inputs, outputs, locktime, coinbase, hex: whole, sizeBytes, weight,
    feeSat: inputs.length === 0 ? 0n : sum(inputs) - sum(outputs),
  };
}

/** Virtual bytes: a quarter of the weight, rounded up. */
export function vsizeOf(tx: Tx): number {
  return Math.ceil(tx.weight / 4);
}

export function isCoinbase(tx: Tx): boolean {
  return tx.inputs.length === 0;
}

export function sum(items: readonly { readonly valueSat: bigint }[]): bigint {
  let total = 0n;
  for (const { valueSat } of items) total += valueSat;
  return total;
}

export function outpointOf(txid: string, vout: number): string {
  return `${txid}:${vout}`;
}

export function partsOf(outpoint: string): { txid: string; vout: number } {
  const [txid = "", vout = ""] = outpoint.split(":");
  return { txid, vout: Number(vout) };
}

/** A hash over text, in the order in which hashes are shown. */
export function digest(text: string): string {
  return hex(primitives.sha256(primitives.sha256(utf8(text))));
}

/** The items of an input's witness: a signature, and with version 0 the key. */
export function witnessOf(input: Input, at: number, about: string): readonly string[] {
  const seal = digest(`${about} ${input.outpoint} ${at}`);
  const { version } = scriptOf(input.address);
  if (version !== 0) return [seal + digest(seal)];
  const signature = `3044022020${seal.slice(2)}022020${digest(seal).slice(2)}01`;
  return [signature, `02${digest(`key ${seal}`)}`];
}

function witnessHex(items: readonly string[]): string {
  return count(items.length) + items.map(pushed).join("");
}

function inputHex({ outpoint }: Input): string {
  const { txid, vout } = partsOf(outpoint);
  return `${reversed(txid)}${little(BigInt(vout), 4)}00${little(BigInt(sequence), 4)}`;
}

function outputHex({ valueSat, address }: Output): string {
  return little(valueSat, 8) + pushed(scriptOf(address).hex);
}

function pushed(bytes: string): string {
  return count(bytes.length / 2) + bytes;
}

/** The compact size of Bitcoin's serialization. */
function count(n: number): string {
  assert(n < 0x10000, "more than a stand-in has");
  return n < 0xfd ? little(BigInt(n), 1) : `fd${little(BigInt(n), 2)}`;
}

/** An integer in so many bytes, the lowest first. */
export function little(value: bigint, bytes: number): string {
  return reversed(value.toString(16).padStart(bytes * 2, "0"));
}

function reversed(text: string): string {
  const bytes = unhex(text);
  assert(bytes !== undefined, "hex");
  return hex(bytes.toReversed());
}
