/**
 * A picture as geometry: everything that is drawn, where, in whole pixels.
 *
 * Rule 1: the drawing itself (`svg.ts`) decides no place, and what a browser adds
 * (`cli/sim/viewer`) reads places from here.
 * Rule 2: a message slopes from the instant at which it was sent to the one at which it was read;
 * one that was never read is cut on its way.
 * Rule 3: only the stops `from` to `to` are drawn, so that a run of any length can be looked at.
 * @module
 */
import type { Band, Flag, Message, Recording, StepRecord } from "../recording.ts";
import type { Lanes } from "./lanes.ts";
import * as scale from "./scale.ts";
import * as slots from "./slots.ts";
import { bandsOf, isShown, notable, type Stops } from "./stops.ts";
import { cutText } from "./words.ts";

export type Options = {
  /** Pixels from lane to lane. */
  readonly pitch: number;
  /** Pixels left for times and right for notes. */
  readonly left: number;
  readonly right: number;
  readonly from: number;
  readonly to: number;
};

export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly lanes: readonly Lane[];
  readonly scale: scale.Scale;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
  readonly bands: readonly BandBox[];
  readonly arrows: readonly Arrow[];
  readonly notes: readonly Note[];
  readonly options: Options;
};

export type Lane = {
  readonly node: number; readonly id: string; readonly kind: string; readonly x: number;
};

/** A step (or the edge of a fault) on its line. */
export type Row = {
  readonly y: number; readonly atUs: number; readonly step: number; readonly x: number;
  /** What it did, when no message says so. */
  readonly label: Label | undefined;
};
export type Label = {
  readonly x: number; readonly y: number; readonly anchor: "start" | "middle" | "end";
  readonly text: string;
};

export type Bar = {
  readonly x: number; readonly y1: number; readonly y2: number; readonly generation: number;
  readonly opens: boolean; readonly ends: boolean; readonly life: number; readonly node: number;
};

export type BandBox = {
  readonly band: Band; readonly x: number; readonly y: number; readonly width: number;
  readonly height: number; readonly family: Family; readonly label: Label;
  readonly isInstant: boolean;
};

export type Arrow = {
  readonly message: Message; readonly x1: number; readonly y1: number; readonly x2: number;
  readonly y2: number;
  /**
   * `lost`: never read. `under way`: neither read nor lost when the run ended. `leaves`, `enters`:
   * its other end is beyond what is drawn.
   */
  readonly fate: "got" | "lost" | "under way" | "leaves" | "enters";
  readonly generation: number; readonly label: Label | undefined;
};

export type Note = {
  readonly flag: Flag; readonly x: number; readonly y: number; readonly textY: number;
  readonly text: string;
};

/** What faults of one colour do. */
export type Family = "loss" | "delay" | "process" | "clock" | "disk" | "heal";
const families: { readonly [kind in Band["kind"]]: Family } = {
  cut: "loss", partition: "loss", halfOpen: "loss", reset: "loss", refuse: "loss", hang: "loss",
  slow: "delay", narrow: "delay", lateEnd: "delay", lateDial: "delay", chop: "delay",
  stall: "delay", pause: "process", crash: "process", restart: "process", jump: "clock",
  drift: "clock", diskSlow: "disk", diskFull: "disk", diskTorn: "disk", diskFails: "disk",
  tor: "loss", rpcWrong: "process", hookDown: "loss", barkdWrong: "process",
  serverWrong: "process", sourceWrong: "process", heal: "heal",
};
export const familyOf = (kind: Band["kind"]): Family => families[kind];

/** Average width of a character of a label, in quarters of a pixel. */
const charQuarters = 23;
const lostPx = 26;
const violationPx = 74;
const edgePx = 8;
const lostRoomPx = 16;
const underWayUs = 2_000_000;

type Draft = {
  readonly r: Recording; readonly lanes: Lanes; readonly stops: Stops; readonly o: Options;
  readonly s: scale.Scale; readonly slots: slots.Slots; readonly xs: readonly number[];
  readonly flags: readonly Flag[];
  /** Steps that a note speaks for. */
  readonly noted: ReadonlySet<number>;
};

