/**
 * The search: seeds out to the workers, results in again, in the order of seeds.
 *
 * Rule 1: results are merged in order, so what is found does not depend on which worker was faster.
 * Rule 2: one seed in `twiceEvery` is run by another worker as well, after other seeds: its digest
 * must be the same.
 * @module
 */
import type { Answer, Recipe, RunOptions } from "./job.ts";
import type { Pool } from "./pool.ts";
import { type Range, seedAt, type Shard, sizeOf } from "./seeds.ts";
import { add, addTwice, type Found, type Tally } from "./tally.ts";

export type Plan = {
  readonly recipe: Recipe;
  readonly options: RunOptions;
  readonly range: Range;
  readonly shard: Shard;
};

/** How far a search is. */
export type Progress = {
  /** Seeds of this shard that were merged. */
  next: number;
  readonly tally: Tally;
};

export type Hooks = {
  /** Start no more seeds; what is under way is still merged. */
  readonly isOver: () => boolean;
  /** A result was merged; true ends the search here, whatever is under way. */
  readonly merged: (found: Found | undefined) => boolean;
};

/** One seed in so many is run twice. */
export const twiceEvery = 20;
const aheadPerWorker = 4;

type Pair = { readonly first: Answer; readonly second: Answer | undefined };

/** Searches on from `progress` until the range is through or the hooks say so. */
export async function search(
  pool: Pool, plan: Plan, progress: Progress, hooks: Hooks,
): Promise<void> {
  const total = sizeOf(plan.range, plan.shard);
  const ahead: Promise<Pair>[] = [];
  let issued = progress.next;
  for (;;) {
    while (ahead.length < aheadPerWorker * pool.size && issued < total && !hooks.isOver()) {
      ahead.push(both(pool, plan, issued));
      issued += 1;
    }
    const head = ahead.shift();
    if (head === undefined) return;
    const found = merge(progress, plan, await head);
    if (hooks.merged(found)) return;
  }
}

async function both(pool: Pool, plan: Plan, nth: number): Promise<Pair> {
  const seed = seedAt(plan.range, plan.shard, nth);
  const job = {
    what: { seed, recipe: plan.recipe }, options: plan.options, checkpoints: false, traps: true,
  };
  const first = await pool.submit(job);
  if (nth % twiceEvery !== 0) return { first: first.answer, second: undefined };
  const second = await pool.submit(job, first.worker);
  return { first: first.answer, second: second.answer };
}

function merge(progress: Progress, plan: Plan, { first, second }: Pair): Found | undefined {
  const { tally, next } = progress;
  const seed = seedAt(plan.range, plan.shard, next);
  const place = plan.shard.at - 1 + next * plan.shard.of;
  progress.next += 1;
  if (first.ok && second?.ok === true) {
    addTwice(tally, seed, first.outcome.digest, second.outcome.digest);
  }
  return add(tally, seed, place, first);
}
