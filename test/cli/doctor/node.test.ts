/**
 * Bitcoin Core as the doctor sees it: recorded shapes over real HTTP.
 * @module
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Finding, within } from "../../../cli/doctor/finding.ts";
import { node, type NodeTime } from "../../../cli/doctor/node.ts";
import { accounts, chainAt, error, type Node, quiet } from "../../support/bitcoind.ts";
import { folder } from "../capture.ts";
import { ambient, closedPort, type Keys, nodeAt, serverAt, settingsOf } from "./bench.ts";

const temp = folder();
after(temp.remove);
const cookie = join(temp.path, "cookie");
writeFileSync(cookie, "__cookie__:abc\n", { mode: 0o600 });

type Looked = {
  readonly findings: readonly Finding[];
  readonly states: string;
  readonly time: NodeTime | undefined;
};

async function look(port: number, keys: Keys = {}): Promise<Looked> {
  let time: NodeTime | undefined;
  const settings = settingsOf({
    "maker.directories": ["127.0.0.1:1"], "bitcoind.url": `http://127.0.0.1:${port}`,
    "bitcoind.auth": cookie, "bitcoind.wallet": "watch",
    "maker.descriptors": [accounts.wpkh, accounts.tr], ...keys,
  });
  const findings = await within(node(settings, ambient, 2_000, (told) => (time = told)), ambient);
  const states = findings.map(({ what, state }) => `${what} ${state}`).join(", ");
  return { findings, states, time };
}

async function lookAt(
  table: Node, keys: Keys = {}, heard: string[] = [], status?: number,
): Promise<Looked> {
  const server = await nodeAt(table, heard, status);
  const looked = await look(server.port, keys);
  server.close();
  return looked;
}

const well = "bitcoind ok, bitcoind peers ok, wallet ok";

test("doctor: bitcoind: all is well, and nothing but questions was asked", async () => {
  const heard: string[] = [];
  const { states, findings, time } = await lookAt(quiet, {}, heard);
  assert.equal(states, well);
  assert.match(findings[0]?.seen ?? "", /version 30\.0, regtest, block 130$/);
  assert.match(findings[2]?.seen ?? "", /^"watch" watches all 4 branches$/);
  assert.deepEqual(heard.filter((method) => !/^(get|list)/.test(method)), []);
  assert.deepEqual(time, { blockMs: undefined, peersAheadS: undefined }, "regtest has no time");
});

test("doctor: bitcoind: its time is told, off regtest", async () => {
  const chain = chainAt(130, { chain: "signet" });
  const info = "{\"version\":300000,\"connections\":8,\"timeoffset\":-3}";
  const { time } = await lookAt(
    { ...quiet, getblockchaininfo: chain, getnetworkinfo: info }, { network: "signet" },
  );
  assert.deepEqual(time, { blockMs: 1_795_298_712_000, peersAheadS: -3 });
});

test("doctor: bitcoind: not configured, nobody there, wrong password, no cookie", async () => {
  const none = settingsOf({ "maker.directories": ["127.0.0.1:1"] });
  const [poor] = await within(node(none, ambient, 1_000, () => {}), ambient);
  assert.equal(poor?.state, "warn");
  const nobody = await look(await closedPort());
  assert.match(nobody.findings[0]?.fix ?? "", /start bitcoind/);
  const refused = await lookAt(quiet, {}, [], 401);
  assert.match(refused.findings[0]?.fix ?? "", /\.cookie/);
  assert.equal(refused.states, "bitcoind fail");
  const absent = await lookAt(quiet, { "bitcoind.auth": join(temp.path, "absent") });
  assert.match(absent.findings[0]?.seen ?? "", /cannot read .*absent/);
  assert.equal(absent.states, "bitcoind fail");
});

test("doctor: bitcoind: warming up, behind, pruned: to be waited for or looked at", async () => {
  const warming = error(-28, "Loading block index");
  const early = { ...quiet, getblockchaininfo: warming, getnetworkinfo: warming };
  assert.equal((await lookAt(early)).states, "bitcoind warn");
  const behind = { ...quiet, getblockchaininfo: chainAt(130, { headers: 200 }) };
  assert.match((await lookAt(behind)).states, /^bitcoind warn, .*wallet ok$/);
  const pruned = { ...quiet, getblockchaininfo: chainAt(130, { pruned: true, pruneheight: 90 }) };
  assert.match((await lookAt(pruned)).states, /^bitcoind warn/);
  assert.equal((await lookAt(pruned, { "maker.birth_height": 90 })).states, well);
});

test("doctor: bitcoind: wrong network, too old, cut off, not a node at all", async () => {
  const main = { ...quiet, getblockchaininfo: chainAt(130, { chain: "main" }) };
  assert.match((await lookAt(main)).findings[0]?.seen ?? "", /regtest is configured, .* on main$/);
  const old = { ...quiet, getnetworkinfo: "{\"version\":210000,\"connections\":8}" };
  assert.match((await lookAt(old)).findings[0]?.seen ?? "", /needs 22\.0$/);
  const alone = { ...quiet, getnetworkinfo: "{\"version\":300000,\"connections\":0}",
    getblockchaininfo: chainAt(130, { chain: "signet" }) };
  assert.match((await lookAt(alone, { network: "signet" })).states, /bitcoind peers fail/);
  const web = await serverAt((socket) => void socket.end("HTTP/1.1 200 OK\r\n\r\n<html>"));
  assert.match((await look(web.port)).findings[0]?.fix ?? "", /8332/);
  web.close();
  const empty = { ...quiet, getblockchaininfo: "{}" };
  assert.equal((await lookAt(empty)).states, "bitcoind fail");
});

test("doctor: bitcoind: blocksonly=1 is warned of, with what comes of it", async () => {
  const deaf = "{\"version\":300000,\"connections\":8,\"localrelay\":false}";
  const { states, findings } = await lookAt({ ...quiet, getnetworkinfo: deaf });
  assert.equal(states, "bitcoind ok, bitcoind peers warn, wallet ok");
  assert.match(findings[1]?.seen ?? "", /^8 connected, but blocksonly=1: /);
  assert.match(findings[1]?.fix ?? "", /blocksonly=0/);
});

test("doctor: wallet: to be loaded, to be made, with keys, old, incomplete, busy", async () => {
  const wallets: readonly (readonly [Node, string, RegExp])[] = [
    [{ listwallets: "[]" }, "ok", /is not loaded; the maker loads it/],
    [{ listwallets: "[]", listwalletdir: "{\"wallets\":[]}" }, "ok", /the maker makes it/],
    [{ listwallets: error(-32601) }, "fail", /keeps no wallets/],
    [{ getwalletinfo: "{\"private_keys_enabled\":true,\"descriptors\":true,\"scanning\":false}" },
      "fail", /private keys/],
    [{ getwalletinfo: "{\"private_keys_enabled\":false,\"descriptors\":false,\"scanning\":false}" },
      "fail", /old kind/],
    [{ getwalletinfo: error(-4, "no") }, "fail", /cannot be asked/],
    [{ listdescriptors: "{\"descriptors\":[]}" }, "warn", /lacks 4 of 4/],
    [{ getwalletinfo: "{\"private_keys_enabled\":false,\"descriptors\":true," +
      "\"scanning\":{\"duration\":3,\"progress\":0.25}}" }, "warn", /25 % done/],
  ];
  for (const [table, state, seen] of wallets) {
    const { findings } = await lookAt({ ...quiet, ...table });
    const wallet = findings.find(({ what }) => what === "wallet");
    assert.match(wallet?.seen ?? "", seen);
    assert.equal(wallet?.state, state);
  }
});
