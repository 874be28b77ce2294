/**
 * What fleets and arks are told and what they do, in words.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { StreamEffect } from "../../core/ark/streams.ts";
import type { NodeId } from "../scenario.ts";
import type { FleetEvent } from "../vocabulary.ts";
import type { TownEffect, TownEvent } from "./town.ts";

type Nodes = { readonly nodes: readonly { readonly id: NodeId }[] };
type Told =
  | Extract<TownEvent, { readonly type: `ark.${string}` }>
  | Extract<FleetEvent, { readonly type: `stream.${string}` | "operator.trust" }>;

function nameOf(w: Nodes, index: number): string {
  return w.nodes[index]?.id ?? "nobody";
}

export function eventText(w: Nodes, event: Told): string {
  switch (event.type) {
    case "stream.subscribed": return `stream ${event.stream} is open`;
    case "stream.item": return `round ${event.event.roundSeq}: ${event.event.kind}`;
    case "stream.ended": return `stream ${event.stream} is over: ${event.reason}`;
    case "operator.trust": return `its operator trusts the server of ${event.wallet}`;
    case "ark.asked": {
      const { asker, wallet, method, path } = event.question;
      return `${nameOf(w, asker)} asks ${wallet}: ${method} ${path}`;
    }
    case "ark.dropped": return `${nameOf(w, event.by.asker)} waits no more`;
    case "ark.opened": return `${nameOf(w, event.by.asker)} wants to hear of rounds`;
    case "ark.left": return `${nameOf(w, event.by.asker)} hears of rounds no more`;
    case "ark.gone": return `${nameOf(w, event.asker)} is gone`;
    case "ark.suffers": return `something goes wrong: ${event.harm.as}`;
    case "ark.healed": return "nothing goes wrong any more";
    default: return unreachable(event);
  }
}

export function effectText(w: Nodes, effect: TownEffect | StreamEffect): string {
  switch (effect.type) {
    case "stream.open": return `opens stream ${effect.stream}`;
    case "stream.close": return `closes stream ${effect.stream}`;
    case "ark.answered": return `answers ${nameOf(w, effect.to.asker)}: ${effect.status}`;
    case "ark.failed": return `breaks with ${nameOf(w, effect.to.asker)}: ${effect.reason}`;
    case "ark.streamed": return `tells ${nameOf(w, effect.to.asker)}: ${effect.event.type}`;
    default: return unreachable(effect);
  }
}
