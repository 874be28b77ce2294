import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, text } from "../../../core/bytes.ts";
import * as journal from "../../../core/history/journal.ts";
import * as record from "../../../core/history/record.ts";
import type { StoreEffect, StoreEvent, StoreFailure } from "../../../core/history/store.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { effectsOf, laws, scripts, type Subject } from "../../support/laws.ts";

const config: journal.Config = {
  bodyBytesMax: 50, queueRecordsMax: 6, queueBytesMax: 600, batchRecordsMax: 3, batchBytesMax: 300,
  tornBytesMax: 400, fileBytesMax: 2_000, retryMinMs: 10, retryMaxMs: 70, slowMs: 20,
};

/** A journal and what it wants; time stands at `at` unless a test moves it. */
type Bench = { readonly m: journal.Journal; at: number; order: StoreEffect | undefined };

function bench(limits: Partial<journal.Config> = {}): Bench {
  return { m: journal.create({ ...config, ...limits }), at: 0, order: undefined };
}

function say(b: Bench, event: journal.Event): readonly journal.Effect[] {
  const out: journal.Effect[] = [];
  journal.step(b.m, event, mono(b.at), out);
  for (const effect of out) if ("req" in effect) b.order = effect;
  return out.filter((effect) => !("req" in effect));
}

const ask = (b: Bench, token: number, body = `n${token}`): readonly journal.Effect[] =>
  say(b, { type: "asked", token, body });

type Kind = "loaded" | "appended" | "synced" | "truncated" | "failed";

/** Answers the order under way, which is of the type that the answer has. */
function answer(
  b: Bench, kind: Kind, bytes: Uint8Array = new Uint8Array(0), reason: StoreFailure = "io",
): readonly journal.Effect[] {
  const { order } = b;
  assert.ok(order !== undefined, "no order is under way");
  b.order = undefined;
  const { req } = order;
  if (kind === "failed") return say(b, { type: "store.failed", req, reason });
  const event: StoreEvent = kind === "loaded" ? { type: "store.loaded", req, bytes }
    : { type: `store.${kind}`, req };
  return say(b, event);
}

/** A journal that is ready over an empty file. */
function ready(limits: Partial<journal.Config> = {}): Bench {
  const b = bench(limits);
  say(b, { type: "opened" });
  answer(b, "loaded");
  answer(b, "appended");
  answer(b, "synced");
  assert.equal(b.m.at.phase, "idle");
  return b;
}

function written(b: Bench): readonly string[] {
  assert.equal(b.order?.type, "store.append");
  const { bytes } = b.order as Extract<StoreEffect, { type: "store.append" }>;
  return text(bytes).split("\n").slice(0, -1).map((line) => line.slice(9));
}

const file = (count: number): Uint8Array => concat([
  record.header, ...Array.from({ length: count }, (_, i) => record.encode(i + 1, i, `r${i + 1}`)),
]);

test("journal: opened: a new file gets its header, synced, before anybody is told", () => {
  const b = bench();
  assert.deepEqual(say(b, { type: "opened" }), []);
  assert.deepEqual(b.order, { type: "store.load", req: 1 });
  assert.deepEqual(answer(b, "loaded"), []);
  assert.deepEqual(b.order, { type: "store.append", req: 2, bytes: record.header });
  answer(b, "appended");
  assert.deepEqual(b.order, { type: "store.sync", req: 3 });
  const [effect] = answer(b, "synced");
  assert.deepEqual(effect, {
    type: "ready", bytes: new Uint8Array(0), end: record.header.length, count: 0, tornBytes: 0,
  });
  assert.equal(journal.isQuiet(b.m), true);
});

test("journal: opened: what a file holds is synced before it is shown", () => {
  const b = bench();
  const bytes = file(3);
  say(b, { type: "opened" });
  answer(b, "loaded", bytes);
  assert.deepEqual(b.order, { type: "store.sync", req: 2 });
  assert.deepEqual(answer(b, "synced"), [
    { type: "ready", bytes, end: bytes.length, count: 3, tornBytes: 0 },
  ]);
  ask(b, 1);
  assert.deepEqual(written(b), ["4 3 2 n1"]);
});

