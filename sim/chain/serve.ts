/**
 * A question to one of the two servers, through whatever is wrong with it at that instant.
 *
 * Rule 1: what a server does is done although its answer does not arrive: a payment whose reply was
 * lost is paid. A server that nobody reaches does nothing.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { cutOff, rejoin, type Chain, type Face } from "./chain.ts";
import * as esplora from "./esplora.ts";
import { activeAt, spoil, stateOf, type Fault, type Outage, type Reply } from "./faults.ts";
import * as rpc from "./rpc.ts";

export type Asked = { readonly method: string; readonly path: string; readonly body: string };

/** The one reply to a question at `nowMs`. */
export function ask(
  chain: Chain, outages: readonly Outage[], face: Face, asked: Asked, nowMs: number,
): Reply {
  update(chain, outages, nowMs);
  const faults = activeAt(outages, face, nowMs);
  const isReached = !faults.some(({ kind }) => kind === "refusing" || kind === "denied");
  let reply = isReached ? served(chain, face, faults, asked, nowMs) : nothing;
  for (const fault of faults) reply = spoil(fault, reply);
  return reply;
}

const nothing: Reply = { type: "replied", status: 200, body: "", isHtml: false, afterMs: 0 };

/**
 * Cuts servers off whose `stale` outage begins, and joins them again when it ends. To be called at
 * its first instant if the chain is to move on before the next question.
 */
export function update(chain: Chain, outages: readonly Outage[], nowMs: number): void {
  const stale = outages.filter(({ fault }) => fault.kind === "stale");
  for (const face of new Set(stale.map((one) => one.face))) {
    const isStale = activeAt(stale, face, nowMs).length > 0;
    if (isStale) cutOff(chain, face);
    else rejoin(chain, face);
  }
}

function served(
  chain: Chain, face: Face, faults: readonly Fault[], { method, path, body }: Asked,
  nowMs: number,
): Reply {
  switch (face) {
    case "bitcoind": {
      if (method !== "POST") return page(405, "JSONRPC server handles only POST requests");
      const state = stateOf(chain.config, faults);
      return { type: "replied", isHtml: false, ...rpc.answer(chain, path, body, nowMs, state) };
    }
    case "esplora": {
      if (method !== "GET") return page(405, "");
      return { type: "replied", isHtml: false, afterMs: 0, ...esplora.answer(chain, path) };
    }
    default: return unreachable(face);
  }
}

function page(status: number, body: string): Reply {
  return { type: "replied", status, body, isHtml: true, afterMs: 0 };
}
