/**
 * The stand-in Ark over real HTTP and gRPC, asked by the real adapters and the core's own words.
 * @module
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { createRequests, type Requests, type Target } from "../../adapters/requests.ts";
import { createRoundEvents, defaults as roundDefaults } from "../../adapters/round-events.ts";
import { secretSource } from "../../adapters/secretfile.ts";
import { type ArkServer, serveArk } from "../../cli/demo/ark.ts";
import * as barkd from "../../core/ark/barkd.ts";
import type { StreamEvent } from "../../core/ark/streams.ts";
import type { Answer, Op } from "../../core/ark/wallet.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import { changeToken, endow } from "../../sim/ark/acts.ts";
import type { BarkdFault, Outage } from "../../sim/ark/faults.ts";
import { ever, minuteMs, world } from "../support/ark-world.ts";
import { folder } from "./capture.ts";

const temp = folder();
const ambient = createAmbient();
const w = world({}, "alice", "bob");
endow(w, "alice", [70_000n], 30, 2);
const ark: ArkServer = await serveArk({ world: w, folder: temp.path, ambient });
const waiting = new Map<number, (event: RequestEvent) => void>();
const requests: Requests = createRequests({
  targets: new Map(["alice", "bob"].map((name) => [name, targetOf(ark, name)])),
  push: (event) => {
    const settle = waiting.get(event.req);
    waiting.delete(event.req);
    settle?.(event);
  },
  report: () => {},
});
let serial = 0;

beforeEach(() => ark.suffer([]));
after(async () => {
  requests.closeAll();
  await ark.close();
  temp.remove();
});

function targetOf({ url, tokenFile }: ArkServer, name: string): Target {
  const source = secretSource(tokenFile(name), {});
  assert.ok(source !== undefined);
  return { url: new URL(url(name)), credentials: { kind: "bearer", source }, proxy: undefined };
}

/** One call; one that takes longer than `patienceMs` is given up. */
async function put(op: Op, to = "alice", patienceMs = 5_000, renew = false): Promise<Answer> {
  serial += 1;
  const req = serial;
  const request = barkd.requestOf(barkd.defaults, op);
  assert.ok(request !== undefined);
  const event = await new Promise<RequestEvent>((resolve) => {
    const timer = setTimeout(() => {
      requests.drop({ type: "req.drop", req });
      waiting.delete(req);
      resolve({ type: "req.failed", req, reason: "timeout" });
    }, patienceMs);
    waiting.set(req, (told) => {
      clearTimeout(timer);
      resolve(told);
    });
    requests.start({ type: "req.start", req, to, ...request, renew });
  });
  return event.type === "req.done"
    ? barkd.answerOf(barkd.defaults, op, event.status, event.body)
    : barkd.ofFailure(event.reason);
}

const wordOf = (answer: Answer): string => answer.ok ? answer.done.op
  : answer.why === "unavailable" ? answer.reason : answer.why;

const reading: readonly Op[] = [
  { op: "alive" }, { op: "identity" }, { op: "probe" }, { op: "ark-info" }, { op: "tip" },
  { op: "vtxos" }, { op: "balance" }, { op: "exits" }, { op: "pending" },
  { op: "exit-fee", vtxos: [] },
  { op: "sync" }, { op: "sync-onchain" }, { op: "sync-mailbox" }, { op: "progress-exits" },
];

test("cli: ark server: every call of barkd's has an answer, of each wallet its own", async () => {
  for (const op of reading) assert.equal(wordOf(await put(op)), op.op);
  const [mine, others] = [await put({ op: "vtxos" }), await put({ op: "vtxos" }, "bob")];
  assert.ok(mine.ok && mine.done.op === "vtxos" && others.ok && others.done.op === "vtxos");
  assert.deepEqual(mine.done.vtxos.map(({ amountSat }) => amountSat), [70_000n]);
  assert.deepEqual(others.done.vtxos, []);
  assert.ok(ark.answered("alice") > ark.answered("bob"));
});

