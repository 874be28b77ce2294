/**
 * The live view of the demo as lines of text. Pure: the terminal is not known here.
 * @module
 */
import { span } from "../status-text.ts";
import type { Event, Scene } from "./world.ts";

export type Frame = {
  readonly columns: number;
  readonly rows: number;
  readonly isColoured: boolean;
  readonly listen: string;
  readonly http: string;
};

/** Columns below this get no more than this: narrower lines would say nothing. */
const columnsMin = 20;

/** The view: at most `rows - 1` lines, none longer than `columns`. */
export function render(scene: Scene, frame: Frame): string[] {
  const paint = painter(frame.isColoured);
  const { totals, peers, heartbeat } = scene.status;
  const width = Math.max(columnsMin, frame.columns);
  const relayed = totals.publicRelayed + totals.privateRelayed;
  const rate = scene.rates.at(-1) ?? 0;
  const head: Line[] = [
    ["bold", `Dogwatch demo - a JoinMarket directory and its peers - ${span(scene.elapsedMs)}`],
    ["plain", `Status page  ${frame.http}`],
    ["dim", `Peers connect to ${frame.listen}; the node is ${scene.status.nick}`],
    ["plain", ""],
    ["plain", `Peers      ${peers.registered}: ${peers.makers} makers, ${peers.takers} takers; ` +
      `${peers.pingCapable} can PING, ${peers.verified} proved their nick`],
    ["plain", `Messages   ${rate.toFixed(1)}/s ${spark(scene.rates)} ${relayed} relayed`],
    ["plain", `Heartbeat  ${totals.heartbeatPings} pings, ${totals.heartbeatProbes} probes, ` +
      `${totals.heartbeatEvictions} evictions; ${heartbeat.pending} answers awaited`],
    ["plain", ""],
  ];
  const people = scene.peers.map((peer): Line => {
    const here = peer.isConnected();
    const mark = here ? "+" : "-";
    return [here ? "good" : "bad", `${mark} ${peer.name.padEnd(11)} ${peer.nick} ${peer.about}`];
  });
  const foot: Line[] = [["dim", "Ctrl-C ends the demo."]];
  const room = frame.rows - 1 - head.length - people.length - foot.length - 3;
  const happened = scene.events.slice(-Math.max(0, room)).map(eventLine);
  const body: Line[] = room > 0 ? [["plain", ""], ["bold", "What happened"], ...happened] : [];
  const lines = [...head, ...people, ...body, ["plain", ""] as const, ...foot];
  const shown = lines.slice(0, Math.max(1, frame.rows - 1));
  return shown.map(([how, text]) => paint(how, cut(text, width)));
}

type How = "plain" | "bold" | "dim" | "good" | "bad" | "wait";
type Line = readonly [how: How, text: string];

const codes: { readonly [how in How]: string } = {
  plain: "", bold: "\x1b[1m", dim: "\x1b[2m", good: "\x1b[32m", bad: "\x1b[31m", wait: "\x1b[33m",
};

function painter(isColoured: boolean): (how: How, text: string) => string {
  return (how, text) => (isColoured && codes[how] !== "" ? `${codes[how]}${text}\x1b[0m` : text);
}

function eventLine(event: Event): Line {
  return [howOf(event.kind), eventText(event)];
}

function howOf(kind: string): How {
  switch (kind) {
    case "eviction": case "disconnected": case "ignored": return "bad";
    case "ping": case "probe": return "wait";
    case "answered": case "returned": return "good";
    default: return "plain";
  }
}

/** One event on one line: when, who, what. */
export function eventText(event: Event): string {
  const seconds = (event.atMs / 1_000).toFixed(1).padStart(6);
  return `${seconds}s  ${event.peer.padEnd(11)} ${event.text}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

const bars = "▁▂▃▄▅▆▇█";
const barsShown = 20;

function spark(rates: readonly number[]): string {
  const shown = rates.slice(-barsShown);
  const top = Math.max(1, ...shown);
  return shown.map((rate) => bars.charAt(Math.round(rate / top * (bars.length - 1)))).join("");
}
