import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import { absent, unavailable, type Answer } from "../../../core/chain/chain.ts";
import { decode } from "../../../core/history/body.ts";
import { apply, blank, rowOf, type Change, type Row } from "../../../core/history/entry.ts";
import * as pending from "../../../core/maker/pending.ts";
import { mono, NEVER, type Mono } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const min = 60_000;
const txid = "ab".repeat(32);
const down = unavailable("timeout", "timeout", "no answer");
const inPool: Answer = { ok: true, ask: "tx", tx: { confirmations: 0, outputs: [] } };
const inBlock = (confirmations: number): Answer =>
  ({ ok: true, ask: "tx", tx: { confirmations, outputs: [] } });
const payment = {
  ok: true as const, ask: "address" as const,
  payments: [{ txid, vout: 0, valueSat: 5_000n, confirmations: 0 }],
};

function rowWith(id: number, more: object = {}): Row {
  return rowOf(id, { ...blank(1), destination: `bcrt1q${id}`, cjSat: 5_000n, txid, ...more });
}

/** A machine in a host that answers when it is told to. */
function world(config: Partial<pending.Config> = {}) {
  const m = pending.create({ ...pending.defaults, ...config });
  let now = mono(0);
  let seq = 1_000;
  const out: pending.Effect[] = [];
  const send = (event: pending.Event): pending.Effect[] => {
    const effects: pending.Effect[] = [];
    pending.step(m, event, now, effects);
    assert.ok(pending.deadline(m) > now, "law 2");
    out.push(...effects);
    return effects;
  };
  const w = {
    m, out, send, now: () => now,
    to(at: number) {
      for (let i = 0; pending.deadline(m) <= at; i += 1) {
        assert.ok(i < 10_000);
        now = pending.deadline(m);
        send({ type: "tick" });
      }
      now = mono(at);
    },
    known: (row: Row) => send({ type: "known", row }),
    /** Answers every question that is under way. */
    answer(answer: Answer) {
      return [...m.asking.keys()].flatMap((token) =>
        send({ type: "answered", token, answer, unixMs: 7 }));
    },
    /** Every record that is under way is durable. */
    durable() {
      return [...m.recording.keys(), ...m.muting.keys()].flatMap((token) => {
        seq += 1;
        return send({ type: "durable", token, seq });
      });
    },
    refuse: () => [...m.recording.keys(), ...m.muting.keys()].flatMap((token) =>
      send({ type: "refused", token })),
  };
  return w;
}

const kinds = (effects: readonly pending.Effect[]) => effects.map((effect) => effect.type);
const notices = (effects: readonly pending.Effect[]) =>
  effects.flatMap((effect) => (effect.type === "notice" ? [effect.what] : []));
const codes = (effects: readonly pending.Effect[]) =>
  effects.flatMap((effect) => (effect.type === "log" ? [effect.code] : []));
function changes(effects: readonly pending.Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "record") return [];
    const decoded = decode(effect.body);
    assert.ok(decoded.ok);
    return [decoded.value.type];
  });
}

test("maker: pending: found by address, seen, confirmed, settled; told once, when durable", () => {
  const w = world();
  assert.deepEqual(w.known(rowWith(1, { txid: "" })), [
    { type: "ask", token: 1, question: { ask: "address", address: "bcrt1q1" } },
  ]);
  assert.deepEqual(changes(w.answer(payment)), ["txid"]);
  const asked = w.durable().find((effect) => effect.type === "ask");
  assert.deepEqual(asked?.question, { ask: "tx", txid, address: "bcrt1q1" });
  const seen = w.answer(inPool);
  assert.deepEqual(kinds(seen), ["record"], "nothing is told before it is durable");
  assert.deepEqual(notices(w.durable()), ["seen"]);
  w.to(min - 1);
  assert.equal(w.m.asking.size, 0, "the last millisecond before the next look");
  w.to(min);
  assert.deepEqual(changes(w.answer(inBlock(1))), ["confirmed"]);
  assert.deepEqual(notices(w.durable()), ["confirmed"]);
  w.to(2 * min);
  assert.deepEqual(changes(w.answer(inBlock(2))), []);
  w.to(3 * min);
  assert.deepEqual(changes(w.answer(inBlock(6))), ["settled"]);
  w.durable();
  assert.equal(w.m.held.size, 0);
  assert.equal(pending.deadline(w.m), NEVER);
  assert.deepEqual(notices(w.out), ["seen", "confirmed"]);
});

