/**
 * The top of the page: what was found, which run is shown, the faults, the lanes.
 * @module
 */
import { aboutOf, titleOf } from "../../../sim/picture/drawing.ts";
import { familyOf } from "../../../sim/picture/layout.ts";
import type { PageData } from "../../../sim/picture/page.ts";
import { clockText } from "../../../sim/picture/words.ts";
import { harmText } from "../../../sim/words.ts";
import { button, el } from "./dom.ts";
import type { Panel } from "./panel.ts";

export type Head = {
  readonly root: HTMLElement;
  readonly title: HTMLElement;
  readonly about: HTMLElement;
  readonly runs: readonly HTMLButtonElement[];
  readonly compare: HTMLButtonElement | undefined;
  readonly whole: HTMLButtonElement;
  readonly faults: HTMLElement;
  readonly lanes: HTMLElement;
};

export type Acts = {
  readonly run: (index: number) => void;
  readonly compare: () => void;
  readonly whole: () => void;
  readonly at: (us: number) => void;
  readonly lanes: (nodes: readonly number[]) => void;
};

const faultsMax = 12;

export function create(data: PageData, acts: Acts): Head {
  const title = el("h1");
  const about = el("p", { class: "about" });
  const choices = data.runs.map((run, i) => ({ run, i }))
    .filter(({ run }) => run.name !== "neighbour");
  const runs = choices.map(({ run, i }) => button(run.label, undefined, () => acts.run(i), {
    "aria-pressed": "false", "data-run": i,
  }));
  const neighbour = data.runs.find((run) => run.name === "neighbour");
  const compare = neighbour === undefined ? undefined
    : toggle(`Beside: ${neighbour.label}`, acts.compare, "compare");
  const whole = toggle("Show repetitions", acts.whole, "whole");
  const faults = el("ul", { class: "faults", "aria-label": "Faults of this scenario" });
  const lanes = el("details", { class: "more", id: "lanes" });
  const tools = el("div", { class: "tools" });
  if (runs.length > 1) {
    tools.append(el("div", { class: "group", role: "group", "aria-label": "Scenario" }, ...runs));
  }
  if (compare !== undefined) tools.append(compare);
  tools.append(whole);
  tools.append(lanes, ...moreOf(data));
  const root = el("header", {}, title, about, faults, tools);
  return { root, title, about, runs, compare, whole, faults, lanes };
}

function toggle(text: string, act: () => void, id: string): HTMLButtonElement {
  return button(text, undefined, act, { "aria-pressed": "false", id });
}

function moreOf(data: PageData): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if (data.why.length > 0) parts.push(el("ul", {}, ...data.why.map((line) => el("li", {}, line))));
  if (data.replay !== "") parts.push(el("p", {}, "Replay: ", el("code", {}, data.replay)));
  if (parts.length === 0) return [];
  const summary = el("summary", {}, "Why, and replay");
  return [el("details", { class: "more" }, summary, el("div", {}, ...parts))];
}

/** The run in `p` is the one that is looked at. */
export function show(h: Head, p: Panel, index: number, acts: Acts): void {
  const r = p.source.recording;
  h.title.textContent = titleOf(r);
  h.title.className = r.outcome.verdict === "pass" ? "right" : "wrong";
  h.about.textContent = aboutOf(r);
  document.title = titleOf(r);
  for (const run of h.runs) {
    run.setAttribute("aria-pressed", String(run.dataset["run"] === String(index)));
  }
  const items = r.bands.slice(0, faultsMax).map((band) => {
    const text = `${clockText(band.fromUs)} ${band.says}`;
    const name = familyOf(band.kind);
    return el("li", {}, button(text, undefined, () => acts.at(band.fromUs), { class: name }));
  });
  // What never came to be is a fault of the scenario too.
  if (r.bands.length === 0) {
    const { faults } = r.scenario;
    items.push(...faults.slice(0, faultsMax).map((fault) => el("li", {}, harmText(fault))));
  }
  const more = r.bands.length - faultsMax;
  if (more > 0) items.push(el("li", { class: "none" }, `and ${more} more`));
  h.faults.replaceChildren(...items);
  lanesOf(h, p, acts);
}

function lanesOf(h: Head, p: Panel, acts: Acts): void {
  const { nodes } = p.source.recording.scenario;
  const boxes = nodes.map((node, i) => {
    const checked = (p.lanes.places[i] ?? -1) >= 0;
    const box = el("input", { type: "checkbox", value: i, checked });
    return { box, label: el("label", {}, box, `${node.id} (${node.kind})`) };
  });
  const chosen = (): void => {
    acts.lanes(boxes.flatMap(({ box }, i) => (box.checked ? [i] : [])));
  };
  for (const { box } of boxes) box.addEventListener("change", chosen);
  const isOpen = (h.lanes as HTMLDetailsElement).open;
  h.lanes.replaceChildren(
    el("summary", {}, `Lanes: ${p.lanes.nodes.length} of ${nodes.length} nodes`),
    el("div", {}, el("div", { class: "lanes" }, ...boxes.map(({ label }) => label))),
  );
  (h.lanes as HTMLDetailsElement).open = isOpen;
}
