/**
 * The demo's maker: a real one in this process, with coins on a stand-in chain behind real HTTP.
 *
 * Rule 1: it runs the same path as `dogwatch maker`; only its default settings differ, and times
 * are shorter. It reaches the demo's directory and the demo's node, whatever a configuration file
 * says: nothing of it leaves this machine.
 * Rule 2: what it keeps lies in a folder of its own that goes with the process (`housed.ts`).
 * Rule 3: the lines of its log are events of the demo, like what other peers tell.
 * @module
 */
import { join } from "node:path";
import { addressText, type Address } from "../../adapters/address.ts";
import type { Ambient } from "../../adapters/ambient.ts";
import type { Settings } from "../../adapters/config.ts";
import { makerOf, type MakerSettings } from "../../adapters/config/maker-settings.ts";
import { type Raw, schema } from "../../adapters/config/schema.ts";
import { createLog, type Log } from "../../adapters/log.ts";
import { encode } from "../../core/history/body.ts";
import { blank, reasons } from "../../core/history/entry.ts";
import type { LogLevel } from "../../core/kernel/io.ts";
import type { Status } from "../../core/maker/status.ts";
import { exits } from "../exit.ts";
import { historyPath, makerFolder, writing } from "../history-file.ts";
import { type MakerDaemon, start } from "../run-maker.ts";
import { makeDataDir } from "../runtime.ts";
import { sentences } from "../sentences-maker.ts";
import { serveChain, type ChainServer } from "./chain.ts";
import { coinsSat, fund, type Funded, pendingSat } from "./fund.ts";
import { housed, type Opened, type Resident } from "./housed.ts";
import * as identity from "./identity.ts";
import type { Happening, Peer } from "./peers.ts";
import { begin, type Story } from "./story.ts";

export const name = "rex";

/** What replaces a maker's defaults: short times, free ports, an address that nobody serves. */
export function preset(): Record<string, Raw> {
  return {
    "maker.http": "127.0.0.1:0",
    "maker.listen": "127.0.0.1:0",
    "maker.location": identity.onionAddress(),
    "maker.offers": ["relative 0.000004", "absolute 80"],
    "maker.reannounce_delay_sec": 4,
    "maker.backend_grace_sec": 2,
    "maker.drain_sec": 2,
    "bitcoind.index_max": 14,
  };
}

export type MakerOptions = {
  readonly settings: Settings;
  readonly ambient: Ambient;
  /** Of the directory. */
  readonly address: Address;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => void;
  readonly tell: (happening: Happening) => void;
};

export interface DemoMaker extends Resident {
  readonly status: () => Status;
  readonly peer: Peer;
}

/** Starts node and maker, or says why not. The directory must run already. */
export function open(options: MakerOptions): Promise<Opened<DemoMaker>> {
  return housed((folder) => openIn(folder, options));
}

async function openIn(folder: string, options: MakerOptions): Promise<Opened<DemoMaker>> {
  const world = fund(options.ambient);
  const cookieFile = join(folder, ".cookie");
  const { ambient } = options;
  let server: ChainServer;
  try {
    server = await serveChain({ chain: world.chain, cookieFile, ambient, nowMs: world.nowMs });
  } catch (error) {
    return { ok: false, exit: exits.failed, says: `no stand-in node: ${(error as Error).message}` };
  }
  const read = settingsOf(options, world.descriptors, server.url("bitcoind"), cookieFile);
  if (!read.ok) {
    await server.close();
    const says = read.broken.map((one) => `${one.keys.join(", ")}: ${one.says}`).join("; ");
    return { ok: false, exit: exits.usage, says };
  }
  await remember(folder, world, ambient);
  const log = logOf(options, read.settings.config.logLevel);
  const { version, env, stderr } = options;
  const started = await start({
    settings: read.settings, folder: makerFolder(folder), ambient, log, version, env, stderr,
  });
  if (!started.ok) {
    await server.close();
    return { ok: false, exit: started.exit, says: started.says };
  }
  return { ok: true, resident: makerIn(started.daemon, server, world, options) };
}

