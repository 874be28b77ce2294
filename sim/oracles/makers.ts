/**
 * Bots and chains as the oracles see them: which observer is told what.
 *
 * Rule 1: an observer of a bot sees its process and the truth of the chain that it asks, and lives
 * as long as the world.
 * @module
 */
import { degraded } from "../../core/maker/degraded.ts";
import type { Maker } from "../../core/maker/node.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { Mono } from "../../core/time.ts";
import * as chain from "../bot/chain.ts";
import type { ChainEffect, ChainEvent } from "../bot/chain.ts";
import * as rows from "../bot/rows.ts";
import * as maker from "../invariants/maker.ts";
import * as onion from "../invariants/maker-onion.ts";
import * as truth from "../invariants/maker-rows.ts";
import type { Violation } from "../invariants/violation.ts";
import type { BotEvent } from "../vocabulary.ts";
import type { Watched } from "./state.ts";
import type { OracleNode, OracleWorld, Typed } from "./world.ts";

/** A bot's process has started. */
export function booted(w: OracleWorld, node: OracleNode, m: Watched): void {
  const { host } = node;
  if (host === undefined) return;
  if (m.maker === undefined) {
    m.maker = maker.create(host.config, node.identity.nick, expected(w, node));
    // A bot that joins late finds what has happened before.
    located(w, m.maker, groundOf(w, node));
  }
  maker.booted(m.maker);
}

/** The chain that a bot asks. */
export function groundOf(w: OracleWorld, node: OracleNode): chain.Ground | undefined {
  return w.nodes[node.host?.chain ?? -1]?.ground;
}

function expected(
  w: OracleWorld, node: OracleNode,
): readonly { readonly txid: string; readonly destination: string }[] {
  const { spec } = node;
  const drafts = groundOf(w, node)?.drafts;
  if (spec.kind !== "bot" || drafts === undefined) return [];
  const out: { txid: string; destination: string }[] = [];
  for (let row = 0; row < rows.countOf(spec); row += 1) {
    const tx = drafts.get(rows.nameOf(node.id, row));
    const destination = rows.destinationOf(node.id, row);
    if (tx !== undefined) out.push({ txid: tx.txid, destination });
  }
  return out;
}

/** One step of a bot's process. */
export function stepped(
  w: OracleWorld, node: OracleNode, m: Watched, event: Typed, effects: readonly Typed[],
  now: Mono, found: Violation[],
): void {
  const state = node.kernel?.state as Maker | undefined;
  if (m.maker === undefined || state === undefined) return;
  const happened = event as BotEvent | Tick;
  const seen = maker.observe(m.maker, {
    event: happened, effects, now, nowUs: w.nowUs, coins: state.wallet.coins,
    names: onion.isTouched(m.maker.onion, happened, effects) ? namesOf(state, now) : "same",
  });
  for (const one of seen) found.push(one);
}

/** What it would tell its operator; nothing before it runs and once it stops. */
function namesOf(state: Maker, now: Mono): readonly string[] | undefined {
  return state.phase === "running" ? degraded(state, now).map(({ name }) => name) : undefined;
}

/** The chain's node has answered somebody. */
export function served(w: OracleWorld, event: Typed, effects: readonly Typed[]): void {
  const asked = event as ChainEvent;
  if (asked.type !== "rpc.asked") return;
  // A node without peers tells of its tip, but knows nothing of what it may have missed.
  // A silent one is heard when its silence ends on the way, and then it has said the truth.
  const isSure = asked.wrong === undefined || asked.wrong === "silent";
  const isWhole = isSure || asked.wrong === "alone";
  for (const effect of effects as readonly ChainEffect[]) {
    if (effect.type !== "rpc.answered") continue;
    const to = w.nodes[effect.asker];
    const observer = w.oracles.watched[effect.asker]?.maker;
    if (observer === undefined || to?.incarnation !== effect.incarnation) continue;
    if (isWhole && effect.status === 200) maker.told(observer, effect.req, isSure, w.nowUs);
  }
}

/** Something has happened to the chain itself. */
export function moved(w: OracleWorld, node: OracleNode): void {
  const { ground } = node;
  if (ground === undefined) return;
  for (const bot of w.nodes) {
    const observer = w.oracles.watched[bot.index]?.maker;
    if (observer === undefined || w.nodes[bot.host?.chain ?? -1] !== node) continue;
    located(w, observer, ground);
  }
}

function located(
  w: OracleWorld, observer: maker.Observer, ground: chain.Ground | undefined,
): void {
  if (ground === undefined) return;
  truth.moved(observer.rows, (row) => placeOf(ground, row.txid), w.nowUs);
}

function placeOf(ground: chain.Ground, txid: string): truth.Place {
  const tx = ground.chain.ledger.txs.get(txid);
  return tx === undefined ? "absent" : chain.placeOf(ground, tx);
}
