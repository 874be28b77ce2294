import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import type { Config } from "../../../core/notify/config.ts";
import { defaults } from "../../../core/notify/config.ts";
import * as delivery from "../../../core/notify/delivery.ts";
import type { Delivery } from "../../../core/notify/delivery.ts";
import type { Effect, Event } from "../../../core/notify/events.ts";
import * as letters from "../../../core/notify/letter.ts";
import { kinds, type Notice } from "../../../core/notify/notice.ts";
import type { Target } from "../../../core/notify/target.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { letter, samples } from "../../support/notices.ts";

const at0 = 1_763_780_000_000;
const hook = (to: string, priorityMin: Target["priorityMin"] = "low"): Target =>
  ({ kind: "webhook", to, path: "/hook", priorityMin });
const small: Config = {
  ...defaults, label: "", off: [], targets: [hook("a"), hook("b")], recordMs: 20, lateMs: 500,
  closeMs: 100, runsMax: 2,
  gate: { ...defaults.gate, sameMs: 100, hourMs: 1_000 },
  lane: {
    queueMax: 4, attemptsMax: 3, ageMsMax: 1_000, answerMs: 50, askedMsMax: 400,
    backoff: { baseMs: 10, maxMs: 80, times: 2, per: 1 },
  },
};

type Sent = { readonly req: number; readonly to: string; readonly body: string };

/** An outbox whose journal and targets are played by the test. */
function bench(config: Partial<Config> = {}, isOpened = true) {
  const m = delivery.create({ ...small, ...config }, prng.key("delivery"));
  let now = mono(0);
  const seen: Effect[] = [];
  const say = (event: Event): readonly Effect[] => {
    const out: Effect[] = [];
    delivery.step(m, event, now, out);
    assert.ok(delivery.deadline(m) > now);
    seen.push(...out);
    return out;
  };
  if (isOpened) say({ type: "opened", unixMs: at0 });
  seen.length = 0;
  const of = <T extends Effect["type"]>(type: T) =>
    seen.filter((e): e is Extract<Effect, { readonly type: T }> => e.type === type);
  return {
    m, seen, say, of,
    to: (ms: number) => {
      for (let i = 0; delivery.deadline(m) <= ms; i += 1) {
        assert.ok(i < 1_000);
        now = delivery.deadline(m);
        say({ type: "tick" });
      }
      now = mono(ms);
    },
    tell: (notice: Notice) => say({ type: "told", notice, unixMs: at0 + now }),
    durable: (token: number) => say({ type: "durable", token }),
    done: (req: number, status = 200) => say({ type: "req.done", req, status, body: "" }),
    failed: (req: number) => say({ type: "req.failed", req, reason: "refused" }),
    records: () => of("record").map(({ body }) => {
      const decoded = letters.decode(body);
      assert.ok(decoded.ok);
      return decoded.value;
    }),
    sent: (): Sent[] => of("req.start").map(({ req, to, body }) => ({ req, to, body })),
    logs: () => of("log").map(({ level, code, fields }) =>
      `${level} ${code} ${Object.values(fields).join(" ")}`),
  };
}

const field = (s: Sent | undefined, name: string): unknown =>
  (JSON.parse(s?.body ?? "{}") as Record<string, unknown>)[name];

test("notify: delivery: a notice is recorded before any target hears of it", () => {
  const b = bench();
  b.tell(samples.test);
  assert.deepEqual(b.seen.map((e) => e.type), ["record"]);
  const [r] = b.records();
  assert.deepEqual(r?.type === "notice" ? [r.id, r.to, r.title, r.at] : [],
    [1, ["a", "b"], "Test", at0]);
  b.durable(1);
  assert.deepEqual(b.sent().map(({ to }) => to), ["a", "b"]);
  assert.equal(field(b.sent()[0], "durable"), true);
});

test("notify: delivery: what a target took is recorded, for this target", () => {
  const b = bench();
  b.tell(samples.test);
  b.durable(1);
  b.done(1);
  assert.deepEqual(b.records().slice(1), [{ type: "notice-sent", id: 1, to: "a" }]);
  b.done(2);
  assert.deepEqual(b.records().slice(2), [{ type: "notice-sent", id: 1, to: "b" }]);
  assert.equal(b.m.counts.sent, 2);
});

