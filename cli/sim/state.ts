/**
 * A hunt on disk: what it looks for, how far it is, what it has found. Hunts resume from it and
 * shards are merged from it.
 *
 * Rule 1: results of other code, profiles or flags are never mixed.
 * Rule 2: a file that is no hunt is refused with its name, not guessed at.
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { readJson, writeWhole } from "./files.ts";
import type { Plan, Progress } from "./search.ts";
import { readSeed, type Read, seedText, shortSeed } from "./seeds.ts";
import type { Tally } from "./tally.ts";

export type HuntState = {
  readonly plan: Plan;
  readonly code: string;
  /** Flags that draw the same scenarios. */
  readonly again: readonly string[];
  readonly progress: Progress;
};

const count = z.int().min(0);
const counts = z.record(z.string(), z.looseObject({}));
const schema = z.looseObject({
  hunt: z.literal(1),
  code: z.string(),
  again: z.array(z.string()),
  plan: z.looseObject({
    recipe: z.looseObject({ profile: z.string(), adjust: z.looseObject({}) }),
    options: z.looseObject({ checks: z.boolean(), eventsMax: count }),
    range: z.strictObject({ from: z.string(), count: z.int().min(1) }),
    shard: z.strictObject({ at: z.int().min(1), of: z.int().min(1) }),
  }),
  next: count,
  tally: z.looseObject({
    seeds: count, steps: count, virtualMs: count, wallMs: count, twice: count,
    goals: counts, faults: counts, gauges: counts, found: z.array(z.looseObject({})),
    differing: z.array(z.looseObject({})), touched: z.array(z.looseObject({})),
    broken: z.array(z.looseObject({})), spent: z.array(z.string()),
  }),
});

/** Where a hunt keeps its state. */
export function stateFile(folder: string, { recipe, range, shard }: Plan): string {
  const part = shard.of === 1 ? "" : `-${shard.at}of${shard.of}`;
  const from = shortSeed(seedText(range.from));
  return join(folder, `hunt-${recipe.profile}-${from}-${range.count}${part}.json`);
}

/** Writes it in one piece. Throws `Unwritten`. */
export function saveState(file: string, { plan, code, again, progress }: HuntState): void {
  const range = { from: seedText(plan.range.from), count: plan.range.count };
  const { next, tally } = progress;
  const all = { hunt: 1, code, again, plan: { ...plan, range }, next, tally };
  writeWhole(file, `${JSON.stringify(all)}\n`);
}

/** Reads a hunt's state back. */
export function loadState(file: string): Read<HuntState> {
  const raw = readJson(file);
  if (!raw.ok) return raw;
  const parsed = schema.safeParse(raw.value);
  const from = readSeed(parsed.success ? parsed.data.plan.range.from : "");
  if (!parsed.success || !from.ok) return { ok: false, says: `${file}: not the state of a hunt` };
  const { plan, code, again, next, tally } = parsed.data;
  const range = { from: from.value, count: plan.range.count };
  const progress: Progress = { next, tally: tally as unknown as Tally };
  const whole = { ...plan, range } as unknown as Plan;
  return { ok: true, value: { plan: whole, code, again, progress } };
}

/** The hunt in `folder` that was saved last, if any. */
export function newestState(folder: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  const files = names.filter((name) => /^hunt-.*\.json$/.test(name))
    .map((name) => join(folder, name))
    .map((file) => ({ file, at: statSync(file).mtimeMs }))
    .sort((a, b) => b.at - a.at || (a.file < b.file ? -1 : 1));
  return files[0]?.file;
}
