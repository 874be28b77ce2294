import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as prng from "../../../core/prng.ts";
import { mono, NEVER } from "../../../core/time.ts";
import * as hostname from "../../../core/tor/hostname.ts";
import { laws, scripts, type Run, type Subject } from "../../support/laws.ts";
import { primitives } from "../../support/primitives.ts";
import { hostOf } from "../../support/tor.ts";

const config = { fileMs: 100, retry: { baseMs: 10, maxMs: 80, times: 2, per: 1 } };
const one = hostOf(new Uint8Array(32).fill(1));
const two = hostOf(new Uint8Array(32).fill(2));
const create = (): hostname.Hostname => hostname.create(config, prng.stream(prng.key("hostname")));

function say(m: hostname.Hostname, at: number, event: hostname.Event): readonly hostname.Effect[] {
  const out: hostname.Effect[] = [];
  hostname.step(m, event, mono(at), primitives, out);
  return out;
}

const tick: hostname.Event = { type: "tick" };
const given = (req: number, text: string): hostname.Event =>
  ({ type: "hostname.given", req, text });

test("tor: hostname: it is read until Tor has written it, and told once", () => {
  const m = create();
  assert.deepEqual(say(m, 0, { type: "wanted" }), [{ type: "hostname.want", req: 1 }]);
  const told = say(m, 0, { type: "hostname.failed", req: 1, reason: "absent" });
  assert.equal(told[0]?.type === "failing" && told[0].fault.code, "onion-hostname-absent");
  let at = hostname.deadline(m) as number;
  for (let req = 2; req < 9; req += 1) {
    assert.deepEqual(say(m, at - 1, tick), []);
    assert.deepEqual(say(m, at, tick), [{ type: "hostname.want", req }]);
    assert.deepEqual(say(m, at, given(req, "not yet")), []);
    assert.ok(hostname.deadline(m) - at <= 80);
    at = hostname.deadline(m);
  }
  say(m, at, tick);
  assert.deepEqual(say(m, at, given(9, `${one}\n`)), [{ type: "known", host: one }]);
  assert.equal(hostname.deadline(m), at + 80);
});

test("tor: hostname: a change is told, a file away for a while ends no address", () => {
  const m = create();
  say(m, 0, { type: "wanted" });
  say(m, 0, given(1, one));
  say(m, 80, tick);
  assert.deepEqual(say(m, 80, given(2, one)), []);
  say(m, 160, tick);
  const gone = say(m, 160, { type: "hostname.failed", req: 3, reason: "denied" });
  assert.equal(gone[0]?.type, "failing");
  assert.equal(m.host, one);
  say(m, hostname.deadline(m), tick);
  assert.deepEqual(say(m, 200, given(4, one)), [{ type: "recovered" }]);
  say(m, 280, tick);
  assert.deepEqual(say(m, 280, given(5, two)), [{ type: "known", host: two }]);
});

test("tor: hostname: a host that does not answer is asked again; unwanted, nobody is", () => {
  const m = create();
  say(m, 0, { type: "wanted" });
  assert.deepEqual(say(m, 99, tick), []);
  const told = say(m, 100, tick);
  assert.equal(told[0]?.type === "failing" && told[0].fault.code, "onion-hostname-late");
  assert.deepEqual(say(m, 101, given(1, one)), []);
  say(m, 102, { type: "unwanted" });
  assert.equal(hostname.deadline(m), NEVER);
  assert.deepEqual(say(m, 500, { type: "wanted" }), [{ type: "hostname.want", req: 2 }]);
  assert.deepEqual(say(m, 500, { type: "wanted" }), []);
});

test("tor: hostname: a host needs a millisecond at least", () => {
  const jitter = prng.stream(prng.key("x"));
  const wrong = { ...config, fileMs: 0 };
  assert.throws(() => hostname.create(wrong, jitter), /hostname:/);
});

const req = fc.integer({ min: 1, max: 12 });
const events: fc.Arbitrary<hostname.Event> = fc.oneof(
  fc.constantFrom<hostname.Event>({ type: "wanted" }, { type: "wanted" }, { type: "unwanted" }),
  fc.record({
    type: fc.constant("hostname.given" as const), req, text: fc.constantFrom(one, two, "x"),
  }),
  fc.record({
    type: fc.constant("hostname.failed" as const), req, reason: fc.constant("absent" as const),
  }),
);

const subject: Subject<hostname.Hostname, hostname.Event, hostname.Effect> = {
  create, step: (m, event, now, out) => hostname.step(m, event, now, primitives, out),
  deadline: hostname.deadline, tick, settleMs: 1_000, lives: readsOn,
};

/** While it is wanted the file is read at least once in each order and longest wait. */
function readsOn(run: Run<hostname.Hostname, hostname.Event, hostname.Effect>): void {
  if (run.state.at.phase === "idle") return;
  const reads = run.steps.filter((s) => s.effects.some(({ type }) => type === "hostname.want"));
  assert.ok(run.now - (reads.at(-1)?.at ?? -1_000) <= 180, "the file is read no more");
}

test("tor: hostname: the laws hold for any script", () => {
  fc.assert(fc.property(scripts(events, 60, 30, true), (script) => void laws(subject, script)), {
    numRuns: 80,
  });
});