test("cli: ark server: a token of another is none; a new one is read again", async () => {
  const { token } = ark.act(({ barkds }) => barkds.get("bob")!);
  const told = await fetch(`${ark.url("alice")}/api/v1/wallet/vtxos`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(told.status, 401);
  assert.equal(fs.statSync(ark.tokenFile("bob")).mode & 0o777, 0o600);
  ark.act((at) => changeToken(at, "bob"));
  await ark.resume("bob");
  assert.equal(wordOf(await put({ op: "tip" }, "bob", 5_000, true)), "tip");
});

test("cli: ark server: one that was stopped refuses, and comes back on its port", async () => {
  const url = ark.url("bob");
  await ark.halt("bob");
  assert.equal(wordOf(await put({ op: "alive" }, "bob")), "unreachable");
  assert.equal(wordOf(await put({ op: "alive" })), "alive");
  await ark.resume("bob");
  assert.equal(ark.url("bob"), url);
  assert.equal(wordOf(await put({ op: "alive" }, "bob")), "alive");
});

test("cli: ark server: a long poll ends with news, or with its time", async () => {
  const first = put({ op: "notifications", since: undefined }, "bob");
  while (ark.act(({ waits }) => waits.size) === 0) await put({ op: "alive" });
  ark.skip(31_000);
  assert.equal(wordOf(await first), "notifications");
  assert.equal(ark.act(({ waits }) => waits.size), 0);
  assert.equal(wordOf(await put({ op: "notifications", since: undefined }, "bob", 60)), "timeout");
  while (ark.act(({ waits }) => waits.size) > 0) await put({ op: "alive" });
});

const troubles: readonly (readonly [BarkdFault, string])[] = [
  [{ kind: "refusing" }, "unreachable"], [{ kind: "closing" }, "unreachable"],
  [{ kind: "silent" }, "timeout"], [{ kind: "slow", ms: 60_000 }, "timeout"],
  [{ kind: "slow", ms: 20 }, "tip"], [{ kind: "denied" }, "auth"],
  [{ kind: "no-wallet" }, "no-wallet"], [{ kind: "truncated", permille: 500 }, "malformed"],
];

for (const [fault, says] of troubles) {
  test(`cli: ark server: fault ${Object.values(fault).join(" ")}: ${says}`, async () => {
    ark.suffer([{ on: "barkd", wallet: "alice", fault, ...ever }]);
    assert.equal(wordOf(await put({ op: "tip" }, "alice", 300)), says);
    assert.equal(wordOf(await put({ op: "tip" }, "bob")), "tip");
    ark.suffer([]);
    assert.equal(wordOf(await put({ op: "tip" })), "tip");
  });
}

test("cli: ark server: round events over gRPC, until the server is down", async () => {
  const heard: string[] = [];
  let look = (): void => {};
  const until = (text: string): Promise<void> => new Promise((resolve) => {
    look = () => {
      if (heard.includes(text)) resolve();
    };
    look();
  });
  const shown = (event: StreamEvent): string => {
    if (event.type === "stream.item") return event.event.kind;
    return event.type === "stream.ended" ? event.reason : "subscribed";
  };
  const streams = createRoundEvents({
    servers: new Map([["ark", { url: new URL(ark.server), proxy: undefined }]]),
    config: { ...roundDefaults, agent: "test/1" }, ambient, report: () => {},
    push: (event) => {
      heard.push(shown(event));
      look();
    },
  });
  streams.open({ type: "stream.open", stream: 1, to: "ark" });
  await until("subscribed");
  ark.skip(11 * minuteMs);
  await until("attempt");
  const down: Outage = { on: "server", fault: { kind: "down" }, ...ever };
  ark.suffer([down]);
  await until("error");
  streams.open({ type: "stream.open", stream: 2, to: "ark" });
  await until("refused");
  streams.closeAll();
});

test("cli: ark server: never where others reach it, and nothing left behind", async () => {
  const options = { world: world(), folder: temp.path, ambient };
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org"]) {
    await assert.rejects(serveArk({ ...options, host }), /not an address of loopback/);
  }
  const place = join(temp.path, "gone");
  await assert.rejects(serveArk({ ...options, folder: place }), /ENOENT/);
  const other = await serveArk(options);
  const port = Number(new URL(other.url("alice")).port);
  await other.close();
  const free = net.createServer().listen(port, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  free.close();
});
