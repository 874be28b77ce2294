import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as expiry from "../../../core/ark/expiry.ts";
import type { Vtxo } from "../../../core/ark/wallet.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const min = 60_000;
const hour = 60 * min;

const config: expiry.Config = {
  ...expiry.defaults, wallet: "w", refreshBlocks: 60, leadBlocks: 12, failingBlocks: 12,
  perLevelBlocks: 2, marginBlocks: 10, coinsMax: 5,
};

function vtxo(id: string, fields: Partial<Vtxo> = {}): Vtxo {
  return {
    id, amountSat: 50_000n, expiryHeight: 1_100, exitDeltaBlocks: 6, exitDepth: 2,
    state: "spendable", ...fields,
  };
}

function start(vtxos: readonly Vtxo[], height = 1_000, given = config) {
  const m = expiry.create(given, mono(0));
  const out: expiry.Effect[] = [];
  const send = (event: expiry.Event, ms: number) => expiry.step(m, event, mono(ms), out);
  send({ type: "tip", height }, 0);
  send({ type: "vtxos", vtxos }, 0);
  const notices = () => out.flatMap((one) => (one.type === "notice" ? [one.notice] : []));
  return { m, send, notices, stage: (id: string) => m.coins.get(id)?.stage };
}

const told = (notices: readonly { kind: string; stage?: string; count?: number }[]) =>
  notices.map(({ kind, stage, count }) => (stage === undefined ? kind : `${stage} ${count}`));

test("ark: expiry: each stage begins at its height, in order", () => {
  const one = vtxo("a:0");
  const at = (["due", "failing", "exit-now", "expired"] as const)
    .map((stage) => expiry.heightOf(config, one, stage));
  assert.deepEqual(at, [1_041, 1_053, 1_080, 1_100]);
  for (const [i, stage] of (["due", "failing", "exit-now", "expired"] as const).entries()) {
    const height = at[i] as number;
    assert.equal(start([one], height - 1).stage("a:0"), expiry.stages[i]);
    assert.equal(start([one], height).stage("a:0"), stage);
  }
});

test("ark: expiry: a refresh is due before an exit, however long the exit takes", () => {
  const deep = vtxo("a:0", { exitDeltaBlocks: 40, exitDepth: 10 });
  assert.equal(expiry.heightOf(config, deep, "exit-now"), 1_030);
  assert.equal(expiry.heightOf(config, deep, "due"), 1_018);
  assert.equal(expiry.heightOf(config, deep, "failing"), 1_030);
});

test("ark: expiry: a stage begins at its instant without any answer, and not before", () => {
  const { m, send, stage, notices } = start([vtxo("a:0")]);
  const due = expiry.deadline(m);
  assert.equal(due, 41 * 8 * min);
  send({ type: "tick" }, due - 1);
  assert.equal(stage("a:0"), "fine");
  send({ type: "tick" }, due);
  assert.equal(stage("a:0"), "due");
  const [notice] = notices();
  assert.ok(notice?.kind === "ark-expiry" && notice.isEstimate);
  assert.equal(notice.blocksLeft, 59);
  assert.equal(notice.leftMs, 59 * 8 * min);
});

test("ark: expiry: those that enter a stage together are one notice, led by the first", () => {
  const { notices } = start([
    vtxo("b:0", { expiryHeight: 1_050 }), vtxo("a:0", { expiryHeight: 1_050 }),
    vtxo("c:0", { expiryHeight: 1_051, amountSat: 7n }), vtxo("d:0", { expiryHeight: 9_000 }),
  ]);
  assert.deepEqual(told(notices()), ["due 2"]);
  const [notice] = notices();
  assert.ok(notice?.kind === "ark-expiry");
  assert.deepEqual([notice.lead, notice.amountSat, notice.nth], ["a:0", 100_000n, 0]);
});

test("ark: expiry: failures in a row make it failing at once", () => {
  const { send, stage, notices } = start([vtxo("a:0")], 1_041);
  for (let i = 1; i <= 3; i += 1) {
    assert.equal(stage("a:0"), "due");
    send({ type: "failed", vtxos: ["a:0", "gone:0"] }, i);
  }
  assert.equal(stage("a:0"), "failing");
  assert.deepEqual(told(notices()), ["due 1", "failing 1"]);
});

