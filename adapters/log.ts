/**
 * Log lines on standard error: JSON for machines, one readable line for people.
 *
 * Rule 1: a code and plain fields come in; the sentence is made here, from a table of the daemon.
 * Rule 2: a line is written once in a window. The same level and code again is counted, and the
 * window ends with one line that says how often. The same of another wallet or directory is no
 * repetition, nor is another state of it, until so many have said it that they are one event.
 * Rule 3: texts may come from a peer: they are escaped and cut, so that no line can pretend to be
 * another.
 * Rule 4: the log never fails and never waits. Lines that cannot be written are counted, and the
 * first line that can be says how many were lost.
 * @module
 */
import { pino } from "pino";
import type { LogField, LogLevel } from "../core/kernel/io.ts";
import type { Mono } from "../core/time.ts";
import type { Ambient } from "./ambient.ts";
import { type Lines, type LostLine, openStderr } from "./stderr.ts";

export type LogFields = { readonly [name: string]: LogField };
/** What people read, by code. A code without a sentence is shown as it is. */
export type Sentences = { readonly [code: string]: (fields: LogFields) => string };

export type LogOptions = {
  readonly ambient: Ambient;
  readonly level: LogLevel;
  /** `auto`: readable if `isTerminal`. */
  readonly format: "auto" | "json" | "pretty";
  readonly isTerminal: boolean;
  readonly sentences: Sentences;
  /** The window of a repeated line. 10,000. */
  readonly repeatMs?: number;
  /** Instead of standard error: takes every line. */
  readonly write?: (line: string) => void;
  /** Opens what takes the lines. Standard error, unless there is a `write`. */
  readonly open?: (lostLine: LostLine) => Lines;
};

export interface Log {
  log(level: LogLevel, code: string, fields: LogFields): void;
  setLevel(level: LogLevel): void;
  /** Writes what is still counted, if it can, and stops counting. */
  close(): void;
  /** Lines by level, those that were only counted included. */
  readonly counts: { readonly [level in LogLevel]: number };
}

const ranks = { error: 50, warn: 40, info: 30, debug: 20 } as const;

/** A text field of a line is cut to this many bytes of UTF-8. */
export const fieldBytesMax = 256;

/** Windows at once; codes are our own, so this is never reached unless one is made from outside. */
const windowsMax = 1_000;

/** Whom or what a line is about, and what becomes of it; of another one it is no repetition. */
const subjects = ["directory", "id", "wallet", "of", "way", "lane", "stream", "to"] as const;

/** When so many have said the same in a window, the rest is counted together. */
const subjectsMax = 20;

/**
 * Answers to what an operator just did: whoever asks twice is answered twice. And what another
 * program says, which is limited where it is read.
 */
const answers = /^(reload|run|child)\./;

type Window = {
  readonly level: LogLevel;
  readonly code: string;
  /** Whom or what; "": nobody, or many. */
  readonly about: string;
  readonly endsAt: Mono;
  more: number;
};

/** Opens the log. Until `close`, a timer ends the windows. */
export function createLog(options: LogOptions): Log {
  const { ambient, sentences } = options;
  const repeatMs = options.repeatMs ?? 10_000;
  const counts = { error: 0, warn: 0, info: 0, debug: 0 };
  const windows = new Map<string, Window>();
  const crowds: Crowds = new Map();
  const isPretty = options.format === "pretty" || (options.format === "auto" && options.isTerminal);
  const format = isPretty ? prettyFormat(ambient) : jsonFormat(ambient);
  const lines = openLines(options, lostLine);
  const stop = ambient.every(1_000, look);
  let rank: number = ranks[options.level];

  function log(level: LogLevel, code: string, fields: LogFields): void {
    counts[level] += 1;
    if (ranks[level] < rank) return;
    if (answers.test(code)) return tell(level, code, fields);
    const now = ambient.now();
    const [key, about] = keyOf(`${level} ${code}`, fields, windows, crowds);
    const open = windows.get(key);
    if (open !== undefined && now < open.endsAt) {
      open.more += 1;
      return;
    }
    if (open !== undefined) endWindow(key, open);
    if (windows.size < windowsMax) {
      windows.set(key, { level, code, about, endsAt: (now + repeatMs) as Mono, more: 0 });
      crowd(crowds, key, 1);
    }
    tell(level, code, fields);
  }

  function tell(level: LogLevel, code: string, fields: LogFields): void {
    const clean = cleaned(fields);
    lines.write(format(level, code, clean, sentences[code]?.(clean) ?? code));
  }

  function lostLine(lost: number): string {
    const says = `lost ${lost} log ${lost === 1 ? "line" : "lines"}: they could not be written`;
    return format("warn", "log.lost", { lines: lost }, says);
  }

  function look(): void {
    lines.look();
    endWindows();
  }

  function endWindows(): void {
    const now = ambient.now();
    for (const [key, open] of windows) if (now >= open.endsAt) endWindow(key, open);
  }

  function endWindow(key: string, open: Window): void {
    windows.delete(key);
    crowd(crowds, key, -1);
    if (open.more === 0) return;
    const times = open.more === 1 ? "once" : `${open.more} times`;
    const whose = open.about === "" ? "" : ` (${cleanText(open.about)})`;
    const says = `… ${open.code}${whose} repeated ${times}`;
    lines.write(format(open.level, open.code, { repeated: open.more }, says));
  }

  function close(): void {
    stop();
    lines.look();
    for (const [key, open] of windows) endWindow(key, open);
  }

  return { log, setLevel: (to) => void (rank = ranks[to]), close, counts };
}

