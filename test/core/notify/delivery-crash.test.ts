/**
 * The outbox over the real journal on a simulated disk: processes die after any number of effects,
 * with and without power.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unreachable } from "../../../core/assert.ts";
import * as journal from "../../../core/history/journal.ts";
import * as record from "../../../core/history/record.ts";
import type { StoreEvent } from "../../../core/history/store.ts";
import { defaults, type Config } from "../../../core/notify/config.ts";
import * as delivery from "../../../core/notify/delivery.ts";
import type { Effect, Event } from "../../../core/notify/events.ts";
import * as letters from "../../../core/notify/letter.ts";
import type { Notice } from "../../../core/notify/notice.ts";
import * as prng from "../../../core/prng.ts";
import { mono, type Mono } from "../../../core/time.ts";
import * as disk from "../../../sim/disk.ts";

const config: Config = {
  ...defaults, label: "", off: [], recordMs: 500, runsMax: 50,
  targets: [
    { kind: "webhook", to: "a", path: "/a", priorityMin: "low" },
    { kind: "webhook", to: "b", path: "/b", priorityMin: "low" },
  ],
  gate: { ...defaults.gate, routineMax: 999 },
};

/** A process: both machines. The disk and what targets got outlive it. */
type World = {
  readonly disk: disk.Disk; readonly got: Map<string, number>;
  /** Told and known to be durable, by the state that names each notice. */
  readonly durable: Set<string>;
  nowMs: number; lives: number; effects: number;
  process: { journal: journal.Journal; outbox: delivery.Delivery; bornMs: number } | undefined;
  answers: { readonly atMs: number; readonly event: StoreEvent | Event }[];
  deaths: { readonly afterEffects: number; readonly power: boolean }[];
  /** Of records, to the letter's name. */
  readonly names: Map<number, string>;
};

function now(w: World): Mono {
  return mono(w.nowMs - (w.process?.bornMs ?? 0));
}

function boot(w: World): void {
  w.lives += 1;
  w.names.clear();
  w.process = {
    journal: journal.create(journal.defaults), bornMs: w.nowMs,
    outbox: delivery.create(config, prng.key(`life ${w.lives}`)),
  };
  toJournal(w, { type: "opened" });
}

function mayGoOn(w: World): boolean {
  if (w.process === undefined) return false;
  w.effects += 1;
  const death = w.deaths[0];
  if (death === undefined || w.effects < death.afterEffects) return true;
  w.deaths.shift();
  w.process = undefined;
  w.answers = [];
  disk.crash(w.disk, death.power, w.nowMs * 1_000);
  return false;
}

function toJournal(w: World, event: journal.Event): void {
  const p = w.process;
  if (p === undefined) return;
  const out: journal.Effect[] = [];
  journal.step(p.journal, event, now(w), out);
  for (const effect of out) {
    if (!mayGoOn(w)) return;
    switch (effect.type) {
      case "store.load": case "store.append": case "store.sync": case "store.truncate":
        disk.order(w.disk, effect, w.nowMs * 1_000, (atUs, answer) =>
          w.answers.push({ atMs: Math.ceil(atUs / 1_000), event: answer }));
        break;
      case "ready":
        record.each(effect.bytes, effect.end, (_, body) =>
          toOutbox(w, { type: "replayed", body }));
        toOutbox(w, { type: "opened", unixMs: w.nowMs });
        break;
      case "durable": {
        const name = w.names.get(effect.token);
        if (name !== undefined) w.durable.add(name);
        toOutbox(w, { type: "durable", token: effect.token });
        break;
      }
      case "refused": toOutbox(w, { type: "refused", token: effect.token }); break;
      case "failing": case "recovered": case "slow": case "broken": break;
      default: return unreachable(effect);
    }
  }
}

function toOutbox(w: World, event: Event): void {
  const p = w.process;
  if (p === undefined) return;
  const out: Effect[] = [];
  delivery.step(p.outbox, event, now(w), out);
  for (const effect of out) {
    if (!mayGoOn(w)) return;
    if (effect.type === "record") {
      const decoded = letters.decode(effect.body);
      assert.ok(decoded.ok);
      if (decoded.value.type === "notice") w.names.set(effect.token, decoded.value.state);
      toJournal(w, { type: "asked", token: effect.token, body: effect.body });
    } else if (effect.type === "req.start") {
      const key = `${effect.to} ${/Version ([0-9.]+) is/.exec(effect.body)?.[1]}`;
      w.got.set(key, (w.got.get(key) ?? 0) + 1);
      const done: Event = { type: "req.done", req: effect.req, status: 200, body: "" };
      w.answers.push({ atMs: w.nowMs + 3, event: done });
    }
  }
}

