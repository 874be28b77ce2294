/**
 * Ark daemons seen by the oracles of a run: what their observers need of the world.
 *
 * Rule 1: what costs a walk over wallets is asked when a block has come, and once a minute; whether
 * all books add up, once an hour and at the end.
 * @module
 */
import type { Ark } from "../../core/ark/node.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { Mono } from "../../core/time.ts";
import * as clocks from "../clocks.ts";
import type { FleetSpec } from "../fleet/spec.ts";
import * as ark from "../invariants/ark.ts";
import * as exits from "../invariants/ark-exits.ts";
import * as habits from "../invariants/ark-habits.ts";
import * as stages from "../invariants/ark-stages.ts";
import type { Violation } from "../invariants/violation.ts";
import type { FleetEvent } from "../vocabulary.ts";
import { report } from "./report.ts";
import type { Watched } from "./state.ts";
import type { OracleActive, OracleNode, OracleWorld, Typed } from "./world.ts";

const auditUs = 3_600_000_000;

/** A fleet's process has begun. */
export function booted(w: OracleWorld, node: OracleNode, m: Watched): void {
  const town = w.nodes[node.fleet?.ark ?? -1]?.town;
  if (town === undefined) return;
  m.ark ??= ark.create(town);
  ark.booted(m.ark, clocks.now(node.clock, w.nowUs));
}

/** One step of a fleet. */
export function stepped(
  w: OracleWorld, node: OracleNode, m: Watched, event: Typed, effects: readonly Typed[],
  now: Mono, found: Violation[],
): void {
  const o = m.ark;
  const state = node.kernel?.state as Ark | undefined;
  if (o === undefined || state === undefined) return;
  const s: ark.Step = { event: event as FleetEvent | Tick, effects, state, now, nowUs: w.nowUs };
  const { wallets } = node.spec as FleetSpec;
  ark.observe(o, s, found);
  habits.observe(o, s, wallets, found);
  if (!stages.isDue(o, s)) return;
  stages.look(o, s, found);
  habits.look(o, s, found);
  exits.look(o, s, wallets, found);
  if (w.nowUs < o.auditUs) return;
  o.auditUs = w.nowUs + auditUs;
  exits.sound(o, found);
}

/** A fault has begun: it is an excuse for those whom it is about. */
export function began(w: OracleWorld, { harm, toUs }: OracleActive): void {
  for (const { ark: o } of w.oracles.watched) if (o !== undefined) exits.struck(o, harm, toUs);
}

/** The end of time. */
export function finished(w: OracleWorld, node: OracleNode, m: Watched): void {
  if (m.ark === undefined) return;
  const found: Violation[] = [];
  exits.sound(m.ark, found);
  report(w, node, found, w.steps - 1);
}
