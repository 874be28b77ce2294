/**
 * The bar at the bottom: the whole run at a glance, the scrubber, the buttons, the search.
 * @module
 */
import { familyOf } from "../../../sim/picture/layout.ts";
import { bandsOf } from "../../../sim/picture/stops.ts";
import { clockText } from "../../../sim/picture/words.ts";
import { countText } from "../../../sim/words.ts";
import { button, el, fill, svgElement } from "./dom.ts";
import type { Panel } from "./panel.ts";

export type Transport = {
  readonly root: HTMLElement;
  readonly strip: SVGSVGElement;
  readonly scrub: HTMLInputElement;
  readonly place: HTMLElement;
  readonly search: HTMLInputElement;
  readonly hits: HTMLElement;
  /** The steps that the scrubber goes over. */
  points: readonly number[];
};

export type Acts = {
  readonly move: (by: number) => void;
  readonly first: () => void;
  readonly last: () => void;
  readonly violation: () => void;
  readonly help: () => void;
  readonly scrub: (step: number) => void;
  readonly search: (direction: 1 | -1) => void;
};

const wide = 1_000;
const high = 26;

export function create(acts: Acts): Transport {
  const strip = svgElement("strip");
  strip.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  strip.setAttribute("preserveAspectRatio", "none");
  strip.setAttribute("aria-hidden", "true");
  const scrub = el("input", { type: "range", id: "scrub", min: 0, step: 1, "aria-label": "Event" });
  const place = el("p", { class: "place" });
  const search = el("input", {
    type: "search", class: "box", placeholder: "search  /", "aria-label": "Search all steps",
  });
  const hits = el("span", { class: "none", role: "status" });
  const controls = el("div", { class: "transport" },
    button("|◀", "First event (Home)", acts.first),
    button("◀", "Previous event (←)", () => acts.move(-1)),
    button("▶", "Next event (→)", () => acts.move(1)), button("▶|", "Last event (End)", acts.last),
    button("✗", "To the violation (v)", acts.violation, { id: "to-violation" }),
    place, search, hits, button("?", "Keys (?)", acts.help));
  const t: Transport = {
    root: el("footer", {}, strip, scrub, controls), strip, scrub, place, search, hits, points: [],
  };
  scrub.addEventListener("input", () => acts.scrub(t.points[Number(scrub.value)] ?? 0));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") acts.search(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") search.blur();
  });
  return t;
}

/** Another run, other lanes, or another window of them. */
export function reset(t: Transport, p: Panel): void {
  t.points = p.stops.list.flatMap((stop) => (stop.step < 0 ? [] : [stop.step]));
  t.scrub.max = String(Math.max(0, t.points.length - 1));
  show(t, p);
}

/** The cursor has moved. */
export function show(t: Transport, p: Panel): void {
  const r = p.source.recording;
  const step = r.steps[p.cursor];
  const index = pointAt(t, p.cursor);
  t.scrub.value = String(index);
  const id = r.scenario.nodes[step?.node ?? -1]?.id ?? "";
  const says = step === undefined ? "nothing happened" : `${id}: ${step.says}`;
  const when = clockText(step?.atUs ?? 0);
  t.scrub.setAttribute("aria-valuetext", `step ${p.cursor} of ${r.steps.length}, ${when}, ${says}`);
  t.place.replaceChildren(el("b", {}, when), ` · step ${countText(p.cursor)} · ${says}`);
  fill(t.strip, stripText(t, p));
}

/** The last point at or before a step. */
export function pointAt(t: Transport, step: number): number {
  let [low, high] = [0, t.points.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((t.points[middle] as number) <= step) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** Faults, flags, the part that is drawn and the cursor, over the points of the scrubber. */
function stripText(t: Transport, p: Panel): string {
  const { list } = p.stops;
  const last = Math.max(1, t.points.length - 1);
  const x = (step: number): number => Math.round(pointAt(t, step) * wide / last);
  const at = (us: number): number => x(stepAt(list, us));
  const stepOf = (place: number): number => at(list[place]?.atUs ?? 0);
  const from = stepOf(p.window.from);
  const parts = [rect("seen", from, 0, stepOf(p.window.to - 1) - from, high)];
  bandsOf(p.source.recording, p.lanes).forEach((band, i) => {
    const left = at(band.fromUs);
    const width = Math.max(3, at(band.toUs) - left);
    parts.push(rect(`band ${familyOf(band.kind)}`, left, 2 + (i % 3) * 7, width, 6));
  });
  for (const flag of p.source.recording.flags) {
    if (flag.kind === "mark" || flag.kind === "task") continue;
    const place = Math.min(flag.step < 0 ? at(flag.atUs) : x(flag.step), wide - 3);
    const isWrong = flag.kind === "violation";
    parts.push(rect(flag.kind, place, isWrong ? 0 : 21, isWrong ? 4 : 3, isWrong ? high : 5));
  }
  parts.push(rect("now", Math.min(x(p.cursor), wide - 3), 0, 3, high));
  return parts.join("");
}

/** The first step of the picture at or after an instant. */
function stepAt(list: Panel["stops"]["list"], us: number): number {
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.atUs ?? 0) < us) low = middle + 1;
    else high = middle;
  }
  while (low < list.length && (list[low]?.step ?? 0) < 0) low += 1;
  return list[low]?.step ?? Number.MAX_SAFE_INTEGER;
}

function rect(name: string, x: number, y: number, width: number, height: number): string {
  const size = `width="${Math.max(1, width)}" height="${height}"`;
  return `<rect class="${name}" x="${x}" y="${y}" ${size}/>`;
}
