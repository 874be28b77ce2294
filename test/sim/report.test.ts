import assert from "node:assert/strict";
import test from "node:test";
import type { Finding, Outcome } from "../../sim/outcome.ts";
import type { Life, Message, Recording } from "../../sim/recording.ts";
import * as report from "../../sim/report.ts";
import type { Fault, Harm, Scenario, Task } from "../../sim/scenario.ts";
import { hostileKinds } from "../../sim/scenario.ts";
import type { WhyResult } from "../../sim/why.ts";
import * as words from "../../sim/words.ts";
import { outcome, scenario } from "../support/planted.ts";

const faults: readonly Fault[] = [
  { id: 1, at: 3_382_000, kind: "halfOpen", link: ["maker1", "dir0"], way: "both", forMs: 934_000 },
  { id: 2, at: 4_318_000, kind: "slow", link: ["maker1", "dir0"], ms: 20_000, forMs: 201_000 },
  { id: 3, at: 4_345_000, kind: "halfOpen", link: ["maker1", "dir0"], way: "both", forMs: 310_000 },
];

function small(): Scenario {
  const base = scenario("report", 0, 1);
  return {
    ...base, nodes: base.nodes.slice(0, 2), workload: [], faults,
    phases: { faultyMs: 5_100_000, convergeMs: 2_100_000, core: ["dir0", "maker1"], fates: [] },
  };
}

const finding: Finding = {
  id: "L1", node: "maker1", says: "not usable at dir0", shape: "L1: not usable at NODE",
  step: 4_321, atUs: 7_200_000_000,
  pending: ["maker1@dir0: handshaking since 72:12 (2,868 s)"],
};

function message(from: number, to: number, sentUs: number, gotUs: number, says: string): Message {
  return { life: 11, from, to, sentUs, sentStep: 1, gotUs, gotStep: 2, says, bytes: 90 };
}

function life(dialedUs: number, generation: number): Life {
  return {
    from: 1, to: 0, dialedUs, generation, fromOpenUs: dialedUs + 9, fromEndUs: -1,
    toOpenUs: dialedUs + 9, toEndUs: -1,
  };
}

function recording(): Recording {
  const s = small();
  const pings = Array.from({ length: 40 }, (_, i) =>
    message(0, 1, (4_980 + 60 * i) * 1_000_000, (4_980 + 60 * i) * 1_000_000 + 400, "PING"));
  return {
    scenario: s, outcome: outcome(s, finding), steps: [{
      atUs: 4_332_000_000, node: 1, event: "conn.opened", life: 1, says: "TCP up", effects: [],
    }],
    messages: [
      message(1, 0, 4_332_000_000, 4_352_000_000, "HANDSHAKE"),
      message(0, 1, 4_352_000_000, -1, "DN_HANDSHAKE"), ...pings,
    ],
    lives: [life(0, 1), life(4_331_000_000, 2)],
    bands: [
      { id: 3, kind: "halfOpen", says: "half-open", nodes: [0, 1], isLink: true,
        fromUs: 4_345_000_000, toUs: 4_655_000_000 },
    ],
    flags: [{ kind: "goal", atUs: 4_352_000_000, step: 9, node: 0, says: "S6" }],
  };
}

const why: WhyResult = {
  rows: faults.map(({ id }) => ({ id, list: "faults", without: "passes", says: "" })),
  points: [
    { atUs: 0, fails: 0, runs: 20 }, { atUs: 4_351_000_000, fails: 1, runs: 50 },
    { atUs: 4_352_000_000, fails: 20, runs: 20 },
  ],
  jump: { fromUs: 4_351_000_000, toUs: 4_352_000_000 }, before: 20, after: 1_000, runs: 93,
};

function failure(): report.Failure {
  return {
    scenario: small(), outcome: outcome(small(), finding), finding, commit: "1a2b3c4", rule: "M3",
    means: "handshake deadline", why, recording: recording(),
    shrunk: { fromFaults: 20, runs: 28, ms: 130, isMinimal: true },
    repro: ".sim/L1-148.json", picture: ".sim/L1-148.html",
    kept: "test/sim/kept/L1-148.json",
  };
}

test("report: failure: a heal without a core is told as what it is", () => {
  const f = failure();
  const { scenario } = f;
  const alone = { ...scenario, phases: { ...scenario.phases, core: [] } };
  const said = report.failureText({ ...f, scenario: alone }).join("\n");
  assert.match(said, /no core: everybody is cut off at 85:00/);
  assert.doesNotMatch(said, /heal of/);
});

