import assert from "node:assert/strict";
import { test } from "node:test";
import * as notice from "../../../core/notify/notice.ts";
import { samples } from "../../support/notices.ts";

test("notify: notice: the list of kinds is whole and names each once", () => {
  assert.deepEqual([...notice.kinds].sort(), Object.keys(samples).sort());
});

test("notify: notice: what ends an alarm has the alarm's subject and another state", () => {
  const pairs = [
    ["all-down", "all-back"], ["directory-lost", "directory-back"], ["tor-down", "tor-up"],
    ["backend-down", "backend-up"], ["disk-failing", "disk-recovered"],
    ["onion-down", "onion-up"], ["degraded-entered", "degraded-left"],
    ["tx-given-up", "tx-back"], ["started", "stopping"],
  ] as const;
  for (const [alarm, end] of pairs) {
    const a = notice.identityOf(samples[alarm]);
    const b = notice.identityOf(samples[end]);
    assert.equal(a.nature, "state");
    assert.equal(a.subject, b.subject);
    assert.notEqual(a.state, b.state);
    const important = [alarm, end].map((k) => notice.isImportant(notice.priorityOf(samples[k])));
    assert.equal(important[0], important[1], `${alarm} and its end are counted alike`);
  }
});

test("notify: notice: subjects of different things differ", () => {
  const { subject } = notice.identityOf(samples["directory-lost"]);
  const other = { ...samples["directory-lost"], directory: "e.onion:5222" } as const;
  assert.notEqual(notice.identityOf(other).subject, subject);
  const kindsOf = new Map<string, string[]>();
  for (const kind of notice.kinds) {
    const { subject: about } = notice.identityOf(samples[kind]);
    kindsOf.set(about, [...kindsOf.get(about) ?? [], kind]);
  }
  assert.deepEqual([...kindsOf.values()].filter((kinds) => kinds.length > 1), [
    ["started", "stopping", "ark-started"], ["directory-lost", "directory-back"],
    ["all-down", "all-back"], ["tx-seen", "tx-confirmed"],
    ["tx-warned", "tx-given-up", "tx-back"], ["backend-down", "backend-up"],
    ["disk-failing", "disk-recovered"], ["tor-down", "tor-up"], ["onion-down", "onion-up"],
    ["degraded-entered", "degraded-left"], ["ark-tip-doubted", "ark-tip-missing"],
    ["ark-exit-needed", "ark-exit-stuck"], ["ark-exit-unfundable", "ark-exit-fundable"],
    ["ark-way-down", "ark-way-up"], ["ark-lane-behind", "ark-lane-good"],
    ["ark-unseen", "ark-seen"], ["ark-program-crashing", "ark-program-steady"],
    ["ark-server-down", "ark-server-up"],
  ]);
});

test("notify: notice: what is told once is told once for each transaction, version, period", () => {
  const once = notice.kinds.filter((k) => notice.identityOf(samples[k]).nature === "once");
  assert.deepEqual(once, [
    "tx-seen", "tx-confirmed", "summary", "update-available", "ark-expiry", "ark-exit-started",
    "ark-exit-claimed",
  ]);
  const { subject, state } = notice.identityOf(samples["tx-confirmed"]);
  const more = { ...samples["tx-confirmed"], confirmations: 6 };
  assert.deepEqual(notice.identityOf(more), { nature: "once", subject, state });
});

test("notify: notice: no longer text than a record bears stands in a subject or state", () => {
  const long = { ...samples["directory-lost"], directory: "x".repeat(9_999) } as const;
  assert.ok(notice.identityOf(long).subject.length <= 200);
  const update = { ...samples["update-available"], version: "1".repeat(9_999) } as const;
  assert.ok(notice.identityOf(update).state.length <= 100);
});

test("notify: notice: without an offer the change of offers is an alarm", () => {
  assert.equal(notice.priorityOf(samples["offers-changed"]), "normal");
  assert.equal(notice.priorityOf({ ...samples["offers-changed"], offers: 0 }), "high");
});

test("notify: notice: what peers can provoke is never important", () => {
  assert.ok(!notice.isImportant(notice.priorityOf(samples["peer-banned"])));
  assert.deepEqual(notice.priorities.map(notice.isImportant), [false, false, true, true]);
  assert.deepEqual(notice.priorities.map(notice.rankOf), [0, 1, 2, 3]);
});
