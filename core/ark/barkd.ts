/**
 * barkd as the program behind an Ark wallet: calls become requests of its REST API, replies become
 * answers.
 *
 * Rule 1: keeps nothing between a request and its reply, and asks nothing twice. Waiting, trying
 * again and what must not be cut short are the callers' business (`wallet.isCuttable`).
 * Rule 2: any reply whatever has one answer and no reply throws. A good status with a body that is
 * not what the call answers is as good as no reply.
 * Rule 3: done means that barkd says so, not that it is so: `sync` is answered the same whether
 * every part of it failed, and `exit` also for a VTXO that barkd passed over. What became of it is
 * read from the wallet's lists.
 *
 * Knows no address and no token: they belong to the host's target. Keeps no time.
 * @module
 */
import { unreachable } from "../assert.ts";
import { parse } from "../joinmarket/json.ts";
import type { Config } from "./barkd-config.ts";
import { notJson, odd, ofStatus } from "./barkd-errors.ts";
import { doneOf, type Told } from "./barkd-replies.ts";
import { done, type Answer, type Op } from "./wallet.ts";

export { defaults, type Config } from "./barkd-config.ts";
export { ofFailure } from "./barkd-errors.ts";
export { requestOf, type Request } from "./barkd-requests.ts";

/** What the reply to the request of `op` comes to. Total: never throws, whatever was sent. */
export function answerOf(config: Config, op: Op, status: number, body: string): Answer {
  if (status !== 200) return ofStatus(config, op, status, body);
  switch (op.op) {
    case "alive":
      if (body.trim() === "pong") return done({ op: "alive" });
      return odd("barkd-ping", "somebody answers, but not like a barkd");
    case "sync": case "sync-onchain":
      // Nothing is told; a page of some gateway would be something.
      if (["", "null", "{}"].includes(body.trim())) return done({ op: op.op });
      return odd("barkd-result", resultText);
    case "identity": case "probe": case "ark-info": case "tip": case "vtxos": case "balance":
    case "exits": case "pending": case "exit-fee": case "notifications": case "sync-mailbox":
    case "progress-exits": case "refresh": case "exit": case "claim":
      return told(config, op, status, body);
    case "refresh-server": case "fee-rates": case "sync-boards": case "sync-offboards":
    case "sync-rounds": case "sync-exits": case "progress-rounds": case "maintain":
      return { ok: false, why: "unsupported" };
    default: return unreachable(op); /* c8 ignore next */
  }
}

function told(config: Config, op: Told, status: number, body: string): Answer {
  const parsed = parse(body, config.json);
  if (!parsed.ok) return notJson(status, body);
  const found = doneOf(config, op, parsed.value);
  return found === undefined ? odd("barkd-result", resultText) : done(found);
}

const resultText = "not what this call answers, or more of it than is taken";
