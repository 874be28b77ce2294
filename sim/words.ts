/**
 * The parts of a scenario in words for people: faults, triggers, tasks, instants and spans.
 *
 * Rule 1: one line each, without a full stop; where something acts and how are apart, so that a
 * report can align them.
 * Rule 2: every sign beyond ASCII is in `plainSigns` too, for terminals that lack it.
 * Rule 3: integers only. Nothing here decides anything.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import type { Fault, Harm, HarmKind, Link, Scenario, Task, Trigger, Way } from "./scenario.ts";

/** What a terminal may lack. */
export type Signs = {
  readonly both: string;
  readonly there: string;
  readonly back: string;
  readonly fail: string;
  readonly pass: string;
  readonly flag: string;
  readonly lost: string;
  readonly dot: string;
  readonly more: string;
  /** From nothing to full, in eighths, for bars. */
  readonly bars: readonly string[];
};
export const signs: Signs = {
  both: "⇄", there: "→", back: "←", fail: "✗", pass: "✓", flag: "⚑", lost: "✂",
  dot: "·", more: "…",
  bars: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
};
export const plainSigns: Signs = {
  both: "<->", there: "->", back: "<-", fail: "x", pass: "ok", flag: "!", lost: "X",
  dot: "-", more: "...",
  bars: [" ", " ", " ", " ", "#", "#", "#", "#", "#"],
};

/** What a harm is called. */
export const harmNames: { readonly [kind in HarmKind]: string } = {
  cut: "cut", partition: "partition", halfOpen: "half-open", slow: "slow", narrow: "narrow",
  lateEnd: "late end", reset: "reset", refuse: "refused", hang: "hang", lateDial: "late dial",
  chop: "chopped", stall: "stall", pause: "pause", crash: "crash", restart: "restart",
  jump: "clock jump", drift: "clock drift", diskSlow: "disk slow", diskFull: "disk full",
  diskTorn: "disk torn", tor: "Tor down", rpcWrong: "wrong answers", hookDown: "notices refused",
  diskFails: "disk fails", barkdWrong: "wrong wallet program", serverWrong: "wrong Ark server",
  sourceWrong: "wrong chain source",
};

/** A harm in three columns: what, where, how. `how` may be empty. */
export type HarmWords = { readonly what: string; readonly where: string; readonly how: string };

/** An instant, in ms from the beginning: `72:12`, or `72:12.345` between whole seconds. */
export function timeText(ms: number): string {
  const whole = Math.trunc(ms);
  const rest = whole % 1_000;
  const seconds = (whole - rest) / 1_000;
  const text = `${digits(Math.trunc(seconds / 60), 2)}:${digits(seconds % 60, 2)}`;
  return rest === 0 ? text : `${text}.${digits(rest, 3)}`;
}

/** Reads what `timeText` writes, and `2868`, `2868s`, `1500ms`. `undefined`: none of these. */
export function parseTime(text: string): number | undefined {
  const clock = /^([0-9]{1,7}):([0-5][0-9])(?:\.([0-9]{1,3}))?$/.exec(text);
  if (clock !== null) {
    const [, minutes = "", seconds = "", parts = ""] = clock;
    return (Number(minutes) * 60 + Number(seconds)) * 1_000 + Number(parts.padEnd(3, "0"));
  }
  const plain = /^([0-9]{1,10})(s|ms)?$/.exec(text);
  if (plain === null) return undefined;
  return plain[2] === "ms" ? Number(plain[1]) : Number(plain[1]) * 1_000;
}

/** A duration in ms: `15m34s`, `1h00m`, `20 s`, `450 ms`; negative ones with a minus sign. */
export function spanText(ms: number): string {
  if (ms < 0) return `-${spanText(-ms)}`;
  if (ms < 1_000) return `${ms} ms`;
  const rest = ms % 1_000;
  const seconds = (ms - rest) / 1_000;
  if (seconds < 60) return rest === 0 ? `${seconds} s` : `${seconds}.${digits(rest, 3)} s`;
  const tail = rest === 0 ? "" : `.${digits(rest, 3)}`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes}m${digits(seconds % 60, 2)}${tail}s`;
  const hours = `${Math.trunc(minutes / 60)}h${digits(minutes % 60, 2)}m`;
  return seconds % 60 === 0 && rest === 0 ? hours : `${hours}${digits(seconds % 60, 2)}${tail}s`;
}

/** A whole number with its thousands apart: `12,345`. */
export function countText(n: number): string {
  return String(n).replace(/\B(?=([0-9]{3})+$)/g, ",");
}

/** `1 fault`, `3 faults`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${countText(n)} ${n === 1 ? one : many}`;
}

