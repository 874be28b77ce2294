/**
 * Where progress goes: redrawn in place on a terminal, a line every ten seconds elsewhere.
 *
 * Rule 1: on stderr: it is talk; stdout holds what was found.
 * Rule 2: no animation without a terminal, with `CI=true`, or on one that knows no escapes.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { Io } from "../io.ts";
import { frame, line, type Look, type View } from "./progress.ts";

export type Screen = {
  /** Shows what there is now, if it is time. */
  readonly look: () => void;
  /** Takes the live view away; a last line stays where there is none. */
  readonly end: () => void;
};

const liveMs = 100;
const lineMs = 10_000;

/** Shows `view()` until it is ended. */
export function openScreen(
  view: () => View, io: Io, ambient: Pick<Ambient, "every">, isQuiet: boolean,
): Screen {
  if (isQuiet) return { look: () => {}, end: () => {} };
  if (!isLive(io)) return lines(view, io, ambient);
  let drawn = 0;
  const clear = (): string => (drawn > 0 ? `\x1b[${drawn}A\r\x1b[J` : "");
  const look = (): void => {
    const shown = frame(view(), lookOf(io));
    io.err(`${clear()}${shown.join("\n")}\n`);
    drawn = shown.length;
  };
  const stop = ambient.every(liveMs, look);
  return {
    look,
    end: () => {
      stop();
      look();
      drawn = 0;
    },
  };
}

function lines(view: () => View, io: Io, ambient: Pick<Ambient, "every">): Screen {
  const look = (): void => io.err(`${line(view())}\n`);
  const stop = ambient.every(lineMs, look);
  return {
    look: () => {},
    end: () => {
      stop();
      look();
    },
  };
}

/** One line that is redrawn in place; nothing where no line can be, or talk is not wanted. */
export type LiveLine = {
  readonly isShown: boolean;
  readonly tell: (says: string) => void;
  /** Takes it away. */
  readonly end: () => void;
};

/** Opens such a line. */
export function liveLine(io: Io, isQuiet: boolean): LiveLine {
  const isShown = isLive(io) && !isQuiet;
  const put = (text: string): void => {
    if (isShown) io.err(`\r${text}\x1b[K`);
  };
  return { isShown, tell: put, end: () => put("") };
}

/** May lines be redrawn? */
function isLive(io: Io): boolean {
  const { CI, TERM } = io.env;
  return process.stderr.isTTY && (CI ?? "") === "" && TERM !== "dumb";
}

/** What the terminal can show. */
export function lookOf(io: Io): Look {
  return {
    columns: process.stderr.columns || 80,
    isPlain: isPlain(io),
    isColoured: process.stderr.isTTY && (io.env["NO_COLOR"] ?? "") === "",
  };
}

/** Does the terminal lack signs beyond ASCII? */
export function isPlain({ env }: Io): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return env["TERM"] === "dumb" || /^(C|POSIX)$/.test(locale);
}