test("maker: pending: hazard 3: an outage gives nothing up, an hour of absence does", () => {
  const w = world();
  w.known(rowWith(1));
  for (let i = 1; i <= 1_440; i += 1) {
    w.answer(down);
    w.to(i * min);
  }
  assert.deepEqual(changes(w.out), []);
  for (let i = 1_441; i <= 1_440 + 61; i += 1) {
    w.answer(absent());
    w.durable();
    w.to(i * min);
  }
  const list = changes(w.out);
  assert.deepEqual([list.filter((one) => one === "warned").length, list.at(-1)], [1, "given-up"]);
  assert.deepEqual(notices(w.out), ["warned", "given-up"]);
  assert.deepEqual(codes(w.out).filter((code) => code !== "maker.pending-unavailable"),
    ["maker.pending-missing", "maker.pending-given-up"]);
});

test("maker: pending: no answer in time is as good as unavailable, late is no answer", () => {
  const w = world();
  w.known(rowWith(1));
  w.to(120_000 - 1);
  assert.equal(w.m.asking.size, 1);
  w.to(120_000);
  assert.equal(w.m.asking.size, 0);
  assert.deepEqual(w.send({ type: "answered", token: 1, answer: inBlock(1), unixMs: 7 }), []);
  w.to(120_000 + min);
  assert.equal(w.m.asking.size, 1);
});

test("maker: pending: given up is watched on, seldom, and taken back when it appears", () => {
  const w = world();
  w.known(rowWith(1, { completedUs: 5 }));
  w.to(60 * min - 1);
  assert.deepEqual(w.out, []);
  w.to(60 * min);
  assert.deepEqual(changes(w.answer(absent())), []);
  w.to(120 * min);
  assert.deepEqual(changes(w.answer(inBlock(2))), ["returned"]);
  const effects = w.durable();
  assert.deepEqual([notices(effects), kinds(effects).includes("ask")], [["returned"], true]);
  assert.deepEqual(changes(w.answer(inBlock(2))), ["confirmed"]);
  w.durable();
  assert.equal(w.m.lates, 0);
});

test("maker: pending: a reorganisation takes a confirmation back and says so", () => {
  const w = world();
  w.known(rowWith(1));
  w.answer(inBlock(1));
  w.durable();
  w.to(min);
  assert.deepEqual(changes(w.answer(inPool)), ["lost"]);
  assert.deepEqual(notices(w.durable()), ["lost"]);
  assert.deepEqual(changes(w.answer(inBlock(1))), ["confirmed"]);
  w.durable();
  assert.deepEqual(notices(w.out), ["confirmed", "lost", "confirmed"]);
});

test("maker: pending: a record that is refused changes nothing, and is wanted again", () => {
  const w = world();
  w.known(rowWith(1));
  assert.deepEqual(changes(w.answer(inBlock(1))), ["confirmed"]);
  assert.deepEqual(w.refuse(), []);
  w.to(min);
  assert.deepEqual(changes(w.answer(inBlock(2))), ["confirmed"]);
  assert.deepEqual(notices(w.durable()), ["confirmed"]);
});

test("maker: pending: so many questions at a time, longest due first, everyone in turn", () => {
  const w = world({ questionsMax: 2 });
  const rows = [1, 2, 3, 4, 5].map((id) => rowWith(id, { txid: String(id).repeat(64) }));
  w.send({ type: "restored", rows, untold: [], isAll: true });
  const order: string[] = [];
  for (let i = 0; i < 10; i += 1) {
    assert.ok(w.m.asking.size <= 2);
    w.answer(down);
    w.to((i + 1) * min);
  }
  for (const effect of w.out) {
    if (effect.type === "ask" && effect.question.ask === "tx") {
      order.push(effect.question.txid.slice(0, 1));
    }
  }
  assert.equal(order.slice(0, 5).join(""), "12345");
  for (const id of "12345") assert.ok(order.filter((one) => one === id).length >= 3, id);
});