test("ark: expiry: no stage is taken back while it is there; its end is told once", () => {
  const { m, send, stage, notices } = start([vtxo("a:0")], 1_053);
  for (const id of [1, 2]) send({ type: "tip", height: 1_053 }, id);
  send({ type: "tip", height: 1_053 }, hour);
  send({ type: "tip", height: 1_040 }, hour + 1);
  assert.equal(stage("a:0"), "failing");
  send({ type: "vtxos", vtxos: [] }, hour + 2);
  send({ type: "vtxos", vtxos: [] }, hour + 3);
  assert.deepEqual(told(notices()), ["failing 1", "ark-expiry-over"]);
  assert.equal(m.coins.size, 0);
});

test("ark: expiry: an answer that lowers the estimate takes no stage back", () => {
  const { m, send, stage, notices } = start([vtxo("a:0")]);
  for (const ms of [15 * min, 30 * min]) send({ type: "tip", height: 1_000 }, ms);
  const due = expiry.deadline(m);
  send({ type: "tick" }, due);
  send({ type: "tip", height: 1_035 }, due + 1);
  assert.equal(expiry.tip(m, mono(due + 1)), 1_035);
  assert.equal(stage("a:0"), "due");
  send({ type: "tip", height: 1_041 }, due + hour);
  assert.deepEqual(told(notices()), ["due 1"]);
});

test("ark: expiry: what needs somebody is told again, with the number of its height", () => {
  const { m, send, notices } = start([vtxo("a:0")], 1_053);
  for (let i = 0; i < 40; i += 1) send({ type: "tick" }, expiry.deadline(m));
  const nths = notices().flatMap((n) => (n.kind === "ark-expiry" ? [`${n.stage} ${n.nth}`] : []));
  assert.deepEqual(nths.slice(0, 3), ["failing 0", "exit-now 0", "expired 0"]);
  assert.ok(nths.includes("expired 1") && nths.includes("expired 5"), nths.join());
  assert.equal(new Set(nths).size, nths.length);
});

test("ark: expiry: what is on its way to the chain is told of only when it expires", () => {
  const { m, send, notices } = start([vtxo("a:0"), vtxo("b:0", { state: "exited" })]);
  send({ type: "exiting", vtxos: ["a:0"], doubted: [] }, 0);
  while (expiry.deadline(m) < 15 * hour) send({ type: "tick" }, expiry.deadline(m));
  assert.deepEqual(told(notices()), ["expired 2"]);
});

test("ark: expiry: what came due on its way to the chain is told once it is not on its way", () => {
  const { m, send, notices, stage } = start([vtxo("a:0"), vtxo("b:0")]);
  send({ type: "exiting", vtxos: ["a:0", "b:0"], doubted: [] }, 0);
  while (stage("a:0") === "fine") send({ type: "tick" }, expiry.deadline(m));
  assert.equal(stage("a:0"), "due");
  assert.deepEqual(told(notices()), []);
  for (const vtxos of [["a:0"], ["a:0", "b:0"], ["a:0"], []]) {
    send({ type: "exiting", vtxos, doubted: [] }, 10 * min);
  }
  assert.deepEqual(told(notices()), ["due 1", "due 1"], "each once, however often that changes");
});

test("ark: expiry: what is worth nothing wakes nobody", () => {
  const { m, send, notices, stage } = start([vtxo("a:0", { amountSat: 329n })]);
  while (expiry.deadline(m) < 20 * hour) send({ type: "tick" }, expiry.deadline(m));
  assert.equal(stage("a:0"), "expired");
  assert.deepEqual(told(notices()), []);
});

test("ark: expiry: one whose exit nobody can tell of is told once, however often listed", () => {
  const gone = vtxo("a:0", { state: "exited" });
  const { send, notices } = start([gone]);
  send({ type: "exiting", vtxos: [], doubted: ["a:0"] }, 3 * hour);
  send({ type: "tip", height: 1_090 }, 3 * hour);
  for (let i = 0; i < 5; i += 1) {
    send({ type: "exiting", vtxos: [], doubted: ["a:0"] }, 3 * hour + i * min);
    send({ type: "vtxos", vtxos: [gone] }, 3 * hour + i * min);
  }
  assert.deepEqual(told(notices()).filter((kind) => kind === "ark-expiry-over"), []);
  assert.equal(notices().length, 1);
  send({ type: "exiting", vtxos: [], doubted: [] }, 4 * hour);
  assert.deepEqual(told(notices()).at(-1), "ark-expiry-over");
});

