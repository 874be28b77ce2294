/**
 * Real Tor: a directory behind an onion address of its own, a maker that reaches it through Tor and has an address of
 * its own too, and a stranger with another Tor who finds the maker in the peerlist and visits it. Then Tor is killed
 * under both daemons and started again: everything comes back by itself, under the same addresses.
 *
 * Rule 1: what is waited for is looked at several times a second; each wait has an end, and so has the whole.
 * Rule 2: nothing is left behind, whatever fails.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SocksClient } from "socks";
import * as envelope from "../dist/lib/core/joinmarket/envelope.js";
import * as handshake from "../dist/lib/core/joinmarket/handshake.js";
import * as tornet from "./tornet.mjs";

const dogwatch = join(process.cwd(), "dist", "dogwatch.js");
const wholeMsMax = 235_000;
const waitMsMax = 120_000;
const lookMs = 200;
/** A circuit that is asked for too early fails late: better a new try on another. */
const visitMsMax = 20_000;
const stranger = "J5Ckon1LuuapPSBM";
const { types } = envelope;

const began = Date.now();
const folder = mkdtempSync(join(tmpdir(), "dogwatch-tornet-"));
const daemons = new Set();
let network;

function clear() {
  for (const one of daemons) one.child.kill("SIGKILL");
  network?.closeNow();
  rmSync(folder, { recursive: true, force: true });
}

process.on("exit", clear);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
setTimeout(() => fail(new Error(`not over after ${wholeMsMax / 1_000} s`)), wholeMsMax).unref();
await main().catch(fail);

async function main() {
  say(execFileSync("tor", ["--version"], { encoding: "utf8" }).split("\n")[0]);
  network = await tornet.open(folder, ["ours", "other"]);
  say("a network of eight tor processes is started");

  const directory = await start("directory", `
[directory]
listen = "127.0.0.1:0"
http = "127.0.0.1:0"
[directory.onion]
managed = "control"`);
  const { location: at } = await until("the directory knows its address", directory, ({ location }) => location);
  const [guests] = await tornet.ports(1);
  const maker = await start("maker", `
[maker]
listen = "127.0.0.1:${guests}"
http = "127.0.0.1:0"
onion = true
directories = ["${at}"]
directory_auth = "require"
dial_timeout_sec = 20
reconnect_max_sec = 5`);
  const before = await whole(directory, maker);
  say(`proof of work: ${before.directory.onion.isPow ? "yes" : "not in this Tor"}`);
  await visits(at, maker, before.maker.location);

  await network.kill("ours");
  say("the Tor of both daemons is killed");
  await until("the directory misses Tor", directory, ({ degraded }) => isNamed(degraded, "onion-down"));
  await until("the maker misses Tor and the directory", maker,
    ({ degraded }) => isNamed(degraded, "onion-down") && isNamed(degraded, "no-directory"));
  network.start("ours");
  const after = await whole(directory, maker);
  assert.equal(after.directory.location, at, "the directory's address stays");
  assert.equal(after.maker.location, before.maker.location, "the maker's address stays");
  await visits(at, maker, before.maker.location);
  for (const one of [directory, maker]) {
    await until(`the ${one.name} has reached itself`, one, ({ onion }) => onion.reachedMs !== null);
  }

  for (const one of [maker, directory]) {
    one.child.kill("SIGTERM");
    assert.deepEqual(await one.ended, [0, null], `exit status of the ${one.name}`);
    daemons.delete(one);
  }
  say("both daemons have ended with 0");
  await network.close();
}

/** Both services can be found, and the maker is in the directory with its nick proved. */
async function whole(directory, maker) {
  const isServed = ({ onion }) => onion.state === "up" && onion.uploadedMs !== null;
  const atDirectory = await until("the directory is served", directory, isServed);
  const atMaker = await until("the maker is served", maker, isServed);
  await until("the maker has the directory", maker, ({ directories }) => directories.up === 1);
  await until("the directory has the maker, and its proof", directory,
    ({ peers }) => peers.makers === 1 && peers.verified === 1);
  return { directory: atDirectory, maker: atMaker };
}

