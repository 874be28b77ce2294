/**
 * The stand-in chain over real HTTP, asked by the real requests adapter and the core's backends.
 * @module
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { createRequests, type Requests, type Target } from "../../adapters/requests.ts";
import { serveChain, type ChainServer } from "../../cli/demo/chain.ts";
import * as bitcoind from "../../core/chain/bitcoind.ts";
import type { Answer, Effect, Event, Question, Wish } from "../../core/chain/chain.ts";
import * as esplora from "../../core/chain/esplora.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import { mono } from "../../core/time.ts";
import type { Fault } from "../../sim/chain/faults.ts";
import { pay } from "../../sim/chain/till.ts";
import { reasonOf } from "../support/bitcoind.ts";
import { asking, chainOf, light, ours, startMs } from "../sim/chain/questions.ts";

let folder = "";
let cookieFile = "";
let server: ChainServer;
let requests: Requests;
const waiting = new Map<number, (event: RequestEvent) => void>();
let serial = 0;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "dogwatch-chain-"));
  cookieFile = path.join(folder, ".cookie");
  server = await serveChain({ chain: chainOf(130), cookieFile, ambient: createAmbient() });
  const source = { read: () => {
    try {
      return { ok: true as const, text: fs.readFileSync(cookieFile, "utf8") };
    } catch {
      return { ok: false as const, says: "the cookie" };
    }
  } };
  const target = (url: string, credentials: Target["credentials"]): Target => (
    { url: new URL(url), credentials, proxy: undefined }
  );
  requests = createRequests({
    targets: new Map([
      ["bitcoind", target(server.url("bitcoind"), { kind: "basic", source: source as never })],
      ["esplora", target(server.url("esplora"), { kind: "none" })],
    ]),
    push: (event) => {
      const settle = waiting.get(event.req);
      waiting.delete(event.req);
      settle?.(event);
    },
    report: () => {},
  });
});

beforeEach(() => server.suffer([]));

after(async () => {
  requests.closeAll();
  await server.close();
  fs.rmSync(folder, { recursive: true });
});

/** One request of a backend, carried out; one that takes longer than `patienceMs` is given up. */
function carry(wish: Wish, patienceMs: number): Promise<RequestEvent> {
  serial += 1;
  const req = serial;
  const { to, method, path: where, headers, body, renew } = wish;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      requests.drop({ type: "req.drop", req });
      resolve({ type: "req.failed", req, reason: "timeout" });
    }, patienceMs);
    waiting.set(req, (event) => {
      clearTimeout(timer);
      resolve(event);
    });
    requests.start({ type: "req.start", req, to, method, path: where, headers, body, renew });
  });
}

type Backend = { readonly step: (event: Event, out: Effect[]) => void };

async function put(backend: Backend, question: Question, patienceMs = 5_000): Promise<Answer> {
  const out: Effect[] = [];
  backend.step({ type: "asked", token: 1, question }, out);
  for (let round = 0; round < 500; round += 1) {
    for (const effect of out.splice(0)) {
      if (effect.type === "answered") return effect.answer;
      if (effect.type === "derive") {
        const { mixdepth, branch, from, count } = effect;
        const addresses = Array.from({ length: count }, (_, i) => (
          ours(from + i, mixdepth, branch)
        ));
        backend.step({ type: "given", token: 1, addresses }, out);
      }
      if (effect.type !== "request") continue;
      const event = await carry(effect, patienceMs);
      if (event.type === "req.done") {
        backend.step({ type: "replied", token: 1, status: event.status, body: event.body }, out);
      } else if (event.type === "req.failed") {
        backend.step({ type: "failed", token: 1, reason: event.reason }, out);
      }
    }
  }
  return assert.fail("no answer");
}

function core(question: Question, patienceMs?: number): Promise<Answer> {
  const m = bitcoind.create(asking);
  return put({ step: (event, out) => bitcoind.step(m, event, mono(0), out) }, question, patienceMs);
}

function lite(question: Question): Promise<Answer> {
  const m = esplora.create(light);
  return put({ step: (event, out) => esplora.step(m, event, mono(0), out) }, question);
}

const questions: readonly Question[] = [
  { ask: "prepare" }, { ask: "rescan", fromHeight: undefined }, { ask: "rescan-progress" },
  { ask: "tip" }, { ask: "coins" },
];

