/**
 * Rows of bad input that an operator meets (`test/tidy/rows.json`): what a node says when it cannot
 * start, what it does when the disk is full, and what it tells whoever asks.
 * @module
 */
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Address, addressText, parseAddress } from "../../adapters/address.ts";
import { createAmbient } from "../../adapters/ambient.ts";
import { load } from "../../adapters/config.ts";
import { createLog } from "../../adapters/log.ts";
import { connect, type Client } from "../../cli/demo/client.ts";
import * as identity from "../../cli/demo/identity.ts";
import { exitHelp, exits } from "../../cli/exit.ts";
import { type Daemon, start as startNode } from "../../cli/run.ts";
import { sentences } from "../../cli/sentences.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import { folder, run, start, type Ran } from "./capture.ts";
import { makePeer } from "./peer.ts";

const temp = folder();
after(temp.remove);
const ambient = createAmbient();

/** `dogwatch directory` with these flags, in this process; for runs that do not get far. */
function directory(flags: { readonly [flag: string]: string }): Promise<Ran> {
  const all = {
    "--data-dir": join(temp.path, "state"), "--log-level": "error", "--listen": "127.0.0.1:0",
    "--http": "127.0.0.1:0", ...flags,
  };
  return run(["directory", ...Object.entries(all).flat()]);
}

/** Nothing on stdout, the sentence on stderr, and the exit code that `--help` documents. */
function fails(ran: Ran, exit: number, ...says: readonly RegExp[]): void {
  for (const one of says) assert.match(ran.err, one);
  assert.deepEqual({ code: ran.code, out: ran.out }, { code: exit, out: "" }, ran.err);
  assert.match(exitHelp, new RegExp(`^ +${exit}  \\w`, "m"));
}

/** A node on free ports in this process, and what it logs; it is stopped after `use`. */
async function withNode(
  flags: Record<string, string | number>, dataDir: string,
  use: (daemon: Daemon, log: readonly string[]) => Promise<void>,
): Promise<void> {
  const given = { "directory.listen": "127.0.0.1:0", "directory.http": "127.0.0.1:0", ...flags };
  const loaded = load({
    file: undefined, env: {},
    flags: Object.entries({ ...given, "data_dir": dataDir }).map(([key, raw]) =>
      ({ key, flag: key, raw })),
  });
  assert.ok(loaded.ok, loaded.ok ? "" : loaded.problems.join());
  const log: string[] = [];
  const started = await startNode({
    settings: loaded.settings, ambient, version: "test", record: undefined, note: true,
    log: createLog({
      ambient, level: "info", format: "json", isTerminal: false, sentences,
      write: (line) => void log.push(line),
    }),
    stderr: () => {},
  });
  assert.ok(started.ok, started.ok ? "" : started.says);
  try {
    await use(started.daemon, log);
  } finally {
    started.daemon.stop("test");
    assert.equal(await started.daemon.ended, exits.ok);
  }
}

