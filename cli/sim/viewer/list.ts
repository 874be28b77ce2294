/**
 * The events in words: a list around the step that is looked at, and the search through all.
 *
 * Rule 1: the list is a window: a run of any length makes the same number of elements.
 * @module
 */
import type { Recording } from "../../../sim/recording.ts";
import { clockText } from "../../../sim/picture/words.ts";
import { el } from "./dom.ts";

export type List = {
  readonly root: HTMLElement;
  readonly box: HTMLElement;
  recording: Recording | undefined;
  /** The steps in view, by their numbers. */
  from: number;
  to: number;
  /** What is searched for, in lower case. */
  query: string;
};

const rows = 120;
const margin = 12;

/** A list that tells `choose` which step is wanted. */
export function create(choose: (step: number) => void): List {
  const box = el("div", {
    class: "events", role: "listbox", tabindex: "0", "aria-label": "All steps of the run",
  });
  const root = el("section", {}, el("h2", {}, "Steps in words"), box);
  box.addEventListener("click", (event) => {
    const row = event.target instanceof Element ? event.target.closest("[data-step]") : null;
    if (row !== null) choose(Number(row.getAttribute("data-step")));
  });
  return { root, box, recording: undefined, from: 0, to: 0, query: "" };
}

/** Shows the steps around `step`. */
export function show(l: List, recording: Recording, step: number, query: string): void {
  const total = recording.steps.length;
  const first = l.from === 0 ? 0 : l.from + margin;
  const last = l.to === total ? total : l.to - margin;
  const isIn = step >= first && step < last;
  if (recording !== l.recording || query !== l.query || !isIn) {
    l.recording = recording;
    l.query = query;
    l.from = Math.max(0, Math.min(total - rows, step - Math.floor(rows / 2)));
    l.to = Math.min(total, l.from + rows);
    fill(l, recording);
  }
  for (const old of l.box.querySelectorAll("[aria-selected=true]")) {
    old.setAttribute("aria-selected", "false");
  }
  const row = l.box.querySelector(`[data-step="${step}"]`);
  if (!(row instanceof HTMLElement)) return;
  row.setAttribute("aria-selected", "true");
  l.box.setAttribute("aria-activedescendant", row.id);
  const { scrollTop, clientHeight } = l.box;
  const top = row.offsetTop - l.box.offsetTop;
  const isSeen = top >= scrollTop && top <= scrollTop + clientHeight - 24;
  if (!isSeen) l.box.scrollTop = top - clientHeight / 2;
}

function fill(l: List, r: Recording): void {
  const options: HTMLElement[] = [];
  for (let i = l.from; i < l.to; i += 1) {
    const step = r.steps[i];
    if (step === undefined) continue;
    const id = r.scenario.nodes[step.node]?.id ?? "";
    const isHit = l.query !== "" && matches(r, i, l.query);
    options.push(el("div", {
      role: "option", id: `step-${i}`, "data-step": i, "aria-selected": "false",
      class: isHit ? "hit" : "", "aria-setsize": r.steps.length, "aria-posinset": i + 1,
    }, el("span", { class: "t" }, clockText(step.atUs)), `${id}: ${step.says}`));
  }
  l.box.replaceChildren(...options);
}

/** Does a step say `query` (in lower case) in its node, event, words or effects? */
export function matches(r: Recording, i: number, query: string): boolean {
  const step = r.steps[i];
  if (step === undefined) return false;
  const id = r.scenario.nodes[step.node]?.id ?? "";
  return `${id}: ${step.says}`.toLowerCase().includes(query) || step.event.includes(query)
    || step.effects.some((effect) => effect.toLowerCase().includes(query));
}

/** The next hit after `step` in this direction, going round; -1: none. */
export function search(r: Recording, query: string, step: number, direction: 1 | -1): number {
  const total = r.steps.length;
  for (let n = 1; n <= total; n += 1) {
    const i = (step + direction * n + total * 2) % total;
    if (matches(r, i, query)) return i;
  }
  return -1;
}

/** How many steps say it. */
export function countOf(r: Recording, query: string): number {
  let count = 0;
  for (let i = 0; i < r.steps.length; i += 1) if (matches(r, i, query)) count += 1;
  return count;
}
