import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as drive from "../../../core/ark/drive.ts";
import * as funds from "../../../core/ark/funds.ts";
import { mono } from "../../../core/time.ts";
import { coin, driven, exit, sightOf } from "../../support/ark-sight.ts";

function of(wanted: readonly string[]): funds.Exits {
  return { spoken: [], wanted, max: 16 };
}

/** Asks until nothing more is asked, as a wallet answers that has `fundsSat`. */
function settle(
  costs: ReadonlyMap<string, number>, spoken: readonly string[], fundsSat: number, max = 16,
): { f: funds.Funds; asked: string[][] } {
  const f = funds.create(funds.defaults);
  const wanted = [...costs.keys()].filter((id) => !spoken.includes(id));
  const asked: string[][] = [];
  let ops = funds.ask(f, [...spoken, ...wanted].slice(0, max), 1, mono(0));
  while (ops.length > 0) {
    const [op] = ops;
    assert.ok(op?.op === "exit-fee", "only costs are asked for");
    asked.push([...op.vtxos]);
    const sat = op.vtxos.reduce((sum, id) => sum + (costs.get(id) ?? 0), 0);
    funds.heard(f, { isFundable: sat <= fundsSat, feeSat: BigInt(sat) }, { spoken, wanted, max });
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
    assert.ok(asked.length <= 2 + costs.size, "one for each, for what is under way, and for all");
    let leftSat = fundsSat;
    for (const [id, sat] of costs) {
      const isPayable = sat <= leftSat;
      if (wanted.includes(id)) assert.equal(funds.isShort(f, id), !isPayable, id);
      if (isPayable) leftSat -= sat;
    }
    for (const id of spoken) assert.ok(!funds.isShort(f, id), "it has left");
    assert.equal(f.trial, undefined);
  }));
});

test("ark: funds: what is under way and cannot be paid to its end keeps no other back", () => {
  const costs = new Map([["dear:0", 9], ["begun:0", 2], ["a:0", 3], ["b:0", 3]]);
  const { f, asked } = settle(costs, ["dear:0", "begun:0"], 6);
  assert.deepEqual(asked, [
    ["dear:0", "begun:0", "a:0", "b:0"], ["dear:0", "begun:0"], ["dear:0"], ["begun:0"],
    ["begun:0", "a:0"], ["begun:0", "a:0", "b:0"],
  ]);
  assert.deepEqual([...costs.keys()].filter((id) => funds.isShort(f, id)), ["b:0"]);
  // What is under way can be paid: one question for all of it.
  assert.deepEqual(settle(costs, ["begun:0"], 6).asked.slice(1, 3), [
    ["begun:0"], ["begun:0", "dear:0"],
  ]);
  // Nothing waits for what is left: nothing more is asked.
  assert.deepEqual(settle(new Map([["dear:0", 9], ["begun:0", 2]]), ["dear:0", "begun:0"], 6).asked,
    [["dear:0", "begun:0"]]);
});

test("ark: funds: no question names more than it may, and what has no room waits", () => {
  const costs = new Map(["a:0", "b:0", "c:0", "d:0", "e:0"].map((id) => [id, 2]));
  const { f, asked } = settle(costs, ["a:0", "b:0", "c:0"], 3, 3);
  assert.ok(asked.every(({ length }) => length <= 3), "no more than three");
  assert.deepEqual([...costs.keys()].filter((id) => funds.isShort(f, id)), ["d:0", "e:0"]);
  const dear = settle(new Map([...costs, ["a:0", 9]]), ["a:0", "b:0", "c:0"], 8, 3);
  assert.ok(dear.asked.every(({ length }) => length <= 3), "no more than three");
  assert.deepEqual([...costs.keys()].filter((id) => funds.isShort(dear.f, id)), ["e:0"]);
});

test("ark: funds: an answer that does not come ends the asking, and what is known counts", () => {
  const f = funds.create(funds.defaults);
  const ids = ["a:0", "b:0", "c:0"];
  funds.ask(f, ids, 1, mono(0));
  assert.equal(funds.heard(f, { isFundable: false, feeSat: 9n }, of(ids)), "ark-exit-unfundable");
  assert.deepEqual(funds.next(f), [{ op: "exit-fee", vtxos: ["a:0"] }]);
  assert.equal(funds.heard(f, { isFundable: true, feeSat: 3n }, of(ids)), undefined);
  assert.deepEqual(funds.next(f), [{ op: "exit-fee", vtxos: ["a:0", "b:0"] }]);
  funds.heard(f, undefined, of(ids));
  assert.deepEqual(funds.next(f), []);
  assert.deepEqual(ids.map((id) => funds.isShort(f, id)), [false, true, true]);
  // No answer to the whole: nothing is known, and nothing is in the way.
  funds.ask(f, ids, 1, mono(1));
  funds.heard(f, undefined, of(ids));
  assert.deepEqual(ids.map((id) => funds.isShort(f, id)), [false, false, false]);
});

test("ark: funds: a new question ends what was asked piece by piece", () => {
  const f = funds.create(funds.defaults);
  const ids = ["a:0", "b:0"];
  funds.ask(f, ids, 1, mono(0));
  funds.heard(f, { isFundable: false, feeSat: 9n }, of(ids));
  assert.equal(funds.next(f).length, 1);
  funds.ask(f, ids, 1, mono(1));
  assert.equal(funds.heard(f, { isFundable: true, feeSat: 9n }, of(ids)), "ark-exit-fundable");
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
  assert.deepEqual(funds.underWay(d, s), ["a:0", "b:0"]);
  drive.open(d, "exit", ["d:0", "gone:0"], "", 0, out);
  run(() => false);
  assert.deepEqual(funds.underWay(d, s), ["a:0", "b:0"], "nobody asked for it");
  const other = driven();
  drive.open(other.d, "exit", ["d:0", "gone:0"], "", 0, other.out);
  other.run();
  assert.deepEqual(funds.underWay(other.d, s), ["a:0", "b:0", "d:0"]);
});

test("ark: funds: of what is under way that comes first which expires first", () => {
  const { d } = driven();
  const heights = [["a:0", 1_030], ["b:0", 1_010], ["c:0", 1_020]] as const;
  const coins = heights.map(([id, expiryHeight]) => coin(id, "exit-now", { expiryHeight }));
  const exits = ["unknown:0", "a:0", "b:0", "c:0"].map((id) => exit(id, "processing"));
  assert.deepEqual(funds.underWay(d, sightOf(coins, exits)), ["b:0", "c:0", "a:0", "unknown:0"]);
});

test("ark: funds: times that are none are refused", () => {
  for (const bad of [0, -1, 0.5, Number.NaN]) {
    for (const key of ["feeMs", "feeShortMs", "feeGapMs"]) {
      assert.throws(() => funds.create({ ...funds.defaults, [key]: bad }), /milliseconds/);
    }
  }
});
