/**
 * Finds questions over HTTP and their answers again, where who was asked is a node of the world.
 *
 * Rule 1: a question is seen where it arrives, an answer where it is heard; one that does neither
 * is no message.
 * Rule 2: what is asked is shown by method and path; what is answered, by its status. Nothing of a
 * body is, nor of a query.
 * @module
 */
import type { Message } from "./recording.ts";
import type { SimEffect, SimEvent } from "./world.ts";

/** What is under way: from whom, since when, and what it is. */
type Sent = {
  readonly from: number; readonly us: number; readonly step: number; readonly says: string;
  readonly bytes: number;
};

/** By who asked and the number of the question. */
export type Calls = { readonly asked: Map<string, Sent>; readonly answered: Map<string, Sent> };

/** Nothing is under way. */
export function create(): Calls {
  return { asked: new Map(), answered: new Map() };
}

/** A question in a few words. */
export function says({ method, path }: Extract<SimEffect, { type: "req.start" }>): string {
  return `${method} ${path.replace(/\?.*$/, "")}`;
}

/** Beside its line: whose program is asked is not its node's name. */
function label(effect: Extract<SimEffect, { type: "req.start" }>): string {
  const [, wallet] = /^barkd:(.+)$/.exec(effect.to) ?? [];
  return wallet === undefined ? says(effect)
    : `${wallet} ${says({ ...effect, path: effect.path.replace(/^\/api\/v1/, "") })}`;
}

/** One step: what arrived with it. */
export function stepped(
  c: Calls, node: number, event: SimEvent, effects: readonly SimEffect[],
  { us, step }: { readonly us: number; readonly step: number },
): readonly Message[] {
  const found: Message[] = [];
  const arrived = (sent: Sent | undefined): void => {
    if (sent === undefined) return;
    const { from, us: sentUs, step: sentStep, says: text, bytes } = sent;
    const got = { gotUs: us, gotStep: step };
    found.push({ life: -1, from, to: node, sentUs, sentStep, ...got, says: text, bytes });
  };
  if (event.type === "ark.asked" || event.type === "rpc.asked") {
    arrived(taken(c.asked, keyOf(event.question)));
  } else if (event.type === "req.done" || event.type === "req.failed") {
    c.asked.delete(keyOf({ asker: node, req: event.req }));
    arrived(taken(c.answered, keyOf({ asker: node, req: event.req })));
  }
  for (const effect of effects) sent(c, effect, node, us, step);
  return found;
}

function sent(c: Calls, effect: SimEffect, node: number, us: number, step: number): void {
  const at = { from: node, us, step };
  if (effect.type === "req.start") {
    const key = keyOf({ asker: node, req: effect.req });
    c.answered.delete(key);
    c.asked.set(key, { ...at, says: label(effect), bytes: effect.body.length });
  } else if (effect.type === "ark.answered" || effect.type === "rpc.answered") {
    const { status, body } = effect;
    const to = effect.type === "ark.answered" ? effect.to : effect;
    c.answered.set(keyOf(to), { ...at, says: `${status}`, bytes: body.length });
  } else if (effect.type === "ark.failed") {
    c.answered.set(keyOf(effect.to), { ...at, says: effect.reason, bytes: 0 });
  }
}

function keyOf({ asker, req }: { readonly asker: number; readonly req: number }): string {
  return `${asker} ${req}`;
}

function taken(from: Map<string, Sent>, key: string): Sent | undefined {
  const found = from.get(key);
  from.delete(key);
  return found;
}