/** A harm in one line, such as `half-open maker1 ⇄ dir0 for 15m34s`. */
export function harmText(h: Harm, s: Signs = signs): string {
  const words = harmWords(h, s);
  return [words.what, words.where, words.how].filter((part) => part !== "").join(" ");
}

/** A harm in columns. */
export function harmWords(h: Harm, s: Signs = signs): HarmWords {
  return { what: whatText(h), where: whereText(h, s), how: howText(h) };
}

function whatText(h: Harm): string {
  return h.kind === "crash" && h.power ? "power loss" : harmNames[h.kind];
}

function whereText(h: Harm, s: Signs): string {
  switch (h.kind) {
    case "cut":
    case "halfOpen": return linkText(h.link, h.way, s);
    case "partition": return `{${h.side.join(" ")}} ${arrow(h.way, s)} the rest`;
    case "slow":
    case "narrow":
    case "reset":
    case "chop":
    case "hang":
    case "refuse":
    case "lateDial": return linkText(h.link, "both", s);
    case "lateEnd": return linkText(h.link, "there", s);
    case "stall":
    case "pause":
    case "crash":
    case "restart":
    case "jump":
    case "drift":
    case "diskSlow":
    case "diskFull":
    case "diskTorn":
    case "diskFails":
    case "tor":
    case "rpcWrong":
    case "serverWrong":
    case "hookDown": return h.node;
    case "barkdWrong":
    case "sourceWrong": return h.wallet === "*" ? h.node : `${h.node} of ${h.wallet}`;
    default: return unreachable(h);
  }
}

function linkText(link: Link, way: Way, s: Signs): string {
  return `${link[0]} ${arrow(way, s)} ${link[1] === "*" ? "all" : link[1]}`;
}

function arrow(way: Way, s: Signs): string {
  if (way === "both") return s.both;
  return way === "there" ? s.there : s.back;
}

function howText(h: Harm): string {
  switch (h.kind) {
    case "reset": return "";
    case "cut":
    case "partition":
    case "halfOpen":
    case "hang":
    case "stall":
    case "pause":
    case "diskFull":
    case "tor":
    case "hookDown":
    case "refuse": return forText(h.forMs);
    case "rpcWrong": return `${forText(h.forMs)} (${h.as})`;
    case "barkdWrong":
    case "serverWrong":
    case "sourceWrong": return `${forText(h.forMs)} (${h.as}${sizeText(h.size)})`;
    case "slow": return `${forText(h.forMs)} (+${spanText(h.ms)} each way)`;
    case "narrow": return `${forText(h.forMs)} (${countText(h.bytesPerSec)} bytes/s)`;
    case "lateEnd":
    case "lateDial":
    case "diskSlow": return `${forText(h.forMs)} (+${spanText(h.ms)})`;
    case "chop": return `${forText(h.forMs)} (${h.as})`;
    case "crash": return `${downText(h.forMs)}${effectText(h.effect)}`;
    case "restart":
    case "diskTorn": return downText(h.forMs);
    case "diskFails": return `the next ${h.order}`;
    case "jump": return h.ms < 0 ? spanText(h.ms) : `+${spanText(h.ms)}`;
    case "drift": return `${forText(h.forMs)} (${h.ppm < 0 ? "" : "+"}${countText(h.ppm)} ppm)`;
    default: return unreachable(h);
  }
}

function sizeText(size: number): string {
  return size === 0 ? "" : ` ${countText(size)}`;
}

function forText(ms: number): string {
  return `for ${spanText(ms)}`;
}

function downText(ms: number): string {
  return `back after ${spanText(ms)}`;
}

function effectText(effect: number): string {
  return effect === 0 ? "" : ` (after effect ${effect} of a step)`;
}

/** A fault with its instant: `56:22 half-open maker1 ⇄ dir0 for 15m34s`. */
export function faultText(f: Fault, s: Signs = signs): string {
  return `${timeText(f.at)} ${harmText(f, s)}`;
}

