/**
 * A run as one SVG file, for issues and documents: the part that matters, with a title, the faults,
 * and a note of what was left out.
 * @module
 */
import type { Recording } from "../recording.ts";
import { faultText, partsText, plural, triggerText } from "../words.ts";
import { arrange, relevant } from "./lanes.ts";
import { familyOf, layOut } from "./layout.ts";
import { colours, drawing } from "./style.ts";
import { stopsOf } from "./stops.ts";
import * as svg from "./svg.ts";
import { around, focus, leftOut } from "./window.ts";
import { clockText, cutText, escaped, wrapped } from "./words.ts";

export type DrawOptions = {
  /** Lanes at most. 7. */
  readonly lanesMax?: number;
  /** Lines (events) at most. 120. */
  readonly stopsMax?: number;
};

const marginPx = 24;
const linePx = 19;
const widthMin = 760;

/** The SVG of a run. */
export function svgOf(r: Recording, options: DrawOptions = {}): string {
  const lanes = arrange(r, relevant(r, options.lanesMax ?? 7));
  const stops = stopsOf(r, lanes);
  const window = around(stops, focus(r, stops), options.stopsMax ?? 120);
  const pitch = lanes.nodes.length > 5 ? 150 : 190;
  const layout = layOut(r, lanes, stops, { pitch, left: 96, right: 210, ...window });
  const head = headOf(r, Math.floor((Math.max(layout.width, widthMin) - marginPx) * 4 / 27));
  const note = leftOut(r, lanes, stops, window);
  const noteLines = note === "" ? [] : wrapped(note, Math.floor(layout.width * 4 / 25), 3);
  const top = marginPx + head.length * linePx + 18;
  const bodyTop = top + svg.namesPx;
  const width = Math.max(layout.width, widthMin);
  const namesBottom = bodyTop + layout.height + 4;
  const height = namesBottom + svg.namesPx + noteLines.length * linePx + marginPx;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="pic" role="img" width="${width}" `
    + `height="${height}" viewBox="0 0 ${width} ${height}">\n`
    + `<title>${escaped(titleOf(r))}</title>\n<style>${colours}${drawing}</style>\n`
    + `${svg.definitions}\n<rect class="paper" width="${width}" height="${height}"/>\n`
    + `${head.map((line, i) => headLine(line, i)).join("\n")}\n`
    + `<g transform="translate(0 ${top})">${svg.names(layout)}</g>\n`
    + `<svg class="pic" y="${bodyTop}" width="${layout.width}" height="${layout.height}">\n`
    + `${svg.body(r, layout)}\n</svg>\n`
    + `<g transform="translate(0 ${namesBottom})">${svg.names(layout)}</g>\n`
    + noteLines.map((line, i) => {
      const y = namesBottom + svg.namesPx + (i + 1) * linePx;
      return `<text class="sub" x="${marginPx}" y="${y}">${escaped(line)}</text>`;
    }).join("\n")
    + "\n</svg>\n";
}

/** What a run came to, in one line. */
export function titleOf(r: Recording): string {
  const { finding, verdict } = r.outcome;
  const sign = verdict === "pass" ? "✓" : "✗";
  if (finding === undefined) return `${sign} ${r.scenario.name}: ${verdict}`;
  return `✗ ${finding.id} at ${finding.node}, ${clockText(finding.atUs)}: ${finding.says}`;
}

/** What it was, in one line. */
export function aboutOf(r: Recording): string {
  const { scenario, outcome } = r;
  return `${scenario.name}, seed ${scenario.seed}, ${partsText(scenario)}, `
    + `${plural(outcome.steps, "step")}, ${clockText(outcome.virtualMs * 1_000)} of virtual time`;
}

type HeadLine = { readonly name: string; readonly text: string };

/** Faults that are listed; more are counted. */
const faultsMax = 8;

function headOf(r: Recording, chars: number): HeadLine[] {
  const title = wrapped(titleOf(r), Math.floor(chars * 2 / 3), 2);
  const { faults, triggers } = r.scenario;
  const texts = [
    ...faults.map((fault) => ({ name: familyOf(fault.kind), text: faultText(fault) })),
    ...triggers.map((t) => ({ name: familyOf(t.do.kind), text: triggerText(t) })),
  ];
  const lines: HeadLine[] = title.map((text) => ({ name: "head", text }));
  lines.push({ name: "sub", text: cutText(aboutOf(r), chars) });
  for (const { name, text } of texts.slice(0, faultsMax)) {
    lines.push({ name, text: cutText(text, chars) });
  }
  if (texts.length > faultsMax) {
    lines.push({ name: "sub", text: `and ${plural(texts.length - faultsMax, "more fault")}` });
  }
  return lines;
}

function headLine(line: HeadLine, i: number): string {
  const y = marginPx + (i + 1) * linePx;
  if (line.name === "head" || line.name === "sub") {
    return `<text class="${line.name}" x="${marginPx}" y="${y}">${escaped(line.text)}</text>`;
  }
  return `<g class="band ${line.name}">`
    + `<rect x="${marginPx}" y="${y - 10}" width="12" height="12" rx="3"/></g>`
    + `<text x="${marginPx + 20}" y="${y}">${escaped(line.text)}</text>`;
}
