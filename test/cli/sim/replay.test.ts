/**
 * Looking at runs, step by step, and at traces from the field.
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { builtIn } from "../../../cli/sim/engine.ts";
import { pretty, writeKept } from "../../../cli/sim/files.ts";
import { filmOf } from "../../../cli/sim/film.ts";
import { plainOptions } from "../../../cli/sim/flags.ts";
import { createRepl, readBreak, type Repl, say } from "../../../cli/sim/repl.ts";
import type { Scenario } from "../../../sim/scenario.ts";
import { folder, run as inside } from "../capture.ts";
import { run } from "./program.ts";

const temp = folder();
after(temp.remove);

const small: Scenario = {
  simVersion: 1, name: "small", seed: "0x0000000000000001",
  nodes: [
    { id: "dir0", kind: "directory" }, { id: "maker0", kind: "maker", speaks: "new" },
    { id: "taker0", kind: "taker", speaks: "new" },
  ],
  net: {
    latencyMinUs: 10_000, latencyMeanUs: 10_000, segment: "whole", sendBufferBytes: 65_536,
    receiveBufferBytes: 65_536,
  },
  host: { stepUs: 10, effectUs: 1, timerLateUs: 0 },
  workload: [{ id: 1, at: 30_000, node: "taker0", op: "orderbook" }],
  faults: [{ id: 2, at: 60_000, kind: "reset", link: ["maker0", "dir0"] },
    { id: 3, at: 90_000, kind: "cut", link: ["taker0", "dir0"], way: "both", forMs: 60_000 }],
  triggers: [],
  phases: { faultyMs: 240_000, core: ["dir0", "maker0", "taker0"], convergeMs: 0, fates: [] },
};
const smallFile = join(temp.path, "small.json");
writeFileSync(smallFile, pretty(small, ""));

function repl(): Repl {
  return createRepl(filmOf(builtIn, small, plainOptions));
}

function told(r: Repl, ...lines: readonly string[]): string {
  return lines.map((line) => say(r, line).text).at(-1) ?? "";
}

test("sim cli: film: backwards is exactly where forwards was", () => {
  const film = filmOf(builtIn, small, plainOptions);
  const shown: string[] = [];
  while (film.next() !== undefined) {
    shown.push(JSON.stringify([film.steps(), film.nowMs(), film.tail().at(-1)?.event.type]));
  }
  assert.ok(shown.length > 50);
  for (const step of [shown.length - 1, 7, 30, 1, 30]) {
    film.seek(step);
    assert.equal(film.steps(), step);
    const now = JSON.stringify([step, film.nowMs(), film.tail().at(-1)?.event.type]);
    assert.equal(now, shown[step - 1]);
  }
  film.seek(0);
  assert.equal(film.tail().length, 0);
});

test("sim cli: film: looking changes nothing", () => {
  const plain = builtIn.run(small);
  const film = filmOf(builtIn, small, plainOptions);
  while (film.next() !== undefined);
  assert.equal(film.steps(), plain.steps);
});

test("sim cli: repl: step, back, goto, next and where agree about where one is", () => {
  const r = repl();
  assert.match(told(r, "where"), /^before the first step/);
  const three = told(r, "step 3").split("\n");
  assert.equal(three.length, 3);
  assert.match(three[2] ?? "", /^#2 {2}\d\d:\d\d/);
  assert.equal(told(r, "where"), three[2]);
  assert.equal(told(r, "back"), three[1]);
  assert.equal(told(r, "goto #2"), three[2]);
  assert.equal(told(r, "to #2"), three[2]);
  assert.match(told(r, "step some"), /^step N, such as/);
  assert.match(told(r, "goto 01:00"), /^#\d+ {2}01:\d\d/);
  assert.match(told(r, "next dir0"), / {2}dir0 {2}/);
  assert.equal(told(r, "list 2").split("\n").length, 2);
  assert.match(told(r, "step 100000"), /the run is over and nothing is wrong$/);
  assert.match(told(r, "goto 00:30"), /^#\d+ {2}00:3/);
});

test("sim cli: repl: breaks at marks, instants and steps", () => {
  const r = repl();
  assert.match(told(r, "break welcome.sent@dir0", "continue"), /stopped at welcome\.sent@dir0$/);
  assert.match(told(r, "marks dir0"), /^dir0: welcome\.sent 1/);
  assert.match(told(r, "continue"), /stopped at welcome\.sent@dir0$/);
  assert.match(told(r, "clear", "break 02:00 #400000", "run"), /stopped at 02:00$/);
  assert.match(told(r, "break never"), /^break MARK\[@NODE\], mm:ss or #STEP; marks: dial, /);
  assert.deepEqual(readBreak("restarted"), { kind: "mark", mark: "restarted", node: undefined });
  assert.deepEqual(readBreak("72:12"), { kind: "time", atMs: 4_332_000 });
  assert.equal(readBreak("72"), undefined);
});

test("sim cli: repl: state, changes, effects, sockets, nodes and faults", () => {
  const r = repl();
  told(r, "break welcome.sent", "continue");
  assert.match(told(r, "effects"), /conn\.send conn=\d+ bytes=/);
  assert.match(told(r, "state dir0"), /^registry: \d+ entries, \d+ values$/m);
  assert.ok(told(r, "state dir0").split("\n").length < 40);
  assert.match(told(r, "state dir0 sessions"), /^sessions\.byConn: 1 entry, 39 values$/m);
  assert.match(told(r, "state dir0 sessions all"), /\.at\.phase = "registered"/);
  assert.match(told(r, "state dir0 sessions.pendingBytes"), /^sessions\.pendingBytes = \d+$/);
  assert.ok(told(r, "state dir0 all").split("\n").length > 400);
  assert.match(told(r, "state dir0 nothing"), /^dir0 has no nothing$/);
  assert.match(told(r, "state nobody"), /^dir0 {2}directory, up, process 1, \d+ sockets/);
  const brief = told(r, "changes").split("\n");
  assert.ok(brief.length <= 30, `${brief.length}`);
  assert.equal(brief.at(-1), "changes PATH tells more, changes all everything");
  assert.ok(told(r, "changes all").split("\n").length > brief.length);
  for (const words of ["changes all", "changes sessions"]) {
    assert.match(told(r, words), /at\.phase: "greeting" -> "registered"/);
  }
  assert.equal(told(r, "changes nowhere"), "nothing changed");
  assert.match(told(r, "sockets dir0"), /^dir0 conn \d+ from (maker|taker)0: open, live$/m);
  assert.equal(told(r, "faults"), "no fault is active");
  assert.match(told(r, "goto 01:45", "faults"), /^3: cut taker0 \S+ dir0 .*01:30 to 02:30/);
  assert.match(told(r, "help"), /^step \[N\]/);
  assert.match(told(r, "dance"), /^unknown: dance; there is step, back/);
  assert.ok(say(r, "quit").isOver);
});

test("sim cli: replay: the same run again is said to be, and another is told", async () => {
  const plain = builtIn.run(small);
  const file = join(temp.path, "kept.json");
  writeKept(file, { kept: 1, digest: plain.digest, scenario: small });
  const same = await inside(["sim", "replay", file]);
  assert.equal(same.code, 0);
  assert.match(same.out, /^nothing is wrong\nSIM pass steps=\d+ hash=\w{16} same=yes repro=/);
  writeKept(file, { kept: 1, digest: "0000000000000000", scenario: small });
  const other = await inside(["sim", "replay", file]);
  assert.match(other.out, /it ran otherwise when it was kept .*the code has changed since/);
  assert.match(other.out, /same=no/);
});

test("sim cli: replay: commands come from the line or from a pipe", async () => {
  const asked = await inside([
    "sim", "replay", smallFile, "--break", "welcome.sent@dir0", "--command", "where;effects",
    "--command", "back",
  ]);
  assert.equal(asked.code, 0);
  assert.match(asked.out, /stopped at welcome\.sent@dir0\n#\d+ [^]*conn\.send [^]*\n#\d+ /);
  const typed = "where\nback\nquit\nwhere\n";
  const piped = await run(["sim", "replay", smallFile, "--from", "#5"], {}, typed);
  assert.equal(piped.code, 0);
  const lines = piped.out.trim().split("\n");
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), ["#5", "#5", "#4"]);
  const until = await inside([
    "sim", "replay", smallFile, "--until", "01:00", "--command", "where",
  ]);
  assert.match(until.out, /stopped at 01:00/);
  const wrong = await inside(["sim", "replay", smallFile, "--break", "lunch"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--break lunch: expected a mark, mm:ss or #step/);
});

test("sim cli: replay: each step is a line of the trace; diff finds where two part", async () => {
  const [a, b] = [join(temp.path, "a.jsonl"), join(temp.path, "b.jsonl")];
  const plain = builtIn.run(small);
  assert.equal((await inside(["sim", "replay", smallFile, "--trace", a])).code, 0);
  const lines = readFileSync(a, "utf8").trim().split("\n");
  assert.equal(lines.length, plain.steps + 1);
  const header = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.deepEqual(Object.keys(header).slice(0, 3), ["simTrace", "simVersion", "version"]);
  assert.deepEqual(header["scenario"], JSON.parse(JSON.stringify(small)));
  assert.match(lines.at(-1) ?? "", new RegExp(`"h":"${plain.digest}"\\}$`));
  assert.ok(lines.some((line) => line.includes(`"fx":["conn.send:DN_HANDSHAKE`)));

  const [first] = small.faults;
  const without = join(temp.path, "without.json");
  writeFileSync(without, pretty({ ...small, faults: small.faults.slice(1) }, ""));
  assert.equal((await inside(["sim", "replay", without, "--trace", b])).code, 0);
  const traces = await inside(["sim", "diff", a, b]);
  assert.equal(traces.code, 1);
  assert.match(traces.out, /they part at step \d+:/);
  const runs = await inside(["sim", "diff", smallFile, without]);
  assert.equal(runs.code, 1);
  const at = /they part at step (\d+):\na (\S+)/.exec(runs.out);
  assert.ok(at !== null, runs.out);
  assert.equal(Number((at[2] ?? "").split(":")[0]), Math.floor((first?.at ?? 0) / 60_000));
  const same = await inside(["sim", "diff", smallFile, smallFile]);
  assert.equal(same.code, 0);
  assert.match(same.out, /^the same: \d+ steps\n/);
});

test("sim cli: replay: files that cannot be written are named, and are no success", async () => {
  const plain = join(temp.path, "plain");
  writeFileSync(plain, "");
  for (const to of [join(plain, "t.jsonl"), "/dev/full"]) {
    const ran = await inside(["sim", "replay", smallFile, "--trace", to]);
    assert.equal(ran.code, 1, to);
    assert.match(ran.err, new RegExp(`^dogwatch: (no trace: )?cannot write ${to}: E[^\n]*\n$`));
  }
  const svg = join(temp.path, "refused.svg");
  mkdirSync(`${svg}.part`);
  for (const command of ["run", "replay"]) {
    const ran = await inside(["sim", command, smallFile, "--svg", svg]);
    assert.equal(ran.code, 1, command);
    assert.match(ran.err, /^dogwatch: no picture: cannot write \S+refused\.svg: /);
    assert.match(ran.out, /^SIM fail .* exit=1$/m);
    assert.ok(!existsSync(svg));
  }
  const hunted = await inside(["sim", "hunt", "--seeds", "1", "--out", join(plain, "x"), "-q"]);
  assert.equal(hunted.code, 1);
  assert.match(hunted.err, /^dogwatch: cannot write \S+: ENOTDIR[^\n]*\n$/);
});

test("sim cli: replay: pictures are drawn before somebody looks; a trace is of a whole run",
  async () => {
    const mermaid = join(temp.path, "looked.mmd");
    const ran = await inside([
      "sim", "replay", smallFile, "--mermaid", mermaid, "--command", "where",
    ]);
    assert.equal(ran.code, 0);
    assert.ok(existsSync(mermaid));
    const both = await inside([
      "sim", "replay", smallFile, "--trace", join(temp.path, "no.jsonl"), "--until", "01:00",
    ]);
    assert.equal(both.code, 2);
    assert.match(both.err, /--trace \S+no\.jsonl: a whole run is written, without --from/);
  });

test("sim cli: replay: a trace of a simulated run stands for its scenario", async () => {
  const file = join(temp.path, "sim.jsonl");
  assert.equal((await inside(["sim", "replay", smallFile, "--trace", file])).code, 0);
  const ran = await inside(["sim", "replay", file]);
  assert.equal(ran.code, 0);
  assert.match(ran.err, /sim\.jsonl is the trace of a simulated run; what is run is its scenario/);
  assert.match(ran.out, new RegExp(` hash=${builtIn.run(small).digest} `));
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 200));
  const damaged = await inside(["sim", "run", file]);
  assert.equal(damaged.code, 2);
  assert.match(damaged.err, /sim\.jsonl: its first line is damaged: /);
});

test("sim cli: replay: a trace from the field is compared and looked at alike", async () => {
  const trace = join(temp.path, "day.trace");
  assert.equal((await inside(["demo", "--for", "0.5", "--json", "--record", trace])).code, 0);
  const plain = await inside(["sim", "replay", "--from", trace, "--quiet"]);
  assert.equal(plain.code, 0, plain.err);
  assert.match(plain.out, /^same: \d+ steps as recorded\n$/);
  const looked = await inside([
    "sim", "replay", "--from", trace, "--command", "step 3;state directory nick;back;where;sockets",
  ]);
  assert.equal(looked.code, 0);
  const seen = /\n#2 [^]*\nnick = "J5\w+"\n#1 [^]*\n#1 [^]*\na recorded trace has no sockets\n$/;
  assert.match(looked.out, seen);
  const bare = await inside(["sim", "replay", trace, "--from", "#4", "--command", "where"]);
  assert.equal(bare.code, 0, bare.err);
  assert.match(bare.out, /^same: \d+ steps as recorded\n#4 [^]*\n#4 /);
  const run = await inside(["sim", "run", trace]);
  assert.equal(run.code, 2);
  assert.match(run.err, /is what a daemon recorded.*: dogwatch sim replay \S+day\.trace\n$/);
  const foreign = await inside(["sim", "replay", "--from", smallFile]);
  assert.equal(foreign.code, 1);
  assert.match(foreign.err, /it is not a recording: it begins with something else/);
  const bytes = readFileSync(trace);
  const at = bytes.indexOf("\"h\":\"", 2_000) + 6;
  bytes[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
  writeFileSync(trace, bytes);
  const damaged = await inside(["sim", "replay", "--from", trace]);
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /^DIFFERENT at step \d+: digest/);
});
