/**
 * What a directory node looks like from outside: a plain value for `/status`, metrics, pages and
 * tests. Reading it changes nothing.
 * @module
 */
import { wallAt, type Mono } from "../time.ts";
import type { OnionStatus, Trouble } from "../tor/shown.ts";
import type { Counts } from "./counts.ts";
import * as doorway from "./doorway.ts";
import * as heartbeat from "./heartbeat.ts";
import type { Directory } from "./node.ts";

export type Recent = { readonly agoMs: number; readonly code: string; readonly nick: string };

export type Status = {
  readonly schema: 1;
  readonly nick: string;
  readonly network: string;
  readonly location: string | null;
  /** Unix milliseconds of the start, or `null` while the host has not told the time. */
  readonly startedUnixMs: number | null;
  readonly uptimeMs: number;
  readonly draining: boolean;
  /** What is wrong, by name; the node serves whom it can all the same. */
  readonly degraded: readonly Trouble[];
  /** The onion service that the node runs or watches itself. */
  readonly onion: OnionStatus;
  readonly peers: {
    readonly registered: number; readonly makers: number; readonly takers: number;
    readonly pingCapable: number; readonly verified: number; readonly handshaking: number;
    readonly connections: number; readonly max: number;
  };
  readonly totals: Counts["totals"];
  readonly drops: { readonly [reason: string]: number };
  readonly closes: { readonly [reason: string]: number };
  readonly handshakes: { readonly [result: string]: number };
  readonly heartbeat: { readonly running: boolean; readonly pending: number };
  readonly outbox: {
    readonly queuedBytes: number; readonly queuedBytesMax: number; readonly congested: number;
  };
  readonly inputBytes: number;
  readonly contests: number;
  /** Oldest first. `agoMs` before now. */
  readonly recent: readonly Recent[];
};

/** The same without the nicks of peers: who is here is not told to whoever may ask. */
export function anonymous(told: Status): Status {
  return { ...told, recent: told.recent.map(({ agoMs, code }) => ({ agoMs, code, nick: "" })) };
}

/** The node at `now`; `service`: what is to be said of its onion service, if it has one. */
export function status(
  d: Directory, now: Mono, service: doorway.View = doorway.noDoorway,
): Status {
  const registered = d.registry.byNick.size;
  const anchor = d.anchor;
  return {
    schema: 1,
    nick: d.nick,
    network: d.config.network,
    location: d.location ?? null,
    startedUnixMs: anchor === undefined ? null : wallAt(anchor, d.anchoredAt, d.startedAt).unixMs,
    uptimeMs: now - d.startedAt,
    draining: d.drain !== "no",
    degraded: service.degraded,
    onion: service.onion,
    peers: {
      registered, makers: d.registry.makerCount, takers: registered - d.registry.makerCount,
      pingCapable: d.registry.pingCount, verified: d.registry.verifiedCount,
      handshaking: d.sessions.shaking.due.size, connections: d.sessions.byConn.size,
      max: d.config.peersMax,
    },
    totals: { ...d.counts.totals },
    drops: { ...d.counts.drops },
    closes: { ...d.counts.closes },
    handshakes: { ...d.counts.handshakes },
    heartbeat: {
      running: heartbeat.isRunning(d.heartbeat), pending: heartbeat.pending(d.heartbeat).length,
    },
    outbox: {
      queuedBytes: d.outbox.totalBytes, queuedBytesMax: d.outbox.config.bytesTotalMax,
      congested: d.outbox.stuck.due.size,
    },
    inputBytes: d.sessions.pendingBytes,
    contests: d.contest.open.size,
    recent: d.recent.map(({ at, code, nick }) => ({ agoMs: now - at, code, nick })),
  };
}
