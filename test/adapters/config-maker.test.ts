/**
 * From the file to what a maker takes: offers, accounts, targets, and every contradiction.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, relationText } from "../../adapters/config.ts";
import { makerOf, type MakerSettings } from "../../adapters/config/maker-settings.ts";
import type { Raw } from "../../adapters/config/schema.ts";
import { defaults } from "../../core/maker/config.ts";
import * as socks from "../../core/tor/socks.ts";
import * as node from "../support/directory.ts";
import { watch } from "../support/bitcoind.ts";

type Keys = { readonly [key: string]: Raw };

const onion = node.onion(7);
const here = { network: "regtest", "maker.directories": ["127.0.0.1:5222"] };
const tor = { "tor.socks": "127.0.0.1:9050" };
const account = watch[0]!.descriptor.replace("/0/*", "/<0;1>/*").replace(/#.*/, "");

function read(keys: Keys, env: Record<string, string> = {}): MakerSettings | readonly string[] {
  const flags = Object.entries({ ...here, ...keys }).map(([key, raw]) => ({ key, flag: key, raw }));
  const loaded = load({ file: undefined, env: {}, flags });
  if (!loaded.ok) return loaded.problems;
  const made = makerOf(loaded.settings.parsed, env);
  if (made.ok) return made.settings;
  return made.broken.map(({ keys: of, says }) => relationText(loaded.entries, of, says));
}

function settings(keys: Keys): MakerSettings {
  const found = read(keys);
  assert.ok("config" in found, "config" in found ? "" : found.join("\n"));
  return found;
}

/** What is wrong, in one text. */
function wrong(keys: Keys): string {
  const found = read(keys);
  assert.ok(!("config" in found), `accepted: ${JSON.stringify(keys)}`);
  return found.join("\n");
}

test("config: maker: nothing but a directory: the core's defaults, and no wallet", () => {
  const { config, targets, exec, password, listen } = settings({});
  const { directories, tip, network, bitcoind, esplora, offers, ...rest } = config;
  assert.deepEqual(directories, [{ to: "127.0.0.1:5222" }]);
  assert.deepEqual([network, bitcoind, esplora, tip.staleMs], ["regtest", undefined, undefined, 0]);
  assert.deepEqual(offers, { ...defaults.offers, network: "regtest" });
  assert.deepEqual([targets.size, exec.length, password, listen], [0, 0, undefined, undefined]);
  const { wallet, pool, reports, pending, rescan } = rest;
  assert.deepEqual({ pool, reports, pending, rescan }, {
    pool: defaults.pool, reports: defaults.reports, pending: defaults.pending,
    rescan: defaults.rescan,
  });
  assert.equal(wallet.mixdepths, 1);
});

test("config: maker: each offer of the file is what is announced", () => {
  const { config: { offers } } = settings({ "maker.offers": [
    "relative 0.00002", "absolute 500 minsize 50000 txfee 100 spread 10",
    "relative 0.001 spread 0 taproot", "absolute 1 taproot",
  ] });
  assert.deepEqual(offers.terms.map(({ kind }) => kind),
    ["sw0reloffer", "sw0absoffer", "tr0reloffer", "tr0absoffer"]);
  const [plain, full, exact] = offers.terms;
  assert.deepEqual(plain, defaults.offers.terms[0]);
  assert.deepEqual(full, {
    kind: "sw0absoffer", cjfeeSat: 500n, minsizeSat: 50_000n, txfeeSat: 100n,
    txfeeSpreadPpm: 100_000, cjfeeSpreadPpm: 100_000, sizeSpreadPpm: 100_000,
  });
  assert.deepEqual([exact?.sizeSpreadPpm, exact?.cjfeeSpreadPpm], [0, 0]);
  for (const text of [
    "relative 1", "relative .1", "absolute", "absolute 1 2", "relative 0.1 minsize x", "free",
    "relative 0.1 spread 101", "absolute 1 spread 5 spread 6",
  ]) {
    assert.match(wrong({ "maker.offers": [text] }), /maker\.offers/, text);
  }
});