test("journal: opened: a write that was cut short is cut off and told", () => {
  const b = bench();
  const whole = file(2);
  say(b, { type: "opened" });
  answer(b, "loaded", concat([whole, new Uint8Array(7)]));
  assert.deepEqual(b.order, { type: "store.truncate", req: 2, size: whole.length });
  answer(b, "truncated");
  assert.equal(b.order?.type, "store.sync");
  const [effect] = answer(b, "synced");
  assert.ok(effect?.type === "ready");
  assert.deepEqual([effect.count, effect.end, effect.tornBytes], [2, whole.length, 7]);
});

test("journal: opened: a header that was cut short is made anew", () => {
  const b = bench();
  say(b, { type: "opened" });
  answer(b, "loaded", record.header.subarray(0, 5));
  assert.deepEqual(b.order, { type: "store.truncate", req: 2, size: 0 });
  answer(b, "truncated");
  assert.deepEqual(b.order, { type: "store.append", req: 3, bytes: record.header });
  answer(b, "appended");
  const [effect] = answer(b, "synced");
  assert.ok(effect?.type === "ready" && effect.tornBytes === 5);
});

test("journal: opened: damage changes nothing, is told, and refuses everything", () => {
  const b = bench();
  const bytes = file(3);
  bytes[record.header.length + 2] = 0x21;
  ask(b, 1);
  say(b, { type: "opened" });
  const [broken, refused] = answer(b, "loaded", bytes);
  assert.ok(broken?.type === "broken");
  assert.equal(broken.fault.code, "journal-damaged");
  assert.deepEqual(refused, { type: "refused", token: 1, why: "broken" });
  assert.equal(b.order, undefined);
  assert.deepEqual(ask(b, 2), [{ type: "refused", token: 2, why: "broken" }]);
  assert.equal(journal.deadline(b.m), NEVER);
  assert.throws(() => say(b, { type: "opened" }), /once/);
});

test("journal: asked: durable only after its sync, and what comes meanwhile is one write", () => {
  const b = ready();
  assert.deepEqual(ask(b, 1), []);
  assert.deepEqual(written(b), ["1 0 2 n1"]);
  for (const token of [2, 3, 4, 5]) assert.deepEqual(ask(b, token), []);
  assert.deepEqual(answer(b, "appended"), []);
  assert.equal(b.order?.type, "store.sync");
  assert.deepEqual(answer(b, "synced"), [{ type: "durable", token: 1, seq: 1 }]);
  assert.deepEqual(written(b), ["2 1 2 n2", "3 1 2 n3", "4 1 2 n4"]);
  answer(b, "appended");
  assert.deepEqual(answer(b, "synced").map((one) => "seq" in one && one.seq), [2, 3, 4]);
  assert.deepEqual(written(b), ["5 4 2 n5"]);
  answer(b, "appended");
  answer(b, "synced");
  assert.equal(journal.isQuiet(b.m), true);
});

test("journal: asked: before the file is read a record waits", () => {
  const b = bench();
  assert.deepEqual(ask(b, 1), []);
  say(b, { type: "opened" });
  answer(b, "loaded", file(2));
  assert.equal(answer(b, "synced")[0]?.type, "ready");
  assert.deepEqual(written(b), ["3 2 2 n1"]);
});

test("journal: asked: each bound refuses with its name", () => {
  const b = ready();
  assert.deepEqual(ask(b, 1, "x".repeat(51)), [{ type: "refused", token: 1, why: "long" }]);
  for (const token of [2, 3, 4, 5, 6, 7]) assert.deepEqual(ask(b, token), []);
  assert.deepEqual(ask(b, 8), [{ type: "refused", token: 8, why: "behind" }]);
  const small = ready({ fileBytesMax: 19 + 2 + record.frameBytesMax });
  assert.deepEqual(ask(small, 1), []);
  assert.deepEqual(ask(small, 2, ""), [{ type: "refused", token: 2, why: "file-full" }]);
});

