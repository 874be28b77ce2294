import assert from "node:assert/strict";
import test from "node:test";
import { assert as must, InvariantError, unreachable } from "../../core/assert.ts";

test("core: assert: what does not hold is a broken invariant with its words", () => {
  must(true, "not thrown");
  assert.throws(() => must(false, "the words"), (error) => {
    assert.ok(error instanceof InvariantError);
    assert.deepEqual([error.name, error.message], ["InvariantError", "the words"]);
    return true;
  });
});

test("core: assert: an unreachable case is a bug and says what it was", () => {
  assert.throws(() => unreachable({ type: "x" } as never), /unreachable: \{"type":"x"\}/);
});
