/**
 * `dogwatch ark` with programs that it runs itself: real processes, signals and pipes, in front of
 * the stand-in.
 * @module
 */
import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { after, test } from "node:test";
import { load } from "../../adapters/config.ts";
import { type ArkSettings, arkOf } from "../../adapters/config/ark-settings.ts";
import type { RawTable } from "../../adapters/config/schema.ts";
import { type ArkServer, serveArk } from "../../cli/demo/ark.ts";
import { quickened } from "../../cli/demo/ark-pace.ts";
import { type ArkDaemon, start } from "../../cli/run-ark.ts";
import { sentences } from "../../cli/sentences-ark.ts";
import type { WalletStatus } from "../../core/ark/status.ts";
import { ever, world } from "../support/ark-world.ts";
import { ambient, endAll, ends, launched, place, type Ran, running } from "./daemons.ts";

after(endAll);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** A program that passes everything on to the stand-in, and prints what nobody should read. */
const relay = `
  const net = require("net");
  const [own, other, mode] = process.argv.slice(1);
  const quiet = () => {};
  net.createServer((from) => {
    const to = net.connect(Number(other), "127.0.0.1");
    from.on("error", quiet).on("close", () => to.destroy());
    to.on("error", quiet).on("close", () => from.destroy());
    from.pipe(to).pipe(from);
  }).listen(Number(own), "127.0.0.1", () => console.log("listening; token: hunter2"));
  if (mode === "deaf") process.on("SIGTERM", () => console.log("not now"));
`;

type Programmed = Pick<Ran<ArkDaemon>, "log" | "until"> & {
  readonly ark: ArkServer; readonly daemon: ArkDaemon;
  readonly wallet: () => WalletStatus;
  readonly pid: () => number;
};

/** A daemon that runs the program of one wallet. */
async function launch(script: string, mode: string, over: RawTable = {}): Promise<Programmed> {
  const ark = await serveArk({ world: world({ startMs: Date.now() }), folder: place(), ambient });
  ends.push(() => ark.close());
  const port = await freePort();
  const run = [process.execPath, "-e", script, `${port}`, new URL(ark.url("alice")).port, mode];
  const ran = await launched({ start, sentences }, settingsOf({
    name: "alice", url: `http://127.0.0.1:${port}`, token_file: ark.tokenFile("alice"), run,
    ...over,
  }), place());
  const daemon = running(ran);
  const wallet = (): WalletStatus => daemon.status().wallets[0]!;
  const { log, until } = ran;
  return { ark, daemon, log, until, wallet, pid: () => wallet().program!.pid! };
}

/** Quick, where an operator would have patience. */
function settingsOf(table: RawTable): ArkSettings {
  const keys = {
    "network": "regtest", "ark.http": "127.0.0.1:0", "ark.look_sec": 1, "ark.term_sec": 0.5,
    "ark.stop_sec": 1, "ark.drain_sec": 10, "ark.wallet": [table],
  };
  const flags = Object.entries(keys).map(([key, raw]) => ({ key, flag: key, raw }));
  const read = load({ file: undefined, env: {}, flags });
  assert.ok(read.ok, read.ok ? "" : read.problems.join());
  const made = arkOf(read.settings.parsed, {});
  assert.ok(made.ok, made.ok ? "" : made.broken.map(({ says }) => says).join());
  const { config } = made.settings;
  const retry = { baseMs: 20, maxMs: 100, times: 2, per: 1 };
  const wallets = quickened(config).wallets.map((one) => (
    one.program === undefined ? one : { ...one, program: { ...one.program, retry, lookMs: 50 } }
  ));
  return { ...made.settings, config: { ...quickened(config), wallets, logLevel: "debug" } };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const isUp = /"ark\.fact".*"of":"program".*"to":"up"/;

test("run ark: programs: started, started anew after kill -9, and ended in the end", async () => {
  const { daemon, until, pid, wallet, log } = await launch(relay, "plain");
  await until(isUp);
  await until(/"child\.said".*listening; token: \[…\]/);
  assert.ok(!log.join("").includes("hunter2"));
  const first = pid();
  process.kill(first, "SIGKILL");
  await until(/"ark\.program-exited".*"how":"ended by SIGKILL"/);
  await until(/"ark\.program-up"/, 2);
  await until(/"child\.said"/, 2);
  daemon.look();
  const { program } = wallet();
  assert.equal(program!.restarts, 1);
  assert.equal(program!.lastExit!.how, "ended by SIGKILL");
  const second = pid();
  assert.notEqual(second, first);
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  await until(/"ark\.program-ended"/);
  assert.deepEqual([isThere(first), isThere(second)], [false, false]);
});

test("run ark: programs: a crash loop is a state of the wallet, with its last words", async () => {
  const script = "console.error('no room for a wallet'); process.exitCode = 3;";
  const { daemon, until, wallet, log } = await launch(script, "plain");
  await until(/"ark\.program-crashing".*"how":"exit code 3"/);
  await until(/"child\.said".*no room for a wallet/);
  const [worst] = wallet().degraded;
  assert.equal(worst!.name, "program-crashing");
  assert.match(worst!.why, /exit code 3/);
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  const from = log.findIndex((line) => line.includes("ark.draining"));
  assert.ok(!log.slice(from).some((line) => line.includes("ark.program-up")));
});

test("run ark: programs: one that does not listen is killed, and the end is in time", async () => {
  const { daemon, until, pid } = await launch(relay, "deaf");
  await until(isUp);
  const deaf = pid();
  daemon.stop("test");
  await until(/"child\.said".*not now/);
  await until(/"level":"error".*"ark\.program-killed"/);
  assert.equal(await daemon.ended, 0);
  assert.ok(!isThere(deaf));
});

test("run ark: programs: one that dies during the stop is waited for no longer", async () => {
  const { ark, daemon, until, pid, wallet } = await launch(relay, "plain");
  await until(isUp);
  ark.suffer([{ on: "barkd", fault: { kind: "silent" }, ...ever }]);
  // Work that must not be cut, and hangs.
  const isAt = (): boolean => wallet().lanes.some(({ running }) => (
    running !== null && /^(sync|progress)/.test(running.op)
  ));
  for (let i = 0; !isAt(); i += 1) {
    assert.ok(i < 3_000, "no work");
    await new Promise((done) => void setTimeout(done, 5));
  }
  const last = pid();
  daemon.stop("test");
  await until(/"ark\.draining"/);
  process.kill(last, "SIGKILL");
  await until(/"ark\.program-ended".*SIGKILL/);
  assert.equal(await daemon.ended, 0);
  assert.ok(!isThere(last));
  ark.suffer([]);
});

test("run ark: programs: one that is left running is there after the end", async () => {
  const { daemon, until, pid, log } = await launch(relay, "plain", { leave_running: true });
  await until(isUp);
  const left = pid();
  ends.push(() => process.kill(left, "SIGKILL"));
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
  assert.ok(isThere(left));
  assert.ok(!log.some((line) => line.includes("child.said")));
});
