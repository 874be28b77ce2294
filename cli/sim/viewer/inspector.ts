/**
 * What there is to know about one step: the event, its effects, the state of any node, and what
 * changed.
 *
 * Rule 1: the node that made the step is shown unless another one was chosen.
 * Rule 2: states may need work (`Source.work`); it is done between frames, the latest wish wins.
 * @module
 */
import type { Source } from "../../../sim/picture/source.ts";
import {
  briefText, changesOf, isBranch, type Change, type Tree,
} from "../../../sim/picture/tree.ts";
import { clockText } from "../../../sim/picture/words.ts";
import { countText } from "../../../sim/words.ts";
import { el } from "./dom.ts";

export type Inspector = {
  readonly root: HTMLElement;
  readonly event: HTMLElement;
  readonly effects: HTMLElement;
  readonly nodes: HTMLSelectElement;
  readonly views: readonly HTMLInputElement[];
  readonly filter: HTMLInputElement;
  readonly state: HTMLElement;
  shown: Shown | undefined;
  /** -1: follows the node of the step. */
  node: number;
  /** Counts wishes, so that an old one stops. */
  turn: number;
};

export type Shown = {
  readonly source: Source;
  readonly step: number;
  /** The run beside it at the same moment. */
  readonly beside: { readonly source: Source; readonly step: number } | undefined;
};

const changesMax = 300;

const choices = [
  { value: "changes", says: "Changes" }, { value: "whole", says: "State" },
  { value: "beside", says: "Against the other run" },
] as const;

export function create(): Inspector {
  const nodes = el("select", { "aria-label": "Node whose state is shown" });
  const filter = el("input", {
    type: "search", class: "box", placeholder: "filter",
    "aria-label": "Show only parts of the state that say",
  });
  const views = choices.map(({ value }) => el("input", { type: "radio", name: "view", value }));
  (views[0] as HTMLInputElement).checked = true;
  const labels = views.map((view, i) => el("label", {}, view, choices[i]?.says ?? ""));
  const event = el("section", { class: "event" });
  const effects = el("section", {});
  const state = el("div");
  const root = el("div", { class: "inspector" });
  const box = el("section", { "aria-label": "State" }, el("h2", {}, "State"),
    el("div", { class: "row" }, nodes, ...labels), el("div", { class: "row" }, filter), state);
  root.append(event, effects, box);
  const m: Inspector = {
    root, event, effects, nodes, views, filter, state, shown: undefined, node: -1, turn: 0,
  };
  nodes.addEventListener("change", () => {
    m.node = Number(nodes.value);
    refresh(m);
  });
  for (const view of views) view.addEventListener("change", () => refresh(m));
  filter.addEventListener("input", () => refresh(m));
  return m;
}

/** Another step, or another run. */
export function show(m: Inspector, shown: Shown): void {
  if (m.shown?.source !== shown.source) fillNodes(m, shown.source);
  m.shown = shown;
  const besides = m.views[2] as HTMLInputElement;
  if (shown.beside === undefined && besides.checked) {
    (m.views[0] as HTMLInputElement).checked = true;
  }
  (besides.parentElement as HTMLElement).hidden = shown.beside === undefined;
  eventText(m, shown);
  effectsText(m, shown);
  refresh(m);
}

function fillNodes(m: Inspector, source: Source): void {
  const { nodes } = source.recording.scenario;
  const options = nodes.map((node, i) => el("option", { value: i }, node.id));
  m.nodes.replaceChildren(el("option", { value: -1 }, "the node that stepped"), ...options);
  if (m.node >= options.length) m.node = -1;
  m.nodes.value = String(m.node);
}

function eventText(m: Inspector, { source, step }: Shown): void {
  const r = source.recording;
  const record = r.steps[step];
  if (record === undefined) return m.event.replaceChildren(el("p", {}, "There is no such step."));
  const id = (node: number): string => r.scenario.nodes[node]?.id ?? "";
  const life = r.lives[record.life];
  const connection = life === undefined ? ""
    : `, connection ${life.generation} of ${id(life.from)} and ${id(life.to)}`;
  const when = `step ${countText(step)} of ${countText(r.steps.length)}, ${clockText(record.atUs)}`;
  const flags = r.flags.filter((flag) => flag.step === step).map((flag) => {
    return el("p", { class: `flag ${flag.kind}` }, `${signs[flag.kind]} ${flag.says}`);
  });
  const { atUs } = record;
  const on = r.bands.filter((b) => b.fromUs <= atUs && atUs < b.toUs && b.kind !== "heal");
  const meanwhile = `meanwhile: ${on.map((band) => band.says).join("; ")}`;
  m.event.replaceChildren(
    el("p", { class: "when" }, when),
    el("p", { class: "says" }, `${id(record.node)}: ${record.says}`),
    el("p", { class: "when" }, el("code", {}, record.event), connection), ...flags,
    ...(on.length === 0 ? [] : [el("p", { class: "when" }, meanwhile)]),
  );
}

const signs = { goal: "⚑", mark: "·", violation: "✗", heal: "✚", task: "▸" } as const;

function effectsText(m: Inspector, { source, step }: Shown): void {
  const effects = source.recording.steps[step]?.effects ?? [];
  const list = effects.length === 0 ? el("p", { class: "none" }, "none")
    : el("ol", { class: "effects mono" }, ...effects.map((effect) => el("li", {}, effect)));
  m.effects.replaceChildren(el("h2", {}, "Effects"), list);
}

