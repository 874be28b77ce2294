/**
 * One run on the screen: its diagram, drawn around the step that is looked at.
 *
 * Rule 1: at most `sizeMax` events are drawn at once; the window follows the cursor, and grows on
 * demand.
 * Rule 2: places come from the layout; what is added here is the cursor and where two runs part.
 * @module
 */
import * as svg from "../../../sim/picture/svg.ts";
import { layOut, type Layout } from "../../../sim/picture/layout.ts";
import { arrange, relevant, type Lanes } from "../../../sim/picture/lanes.ts";
import type { Source } from "../../../sim/picture/source.ts";
import { stopsOf, type Stops } from "../../../sim/picture/stops.ts";
import { around, focus, leftOut, type Window } from "../../../sim/picture/window.ts";
import { plural } from "../../../sim/words.ts";
import { button, el, fill, isStill, svgElement } from "./dom.ts";

export type Panel = {
  readonly root: HTMLElement;
  readonly title: HTMLElement;
  readonly scroll: HTMLElement;
  readonly names: SVGSVGElement;
  readonly picture: SVGSVGElement;
  readonly earlier: HTMLElement;
  readonly later: HTMLElement;
  readonly note: HTMLElement;
  source: Source;
  label: string;
  lanes: Lanes;
  stops: Stops;
  window: Window;
  layout: Layout | undefined;
  /** The step that is looked at. */
  cursor: number;
  /** The first step that differs from the run beside this one; -1: none. */
  parting: number;
  isWhole: boolean;
};

/** Lanes at first, by the width of the diagram in pixels. */
const lanePx = 135;
const lanesMin = 3;
const lanesMax = 9;
const size = 240;
const sizeMax = 1_600;
const narrowPx = 620;
const smallPx = 430;
const pitchMax = 230;

/** A panel for a run. `choose` is told which step was clicked. */
export function create(
  source: Source, label: string, isWhole: boolean, width: number, choose: (step: number) => void,
): Panel {
  const title = el("h2");
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region" });
  const [earlier, later] = [el("div", { class: "beyond" }), el("div", { class: "beyond" })];
  const note = el("p", { class: "left-out" });
  const names = svgElement("pic names");
  names.setAttribute("aria-hidden", "true");
  const picture = svgElement("pic");
  picture.setAttribute("role", "img");
  scroll.append(names, earlier, picture, later, note);
  const most = Math.min(lanesMax, Math.max(lanesMin, Math.floor((width - 240) / lanePx)));
  const lanes = arrange(source.recording, relevant(source.recording, most));
  const stops = stopsOf(source.recording, lanes, isWhole);
  const at = focus(source.recording, stops);
  const p: Panel = {
    root: el("section", { class: "panel", "aria-label": label }, title, scroll),
    title, scroll, names, picture, earlier, later, note, source, label, lanes, stops,
    window: around(stops, at, size),
    layout: undefined, cursor: Math.max(0, stops.list[at]?.step ?? 0), parting: -1, isWhole,
  };
  picture.addEventListener("click", (event) => {
    const step = stepAt(p, event);
    if (step !== undefined) choose(step);
  });
  return p;
}

/** The step under the pointer, or the one nearest above. */
function stepAt(p: Panel, event: MouseEvent): number | undefined {
  const holder = event.target instanceof Element ? event.target.closest("[data-step]") : null;
  const named = Number(holder?.getAttribute("data-step") ?? "-1");
  if (named >= 0) return named;
  const y = event.clientY - p.picture.getBoundingClientRect().top;
  const rows = p.layout?.rows.filter((row) => row.step >= 0) ?? [];
  const near = rows.filter((row) => Math.abs(row.y - y) < 14);
  near.sort((a, b) => Math.abs(a.y - y) - Math.abs(b.y - y));
  return near[0]?.step;
}

/** Other lanes, or with and without repetitions. */
export function relane(p: Panel, nodes: readonly number[]): void {
  p.lanes = arrange(p.source.recording, nodes);
  p.stops = stopsOf(p.source.recording, p.lanes, p.isWhole);
  p.window = around(p.stops, Math.max(0, p.stops.places[p.cursor] ?? 0), size);
  draw(p);
}

/** Draws the window; the width of the panel decides how far lanes stand apart. */
export function draw(p: Panel): void {
  const width = p.scroll.clientWidth;
  const { left, right, least } = gutters(width);
  const count = Math.max(1, p.lanes.nodes.length);
  const room = Math.floor((width - left - right) / count);
  const pitch = Math.max(least, Math.min(pitchMax, room));
  const layout = layOut(p.source.recording, p.lanes, p.stops, { pitch, left, right, ...p.window });
  p.layout = layout;
  resize(p.names, layout.width, svg.namesPx);
  resize(p.picture, layout.width, layout.height);
  fill(p.names, svg.names(layout));
  fill(p.picture, `${svg.definitions}<rect class="cursor" rx="5"/>`
    + svg.body(p.source.recording, layout) + partingText(p, layout));
  p.picture.setAttribute("aria-label", `Sequence diagram, ${p.label}: use the arrow keys to go `
    + "from event to event; the list of events says the same in words.");
  p.scroll.setAttribute("aria-label", `Diagram, ${p.label}`);
  beyond(p);
  p.note.textContent = leftOut(p.source.recording, p.lanes, p.stops, p.window);
  mark(p);
}

