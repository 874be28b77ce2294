/**
 * A whole node on real sockets inside the test: start, questions, reload, stop, and every way not
 * to start.
 * @module
 */
import assert from "node:assert/strict";
import {
  existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync,
} from "node:fs";
import { createServer, get } from "node:http";
import * as net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { addressText } from "../../adapters/address.ts";
import { createAmbient } from "../../adapters/ambient.ts";
import { load, type Settings } from "../../adapters/config.ts";
import { getJson } from "../../adapters/http.ts";
import { createLog } from "../../adapters/log.ts";
import { type Daemon, start, type Started } from "../../cli/run.ts";
import { readNote, writeNote } from "../../cli/runtime.ts";
import { sentences } from "../../cli/sentences.ts";
import { folder, run } from "./capture.ts";
import { makePeer } from "./peer.ts";

const temp = folder();
after(temp.remove);
const ambient = createAmbient();

let states = 0;
function freshState(): string {
  states += 1;
  return join(temp.path, `state${states}`);
}

function settings(flags: Record<string, string>, dataDir: string): Settings {
  const given = { "directory.listen": "127.0.0.1:0", "directory.http": "127.0.0.1:0", ...flags };
  const loaded = load({
    file: undefined,
    env: {},
    flags: Object.entries({ ...given, "data_dir": dataDir }).map(([key, raw]) =>
      ({ key, flag: key, raw: /^[0-9.]+$/.test(raw) ? Number(raw) : raw })),
  });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.problems.join());
  return loaded.settings;
}

type Node = { readonly started: Started; readonly log: string[]; readonly dataDir: string };

async function launch(
  flags: Record<string, string> = {},
  more: { record?: string; dataDir?: string; filesMax?: number } = {},
): Promise<Node> {
  const log: string[] = [];
  const dataDir = more.dataDir ?? freshState();
  const started = await start({
    settings: settings(flags, dataDir),
    ambient,
    log: createLog({
      ambient, level: "debug", format: "json", isTerminal: false, sentences,
      write: (line) => void log.push(line),
    }),
    version: "test",
    record: more.record,
    note: true,
    stderr: () => {},
    ...(more.filesMax === undefined ? {} : { filesMax: more.filesMax }),
  });
  return { started, log, dataDir };
}

function running({ started }: Node): Daemon {
  assert.ok(started.ok, started.ok ? "" : started.says);
  return started.daemon;
}

async function stopped(daemon: Daemon): Promise<number> {
  daemon.stop("test");
  return daemon.ended;
}

test("run: ready: real addresses, private note, ready and live; gone after the stop", async () => {
  const node = await launch();
  const daemon = running(node);
  const [listen] = daemon.listen;
  assert.ok(listen?.kind === "tcp" && listen.port > 0);
  assert.equal(statSync(node.dataDir).mode & 0o777, 0o700);
  assert.deepEqual(readNote(node.dataDir), {
    pid: process.pid, listen: [addressText(listen)], http: addressText(daemon.http),
    nick: daemon.status().nick,
  });
  const ready = await getJson(daemon.http, "/readyz", 5_000, ambient);
  assert.deepEqual(ready, { ok: true, code: 200, body: { ready: true, reasons: [] } });
  const live = await getJson(daemon.http, "/livez", 5_000, ambient);
  assert.deepEqual(live.ok && live.body, { status: "ok", version: "test", pid: process.pid });
  assert.equal(await stopped(daemon), 0);
  assert.equal(readNote(node.dataDir), undefined);
  assert.equal((await getJson(daemon.http, "/livez", 5_000, ambient)).ok, false);
  daemon.stop("again");
});

test("run: status: finds the node by its note, in text and JSON; healthcheck agrees", async () => {
  const node = await launch({ "network": "signet" });
  const daemon = running(node);
  const text = await run(["status", "--data-dir", node.dataDir]);
  assert.equal(text.code, 0);
  assert.match(text.out, /^node +J5\w+ on signet$/m);
  assert.match(text.out, /^handshakes +none$/m);
  const json = await run(["status", "--data-dir", node.dataDir, "--json"]);
  assert.equal((JSON.parse(json.out) as { network: string }).network, "signet");
  const flag = ["--http", addressText(daemon.http)];
  assert.deepEqual(await run(["healthcheck", ...flag]), { code: 0, out: "ready\n", err: "" });
  const health = await run(["healthcheck", ...flag, "--json"]);
  assert.equal(health.out, '{"ready":true,"reasons":[]}\n');
  await stopped(daemon);
});

