/**
 * The watch, its journal and a little chain: processes die at every boundary, disks refuse, the
 * backend fails, and in the end every transaction is what the chain says and was told of once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { absent, unavailable, type Answer, type Question } from "../../../core/chain/chain.ts";
import { decode, encode, type Body } from "../../../core/history/body.ts";
import * as book from "../../../core/history/book.ts";
import { blank, type Change } from "../../../core/history/entry.ts";
import * as pending from "../../../core/maker/pending.ts";
import { mono, type Mono } from "../../../core/time.ts";
import { clone } from "../../support/laws.ts";

const min = 60_000;
const config: pending.Config = {
  ...pending.defaults, timeoutMs: 10 * min, warnMs: 5 * min, lateCheckMs: 20 * min,
  questionsMax: 2, noticesMax: 2, noticesQueuedMax: 2, watchedMax: 3,
};
const rows = 4;
const roomy: pending.Config = { ...config, watchedMax: rows };
const down = unavailable("timeout", "timeout", "no answer");
const txidOf = (id: number) => String(id).repeat(64);

/** Of each transaction: nowhere, in the pool, so deep in a block, or so deep in conflict. */
type Place = { depth: number | "absent" };

type Host = {
  readonly config: pending.Config;
  readonly chain: Place[];
  isDown: boolean;
  /** What the disk holds, and what is on its way there: `seq` follows from the place. */
  readonly durable: string[];
  readonly flying: { readonly body: string; readonly done: (seq: number) => pending.Event }[];
  readonly answers: { readonly token: number; readonly question: Question }[];
  readonly violations: string[];
  m: pending.Pending;
  book: book.Book;
  now: Mono;
  life: number;
  /** Time that has passed since each row came, at most so old it can be. */
  bornAt: Mono;
  mutes: boolean;
};

function host(given = config): Host {
  const chain: Place[] = [];
  const durable: string[] = [];
  for (let id = 1; id <= rows; id += 1) {
    chain.push({ depth: "absent" });
    // Some are known by their address only.
    const txid = id % 2 === 0 ? "" : txidOf(id);
    const entry = { ...blank(1), destination: `bcrt1q${id}`, cjSat: 5_000n, txid };
    durable.push(encode({ type: "added", entry }));
  }
  const h: Host = {
    config: given, chain, durable, flying: [], answers: [], violations: [], isDown: false,
    m: pending.create(given), book: book.create(book.defaults), now: mono(0), life: 0,
    bornAt: mono(0), mutes: false,
  };
  boot(h);
  return h;
}

/** A process starts from what is durable. */
function boot(h: Host): void {
  h.life += 1;
  h.flying.length = 0;
  h.answers.length = 0;
  h.m = pending.create(h.config);
  h.book = book.create(book.defaults);
  h.durable.forEach((body, i) => void book.take(h.book, i + 1, body));
  restore(h);
}

function restore(h: Host): void {
  const { waiting, givenUp } = book.open(h.book, {
    fingerprint: "", waitingMax: 100, givenUpMax: config.lateMax,
  });
  const untold = [...h.book.untold.values()];
  send(h, { type: "restored", rows: [...waiting, ...givenUp], untold, isAll: true });
}

/** One step, twice: on the state and on a copy of it. */
function send(h: Host, event: pending.Event): void {
  const twin = clone(h.m);
  const [out, again]: [pending.Effect[], pending.Effect[]] = [[], []];
  pending.step(h.m, event, h.now, out);
  pending.step(twin, event, h.now, again);
  if (JSON.stringify(out) !== JSON.stringify(again)) h.violations.push("double drive");
  if (pending.deadline(h.m) <= h.now) h.violations.push("due after a step");
  for (const effect of out) perform(h, effect);
}

function perform(h: Host, effect: pending.Effect): void {
  switch (effect.type) {
    case "ask": return void h.answers.push(effect);
    case "record": {
      const { token, body } = effect;
      judge(h, body);
      return void h.flying.push({ body, done: (seq) => ({ type: "durable", token, seq }) });
    }
    case "notice": {
      const { seq } = effect;
      if (!isDurable(h, seq, effect.what)) h.violations.push(`told before it was durable: ${seq}`);
      if (h.mutes) return send(h, { type: "muted", seq });
      // The outbox keeps a record of its own, and says so when that is durable.
      const body = encode({ type: "other", kind: "notice", about: seq, fields: [] });
      return void h.flying.push({ body, done: () => ({ type: "told", seq }) });
    }
    case "refill": return restore(h);
    case "log": return;
    default: assert.fail("an effect that nobody carries out");
  }
}

function isDurable(h: Host, seq: number, what: Change["type"]): boolean {
  const body = decode(h.durable[seq - 1] ?? "");
  return body.ok && body.value.type === what;
}

