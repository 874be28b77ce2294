/**
 * `dogwatch sim diff`: the first step at which two runs, or two traces, part, with the states of
 * the node side by side.
 * @module
 */
import { readText } from "../../adapters/bounded.ts";
import { recordings, states, stateLines, traces, type Diff } from "../../sim/diff.ts";
import { record } from "../../sim/record.ts";
import { linesOf } from "../../sim/replay.ts";
import { exits } from "../exit.ts";
import type { Io } from "../io.ts";
import { builtIn } from "./engine.ts";
import { filmOf } from "./film.ts";
import { read, type Settings, type SimFlags } from "./flags.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { traceKind } from "./tracing.ts";
import { lastLine } from "./verdict.ts";

const changesMax = 40;
/** Both are in memory, line by line. 256 MiB. */
const traceBytesMax = 268_435_456;

/** Compares; 0 when they are the same, 1 when not. */
export function diff(a: string, b: string, flags: SimFlags, io: Io): number {
  const settings = read(flags, io);
  if (settings === undefined) return exits.usage;
  if (traceKind(a) !== undefined && traceKind(b) !== undefined) {
    const texts: string[] = [];
    for (const file of [a, b]) {
      const read = readText(file, traceBytesMax);
      if (!read.ok) {
        io.err(`dogwatch: ${file}: ${read.says}\n`);
        return exits.usage;
      }
      texts.push(read.text);
    }
    const [one = "", other = ""] = texts;
    return tell(traces(linesOf(one), linesOf(other)), [], settings, io);
  }
  const one = subjectOf(a, settings, builtIn, io);
  const other = one === undefined ? undefined : subjectOf(b, settings, builtIn, io);
  if (one === undefined || other === undefined) return exits.usage;
  const found = recordings(record(one.scenario), record(other.scenario));
  return tell(found, found.isSame ? [] : parted(one, other, found.at, settings), settings, io);
}

/** How the states differ after the first different step, of the nodes that took it. */
function parted(a: Subject, b: Subject, at: number, settings: Settings): string[] {
  const films = [a, b].map(({ scenario }) => filmOf(builtIn, scenario, settings.options));
  for (const film of films) film.seek(at + 1);
  const nodes = new Set(films.flatMap((film) => film.tail().at(-1)?.node ?? []));
  const lines: string[] = [];
  for (const node of nodes) {
    const [x, y] = films.map((film) => film.state(node));
    if (x === undefined || y === undefined) {
      lines.push(`${node} is ${x === undefined && y === undefined ? "down in both"
        : `down in ${x === undefined ? "the first" : "the second"}`}`);
      continue;
    }
    const changes = states(x, y);
    const more = changes.length - changesMax;
    lines.push(
      changes.length === 0
        ? `${node}: the same state (${stateLines(x).length} values)`
        : `${node}: first | second`,
      ...changes.slice(0, changesMax).map((one) => `  ${one.path}: ${one.a} | ${one.b}`),
      ...(more > 0 ? [`  … and ${more} more`] : []),
    );
  }
  return lines;
}

function tell(found: Diff, stateText: readonly string[], settings: Settings, io: Io): number {
  const exit = found.isSame ? exits.ok : exits.failed;
  const last = lastLine(exit, found.isSame ? { same: found.count } : { at: found.at });
  if (settings.format === "json") {
    io.out(`${JSON.stringify({ schema: 1, ...found, states: stateText })}\n`);
    io.err(last);
    return exit;
  }
  const lines = found.isSame
    ? [`the same: ${found.count} steps`]
    : [
      ...found.before.map((text) => `  ${text}`), `they part at step ${found.at}:`,
      ...side("a", found.a), ...side("b", found.b), ...stateText,
    ];
  io.out(`${[...lines, ...found.notes].join("\n")}\n${last}`);
  return exit;
}

function side(name: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [`${name} (over)`];
  return lines.map((text) => `${name} ${text}`);
}
