import assert from "node:assert/strict";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { createAmbient } from "../../../adapters/ambient.ts";
import { exits } from "../../../cli/exit.ts";
import { canary } from "../../../cli/sim/canary.ts";
import { plainOptions } from "../../../cli/sim/flags.ts";
import { mutate, pageFile, recordFile } from "../../../cli/sim/mutate.ts";
import {
  createControl, hunt, nthOf, placeAt, plantedPool, retry, type Search, worldsOf,
} from "../../../cli/sim/mutate-hunt.ts";
import { isLibrary, libraryHere, plant } from "../../../cli/sim/mutate-library.ts";
import {
  inOrder, lineOf, median, page, type Recorded, recordOf, type Row, sumOf, survivors,
} from "../../../cli/sim/mutate-report.ts";
import { seedText } from "../../../cli/sim/seeds.ts";
import { type Mutant, mutants } from "../../../sim/mutants.ts";
import { compileLibrary } from "../../support/compiled.ts";
import { folder } from "../capture.ts";

const ambient = createAmbient();

function put(root: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(root, name)), { recursive: true });
    fs.writeFileSync(join(root, name), text);
  }
  return root;
}

/** An engine: what it finds and the digest, as code about `s.name` and `n`, the seed. */
function engine(root: string, finding: string, digest: string): string {
  return put(root, {
    "package.json": `{ "type": "module" }`,
    "core/none.js": "",
    "sim/generate.js": "export const generate = (name, seed) => " +
      "({ name, seed, faults: [], triggers: [] });\n",
    "sim/runner.js": `const calls = [];
export function run(s) {
  const n = Number(s.seed);
  calls.push(n);
  const id = ${finding};
  const finding = id === undefined ? undefined : { id, says: "seen" };
  return { verdict: finding ? "safety" : "pass", finding, digest: String(${digest}) };
}
export const begin = (s) => ({ s, world: { steps: 0 } });
export const advance = () => false;
export const outcome = ({ s }) => run(s);
`,
  });
}

/** From which seed on the planted engine does what. */
const from = {
  kills: 0n, nothing: 1_000n, others: 2_000n, differs: 3_000n, throws: 4_000n, clock: 5_000n,
} as const;

const at = folder();
const control = createControl(
  engine(join(at.path, "a"), `s.name === "chaos" && n === 3 ? "D9" : undefined`, "n"),
  plainOptions, ambient,
);
const rule = `n < 1000
    ? (s.name === "chaos" && n >= 3 ? "D2" : undefined)
    : n >= 5000 && Date.now() < 0 || n >= 4000 && n < 5000 && n.nothing.at ? "D3" : undefined`;
const marks = `n < 2000 ? n : n < 3000 ? (n % 2 ? n : "other") : calls.length`;
const pool = plantedPool(engine(join(at.path, "b"), rule, marks), ambient);

after(async () => {
  await Promise.all([pool.close(), control.close()]);
  at.remove();
});

function search(first: bigint): Search {
  return { profiles: ["smoke", "chaos"], from: first, seedsMax: 20, options: plainOptions };
}

test("sim mutate: plant: only the patched file differs, and the library stays as it was", () => {
  const own = folder();
  const lib = put(join(own.path, "lib"), {
    "core/a.js": "let a = 1;\n", "core/b/b.js": "let b = 1;\n", "core/b/b.d.ts": "",
    "sim/runner.js": "", "cli/c.js": "",
  });
  const into = join(own.path, "planted");
  fs.mkdirSync(join(into, "core"), { recursive: true });
  fs.writeFileSync(join(into, "core/stale.js"), "");
  const patch = { file: "core/b/b.js", find: "b = 1", replace: "b = 2" };
  assert.deepEqual(plant(lib, into, [patch]), { ok: true, lib: into });
  const read = (file: string): string => fs.readFileSync(join(own.path, file), "utf8");
  assert.equal(read("planted/core/b/b.js"), "let b = 2;\n");
  assert.equal(read("lib/core/b/b.js"), "let b = 1;\n");
  assert.equal(read("planted/core/a.js"), "let a = 1;\n");
  for (const gone of ["cli/c.js", "core/b/b.d.ts", "core/stale.js"]) {
    assert.equal(fs.existsSync(join(into, gone)), false, gone);
  }
  assert.ok(isLibrary(into));
  own.remove();
});

