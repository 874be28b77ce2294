/**
 * `dogwatch maker`, whole: real sockets, a real directory, a node over real HTTP, a real disk.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { addressText } from "../../adapters/address.ts";
import { getJson } from "../../adapters/http.ts";
import { type Client, connect } from "../../cli/demo/client.ts";
import { serveChain, type ChainServer } from "../../cli/demo/chain.ts";
import * as identity from "../../cli/demo/identity.ts";
import type { Daemon } from "../../cli/run.ts";
import { type MakerDaemon, start as startMaker } from "../../cli/run-maker.ts";
import { sentences } from "../../cli/sentences-maker.ts";
import type { Line } from "../../core/joinmarket/command.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import { mine } from "../../sim/chain/blocks.ts";
import { pay } from "../../sim/chain/till.ts";
import { chainOf, ours, startMs } from "../sim/chain/questions.ts";
import { watch } from "../support/bitcoind.ts";
import { run, start } from "./capture.ts";
import {
  ambient, endAll, ending, ends, launched, place, type Ran, running, temp, textAt,
} from "./daemons.ts";
import { closedPort, directoryAt, type Keys, serverAt, settingsOf } from "./doctor/bench.ts";

after(endAll);

async function directory(keys: Keys = {}): Promise<Daemon> {
  return ending(await directoryAt(keys, place()));
}

const toOf = (daemon: Daemon): string => addressText(daemon.listen[0]!);

/** A node with half a coin of ours, and its cookie. */
async function chain(): Promise<{ readonly server: ChainServer; readonly cookie: string }> {
  const c = chainOf(130);
  assert.ok(pay(c.ledger, ours(0), 50_000_000n, startMs) !== undefined);
  mine(c.ledger, 3, startMs);
  const cookie = join(place(), ".cookie");
  const server = await serveChain({ chain: c, cookieFile: cookie, ambient });
  ends.push(() => server.close());
  return { server, cookie };
}

