/**
 * The snapshot of Ark wallets as text for people: what is wrong first, and in whole; a wallet that
 * is well is a line.
 *
 * Rule 1: a snapshot may come from a program that is not ours: its texts are made safe to print.
 * @module
 */
import { cleanText } from "../adapters/log.ts";
import type { Status, WalletStatus } from "../core/ark/status.ts";
import { notices } from "./status-maker.ts";
import { counted, type Row, size, span, under, wrong } from "./status-text.ts";

/** So few wallets are shown in whole, whatever their state. */
const wholeMax = 2;

/** Everything worth reading, a line for each matter. */
export function arkText(s: Status): string {
  const isStopping = s.phase === "draining" || s.phase === "stopped";
  const rows: readonly Row[] = [
    ["ark", `${counted(s.total, "wallet")}, ${s.up} well${isStopping ? ", stopping" : ""}`],
    ["up", span(s.uptimeMs)],
    ...under("wrong", s.degraded.flatMap(wrong)),
    ...under("at the end", s.leftRunning.map(({ wallet, op, ranMs }) => (
      `${cleanText(wallet)}: ${op} goes on in its program, for ${span(ranMs)} so far`
    ))),
    ...[...s.wallets].sort(worstFirst).flatMap((one) => walletRows(one, s.total)),
    ["journal", journal(s)],
    ...under("notices", notices(s.notices)),
    ["calls", `${s.counts.calls} made, ${s.counts.callsFailed} without an answer, ` +
      `${s.underWay.calls} under way; ${counted(s.underWay.streams, "stream")} of rounds`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join("");
}

function worstFirst(a: WalletStatus, b: WalletStatus): number {
  return Number(b.degraded.length > 0) - Number(a.degraded.length > 0);
}

function walletRows(w: WalletStatus, total: number): readonly Row[] {
  const name = cleanText(w.name);
  const isWell = w.degraded.length === 0;
  const lines = [
    `${isWell ? "well" : `WRONG: ${w.degraded.map((one) => cleanText(one.name)).join(", ")}`}; ` +
      `${coins(w)}; ${expiry(w)}`,
  ];
  if (!isWell || total <= wholeMax) lines.push(...whole(w).map((line) => `  ${line}`));
  return under(name.length < 12 ? name : `${name}:`, lines);
}

/** All that is known of one. */
function whole(w: WalletStatus): readonly string[] {
  return [
    ...w.degraded.flatMap(wrong), ...program(w), ...balance(w), ...stages(w), ...exitsOf(w),
    ...w.intents.map(({ id, aim, phase, vtxos }) => (
      `intent ${id}: ${cleanText(aim)} of ${counted(vtxos, "VTXO")}, ${cleanText(phase)}`
    )),
    `height ${height(w.tip)}; coins seen ${ago(w.seenMs)}`,
    `reached: ${w.facts.map(fact).join(", ")}`,
    `last done: ${done(w)}`,
    ...w.lanes.flatMap(failing),
  ];
}

/** Of a program that is run here. */
function program({ program: p }: WalletStatus): readonly string[] {
  if (p === null) return [];
  const state = p.pid === null ? cleanText(programWords[p.phase] ?? p.phase)
    : `process ${p.pid}, up for ${span(p.upMs ?? 0)}`;
  const last = p.lastExit === null ? ""
    : `; ended last ${ago(p.lastExit.agoMs)}: ${cleanText(p.lastExit.how)}`;
  return [`program: ${state}, ${counted(p.restarts, "restart")}${last}`];
}

/** Phases without a process of ours. */
const programWords: { readonly [phase: string]: string } = {
  off: "not started yet", looking: "about to start", starting: "being started",
  resting: "started again soon", foreign: "run by somebody else", over: "ended",
};

function coins({ balance: b, vtxos }: WalletStatus): string {
  return b === null ? "coins not known yet" : `${b.spendableSat} sat in ${counted(vtxos, "VTXO")}`;
}

function expiry({ nextExpiry: next }: WalletStatus): string {
  if (next === null) return "nothing expires";
  if (next.blocksLeft === null) return `next expiry at height ${next.height}`;
  if (next.blocksLeft === 0) return `EXPIRED at height ${next.height}`;
  const left = next.leftMs === null ? "" : `, at least ${span(next.leftMs)}`;
  return `next expiry in ${counted(next.blocksLeft, "block")}${left}`;
}

const parts = [
  ["inRoundSat", "in rounds"], ["boardSat", "boarding"], ["exitSat", "leaving"],
  ["lightningSendSat", "being sent"], ["lightningReceiveSat", "being received"],
] as const;

function balance({ balance: b }: WalletStatus): readonly string[] {
  if (b === null) return [];
  const others = parts.flatMap(([key, word]) => {
    const sat = b[key];
    return sat === "0" ? [] : [sat === null ? `${word}: not known now` : `${sat} sat ${word}`];
  });
  return others.length === 0 ? [] : [`besides: ${others.join(", ")}`];
}

function stages(w: WalletStatus): readonly string[] {
  const seen = w.stages.filter(({ vtxos, stage }) => vtxos > 0 && stage !== "fine");
  return seen.map(({ stage, vtxos, amountSat }) => (
    `${cleanText(stage)}: ${counted(vtxos, "VTXO")}, ${amountSat} sat`
  ));
}

function exitsOf({ exits, fee }: WalletStatus): readonly string[] {
  const seen = exits.map(({ state, count }) => `${count} ${cleanText(state)}`).join(", ");
  const lines = seen === "" ? [] : [`exits: ${seen}`];
  if (fee?.isFundable === false) {
    const all = fee.count === 1 ? "" : " together";
    lines.push(`exits of ${counted(fee.count, "VTXO")} could not be paid${all}: they take `
      + `${fee.feeSat} sat on the chain`);
  }
  return lines;
}

function height({ height: at, isEstimate, saidMs }: WalletStatus["tip"]): string {
  if (at === null) return "not known";
  const said = saidMs === null ? "" : `, said ${span(saidMs)} ago`;
  return isEstimate ? `about ${at} at worst${said}` : `${at}${said}`;
}

function fact({ of, state, evidence, sinceMs }: WalletStatus["facts"][number]): string {
  const why = state === "up" ? "" : ` (${cleanText(evidence)})`;
  return state === "unknown" && evidence === "none" ? `${cleanText(of)} not tried yet`
    : `${cleanText(of)} ${cleanText(state)} for ${span(sinceMs)}${why}`;
}

/** What has never been needed is left out. */
function done({ lanes }: WalletStatus): string {
  const seen = lanes.filter(({ okMs }) => okMs !== null);
  if (seen.length === 0) return "nothing yet";
  return seen.map(({ lane, okMs }) => `${cleanText(lane)} ${ago(okMs)}`).join(", ");
}

function failing({ lane, failures, why, running }: WalletStatus["lanes"][number]): string[] {
  const name = cleanText(lane);
  const lines = failures === 0 ? [] : [`${name}: ${counted(failures, "failure")} in a row: ` +
    cleanText(why ?? "unknown")];
  if (running?.isOverdue === true) {
    lines.push(`${name}: ${cleanText(running.op)} runs for ${span(running.ranMs)}: overdue`);
  }
  return lines;
}

function ago(ms: number | null): string {
  return ms === null ? "never" : `${span(ms)} ago`;
}

function journal({ journal: j }: Status): string {
  const state = j.failingMs === null ? (j.isReady ? "well" : "not ready")
    : `failing for ${span(j.failingMs)}`;
  return `${state}, ${counted(j.records, "record")}, ${size(j.bytes)}`;
}