test("sim mutate: plant: a patch that fits twice, never, or nowhere is an error", () => {
  const own = folder();
  const lib = put(join(own.path, "lib"), { "core/a.js": "x; x;\n", "sim/runner.js": "" });
  const says = (file: string, find: string): string | undefined => {
    const planted = plant(lib, join(own.path, "planted"), [{ file, find, replace: "" }]);
    return planted.ok ? undefined : planted.says;
  };
  assert.equal(says("core/a.js", "x"), "the patch fits 2 times in core/a.js, not once");
  assert.equal(says("core/a.js", "y"), "the patch fits 0 times in core/a.js, not once");
  assert.equal(says("core/z.js", "x"), "core/z.js is not in the library");
  own.remove();
});

test("sim mutate: library: found beside the bundle, the build and the sources", () => {
  const own = folder();
  put(own.path, { "dist/lib/sim/runner.js": "", "build/sim/runner.js": "" });
  const here = (file: string): string | undefined => libraryHere(`file://${own.path}/${file}`);
  assert.equal(here("dist/dogwatch.js"), join(own.path, "dist/lib"));
  assert.equal(here("cli/sim/mutate-library.ts"), join(own.path, "dist/lib"));
  assert.equal(here("build/cli/sim/mutate-library.js"), join(own.path, "build"));
  assert.equal(here("elsewhere/dogwatch.js"), undefined);
  own.remove();
});

test("sim mutate: hunt: every profile has the same seeds, in turn", () => {
  const places = [0, 1, 2, 3].map((nth) => placeAt(search(1n), nth));
  assert.deepEqual(places.map(({ profile, seed }) => `${profile} ${Number(seed)}`), [
    "smoke 1", "chaos 1", "smoke 2", "chaos 2",
  ]);
});

test("sim mutate: hunt: the first seed kills that fails with the bug and not without", async () => {
  const { kill, seeds, doubtful } = await hunt(pool, control, search(from.kills));
  assert.deepEqual(kill, {
    profile: "chaos", seed: "0x0000000000000004", id: "D2", says: "seen", seeds: 10,
  });
  assert.equal(seeds, 10);
  assert.equal(doubtful, 1);
});

test("sim mutate: hunt: what no seed shows survives all of them", async () => {
  const { kill, seeds, acted } = await hunt(pool, control, search(from.nothing));
  assert.equal(kill, undefined);
  assert.equal(seeds, 20);
  assert.deepEqual(acted, { seeds: 0, of: 20 });
});

test("sim mutate: hunt: a survivor that changed runs is told apart", async () => {
  const { kill, acted } = await hunt(pool, control, search(from.others));
  assert.equal(kill, undefined);
  assert.deepEqual(acted, { seeds: 10, of: 20 });
});

test("sim mutate: hunt: runs that differ, throw or look at a clock are kills", async () => {
  const seen = async (first: bigint) => (await hunt(pool, control, search(first))).kill;
  assert.equal((await seen(from.differs))?.id, "differs");
  assert.equal((await seen(from.throws))?.id, "thrown");
  const clock = await seen(from.clock);
  assert.equal(clock?.id, "trap");
  assert.match(clock?.says ?? "", /Date/);
});

test("sim mutate: retry: one seed, with the bug and without", async () => {
  const place = (n: number) => ({ profile: "chaos" as const, seed: seedText(BigInt(n)) });
  const doubtful = await retry(pool, control, place(3), plainOptions);
  assert.equal(doubtful.isDoubtful, true);
  const killed = await retry(pool, control, place(4), plainOptions);
  assert.deepEqual(killed, { sight: { id: "D2", says: "seen" }, isDoubtful: false });
});

const dead: Row = {
  id: "dead", aims: "D7", says: "one bug", seeds: 12, spent: 0, doubtful: 2, acted: undefined,
  kill: { profile: "std", seed: "0x0000000000000006", id: "D7", says: "late | late", seeds: 12 },
};
const alive: Row = {
  id: "alive", aims: "D2", says: "another", kill: undefined, seeds: 40, spent: 3, doubtful: 0,
  acted: { seeds: 0, of: 40 },
};

test("sim mutate: report: survivors count as never in the median", () => {
  assert.equal(median([dead, dead, alive]), 12);
  assert.equal(median([dead, alive, alive]), undefined);
  assert.deepEqual(survivors([dead, alive]), [alive]);
  assert.deepEqual(inOrder([dead, alive]), [alive, dead]);
});

