/**
 * A simulated run as a file of lines, one step each: for grep, diff and other programs.
 *
 * Rule 1: canonical order of keys; the first line says what was run by what.
 * Rule 2: lines hold kinds, never bytes: no secret can be in them.
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import * as digest from "../../sim/digest.ts";
import { shownTypes } from "../../sim/lines.ts";
import { type Scenario, simVersion } from "../../sim/scenario.ts";
import type { SimEffect, SimEvent, Watch, World } from "../../sim/world.ts";
import { version } from "../version.ts";
import { codeText } from "./verdict.ts";

export type Tracing = { readonly watch: Watch; readonly close: () => void };

const chunkChars = 65_536;

/** Opens a new file and gives what writes into it. Throws if it cannot be written. */
export function traceTo(file: string, scenario: Scenario): Tracing {
  const fd = openSync(file, "w");
  let pending = `${headerLine(scenario)}\n`;
  const flush = (): void => {
    writeSync(fd, pending);
    pending = "";
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
      closeSync(fd);
    },
  };
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
