/**
 * The surroundings of fleets and arks, made from a scenario.
 * @module
 */
import type { NodeSpec, Scenario } from "../scenario.ts";
import { configOf } from "./config.ts";
import type { FleetSpec } from "./spec.ts";
import * as hosts from "./state.ts";
import * as towns from "./town.ts";

/** What surrounds a fleet's process; nodes of other kinds have none of it. */
export function hostOf(spec: NodeSpec, scenario: Scenario): hosts.FleetHost | undefined {
  if (spec.kind !== "fleet") return undefined;
  return hosts.create(configOf(spec), arkOf(scenario, spec));
}

/** Whom a fleet asks. */
function arkOf(scenario: Scenario, { ark }: FleetSpec): number {
  const { nodes } = scenario;
  const wanted = nodes.findIndex(({ id, kind }) => kind === "ark" && id === ark);
  return wanted >= 0 ? wanted : nodes.findIndex(({ kind }) => kind === "ark");
}

/** The little world of an ark, with the wallets of all fleets that ask it. */
export function townOf(
  spec: NodeSpec, scenario: Scenario, startMs: number, aheadMs: number,
): towns.Town | undefined {
  if (spec.kind !== "ark") return undefined;
  const wallets = scenario.nodes.flatMap((one) => {
    const isOurs = one.kind === "fleet" && scenario.nodes[arkOf(scenario, one)]?.id === spec.id;
    return isOurs ? one.wallets : [];
  });
  return towns.found(spec, wallets, scenario.seed, startMs, aheadMs);
}
