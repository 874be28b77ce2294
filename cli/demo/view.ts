/**
 * The live view of the demo as lines of text. Pure: the terminal is not known here.
 * @module
 */
import type { WalletStatus as ArkWallet } from "../../core/ark/status.ts";
import { beats, counted, span } from "../status-text.ts";
import { btc } from "./story.ts";
import type { Event, Scene } from "./world.ts";

export type Frame = {
  readonly columns: number;
  readonly rows: number;
  readonly isColoured: boolean;
  readonly listen: string;
  readonly pages: Pages;
};

/** Addresses of the status pages; of those that there are. */
export type Pages = {
  readonly directory: string; readonly maker: string | undefined; readonly ark: string | undefined;
};

/** Columns below this get no more than this: narrower lines would say nothing. */
const columnsMin = 20;

/** Events that stay on the lowest screen that has room for anything but the head. */
const eventsMin = 2;
/** With fewer events than this, empty lines go. */
const eventsWanted = 5;

/**
 * The view: at most `rows - 1` lines, none longer than `columns`. On a low screen the empty lines
 * go first, then peers, so that there is room for what happens.
 */
export function render(scene: Scene, frame: Frame): string[] {
  const paint = painter(frame.isColoured);
  const width = Math.max(columnsMin, frame.columns);
  const room = Math.max(1, frame.rows - 1);
  const head = headOf(scene, frame);
  const fixed = head.top.length + head.figures.length + 2;
  const isTight = room < fixed + scene.peers.length + gaps + eventsWanted;
  const left = room - fixed - (isTight ? 0 : gaps);
  const people = scene.peers.slice(0, Math.max(0, left - eventsMin)).map(personLine);
  const eventsMax = Math.max(0, left - people.length);
  // PINGs are routine: they would push the rest out, and what comes of them is told as well.
  const notable = scene.events.filter(({ kind }) => kind !== "ping");
  const happened = eventsMax === 0 ? [] : notable.slice(-eventsMax).map(eventLine);
  const gap: readonly Line[] = isTight ? [] : [["plain", ""]];
  const { top, figures } = head;
  const lines: readonly Line[] = [
    ...top, ...gap, ...figures, ...gap, ...people, ...gap, ["bold", "What happened"], ...happened,
    ...gap, ["dim", "Ctrl-C ends the demo."],
  ];
  return lines.slice(0, room).map(([how, text]) => paint(how, cut(text, width)));
}

/** Empty lines of a screen that is high enough. */
const gaps = 4;

type Head = { readonly top: readonly Line[]; readonly figures: readonly Line[] };

function headOf(scene: Scene, frame: Frame): Head {
  const { totals, peers, heartbeat } = scene.status;
  const { directory, maker, ark } = frame.pages;
  const relayed = totals.publicRelayed + totals.privateRelayed;
  const rate = scene.rates.at(-1) ?? 0;
  const kinds = `${counted(peers.makers, "maker")}, ${counted(peers.takers, "taker")}`;
  const beside = maker === undefined ? "" : `  maker ${maker}`;
  const time = span(scene.elapsedMs);
  return {
    top: [
      ["bold", `Dogwatch demo - JoinMarket directory and maker, Ark wallets, peers - ${time}`],
      ["plain", `Status page  ${directory}${beside}`],
      ...(ark === undefined ? [] : [["plain", `Ark wallets  ${ark}`] as const]),
      ["dim", `Peers connect to ${frame.listen}; the node is ${scene.status.nick}`],
    ],
    figures: [
      ["plain", `Peers      ${peers.registered}: ${kinds}; ` +
        `${peers.pingCapable} can PING, ${peers.verified} proved their nick`],
      ["plain", `Messages   ${rate.toFixed(1)}/s ${spark(scene.rates)} ${relayed} relayed`],
      ["plain", `Heartbeat  ${beats(totals)}; ${counted(heartbeat.pending, "answer")} awaited`],
      ...(scene.maker === undefined ? [] : [makerLine(scene.maker)]),
      ...(scene.ark === undefined ? [] : scene.ark.wallets.map(walletLine)),
    ],
  };
}

function makerLine({ offers, wallet, tip }: NonNullable<Scene["maker"]>): Line {
  const most = offers.public.reduce((max, { maxsizeSat }) =>
    BigInt(maxsizeSat) > max ? BigInt(maxsizeSat) : max, 0n);
  const isOffering = offers.public.length > 0;
  const offered = isOffering ? `${counted(offers.public.length, "offer")}, up to ${btc(most)}`
    : `no offers: ${offers.why}`;
  const node = `block ${tip.height ?? "unknown"}, node ${wallet.state}`;
  return [isOffering ? "plain" : "wait", `Maker      ${offered}; ${node}`];
}

function walletLine(wallet: ArkWallet): Line {
  const { name, balance, nextExpiry: next, degraded, intents } = wallet;
  const coins = balance === null ? "coins not seen yet" : `${balance.spendableSat} sat`;
  const left = next === null ? "nothing expires" : next.blocksLeft === null
    ? `expiry at block ${next.height}` : `${counted(next.blocksLeft, "block")} left, ${next.stage}`;
  const [wrong] = degraded;
  const aims = intents.map(({ aim }) => aim).join(", ");
  const open = aims === "" ? "" : `; ${aims} asked for`;
  const state = wrong === undefined ? open : `; ${wrong.name}: ${wrong.why}`;
  const how = next !== null && next.stage !== "fine" ? "wait" : "plain";
  return [wrong === undefined ? how : "bad", `Ark        ${name}: ${coins}; ${left}${state}`];
}

function personLine(peer: Scene["peers"][number]): Line {
  const here = peer.isConnected();
  const mark = here ? "+" : "-";
  return [here ? "good" : "bad", `${mark} ${peer.name.padEnd(11)} ${peer.nick} ${peer.about}`];
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
    case "eviction": case "disconnected": case "ignored": case "halted": case "backend-down":
    case "offers-withdrawn": case "reorganisation": case "way-down":
      return "bad";
    case "probe": case "refused": case "slow": case "expiry-due": return "wait";
    case "answered": case "returned": case "started": case "backend-up": case "offers-announced":
    case "way-up": case "intent-success": case "resumed":
      return "good";
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
