/**
 * The process's own streams: full disks, readers that left, readers that stall.
 * @module
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, type StdioOptions } from "node:child_process";
import { closeSync, constants, openSync, writeFileSync, writeSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { after, test } from "node:test";
import { processIo } from "../../cli/io.ts";
import { folder, run } from "./capture.ts";

const temp = folder();
after(temp.remove);

/** A stream whose writes wait until they are let go, with an error or without. */
function gate(): { readonly stream: Writable; readonly open: (error?: Error) => void } {
  const held: ((error?: Error) => void)[] = [];
  const stream = new Writable({ write: (_bytes, _encoding, done) => void held.push(done) });
  return {
    stream,
    open: (error) => {
      for (let done = held.shift(); done !== undefined; done = held.shift()) done(error);
    },
  };
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: said the system`), { code });
}

type Bench = ReturnType<typeof gate> & {
  readonly io: ReturnType<typeof processIo>;
  readonly talk: () => string;
  readonly stops: () => number;
};

function bench(): Bench {
  const stdout = gate();
  const stderr = new PassThrough();
  let stops = 0;
  const io = processIo({ stdout: stdout.stream, stderr, env: {} }, () => (stops += 1));
  return { ...stdout, io, talk: () => String(stderr.read() ?? ""), stops: () => stops };
}

test("cli: io: the process waits until its output has gone out", async () => {
  const { io, open, stops } = bench();
  io.out("one\n");
  io.out("two\n");
  let ended: number | undefined;
  const end = io.finish(0).then((code) => (ended = code));
  await new Promise(setImmediate);
  assert.equal(ended, undefined);
  open();
  await new Promise(setImmediate);
  open();
  assert.equal(await end, 0);
  assert.equal(await io.finish(3), 3);
  assert.equal(stops(), 0);
});

test("cli: io: output that is lost is said, and turns 0 into 1", async () => {
  for (const [code, exit] of [[0, 1], [2, 2]] as const) {
    const { io, open, talk, stops } = bench();
    io.out("one\n");
    const end = io.finish(code);
    open(failure("ENOSPC"));
    assert.equal(await end, exit);
    io.out("two\n");
    assert.equal(await io.finish(code), exit);
    assert.equal(talk(), "dogwatch: cannot write to stdout: ENOSPC: said the system; " +
      "the output is lost\n");
    assert.equal(stops(), 1);
  }
});

test("cli: io: a reader that left ends the command without a word", async () => {
  const { io, open, talk, stops } = bench();
  io.out("one\n");
  const end = io.finish(0);
  open(failure("EPIPE"));
  assert.equal(await end, 0);
  assert.deepEqual([talk(), stops()], ["", 1]);
});

test("cli: io: who goes on without stdout hears of it once, and waits for nothing", async () => {
  for (const code of ["EPIPE", "ENOSPC"]) {
    const { io, open, talk, stops } = bench();
    const heard: string[] = [];
    io.onLost?.((says) => void heard.push(says));
    io.out("one\n");
    assert.equal(await io.finish(0), 0);
    open(failure(code));
    await new Promise(setImmediate);
    io.out("two\n");
    assert.deepEqual(heard, [`${code}: said the system`]);
    assert.equal(await io.finish(0), 0);
    assert.deepEqual([talk(), stops()], ["", 0]);
  }
});

test("cli: io: a stderr that fails changes nothing", async () => {
  const stderr = gate();
  const io = processIo({ stdout: new PassThrough(), stderr: stderr.stream, env: {} }, assert.fail);
  io.err("x\n");
  stderr.open(failure("ENOSPC"));
  await new Promise(setImmediate);
  assert.equal(await io.finish(0), 0);
});

type Child = {
  readonly process: ChildProcess;
  /** Resolves once `pattern` is found in what was read of stdout or stderr. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly read: () => string;
  readonly ended: Promise<number | string>;
};

/** Starts `dogwatch ARGS` with these streams; what is a pipe is read. */
function start(args: readonly string[], stdout: "pipe" | number, stderr: "pipe" | number): Child {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = isCompiled ? ["build/cli/main.js"] : ["--import", "tsx", "cli/main.ts"];
  const nowhere = { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: temp.path };
  const stdio: StdioOptions = ["ignore", stdout, stderr];
  const env = { ...process.env, ...nowhere, NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [...main, ...args], { env, stdio });
  const reader = listen(child.stdout, child.stderr);
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  void ended.then((code) => reader.end(`ended with ${code}`));
  return { process: child, until: reader.until, read: reader.read, ended };
}

type Reader = Pick<Child, "until" | "read"> & { readonly end: (why: string) => void };

function listen(...streams: (NodeJS.ReadableStream | null)[]): Reader {
  let text = "";
  const looks = new Set<(why?: string) => void>();
  for (const stream of streams) {
    stream?.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      for (const look of looks) look();
    });
  }
  const until = (pattern: RegExp): Promise<RegExpExecArray> => new Promise((resolve, reject) => {
    const look = (why?: string): void => {
      const match = pattern.exec(text);
      if (match === null && why === undefined) return;
      looks.delete(look);
      if (match === null) reject(new Error(`${why}: ${text}`));
      else resolve(match);
    };
    looks.add(look);
    look();
  });
  return { until, read: () => text, end: (why) => [...looks].forEach((look) => look(why)) };
}

const free = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];

test("cli: io: process: a full disk under stdout is exit 1 and a sentence", async () => {
  const full = openSync("/dev/full", "w");
  const commands = [["config", "show"], ["completion", "bash"], ["demo", "--json"]];
  await Promise.all(commands.map(async (args) => {
    const child = start(args, full, "pipe");
    assert.equal(await child.ended, 1);
    assert.match(child.read(), /^dogwatch: cannot write to stdout: ENOSPC.*; the output is lost$/m);
  }));
  closeSync(full);
});

test("cli: io: process: the demo ends quietly when its reader has gone", async () => {
  const child = start(["demo", "--json"], "pipe", "pipe");
  await child.until(/\n.*\n/);
  child.process.stdout?.destroy();
  assert.equal(await child.ended, 0);
  assert.doesNotMatch(child.read(), /dogwatch:/);
});

test("cli: io: process: a full disk under its log does not touch the daemon", async () => {
  const full = openSync("/dev/full", "w");
  await Promise.all([["--json"], []].map(async (more) => {
    const child = start(["directory", ...free, ...more], "pipe", full);
    const [, http = ""] = await child.until(/"http":"([^"]+)"/);
    child.process.kill("SIGHUP");
    assert.equal((await run(["healthcheck", "--http", http])).code, 0);
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, 0);
  }));
  closeSync(full);
});

/** Each daemon with what it needs to run, and how healthy it is with that alone. */
const daemons = {
  directory: { ready: "run.ready", health: 0, keys: "listen = '127.0.0.1:0'" },
  maker: { ready: "run.maker-ready", health: 1, keys: "directories = ['127.0.0.1:1']" },
  ark: {
    ready: "run.ark-ready", health: 1,
    keys: "[[ark.wallet]]\nname = 'a'\nurl = 'http://127.0.0.1:1'\ntoken_file = 'token'",
  },
};

for (const [name, { ready, health, keys }] of Object.entries(daemons)) {
  test(`cli: io: process: ${name}: it serves without its ready line, and says so`, async () => {
    const config = join(temp.path, `${name}.toml`);
    writeFileSync(config, `[${name}]\nhttp = '127.0.0.1:0'\n${keys}\n`);
    const args = [name, "--config", config, "--json"];
    const full = openSync("/dev/full", "w");
    for (const code of ["ENOSPC", "EPIPE"]) {
      const child = start(args, code === "ENOSPC" ? full : "pipe", "pipe");
      child.process.stdout?.destroy();
      await child.until(new RegExp(`"run\\.ready-lost".*${code}.*could not be written to stdout`));
      const [, http = ""] = await child.until(new RegExp(`"${ready}".*"http":"([^"]+)"`));
      assert.equal((await run(["healthcheck", "--http", http])).code, health);
      assert.doesNotMatch(child.read(), /run\.stopping/);
      child.process.kill("SIGTERM");
      assert.equal(await child.ended, 0);
    }
    closeSync(full);
  });
}

