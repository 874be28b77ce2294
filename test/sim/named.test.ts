import assert from "node:assert/strict";
import { test } from "node:test";
import { named } from "../../sim/named.ts";
import { run } from "../../sim/runner.ts";
import { fine } from "../support/worlds.ts";

for (const [name, { says, scenario }] of named()) {
  test(`named: ${name}: ${says}`, () => {
    const outcome = run(scenario);
    fine(outcome);
    assert.equal(outcome.verdict, "pass");
    assert.deepEqual(outcome.idle, [], "an entry names somebody who is not there");
  });
}
