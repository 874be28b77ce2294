/**
 * The little Ark world that the benchmark's daemon looks after: wallets' programs over HTTP and an
 * Ark server over gRPC, in the process of the benchmark; and how much is asked of it at once.
 *
 * Rule 1: a call lasts from its request until its answer is sent or its asker has gone. Long polls
 * of news count like all others.
 * @module
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ambient } from "../../adapters/ambient.ts";
import { deposit, endow } from "../../sim/ark/acts.ts";
import * as worlds from "../../sim/ark/config.ts";
import { block } from "../../sim/ark/run.ts";
import { addWallet, create } from "../../sim/ark/state.ts";
import { serveArk, type ArkServer } from "../demo/ark.ts";
import { unixMs } from "./clock.ts";

export type Stand = {
  readonly ark: ArkServer;
  readonly names: readonly string[];
  /** The most calls at once since the last `reset`: of a wallet, and of a wallet for one thing. */
  readonly most: () => { readonly wallet: number; readonly path: number };
  /** Calls since the last `reset`. */
  readonly calls: () => number;
  readonly reset: () => void;
  readonly close: () => Promise<void>;
};

/** VTXOs of each wallet; each lives for 30 days or less. */
export const coinsEach = 10;
const minute = 60_000;

/** Serves so many wallets, which have coins on the chain too. */
export async function stand(count: number, folder: string, ambient: Ambient): Promise<Stand> {
  const world = create({
    ...worlds.defaults, startMs: unixMs(), pace: { kind: "steady", everyMs: 10 * minute },
  });
  const names = Array.from({ length: count }, (_, i) => `wallet-${i + 1}`);
  for (const name of names) {
    addWallet(world, name);
    deposit(world, name, 1_000_000n);
  }
  block(world);
  for (const name of names) {
    for (let i = 0; i < coinsEach; i += 1) endow(world, name, [70_000n], 4_320 - 20 * i, 3);
  }
  const ark = await serveArk({ world, folder, ambient });
  const counted = counting();
  const close = async (): Promise<void> => {
    counted.end();
    await ark.close();
  };
  return { ark, names, ...counted, close };
}

type Message = { readonly request: IncomingMessage; readonly response: ServerResponse };
type Counting = Pick<Stand, "most" | "calls" | "reset"> & { readonly end: () => void };

function counting(): Counting {
  const under = new Map<string, number>();
  let calls = 0;
  let most = { wallet: 0, path: 0 };
  const move = (key: string, by: number): number => {
    const count = (under.get(key) ?? 0) + by;
    if (count === 0) under.delete(key);
    else under.set(key, count);
    return count;
  };
  const begun = (message: unknown): void => {
    const { request, response } = message as Message;
    // Each wallet's program has a port of its own; the daemon's status is asked from here.
    const wallet = `${request.socket.localPort}`;
    const path = `${wallet} ${request.method} ${request.url?.split("?")[0]}`;
    calls += 1;
    const atOnce = { wallet: move(wallet, 1), path: move(path, 1) };
    most = {
      wallet: Math.max(most.wallet, atOnce.wallet), path: Math.max(most.path, atOnce.path),
    };
    response.once("close", () => {
      move(wallet, -1);
      move(path, -1);
    });
  };
  subscribe("http.server.request.start", begun);
  return {
    most: () => most, calls: () => calls,
    reset: () => {
      calls = 0;
      most = { wallet: 0, path: 0 };
    },
    end: () => void unsubscribe("http.server.request.start", begun),
  };
}
