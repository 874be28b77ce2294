/**
 * A run as a Mermaid sequence diagram, for issues and documents that draw those.
 *
 * Rule 1: what a run says is cut down to characters that mean nothing to Mermaid.
 * @module
 */
import type { Message, Recording } from "../recording.ts";
import { plural } from "../words.ts";
import { aboutOf, titleOf } from "./drawing.ts";
import { arrange, relevant, type Lanes } from "./lanes.ts";
import { foldUs } from "./repeats.ts";
import { bandsOf, isShown, stopsOf, type Stops } from "./stops.ts";
import { focus } from "./window.ts";
import { clockText, gapText } from "./words.ts";

export type MermaidOptions = {
  /** Messages at most, the last ones before the violation or the end. 40. */
  readonly messagesMax?: number;
  readonly lanesMax?: number;
};

type Line = { readonly atUs: number; readonly order: number; readonly text: string };

/** The text of a `sequenceDiagram`. */
export function mermaidOf(r: Recording, options: MermaidOptions = {}): string {
  const lanes = arrange(r, relevant(r, options.lanesMax ?? 7));
  const stops = stopsOf(r, lanes);
  const shown = messagesOf(r, lanes, stops);
  const max = options.messagesMax ?? 40;
  const messages = shown.slice(-max);
  const fromUs = messages[0]?.sentUs ?? 0;
  const lines = [
    ...messages.map((message) => messageLine(r, message)), ...bandLines(r, lanes, fromUs),
    ...flagLines(r, lanes, fromUs),
  ];
  lines.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
  const skipped = shown.length - messages.length;
  return [
    "sequenceDiagram", `  title ${plain(titleOf(r))}`, `  %% ${plain(aboutOf(r))}`,
    ...lanes.nodes.map((node) => `  participant ${nameOf(r, node)}`),
    ...(skipped > 0 ? [over(r, lanes, `${plural(skipped, "earlier message")} left out`)] : []),
    ...withGaps(r, lanes, stops, lines),
  ].map((line) => `${line}\n`).join("");
}

/** Messages between shown nodes, up to the violation; what repeats itself is left out. */
function messagesOf(r: Recording, lanes: Lanes, stops: Stops): Message[] {
  const violation = r.flags.find((flag) => flag.kind === "violation");
  const end = violation === undefined ? undefined : stops.list[focus(r, stops)]?.atUs;
  return r.messages.filter((message) => {
    const stop = stops.list[stops.places[message.sentStep] ?? -1];
    return stop?.step === message.sentStep && (end === undefined || message.sentUs <= end)
      && isShown(lanes, message.from) && isShown(lanes, message.to);
  });
}

function messageLine(r: Recording, message: Message): Line {
  const arrow = message.gotStep < 0 ? "--x" : "->>";
  const late = message.gotUs - message.sentUs;
  const says = message.gotStep < 0 ? " ✂ never read"
    : late >= 1_000_000 ? ` (${gapText(late)} on its way)` : "";
  const generation = r.lives[message.life]?.generation ?? 1;
  const number = generation > 1 ? ` [connection ${generation}]` : "";
  const text = `  ${nameOf(r, message.from)}${arrow}${nameOf(r, message.to)}: `
    + `${clockText(message.sentUs)} ${plain(message.says)}${number}${says}`;
  return { atUs: message.sentUs, order: message.sentStep, text };
}

function bandLines(r: Recording, lanes: Lanes, fromUs: number): Line[] {
  return bandsOf(r, lanes).filter((band) => band.toUs >= fromUs).map((band) => {
    const nodes = band.nodes.filter((node) => isShown(lanes, node));
    const ends = [nodes[0] as number, nodes[nodes.length - 1] as number];
    const who = [...new Set(ends)].map((node) => nameOf(r, node)).join(",");
    const text = `  Note over ${who}: ${clockText(band.fromUs)} ${plain(band.says)}`;
    return { atUs: band.fromUs, order: -1, text };
  });
}

function flagLines(r: Recording, lanes: Lanes, fromUs: number): Line[] {
  return r.flags.filter((flag) => {
    return flag.atUs >= fromUs && (flag.kind === "violation" || flag.kind === "heal");
  }).map((flag) => {
    const sign = flag.kind === "violation" ? "✗" : "✚";
    const text = over(r, lanes, `${sign} ${clockText(flag.atUs)} ${flag.says}`);
    return { atUs: flag.atUs, order: flag.step, text };
  });
}

function withGaps(
  r: Recording, lanes: Lanes, stops: Stops, lines: readonly Line[],
): string[] {
  const repeats = new Map(stops.list.map((stop) => [stop.step, stop.repeats]));
  return lines.flatMap((line, i) => {
    const us = line.atUs - (lines[i - 1]?.atUs ?? line.atUs);
    if (us < foldUs) return [line.text];
    const times = repeats.get(line.order) ?? 0;
    const says = times === 0 ? "" : ` the same ${plural(times, "time")} more, for`;
    return [over(r, lanes, `…${says} ${gapText(us)} …`), line.text];
  });
}

function over(r: Recording, lanes: Lanes, text: string): string {
  const ends = [lanes.nodes[0] ?? 0, lanes.nodes[lanes.nodes.length - 1] ?? 0];
  const who = [...new Set(ends)].map((node) => nameOf(r, node)).join(",");
  return `  Note over ${who}: ${plain(text)}`;
}

/** An id that Mermaid takes as a name: `end` and the like are words of its own. */
function nameOf(r: Recording, node: number): string {
  const id = (r.scenario.nodes[node]?.id ?? String(node)).replace(/[^A-Za-z0-9_]/g, "_");
  return ownWords.test(id) ? `${id}_` : id;
}

const ownWords = /^(end|loop|alt|opt|par|note|box|rect|critical|break|autonumber|participant)$/i;
// As numbers: a program of ASCII takes one byte for each character in memory, else two.
const foreign =
  /[^\p{L}\p{N}_ .,:@()[\]+*/=!'\u2192\u21c4\u2190\u2702\u2717\u2713\u271a\u2691\u2026|-]/gu;

function plain(text: string): string {
  return text.replace(foreign, " ").replace(/ +/g, " ").trim();
}
