/**
 * What a wallet's program prints, as lines for our log.
 *
 * Rule 1: bounded: a long line is cut, and of many lines in a short time the rest is counted.
 * Rule 2: no secret of it gets into a log of ours: whatever looks like a token, a key, a password
 * or the words of a seed is left out, and ids of coins with them. Rather too much than too little.
 * Rule 3: what is not text, and colours, are taken away; the log does the rest.
 * @module
 */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import * as limiter from "../core/limiter.ts";
import type { Ambient } from "./ambient.ts";

export type Config = {
  /** Of a longer line the rest is passed over; in characters. 4,096. */
  readonly lineMax: number;
  /** Lines at once; so many more come back each second. 50 and 1. */
  readonly linesMax: number;
};

export const defaults: Config = { lineMax: 4_096, linesMax: 50 };

/** `line`: one to show. `left`: so many were left out since. */
export type Told = {
  readonly line: (text: string) => void;
  readonly left: (count: number) => void;
};

/** Reads streams of one program to their end. */
export function read(
  streams: readonly (Readable | null)[], { lineMax, linesMax }: Config,
  ambient: Pick<Ambient, "now">, told: Told,
): void {
  const budget = limiter.create({ tokens: 1, perMs: 1_000, burst: linesMax });
  let left = 0;
  const show = (text: string): void => {
    const clean = discreet(text.replace(colours, ""));
    if (clean.trim() === "") return;
    if (!limiter.take(budget, 0, ambient.now())) return void (left += 1);
    if (left > 0) told.left(left);
    left = 0;
    told.line(clean);
  };
  for (const stream of streams) if (stream !== null) lines(stream, lineMax, show);
}

function lines(stream: Readable, lineMax: number, show: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let open = "";
  const take = (part: string, isWhole: boolean): void => {
    const room = lineMax - open.length;
    open += part.slice(0, room < 0 ? 0 : room);
    if (!isWhole) return;
    show(open.length < lineMax ? open : open.slice(0, lineMax - edge));
    open = "";
  };
  stream.on("data", (bytes: Buffer) => {
    const parts = decoder.write(bytes).split("\n");
    parts.forEach((part, i) => take(part, i < parts.length - 1));
  });
  stream.on("end", () => take(decoder.end(), true));
  stream.on("error", () => {
    // The program's end says what there is to say.
  });
}

/** Where a line was cut, a secret may have been cut as well, too short to be known as one. */
const edge = 200;

const colours = /\p{Cc}\[[0-9;]*[A-Za-z]/gu;

/** Each of them whole. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+\S+/gi, "$1 […]"],
  [/:\/\/[^\s/@]+@/g, "://[…]@"],
  [/(pass(?:word|wd|phrase)|cookie|token|secret|mnemonic|seed)(["']?\s*[:=]\s*)\S+/gi, "$1$2[…]"],
  // The words of a seed are twelve or more, none of them short or long.
  [/\b[a-z]{3,8}(?:[\s,]+[a-z]{3,8}){11,}\b/g, "[…]"],
  // A key or a token of 32 bytes has 43 characters at least, whatever its alphabet is.
  [/[A-Za-z0-9_+/-]{40,}={0,2}/g, "[…]"],
];

/** The text without what looks like a secret. */
export function discreet(text: string): string {
  return secrets.reduce((so, [shape, by]) => so.replace(shape, by), text);
}
