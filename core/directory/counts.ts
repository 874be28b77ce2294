/**
 * What happened, counted: nothing is dropped, refused or closed without a reason here.
 *
 * Rule 1: reasons are closed lists, so that every label exists from the start and cardinality is
 * bounded.
 * Rule 2: counters only grow within a run.
 * @module
 */

/** Why a line from a registered peer had no effect. */
export const dropReasons = [
  "malformed", "empty", "from-nick", "grammar", "no-target", "target-behind",
  "unknown-type", "local-type", "misplaced-type",
  "rate-public", "rate-orderbook", "rate-private", "rate-peerlist", "rate-ping", "rate-other",
  "peerlist-busy", "early-line",
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Why a connection ended. The first five are the peer's or the network's doing. */
export const closeReasons = [
  "eof", "reset", "error", "aborted", "closed",
  "goodbye", "refused", "not-a-handshake", "handshake-timeout", "handshake-slots",
  "proxy-header", "circuit-full", "line-too-long", "line-timeout", "input-full", "flood",
  "outbox-full", "outbox-total", "slow-reader",
  "idle-timeout", "pong-timeout", "nick-contest", "displaced", "nick-auth", "shutdown",
] as const;
export type CloseReason = (typeof closeReasons)[number];

/** How handshakes ended: `ok`, or why they were refused. */
export const handshakeResults = [
  "ok", "json", "fields", "app-name", "directory", "proto-ver", "network", "nick", "location",
  "features",
  "own-nick", "nick-in-use", "nick-contested", "full", "starting", "draining",
  "auth-malformed", "auth-invalid", "auth-expired", "auth-policy", "auth-busy",
] as const;
export type HandshakeResult = (typeof handshakeResults)[number];

export type Totals = {
  opened: number;
  closed: number;
  bytesReceived: number;
  bytesSent: number;
  linesReceived: number;
  publicRelayed: number;
  privateRelayed: number;
  toDirectory: number;
  hints: number;
  peerlists: number;
  peerlistLines: number;
  leaveNotices: number;
  leavesCancelled: number;
  leavesUntold: number;
  pingsAnswered: number;
  registered: number;
  verified: number;
  displaced: number;
  contestsOpened: number;
  contestsWon: number;
  heartbeatPings: number;
  heartbeatProbes: number;
  heartbeatEvictions: number;
  congestions: number;
  graceOver: number;
};

export type Counts = {
  readonly totals: Totals;
  readonly drops: { [reason in DropReason]: number };
  readonly closes: { [reason in CloseReason]: number };
  readonly handshakes: { [result in HandshakeResult]: number };
};

export function create(): Counts {
  const totals: Totals = {
    opened: 0, closed: 0, bytesReceived: 0, bytesSent: 0, linesReceived: 0, publicRelayed: 0,
    privateRelayed: 0, toDirectory: 0, hints: 0, peerlists: 0, peerlistLines: 0, leaveNotices: 0,
    leavesCancelled: 0, leavesUntold: 0, pingsAnswered: 0, registered: 0, verified: 0, displaced: 0,
    contestsOpened: 0,
    contestsWon: 0, heartbeatPings: 0, heartbeatProbes: 0, heartbeatEvictions: 0, congestions: 0,
    graceOver: 0,
  };
  return {
    totals, drops: zeros(dropReasons), closes: zeros(closeReasons),
    handshakes: zeros(handshakeResults),
  };
}

function zeros<K extends string>(names: readonly K[]): { [name in K]: number } {
  const all = Object.create(null) as { [name in K]: number };
  for (const name of names) all[name] = 0;
  return all;
}
