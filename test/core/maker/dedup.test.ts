import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as dedup from "../../../core/maker/dedup.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/maker-link.ts";

const { sha256 } = primitives;
const small: dedup.Config = {
  windowMs: 30, memoryMs: 1_000, signaturesMax: 4, requestsMax: 3, sourcesMax: 3,
};
const message = (n: number, word = "fill", pubkey = "02aa"): dedup.Known =>
  ({ word, pubkey, signature: `sig${n}` });

/** As its user does: what is new is verified, then remembered. */
function take(m: dedup.Dedup, s: dedup.Known, at: number): dedup.Verdict {
  const verdict = dedup.seen(m, s, mono(at), sha256);
  if (verdict === "new") dedup.remember(m, s, mono(at), sha256);
  return verdict;
}

const ask = (m: dedup.Dedup, source: string, at: number, text = "J5a!orderbook"): boolean =>
  dedup.requested(m, text, source, mono(at), sha256);

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

test("maker: dedup: a request through several directories is handled once", () => {
  const m = dedup.create(small);
  assert.deepEqual(["a", "b", "c"].map((source, i) => ask(m, source, i)), [true, false, false]);
});

test("maker: dedup: a request that is repeated is not swallowed", () => {
  const m = dedup.create(small);
  assert.equal(ask(m, "a", 0), true);
  assert.equal(ask(m, "a", 1), true, "the same directory relays each once");
  assert.equal(ask(m, "b", 2), false, "the first");
  assert.equal(ask(m, "b", 3), false, "the second");
  assert.equal(ask(m, "b", 4), true, "a third");
  assert.equal(ask(m, "a", 5), false);
});

test("maker: dedup: a directory that missed requests hides none for longer than the window", () => {
  const m = dedup.create(small);
  for (let at = 0; at < 10; at += 1) assert.equal(ask(m, "a", at), true);
  // Directory a is gone; b has relayed none of the ten.
  assert.equal(ask(m, "b", 20), false);
  assert.equal(ask(m, "b", 38), false);
  assert.equal(ask(m, "b", 39), true, "30 ms after the last that was handled");
});

test("maker: dedup: requests of different nicks are different", () => {
  const m = dedup.create(small);
  assert.equal(ask(m, "a", 0, "J5a!orderbook"), true);
  assert.equal(ask(m, "a", 0, "J5b!orderbook"), true);
  assert.equal(ask(m, "b", 0, "J5b!orderbook"), false);
});

test("maker: dedup: more senders than may be remembered: the oldest is forgotten", () => {
  const m = dedup.create(small);
  for (const nick of ["a", "b", "c", "d"]) assert.equal(ask(m, "x", 0, nick), true);
  assert.deepEqual([m.requests.size, m.evicted], [3, 1]);
  assert.equal(ask(m, "y", 1, "d"), false);
  assert.equal(ask(m, "y", 1, "a"), true, "forgotten");
});

test("maker: dedup: more ways than are counted bring copies, and take no memory", () => {
  const m = dedup.create(small);
  ask(m, "a", 0);
  for (let i = 0; i < 50; i += 1) assert.equal(ask(m, `conn:${i}`, 1), false);
  const [only] = m.requests.values();
  assert.equal(only?.counts.size, 3);
  assert.equal(ask(m, "a", 2), true);
});

type Event =
  | { readonly type: "message"; readonly n: number; readonly word: string }
  | { readonly type: "request"; readonly nick: string; readonly source: string }
  | { readonly type: "tick" };
type Effect = { readonly what: string; readonly verdict: string };

const subject: Subject<dedup.Dedup, Event, Effect> = {
  create: () => dedup.create({ ...small, signaturesMax: 64, requestsMax: 64 }),
  step: (m, event, now: Mono, out) => {
    if (event.type === "tick") return;
    if (event.type === "message") {
      const verdict = take(m, message(event.n, event.word), now);
      out.push({ what: `${event.word} ${event.n}`, verdict });
    } else {
      const isNew = ask(m, event.source, now, event.nick);
      out.push({ what: event.nick, verdict: isNew ? "new" : "duplicate" });
    }
  },
  deadline: () => NEVER,
  tick: { type: "tick" },
  settleMs: 0,
  holds: (m, now) => {
    for (const map of [m.signatures, m.requests]) {
      const ats = [...map.values()].map(({ at }) => at);
      assert.deepEqual(ats, [...ats].sort((a, b) => a - b), "the oldest is first");
      assert.ok(ats.every((at) => at <= now));
    }
  },
  // Every message is handled exactly once in any memoryMs, and every request at least once in
  // each windowMs in which it comes.
  lives: ({ steps }) => {
    const last = new Map<string, number>();
    for (const { at, event, effects } of steps) {
      const [effect] = effects;
      if (effect === undefined) continue;
      const before = last.get(effect.what);
      const span = event.type === "message" ? small.memoryMs : small.windowMs;
      const mustBeNew = before === undefined || at - before >= span;
      if (event.type === "message") assert.equal(effect.verdict === "new", mustBeNew);
      else if (mustBeNew) assert.equal(effect.verdict, "new");
      if (effect.verdict === "new") last.set(effect.what, at);
    }
  },
};

test("maker: dedup: the four laws hold, and nothing is handled twice or lost", () => {
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({
      type: fc.constant("message" as const), n: fc.nat(4), word: fc.constantFrom("fill", "auth"),
    }),
    fc.record({
      type: fc.constant("request" as const), nick: fc.constantFrom("J5a", "J5b"),
      source: fc.constantFrom("a", "b", "c"),
    }),
  );
  fc.assert(fc.property(scripts(event, 400), (script) => void laws(subject, script)), {
    numRuns: 80,
  });
});

test("maker: dedup: honest directories that lose nothing: as many handled as were sent", () => {
  const order = fc.array(fc.nat(2), { minLength: 1, maxLength: 24 });
  fc.assert(fc.property(order, fc.integer({ min: 1, max: 6 }), (ways, sent) => {
    const m = dedup.create(small);
    const left = [sent, sent, sent];
    let handled = 0;
    const relay = (way: number): void => {
      if ((left[way] ?? 0) === 0) return;
      left[way] = (left[way] ?? 0) - 1;
      if (ask(m, `d${way}`, 1)) handled += 1;
    };
    ways.forEach(relay);
    for (let i = 0; i < 3 * sent; i += 1) relay(i % 3);
    assert.equal(handled, sent);
  }), { numRuns: 100 });
});

test("maker: dedup: limits that make no sense are refused", () => {
  const wrong: Partial<dedup.Config>[] = [
    { windowMs: 0 }, { memoryMs: 29 }, { signaturesMax: 0 }, { requestsMax: 1.5 },
    { sourcesMax: 0 },
  ];
  for (const changes of wrong) {
    assert.throws(() => dedup.create({ ...small, ...changes }), InvariantError);
  }
});