test("run: unix sockets: for peers and HTTP, private, removed after the stop", async () => {
  const dir = freshState();
  mkdirSync(dir);
  const peers = join(dir, "peers.sock");
  const http = join(dir, "http.sock");
  const node = await launch({
    "directory.listen": `unix:${peers}`, "directory.http": `unix:${http}`,
  });
  const daemon = running(node);
  assert.equal(statSync(peers).mode & 0o777, 0o600);
  assert.equal((await run(["healthcheck", "--http", `unix:${http}`])).code, 0);
  const peer = net.connect({ path: peers });
  await new Promise((resolve) => peer.once("connect", resolve));
  const closed = new Promise((resolve) => peer.once("close", resolve));
  peer.on("error", () => {});
  peer.resume();
  assert.equal(await stopped(daemon), 0);
  await closed;
  assert.ok(!existsSync(peers));
  assert.ok(!existsSync(http));
});

test("run: full: still ready, and says that it is full", async () => {
  const daemon = running(await launch({ "directory.peers_max": "1" }));
  const peer = await makePeer(daemon);
  const answer = await run(["healthcheck", "--http", addressText(daemon.http)]);
  assert.equal(answer.code, 0);
  assert.match(answer.out, /^ready: full: all 1 places are taken$/m);
  peer.end();
  await stopped(daemon);
});

