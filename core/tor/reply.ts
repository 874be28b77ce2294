/**
 * The replies of Tor's control port: lines in, whole replies out.
 *
 * Rule 1: a reply is a run of `250-` lines, ended by one with a space after its code; `250+` opens
 * a block of data that a lone dot closes (control-spec §2.3). What 650 says was not asked for.
 * Rule 2: lines, lines of one reply and bytes of one reply are bounded: whoever listens on that
 * port may not be Tor.
 * Rule 3: nothing here knows what a reply means. A reply may hold a private key: it is never
 * logged.
 * @module
 */
import { bad, good, type Decoded, type Fault } from "../fault.ts";
import * as lines from "../joinmarket/lines.ts";

export type Limits = {
  /** Bytes of one line. Tor's own lines are far shorter. 8,192. */
  readonly lineBytesMax: number;
  /** Lines of one reply, those of its data included. 512. */
  readonly replyLinesMax: number;
  /** Bytes of one reply. 65,536. */
  readonly replyBytesMax: number;
};

export const defaults: Limits = {
  lineBytesMax: 8_192, replyLinesMax: 512, replyBytesMax: 65_536,
};

export type Reply = {
  /** The code of the last line: 250 is good, 650 was not asked for, 5xx is a refusal. */
  readonly code: number;
  /** Without codes. Data follows its line, each line of it after a line feed. */
  readonly lines: readonly string[];
};

export type Reader = {
  readonly lines: lines.Lines;
  /** The lines so far of a reply that has not ended. */
  parts: string[];
  count: number;
  bytes: number;
  /** Between a `250+` line and the dot. */
  isData: boolean;
};

export function create(): Reader {
  return { lines: lines.create(), parts: [], count: 0, bytes: 0, isData: false };
}

const tooLong: Fault = { code: "control-line", text: "Tor's control port sent too long a line" };
const tooMuch: Fault = { code: "control-reply", text: "Tor's control port sent too long a reply" };
const malformed: Fault = {
  code: "control-grammar", text: "what answers on the control port does not speak as Tor does",
};

/**
 * Takes received bytes and pushes each reply that they complete. Faults: `control-line`,
 * `control-reply`, `control-grammar`; the reader is of no use after one.
 */
export function feed(
  r: Reader, bytes: Uint8Array, limits: Limits, out: Reply[],
): Fault | undefined {
  const cut: lines.Cut = { at: 0, line: undefined };
  for (;;) {
    if (!lines.next(r.lines, bytes, limits.lineBytesMax, cut)) return tooLong;
    if (cut.line === undefined) return undefined;
    const fault = take(r, cut.line, limits, out);
    if (fault !== undefined) return fault;
  }
}

function take(r: Reader, line: Uint8Array, limits: Limits, out: Reply[]): Fault | undefined {
  r.count += 1;
  r.bytes += line.length;
  if (r.count > limits.replyLinesMax || r.bytes > limits.replyBytesMax) return tooMuch;
  const text = printable(line);
  if (r.isData) return data(r, text);
  if (!/^[2-6][0-9][0-9][- +]/.test(text)) return malformed;
  r.parts.push(text.slice(4));
  if (text.charAt(3) === "+") r.isData = true;
  if (text.charAt(3) !== " ") return undefined;
  out.push({ code: Number(text.slice(0, 3)), lines: r.parts });
  r.parts = [];
  r.count = 0;
  r.bytes = 0;
  return undefined;
}

function data(r: Reader, text: string): undefined {
  if (text === ".") r.isData = false;
  else r.parts[r.parts.length - 1] += `\n${text.startsWith("..") ? text.slice(1) : text}`;
}

/** The line without its end. What is not ASCII becomes `?`: Tor itself escapes it. */
function printable(line: Uint8Array): string {
  let text = "";
  for (let i = 0; i < line.length - 2; i += 1) {
    const byte = line[i] as number;
    text += byte >= 0x20 && byte < 0x7f || byte === 0x09 ? String.fromCharCode(byte) : "?";
  }
  return text;
}

/** What follows `key=` on the first line that begins so; `undefined` if there is none. */
export function valueOf(reply: Reply, key: string): string | undefined {
  const line = reply.lines.find((one) => one.startsWith(`${key}=`));
  return line?.slice(key.length + 1);
}

/**
 * The text of a quoted string of the control port, which begins `s` (a quote, escapes as in C).
 * Faults: `control-quoted`, also for what is not ASCII.
 */
export function unquoted(s: string): Decoded<string> {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(s)?.[1];
  if (quoted === undefined) return bad("control-quoted", "a quoted string does not end");
  let isForeign = false;
  const text = quoted.replaceAll(/\\([0-7]{1,3}|.)/g, (_, escaped: string) => {
    if (!/^[0-7]/.test(escaped)) return plainEscapes.get(escaped) ?? escaped;
    const code = Number.parseInt(escaped, 8);
    isForeign ||= code < 0x20 || code > 0x7e;
    return String.fromCharCode(code);
  });
  if (isForeign) return bad("control-quoted", "a quoted string is not ASCII");
  return good(text);
}

const plainEscapes = new Map([["n", "\n"], ["r", "\r"], ["t", "\t"]]);