test("journal: full: a part is cut off at once, and the same records go when there is room", () => {
  const b = ready();
  ask(b, 1);
  const first = written(b);
  assert.deepEqual(answer(b, "failed", undefined, "full"), [
    { type: "failing", phase: "appending", reason: "full" },
  ]);
  assert.equal(b.order?.type === "store.truncate" && b.order.size, record.header.length);
  answer(b, "truncated");
  answer(b, "synced");
  assert.equal(b.m.at.phase, "waiting");
  ask(b, 2);
  assert.equal(b.order, undefined, "a newcomer does not end the wait");
  b.at = 9;
  say(b, { type: "tick" });
  assert.equal(b.order, undefined);
  b.at = 10;
  say(b, { type: "tick" });
  assert.deepEqual(written(b).slice(0, 1), first);
  assert.equal(written(b).length, 2);
  answer(b, "appended");
  assert.deepEqual(answer(b, "synced"), [
    { type: "durable", token: 1, seq: 1 },
    { type: "durable", token: 2, seq: 2 },
    { type: "recovered", failures: 1 },
  ]);
  ask(b, 3);
  answer(b, "appended");
  assert.deepEqual(answer(b, "synced"), [{ type: "durable", token: 3, seq: 3 }]);
});

test("journal: full: waits double up to their bound, and one notice is enough", () => {
  const b = ready();
  ask(b, 1);
  const waits: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const told = answer(b, "failed", undefined, "full");
    assert.equal(told.length, i === 0 ? 1 : 0);
    answer(b, "truncated");
    answer(b, "synced");
    waits.push(journal.deadline(b.m) - b.at);
    b.at = journal.deadline(b.m);
    say(b, { type: "tick" });
  }
  assert.deepEqual(waits, [10, 20, 40, 70, 70]);
});

test("journal: a failed sync: the file is read again, cut back, and written again", () => {
  const b = ready();
  ask(b, 1);
  answer(b, "appended");
  answer(b, "synced");
  ask(b, 2);
  const second = written(b);
  answer(b, "appended");
  assert.deepEqual(answer(b, "failed"), [{ type: "failing", phase: "syncing", reason: "io" }]);
  assert.equal(b.m.at.phase, "loading");
  const durable = concat([record.header, record.encode(1, 0, "n1")]);
  answer(b, "loaded", concat([durable, record.encode(2, 1, "n2")]));
  assert.equal(b.order?.type === "store.truncate" && b.order.size, durable.length);
  answer(b, "truncated");
  answer(b, "synced");
  b.at = journal.deadline(b.m);
  say(b, { type: "tick" });
  assert.deepEqual(written(b), second);
});

test("journal: a failed sync: nothing was written after all", () => {
  const b = ready();
  ask(b, 1);
  answer(b, "appended");
  answer(b, "failed");
  answer(b, "loaded", record.header);
  assert.equal(b.order?.type, "store.sync");
});

test("journal: a failed sync: a record that was announced and is gone breaks the journal", () => {
  for (const found of [record.header, concat([record.header, new Uint8Array(14)])]) {
    const b = ready();
    ask(b, 1);
    answer(b, "appended");
    answer(b, "synced");
    ask(b, 2);
    answer(b, "appended");
    answer(b, "failed");
    const [broken, refused] = answer(b, "loaded", found);
    assert.ok(broken?.type === "broken" && broken.fault.code === "journal-lost");
    assert.deepEqual(refused, { type: "refused", token: 2, why: "broken" });
  }
  const b = ready();
  ask(b, 1);
  answer(b, "appended");
  answer(b, "failed");
  const [broken] = answer(b, "loaded", new Uint8Array(30));
  assert.ok(broken?.type === "broken" && broken.fault.code === "journal-lost");
});

test("journal: a failed sync: another file in its place breaks the journal", () => {
  const b = ready();
  ask(b, 1);
  answer(b, "appended");
  answer(b, "failed");
  const other = new Uint8Array(60);
  other.set([0x64, 0x6f, 0x67]);
  other.set(new TextEncoder().encode("dogwatch-journal 2\n"));
  const [broken] = answer(b, "loaded", other);
  assert.ok(broken?.type === "broken" && broken.fault.code === "journal-version");
});

test("journal: a failed repair is tried again from the reading, later", () => {
  for (const failing of ["loaded", "truncated", "synced"] as const) {
    const b = ready();
    ask(b, 1);
    answer(b, "appended");
    answer(b, "failed");
    const steps: readonly Kind[] = ["loaded", "truncated", "synced"];
    const bytes = concat([record.header, record.encode(1, 0, "n1")]);
    for (const kind of steps) {
      if (kind === failing) break;
      answer(b, kind, bytes);
    }
    assert.deepEqual(answer(b, "failed"), []);
    assert.deepEqual(b.m.at, { phase: "waiting", until: mono(20), next: "load" });
    b.at = 20;
    say(b, { type: "tick" });
    assert.equal(b.order?.type, "store.load");
  }
});