test("cli: chain server: both backends get an answer to every question", async () => {
  const txid = pay(server.chain.ledger, ours(0), 70_000n, startMs)!;
  const all: readonly Question[] = [
    ...questions, { ask: "tx", txid }, { ask: "address", address: ours(0) },
  ];
  for (const question of all) {
    assert.equal(reasonOf(await core(question)), `found ${question.ask}`);
    assert.equal(reasonOf(await lite(question)), `found ${question.ask}`);
  }
  const coins = [await core({ ask: "coins" }), await lite({ ask: "coins" })];
  for (const told of coins) {
    assert.ok(told.ok && told.ask === "coins");
    assert.deepEqual(told.coins.map(({ outpoint }) => outpoint), [`${txid}:0`]);
  }
});

test("cli: chain server: a restart has a new cookie, which is read again", async () => {
  assert.equal(reasonOf(await core({ ask: "tip" })), "found tip");
  const cookie = fs.readFileSync(cookieFile, "utf8");
  assert.match(cookie, /^__cookie__:[0-9a-f]{64}$/);
  assert.equal(fs.statSync(cookieFile).mode & 0o777, 0o600);
  const url = server.url("bitcoind");
  await server.halt("bitcoind");
  assert.equal(fs.existsSync(cookieFile), false);
  assert.equal(reasonOf(await core({ ask: "tip" })), "unreachable");
  await server.resume("bitcoind");
  await server.resume("bitcoind");
  assert.equal(server.url("bitcoind"), url);
  assert.notEqual(fs.readFileSync(cookieFile, "utf8"), cookie);
  assert.equal(reasonOf(await core({ ask: "tip" })), "found tip");
  assert.equal(reasonOf(await lite({ ask: "tip" })), "found tip");
});

test("cli: chain server: without the cookie nothing is answered and nothing is done", async () => {
  const pays = JSON.stringify({ id: 1, method: "sendtoaddress", params: [ours(1), 1] });
  const wrong = `Basic ${Buffer.from("__cookie__:00").toString("base64")}`;
  const waits = server.chain.ledger.pool.size;
  for (const headers of [{}, { authorization: wrong }]) {
    const told = await fetch(server.url("bitcoind"), { method: "POST", body: pays, headers });
    assert.equal(told.status, 401);
    assert.equal(told.headers.get("www-authenticate"), "Basic realm=\"jsonrpc\"");
    assert.equal(await told.text(), "");
  }
  assert.equal(server.chain.ledger.pool.size, waits);
});

const troubles: readonly [Fault, string][] = [
  [{ kind: "refusing" }, "unreachable"], [{ kind: "reset" }, "unreachable"],
  [{ kind: "silent" }, "timeout"], [{ kind: "slow", ms: 60_000 }, "timeout"],
  [{ kind: "slow", ms: 20 }, "found tip"], [{ kind: "denied" }, "credentials"],
  [{ kind: "html", status: 502 }, "unreachable"], [{ kind: "warm-up" }, "warming-up"],
  [{ kind: "truncated", permille: 600 }, "nonsense"], [{ kind: "wrong-id" }, "nonsense"],
];

for (const [fault, says] of troubles) {
  test(`cli: chain server: fault ${Object.values(fault).join(" ")}: ${says}`, async () => {
    const untilMs = Number.MAX_SAFE_INTEGER;
    server.suffer([{ face: "bitcoind", fault, fromMs: 0, untilMs }]);
    assert.equal(reasonOf(await core({ ask: "tip" }, 400)), says);
    assert.equal(reasonOf(await lite({ ask: "tip" })), "found tip");
    server.suffer([]);
    assert.equal(reasonOf(await core({ ask: "tip" })), "found tip");
  });
}

test("cli: chain server: answers bear their type, long requests are refused", async () => {
  const url = server.url("esplora");
  const tip = await fetch(`${url}/blocks/tip/height`);
  assert.equal(tip.headers.get("content-type"), "text/plain");
  const mempool = await fetch(`${url}/mempool?x=1`);
  assert.equal(mempool.headers.get("content-type"), "application/json");
  const long = await fetch(url, { method: "POST", body: "x".repeat(4_194_305) });
  assert.equal(long.status, 413);
  assert.ok(server.answered("esplora") > 3);
});

test("cli: chain server: never on an address that others reach", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org"]) {
    const options = { chain: server.chain, cookieFile, ambient: createAmbient(), host };
    await assert.rejects(serveChain(options), /not an address of loopback/);
  }
});

test("cli: chain server: a port that is taken leaves nothing behind", async () => {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as net.AddressInfo;
  const file = path.join(folder, "other");
  await assert.rejects(serveChain({
    chain: chainOf(1), cookieFile: file, ambient: createAmbient(), esploraPort: port,
  }), /EADDRINUSE/);
  assert.equal(fs.existsSync(file), false);
  taken.close();
});
