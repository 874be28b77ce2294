/**
 * Pictures of runs, as files: the page one can step through, an SVG, a Mermaid diagram.
 *
 * Rule 1: the page holds scenarios and the simulator itself, and makes the runs when it is opened;
 * a recorded trace is put into it with its states.
 * Rule 2: a page stays below `pageBytesMax`: the script is packed, and so are data beyond
 * `plainBytesMax`.
 * Rule 3: a file is there in full or not at all.
 * @module
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { readLines } from "../../adapters/tracefile.ts";
import { svgOf } from "../../sim/picture/drawing.ts";
import { fieldOf, type FieldOptions } from "../../sim/picture/field.ts";
import { mermaidOf } from "../../sim/picture/mermaid.ts";
import { neighbourOf } from "../../sim/picture/neighbour.ts";
import { htmlOf, type PageData, type PageRun } from "../../sim/picture/page.ts";
import type { Written } from "../../sim/picture/source.ts";
import { record } from "../../sim/record.ts";
import type { Recording } from "../../sim/recording.ts";
import { run } from "../../sim/runner.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { freshKernel } from "../replay.ts";
import { Unwritten, writeWhole } from "./files.ts";

/** A run to draw, and what belongs beside it. */
export type Drawn = {
  readonly scenario: Scenario;
  /** As it was found, before it was shrunk. */
  readonly original?: Scenario | undefined;
  /** Lines of `why`. */
  readonly why?: readonly string[];
  /** The command that replays it. */
  readonly replay?: string;
};

/** Where to; what is absent is not drawn. */
export type Targets = {
  readonly html?: string | undefined;
  readonly svg?: string | undefined;
  readonly mermaid?: string | undefined;
};

/** The viewer's script is not where it is built to. */
export class MissingViewer extends Error {}

export const pageBytesMax = 1_000_000;
const plainBytesMax = 65_536;

/** What was written, and for each file that was not, why. */
export type Pictured = { readonly files: readonly string[]; readonly lost: readonly string[] };

/** Draws a run of a scenario. Throws `MissingViewer`. */
export function draw(drawn: Drawn, to: Targets, viewer: () => string = viewerScript): Pictured {
  const recording = record(drawn.scenario);
  return write(recording, to, () => pageOf(recording, {
    runs: runsOf(drawn, recording), why: drawn.why ?? [], replay: drawn.replay ?? "",
  }, viewer()));
}

/** Draws a recorded run, with the states that were written down with it. */
export function drawRecorded(
  recording: Recording, states: Written, label: string, to: Targets,
  viewer: () => string = viewerScript,
): Pictured {
  const runs: PageRun[] = [{ name: "recorded", label, recording, states }];
  return write(recording, to, () => pageOf(recording, { runs, why: [], replay: "" }, viewer()));
}

/**
 * Draws what a daemon recorded: its last steps, or those up to `lastStep`. Answers what is wrong
 * with the file, if it is no trace. Throws `ForeignTrace` for a trace of another daemon.
 */
export function drawTrace(
  file: string, to: Targets, options: FieldOptions = {}, viewer: () => string = viewerScript,
): Pictured & { readonly wrong: string | undefined } {
  const field = fieldOf(() => readLines(file), freshKernel, options);
  if (!field.ok) return { files: [], lost: [], wrong: field.says };
  const { recording, states } = field;
  return { ...drawRecorded(recording, states, "recorded", to, viewer), wrong: undefined };
}

function write(recording: Recording, to: Targets, page: () => string): Pictured {
  const [files, lost]: [string[], string[]] = [[], []];
  const put = (file: string | undefined, text: () => string): void => {
    if (file === undefined) return;
    const content = text();
    try {
      writeWhole(file, content);
      files.push(file);
    } catch (error) {
      if (!(error instanceof Unwritten)) throw error;
      lost.push(error.message);
    }
  };
  put(to.html, page);
  put(to.svg, () => svgOf(recording));
  put(to.mermaid, () => mermaidOf(recording));
  return { files, lost };
}

function runsOf(drawn: Drawn, recording: Recording): PageRun[] {
  const { scenario, original } = drawn;
  const isFailing = recording.outcome.finding !== undefined;
  const name = isFailing ? "failing" : "run";
  const label = original === undefined ? "this scenario" : "minimal scenario";
  const runs: PageRun[] = [{ name, label, scenario }];
  if (original !== undefined) {
    runs.push({ name: "original", label: "as it was found", scenario: original });
  }
  const neighbour = isFailing ? neighbourOf(scenario, (one) => run(one)) : undefined;
  if (neighbour !== undefined) {
    const says = `passes without ${neighbour.without}`;
    runs.push({ name: "neighbour", label: says, scenario: neighbour.scenario });
  }
  return runs;
}

/** The document. */
export function pageOf(recording: Recording, data: PageData, script: string): string {
  const json = JSON.stringify(data);
  const packed = json.length <= plainBytesMax ? undefined : packOf(json);
  return htmlOf({ data, packed, recording, script, pack: packOf, hash: hashOf });
}

function packOf(text: string): string {
  return gzipSync(Buffer.from(text), { level: 9 }).toString("base64");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

/** Beside the built command, and seen from the sources and from compiled files. */
const places = ["./viewer.js", "../../dist/viewer.js", "../../../dist/viewer.js"];

/** The script that the page runs. Throws `MissingViewer`. */
export function viewerScript(): string {
  for (const place of places) {
    const file = fileURLToPath(new URL(place, import.meta.url));
    if (fs.existsSync(file)) return fs.readFileSync(file, "utf8");
  }
  throw new MissingViewer("the viewer is not built: run `npm run build` first");
}
