/**
 * Which part of a long run is drawn.
 *
 * Rule 1: what led to the violation first: the window ends shortly after it. A run that passed is
 * drawn from its beginning.
 * Rule 2: what is left out is told, in words.
 * @module
 */
import type { Recording } from "../recording.ts";
import { countText, plural } from "../words.ts";
import type { Lanes } from "./lanes.ts";
import type { Stops } from "./stops.ts";

export type Window = { readonly from: number; readonly to: number };

/** Stops that stay in view after the one of interest, as a part of the window. */
const afterPart = 8;

/** At most `size` stops around stop `at`, most of them before it. */
export function around(stops: Stops, at: number, size: number): Window {
  const total = stops.list.length;
  const to = Math.min(total, Math.max(at + 1 + Math.floor(size / afterPart), size));
  return { from: Math.max(0, to - size), to };
}

/** The stop to begin with: the violation, or the first one. */
export function focus(r: Recording, stops: Stops): number {
  const violation = r.flags.find((flag) => flag.kind === "violation");
  if (violation === undefined) return 0;
  return Math.max(0, stops.places[violation.step] ?? stops.list.length - 1);
}

/** What a picture of this window does not show; empty when it shows everything. */
export function leftOut(r: Recording, lanes: Lanes, stops: Stops, w: Window): string {
  const parts: string[] = [];
  if (w.from > 0) parts.push(`${plural(w.from, "earlier event")}`);
  const later = stops.list.length - w.to;
  if (later > 0) parts.push(`${plural(later, "later event")}`);
  const hidden = lanes.hidden.length;
  if (hidden > 0) parts.push(`${plural(hidden, "node")}${whoText(r, lanes)}`);
  const shown = stops.list.reduce((sum, stop) => sum + (stop.step < 0 ? 0 : 1), 0);
  const steps = r.steps.length - shown;
  if (steps > 0) parts.push(`${countText(steps)} steps that repeat others or show nothing here`);
  return parts.length === 0 ? "" : `Left out: ${parts.join("; ")}.`;
}

const namedMax = 6;

function whoText(r: Recording, lanes: Lanes): string {
  const ids = lanes.hidden.slice(0, namedMax).map((node) => r.scenario.nodes[node]?.id ?? "");
  const rest = lanes.hidden.length > namedMax ? " …" : "";
  return ` (${ids.join(" ")}${rest}) and what they say`;
}
