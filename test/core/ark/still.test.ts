import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../../core/ark/guardian-events.ts";
import * as still from "../../../core/ark/still.ts";
import type { Exit } from "../../../core/ark/wallet.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { exit } from "../../support/ark-sight.ts";

const min = 60_000;
const hour = 60 * min;

function start(config = still.defaults) {
  const m = still.create(config, "w");
  const told: string[] = [];
  const look = (exits: readonly Exit[], ms: number) => {
    const out: Effect[] = [];
    still.look(m, new Map(exits.map((one) => [one.vtxo, one])), () => 7n, mono(ms), out);
    for (const one of out) {
      assert.ok(one.type === "notice" && one.notice.kind === "ark-exit-stuck");
      const { state, lead, count, stuckMs } = one.notice;
      told.push(`${state} ${lead} ${count} ${stuckMs / hour}`);
    }
  };
  return { m, told, look };
}

test("ark: still: exits of one state are told together, and of a state once an hour", () => {
  const { m, told, look } = start();
  const first = ["c:0", "b:0", "a:0"].map((id) => exit(id, "processing"));
  const seen = (n: number) => [...first, exit("z:0", "start"),
    ...Array.from({ length: n }, (_, i) => exit(`x${i}:0`, "processing"))];
  look(seen(0), 0);
  for (let i = 1; i <= 50; i += 1) look(seen(i), i * min);
  for (let ms = 6 * hour; ms < 7 * hour; ms += min) look(seen(50), ms);
  assert.deepEqual(told, ["processing a:0 3 6", "start z:0 1 6"]);
  assert.equal(still.deadline(m), 7 * hour);
  look(seen(50), 7 * hour - 1);
  assert.equal(told.length, 2);
  look(seen(50), 7 * hour);
  look(seen(50), 99 * hour);
  assert.equal(told.length, 3);
  assert.match(told[2] ?? "", /^processing x0:0 50 /);
  assert.equal(still.deadline(m), NEVER);
});

test("ark: still: a state that is not known is told of, one that waits for blocks is not", () => {
  const { told, look } = start();
  const exits = [exit("a:0", "unknown"), exit("b:0", "awaiting-delta"), exit("c:0", "claimable")];
  look(exits, 0);
  look(exits, 6 * hour - 1);
  assert.deepEqual(told, []);
  look(exits, 6 * hour);
  look(exits, 99 * hour);
  assert.deepEqual(told, ["unknown a:0 1 6"]);
});

test("ark: still: what moves begins anew, and what is gone is forgotten", () => {
  const { m, told, look } = start();
  look([exit("a:0", "start")], 0);
  look([exit("a:0", "processing")], 5 * hour);
  look([exit("a:0", "processing")], 6 * hour);
  assert.deepEqual(told, []);
  assert.equal(still.amountOf(m, "a:0"), 7n);
  look([], 7 * hour);
  assert.equal(m.watched.size, 0);
  assert.equal(still.amountOf(m, "a:0"), 0n);
});

test("ark: still: ranges of the configuration are asserted", () => {
  for (const wrong of [{ stuckMs: 0 }, { tellMs: 0.5 }]) {
    assert.throws(() => start({ ...still.defaults, ...wrong }));
  }
});
