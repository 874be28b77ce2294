/**
 * Background, guard, news and books of a wallet, and what each learns of the others.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as guardian from "../../../core/ark/guardian.ts";
import type { Turn } from "../../../core/ark/node.ts";
import { unavailable } from "../../../core/ark/wallet.ts";
import * as wallets from "../../../core/ark/wallets.ts";
import { mono } from "../../../core/time.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as servers from "../../../sim/ark/server.ts";
import * as rig from "../../support/ark-fleet.ts";

const { minute, second } = rig;

function turnAt(ms: number): Turn {
  return { now: mono(ms), out: [], todo: [], touched: new Set() };
}

test("ark: wallets: news let the guard look at once, but make no storm", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  const looks = (): number => rig.count(r, /wallet\/vtxos$/);
  const before = looks();
  for (let i = 0; i < 60; i += 1) {
    rig.act(r, (w) => void acts.deposit(w, "alice", 1_000n));
    rig.act(r, (w) => void acts.pay(w, "alice", {
      amountsSat: [5_000n], lifeBlocks: 36, exitDepth: 1,
    }));
    rig.pass(r, second);
  }
  assert.ok(looks() - before <= 9, `${looks() - before} looks in a minute`);
  rig.until(r, () => rig.one(r).vtxos >= 60, 3 * minute);
});

test("ark: wallets: a refresh that was taken wakes the sync, a new height does too", () => {
  const r = rig.start({ before: ({ world }) => {
    acts.endow(world, "alice", [100_000n], 36, 1);
  } });
  rig.until(r, () => rig.count(r, /delegated/) > 0, 90 * minute);
  const at = r.asked.find(({ path }) => path.includes("delegated"))!.at;
  rig.pass(r, 10 * second);
  const after = r.asked.filter((one) => one.at > at && one.at <= at + 8 * second);
  assert.ok(after.some(({ path }) => path === "/api/v1/onchain/sync"));
});

test("ark: wallets: a deadline is that of the machine that is due first", () => {
  const r = rig.start();
  for (let i = 0; i < 200; i += 1) {
    rig.pass(r, second);
    for (const node of r.kernel.state.nodes) {
      assert.equal(node.dueAt, wallets.deadline(node));
      assert.ok(node.dueAt > r.now);
    }
  }
});

test("ark: wallets: a server with another key is given nothing until it is trusted", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  const [node] = r.kernel.state.nodes;
  const { d, t } = { d: r.kernel.state, t: turnAt(r.now) };
  const answer = unavailable("server-key", "ark-key", "another key");
  wallets.toDaemon(d, node!, { type: "heard", op: "ark-info", answer }, t);
  assert.ok(guardian.sight(node!.guardian, mono(r.now)).isBarred);
  rig.act(r, (w) => void acts.endow(w, "alice", [100_000n], 20, 1));
  rig.pass(r, 60 * minute);
  assert.equal(rig.count(r, /delegated/), 0);
  rig.push(r, { type: "operator.trust", wallet: "alice", looked: undefined });
  assert.ok(!guardian.sight(node!.guardian, mono(r.now)).isBarred);
  rig.until(r, () => rig.count(r, /delegated/) > 0, 10 * minute);
});

test("ark: wallets: another key than the journal knows bars the server before any coin", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  const was = rig.bodies(r).find((body) => body.includes("ark-server"))?.match(/"is":"(\w+)"/)?.[1];
  assert.ok(was !== undefined, "the first key is written down");
  rig.die(r);
  rig.act(r, (w) => {
    const b = w.barkds.get("alice")!;
    // A program that is content with whatever server it finds.
    w.server.generation = 1;
    b.wallet = { ...b.wallet!, serverPubkey: servers.pubkey(w.server) };
    b.session = undefined;
    acts.endow(w, "alice", [100_000n], 20, 1);
  });
  rig.boot(r);
  rig.pass(r, 60 * minute);
  assert.equal(rig.count(r, /delegated/), 0);
  const { server, wallet } = rig.one(r).doubts;
  assert.deepEqual([server?.known, wallet], [was, null]);
  assert.match(rig.one(r).degraded[0]!.why, new RegExp(`was ${was} and is ${server?.shown}`));
  const looked = { wallet: undefined, server: was };
  rig.push(r, { type: "operator.trust", wallet: "alice", looked });
  assert.ok(rig.one(r).isBarred, "that is not what is shown");
  const shown = server?.shown;
  rig.push(r, { type: "operator.trust", wallet: "alice", looked: { ...looked, server: shown } });
  rig.until(r, () => rig.count(r, /delegated/) > 0, 10 * minute);
  rig.die(r);
  rig.boot(r);
  rig.pass(r, 5 * minute);
  assert.deepEqual(rig.one(r).doubts, { server: null, wallet: null });
});

test("ark: wallets: who looks at a key in doubt sees the one of now, not of an hour ago", () => {
  const r = rig.start();
  rig.pass(r, 5 * minute);
  const fromMs = rig.wallMs(r);
  rig.suffer(r, [{
    on: "server", fault: { kind: "key" }, fromMs, untilMs: Number.MAX_SAFE_INTEGER,
  }]);
  const connect = (): void => rig.act(r, (w) => {
    w.barkds.get("alice")!.session = undefined;
  });
  connect();
  rig.until(r, () => rig.one(r).doubts.server !== null, 70 * minute);
  assert.ok(rig.one(r).isBarred, "its program has seen another key");
  rig.suffer(r, []);
  connect();
  rig.pass(r, 5 * minute);
  assert.deepEqual(rig.one(r).doubts.server, null);
  assert.ok(rig.one(r).isBarred, "until the operator has looked");
  rig.push(r, { type: "operator.trust", wallet: "alice", looked: undefined });
  rig.pass(r, 90 * minute);
  assert.ok(!rig.one(r).isBarred, "the right key is the one that was trusted");
});

test("ark: wallets: another wallet at the same address is told; nothing is done for it", () => {
  const r = rig.start();
  rig.pass(r, 3 * minute);
  rig.act(r, (w) => {
    const b = w.barkds.get("alice")!;
    b.wallet = { ...b.wallet!, fingerprint: "ffffffff" };
  });
  rig.pass(r, 3 * minute);
  assert.equal(rig.told(r, "Another wallet answers"), 1);
  assert.equal(rig.one(r).fingerprint, "ffffffff");
  rig.act(r, (w) => void acts.endow(w, "alice", [100_000n], 20, 1));
  rig.pass(r, 60 * minute);
  assert.equal(rig.count(r, /delegated|start/), 0);
  rig.push(r, { type: "operator.trust", wallet: "alice", looked: undefined });
  rig.until(r, () => rig.count(r, /delegated|start/) > 0, 10 * minute);
});