test("report: failure: one screen of 80 columns that tells what, how to repeat it, and why", () => {
  const lines = report.failureText(failure());
  assert.deepEqual(lines, [
    "✗ LIVENESS  L1 · maker1: not usable at dir0        [rule M3: handshake deadline]",
    "  at 120:00, 35m00s after the heal, still pending:",
    "    maker1@dir0: handshaking since 72:12 (2,868 s)",
    "",
    "  minimal scenario   3 faults  (from 20; 28 runs, 0.1 s)",
    "    56:22  half-open  maker1 ⇄ dir0  for 15m34s",
    "    71:58  slow       maker1 ⇄ dir0  for 3m21s (+20 s each way)",
    "    72:25  half-open  maker1 ⇄ dir0  for 5m10s",
    "    1 directory, 1 maker, heal of dir0 and maker1 at 85:00 · seed",
    "    0x00000000000000aa",
    "",
    "  what happened",
    "    72:11  maker1 → dir0  dials again   conn 1",
    "    72:12  maker1 → dir0  HANDSHAKE     conn 11  20 s late",
    "    72:32  dir0 → maker1  DN_HANDSHAKE  conn 11  ✂ lost (fault 3)",
    "    72:32  dir0           ⚑ S6",
    "    83:00  dir0 → maker1  PING          conn 11  · 39 more times",
    "",
    "  why      failure probability jumps 2 % → 100 % at 72:32; faults 1, 2 and 3 are",
    "           each necessary",
    "",
    "  replay   npx dogwatch sim replay .sim/L1-148.json --break 72:32",
    "  picture  .sim/L1-148.html",
    "  test     test/sim/kept/L1-148.json",
  ]);
});

test("report: failure: plain signs stay within ASCII and 80 columns, however much there is", () => {
  const many = scenario("many", 90);
  const pending = Array.from({ length: 30 }, (_, i) => `maker${i}@dir0: dialing since 1:00, ${
    "again and ".repeat(12)}again`);
  const f: report.Failure = { ...failure(), scenario: many, finding: { ...finding, pending } };
  const lines = report.failureText(f, { signs: words.plainSigns, width: 80 });
  assert.ok(lines.every((line) => line.length <= 80), lines.find((line) => line.length > 80));
  assert.ok(lines.length <= 60, `${lines.length} lines`);
  assert.match(lines.join("\n"), /^[\x20-\x7e\n]*$/);
});

test("report: failure: without anything but the outcome it still says how to repeat it", () => {
  const lines = report.failureText({
    scenario: small(), outcome: outcome(small(), finding), finding, commit: "1a2b3c4",
  });
  assert.match(lines.join("\n"), /replay {3}npx dogwatch sim replay 0x0+aa --break 120:00/);
});

test("report: last line: fields in order, absent ones left out, white space closed", () => {
  const line = report.failLine(failure());
  assert.match(line, new RegExp("^SIM fail id=L1 rule=M3 seed=0x00000000000000aa commit=1a2b3c4 "
    + "hash=[0-9a-f]{16} repro=.sim/L1-148.json$"));
  const fields = [["a", 1], ["b", undefined], ["c", "x y"]] as const;
  assert.equal(report.lastLine("ok", fields), "SIM ok a=1 c=x_y");
  const passed = report.passLine(small(), outcome(small()), "1a2b3c4");
  assert.match(passed, /^SIM pass seed=0x0+aa commit=1a2b3c4 /);
});

test("report: pass: a summary within the width", () => {
  const o: Outcome = {
    ...outcome(small()), goals: { S12: 5, S2: 9 }, faults: { slow: { fired: 1_234, active: 9 } },
    gauges: { outbox: 710 },
  };
  const lines = report.passText(small(), o, 120);
  assert.deepEqual(lines.slice(0, 6), [
    "✓ PASS  toy · seed 0x00000000000000aa",
    "  run      virtual 1h25m · 1,003 steps · 0.1 s · 42,500 : 1",
    "  nodes    1 directory, 1 maker",
    "  faults   slow 1,234",
    "  goals    S2 S12",
    "  nearest  outbox 71 %",
  ]);
});

test("report: json: everything is plain and the scenario is whole", () => {
  const json = JSON.parse(JSON.stringify(report.failureJson(failure()))) as {
    readonly id: string; readonly scenario: unknown; readonly why: unknown;
  };
  assert.equal(json.id, "L1");
  assert.deepEqual(json.scenario, JSON.parse(JSON.stringify(small())));
  assert.deepEqual(json.why, JSON.parse(JSON.stringify(why)));
  const pass = report.passJson(small(), outcome(small()), "1a2b3c4");
  assert.doesNotThrow(() => JSON.stringify(pass));
});