/** Asks for what is to be seen, and shows it once it is there. */
export function refresh(m: Inspector): void {
  m.turn += 1;
  const { turn } = m;
  const frame = (): void => {
    if (m.turn !== turn || m.shown === undefined) return;
    if (attempt(m, m.shown)) return;
    m.state.replaceChildren(el("p", { class: "none" }, "running to this step …"));
    m.shown.source.work();
    m.shown.beside?.source.work();
    requestAnimationFrame(frame);
  };
  frame();
}

/** False when states are missing yet. */
function attempt(m: Inspector, { source, step, beside }: Shown): boolean {
  const stepping = source.recording.steps[step]?.node ?? 0;
  const node = m.node < 0 ? stepping : m.node;
  const pair = stateAt(source, step, node);
  if (pair === undefined) return false;
  const view = m.views.find((one) => one.checked)?.value;
  const filter = m.filter.value.trim().toLowerCase();
  m.filter.parentElement?.toggleAttribute("hidden", view !== "whole");
  const id = source.recording.scenario.nodes[node]?.id ?? "";
  if (view === "whole") {
    const changed = new Set(changesOf(pair.before, pair.after).map(pathText));
    const box = wholeText(pair.after, changed, filter, id);
    m.state.replaceChildren(box);
    const leaf = box.querySelector(".leaf.changed");
    if (leaf instanceof HTMLElement) box.scrollTop = leaf.offsetTop - box.offsetTop - 80;
    return true;
  }
  if (view === "beside" && beside !== undefined) {
    const other = beside.source.recording.scenario.nodes.findIndex((one) => one.id === id);
    const there = stateAt(beside.source, beside.step, other);
    if (there === undefined) return false;
    const says = `${id} is the same in both runs.`;
    m.state.replaceChildren(changesText(changesOf(there.after, pair.after), says));
    return true;
  }
  const changes = changesOf(pair.before, pair.after);
  m.state.replaceChildren(changesText(changes, `Nothing changed in ${id}.`));
  return true;
}

/** After one portion at most: most answers need no more, and nothing flickers. */
function stateAt(source: Source, step: number, node: number): ReturnType<Source["states"]> {
  const known = source.states(step, node);
  if (known !== undefined) return known;
  source.work();
  return source.states(step, node);
}

function pathText(change: Change): string {
  return change.path.join(" ");
}

function changesText(changes: readonly Change[], none: string): HTMLElement {
  if (changes.length === 0) return el("p", { class: "none" }, none);
  const items = changes.slice(0, changesMax).map((change) => {
    const path = change.path.length === 0 ? "all" : change.path.join(" › ");
    const parts: HTMLElement[] = [el("span", { class: "path" }, `${path}  `)];
    if (change.before !== undefined) parts.push(el("del", {}, briefText(change.before)));
    if (change.before !== undefined && change.after !== undefined) parts.push(el("span", {}, " "));
    if (change.after !== undefined) parts.push(el("ins", {}, briefText(change.after)));
    return el("li", {}, ...parts);
  });
  if (changes.length > changesMax) {
    items.push(el("li", { class: "none" }, `and ${countText(changes.length - changesMax)} more`));
  }
  return el("ul", { class: "changes mono", tabindex: "0", "aria-label": "Changes" }, ...items);
}

function wholeText(
  tree: Tree | undefined, changed: ReadonlySet<string>, filter: string, id: string,
): HTMLElement {
  const none = `${id} is down, or there is no state of it.`;
  if (tree === undefined) return el("p", { class: "none" }, none);
  const box = el("div", { class: "tree mono", tabindex: "0", "aria-label": `State of ${id}` });
  const entries = isBranch(tree) ? tree : [["", tree] as const];
  for (const [name, part] of entries) {
    const made = branch(name, part, [name], changed, filter, false);
    if (made !== undefined) box.append(made);
  }
  if (box.childNodes.length === 0) box.append(el("p", { class: "none" }, "nothing says that"));
  return box;
}

function branch(
  name: string, tree: Tree, path: readonly string[], changed: ReadonlySet<string>, filter: string,
  isWanted: boolean,
): HTMLElement | undefined {
  const isHit = isWanted || filter === "" || name.toLowerCase().includes(filter);
  const here = path.join(" ");
  if (!isBranch(tree)) {
    if (!isHit && !tree.toLowerCase().includes(filter)) return undefined;
    const className = changed.has(here) ? "leaf changed" : "leaf";
    return el("div", { class: className }, el("span", { class: "path" }, `${name} `), tree);
  }
  const parts = tree.flatMap(([own, part]) => {
    return branch(own, part, [...path, own], changed, filter, isHit && filter !== "") ?? [];
  });
  if (parts.length === 0 && filter !== "" && !isHit) return undefined;
  const holds = [...changed].some((one) => one === here || one.startsWith(`${here} `));
  const isOpen = filter !== "" || holds || path.length === 1 && parts.length <= 12;
  const title = el("span", { class: "path" }, name);
  const summary = el("summary", holds ? { class: "changed" } : {}, title, ` ${tree.length}`);
  return el("details", isOpen ? { open: true } : {}, summary, ...parts);
}
