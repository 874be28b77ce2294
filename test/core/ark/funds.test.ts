import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as drive from "../../../core/ark/drive.ts";
import * as funds from "../../../core/ark/funds.ts";
import { mono } from "../../../core/time.ts";
import { coin, driven, exit, sightOf } from "../../support/ark-sight.ts";

/** Asks until nothing more is asked, as a wallet answers that has `fundsSat`. */
function settle(
  costs: ReadonlyMap<string, number>, spoken: readonly string[], fundsSat: number,
): { f: funds.Funds; asked: string[][] } {
  const f = funds.create(funds.defaults);
  const wanted = [...costs.keys()].filter((id) => !spoken.includes(id));
  const asked: string[][] = [];
  let ops = funds.ask(f, [...spoken, ...wanted], 1, mono(0));
  while (ops.length > 0) {
    const [op] = ops;
    assert.ok(op?.op === "exit-fee", "only costs are asked for");
    asked.push([...op.vtxos]);
    const sat = op.vtxos.reduce((sum, id) => sum + (costs.get(id) ?? 0), 0);
    funds.heard(f, { isFundable: sat <= fundsSat, feeSat: BigInt(sat) }, spoken, wanted);
    ops = funds.next(f);
  }
  return { f, asked };
}

test("ark: funds: what leaves can be paid together, and nothing that could be stays", () => {
  const some = fc.record({
    costs: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 }),
    underWay: fc.nat(3), fundsSat: fc.nat(4_000),
  });
  fc.assert(fc.property(some, ({ costs: list, underWay, fundsSat }) => {
    const costs = new Map(list.map((sat, at) => [`${at}:0`, sat]));
    const spoken = [...costs.keys()].slice(0, underWay);
    const wanted = [...costs.keys()].slice(underWay);
    const { f, asked } = settle(costs, spoken, fundsSat);
    assert.ok(asked.length <= 1 + wanted.length, "one question for each, and one for all");
    let leftSat = fundsSat;
    for (const id of spoken) leftSat -= costs.get(id) ?? 0;
    for (const id of wanted) {
      const sat = costs.get(id) ?? 0;
      assert.equal(funds.isShort(f, id), sat > leftSat, id);
      if (sat <= leftSat) leftSat -= sat;
    }
    assert.equal(f.trial, undefined);
  }));
});

test("ark: funds: an answer that does not come ends the asking, and what is known counts", () => {
  const f = funds.create(funds.defaults);
  const ids = ["a:0", "b:0", "c:0"];
  funds.ask(f, ids, 1, mono(0));
  assert.equal(funds.heard(f, { isFundable: false, feeSat: 9n }, [], ids), "ark-exit-unfundable");
  assert.deepEqual(funds.next(f), [{ op: "exit-fee", vtxos: ["a:0"] }]);
  assert.equal(funds.heard(f, { isFundable: true, feeSat: 3n }, [], ids), undefined);
  assert.deepEqual(funds.next(f), [{ op: "exit-fee", vtxos: ["a:0", "b:0"] }]);
  funds.heard(f, undefined, [], ids);
  assert.deepEqual(funds.next(f), []);
  assert.deepEqual(ids.map((id) => funds.isShort(f, id)), [false, true, true]);
  // No answer to the whole: nothing is known, and nothing is in the way.
  funds.ask(f, ids, 1, mono(1));
  funds.heard(f, undefined, [], ids);
  assert.deepEqual(ids.map((id) => funds.isShort(f, id)), [false, false, false]);
});

test("ark: funds: a new question ends what was asked piece by piece", () => {
  const f = funds.create(funds.defaults);
  const ids = ["a:0", "b:0"];
  funds.ask(f, ids, 1, mono(0));
  funds.heard(f, { isFundable: false, feeSat: 9n }, [], ids);
  assert.equal(funds.next(f).length, 1);
  funds.ask(f, ids, 1, mono(1));
  assert.equal(funds.heard(f, { isFundable: true, feeSat: 9n }, [], ids), "ark-exit-fundable");
  assert.deepEqual(funds.next(f), []);
  assert.ok(!funds.isShort(f, "b:0"), "all can be paid");
});

test("ark: funds: under way is what an exit still has to pay for, listed or asked for", () => {
  const { d, out, run } = driven();
  const coins = ["a:0", "b:0", "c:0", "d:0", "e:0"].map((id) => coin(id, "exit-now"));
  const spent = coin("f:0", "exit-now", { state: "spent" });
  const s = sightOf([...coins, spent], [
    exit("a:0", "start"), exit("b:0", "processing"), exit("c:0", "awaiting-delta"),
    exit("f:0", "processing"),
  ]);
  assert.deepEqual([...funds.underWay(d, s)], ["a:0", "b:0"]);
  drive.open(d, "exit", ["d:0", "gone:0"], "", 0, out);
  run(() => false);
  assert.deepEqual([...funds.underWay(d, s)], ["a:0", "b:0"], "nobody asked for it");
  const other = driven();
  drive.open(other.d, "exit", ["d:0", "gone:0"], "", 0, other.out);
  other.run();
  assert.deepEqual([...funds.underWay(other.d, s)], ["a:0", "b:0", "d:0"]);
});

test("ark: funds: times that are none are refused", () => {
  for (const bad of [0, -1, 0.5, Number.NaN]) {
    for (const key of ["feeMs", "feeShortMs", "feeGapMs"]) {
      assert.throws(() => funds.create({ ...funds.defaults, [key]: bad }), /milliseconds/);
    }
  }
});
