/**
 * From the file to what the daemon of Ark wallets takes: wallets, targets, and contradictions.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, relationText } from "../../adapters/config.ts";
import { type ArkSettings, arkOf } from "../../adapters/config/ark-settings.ts";
import type { Raw, RawTable } from "../../adapters/config/schema.ts";
import { defaults, problemsOf, walletOf, type WalletConfig } from "../../core/ark/config.ts";
import * as guardian from "../../core/ark/guardian.ts";
import { mono } from "../../core/time.ts";
import * as prng from "../../core/prng.ts";

type Keys = { readonly [key: string]: Raw };

const alice = { name: "alice", url: "http://127.0.0.1:3535", token_file: "/run/alice.token" };
const bob = { name: "bob", url: "http://localhost:3536", token_file: "credential:bob" };
const far = { ...alice, url: "http://wallet.example:3535" };
const tor = { "tor.socks": "127.0.0.1:9050" };
const both = (...wallets: readonly RawTable[]): Keys => ({ "ark.wallet": wallets });

function read(keys: Keys): ArkSettings | readonly string[] {
  const flags = Object.entries(keys).map(([key, raw]) => ({ key, flag: key, raw }));
  const loaded = load({ file: undefined, env: {}, flags });
  if (!loaded.ok) return loaded.problems;
  const made = arkOf(loaded.settings.parsed, { CREDENTIALS_DIRECTORY: "/run/credentials" });
  if (made.ok) return made.settings;
  return made.broken.map(({ keys: of, says }) => relationText(loaded.entries, of, says));
}

function settings(keys: Keys): ArkSettings {
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

test("config: ark: nothing but wallets: the core's defaults", () => {
  const { config, targets, servers, exec } = settings(both(alice, bob));
  const inNetwork = (one: WalletConfig): WalletConfig => (
    { ...one, guardian: { ...one.guardian, network: "bitcoin" } }
  );
  const wallets = [walletOf("alice"), walletOf("bob")].map(inNetwork);
  assert.deepEqual(config, { ...defaults, wallets });
  assert.deepEqual([...targets.keys()], ["barkd:alice", "barkd:bob"]);
  assert.deepEqual([servers.size, exec.length, config.notify.label], [0, 0, "Dogwatch Ark"]);
  const spec = targets.get("barkd:bob");
  assert.ok(spec?.credentials.kind === "bearer");
  assert.equal(spec.credentials.source.place, "credential bob");
  assert.deepEqual(problemsOf(config), []);
});

test("config: ark: what a wallet says is its own", () => {
  const claim_to = "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
  const { config: { wallets: [a, b] }, servers } = settings({
    ...both(
      { ...alice, server: "http://127.0.0.1:3535/", runs_itself: true, refresh: false },
      { ...bob, server: "http://127.0.0.1:3535", auto_exit: true, claim_to },
    ),
    "ark.look_sec": 300, "ark.stop_sec": 5, "ark.refresh_blocks": 200,
  });
  assert.deepEqual([...servers.keys()], ["http://127.0.0.1:3535"]);
  assert.deepEqual([a?.rounds, a?.server], [b?.rounds, b?.server]);
  assert.deepEqual([a?.policy.isManual, b?.policy.isManual], [true, false]);
  assert.deepEqual([a?.guardian.refresh.isOn, b?.guardian.refresh.isOn], [false, true]);
  const { autoExit, autoClaim, destination } = b!.guardian.shepherd;
  assert.deepEqual([autoExit, autoClaim, destination], [true, true, claim_to]);
  assert.equal(a?.guardian.shepherd.autoClaim, false);
  for (const one of [a!, b!]) {
    assert.deepEqual([one.guardian.sightMs, one.policy.stopping.stopMs], [900_000, 5_000]);
    assert.equal(one.guardian.expiry.refreshBlocks, 200);
  }
});

test("config: ark: a program that is run here: what it is, and its time at the end", () => {
  const run = ["barkd", "--datadir", "/var/lib/bark"];
  const { config: { wallets: [a, b] }, programs } = settings({
    ...both({ ...alice, run, leave_running: true }, { ...bob, run: "barkd" }),
    "ark.term_sec": 5,
  });
  assert.deepEqual(programs.get("alice"), { run, isLeft: true });
  assert.deepEqual(programs.get("bob"), { run: ["barkd"], isLeft: false });
  assert.deepEqual([a?.program?.isLeft, b?.program?.isLeft], [true, false]);
  assert.deepEqual([a?.program?.termMs, b?.program?.termMs], [5_000, 5_000]);
  assert.equal(settings(both(alice)).config.wallets[0]?.program, undefined);
  const short = { "ark.drain_sec": 41 };
  assert.match(wrong({ ...both({ ...alice, run }), ...short }), /ark\.term_sec.*ark\.drain_sec/s);
  settings({ ...both({ ...alice, run, leave_running: true }), ...short });
  settings({ ...both(alice), ...short });
});

test("config: ark: whatever is accepted, the guardian takes", () => {
  const keys: readonly Keys[] = [
    { "ark.fast_block_sec": 3_600 }, { "ark.fast_block_sec": 200 }, { "ark.look_sec": 1 },
    { "ark.look_sec": 300, "ark.patience_sec": 60 },
    { "ark.fast_block_sec": 0.1, "ark.patience_sec": 3 },
    { "ark.refresh_blocks": 1, "ark.failing_blocks": 1, "ark.per_level_blocks": 1 },
  ];
  for (const one of keys) {
    const { config: { wallets } } = settings({ ...both(alice), ...one });
    guardian.create(wallets[0]!.guardian, prng.key("x"), mono(0));
  }
});

test("config: ark: what contradicts itself is told, all of it, by the wallet's name", () => {
  assert.match(wrong({}), /ark\.wallet = \[\] \(default\): nobody to look after/);
  assert.match(wrong(both(alice, alice)), /ark\.wallet alice: two wallets have this name/);
  const many = wrong({
    ...both({ ...far, server: "https://ark.example" }), "ark.http": "0.0.0.0:1",
    "ark.stop_sec": 9, "ark.drain_sec": 8, "ark.margin_blocks": 0,
  });
  for (const says of [
    "ark.wallet alice: url", "ark.wallet alice: server", "tor.socks", "nothing leaves around Tor",
    "ark.http_remote", "ark.stop_sec = 9", "ark.margin_blocks = 0",
  ]) assert.ok(many.includes(says), `${says}\n${many}`);
  assert.match(wrong(both({ ...alice, token_file: "fd:x" })), /alice: token_file: this names no/);
});

test("config: ark: what is far away goes through Tor, each on circuits of its own", () => {
  const { targets, servers } = settings({
    ...both({ ...far, server: "https://ark.example" }, bob), ...tor,
  });
  assert.equal(targets.get("barkd:alice")?.isolation, "barkd:alice");
  assert.equal(targets.get("barkd:bob")?.isolation, undefined);
  assert.equal(servers.get("https://ark.example")?.isolation, "ark:https://ark.example");
});
