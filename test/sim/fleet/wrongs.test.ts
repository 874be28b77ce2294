/**
 * Each thing that goes wrong around Ark wallets, alone: the daemon sees something of it while it
 * lasts, and is as before when it is over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ark } from "../../../core/ark/node.ts";
import { status } from "../../../core/ark/status.ts";
import * as clocks from "../../../sim/clocks.ts";
import { barkdWrongs, serverWrongs, sourceWrongs } from "../../../sim/fleet/spec.ts";
import * as runner from "../../../sim/runner.ts";
import { seenBy } from "../../../sim/generate/arks.ts";
import type { ArkHarm, ArkWork, Harm } from "../../../sim/scenario.ts";
import { arkWorld } from "../../support/ark-worlds.ts";

const minute = 60_000;
const fromMs = 40 * minute;
const forMs = 90 * minute;

/** What the daemon hears meanwhile: each kind of answer, and how often. */
function heard(harms: readonly Harm[], work: readonly ArkWork[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const s = arkWorld({
    faults: harms.map((harm) => [fromMs, harm]), work: work.map((one) => [fromMs + 1, one]),
    faultyMs: fromMs + forMs,
  });
  const count = (what: string): void => void found.set(what, (found.get(what) ?? 0) + 1);
  const r = runner.begin(s, { watch: {
    stepped: (w, node, event) => {
      if (node.kind !== "fleet" || w.nowUs < fromMs * 1_000) return;
      if (event.type === "req.done") count(`${event.status} ${event.body.slice(0, 40)}`);
      if (event.type === "req.failed") count(event.reason);
      if (event.type === "stream.item") count(`${event.event.kind} ${event.event.roundSeq}`);
      if (event.type.startsWith("stream.")) count(event.type);
    },
  } });
  while (runner.advance(r));
  assert.equal(r.world.finding, undefined);
  return found;
}


function both(harm: ArkHarm): void {
  const { kind, as } = harm;
  test(`fleet: wrongs: ${kind}: ${as}: something of it is seen`, () => {
    const needed = kind === "serverWrong" ? seenBy(harm.as, "wallet0") : undefined;
    const work = needed === undefined ? [] : [needed];
    assert.notDeepEqual(heard([harm], work), heard([], work));
  });
  test(`fleet: wrongs: ${kind}: ${as}: when it is over all is well again`, () => {
    const convergeMs = 180 * minute;
    const s = arkWorld({ faults: [[fromMs, harm]], faultyMs: fromMs + forMs, convergeMs });
    const r = runner.begin(s);
    while (runner.advance(r));
    assert.equal(r.world.finding, undefined);
    const node = r.world.nodes[0];
    assert.ok(node?.kernel !== undefined);
    const { wallets } = status(node.kernel.state as Ark, clocks.now(node.clock, r.world.nowUs));
    assert.ok(wallets.length > 0 && wallets.every(({ isFresh }) => isFresh));
  });
}

for (const as of barkdWrongs) {
  const size = as === "slow" ? 20_000 : as === "cut" ? 500 : 0;
  both({ kind: "barkdWrong", node: "ark0", wallet: "*", as, size, forMs });
}
for (const as of serverWrongs) {
  const size = as === "slow" ? 60_000 : as === "storm" ? 2 : 0;
  both({ kind: "serverWrong", node: "ark0", as, size, forMs });
}
for (const as of sourceWrongs) {
  const size = as === "slow" ? 20_000 : as === "backwards" ? 4 : 0;
  both({ kind: "sourceWrong", node: "ark0", wallet: "*", as, size, forMs });
}

test("fleet: wrongs: who is met with silence is let go when a heal ends it early", () => {
  const harm: ArkHarm = {
    kind: "barkdWrong", node: "ark0", wallet: "*", as: "silent", size: 0, forMs: 10 * forMs,
  };
  const healMs = fromMs + 2 * minute;
  const s = arkWorld({ faults: [[fromMs, harm]], faultyMs: healMs, convergeMs: 180 * minute });
  const brokenMs: number[] = [];
  const r = runner.begin(s, { watch: {
    stepped: (w, node, event) => {
      if (node.kind === "fleet" && event.type === "req.failed") brokenMs.push(w.nowUs / 1_000);
    },
  } });
  while (runner.advance(r));
  assert.equal(r.world.finding, undefined);
  assert.ok(brokenMs.length > 0, "somebody was met with silence");
  for (const ms of brokenMs) {
    assert.ok(ms > healMs && ms < healMs + 5_000, `broken ${ms - healMs} ms after the heal`);
  }
});