test("report: why: the table, the graph and the last steps of those involved", () => {
  const lines = report.whyReport(why, small(), recording());
  assert.deepEqual(lines.slice(3, 7), [
    "without",
    "  fault 1  necessary  56:22 half-open maker1 ⇄ dir0 for 15m34s",
    "  fault 2  necessary  71:58 slow maker1 ⇄ dir0 for 3m21s (+20 s each way)",
    "  fault 3  necessary  72:25 half-open maker1 ⇄ dir0 for 5m10s",
  ]);
  assert.ok(lines.includes(`  72:32  100 %  20/20  ${"█".repeat(40)}`));
  assert.ok(lines.includes("    72:12 maker1 conn.opened TCP up"));
  assert.ok(lines.every((line) => line.length <= 80));
});

test("words: time: what is written is read back", () => {
  for (const ms of [0, 999, 1_000, 59_999, 4_332_000, 86_400_000 * 3 + 1]) {
    assert.equal(words.parseTime(words.timeText(ms)), ms);
  }
  assert.equal(words.parseTime("90s"), 90_000);
  assert.equal(words.parseTime("1500ms"), 1_500);
  assert.equal(words.parseTime("72:60"), undefined);
  assert.equal(words.parseTime(""), undefined);
});

test("words: span: short and exact", () => {
  const spans = [0, 450, 20_000, 1_500, 934_000, 3_600_000, 5_025_000, -2_000].map(words.spanText);
  assert.deepEqual(spans, [
    "0 ms", "450 ms", "20 s", "1.500 s", "15m34s", "1h00m", "1h23m45s", "-2 s",
  ]);
});

test("words: harm: every kind has one line", () => {
  const link = ["maker1", "*"] as const;
  const node = "dir0";
  const forMs = 60_000;
  const harms: readonly Harm[] = [
    { kind: "cut", link, way: "there", forMs },
    { kind: "partition", side: ["a1", "b2"], way: "back", forMs },
    { kind: "slow", link, ms: 20, forMs }, { kind: "narrow", link, bytesPerSec: 1_000, forMs },
    { kind: "lateEnd", link, ms: 9_000, forMs }, { kind: "reset", link },
    { kind: "hang", link, forMs }, { kind: "refuse", link, forMs },
    { kind: "lateDial", link, ms: 10, forMs }, { kind: "chop", link, as: "tiny", forMs },
    { kind: "stall", node, forMs }, { kind: "pause", node, forMs },
    { kind: "crash", node, effect: 2, power: true, forMs }, { kind: "restart", node, forMs },
    { kind: "jump", node, ms: -86_400_000 }, { kind: "drift", node, ppm: 500, forMs },
    { kind: "diskSlow", node, ms: 3, forMs }, { kind: "diskFull", node, forMs },
    { kind: "diskTorn", node, forMs }, { kind: "diskFails", node, order: "sync" },
  ];
  const lines = harms.map((harm) => words.harmText(harm, words.plainSigns));
  assert.deepEqual(lines.slice(0, 4), [
    "cut maker1 -> all for 1m00s", "partition {a1 b2} <- the rest for 1m00s",
    "slow maker1 <-> all for 1m00s (+20 ms each way)",
    "narrow maker1 <-> all for 1m00s (1,000 bytes/s)",
  ]);
  assert.equal(lines[12], "power loss dir0 back after 1m00s (after effect 2 of a step)");
  assert.equal(lines[14], "clock jump dir0 -24h00m");
  assert.equal(lines.at(-1), "disk fails dir0 the next sync");
  assert.ok(lines.every((line) => /^[\x20-\x7e]+$/.test(line)));
});

test("words: tasks, triggers and nodes have one line each", () => {
  const at = { id: 1, at: 0, node: "maker1" } as const;
  const tasks: readonly Task[] = [
    { ...at, op: "announce", size: 1 }, { ...at, op: "orderbook" },
    { ...at, op: "fill", maker: "maker2", bytes: 200 }, { ...at, op: "peerlist" },
    { ...at, op: "ping" }, { ...at, op: "chat", bytes: 1 }, { ...at, op: "away", forMs: 5_000 },
    { ...at, op: "burst", count: 3, bytes: 10 }, { ...at, op: "append", count: 1, bytes: 2 },
  ];
  assert.equal(new Set(tasks.map(words.taskText)).size, 9);
  const trigger = words.triggerText({
    id: 1, on: { mark: "ping.sent", node: "dir0", nth: 12 }, delayMs: 20_000,
    do: { kind: "reset", link: ["maker1", "dir0"] },
  });
  assert.equal(trigger, "20 s after 12th ping.sent of dir0: reset maker1 ⇄ dir0");
  const crowd = hostileKinds.map((kind, i) => ({ id: `${kind}${i}`, kind }));
  const nodes = words.nodesText({ ...small(), nodes: [...small().nodes, ...crowd] });
  assert.match(nodes, /^1 directory, 1 maker, 1 flood/);
});
