/**
 * A taker on several directories: it asks each of them for the order book, and notes when it first
 * heard of an offer by which.
 * @module
 */
import type { Address } from "../../adapters/address.ts";
import { isOffer } from "../../core/joinmarket/offer.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import { type Client, connect } from "../demo/client.ts";
import * as identity from "../demo/identity.ts";
import { unixMs } from "./clock.ts";

export interface Asker {
  /** `!orderbook`, through every directory. */
  readonly ask: () => void;
  /** When each directory first brought an offer; Unix milliseconds. */
  readonly heardAtMs: () => readonly number[];
  readonly forget: () => void;
  readonly end: () => void;
}

/** Connects to all of them. */
export function asker(directories: readonly Address[]): Asker {
  const who = identity.create();
  const ready = new Set<Client>();
  const heard = new Map<Address, number>();
  const clients = directories.map((address): Client => {
    const client = connect({
      address, who, network: "regtest", location: notServing, features: ["ping"],
      ready: () => void ready.add(client),
      line: ({ commands }) => {
        if (heard.has(address) || !commands.some(({ word }) => isOffer(word))) return;
        heard.set(address, unixMs());
      },
      peers: () => {}, pinged: () => true, closed: () => void ready.delete(client),
    });
    return client;
  });
  return {
    ask: () => {
      for (const client of ready) client.publish(["orderbook"]);
    },
    heardAtMs: () => [...heard.values()],
    forget: () => heard.clear(),
    end: () => {
      for (const client of clients) client.end();
    },
  };
}
