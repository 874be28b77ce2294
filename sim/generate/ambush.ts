/**
 * Draws ambushes: two things at once, or one at the very moment at which it hurts.
 *
 * Rule 1: an ambush is made of ordinary faults and triggers, so that it shrinks like any other.
 * Rule 2: it is about a moment of the protocol (a PING is out, a list is on its way, a process has
 * just started), not about how the node is written.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { defaults } from "../../core/directory/config.ts";
import * as prng from "../../core/prng.ts";
import type { Key, Prng } from "../../core/prng.ts";
import type { Fault, Harm, HarmKind, NodeId, NodeSpec, Trigger } from "../scenario.ts";
import { clamp, failing, type Cast } from "./faults.ts";
import type { Range } from "./profiles.ts";

const kinds = [
  "latePong", "pauseAfterPing", "stalledList", "twoReaders", "crashTwice", "lostWelcome",
] as const;
type Kind = (typeof kinds)[number];

export type Ambushes = {
  readonly faults: readonly Fault[];
  readonly triggers: readonly Trigger[];
};

/** So many ambushes before `untilMs`, of faults that are not in `banned`. */
export function ambushes(
  key: Key, count: number, untilMs: number, nodes: readonly NodeSpec[], cast: Cast,
  isBanned: (kind: HarmKind) => boolean,
): Ambushes {
  const faults: Fault[] = [];
  const triggers: Trigger[] = [];
  for (let i = 0; i < count; i += 1) {
    const p = prng.stream(key, "ambush", i);
    const made = ambush(p, prng.pick(p, kinds), untilMs, nodes, cast);
    const id = 3_000 + i * 2;
    for (const [at, one] of made.faults.entries()) {
      if (!isBanned(one.harm.kind)) faults.push({ id: id + at, at: one.at, ...one.harm });
    }
    for (const one of made.triggers) if (!isBanned(one.do.kind)) triggers.push({ id, ...one });
  }
  return { faults, triggers };
}

type Made = {
  readonly faults: readonly { readonly at: number; readonly harm: Harm }[];
  readonly triggers: readonly Omit<Trigger, "id">[];
};

function ambush(
  p: Prng, kind: Kind, untilMs: number, nodes: readonly NodeSpec[], cast: Cast,
): Made {
  const directory = prng.pick(p, cast.directories);
  const peer = prng.pick(p, cast.peers);
  const nth = prng.between(p, 1, 12);
  const pongMs = pongOf(nodes, directory);
  switch (kind) {
    case "latePong": {
      // The PING is out already: only what comes back is late.
      const ms = pongMs - prng.below(p, (pongMs >> 6) + 300);
      const harm: Harm = { kind: "slow", link: [directory, "*"], ms, forMs: pongMs * 2 };
      return on("ping.sent", directory, nth, 0, harm);
    }
    case "pauseAfterPing": {
      const forMs = prng.between(p, 1_100, pongMs * 2);
      const delayMs = prng.below(p, pongMs);
      // Every other time the answer arrives meanwhile, and its deadline too.
      const isBetween = prng.chance(p, 1, 2);
      return on("ping.sent", directory, nth, isBetween ? delayMs >> 10 : delayMs, {
        kind: "pause", node: directory, forMs: isBetween ? pongMs + (forMs >> 1) : forMs,
      });
    }
    case "stalledList": {
      const forMs = prng.between(p, 100, 90_000);
      return on("list.sent", directory, nth, 0, { kind: "stall", node: peer, forMs });
    }
    case "lostWelcome": {
      const harm: Harm = { kind: "halfOpen", link: [peer, directory], way: "back", forMs: 0 };
      return on("hello.sent", peer, nth, 0, harm);
    }
    case "twoReaders": return twoReaders(p, untilMs, peer, prng.pick(p, cast.peers));
    case "crashTwice": return crashTwice(p, untilMs, prng.chance(p, 2, 3) ? directory : peer);
    default: return unreachable(kind);
  }
}

function on(
  mark: Trigger["on"]["mark"], node: NodeId, nth: number, delayMs: number, harm: Harm,
): Made {
  return { faults: [], triggers: [{ on: { mark, node, nth }, delayMs, do: harm }] };
}

function pongOf(nodes: readonly NodeSpec[], id: NodeId): number {
  const spec = nodes.find((one) => one.id === id);
  const settings = spec?.kind === "directory" ? spec.settings : undefined;
  return settings?.pongMs ?? defaults.heartbeat.pongMs;
}

/** Two that do not read at the same time, while others talk. */
function twoReaders(p: Prng, untilMs: number, one: NodeId, other: NodeId): Made {
  const at = prng.below(p, untilMs);
  const forMs = prng.between(p, 20_000, 600_000);
  const later = clamp(at + prng.below(p, 5_000), untilMs);
  return {
    triggers: [],
    faults: [
      { at, harm: { kind: "stall", node: one, forMs } },
      { at: later, harm: { kind: "stall", node: other, forMs } },
    ],
  };
}

/** Faults of a journal's disk at its own moments: written and not synced, or just synced. */
export function diskTraps(
  key: Key, count: Range, cast: Cast, isBanned: (kind: HarmKind) => boolean,
): readonly Trigger[] {
  const draws = prng.stream(key, "diskTraps");
  const out: Trigger[] = [];
  if (cast.journals.length === 0) return out;
  for (let i = prng.between(draws, ...count) - 1; i >= 0; i -= 1) {
    const p = prng.stream(key, "diskTrap", i);
    const node = prng.pick(p, cast.journals);
    const mark = prng.chance(p, 2, 3) ? "appended" : "synced";
    const nth = prng.between(p, 1, 60);
    const harm = diskTrap(p, node, cast);
    if (isBanned(harm.kind)) continue;
    out.push({ id: 5_000 + i, on: { mark, node, nth }, delayMs: prng.below(p, 4), do: harm });
  }
  return out;
}

function diskTrap(p: Prng, node: NodeId, cast: Cast): Harm {
  const forMs = prng.between(p, 10, 3_000);
  switch (prng.below(p, 4)) {
    case 0: return failing(p, cast);
    case 1: return { kind: "diskTorn", node, forMs };
    default: return { kind: "crash", node, effect: prng.below(p, 3), power: true, forMs };
  }
}

/** Dies again when it has hardly started. */
function crashTwice(p: Prng, untilMs: number, node: NodeId): Made {
  const at = prng.below(p, untilMs);
  const forMs = prng.between(p, 10, 3_000);
  const crash = (): Harm => ({
    kind: "crash", node, effect: prng.below(p, 3), power: prng.chance(p, 1, 2), forMs,
  });
  const again = clamp(at + forMs + prng.between(p, 20, 4_000), untilMs);
  return { triggers: [], faults: [{ at, harm: crash() }, { at: again, harm: crash() }] };
}