/** A file with this text, in a folder that anybody may enter. */
function file(name: string, text: string | Uint8Array, mode = 0o644): string {
  const path = join(temp.path, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test("cli: rows: row issue/port-in-use: said, exit 1; its holder stays", async () => {
  const path = join(temp.path, "held.sock");
  const holders = [net.createServer(), net.createServer()] as const;
  await Promise.all([
    new Promise<void>((resolve) => holders[0].listen({ port: 0, host: "127.0.0.1" }, resolve)),
    new Promise<void>((resolve) => holders[1].listen({ path }, resolve)),
  ]);
  const { port } = holders[0].address() as net.AddressInfo;
  const own = `unix:${temp.path}/peers.sock`;
  try {
    for (const flag of ["--listen", "--http"]) {
      for (const address of [`127.0.0.1:${port}`, `unix:${path}`]) {
        const ran = await directory({ "--listen": own, [flag]: address });
        fails(ran, exits.failed, new RegExp(
          `^dogwatch: ${address} is already in use; nothing was started; ` +
          `stop the program that holds it, or choose another address with ${flag} `,
        ));
      }
    }
    assert.ok(existsSync(path), "the socket of the other program is left alone");
    assert.ok(!existsSync(own.slice("unix:".length)), "what was opened before is closed again");
  } finally {
    await Promise.all(holders.map((one) => new Promise((resolve) => one.close(resolve))));
  }
});

/** Nobody's number; the superuser has every right and must give them up to lack one. */
const nobody = 65_534;

/** Runs `use` as an ordinary user. */
async function asOrdinaryUser<T>(use: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return use();
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    return await use();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/** A folder of the ordinary user's, with these rights. */
function ownFolder(name: string, mode: number): string {
  const path = join(temp.path, name);
  mkdirSync(path);
  if (process.geteuid?.() === 0) chownSync(path, nobody, nobody);
  chmodSync(path, mode);
  after(() => chmodSync(path, 0o700));
  return path;
}

test("cli: rows: row issue/missing-rights: sockets and recording: what to do, exit 1", async () => {
  chmodSync(temp.path, 0o755);
  const state = ownFolder("own-state", 0o700);
  const closed = ownFolder("read-only", 0o500);
  const free = { "--listen": "127.0.0.1:0", "--http": "127.0.0.1:0", "--data-dir": state };
  await asOrdinaryUser(async () => {
    for (const flag of ["--listen", "--http"]) {
      const ran = await directory({ ...free, [flag]: `unix:${closed}/a.sock` });
      fails(ran, exits.failed, new RegExp(
        `^dogwatch: no right to listen on unix:${closed}/a\\.sock; nothing was started; ` +
        `choose .* a path that you may write, with ${flag} `,
      ));
    }
    const ran = await directory({ ...free, "--record": `${closed}/run.trace` });
    fails(ran, exits.failed, new RegExp(
      `^dogwatch: cannot record: no right to write ${closed}/run\\.trace; nothing was started; ` +
      "name a new file with --record",
    ));
  });
});

test("cli: rows: row issue/missing-rights: data folder: a warning, it serves", async () => {
  chmodSync(temp.path, 0o755);
  const closed = ownFolder("read-only-state", 0o500);
  await asOrdinaryUser(async () => {
    for (const dataDir of [closed, join(closed, "below")]) {
      await withNode({}, dataDir, async (daemon, log) => {
        const warning = log.map((line) => JSON.parse(line) as { code: string; msg: string })
          .find(({ code }) => code === "run.no-note");
        assert.match(warning?.msg ?? "", /cannot be used: EACCES.*peers are served all the same/);
        (await makePeer(daemon)).end();
        assert.equal((await run(["healthcheck", "--http", addressText(daemon.http)])).code, 0);
      });
    }
  });
});

test("cli: rows: row issue/unreadable-config: why and what to do, exit 2", async () => {
  chmodSync(temp.path, 0o755);
  const cases: readonly (readonly [path: string, says: RegExp])[] = [
    [join(temp.path, "none.toml"), /there is no such file; `dogwatch config init > FILE`/],
    [temp.path, /it is a directory; name the file in it/],
    [file("latin1.toml", Uint8Array.of(0x6d, 0xe9, 0x0a)), /it is not UTF-8 text/],
    [file("secret.toml", "", 0o000), /permission denied; make it readable for the user/],
    [join(file("plain.toml", ""), "below.toml"), /ENOTDIR|no such file/],
  ];
  await asOrdinaryUser(async () => {
    for (const [path, says] of cases) {
      const where = /^dogwatch: cannot read the configuration file /;
      fails(await directory({ "--config": path }), exits.usage, where, says);
      fails(await run(["config", "check", "--config", path]), exits.usage, where, says);
    }
  });
});

test("cli: rows: row issue/wrong-config: all problems, place and range, exit 2", async () => {
  const path = file("wrong.toml", [
    "network = \"moonnet\"", "[directory]", "peers_max = 0", "handshake_timeout_sec = \"long\"",
    "peer_max = 5", "motd = \"a\\tb\"", "[directory.limits]", "public = \"many\"",
  ].join("\n"));
  const problems = [
    /wrong\.toml:1: network = "moonnet": expected .*mainnet.*regtest/,
    /wrong\.toml:3: directory\.peers_max = 0: expected .* peers, 1 to 1000000/,
    /wrong\.toml:4: directory\.handshake_timeout_sec = "long": expected seconds, 0\.1 to 600/,
    /wrong\.toml:5: directory\.peer_max: no such key; did you mean directory\.peers_max\?/,
    /wrong\.toml:6: directory\.motd = "a\\tb": expected .*printable ASCII/,
    /wrong\.toml:8: directory\.limits\.public = "many": expected .*TOKENS\/PERIOD/,
  ];
  fails(await directory({ "--config": path }), exits.usage, ...problems);
  const checked = await run(["config", "check", "--config", path]);
  fails(checked, exits.usage, ...problems);
  assert.equal(checked.err.trim().split("\n").length, problems.length, "all in one pass");
  const broken = file("broken.toml", "[directory]\npeers_max = = 5\n");
  fails(await directory({ "--config": broken }), exits.usage, /broken\.toml:2:\d+: not valid TOML/);
  const relation = file("relation.toml", "[directory.heartbeat]\npong_wait_sec = 900\n");
  fails(await directory({ "--config": relation }), exits.usage,
    /pong_wait_sec = 900 \(.*relation\.toml:2\).*idle_threshold_sec = 600 \(default\).*shorter/);
  const flag = await directory({ "--listen": "127.0.0.1:99999" });
  fails(flag, exits.usage, /--listen.*expected HOST:PORT/);
  const env = { DOGWATCH__DIRECTORY__PEERS_MAX: "-1", DOGWATCH__DIRECTORY__PEER_MAX: "1" };
  fails(await run(["directory"], env), exits.usage,
    /environment DOGWATCH__DIRECTORY__PEERS_MAX: directory\.peers_max = -1: expected .*1000000/,
    /DOGWATCH__DIRECTORY__PEER_MAX: no such setting; did you mean DOGWATCH__DIRECTORY__PEERS_MAX/);
});

/** A registered peer of the node at `address`, and what it hears. */
function peerAt(address: Address, line: (from: string) => void): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = connect({
      address, who: identity.create(), network: "mainnet", location: notServing,
      features: ["ping"], ready: () => resolve(client), line: ({ from }) => line(from),
      peers: () => {}, pinged: () => true, closed: (why) => reject(new Error(why)),
    });
  });
}