test("ark: expiry: a doubted height is told once, and moves nothing until it stays", () => {
  const { send, stage, notices } = start([vtxo("a:0"), vtxo("b:0", { expiryHeight: 99_999 })]);
  send({ type: "tip", height: 1_000 }, 20 * min);
  send({ type: "tip", height: 1_000 }, 30 * min);
  for (let i = 0; i < 3; i += 1) send({ type: "tip", height: 1_120 }, 40 * min + i);
  assert.deepEqual(told(notices()), ["ark-tip-doubted"]);
  const [notice] = notices();
  assert.ok(notice?.kind === "ark-tip-doubted");
  assert.deepEqual([notice.height, notice.expected, notice.affected], [1_120, 1_005, 1]);
  assert.equal(stage("a:0"), "fine");
  send({ type: "tip", height: 1_120 }, 70 * min);
  assert.equal(stage("a:0"), "expired");
});

test("ark: expiry: a first height that was wrong is taken back with all its stages", () => {
  const { send, stage } = start([vtxo("a:0")], 700_000);
  assert.equal(stage("a:0"), "expired");
  send({ type: "tip", height: 1_000 }, min);
  assert.equal(stage("a:0"), "fine");
  send({ type: "tip", height: -1 }, 2 * min);
  assert.equal(stage("a:0"), "fine");
});

test("ark: expiry: VTXOs without any height are told of", () => {
  const m = expiry.create(config, mono(0));
  const out: expiry.Effect[] = [];
  expiry.step(m, { type: "tick" }, expiry.deadline(m), out);
  assert.equal(out.length, 0);
  expiry.step(m, { type: "vtxos", vtxos: [vtxo("a:0")] }, mono(31 * min), out);
  expiry.step(m, { type: "tick" }, expiry.deadline(m), out);
  assert.equal(out.length, 1);
  assert.ok(out[0]?.type === "notice" && out[0].notice.kind === "ark-tip-missing");
});

test("ark: expiry: of more VTXOs than there is room for, the first to expire are watched", () => {
  const all = [1, 2, 3, 4, 5, 6, 7].map((n) => vtxo(`v${n}:0`, { expiryHeight: 2_000 - n }));
  const { m } = start(all);
  assert.deepEqual([...m.coins.keys()].toSorted(), ["v3:0", "v4:0", "v5:0", "v6:0", "v7:0"]);
  assert.equal(m.dropped, 2);
});

test("ark: expiry: an id that comes twice, spent ones, another expiry: as the wallet says", () => {
  const { m, send, stage } = start([vtxo("a:0"), vtxo("a:0"), vtxo("b:0", { state: "spent" })]);
  assert.deepEqual([...m.coins.keys()], ["a:0"]);
  send({ type: "vtxos", vtxos: [vtxo("a:0", { expiryHeight: 1_010 })] }, 0);
  assert.equal(stage("a:0"), "exit-now");
  send({ type: "vtxos", vtxos: [vtxo("a:0", { expiryHeight: 3_000 })] }, 0);
  assert.equal(stage("a:0"), "fine");
});

test("ark: expiry: ranges of the configuration are asserted", () => {
  for (const wrong of [
    { refreshBlocks: -1 }, { failuresMax: 0 }, { remindBlocks: 0 }, { coinsMax: 0 },
    { marginBlocks: 1 / 2 },
  ]) assert.throws(() => expiry.create({ ...config, ...wrong }, mono(0)));
});

const ids = ["a:0", "b:0", "c:0"];
const some = fc.subarray(ids);
const vtxos = fc.array(fc.record({
  id: fc.constantFrom(...ids), expiryHeight: fc.integer({ min: 1_000, max: 1_150 }),
  exitDepth: fc.integer({ min: 0, max: 4 }), amountSat: fc.constantFrom(1n, 50_000n),
}), { maxLength: 4 }).map((list) => list.map(({ id, ...fields }) => vtxo(id, fields)));

