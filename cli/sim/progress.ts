/**
 * How a search looks while it runs: a few lines redrawn in place, or one line now and then.
 *
 * Rule 1: made from a tally and a clock reading alone; no clock is read here.
 * Rule 2: ASCII where the terminal knows no more; colour only where it is wanted.
 * @module
 */
import { countText, harmNames, plainSigns, type Signs, signs, spanText } from "../../sim/words.ts";
import { type GoalMode, missing, namesGoals, shareText } from "./goals.ts";
import type { Recipe } from "./job.ts";
import type { Tally } from "./tally.ts";
import { shortSeed } from "./seeds.ts";

export type View = {
  /** `hunt std`, `cover chaos`. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly code: string;
  readonly jobs: number;
  readonly range: string;
  /** Seeds of this run of the program, and how long it has taken. */
  readonly freshSeeds: number;
  readonly freshSteps: number;
  readonly freshVirtualMs: number;
  readonly elapsedMs: number;
  /** Seeds in all, or the time that was given instead. */
  readonly total: number;
  readonly forMs: number | undefined;
  readonly tally: Tally;
  readonly goalMode: GoalMode;
  /** What is being done about the findings, in words. */
  readonly doing: string;
};

export type Look = {
  readonly columns: number;
  readonly isPlain: boolean;
  readonly isColoured: boolean;
};

const barCells = 20;
const faultsShown = 6;

/** The lines of a live view. */
export function frame(v: View, look: Look): string[] {
  const s = look.isPlain ? plainSigns : signs;
  const dot = ` ${s.dot} `;
  const { tally: t } = v;
  const head = [`dogwatch sim ${v.name}`, v.code, cores(v.jobs), `seeds ${v.range}`].join(dot);
  const lines = [
    head,
    ` ${bar(v, s, look)}  ${seedsText(v)}   ${rateText(v)}   ${etaText(v)}`,
    ` virtual ${virtualText(t.virtualMs)}${dot}${ratioText(v)}${dot}${eventsText(v)}${dot}${
      twiceText(t, s)}`,
    ` faults  ${faultsText(t, dot)}`,
    ` goals   ${goalsText(v)}`,
    ...foundLines(v, s, look),
  ];
  return lines.map((line) => cut(line, look.columns));
}