test("cli: rows: row issue/disk-full-recording: told once; peers are served; exit 0", async () => {
  const child = start(["directory", "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
    "--record", "/dev/full"], temp.path);
  try {
    await child.until("out", /\n/);
    const ready = JSON.parse(child.out()) as { readonly listen: string; readonly http: string };
    const address = parseAddress(ready.listen);
    assert.ok(address !== undefined);
    const first = await peerAt(address, () => {});
    for (let i = 0; i < 4; i += 1) first.publish([`hp2 ${"x".repeat(20_000)}`]);
    await child.until("err", /host\.recording-stopped/);
    let hear: (from: string) => void = () => {};
    const heard = new Promise<string>((resolve) => (hear = resolve));
    const second = await peerAt(address, hear);
    first.publish(["hp2 after"]);
    assert.match(await heard, /^J5/, "lines are relayed as before");
    assert.equal((await run(["healthcheck", "--http", ready.http])).code, 0);
    first.end();
    second.end();
    child.process.kill("SIGTERM");
    assert.equal(await child.ended, exits.ok);
  } finally {
    child.process.kill("SIGKILL");
  }
  const lines = child.err().trim().split("\n")
    .map((line) => JSON.parse(line) as { level: string; code: string; msg: string });
  const stopped = lines.filter(({ code }) => code === "host.recording-stopped");
  assert.equal(stopped.length, 1);
  assert.equal(stopped[0]?.level, "error");
  assert.match(stopped[0]?.msg ?? "", /no space left for \/dev\/full; the daemon goes on/);
  assert.deepEqual(lines.filter(({ level }) => level === "error"), stopped);
});

/** All that the node answers to this handshake, until it closes. */
function answerTo(address: Address, hello: string): Promise<string> {
  assert.ok(address.kind === "tcp");
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect({ host: address.host, port: address.port });
    socket.on("data", (bytes) => (text += bytes.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(envelope.encode(envelope.types.HANDSHAKE, hello));
  });
}

test("cli: rows: row 10/T21-status-privacy: no answer holds a peer's nick", async () => {
  await withNode({ "directory.peers_max": 2 }, join(temp.path, "state"), async (daemon) => {
    const peers = [await makePeer(daemon), await makePeer(daemon)];
    await tellsNoNick(daemon);
    for (const peer of peers) peer.end();
  });
});

/** Asks the node, which has two peers and room for no more, for all that it tells anybody. */
async function tellsNoNick(daemon: Daemon): Promise<void> {
  const { nick: own, recent } = daemon.status();
  const registered = recent.filter(({ code }) => code === "peer.registered");
  assert.deepEqual(registered.map(({ nick }) => nick !== own && nick !== ""), [true, true]);
  const [address] = daemon.listen;
  assert.ok(address !== undefined && daemon.http.kind === "tcp");
  const { nick } = identity.create();
  const hello = { nick, location: notServing, features: ["ping"], network: "mainnet" };
  const told: string[] = await Promise.all([
    answerTo(address, handshake.peerHello(hello)),
    answerTo(address, handshake.peerHello({ ...hello, network: "signet" })),
    answerTo(address, handshake.peerHello({ ...hello, nick: `${nick}x;D` })),
    answerTo(address, handshake.peerHello({ ...hello, nick: own })),
  ]);
  for (const text of told) assert.match(text, /Rejected: /);
  assert.match(told[0] ?? "", /full \(2 peers\)/);
  for (const path of ["/status", "/metrics", "/livez", "/readyz", "/", "/nothing"]) {
    const answer = await fetch(`http://${addressText(daemon.http)}${path}`);
    told.push(await answer.text());
  }
  const status = JSON.parse(told[4] ?? "") as ReturnType<Daemon["status"]>;
  assert.deepEqual(status.recent.map(({ code }) => code), recent.map(({ code }) => code));
  assert.match(told[5] ?? "", /^jm_peers_active\{role="taker"\} 2$/m);
  const shown = new Set(told.flatMap((text) => text.match(/J5[1-9A-Za-z]{14}/g) ?? []));
  assert.deepEqual([...shown], [own], "the node's own name is the only one");
  const nicks = registered.map((one) => one.nick);
  for (const text of told) assert.ok(![...nicks, nick].some((one) => text.includes(one)));
}
