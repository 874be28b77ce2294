/**
 * A simulated run as a file of lines, one step each: for grep, diff and other programs.
 *
 * Rule 1: canonical order of keys; the first line says what was run by what.
 * Rule 2: lines hold kinds, never bytes: no secret can be in them.
 * Rule 3: a file that takes no more is removed, and the run goes on without.
 * @module
 */
import { closeSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../../adapters/folder.ts";
import { readLines } from "../../adapters/tracefile.ts";
import * as digest from "../../sim/digest.ts";
import { shownTypes } from "../../sim/lines.ts";
import { type Scenario, simVersion } from "../../sim/scenario.ts";
import type { SimEffect, SimEvent, Watch, World } from "../../sim/world.ts";
import { version } from "../version.ts";
import { isPlain, removeQuietly, Unwritten, writing } from "./files.ts";
import { codeText } from "./verdict.ts";

export type Tracing = {
  readonly watch: Watch;
  /** Writes the rest; why there is no whole file, if so. */
  readonly close: () => string | undefined;
};

const chunkChars = 65_536;

/**
 * Opens a new file, with its folder, and gives what writes into it. Throws `Unwritten` if it cannot
 * be opened.
 */
export function traceTo(file: string, scenario: Scenario): Tracing {
  const fd = writing(file, () => {
    makeFolder(dirname(file));
    return openSync(file, "w");
  });
  let pending = `${headerLine(scenario)}\n`;
  let wrong: string | undefined;
  const flush = (): void => {
    const text = pending;
    pending = "";
    if (wrong === undefined) wrong = unwritten(file, () => writeFileSync(fd, text));
  };
  return {
    watch: {
      stepped: (w, node, event, effects) => {
        pending += `${stepLine(w, node.id, event, effects)}\n`;
        if (pending.length > chunkChars) flush();
      },
    },
    close: () => {
      flush();
      wrong ??= unwritten(file, () => closeSync(fd));
      if (wrong !== undefined && isPlain(file)) removeQuietly(file);
      return wrong;
    },
  };
}

/** Why the system would not do it; `undefined` once it has. */
function unwritten(file: string, write: () => void): string | undefined {
  try {
    writing(file, write);
    return undefined;
  } catch (error) {
    if (!(error instanceof Unwritten)) throw error;
    return error.message;
  }
}

/** Which trace a file is, by how it begins; `undefined`: none, or it cannot be read. */
export function traceKind(file: string): "recorded" | "simulated" | undefined {
  const start = startOf(file);
  if (start.startsWith(`{"trace":`)) return "recorded";
  return start.startsWith(`{"simTrace":`) ? "simulated" : undefined;
}

const startBytes = 16;

function startOf(file: string): string {
  try {
    if (!statSync(file).isFile()) return "";
    const fd = openSync(file, "r");
    try {
      const start = Buffer.alloc(startBytes);
      return start.toString("latin1", 0, readSync(fd, start));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}

/** What the first line of a simulated trace says was run, unchecked. Throws if it is damaged. */
export function tracedScenario(file: string): unknown {
  for (const line of readLines(file)) {
    const text = Buffer.from(line, "latin1").toString("utf8");
    return (JSON.parse(text) as { readonly scenario?: unknown }).scenario;
  }
  return undefined;
}

function headerLine(scenario: Scenario): string {
  const node = process.versions.node;
  return JSON.stringify({
    simTrace: 1, simVersion, version: version(), commit: codeText(), node, scenario,
  });
}

/** `{"i":413,"t":3532000,"n":"dir0","k":"conn.received","c":11,"m":"PING","fx":[…],"h":"d7"}` */
function stepLine(
  w: World, node: string, event: SimEvent, effects: readonly SimEffect[],
): string {
  const conn = "conn" in event ? event.conn : undefined;
  const words = "bytes" in event && event.type === "conn.received"
    ? shownTypes(event.bytes)
    : undefined;
  return JSON.stringify({
    i: w.steps - 1, t: Math.floor(w.nowUs / 1_000), n: node, k: event.type, c: conn, m: words,
    fx: kinds(effects), h: digest.hex(w.digest),
  });
}

function kinds(effects: readonly SimEffect[]): string[] {
  return effects.map((effect) => {
    return effect.type === "conn.send" ? `${effect.type}:${shownTypes(effect.bytes)}` : effect.type;
  });
}
