/**
 * The heal of an ark and of those who look after wallets there.
 *
 * Rule 1: an operator trusts what is right: the key that the server has now, and the fingerprint of
 * the wallet that is there. He looks once more when the wallet was asked anew whose server it is:
 * its program may have told of an old key until then.
 * Rule 2: a daemon whose journal is broken waits to be started again, and is: no time mends that.
 * @module
 */
import type { Shown } from "../../core/ark/intents.ts";
import type { Ark } from "../../core/ark/node.ts";
import { rightPubkey } from "../ark/server.ts";
import { die, push, pushAt, start } from "../process.ts";
import type { Node, World } from "../world.ts";

/** Who is told to trust asks at once, and shows the answer with his next look. */
const againUs = 5 * 60_000_000;

/** Servers show their right keys, blocks want little, and operators look at the keys. */
export function healed(w: World, node: Node): void {
  if (node.town !== undefined) push(w, node, { type: "ark.healed" });
  if (node.fleet !== undefined && isBroken(node)) {
    die(w, node, false, undefined);
    start(w, node);
  }
  for (const { name, guardian: { lookMs } } of node.fleet?.config.wallets ?? []) {
    const looked = rightOf(w, node, name);
    push(w, node, { type: "operator.trust", wallet: name, looked });
    const atUs = w.nowUs + againUs + 2_000 * lookMs;
    pushAt(w, node, atUs, { type: "operator.trust", wallet: name, looked });
  }
}

function isBroken({ kernel }: Node): boolean {
  return (kernel?.state as Ark | undefined)?.journal.at.phase === "broken";
}

function rightOf(w: World, node: Node, name: string): Shown | undefined {
  const world = w.nodes[node.fleet?.ark ?? -1]?.town?.world;
  const wallet = world?.barkds.get(name)?.wallet?.fingerprint;
  return world === undefined || wallet === undefined ? undefined
    : { wallet, server: rightPubkey(world.server) };
}