/** Pixels left for times and right for notes, and the least from lane to lane. */
function gutters(width: number): { left: number; right: number; least: number } {
  if (width < smallPx) return { left: 78, right: 68, least: 68 };
  if (width < narrowPx) return { left: 84, right: 104, least: 76 };
  return { left: 92, right: 176, least: 104 };
}

function resize(element: SVGSVGElement, width: number, height: number): void {
  element.setAttribute("width", String(width));
  element.setAttribute("height", String(height));
  element.setAttribute("viewBox", `0 0 ${width} ${height}`);
}

function partingText(p: Panel, layout: Layout): string {
  if (p.parting < 0) return "";
  const place = p.stops.list.findIndex((stop) => stop.step >= p.parting);
  const y = place < 0 ? undefined : layout.scale.ys[place - layout.scale.from];
  if (y === undefined) return "";
  const above = y - 11;
  return `<g class="parting"><line x1="8" y1="${above}" x2="${layout.width - 8}" y2="${above}"/>`
    + `<text class="halo" x="12" y="${above - 5}">≠ differs here</text></g>`;
}

/** What lies before and after the window, and the way there. */
function beyond(p: Panel): void {
  const total = p.stops.list.length;
  const grow = (from: number, to: number) => (): void => {
    p.window = { from: Math.max(0, from), to: Math.min(total, to) };
    const height = p.scroll.scrollHeight - p.scroll.scrollTop;
    draw(p);
    if (from < p.window.to && from !== p.window.from + size) {
      p.scroll.scrollTop = Math.max(0, p.scroll.scrollHeight - height);
    }
  };
  const { from, to } = p.window;
  const before = from === 0 ? [] : [
    `${plural(from, "earlier event")}`,
    button("Show more", undefined, grow(from - size, Math.min(to, from - size + sizeMax))),
  ];
  const after = to >= total ? [] : [
    `${plural(total - to, "later event")}`,
    button("Show more", undefined, grow(Math.max(from, to + size - sizeMax), to + size)),
  ];
  p.earlier.replaceChildren(...before);
  p.later.replaceChildren(...after);
  p.earlier.hidden = before.length === 0;
  p.later.hidden = after.length === 0;
}

/** Goes to a step: the window follows, the row is marked and scrolled into view. */
export function go(p: Panel, step: number, center = false): void {
  p.cursor = step;
  const place = p.stops.places[step] ?? -1;
  const edge = 3;
  const total = p.stops.list.length;
  const isInside = place >= (p.window.from === 0 ? -1 : p.window.from + edge)
    && place < (p.window.to === total ? total : p.window.to - edge);
  if (!isInside || p.layout === undefined) {
    p.window = around(p.stops, Math.max(0, place) + Math.floor(size / 2), size);
    draw(p);
  } else mark(p);
  reveal(p, center || !isInside);
}

function rowOf(p: Panel): number | undefined {
  const place = p.stops.places[p.cursor] ?? -1;
  return p.layout?.scale.ys[place - (p.layout?.scale.from ?? 0)];
}

function mark(p: Panel): void {
  const cursor = p.picture.querySelector(".cursor");
  const y = rowOf(p);
  for (const old of p.picture.querySelectorAll(".on")) old.classList.remove("on");
  if (cursor === null) return;
  cursor.setAttribute("visibility", y === undefined ? "hidden" : "visible");
  cursor.setAttribute("x", "4");
  cursor.setAttribute("width", String((p.layout?.width ?? 8) - 8));
  cursor.setAttribute("height", "22");
  cursor.setAttribute("y", String((y ?? 0) - 11));
  for (const part of p.picture.querySelectorAll(`[data-step="${p.cursor}"]`)) {
    part.classList.add("on");
  }
}

function reveal(p: Panel, center: boolean): void {
  const y = rowOf(p);
  if (y === undefined) return;
  const top = svg.namesPx + p.earlier.offsetHeight + y;
  const { scrollTop, clientHeight } = p.scroll;
  const isSeen = top > scrollTop + svg.namesPx + 30 && top < scrollTop + clientHeight - 60;
  if (isSeen && !center) return;
  const behavior = isStill() || center ? "instant" : "smooth";
  p.scroll.scrollTo({ top: top - clientHeight / 2, behavior });
}
