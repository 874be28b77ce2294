/**
 * The machines of one wallet's background, and what is the same for all of them.
 *
 * Rule 1: each draws from a stream of chance of its own.
 * Not known here: what they wish, and who hears of it (`daemon.ts`).
 * @module
 */
import { unreachable } from "../assert.ts";
import * as prng from "../prng.ts";
import { soonest, type Mono } from "../time.ts";
import type { LaneName } from "./daemon-events.ts";
import * as exits from "./exits.ts";
import * as facts from "./facts.ts";
import type * as lane from "./lane.ts";
import * as mailbox from "./mailbox.ts";
import { check, type Policy } from "./policy.ts";
import * as probe from "./probe.ts";
import * as rounds from "./rounds.ts";
import * as startup from "./startup.ts";
import * as stopping from "./stopping.ts";
import * as sync from "./sync.ts";

export type Parts = {
  readonly policy: Policy;
  readonly facts: facts.Facts;
  readonly startup: startup.Startup;
  readonly probe: probe.Probe;
  readonly rounds: rounds.Rounds;
  readonly mailbox: mailbox.Mailbox;
  readonly sync: sync.Sync;
  readonly exits: exits.Exits;
  readonly stopping: stopping.Stopping;
  hasRounds: boolean;
  hasMailbox: boolean;
};

/** A background that does nothing until `started`; `key` is the wallet's own. */
export function create(policy: Policy, key: prng.Key, now: Mono): Parts {
  const jitter = (of: string): prng.Prng => prng.stream(key, "ark", of);
  check(policy);
  return {
    policy, facts: facts.create(policy.connected, now), startup: startup.create(policy.startup),
    probe: probe.create(policy.probe, jitter("probe")),
    rounds: rounds.create(policy.rounds, jitter("rounds")),
    mailbox: mailbox.create(policy.mailbox, jitter("mailbox"), jitter("mailbox-stream")),
    sync: sync.create(policy.sync, jitter("sync")),
    exits: exits.create(policy.exits, jitter("exits")),
    stopping: stopping.create(policy.stopping), hasRounds: false, hasMailbox: false,
  };
}

/** When any of the machines is due. */
export function deadline(d: Parts): Mono {
  let at = soonest(facts.deadline(d.facts), startup.deadline(d.startup));
  at = soonest(at, soonest(probe.deadline(d.probe), rounds.deadline(d.rounds)));
  at = soonest(at, soonest(mailbox.deadline(d.mailbox), sync.deadline(d.sync)));
  return soonest(at, soonest(exits.deadline(d.exits), stopping.deadline(d.stopping)));
}

/** What is under way in that lane: a call, or a subscription that is the last one. */
export function runningIn(d: Parts, name: LaneName): stopping.Running | undefined {
  const { under } = laneOf(d, name);
  if (under !== undefined) return { lane: name, op: under.op, sinceAt: under.sentAt };
  const kept = name === "rounds" ? d.rounds.stream : name === "mailbox" ? d.mailbox.stream
    : undefined;
  if (kept?.at.phase !== "opening" || !kept.isLast) return undefined;
  return { lane: name, op: "subscribe", sinceAt: kept.at.triedAt };
}

/** The lane of that name. */
export function laneOf(d: Parts, name: LaneName): lane.Lane {
  switch (name) {
    case "startup": return d.startup.lane;
    case "probe": return d.probe.lane;
    case "rounds": return d.rounds.lane;
    case "mailbox": return d.mailbox.lane;
    case "sync": return d.sync.lane;
    case "exits": return d.exits.rota.lane;
    default: return unreachable(name); /* c8 ignore next */
  }
}