/** One line, for logs. */
export function line(v: View): string {
  const { tally: t } = v;
  if (v.doing !== "") return `${v.name}: ${v.doing}`;
  const lacking = lackingOf(v).map((name) => name.split(" ")[0]);
  const goals = shareText(t, v.recipe);
  const parts = [
    `${v.name}: ${seedsText(v)}`, rateText(v), etaText(v), `virtual ${virtualText(t.virtualMs)}`,
    ratioText(v), eventsText(v), twiceText(t, plainSigns),
    `goals ${goals}${lacking.length === 0 ? "" : ` (not ${shortened(lacking)})`}`,
    ...(t.found.length > 0 ? [`found ${t.found.map(({ finding }) => finding.id).join(" ")}`] : []),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

const idsShown = 8;

function shortened(ids: readonly (string | undefined)[]): string {
  const more = ids.length - idsShown;
  return ids.slice(0, idsShown).join(" ") + (more > 0 ? ` and ${more} more` : "");
}

function cores(jobs: number): string {
  return jobs === 1 ? "1 process" : `${jobs} processes`;
}

function done(v: View): number {
  const share = v.forMs === undefined ? v.tally.seeds / v.total : v.elapsedMs / v.forMs;
  return Math.min(1, Math.max(0, share));
}

function bar(v: View, s: Signs, look: Look): string {
  const eighths = Math.floor(done(v) * barCells * 8);
  const full = Math.floor(eighths / 8);
  const part = (s.bars[eighths % 8] ?? "").trim();
  const text = `${(s.bars[8] ?? "#").repeat(full)}${part}`;
  return paint(text.padEnd(barCells, look.isPlain ? "." : "░"), "36", look);
}

function seedsText(v: View): string {
  const seeds = countText(v.tally.seeds);
  if (v.forMs !== undefined) return `${seeds} seeds of ${spanText(v.forMs)}`;
  return `${seeds} / ${countText(v.total)} seeds`;
}

function seconds(v: View): number {
  return Math.max(v.elapsedMs, 1) / 1_000;
}

function rateText(v: View): string {
  const rate = v.freshSeeds / seconds(v);
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

function etaText(v: View): string {
  const share = done(v);
  if (v.forMs !== undefined) return `${spanText(whole(Math.max(0, v.forMs - v.elapsedMs)))} left`;
  if (v.freshSeeds === 0 || share >= 1) return "";
  const left = (v.total - v.tally.seeds) * (v.elapsedMs / v.freshSeeds);
  return `eta ${spanText(whole(left))}`;
}

function whole(ms: number): number {
  return Math.round(ms / 1_000) * 1_000;
}

const dayMs = 86_400_000;

/** Virtual time in days and hours, or years. */
export function virtualText(ms: number): string {
  const days = Math.floor(ms / dayMs);
  if (days >= 730) return `${(days / 365.25).toFixed(1)} years`;
  const hours = Math.floor((ms % dayMs) / 3_600_000);
  return days === 0 ? spanText(whole(ms)) : `${days} d ${hours} h`;
}

function ratioText(v: View): string {
  const ratio = v.freshVirtualMs / Math.max(v.elapsedMs, 1) / v.jobs;
  return `${countText(Math.round(ratio))} : 1 per process`;
}

function eventsText(v: View): string {
  return `${countText(Math.round(v.freshSteps / seconds(v) / 1_000 / v.jobs))} k ev/s/process`;
}

function twiceText(t: Tally, s: Signs): string {
  if (t.twice === 0) return "determinism not yet";
  const same = t.twice - t.differing.length;
  const mark = same === t.twice ? s.pass : s.fail;
  return `determinism ${countText(same)}/${countText(t.twice)} ${mark}`;
}

/** A count in three digits: `940`, `9.1k`, `12k`, `3.4M`. */
export function shortCount(n: number): string {
  if (n < 1_000) return String(n);
  const [value, unit] = n < 1_000_000 ? [n / 1_000, "k"] : [n / 1_000_000, "M"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

function faultsText(t: Tally, dot: string): string {
  const kinds = Object.entries(t.faults).filter(([, count]) => count.fired > 0)
    .sort(([a, x], [b, y]) => y.fired - x.fired || (a < b ? -1 : 1));
  if (kinds.length === 0) return "none yet";
  const shown = kinds.slice(0, faultsShown).map(([kind, { fired }]) =>
    `${harmNames[kind as keyof typeof harmNames]} ${shortCount(fired)}`);
  const more = kinds.length - shown.length;
  return shown.join(dot) + (more > 0 ? `${dot}${more} more` : "");
}

const missingShown = 3;

/** The goals that are missing, where that says something already. */
function lackingOf({ tally, recipe, goalMode }: View): readonly string[] {
  return namesGoals(tally, goalMode) ? missing(tally, recipe) : [];
}

function goalsText(v: View): string {
  const lacking = lackingOf(v);
  const share = shareText(v.tally, v.recipe);
  if (lacking.length === 0) return share;
  const shown = lacking.slice(0, missingShown).join(", ");
  const more = lacking.length - missingShown;
  return `${share}   missing: ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

const foundShown = 4;

function foundLines(v: View, s: Signs, look: Look): string[] {
  const { found, broken, touched, differing } = v.tally;
  const odd = [
    ...(broken.length > 0 ? [`${broken.length} seeds crashed their worker`] : []),
    ...(touched.length > 0 ? [`${touched.length} seeds reached for a clock or chance`] : []),
    ...(differing.length > 0 ? [`${differing.length} seeds gave different runs`] : []),
  ];
  const shown = found.slice(0, foundShown).map(({ finding, verdict, seed, count }) => {
    const times = count === 1 ? "" : ` (${countText(count)} seeds)`;
    return `${finding.id} (${verdict})  seed ${shortSeed(seed)}${times}`;
  });
  const rest = found.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  if (v.doing !== "") shown.push(v.doing);
  const lines = [...shown, ...odd];
  if (lines.length === 0) return [" found   nothing"];
  return lines.map((text, i) => {
    const label = i === 0 ? " found   " : "         ";
    return label + paint(`${i < found.length ? `${s.fail} ` : ""}${text}`, "31", look);
  });
}

function paint(text: string, code: string, look: Look): string {
  return look.isColoured ? `\x1b[${code}m${text}\x1b[0m` : text;
}

const escape = "\x1b[";

/** At most so many columns, escapes not counted. */
function cut(text: string, columns: number): string {
  const [first = "", ...painted] = text.split(escape);
  let room = columns;
  const piece = (part: string): string => {
    const letters = Array.from(part).slice(0, room);
    room -= letters.length;
    return letters.join("");
  };
  let out = piece(first);
  for (const part of painted) {
    const end = part.indexOf("m") + 1;
    out += escape + part.slice(0, end) + piece(part.slice(end));
  }
  return out;
}
