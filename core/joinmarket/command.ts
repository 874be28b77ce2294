/**
 * Public and private lines: `from!PUBLIC!command…` (687) and `from!to!command…` (685).
 *
 * Rule 1: `peek` is what a directory needs and no more: does the line come from whom it says, where
 * does it go, does it ask every maker for offers. It works on the bytes; commands that it does not
 * know are none of its business.
 * Rule 2: a line that wrongly says who sent it is a fault of its own (`from-nick`), because it is
 * an attack.
 * Rule 3: `parseLine` is for those who read commands. Signatures of private lines are not looked
 * at.
 * @module
 */
import { assert } from "../assert.ts";
import { text } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded, Fault } from "../fault.ts";
import { content, types } from "./envelope.ts";
import type { Envelope } from "./envelope.ts";

export type Peek = {
  /** The addressee; `PUBLIC` for everybody. */
  to: string;
  public: boolean;
  /** A public line that makes every maker answer. */
  orderbook: boolean;
};

/** An empty result for `peek` to fill; one serves any number of lines. */
export function create(): Peek {
  return { to: "", public: false, orderbook: false };
}

/** Characters of an addressee. */
const TO_MAX = 64;
const PUBLIC = "PUBLIC";
const BANG = 0x21;

const FROM_NICK: Fault = { code: "from-nick", text: "the line says that someone else sent it" };
const GRAMMAR: Fault = { code: "grammar", text: "the line is not from!to!command" };
const MISDIRECTED: Fault = {
  code: "grammar", text: "a public line must go to PUBLIC and a private one must not",
};

/**
 * Looks at the line of a frame that `scan` accepted, sent by the peer whose nick is `sender`, and
 * fills `into`. `e.type` 687 must go to PUBLIC, 685 must not; other types may do either. Faults:
 * `from-nick`, `grammar`.
 */
export function peek(
  frame: Uint8Array, e: Envelope, sender: Uint8Array, into: Peek,
): Fault | undefined {
  const fault = e.escaped ? peekText(content(frame, e), text(sender), into)
    : peekBytes(frame, e.from, e.to, sender, into);
  if (fault !== undefined) return fault;
  if (e.type === types.PUBMSG && !into.public) return MISDIRECTED;
  if (e.type === types.PRIVMSG && into.public) return MISDIRECTED;
  return undefined;
}

function peekBytes(
  b: Uint8Array, from: number, end: number, sender: Uint8Array, into: Peek,
): Fault | undefined {
  const toAt = from + sender.length + 1;
  if (toAt > end) return FROM_NICK;
  for (let i = 0; i < sender.length; i++) if (b[from + i] !== sender[i]) return FROM_NICK;
  if (b[toAt - 1] !== BANG) return FROM_NICK;
  let at = toAt;
  for (; at < end && b[at] !== BANG; at++) if (b[at]! < 0x20 || b[at]! > 0x7e) return GRAMMAR;
  if (at >= end || at === toAt || at - toAt > TO_MAX) return GRAMMAR;
  into.public = isPublic(b, toAt, at);
  into.to = into.public ? PUBLIC : text(b, toAt, at);
  into.orderbook = into.public && asksBytes(b, at, end);
  return undefined;
}

function isPublic(b: Uint8Array, from: number, to: number): boolean {
  if (to - from !== PUBLIC.length) return false;
  for (let i = 0; i < PUBLIC.length; i++) if (b[from + i] !== PUBLIC.charCodeAt(i)) return false;
  return true;
}

const ORDERBOOK = "orderbook";

/**
 * The same question as `asksText`; a byte beyond ASCII hands it over, since case rules then differ.
 */
function asksBytes(b: Uint8Array, from: number, end: number): boolean {
  let asks = false;
  for (let at = from; at < end; at++) {
    if (b[at]! >= 0x80) return asksText(text(b, from, end));
    if (b[at] === BANG && isOrderbook(b, at + 1, end)) asks = true;
  }
  return asks;
}

