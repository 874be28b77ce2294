import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as pause from "../../../core/ark/pause.ts";
import * as stream from "../../../core/ark/stream.ts";
import { key, stream as prngStream } from "../../../core/prng.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: stream.Config = {
  first: pause.exactly(0), openMs: 30, silentMs: 0, healthyMs: 60, timedFrom: "open",
  proof: "time-and-news", afterHealthy: "wait", canErrorBeHealthy: true, atOnceMax: 0,
  resetBy: "health", wait: pause.growing(10, 80), gate: "none", hurryGapMs: 50,
};

type Bench = { readonly m: stream.Stream; at: number; readonly tries: number[] };
function bench(other: Partial<stream.Config> = {}): Bench {
  const m = stream.create({ ...config, ...other }, prngStream(key("stream")));
  return { m, at: 0, tries: [] };
}
function say(b: Bench, event: stream.Event): readonly stream.Effect[] {
  const out: stream.Effect[] = [];
  stream.step(b.m, event, mono(b.at), out);
  for (const e of out) if (e.type === "subscribe") b.tries.push(b.at);
  return out;
}
function to(b: Bench, at: number): readonly stream.Effect[] {
  const out: stream.Effect[] = [];
  for (let i = 0; stream.deadline(b.m) <= at; i += 1) {
    assert.ok(i < 1_000, "time stands still");
    b.at = Math.max(b.at, stream.deadline(b.m));
    out.push(...say(b, { type: "tick" }));
  }
  b.at = at;
  return out;
}
const open = (b: Bench): readonly stream.Effect[] => (
  say(b, { type: "subscribed", token: b.m.tokens })
);
const item = (b: Bench, isNews: boolean): readonly stream.Effect[] => (
  say(b, { type: "item", token: b.m.tokens, isNews })
);
const end = (b: Bench, why: "clean" | "error" | "refused" = "clean"): stream.Effect | undefined => (
  say(b, { type: "ended", token: b.m.tokens, why })[0]
);
/** A session as the server makes it, from the next try on; how it was judged. */
function session(
  b: Bench, lastsMs: number, isNews: boolean, why: "clean" | "error" = "clean",
): Extract<stream.Effect, { type: "over" }> {
  for (let i = 0; b.m.at.phase !== "opening" && i < 10; i += 1) to(b, stream.deadline(b.m));
  open(b);
  to(b, b.at + lastsMs);
  item(b, isNews);
  const over = end(b, why);
  assert.ok(over?.type === "over");
  return over;
}

test("ark stream: finishing: a try has its outcome, whatever it is, and there is no other", () => {
  const outcomes: readonly (readonly [(b: Bench) => unknown, readonly string[]])[] = [
    [open, ["opened", "close"]],
    [(b) => say(b, { type: "ended", token: 1, why: "refused" }), ["over"]],
    [(b) => to(b, 30), ["close", "over"]],
  ];
  for (const [act, types] of outcomes) {
    const b = bench({ afterHealthy: "at-once", atOnceMax: 5, timedFrom: "try", proof: "time",
      healthyMs: 1 });
    say(b, { type: "started" });
    assert.deepEqual(say(b, { type: "finishing" }), []);
    const out = act(b) as readonly stream.Effect[];
    assert.deepEqual(out.map(({ type }) => type), types);
    assert.equal(stream.deadline(b.m), NEVER);
  }
  const waiting = bench();
  say(waiting, { type: "started" });
  end(waiting, "refused");
  assert.deepEqual(say(waiting, { type: "finishing" }), []);
  assert.equal(stream.deadline(waiting.m), NEVER);
});

test("ark stream: H8: after a healthy session there is a wait, too, and it is the first", () => {
  const b = bench();
  say(b, { type: "started" });
  assert.deepEqual(b.tries, [0]);
  const over = session(b, 60, true);
  assert.ok(over.isHealthy && over.failures === 0);
  assert.ok(over.retryMs >= 5 && over.retryMs <= 10);
  to(b, 59 + over.retryMs);
  assert.equal(b.tries.length, 1);
  to(b, 60 + over.retryMs);
  assert.equal(b.tries.length, 2);
});