function runTo(w: World, untilMs: number): void {
  for (let steps = 0; ; steps += 1) {
    assert.ok(steps < 10_000);
    if (w.process === undefined) boot(w);
    const p = w.process;
    if (p === undefined) continue;
    w.answers.sort((x, y) => x.atMs - y.atMs);
    const dueAt = Math.min(journal.deadline(p.journal), delivery.deadline(p.outbox)) + p.bornMs;
    const atMs = Math.min(dueAt, w.answers[0]?.atMs ?? dueAt);
    if (atMs > untilMs) break;
    w.nowMs = Math.max(w.nowMs, atMs);
    const answer = w.answers[0]?.atMs === atMs ? w.answers.shift() : undefined;
    if (answer === undefined) {
      toJournal(w, { type: "tick" });
      toOutbox(w, { type: "tick" });
    } else if (answer.event.type.startsWith("store.")) {
      toJournal(w, answer.event as StoreEvent);
    } else {
      toOutbox(w, answer.event as Event);
    }
  }
  w.nowMs = untilMs;
}

const update = (n: number): Notice =>
  ({ kind: "update-available", version: `1.0.${n}`, current: "0.0.0" });

/** The records of notices that anybody would read from the disk. */
function records(w: World): readonly letters.Record[] {
  const bytes = disk.contents(w.disk);
  const found = record.scan(bytes, journal.defaults.tornBytesMax);
  assert.ok(found.ok);
  const all: letters.Record[] = [];
  record.each(bytes, found.value.end, (_, body) => {
    const decoded = letters.decode(body);
    assert.ok(decoded.ok);
    all.push(decoded.value);
  });
  return all;
}

function world(seed: number, deaths: World["deaths"]): World {
  return {
    disk: disk.create(undefined, prng.stream(prng.key(`${seed}`))), got: new Map(),
    durable: new Set(), nowMs: 1_000_000, lives: 0, effects: 0, process: undefined, answers: [],
    deaths: [...deaths], names: new Map(),
  };
}

function check(w: World): void {
  assert.ok(w.process !== undefined);
  for (const { waiting } of delivery.status(w.process.outbox)) assert.equal(waiting, 0);
  const all = records(w);
  const begun = all.flatMap((r) => (r.type === "notice" ? [r] : []));
  for (const name of w.durable) {
    assert.equal(begun.filter((r) => r.state === name).length, 1, "recorded, and once");
    for (const to of ["a", "b"]) assert.ok(w.got.has(`${to} ${name}`), "durable and never sent");
  }
  for (const copies of w.got.values()) assert.ok(copies <= w.lives, "a copy for each life at most");
  const sent = all.flatMap((r) => (r.type === "notice-sent" ? [`${r.id} ${r.to}`] : []));
  assert.equal(new Set(sent).size, begun.length * 2, "every letter is sent to both, and known");
}

test("notify: delivery: a crash at any effect loses nothing durable, repeats little (M13)", () => {
  const death = fc.record({ afterEffects: fc.integer({ min: 1, max: 60 }), power: fc.boolean() });
  const deaths = fc.array(death, { maxLength: 5 }).map((list) =>
    list.toSorted((x, y) => x.afterEffects - y.afterEffects));
  const count = fc.integer({ min: 1, max: 8 });
  fc.assert(fc.property(deaths, count, fc.integer(), (list, notices, seed) => {
    const w = world(seed, list);
    runTo(w, w.nowMs + 20);
    for (let n = 0; n < notices; n += 1) {
      const p = w.process;
      // What was told once is not told again, though this process does not know that it was.
      if (p !== undefined) toOutbox(w, { type: "told", notice: update(n % 4), unixMs: w.nowMs });
      runTo(w, w.nowMs + 7);
    }
    runTo(w, w.nowMs + 200_000);
    check(w);
  }), { numRuns: 120 });
});

test("notify: delivery: at every single boundary of a run a process may die", () => {
  const dry = world(1, []);
  const scenario = (w: World): void => {
    runTo(w, w.nowMs + 20);
    toOutbox(w, { type: "told", notice: update(1), unixMs: w.nowMs });
    runTo(w, w.nowMs + 100_000);
    toOutbox(w, { type: "told", notice: update(1), unixMs: w.nowMs });
    runTo(w, w.nowMs + 100_000);
    check(w);
    assert.deepEqual([...w.got.keys()].toSorted((x, y) => (x < y ? -1 : 1)), [
      "a 1.0.1", "b 1.0.1",
    ]);
  };
  scenario(dry);
  assert.ok(dry.effects > 8);
  for (let afterEffects = 1; afterEffects <= dry.effects; afterEffects += 1) {
    for (const power of [false, true]) scenario(world(1, [{ afterEffects, power }]));
  }
});
