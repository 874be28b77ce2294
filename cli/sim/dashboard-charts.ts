/**
 * Small charts as inline SVG.
 *
 * Rule 1: one measure a chart, from zero; the last value is written beside its mark, every other
 * one is told by its tooltip.
 * Rule 2: colours come from the page's variables, so that they follow its scheme.
 * @module
 */
import type { Point } from "./dashboard-data.ts";

export type Chart = {
  readonly title: string;
  readonly about: string;
  readonly points: readonly Point[];
  readonly kind: "line" | "bars";
  readonly text: (value: number) => string;
};

const width = 360;
const height = 132;
const edge = { left: 6, right: 64, top: 14, bottom: 22 };
const barGap = 2;
const barMax = 24;

/** A chart with its title, or a word that there is nothing yet. */
export function chart(c: Chart): string {
  const about = `<span>${escaped(c.about)}</span>`;
  const head = `<figcaption><b>${escaped(c.title)}</b> ${about}</figcaption>`;
  const last = c.points.at(-1);
  if (last === undefined) return `<figure>${head}<p class="none">nothing yet</p></figure>`;
  const most = Math.max(1, ...c.points.map((point) => point.value));
  const inner = width - edge.left - edge.right;
  const step = inner / c.points.length;
  const x = (i: number): number => edge.left + (i + 0.5) * step;
  const base = height - edge.bottom;
  const y = (value: number): number => base - (value / most) * (base - edge.top);
  const marks = c.kind === "bars" ? bars(c, step, x, y, base) : line(c, x, y);
  const label = `<text class="value" x="${n(x(c.points.length - 1) + endGap(c, step))}" y="${
    n(y(last.value) + 4)}">${escaped(c.text(last.value))}</text>`;
  return `<figure>${head}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${
    escaped(`${c.title}: ${c.text(last.value)} on ${last.day}`)}">${
    `<line class="base" x1="${edge.left}" x2="${width - edge.right}" y1="${base}" y2="${base}"/>`}${
    marks}${label}${dayLabels(c, base)}</svg></figure>`;
}

function endGap(c: Chart, step: number): number {
  return c.kind === "bars" ? Math.min(barMax, step - barGap) / 2 + 6 : 10;
}

function dayLabels({ points }: Chart, base: number): string {
  const first = points[0]?.day ?? "";
  const last = points.at(-1)?.day ?? "";
  const left = `<text class="day" x="${edge.left}" y="${base + 15}">${first}</text>`;
  if (points.length < 4) return left;
  return `${left}<text class="day end" x="${width - edge.right}" y="${base + 15}">${last}</text>`;
}

type At = (value: number) => number;

function bars(c: Chart, step: number, x: At, y: At, base: number): string {
  const wide = Math.max(1, Math.min(barMax, step - barGap));
  return c.points.map(({ day, value }, i) => {
    const top = y(value);
    const tall = base - top;
    const round = Math.min(4, wide / 2, tall);
    const left = x(i) - wide / 2;
    const shape = `M${n(left)} ${base}v${n(round - tall)}q0 ${n(-round)} ${n(round)} ${n(-round)}h${
      n(wide - 2 * round)}q${n(round)} 0 ${n(round)} ${n(round)}v${n(tall - round)}z`;
    const tip = `<title>${escaped(`${day}: ${c.text(value)}`)}</title>`;
    const size = `width="${n(step)}" height="${base}"`;
    const hit = `<rect class="hit" x="${n(x(i) - step / 2)}" y="0" ${size}/>`;
    return `<g>${value === 0 ? "" : `<path class="bar" d="${shape}"/>`}${hit}${tip}</g>`;
  }).join("");
}

function line(c: Chart, x: At, y: At): string {
  const path = c.points.map(({ value }, i) =>
    `${i === 0 ? "M" : "L"}${n(x(i))} ${n(y(value))}`).join("");
  const dots = c.points.map(({ day, value }, i) => {
    const isLast = i === c.points.length - 1;
    const tip = `<title>${escaped(`${day}: ${c.text(value)}`)}</title>`;
    const at = `cx="${n(x(i))}" cy="${n(y(value))}"`;
    return `<g><circle class="dot${isLast ? " last" : ""}" ${at} r="${isLast ? 4 : 2.5}"/>${
      `<circle class="hit" ${at} r="12"/>`}${tip}</g>`;
  }).join("");
  return `<path class="line" d="${path}"/>${dots}`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text as HTML and SVG take it, also between quotes. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
