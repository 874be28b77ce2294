/**
 * What keeps the daemon of Ark wallets from doing all that it is there for: closed lists of named
 * states, of the process and of each wallet, each with its reason and with what happens about it
 * without anybody's help.
 *
 * Rule 1: a state is what is, derived anew for each question; nothing here is remembered.
 * Rule 2: a wallet's failure is its own: the process is not degraded by it.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as delivery from "../notify/delivery.ts";
import { NEVER, type Mono } from "../time.ts";
import { inLane } from "./calls.ts";
import { laneNames } from "./daemon-events.ts";
import { isAtLeast, type Coin } from "./expiry.ts";
import { factOf, type Capability } from "./facts.ts";
import { sight } from "./guardian.ts";
import * as lane from "./lane.ts";
import { isElsewhere } from "./network.ts";
import type { Ark, Node } from "./node.ts";
import { laneOf } from "./parts.ts";
import { isLeaving } from "./refresh.ts";
import { blockOf } from "./shepherd.ts";
import { isLooping } from "./supervisor.ts";
import { doubted } from "./trust.ts";
import * as words from "./words.ts";

export const processNames = [
  "starting", "draining", "journal-unread", "journal-broken", "disk-failing", "disk-slow",
  "no-wallets", "notices-failing",
] as const;
export type ProcessName = (typeof processNames)[number];

export const walletNames = [
  "program-crashing", "program-down", "other-network", "other-wallet", "server-key",
  "server-down", "chain-down", "unseen", "no-height", "expired", "exit-needed",
  "refresh-failing", "mailbox-stuck", "lane-stuck", "lane-behind",
] as const;
export type WalletName = (typeof walletNames)[number];

export type Name = ProcessName | WalletName;

export type Degraded = {
  readonly name: Name;
  /** What is the matter, for people. */
  readonly why: string;
  /** What Dogwatch does about it, and what only the operator can do. */
  readonly does: string;
  /** For how long it has been so; `null` if that is not known. */
  readonly sinceMs: number | null;
};

/** Every state of the process that holds at `now`, in the order of `processNames`. */
export function degraded(d: Ark, now: Mono): readonly Degraded[] {
  const all = [...process(d, now), ...disk(d, now), ...outside(d)];
  return processNames.flatMap((name) => all.find((one) => one.name === name) ?? []);
}

function since(at: Mono, now: Mono): number | null {
  return at === NEVER ? null : now - at;
}

function process(d: Ark, now: Mono): readonly Degraded[] {
  switch (d.phase) {
    case "fresh":
      return [{
        name: "starting", why: "it was not started yet", does: "it starts", sinceMs: null,
      }];
    case "running": {
      if (d.nodes.length > 0) return [];
      const does = "nothing, until one is configured";
      return [{ name: "no-wallets", why: "no wallet is configured", does, sinceMs: null }];
    }
    case "draining": case "stopped": {
      const does = "nothing new is asked; what must not be cut is waited for; then it ends";
      const sinceMs = d.phase === "stopped" ? null : d.config.drainMs - (d.drainDueAt - now);
      return [{ name: "draining", why: "it was told to stop", does, sinceMs }];
    }
    default: return unreachable(d.phase); /* c8 ignore next */
  }
}

function disk(d: Ark, now: Mono): readonly Degraded[] {
  const found: Degraded[] = [];
  const sinceMs = since(d.diskFailingAt, now);
  const { phase } = d.journal.at;
  const none = "no refresh, exit or claim is begun, as none could be written down first";
  if (phase === "broken") {
    const does = `${none}; mend the file and start the daemon again`;
    found.push({ name: "journal-broken", why: d.diskTrouble, does, sinceMs });
  } else if (d.diskFailingAt !== NEVER) {
    const does = d.isFileFull ? `${none}, until the daemon is started again`
      : `${none}; what waits is written as soon as the disk takes it`;
    found.push({ name: "disk-failing", why: d.diskTrouble, does, sinceMs });
  }
  if (d.isDiskSlow) {
    const why = `the disk does not answer in time while ${words.diskWork(phase)}`;
    const does = "what waits for its record waits on";
    found.push({ name: "disk-slow", why, does, sinceMs: null });
  }
  if (!d.isRestored && phase !== "broken" && d.phase !== "fresh") {
    const why = "the journal is being read";
    const does = "no refresh, exit or claim is begun before; wallets are looked at";
    found.push({ name: "journal-unread", why, does, sinceMs: null });
  }
  return found;
}