/** How many windows of a level and code are about somebody. */
type Crowds = Map<string, number>;

/** The window of a line, and whom it is about: its subject, or all once too many say the same. */
function keyOf(
  kind: string, fields: LogFields, windows: ReadonlyMap<string, Window>, crowds: Crowds,
): readonly [key: string, about: string] {
  const about = subjects.flatMap((name) => fields[name] ?? []).join(" ");
  const key = `${kind} ${about}`;
  const isCrowded = (crowds.get(kind) ?? 0) >= subjectsMax;
  return isCrowded && !windows.has(key) ? [kind, ""] : [key, about];
}

function crowd(crowds: Crowds, key: string, one: 1 | -1): void {
  const [level, code, ...about] = key.split(" ");
  if (about.join("") === "") return;
  const kind = `${level} ${code}`;
  const left = (crowds.get(kind) ?? 0) + one;
  if (left === 0) crowds.delete(kind);
  else crowds.set(kind, left);
}

function openLines({ open, write }: LogOptions, lostLine: LostLine): Lines {
  if (write !== undefined) return { write, look: () => {} };
  return (open ?? openStderr)(lostLine);
}

/** Makes one line, newline included. */
type Format = (level: LogLevel, code: string, fields: LogFields, says: string) => string;

function jsonFormat(ambient: Ambient): Format {
  let made = "";
  const logger = pino(
    {
      level: "debug",
      base: null,
      timestamp: () => `,"time":${ambient.wall().unixMs}`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => (made = line) },
  );
  return (level, code, fields, says) => {
    // Fields are nested, so that one named `time` or `msg` cannot stand in for ours.
    logger[level]({ code, fields }, says);
    return made;
  };
}

function prettyFormat(ambient: Ambient): Format {
  return (level, code, fields, says) => {
    const time = clockText(ambient.wall().unixMs);
    const rest = says === code ? fieldsText(fields) : "";
    return `${time} ${level.toUpperCase().padEnd(5)} ${says}${rest}\n`;
  };
}

/** Time of day, UTC. */
function clockText(unixMs: number): string {
  const seconds = Math.floor(unixMs / 1_000);
  const parts = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function fieldsText(fields: LogFields): string {
  return Object.entries(fields).map(([name, value]) => ` ${name}=${value}`).join("");
}

function cleaned(fields: LogFields): LogFields {
  const clean: { [name: string]: LogField } = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = typeof value === "string" ? cleanText(value) : value;
  }
  return clean;
}

/**
 * Text that is safe on a terminal and in a file: control characters, line separators, marks that
 * turn the direction of writing and lone surrogates become `\u…`; at most `fieldBytesMax` bytes.
 */
export function cleanText(text: string): string {
  let clean = "";
  let bytes = 0;
  for (const character of text) {
    const shown = isUnsafe(character) ? escaped(character) : character;
    bytes += Buffer.byteLength(shown);
    if (bytes > fieldBytesMax) return `${clean}…`;
    clean += shown;
  }
  return clean;
}

function isUnsafe(character: string): boolean {
  return /^[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]$/u.test(character);
}

function escaped(character: string): string {
  if (character === "\\") return "\\\\";
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
