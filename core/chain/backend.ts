/**
 * Whoever is asked about the chain: a node of the operator's own, or an Esplora server.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Mono } from "../time.ts";
import * as bitcoind from "./bitcoind.ts";
import type { Effect, Event } from "./chain.ts";
import * as esplora from "./esplora.ts";

export type Backend =
  | { readonly kind: "bitcoind"; readonly m: bitcoind.Bitcoind }
  | { readonly kind: "esplora"; readonly m: esplora.Esplora };

/** The one that is configured, with nothing asked. */
export function create(
  node: bitcoind.Config | undefined, server: esplora.Config | undefined,
): Backend | undefined {
  if (node !== undefined) return { kind: "bitcoind", m: bitcoind.create(node) };
  return server === undefined ? undefined : { kind: "esplora", m: esplora.create(server) };
}

/** Takes one event. Neither keeps time: see `chain.ts`, rule 3. */
export function step(b: Backend, event: Event, now: Mono, out: Effect[]): void {
  switch (b.kind) {
    case "bitcoind": return bitcoind.step(b.m, event, now, out);
    case "esplora": return esplora.step(b.m, event, now, out);
    default: return unreachable(b); /* c8 ignore next */
  }
}