/** M9 and M11: a verdict is what the chain says at that moment. */
function judge(h: Host, text: string): void {
  const body = decode(text);
  assert.ok(body.ok);
  const change = body.value;
  if (!("of" in change) || change.type === "told") return;
  const depth = h.chain[change.of - 1]?.depth;
  const isGone = depth === "absent" || (typeof depth === "number" && depth < 0);
  const says = `${change.type} while it is ${depth}`;
  const isRight = {
    "given-up": isGone, "warned": isGone, "lost": isGone || depth === 0, "seen": depth === 0,
    "confirmed": typeof depth === "number" && depth > 0, "returned": !isGone, "txid": !isGone,
    "settled": typeof depth === "number" && depth >= 6, "aged": isGone || depth === 0,
    "signed": false,
  }[change.type];
  if (!isRight) h.violations.push(says);
  if (h.isDown) h.violations.push(`${change.type} while the backend is down`);
  if (change.type === "aged" && change.ageMs > h.now - h.bornAt) h.violations.push("age doubled");
}

function answerOf(h: Host, question: Question): Answer {
  if (h.isDown) return down;
  const id = question.ask === "tx" ? Number(question.txid[0])
    : question.ask === "address" ? Number(question.address.at(-1)) : 0;
  const { depth } = h.chain[id - 1] as Place;
  if (depth === "absent") return absent();
  if (question.ask === "tx") {
    return { ok: true, ask: "tx", tx: { confirmations: depth, outputs: [] } };
  }
  if (depth < 0) return { ok: true, ask: "address", payments: [] };
  const payment = { txid: txidOf(id), vout: 0, valueSat: 5_000n, confirmations: depth };
  return { ok: true, ask: "address", payments: [payment] };
}

function answer(h: Host): void {
  const asked = h.answers.shift();
  if (asked === undefined) return;
  const event = { type: "answered" as const, token: asked.token, unixMs: 5 };
  send(h, { ...event, answer: answerOf(h, asked.question) });
}

/** The oldest record reaches the disk; the process hears of it unless it dies before. */
function land(h: Host, isHeard: boolean): void {
  const record = h.flying.shift();
  if (record === undefined) return;
  h.durable.push(record.body);
  if (!isHeard) return boot(h);
  book.take(h.book, h.durable.length, record.body);
  send(h, record.done(h.durable.length));
}

function refuse(h: Host): void {
  const record = h.flying.shift();
  if (record === undefined) return;
  const event = record.done(1);
  if (event.type === "durable") send(h, { type: "refused", token: event.token });
  // An outbox that is refused tries again; here the record simply waits once more.
  else h.flying.push(record);
}

function pass(h: Host, ms: number): void {
  const until = h.now + ms;
  for (let i = 0; pending.deadline(h.m) <= until; i += 1) {
    assert.ok(i < 10_000, "ticks in a circle");
    h.now = pending.deadline(h.m);
    send(h, { type: "tick" });
  }
  h.now = mono(until);
}

type Act =
  | { readonly do: "answer" | "land" | "refuse" | "die" | "die-landed" | "down" | "mute" }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "chain"; readonly id: number; readonly depth: Place["depth"] };

function act(h: Host, one: Act): void {
  switch (one.do) {
    case "answer": return answer(h);
    case "land": return land(h, true);
    case "refuse": return refuse(h);
    case "die": return boot(h);
    case "die-landed": return land(h, false);
    case "down":
      h.isDown = !h.isDown;
      return;
    case "mute":
      h.mutes = !h.mutes;
      return;
    case "pass": return pass(h, one.ms);
    case "chain":
      (h.chain[one.id - 1] as Place).depth = one.depth;
      return;
    default: assert.fail("an act that nobody does");
  }
}

/** Blocks come: nothing stays in the pool. */
function mine(h: Host): void {
  for (const place of h.chain) {
    if (typeof place.depth === "number") place.depth = place.depth < 0 ? -8 : 7;
  }
}

/** Everybody does his work from here on. */
function heal(h: Host): void {
  h.isDown = false;
  for (let i = 0; i < 90; i += 1) {
    for (let k = 0; k < 100 && h.answers.length + h.flying.length > 0; k += 1) {
      while (h.flying.length > 0) land(h, true);
      answer(h);
    }
    pass(h, min);
  }
}

const tellable = [...book.tellable];

function check(h: Host): void {
  assert.deepEqual(h.violations, []);
  const list: readonly Body[] = h.durable.map((body) => {
    const decoded = decode(body);
    assert.ok(decoded.ok);
    return decoded.value;
  });
  const told = new Map<number, number>();
  for (const body of list) {
    const about = body.type === "other" ? body.about : body.type === "told" ? body.of : undefined;
    if (about !== undefined) told.set(about, (told.get(about) ?? 0) + 1);
  }
  list.forEach((body, i) => {
    const isTellable = tellable.some((type) => type === body.type);
    assert.equal(told.get(i + 1) ?? 0, isTellable ? 1 : 0, `${body.type} ${i + 1} is told once`);
  });
  for (let id = 1; id <= rows; id += 1) ends(h, list, id);
}

