/**
 * The page as a whole: which runs are shown, where the cursor is, what the keys do.
 *
 * Rule 1: one cursor for each run. Of two runs side by side, the other one follows: to the same
 * step as long as they are the same, then to the same instant.
 * @module
 */
import { divergence } from "../../../sim/picture/diverge.ts";
import { focus } from "../../../sim/picture/window.ts";
import type { PageData } from "../../../sim/picture/page.ts";
import type { Source } from "../../../sim/picture/source.ts";
import { clockText } from "../../../sim/picture/words.ts";
import { el } from "./dom.ts";
import * as head from "./head.ts";
import * as help from "./help.ts";
import * as inspector from "./inspector.ts";
import * as list from "./list.ts";
import * as panel from "./panel.ts";
import * as transport from "./transport.ts";

type App = {
  readonly data: PageData;
  readonly sources: Map<number, Source>;
  readonly make: (index: number) => Source;
  readonly head: head.Head;
  readonly acts: head.Acts;
  readonly panels: HTMLElement;
  readonly inspector: inspector.Inspector;
  readonly list: list.List;
  readonly transport: transport.Transport;
  readonly live: HTMLElement;
  readonly help: HTMLDialogElement;
  index: number;
  main: panel.Panel | undefined;
  beside: panel.Panel | undefined;
  /** Which of the two the keys move. */
  isBeside: boolean;
  isWhole: boolean;
  width: number;
};

/** Builds the page in `place`. `make` makes the run of an index. */
export function start(place: HTMLElement, data: PageData, make: (index: number) => Source): void {
  const late: { app: App | undefined } = { app: undefined };
  const on = (act: (a: App) => void) => (): void => {
    if (late.app !== undefined) act(late.app);
  };
  const acts: head.Acts = {
    run: (index) => on((a) => openRun(a, index))(), compare: on(compare), whole: on(whole),
    at: (us) => on((a) => to(a, stepAtTime(a, us)))(),
    lanes: (nodes) => on((a) => relane(a, nodes))(),
  };
  const bar = transport.create({
    move: (by) => on((a) => move(a, by))(), first: on((a) => move(a, -Infinity)),
    last: on((a) => move(a, Infinity)), violation: on(violation),
    help: on((a) => a.help.showModal()),
    scrub: (step) => on((a) => to(a, step))(), search: (d) => on((a) => find(a, d))(),
  });
  const a: App = {
    data, make, acts, sources: new Map(), head: head.create(data, acts),
    panels: el("div", { class: "panels" }),
    inspector: inspector.create(), list: list.create((step) => to(a, step)), transport: bar,
    live: el("p", { class: "sr", role: "status", "aria-live": "polite" }), help: help.dialog(),
    index: 0, main: undefined, beside: undefined, isBeside: false, isWhole: false, width: 0,
  };
  late.app = a;
  const side = el("aside", { "aria-label": "The step that is looked at" });
  side.append(...a.inspector.root.childNodes, a.list.root);
  place.replaceChildren(a.head.root, el("main", {}, a.panels, side), bar.root, a.live, a.help);
  document.addEventListener("keydown", (event) => keyDown(a, event));
  window.addEventListener("resize", () => resized(a));
  openRun(a, Math.max(0, indexIn(data, location.hash)));
  const step = Number(/\bstep=([0-9]+)/.exec(location.hash)?.[1] ?? "-1");
  if (step >= 0) to(a, step);
}

function indexIn(data: PageData, hash: string): number {
  const name = /\brun=([a-z]+)/.exec(hash)?.[1];
  return data.runs.findIndex((run) => run.name === name && name !== "neighbour");
}

function sourceOf(a: App, index: number): Source {
  const known = a.sources.get(index);
  if (known !== undefined) return known;
  const made = a.make(index);
  a.sources.set(index, made);
  return made;
}

function openRun(a: App, index: number): void {
  const run = a.data.runs[index];
  if (run === undefined) return;
  a.index = index;
  a.isBeside = false;
  const source = sourceOf(a, index);
  a.main = panel.create(source, run.label, a.isWhole, widthOf(a), (step) => choose(a, false, step));
  if (a.beside !== undefined) return placeBoth(a, a.main, a.beside);
  a.panels.replaceChildren(a.main.root);
  titles(a);
  panel.draw(a.main);
  shown(a, true);
}

function widthOf(a: App): number {
  const width = a.panels.clientWidth;
  return width > 0 ? width : Math.max(320, window.innerWidth - 460);
}

