/**
 * A picture's geometry as SVG.
 *
 * Rule 1: whatever a run says is escaped: it may come from a peer, by way of a recorded trace.
 * Rule 2: no script, no reference to anything outside; what can be chosen carries `data-step`.
 * @module
 */
import type { Recording } from "../recording.ts";
import type { Arrow, BandBox, Bar, Label, Layout, Note, Row } from "./layout.ts";
import type { Fold } from "./scale.ts";
import { clockText, escaped, fitted, gapText, wrapped } from "./words.ts";
import { countText, plural } from "../words.ts";

/** The height of the names above the lanes. */
export const namesPx = 46;

/** Between a name and the edge of its box. */
const namePadPx = 6;

/** The names of the lanes, `namesPx` high. */
export function names(l: Layout): string {
  const parts = l.lanes.map((lane) => {
    const width = l.options.pitch - 14;
    const kind = lane.kind === "directory" ? "name dir" : "name";
    const id = fitted(lane.id, width - 2 * namePadPx);
    return `<g class="${kind}"><title>${escaped(lane.id)}</title>`
      + `<rect x="${lane.x - Math.floor(width / 2)}" y="4" width="${width}" height="36" rx="9"/>`
      + `<text x="${lane.x}" y="20">${escaped(id)}</text>`
      + `<text class="kind" x="${lane.x}" y="33">${escaped(lane.kind)}</text></g>`;
  });
  return parts.join("");
}

/** Everything below the names; the top is at 0. */
export function body(r: Recording, l: Layout): string {
  const bottom = l.height;
  const lanes = l.lanes.map((lane) => {
    return `<line class="lane" x1="${lane.x}" y1="0" x2="${lane.x}" y2="${bottom}"/>`;
  });
  return [
    ...l.bands.map(bandText), ...lanes, ...l.bars.map((bar) => barText(bar)),
    ...l.rows.map((row, i) => timeOf(l, row, i)), ...l.scale.folds.map((fold) => foldText(l, fold)),
    ...l.bands.map(bandLabel), ...l.arrows.map((arrow) => arrowText(r, l, arrow)),
    ...l.scale.folds.map((fold) => foldLabel(l, fold)), ...l.rows.map((row) => rowText(r, row)),
    ...l.notes.map((note) => noteText(r, l, note)),
  ].join("\n");
}

/** The tips of messages, one for each tint. */
export const definitions = `<defs>${[1, 2, 3, 4, 5, 6].map((g) => {
  return `<marker id="tip${g}" viewBox="0 0 8 8" refX="7" refY="4" `
    + `markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">`
    + `<path class="tip g${g}" d="M0 .8 8 4 0 7.2z"/>`
    + "</marker>";
}).join("")}</defs>`;

/** The class of a generation: six tints, over and over. */
export function tint(generation: number): string {
  return `g${(Math.max(1, generation) - 1) % 6 + 1}`;
}

function barText(bar: Bar): string {
  const g = tint(bar.generation);
  const { x, y1, y2 } = bar;
  const cap = bar.ends
    ? `<line class="cap ${g}" x1="${x - 5}" y1="${y2}" x2="${x + 5}" y2="${y2}"/>`
    : "";
  const number = bar.opens && bar.generation > 1
    ? `<text class="gen halo ${g}" x="${x}" y="${y1 - 5}">${bar.generation}</text>`
    : "";
  return `<line class="bar ${g}" x1="${x}" y1="${y1}" x2="${x}" y2="${y2}"/>${cap}${number}`;
}

/** The clock at a line, when there is room for it and it is new. */
function timeOf(l: Layout, row: Row, i: number): string {
  const before = l.rows[i - 1];
  const text = clockText(row.atUs);
  if (before !== undefined && clockText(before.atUs) === text) return "";
  const right = l.options.left - 12;
  return `<text class="time" x="${right}" y="${row.y + 4}">${text}</text>`;
}

/** A tear over the whole width, with what it leaves out. */
function foldText(l: Layout, fold: Fold): string {
  const right = l.width;
  const [top, bottom] = [fold.y - 11, fold.y + 11];
  const down: string[] = [];
  for (let x = 0; x <= right; x += toothPx) down.push(`${x} ${top + tooth(x)}`);
  const back: string[] = [];
  for (let x = right - right % toothPx; x >= 0; x -= toothPx) {
    back.push(`${x} ${bottom + tooth(x)}`);
  }
  return `<g class="fold"><path d="M-4 ${top}L${down.join("L")}L${right + 4} ${top}`
    + `V${bottom}L${back.join("L")}L-4 ${bottom}z"/></g>`;
}

/** Above the messages that cross it. */
function foldLabel(l: Layout, fold: Fold): string {
  const middle = l.options.left + Math.floor((l.width - l.options.left - l.options.right) / 2);
  const kind = fold.repeats > 0 ? "fold again" : "fold";
  return `<g class="${kind}"><text class="halo" x="${middle}" y="${fold.y + 4}">`
    + `${foldSays(fold)}</text></g>`;
}