function ends(h: Host, list: readonly Body[], id: number): void {
  const of = list.filter((body): body is Change => "of" in body && body.of === id
    && body.type !== "told");
  const count = (type: string) => of.filter((change) => change.type === type).length;
  assert.ok(count("confirmed") <= count("lost") + 1, "a success is recorded once");
  assert.ok(count("given-up") <= count("returned") + 1, "an end is recorded once");
  assert.ok(count("seen") <= 1);
  assert.ok(count("settled") <= 1);
  const row = book.rowById(h.book, id);
  assert.ok(row !== undefined);
  if (row.stage === "settled") return;
  const depth = h.chain[id - 1]?.depth;
  const expected = depth === "absent" || (depth ?? 0) < 0 ? "given-up"
    : depth === 0 ? "waiting" : (depth ?? 0) >= 6 ? "settled" : "confirmed";
  assert.equal(row.stage, expected, `row ${id} at depth ${depth}`);
}

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ do: "answer" as const }) },
  { weight: 8, arbitrary: fc.constant({ do: "land" as const }) },
  {
    weight: 4, arbitrary: fc.record({
      do: fc.constant("pass" as const), ms: fc.constantFrom(1, min - 1, min, 3 * min, 20 * min),
    }),
  },
  {
    weight: 4, arbitrary: fc.record({
      do: fc.constant("chain" as const), id: fc.integer({ min: 1, max: rows }),
      depth: fc.constantFrom<Place["depth"]>("absent", 0, 1, 3, 6, -1, -8),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Act>(
      { do: "refuse" }, { do: "die" }, { do: "die-landed" }, { do: "down" }, { do: "mute" },
    ),
  },
);

test("maker: pending: M9 to M12: whatever dies, all is told once, lost never, right", () => {
  const drawn = fc.array(acts, { maxLength: 80, size: "max" });
  fc.assert(fc.property(drawn, fc.boolean(), (script, isTight) => {
    const h = host(isTight ? config : roomy);
    for (const one of script) act(h, one);
    // Where not all are watched at a time, the others have their turn when these are over.
    if (isTight) mine(h);
    heal(h);
    check(h);
  }), { numRuns: 60 });
});

/** A run in which much happens; nobody dies. */
const eventful: readonly Act[] = [
  ...[1, 2, 3, 4].map((id): Act => ({ do: "chain", id, depth: id === 4 ? "absent" : 0 })),
  ...spread(12), { do: "chain", id: 1, depth: 2 }, ...spread(8), { do: "chain", id: 1, depth: 0 },
  ...spread(8), { do: "chain", id: 2, depth: 7 }, ...spread(8),
  { do: "chain", id: 3, depth: "absent" }, ...spread(70), { do: "chain", id: 3, depth: 1 },
  { do: "pass", ms: 20 * min }, ...spread(12),
];

function spread(n: number): Act[] {
  return Array.from({ length: n }, (): Act[] => [
    { do: "answer" }, { do: "land" }, { do: "land" }, { do: "answer" }, { do: "land" },
    { do: "pass", ms: 30_000 },
  ]).flat();
}

test("maker: pending: M13: a crash at every boundary of an eventful run, before and after", () => {
  const whole = host(roomy);
  for (const one of eventful) act(whole, one);
  heal(whole);
  check(whole);
  const kinds = new Set(whole.durable.map((body) => (JSON.parse(body) as { k: string }).k));
  for (const kind of ["txid", "seen", "confirmed", "lost", "given-up", "returned", "settled"]) {
    assert.ok(kinds.has(kind), `the run has ${kind}`);
  }
  const isWork = (one: Act) => one.do !== "chain" && one.do !== "pass";
  const landings = eventful.flatMap((one, at) => (isWork(one) ? [at] : []));
  for (let i = 0; i < landings.length; i += 13) {
    for (const death of ["die", "die-landed"] as const) {
      const h = host(roomy);
      eventful.forEach((one, at) => {
        if (at === landings[i]) act(h, { do: death });
        act(h, one);
      });
      heal(h);
      check(h);
    }
  }
});

test("maker: pending: a restart neither doubles an age nor loses more than a step of it", () => {
  const h = host();
  for (let i = 0; i < 8; i += 1) {
    for (let k = 0; k < 20; k += 1) {
      answer(h);
      land(h, true);
    }
    pass(h, min);
  }
  const before = [...h.m.held.values()].map((held) => held.watch.ageMs);
  boot(h);
  const after = [...h.m.held.values()].map((held) => held.watch.ageMs);
  assert.ok(before.length > 0);
  for (const ageMs of before) assert.ok(ageMs >= 6 * min, `${ageMs}`);
  for (const ageMs of after) {
    assert.ok(ageMs <= Math.max(...before));
    assert.ok(ageMs >= Math.min(...before) - config.ageStepMs);
  }
});
