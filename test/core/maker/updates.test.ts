import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "../../../core/assert.ts";
import * as updates from "../../../core/maker/updates.ts";
import type { Config, Effect, Event, Updates } from "../../../core/maker/updates.ts";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";

const config: Config = {
  ...updates.defaults, isOn: true, version: "1.2.3", path: "/repos/o/n/releases/latest",
  firstMs: 100, everyMs: 1_000, retryMs: 200, answerMs: 50,
};
const rng = () => prng.stream(prng.key("updates"));

const release = (tag: string, more = ""): string =>
  `{"tag_name":"${tag}","draft":false,"prerelease":false,"assets":[{"id":5}]${more}}`;

function bench(part: Partial<Config> = {}) {
  const m = updates.create({ ...config, ...part }, rng(), mono(0));
  let now = mono(0);
  const say = (event: Event): readonly Effect[] => {
    const out: Effect[] = [];
    updates.step(m, event, now, out);
    assert.ok(updates.deadline(m) > now);
    return out;
  };
  return {
    m, say,
    due: () => {
      now = updates.deadline(m);
      return say({ type: "tick" });
    },
    before: () => {
      now = mono(updates.deadline(m) - 1);
      return say({ type: "tick" });
    },
    now: () => now,
    answer: (body: string, status = 200) =>
      say({ type: "req.done", req: m.reqs, status, body }),
    fail: (reason: "denied" | "timeout" = "denied") =>
      say({ type: "req.failed", req: m.reqs, reason }),
  };
}

const types = (effects: readonly Effect[]) => effects.map((e) => e.type);

test("maker: updates: off is off", () => {
  const b = bench({ isOn: false, path: "" });
  assert.equal(updates.deadline(b.m), NEVER);
  assert.equal(updates.defaults.isOn, false);
});

test("maker: updates: one question through one target, once a period", () => {
  const b = bench();
  assert.ok(updates.deadline(b.m) >= 100 && updates.deadline(b.m) <= 200);
  assert.deepEqual(b.before(), []);
  assert.deepEqual(b.due(), [{
    type: "req.start", req: 1, to: "update", method: "GET", path: "/repos/o/n/releases/latest",
    headers: [["accept", "application/vnd.github+json"], ["user-agent", "dogwatch"]], body: "",
    renew: false,
  }]);
  assert.deepEqual(b.answer(release("v1.2.3")), []);
  assert.equal(updates.deadline(b.m) - b.now(), 1_000);
});

test("maker: updates: a newer version is told once, and known until it is not newer", () => {
  const b = bench();
  b.due();
  assert.deepEqual(types(b.answer(release("v1.3.0"))), ["log", "notice"]);
  assert.equal(updates.available(b.m), "1.3.0");
  b.due();
  assert.deepEqual(b.answer(release("1.3.0")), []);
  b.due();
  const [, told] = b.answer(release("v1.10.0"));
  assert.deepEqual(told, {
    type: "notice", notice: { kind: "update-available", version: "1.10.0", current: "1.2.3" },
  });
  b.due();
  b.answer(release("v1.2.2"));
  assert.equal(updates.available(b.m), undefined);
});

test("maker: updates: failures are quiet after the first, until one question succeeds", () => {
  const b = bench();
  b.due();
  assert.deepEqual(b.fail(), [{
    type: "log", level: "warn", code: "maker.update-check-failed", fields: { why: "denied" },
  }]);
  for (const act of [
    () => b.fail("timeout"), () => b.answer("<html>"), () => b.answer(release("v9.9.9"), 403),
  ]) {
    assert.equal(updates.deadline(b.m) - b.now(), 200);
    b.due();
    assert.deepEqual(act(), []);
  }
  b.due();
  b.answer(release("v1.2.3"));
  b.due();
  assert.deepEqual(types(b.fail()), ["log"]);
});

test("maker: updates: hazard 20: a question that finds no way out takes no other way", () => {
  const b = bench();
  for (let i = 0; i < 20; i += 1) {
    const asked = b.due();
    assert.deepEqual(asked.map((e) => (e.type === "req.start" ? e.to : e.type)), ["update"]);
    assert.ok(types(b.fail("denied")).every((type) => type === "log"));
  }
});

