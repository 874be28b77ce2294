/**
 * `dogwatch directory` as a process: its streams, its signals, its exit codes.
 * @module
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { folder, run, start } from "./capture.ts";

const temp = folder();
after(temp.remove);

test("directory: process: one line on stdout; SIGHUP, SIGUSR1 and SIGTERM", async () => {
  const config = join(temp.path, "dogwatch.toml");
  const write = (text: string): void => writeFileSync(config, `[directory]\n${text}\n`);
  write("peers_max = 50");
  const free = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const trace = join(temp.path, "run.trace");
  const args = ["directory", "--config", config, ...free, "--json", "--record", trace];
  const child = start(args, temp.path);
  await child.until("out", /\n/);
  const ready = JSON.parse(child.out()) as { event: string; listen: string; http: string };
  assert.equal(ready.event, "directory.ready");
  assert.match(ready.listen, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal((await run(["healthcheck", "--http", ready.http])).code, 0);

  write("peers_max = 60\nhandshaking_max = 9");
  child.process.kill("SIGHUP");
  await child.until("err", /"reload\.restart".*directory\.handshaking_max/);
  assert.match(child.err(), /"reload\.applied".*"keys":"directory\.peers_max"/);
  write("peers_max = 70\npeer_max = 1");
  child.process.kill("SIGHUP");
  await child.until("err", /"reload\.rejected".*peer_max.*the old one stays/);
  // Within the window of repeated lines, yet answered.
  child.process.kill("SIGHUP");
  await child.until("err", /("code":"reload\.rejected"[^]*){2}/);
  const status = await run(["status", "--http", ready.http, "--json"]);
  assert.equal((JSON.parse(status.out) as { peers: { max: number } }).peers.max, 60);

  child.process.kill("SIGUSR1");
  assert.equal((await run(["healthcheck", "--http", ready.http])).code, 0);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended, 0);
  assert.doesNotMatch(child.err(), /Debugger/);
  assert.equal(child.out().split("\n").length, 2);
  for (const line of child.err().trim().split("\n")) JSON.parse(line);
  assert.equal((await run(["replay", trace])).code, 0);
  assert.match(readFileSync(trace, "utf8"), /"operator\.reload"/);
});

test("directory: process: a second signal ends a drain at once, exit 1", async () => {
  const args = ["directory", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const child = start(args, temp.path);
  const [, port] = await child.until("out", /"listen":"127\.0\.0\.1:(\d+)"/);
  // A connection that does not read its refusal keeps the drain open for its grace time.
  const peer = net.connect({ host: "127.0.0.1", port: Number(port), allowHalfOpen: true });
  await new Promise((resolve) => peer.once("connect", resolve));
  peer.on("error", () => {});
  peer.pause();
  await untilConnected(child.out());
  child.process.kill("SIGINT");
  await child.until("err", /directory\.draining/);
  child.process.kill("SIGINT");
  const code = await child.ended;
  peer.destroy();
  assert.equal(code, 1);
  assert.match(child.err(), /second signal, ending at once/);
});

/** The node accepts in its own time: ask until it has. */
async function untilConnected(out: string): Promise<void> {
  const { http } = JSON.parse(out) as { http: string };
  for (let tries = 0; tries < 200; tries += 1) {
    const { out: status } = await run(["status", "--http", http, "--json"]);
    if ((JSON.parse(status) as { peers: { connections: number } }).peers.connections > 0) return;
  }
  assert.fail("the connection was not accepted");
}

test("directory: process: a port that is taken ends with exit 1 and advice on stderr", async () => {
  const args = ["directory", "--listen", "unix:/nowhere/peers.sock", "--http", "127.0.0.1:0"];
  const child = start(args, temp.path);
  assert.equal(await child.ended, 1);
  assert.equal(child.out(), "");
  assert.match(child.err(), /^dogwatch: .*nothing was started[^\n]*\n$/);
});