test("notify: delivery: a journal that does not answer holds a notice for its time only", () => {
  const b = bench();
  b.tell(samples["disk-failing"]);
  b.to(19);
  assert.deepEqual(b.sent(), []);
  b.to(20);
  assert.deepEqual(b.sent().map(({ to }) => to), ["a", "b"]);
  assert.equal(field(b.sent()[0], "durable"), false);
  assert.match(field(b.sent()[0], "body") as string, /without a record/);
  assert.equal(b.m.counts.unrecorded, 1);
});

test("notify: delivery: a record that comes late counts for what is not sent yet", () => {
  const b = bench();
  b.tell(samples["disk-failing"]);
  b.to(20);
  b.failed(1);
  b.durable(1);
  b.to(40);
  assert.equal(field(b.sent().at(-1), "durable"), true);
});

test("notify: delivery: a refused record lets the notice go at once, unrecorded", () => {
  const b = bench();
  b.tell(samples.test);
  b.say({ type: "refused", token: 1 });
  assert.equal(field(b.sent()[0], "durable"), false);
  b.done(1);
  assert.equal(b.records().at(-1)?.type, "notice-sent", "its record may be there after all");
});

test("notify: delivery: a target that is down delays no other", () => {
  const b = bench();
  for (const kind of ["all-down", "backend-down", "tor-down"] as const) b.tell(samples[kind]);
  for (const token of [1, 2, 3]) b.durable(token);
  b.failed(1);
  b.done(2);
  b.done(3);
  b.done(4);
  const got = b.sent().filter(({ to }) => to === "b").map((s) => field(s, "kind"));
  assert.deepEqual(got, ["all-down", "backend-down", "tor-down"]);
  assert.deepEqual(delivery.status(b.m), [
    { to: "a", waiting: 3, failures: 1, why: "refused" },
    { to: "b", waiting: 0, failures: 0, why: "" },
  ]);
});

test("notify: delivery: an answer after its time, or to nobody, changes nothing", () => {
  const b = bench();
  b.tell(samples.test);
  b.durable(1);
  b.to(50);
  assert.deepEqual(b.of("req.drop").map(({ req }) => req), [1, 2]);
  b.done(1);
  b.done(99);
  assert.equal(b.m.counts.sent, 0);
});

test("notify: delivery: trouble is logged once in an episode and names the target", () => {
  const b = bench({ targets: [hook("a")] });
  for (const kind of ["all-down", "backend-down", "tor-down"] as const) b.tell(samples[kind]);
  for (const token of [1, 2, 3]) b.durable(token);
  b.done(1, 404);
  b.to(10);
  b.done(2, 404);
  b.to(35);
  b.done(3, 200);
  assert.deepEqual(b.logs(), [
    "info maker.notice-delayed a http-404", "warn maker.notice-lost a rejected http-404",
    "info maker.notice-resent a 2 2",
  ]);
  assert.deepEqual(b.records().slice(3).map((r) => r.type),
    ["notice-lost", "notice-lost", "notice-sent"]);
  assert.equal(b.m.counts.lost.rejected, 2);
});

test("notify: delivery: the wait that a target asks for is passed on", () => {
  const b = bench({ targets: [hook("a")] });
  b.tell(samples.test);
  b.durable(1);
  b.say({ type: "req.done", req: 1, status: 429, body: "", retryAfter: "0" });
  assert.ok(delivery.deadline(b.m) <= 10);
  b.to(10);
  b.say({
    type: "req.done", req: 2, status: 429, body: `{"parameters":{"retry_after":1}}`,
  });
  assert.equal(delivery.deadline(b.m), 410);
});

test("notify: delivery: credentials are renewed once", () => {
  const b = bench({ targets: [hook("a")] });
  b.tell(samples.test);
  b.durable(1);
  b.done(1, 401);
  assert.deepEqual(b.of("req.start").map(({ renew }) => renew), [false, true]);
});

