/**
 * Is the clock of this machine right? Judged by what others think the time is.
 *
 * Rule 1: a block may be two hours ahead of the network's time and no more, and blocks are rarely
 * hours apart; Tor's view of the network is valid for three hours; a node hears the time from its
 * peers. Each of them alone can show that a clock is wrong, and none that it is right to a second.
 * @module
 */
import { fail, type Finding, ok, skipped, warn } from "./finding.ts";

export type Evidence = {
  readonly wallMs: number;
  /** Of the newest block; `undefined` too on a network where blocks are made at will. */
  readonly blockMs: number | undefined;
  /** How far the peers of the node are ahead of it, the median, in seconds. */
  readonly peersAheadS: number | undefined;
  readonly consensus: { readonly fromMs: number; readonly untilMs: number } | undefined;
};

const what = "clock";
const fix = "keep the time with NTP: timedatectl set-ntp true";

/** Blocks may be this far ahead (BIP 113 and `MAX_FUTURE_BLOCK_TIME` of Bitcoin Core). */
const blockAheadMsMax = 7_200_000;
/** Of 1,000,000 gaps between blocks a few are longer than two hours; none is longer than this. */
const blockBehindMsMax = 14_400_000;
/** The median of the peers is that far away in an ordinary network. */
const peersMsMax = 30_000;
/** Bitcoin Core warns of this itself. */
const peersMsWrong = 600_000;

/** The finding about the clock. */
export function clock(e: Evidence): Finding {
  const seen: string[] = [];
  const wrong: string[] = [];
  const doubt: string[] = [];
  if (e.blockMs !== undefined) {
    const aheadMs = e.blockMs - e.wallMs;
    if (aheadMs > blockAheadMsMax) wrong.push(`the newest block is ${spanText(aheadMs)} ahead`);
    else if (aheadMs < -blockBehindMsMax) {
      doubt.push(`the newest block is ${spanText(aheadMs)} old: a slow clock, or a node cut off`);
    } else seen.push("the newest block");
  }
  if (e.peersAheadS !== undefined) {
    const aheadMs = e.peersAheadS * 1_000;
    const text = `the node's peers are ${spanText(aheadMs)} ${aheadMs < 0 ? "behind" : "ahead"}`;
    if (Math.abs(aheadMs) > peersMsWrong) wrong.push(text);
    else if (Math.abs(aheadMs) > peersMsMax) doubt.push(text);
    else seen.push(`${spanText(aheadMs)} from the node's peers`);
  }
  if (e.consensus !== undefined) {
    const { fromMs, untilMs } = e.consensus;
    const isValid = e.wallMs >= fromMs && e.wallMs <= untilMs;
    if (isValid) seen.push("Tor's consensus");
    else wrong.push("Tor's view of the network is not valid at this time");
  }
  if (wrong.length > 0) return fail(what, [...wrong, ...doubt].join("; "), fix);
  if (doubt.length > 0) return warn(what, doubt.join("; "), fix);
  if (seen.length > 0) return ok(what, `agrees with ${seen.join(", ")}`);
  return skipped(what, "nobody answered who could tell the time");
}

function spanText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
