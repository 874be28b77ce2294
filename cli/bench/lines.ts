/**
 * The bytes that the load generator offers: identities, handshakes, public and private lines.
 *
 * Rule 1: deterministic; the same index gives the same nick, onion and line in every run.
 * Rule 2: a measured line carries its sender, its sequence number and a global number as digits of
 * fixed width, so that a reader finds them at fixed offsets. To a directory it is an ordinary
 * offer.
 * Rule 3: written from the protocol's description, without the codecs under test.
 * @module
 */
import { createHash } from "node:crypto";
import { assert } from "../../core/assert.ts";

export type Role = "maker" | "taker";
export type Kind = "public" | "private";

/** Bytes of every measured line, CRLF included. */
export const lineBytes = 110;
/** The numbers' first values: no leading zeros, so that widths never change. */
export const senderBase = 100;
export const seqBase = 1_000_000;
export const globalBase = 1_000_000_000;
/** Widths of the three numbers. They stand behind the command, one space between them. */
export const senderDigits = 3;
export const seqDigits = 7;
export const globalDigits = 10;
/** A run never numbers more lines of one sender than the width holds. */
export const seqMax = 8_999_999;

export const nickBytes = 16;
const command = "!sw0reloffer ";
/** From the `!` that ends the addressee to the first number. */
export const commandBytes = command.length;

const alphabet58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const alphabet32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The nick of connection `index`: `J5`, base58 of ten bytes, padded with `O` to 16 characters. */
export function nickOf(index: number): string {
  const hash = createHash("sha256").update(`bench nick ${index}`).digest();
  let rest = BigInt(`0x${hash.toString("hex", 0, 10)}`);
  let text = "";
  while (rest > 0n) {
    text = alphabet58.charAt(Number(rest % 58n)) + text;
    rest /= 58n;
  }
  return `J5${text}`.padEnd(nickBytes, "O");
}

/**
 * A well-formed v3 onion address with port for connection `index`: right checksum, a key that
 * nobody owns.
 */
export function onionOf(index: number): string {
  const key = createHash("sha256").update(`bench onion ${index}`).digest();
  const version = Buffer.of(3);
  const sum = createHash("sha3-256").update(".onion checksum").update(key).update(version).digest();
  return `${base32(Buffer.concat([key, sum.subarray(0, 2), version]))}.onion:5222`;
}

function base32(bytes: Buffer): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = "";
  for (let shift = bytes.length * 8 - 5; shift >= 0; shift -= 5) {
    text += alphabet32.charAt(Number((bits >> BigInt(shift)) & 31n));
  }
  return text;
}

/** The 793 line of connection `index`, in the deployed clients' spelling. */
export function handshakeOf(index: number, role: Role, network: string): Buffer {
  const inner = JSON.stringify({
    "app-name": "joinmarket",
    directory: false,
    "location-string": role === "maker" ? onionOf(index) : "NOT-SERVING-ONION",
    "proto-ver": 5,
    features: { peerlist_features: true, ping: true },
    nick: nickOf(index),
    network,
  });
  return Buffer.from(`{"type": 793, "line": ${JSON.stringify(inner)}}\r\n`, "latin1");
}

/** Where a template's changing parts begin. */
export type Template = {
  readonly bytes: Buffer;
  readonly targetAt: number;
  readonly numbersAt: number;
};

/**
 * A line of sender `index`, its numbers at their bases; for a private line the addressee is to be
 * filled in.
 */
export function templateOf(index: number, kind: Kind): Template {
  const head = `{"type": ${kind === "public" ? 687 : 685}, "line": "${nickOf(index)}!`;
  const to = kind === "public" ? "PUBLIC" : nickOf(index);
  const numbers = `${senderBase + index} ${seqBase} ${globalBase}`;
  const start = `${head}${to}${command}${numbers} 5000 0.`;
  const text = `${start.padEnd(lineBytes - 4, "2")}"}\r\n`;
  assert(text.length === lineBytes, `a ${kind} line of ${text.length} bytes`);
  const numbersAt = head.length + to.length + command.length;
  return { bytes: Buffer.from(text, "latin1"), targetAt: head.length, numbersAt };
}

/** A private line of about `size` bytes without numbers, to fill a peer that does not read. */
export function ballastOf(from: string, to: string, size: number): Buffer {
  const text = `{"type": 685, "line": "${from}!${to}!push ${"x".repeat(size)}"}\r\n`;
  return Buffer.from(text, "latin1");
}

/** Writes `value` as `digits` decimal digits at `at`. */
export function putDigits(bytes: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i -= 1) {
    const next = Math.floor(rest / 10);
    bytes[i] = 48 + rest - next * 10;
    rest = next;
  }
}

/** Reads `digits` decimal digits at `at`. Anything else gives a number that no check accepts. */
export function readDigits(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i += 1) value = value * 10 + (bytes[i] as number) - 48;
  return value;
}
