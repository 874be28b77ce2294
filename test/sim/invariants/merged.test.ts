import assert from "node:assert/strict";
import { test } from "node:test";
import { TICK, step } from "../../../core/kernel/kernel.ts";
import type { DirectoryEvent } from "../../../core/directory/events.ts";
import * as merged from "../../../sim/invariants/merged.ts";
import * as t from "../../support/directory.ts";

/** A flush is due, a line comes at that very instant, and both ways of taking them are tried. */
function due(change: (effects: unknown[]) => void = () => undefined): string | undefined {
  const n = t.start();
  const [one, other] = [t.join(n, t.maker(1)), t.join(n, t.taker(2))];
  t.publish(n, one, t.maker(1), "hello");
  const { kernel: k } = n.drive;
  const now = k.wakeAt;
  const bytes = t.frame(t.types.PUBMSG, `${t.nick(2)}!PUBLIC!answer`);
  const event: DirectoryEvent = { type: "conn.received", conn: other, bytes };
  const twin = merged.together(k, event, now);
  const apart: unknown[] = [...step(k, TICK, now), ...step(k, event, now)];
  change(apart);
  return merged.differs(k, apart as { type: string }[], twin);
}

test("merged: a due tick and an event in one step are what they are apart", () => {
  assert.equal(due(), undefined);
});

test("merged: an effect more or less is seen", () => {
  assert.match(due((effects) => effects.push(effects[0])) ?? "", /ordered other things/);
  assert.match(due((effects) => effects.splice(0, 1)) ?? "", /ordered other things/);
});

test("merged: a kernel that dies of both in one step alone is seen", () => {
  const n = t.start();
  t.join(n, t.maker(1));
  const { kernel: k } = n.drive;
  const root = { ...k.root, step: () => { throw new Error("both at once"); } };
  const twin = merged.together({ ...k, root }, TICK, k.wakeAt);
  assert.match(merged.differs(k, [], twin) ?? "", /dies: both at once/);
});

test("merged: another state is seen", () => {
  const n = t.start();
  const conn = t.join(n, t.maker(1));
  const { kernel: k } = n.drive;
  const event: DirectoryEvent = { type: "conn.closed", conn, reason: "eof" };
  const twin = merged.together(k, event, n.drive.now);
  assert.match(merged.differs(k, twin.effects, twin) ?? "", /another state at/);
});