/** The run that passes, beside this one or gone again. */
function compare(a: App): void {
  const index = a.data.runs.findIndex((run) => run.name === "neighbour");
  const run = a.data.runs[index];
  if (a.main === undefined || run === undefined) return;
  if (a.beside !== undefined) {
    a.beside = undefined;
    a.isBeside = false;
    a.main.parting = -1;
    a.panels.replaceChildren(a.main.root);
    titles(a);
    panel.draw(a.main);
    return shown(a, true);
  }
  const source = sourceOf(a, index);
  const width = widthOf(a) / 2;
  const other = panel.create(source, run.label, a.isWhole, width, (s) => choose(a, true, s));
  a.beside = other;
  placeBoth(a, a.main, other);
}

function placeBoth(a: App, main: panel.Panel, other: panel.Panel): void {
  const parting = divergence(main.source.recording, other.source.recording) ?? -1;
  main.parting = parting;
  other.parting = parting;
  a.panels.replaceChildren(main.root, other.root);
  titles(a);
  panel.relane(other, sameNodes(main, other));
  panel.draw(main);
  if (parting >= 0) main.cursor = Math.min(parting, main.source.recording.steps.length - 1);
  const when = clockText(main.source.recording.steps[parting]?.atUs ?? 0);
  announce(a, parting < 0 ? "The two runs are the same."
    : `The runs differ from step ${parting}, ${when}.`);
  shown(a, true);
}

/** The lanes of one run in another, by name. */
function sameNodes(from: panel.Panel, to: panel.Panel): number[] {
  const { nodes } = from.source.recording.scenario;
  const ids = new Set(from.lanes.nodes.map((node) => nodes[node]?.id));
  return to.source.recording.scenario.nodes.flatMap(({ id }, i) => (ids.has(id) ? [i] : []));
}

function titles(a: App): void {
  for (const p of [a.main, a.beside]) {
    if (p === undefined) continue;
    const isActive = p === active(a);
    p.root.classList.toggle("active", isActive && a.beside !== undefined);
    const { verdict, finding } = p.source.recording.outcome;
    const passes = verdict === "pass" ? "✓ passes" : verdict;
    const says = finding === undefined ? passes : `✗ ${finding.id}`;
    p.title.hidden = a.beside === undefined;
    p.title.replaceChildren(el("b", {}, p.label), says);
  }
  a.head.compare?.setAttribute("aria-pressed", String(a.beside !== undefined));
  a.head.whole.setAttribute("aria-pressed", String(a.isWhole));
}

function active(a: App): panel.Panel | undefined {
  return a.isBeside && a.beside !== undefined ? a.beside : a.main;
}

/** Everything that follows the cursor. */
function shown(a: App, isFresh: boolean): void {
  const p = active(a);
  const { main } = a;
  if (p === undefined || main === undefined) return;
  if (isFresh) {
    head.show(a.head, p, a.index, a.acts);
    transport.reset(a.transport, p);
    const isWrong = p.source.recording.flags.some((flag) => flag.kind === "violation");
    document.getElementById("to-violation")?.toggleAttribute("hidden", !isWrong);
  }
  const other = p === main ? a.beside : main;
  if (other !== undefined) other.cursor = twin(p, other);
  panel.go(p, p.cursor, isFresh);
  if (other !== undefined) panel.go(other, other.cursor, isFresh);
  transport.show(a.transport, p);
  const beside = other === undefined ? undefined : { source: other.source, step: other.cursor };
  inspector.show(a.inspector, { source: p.source, step: p.cursor, beside });
  list.show(a.list, p.source.recording, p.cursor, a.transport.search.value.trim().toLowerCase());
  const run = a.data.runs[a.index]?.name ?? "run";
  history.replaceState(null, "", `#run=${run}&step=${p.cursor}`);
}

/** Where the other run is at the same moment. */
function twin(p: panel.Panel, other: panel.Panel): number {
  const { steps } = other.source.recording;
  if (p.parting < 0 || p.cursor < p.parting) return Math.min(p.cursor, steps.length - 1);
  const us = p.source.recording.steps[p.cursor]?.atUs ?? 0;
  return Math.max(p.parting, lastBefore(steps, us));
}

/** The last step at or before an instant; 0 when there is none. */
function lastBefore(steps: readonly { readonly atUs: number }[], us: number): number {
  let [low, high] = [0, Math.max(0, steps.length - 1)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((steps[middle]?.atUs ?? 0) <= us) low = middle;
    else high = middle - 1;
  }
  return low;
}

