import assert from "node:assert/strict";
import { test } from "node:test";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as reach from "../../../core/tor/reach.ts";
import * as standing from "../../../core/tor/standing.ts";

const fault = { code: "onion-refused", text: "no" };
const create = (): standing.Standing =>
  standing.create(5_222, reach.defaults, prng.stream(prng.key("standing")), mono(0));

function typesOf(out: readonly standing.Effect[]): readonly string[] {
  return out.filter((effect) => effect.type !== "log").map((effect) => effect.type);
}

test("tor: standing: an address is told once, and what is not known is not served", () => {
  const s = create();
  const out: standing.Effect[] = [];
  standing.up(s, mono(1), out);
  assert.equal(out.length, 0);
  standing.announce(s, "x.onion", out);
  standing.announce(s, "x.onion", out);
  assert.deepEqual(out, [{ type: "address", host: "x.onion", location: "x.onion:5222" }]);
});

test("tor: standing: up and down are told once each, and visits follow", () => {
  const s = create();
  const out: standing.Effect[] = [];
  standing.announce(s, "x.onion", out);
  standing.down(s, fault, mono(1), out);
  standing.up(s, mono(2), out);
  const visitAt = standing.deadline(s);
  standing.up(s, mono(3), out);
  assert.equal(standing.deadline(s), visitAt);
  standing.visits(s, { type: "tick" }, visitAt, out);
  standing.down(s, fault, mono(visitAt + 1), out);
  standing.down(s, fault, mono(visitAt + 2), out);
  assert.deepEqual(typesOf(out), ["address", "up", "visit", "leave", "down"]);
});

test("tor: standing: the same fault is a warning once, and gone when it is up again", () => {
  const s = create();
  const out: standing.Effect[] = [];
  for (const one of [fault, fault, { code: "other", text: "x" }]) standing.blame(s, one, out);
  const levels = out.map((effect) => effect.type === "log" && effect.level);
  assert.deepEqual(levels, ["warn", "debug", "warn"]);
  standing.announce(s, "x.onion", out);
  standing.up(s, mono(1), out);
  assert.equal(s.fault, undefined);
});

test("tor: standing: facts have ages, and nothing that has not happened has one", () => {
  const s = create();
  const out: standing.Effect[] = [];
  assert.deepEqual(standing.facts(s, mono(7)), {
    location: "", isUp: false, sinceMs: 7, fault: undefined, uploadedMs: undefined,
    isReachable: undefined, reachedMs: undefined, reachTookMs: 0, visitedMs: undefined,
    visitFailure: undefined,
  });
  standing.announce(s, "x.onion", out);
  standing.up(s, mono(10), out);
  standing.uploaded(s, mono(20), out);
  standing.visits(s, { type: "tick" }, standing.deadline(s), out);
  standing.visits(s, { type: "visited", req: 1, failure: undefined }, mono(30), out);
  const facts = standing.facts(s, mono(100));
  assert.deepEqual(
    [facts.location, facts.isUp, facts.sinceMs, facts.uploadedMs, facts.reachedMs],
    ["x.onion:5222", true, 90, 80, 70],
  );
  assert.deepEqual([facts.isReachable, facts.reachTookMs, facts.visitedMs], [true, 9, 70]);
});
