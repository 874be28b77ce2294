/**
 * Old blocks are searched for our coins, in parts.
 *
 * Rule 1: one part is one call with an end in sight; so a lost connection, a restart or a time-out
 * costs one part and not hours, and progress is told after each.
 * Rule 2: after each part the mark (`mark.ts`) moves on; whoever asks again continues there.
 * Rule 3: parts go upwards: a coin must be known before the block that spends it is read. Blocks
 * that arrive meanwhile are followed by the wallet itself.
 * Rule 4: deleted blocks (a pruned node) cannot be searched; that is an answer, never a scan of
 * what is left.
 * @module
 */
import { unreachable } from "../../assert.ts";
import { unavailable } from "../chain.ts";
import { listOf, textOf } from "../fields.ts";
import { addressInfoOf, chainOf, scanOf, walletOf } from "../replies.ts";
import type { Call, Outcome } from "../rpc.ts";
import * as mark from "./mark.ts";
import {
  anyFailed, done, failed, garbled, markDescriptor, notSynced, readBy, type Config, type Move,
} from "./plan.ts";

export type Stage = {
  readonly plan: "scan";
  readonly at: "looking" | "marked" | "scanning" | "marking" | "closing";
  /** What was asked for; `undefined`: what is left. */
  readonly asked: number | undefined;
  readonly address: string;
  /** Where the scan began, and the part under way. */
  readonly first: number;
  readonly from: number;
  readonly to: number;
  /** The tip when it was last looked at, and the lowest block that is kept. */
  readonly tip: number;
  readonly prunedBelow: number;
};

export function begin(config: Config, fromHeight: number | undefined): Move<Stage> {
  const stage: Stage = {
    plan: "scan", at: "looking", asked: fromHeight, address: "",
    first: 0, from: 0, to: 0, tip: 0, prunedBelow: 0,
  };
  const calls: readonly Call[] = [
    ["getblockchaininfo"], ["getwalletinfo"],
    ["deriveaddresses", markDescriptor(config), [0, 0]],
  ];
  return call(config.callMs, calls, stage);
}

export function resume(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  switch (stage.at) {
    case "looking": return looked(config, stage, outcomes);
    case "marked": return marked(config, stage, outcomes[0]!);
    case "scanning": return scanned(config, stage, outcomes[0]!);
    case "marking": return advanced(config, stage, outcomes);
    case "closing": return closed(stage, outcomes[0]!);
    default: return unreachable(stage.at); /* c8 ignore next */
  }
}

function call(timeoutMs: number, calls: readonly Call[], stage: Stage): Move<Stage> {
  return { type: "call", calls, isWallet: true, timeoutMs, stage };
}

function looked(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  const chain = readBy(outcomes[0], chainOf);
  const wallet = readBy(outcomes[1], walletOf);
  const address = readBy(outcomes[2], (j) => textOf(listOf(j)?.[0]));
  if (chain === undefined || wallet === undefined || address === undefined) return done(garbled());
  const behind = notSynced(config, chain);
  if (behind !== undefined) return done(behind);
  if (wallet.scanning !== undefined) {
    return done(unavailable("rescanning", "chain-rescanning", "another scan is under way"));
  }
  const { blocks: tip, prunedBelow } = chain;
  return call(config.callMs, [["getaddressinfo", address]], {
    ...stage, at: "marked", address, tip, prunedBelow,
  });
}

function marked(config: Config, stage: Stage, outcome: Outcome): Move<Stage> {
  const wrong = failed(outcome);
  if (wrong !== undefined) return done(wrong);
  const info = readBy(outcome, addressInfoOf);
  if (info === undefined) return done(garbled());
  const known = mark.read(config, info.labels);
  if (stage.asked !== undefined) return part(config, { ...stage, first: stage.asked }, stage.asked);
  if (known === undefined) {
    return part(config, { ...stage, first: config.birthHeight }, config.birthHeight);
  }
  const first = known.from;
  if (known.isWhole) return over({ ...stage, first });
  return part(config, { ...stage, first }, known.to + 1);
}

/** The next part, or the end. */
function part(config: Config, stage: Stage, from: number): Move<Stage> {
  if (from > stage.tip) return close(config, stage, from - 1);
  if (from < stage.prunedBelow) {
    const text = `blocks from ${from} are wanted, and kept from ${stage.prunedBelow} on only`;
    return done(unavailable("pruned", "chain-pruned", text));
  }
  const last = from + config.scanBlocks - 1;
  const to = last < stage.tip ? last : stage.tip;
  const calls: readonly Call[] = [["rescanblockchain", from, to]];
  return call(config.scanMs, calls, { ...stage, at: "scanning", from, to });
}

function scanned(config: Config, stage: Stage, outcome: Outcome): Move<Stage> {
  const wrong = failed(outcome);
  if (wrong !== undefined) return done(wrong);
  const read = readBy(outcome, scanOf);
  if (read?.from !== stage.from || read.to !== stage.to) return done(garbled());
  const calls: readonly Call[] = [
    ...marking(config, stage, stage.to, false), ["getblockchaininfo"],
  ];
  return call(config.callMs, calls, { ...stage, at: "marking" });
}

/** A scan that began above the birth says nothing about what lies below, and leaves no mark. */
function marking(config: Config, stage: Stage, to: number, isWhole: boolean): readonly Call[] {
  if (stage.first > config.birthHeight) return [];
  return [["setlabel", stage.address, mark.write(config, { from: stage.first, to, isWhole })]];
}

function advanced(config: Config, stage: Stage, outcomes: readonly Outcome[]): Move<Stage> {
  const wrong = anyFailed(outcomes);
  if (wrong !== undefined) return done(wrong);
  const chain = readBy(outcomes.at(-1), chainOf);
  if (chain === undefined) return done(garbled());
  const next = part(config, { ...stage, tip: chain.blocks }, stage.to + 1);
  if (next.type === "done") return next;
  const permille = Math.floor(((stage.to + 1) * 1_000) / (chain.blocks + 1));
  return { ...next, told: { permille: permille < 1_000 ? permille : 1_000, atHeight: stage.to } };
}

function close(config: Config, stage: Stage, to: number): Move<Stage> {
  const calls = marking(config, stage, to, true);
  if (calls.length === 0) return over(stage);
  return call(config.callMs, calls, { ...stage, at: "closing" });
}

function closed(stage: Stage, outcome: Outcome): Move<Stage> {
  const wrong = failed(outcome);
  return wrong === undefined ? over(stage) : done(wrong);
}

function over(stage: Stage): Move<Stage> {
  return done({ ok: true, ask: "rescan", fromHeight: stage.first, toHeight: stage.tip });
}
