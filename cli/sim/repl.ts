/**
 * The words with which one steps through a film.
 *
 * Rule 1: every command answers in text and changes only where the film stands.
 * Rule 2: a command that is not understood says what there is.
 * @module
 */
import { marks as allMarks, type Mark } from "../../sim/scenario.ts";
import { stateLines } from "../../sim/diff.ts";
import { harmText, parseTime, timeText } from "../../sim/words.ts";
import { type Film, marksSeen, type Shot } from "./film.ts";
import { type Change, changesOf, fitted, lineOf } from "./changes.ts";
import { partLines, under } from "./parts.ts";
import { effectLines, shotLine } from "./shots.ts";

export type Repl = {
  readonly film: Film;
  breaks: Break[];
};

/** Where running stops. */
export type Break =
  | { readonly kind: "time"; readonly atMs: number }
  | { readonly kind: "step"; readonly step: number }
  | { readonly kind: "mark"; readonly mark: Mark; readonly node: string | undefined };

export type Said = { readonly text: string; readonly isOver: boolean };

type Handler = (r: Repl, args: readonly string[]) => string;

const linesMax = 400;
const changesMax = 24;

/** A film from its beginning. */
export function createRepl(film: Film): Repl {
  return { film, breaks: [] };
}

/** `MARK`, `MARK@NODE`, `mm:ss` or `#STEP`; `undefined`: none of these. */
export function readBreak(text: string): Break | undefined {
  const [name = "", node] = text.split("@");
  const mark = allMarks.find((one) => one === name);
  if (mark !== undefined) return { kind: "mark", mark, node };
  if (/^#[0-9]+$/.test(text)) return { kind: "step", step: Number(text.slice(1)) };
  const atMs = text.includes(":") || /[0-9]m?s$/.test(text) ? parseTime(text) : undefined;
  return atMs === undefined ? undefined : { kind: "time", atMs };
}

/** Does what a line says. */
export function say(r: Repl, line: string): Said {
  const [word = "", ...args] = line.trim().split(/\s+/);
  if (/^(q|quit|exit)$/.test(word)) return { text: "", isOver: true };
  if (word === "") return { text: "", isOver: false };
  const known = commands.find(({ names }) => names.includes(word));
  const text = known === undefined
    ? `unknown: ${word}; there is ${commands.map(({ names }) => names[0]).join(", ")}, quit`
    : known.run(r, args);
  return { text, isOver: false };
}

/** Where the film stands. */
export function whereText({ film }: Repl): string {
  const last = film.tail().at(-1);
  if (last === undefined) return `before the first step, ${timeText(film.nowMs())}`;
  return shotLine(last);
}

/** Runs until a break or the end. */
export function proceed(r: Repl): string {
  const { film } = r;
  const world = film.world();
  const counts = r.breaks.map((one) => countOf(one, film));
  for (;;) {
    const shot = film.next();
    if (shot === undefined) return `${whereText(r)}\n${film.verdict() ?? "no further step"}`;
    const hit = r.breaks.findIndex((one, i) => isHit(one, film, shot, counts[i] ?? 0));
    if (hit >= 0) return `${whereText(r)}\nstopped at ${breakText(r.breaks[hit] as Break)}`;
    if (world?.finding !== undefined) return `${whereText(r)}\n${film.verdict() ?? ""}`;
  }
}

function countOf(one: Break, film: Film): number {
  const world = film.world();
  if (one.kind === "mark") return world === undefined ? 0 : marksSeen(world, one.mark, one.node);
  if (one.kind === "time") return film.nowMs() >= one.atMs ? 1 : 0;
  return film.steps() > one.step ? 1 : 0;
}

function isHit(one: Break, film: Film, shot: Shot, before: number): boolean {
  if (one.kind === "mark") return countOf(one, film) > before;
  if (before > 0) return false;
  return one.kind === "time" ? shot.atMs >= one.atMs : shot.i >= one.step;
}

function breakText(one: Break): string {
  if (one.kind === "time") return timeText(one.atMs);
  if (one.kind === "step") return `#${one.step}`;
  return one.node === undefined ? one.mark : `${one.mark}@${one.node}`;
}

/** A number of steps; `undefined`: it is none. */
function amountOf(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function step(r: Repl, [count = "1"]: readonly string[]): string {
  const amount = amountOf(count);
  if (amount === undefined) return "step N, such as step 10";
  const lines: string[] = [];
  for (let i = 0; i < amount; i += 1) {
    const shot = r.film.next();
    if (shot === undefined) {
      lines.push(r.film.verdict() ?? "no further step");
      break;
    }
    lines.push(shotLine(shot));
  }
  return lines.slice(-linesMax).join("\n");
}

function back(r: Repl, [count = "1"]: readonly string[]): string {
  const amount = amountOf(count);
  if (amount === undefined) return "back N, such as back 10";
  r.film.seek(Math.max(0, r.film.steps() - amount));
  return whereText(r);
}

function goTo(r: Repl, [where = ""]: readonly string[]): string {
  const at = /^#?[0-9]+$/.test(where) ? Number(where.replace("#", "")) + 1 : undefined;
  const found = at === undefined ? readBreak(where) : undefined;
  if (at !== undefined) r.film.seek(at);
  else if (found?.kind === "time") toTime(r, found.atMs);
  else return "goto #STEP, goto STEP or goto mm:ss";
  return whereText(r);
}

function toTime(r: Repl, atMs: number): void {
  if (r.film.nowMs() >= atMs) r.film.seek(0);
  for (;;) {
    const shot = r.film.next();
    if (shot === undefined || shot.atMs >= atMs) return;
  }
}

/** To the next step of a node, or, with none named, of the node that is shown. */
function nextOf(r: Repl, [node = r.film.tail().at(-1)?.node]: readonly string[]): string {
  for (;;) {
    const shot = r.film.next();
    if (shot === undefined) return r.film.verdict() ?? "no further step";
    if (shot.node === node) return shotLine(shot);
  }
}

function addBreak(r: Repl, args: readonly string[]): string {
  for (const text of args) {
    const one = readBreak(text);
    if (one === undefined) {
      return `break MARK[@NODE], mm:ss or #STEP; marks: ${allMarks.join(", ")}`;
    }
    r.breaks.push(one);
  }
  const names = r.breaks.map(breakText).join(", ");
  return names === "" ? "no breaks" : `breaks at ${names}`;
}

function listed(r: Repl, [count = "10"]: readonly string[]): string {
  const amount = amountOf(count);
  if (amount === undefined) return "list N, such as list 20";
  const shots = r.film.tail().slice(-Math.max(1, amount));
  return shots.length === 0 ? whereText(r) : shots.map(shotLine).join("\n");
}

function state(r: Repl, [given, ...words]: readonly string[]): string {
  const isAll = words.at(-1) === "all";
  const [path] = isAll ? words.slice(0, -1) : words;
  const name = given ?? r.film.tail().at(-1)?.node;
  if (name === undefined || !r.film.nodes().includes(name)) return nodesText(r);
  const value = r.film.state(name);
  if (value === undefined) return `${name} is down`;
  const lines = stateLines(value);
  const wanted = isAll ? under(lines, path) : partLines(lines, path);
  return wanted.length === 0 ? `${name} has no ${path}` : wanted.join("\n");
}

/** What the last step changed in the state of its node; of one path only, or all of it. */
function changes({ film }: Repl, [path]: readonly string[]): string {
  const at = film.steps();
  const shot = film.tail().at(-1);
  if (shot === undefined) return "no step yet";
  film.seek(at - 1);
  // The state is one object that the machine changes: its text is taken before it does.
  const before = stateLines(film.state(shot.node));
  film.seek(at);
  const all = changesOf(before, stateLines(film.state(shot.node)));
  if (path === "all" || all.length === 0) return changesText(all);
  const wanted = path === undefined ? all : all.filter((one) => isAt(one, path));
  const shown = fitted(wanted, changesMax, path?.split(".").length);
  const hint = "\nchanges PATH tells more, changes all everything";
  return `${changesText(shown)}${shown.length < wanted.length ? hint : ""}`;
}

function isAt({ path }: Change, wanted: string): boolean {
  return path === wanted || path.startsWith(`${wanted}.`) || wanted.startsWith(`${path}.`);
}

function changesText(all: readonly Change[]): string {
  return all.length === 0 ? "nothing changed" : all.map(lineOf).join("\n");
}

function effects({ film }: Repl): string {
  const shot = film.tail().at(-1);
  return shot === undefined ? "no step yet" : effectLines(shot).join("\n");
}

function sockets(r: Repl, [node]: readonly string[]): string {
  const world = r.film.world();
  if (world === undefined) return "a recorded trace has no sockets";
  const shown = world.nodes.filter((one) => node === undefined || one.id === node);
  const lines = shown.flatMap((one) => [...one.sockets].map(([conn, socket]) => {
    const other = world.nodes[socket.peer.node]?.id ?? "nobody";
    const way = socket.isDialer ? "to" : "from";
    return `${one.id} conn ${conn} ${way} ${other}: ${socket.phase}, ${socket.system}`;
  }));
  return lines.length === 0 ? "no sockets" : lines.join("\n");
}

function marks(r: Repl, [node]: readonly string[]): string {
  const world = r.film.world();
  if (world === undefined) return "a recorded trace has no marks";
  const lines = world.nodes.filter((one) => node === undefined || one.id === node)
    .filter((one) => one.marks.size > 0)
    .map((one) => `${one.id}: ${[...one.marks].map(([mark, n]) => `${mark} ${n}`).join(", ")}`);
  return lines.length === 0 ? "no marks yet" : lines.join("\n");
}

function faults({ film }: Repl): string {
  const world = film.world();
  if (world === undefined) return "a recorded trace has no faults";
  const lines = [...world.active.values()].map(({ id, harm, fromUs, toUs }) =>
    `${id}: ${harmText(harm)}, ${timeText(Math.floor(fromUs / 1_000))} to ${
      timeText(Math.floor(toUs / 1_000))}`);
  const healed = world.healed ? ["the core is healed"] : [];
  const all = [...lines, ...healed];
  return all.length === 0 ? "no fault is active" : all.join("\n");
}

function nodesText({ film }: Repl): string {
  return film.nodes().map((name) => {
    const node = film.world()?.byId.get(name);
    if (node === undefined) return name;
    const up = node.kernel === undefined ? "down" : `up, process ${node.incarnation}`;
    return `${name}  ${node.kind}, ${up}, ${node.sockets.size} sockets`;
  }).join("\n");
}

type Command = { readonly names: readonly string[]; readonly about: string; readonly run: Handler };

const commands: readonly Command[] = [
  { names: ["step", "s"], about: "step [N]: one step, or N", run: step },
  { names: ["back", "b"], about: "back [N]: one step back, or N", run: back },
  { names: ["goto", "g", "to"], about: "goto #STEP or mm:ss: to that step, or the next one",
    run: goTo },
  { names: ["next", "n"], about: "next [NODE]: to the node's next step", run: nextOf },
  { names: ["break"], about: "break MARK[@NODE], mm:ss or #STEP: stop there", run: addBreak },
  { names: ["clear"], about: "clear: no breaks", run: (r) => {
    r.breaks = [];
    return "no breaks";
  } },
  { names: ["continue", "c", "run"], about: "continue: to the next break or the end",
    run: proceed },
  { names: ["where", "w"], about: "where: the last step", run: whereText },
  { names: ["list", "l"], about: "list [N]: the last steps", run: listed },
  { names: ["effects", "e"], about: "effects: of the last step, in full", run: effects },
  { names: ["state", "p"],
    about: "state [NODE [PATH] [all]]: a machine's state, or a part of it; all: nothing closed",
    run: state },
  { names: ["changes", "d"], about: "changes [PATH]: what the last step changed; changes all",
    run: changes },
  { names: ["nodes"], about: "nodes: who is there", run: nodesText },
  { names: ["sockets"], about: "sockets [NODE]: connections as processes see them", run: sockets },
  { names: ["marks"], about: "marks [NODE]: moments of the protocol so far", run: marks },
  { names: ["faults"], about: "faults: those that are active", run: faults },
  { names: ["help", "h", "?"], about: "help: this", run: help },
];

function help(): string {
  return [...commands.map(({ about }) => about), "quit"].join("\n");
}
