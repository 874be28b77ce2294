/**
 * What happened, in a handful of lines: the moments of a recorded run that bear on its failure.
 *
 * Rule 1: only nodes that the finding, the faults and the tasks name count. What was last comes
 * first, then messages that a fault lost or delayed, then connections; what repeats is told once.
 * @module
 */
import { nodeName, stepText } from "../diff.ts";
import type { Band, Life, Message, Recording } from "../recording.ts";
import type { NodeId, Scenario } from "../scenario.ts";
import { nodesOf } from "../shrink/edit.ts";
import { plural, spanText, timeText, type Signs } from "../words.ts";
import { columns, cut } from "./lines.ts";

/** A moment that may be told. A higher `weight` is told first. */
type Moment = { readonly atUs: number; readonly weight: number; readonly cells: readonly string[] };

/** So many moments before the failure are told whatever they weigh. */
const lastMax = 3;

/** Of so few nodes all are involved. */
const smallNodes = 4;

/** What is in a write is cut to this. */
const saysMax = 28;

/** Delivery that takes longer is late. */
const lateUs = 5_000_000;

/** At most `linesMax` lines in the order of time. */
export function story(r: Recording, s: Signs, linesMax: number, width: number): string[] {
  const nodes = involved(r);
  const moments = [...messages(r, nodes, s), ...lives(r, nodes, s), ...goals(r, nodes, s)];
  const fromLast = moments.toSorted((a, b) => b.atUs - a.atUs);
  const rest = fromLast.slice(lastMax).toSorted((a, b) => b.weight - a.weight || b.atUs - a.atUs);
  const told = [...fromLast.slice(0, lastMax), ...rest.slice(0, linesMax - lastMax)];
  told.sort((a, b) => a.atUs - b.atUs);
  const lines = columns(told.map((moment) => moment.cells), [0]);
  return lines.map((line) => cut(line, width, s.more));
}

/** Indices of the nodes that the failure is about. */
function involved(r: Recording): Set<number> {
  const names = new Set(namesIn(r.scenario));
  const finding = r.outcome.finding;
  if (finding !== undefined) names.add(finding.node);
  const found = new Set<number>();
  const isSmall = r.scenario.nodes.length <= smallNodes;
  r.scenario.nodes.forEach((node, i) => {
    if (isSmall || names.has(node.id)) found.add(i);
  });
  return found;
}

function namesIn(s: Scenario): NodeId[] {
  return [
    ...s.faults.flatMap((fault) => nodesOf(fault)),
    ...s.triggers.flatMap((trigger) => [trigger.on.node, ...nodesOf(trigger.do)]),
    ...s.workload.map((task) => task.node),
  ];
}

function messages(r: Recording, nodes: ReadonlySet<number>, s: Signs): Moment[] {
  const counts = new Map<string, { first: Message; times: number }>();
  for (const message of r.messages) {
    if (!nodes.has(message.from) || !nodes.has(message.to)) continue;
    const key = `${message.from} ${message.to} ${message.says} ${fateOf(message)}`;
    const had = counts.get(key);
    if (had === undefined) counts.set(key, { first: message, times: 1 });
    else had.times += 1;
  }
  return [...counts.values()].map(({ first, times }) => messageMoment(r, first, times, s));
}

type Fate = "lost" | "late" | "read";

function fateOf(m: Message): Fate {
  if (m.gotUs < 0) return "lost";
  return m.gotUs - m.sentUs > lateUs ? "late" : "read";
}

const weights: { readonly [fate in Fate]: number } = { lost: 2, late: 2, read: 1 };

function messageMoment(r: Recording, m: Message, times: number, s: Signs): Moment {
  const fate = fateOf(m);
  const again = times > 1 ? `${s.dot} ${plural(times - 1, "more time", "more times")}` : "";
  const ends = [whatBecame(r, m, fate, s), again].filter((part) => part !== "").join(" ");
  const way = `${nodeName(r, m.from)} ${s.there} ${nodeName(r, m.to)}`;
  const cells = [clock(m.sentUs), way, cut(m.says, saysMax, s.more), `conn ${m.life}`, ends];
  const weight = weights[fate] + (fate !== "read" && bandAt(r, m) !== undefined ? 2 : 0);
  return { atUs: m.sentUs, weight, cells };
}

function whatBecame(r: Recording, m: Message, fate: Fate, s: Signs): string {
  const by = bandAt(r, m);
  const because = by === undefined ? "" : ` (fault ${by.id})`;
  if (fate === "lost") {
    return by === undefined && !hasEnded(r, m) ? "not read yet" : `${s.lost} lost${because}`;
  }
  if (fate === "read") return "";
  return `${spanText(seconds(m.gotUs - m.sentUs))} late${because}`;
}

/** The receiver's end of the connection is over. */
function hasEnded(r: Recording, m: Message): boolean {
  const life = r.lives[m.life];
  if (life === undefined) return false;
  return (m.to === life.from ? life.fromEndUs : life.toEndUs) >= 0;
}

function seconds(us: number): number {
  return Math.trunc(us / 1_000_000) * 1_000;
}

/** The fault that lay on either end when the message was sent. */
function bandAt(r: Recording, m: Message): Band | undefined {
  const covers = (band: Band): boolean =>
    band.kind !== "heal" && band.fromUs <= m.sentUs && m.sentUs <= band.toUs;
  const links = r.bands.filter((band) => covers(band) && band.isLink);
  const both = links.find((band) => band.nodes.includes(m.from) && band.nodes.includes(m.to));
  if (both !== undefined) return both;
  return r.bands.find((band) => covers(band) && !band.isLink
    && (band.nodes.includes(m.from) || band.nodes.includes(m.to)));
}

function lives(r: Recording, nodes: ReadonlySet<number>, s: Signs): Moment[] {
  return r.lives.flatMap((life, i) => {
    if (!nodes.has(life.from) || !nodes.has(life.to) || life.generation < 2) return [];
    const again = lifeText(r, life, s);
    return [{
      atUs: life.dialedUs, weight: 2,
      cells: [clock(life.dialedUs), again, "dials again", `conn ${i}`, openText(life)],
    }];
  });
}

function lifeText(r: Recording, life: Life, s: Signs): string {
  return `${nodeName(r, life.from)} ${s.there} ${nodeName(r, life.to)}`;
}

function openText(life: Life): string {
  return life.fromOpenUs < 0 ? "never open" : "";
}

function goals(r: Recording, nodes: ReadonlySet<number>, s: Signs): Moment[] {
  return r.flags.flatMap((flag) => {
    if (flag.kind !== "goal" || !nodes.has(flag.node)) return [];
    const cells = [clock(flag.atUs), nodeName(r, flag.node), `${s.flag} ${flag.says}`];
    return [{ atUs: flag.atUs, weight: 2, cells }];
  });
}

function clock(us: number): string {
  return timeText(seconds(us));
}

/** The last `count` steps of each node that the failure is about, up to the failure. */
export function lastSteps(r: Recording, count: number, width: number, more: string): string[] {
  const finding = r.outcome.finding;
  const end = finding === undefined ? r.steps.length : finding.step + 1;
  return [...involved(r)].flatMap((node) => {
    const steps: number[] = [];
    for (let i = lesser(end, r.steps.length) - 1; i >= 0 && steps.length < count; i -= 1) {
      if (r.steps[i]?.node === node) steps.push(i);
    }
    const lines = steps.reverse().map((i) => cut(`    ${stepText(r, i)}`, width, more));
    return [`  ${nodeName(r, node)}`, ...lines];
  });
}

function lesser(a: number, b: number): number {
  return a < b ? a : b;
}