/** Writes the payment that is on its way into the history, as `dogwatch history add` does. */
async function remember(folder: string, world: Funded, ambient: Ambient): Promise<void> {
  const { txid, address: destination } = world.pending;
  const entry = {
    ...blank(ambient.wall().unixMs * 1_000), txid, destination, cjSat: pendingSat,
    amountSat: pendingSat, reason: reasons.unconfirmed, network: "regtest",
    source: "protocol" as const,
  };
  makeDataDir(makerFolder(folder));
  await writing(historyPath(folder), ambient, (writer) => (
    writer.write([encode({ type: "added", entry })])
  ));
}

function settingsOf(
  { settings: { parsed }, address, env }: MakerOptions, descriptors: readonly string[],
  url: string, auth: string,
): ReturnType<typeof makerOf> {
  const plain = schema.parse({});
  const loaded = makerOf({
    ...parsed, esplora: plain.esplora, tor: plain.tor, notify: plain.notify,
    maker: {
      ...parsed.maker, directories: [dialable(address)], directory_auth: "prefer", onion: false,
      descriptors: [...descriptors], birth_height: 0,
    },
    bitcoind: { ...parsed.bitcoind, url, auth, wallet: "demo" },
  }, env);
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  return { ok: true, settings: hastened(settings, beatOf(parsed)) };
}

/** A node that listens everywhere is reached on this machine. */
function dialable(address: Address): string {
  if (address.kind === "unix") return addressText(address);
  const host = address.host === "0.0.0.0" ? "127.0.0.1" : address.host;
  return addressText({ ...address, host: host === "::" ? "::1" : host });
}

/** One thing happens in the time in which the directory calls a peer idle. */
function beatOf({ directory: { heartbeat } }: Settings["parsed"]): number {
  return heartbeat.idle_threshold_sec;
}

/** What no setting reaches, in the measure of the demo. */
function hastened(settings: MakerSettings, beatMs: number): MakerSettings {
  const { config } = settings;
  const pollMs = Math.ceil(beatMs / 8);
  const { orderbook } = config.guard;
  return {
    ...settings,
    config: {
      ...config, logLevel: config.logLevel === "debug" ? "debug" : "info",
      tip: { ...config.tip, pollMs, silentMs: beatMs * 10 },
      wallet: { ...config.wallet, downMs: pollMs * 2 },
      rescan: { ...config.rescan, deferMs: pollMs, retryMsMin: pollMs },
      pending: { ...config.pending, checkMs: pollMs * 4 },
      guard: { ...config.guard, orderbook: { ...orderbook, intervalMs: pollMs * 4 } },
    },
  };
}

function logOf({ ambient, tell }: MakerOptions, level: LogLevel): Log {
  return createLog({
    ambient, level, format: "json", isTerminal: false, sentences, repeatMs: 1,
    write: (line) => {
      const { code, msg } = JSON.parse(line) as { code: string; msg: string };
      const kind = code.slice(code.indexOf(".") + 1);
      tell({ kind, peer: name, nick: "", text: msg });
    },
  });
}

function makerIn(
  daemon: MakerDaemon, server: ChainServer, world: Funded, options: MakerOptions,
): DemoMaker {
  const { ambient, tell, settings: { parsed } } = options;
  const beatMs = beatOf(parsed);
  let payments = 0;
  let story: Story | undefined;
  const address = (): string => {
    payments += 1;
    // The first goes where most is, so that offers follow.
    const mixdepth = (2 * payments) % coinsSat.length;
    const taken = coinsSat[mixdepth]!.length + 1;
    return world.address(mixdepth, (taken + payments) % (parsed.bitcoind.index_max + 1));
  };
  const { nick } = daemon.status();
  const peer: Peer = {
    name, role: "maker", nick, about: "maker, `dogwatch maker` itself, with coins and a node",
    isConnected: () => daemon.status().directories.up > 0,
    stop: () => {},
  };
  const play = (): void => {
    story ??= begin({
      ambient, server, nowMs: world.nowMs, beatMs, address, maker: name, tell,
    });
  };
  const ended = daemon.ended.then(async (code) => {
    await story?.stop();
    await server.close();
    return code;
  });
  return {
    http: daemon.http, status: daemon.status, peer, play, stop: daemon.stop, ended,
  };
}