function stepAtTime(a: App, us: number): number {
  const p = active(a);
  if (p === undefined) return 0;
  const next = p.stops.list.find((stop) => stop.step >= 0 && stop.atUs >= us);
  return next?.step ?? lastBefore(p.source.recording.steps, us);
}

function choose(a: App, isBeside: boolean, step: number): void {
  if (a.isBeside !== isBeside) {
    a.isBeside = isBeside;
    titles(a);
    const p = active(a);
    if (p !== undefined) transport.reset(a.transport, p);
  }
  to(a, step);
}

function to(a: App, step: number): void {
  const p = active(a);
  if (p === undefined || step < 0) return;
  p.cursor = Math.min(step, Math.max(0, p.source.recording.steps.length - 1));
  shown(a, false);
}

/** By so many events of the picture. */
function move(a: App, by: number): void {
  const p = active(a);
  if (p === undefined) return;
  const { points } = a.transport;
  const at = transport.pointAt(a.transport, p.cursor);
  const isBetween = points[at] !== p.cursor && by < 0;
  const next = Math.max(0, Math.min(points.length - 1, at + by + (isBetween ? 1 : 0)));
  to(a, points[next] ?? 0);
  say(a);
}

/** To the next (previous) step of the same node, also one that the picture leaves out. */
function moveNode(a: App, direction: 1 | -1): void {
  const p = active(a);
  if (p === undefined) return;
  const { steps } = p.source.recording;
  const chosen = a.inspector.node;
  const node = chosen >= 0 ? chosen : steps[p.cursor]?.node;
  let i = p.cursor + direction;
  while (i >= 0 && i < steps.length && steps[i]?.node !== node) i += direction;
  if (i < 0 || i >= steps.length) return announce(a, "no more steps of this node");
  to(a, i);
  say(a);
}

function violation(a: App): void {
  const p = active(a);
  if (p === undefined) return;
  to(a, p.stops.list[focus(p.source.recording, p.stops)]?.step ?? 0);
  say(a);
}

function find(a: App, direction: 1 | -1): void {
  const p = active(a);
  const query = a.transport.search.value.trim().toLowerCase();
  if (p === undefined || query === "") return;
  const r = p.source.recording;
  const hit = list.search(r, query, p.cursor, direction);
  a.transport.hits.textContent = hit < 0 ? "nothing found" : `${list.countOf(r, query)} found`;
  if (hit >= 0) to(a, hit);
}

function relane(a: App, nodes: readonly number[]): void {
  if (a.main === undefined || nodes.length === 0) return;
  panel.relane(a.main, nodes);
  if (a.beside !== undefined) panel.relane(a.beside, sameNodes(a.main, a.beside));
  shown(a, true);
}

function whole(a: App): void {
  a.isWhole = !a.isWhole;
  for (const p of [a.main, a.beside]) {
    if (p === undefined) continue;
    p.isWhole = a.isWhole;
    panel.relane(p, p.lanes.nodes);
  }
  titles(a);
  shown(a, true);
}

function resized(a: App): void {
  if (a.width === window.innerWidth) return;
  a.width = window.innerWidth;
  for (const p of [a.main, a.beside]) if (p !== undefined) panel.draw(p);
}

/** What the cursor stands on, for those who do not see it. */
function say(a: App): void {
  announce(a, a.transport.scrub.getAttribute("aria-valuetext") ?? "");
}

function announce(a: App, text: string): void {
  a.live.textContent = text;
}

const pageEvents = 10;

function keyDown(a: App, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || a.help.open) return;
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  const isText = target instanceof HTMLSelectElement
    || target instanceof HTMLInputElement && target.type !== "range";
  if (isText) return;
  const act = keyOf(a, event.key);
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function keyOf(a: App, key: string): (() => void) | undefined {
  switch (key) {
    case "ArrowRight": case "ArrowDown": return () => move(a, 1);
    case "ArrowLeft": case "ArrowUp": return () => move(a, -1);
    case "PageDown": return () => move(a, pageEvents);
    case "PageUp": return () => move(a, -pageEvents);
    case "Home": return () => move(a, -Infinity);
    case "End": return () => move(a, Infinity);
    case "j": return () => moveNode(a, 1);
    case "k": return () => moveNode(a, -1);
    case "v": return () => violation(a);
    case "n": return () => find(a, 1);
    case "N": return () => find(a, -1);
    case "c": return () => compare(a);
    case "/": return () => a.transport.search.focus();
    case "?": return () => a.help.showModal();
    default: return undefined;
  }
}