test("ark stream: H9: slow failure is not health; time counts from the open stream", () => {
  const slow = { openMs: 1_000 };
  for (const timedFrom of ["open", "try"] as const) {
    const b = bench({ ...slow, timedFrom, proof: "time" });
    say(b, { type: "started" });
    to(b, 900);
    const over = end(b, "refused");
    assert.ok(over?.type === "over" && over.isHealthy === (timedFrom === "try"));
  }
  const b = bench(slow);
  say(b, { type: "started" });
  to(b, 900);
  open(b);
  to(b, 905);
  item(b, true);
  const over = end(b);
  assert.ok(over?.type === "over" && !over.isHealthy);
});

test("ark stream: H10: a server that accepts and closes is met with longer waits", () => {
  for (const lasts of [0, 1, 59]) {
    const b = bench();
    say(b, { type: "started" });
    const waits = Array.from({ length: 8 }, () => session(b, lasts, true).retryMs);
    assert.ok((waits[7] ?? 0) >= 40, waits.join(" "));
    assert.ok(waits.every((ms) => ms >= 5 && ms <= 80));
  }
});

test("ark stream: H12: what the server repeats does not make the waits short again", () => {
  const b = bench();
  say(b, { type: "started" });
  for (let i = 0; i < 6; i += 1) session(b, 100, false);
  assert.equal(b.m.failures, 6);
  session(b, 100, true);
  assert.equal(b.m.failures, 0);
  const naive = bench({ resetBy: "any-item", proof: "time" });
  say(naive, { type: "started" });
  for (let i = 0; i < 6; i += 1) session(naive, 1, false);
  assert.equal(naive.m.failures, 1, "the hazard");
});

test("ark stream: H11: an error after hours of health is no failure", () => {
  const b = bench();
  say(b, { type: "started" });
  assert.ok(session(b, 500, true, "error").isHealthy);
  const deaf = bench({ canErrorBeHealthy: false });
  say(deaf, { type: "started" });
  assert.ok(!session(deaf, 500, true, "error").isHealthy);
});

test("ark stream: a try without an outcome, and a silent stream, are closed at their time", () => {
  const b = bench({ silentMs: 200 });
  say(b, { type: "started" });
  assert.deepEqual(to(b, 29), []);
  assert.deepEqual(to(b, 30).map(({ type }) => type), ["close", "over"]);
  assert.deepEqual(say(b, { type: "subscribed", token: 1 }), [], "too late");
  to(b, stream.deadline(b.m));
  open(b);
  const at = b.at;
  assert.deepEqual(to(b, at + 199), []);
  const [close, over] = to(b, at + 200);
  assert.equal(close?.type, "close");
  assert.ok(over?.type === "over" && over.why === "silent");
});

test("ark stream: hurried: one early try in hurryGapMs, never two", () => {
  const b = bench({ wait: pause.growing(10, 1_000) });
  say(b, { type: "started" });
  for (let i = 0; i < 8; i += 1) session(b, 1, true);
  const { length } = b.tries;
  say(b, { type: "hurried" });
  to(b, b.at + 10);
  assert.equal(b.tries.length, length + 1);
  end(b, "refused");
  say(b, { type: "hurried" });
  to(b, b.at + 20);
  assert.equal(b.tries.length, length + 1);
});

test("ark stream: barred: closed, and not tried until it is allowed", () => {
  const b = bench();
  say(b, { type: "started" });
  open(b);
  assert.deepEqual(say(b, { type: "barred", isBarred: true }), [{ type: "close", token: 1 }]);
  say(b, { type: "hurried" });
  assert.equal(stream.deadline(b.m), NEVER);
  say(b, { type: "barred", isBarred: false });
  to(b, 10);
  assert.equal(b.tries.length, 2);
});