/** When a trigger goes off: `at welcome.sent of dir0`, `20 s after 3rd ping.sent of dir0`. */
export function whenText(t: Trigger): string {
  const which = t.on.nth === 1 ? "" : `${ordinal(t.on.nth)} `;
  const moment = `${which}${t.on.mark} of ${t.on.node}`;
  return t.delayMs === 0 ? `at ${moment}` : `${spanText(t.delayMs)} after ${moment}`;
}

/** A trigger in one line. */
export function triggerText(t: Trigger, s: Signs = signs): string {
  return `${whenText(t)}: ${harmText(t.do, s)}`;
}

function ordinal(n: number): string {
  const teen = Math.trunc(n / 10) % 10 === 1;
  const ends = ["th", "st", "nd", "rd"];
  return `${n}${teen ? "th" : ends[n % 10] ?? "th"}`;
}

/** A task in one line, with its node and without its instant: `taker1 asks for the orderbook`. */
export function taskText(t: Task): string {
  switch (t.op) {
    case "announce": return `${t.node} announces ${plural(t.size, "offer")}`;
    case "orderbook": return `${t.node} asks for the orderbook`;
    case "fill": return `${t.node} fills an offer of ${t.maker} (${plural(t.bytes, "byte")})`;
    case "peerlist": return `${t.node} asks for the peerlist`;
    case "ping": return `${t.node} sends PING`;
    case "chat": return `${t.node} says something in public (${plural(t.bytes, "byte")})`;
    case "away": return `${t.node} leaves for ${spanText(t.forMs)}`;
    case "burst": return `${t.node} sends ${manyText(t.count, "line", t.bytes)} at once`;
    case "append": return `${t.node} appends ${manyText(t.count, "record", t.bytes)}`;
    case "mine": return `${t.node} grows by ${plural(t.blocks, "block")}`;
    case "reorg": {
      const what = `${t.node} leaves ${plural(t.blocks, "block")} behind`;
      return t.isDropped ? `${what}, for good` : what;
    }
    case "send": return `somebody sends what row ${t.row} of ${t.bot} waits for`;
    case "replace": return `somebody spends otherwise what row ${t.row} of ${t.bot} waits for`;
    case "evict": return `what row ${t.row} of ${t.bot} waits for is dropped by all`;
    case "fund": return `${t.bot} is paid ${countText(t.kSat)},000 satoshis`;
    case "drain": return `the largest coin of ${t.bot} is spent`;
    case "pay":
      return `${t.wallet} is paid ${countText(t.sat)} sat that live ${plural(t.blocks, "block")}`;
    case "deposit": return `${t.wallet} gets ${countText(t.sat)} sat on the chain`;
    case "restartServer": return `the server of ${t.node} starts anew`;
    case "restartProgram": return `the program of ${t.wallet} starts anew`;
    case "changeToken": return `the program of ${t.wallet} gets another token`;
    case "feeRate": return `blocks want ${countText(t.rate)} sat/vB`;
    default: return unreachable(t);
  }
}

function manyText(count: number, what: string, bytes: number): string {
  return `${plural(count, what)} of ${plural(bytes, "byte")}`;
}

/** How many nodes of each kind: `1 directory, 20 makers, 5 takers`. */
export function nodesText(s: Scenario): string {
  const counts = new Map<string, number>();
  for (const node of s.nodes) counts.set(node.kind, (counts.get(node.kind) ?? 0) + 1);
  const parts: string[] = [];
  for (const [kind, n] of counts) parts.push(plural(n, kind, many[kind] ?? `${kind}s`));
  return parts.join(", ");
}

const many: { readonly [kind: string]: string | undefined } = {
  directory: "directories", garbage: "garbage", churn: "churn", crowd: "crowds",
};

/** `3 faults, 1 trigger, 2 tasks`; of triggers and tasks only what there is. */
export function partsText(s: Scenario): string {
  const parts = [plural(s.faults.length, "fault")];
  if (s.triggers.length > 0) parts.push(plural(s.triggers.length, "trigger"));
  if (s.workload.length > 0) parts.push(plural(s.workload.length, "task"));
  return parts.join(", ");
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, "0");
}
