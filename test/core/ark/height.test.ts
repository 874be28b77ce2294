import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as heights from "../../../core/ark/height.ts";
import { mono, NEVER } from "../../../core/time.ts";

const min = 60_000;
const hour = 60 * min;
const fresh = () => heights.create(heights.defaults);
const at = (m: heights.Height, ms: number) => heights.at(m, mono(ms));

function proven(height: number, untilMs: number): heights.Height {
  const m = fresh();
  for (const ms of [0, untilMs / 2, untilMs]) heights.heard(m, height, mono(ms));
  assert.ok(m.isProven);
  return m;
}

test("ark: height: nothing is known before anybody says anything", () => {
  const m = fresh();
  assert.equal(at(m, 0), undefined);
  assert.equal(heights.reaches(m, 1), NEVER);
  assert.equal(heights.plausible(m, mono(0)), undefined);
  assert.ok(!heights.isSaid(m, mono(0)));
});

test("ark: height: a silent source, and one that repeats itself, let our clock count", () => {
  const [silent, frozen] = [fresh(), fresh()];
  heights.heard(silent, 100, mono(0));
  for (let ms = 0; ms <= 6 * hour; ms += min) heights.heard(frozen, 100, mono(ms));
  for (const m of [silent, frozen]) {
    assert.equal(at(m, 6 * hour), 145);
    assert.equal(at(m, 8 * min - 1), 100);
    assert.equal(at(m, 8 * min), 101);
    assert.equal(heights.reaches(m, 145), 6 * hour);
    assert.equal(heights.reaches(m, 100), 0);
    assert.ok(!heights.isSaid(m, mono(hour)));
  }
});

test("ark: height: a source that catches up step by step pulls nothing down", () => {
  const m = proven(100, 30 * min);
  assert.equal(heights.heard(m, 101, mono(6 * hour)), "lower");
  assert.equal(at(m, 6 * hour), 145);
  assert.equal(heights.heard(m, 126, mono(6 * hour + min)), "advanced");
  assert.equal(at(m, 6 * hour + min), 130);
  assert.equal(heights.heard(m, 137, mono(6 * hour + 2 * min)), "advanced");
  assert.ok(heights.isSaid(m, mono(6 * hour + 2 * min)));
});

test("ark: height: what cannot have been found meanwhile is doubted until it stays", () => {
  const m = proven(100, 30 * min);
  const t = 31 * min;
  // What may have been found in six hours, and in this half.
  assert.equal(heights.plausible(m, mono(t)), 203);
  assert.equal(heights.heard(m, 113, mono(t)), "advanced");
  assert.equal(heights.heard(m, 210, mono(t)), "doubted");
  assert.equal(at(m, t), 113);
  assert.equal(heights.heard(m, 221, mono(t + 15 * min)), "doubtful");
  assert.equal(heights.heard(m, 222, mono(t + 30 * min - 1)), "doubtful");
  assert.equal(heights.heard(m, 223, mono(t + 30 * min)), "believed");
  assert.equal(at(m, t + 30 * min), 223);
});

test("ark: height: one honest answer ends a doubt, and the next lie begins anew", () => {
  const m = proven(100, 30 * min);
  let last = "";
  for (let i = 0; i < 400; i += 1) {
    const ms = 31 * min + i * 10 * min;
    last = heights.heard(m, 90_000, mono(ms));
    heights.heard(m, 103 + i, mono(ms + min));
  }
  assert.equal(last, "doubted");
  assert.ok((at(m, 70 * hour) ?? 0) < 1_000);
});

test("ark: height: a doubt that grows beyond any pace is believed at what it can be", () => {
  const m = proven(100, 30 * min);
  heights.heard(m, 1_000, mono(hour));
  heights.heard(m, 5_000, mono(hour + 15 * min));
  assert.equal(heights.heard(m, 90_000, mono(hour + 30 * min)), "believed");
  assert.equal(at(m, hour + 30 * min), 1_013);
});

test("ark: height: a lower one changes nothing, unless it stays, and grows, for long", () => {
  const m = proven(1_000, 30 * min);
  assert.equal(heights.heard(m, 999, mono(31 * min)), "lower");
  assert.equal(at(m, 31 * min), 1_003);
  assert.equal(heights.heard(m, 995, mono(31 * min)), "lower");
  assert.equal(at(m, 31 * min), 1_003);
  const t = 40 * min;
  const { fallMs } = heights.defaults;
  for (let ms = t; ms < t + fallMs; ms += 10 * min) {
    assert.equal(heights.heard(m, 900, mono(ms)), "lower");
  }
  // It has stood still: a stale source, however long. One that sinks begins anew.
  assert.equal(heights.heard(m, 900, mono(t + fallMs)), "lower");
  const before = at(m, t + fallMs + min) ?? 0;
  assert.equal(heights.heard(m, 940, mono(t + fallMs + min)), "corrected");
  const after = at(m, t + fallMs + min) ?? 0;
  assert.equal(after, 985);
  assert.ok(after < before);
});

