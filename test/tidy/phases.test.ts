import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { files } from "./files.ts";
import { pages } from "./phases.ts";

const root = process.cwd();

test("tidy: phases: the pages are what the tables say", async () => {
  const wanted = await pages(root);
  if (process.env["REWRITE"] === "1") rewrite(wanted);
  for (const [file, page] of wanted) {
    assert.ok(fs.existsSync(path.join(root, file)), `${file} is missing: REWRITE=1 npm test`);
    const kept = fs.readFileSync(path.join(root, file), "utf8");
    assert.equal(kept, page, `${file} is stale: REWRITE=1 npm test`);
  }
  assert.deepEqual(files(root, ["docs/phases"]), [...wanted.keys()].sort(byText), "no other pages");
});

function rewrite(wanted: ReadonlyMap<string, string>): void {
  fs.mkdirSync(path.join(root, "docs/phases"), { recursive: true });
  for (const file of files(root, ["docs/phases"])) {
    if (!wanted.has(file)) fs.rmSync(path.join(root, file));
  }
  for (const [file, page] of wanted) fs.writeFileSync(path.join(root, file), page);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
