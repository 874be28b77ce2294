/**
 * The built file does its job: starts on free ports, says where, takes a peer, answers over HTTP, and ends when told.
 * As the daemon of an Ark wallet it asks the wallet's program and subscribes to an Ark server's rounds, over gRPC.
 * Then the demonstration runs for a few seconds without a terminal: its maker is listed, says what it offers to a
 * taker who asks, its Ark wallets have coins, and everything ends on Ctrl-C with nothing left behind.
 */
import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const file = join(process.cwd(), "dist", "dogwatch.js");
const limitMs = 30_000;
const demoMs = 5_000;
const taker = "J5Ckon1LuuapPSBM";

const program = readFileSync(file, "utf8");
assert.ok(program.startsWith("#!/usr/bin/env node\n"), "no shebang");
// One character beyond it doubles what the whole text takes in memory.
assert.doesNotMatch(program, /[^\x00-\x7f]/, "not ASCII");
assert.equal(statSync(file).mode & 0o111, 0o111, "not executable");
const folder = mkdtempSync(join(tmpdir(), "dogwatch-smoke-"));
try {
  await directory();
  await ark();
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
  return converse(address, () => true);
}

/** Connects as a taker, hears envelopes until `hear` takes one, and returns that; `say` answers. */
async function converse(address, hear) {
  const [host, port] = address.split(":");
  const socket = net.connect(Number(port), host);
  socket.setTimeout(limitMs, () => socket.destroy(new Error("no answer")));
  const hello = {
    "app-name": "joinmarket", directory: false, "location-string": "NOT-SERVING-ONION",
    "proto-ver": 5, features: {}, nick: taker, network: "regtest",
  };
  socket.write(`${JSON.stringify({ type: 793, line: JSON.stringify(hello) })}\r\n`);
  try {
    const say = (type, line) => socket.write(`${JSON.stringify({ type, line })}\r\n`);
    for await (const line of createInterface({ input: socket })) {
      const envelope = JSON.parse(line);
      if (hear(envelope, say)) return envelope;
    }
    throw new Error("closed without an answer");
  } finally {
    socket.destroy();
  }
}

async function ark() {
  const rounds = await arkRounds();
  const program = createServer((request, answer) => {
    answer.statusCode = request.url === "/ping" ? 200 : 404;
    answer.end(request.url === "/ping" ? "pong" : "{}");
  });
  program.listen(0, "127.0.0.1");
  await once(program, "listening");
  const config = join(folder, "ark.toml");
  mkdirSync(join(folder, "ark"), { mode: 0o700 });
  writeFileSync(join(folder, "token"), `${"ab".repeat(32)}\n`, { mode: 0o600 });
  writeFileSync(config, `network = "regtest"\n[ark]\nhttp = "127.0.0.1:0"\n[[ark.wallet]]\nname = "alice"
url = "http://127.0.0.1:${program.address().port}"\ntoken_file = ${JSON.stringify(join(folder, "token"))}
server = "http://127.0.0.1:${rounds.port}"\n`);
  const run = start(["ark", "--config", config, "--data-dir", join(folder, "ark")]);
  try {
    const ready = JSON.parse(await run.line());
    assert.equal(ready.event, "ark.ready");
    await within(rounds.subscribed, "nobody subscribes to the rounds");
    const status = await (await fetch(`http://${ready.http}/status`, { signal: AbortSignal.timeout(limitMs) })).json();
    assert.deepEqual(status.wallets.map(({ name }) => name), ["alice"]);
    run.child.kill("SIGTERM");
    assert.deepEqual(await run.ended, [0, null], "exit status after SIGTERM");
    console.log(`ark: ready at ${ready.http}, subscribed to rounds, ended with 0`);
  } finally {
    run.child.kill("SIGKILL");
    program.close();
    rounds.server.forceShutdown();
  }
}

/** An Ark server that speaks version 1 and tells of rounds; `subscribed` is kept when somebody listens. */
async function arkRounds() {
  const server = new Server();
  let heard;
  const subscribed = new Promise((resolve) => { heard = resolve; });
  const bytes = {
    requestStream: false, requestSerialize: (some) => some, requestDeserialize: (some) => some,
    responseSerialize: (some) => some, responseDeserialize: (some) => some,
  };
  server.addService({
    handshake: { path: "/bark_server.ArkService/Handshake", responseStream: false, ...bytes },
    rounds: { path: "/bark_server.ArkService/SubscribeRounds", responseStream: true, ...bytes },
  }, {
    handshake: (call, answer) => answer(null, Buffer.from([8, 1, 16, 9])),
    rounds: (call) => {
      call.sendMetadata(new Metadata());
      heard();
    },
  });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (
      error === null ? resolve(bound) : reject(error)
    ));
  });
  return { server, port, subscribed };
}

function within(done, what) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(what)), limitMs).unref());
  return Promise.race([done, late]);
}

async function demo() {
  const run = start(["demo", "--json"]);
  try {
    const ready = JSON.parse(await run.line());
    assert.equal(ready.event, "demo.ready");
    const { nick, offers } = await offering(`${ready.maker}status`);
    const list = await converse(ready.listen, ({ type, line }, say) => {
      if (type === 795) say(791, "");
      return type === 789 && line.includes(nick);
    });
    assert.match(list.line, new RegExp(`${nick};[a-z2-7]{56}[.]onion:5222`));
    const answer = await converse(ready.listen, ({ type, line }, say) => {
      if (type === 795) say(687, `${taker}!PUBLIC!orderbook`);
      return type === 685 && line.startsWith(`${nick}!${taker}!`);
    });
    const { kind, oid, minsizeSat, maxsizeSat } = offers.public[0];
    assert.ok(answer.line.includes(`!${kind} ${oid} ${minsizeSat} ${maxsizeSat} `), answer.line);
    const coins = await spendable(`${ready.ark}status`);
    const ended = await Promise.race([run.ended, new Promise((resolve) => setTimeout(resolve, demoMs))]);
    assert.equal(ended, undefined, "the demonstration ended by itself");
    run.child.kill("SIGINT");
    assert.deepEqual(await run.ended, [0, null], "exit status after SIGINT");
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("dogwatch-demo-")), [], "nothing is left");
    console.log(`demo: ${nick} is listed and offers up to ${maxsizeSat} sat; wallets with ${coins} sat; ended with 0`);
  } finally {
    run.child.kill("SIGKILL");
  }
}

/** What a maker says of itself once it offers something. */
async function offering(url) {
  for (const until = Date.now() + limitMs; Date.now() < until; await new Promise((again) => setTimeout(again, 100))) {
    const status = await (await fetch(url, { signal: AbortSignal.timeout(limitMs) })).json();
    if (status.offers.public.length > 0) return status;
  }
  throw new Error("the maker of the demonstration offers nothing");
}

/** What Ark wallets have, once all of them say so. */
async function spendable(url) {
  for (const until = Date.now() + limitMs; Date.now() < until; await new Promise((again) => setTimeout(again, 100))) {
    const { wallets } = await (await fetch(url, { signal: AbortSignal.timeout(limitMs) })).json();
    const sats = wallets.map(({ balance }) => Number(balance?.spendableSat ?? 0));
    if (sats.length === 2 && sats.every((sat) => sat > 0)) return sats.join(" and ");
  }
  throw new Error("the wallets of the demonstration have nothing");
}

/** A child that is killed when it takes too long; its standard error is ours. */
function start(args) {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: folder, stdio: ["ignore", "pipe", "inherit"], timeout: limitMs, killSignal: "SIGKILL",
    env: { ...process.env, TMPDIR: folder },
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
