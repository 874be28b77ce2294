import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arkLifeIdentity, arkLifeKinds, arkLifePriority, arkLifeWording, isArkLife,
} from "../../../core/notify/ark-life.ts";
import { kinds } from "../../../core/notify/notice.ts";
import { samples } from "../../support/notices.ts";

test("notify: ark life: its kinds are among all kinds, and nothing else is one", () => {
  for (const kind of arkLifeKinds) assert.ok(kinds.includes(kind) && isArkLife(samples[kind]));
  assert.equal(kinds.filter((kind) => isArkLife(samples[kind])).length, arkLifeKinds.length);
});

test("notify: ark life: what ends a trouble has its subject, its weight, and another state", () => {
  const pairs = [
    ["ark-way-down", "ark-way-up"], ["ark-lane-behind", "ark-lane-good"],
    ["ark-unseen", "ark-seen"],
  ] as const;
  for (const [from, to] of pairs) {
    const [a, b] = [arkLifeIdentity(samples[from]), arkLifeIdentity(samples[to])];
    assert.equal(a.subject, b.subject);
    assert.notEqual(a.state, b.state);
    assert.equal(arkLifePriority(samples[from]), arkLifePriority(samples[to]));
  }
});

test("notify: ark life: another key and another wallet wake somebody, a start does not", () => {
  const urgent = arkLifeKinds.filter((kind) => arkLifePriority(samples[kind]) === "urgent");
  assert.deepEqual(urgent, ["ark-server-key", "ark-exchanged", "ark-network"]);
  assert.equal(arkLifePriority(samples["ark-started"]), "low");
});

test("notify: ark life: every way has its name, and every wallet its own", () => {
  const titles = (["program", "server", "chain"] as const)
    .map((way) => arkLifeWording({ ...samples["ark-way-down"], way })[0]);
  assert.equal(new Set(titles).size, 3);
  // The end of what many wallets share is about no single one.
  for (const kind of arkLifeKinds.slice(1)) {
    if (kind === "ark-server-up") continue;
    assert.ok(arkLifeWording(samples[kind]).join("\n").includes("savings"), kind);
  }
  assert.ok(arkLifeWording(samples["ark-started"]).join("\n").includes("3 wallets"));
});