test("ark: height: the first one counts, is not proven, and gives way to others", () => {
  const m = fresh();
  assert.equal(heights.heard(m, 90_000, mono(0)), "first");
  assert.equal(at(m, 0), 90_000);
  assert.ok(!m.isProven);
  assert.equal(heights.heard(m, 100, mono(min)), "corrected");
  assert.equal(at(m, min), 100);
  assert.equal(heights.heard(m, 5_000, mono(2 * min)), "advanced");
  assert.ok(!m.isProven);
  heights.heard(m, 5_000, mono(3 * min));
  heights.heard(m, 5_000, mono(32 * min - 1));
  assert.ok(!m.isProven);
  heights.heard(m, 5_000, mono(32 * min));
  assert.ok(m.isProven);
});

test("ark: height: what an earlier run believed is carried on, and proven by an answer", () => {
  const m = fresh();
  heights.restore(m, 100, 4 * hour, true, mono(5));
  assert.equal(at(m, 5), 130);
  assert.ok(!heights.isFirm(m));
  // The count was too high: stages that it moved are taken back.
  assert.equal(heights.heard(m, 124, mono(6)), "corrected");
  assert.equal(at(m, 6), 124);
  assert.ok(heights.isFirm(m));
  assert.equal(heights.heard(m, 125, mono(7)), "advanced");
  // A clock that jumped by a year is found out.
  const jumped = fresh();
  heights.restore(jumped, 100, 365 * 24 * hour, true, mono(0));
  assert.equal(heights.heard(jumped, 130, mono(1)), "corrected");
  assert.equal(at(jumped, 1), 130);
  // The least age that is past: it is proof, and a leap beyond it is doubted. An age of nothing is
  // none, since nobody starts within the millisecond in which another one wrote: see below.
  const short = fresh();
  heights.restore(short, 100, 1, true, mono(0));
  assert.equal(heights.heard(short, 400, mono(1)), "doubted");
  assert.equal(heights.heard(short, 60, mono(2)), "lower");
  assert.equal(at(short, 2), 100);
  const wrong = fresh();
  heights.restore(wrong, -1, 0, true, mono(0));
  heights.restore(wrong, 1, NaN, true, mono(0));
  assert.equal(at(wrong, 0), undefined);
});

test("ark: height: what had proof is known in the next run, and what had none is not", () => {
  const m = fresh();
  heights.restore(m, 100, 4 * hour, true, mono(5));
  assert.equal(heights.said(m), undefined, "nobody has said anything in this run");
  assert.equal(heights.counted(m, mono(5 + 8 * min)), undefined);
  // As it was written, and counted by our own clock only: the wall clock gives nothing up.
  heights.heard(m, 99, mono(6));
  assert.equal(heights.said(m), 100);
  assert.equal(heights.counted(m, mono(5 + 8 * min)), 101);
  heights.heard(m, 101, mono(7));
  assert.equal(heights.said(m), 101);
  // Neither without proof, nor by a stamp that is not past.
  for (const [agoMs, isProven] of [[hour, false], [0, true], [-1, true]] as const) {
    const none = fresh();
    heights.restore(none, 100, agoMs, isProven, mono(5));
    assert.equal(heights.said(none), undefined);
    heights.heard(none, 99, mono(6));
    assert.equal(heights.said(none), 99);
  }
  // Read late, it joins what was said before.
  for (const height of [99, 101]) {
    const late = fresh();
    heights.heard(late, height, mono(5));
    heights.restore(late, 100, hour, true, mono(min));
    assert.equal(heights.said(late), height > 100 ? height : 100);
    assert.equal(heights.counted(late, mono(5 + 8 * min)), height > 100 ? 102 : 101);
  }
});

test("ark: height: what the wall clock alone had counted ends with an answer, also an equal one",
  () => {
    for (const [height, verdict] of [[100, "corrected"], [98, "corrected"], [124, "corrected"]] as
      const) {
      const m = fresh();
      heights.restore(m, 100, 365 * 24 * hour, true, mono(0));
      assert.ok((at(m, 0) ?? 0) > 60_000);
      assert.equal(heights.heard(m, height, mono(1)), verdict);
      // No source is staler than that.
      assert.equal(at(m, 1), 145);
      assert.ok(!heights.isFirm(m) || height === 124);
      // What had proof is known as it was written, and no lower for what a stale source says.
      const known = height > 100 ? height : 100;
      assert.equal(heights.said(m), known);
      assert.equal(heights.counted(m, mono(8 * min + 1)), known + 1);
      heights.heard(m, height, mono(15 * min));
      assert.equal(heights.heard(m, height, mono(30 * min + 1)), "corrected");
      assert.equal(at(m, 30 * min + 1), 132);
      assert.ok(heights.isFirm(m));
    }
    const m = fresh();
    heights.restore(m, 100, 10 * min, true, mono(0));
    assert.equal(heights.heard(m, 100, mono(1)), "corrected");
    assert.equal(at(m, 1), 100);
    assert.ok(heights.isFirm(m));
  });