/** Lays out the stops `from` to `to` of a run. */
export function layOut(r: Recording, lanes: Lanes, stops: Stops, o: Options): Layout {
  const violation = r.flags.find((flag) => flag.kind === "violation")?.step ?? -1;
  const s = scale.scaleOf(stops.list, o.from, o.to, (stop) => {
    if (stop.step < 0) return edgePx;
    if (stop.step === violation) return violationPx;
    return stops.sent.get(stop.step)?.some((m) => m.gotStep < 0) === true ? lostRoomPx : 0;
  });
  const fromUs = stops.list[o.from]?.atUs ?? 0;
  const toUs = stops.list[o.to - 1]?.atUs ?? 0;
  const xs = lanes.nodes.map((_, place) => o.left + Math.floor(o.pitch * (2 * place + 1) / 2));
  const flags = notable(r);
  const d: Draft = {
    r, lanes, stops, o, s, xs, slots: slots.slotsOf(r, lanes, fromUs, toUs), flags,
    noted: new Set(flags.map((flag) => flag.step)),
  };
  return {
    width: o.left + o.pitch * lanes.nodes.length + o.right, height: s.height, scale: s,
    lanes: lanes.nodes.map((node, place) => laneOf(d, node, place)),
    rows: rowsOf(d), bars: barsOf(d), bands: boxesOf(d), arrows: arrowsOf(d), notes: notesOf(d),
    options: o,
  };
}

function laneOf(d: Draft, node: number, place: number): Lane {
  const spec = d.r.scenario.nodes[node];
  return { node, id: spec?.id ?? String(node), kind: spec?.kind ?? "", x: d.xs[place] as number };
}

function xOf(d: Draft, node: number): number {
  return d.xs[d.lanes.places[node] ?? -1] ?? d.o.left;
}

function rowsOf(d: Draft): Row[] {
  return d.s.ys.map((y, i) => {
    const { atUs, step } = d.stops.list[d.s.from + i] as { atUs: number; step: number };
    const node = d.r.steps[step]?.node ?? -1;
    return { y, atUs, step, x: step < 0 ? 0 : xOf(d, node), label: stepLabel(d, step, y) };
  });
}

/** Only steps that no message and no note speaks for. */
function stepLabel(d: Draft, step: number, y: number): Label | undefined {
  const record = d.r.steps[step];
  if (record === undefined || d.noted.has(step)) return undefined;
  if (d.stops.sent.has(step) || d.stops.got.has(step)) return undefined;
  const isLast = d.lanes.places[record.node] === d.lanes.nodes.length - 1;
  const room = isLast ? Math.floor(d.o.pitch / 2) : d.o.pitch - 24;
  const text = cutText(shortText(record), charsIn(room - d.slots.widest));
  return { x: xOf(d, record.node) + d.slots.widest + 12, y: y + 4, anchor: "start", text };
}

/** What is said beside a lane; who is meant can be seen. */
function shortText(record: StepRecord): string {
  switch (record.event) {
    case "conn.opened": return "accepts";
    case "conn.dialed": return "connected";
    case "conn.closed": return `ends: ${record.says.replace(/^.*: /, "")}`;
    case "tick": return actOf(record) ?? record.says;
    default: return record.says;
  }
}

/** What a deadline led to, when nothing was sent. */
function actOf(record: StepRecord): string | undefined {
  const act = record.effects.find((effect) => /^conn\.(dial|close)\b/.test(effect));
  if (act === undefined) return undefined;
  return act.startsWith("conn.dial") ? "dials" : act.replace(/^conn\.close/, "closes");
}

function barsOf(d: Draft): Bar[] {
  return d.slots.ends.map((end) => {
    const y1 = scale.yOf(d.s, end.fromUs);
    const y2 = end.toUs < 0 ? d.s.height : scale.yOf(d.s, end.toUs);
    const x = xOf(d, end.node) + (d.slots.offsets.get(end.key) ?? 0);
    return {
      x, y1, y2, generation: end.generation, life: end.life, node: end.node,
      opens: y1 > 0, ends: end.toUs >= 0 && y2 < d.s.height,
    };
  });
}

