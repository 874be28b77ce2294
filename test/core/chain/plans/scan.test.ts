import assert from "node:assert/strict";
import { test } from "node:test";
import { read, write, type Mark } from "../../../../core/chain/plans/mark.ts";
import { begin, resume } from "../../../../core/chain/plans/scan.ts";
import {
  ask, askOver, chainAt, config, error, quiet, reasonOf, replyOf, type Node, type Said,
} from "../../../support/bitcoind.ts";

/** A node that keeps the label, and notes which parts were searched. */
type World = { label: string; readonly parts: [number, number][]; tip: number; node: Node };

function world(mark?: Mark, other: Node = {}): World {
  const w: World = {
    label: mark === undefined ? "" : write(config, mark), parts: [], tip: 130, node: {},
  };
  w.node = {
    ...quiet,
    getblockchaininfo: () => chainAt(w.tip),
    getaddressinfo: () => JSON.stringify({ ismine: true, labels: [w.label] }),
    setlabel: (_address, label) => {
      w.label = label as string;
      return "null";
    },
    rescanblockchain: (from, to) => {
      w.parts.push([from as number, to as number]);
      return JSON.stringify({ start_height: from, stop_height: to });
    },
    ...other,
  };
  return w;
}

const markOf = (w: World): Mark | undefined => read(config, [w.label]);

test("chain: scan: old blocks are searched in parts, upwards, and the mark follows", () => {
  const w = world();
  const { answer, told } = ask({ ask: "rescan", fromHeight: undefined }, w.node);
  assert.deepEqual(answer, { ok: true, ask: "rescan", fromHeight: 0, toHeight: 130 });
  assert.deepEqual(w.parts, [[0, 49], [50, 99], [100, 130]]);
  assert.deepEqual(markOf(w), { from: 0, to: 130, isWhole: true });
  assert.deepEqual(told, [
    { type: "progress", token: 7, progress: { permille: 381, atHeight: 49 } },
    { type: "progress", token: 7, progress: { permille: 763, atHeight: 99 } },
    { type: "progress", token: 7, progress: { permille: 1_000, atHeight: 130 } },
  ]);
});

test("chain: scan: one that was cut off goes on behind its mark", () => {
  const w = world();
  const cut = askOver(config, { ask: "rescan", fromHeight: undefined }, (wish) => (
    wish.body.includes("rescanblockchain") && w.parts.length === 2 ? "timeout"
      : replyOf(w.node, wish)
  ));
  assert.equal(reasonOf(cut.answer), "timeout");
  assert.deepEqual(markOf(w), { from: 0, to: 99, isWhole: false });
  w.parts.length = 0;
  assert.equal(ask({ ask: "rescan", fromHeight: undefined }, w.node).answer.ok, true);
  assert.deepEqual(w.parts, [[100, 130]]);
});

test("chain: scan: one that is whole is not begun again, unless it is wished", () => {
  const w = world({ from: 0, to: 120, isWhole: true });
  const { answer } = ask({ ask: "rescan", fromHeight: undefined }, w.node);
  assert.deepEqual(answer, { ok: true, ask: "rescan", fromHeight: 0, toHeight: 130 });
  assert.deepEqual(w.parts, []);
  ask({ ask: "rescan", fromHeight: 120 }, w.node);
  assert.deepEqual(w.parts, [[120, 130]]);
  assert.deepEqual(markOf(w), { from: 0, to: 120, isWhole: true }, "it says nothing about below");
  ask({ ask: "rescan", fromHeight: 0 }, w.node);
  assert.equal(w.parts.length, 4);
});

test("chain: scan: blocks that come meanwhile are searched too", () => {
  const w = world(undefined, {
    rescanblockchain: (from, to) => {
      w.parts.push([from as number, to as number]);
      if (w.parts.length <= 3) w.tip += 1;
      return JSON.stringify({ start_height: from, stop_height: to });
    },
  });
  const { answer } = ask({ ask: "rescan", fromHeight: undefined }, w.node);
  assert.deepEqual(answer, { ok: true, ask: "rescan", fromHeight: 0, toHeight: 133 });
  assert.deepEqual(w.parts, [[0, 49], [50, 99], [100, 132], [133, 133]]);
});

test("chain: scan: from a birth above the tip there is nothing to search", () => {
  const w = world();
  const later = { ...config, birthHeight: 500 };
  const { answer } = ask({ ask: "rescan", fromHeight: undefined }, w.node, later);
  assert.equal(answer.ok, true);
  assert.deepEqual(w.parts, []);
  assert.equal(read(later, [w.label])?.isWhole, true);
});

test("chain: scan: deleted blocks cannot be searched, and the rest is not enough", () => {
  const pruned = (pruneheight: number): string => {
    const w = world(undefined, {
      getblockchaininfo: chainAt(130, { pruned: true, pruneheight }),
    });
    const { answer } = ask({ ask: "rescan", fromHeight: undefined }, w.node);
    assert.equal(w.parts.length, pruneheight === 0 ? 3 : 0);
    return reasonOf(answer);
  };
  assert.equal(pruned(0), "found rescan");
  assert.equal(pruned(1), "pruned");
  const w = world(undefined, { rescanblockchain: error(-1, "Can't rescan beyond pruned data.") });
  assert.equal(reasonOf(ask({ ask: "rescan", fromHeight: undefined }, w.node).answer), "pruned");
});

test("chain: scan: somebody else's search is waited for, not doubled", () => {
  const busy = JSON.stringify({
    private_keys_enabled: false, scanning: { duration: 5, progress: 0.25 },
  });
  const w = world(undefined, { getwalletinfo: busy });
  const { answer } = ask({ ask: "rescan", fromHeight: undefined }, w.node);
  assert.equal(reasonOf(answer), "rescanning");
  assert.deepEqual(ask({ ask: "rescan-progress" }, w.node).answer, {
    ok: true, ask: "rescan-progress", progress: { permille: 250, atHeight: undefined },
  });
  const late = world(undefined, {
    rescanblockchain: error(-4, "Wallet is currently rescanning. Abort existing rescan or wait."),
  });
  assert.equal(
    reasonOf(ask({ ask: "rescan", fromHeight: undefined }, late.node).answer), "rescanning",
  );
});

test("chain: scan: no search is under way", () => {
  const { answer } = ask({ ask: "rescan-progress" }, quiet);
  assert.deepEqual(answer, { ok: true, ask: "rescan-progress", progress: undefined });
});

test("chain: scan: a node that is behind, aborted, or answers something else", () => {
  const reason = (other: Node): string =>
    reasonOf(ask({ ask: "rescan", fromHeight: undefined }, world(undefined, other).node).answer);
  assert.equal(reason({ getblockchaininfo: chainAt(5, { headers: 130 }) }), "syncing");
  assert.equal(reason({ rescanblockchain: error(-1, "Rescan was aborted by user.") }), "refused");
  const other: Said = "{\"start_height\":0,\"stop_height\":48}";
  assert.equal(reason({ rescanblockchain: other }), "nonsense");
  for (const method of ["getblockchaininfo", "getwalletinfo", "deriveaddresses", "getaddressinfo",
    "rescanblockchain"]) {
    assert.equal(reason({ [method]: "7" }), "nonsense", method);
    assert.equal(reason({ [method]: error(-28) }), "warming-up", method);
  }
  assert.equal(reason({ setlabel: error(-8) }), "refused");
});

test("chain: scan: begin is a look at the wallet", () => {
  const move = begin(config, 5);
  assert.ok(move.type === "call" && move.isWallet && move.stage.asked === 5);
  assert.equal(resume(config, move.stage, []).type, "done");
});
