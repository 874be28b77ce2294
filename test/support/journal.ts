/**
 * A journal process on a simulated disk, watched by its observer and driven by a test: no network,
 * no world.
 *
 * Every step runs twice (M13, double drive). A process dies after a given number of effects,
 * counted from the beginning of the run, so that a test can die at every boundary.
 * @module
 */
import assert from "node:assert/strict";
import * as record from "../../core/history/record.ts";
import type { StoreEffect } from "../../core/history/store.ts";
import type { Tick, WakeEffect } from "../../core/kernel/io.ts";
import * as kernel from "../../core/kernel/kernel.ts";
import * as prng from "../../core/prng.ts";
import { mono } from "../../core/time.ts";
import * as actor from "../../sim/actors/journal.ts";
import * as disk from "../../sim/disk.ts";
import * as observer from "../../sim/invariants/journal.ts";
import type { Violation } from "../../sim/invariants/violation.ts";

export type Effect = actor.JournalEffect | WakeEffect;
type Event = actor.JournalEvent | Tick;

export type Death = { readonly afterEffects: number; readonly power: boolean };

export type Rig = {
  readonly disk: disk.Disk;
  readonly observer: observer.Observer;
  readonly limits: Partial<actor.JournalConfig["journal"]>;
  readonly violations: Violation[];
  readonly effects: Effect[];
  /** Deaths to come, soonest first. */
  readonly deaths: Death[];
  kernel: kernel.Kernel<actor.Journal, actor.JournalEvent, actor.JournalEffect> | undefined;
  answers: { readonly atUs: number; readonly event: Event }[];
  life: number;
  nowUs: number;
};

export type Options = {
  readonly seed?: string;
  readonly capacityBytes?: number;
  readonly limits?: Rig["limits"];
  readonly deaths?: readonly Death[];
};

/** A process that runs on an empty disk. */
export function rig(options: Options = {}): Rig {
  const r: Rig = {
    disk: disk.create(options.capacityBytes, prng.stream(prng.key(options.seed ?? "disk"))),
    observer: observer.create(), limits: options.limits ?? {}, violations: [], effects: [],
    deaths: [...options.deaths ?? []], kernel: undefined, answers: [], life: 0, nowUs: 1_000_000,
  };
  boot(r);
  return r;
}

/** The next process starts. */
export function boot(r: Rig): void {
  assert.equal(r.kernel, undefined);
  r.life += 1;
  const config = actor.configOf("journal0", r.life);
  const now = nowOf(r);
  const limited = { ...config, journal: { ...config.journal, ...r.limits } };
  r.kernel = kernel.create(actor.root, actor.create(limited, now), now, false);
  deliver(r, { type: "started" });
}

/** The process dies now. */
export function die(r: Rig, power: boolean): void {
  r.kernel = undefined;
  r.answers = [];
  disk.crash(r.disk, power, r.nowUs);
  observer.crashed(r.observer);
  const bodies = wholeBodies(r);
  r.violations.push(...observer.reloaded(r.observer, bodies));
}

/** What anybody would read from the disk: whole records only. */
export function wholeBodies(r: Rig): readonly string[] {
  const bytes = disk.contents(r.disk);
  const found = record.scan(bytes, 32_768);
  assert.ok(found.ok, `the file is damaged: ${found.ok ? "" : found.fault.text}`);
  return observer.bodiesOf(bytes.subarray(0, found.value.end));
}

/** Asks for `count` records of `bytes` bytes. */
export function ask(r: Rig, count: number, bytes = 80): void {
  deliver(r, { type: "asked", task: { op: "append", count, bytes } });
}

/** Takes the rig `ms` further; a process that died starts again at once. */
export function pass(r: Rig, ms: number): void {
  const untilUs = r.nowUs + ms * 1_000;
  for (let i = 0; i < 10_000 && nextUs(r) <= untilUs; i += 1) step(r);
  r.nowUs = untilUs;
}

/** When the next answer or tick is due; now if the process has to start. */
function nextUs(r: Rig): number {
  if (r.kernel === undefined) return r.nowUs;
  const wakeUs = r.kernel.wakeAt * 1_000;
  return Math.min(r.answers[0]?.atUs ?? wakeUs, wakeUs);
}

/** The next thing that happens: a start, an answer of the disk, or a tick. */
export function step(r: Rig): void {
  if (r.kernel === undefined) return boot(r);
  const atUs = nextUs(r);
  r.nowUs = Math.max(r.nowUs, atUs);
  const answer = r.answers[0];
  if (answer?.atUs !== atUs) return void deliver(r, kernel.TICK);
  r.answers.shift();
  deliver(r, answer.event);
}

function nowOf(r: Rig): ReturnType<typeof mono> {
  return mono(Math.floor(r.nowUs / 1_000));
}

/** One step, and what the host does about it. */
export function deliver(r: Rig, event: Event): readonly Effect[] {
  const k = r.kernel;
  if (k === undefined) return [];
  const now = nowOf(r);
  const { effects, violations } = observer.stepDouble(k, event, now);
  r.violations.push(...violations, ...observer.observe(r.observer, event, effects, now));
  for (const effect of effects) {
    if (isDying(r)) return effects;
    r.effects.push(effect);
    if ("req" in effect) perform(r, effect);
    if (r.kernel === undefined) return effects;
  }
  isDying(r);
  return effects;
}

function perform(r: Rig, order: StoreEffect): void {
  disk.order(r.disk, order, r.nowUs, (atUs, event) => r.answers.push({ atUs, event }));
  if (disk.isTorn(r.disk)) die(r, true);
}

function isDying(r: Rig): boolean {
  const death = r.deaths[0];
  if (r.kernel === undefined || death === undefined) return false;
  if (r.effects.length < death.afterEffects) return false;
  r.deaths.shift();
  die(r, death.power);
  return true;
}

/** Every fact of one kind, in order. */
export function facts<K extends actor.JournalTold["type"]>(
  r: Rig, type: K,
): readonly Extract<actor.JournalTold, { readonly type: K }>[] {
  return r.effects.flatMap((effect) => {
    if (effect.type !== "told" || effect.what.type !== type) return [];
    return [effect.what as Extract<actor.JournalTold, { readonly type: K }>];
  });
}

/** The codes of log lines, in order. */
export function logs(r: Rig): readonly string[] {
  return r.effects.flatMap((effect) => (effect.type === "log" ? [effect.code] : []));
}

/** Nothing waits, nothing is wrong, and the file holds what was announced. */
export function assertQuiet(r: Rig): void {
  assert.deepEqual(r.violations, []);
  assert.equal(observer.waitingSince(r.observer), undefined);
  assert.deepEqual(wholeBodies(r), r.observer.kept);
}
