/**
 * What keeps a maker from doing all that it is there for: a closed list of named states, each with
 * its reason and with what happens about it without anybody's help.
 *
 * Rule 1: a state is what is, derived anew for each question; nothing here is remembered.
 * Rule 2: a maker that has nothing to offer because no coins suffice is not degraded: it is poor.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Mono } from "../time.ts";
import { NEVER } from "../time.ts";
import type { Maker } from "./node.ts";
import * as delivery from "../notify/delivery.ts";
import * as offers from "./offers.ts";
import { trouble } from "../tor/shown.ts";
import * as pool from "./pool.ts";
import * as words from "./words.ts";

export const names = [
  "starting", "draining", "journal-unread", "journal-broken", "disk-failing", "disk-slow",
  "no-directory", "onion-down", "onion-unreachable", "no-backend", "backend-down", "coins-aged",
  "not-announcing", "notices-failing",
] as const;
export type Name = (typeof names)[number];

export type Degraded = {
  readonly name: Name;
  /** What is the matter, for people. */
  readonly why: string;
  /** What Dogwatch does about it, and what only the operator can do. */
  readonly does: string;
  /** For how long it has been so; `null` if that is not known. */
  readonly sinceMs: number | null;
};

/** Every state that holds at `now`, in the order of `names`. */
export function degraded(d: Maker, now: Mono): readonly Degraded[] {
  const found = new Map<Name, Degraded>();
  const all = [
    ...process(d, now), ...disk(d, now), ...backend(d, now), ...address(d, now), ...outside(d, now),
  ];
  for (const one of all) found.set(one.name, one);
  return names.flatMap((name) => found.get(name) ?? []);
}

function since(at: Mono, now: Mono): number | null {
  return at === NEVER ? null : now - at;
}

function process(d: Maker, now: Mono): readonly Degraded[] {
  switch (d.phase) {
    case "fresh":
      return [{
        name: "starting", why: "it was not started yet", does: "it starts", sinceMs: null,
      }];
    case "running": return [];
    case "draining": case "stopped": {
      const does = "offers are cancelled and connections closed; then the process ends";
      const leftMs = d.phase === "stopped" ? 0 : d.drainDueAt - now;
      const sinceMs = d.phase === "stopped" ? null : d.config.drainMs - leftMs;
      return [{ name: "draining", why: "it was told to stop", does, sinceMs }];
    }
    default: return unreachable(d.phase); /* c8 ignore next */
  }
}

function disk(d: Maker, now: Mono): readonly Degraded[] {
  const found: Degraded[] = [];
  const sinceMs = since(d.diskFailingAt, now);
  const { phase } = d.journal.at;
  if (phase === "broken") {
    const does = "nothing is announced or written until the file was mended and the daemon is"
      + " started again";
    found.push({ name: "journal-broken", why: d.diskTrouble, does, sinceMs });
  } else if (d.diskFailingAt !== NEVER) {
    const does = d.isFileFull ? "offers stay withdrawn until the daemon is restarted"
      : "offers are withdrawn; what waits is written as soon as the disk takes it";
    found.push({ name: "disk-failing", why: d.diskTrouble, does, sinceMs });
  }
  if (d.isDiskSlow) {
    const why = `the disk does not answer in time while ${words.diskWork(phase)}`;
    const does = "offers are withdrawn until what waits is durable; then they are announced again";
    found.push({ name: "disk-slow", why, does, sinceMs: null });
  }
  if (!d.isRestored && phase !== "broken" && d.phase !== "fresh") {
    const does = "nothing is announced before it was read";
    found.push({ name: "journal-unread", why: "the journal is being read", does, sinceMs: null });
  }
  return found;
}

function backend(d: Maker, now: Mono): readonly Degraded[] {
  if (d.chain === undefined) {
    const why = "no wallet is configured";
    return [{ name: "no-backend", why, does: "nothing is offered", sinceMs: null }];
  }
  const { backend: b } = d.wallet;
  if (b.state === "up") {
    if (!d.wallet.hasAged) return [];
    const why = "the coins were not seen for too long";
    return [{ name: "coins-aged", why, does: "they are looked at again and again", sinceMs: null }];
  }
  const why = b.trouble === undefined ? "it has not answered yet"
    : `${b.trouble.reason}: ${b.trouble.fault.text}`;
  const does = "it is asked again and again; offers are withdrawn after a grace, and come back once"
    + " the coins were looked at";
  return [{ name: "backend-down", why, does, sinceMs: since(b.since, now) }];
}

/** Our own onion service, if there is to be one. */
function address(d: Maker, now: Mono): readonly Degraded[] {
  if (d.errands === undefined || d.phase !== "running") return [];
  const found = trouble(d.errands.onion, "takers come by directories", now);
  return found === undefined ? [] : [found];
}

function outside(d: Maker, now: Mono): readonly Degraded[] {
  const found: Degraded[] = [];
  const views = pool.views(d.pool);
  if (d.phase === "running" && !views.some(({ phase }) => phase === "up")) {
    const why = views.length === 0 ? "none is configured" : `none of ${views.length} is up`;
    const does = "each is dialled again and again, with growing waits up to a limit";
    found.push({ name: "no-directory", why, does, sinceMs: since(d.allDownAt, now) });
  }
  const block = d.config.offers.terms.length === 0 ? undefined : offers.blockOf(d.offers);
  if (d.phase === "running" && block !== undefined) {
    found.push({ name: "not-announcing", ...words.blocked(block), sinceMs: null });
  }
  const failing = delivery.status(d.notify).filter(({ failures }) => failures > 0);
  if (failing.length > 0) {
    const why = failing.map(({ to, why: last }) => `${to}: ${last}`).join("; ");
    const does = "notices wait in the journal and are sent again";
    found.push({ name: "notices-failing", why, does, sinceMs: null });
  }
  return found;
}
