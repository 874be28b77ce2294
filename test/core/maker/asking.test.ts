/**
 * Requests of all parts: whose each answer is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Target } from "../../../core/notify/target.ts";
import * as rig from "../../support/maker.ts";
import { kinds, notify, running, said, target } from "../../support/maker-told.ts";

test("maker: backend: without one nothing is asked and nothing offered", () => {
  const r = rig.start({ config: { bitcoind: undefined, notify } });
  rig.pass(r, 3_600_000);
  assert.deepEqual([r.chain.asked, said(r).length, kinds(r, "backend-down").length], [0, 0, 0]);
  rig.push(r, { type: "operator.rescan", fromHeight: 1 });
  rig.push(r, { type: "operator.rescan", fromHeight: undefined });
});

test("maker: notices: each request is numbered, and a command's answer goes to nobody else", () => {
  const targets: Target[] = [
    target, { kind: "exec", to: "notice:1", priorityMin: "low" } as Target,
  ];
  const r = running({ config: { notify: { ...notify, targets } } });
  rig.pass(r, 60_000);
  assert.ok(r.notices.some(({ to }) => to === "notice:1"));
  const { sent } = r.kernel.state.notify.counts;
  assert.equal(sent, r.notices.length);
  assert.equal(r.kernel.state.requests.open.size, 0);
  assert.equal(said(r).length, 1);
});
