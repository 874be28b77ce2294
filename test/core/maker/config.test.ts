/**
 * Settings of a maker that contradict each other.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { check, defaults, type MakerConfig } from "../../../core/maker/config.ts";
import { config as bitcoind } from "../../support/bitcoind.ts";
import * as rig from "../../support/maker.ts";

const config: MakerConfig = { ...defaults, network: "mainnet", pubkey: rig.pubkey };
const regtest = {
  ...config, network: "regtest", offers: { ...defaults.offers, network: "regtest" },
};
const keys = (changes: Partial<MakerConfig>): string =>
  check({ ...regtest, ...changes } as MakerConfig)?.keys.join(" ") ?? "";

test("maker: config: the defaults hold, also with a node", () => {
  assert.equal(check(config), undefined);
  assert.equal(keys({ bitcoind }), "");
});

test("maker: config: what contradicts is named", () => {
  const twice = [{ to: "a.test:1" }, { to: "a.test:1" }];
  assert.equal(keys({ directories: twice }), "directories");
  assert.equal(keys({ directories: twice, pool: { ...defaults.pool, directoriesMax: 1 } }),
    "directories");
  assert.equal(keys({ network: "signet" }), "network");
  assert.equal(keys({ guard: { ...defaults.guard, directoriesMax: 1 } }), "guard.directoriesMax");
  assert.equal(keys({ talk: { ...defaults.talk, signMs: 0 } }), "talk");
  assert.equal(keys({ drainMs: 0 }), "drainMs");
  assert.equal(keys({ bitcoind: { ...bitcoind, network: "signet" } }), "network");
  assert.equal(keys({ bitcoind, wallet: { ...defaults.wallet, mixdepths: 1 } }),
    "wallet.mixdepths");
});
