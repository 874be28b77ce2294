import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as mailbox from "../../../core/ark/mailbox.ts";
import * as pause from "../../../core/ark/pause.ts";
import { defaults, source } from "../../../core/ark/policy.ts";
import { done, unavailable, type Answer } from "../../../core/ark/wallet.ts";
import { key, stream } from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: mailbox.Config = {
  ...defaults.mailbox, stream: { ...defaults.mailbox.stream, first: pause.exactly(0) },
  first: pause.exactly(5), poll: pause.exactly(100),
  retry: pause.growing(10, 100), again: pause.exactly(3), againMax: 2, waitMs: 40, stuckMax: 3,
  stillMs: 1_000, stillNewsMin: 2,
};
const down = unavailable("server-down", "x", "y");
const at = (checkpoint: number | undefined): Answer => done({ op: "sync-mailbox", checkpoint });

type Bench = { readonly m: mailbox.Mailbox; at: number; readonly reads: number[] };
function bench(hasStream = false, other: Partial<mailbox.Config> = {}): Bench {
  const jitter = (of: string): ReturnType<typeof stream> => stream(key("mailbox"), of);
  const m = mailbox.create({ ...config, ...other }, jitter("a"), jitter("b"));
  const b: Bench = { m, at: 0, reads: [] };
  say(b, { type: "started", hasStream });
  return b;
}
function say(b: Bench, event: mailbox.Event): readonly mailbox.Effect[] {
  const out: mailbox.Effect[] = [];
  mailbox.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "call") b.reads.push(b.at);
  return out;
}
function to(b: Bench, until: number): readonly mailbox.Effect[] {
  const out: mailbox.Effect[] = [];
  for (let i = 0; mailbox.deadline(b.m) <= until; i += 1) {
    assert.ok(i < 1_000, "time stands still");
    b.at = Math.max(b.at, mailbox.deadline(b.m));
    out.push(...say(b, { type: "tick" }));
  }
  b.at = until;
  return out;
}
const reply = (b: Bench, answer: Answer): readonly mailbox.Effect[] => (
  say(b, { type: "answered", token: b.m.lane.tokens, answer })
);
const item = (b: Bench, checkpoint: number): readonly mailbox.Effect[] => (
  say(b, { type: "item", token: b.m.stream.tokens, checkpoint })
);
const types = (effects: readonly mailbox.Effect[]): readonly string[] => (
  effects.map(({ type }) => type)
);
/** Answers the next read, which may be under way. */
function poll(b: Bench, answer: Answer): readonly mailbox.Effect[] {
  const out: mailbox.Effect[] = [];
  for (let i = 0; b.m.lane.under === undefined && i < 20; i += 1) {
    assert.ok(mailbox.deadline(b.m) < NEVER, "there is a next read");
    out.push(...to(b, mailbox.deadline(b.m)));
  }
  return [...out.filter(({ type }) => type !== "call"), ...reply(b, answer)];
}
/** A mailbox whose stream is open, and that has been read to 10. */
function streaming(): Bench {
  const b = bench(true);
  say(b, { type: "subscribed", token: b.m.stream.tokens });
  to(b, 5);
  reply(b, at(10));
  return b;
}

test("ark mailbox: read at the start, at every interval, and again after a motion", () => {
  const b = bench();
  to(b, 5);
  assert.deepEqual(reply(b, at(1)), []);
  to(b, 104);
  assert.deepEqual(b.reads, [5]);
  to(b, 105);
  assert.deepEqual(reply(b, at(2)), [{ type: "moved", checkpoint: 2 }]);
  to(b, 108);
  reply(b, at(3));
  to(b, 111);
  reply(b, at(4));
  assert.deepEqual(b.reads, [5, 105, 108, 111]);
  to(b, 210);
  assert.deepEqual(b.reads.length, 4, "againMax in a row, then the interval");
  to(b, 211);
  assert.deepEqual(b.reads.length, 5);
});

test("ark mailbox: H4, H5: a failure is retried by itself; no flag has to be up", () => {
  const b = bench();
  to(b, 5);
  const [failed] = reply(b, down);
  assert.ok(failed?.type === "failed" && failed.retryMs <= 10);
  say(b, { type: "connected", isConnected: false });
  to(b, 15);
  assert.equal(b.reads.length, 2);
  for (let i = 0; i < 8; i += 1) poll(b, down);
  const { length } = b.reads;
  say(b, { type: "hurried" });
  to(b, b.at + 3);
  assert.equal(b.reads.length, length + 1, "the server is back");
});

