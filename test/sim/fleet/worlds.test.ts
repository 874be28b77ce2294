/**
 * Ark daemons in worlds: equal runs, deaths at the moments that matter, what rests at the end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as acts from "../../../sim/ark/acts.ts";
import { post } from "../../../sim/ark/server.ts";
import type { WalletSpec } from "../../../sim/fleet/spec.ts";
import { generate } from "../../../sim/generate.ts";
import * as runner from "../../../sim/runner.ts";
import type { Mark, Scenario } from "../../../sim/scenario.ts";
import type { World } from "../../../sim/world.ts";
import { arkWorld, wallet0 } from "../../support/ark-worlds.ts";
import { fine, on, until } from "../../support/worlds.ts";

const minute = 60_000;
const hour = 60 * minute;

test("fleet: worlds: a scenario is a run, with and without oracles, and as a file", () => {
  const s = generate("expiry1", "0x0000000000000002");
  const { digest, steps } = runner.run(s);
  const again = runner.run(JSON.parse(JSON.stringify(s)) as Scenario, { checks: false });
  assert.deepEqual([again.digest, again.steps], [digest, steps]);
  assert.notEqual(runner.run({ ...s, seed: "0x0000000000000003" }).digest, digest);
});

test("fleet: worlds: seeds of each profile break no law", () => {
  for (const [profile, first, count] of [["expiry1", 1, 6], ["ark", 1, 2]] as const) {
    for (let i = first; i < first + count; i += 1) {
      fine(runner.run(generate(profile, `0x${i.toString(16).padStart(16, "0")}`)));
    }
  }
});

const asks: Mark = "ordered";

for (const [mark, effect] of [[asks, 0], [asks, 2], ["appended", 1], ["synced", 1]] as const) {
  test(`fleet: worlds: dies at ${mark}, effect ${effect}, and comes back to what it wanted`, () => {
    const s = arkWorld({
      faultyMs: 4 * hour, convergeMs: 3 * hour,
      triggers: [1, 2, 3].map((nth) => ({
        id: 2_000 + nth, on: { mark, node: "fleet0", nth }, delayMs: 0,
        do: { kind: "crash", node: "fleet0", effect, power: true, forMs: 5_000 },
      })),
    });
    const outcome = runner.run(s);
    fine(outcome);
    assert.ok((outcome.faults.crash?.fired ?? 0) >= 2, "it died more than once");
    assert.ok(outcome.goals["S41"] !== undefined, "and refreshed all the same");
  });
}

test("fleet: worlds: an ark that dies breaks what is open, and its blocks go on", () => {
  const s = arkWorld({
    faults: [[hour, { kind: "crash", node: "ark0", effect: 0, power: false, forMs: hour }]],
    faultyMs: 3 * hour, convergeMs: 3 * hour,
  });
  const r = until(s, hour + 1_000);
  const [fleet, ark] = r.world.nodes;
  assert.equal(ark?.kernel, undefined);
  assert.ok(fleet?.fleet !== undefined && ark?.town !== undefined);
  const before = ark.town.world.chain.blocks.length;
  on(r, 2 * hour + minute);
  assert.ok(ark.town.world.chain.blocks.length >= before + 5);
  while (runner.advance(r));
  fine(runner.outcome(r));
});

/** What is asked of the wallet in a world without faults, each path once. */
function asked(fields: Partial<WalletSpec>): ReadonlySet<string> {
  const found = new Set<string>();
  const s = arkWorld({ wallets: [{ ...wallet0, ...fields }], faultyMs: 5 * hour });
  const r = runner.begin(s, { watch: {
    stepped: (_, __, event) => {
      if (event.type !== "ark.asked") return;
      found.add(event.question.path.replace(/^.*?v1/, "").replace(/\?.*$/, ""));
    },
  } });
  while (runner.advance(r));
  fine(runner.outcome(r));
  return found;
}

test("fleet: worlds: a program that runs itself is guarded, and left alone otherwise", () => {
  const ours = ["/wallet/sync", "/onchain/sync", "/wallet/sync/mailbox", "/exits/progress"];
  const guards = ["/wallet/vtxos", "/exits/status/all", "/wallet/refresh/delegated/vtxos"];
  const [alone, led] = [asked({ runsItself: true }), asked({})];
  for (const path of guards) assert.ok(alone.has(path), `${path} is the guard's`);
  for (const path of ours) assert.deepEqual([alone.has(path), led.has(path)], [false, true], path);
});

/** A run that is changed ten seconds before its end: no mailbox is read in them. */
function spoiled(spoil: (w: World) => void): string | undefined {
  const convergeMs = 174 * minute;
  const r = until(arkWorld({ faultyMs: minute, convergeMs }), minute + convergeMs - 10_000);
  spoil(r.world);
  while (runner.advance(r));
  return r.world.finding?.id;
}

test("fleet: worlds: L6, L7, L8: what has not come to rest at the end is found", () => {
  assert.equal(spoiled(() => {}), undefined);
  assert.equal(spoiled((w) => {
    const { server, nowMs, barkds } = w.nodes[1]?.town?.world ?? assert.fail();
    post(server, "wallet0", "unknown", [], nowMs - 11 * minute);
    const wallet = barkds.get("wallet0")?.wallet ?? assert.fail();
    // Younger letters may have been read.
    wallet.checkpoint = 0;
  }), "L6");
  assert.equal(spoiled((w) => {
    const { world } = w.nodes[1]?.town ?? assert.fail();
    acts.endow(world, "wallet0", [50_000n], 3, 1);
  }), "L7");
  assert.equal(spoiled((w) => {
    const [fleet] = w.nodes;
    assert.ok(fleet !== undefined);
    fleet.kernel = undefined;
  }), "L8");
});

test("fleet: worlds: without an ark nothing is answered, and nothing breaks", () => {
  const s = arkWorld({ faultyMs: hour, wallets: [wallet0] });
  const outcome = runner.run({ ...s, nodes: s.nodes.slice(0, 1) });
  fine(outcome);
  assert.ok(outcome.steps > 10);
});