test("notify: delivery: each target hears of what matters enough for it", () => {
  const command: Target = { kind: "exec", to: "c", priorityMin: "low" };
  const b = bench({ targets: [hook("a", "urgent"), hook("b", "normal"), command] });
  b.tell(samples.test);
  b.tell(samples["all-down"]);
  b.tell(samples.summary);
  const to = b.records().map((r) => (r.type === "notice" ? r.to.join() : ""));
  assert.deepEqual(to, ["b,c", "a,b,c", "c"]);
  for (const token of [1, 2, 3]) b.durable(token);
  assert.deepEqual(b.of("exec.start").map(({ to: name, title }) => [name, title]), [["c", "Test"]]);
});

test("notify: delivery: kinds that are off, repetitions and floods are counted, not sent", () => {
  const b = bench({ off: ["directory-lost"], gate: { ...small.gate, routineMax: 3 } });
  b.tell(samples["directory-lost"]);
  b.tell(samples["tor-down"]);
  b.tell(samples["tor-down"]);
  for (let i = 0; i < 4; i += 1) b.tell(samples.test);
  const { told, off, same, suppressed } = b.m.counts;
  assert.deepEqual([told, off, same, suppressed], [7, 1, 1, 2]);
  b.to(1_000);
  const last = b.records().findLast((r) => r.type === "notice");
  assert.equal(last?.kind, "suppressed");
  assert.match(last?.body ?? "", /^2 more notices/);
  assert.equal(last?.at, at0 + 1_000);
});

test("notify: delivery: without a target nothing happens", () => {
  const b = bench({ targets: [] });
  for (const kind of kinds) b.tell(samples[kind]);
  assert.deepEqual(b.seen, []);
});

test("notify: delivery: what is told before the journal was read is recorded then", () => {
  const b = bench({}, false);
  b.tell(samples.started);
  assert.deepEqual(b.seen, []);
  b.say({ type: "replayed", body: letters.encode(letters.recordOf(letter({ id: 41 }), [])) });
  b.say({ type: "opened", unixMs: at0 });
  assert.deepEqual(b.records().map((r) => (r.type === "notice" ? r.id : 0)), [42]);
  b.durable(1);
  assert.equal(b.sent().length, 2);
});

test("notify: delivery: no more than so many wait for the journal to be read", () => {
  const b = bench({}, false);
  for (let i = 0; i <= delivery.earlyMax; i += 1) b.tell(samples.test);
  assert.deepEqual([b.m.early.length, b.m.counts.suppressed], [delivery.earlyMax, 1]);
});

test("notify: delivery: a reload makes nothing due that was waiting", () => {
  const b = bench({}, false);
  b.tell(samples["tor-down"]);
  b.to(10);
  b.say({ type: "reloaded", config: { ...small, recordMs: 1 } });
  b.to(19);
  assert.equal(b.sent().length, 0);
  b.to(20);
  assert.equal(b.sent().length, 2);
});

test("notify: delivery: what was told once is not told before the journal could say so", () => {
  const b = bench({}, false);
  b.tell(samples["tx-confirmed"]);
  const subject = `tx:${samples["tx-confirmed"].txid}`;
  const known = letter({ nature: "once", subject, state: "tx-confirmed" });
  b.say({ type: "replayed", body: letters.encode(letters.recordOf(known, [])) });
  b.say({ type: "opened", unixMs: at0 });
  assert.deepEqual([b.records(), b.m.counts.same], [[], 1]);
});

test("notify: delivery: a journal that is never read keeps no notice", () => {
  const b = bench({}, false);
  b.tell(samples["disk-failing"]);
  b.to(20);
  assert.deepEqual([field(b.sent()[0], "id"), field(b.sent()[0], "durable")], [0, false]);
  b.done(1);
  b.tell(samples["tor-down"]);
  assert.equal(b.sent().length, 3, "the next one does not wait");
  assert.deepEqual(b.records(), []);
});

const encode = letters.encode;
const open = (id: number, to = ["a"], fields = {}) =>
  encode(letters.recordOf(letter({ id, unixMs: at0 - 60_000, ...fields }), to));