test("maker: pending: hazard 4: one with nothing to look for is given up and not watched", () => {
  const w = world();
  const effects = w.known(rowWith(1, { txid: "", destination: "" }));
  assert.deepEqual(changes(effects), ["given-up"]);
  w.durable();
  assert.equal(w.m.held.size, 0);
  assert.deepEqual(w.known(rowWith(2, { txid: "", destination: "", completedUs: 1 })), []);
});

test("maker: pending: watchedMax: the rest is asked for when there is room", () => {
  const w = world({ watchedMax: 2 });
  const rows = [1, 2, 3].map((id) => rowWith(id));
  const full = w.send({ type: "restored", rows, untold: [], isAll: true });
  assert.deepEqual(codes(full), ["maker.pending-full"]);
  assert.equal(w.m.held.size, 2);
  w.known(rowWith(4));
  assert.equal(codes(w.out).length, 1, "said once");
  for (let at = 1; !kinds(w.out).includes("refill"); at += 1) {
    assert.ok(at < 5);
    w.answer(inBlock(7));
    const told = w.durable().flatMap((effect) => (effect.type === "notice" ? [effect.seq] : []));
    for (const seq of told) w.send({ type: "told", seq });
    w.to(at * min);
  }
  w.send({ type: "restored", rows: [rows[2] as Row, rowWith(4)], untold: [], isAll: true });
  assert.ok(w.m.held.has(3));
});

test("maker: pending: lateMax: of those given up the newest are watched", () => {
  const w = world({ lateMax: 2 });
  for (const id of [5, 3, 4]) w.known(rowWith(id, { completedUs: 1 }));
  assert.deepEqual([...w.m.held.keys()].sort((a, b) => a - b), [4, 5]);
  assert.equal(w.m.lates, 2);
});

test("maker: pending: noticesMax, noticesQueuedMax: told in order, the rest after a refill", () => {
  const w = world({ noticesMax: 1, noticesQueuedMax: 2 });
  const untold = [11, 12, 13].map((seq) => ({ seq, of: 1, what: "seen" as const }));
  const told = (effects: readonly pending.Effect[]) =>
    effects.flatMap((effect) => (effect.type === "notice" ? [effect.seq] : []));
  assert.deepEqual(told(w.send({ type: "restored", rows: [], untold, isAll: true })), [11]);
  assert.deepEqual(told(w.send({ type: "told", seq: 11 })), [12]);
  assert.ok(kinds(w.out).includes("refill"), "when nothing waits in line");
  assert.deepEqual(changes(w.send({ type: "muted", seq: 12 })), ["told"]);
  assert.deepEqual(changes(w.send({ type: "muted", seq: 12 })), [], "once");
  w.durable();
  const rest = untold.slice(2);
  assert.deepEqual(told(w.send({ type: "restored", rows: [], untold: rest, isAll: true })), [13]);
});

test("maker: pending: notices that lack are asked for though no more rows have room", () => {
  const w = world({ watchedMax: 1 });
  const untold = [{ seq: 11, of: 1, what: "seen" as const }];
  w.send({ type: "restored", rows: [rowWith(1)], untold, isAll: true });
  w.send({ type: "muted", seq: 11 });
  assert.deepEqual(kinds(w.refuse()), ["refill"]);
});

test("maker: pending: a notice that is being told is not told again by a refill", () => {
  const w = world();
  const untold = [{ seq: 11, of: 1, what: "seen" as const }];
  w.send({ type: "restored", rows: [], untold, isAll: true });
  assert.deepEqual(w.send({ type: "restored", rows: [], untold, isAll: true }), []);
  w.send({ type: "muted", seq: 11 });
  assert.deepEqual(w.send({ type: "restored", rows: [], untold, isAll: true }), []);
  assert.deepEqual(kinds(w.refuse()), ["refill"], "a refusal is made good");
  w.send({ type: "restored", rows: [], untold, isAll: true });
  w.send({ type: "muted", seq: 11 });
  assert.deepEqual(w.refuse(), [], "but not again and again at once");
  w.to(min);
  assert.equal(kinds(w.out).filter((kind) => kind === "refill").length, 2);
});

