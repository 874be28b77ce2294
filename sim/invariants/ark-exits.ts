/**
 * Exits go on (A7, A8), nothing is lost that could have been saved (E4), and the little world's own
 * books add up (A1 to A4).
 *
 * Rule 1: an exit that is under way is driven within `progressMs` of good weather: nothing is wrong
 * between the daemon and its wallets. Its disk and the Ark server are no excuse. A program that
 * runs itself drives its own.
 * Rule 2: a VTXO that was lost is the daemon's fault if an exit was allowed, could have been begun
 * at many blocks at which the daemon was well too, and was never asked for. One whose journal is
 * broken is not well: it says so, and that it waits to be started again.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { mono } from "../../core/time.ts";
import { audit } from "../ark/audit.ts";
import { heightOf } from "../ark/chain.ts";
import type { Barkd, Loss } from "../ark/state.ts";
import type { WalletSpec } from "../fleet/spec.ts";
import type { Harm } from "../scenario.ts";
import type { Observer, Step } from "./ark.ts";
import { violation, type Violation } from "./violation.ts";

/** An idle lane looks every eleven minutes; a call is waited for two. */
const progressMs = 16 * 60_000;
/** Blocks at which an exit could have been begun and was not. */
const chancesMax = 6;
/** Satoshis that are worth an exit. */
const worthSat = 10_000n;

/** A fault has begun that lasts until `toUs`. */
export function struck(o: Observer, { kind }: Harm, toUs: number): void {
  const untilUs = toUs + progressMs * 1_000;
  switch (kind) {
    case "serverWrong": case "hookDown": case "jump": case "diskFails": return;
    case "diskSlow": case "diskFull": case "diskTorn":
      if (untilUs > o.brokenUntilUs) o.brokenUntilUs = untilUs;
      return;
    case "barkdWrong": case "sourceWrong":
      if (untilUs > o.awayUntilUs) o.awayUntilUs = untilUs;
      return;
    case "cut": case "partition": case "halfOpen": case "slow": case "narrow": case "lateEnd":
    case "reset": case "refuse": case "hang": case "lateDial": case "chop": case "stall":
    case "pause": case "crash": case "restart": case "drift": case "tor": case "rpcWrong":
      if (untilUs > o.awayUntilUs) o.awayUntilUs = untilUs;
      if (untilUs > o.brokenUntilUs) o.brokenUntilUs = untilUs;
      return;
    default: unreachable(kind);
  }
}

/** A block has come, or a minute has passed. */
export function look(
  o: Observer, s: Step, wallets: readonly WalletSpec[], out: Violation[],
): void {
  const { world } = o.town;
  const isYoung = s.now - o.life.bornAt < progressMs;
  const isWell = s.state.journal.at.phase !== "broken" && s.nowUs >= o.brokenUntilUs;
  if (!isYoung && isWell) o.good.add(heightOf(world.chain));
  const isAway = isYoung || s.nowUs < o.awayUntilUs;
  for (const { name, runsItself } of wallets) {
    const b = world.barkds.get(name);
    if (b === undefined || runsItself === true) continue;
    const before = o.life.progress.get(name) ?? o.life.bornAt;
    if (isAway || !isUnderWay(b)) o.life.progress.set(name, s.now);
    else if (s.now - before > progressMs) stuck(o, name, before, out);
  }
  for (; o.losses < world.losses.length; o.losses += 1) {
    lost(o, world.losses[o.losses] as Loss, wallets, out);
  }
}

function isUnderWay(b: Barkd): boolean {
  if (b.wallet === undefined || b.wallet.exits.size === 0) return false;
  for (const { stage: { at } } of b.wallet.exits.values()) {
    if (at === "start" || at === "processing" || at === "awaiting-delta") return true;
  }
  return false;
}

function stuck(o: Observer, name: string, since: number, out: Violation[]): void {
  const { reorgMs, aheadMs } = o.town;
  const isAfterReorg = reorgMs >= 0 && reorgMs - aheadMs >= mono(since) - progressMs;
  out.push(violation(isAfterReorg ? "A7" : "A8", `${name}: exits do not go on`));
}

function lost(
  o: Observer, loss: Loss, wallets: readonly WalletSpec[], out: Violation[],
): void {
  const { wallet, chances: { exits, blocks, exitAskedAt, refreshAskedAt }, amountSat } = loss;
  const spec = wallets.find(({ name }) => name === wallet);
  if (spec?.autoExit !== true || amountSat < worthSat || exitAskedAt !== undefined) return;
  let good = 0;
  for (let i = 1; i <= blocks; i += 1) if (o.good.has(loss.height - i)) good += 1;
  if (exits + good - blocks < chancesMax) return;
  const tried = refreshAskedAt === undefined ? "not even refreshed" : "refreshed in vain";
  out.push(violation("E4", `${wallet}: a VTXO was lost after ${exits} chances, ${tried}`));
}

/** What adds up at any time. */
export function sound(o: Observer, out: Violation[]): void {
  for (const { law, text, blame, wallet } of audit(o.town.world)) {
    if (law === "loss") continue;
    out.push(violation(law, `${wallet}, by its ${blame}: ${text.replace(/[0-9a-f]{16,}/g, "X")}`));
  }
}
