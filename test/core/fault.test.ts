import assert from "node:assert/strict";
import test from "node:test";
import { bad, good } from "../../core/fault.ts";

test("core: fault: a decoder answers with a value or with a fault", () => {
  assert.deepEqual(good(7), { ok: true, value: 7 });
  assert.deepEqual(bad("code", "text"), { ok: false, fault: { code: "code", text: "text" } });
});