/** What a taker does: the peerlist of the directory, then a handshake with the maker itself. */
async function visits(directory, maker, location) {
  const own = `${maker.ready.nick};${location}`;
  await retried("a stranger finds the maker in the peerlist", async () => {
    const peer = await connect(directory);
    try {
      peer.send(types.HANDSHAKE, hello());
      const welcome = handshake.parseDirectory(await peer.hear(types.DN_HANDSHAKE));
      assert.ok(welcome.ok && welcome.value.accepted, "let in");
      assert.equal(welcome.value.location, directory);
      peer.send(types.GETPEERLIST, "");
      const list = await peer.hear(types.PEERLIST);
      assert.ok(list.split(",").some((entry) => entry === own || entry.startsWith(`${own};`)), list);
      assert.ok(list.includes(`;${directory}`), "the directory is in its own list");
    } finally {
      peer.end();
    }
  });
  await retried("a stranger reaches the maker through its onion", async () => {
    const peer = await connect(location);
    try {
      peer.send(types.HANDSHAKE, hello());
      const told = handshake.parsePeer(await peer.hear(types.HANDSHAKE));
      assert.ok(told.ok);
      assert.deepEqual([told.value.nick, told.value.location], [maker.ready.nick, location]);
      peer.send(types.PING, "");
      await peer.hear(types.PONG);
    } finally {
      peer.end();
    }
  });
}

function hello() {
  const location = "NOT-SERVING-ONION";
  return handshake.peerHello({ nick: stranger, network: "regtest", location, features: ["ping"] });
}

/** A connection through the stranger's Tor, with a circuit of its own. */
async function connect(to) {
  const [host, port] = to.split(":");
  const [proxyHost, proxyPort] = network.users.get("other").socks.split(":");
  const { socket } = await SocksClient.createConnection({
    command: "connect", destination: { host, port: Number(port) }, timeout: visitMsMax,
    proxy: { host: proxyHost, port: Number(proxyPort), type: 5, userId: String(Math.random()), password: "x" },
  });
  socket.on("error", () => {});
  const late = setTimeout(() => socket.destroy(), visitMsMax);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const encoder = new TextDecoder();
  return {
    send: (type, line) => socket.write(encoder.decode(envelope.encode(type, line))),
    hear: async (type) => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error("the connection ended");
        const frame = JSON.parse(value);
        if (frame.type === type) return frame.line;
      }
    },
    end: () => {
      clearTimeout(late);
      socket.destroy();
    },
  };
}

async function retried(what, attempt) {
  const until = Date.now() + waitMsMax;
  for (let tries = 1; ; tries += 1) {
    try {
      await attempt();
      return say(tries === 1 ? what : `${what}, try ${tries}`);
    } catch (error) {
      if (Date.now() > until) throw new Error(`${what}: ${error.message}`, { cause: error });
    }
    await pause();
  }
}

/** Starts a daemon with these settings and Tor's ports; resolves with its ready line. */
async function start(name, settings) {
  const { socks, control } = network.users.get("ours");
  const home = join(folder, `${name}-state`);
  const config = join(folder, `${name}.toml`);
  writeFileSync(config, `network = "regtest"\ndata_dir = "${home}"
[tor]\nsocks = "${socks}"\ncontrol = "${control}"\n${settings}\n`);
  const args = [dogwatch, name, "--config", config, "--json"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const one = { name, child, ready: undefined, log: "", ended: once(child, "close") };
  daemons.add(one);
  child.stderr.on("data", (bytes) => (one.log = `${one.log}${bytes}`.slice(-8_000)));
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    one.ended.then(([code]) => { throw new Error(`the ${name} ended with ${code} and no line`); }),
  ]);
  one.ready = JSON.parse(line);
  say(`the ${name} runs`);
  return one;
}

/** The daemon's status, once it is so. */
async function until(what, { ready, child, name }, isSo) {
  const end = Date.now() + waitMsMax;
  let status;
  while (Date.now() < end) {
    assert.equal(child.exitCode, null, `the ${name} has ended`);
    status = await ask(`http://${ready.http}/status`) ?? status;
    if (status !== undefined && isSo(status)) {
      say(what);
      return status;
    }
    await pause();
  }
  throw new Error(`${what}: not within ${waitMsMax / 1_000} s: ${JSON.stringify(status)}`);
}

/** The answer; `undefined` if there is none: a machine may be busy. */
async function ask(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return await answer.json();
  } catch {
    return undefined;
  }
}

function isNamed(degraded, name) {
  return degraded.some((one) => one.name === name);
}

function pause() {
  return new Promise((done) => setTimeout(done, lookMs));
}

function say(text) {
  console.log(`${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
}

function fail(error) {
  console.error(error);
  for (const one of daemons) console.error(`\n${one.name}:\n${one.log}`);
  for (const tail of network?.tails() ?? []) console.error(`\n${tail}`);
  process.exit(1);
}
