/**
 * X4: a step whose deadline is due does first what a tick would do, then what the event asks for.
 *
 * Rule 1: `together` takes both in one step, on a copy; the node takes them apart, as it always
 * does in a world; `differs` compares what was ordered and what both have become.
 * @module
 */
import { step, type Kernel } from "../../core/kernel/kernel.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { Mono } from "../../core/time.ts";
import { clone, difference } from "./plain.ts";

type Typed = { readonly type: string };

/** What one step for both came to; `died`: what the kernel threw instead. */
export type Together<S> = {
  readonly state: S;
  readonly effects: readonly Typed[];
  readonly died: string | undefined;
};

/** One step of a copy of `k`, its due tick left to the kernel. */
export function together<S, E extends Typed, F extends Typed>(
  k: Kernel<S, E, F>, event: E | Tick, now: Mono,
): Together<S> {
  const twin: Kernel<S, E, F> = { ...k, state: clone(k.state), digest: undefined };
  try {
    return { state: twin.state, effects: step(twin, clone(event), now), died: undefined };
  } catch (error) {
    const died = error instanceof Error ? error.message : String(error);
    return { state: twin.state, effects: [], died };
  }
}

/** What is not the same; `undefined`: nothing. `apart`: effects of the tick, then of the event. */
export function differs<S, E extends Typed, F extends Typed>(
  k: Kernel<S, E, F>, apart: readonly Typed[], twin: Together<S>,
): string | undefined {
  if (twin.died !== undefined) return `one step for a due tick and an event dies: ${twin.died}`;
  const orders = difference(withoutWakes(apart), withoutWakes(twin.effects));
  if (orders !== undefined) return "one step for a due tick and an event ordered other things";
  // Not a copy of ours: constants that sessions share are the same objects in both.
  alike(k.state, twin.state, "stepLines");
  alike(k.state, twin.state, "stepUnits");
  const path = difference(k.state, twin.state);
  return path === undefined ? undefined : `one step for both left another state at ${path}`;
}

function withoutWakes(effects: readonly Typed[]): readonly Typed[] {
  return effects.filter((effect) => effect.type !== "wake");
}

/** What a machine counts within a step: there are two steps, or one. */
function alike(mine: unknown, other: unknown, name: string): void {
  if (typeof mine !== "object" || typeof other !== "object" || mine === null) return;
  if (other === null || !Object.hasOwn(mine, name)) return;
  const [from, to] = [mine, other] as { [name: string]: unknown }[];
  if (from !== undefined && to !== undefined) to[name] = from[name];
}