test("journal: opened: each order that fails is tried again later, and told once", () => {
  const b = bench();
  say(b, { type: "opened" });
  assert.deepEqual(answer(b, "failed"), [{ type: "failing", phase: "loading", reason: "io" }]);
  b.at = journal.deadline(b.m);
  say(b, { type: "tick" });
  answer(b, "loaded");
  assert.deepEqual(answer(b, "failed", undefined, "full"), []);
  b.at = journal.deadline(b.m);
  say(b, { type: "tick" });
  answer(b, "loaded", record.header.subarray(0, 4));
  assert.deepEqual(answer(b, "failed"), []);
  b.at = journal.deadline(b.m);
  say(b, { type: "tick" });
  answer(b, "loaded", record.header.subarray(0, 4));
  answer(b, "truncated");
  answer(b, "appended");
  const [told, recovered] = answer(b, "synced");
  assert.ok(told?.type === "ready" && told.tornBytes === 4);
  assert.deepEqual(recovered, { type: "recovered", failures: 3 });
});

test("journal: opened: a new file whose header could not be synced is made anew", () => {
  const b = bench();
  say(b, { type: "opened" });
  answer(b, "loaded");
  answer(b, "appended");
  answer(b, "failed");
  b.at = journal.deadline(b.m);
  say(b, { type: "tick" });
  assert.equal(b.order?.type === "store.truncate" && b.order.size, 0);
  answer(b, "truncated");
  answer(b, "appended");
  assert.equal(answer(b, "synced")[0]?.type, "ready");
});

test("journal: opened: records that cannot be synced are shown to nobody", () => {
  const b = bench();
  say(b, { type: "opened" });
  answer(b, "loaded", file(1));
  const told = answer(b, "failed");
  assert.equal(told[0]?.type, "failing");
  assert.ok(told[1]?.type === "broken" && told[1].fault.code === "journal-unsettled");
});

test("journal: slow: an order that takes long is told once and never given again", () => {
  const b = ready();
  ask(b, 1);
  b.at = 19;
  assert.deepEqual(say(b, { type: "tick" }), []);
  b.order = undefined;
  b.at = 20;
  assert.deepEqual(say(b, { type: "tick" }), [{ type: "slow", phase: "appending" }]);
  b.at = 100_000;
  assert.deepEqual(say(b, { type: "tick" }), []);
  assert.equal(b.order, undefined);
  assert.equal(journal.deadline(b.m), NEVER);
  assert.deepEqual(say(b, { type: "store.appended", req: b.m.reqs }), []);
  assert.deepEqual(answer(b, "synced"), [{ type: "durable", token: 1, seq: 1 }]);
});

test("journal: answers of orders that are not under way change nothing", () => {
  const b = ready();
  const req = b.m.reqs;
  assert.deepEqual(say(b, { type: "store.synced", req }), []);
  ask(b, 1);
  assert.deepEqual(say(b, { type: "store.appended", req }), []);
  assert.equal(b.m.at.phase, "appending");
});

test("journal: an answer of another kind is a bug of the host", () => {
  const next: readonly (readonly [(b: Bench) => void, StoreEvent["type"]])[] = [
    [(b) => void say(b, { type: "opened" }), "store.synced"],
    [(b) => void answer(b, "loaded"), "store.synced"],
    [(b) => void answer(b, "appended"), "store.appended"],
  ];
  const b = bench();
  for (const [go, type] of next) {
    go(b);
    const event = { type, req: b.m.reqs } as StoreEvent;
    assert.throws(() => say(b, event), /answered otherwise/);
  }
  answer(b, "synced");
  ask(b, 1);
  const { reqs } = b.m;
  assert.throws(() => say(b, { type: "store.synced", req: reqs }), /answered otherwise/);
  answer(b, "appended");
  assert.throws(() => say(b, { type: "store.appended", req: b.m.reqs }), /answered otherwise/);
  answer(b, "failed");
  answer(b, "loaded", concat([record.header, record.encode(1, 0, "n1")]));
  assert.throws(() => say(b, { type: "store.synced", req: b.m.reqs }), /answered otherwise/);
});