function boxesOf(d: Draft): BandBox[] {
  const first = d.stops.list[d.s.from]?.atUs ?? 0;
  const last = d.stops.list[d.s.to - 1]?.atUs ?? 0;
  const boxes: BandBox[] = [];
  const taken: { readonly band: Band; readonly depth: number }[] = [];
  for (const band of bandsOf(d.r, d.lanes)) {
    if (band.kind === "heal" || band.fromUs > last || band.toUs < first) continue;
    const depth = depthOf(taken, band);
    taken.push({ band, depth });
    boxes.push(boxOf(d, band, depth));
  }
  return boxes;
}

/** How many bands of the same place lie under this one. */
function depthOf(
  taken: readonly { readonly band: Band; readonly depth: number }[], band: Band,
): number {
  const place = String(band.nodes);
  const under = taken.filter((other) => {
    return String(other.band.nodes) === place && other.band.toUs > band.fromUs;
  });
  const used = new Set(under.map((other) => other.depth));
  let depth = 0;
  while (used.has(depth)) depth += 1;
  return depth;
}

function boxOf(d: Draft, band: Band, depth: number): BandBox {
  const shown = band.nodes.flatMap((node) => d.xs[d.lanes.places[node] ?? -1] ?? []);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const isLink = band.isLink && shown.length > 1;
  const inset = isLink ? 10 + depth * 8 : -26 + depth * 5;
  const isInstant = band.toUs <= band.fromUs;
  const y = scale.yOf(d.s, band.fromUs);
  const bottom = isInstant ? y + 4 : scale.yOf(d.s, band.toUs);
  const x = low + inset;
  const width = Math.max(12, high - low - 2 * inset);
  const chars = charsIn(Math.max(width, d.o.pitch) - 8);
  const label: Label = {
    x: x + Math.floor(width / 2), y: Math.max(y, 2) + 15, anchor: "middle",
    text: cutText(band.says, chars),
  };
  const height = Math.max(4, bottom - y);
  return { band, x, y, width, height, family: familyOf(band.kind), label, isInstant };
}

function arrowsOf(d: Draft): Arrow[] {
  const arrows: Arrow[] = [];
  for (let i = d.s.from; i < d.s.to; i += 1) {
    const { step } = d.stops.list[i] as { step: number };
    if (step < 0) continue;
    for (const message of d.stops.sent.get(step) ?? []) arrows.push(arrowOf(d, message, i));
    for (const message of d.stops.got.get(step) ?? []) {
      if ((d.stops.places[message.sentStep] ?? -1) < d.s.from) arrows.push(entering(d, message, i));
    }
  }
  return thinned(arrows);
}

function arrowOf(d: Draft, message: Message, i: number): Arrow {
  const y1 = d.s.ys[i - d.s.from] as number;
  const [x1, x2] = [endX(d, message, message.from), endX(d, message, message.to)];
  const generation = d.r.lives[message.life]?.generation ?? 1;
  const base = { message, generation, x1, y1 };
  if (message.gotStep < 0) {
    const end = { x2: Math.round(x1 + (x2 - x1) * 3 / 5), y2: y1 + lostPx };
    const fate = isUnderWay(d.r, message) ? "under way" : "lost";
    return labelled(d, { ...base, ...end, fate, label: undefined }, x2);
  }
  const y2 = scale.yOfStop(d.s, d.stops.places[message.gotStep] ?? -1);
  if (y2 !== undefined) return labelled(d, { ...base, x2, y2, fate: "got", label: undefined }, x2);
  const middle = Math.round((x1 + x2) / 2);
  return labelled(d, {
    ...base, x2: middle, y2: d.s.height, fate: "leaves", label: undefined,
  }, x2);
}

