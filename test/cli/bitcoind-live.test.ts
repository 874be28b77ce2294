/**
 * A maker on a real Bitcoin Core node, which the test starts in regtest in a folder of its own: the
 * program that BITCOIND names. Without it there is nothing to test, and no test.
 * @module
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Status } from "../../core/maker/status.ts";
import { folder, run, start, type Child } from "./capture.ts";

const program = process.env["BITCOIND"] ?? "";
const waitMs = 120_000;

type Node = { readonly child: ChildProcess; readonly home: string; readonly port: number };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function startNode(home: string, port: number): Promise<Node> {
  const flags = ["regtest", `datadir=${home}`, `rpcport=${port}`, "listen=0", "server=1",
    "txindex=1", "fallbackfee=0.0001", "printtoconsole=0"];
  const child = spawn(program, flags.map((flag) => `-${flag}`), { stdio: "ignore" });
  const node = { child, home, port };
  await until("the node answers", async () => {
    assert.equal(child.exitCode, null, "the node has ended");
    return ask(node, "getblockcount").then(() => true, () => false);
  });
  return node;
}

async function stopNode(node: Node): Promise<void> {
  const ended = once(node.child, "exit");
  await ask(node, "stop");
  await ended;
}

async function ask<T>(
  { home, port }: Node, method: string, params: readonly unknown[] = [], wallet = "",
): Promise<T> {
  const cookie = readFileSync(join(home, "regtest", ".cookie"));
  const path = wallet === "" ? "" : `wallet/${wallet}`;
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`, {
    method: "POST", headers: { authorization: `Basic ${cookie.toString("base64")}` },
    body: JSON.stringify({ id: 1, method, params }),
  });
  const told = await answer.json() as { result: T; error: { message: string } | null };
  if (told.error !== null) throw new Error(`${method}: ${told.error.message}`);
  return told.result;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 200) {
    if (await holds()) return;
    await sleep(200);
  }
  assert.fail(`never: ${what}`);
}

/** The account of a wallet's `kind`, both branches in one. */
async function accountOf(node: Node, wallet: string, kind: "wpkh" | "tr"): Promise<string> {
  const { descriptors } = await ask<{ descriptors: { desc: string }[] }>(
    node, "listdescriptors", [], wallet,
  );
  const found = descriptors.map(({ desc }) => desc)
    .find((desc) => desc.startsWith(`${kind}(`) && /\/0\/\*\)/.test(desc));
  assert.ok(found !== undefined, `the wallet has an account of ${kind}`);
  return found.replace(/\/0\/\*\)#.*$/, "/<0;1>/*)");
}

function configOf(
  home: string, node: Node, directory: string, accounts: readonly string[],
): string {
  const file = join(home, "dogwatch.toml");
  writeFileSync(file, [
    `network = "regtest"`, `data_dir = ${JSON.stringify(join(home, "state"))}`, "[log]",
    `format = "json"`, "[maker]", `http = "127.0.0.1:0"`, `directories = ["${directory}"]`,
    `descriptors = ${JSON.stringify(accounts)}`, "reannounce_delay_sec = 0", "[bitcoind]",
    `url = "http://127.0.0.1:${node.port}"`, "index_max = 99",
    `auth = ${JSON.stringify(join(node.home, "regtest", ".cookie"))}`, "",
  ].join("\n"));
  return file;
}

async function statusOf(maker: Child): Promise<Status> {
  const { http } = JSON.parse(maker.out().split("\n")[0] ?? "") as { http: string };
  return await (await fetch(`http://${http}/status`)).json() as Status;
}

/** A line of the maker's log after the place `from` in it; the place behind it. */
async function logged(maker: Child, code: string, from: number): Promise<number> {
  let at = -1;
  await until(code, async () => {
    at = maker.err().indexOf(`"code":"${code}"`, from);
    return Promise.resolve(at >= 0);
  });
  return at + 1;
}

async function live(): Promise<void> {
  const place = folder();
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill("SIGKILL");
    place.remove();
  });
  let node = await startNode(place.path, await freePort());
  children.push(node.child);
  await ask(node, "createwallet", ["alice"]);
  const fresh = (kind: string): Promise<string> =>
    ask(node, "getnewaddress", ["", kind], "alice");
  await ask(node, "generatetoaddress", [101, await fresh("bech32")]);
  const accounts = [await accountOf(node, "alice", "wpkh"), await accountOf(node, "alice", "tr")];

  const args = ["--network", "regtest", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const directory = start(["directory", ...args], join(place.path, "directory"));
  children.push(directory.process);
  const [, listen = ""] = await directory.until("out", /"listen":"([^"]+)"/);
  const config = configOf(place.path, node, listen, accounts);

  const to = await fresh("bech32m");
  const txid = await ask<string>(node, "sendtoaddress", [to, 1], "alice");
  const added = await run([
    "history", "add", "--config", config, "--txid", txid, "--address", to, "--amount", "100000000",
  ]);
  assert.equal(added.code, 0, added.err);

  const maker = start(["maker", "--config", config], place.path);
  children.push(maker.process);
  await maker.until("out", /"event":"maker.ready"/);
  let at = await logged(maker, "maker.pending-seen", 0);
  await until("the wallet is known", async () => (await statusOf(maker)).wallet.state === "up");

  const miner = await ask<string>(node, "getnewaddress", [], "alice");
  const [block] = await ask<string[]>(node, "generatetoaddress", [1, miner]);
  at = await logged(maker, "maker.pending-confirmed", at);
  await until("both accounts have coins, and there are offers", async () => {
    const { wallet, offers } = await statusOf(maker);
    const [first, second] = wallet.balances.map(({ spendableSat }) => BigInt(spendableSat));
    return first! > 0n && second === 100_000_000n && offers.public.length > 0;
  });

  await ask(node, "invalidateblock", [block]);
  for (let i = 0; i < 2; i += 1) await ask(node, "generateblock", [miner, []]);
  await logged(maker, "maker.tip-reorganised", at);
  at = await logged(maker, "maker.pending-lost", at);
  await ask(node, "generatetoaddress", [1, miner]);
  at = await logged(maker, "maker.pending-confirmed", at);

  await stopNode(node);
  node = await startNode(place.path, node.port);
  children.push(node.child);
  const [newest] = await ask<string[]>(node, "generatetoaddress", [1, miner]);
  await until("the node is believed again, with its new cookie", async () => {
    const { tip, wallet } = await statusOf(maker);
    return tip.hash === newest && wallet.state === "up";
  });

  maker.process.kill("SIGTERM");
  assert.equal(await maker.ended, 0);
  await stopNode(node);
}

if (program !== "") {
  test("maker: live: coins, offers, a payment, a reorganisation, a restart", live);
}
