/** An Ark wallet's program that Dogwatch runs: it need not answer, but it must be there. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { arkOf } from "../../../adapters/config/ark-settings.ts";
import { load } from "../../../adapters/config.ts";
import { arkWallets } from "../../../cli/doctor/ark.ts";
import { type Finding, within } from "../../../cli/doctor/finding.ts";
import { place } from "../daemons.ts";
import { ambient } from "./bench.ts";

/** Nobody listens there any more. */
async function nowhere(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${port}`;
}

async function findings(run: readonly string[], path: string): Promise<readonly Finding[]> {
  const token = join(place(), "token");
  writeFileSync(token, "abc\n", { mode: 0o600 });
  const wallet = { name: "alice", url: await nowhere(), token_file: token, run: [...run] };
  const keys = { "network": "regtest", "ark.wallet": [wallet] };
  const flags = Object.entries(keys).map(([key, raw]) => ({ key, flag: key, raw }));
  const read = load({ file: undefined, env: {}, flags });
  assert.ok(read.ok, read.ok ? "" : read.problems.join());
  const made = arkOf(read.settings.parsed, {});
  assert.ok(made.ok, made.ok ? "" : made.broken.map(({ says }) => says).join());
  const [check] = arkWallets(made.settings, ambient, () => 5_000, path);
  assert.ok(check !== undefined, "one wallet, one check");
  try {
    return await within(check, ambient);
  } finally {
    check.end();
  }
}

const states = (found: readonly Finding[]): readonly string[] => (
  found.map(({ what, state }) => `${what} ${state}`)
);
const rest = ["alice: token", "alice: wallet", "alice: Ark server", "alice: chain source"]
  .map((what) => `${what} skipped`);

test("doctor: ark: nobody answers where somebody else runs the program: a failure", async () => {
  const found = await findings([], "");
  assert.deepEqual(states(found), ["alice: program fail", ...rest]);
});

test("doctor: ark: a program of ours need not run, but it must be one that can", async () => {
  const bin = place();
  mkdirSync(bin, { recursive: true });
  const file = join(bin, "barkd");
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o755);
  const found = await findings(["barkd", "--port", "1"], bin);
  assert.deepEqual(states(found), ["alice: run ok", "alice: program warn", ...rest]);
  assert.match(found[1]?.fix ?? "", /dogwatch ark starts it/);
  chmodSync(file, 0o644);
  assert.match((await findings([file], ""))[0]?.seen ?? "", /may not be run/);
  const gone = (await findings(["barkd-of-nobody"], bin))[0];
  assert.deepEqual([gone?.state, gone?.seen], ["fail", "no barkd-of-nobody in PATH"]);
});
