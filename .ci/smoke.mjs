/**
 * The built file does its job: starts on free ports, says where, takes a peer, answers over HTTP, and ends when told.
 * Then the demonstration runs for a few seconds without a terminal and ends on Ctrl-C.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const file = join(process.cwd(), "dist", "dogwatch.js");
const limitMs = 30_000;
const demoMs = 5_000;

assert.ok(readFileSync(file, "utf8").startsWith("#!/usr/bin/env node\n"), "no shebang");
assert.equal(statSync(file).mode & 0o111, 0o111, "not executable");
const folder = mkdtempSync(join(tmpdir(), "dogwatch-smoke-"));
try {
  await directory();
  await demo();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function directory() {
  const run = start([
    "directory", "--network", "regtest", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
    "--data-dir", folder,
  ]);
  try {
    const ready = JSON.parse(await run.line());
    assert.equal(ready.event, "directory.ready");
    const answer = await shake(ready.listen);
    assert.equal(answer.type, 795);
    assert.equal(JSON.parse(answer.line).accepted, true);
    const livez = await fetch(`http://${ready.http}/livez`, { signal: AbortSignal.timeout(limitMs) });
    assert.equal(livez.status, 200);
    run.child.kill("SIGTERM");
    assert.deepEqual(await run.ended, [0, null], "exit status after SIGTERM");
    assert.deepEqual(run.lines, [], "one line on stdout and nothing else");
    console.log(`directory: ready at ${ready.listen}, handshake accepted, live, ended with 0`);
  } finally {
    run.child.kill("SIGKILL");
  }
}

/** Connects as a taker and returns the first envelope that comes back. */
async function shake(address) {
  const [host, port] = address.split(":");
  const socket = net.connect(Number(port), host);
  socket.setTimeout(limitMs, () => socket.destroy(new Error("no answer")));
  const hello = {
    "app-name": "joinmarket", directory: false, "location-string": "NOT-SERVING-ONION",
    "proto-ver": 5, features: {}, nick: "J5Ckon1LuuapPSBM", network: "regtest",
  };
  socket.write(`${JSON.stringify({ type: 793, line: JSON.stringify(hello) })}\r\n`);
  try {
    for await (const line of createInterface({ input: socket })) return JSON.parse(line);
    throw new Error("closed without an answer");
  } finally {
    socket.destroy();
  }
}

async function demo() {
  const run = start(["demo"]);
  try {
    const [early] = await Promise.all([
      Promise.race([run.ended, new Promise((resolve) => setTimeout(resolve, demoMs))]),
      run.line(),
    ]);
    assert.equal(early, undefined, "the demonstration ended by itself");
    run.child.kill("SIGINT");
    assert.deepEqual(await run.ended, [0, null], "exit status after SIGINT");
    console.log(`demo: ${run.lines.length + 1} lines in ${demoMs} ms, ended with 0`);
  } finally {
    run.child.kill("SIGKILL");
  }
}

/** A child that is killed when it takes too long; its standard error is ours. */
function start(args) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: folder, stdio: ["ignore", "pipe", "inherit"], timeout: limitMs, killSignal: "SIGKILL",
  });
  const lines = [];
  const waiting = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    const taken = waiting.shift();
    if (taken === undefined) lines.push(line);
    else taken(line);
  });
  const ended = once(child, "close");
  const line = () => {
    if (lines.length > 0) return Promise.resolve(lines.shift());
    const next = new Promise((resolve) => waiting.push(resolve));
    const failed = ended.then(([code]) => { throw new Error(`ended with ${code} and no line`); });
    return Promise.race([next, failed]);
  };
  return { child, lines, line, ended };
}