test("notify: delivery: a restart sends what was not sent, after saying so in the journal", () => {
  const b = bench({}, false);
  for (const body of [
    open(1, ["a", "b"]), open(2), encode({ type: "notice-sent", id: 1, to: "a" }),
    encode({ type: "notice-sent", id: 2, to: "a" }), `{"type":"tx","id":1}`,
  ]) b.say({ type: "replayed", body });
  b.tell(samples["tor-down"]);
  b.say({ type: "opened", unixMs: at0 });
  assert.deepEqual(b.records().map((r) => r.type), ["notice-run", "notice"]);
  assert.deepEqual(b.sent(), []);
  b.durable(1);
  assert.deepEqual(b.sent().map((s) => [s.to, field(s, "id")]), [["b", 1]]);
  assert.match(field(b.sent()[0], "body") as string, /This happened at 2025-11-22 02:52:20 UTC/);
  b.durable(2);
  b.done(1);
  assert.deepEqual(b.sent().map((s) => [s.to, field(s, "id")]).slice(1), [["a", 3], ["b", 3]]);
  assert.deepEqual(b.logs(), ["info maker.notice-resumed 1"]);
});

test("notify: delivery: a daemon that dies of sending does not send for ever", () => {
  const run = encode({ type: "notice-run" });
  const restarts = (runs: number) => {
    const b = bench({ runsMax: 2 }, false);
    for (const body of [open(1), ...Array.from({ length: runs }, () => run)]) {
      b.say({ type: "replayed", body });
    }
    b.say({ type: "opened", unixMs: at0 });
    return b;
  };
  assert.deepEqual(restarts(1).records().map((r) => r.type), ["notice-run"]);
  const last = restarts(2);
  assert.deepEqual(last.records(), [{ type: "notice-lost", id: 1, to: "a", why: "restarts" }]);
  assert.equal(last.m.counts.lost.restarts, 1);
});

test("notify: delivery: letters to targets that are gone are lost for good", () => {
  const b = bench({}, false);
  b.say({ type: "replayed", body: open(1, ["gone"]) });
  b.say({ type: "opened", unixMs: at0 });
  assert.deepEqual(b.records(), [{ type: "notice-lost", id: 1, to: "gone", why: "removed" }]);
});

test("notify: delivery: unreadable records are told once and stop nothing", () => {
  const b = bench({}, false);
  for (const body of [`{"type":"notice","id":`, `{"type":"notice-x"}`, open(1)]) {
    b.say({ type: "replayed", body });
  }
  b.say({ type: "opened", unixMs: at0 });
  assert.deepEqual(b.logs(), [
    "info maker.notice-resumed 1", "warn maker.notice-record-unreadable 2",
  ]);
});

test("notify: delivery: what is told once stays told across restarts (M12)", () => {
  const b = bench({}, false);
  const once = { nature: "once", subject: `tx:${samples["tx-confirmed"].txid}` } as const;
  b.say({ type: "replayed", body: open(1, ["a"], { ...once, state: "tx-confirmed" }) });
  b.say({ type: "replayed", body: encode({ type: "notice-sent", id: 1, to: "a" }) });
  b.say({ type: "opened", unixMs: at0 + 9_000_000_000 });
  assert.ok(delivery.isTold(b.m, samples["tx-confirmed"]));
  assert.ok(!delivery.isTold(b.m, samples["tx-seen"]));
  assert.ok(!delivery.isTold(b.m, samples["tor-down"]));
  b.tell(samples["tx-confirmed"]);
  assert.deepEqual([b.m.counts.same, b.records().length], [1, 0]);
});

test("notify: delivery: a clock that was set back or forward a day loses nothing", () => {
  const day = 86_400_000;
  for (const jumpMs of [-day, day]) {
    const b = bench({}, false);
    const told = { nature: "state", subject: "tor", state: "tor-down" } as const;
    b.say({ type: "replayed", body: open(1, ["a"], { ...told, unixMs: at0 }) });
    b.say({ type: "opened", unixMs: at0 + jumpMs });
    b.durable(1);
    assert.equal(b.sent().length, 1, "the open letter is sent");
    b.tell(samples["tor-up"]);
    b.durable(2);
    assert.equal(b.sent().at(-1)?.to, "b");
    // Set back, the last telling counts as just now; set forward, as long ago.
    b.tell(samples["tor-down"]);
    assert.equal(b.m.counts.same, 0);
  }
});