function isOrderbook(b: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at < end && b[at] !== BANG && !isWordByte(b[at]!)) at++;
  if (at + ORDERBOOK.length > end) return false;
  for (let i = 0; i < ORDERBOOK.length; i++) {
    if ((b[at + i]! | 0x20) !== ORDERBOOK.charCodeAt(i)) return false;
  }
  const past = at + ORDERBOOK.length;
  return past >= end || !isWordByte(b[past]!);
}

function isWordByte(byte: number): boolean {
  if (byte >= 0x30 && byte <= 0x39) return true;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function peekText(line: string, sender: string, into: Peek): Fault | undefined {
  if (!line.startsWith(sender) || line.charCodeAt(sender.length) !== BANG) return FROM_NICK;
  const toAt = sender.length + 1;
  const end = line.indexOf("!", toAt);
  if (end < 0) return GRAMMAR;
  const to = line.slice(toAt, end);
  if (!isAddressee(to)) return GRAMMAR;
  into.to = to;
  into.public = to === PUBLIC;
  into.orderbook = into.public && asksText(line.slice(end));
  return undefined;
}

function isAddressee(to: string): boolean {
  return to.length <= TO_MAX && /^[ -~]+$/.test(to);
}

/**
 * Does any command word read `orderbook`? Receivers differ in what they trim and how they lower, so
 * anything around the word that is not a letter or a digit is passed over, and Unicode's case rules
 * apply: the Kelvin sign counts as k.
 */
function asksText(commands: string): boolean {
  for (const command of commands.split("!")) {
    if (/^[^a-z0-9]*orderbook(?![a-z0-9])/.test(command.toLowerCase())) return true;
  }
  return false;
}

/** One command: its word and what follows, split at single spaces. */
export type Command = { readonly word: string; readonly args: readonly string[] };

export type Line = {
  readonly from: string;
  readonly to: string;
  readonly commands: readonly Command[];
};

/** Commands of one line. A maker announces a handful of offers. */
export const commandsMax = 256;
/** Arguments of one command. */
export const argsMax = 64;

/** Reads any public or private line. Faults: `grammar`. */
export function parseLine(line: string): Decoded<Line> {
  const fields = line.split("!", commandsMax + 3);
  if (fields.length < 3) return bad(GRAMMAR.code, GRAMMAR.text);
  if (fields.length > commandsMax + 2) return bad("grammar", "too many commands in one line");
  const from = fields[0]!;
  const to = fields[1]!;
  if (!isAddressee(from)) return bad("grammar", "the sender's name is malformed");
  if (!isAddressee(to)) return bad("grammar", "the addressee's name is malformed");
  const commands: Command[] = [];
  for (let i = 2; i < fields.length; i++) {
    const words = fields[i]!.split(" ", argsMax + 2);
    if (words.length > argsMax + 1) return bad("grammar", "too many arguments of one command");
    // The private form `from!to!!command` is seen too: an empty field is no command.
    if (fields[i] !== "") commands.push({ word: words[0]!, args: words.slice(1) });
  }
  return good({ from, to, commands });
}

/** The text of a public line. Each command is its word and arguments, without a `!`. */
export function publicLine(from: string, commands: readonly string[]): string {
  return joined(from, PUBLIC, commands);
}

/** The text of a private line. Each command is its word and arguments, without a `!`. */
export function privateLine(from: string, to: string, commands: readonly string[]): string {
  assert(to !== PUBLIC, "command: a private line to everybody");
  return joined(from, to, commands);
}

function joined(from: string, to: string, commands: readonly string[]): string {
  assert(commands.length > 0, "command: a line without a command");
  assert(commands.length <= commandsMax, "command: too many commands in one line");
  const parts = [from, to, ...commands];
  for (const part of parts) assert(!part.includes("!"), "command: a part with a !");
  return parts.join("!");
}
