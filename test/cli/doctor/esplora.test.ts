/**
 * An Esplora server as the doctor sees it, over real HTTP.
 * @module
 */
import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { server } from "../../../cli/doctor/esplora.ts";
import type { Finding } from "../../../cli/doctor/finding.ts";
import type { NodeTime } from "../../../cli/doctor/node.ts";
import { accounts } from "../../support/bitcoind.ts";
import { ambient, closedPort, type Keys, only, settingsOf } from "./bench.ts";

const hash = "00".repeat(31) + "82";
const regtest = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
const signet = "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6";

async function look(
  port: number, keys: Keys = {},
): Promise<{ readonly finding: Finding; readonly time: NodeTime | undefined }> {
  let time: NodeTime | undefined;
  const settings = settingsOf({
    "maker.directories": ["127.0.0.1:1"], "esplora.url": `http://127.0.0.1:${port}`,
    "maker.descriptors": [accounts.wpkh], ...keys,
  });
  const check = server(settings, ambient, 2_000, (told) => (time = told));
  assert.ok(check !== undefined);
  return { finding: await only(check), time };
}

/** A server with a chain of 131 blocks; `heard`: the paths that were asked for. */
async function served(
  genesis: string, use: (port: number) => Promise<void>, heard: string[] = [],
): Promise<void> {
  const answers = new Map([
    ["/block-height/0", genesis], ["/blocks/tip/hash", hash], ["/blocks/tip/height", "130"],
    [`/block/${hash}`, JSON.stringify({ id: hash, height: 130, timestamp: 1_795_298_712 })],
    [`/block/${hash}/status`, "{\"in_best_chain\":true}"],
  ]);
  const one = http.createServer((request, response) => {
    heard.push(request.url ?? "");
    const said = answers.get(request.url ?? "");
    response.writeHead(said === undefined ? 404 : 200);
    response.end(said ?? "not found");
  });
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  try {
    await use((one.address() as AddressInfo).port);
  } finally {
    one.closeAllConnections();
    one.close();
  }
}

test("doctor: esplora: its tip, and no question about an address", async () => {
  const heard: string[] = [];
  await served(regtest, async (port) => {
    const { finding, time } = await look(port);
    assert.equal(finding.state, "ok", finding.seen);
    assert.match(finding.seen, /^127\.0\.0\.1:\d+: block 130$/);
    assert.equal(time, undefined, "regtest has no time");
  }, heard);
  assert.deepEqual(heard.filter((path) => /address|scripthash/.test(path)), []);
  await served(signet, async (port) => {
    const keys = { network: "signet" };
    assert.equal((await look(port, keys)).time?.blockMs, 1_795_298_712_000);
  });
});

test("doctor: esplora: nobody there, another network, not one at all, not configured", async () => {
  const nobody = (await look(await closedPort())).finding;
  assert.equal(nobody.state, "fail");
  assert.match(nobody.fix ?? "", /esplora\.url/);
  await served(signet, async (port) => {
    assert.equal((await look(port)).finding.state, "fail");
  });
  await served("<html>", async (port) => {
    assert.equal((await look(port)).finding.state, "fail");
  });
  const none = settingsOf({ "maker.directories": ["127.0.0.1:1"] });
  assert.equal(server(none, ambient, 1_000, () => {}), undefined);
});