test("journal: create: a configuration whose bounds contradict each other is a bug", () => {
  const broken: readonly Partial<journal.Config>[] = [
    { tornBytesMax: 299 }, { retryMinMs: 0 }, { retryMaxMs: 9 }, { slowMs: 0 }, { bodyBytesMax: 0 },
  ];
  for (const one of broken) assert.throws(() => bench(one));
  journal.create(journal.defaults);
});

/** A machine beside a file that answers in events of the script. */
type Lab = {
  readonly m: journal.Journal;
  order: StoreEffect | undefined;
  file: Uint8Array;
  tokens: number;
};
type Move = { readonly type: "ask" | "answer" | "full" | "io" | "tick" };

/** Carries the order under way out, or fails it; a failed append leaves half of it. */
function moved(lab: Lab, move: Move): journal.Event {
  if (move.type === "tick") return { type: "tick" };
  if (move.type === "ask" || lab.order === undefined) {
    lab.tokens += 1;
    return { type: "asked", token: lab.tokens, body: `n${lab.tokens}` };
  }
  const { order } = lab;
  const { req } = order;
  lab.order = undefined;
  // A file that cannot be synced when it is opened breaks the journal; a test of its own has that.
  const fails = move.type !== "answer" && (lab.m.isReady || order.type !== "store.sync");
  if (order.type === "store.append") {
    const taken = fails ? order.bytes.length >> 1 : order.bytes.length;
    lab.file = concat([lab.file, order.bytes.subarray(0, taken)]);
  }
  if (fails) {
    return { type: "store.failed", req, reason: move.type === "full" ? "full" : "io" };
  }
  switch (order.type) {
    case "store.load": return { type: "store.loaded", req, bytes: lab.file.slice() };
    case "store.append": return { type: "store.appended", req };
    case "store.sync": return { type: "store.synced", req };
    case "store.truncate":
      lab.file = lab.file.slice(0, order.size);
      return { type: "store.truncated", req };
  }
}

const subject: Subject<Lab, Move, journal.Effect> = {
  create: () => {
    const m = journal.create(config);
    const out: journal.Effect[] = [];
    journal.step(m, { type: "opened" }, mono(0), out);
    return { m, order: out[0] as StoreEffect, file: new Uint8Array(0), tokens: 0 };
  },
  step: (lab, move, now, out) => {
    const event = moved(lab, move);
    journal.step(lab.m, event, now, out);
    const orders = out.filter((effect): effect is StoreEffect => "req" in effect);
    assert.ok(orders.length <= 1, "two orders in one step");
    if (orders.length === 1) {
      assert.equal(lab.order, undefined, "two orders under way");
      lab.order = orders[0];
    }
    assert.ok(out.length <= journal.effectsMax(lab.m));
  },
  deadline: (lab) => journal.deadline(lab.m),
  tick: { type: "tick" },
  settleMs: 1_000,
  holds: ({ m }) => {
    assert.ok(m.pending.queue.length <= config.queueRecordsMax);
    assert.ok(m.pending.queueBytes <= config.queueBytesMax);
    assert.ok(m.pending.writing <= config.batchRecordsMax);
    assert.ok(m.endBytes <= config.fileBytesMax);
  },
  // No wait is longer than the bound: in a settled run an order is under way or nothing waits.
  lives: ({ state }) => {
    const isOrdered = state.order !== undefined || state.m.pending.queue.length === 0;
    assert.ok(isOrdered, "a record waits and nothing is done about it");
  },
};

const moves: fc.Arbitrary<Move> = fc.record({
  type: fc.constantFrom("ask", "answer", "answer", "answer", "full", "io", "tick"),
});

test("journal: laws", () => {
  fc.assert(fc.property(scripts(moves, 80, 60, true), (script) => {
    const run = laws(subject, script);
    const { m, file: bytes, tokens } = run.state;
    const told = effectsOf(run).map(({ effect }) => effect);
    const durable = told.flatMap((one) => (one.type === "durable" ? [one] : []));
    assert.deepEqual(durable.map((one) => one.seq), durable.map((_, i) => i + 1));
    const refused = told.filter((one) => one.type === "refused").length;
    assert.equal(durable.length + refused + m.pending.queue.length, tokens);
    const found = record.scan(bytes.slice(0, m.endBytes), config.tornBytesMax);
    assert.ok(found.ok);
    if (m.isReady) assert.equal(found.value.count, m.count);
  }), { numRuns: 150 });
});