/** Sent shortly before the end of the run, to somebody who still listens? */
function isUnderWay(r: Recording, message: Message): boolean {
  if (r.outcome.virtualMs * 1_000 - message.sentUs > underWayUs) return false;
  const life = r.lives[message.life];
  return (life?.to === message.to ? life.toEndUs : life?.fromEndUs ?? 0) === -1;
}

function entering(d: Draft, message: Message, i: number): Arrow {
  const [x1, x2] = [endX(d, message, message.from), endX(d, message, message.to)];
  const y2 = d.s.ys[i - d.s.from] as number;
  const generation = d.r.lives[message.life]?.generation ?? 1;
  const x = Math.round((x1 + x2) / 2);
  const arrow: Arrow = {
    message, generation, x1: x, y1: 0, x2, y2, fate: "enters", label: undefined,
  };
  return labelled(d, arrow, x2);
}

function endX(d: Draft, message: Message, node: number): number {
  const key = slots.keyOf(d.r.lives, message.life, node);
  return xOf(d, node) + (d.slots.offsets.get(key) ?? 0);
}

/** The label stands in the gap beside the end that is no directory: there no other stands. */
function labelled(d: Draft, arrow: Arrow, farX: number): Arrow {
  const { message, x1, y1, x2, y2 } = arrow;
  const nodes = d.r.scenario.nodes;
  const isAtSource = nodes[message.to]?.kind === "directory" && arrow.fate !== "enters";
  const direction = farX >= x1 ? 1 : -1;
  const half = Math.floor(d.o.pitch / 2);
  const wanted = isAtSource ? x1 + direction * half : farX - direction * half;
  const isShort = arrow.fate === "lost" || arrow.fate === "under way";
  const x = isShort ? Math.round((x1 + x2) / 2) : within(wanted, x1, x2);
  const part = x2 === x1 ? 0 : (x - x1) / (x2 - x1);
  const y = Math.round(y1 + (y2 - y1) * part) - 5;
  const text = cutText(message.says, charsIn(d.o.pitch - 26));
  return { ...arrow, label: { x, y, anchor: "middle", text } };
}

function within(x: number, a: number, b: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), x));
}

/** Of many equal messages of one step in a row only the longest keeps its label. */
function thinned(arrows: readonly Arrow[]): Arrow[] {
  const groups = new Map<string, Arrow[]>();
  for (const arrow of arrows) {
    const key = `${arrow.message.sentStep} ${arrow.message.says}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [arrow]);
    else group.push(arrow);
  }
  return arrows.map((arrow) => {
    const group = groups.get(`${arrow.message.sentStep} ${arrow.message.says}`) ?? [];
    return group.length <= 4 || isLongest(group, arrow) ? arrow : { ...arrow, label: undefined };
  });
}

function isLongest(group: readonly Arrow[], arrow: Arrow): boolean {
  const length = (a: Arrow): number => Math.abs(a.x2 - a.x1);
  return group.every((other) => length(other) <= length(arrow)) && group.find((other) => {
    return length(other) === length(arrow);
  }) === arrow;
}

function notesOf(d: Draft): Note[] {
  const notes: Note[] = [];
  let free = 0;
  for (const flag of d.flags) {
    const isOwn = flag.kind === "mark" || flag.kind === "task";
    if (isOwn && !isShown(d.lanes, flag.node)) continue;
    const place = flag.step < 0 ? -1 : d.stops.places[flag.step] ?? -1;
    const y = place >= 0 ? scale.yOfStop(d.s, place) : inside(d, flag.atUs);
    if (y === undefined) continue;
    const textY = Math.max(y + 4, free);
    free = textY + 15;
    const x = (d.lanes.places[flag.node] ?? -1) < 0 ? d.o.left : xOf(d, flag.node);
    notes.push({ flag, x, y, textY, text: cutText(flag.says, charsIn(d.o.right - 34)) });
  }
  return notes;
}

function inside(d: Draft, atUs: number): number | undefined {
  const y = scale.yOf(d.s, atUs);
  return y <= 0 || y >= d.s.height ? undefined : y;
}

function charsIn(px: number): number {
  return Math.max(4, Math.floor(px * 4 / charQuarters));
}
