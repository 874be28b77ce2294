/**
 * A whole node on real sockets with its onion service: a small Tor's control port and proxy.
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { load, type FlagSetting } from "../../adapters/config.ts";
import { getJson } from "../../adapters/http.ts";
import { createLog } from "../../adapters/log.ts";
import { replayFile } from "../../cli/replay.ts";
import { type Daemon, start } from "../../cli/run.ts";
import { sentences } from "../../cli/sentences.ts";
import { socks5, type Socks5 } from "../support/socks5.ts";
import { fakeTor, hostOfBlob, talk, type FakeTor } from "../support/tor.ts";
import { folder } from "./capture.ts";

const temp = folder();
after(temp.remove);
const ambient = createAmbient();

type Control = {
  readonly tor: FakeTor;
  port: number;
  /** Tor dies: nobody listens, and connections break. */
  readonly kill: () => Promise<void>;
  readonly revive: () => Promise<void>;
};

/** A control port; its cookie is in `cookieFile`. */
async function controlPort(cookieFile: string): Promise<Control> {
  const tor = fakeTor();
  writeFileSync(cookieFile, tor.cookie);
  const sockets = new Set<net.Socket>();
  let server: net.Server | undefined;
  const control: Control = {
    tor, port: 0,
    kill: () => new Promise((done) => {
      for (const socket of sockets) socket.destroy();
      server?.close(() => done());
    }),
    revive: async () => {
      server = net.createServer((socket) => {
        sockets.add(socket);
        const one = talk(tor);
        socket.on("data", (bytes) => socket.write(one.say(bytes.toString("latin1"))));
        socket.on("error", () => undefined);
      });
      await new Promise<void>((done) => server?.listen(control.port, "127.0.0.1", done));
      control.port = (server.address() as net.AddressInfo).port;
    },
  };
  await control.revive();
  return control;
}

type Given = Readonly<Record<string, FlagSetting["raw"]>>;

async function launch(name: string, given: Given, record?: string): Promise<Daemon> {
  const all = {
    "directory.listen": "127.0.0.1:0", "directory.http": "127.0.0.1:0",
    "data_dir": join(temp.path, name), ...given,
  };
  const flags = Object.entries(all).map(([key, raw]) => ({ key, flag: key, raw }));
  const loaded = load({ file: undefined, env: {}, flags });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.problems.join());
  const log = createLog({
    ambient, level: "debug", format: "json", isTerminal: false, sentences, write: () => {},
  });
  const started = await start({
    settings: loaded.settings, ambient, log, version: "test", record, note: true,
    stderr: () => {},
  });
  assert.ok(started.ok, started.ok ? "" : started.says);
  return started.daemon;
}

/** Waits until the node's own status is so. */
async function until(daemon: Daemon, isSo: (status: ReturnType<Daemon["status"]>) => boolean) {
  for (let i = 0; i < 2_000; i += 1) {
    if (isSo(daemon.status())) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`it never came to that: ${JSON.stringify(daemon.status().onion)}`);
}

/** Leads every visitor of `host` to the node, as Tor would. */
function lead(proxy: Socks5, host: string, daemon: Daemon): void {
  const [listen] = daemon.listen;
  assert.ok(listen?.kind === "tcp");
  proxy.route = (asked) => asked.host === host ? { port: listen.port } : { code: 4 };
}

test("run: doorway: published, away with Tor and back, in a recording that replays", async () => {
  const cookie = join(temp.path, "cookie");
  const control = await controlPort(cookie);
  const blob = Buffer.alloc(64, 5).toString("base64");
  const host = hostOfBlob(blob);
  control.tor.blobs.push(blob);
  const proxy = await socks5();
  const record = join(temp.path, "run.trace");
  const daemon = await launch("control", {
    "directory.onion.managed": "control", "tor.control": `127.0.0.1:${control.port}`,
    "tor.control_cookie": cookie, "tor.socks": `127.0.0.1:${proxy.port}`,
  }, record);
  lead(proxy, host, daemon);
  await until(daemon, ({ location }) => location === `${host}:5222`);
  const key = join(temp.path, "control", "onion.key");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const [listen] = daemon.listen;
  assert.ok(listen?.kind === "tcp");
  const added = control.tor.heard.find((line) => line.startsWith("ADD_ONION")) ?? "";
  assert.match(added, new RegExp(`MaxStreams=16 .*Port=5222,127\\.0\\.0\\.1:${listen.port}$`));
  assert.deepEqual(await getJson(daemon.http, "/readyz", 5_000, ambient), {
    ok: true, code: 200, body: { ready: true, reasons: [] },
  });
  await control.kill();
  await until(daemon, ({ degraded }) => degraded.length === 1);
  const told = await getJson(daemon.http, "/readyz", 5_000, ambient);
  assert.ok(told.ok && told.code === 503 && JSON.stringify(told.body).includes("onion-down: "));
  await control.revive();
  await until(daemon, ({ degraded }) => degraded.length === 0);
  const again = control.tor.heard.findLast((line) => line.startsWith("ADD_ONION")) ?? "";
  assert.match(again, /^ADD_ONION ED25519-V3:/, "under the kept key");
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  await control.kill();
  proxy.close();
  assert.ok(!readFileSync(record, "latin1").includes(blob.slice(0, 20)), "no secret is recorded");
  let out = "";
  const io = { out: (text: string) => void (out += text), err: () => {}, env: {} };
  assert.equal(replayFile(record, {}, io), 0, out);
  assert.match(out, /every effect as recorded/);
});

test("run: doorway: torrc's hostname file is read, its address visited through Tor", async () => {
  const blob = Buffer.alloc(64, 6).toString("base64");
  const host = hostOfBlob(blob);
  const file = join(temp.path, "hostname");
  writeFileSync(file, `${host}\n`);
  const proxy = await socks5();
  const daemon = await launch("torrc", {
    "directory.onion.managed": "torrc", "directory.onion.hostname_file": file,
    "directory.onion.port": 5_300, "tor.socks": `127.0.0.1:${proxy.port}`,
  });
  lead(proxy, host, daemon);
  await until(daemon, ({ location, onion }) =>
    location === `${host}:5300` && onion.state === "up");
  assert.ok(!existsSync(join(temp.path, "torrc", "onion.key")));
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  proxy.close();
});

test("run: doorway: without Tor the node serves, and says what is wrong", async () => {
  const daemon = await launch("away", {
    "directory.onion.managed": "control", "tor.control": "127.0.0.1:1",
    "tor.socks": "127.0.0.1:1",
  });
  await until(daemon, ({ degraded }) => /control port/.test(degraded[0]?.why ?? ""));
  const [listen] = daemon.listen;
  assert.ok(listen?.kind === "tcp");
  const socket = net.connect(listen.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  await until(daemon, ({ peers }) => peers.connections === 1);
  socket.destroy();
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
});
