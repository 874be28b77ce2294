/**
 * Notices of all wallets: one outbox.
 * @module
 */
import { unreachable } from "../assert.ts";
import * as delivery from "../notify/delivery.ts";
import type { Effect, Event } from "../notify/events.ts";
import type { Notice } from "../notify/notice.ts";
import { say, unixMsAt, type Ark, type Turn } from "./node.ts";

/** Something for the outbox of notices. */
export function tell(d: Ark, event: Event, t: Turn): void {
  const wishes: Effect[] = [];
  delivery.step(d.notify, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "record": {
        const recorder = { who: "notify", token: wish.token, body: wish.body } as const;
        t.todo.push({ do: "record", recorder });
        break;
      }
      case "req.start": case "req.drop": case "exec.start":
        t.todo.push({ do: "order", effect: wish });
        break;
      case "log": say(d, wish, t); break;
      case "closed": break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** A notice goes to whoever is to hear of it. */
export function notice(d: Ark, one: Notice, t: Turn): void {
  tell(d, { type: "told", notice: one, unixMs: unixMsAt(d, t.now) }, t);
}