test("maker: pending: a row that others changed is looked at anew", () => {
  const w = world();
  w.known(rowWith(1, { txid: "" }));
  const effects = w.known(rowWith(1));
  assert.deepEqual(effects, [
    { type: "ask", token: 2, question: { ask: "tx", txid, address: "bcrt1q1" } },
  ]);
  assert.deepEqual(w.send({ type: "answered", token: 1, answer: payment, unixMs: 7 }), []);
  w.known({ ...rowWith(1), stage: "settled" });
  assert.equal(w.m.held.size + w.m.asking.size, 0);
});

test("maker: pending: at the end ages are recorded and nothing is asked", () => {
  const w = world({ ageStepMs: 600_000 });
  w.known(rowWith(1));
  for (let i = 1; i <= 3; i += 1) {
    w.answer(absent());
    w.to(i * min);
  }
  const effects = w.send({ type: "stopping" });
  assert.deepEqual(effects, [
    { type: "record", token: 5, body: `{"v":1,"k":"aged","of":1,"ms":120000}` },
  ]);
  w.durable();
  w.to(100 * min);
  assert.equal(w.m.asking.size, 0);
});

test("maker: pending: hazard 5: hazard 19: wall time is written down and decides nothing", () => {
  const play = (wallAt: (i: number) => number) => {
    const w = world();
    w.known(rowWith(1));
    for (let i = 1; i <= 100; i += 1) {
      for (const token of w.m.asking.keys()) {
        w.send({ type: "answered", token, answer: absent(), unixMs: wallAt(i) });
      }
      w.durable();
      w.to(i * min);
    }
    return w.out.map((effect) => JSON.stringify(effect).replace(/\\"at\\":-?[0-9]+/, ""));
  };
  const steady = play((i) => 1_732_000_000_000 + i * min);
  assert.deepEqual(play((i) => 1_732_000_000_000 + (i % 2) * 86_400_000), steady);
  assert.deepEqual(play(() => 5), steady);
});

test("maker: pending: relations of the configuration", () => {
  const wrong: readonly Partial<pending.Config>[] = [
    { timeoutMs: 599_999 }, { timeoutMs: 86_400_001 }, { warnMs: 3_600_001 }, { checkMs: 0 },
    { lateCheckMs: 59_999 }, { ageStepMs: 0 }, { creditMaxMs: 59_999 }, { askMs: 0 },
    { questionsMax: 0 }, { settledMin: 0 }, { watchedMax: 0 }, { noticesMax: 0 },
  ];
  for (const one of wrong) {
    assert.throws(() => pending.create({ ...pending.defaults, ...one }), InvariantError);
  }
  for (const timeoutMs of [600_000, 86_400_000]) {
    pending.create({ ...pending.defaults, warnMs: 1, timeoutMs });
  }
});

type Told =
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "durable" | "refuse" | "told" | "mute" }
  | pending.Event;
type S = { readonly m: pending.Pending; readonly rows: Map<number, Row>; seq: number };

function stepLaws(s: S, event: Told, now: Mono, out: pending.Effect[]): void {
  const { m } = s;
  const send = (one: pending.Event): void => pending.step(m, one, now, out);
  const [token] = [...m.recording.keys(), ...m.muting.keys()];
  const [asked] = m.asking.keys();
  const [telling] = m.telling;
  switch (event.type) {
    case "answer":
      return asked === undefined ? undefined
        : send({ type: "answered", token: asked, answer: event.answer, unixMs: 5 });
    case "durable":
      s.seq += 1;
      return token === undefined ? undefined : send({ type: "durable", token, seq: s.seq });
    case "refuse": return token === undefined ? undefined : send({ type: "refused", token });
    case "told": case "mute":
      return telling === undefined ? undefined
        : send({ type: event.type === "mute" ? "muted" : "told", seq: telling });
    case "known": case "restored": case "answered": case "refused": case "muted":
    case "stopping": case "tick":
      return send(event as pending.Event);
    default: assert.fail("an event that nobody sends");
  }
}

