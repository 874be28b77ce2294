/**
 * `dogwatch ark trust`: beside a daemon that runs, and without one.
 * @module
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { getJson } from "../../adapters/http.ts";
import type { ArkServer } from "../../cli/demo/ark.ts";
import { leaveOrder, takeOrder } from "../../cli/ark-orders.ts";
import type { ArkDaemon } from "../../cli/run-ark.ts";
import { walletFor } from "../../sim/ark/state.ts";
import { arkWith, launch, wallets } from "./ark-daemon.ts";
import { run } from "./capture.ts";
import { ambient, endAll, place, type Ran, running } from "./daemons.ts";

after(endAll);

/** Another wallet answers there, at a server of another key. */
function exchange(ark: ArkServer, name: string): void {
  ark.act((w) => {
    w.server.generation += 1;
    const b = w.barkds.get(name)!;
    b.wallet = { ...walletFor(w, name), fingerprint: "ffffffff" };
    b.session = undefined;
  });
}

/** Empty until it is there. */
function journal(data: string): string {
  const path = join(data, "ark", "ark.journal");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The journal has come to hold this. */
async function written(ran: Ran<ArkDaemon>, data: string, what: RegExp): Promise<void> {
  const { http } = running(ran);
  for (let tries = 0; tries < 10_000; tries += 1) {
    if (what.test(journal(data))) return;
    await getJson(http, "/livez", 5_000, ambient);
  }
  assert.fail(`never written: ${what}`);
}

const key = "02[0-9a-f]{64}";
const both = new RegExp("^alice: the wallet's fingerprint was [0-9a-f]{8} and is ffffffff: trusted "
  + `from now on\\.\nalice: the Ark server's key was ${key} and is ${key}: trusted from now on`);

test("ark trust: beside a daemon: both keys are named, and the new ones count", async () => {
  const ark = await arkWith({ alice: 3_000 });
  const data = place();
  const ran = await launch(wallets(ark), join(data, "ark"));
  const daemon = running(ran);
  const hear = (): void => daemon.look();
  // The runner of Node 24 hands on the signal of reports, and with it that they are written.
  if (process.report !== undefined) process.report.reportOnSignal = false;
  process.on("SIGUSR2", hear);
  try {
    await ran.until(/"ark\.fact".*"of":"server".*"to":"up"/);
    await written(ran, data, /"ark-server".*"ark-wallet"|"ark-wallet".*"ark-server"/s);
    const at = ["ark", "trust", "alice", "--data-dir", data];
    const early = await run(at);
    assert.deepEqual([early.code, early.out], [0, "alice: nothing waits for your trust.\n"]);
    exchange(ark, "alice");
    await ran.until(/"ark\.exchanged"/);
    await ran.until(/"ark\.server-key"/);
    const nobody = await run(["ark", "trust", "carol", "--data-dir", data]);
    assert.deepEqual([nobody.code, nobody.err], [2, "dogwatch: no wallet carol; there is alice\n"]);
    const { code, out, err } = await run(at);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, both);
    assert.match(out, /The daemon has taken it/);
    const { doubts, isBarred } = daemon.status().wallets[0]!;
    assert.deepEqual([doubts, isBarred], [{ wallet: null, server: null }, false]);
    assert.deepEqual(readdirSync(join(data, "ark")).filter((one) => one.startsWith("trust")), []);
  } finally {
    process.off("SIGUSR2", hear);
  }
});

test("ark trust: without a daemon it is in the journal, and the next run goes by it", async () => {
  const ark = await arkWith({ alice: 3_000 });
  const data = place();
  const first = await launch(wallets(ark), join(data, "ark"));
  const daemon = running(first);
  await written(first, data, /"ark-server".*"ark-wallet"|"ark-wallet".*"ark-server"/s);
  exchange(ark, "alice");
  await written(first, data, /"ark-strange".*"ark-strange"/s);
  daemon.stop("test");
  await daemon.ended;
  const at = ["ark", "trust", "alice", "--data-dir", data, "--json"];
  const { code, out, err } = await run(at);
  assert.deepEqual([code, err], [0, ""]);
  const { trusted } = JSON.parse(out) as { trusted: { wallet: { shown: string } } };
  assert.equal(trusted.wallet.shown, "ffffffff");
  const again = await run(at);
  assert.match(again.out, /"trusted":\{"wallet":null,"server":null\}/);
  const nobody = await run(["ark", "trust", "carol", "--data-dir", data]);
  assert.deepEqual([nobody.code, nobody.err], [2, "dogwatch: no wallet carol; there is alice\n"]);
  const second = await launch(wallets(ark), join(data, "ark"));
  await second.until(/"ark\.fact".*"of":"server".*"to":"up"/);
  const next = running(second);
  const fingerprint = (): string | null => next.status().wallets[0]!.fingerprint;
  for (let tries = 0; fingerprint() === null && tries < 10_000; tries += 1) {
    await getJson(next.http, "/livez", 5_000, ambient);
  }
  assert.equal(fingerprint(), "ffffffff");
  assert.deepEqual(next.status().wallets[0]!.doubts, { wallet: null, server: null });
});

test("ark trust: where there is nothing, or no journal that can be read, it says so", async () => {
  const data = place();
  const none = await run(["ark", "trust", "alice", "--data-dir", data]);
  assert.equal(none.code, 1);
  assert.match(none.err, /name the daemon's --data-dir or --config/);
  mkdirSync(join(data, "ark"), { mode: 0o700 });
  const empty = await run(["ark", "trust", "alice", "--data-dir", data]);
  assert.deepEqual([empty.code, empty.err], [2, "dogwatch: no wallet alice; there is none\n"]);
  writeFileSync(join(data, "ark", "ark.journal"), "no journal\n".repeat(40));
  const broken = await run(["ark", "trust", "alice", "--data-dir", data]);
  assert.equal(broken.code, 1);
  assert.match(broken.err, /ark\.journal: .*; nothing was written/);
});

test("ark trust: an order is taken once, and one that is none is gone and nothing else", () => {
  const folder = place();
  assert.equal(takeOrder(folder, "alice"), undefined);
  leaveOrder(folder, "alice", { wallet: "aa", server: undefined });
  assert.deepEqual(takeOrder(folder, "alice"), { wallet: "aa", server: undefined });
  assert.equal(takeOrder(folder, "alice"), undefined);
  for (const text of ["", "null", "[]", "7", "{\"wallet\":7}"]) {
    writeFileSync(join(folder, "trust-alice.json"), text);
    const taken = takeOrder(folder, "alice");
    assert.deepEqual([taken?.wallet, taken?.server], [undefined, undefined], text);
    assert.deepEqual(readdirSync(folder), []);
  }
});
