/**
 * The canary: a planted look at the clock that the checks of determinism have to find. If they do
 * not, nothing that they say is worth anything.
 *
 * Rule 1: two legs. With traps the planted look must throw at once; without them the runs of one
 * seed must come out different.
 * Rule 2: the clock is planted where every line goes through, so that one seed is enough; a few
 * are tried, because two runs may agree by chance.
 * @module
 */
import { join } from "node:path";
import type { Ambient } from "../../adapters/ambient.ts";
import { unadjusted } from "./adjust.ts";
import { plainOptions } from "./flags.ts";
import type { Answer, Job } from "./job.ts";
import { type Patch, plant } from "./mutate-library.ts";
import { createPool, type Pool } from "./pool.ts";
import { seedText } from "./seeds.ts";

/** How one check did; `caught` says what it found, `undefined` means that it found nothing. */
export type CanaryLeg = { readonly leg: "traps" | "twice"; readonly caught: string | undefined };

/** The flush of a window comes a millisecond later in every other millisecond of the day. */
export const canaryPatch: Patch = {
  file: "core/outbox.js",
  find: "const soon = after(now, 1);",
  replace: "const soon = after(now, 1 + Date.now() % 2);",
};

const tries = 5;

/**
 * Plants the canary in a copy of `lib` below `folder` and has both checks look for it. Throws if
 * the patch does not fit.
 */
export async function canary(
  lib: string, folder: string, ambient: Pick<Ambient, "now" | "every">,
): Promise<readonly CanaryLeg[]> {
  const planted = plant(lib, join(folder, "canary"), [canaryPatch]);
  if (!planted.ok) throw new Error(`the canary: ${planted.says}`);
  const pool = createPool({ size: 1, ambient, lib: planted.lib });
  const legs: CanaryLeg[] = [
    { leg: "traps", caught: await first(pool, trapped) },
    { leg: "twice", caught: await first(pool, twice) },
  ];
  await pool.close();
  return legs;
}

async function first(
  pool: Pool, look: (pool: Pool, seed: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (let nth = 1; nth <= tries; nth += 1) {
    const caught = await look(pool, seedText(BigInt(nth)));
    if (caught !== undefined) return caught;
  }
  return undefined;
}

async function trapped(pool: Pool, seed: string): Promise<string | undefined> {
  const { answer } = await pool.submit(jobOf(seed, true));
  return answer.touched === undefined ? undefined : `seed ${seed} reached for ${answer.touched}`;
}

async function twice(pool: Pool, seed: string): Promise<string | undefined> {
  const job = jobOf(seed, false);
  const [a, b] = await Promise.all([pool.submit(job), pool.submit(job)]);
  const digests = [digestOf(a.answer), digestOf(b.answer)];
  return digests[0] === digests[1] ? undefined : `seed ${seed} gave ${digests.join(" and ")}`;
}

function digestOf(answer: Answer): string {
  return answer.ok ? answer.outcome.digest : answer.says;
}

function jobOf(seed: string, traps: boolean): Job {
  const what = { seed, recipe: { profile: "smoke" as const, adjust: unadjusted } };
  return { what, options: plainOptions, checkpoints: false, traps };
}
