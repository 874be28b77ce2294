/**
 * Which pictures are drawn, under which names, and whether one is opened.
 *
 * Rule 1: a picture that cannot be drawn costs a line on stderr and its file, never another picture
 * and never the verdict; but nothing is a success that did not leave what was asked for.
 * @module
 */
import { spawn } from "node:child_process";
import type { Scenario } from "../../sim/scenario.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Pictures } from "./flags.ts";
import { draw, drawTrace, type Targets } from "./picture.ts";

export type Subject = {
  readonly scenario: Scenario;
  readonly original: Scenario | undefined;
  /** What it is replayed with; the file that pictures are named after, if nothing else. */
  readonly again?: string;
};

/** What became of the pictures that were asked for. */
export type Drawn = {
  /** The files that were written. */
  readonly files: readonly string[];
  /** One was not; it has been told. */
  readonly isLost: boolean;
};

/** Of a run that is not drawn. */
export const undrawn: Drawn = { files: [], isLost: false };

/** The exit code, where all was well but for a file that was asked for. */
export function exitWith(exit: number, { isLost }: Pick<Drawn, "isLost">): number {
  return exit === exits.ok && isLost ? exits.failed : exit;
}

/** Are any pictures wanted? */
export function wantsAny({ html, svg, mermaid }: Pictures): boolean {
  return [html, svg, mermaid].some((to) => to !== undefined);
}

/** Draws what is wanted, beside `file` where no name is given. */
export function drawPictures(subject: Subject, file: string, wanted: Pictures, io: Io): Drawn {
  const { scenario, original } = subject;
  const replay = `npx dogwatch sim replay ${subject.again ?? file}`;
  return drawn(file.replace(/\.json$/, ""), wanted, io, (to) =>
    draw({ scenario, original, replay }, to));
}

/** The same for a trace that a daemon recorded. */
export function drawField(file: string, wanted: Pictures, io: Io): Drawn {
  return drawn(file.replace(/\.[a-z]+$/, ""), wanted, io, (to) => {
    const { wrong, ...done } = drawTrace(file, to);
    if (wrong !== undefined) throw new Error(wrong);
    return done;
  });
}

function drawn(
  stem: string, wanted: Pictures, io: Io, write: (to: Targets) => ReturnType<typeof draw>,
): Drawn {
  if (!wantsAny(wanted)) return undrawn;
  const named = (to: string | true | undefined, ending: string): string | undefined =>
    to === true ? `${stem}.${ending}` : to;
  const html = named(wanted.html, "html");
  try {
    const { files, lost } = write({
      html, svg: named(wanted.svg, "svg"), mermaid: named(wanted.mermaid, "mmd"),
    });
    for (const says of lost) io.err(`dogwatch: no picture: ${says}\n`);
    if (wanted.open && html !== undefined && files.includes(html)) openFile(html, io);
    return { files, isLost: lost.length > 0 };
  } catch (error) {
    io.err(`dogwatch: no picture: ${(error as Error).message}\n`);
    return { files: [], isLost: true };
  }
}

function openFile(file: string, io: Io): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [file], { stdio: "ignore", detached: true });
  child.on("error", () => io.err(`dogwatch: ${opener} is not here; open ${file} yourself\n`));
  child.unref();
}
