import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as dedup from "../../../core/maker/dedup.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/maker-link.ts";

const { sha256 } = primitives;
const small: dedup.Config = { windowMs: 30, memoryMs: 1_000, signaturesMax: 4 };
const message = (n: number, word = "fill", pubkey = "02aa"): dedup.Known =>
  ({ word, pubkey, signature: `sig${n}` });

/** As its user does: what is new is verified, then remembered. */
function take(m: dedup.Dedup, s: dedup.Known, at: number): dedup.Verdict {
  const verdict = dedup.seen(m, s, mono(at), sha256);
  if (verdict === "new") dedup.remember(m, s, mono(at), sha256);
  return verdict;
}

test("maker: dedup: copies within the window are duplicates, to the millisecond", () => {
  const m = dedup.create(small);
  assert.equal(take(m, message(1), 100), "new");
  assert.equal(take(m, message(1), 100), "duplicate");
  assert.equal(take(m, message(1), 129), "duplicate");
  assert.equal(take(m, message(1), 130), "replay", "the window runs from the first sighting");
});

test("maker: dedup: hazard 15: a replay after the window is not handled twice", () => {
  const m = dedup.create(small);
  take(m, message(1), 0);
  for (const at of [30, 31, 500, 999]) assert.equal(take(m, message(1), at), "replay");
  assert.equal(take(m, message(1), 1_000), "new", "the memory is bounded in time");
});

test("maker: dedup: hazard 15: by default a message is remembered for a day", () => {
  const m = dedup.create(dedup.defaults);
  take(m, message(1), 0);
  assert.equal(take(m, message(1), 30_000), "replay");
  assert.equal(take(m, message(1), 86_399_999), "replay");
});

test("maker: dedup: another command or key with the same signature suppresses nothing", () => {
  const m = dedup.create(small);
  assert.equal(take(m, message(1, "junk"), 0), "new");
  assert.equal(take(m, message(1, "fill", "02bb"), 1), "new");
  assert.equal(take(m, message(1), 2), "new");
  assert.equal(take(m, message(1), 3), "duplicate");
});

test("maker: dedup: what was seen and not verified is not remembered", () => {
  const m = dedup.create(small);
  for (let n = 0; n < 100; n += 1) {
    assert.equal(dedup.seen(m, message(n), mono(n), sha256), "new");
  }
  assert.equal(m.signatures.size, 0);
  dedup.remember(m, message(1), mono(100), sha256);
  assert.throws(() => dedup.remember(m, message(1), mono(100), sha256), InvariantError);
});

test("maker: dedup: the memory is full: the oldest is forgotten, and counted", () => {
  const m = dedup.create(small);
  for (let n = 0; n < 5; n += 1) assert.equal(take(m, message(n), n), "new");
  assert.deepEqual([m.signatures.size, m.evicted], [4, 1]);
  assert.equal(take(m, message(4), 5), "duplicate");
  assert.equal(take(m, message(0), 6), "new");
});

type Event =
  | { readonly type: "message"; readonly n: number; readonly word: string }
  | { readonly type: "tick" };
type Effect = { readonly what: string; readonly verdict: string };

const subject: Subject<dedup.Dedup, Event, Effect> = {
  create: () => dedup.create({ ...small, signaturesMax: 64 }),
  step: (m, event, now: Mono, out) => {
    if (event.type === "tick") return;
    const verdict = take(m, message(event.n, event.word), now);
    out.push({ what: `${event.word} ${event.n}`, verdict });
  },
  deadline: () => NEVER,
  tick: { type: "tick" },
  settleMs: 0,
  holds: (m, now) => {
    const ats = [...m.signatures.values()].map(({ at }) => at);
    assert.deepEqual(ats, [...ats].sort((a, b) => a - b), "the oldest is first");
    assert.ok(ats.every((at) => at <= now));
  },
  // Every message is handled exactly once in any memoryMs.
  lives: ({ steps }) => {
    const last = new Map<string, number>();
    for (const { at, effects } of steps) {
      const [effect] = effects;
      if (effect === undefined) continue;
      const before = last.get(effect.what);
      const mustBeNew = before === undefined || at - before >= small.memoryMs;
      assert.equal(effect.verdict === "new", mustBeNew);
      if (effect.verdict === "new") last.set(effect.what, at);
    }
  },
};

test("maker: dedup: the four laws hold, and nothing is handled twice or lost", () => {
  const event: fc.Arbitrary<Event> = fc.record({
    type: fc.constant("message" as const), n: fc.nat(4), word: fc.constantFrom("fill", "auth"),
  });
  fc.assert(fc.property(scripts(event, 400), (script) => void laws(subject, script)), {
    numRuns: 80,
  });
});

test("maker: dedup: limits that make no sense are refused", () => {
  const wrong: Partial<dedup.Config>[] = [
    { windowMs: 0 }, { memoryMs: 29 }, { signaturesMax: 0 }, { signaturesMax: 1.5 },
  ];
  for (const changes of wrong) {
    assert.throws(() => dedup.create({ ...small, ...changes }), InvariantError);
  }
});
