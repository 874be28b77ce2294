import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isName } from "../../../core/ark/config.ts";
import * as intents from "../../../core/ark/intents.ts";
import * as ledger from "../../../core/ark/ledger.ts";
import * as acts from "../../../sim/ark/acts.ts";
import * as rig from "../../support/ark-fleet.ts";

const { minute } = rig;

test("ark: ledger: a record carries its wallet's name, and is the wallet's own without it", () => {
  const body = intents.encode({ type: "ark-tip", height: 7, unixMs: 9, isProven: true });
  const written = ledger.bodyOf("savings", body);
  assert.equal(written, "{\"wallet\":\"savings\",\"type\":\"ark-tip\",\"height\":7,\"at\":9}");
  assert.deepEqual(ledger.split(written), { wallet: "savings", body });
  assert.throws(() => ledger.bodyOf("a\"b", body));
  assert.throws(() => ledger.bodyOf("a", "[]"));
});

test("ark: ledger: what is no wallet's is nobody's", () => {
  for (const body of [
    "", "{}", "{\"wallet\":7,\"x\":1}", "{\"wallet\":\"\",\"x\":1}", "{\"type\":\"notice\"}",
    "{\"wallet\":\"a b\",\"x\":1}", "{\"wallet\":\"a\"}",
  ]) assert.equal(ledger.split(body), undefined, body);
});

test("ark: ledger: whatever name is allowed comes back as it was", () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/), (name) => {
    assert.ok(isName(name));
    const body = "{\"a\":1}";
    assert.deepEqual(ledger.split(ledger.bodyOf(name, body)), { wallet: name, body });
  }), { numRuns: 50 });
});

test("ark: ledger: each wallet's intents are read back by it, and by no other", () => {
  const r = rig.start({ wallets: ["alice", "bob"], before: ({ world }) => {
    for (const name of ["alice", "bob"]) acts.endow(world, name, [100_000n], 36, 1);
  } });
  rig.until(r, () => rig.openIntents(r, "alice").length > 0, 90 * minute);
  rig.until(r, () => rig.openIntents(r, "bob").length > 0, 90 * minute);
  const open = rig.openIntents(r, "bob");
  rig.die(r);
  rig.pass(r, 2_000);
  const held = r.kernel.state.byName.get("bob")!.guardian.drive.book;
  assert.deepEqual([...held.open.values()].map(({ vtxos }) => vtxos), open);
  assert.equal(rig.shown(r).counts.recordsOfOthers, 0);
});
