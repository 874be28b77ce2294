/**
 * What a wallet's program reaches: the Ark server, and its chain source, through their faults.
 *
 * Rule 1: the program connects when it first needs to, and believes for the rest of its life what
 * the server said then (hazard H35). Only `refreshServer` looks at the key and the fees again.
 * Rule 2: a failure takes its time: a server that vanished is waited for.
 * @module
 */
import type { Reason } from "../../core/ark/wallet.ts";
import { heightAt, heightOf, viewAt, type View } from "./chain.ts";
import * as faults from "./faults.ts";
import type { ServerFault } from "./faults.ts";
import * as servers from "./server.ts";
import {
  said, unavailable, type Barkd, type Info, type Said, type Trouble, type World,
} from "./state.ts";

/** The versions of the server's language that a wallet speaks. */
export const versions = { min: 4, max: 5 };

/** What the server says of itself at this instant. */
export function infoOf(w: World): Info {
  const { config } = w.server;
  const found = faults.ofServer(w.outages, w.nowMs);
  const lie = found.find((fault) => fault.kind === "network");
  return {
    network: lie?.kind === "network" ? lie.network : config.network,
    serverPubkey: servers.pubkey(w.server), mailboxPubkey: servers.mailboxPubkey(w.server),
    refreshFeeSat: config.refreshFeeSat, refreshPpm: config.refreshPpm,
    hasFees: !found.some(({ kind }) => kind === "fees"),
  };
}

/** One call to the server; how long it takes if it works. */
export function reach(w: World, b: Barkd): Said<Info> {
  const found = faults.ofServer(w.outages, w.nowMs);
  const slowMs = slownessOf(found);
  const isNew = b.session === undefined;
  const trouble = awayOf(w, found, isNew, slowMs);
  if (trouble !== undefined) return trouble;
  const afterMs = w.config.remoteMs + slowMs;
  if (b.session !== undefined) return said(b.session.info, afterMs);
  const refused = handshake(w, found, afterMs);
  if (refused !== undefined) return refused;
  const info = infoOf(w);
  if (info.network !== w.config.server.network) {
    return unavailable("network", `the server is of network ${info.network}`, afterMs);
  }
  b.session = { info };
  return said(info, afterMs);
}

function slownessOf(found: readonly ServerFault[]): number {
  let ms = 0;
  for (const fault of found) if (fault.kind === "slow") ms += fault.ms;
  return ms;
}

function awayOf(
  w: World, found: readonly ServerFault[], isNew: boolean, slowMs: number,
): Trouble | undefined {
  const { connectMs, callMs, localMs } = w.config;
  const down = (text: string, afterMs: number): Trouble => (
    unavailable("server-down", text, afterMs)
  );
  for (const { kind } of found) {
    if (kind === "down") return down("the server refused the connection", localMs);
    if (kind === "closing") return down("the server closed the connection", localMs);
    if (kind === "black-hole") {
      return down("the server did not answer in time", isNew ? connectMs : callMs);
    }
  }
  if (slowMs >= callMs) return down("the server did not answer in time", callMs);
  return undefined;
}

function handshake(
  w: World, found: readonly ServerFault[], afterMs: number,
): Trouble | undefined {
  const { versionMin, versionMax } = w.config.server;
  let range = { min: versionMin, max: versionMax };
  for (const fault of found) if (fault.kind === "version") range = fault;
  const isSpoken = range.min <= versions.max && range.max >= versions.min
    && range.min <= range.max;
  if (isSpoken) return undefined;
  const text = `the server speaks versions ${range.min} to ${range.max}`;
  return unavailable("version", text, afterMs);
}

/** Shakes hands again, and looks at key and fees as they were when the program connected. */
export function refreshServer(w: World, b: Barkd): Said<undefined> {
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  const { afterMs, value: info } = reached;
  const refused = handshake(w, faults.ofServer(w.outages, w.nowMs), afterMs);
  if (refused !== undefined) return refused;
  const wrong = (reason: Reason, text: string): Trouble => unavailable(reason, text, afterMs);
  if (!info.hasFees) return wrong("other", "the server's fees make no sense");
  if (b.wallet !== undefined && b.wallet.serverPubkey !== info.serverPubkey) {
    return wrong("server-key", "the server's public key has changed");
  }
  return said(undefined, afterMs);
}

/** When the next round begins, as the server says. */
export function nextRound(w: World, b: Barkd): Said<number> {
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  const isWild = faults.ofServer(w.outages, w.nowMs).some(({ kind }) => kind === "wild-numbers");
  const { round, config } = w.server;
  const atMs = round.phase === "idle" ? round.dueMs : round.dueMs + config.roundMs;
  // Whole seconds, as the protocol has them.
  const wholeMs = Math.ceil(atMs / 1_000) * 1_000;
  return said(isWild ? 253_402_300_799_000 : wholeMs, reached.afterMs);
}

/** The chain as the wallet's source tells it. */
export function look(w: World, b: Barkd): Said<View> {
  let height = heightOf(w.chain);
  let afterMs = w.config.remoteMs;
  for (const fault of faults.ofChain(w.outages, b.name, w.nowMs)) {
    switch (fault.kind) {
      case "down": return unavailable("chain", "the chain source does not answer", afterMs);
      case "html": return unavailable("chain", "the chain source sent no block hash", afterMs);
      case "slow": afterMs += fault.ms; break;
      case "stale": {
        const old = heightAt(w.chain, fault.fromMs);
        if (old < height) height = old;
        break;
      }
      case "backwards": height -= fault.blocks; break;
    }
  }
  return said(viewAt(w.chain, height), afterMs);
}
