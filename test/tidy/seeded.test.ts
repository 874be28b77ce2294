import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const loaded = fileURLToPath(import.meta.url.replace("/tidy/seeded.test.", "/support/seeded."));
const drawing = "import fc from 'fast-check';"
  + "const drawn = []; const all = fc.array(fc.nat());"
  + "fc.assert(fc.property(all, (one) => void drawn.push(one)), { numRuns: 20 });"
  + "console.log(JSON.stringify(drawn));";

/** What properties draw in a process that was started as the tests are. */
function draws(seed: string): { readonly out: string; readonly err: string } {
  const flags = loaded.endsWith(".ts") ? ["--import", "tsx"] : [];
  const { stdout, stderr } = spawnSync(process.execPath, [
    ...flags, "--import", loaded, "--input-type=module", "-e", drawing,
  ], { encoding: "utf8", env: { ...process.env, PROPERTY_SEED: seed } });
  return { out: stdout, err: stderr };
}

test("tidy: seeded: a run of all properties can be repeated by its seed", () => {
  const first = draws("7").out;
  assert.match(first, /^\[\[/);
  assert.equal(draws("7").out, first);
  assert.notEqual(draws("8").out, first);
  assert.match(draws("0x7").err, /PROPERTY_SEED=0x7 is no number to 999999999/);
});
