import assert from "node:assert/strict";
import { test } from "node:test";
import * as refusals from "../../../core/ark/refusals.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { coin } from "../../support/ark-sight.ts";

test("ark: refusals: of one reason once in a while, and all that came meanwhile at once", () => {
  const untold: refusals.Untold = new Map();
  const config = { restMs: 9, tellMs: 100 };
  const told: string[] = [];
  const out = {
    push: ({ notice }: Parameters<Parameters<typeof refusals.tell>[6]["push"]>[0]) => {
      if (notice.kind !== "ark-refresh-rejected") return;
      told.push(`${notice.why} ${notice.lead} ${notice.count} ${notice.restMs}`);
    },
  };
  const tell = (why: string, id: string, ms: number): void => (
    refusals.tell(untold, "w", config, why, [coin(id).vtxo], mono(ms), out)
  );
  assert.equal(refusals.deadline(untold), NEVER);
  tell("dust", "c:0", 1);
  tell("dust", "b:0", 2);
  tell("dust", "a:0", 3);
  tell("odd", "d:0", 50);
  assert.deepEqual(told, ["dust c:0 1 9", "odd d:0 1 9"]);
  assert.equal(refusals.deadline(untold), 101);
  refusals.tellLate(untold, "w", config, mono(100), out);
  assert.equal(told.length, 2);
  refusals.tellLate(untold, "w", config, mono(101), out);
  assert.deepEqual(told.slice(2), ["dust a:0 2 9"]);
  // Nothing more came: the reason is forgotten.
  refusals.tellLate(untold, "w", config, mono(201), out);
  assert.equal(told.length, 3);
  assert.equal(untold.size, 0);
});
