import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { defaults, source } from "../../core/ark/policy.ts";
import { leaves, page, unused, wordsOf } from "./ark-policy.ts";

const file = "docs/ark-policy.md";

test("tidy: ark policy: every value of either profile has its meaning, range and reason", () => {
  const paths = [...new Set([defaults, source].flatMap((one) => leaves(one).map((l) => l.path)))]
    .filter((path) => path !== "name");
  assert.ok(paths.length >= 80, `${paths.length}`);
  for (const path of paths) {
    const words = wordsOf(path);
    assert.ok(words !== undefined, `${path} is not described`);
    for (const text of [words.is, words.why]) {
      assert.ok(text.length > 0, path);
      assert.doesNotMatch(text, /[|\n]/, `${path} breaks its table`);
    }
  }
  assert.deepEqual(unused(paths), [], "words without a value");
});

test("tidy: ark policy: the page is what the policies say", () => {
  const wanted = page();
  if (process.env["REWRITE"] === "1") fs.writeFileSync(file, wanted);
  const kept = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  assert.equal(kept, wanted, `${file} is stale: REWRITE=1 npm test`);
});
