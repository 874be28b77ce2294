import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../../core/ark/config.ts";
import type { Report } from "../../../core/ark/daemon.ts";
import * as nodes from "../../../core/ark/node.ts";
import * as reports from "../../../core/ark/reports.ts";
import * as prng from "../../../core/prng.ts";
import { mono } from "../../../core/time.ts";
import * as rig from "../../support/ark-fleet.ts";

function told(...all: readonly Report[]): {
  readonly node: nodes.Node; readonly codes: readonly string[]; readonly kinds: readonly string[];
  readonly looks: readonly boolean[];
} {
  const config = { ...defaults, logLevel: "debug" as const, wallets: [rig.plain("a")] };
  const d = nodes.create(config, prng.key("reports"), mono(0));
  const t: nodes.Turn = { now: mono(9), out: [], todo: [], touched: new Set() };
  const node = d.nodes[0]!;
  const looks = all.map((report) => reports.told(d, node, report, t));
  const codes = t.out.map((one) => (one.type === "log" ? one.code : one.type));
  const kinds = t.todo.map((one) => (one.do === "notice" ? one.notice.kind : one.do));
  return { node, codes, kinds, looks };
}

const fault = { code: "x", text: "x" };
const failed = { ok: false, why: "unavailable", reason: "other", fault } as const;

test("ark: reports: the end of a round and a program that is back let the guard look", () => {
  const event = { kind: "finished", roundSeq: 3, attemptSeq: 0 } as const;
  const edge = { type: "edge", of: "program", evidence: "answered" } as const;
  const { looks, node } = told(
    { type: "round", event, isReplay: false }, { type: "round", event, isReplay: true },
    { ...edge, from: "down", to: "up" }, { ...edge, from: "unknown", to: "up" },
    { type: "moved", checkpoint: 4 },
  );
  assert.deepEqual(looks, [true, false, true, false, true]);
  assert.equal(node.round!.event, event);
});

test("ark: reports: what needs somebody is a notice, and its end too", () => {
  const { kinds, node } = told(
    { type: "barred" }, { type: "stuck", checkpoint: 1, hint: 2, reads: 5 },
    { type: "behind", lane: "sync", forMs: 7 }, { type: "caught-up", lane: "sync" },
  );
  assert.deepEqual(kinds, ["ark-server-key", "ark-mail-stuck", "ark-lane-behind", "ark-lane-good"]);
  assert.equal(node.isMailStuck, true);
  assert.equal(node.lanes.get("sync")!.behindAt, undefined);
});

test("ark: reports: a call that was given up is a failure, one that goes on is none", () => {
  const late = { lane: "probe", op: "probe", ranMs: 5 } as const;
  const { node, codes } = told(
    { type: "overdue", ...late, isDropped: true },
    { type: "overdue", lane: "sync", op: "sync", ranMs: 5, isDropped: false },
    { type: "late", lane: "sync", op: "sync", ranMs: 9 },
  );
  assert.deepEqual(codes, ["ark.call-overdue", "ark.call-overdue", "ark.call-late"]);
  assert.equal(node.lanes.get("probe")!.failures, 1);
  assert.equal(node.lanes.get("sync"), undefined);
});

test("ark: reports: all the rest is said, or passed over, and looks at nothing", () => {
  const rest: readonly Report[] = [
    { type: "ready" }, { type: "connected", isConnected: true }, { type: "began", roundSeq: 1 },
    { type: "lagging", dropped: 1 }, { type: "ran", lane: "sync", done: { op: "sync" }, ranMs: 1 },
    { type: "unsupported", lane: "sync", op: "fee-rates" },
    { type: "passed", lane: "sync", tookMs: 1, failures: 0 },
    { type: "over", stream: "rounds", why: "clean", isHealthy: true, failures: 1, retryMs: 1 },
    { type: "went-back", from: 2, to: 1 }, { type: "still", forMs: 1, news: 1 },
    { type: "failed", lane: "sync", op: "sync", failed, failures: 2, retryMs: 1 },
    { type: "stop-answered", running: [] }, { type: "stopped", running: [], tookMs: 1 },
    { type: "drained" },
  ];
  const { looks, codes, kinds } = told(...rest);
  assert.ok(looks.every((isWanted) => !isWanted));
  assert.equal(codes.length, 10);
  assert.deepEqual(kinds, []);
});