function outside(d: Ark): readonly Degraded[] {
  const failing = delivery.status(d.notify).filter(({ failures }) => failures > 0);
  if (failing.length === 0) return [];
  const why = failing.map(({ to, why: last }) => `${to}: ${last}`).join("; ");
  const does = "notices wait in the journal and are sent again";
  return [{ name: "notices-failing", why, does, sinceMs: null }];
}

/** Every state of one wallet that holds at `now`, in the order of `walletNames`. */
export function walletDegraded(d: Ark, node: Node, now: Mono): readonly Degraded[] {
  if (d.phase !== "running") return [];
  const all = [
    ...ways(node, now), ...sights(node, now), ...coins(node, now), ...work(d, node, now),
  ];
  return walletNames.flatMap((name) => all.find((one) => one.name === name) ?? []);
}

/** Nothing that depends on the program is known without it. */
function ways(node: Node, now: Mono): readonly Degraded[] {
  const { daemon: { facts }, guardian: { trust, drive } } = node;
  const program = away(node, "program", now);
  const found: Degraded[] = crashing(node, now);
  if (program !== undefined) {
    const does = "it is asked again and again; nothing else is done for this wallet meanwhile";
    return [...found, { ...program, name: "program-down", does }];
  }
  if (isElsewhere(node.guardian)) {
    const { info, config: { network } } = node.guardian;
    const does = "no refresh, exit or claim is asked of it, and no exit is moved on";
    const why = `it is of network ${info?.network}, and ${network} is configured`;
    found.push({ name: "other-network", why, does, sinceMs: null });
  }
  found.push(...strangers(node));
  const server = away(node, "server", now);
  if (facts.isBarred) {
    const does = "nothing is asked of the server until the operator trusts its key; exits go on";
    const doubt = doubted(trust, "server", drive);
    const why = doubt === undefined ? words.evidence("server-key")
      : `the server's key was ${doubt.known} and is ${doubt.shown}`;
    found.push({ name: "server-key", why, does, sinceMs: server?.sinceMs ?? null });
  } else if (server !== undefined) {
    const does = "it is asked again and again; refreshes wait, exits and notices do not";
    found.push({ ...server, name: "server-down", does });
  }
  const chain = away(node, "chain", now);
  if (chain !== undefined) {
    const does = "heights are counted on by clock, and no exit moves";
    found.push({ ...chain, name: "chain-down", does });
  }
  return found;
}

function strangers({ guardian: { trust, drive } }: Node): readonly Degraded[] {
  const doubt = doubted(trust, "wallet", drive);
  if (doubt === undefined) return [];
  const why = `the wallet's fingerprint was ${doubt.known} and is ${doubt.shown}`;
  const does = "nothing is begun for it until the operator trusts it; deadlines are told";
  return [{ name: "other-wallet", why, does, sinceMs: null }];
}

function crashing({ program }: Node, now: Mono): Degraded[] {
  if (program?.last === undefined || !isLooping(program)) return [];
  const why = `it ends soon after each start: ${words.exit(program.last.exit)}`;
  const does = "it is started again, with growing waits; its last words are in the log";
  return [{ name: "program-crashing", why, does, sinceMs: since(program.loopAt, now) }];
}

type Away = { readonly why: string; readonly sinceMs: number };