test("ark stream: what comes for a former subscription is not heard; none after the stop", () => {
  const b = bench();
  say(b, { type: "started" });
  open(b);
  end(b);
  assert.deepEqual(say(b, { type: "item", token: 1, isNews: true }), []);
  assert.deepEqual(say(b, { type: "ended", token: 1, why: "clean" }), []);
  say(b, { type: "stopped" });
  assert.equal(stream.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "hurried" }), []);
});

test("ark stream: create: what makes no sense is our own mistake", () => {
  const wrong: readonly Partial<stream.Config>[] = [
    { openMs: 0 }, { healthyMs: 0 }, { silentMs: -1 }, { atOnceMax: -1 }, { hurryGapMs: -1 },
    { wait: pause.even(0) },
  ];
  for (const part of wrong) assert.throws(() => bench(part));
});

type Played = { readonly type: "begin" | "open" | "news" | "replay" | "end" | "error" | "hurry" }
  | { readonly type: "tick" };

function play(m: stream.Stream, e: Played, now: Mono, out: stream.Effect[]): void {
  const step = (event: stream.Event): void => stream.step(m, event, now, out);
  const token = m.tokens;
  switch (e.type) {
    case "begin": return m.at.phase === "fresh" ? step({ type: "started" }) : undefined;
    case "open": return step({ type: "subscribed", token });
    case "news": return step({ type: "item", token, isNews: true });
    case "replay": return step({ type: "item", token, isNews: false });
    case "end": return step({ type: "ended", token, why: "clean" });
    case "error": return step({ type: "ended", token, why: "error" });
    case "hurry": return step({ type: "hurried" });
    case "tick": return step({ type: "tick" });
  }
}

test("ark stream: laws: always a next try within the cap, never more than the waits allow", () => {
  const subject: Subject<stream.Stream, Played, stream.Effect> = {
    create: () => stream.create({ ...config, silentMs: 300 }, prngStream(key("laws"))),
    step: play, deadline: stream.deadline, tick: { type: "tick" }, settleMs: 1_000,
    lives: (run) => {
      const tries = effectsOf(run).filter(({ effect }) => effect.type === "subscribe");
      const ends = effectsOf(run).filter(({ effect }) => effect.type === "over");
      for (const [i, t] of tries.entries()) {
        const former = tries[i - 1];
        if (former !== undefined) assert.ok(t.at - former.at >= 5, "a storm");
      }
      for (const { at } of ends) {
        if (run.now - at < 81) continue;
        assert.ok(tries.some((t) => t.at > at && t.at <= at + 80), "no next try");
      }
    },
  };
  const types = ["open", "news", "replay", "end", "error", "hurry"] as const;
  const event = fc.constantFrom(...types).map((type): Played => ({ type }));
  const all = scripts(event, 90, 30, false).map((s) => (
    [{ afterMs: 3, event: { type: "begin" as const } }, ...s]
  ));
  fc.assert(fc.property(all, (s) => void laws(subject, s)), { numRuns: 80 });
});

test("ark stream: A9: no server and no hint brings more tries an hour than the law", () => {
  const second = 1_000;
  const real: stream.Config = {
    ...config, openMs: 30 * second, healthyMs: 60 * second,
    wait: pause.growing(second, 60 * second),
    hurryGapMs: 30 * second,
  };
  // The worst the law permits: a hurried try every 30 s, and after each health, which takes a
  // minute, seven more until the waits have grown to the cap.
  const hourMax = 120 + 60 * 8;
  for (const lasts of [0, 1, 59_999, 60_000]) {
    const b = bench(real);
    say(b, { type: "started" });
    for (let i = 0; b.at < 3_600_000 && i < 5_000; i += 1) {
      say(b, { type: "hurried" });
      session(b, lasts, true);
    }
    const count = b.tries.filter((at) => at < 3_600_000).length;
    assert.ok(count <= (lasts < 60_000 ? 250 : hourMax), `${lasts}: ${count}`);
  }
});