test("ark: height: a stamp that is not past proves nothing, and no truth is doubted by it", () => {
  for (const agoMs of [0, -1, -365 * 24 * hour]) {
    const m = fresh();
    heights.restore(m, 100, agoMs, true, mono(0));
    assert.ok(!heights.isFirm(m));
    assert.equal(at(m, 0), 100);
    assert.equal(heights.heard(m, 400, mono(1)), "advanced");
    assert.equal(at(m, 1), 400);
    assert.ok(!heights.isFirm(m));
    heights.heard(m, 400, mono(15 * min));
    heights.heard(m, 400, mono(30 * min));
    assert.ok(!heights.isFirm(m));
    heights.heard(m, 400, mono(30 * min + 1));
    assert.ok(heights.isFirm(m));
    // As with a first height, a lie counts at once, bears no act, and gives way to the truth.
    const lied = fresh();
    heights.restore(lied, 100, agoMs, true, mono(0));
    assert.equal(heights.heard(lied, 90_000, mono(1)), "advanced");
    assert.ok(!heights.isFirm(lied));
    assert.equal(heights.heard(lied, 101, mono(2)), "corrected");
    assert.equal(at(lied, 2), 101);
  }
});

test("ark: height: what had no proof has none in the next run, and gives way as a first", () => {
  const m = fresh();
  heights.restore(m, 90_000, hour, false, mono(0));
  assert.equal(at(m, 0), 90_007);
  assert.ok(!heights.isKnown(m));
  assert.equal(heights.heard(m, 101, mono(1)), "corrected");
  assert.equal(at(m, 1), 101);
  assert.ok(heights.isKnown(m) && !heights.isFirm(m));
  // Where staleness explains a lower one, it does not.
  const stale = fresh();
  heights.restore(stale, 100, hour, false, mono(0));
  assert.equal(heights.heard(stale, 92, mono(1)), "lower");
  assert.equal(at(stale, 1), 107);
});

test("ark: height: begun anew under a stale source, it is as high as before, and doubts no truth",
  () => {
    const m = fresh();
    heights.restore(m, 100, 200 * min, true, mono(0));
    assert.equal(at(m, 0), 125);
    // The chain is at 120 by now.
    assert.equal(heights.heard(m, 108, mono(1)), "lower");
    assert.equal(at(m, 1), 125);
    assert.ok(!heights.isFirm(m));
    assert.equal(heights.heard(m, 111, mono(30 * min)), "lower");
    assert.equal(at(m, 30 * min), 128);
    heights.heard(m, 111, mono(30 * min + 1));
    assert.equal(at(m, 30 * min + 1), 119);
    assert.equal(heights.heard(m, 128, mono(80 * min)), "advanced");
    assert.equal(at(m, 80 * min), 128);
    // What had to be proven counts from when it was said.
    const held = fresh();
    heights.restore(held, 100, 13 * min, true, mono(0));
    for (const ms of [0, 15, 30]) heights.heard(held, 100, mono(ms * min));
    assert.equal(held.carried, "no");
    assert.equal(at(held, 32 * min), 104);
    // Nor is one who recorded under such a source less sure of what it knew before.
    const low = proven(100, 30 * min);
    heights.heard(low, 80, mono(31 * min));
    assert.equal(heights.lasting(low, mono(5 * hour))?.height, 100);
    assert.equal(heights.heard(low, 119, mono(5 * hour)), "advanced");
    assert.equal(heights.lasting(low, mono(5 * hour))?.height, 100);
  });

test("ark: height: a source that climbs past what was known, and is low, hides no truth", () => {
  const m = proven(100, 30 * min);
  heights.heard(m, 80, mono(31 * min));
  // Blocks came fast; the source is 25 behind them.
  for (let ms = 40; ms <= 340; ms += 10) heights.heard(m, 80 + (ms - 30) / 5, mono(ms * min));
  assert.equal(m.floor?.height, 142);
  assert.equal(heights.heard(m, 167, mono(340 * min)), "advanced");
});