test("notify: delivery: a reload keeps queues of targets that stay and ends the others", () => {
  const b = bench();
  b.tell(samples["tor-down"]);
  b.durable(1);
  b.failed(1);
  const targets = [hook("a"), hook("c")];
  b.say({ type: "reloaded", config: { ...small, targets } });
  assert.deepEqual(b.of("req.drop").map(({ req }) => req), [2]);
  const lost = { type: "notice-lost", id: 1, to: "b", why: "removed" };
  assert.deepEqual(b.records().slice(1), [lost]);
  b.to(45);
  assert.deepEqual(b.sent().slice(2).map(({ to }) => to), ["a"]);
  b.tell(samples["tor-up"]);
  const last = b.records().at(-1);
  assert.deepEqual(last?.type === "notice" ? last.to : [], ["a", "c"]);
  b.say({ type: "reloaded", config: { ...small, targets: [hook("c")] } });
  b.durable(3);
  assert.equal(b.sent().at(-1)?.to, "c");
  const wrong = { ...small, closeMs: 1 };
  assert.throws(() => b.say({ type: "reloaded", config: wrong }), InvariantError);
});

test("notify: delivery: closing waits for what is under way, no longer than its time", () => {
  const b = bench();
  b.tell(samples.stopping);
  b.say({ type: "closing" });
  b.durable(1);
  assert.equal(b.sent().length, 2);
  b.done(1);
  assert.deepEqual(b.of("closed"), []);
  b.done(2);
  assert.deepEqual(b.of("closed"), [{ type: "closed", waiting: 0, loose: 0 }]);
  const slow = bench({ lane: { ...small.lane, answerMs: 500 } });
  slow.tell(samples["tor-down"]);
  slow.tell(samples.stopping);
  slow.durable(1);
  slow.done(1);
  slow.say({ type: "closing" });
  slow.to(99);
  assert.deepEqual(slow.of("closed"), []);
  slow.to(100);
  assert.deepEqual(slow.of("closed"), [{ type: "closed", waiting: 2, loose: 1 }]);
  assert.equal(delivery.deadline(slow.m), NEVER);
});

test("notify: delivery: closing with nothing to do is over at once, for good", () => {
  const b = bench();
  b.say({ type: "closing" });
  assert.deepEqual(b.seen, [{ type: "closed", waiting: 0, loose: 0 }]);
  for (const event of [
    { type: "told", notice: samples.test, unixMs: at0 }, { type: "closing" },
    { type: "durable", token: 1 }, { type: "tick" }, { type: "nudged" },
  ] as const) assert.deepEqual(b.say(event), []);
});

test("notify: delivery: closing tries a target that rests once more", () => {
  const b = bench({ targets: [hook("a")] });
  b.tell(samples["tor-down"]);
  b.durable(1);
  b.failed(1);
  b.say({ type: "closing" });
  assert.equal(b.sent().length, 2);
  b.tell(samples.test);
  assert.equal(b.m.counts.told, 1, "nothing is told after that");
  b.failed(2);
  assert.deepEqual(b.of("closed"), [{ type: "closed", waiting: 1, loose: 0 }]);
});

test("notify: delivery: a nudge brings a letter that waited long", () => {
  const b = bench({ targets: [hook("a")], lane: { ...small.lane, ageMsMax: 9_000 } });
  b.tell(samples["tor-down"]);
  b.durable(1);
  for (let req = 1; req < 7; req += 1) {
    b.failed(req);
    if (req < 6) b.to(delivery.deadline(b.m));
  }
  const before = delivery.deadline(b.m);
  b.say({ type: "nudged" });
  assert.ok(delivery.deadline(b.m) < before);
});

test("notify: delivery: events out of turn are our own mistakes", () => {
  assert.throws(() => bench().say({ type: "opened", unixMs: at0 }), InvariantError);
  assert.throws(() => bench().say({ type: "replayed", body: "" }), InvariantError);
  assert.throws(() => bench({ targets: [hook("a"), hook("a")] }), InvariantError);
  const b = bench();
  b.tell(samples.test);
  b.say({ type: "closing" });
  assert.throws(() => b.say({ type: "closing" }), InvariantError);
});

