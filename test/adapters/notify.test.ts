import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { createCommands, defaults, passed, type Config } from "../../adapters/notify.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import type { ExecEffect } from "../../core/notify/target.ts";

const node = process.execPath;
const effect = (fields: Partial<ExecEffect> = {}): ExecEffect => ({
  type: "exec.start", req: 1, to: "notice:0", title: "Title", body: "One.\nTwo.",
  priority: "urgent", ...fields,
});

/** Runs a script of Node as the command of `notice:0`. */
function bench(script: string, config: Partial<Config> = {}) {
  const heard: RequestEvent[] = [];
  const waiting: ((event: RequestEvent) => void)[] = [];
  const commands = createCommands(
    {
      ...defaults, commands: new Map([["notice:0", { command: node, args: ["-e", script] }]]),
      env: process.env, ...config,
    },
    createAmbient(),
    (event) => {
      heard.push(event);
      waiting.shift()?.(event);
    },
  );
  const answer = (): Promise<RequestEvent> =>
    new Promise((resolve) => void waiting.push(resolve));
  const run = async (fields: Partial<ExecEffect> = {}): Promise<RequestEvent> => {
    const one = answer();
    commands.start(effect(fields));
    return one;
  };
  return { commands, heard, answer, run };
}

/** Not a zombie either, which nobody may have reaped yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const bodyOf = (event: RequestEvent): string => (event.type === "req.done" ? event.body : "");

test("adapters: notify: the notice is on standard input and in the environment, only", async () => {
  const b = bench(`
    const input = require("fs").readFileSync(0, "utf8");
    const { DOGWATCH_TITLE: title, DOGWATCH_BODY: body, DOGWATCH_PRIORITY: p } = process.env;
    console.log(JSON.stringify({ input, title, body, p, argv: process.argv.slice(1) }));
  `);
  const event = await b.run();
  assert.equal(event.type === "req.done" && event.status, 200);
  assert.deepEqual(JSON.parse(bodyOf(event)), {
    input: "Title\n\nOne.\nTwo.\n", title: "Title", body: "One.\nTwo.", p: "urgent", argv: [],
  });
  assert.equal(b.commands.running(), 0);
});

test("adapters: notify: nothing of a text is run, whatever it says", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "notify-"));
  const mark = path.join(folder, "mark");
  const evil = `$(touch ${mark})\`touch ${mark}\`; touch ${mark}; --version`;
  const b = bench(`console.log(process.env.DOGWATCH_TITLE)`);
  assert.equal(bodyOf(await b.run({ title: evil, body: evil })), `${evil}\n`);
  assert.ok(!fs.existsSync(mark));
  fs.rmSync(folder, { recursive: true });
});

test("adapters: notify: a program inherits no secret and no descriptor of ours", async () => {
  const secret = fs.openSync("/dev/null", "r");
  const env = {
    ...process.env, RPC_PASSWORD: "hunter2", CREDENTIALS_DIRECTORY: "/run/credentials",
    NOTIFY_SOCKET: "/run/notify", LANG: "C.UTF-8",
  };
  const b = bench(`
    const open = require("fs").readdirSync("/proc/self/fd").filter((fd) => {
      try { return require("fs").readlinkSync("/proc/self/fd/" + fd) === "/dev/null"; }
      catch { return false; }
    });
    console.log(JSON.stringify({ names: Object.keys(process.env), open }));
  `, { env });
  const { names, open } = JSON.parse(bodyOf(await b.run())) as {
    readonly names: string[]; readonly open: string[];
  };
  fs.closeSync(secret);
  const allowed = new Set<string>([
    ...passed, "DOGWATCH_TITLE", "DOGWATCH_BODY", "DOGWATCH_PRIORITY",
    // Node itself hands this on while coverage is measured.
    "NODE_V8_COVERAGE",
  ]);
  assert.deepEqual(names.filter((name) => !allowed.has(name)), []);
  assert.ok(names.includes("LANG"));
  assert.deepEqual(open, []);
});

test("adapters: notify: an exit code is an answer, with the end of the output", async () => {
  const b = bench(`console.error("x".repeat(99)); console.error("why"); process.exitCode = 3`,
    { outputBytesMax: 10 });
  assert.deepEqual(await b.run(), { type: "req.done", req: 1, status: 500, body: "xxxxx\nwhy\n" });
});

test("adapters: notify: a program need not read what it is told", async () => {
  const b = bench(`process.stdin.destroy()`);
  const event = await b.run({ body: "x".repeat(100_000) });
  assert.equal(event.type === "req.done" && event.status, 200);
});

test("adapters: notify: a program that takes too long is killed with its children", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "notify-"));
  const file = path.join(folder, "pid");
  const b = bench(`
    const { pid } = require("child_process").spawn("sleep", ["60"], { stdio: "ignore" });
    require("fs").writeFileSync(${JSON.stringify(file)}, String(pid));
    setTimeout(() => {}, 60000);
  `, { timeMsMax: 1_500 });
  const started = performance.now();
  assert.deepEqual(await b.run(), { type: "req.failed", req: 1, reason: "timeout" });
  assert.ok(performance.now() - started >= 1_490);
  assert.equal(b.commands.running(), 0);
  const child = Number(fs.readFileSync(file, "utf8"));
  for (let i = 0; i < 50 && isRunning(child); i += 1) await sleep(20);
  assert.ok(!isRunning(child));
  fs.rmSync(folder, { recursive: true });
});

test("adapters: notify: what a program leaves behind keeps no answer back for ever", async () => {
  const b = bench(`
    require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 3000)"],
      { stdio: "inherit", detached: true }).unref();
  `, { timeMsMax: 900 });
  const event = await b.run();
  assert.equal(event.type === "req.done" && event.status, 200);
});

test("adapters: notify: a killed program is a failure", async () => {
  const b = bench(`process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 60000)`);
  assert.deepEqual(await b.run(), { type: "req.failed", req: 1, reason: "reset" });
});

test("adapters: notify: programs that cannot run are failures, never within the call", async () => {
  const commands = new Map([
    ["missing", { command: "/nonexistent/program", args: [] }],
    ["folder", { command: "/", args: [] }],
    ["odd", { command: node, args: ["a\u0000b"] }],
  ]);
  const b = bench("", { commands });
  for (const [to, reason] of [
    ["missing", "unreachable"], ["folder", "denied"], ["odd", "malformed"], ["other", "denied"],
  ] as const) {
    const one = b.answer();
    const before = b.heard.length;
    b.commands.start(effect({ to }));
    assert.equal(b.heard.length, before);
    assert.deepEqual(await one, { type: "req.failed", req: 1, reason }, to);
  }
  assert.equal(b.commands.running(), 0);
});

test("adapters: notify: no more run at once than may", async () => {
  const b = bench(`setTimeout(() => {}, 60000)`, { runningMax: 2 });
  for (const req of [1, 2]) b.commands.start(effect({ req }));
  assert.deepEqual(await b.run({ req: 3 }), { type: "req.failed", req: 3, reason: "refused" });
  assert.equal(b.commands.running(), 2);
  b.commands.closeAll();
  assert.equal(b.commands.running(), 0);
});

test("adapters: notify: what is dropped is killed and answers no more", async () => {
  const b = bench(`process.stdout.write("up"); setTimeout(() => {}, 60000)`);
  b.commands.start(effect());
  await sleep(50);
  b.commands.drop(1);
  b.commands.drop(1);
  await sleep(100);
  assert.deepEqual([b.heard, b.commands.running()], [[], 0]);
});