test("cli: io: process: a reader of the log that stalls does not stop the daemon", async () => {
  const path = join(temp.path, "log");
  execFileSync("mkfifo", [path]);
  const reads = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // Blocking, as a shell would hand it on.
  const writes = openSync(path, constants.O_WRONLY);
  fill(path);
  const child = start(["directory", ...free, "--json"], "pipe", writes);
  closeSync(writes);
  const [, http = ""] = await child.until(/"http":"([^"]+)"/);
  assert.equal((await run(["healthcheck", "--http", http])).code, 0);
  const socket = new net.Socket({ fd: reads, readable: true, writable: false });
  const log = listen(socket);
  await log.until(/"code":"log\.lost","fields":\{"lines":\d+\},"msg":"lost \d+ log lines: /);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended, 0);
  await log.until(/"run\.stopped"/);
  for (const line of log.read().replace(/^#+/, "").trim().split("\n")) JSON.parse(line);
  socket.destroy();
});

/** Fills a pipe to its last byte. */
function fill(path: string): void {
  const writes = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  for (const size of [4_096, 1]) {
    const bytes = Buffer.alloc(size, "#");
    try {
      for (let tries = 0; tries < 2 ** 20; tries += 1) writeSync(writes, bytes);
      assert.fail("the pipe does not fill");
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
    }
  }
  closeSync(writes);
}
