import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { read, write } from "../../../../core/chain/plans/mark.ts";
import { config } from "../../../support/bitcoind.ts";

test("chain: mark: what was written is read, among other labels", () => {
  const height = fc.nat(9_000_000);
  fc.assert(fc.property(height, fc.boolean(), (to, isWhole) => {
    const label = write(config, { from: 0, to, isWhole });
    assert.deepEqual(read(config, ["", "savings", label]), { from: 0, to, isWhole });
  }), { numRuns: 50 });
});

test("chain: mark: of other descriptors, a longer range, an earlier height: worth nothing", () => {
  const label = write(config, { from: 100, to: 130, isWhole: true });
  const later = { ...config, birthHeight: 100 };
  assert.ok(read(later, [label]) !== undefined);
  assert.equal(read({ ...later, birthHeight: 99 }, [label]), undefined);
  assert.equal(read({ ...later, indexMax: 1_999 }, [label]), undefined);
  assert.equal(read({ ...later, watch: config.watch.slice(1) }, [label]), undefined);
  assert.ok(read({ ...later, watch: config.watch.toReversed() }, [label]) !== undefined);
});

test("chain: mark: others' labels are no marks", () => {
  const label = write(config, { from: 0, to: 130, isWhole: true });
  for (const other of ["", "dogwatch scan", `${label} `, label.replace("130", "1e3"), "é"]) {
    assert.equal(read(config, [other]), undefined);
  }
});
