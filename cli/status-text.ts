/**
 * The snapshot of a directory node as text for people.
 *
 * Rule 1: a snapshot may come from a program that is not ours: its texts are made safe to print.
 * @module
 */
import { cleanText } from "../adapters/log.ts";
import type { Status } from "../core/directory/status.ts";
import type { OnionStatus } from "../core/tor/shown.ts";

/** Spans for people: `42 s`, `3 min 5 s`, `2 h 4 min`, `5 d 3 h`. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Bytes for people, in powers of 1024. */
export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} KiB`;
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** `1 probe`, `2 probes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A line: the first of a matter bears its name. */
export type Row = readonly [name: string, text: string];

/** Lines of one matter: the first bears its name. */
export function under(name: string, lines: readonly string[]): readonly Row[] {
  return lines.map((line, at): Row => [at === 0 ? name : "", line]);
}

/** One thing that is wrong, and what is done about it. */
export function wrong(
  { name, why, does, sinceMs }: {
    readonly name: string; readonly why: string; readonly does: string;
    readonly sinceMs: number | null;
  },
): readonly string[] {
  const since = sinceMs === null ? "" : `, for ${span(sinceMs)}`;
  return [`${cleanText(name)}: ${cleanText(why)}${since}`, `  ${cleanText(does)}`];
}

/** An onion service of one's own; nothing if there is none. */
export function onion(o: OnionStatus): readonly string[] {
  if (o.state === "none") return [];
  const since = o.sinceMs === null ? "" : ` for ${span(o.sinceMs)}`;
  const why = o.why === null ? "" : `: ${cleanText(o.why)}`;
  const tor = o.torVersion === null ? "" : `, Tor ${cleanText(o.torVersion)}`;
  const pow = o.isPow ? ", visitors solve puzzles" : "";
  return [`${cleanText(o.state)}${since}${why}${tor}${pow}`, reach(o)];
}

function reach({ isReachable, reachedMs, visitFailure }: OnionStatus): string {
  const last = reachedMs === null ? "" : `, last reached ${span(reachedMs)} ago`;
  if (isReachable === null) return `not known yet whether it is reached${last}`;
  if (isReachable) return `reached by ourselves${last}`;
  return `not reached by ourselves: ${cleanText(visitFailure ?? "no answer")}${last}`;
}

/** Everything worth reading, a line for each matter; counters that are zero are left out. */
export function statusText(s: Status): string {
  const { peers, totals, heartbeat, outbox } = s;
  const rows: readonly Row[] = [
    ["node", `${cleanText(s.nick)} on ${cleanText(s.network)}${s.draining ? ", stopping" : ""}`],
    ["location", cleanText(s.location ?? nowhere(s))],
    ["up", span(s.uptimeMs)],
    ...under("wrong", s.degraded.flatMap(wrong)),
    ...under("onion", onion(s.onion)),
    ["peers", `${peers.registered} of ${peers.max}: ` +
      `${counted(peers.makers, "maker")}, ${counted(peers.takers, "taker")}`],
    ["", `${peers.pingCapable} can PING, ${peers.verified} proved their nick`],
    ["handshaking", String(peers.handshaking)],
    ["messages", `${totals.publicRelayed} public and ${totals.privateRelayed} private relayed`],
    ["heartbeat", heartbeat.running
      ? `running, ${counted(heartbeat.pending, "answer")} awaited`
      : "stopped"],
    ["", beats(totals)],
    ["to send", `${size(outbox.queuedBytes)} queued, ${counted(outbox.congested, "slow peer")}`],
    ["dropped", reasons(s.drops)],
    ["closed", reasons(s.closes)],
    ["handshakes", reasons(s.handshakes)],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join("");
}

function nowhere({ onion: { state } }: Status): string {
  return state === "none" ? "not set (directory.location)" : "not known yet";
}

/** What the heartbeat has done so far. */
export function beats(totals: Status["totals"]): string {
  return [
    counted(totals.heartbeatPings, "ping"), counted(totals.heartbeatProbes, "probe"),
    counted(totals.heartbeatEvictions, "eviction"),
  ].join(", ");
}

function reasons(counts: { readonly [reason: string]: number }): string {
  const seen = Object.entries(counts).filter(([, count]) => count > 0);
  if (seen.length === 0) return "none";
  seen.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return seen.map(([reason, count]) => `${count} ${cleanText(reason)}`).join(", ");
}
