import assert from "node:assert/strict";
import { test } from "node:test";
import * as blindness from "../../../core/ark/blindness.ts";
import { mono, NEVER } from "../../../core/time.ts";

test("ark: blindness: told once when its time has come, and when it is over", () => {
  const m: blindness.Blindness = { seenAt: mono(10), isUnseenTold: false };
  const told: string[] = [];
  const out = {
    push: ({ notice }: { notice: { kind: string; forMs: number } }) => (
      told.push(`${notice.kind} ${notice.forMs}`)
    ),
  };
  assert.equal(blindness.deadline(m, 100), 110);
  blindness.look(m, "w", 100, false, mono(109), out);
  assert.deepEqual(told, []);
  blindness.look(m, "w", 100, false, mono(110), out);
  blindness.look(m, "w", 100, false, mono(500), out);
  assert.deepEqual(told, ["ark-unseen 100"]);
  assert.equal(blindness.deadline(m, 100), NEVER);
  blindness.look(m, "w", 100, true, mono(600), out);
  blindness.look(m, "w", 100, true, mono(601), out);
  assert.deepEqual(told, ["ark-unseen 100", "ark-seen 590"]);
  assert.equal(m.seenAt, 601);
});