const events: fc.Arbitrary<expiry.Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({
    type: fc.constant("tip" as const),
    height: fc.oneof(fc.integer({ min: 950, max: 1_120 }), fc.constantFrom(0, 90_000)),
  }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("vtxos" as const), vtxos }) },
  fc.record({ type: fc.constant("exiting" as const), vtxos: some, doubted: some }),
  fc.record({ type: fc.constant("failed" as const), vtxos: some }),
);

test("ark: expiry: the four laws", () => {
  const subject: Subject<expiry.Expiry, expiry.Event, expiry.Effect> = {
    create: (now) => expiry.create(config, now), step: expiry.step, deadline: expiry.deadline,
    tick: { type: "tick" }, settleMs: 24 * hour,
    holds: (m) => assert.ok(m.coins.size <= config.coinsMax),
    // Law 4: a day after the last word every VTXO worth telling that has expired was told of.
    lives: (run) => {
      const due = [...run.state.coins.values()].some(({ vtxo: one, stage }) =>
        one.amountSat >= config.quietSat && stage !== "fine");
      const notices = effectsOf(run).filter(({ effect }) => effect.type === "notice");
      assert.ok(!due || notices.length > 0);
      const tip = expiry.tip(run.state, run.now);
      if (tip === undefined) return;
      for (const { vtxo: one, stage } of run.state.coins.values()) {
        if (tip >= one.expiryHeight) assert.equal(stage, "expired");
      }
    },
  };
  fc.assert(fc.property(scripts(events, hour, 20), (script) => void laws(subject, script)), {
    numRuns: 50,
  });
});

/** What a chain source does for so many blocks, and how long each takes. */
const worlds = fc.array(fc.record({
  gapMin: fc.integer({ min: 8, max: 25 }),
  says: fc.constantFrom("true", "true", "frozen", "silent", "low", "giant"),
}), { minLength: 1, maxLength: 16 });

test("ark: expiry: no stage is told later than its height, with tips six hours old", () => {
  const life = fc.integer({ min: 20, max: 60 });
  fc.assert(fc.property(worlds, fc.array(life, { minLength: 1, maxLength: 3 }), (list, lives) => {
    const coins = lives.map((blocks, i) => vtxo(`v${i}:0`, { expiryHeight: 1_000 + blocks }));
    const { m, send, notices } = start(coins);
    for (const ms of [15 * min, 30 * min]) send({ type: "tip", height: 1_000 }, ms);
    let [ms, height, frozen]: [number, number, number] = [30 * min, 1_000, 1_000];
    for (let block = 0; block < 70; block += 1) {
      const { gapMin, says } = list[(block >> 3) % list.length] ?? { gapMin: 8, says: "true" };
      if (block % 8 === 0) frozen = height;
      const until: Mono = mono(ms + gapMin * min);
      for (; ms < until; ms += 4 * min) {
        while (expiry.deadline(m) <= ms) send({ type: "tick" }, expiry.deadline(m));
        const all: { readonly [says: string]: number | undefined } = {
          true: height, frozen, low: height - 40, giant: height + 5_000,
        };
        const said = all[says];
        if (said !== undefined) send({ type: "tip", height: said }, ms);
        judge(m, coins, notices(), height);
      }
      ms = until;
      height += 1;
    }
  }), { numRuns: 60 });
});

function judge(
  m: expiry.Expiry, coins: readonly Vtxo[], notices: readonly { kind: string }[], height: number,
): void {
  for (const stage of ["due", "exit-now", "expired"] as const) {
    const there = coins.filter((one) => height >= expiry.heightOf(config, one, stage)).length;
    let count = 0;
    for (const n of notices as readonly { kind: string; stage: expiry.Stage; count: number }[]) {
      const isSo = n.kind === "ark-expiry"
        && expiry.stages.indexOf(n.stage) >= expiry.stages.indexOf(stage);
      if (isSo) count += n.count;
    }
    assert.ok(count >= there, `${there} are ${stage} at ${height}, ${count} were told`);
    assert.ok(m.coins.size === coins.length);
  }
}
