import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as heights from "../../../core/ark/height.ts";
import type { Tip } from "../../../core/ark/intents.ts";
import * as lasting from "../../../core/ark/lasting.ts";
import { mono } from "../../../core/time.ts";

const min = 60_000;
const hour = 60 * min;

test("ark: height: what is low, but more than was said before, is counted on from", () => {
  const m = heights.create(heights.defaults);
  heights.restore(m, 100, 3 * hour, true, mono(0));
  for (const ms of [1, 15 * min, 31 * min]) heights.heard(m, 100, mono(ms));
  assert.equal(heights.heard(m, 111, mono(76 * min)), "lower", "121 at the slow pace");
  assert.equal(heights.at(m, mono(76 * min)), 121, "no lower for it");
  assert.equal(heights.at(m, mono((76 + 480) * min)), 171, "111, and 60 that it may have missed");
  assert.equal(heights.reaches(m, 171), (76 + 480) * min);
});

const answers = fc.array(fc.record({
  afterMs: fc.integer({ min: 0, max: 40 * min }),
  height: fc.oneof(fc.integer({ min: 60, max: 260 }), fc.constantFrom(1, 5_000)),
}), { maxLength: 60, size: "max" });
const written = fc.record({
  height: fc.integer({ min: 60, max: 200 }), agoMs: fc.integer({ min: -1, max: 12 * hour }),
  isProven: fc.boolean(),
});

test("ark: height: it is never below what was said, with a block every eight minutes since", () => {
  fc.assert(fc.property(fc.option(written), answers, (before, list) => {
    const m = heights.create(heights.defaults);
    let ms = 0;
    if (before !== null) heights.restore(m, before.height, before.agoMs, before.isProven, mono(0));
    for (const { afterMs, height } of list) {
      ms += afterMs;
      heights.heard(m, height, mono(ms));
      for (const later of [ms, ms + hour, ms + 9 * hour]) {
        const [is, counted] = [heights.at(m, mono(later)), heights.counted(m, mono(later))];
        assert.ok((is ?? 0) >= (counted ?? 0), `${is} < ${counted}`);
      }
    }
  }), { numRuns: 2_000 });
});

/** A part of a life: how the source is, how the wall clock is set then, and is it the last? */
const parts = fc.array(fc.record({
  forMin: fc.integer({ min: 5, max: 300 }),
  source: fc.constantFrom("true", "frozen", "old", "low", "silent"),
  blocks: fc.integer({ min: 1, max: 40 }),
  setMin: fc.constantFrom(0, 0, 0, -60, -1, 1, 60),
  isEnd: fc.boolean(),
}), { maxLength: 12, size: "max" });
// No faster than what is plausible: `jumpMs`.
const gaps = fc.array(fc.integer({ min: 4, max: 30 }), {
  minLength: 1, maxLength: 100, size: "max",
});

type Known = { readonly height: number; readonly at: number };

test("ark: height: in lives that end, it is never below what one was told, and counted on", () => {
  fc.assert(fc.property(parts, gaps, (list, gapsMin) => {
    let [m, wallMs, chain, blockAt, block] = [heights.create(heights.defaults), 1e12, 1_000, 0, 0];
    let [tip, heard, read]: [Tip?, Known?, Known?] = [];
    let [recordAt, ms] = [0, 0];
    const past: number[] = [];
    for (const { forMin, source, blocks, setMin, isEnd } of list) {
      const [untilMs, frozen] = [ms + forMin * min, chain];
      for (; ms < untilMs; ms += min) {
        if (ms >= blockAt) {
          chain += 1;
          blockAt += (gapsMin[block % gapsMin.length] ?? 1) * min;
          block += 1;
        }
        past.push(chain);
        if (source !== "silent" && ms % (5 * min) === 0) {
          const said = {
            true: chain, frozen, old: frozen - blocks, low: chain - blocks,
          }[source];
          // No source is staler than `staleMs`.
          const oldest = past.at(-361) ?? 1_000;
          const height = said < oldest ? oldest : said;
          const verdict = heights.heard(m, height, mono(ms));
          assert.ok(!verdict.startsWith("doubt"), "the truth is doubted");
          if (heard === undefined || height > heard.height) heard = { height, at: ms };
        }
        const anchor = { unixMs: wallMs, at: mono(0) };
        const written = lasting.tipOf(m, tip, anchor, ms >= recordAt, false, mono(ms));
        if (written !== undefined) [tip, recordAt] = [written, ms + hour];
        const known = heard === undefined || heard.height < (read?.height ?? 0) ? read : heard;
        if (known === undefined) continue;
        const counted = known.height + Math.floor((ms - known.at) / (8 * min));
        const least = counted < chain ? counted : chain;
        const is = heights.at(m, mono(ms)) ?? 0;
        assert.ok(is >= least, `${is} < ${least} at ${ms / min}`);
      }
      wallMs += setMin * min;
      if (!isEnd) continue;
      [m, heard, read] = [heights.create(heights.defaults), undefined, undefined];
      if (tip === undefined) continue;
      read = { height: tip.height, at: ms };
      heights.restore(m, tip.height, wallMs + ms - tip.unixMs, tip.isProven, mono(ms));
    }
  }), { numRuns: 2_000 });
});
