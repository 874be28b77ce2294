/**
 * Holds what an Ark daemon knows of each VTXO against the chain (E1, E2): no stage comes later than
 * it should.
 *
 * Rule 1: at the height that it could have counted (`knowable`) each VTXO that it knows has the
 * stage that follows from its expiry, its delta and its depth, by arithmetic of our own. So its
 * notice is never later than its stated deadline, with whatever source.
 * Rule 2: what enters a stage is said in that very moment; if it was on its way to the chain, when
 * it turns out not to be.
 * Rule 3: against the chain as it is, a gauge says how late it came at worst (`lateMaxMs`).
 * @module
 */
import { stages } from "../../core/ark/expiry.ts";
import type { Node } from "../../core/ark/node.ts";
import { mono } from "../../core/time.ts";
import { heightOf } from "../ark/chain.ts";
import { knowable, type Observer, type Step } from "./ark.ts";
import { violation, type Violation } from "./violation.ts";

const everyMs = 60_000;

/** Is it time to look: has a block come, or a minute passed? */
export function isDue(o: Observer, s: Step): boolean {
  return heightOf(o.town.world.chain) !== o.life.checkedHeight || s.now >= o.life.checkAt;
}

export function look(o: Observer, s: Step, out: Violation[]): void {
  const { life } = o;
  const height = heightOf(o.town.world.chain);
  life.checkedHeight = height;
  const sinceMs = life.checkAt - everyMs;
  life.checkAt = mono(s.now + everyMs);
  for (const node of s.state.nodes) lookAt(o, s, node, height, sinceMs, out);
}

function lookAt(
  o: Observer, s: Step, node: Node, height: number, sinceMs: number, out: Violation[],
): void {
  const { name } = node.config;
  const { fastMs, quietSat } = node.config.guardian.expiry;
  const bound = knowable(o, name, fastMs, s.now);
  const isHeard = o.life.heard.has(name);
  for (const [id, coin] of node.guardian.expiry.coins) {
    const is = stages.indexOf(coin.stage);
    if (is < expected(o, node, id, bound)) {
      const says = `${name}: a VTXO is only ${coin.stage} where the clock alone says more`;
      out.push(violation("E1", says));
    }
    const key = `${name} ${id}`;
    slack(o, s, key, is >= expected(o, node, id, isHeard ? height : 0));
    const before = o.life.stages.get(key);
    if (before === coin.stage) continue;
    const at = o.life.staged.get(`${name} ${coin.stage}`);
    const isSaid = at !== undefined && at >= sinceMs;
    if (!isSaid && coin.isExiting && coin.stage !== "expired") continue;
    o.life.stages.set(key, coin.stage);
    if (isSaid || coin.stage === "fine" || coin.vtxo.amountSat < quietSat) continue;
    out.push(violation("E2", `${name}: nobody is told that a VTXO is ${coin.stage}`));
  }
}

/** The stage of a VTXO at a height, by its place in `stages`. */
function expected(o: Observer, { config }: Node, id: string, height: number): number {
  const { server, config: { server: { exitDeltaBlocks } } } = o.town.world;
  const coin = server.coins.get(id);
  if (coin === undefined) return 0;
  const e = config.guardian.expiry;
  const exit = coin.expiryHeight - exitDeltaBlocks - coin.exitDepth * e.perLevelBlocks
    - e.marginBlocks;
  const byAge = coin.expiryHeight - e.refreshBlocks + 1;
  const due = byAge < exit - e.leadBlocks ? byAge : exit - e.leadBlocks;
  if (height >= coin.expiryHeight) return stages.indexOf("expired");
  if (height >= exit) return stages.indexOf("exit-now");
  if (height >= due + e.failingBlocks) return stages.indexOf("failing");
  return height >= due ? stages.indexOf("due") : 0;
}

/** Rule 3. */
function slack(o: Observer, s: Step, key: string, isInTime: boolean): void {
  const { late } = o.life;
  if (isInTime) {
    if (late.size > 0) late.delete(key);
    return;
  }
  const since = late.get(key) ?? s.now;
  late.set(key, since);
  if (s.now - since > o.lateMaxMs) o.lateMaxMs = s.now - since;
}