test("sim mutate: report: lines and sum name what is not seen", () => {
  const campaign = { rows: [dead, alive], profiles: ["std" as const], seedsMax: 40 };
  assert.match(lineOf(dead), /^dies +D7 +dead: seed 12, std 0x6, D7: late \| late \(2 fail/);
  assert.match(lineOf(alive), /^SURVIVES +D2 +alive: not seen in 40 seeds \(3 not run/);
  assert.match(sumOf(campaign), /^1 of 2 planted bugs were seen/);
  assert.match(sumOf(campaign), /cannot see these within 40 seeds:\n {2}alive: another/);
});

test("sim mutate: page: what is recorded, the median of all, and what nothing shows", () => {
  const patch = { file: "core/a.js", find: "a", replace: "b" };
  const list: readonly Mutant[] = [
    { ...patch, id: "dead", aims: "D7", says: "one | bug" },
    { ...patch, id: "alive", aims: "D2", says: "another" },
    { ...patch, id: "ours", aims: "M1", says: "one of a maker", isMakers: true },
  ];
  const record = {
    dead: { profile: "std" as const, seed: "0x0000000000000003", by: "D7" },
    ours: { profile: "maker" as const, seed: "0x0000000000000002", by: "M1" },
  };
  const text = page(list, record);
  const seeds = nthOf(record.dead, worldsOf());
  assert.ok(text.includes(`| D7 | \`dead\`: one \\| bug | ${seeds} | std | 0x3 | D7 |`), text);
  assert.match(text, /\| M1 \| `ours`: one of a maker \| 2 \| maker \| 0x2 \| M1 \|/);
  assert.match(text, /\| D2 \| `alive`: another \| – \| – \| – \| \*\*nothing\*\* \|/);
  const sum = `2 of 3 are seen, the last after ${seeds} seeds; the median is ${seeds}.`;
  assert.ok(text.includes(sum), text);
  assert.match(text, /By profile: std 1, maker 1\./);
  assert.match(text, /## What the simulator cannot see\n\nNo seed .*\n\n- `alive`: another\n$/);
});

test("sim mutate: page: a seed is counted as the search comes to it", () => {
  for (const of of [{}, { isMakers: true }, { isArks: true }] as const) {
    const from = worldsOf(of);
    const whole: Search = { ...search(1n), profiles: from };
    for (const nth of [0, 1, from.length, 7 * from.length + from.length - 1]) {
      assert.equal(nthOf(placeAt(whole, nth), from), nth + 1);
    }
  }
});

test("sim mutate: page: the documentation says what is recorded", () => {
  const record = JSON.parse(fs.readFileSync(recordFile, "utf8")) as Recorded;
  assert.equal(fs.readFileSync(pageFile, "utf8"), page(mutants, record));
  const known = new Set(mutants.map(({ id }) => id));
  assert.deepEqual(Object.keys(record).filter((id) => !known.has(id)), []);
});

test("sim mutate: report: the record keeps what was not tried and drops what is not seen", () => {
  const old = { profile: "smoke" as const, seed: "0x01", by: "D1" };
  const before = { alive: old, other: old, removed: old };
  assert.deepEqual(recordOf(before, [dead, alive], ["alive", "dead", "other"]), {
    dead: { profile: "std", seed: "0x0000000000000006", by: "D7" }, other: old,
  });
});

test("sim mutate: flags: each wrong one is told, and nothing is planted", async () => {
  let err = "";
  const io = { out: () => {}, err: (text: string) => void (err += text), env: {} };
  const only = "sender-hears-itself,nonsense";
  const code = await mutate({
    only, profile: "odd", seeds: "0", from: "x", lib: "/nowhere",
  }, io);
  assert.equal(code, exits.usage);
  for (const flag of ["--only nonsense", "--profile odd", "--seeds 0", "--from x", "--lib /no"]) {
    assert.ok(err.includes(flag), `${flag} in ${err}`);
  }
});

test("sim mutate: a patch that does not fit the library ends the campaign", async () => {
  const own = folder();
  let err = "";
  const io = { out: () => {}, err: (text: string) => void (err += text), env: {} };
  const lib = engine(join(own.path, "lib"), "undefined", "n");
  const out = join(own.path, "out");
  const code = await mutate({ only: "sender-hears-itself", lib, out, jobs: "1" }, io);
  own.remove();
  assert.equal(code, exits.failed);
  assert.match(err, /sender-hears-itself: core\/outbox\.js is not in the library/);
});

test("sim mutate: canary: both checks of determinism find a planted clock", async () => {
  const own = folder();
  const lib = join(own.path, "lib");
  compileLibrary(lib);
  const legs = await canary(lib, own.path, ambient);
  own.remove();
  const [traps, twice] = legs;
  assert.match(traps?.caught ?? "", /reached for Date/);
  assert.match(twice?.caught ?? "", /gave/);
});
