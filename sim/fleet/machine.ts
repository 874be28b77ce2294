/**
 * The machines of processes of fleets and arks.
 * @module
 */
import * as fleet from "../../core/ark/ark.ts";
import { assert } from "../../core/assert.ts";
import * as prng from "../../core/prng.ts";
import type { Mono } from "../../core/time.ts";
import type { AnyRoot, SimState } from "../vocabulary.ts";
import type { Node, World } from "../world.ts";
import * as towns from "./town.ts";

/** The machine of a process that begins now. */
export function machineOf(w: World, node: Node, now: Mono): readonly [AnyRoot, SimState] {
  if (node.town !== undefined) {
    return [towns.root as unknown as AnyRoot, towns.create(node.town)];
  }
  assert(node.fleet !== undefined, "a fleet without a host");
  const key = prng.derive(w.key, "fleet", node.id, node.incarnation);
  return [fleet.root as unknown as AnyRoot, fleet.create(node.fleet.config, key, now)];
}