test("config: maker: what would leave this machine needs Tor", () => {
  const all: readonly Keys[] = [
    { "maker.directories": [onion] },
    { "bitcoind.url": "http://10.0.0.7:8332", "maker.descriptors": [account] },
    { "esplora.url": "https://blockstream.example/api", "maker.descriptors": [account] },
    { "notify.webhook": "https://example.org/hook" },
    { "notify.ntfy": "https://ntfy.example", "notify.ntfy_topic": "/etc/topic" },
    { "notify.gotify": "https://gotify.example", "notify.gotify_token": "/etc/token" },
    { "notify.telegram_chat": "1", "notify.telegram_token": "/etc/token" },
    { "notify.updates": "https://api.github.example/repos/o/n/releases/latest" },
  ];
  for (const keys of all) {
    assert.match(wrong(keys), /tor\.socks/, JSON.stringify(keys));
    const { targets, config } = settings({ ...keys, ...tor });
    for (const { isolation } of targets.values()) assert.ok(isolation !== undefined);
    if ("maker.directories" in keys) {
      const isolation = socks.label({ purpose: "directory", address: onion });
      assert.deepEqual(config.directories, [{ to: onion, directoryId: onion, isolation }]);
    }
  }
  assert.equal(settings({ ...all[3]!, "tor.socks": "unix:/run/tor/socks" }).targets.size, 1);
  assert.match(wrong({ "maker.directories": ["example.org:5222"] }), /onion/);
  const { targets } = settings({ "notify.webhook": "http://127.0.0.1:9/x" });
  assert.equal(targets.get("webhook")?.isolation, undefined);
});

test("config: maker: a wallet needs a backend and accounts, one backend, its network", () => {
  assert.match(wrong({ "bitcoind.url": "http://127.0.0.1:1" }), /maker\.descriptors/);
  assert.match(wrong({ "maker.descriptors": [account] }), /bitcoind\.url/);
  const both = { "bitcoind.url": "http://127.0.0.1:1", "esplora.url": "http://127.0.0.1:2" };
  assert.match(wrong({ ...both, "maker.descriptors": [account] }), /one of them is asked/);
  const one = { "bitcoind.url": "http://127.0.0.1:1", "maker.descriptors": [account] };
  assert.equal(settings(one).config.bitcoind?.watch.length, 2);
  assert.match(wrong({ ...one, "maker.descriptors": [account, account] }), /maker\.descriptors/);
  assert.match(wrong({ ...one, "maker.descriptors": ["wpkh(x)"] }), /mixdepth 0/);
  assert.match(wrong({ ...one, network: "mainnet" }), /mixdepth 0/);
});

test("config: maker: an onion of one's own needs Tor's ports and a place to arrive", () => {
  const whole = { ...tor, "maker.onion": true, "tor.control": "127.0.0.1:9051",
    "maker.listen": "127.0.0.1:5223" };
  const { config } = settings(whole);
  assert.deepEqual([config.torControl, config.onion?.target], ["127.0.0.1:9051", "127.0.0.1:5223"]);
  for (const key of ["tor.socks", "tor.control", "maker.listen"]) {
    assert.match(wrong({ ...whole, [key]: "" }), /maker\.onion/, key);
  }
  assert.match(wrong({ ...whole, "maker.location": onion }), /one of them, not both/);
  assert.match(wrong({ "maker.location": onion }), /takers would find nobody/);
});

test("config: maker: a secret that names nothing is told, for every key", () => {
  const nothing = "fd:x";
  const all: readonly Keys[] = [
    { "tor.control_password": nothing },
    { "bitcoind.auth": nothing, "bitcoind.url": "http://127.0.0.1:1",
      "maker.descriptors": [account] },
    { "notify.webhook": "http://127.0.0.1:1", "notify.webhook_auth": nothing },
    { "notify.ntfy": "http://127.0.0.1:1", "notify.ntfy_topic": nothing },
    { "notify.gotify": "http://127.0.0.1:1", "notify.gotify_token": nothing },
    { ...tor, "notify.telegram_chat": "1", "notify.telegram_token": nothing },
  ];
  for (const keys of all) assert.match(wrong(keys), /names no secret/, JSON.stringify(keys));
});

test("config: maker: no notice goes to a service without the secret that keeps it private", () => {
  for (const [key, value, secret] of [
    ["notify.ntfy", "http://127.0.0.1:1", "notify.ntfy_topic"],
    ["notify.gotify", "http://127.0.0.1:1", "notify.gotify_token"],
    ["notify.telegram_chat", "1", "notify.telegram_token"],
  ] as const) {
    assert.match(wrong({ ...tor, [key]: value }), /it needs its secret/);
    assert.equal(settings({ ...tor, [key]: value, [secret]: "/etc/x" }).targets.size, 1);
  }
});

test("config: maker: all that is wrong is told at once", () => {
  const text = wrong({
    "maker.directories": [onion], "maker.location": onion, "notify.webhook": "https://x.example",
    "tor.control_password": "fd:x",
  });
  assert.equal(text.split("\n").length, 4, text);
});