test("ark mailbox: checkpoints go up; one that went back is told once, the higher is kept", () => {
  const b = bench();
  poll(b, at(7));
  assert.deepEqual(poll(b, at(5)), [{ type: "went-back", from: 7, to: 5 }]);
  assert.deepEqual(poll(b, at(6)), []);
  assert.equal(b.m.checkpoint, 7);
  assert.deepEqual(poll(b, at(8)), [{ type: "moved", checkpoint: 8 }]);
  assert.deepEqual(poll(b, at(undefined)), [], "it does not say");
});

test("ark mailbox: an item that was processed as it came is no reason to read", () => {
  const b = bench(true, { isHintRead: false, isStreamTrusted: true });
  say(b, { type: "subscribed", token: b.m.stream.tokens });
  assert.deepEqual(types(item(b, 11)), ["news"]);
  to(b, 1_000);
  assert.deepEqual(b.reads, []);
});

test("ark mailbox: an item is a hint: read at once, at the pace of again, one at a time", () => {
  const b = streaming();
  assert.deepEqual(types(item(b, 11)), ["news"], "too soon after the last read");
  to(b, 8);
  assert.deepEqual(b.reads, [5, 8]);
  reply(b, at(11));
  to(b, 11);
  reply(b, at(11));
  to(b, 50);
  assert.ok(types(item(b, 12)).includes("call"));
  assert.deepEqual(types(item(b, 13)), ["news"]);
  assert.deepEqual(types(item(b, 13)), [], "no news");
  assert.deepEqual(types(reply(b, at(13))), ["moved"]);
  assert.deepEqual(types(item(b, 9)), [], "passed long ago");
  const { length } = b.reads;
  to(b, b.at + 3);
  assert.equal(b.reads.length, length + 1);
});

test("ark mailbox: H33: a message that does not get read is told once, and blocks no reads", () => {
  const b = streaming();
  item(b, 20);
  const told: mailbox.Effect[] = [];
  for (let i = 0; i < 7; i += 1) told.push(...poll(b, at(10)));
  assert.deepEqual(told.filter(({ type }) => type === "stuck"), [
    { type: "stuck", checkpoint: 10, hint: 20, reads: 3 },
  ]);
  assert.deepEqual(types(poll(b, at(20))), ["moved"]);
  assert.ok(!b.m.isStuck);
});

test("ark mailbox: still: told when news of the wallet come and the mailbox stands", () => {
  const b = bench();
  poll(b, at(7));
  const movedAt = b.at;
  say(b, { type: "news" });
  say(b, { type: "news" });
  for (let i = 0; b.at < movedAt + 900 && i < 40; i += 1) {
    assert.ok(!types(poll(b, at(7))).includes("still"));
  }
  const told: mailbox.Effect[] = [];
  for (let i = 0; b.at < movedAt + 1_500 && i < 40; i += 1) told.push(...poll(b, at(7)));
  const still = told.filter(({ type }) => type === "still");
  assert.deepEqual(still, [{ type: "still", forMs: 1_000, news: 2 }]);
  const quiet = bench();
  poll(quiet, at(7));
  say(quiet, { type: "news" });
  for (let i = 0; i < 40; i += 1) assert.ok(!types(poll(quiet, at(7))).includes("still"));
});

test("ark mailbox: an overdue read is told, and there is no second beside it", () => {
  const b = bench();
  assert.deepEqual(types(to(b, 45)), ["call", "overdue"]);
  to(b, 5_000);
  say(b, { type: "news" });
  say(b, { type: "hurried" });
  assert.deepEqual(b.reads, [5]);
  assert.ok(types(reply(b, at(1))).includes("late"));
  to(b, 5_003);
  assert.equal(b.reads.length, 2);
});

test("ark mailbox: A6: barred: nothing is read or subscribed to until it is allowed", () => {
  const b = streaming();
  say(b, { type: "barred", isBarred: true });
  const { length } = b.reads;
  say(b, { type: "news" });
  say(b, { type: "hurried" });
  to(b, b.at + 1_000);
  assert.equal(b.reads.length, length);
  say(b, { type: "barred", isBarred: false });
  to(b, b.at + 200);
  assert.ok(b.reads.length > length);
});

test("ark mailbox: a backend without one is asked once", () => {
  const b = bench();
  to(b, 5);
  assert.deepEqual(reply(b, { ok: false, why: "unsupported" }), [
    { type: "unsupported", op: "sync-mailbox" },
  ]);
  assert.equal(mailbox.deadline(b.m), NEVER);
});

