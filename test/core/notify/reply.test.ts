import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judge, judgeFailure } from "../../../core/notify/reply.ts";

const type = (status: number) => judge(status, "", undefined).type;

test("notify: reply: any 2xx is delivery", () => {
  for (const status of [200, 201, 202, 204, 299]) assert.equal(type(status), "sent");
});

test("notify: reply: busy and broken targets are asked again, other refusals are final", () => {
  for (const status of [408, 425, 429, 500, 502, 503, 599]) assert.equal(type(status), "later");
  for (const status of [100, 199, 300, 301, 302, 400, 404, 410, 413, 418, 422, 600, 0]) {
    assert.equal(type(status), "rejected", `${status}`);
  }
  for (const status of [401, 403]) assert.equal(type(status), "denied");
});

test("notify: reply: the wait asked for is read from the header, else from the body", () => {
  const waitMs = (retryAfter: string | undefined, body = "") => {
    const outcome = judge(429, body, retryAfter);
    assert.equal(outcome.type, "later");
    return outcome.waitMs;
  };
  const telegram = `{"ok":false,"error_code":429,"parameters":{"retry_after":35}}`;
  assert.equal(waitMs("120"), 120_000);
  assert.equal(waitMs("7", telegram), 7_000);
  assert.equal(waitMs(undefined, telegram), 35_000);
  assert.equal(waitMs("999999999"), 999_999_000);
  for (const odd of ["", "-1", "1.5", "1e9", "9999999999", "Fri, 31 Dec 1999 23:59:59 GMT"]) {
    assert.equal(waitMs(odd), 0, odd);
  }
  const bodies = [
    "", "<html>", "[]", `{"parameters":5}`, `{"parameters":{}}`,
    `{"parameters":{"retry_after":-3}}`, `{"parameters":{"retry_after":"9"}}`,
    `{"parameters":{"retry_after":9},"x":"${"x".repeat(5_000)}"}`,
  ];
  for (const body of bodies) assert.equal(waitMs(undefined, body), 0, body.slice(0, 40));
});

test("notify: reply: what reached nobody is no attempt, what may have is one", () => {
  const counts = (reason: Parameters<typeof judgeFailure>[0]) => {
    const outcome = judgeFailure(reason);
    assert.equal(outcome.type, "later");
    assert.equal(outcome.why, reason);
    return outcome.counts;
  };
  for (const r of ["refused", "unreachable", "denied"] as const) assert.equal(counts(r), false);
  for (const r of ["timeout", "reset", "too-large", "malformed"] as const) {
    assert.equal(counts(r), true);
  }
});

test("notify: reply: no answer makes it fail, and no wait is negative", () => {
  const anything = fc.string({ unit: "binary" });
  fc.assert(fc.property(fc.integer(), anything, fc.option(anything, { nil: undefined }),
    (status, body, retryAfter) => {
      const outcome = judge(status, body, retryAfter);
      if (outcome.type === "later") assert.ok(outcome.waitMs >= 0);
    }));
});