test("ark: height: nobody can tell that a source is stale: no truth is doubted after it", () => {
  // Silent for six hours, then eight blocks behind for as long as it takes to pass the slow pace.
  const m = proven(100, 30 * min);
  for (const [ms, height] of [[391, 131], [401, 132], [411, 133], [425, 135]] as const) {
    assert.equal(heights.heard(m, height, mono(ms * min)), "advanced");
  }
  assert.equal(m.floor?.height, 135);
  assert.equal(heights.heard(m, 143, mono(430 * min)), "advanced");
  // Behind from the beginning, and then in a run that knows nothing but what the first wrote.
  for (const runs of [1, 3]) {
    let last = proven(1_000, 30 * min);
    for (let i = 1; i < runs; i += 1) {
      const next = fresh();
      heights.restore(next, last.latest?.height ?? 0, 1, true, mono(0));
      for (const ms of [1, 20, 40]) heights.heard(next, 1_000 + i, mono(ms * min));
      last = next;
    }
    assert.equal(heights.heard(last, 1_000 + runs + 60, mono(41 * min)), "advanced");
  }
});

test("ark: height: a first one stays the highest under a stale source, and is proven", () => {
  const m = fresh();
  assert.equal(heights.heard(m, 1_000, mono(0)), "first");
  for (const ms of [1, 10, 20]) {
    assert.equal(heights.heard(m, 990, mono(ms * min)), "lower");
    assert.ok(!heights.isFirm(m));
  }
  assert.equal(at(m, 24 * min), 1_003);
  assert.equal(heights.heard(m, 906, mono(30 * min)), "lower");
  assert.ok(heights.isFirm(m));
  // Less than that explains nothing: one of the two is of another chain.
  const other = fresh();
  heights.heard(other, 1_000, mono(0));
  assert.equal(heights.heard(other, 903, mono(min)), "corrected");
  assert.equal(at(other, min), 903);
});

test("ark: height: no height is no answer", () => {
  const m = fresh();
  for (const height of [-1, 1 / 2, NaN, Infinity, 2 ** 40]) {
    assert.equal(heights.heard(m, height, mono(0)), "senseless");
  }
  assert.equal(at(m, 0), undefined);
});

test("ark: height: relations of the configuration are asserted", () => {
  for (const wrong of [
    { slowMs: 1 }, { jumpMs: heights.defaults.fastMs + 1 }, { jumpBlocks: 0 }, { fastMs: 0 },
    { staleMs: heights.defaults.fallMs }, { proofMs: -1 }, { proofAnswers: 0 },
  ]) assert.throws(() => heights.create({ ...heights.defaults, ...wrong }));
});

const worlds = fc.array(fc.record({
  // Blocks of the chain come no faster than one in eight minutes.
  gapMin: fc.integer({ min: 8, max: 30 }),
  says: fc.constantFrom("true", "true", "frozen", "silent", "low", "giant"),
  // A stale phase is at most so long, in blocks.
  forBlocks: fc.integer({ min: 1, max: 12 }),
}), { minLength: 1, maxLength: 60, size: "max" });

test("ark: height: it is never below the chain, whatever is said, stale or a lie", () => {
  fc.assert(fc.property(worlds, (list) => {
    const m = proven(1_000, 30 * min);
    let [ms, height, frozen, left, says] = [30 * min, 1_000, 1_000, 0, "true"];
    // What is low is less than six hours old at eight minutes a block.
    for (const one of list) {
      if (left === 0) {
        says = one.says;
        left = one.forBlocks;
        frozen = height;
      }
      left -= 1;
      const until = ms + one.gapMin * min;
      for (; ms < until; ms += 2 * min) {
        const said = { true: height, frozen, low: height - 40, giant: height + 5_000 }[says];
        // A lie that holds for half an hour is believed; that only makes heights higher.
        if (said !== undefined) heights.heard(m, said, mono(ms));
        assert.ok((at(m, ms) ?? 0) >= height, `${at(m, ms)} < ${height} while ${says}`);
      }
      ms = until;
      height += 1;
    }
  }), { numRuns: 100 });
});

test("ark: height: one that crawls behind the chain is never believed below the slow pace", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 12, max: 40 }), { maxLength: 50 }), (gaps) => {
    const m = proven(1_000, 30 * min);
    let [ms, height] = [30 * min, 1_000];
    for (const gap of gaps) {
      const until = ms + gap * min;
      for (; ms < until; ms += 3 * min) {
        const behind = height - ((ms / min) % 30);
        heights.heard(m, behind, mono(ms));
        assert.ok((at(m, ms) ?? 0) >= height);
      }
      ms = until;
      height += 1;
    }
  }), { numRuns: 50 });
});

test("ark: height: at its instant a height is reached, and a millisecond before it is not", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 9 * hour }), (blocks, askMs) => {
      const m = proven(1_000, 30 * min);
      heights.heard(m, 1_001, mono(askMs > 31 * min ? askMs : 31 * min));
      const reached = heights.reaches(m, 1_001 + blocks);
      assert.ok((heights.at(m, reached) ?? 0) >= 1_001 + blocks);
      if (reached > 0) assert.ok((heights.at(m, mono(reached - 1)) ?? 0) < 1_001 + blocks);
    }), { numRuns: 100 });
});