/** The source's machine, connected, with its stream being opened. */
function sources(): Bench {
  const jitter = (of: string): ReturnType<typeof stream> => stream(key("mailbox"), of);
  const b: Bench = {
    m: mailbox.create(source.mailbox, jitter("a"), jitter("b")), at: 0, reads: [],
  };
  say(b, { type: "connected", isConnected: true });
  say(b, { type: "started", hasStream: true });
  return b;
}
const over = (b: Bench, why: "clean" | "error"): mailbox.Effect | undefined => {
  say(b, { type: "subscribed", token: b.m.stream.tokens });
  return say(b, { type: "ended", token: b.m.stream.tokens, why })[0];
};

test("ark mailbox: source: five tries at once, then the interval and the flag", () => {
  const b = sources();
  for (let i = 0; i < 5; i += 1) {
    const given = over(b, "clean");
    assert.ok(given?.type === "over" && given.retryMs === 0, `${i}`);
  }
  const last = over(b, "clean");
  assert.ok(last?.type === "over" && last.retryMs === 60_000);
  assert.equal(b.m.stream.tokens, 6, "six subscriptions back to back");
  say(b, { type: "connected", isConnected: false });
  to(b, 119_999);
  assert.equal(b.m.stream.tokens, 6);
  say(b, { type: "connected", isConnected: true });
  to(b, 120_000);
  assert.equal(b.m.stream.tokens, 7);
  const failed = over(b, "error");
  assert.ok(failed?.type === "over" && failed.retryMs === 60_000, "an error is no clean end");
});

test("ark mailbox: source: one message resets the count: a loop without a rest", () => {
  const b = sources();
  for (let i = 0; i < 50; i += 1) {
    say(b, { type: "subscribed", token: b.m.stream.tokens });
    item(b, i + 1);
    if (b.m.lane.under !== undefined) reply(b, at(i + 1));
    to(b, b.at + 1);
    const given = over(b, "clean");
    assert.ok(given?.type === "over" && given.retryMs === 0, `${i}`);
  }
});

test("ark mailbox: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<mailbox.Config>[] = [
    { waitMs: 0 }, { stuckMax: 0 }, { stillMs: 0 }, { againMax: -1 }, { poll: pause.exactly(0) },
    { again: pause.exactly(0) }, { retry: pause.even(0) },
  ];
  for (const part of wrong) assert.throws(() => bench(false, part));
  assert.throws(() => say(bench(), { type: "started", hasStream: false }), /started once/);
});

type Played = { readonly type: "open" | "end" | "bad" | "gone" | "news" | "hurry" | "tick" }
  | { readonly type: "item" | "good"; readonly checkpoint: number };

function play(m: mailbox.Mailbox, e: Played, now: Mono, out: mailbox.Effect[]): void {
  const step = (event: mailbox.Event): void => mailbox.step(m, event, now, out);
  if (!m.isRunning && e.type !== "tick") step({ type: "started", hasStream: true });
  const { tokens: token } = m.stream;
  switch (e.type) {
    case "open": return step({ type: "subscribed", token });
    case "item": return step({ type: "item", token, checkpoint: e.checkpoint });
    case "end": return step({ type: "ended", token, why: "clean" });
    case "good": {
      return step({ type: "answered", token: m.lane.tokens, answer: at(e.checkpoint) });
    }
    case "bad": return step({ type: "answered", token: m.lane.tokens, answer: down });
    case "gone": return step({ type: "released" });
    case "news": return step({ type: "news" });
    case "hurry": return step({ type: "hurried" });
    case "tick": return step({ type: "tick" });
  }
}

test("ark mailbox: laws: read within an interval of the last; the checkpoint is monotone", () => {
  const subject: Subject<mailbox.Mailbox, Played, mailbox.Effect> = {
    create: () => mailbox.create(config, stream(key("l"), "a"), stream(key("l"), "b")),
    step: play, deadline: mailbox.deadline, tick: { type: "tick" }, settleMs: 400,
    lives: (run) => {
      let highest = -1;
      for (const { effect } of effectsOf(run)) {
        if (effect.type !== "moved") continue;
        assert.ok(effect.checkpoint > highest, "a checkpoint went back");
        highest = effect.checkpoint;
      }
      if (run.steps.length === 0 || run.state.lane.under !== undefined) return;
      const last = effectsOf(run).findLast(({ effect }) => effect.type === "call");
      assert.ok(last !== undefined && run.now - last.at <= 100 + config.waitMs, "not read");
    },
  };
  const checkpoint = fc.nat(9);
  const event: fc.Arbitrary<Played> = fc.oneof(
    fc.constantFrom("open", "end", "bad", "gone", "news", "hurry").map((type): Played => (
      { type } as Played
    )),
    fc.record({ type: fc.constantFrom("item" as const, "good" as const), checkpoint }),
  );
  fc.assert(fc.property(scripts(event, 60, 30), (s) => void laws(subject, s)), { numRuns: 80 });
});
