/**
 * Daemons of Ark wallets within the test's process, at a stand-in Ark over real HTTP and gRPC.
 * @module
 */
import assert from "node:assert/strict";
import { load } from "../../adapters/config.ts";
import { type ArkSettings, arkOf } from "../../adapters/config/ark-settings.ts";
import type { Raw, RawTable } from "../../adapters/config/schema.ts";
import { type ArkServer, serveArk } from "../../cli/demo/ark.ts";
import { quickened } from "../../cli/demo/ark-pace.ts";
import { type ArkDaemon, start } from "../../cli/run-ark.ts";
import { sentences } from "../../cli/sentences-ark.ts";
import { deposit, endow } from "../../sim/ark/acts.ts";
import { block } from "../../sim/ark/run.ts";
import { world } from "../support/ark-world.ts";
import { ambient, ends, launched, place, type Ran } from "./daemons.ts";

export type Keys = { readonly [key: string]: Raw };

/** Wallets of these names; each has coins on the chain, and VTXOs that live for so many blocks. */
export async function arkWith(lives: { readonly [name: string]: number }): Promise<ArkServer> {
  const w = world({ startMs: Date.now() }, ...Object.keys(lives));
  for (const name of Object.keys(lives)) deposit(w, name, 1_000_000n);
  block(w);
  for (const [name, blocks] of Object.entries(lives)) endow(w, name, [70_000n], blocks, 2);
  const ark = await serveArk({ world: w, folder: place(), ambient });
  ends.push(() => ark.close());
  return ark;
}

export function wallets(
  ark: ArkServer, over: { readonly [member: string]: string | boolean } = {},
): Keys {
  const all = [...ark.world.barkds.keys()].map((name): RawTable => ({
    name, url: ark.url(name), token_file: ark.tokenFile(name), server: ark.server, ...over,
  }));
  return { "ark.wallet": all };
}

function settingsOf(keys: Keys): ArkSettings {
  const given = { "network": "regtest", "ark.http": "127.0.0.1:0", "ark.look_sec": 1, ...keys };
  const flags = Object.entries(given).map(([key, raw]) => ({ key, flag: key, raw }));
  const read = load({ file: undefined, env: {}, flags });
  assert.ok(read.ok, read.ok ? "" : read.problems.join());
  const made = arkOf(read.settings.parsed, {});
  assert.ok(made.ok, made.ok ? "" : made.broken.map(({ says }) => says).join());
  const { config } = made.settings;
  return { ...made.settings, config: { ...quickened(config), logLevel: "debug" } };
}

/** A daemon within this process. */
export function launch(keys: Keys, data = place()): Promise<Ran<ArkDaemon>> {
  return launched({ start, sentences }, settingsOf(keys), data);
}

/** Everything about both wallets is known. */
export async function settled(
  { until }: Ran<ArkDaemon>, ...names: readonly string[]
): Promise<void> {
  for (const name of names) {
    for (const of of ["program", "server", "chain", "rounds"]) {
      await until(new RegExp(`"ark\\.fact".*"wallet":"${name}","of":"${of}".*"to":"up"`));
    }
  }
}
