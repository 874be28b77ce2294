/**
 * The pool with real processes and an engine that fails on purpose.
 * @module
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createAmbient } from "../../../adapters/ambient.ts";
import { unadjusted } from "../../../cli/sim/adjust.ts";
import { plainOptions } from "../../../cli/sim/flags.ts";
import type { Job } from "../../../cli/sim/job.ts";
import { createPool, type Pool } from "../../../cli/sim/pool.ts";
import { seedText } from "../../../cli/sim/seeds.ts";
import { folder } from "../capture.ts";
import { fakeLib } from "./fake.ts";
import { entry } from "./program.ts";

const temp = folder();
after(temp.remove);
const lib = fakeLib(temp.path);
const ambient = createAmbient();
const program = entry();

function job(seed: number): Job {
  return {
    what: { seed: seedText(BigInt(seed)), recipe: { profile: "std", adjust: unadjusted } },
    options: plainOptions, checkpoints: false, traps: true,
  };
}

async function withPool(size: number, work: (pool: Pool) => Promise<void>): Promise<void> {
  const pool = createPool({ size, ambient, lib, program, silentMs: 1_500 });
  try {
    await work(pool);
  } finally {
    await pool.close();
  }
}

test("sim cli: pool: jobs are done, and by another worker where that is asked", async () => {
  await withPool(2, async (pool) => {
    const seeds = Array.from({ length: 20 }, (_, i) => 256 * i);
    const replies = await Promise.all(seeds.map((seed) => pool.submit(job(seed))));
    for (const [i, { answer }] of replies.entries()) {
      assert.ok(answer.ok);
      assert.equal(answer.outcome.digest, `d${seedText(BigInt(256 * i)).slice(2)}`);
      assert.equal(answer.entries, 5);
    }
    for (const not of [0, 1]) {
      const { worker } = await pool.submit(job(0), not);
      assert.equal(worker, 1 - not);
    }
    assert.deepEqual(pool.deaths, []);
  });
});

test("sim cli: pool: an engine that throws or looks at the clock costs its own seed", async () => {
  await withPool(1, async (pool) => {
    const [thrown, touched, fine] = await Promise.all([0xbb, 0x88, 0x00].map((low) =>
      pool.submit(job(low))));
    assert.ok(thrown !== undefined && !thrown.answer.ok);
    assert.match(thrown.answer.says, /thrown by the engine/);
    assert.equal(touched?.answer.touched, "Date.now");
    assert.ok(fine?.answer.ok);
  });
});

test("sim cli: pool: a worker that dies or falls silent costs the seed it was at", async () => {
  await withPool(1, async (pool) => {
    const replies = await Promise.all([0x00, 0x77, 0x01, 0x99, 0x02].map((low) =>
      pool.submit(job(low))));
    assert.deepEqual(replies.map(({ answer }) => answer.ok), [true, false, true, false, true]);
    const says = replies.map(({ answer }) => (answer.ok ? "" : answer.says));
    assert.match(says[1] ?? "", /^its worker died: exit code 9/);
    assert.match(says[3] ?? "", /^its worker was silent for 2 s/);
    assert.equal(pool.deaths.length, 4, "each is tried twice");
  });
});

test("sim cli: pool: an engine that cannot be loaded is no endless loop", async () => {
  const pool = createPool({ size: 1, ambient, program, lib: `${temp.path}/none` });
  const { answer } = await pool.submit(job(1));
  assert.ok(!answer.ok);
  assert.match(answer.says, /its worker died: exit code/);
  await pool.close();
});