type Scripted =
  | Event
  /** The oldest record, or request, that is unanswered is answered. */
  | { readonly type: "journal"; readonly isDurable: boolean }
  | { readonly type: "reply"; readonly status: number };
type Lab = { readonly m: Delivery; readonly tokens: number[]; readonly reqs: number[] };

function translate(lab: Lab, event: Scripted): Event {
  if (event.type === "journal") {
    return { type: event.isDurable ? "durable" : "refused", token: lab.tokens.shift() ?? 0 };
  }
  if (event.type !== "reply") return event;
  const req = lab.reqs.shift() ?? 0;
  if (event.status === 0) return { type: "req.failed", req, reason: "reset" };
  return { type: "req.done", req, status: event.status, body: "" };
}

const subject: Subject<Lab, Scripted, Effect> = {
  create: () => {
    const m = delivery.create(small, prng.key("laws"));
    delivery.step(m, { type: "opened", unixMs: at0 }, mono(0), []);
    return { m, tokens: [], reqs: [] };
  },
  step: (lab, event, now, out) => {
    delivery.step(lab.m, translate(lab, event), now, out);
    for (const e of out) {
      if (e.type === "record") lab.tokens.push(e.token);
      if (e.type === "req.start") lab.reqs.push(e.req);
    }
  },
  deadline: ({ m }) => delivery.deadline(m), tick: { type: "tick" }, settleMs: 4_000,
  holds: ({ m }) => {
    for (const r of m.routes.byName.values()) assert.ok(r.lane.queue.length <= small.lane.queueMax);
    const { routineMax, importantMax } = small.gate;
    assert.ok(m.intake.length <= 2 * (routineMax + importantMax));
  },
  lives,
};

/** Every letter is sent or lost at every target, each once, when nothing is closed. */
function lives(run: Run<Lab, Scripted, Effect>): void {
  const ended = new Set<string>();
  const begun: string[] = [];
  const known = new Set<number>();
  for (const { effects } of run.steps) {
    for (const e of effects) {
      if (e.type !== "record") continue;
      const decoded = letters.decode(e.body);
      assert.ok(decoded.ok);
      const r = decoded.value;
      if (r.type === "notice") {
        assert.ok(!known.has(r.id), "an id is used twice");
        known.add(r.id);
        begun.push(...r.to.map((to) => `${r.id} ${to}`));
      } else if (r.type !== "notice-run") {
        assert.ok(!ended.has(`${r.id} ${r.to}`), "ended twice");
        ended.add(`${r.id} ${r.to}`);
      }
    }
  }
  const closed = run.steps.some(({ effects }) => effects.some((e) => e.type === "closed"));
  const isClosing = run.steps.some(({ event }) => event.type === "closing");
  assert.equal(closed, isClosing, "closing ends");
  if (!isClosing) assert.deepEqual(begun.filter((key) => !ended.has(key)), []);
}

test("notify: delivery: the four laws hold, and every letter is sent or lost in the end", () => {
  const event: fc.Arbitrary<Scripted> = fc.oneof(
    {
      weight: 6, arbitrary: fc.record({
        type: fc.constant("told" as const),
        notice: fc.constantFrom(...kinds.map((k): Notice => samples[k])),
        unixMs: fc.integer({ min: at0 - 99_999_999, max: at0 + 99_999_999 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant("journal" as const), isDurable: fc.boolean() }),
    },
    {
      weight: 6, arbitrary: fc.record({
        type: fc.constant("reply" as const),
        status: fc.constantFrom(200, 200, 200, 0, 401, 404, 429, 503),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Event>({ type: "nudged" }) },
  );
  const script = fc.tuple(scripts(event, 150, 40, true), fc.boolean()).map(([s, isClosed]) =>
    isClosed ? [...s, { afterMs: 5, event: { type: "closing" } as const }] : s);
  fc.assert(fc.property(script, (s) => void laws(subject, s)), { numRuns: 30 });
});