const accounts = watch.filter(({ branch }) => branch === 0)
  .map(({ descriptor }) => descriptor.replace(/#.*/, "").replace("/0/*", "/<0;1>/*"));

const wallet = ({ server, cookie }: { server: ChainServer; cookie: string }): Keys => ({
  "bitcoind.url": server.url("bitcoind"), "bitcoind.auth": cookie, "bitcoind.index_max": 20,
  "maker.descriptors": accounts,
});

/** A maker within this process. */
function launch(keys: Keys, data = place()): Promise<Ran<MakerDaemon>> {
  const settings = settingsOf({ "maker.http": "127.0.0.1:0", "log.level": "debug", ...keys });
  return launched({ start: startMaker, sentences }, settings, data);
}

type Taker = {
  readonly client: Client; readonly heard: Line[];
  /** The first line that a maker says with this word, old ones included. */
  readonly said: (word: string) => Promise<Line>;
};

/** A taker at a directory. */
function taker(to: Daemon): Promise<Taker> {
  const heard: Line[] = [];
  const waiting = new Set<() => void>();
  const said = (word: string): Promise<Line> => new Promise((resolve) => {
    const look = (): void => {
      const found = heard.find(({ commands }) => commands[0]?.word === word);
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
  });
  return new Promise((resolve, reject) => {
    const client = connect({
      address: to.listen[0]!, who: identity.create(), network: "regtest", location: notServing,
      features: ["ping"], ready: () => resolve({ client, heard, said }),
      line: (line) => {
        heard.push(line);
        for (const look of waiting) look();
      },
      peers: () => {}, pinged: () => true, closed: (why) => reject(new Error(why)),
    });
    ends.push(() => client.end());
  });
}

const ready = async (daemon: MakerDaemon) => {
  const asked = await getJson(daemon.http, "/readyz", 5_000, ambient);
  assert.ok(asked.ok);
  return { code: asked.code, reasons: (asked.body as { reasons: string[] }).reasons.join("; ") };
};

test("run maker: announced, asked, answered, cancelled; every face of it is open", async () => {
  const at = await directory();
  const t = await taker(at);
  const node = await chain();
  const data = place();
  const maker = await launch({ "maker.directories": [toOf(at)], ...wallet(node) }, data);
  const daemon = running(maker);
  const offer = await t.said("sw0reloffer");
  assert.equal(offer.from, daemon.status().nick);
  assert.deepEqual(await ready(daemon), { code: 200, reasons: "" });
  t.heard.length = 0;
  t.client.publish(["orderbook"]);
  const answer = await t.said("sw0reloffer");
  assert.notEqual(answer.to, "PUBLIC");
  t.client.tell(daemon.status().nick, ["fill 0 1 2 3"]);
  const status = daemon.status();
  assert.deepEqual([status.degraded.length, status.network], [0, "regtest"]);
  assert.match(await textAt(daemon, "/"), /<html/);
  assert.match(await textAt(daemon, "/metrics"), /^dw_maker_degraded\{state="backend-down"\} 0$/m);
  t.heard.length = 0;
  daemon.stop("test");
  assert.equal((await t.said("cancel")).to, "PUBLIC");
  assert.equal(await daemon.ended, 0);
  assert.match(readFileSync(join(data, "history.journal"), "latin1"), /^dogwatch-journal 1\n/);
});

test("run maker: without all it needs it stays, says what is wrong, and gets well", async () => {
  const at = await directory();
  const node = await chain();
  await node.server.halt("bitcoind");
  const gone = `127.0.0.1:${await closedPort()}`;
  const maker = await launch({
    "maker.directories": [gone], ...wallet(node), "tor.socks": gone, "tor.control": gone,
    "maker.onion": true, "maker.listen": "127.0.0.1:0",
  });
  const daemon = running(maker);
  await maker.until(/"maker\.directory-failed"/);
  await maker.until(/"maker\.backend-down"|"maker\.rescan-failed"/);
  const first = await ready(daemon);
  assert.equal(first.code, 503);
  for (const state of ["no-directory", "onion-down", "backend-down", "not-announcing"]) {
    assert.match(first.reasons, new RegExp(`${state}: `));
  }
  await node.server.resume("bitcoind");
  const keys = { "maker.directories": [toOf(at)], ...wallet(node), "tor.socks": gone };
  daemon.reload(settingsOf({ "maker.http": "127.0.0.1:0", ...keys }));
  daemon.rescan();
  await maker.until(/"maker\.offers-announced"/);
  assert.deepEqual(daemon.status().degraded.map(({ name }) => name), ["onion-down"]);
});

test("run maker: a cookie that changed is read again, and offers stay", async () => {
  const at = await directory();
  const t = await taker(at);
  const node = await chain();
  const maker = await launch({ "maker.directories": [toOf(at)], ...wallet(node) });
  const daemon = running(maker);
  await t.said("sw0reloffer");
  const before = readFileSync(node.cookie, "utf8");
  await node.server.halt("bitcoind");
  await node.server.resume("bitcoind");
  assert.notEqual(readFileSync(node.cookie, "utf8"), before);
  const listed = maker.log.filter((line) => line.includes("maker.coins-listed")).length;
  daemon.rescan();
  await maker.until(/"maker\.coins-listed"/, listed + 1);
  assert.equal((await ready(daemon)).code, 200);
  assert.ok(!t.heard.some(({ commands }) => commands[0]?.word === "cancel"));
});

test("run maker: where no record can be written it runs, and announces nothing", async () => {
  const at = await directory();
  const t = await taker(at);
  const data = place();
  mkdirSync(join(data, "history.journal"));
  const maker = await launch({ "maker.directories": [toOf(at)], ...wallet(await chain()) }, data);
  const daemon = running(maker);
  for (const code of ["disk-failing", "backend-up", "directory-up"]) {
    await maker.until(new RegExp(`"maker\\.${code}"`));
  }
  const { code, reasons } = await ready(daemon);
  assert.equal(code, 503);
  assert.match(reasons, /disk-failing: the disk failed while the journal is read/);
  assert.match(reasons, /not-announcing: records do not become durable/);
  assert.deepEqual(t.heard, []);
});

test("run maker: what is taken ends the start, with advice, and nothing stays open", async () => {
  const at = await directory();
  const data = place();
  const keys = { "maker.directories": [toOf(at)] };
  running(await launch(keys, data));
  const second = await launch(keys, data);
  assert.ok(!second.started.ok);
  assert.match(second.started.says, /uses .*; nothing was started; give each its own --data-dir/);
  const taken = await serverAt(() => {});
  for (const key of ["maker.http", "maker.listen"]) {
    const third = await launch({ ...keys, [key]: `127.0.0.1:${taken.port}` });
    assert.ok(!third.started.ok);
    assert.deepEqual([third.started.exit, third.started.says.includes(key)], [1, true]);
  }
  taken.close();
  writeFileSync(join(data, "file"), "");
  const nowhere = await launch(keys, join(data, "file", "below"));
  assert.ok(!nowhere.started.ok);
  assert.match(nowhere.started.says, /cannot be used/);
});

test("maker: process: one line on stdout; SIGHUP, SIGUSR2 and SIGTERM; status", async () => {
  const at = await directory();
  const t = await taker(at);
  const node = await chain();
  const config = join(place(), "dogwatch.toml");
  const { server, cookie } = node;
  const write = (offers: string): void => writeFileSync(config, [
    "network = 'regtest'", "[maker]", "http = '127.0.0.1:0'", `directories = ['${toOf(at)}']`,
    `descriptors = [${accounts.map((one) => `'${one}'`).join()}]`, `offers = ['${offers}']`,
    "[bitcoind]", `url = '${server.url("bitcoind")}'`, `auth = '${cookie}'`, "index_max = 20", "",
  ].join("\n"));
  write("relative 0.00003");
  const data = place();
  const child = start(["maker", "--config", config, "--data-dir", data, "--json"], temp.path);
  await child.until("out", /\n/);
  const line = JSON.parse(child.out()) as { event: string; nick: string; http: string };
  assert.equal(line.event, "maker.ready");
  const offer = await t.said("sw0reloffer");
  assert.equal(offer.from, line.nick);
  assert.equal((await run(["healthcheck", "--http", line.http])).code, 0);
  write("absolute 777");
  child.process.kill("SIGHUP");
  await t.said("sw0absoffer");
  write("absolute much");
  child.process.kill("SIGHUP");
  await child.until("err", /"reload\.rejected".*maker\.offers/);
  child.process.kill("SIGUSR2");
  const status = await run(["status", "--data-dir", data, "--json"]);
  assert.match(status.out, /"nick":"J5/);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended, 0);
  assert.equal(child.out().split("\n").length, 2);
  for (const one of child.err().trim().split("\n")) JSON.parse(one);
  assert.ok(t.heard.some(({ commands }) => commands[0]?.word === "cancel"));
  assert.equal((await run(["history", "verify", "--data-dir", data])).code, 0);
  const wrong = await run(["maker", "--config", config, "--data-dir", data]);
  assert.deepEqual([wrong.code, wrong.out], [2, ""]);
});
