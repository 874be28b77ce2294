/**
 * "Sometimes" goals of worlds with our makers: what a search has to reach, seen from outside.
 *
 * Rule 1: as in `goals.ts`: declared before any run, O(1) a step, no verdict.
 * @module
 */
import type { LogEffect } from "../../core/kernel/io.ts";
import type { Mono } from "../../core/time.ts";
import type { Observer } from "../invariants/maker.ts";
import * as files from "../invariants/maker-file.ts";
import { isUp } from "../invariants/maker-links.ts";
import type { BotEvent } from "../vocabulary.ts";
import type { Trail } from "./state.ts";
import type { OracleNode, OracleWorld, Typed } from "./world.ts";

/** Id, situation, and how it is recognised. */
export const makerGoals: readonly (readonly [id: string, what: string, how: string])[] = [
  ["S8", "a directory is back after waits as long as they get",
    "a connection is up whose wait before was the longest"],
  ["S9", "all directories are down for ten minutes and more, and one is back",
    "a maker is up again so long after the last one went"],
  ["S13", "a crash between a durable record and its notice",
    "a process dies while a transaction's change is recorded, and not that it was told"],
  ["S14", "what was given up comes back", "a durable record says so"],
  ["S15", "a reorganisation takes a confirmation back", "a durable record says so"],
  ["S23", "a directory is back after an outage", "a connection is up that was up before"],
  ["S24", "an outage of the node withdraws the offers",
    "offers are cancelled because of the backend"],
  ["S25", "a full disk withdraws the offers", "offers are cancelled because of the journal"],
  ["S26", "the limit on retries is spent", "a wait of the length that follows the last of them"],
  ["S27", "a copy of a signed request is passed over", "the same line came again at once"],
  ["S28", "a password that changed is read again", "a 401, and then an answer"],
  ["S29", "a letter is sent again after a restart", "with the id of an earlier one"],
  ["S30", "coins that were spent take offers back at once",
    "cancelled, or smaller, in the step that lists the coins"],
  ["S31", "a transaction is found by its address", "a durable record says so"],
  ["S32", "a journal with a torn end is repaired", "the maker says so"],
  ["S33", "a maker stops in good order", "it asks to end after it cancelled its offers"],
  ["S34", "a signed request is replayed", "it comes again when copies are no longer under way"],
  ["S35", "a disk that hangs withdraws the offers",
    "offers are cancelled because of the journal while an order is late, and none has failed"],
  ["S36", "the own onion service is lost, and served again", "Tor has said so in one process"],
  ["S37", "a maker finds itself through its own onion", "the maker says so"],
];

function trailOf(w: OracleWorld, node: OracleNode): Trail {
  const all = w.oracles.goals.trails;
  let trail = all.get(node.index);
  if (trail === undefined) {
    trail = {
      wasUp: new Set(), downSince: undefined, wasDenied: false, wasPublic: false,
    };
    all.set(node.index, trail);
  }
  return trail;
}

function reach(w: OracleWorld, id: string): void {
  const { hits } = w.oracles.goals;
  if (!hits.has(id)) hits.set(id, w.steps < 1 ? 0 : w.steps - 1);
}

/** All directories down for so long, in ms. */
const longMs = 600_000;

/** One step of a bot, after its observer has seen it. */
export function stepped(
  w: OracleWorld, node: OracleNode, o: Observer, event: Typed, effects: readonly Typed[],
): void {
  const trail = trailOf(w, node);
  const now = (node.kernel?.now ?? 0) as Mono;
  joined(w, o, trail, now);
  told(w, o);
  const happened = event as BotEvent;
  if (happened.type === "req.done") {
    if (happened.status === 401) trail.wasDenied = true;
    else if (happened.status === 200 && trail.wasDenied) reach(w, "S28");
  }
  for (const effect of effects) if (effect.type === "log") logged(w, o, effect as LogEffect, now);
  for (const effect of effects) {
    if (effect.type === "stopped" && trail.wasPublic) reach(w, "S33");
  }
  if (o.talk.replays > 0) reach(w, "S34");
  if (o.onion.backs > 0) reach(w, "S36");
  if (o.talk.copies > 0) reach(w, "S27");
  if (o.letters.resent > 0) reach(w, "S29");
  if (o.offers.shrunk > 0) reach(w, "S30");
  if (o.offers.wasPublic) trail.wasPublic = true;
}

function joined(w: OracleWorld, o: Observer, trail: Trail, now: Mono): void {
  let isAnyUp = false;
  for (const link of o.links.all) {
    if (!isUp(link)) continue;
    isAnyUp = true;
    if (link.upAt !== now) continue;
    if (trail.wasUp.has(link.to)) reach(w, "S23");
    trail.wasUp.add(link.to);
    if (link.highMs >= o.config.pool.link.retry.maxMs) reach(w, "S8");
    if (link.highMs > o.config.pool.link.retry.maxMs) reach(w, "S26");
  }
  if (isAnyUp) {
    if (trail.downSince !== undefined && now - trail.downSince >= longMs) reach(w, "S9");
    trail.downSince = undefined;
  } else if (trail.wasUp.size > 0) trail.downSince ??= now;
}

/** Durable records. */
function told(w: OracleWorld, o: Observer): void {
  const { seen } = o.rows;
  if (seen.size === 0) return;
  if (seen.has("returned")) reach(w, "S14");
  if (seen.has("lost")) reach(w, "S15");
  if (seen.has("txid")) reach(w, "S31");
}

function logged(w: OracleWorld, o: Observer, { code, fields }: LogEffect, now: Mono): void {
  if (code === "maker.journal-torn") return reach(w, "S32");
  if (code === "maker.onion-reachable" && fields["isReachable"] === true) reach(w, "S37");
  if (code !== "maker.offers-withdrawn") return;
  if (fields["block"] === "backend") reach(w, "S24");
  if (fields["block"] !== "journal") return;
  if (o.file.isFailing) return reach(w, "S25");
  if (files.isLate(o.file, o.config.journal.slowMs, now)) reach(w, "S35");
}

/** The process of a bot is gone. */
export function died(w: OracleWorld, node: OracleNode, o: Observer): void {
  if (o.rows.untold.size > 0) reach(w, "S13");
  const trail = trailOf(w, node);
  trail.downSince = undefined;
  trail.wasDenied = false;
}
