/**
 * What must have come to rest some hours after the heal, for Ark daemons (L6, L7, L8).
 *
 * | law | at the end, in peace for `restMs`                                                   |
 * |-----|--------------------------------------------------------------------------------------|
 * | L6  | each wallet is seen, its letters are read, and only lasting states are left          |
 * | L7  | its lanes succeed, none hangs, and no VTXO that could be saved is beyond its margin  |
 * | L8  | the daemon says that nothing is wrong with itself, and few calls are open            |
 *
 * Rule 1: peace counts from the heal, and from the last start of the daemon or of its ark. A run
 * that ends sooner says nothing.
 * @module
 */
import type { Ark } from "../../core/ark/node.ts";
import { status, type WalletStatus } from "../../core/ark/status.ts";
import { heightOf } from "../ark/chain.ts";
import { mailboxOf } from "../ark/server.ts";
import * as clocks from "../clocks.ts";
import type { FleetSpec } from "../fleet/spec.ts";
import type { Observer } from "../invariants/ark.ts";
import * as ark from "../invariants/ark.ts";
import type { Pending } from "./core.ts";
import type { LawId } from "./state.ts";
import type { OracleNode, OracleWorld } from "./world.ts";

const minute = 60_000;
const laneMs = 30 * minute;
/** Until then a server that had been barred is asked again, and what had failed has its turn. */
const restMs = 170 * minute;
const letterMs = 10 * minute;
const openMax = 20;

export type ArkLaw = Extract<LawId, "L6" | "L7" | "L8">;
export const arkLaws: readonly ArkLaw[] = ["L6", "L7", "L8"];

/** States that time alone does not end, or that tell what the operator has to do. */
const lasting: readonly string[] = ["exit-needed", "expired", "refresh-failing"];

/** What of a law is still pending at this instant, of a fleet. */
export function pending(w: OracleWorld, law: ArkLaw, node: OracleNode, out: Pending[]): void {
  const o = w.oracles.watched[node.index]?.ark;
  if (node.kind !== "fleet" || o === undefined || !isRested(w, node)) return;
  const say = (says: string): void => {
    out.push({ key: says, node, says: `${node.id}: ${says}` });
  };
  const state = node.kernel?.state as Ark | undefined;
  if (state === undefined) {
    if (law === "L8") say("it does not run");
    return;
  }
  const shown = status(state, clocks.now(node.clock, w.nowUs));
  if (law === "L8") {
    for (const { name } of shown.degraded) say(`in peace, and still ${name}`);
    const most = openMax * shown.wallets.length;
    if (o.life.open.size > most) say(`${o.life.open.size} calls are open`);
  }
  for (const one of shown.wallets) {
    if (law === "L6") seen(o, one, say);
    if (law === "L7") moves(o, node.spec as FleetSpec, one, say);
  }
}

/** Has it had its time, in a core that its Ark server is of, too? */
function isRested(w: OracleWorld, node: OracleNode): boolean {
  const { healedUs, bootedUs } = w.oracles.liveness;
  if (healedUs < 0) return false;
  const joinsUs = ((node.spec as FleetSpec).joinsAt ?? 0) * 1_000;
  let sinceUs = joinsUs > healedUs ? joinsUs : healedUs;
  for (const index of [node.index, node.fleet?.ark ?? -1]) {
    if (!w.core.has(index)) return false;
    const upUs = bootedUs.get(index) ?? 0;
    if (upUs > sinceUs) sinceUs = upUs;
  }
  return w.nowUs - sinceUs >= restMs * 1_000;
}

type Say = (says: string) => void;

function seen({ town: { world } }: Observer, one: WalletStatus, say: Say): void {
  const { name } = one;
  if (!one.isFresh) say(`${name} is not seen`);
  for (const { name: state } of one.degraded) {
    if (!lasting.includes(state)) say(`${name} is still ${state}`);
  }
  const wallet = world.barkds.get(name)?.wallet;
  // Rounds end while it is looked: a letter has its time to be fetched. Checkpoints are instants.
  const old = world.nowMs - letterMs;
  const { rows } = mailboxOf(world.server, name);
  const last = rows.findLast(({ checkpoint }) => checkpoint <= old)?.checkpoint ?? 0;
  if (wallet !== undefined && wallet.checkpoint < last) say(`${name}: letters are not read`);
}

function moves(o: Observer, spec: FleetSpec, { name, lanes }: WalletStatus, say: Say): void {
  const own = spec.wallets.find((one) => one.name === name);
  for (const { lane, okMs, running } of lanes) {
    if (lane !== "look" && lane !== "sync" && lane !== "exits" && lane !== "mailbox") continue;
    if (lane !== "look" && own?.runsItself === true) continue;
    if ((okMs ?? laneMs) >= laneMs) say(`${name}: ${lane} has no success`);
    if ((running?.ranMs ?? 0) >= laneMs) say(`${name}: ${lane} hangs`);
  }
  const { world } = o.town;
  const wallet = world.barkds.get(name)?.wallet;
  if (wallet === undefined || own?.autoExit !== true || own.fundsSat < 100_000) return;
  const open = new Set(ark.openIntents(o, name).flat());
  const tip = heightOf(world.chain);
  for (const { id, state } of wallet.vtxos.values()) {
    const coin = world.server.coins.get(id);
    if (coin === undefined || coin.fate !== "live" || state === "spent") continue;
    if (wallet.exits.has(id) || open.has(id) || coin.expiryHeight <= tip) continue;
    const exitAt = coin.expiryHeight - world.config.server.exitDeltaBlocks - coin.exitDepth;
    // What a round of the wallet's own holds leaves when its margin is over.
    const lateAt = state === "locked" ? exitAt + 2 : exitAt - 1;
    if (tip >= lateAt) say(`${name}: a VTXO is left beyond its margin`);
  }
}
