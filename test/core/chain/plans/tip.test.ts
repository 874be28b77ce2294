import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, chainAt, error, hashAt, quiet, reasonOf } from "../../../support/bitcoind.ts";
import { begin, resume } from "../../../../core/chain/plans/tip.ts";
import { config } from "../../../support/bitcoind.ts";

const header = (confirmations: number): string =>
  JSON.stringify({ confirmations, height: 129, hash: hashAt(129) });

test("chain: tip of a node: one call", () => {
  const { answer, sent } = ask({ ask: "tip" }, quiet);
  assert.deepEqual(answer, {
    ok: true, ask: "tip",
    tip: {
      hash: hashAt(130), height: 130, timeS: 1_795_298_712, isSynced: true, keptSince: undefined,
    },
  });
  assert.deepEqual(sent, ["/ getblockchaininfo"]);
});

test("chain: tip of a node: an earlier tip is in the chain, left behind, or unknown", () => {
  const kept = (getblockheader: ReturnType<typeof error>): unknown => {
    const { answer } = ask({ ask: "tip", since: hashAt(129) }, { ...quiet, getblockheader });
    return answer.ok && answer.ask === "tip" ? answer.tip.keptSince : reasonOf(answer);
  };
  assert.equal(kept(header(2)), true);
  assert.equal(kept(header(1)), true);
  assert.equal(kept(header(-1)), false);
  assert.equal(kept(error(-5, "Block not found")), false);
  assert.equal(kept(error(-1)), "nonsense");
  assert.equal(kept("{}"), "nonsense");
});

test("chain: tip of a node: it tells that it is behind", () => {
  const behind = { ...quiet, getblockchaininfo: chainAt(5, { headers: 9 }) };
  const { answer } = ask({ ask: "tip" }, behind);
  assert.ok(answer.ok && answer.ask === "tip" && !answer.tip.isSynced);
});

test("chain: tip of a node: no chain, no tip", () => {
  const reason = (said: ReturnType<typeof error>): string =>
    reasonOf(ask({ ask: "tip" }, { ...quiet, getblockchaininfo: said }).answer);
  assert.equal(reason("{}"), "nonsense");
  assert.equal(reason(error(-28)), "warming-up");
  assert.equal(reason(error(-32603)), "refused");
});

test("chain: tip of a node: begin and resume are all there is", () => {
  const move = begin(config, undefined);
  assert.ok(move.type === "call" && !move.isWallet);
  assert.equal(resume(config, []).type, "done");
});