const toothPx = 10;

function tooth(x: number): number {
  return x % (2 * toothPx) === 0 ? 2 : -2;
}

function foldSays(fold: Fold): string {
  if (fold.repeats > 0) {
    return `the same ${countText(fold.repeats)} times more, for ${gapText(fold.us)}`;
  }
  if (fold.steps === 0) return `${gapText(fold.us)}, nothing happens`;
  return `${gapText(fold.us)}, nothing relevant (${plural(fold.steps, "step")})`;
}

function bandText(box: BandBox): string {
  const { x, y, width, height } = box;
  return `<g class="band ${box.family}"><title>${escaped(box.band.says)}</title>`
    + `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/></g>`;
}

function bandLabel(box: BandBox): string {
  return `<g class="band ${box.family}">${labelText(box.label, "halo")}</g>`;
}

function arrowText(r: Recording, l: Layout, arrow: Arrow): string {
  const { message, x1, y1, x2, y2, fate } = arrow;
  const g = tint(arrow.generation);
  const kind = fate === "lost" ? " lost" : fate === "got" ? "" : " far";
  const tip = fate === "got" || fate === "enters" ? ` marker-end="url(#tip${g.slice(1)})"` : "";
  const ends = `x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"`;
  const cut = fate === "lost"
    ? `<text class="cut halo" x="${x2}" y="${y2 + 6}">✂</text>`
    : "";
  const label = arrow.label === undefined ? "" : labelText(arrow.label, "halo");
  const step = fate === "enters" ? message.gotStep : message.sentStep;
  return `<g class="msg ${g}${kind}" data-step="${step}">`
    + `<title>${escaped(messageText(r, l, arrow))}</title>`
    + `<line class="grip" ${ends}/><line class="way" ${ends}${tip}/>${cut}${label}</g>`;
}

/** One message in a sentence. */
function messageText(r: Recording, l: Layout, arrow: Arrow): string {
  const { message } = arrow;
  const id = (node: number): string => r.scenario.nodes[node]?.id ?? String(node);
  const never = arrow.fate === "under way" ? "under way when the run ended" : "never read";
  const got = message.gotStep < 0 ? never : `read ${clockText(message.gotUs)}`;
  return `${message.says}: ${id(message.from)} → ${id(message.to)}, `
    + `${plural(message.bytes, "byte")}, connection ${arrow.generation} of the two, `
    + `sent ${clockText(message.sentUs)}, ${got}`;
}

function rowText(r: Recording, row: Row): string {
  if (row.step < 0) return "";
  const says = r.steps[row.step]?.says ?? "";
  const label = row.label === undefined ? "" : labelText(row.label, "says halo");
  return `<g data-step="${row.step}"><title>step ${countText(row.step)}: ${escaped(says)}</title>`
    + `<circle class="dot" cx="${row.x}" cy="${row.y}" r="3.5"/>${label}</g>`;
}

const noteSigns = { goal: "⚑", mark: "·", violation: "✗", heal: "✚", task: "▸" } as const;

function noteText(r: Recording, l: Layout, note: Note): string {
  const { flag, x, y, textY } = note;
  if (flag.kind === "violation") return wrongText(r, l, note);
  const textX = l.width - l.options.right + 14;
  const from = flag.kind === "heal" ? l.options.left - 6 : x + 6;
  const line = `<line x1="${from}" y1="${y}" x2="${textX - 6}" y2="${y}"/>`;
  const title = `<title>${escaped(flag.says)}</title>`;
  return `<g class="note ${flag.kind}" data-step="${flag.step}">${title}`
    + `${line}<text class="halo" x="${textX}" y="${textY}">`
    + `${noteSigns[flag.kind]} ${escaped(note.text)}</text></g>`;
}

/** The violation: a bar over the whole width, below its step. */
function wrongText(r: Recording, l: Layout, note: Note): string {
  const { y } = note;
  const [left, right] = [10, l.width - 10];
  const says = r.outcome.finding?.says ?? note.flag.says;
  const id = r.outcome.finding?.id ?? "";
  const node = r.outcome.finding?.node ?? "";
  const lines = wrapped(says, Math.floor((right - left - 28) * 4 / 27), 2);
  const height = 26 + 17 * lines.length;
  const rest = lines.map((line, i) => {
    return `<text class="more" x="${left + 14}" y="${y + 46 + i * 17}">${escaped(line)}</text>`;
  });
  return `<g class="wrong" data-step="${note.flag.step}"><title>${escaped(says)}</title>`
    + `<rect x="${left}" y="${y + 10}" width="${right - left}" height="${height}" rx="8"/>`
    + `<text x="${left + 14}" y="${y + 28}">✗ ${escaped(id)} at ${escaped(node)}, `
    + `${clockText(note.flag.atUs)}</text>${rest.join("")}</g>`;
}

function labelText(label: Label, name: string): string {
  return `<text class="${name}" x="${label.x}" y="${label.y}" text-anchor="${label.anchor}">`
    + `${escaped(label.text)}</text>`;
}