/** What was never heard of is not there yet. */
function away(node: Node, of: Capability, now: Mono): Away | undefined {
  const { state, evidence, since: at } = factOf(node.daemon.facts, of);
  if (state === "up" || (state === "unknown" && of !== "program")) return undefined;
  return { why: words.evidence(evidence), sinceMs: now - at };
}

function sights({ guardian: g }: Node, now: Mono): readonly Degraded[] {
  const found: Degraded[] = [];
  const { isFresh, vtxosFrom, tip } = sight(g, now);
  if (!isFresh) {
    const why = vtxosFrom === undefined ? "its VTXOs were not seen yet"
      : "its VTXOs were not seen for too long";
    const does = "it is looked at again and again; nothing is begun, deadlines are told all the"
      + " same";
    found.push({ name: "unseen", why, does, sinceMs: since(vtxosFrom ?? NEVER, now) });
  }
  if (tip === undefined && g.expiry.coins.size > 0) {
    const does = "nobody knows when VTXOs expire; look at the wallet's chain source";
    found.push({ name: "no-height", why: "no height is known", does, sinceMs: null });
  }
  return found;
}

function coins({ guardian: g }: Node, now: Mono): readonly Degraded[] {
  const s = sight(g, now);
  const staying = [...g.expiry.coins.values()].filter((coin) => !isLeaving(s, coin));
  const isOver = (coin: Coin): boolean => coin.stage === "expired";
  const found: Degraded[] = [];
  const count = (of: readonly Coin[]): string => `${of.length} of its VTXOs`;
  const expired = staying.filter(isOver);
  if (expired.length > 0) {
    const does = "the Ark server may take them at any time; an exit may still save them";
    found.push({ name: "expired", why: `${count(expired)} expired`, does, sinceMs: null });
  }
  const late = staying.filter((coin) => isAtLeast(coin, "exit-now") && !isOver(coin));
  if (late.length > 0) {
    const blocked = late.find((coin) => blockOf(g.shepherd, s, coin) !== undefined);
    const does = blocked === undefined ? "an exit is begun"
      : "an exit is for the operator to begin; the plan says why";
    const why = `${count(late)} have to leave for the chain now`;
    found.push({ name: "exit-needed", why, does, sinceMs: null });
  }
  const failing = staying.filter(({ stage }) => stage === "failing");
  if (failing.length > 0) {
    const why = `refreshing ${count(failing)} keeps failing`;
    const does = "it is tried again, with growing waits; an exit is next";
    found.push({ name: "refresh-failing", why, does, sinceMs: null });
  }
  return found;
}

function work(d: Ark, node: Node, now: Mono): readonly Degraded[] {
  const found: Degraded[] = [];
  if (node.isMailStuck) {
    const does = "it stays on the server, and is tried again";
    found.push({
      name: "mailbox-stuck", why: "a message cannot be read", does, sinceMs: null,
    });
  }
  const stuck = stuckIn(d, node);
  if (stuck.length > 0) {
    const does = "it is not cut, and nothing else waits for it; start a program anew that hangs";
    const why = `work in the wallet does not end: ${stuck.join(", ")}`;
    found.push({ name: "lane-stuck", why, does, sinceMs: null });
  }
  const behind = [...node.lanes].filter(([, one]) => one.behindAt !== undefined);
  const first = behind[0]?.[1].behindAt;
  if (first !== undefined) {
    const why = `not done for too long: ${behind.map(([name]) => name).join(", ")}`;
    const does = "it is tried again and again";
    found.push({ name: "lane-behind", why, does, sinceMs: now - first });
  }
  return found;
}

/** Lanes whose call goes on although nobody waits for it any more. */
function stuckIn(d: Ark, node: Node): readonly string[] {
  const own = laneNames.filter((name) => lane.isOverdue(laneOf(node.daemon, name)));
  const others = ["look", "refresh", "exit", "claim"].filter((name) => (
    inLane(d.calls, node.config.name, name)?.isOverdue === true
  ));
  return [...own, ...others];
}