test("maker: updates: a question without an answer is dropped at its time, not before", () => {
  const b = bench();
  b.due();
  assert.deepEqual(b.before(), []);
  assert.deepEqual(types(b.due()), ["req.drop", "log"]);
  assert.deepEqual(b.answer(release("v9.9.9")), [], "too late");
  assert.equal(updates.available(b.m), undefined);
});

test("maker: updates: only a published release with a plain version counts", () => {
  const read = (body: string) => {
    const latest = updates.latestIn(body, 2_000);
    return latest.ok ? latest.value : latest.fault.code;
  };
  assert.equal(read(release("v1.2.3")), "1.2.3");
  assert.equal(read(release("0.0.0")), "0.0.0");
  for (const tag of ["", "v1.2", "v1.2.3-rc1", "v1.2.3.4", "V1.2.3", "v01.2.3", "vv1.2.3",
    "v1.2.1000000", " 1.2.3"]) {
    assert.equal(read(release(tag)), "release", tag);
  }
  const good = release("v1.2.3");
  for (const body of [
    "", "[]", "null", `"v1.2.3"`, good.slice(0, -1), `${good}x`, good.replace(`"v1.2.3"`, "5"),
    good.replace(`"draft":false`, `"draft":true`), good.replace(`"draft":false`, `"draft":0`),
    good.replace(`"draft":false,`, ""), good.replace(`"prerelease":false`, `"prerelease":true`),
    release("v1.2.3", `,"tag_name":"v9.9.9"`), release("v1.2.3", `,"x":"${"x".repeat(2_000)}"`),
    release("v1.2.3", `,"x":${"[".repeat(11)}${"]".repeat(11)}`),
  ]) assert.equal(read(body), "release", body.slice(0, 60));
});

test("maker: updates: no answer makes it fail", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (body) => {
    updates.latestIn(body, 10_000);
  }));
});

test("maker: updates: versions are compared by their numbers", () => {
  const number = fc.nat(999_999);
  const version = fc.tuple(number, number, number);
  fc.assert(fc.property(version, version, (a, b) => {
    const order = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
    assert.equal(updates.isNewer(a.join("."), b.join(".")), order > 0);
  }));
  assert.ok(updates.isNewer("1.10.0", "1.9.9"));
  assert.ok(!updates.isNewer("x", "1.0.0") && !updates.isNewer("2.0.0", "x"));
});

test("maker: updates: ranges are kept", () => {
  for (const wrong of [{ everyMs: 0 }, { retryMs: 0 }, { answerMs: 0 }, { answerMax: 0 },
    { firstMs: 0 }, { path: "" }, { path: "x" }, { path: "/a b" }, { version: "1.2" },
    { everyMs: NaN }, { firstMs: 0x4000_0001 }]) {
    assert.throws(() => bench(wrong), InvariantError, JSON.stringify(wrong));
  }
});

test("maker: updates: the four laws hold, and questions go on whatever comes", () => {
  const lives = (run: Run<Updates, Event, Effect>): void => {
    const asked = run.steps.filter(({ effects }) => effects.some((e) => e.type === "req.start"));
    let last = 0;
    for (const { at } of asked) {
      assert.ok(at - last <= 1_050 + 200);
      last = at;
    }
    assert.ok(run.now - last <= 1_050 + 200);
  };
  const subject: Subject<Updates, Event, Effect> = {
    create: (now) => updates.create(config, rng(), now), step: updates.step,
    deadline: updates.deadline, tick: { type: "tick" }, settleMs: 3_000, lives,
  };
  const req = fc.integer({ min: 1, max: 8 });
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.record({
      type: fc.constant("req.done" as const), req, status: fc.constantFrom(200, 200, 404, 503),
      body: fc.constantFrom(release("v1.2.3"), release("v2.0.0"), "{}", ""),
    }),
    fc.record({
      type: fc.constant("req.failed" as const), req,
      reason: fc.constantFrom("refused" as const, "denied" as const, "timeout" as const),
    }),
  );
  fc.assert(fc.property(scripts(event, 300, 30), (script) => void laws(subject, script)),
    { numRuns: 60 });
});