test("run: near the limit of open files: newcomers are cut with a line and a counter", async () => {
  const bounds = { "directory.peers_max": "2", "directory.handshaking_max": "1" };
  const node = await launch(bounds, { filesMax: 131 });
  const daemon = running(node);
  const peers = [await makePeer(daemon), await makePeer(daemon)];
  const [listen] = daemon.listen;
  assert.ok(listen?.kind === "tcp");
  const silent = net.connect(listen.port, listen.host);
  silent.on("error", () => {});
  while (daemon.status().peers.connections < 3) await settle();
  const newcomer = net.connect(listen.port, listen.host);
  newcomer.on("error", () => {});
  await new Promise((resolve) => newcomer.once("close", resolve));
  const scrape = await text(daemon, "/metrics");
  assert.match(scrape, /^jm_connections_refused_total 1$/m);
  assert.ok(node.log.some((line) => line.includes("sockets.refused")));
  assert.equal(daemon.status().peers.connections, 3);
  silent.destroy();
  for (const peer of peers) peer.end();
  await stopped(daemon);
  const none = await launch(bounds, { filesMax: 130 });
  assert.ok(!none.started.ok);
  assert.equal(none.started.exit, 2);
});

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function text(daemon: Daemon, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${addressText(daemon.http)}${path}`, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("end", () => resolve(body));
    }).on("error", reject);
  });
}

test("run: two daemons, one data folder: the second warns and leaves the note alone", async () => {
  const first = await launch();
  const other = running(first);
  const path = join(first.dataDir, "directory.json");
  // The first one stands for another process: its note and its answer carry that number.
  const note = { ...(JSON.parse(readFileSync(path, "utf8")) as object), pid: process.ppid };
  const stand = createServer((_, response) => {
    response.end(JSON.stringify({ pid: process.ppid }));
  });
  await new Promise<void>((resolve) => stand.listen(0, "127.0.0.1", resolve));
  const { port } = stand.address() as net.AddressInfo;
  const kept = JSON.stringify({ ...note, http: `127.0.0.1:${port}` });
  writeFileSync(path, kept);
  const second = await launch({}, { dataDir: first.dataDir });
  const daemon = running(second);
  assert.ok(second.log.some((line) => /run\.no-note.*own --data-dir/.test(line)));
  await stopped(daemon);
  assert.equal(readFileSync(path, "utf8"), kept);
  await stopped(other);
  assert.equal(readFileSync(path, "utf8"), kept);

  stand.closeAllConnections();
  stand.close();
  // The same number, but whoever has it now is no daemon: the note is replaced.
  const third = running(await launch({}, { dataDir: first.dataDir }));
  assert.equal(readNote(first.dataDir)?.pid, process.pid);
  await stopped(third);
  assert.equal(readNote(first.dataDir), undefined);
});

test("run: note that cannot be written: nothing is left behind", () => {
  const dataDir = freshState();
  // A folder in the note's place: the rename fails after the file was written.
  mkdirSync(join(dataDir, "directory.json", "x"), { recursive: true });
  const says = writeNote(dataDir, { pid: 7, listen: [], http: "h", nick: "n" });
  assert.notEqual(says, undefined);
  assert.deepEqual(readdirSync(dataDir), ["directory.json"]);
});

test("run: port in use: what happened and what to do, exit 1, nothing left open", async () => {
  const first = await launch();
  const daemon = running(first);
  const [listen] = daemon.listen;
  assert.ok(listen);
  for (const [key, address] of [["listen", listen], ["http", daemon.http]] as const) {
    const second = await launch({ [`directory.${key}`]: addressText(address) });
    assert.ok(!second.started.ok);
    assert.equal(second.started.exit, 1);
    assert.match(second.started.says, /is already in use; nothing was started; stop the program/);
    assert.match(second.started.says, new RegExp(`--${key} `));
    assert.equal(readNote(second.dataDir), undefined);
    assert.deepEqual(second.log, [], "nothing is told of a node that did not start");
  }
  await stopped(daemon);
});

test("run: bad addresses: each says what to do", async () => {
  const file = join(temp.path, "plain");
  writeFileSync(file, "");
  const cases: [Record<string, string>, RegExp][] = [
    [{ "directory.listen": "unix:/nowhere/a.sock" }, /folder of .* does not exist/],
    [{ "directory.listen": `unix:${file}` }, /is not a socket.*name a path that is free/],
    [{ "directory.listen": "192.0.2.1:0" }, /no address .*choose an address of this machine/],
  ];
  for (const [flags, expected] of cases) {
    const { started } = await launch(flags);
    assert.ok(!started.ok);
    assert.equal(started.exit, 1);
    assert.match(started.says, expected);
  }
});

test("run: data directory that cannot be made: a warning, and the node runs", async () => {
  const file = join(temp.path, "file");
  writeFileSync(file, "");
  const node = await launch({}, { dataDir: join(file, "state") });
  const daemon = running(node);
  assert.ok(node.log.some((line) => line.includes("run.no-note")));
  assert.equal(await stopped(daemon), 0);
});

test("run: record: replays the same; a flipped byte is found; no file is overwritten", async () => {
  const trace = join(temp.path, "run.trace");
  const daemon = running(await launch({}, { record: trace }));
  const peer = await makePeer(daemon);
  peer.end();
  assert.equal(await stopped(daemon), 0);
  const same = await run(["replay", trace]);
  assert.equal(same.code, 0, same.out);
  assert.match(same.out, /^same: \d+ steps replayed/);
  const again = await launch({}, { record: trace });
  assert.ok(!again.started.ok);
  assert.match(again.started.says, /never written over; nothing was started; name a new file/);
  const bytes = readFileSync(trace);
  const at = bytes.indexOf('"conn.received"') - 30;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(trace, bytes);
  const differs = await run(["replay", trace, "--json"]);
  assert.equal(differs.code, 1);
  assert.equal((JSON.parse(differs.out) as { ok: boolean }).ok, false);
});

test("run: reload: applies what may change and refuses a broken mix", async () => {
  const node = await launch();
  const daemon = running(node);
  const changes = { "directory.peers_max": "9", "directory.heartbeat.pong_wait_sec": "5" };
  const next = settings(changes, node.dataDir);
  assert.equal(daemon.reload(next), undefined);
  assert.equal(daemon.config().peersMax, 9);
  assert.equal(daemon.config().heartbeat.pongMs, 5_000);
  const broken = {
    ...next,
    directory: { ...next.directory, heartbeat: { ...next.directory.heartbeat, pongMs: 10 ** 9 } },
  };
  assert.match(daemon.reload(broken) ?? "", /pong wait/);
  assert.equal(daemon.config().heartbeat.pongMs, 5_000);
  const many = { ...next, directory: { ...next.directory, peersMax: 10 ** 9 } };
  assert.match(daemon.reload(many) ?? "ulimit", /ulimit/);
  await stopped(daemon);
});