test("maker: pending: the four laws", () => {
  const config: pending.Config = {
    ...pending.defaults, checkMs: 100, lateCheckMs: 400, askMs: 50, questionsMax: 2,
    ageStepMs: 200, creditMaxMs: 200, watchedMax: 3, lateMax: 2, noticesMax: 2,
    noticesQueuedMax: 2,
  };
  const answers = fc.constantFrom<Answer>(
    inPool, inBlock(1), inBlock(6), inBlock(-1), inBlock(-9), absent(), down, payment,
  );
  const rows = fc.constantFrom(
    rowWith(1), rowWith(2, { txid: "" }), rowWith(3), rowWith(4, { completedUs: 1 }),
    rowWith(5, { completedUs: 1, txid: "" }), rowWith(6), rowWith(7, { completedUs: 1 }),
    rowWith(8, { txid: "", destination: "" }),
  );
  const event: fc.Arbitrary<Told> = fc.oneof(
    { weight: 3, arbitrary: rows.map((row) => ({ type: "known" as const, row })) },
    { weight: 6, arbitrary: answers.map((answer) => ({ type: "answer" as const, answer })) },
    { weight: 4, arbitrary: fc.constant({ type: "durable" as const }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Told>({ type: "refuse" }, { type: "told" }, { type: "mute" }),
    },
  );
  const subject: Subject<S, Told, pending.Effect> = {
    create: () => ({ m: pending.create(config), rows: new Map(), seq: 100 }),
    step: stepLaws,
    deadline: ({ m }) => pending.deadline(m),
    tick: { type: "tick" },
    settleMs: 1_500,
    holds: ({ m }) => {
      assert.ok(m.asking.size <= config.questionsMax);
      assert.ok(m.held.size - m.lates <= config.watchedMax + 2, "given up may come back");
      assert.ok(m.lates <= config.lateMax);
      assert.ok(m.telling.size <= config.noticesMax);
      assert.ok(m.untold.size <= config.noticesQueuedMax);
      const late = [...m.held.values()].filter((one) => one.watch.stage === "given-up").length;
      assert.equal(late, m.lates);
      for (const [id, { phase }] of m.held) {
        const places = [m.urgent, m.active, m.late].filter((queue) => queue.has(id)).length;
        assert.equal(places, phase.is === "idle" ? 1 : 0, "one thing is under way, or it waits");
      }
    },
    // Nobody answers: in 100 ms and some rounds of 50 everything is asked about again.
    lives: (run: Run<S, Told, pending.Effect>) => {
      const asked = new Set<string>();
      for (const { at, effects } of run.steps) {
        if (at < run.now - 900) continue;
        for (const effect of effects) {
          if (effect.type === "ask") asked.add(JSON.stringify(effect.question));
        }
      }
      for (const { watch: w, phase } of run.state.m.held.values()) {
        if (phase.is === "recording") continue;
        const name = w.txid === "" ? w.destination : w.txid;
        assert.ok([...asked].some((one) => one.includes(name)), `${w.id} was forgotten`);
      }
    },
  };
  fc.assert(fc.property(scripts(event, 120, 40, true), (script) => {
    laws(subject, script);
  }), { numRuns: 60 });
});

test("maker: pending: a change is the same to the watch and to the book", () => {
  const w = world();
  const row = rowWith(1, { txid: "" });
  w.known(row);
  w.answer(payment);
  w.durable();
  for (const answer of [inPool, inBlock(1), inPool]) {
    w.answer(answer);
    w.durable();
    w.to(w.now() + min);
  }
  const list = w.out.flatMap((effect) => {
    const decoded = effect.type === "record" ? decode(effect.body) : undefined;
    return decoded?.ok === true ? [decoded.value as Change] : [];
  });
  const folded = list.reduce(apply, row);
  const held = w.m.held.get(1)?.watch;
  assert.deepEqual([held?.txid, held?.stage, held?.isSeen, held?.hasWarned],
    [folded.entry.txid, folded.stage, folded.isSeen, folded.hasWarned]);
});
