import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { besideOf, replace, stepsOf } from "../../adapters/replace.ts";

const folder = fs.mkdtempSync(join(os.tmpdir(), "replace-"));
after(() => fs.rmSync(folder, { recursive: true }));
const path = join(folder, "file");
const fresh = Buffer.from("new and whole");
const old = Buffer.from("old and whole, and longer");

test("adapters: replace: who dies after any step leaves one of the two, whole", async () => {
  const count = stepsOf(path, fresh).length;
  for (let steps = 0; steps <= count; steps += 1) {
    fs.writeFileSync(path, old);
    for (const step of stepsOf(path, fresh).slice(0, steps)) await step();
    const there = fs.readFileSync(path);
    assert.ok(there.equals(steps < 5 ? old : fresh), `after ${steps} steps`);
    // The next one begins anew, over whatever was left beside it.
    assert.equal(await replace(path, fresh), undefined);
    assert.ok(fs.readFileSync(path).equals(fresh));
    assert.ok(!fs.existsSync(besideOf(path)));
  }
});

test("adapters: replace: the new file is whole on disk before it takes the name", async () => {
  fs.writeFileSync(path, old);
  const steps = stepsOf(path, fresh);
  for (const step of steps.slice(0, 4)) await step();
  assert.ok(fs.readFileSync(besideOf(path)).equals(fresh));
  assert.equal(fs.statSync(besideOf(path)).mode & 0o777, 0o600);
  await steps[4]!();
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
});

test("adapters: replace: what fails is said, and leaves everything as it was", async () => {
  fs.rmSync(path);
  fs.mkdirSync(path);
  assert.match(await replace(path, fresh) ?? "", /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(fs.readdirSync(folder), ["file"]);
  assert.match(await replace(join(folder, "nowhere", "file"), fresh) ?? "", /ENOENT/);
});
