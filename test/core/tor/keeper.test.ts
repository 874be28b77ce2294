import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii } from "../../../core/bytes.ts";
import * as prng from "../../../core/prng.ts";
import { secret } from "../../../core/secret.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as keeper from "../../../core/tor/keeper.ts";
import * as service from "../../../core/tor/service.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const config: keeper.Config = {
  fileMs: 100, retry: { baseMs: 10, maxMs: 80, times: 2, per: 1 },
};
const blob = Buffer.alloc(64, 5).toString("base64");
const kept = {
  key: secret(ascii(`ED25519-V3:${blob}`)), host: hostOf(new Uint8Array(32).fill(1)),
};
const file = service.encode(kept);
const create = (): keeper.Keeper => keeper.create(config, prng.stream(prng.key("keeper")));

function say(m: keeper.Keeper, at: number, event: keeper.Event): readonly keeper.Effect[] {
  const out: keeper.Effect[] = [];
  keeper.step(m, event, mono(at), primitives, out);
  return out;
}

const wanted: keeper.Event = { type: "wanted" };
const tick: keeper.Event = { type: "tick" };

test("tor: keeper: a kept key is read once and is durable", () => {
  const m = create();
  assert.deepEqual(say(m, 0, wanted), [{ type: "key.load", req: 1 }]);
  assert.deepEqual(say(m, 1, wanted), []);
  assert.deepEqual(say(m, 2, { type: "key.loaded", req: 1, file }), [{ type: "ready", kept }]);
  assert.ok(keeper.isDurable(m));
  assert.equal(keeper.deadline(m), NEVER);
  assert.deepEqual(say(m, 3, { type: "made", kept }), []);
});

test("tor: keeper: a new key is durable only when the host says so", () => {
  const m = create();
  say(m, 0, wanted);
  assert.deepEqual(say(m, 1, { type: "key.absent", req: 1 }), [{ type: "ready", kept: undefined }]);
  assert.deepEqual(say(m, 2, { type: "made", kept }), [{ type: "key.save", req: 2, file }]);
  assert.ok(!keeper.isDurable(m));
  assert.deepEqual(say(m, 3, { type: "key.saved", req: 1 }), []);
  assert.deepEqual(say(m, 4, { type: "key.saved", req: 2 }), [{ type: "durable" }]);
  assert.ok(keeper.isDurable(m));
});

test("tor: keeper: a key that cannot be written is written again, and told of once", () => {
  const m = create();
  say(m, 0, wanted);
  say(m, 0, { type: "key.absent", req: 1 });
  say(m, 0, { type: "made", kept });
  const first = say(m, 0, { type: "key.failed", req: 2, reason: "full" });
  assert.equal(first[0]?.type === "failing" && first[0].fault.code, "onion-key-unsaved-full");
  for (let tries = 0; tries < 20; tries += 1) {
    const at = keeper.deadline(m);
    assert.deepEqual(say(m, at - 1, tick), []);
    const [save] = say(m, at, tick);
    assert.ok(save?.type === "key.save");
    assert.deepEqual(save.file, file);
    assert.deepEqual(say(m, at, { type: "key.failed", req: save.req, reason: "denied" }), []);
    assert.ok(keeper.deadline(m) - at <= 80);
  }
  const [save] = say(m, keeper.deadline(m), tick);
  assert.ok(save?.type === "key.save");
  assert.deepEqual(say(m, 9_999, { type: "key.saved", req: save.req }), [{ type: "durable" }]);
});

test("tor: keeper: a file that cannot be read or is damaged is read again, never replaced", () => {
  const m = create();
  say(m, 0, wanted);
  const told = say(m, 0, { type: "key.loaded", req: 1, file: secret(ascii("damaged")) });
  assert.equal(told[0]?.type === "failing" && told[0].fault.code, "onion-key");
  let at = keeper.deadline(m) as number;
  for (let req = 2; req < 12; req += 1) {
    assert.deepEqual(say(m, at, tick), [{ type: "key.load", req }]);
    assert.deepEqual(say(m, at, { type: "key.failed", req, reason: "denied" }), []);
    at = keeper.deadline(m);
  }
  say(m, at, tick);
  assert.deepEqual(say(m, at, { type: "made", kept }), []);
  assert.deepEqual(say(m, at, { type: "key.loaded", req: 12, file }), [{ type: "ready", kept }]);
});

test("tor: keeper: a host that does not answer is asked again after the deadline", () => {
  const m = create();
  say(m, 0, wanted);
  assert.deepEqual(say(m, 99, tick), []);
  const told = say(m, 100, tick);
  assert.equal(told[0]?.type === "failing" && told[0].fault.code, "onion-key-late");
  assert.deepEqual(say(m, 101, { type: "key.loaded", req: 1, file }), []);
  const at = keeper.deadline(m);
  say(m, at, tick);
  say(m, at, { type: "key.absent", req: 2 });
  say(m, at, { type: "made", kept });
  const [late] = say(m, at + 100, tick);
  assert.equal(late?.type === "failing" && late.fault.code, "onion-key-unsaved-late");
});

test("tor: keeper: a host needs a millisecond at least", () => {
  const wrong = { ...config, fileMs: 0 };
  const jitter = prng.stream(prng.key("x"));
  assert.throws(() => keeper.create(wrong, jitter), /keeper:/);
});

const req = fc.integer({ min: 1, max: 12 });
const events: fc.Arbitrary<keeper.Event> = fc.oneof(
  fc.constantFrom<keeper.Event>(wanted, { type: "made", kept }),
  req.map((one) => ({ type: "key.absent" as const, req: one })),
  req.map((one) => ({ type: "key.saved" as const, req: one })),
  fc.record({
    type: fc.constant("key.loaded" as const), req,
    file: fc.constantFrom(file, secret(ascii("damaged"))),
  }),
  fc.record({
    type: fc.constant("key.failed" as const), req,
    reason: fc.constantFrom("denied" as const, "full" as const),
  }),
);

const subject: Subject<keeper.Keeper, keeper.Event, keeper.Effect> = {
  create, step: (m, event, now, out) => keeper.step(m, event, now, primitives, out),
  deadline: keeper.deadline, tick, settleMs: 1_000, lives: asksOn,
};

/** Until the key is settled, the host is asked at least once in each order and longest wait. */
function asksOn(run: Run<keeper.Keeper, keeper.Event, keeper.Effect>): void {
  const asked = run.steps.flatMap((s) => s.effects.map((effect) => ({ at: s.at, effect })));
  assert.ok(asked.filter(({ effect }) => effect.type === "ready").length <= 1);
  assert.ok(asked.filter(({ effect }) => effect.type === "durable").length <= 1);
  const { phase } = run.state.at;
  if (phase === "idle" || phase === "absent" || phase === "durable") return;
  const last = asked.filter(({ effect }) => effect.type.startsWith("key.")).at(-1);
  assert.ok(last !== undefined && run.now - last.at <= 180, "nobody is asked any more");
}

test("tor: keeper: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 60, 30, true), (script) => void laws(subject, script)), {
    numRuns: 100,
  });
});
