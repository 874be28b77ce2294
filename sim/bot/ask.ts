/**
 * What the stand-in node says over HTTP, and what a trouble makes of it.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import * as chains from "../chain/chain.ts";
import type { Chain } from "../chain/chain.ts";
import * as rpc from "../chain/rpc.ts";
import type { RpcWrong } from "../scenario.ts";

export type Said = { readonly status: number; readonly body: string; readonly afterMs: number };

/** The password is wrong. */
export const denied: Said = { status: 401, body: "", afterMs: 0 };

/** The answer of the node in its trouble. */
export function answer(
  c: Chain, wrong: RpcWrong | undefined, path: string, body: string, nowMs: number,
): Said {
  switch (wrong) {
    case undefined: case "silent": return plain(c, chains.healthy(c.config), path, body, nowMs);
    case "denied": return denied;
    case "html":
      return { status: 502, body: "<html><h1>502 Bad Gateway</h1></html>\n", afterMs: 0 };
    case "busy": return { status: 503, body: "Work queue depth exceeded", afterMs: 0 };
    case "cut": {
      const said = plain(c, chains.healthy(c.config), path, body, nowMs);
      return { ...said, body: said.body.slice(0, said.body.length >> 1) };
    }
    case "warming": {
      const state = { ...chains.healthy(c.config), warmUp: "Loading block index…" };
      return plain(c, state, path, body, nowMs);
    }
    case "alone": return plain(c, { ...chains.healthy(c.config), peers: 0 }, path, body, nowMs);
    default: return unreachable(wrong);
  }
}

function plain(
  c: Chain, state: chains.State, path: string, body: string, nowMs: number,
): Said {
  return rpc.answer(c, path, body, nowMs, state);
}
