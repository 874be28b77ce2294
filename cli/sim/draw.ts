/**
 * Which pictures are drawn, under which names, and whether one is opened.
 *
 * Rule 1: a picture that cannot be drawn costs a line on stderr, never the verdict.
 * @module
 */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Scenario } from "../../sim/scenario.ts";
import type { Io } from "../io.ts";
import type { Pictures } from "./flags.ts";
import { draw, drawTrace, type Targets } from "./picture.ts";

export type Subject = {
  readonly scenario: Scenario;
  readonly original: Scenario | undefined;
  /** What it is replayed with; the file that pictures are named after, if nothing else. */
  readonly again?: string;
};

/** Draws what is wanted, beside `file` where no name is given; the files that were written. */
export function drawPictures(subject: Subject, file: string, wanted: Pictures, io: Io): string[] {
  const { scenario, original } = subject;
  const replay = `npx dogwatch sim replay ${subject.again ?? file}`;
  return drawn(file.replace(/\.json$/, ""), wanted, io, (to) =>
    draw({ scenario, original, replay }, to));
}

/** The same for a trace that a daemon recorded. */
export function drawField(file: string, wanted: Pictures, io: Io): string[] {
  return drawn(file.replace(/\.[a-z]+$/, ""), wanted, io, (to) => {
    const { files, wrong } = drawTrace(file, to);
    if (wrong !== undefined) throw new Error(wrong);
    return files;
  });
}

function drawn(
  stem: string, wanted: Pictures, io: Io, write: (to: Targets) => readonly string[],
): string[] {
  const named = (to: string | true | undefined, ending: string): string | undefined =>
    to === true ? `${stem}.${ending}` : to;
  const to = {
    html: named(wanted.html, "html"), svg: named(wanted.svg, "svg"),
    mermaid: named(wanted.mermaid, "mmd"),
  };
  const names = Object.values(to).filter((name) => name !== undefined);
  if (names.length === 0) return [];
  try {
    for (const name of names) mkdirSync(dirname(name), { recursive: true });
    const files = [...write(to)];
    if (wanted.open && to.html !== undefined) openFile(to.html, io);
    return files;
  } catch (error) {
    io.err(`dogwatch: no picture: ${(error as Error).message}\n`);
    return [];
  }
}

function openFile(file: string, io: Io): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(opener, [file], { stdio: "ignore", detached: true });
  child.on("error", () => io.err(`dogwatch: ${opener} is not here; open ${file} yourself\n`));
  child.unref();
}
