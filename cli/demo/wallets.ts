/**
 * The demo's Ark wallets: a real daemon in this process that looks after two of them, at a stand-in
 * Ark behind real HTTP and gRPC.
 *
 * Rule 1: it runs the same path as `dogwatch ark`; only its default settings differ, and times are
 * shorter. It reaches the demo's Ark only, whatever a configuration file says: nothing of it leaves
 * this machine.
 * Rule 2: what it keeps lies in a folder of its own that goes with the process (`housed.ts`).
 * Rule 3: the lines of its log are events of the demo, like what peers tell.
 * @module
 */
import { join } from "node:path";
import type { Ambient } from "../../adapters/ambient.ts";
import type { Settings } from "../../adapters/config.ts";
import { arkOf, type ArkSettings } from "../../adapters/config/ark-settings.ts";
import { type Raw, schema } from "../../adapters/config/schema.ts";
import { createLog, type Log } from "../../adapters/log.ts";
import type { ArkConfig, WalletConfig } from "../../core/ark/config.ts";
import type { Status } from "../../core/ark/status.ts";
import type { LogLevel } from "../../core/kernel/io.ts";
import { deposit, endow } from "../../sim/ark/acts.ts";
import * as worlds from "../../sim/ark/config.ts";
import { block } from "../../sim/ark/run.ts";
import * as servers from "../../sim/ark/server.ts";
import { addWallet, create, type World } from "../../sim/ark/state.ts";
import { exits } from "../exit.ts";
import { type ArkDaemon, start } from "../run-ark.ts";
import { sentences } from "../sentences-ark.ts";
import { type ArkServer, serveArk } from "./ark.ts";
import { quickened } from "./ark-pace.ts";
import { housed, type Opened, type Resident } from "./housed.ts";
import type { Happening } from "./peers.ts";
import { begin, type Story } from "./wallets-story.ts";

/** What the demo calls the daemon. */
export const name = "ark";

/** What replaces a daemon's defaults: free ports, and looks at every second. */
export function preset(): Record<string, Raw> {
  return { "ark.http": "127.0.0.1:0", "ark.look_sec": 1, "ark.stop_sec": 1, "ark.drain_sec": 2 };
}

export type WalletsOptions = {
  readonly settings: Settings;
  readonly ambient: Ambient;
  /** One block is found, and one thing happens, so often. */
  readonly beatMs: number;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => void;
  readonly tell: (happening: Happening) => void;
};

export interface DemoWallets extends Resident {
  readonly status: () => Status;
}

/** Starts the Ark and the daemon, or says why not. */
export function open(options: WalletsOptions): Promise<Opened<DemoWallets>> {
  return housed((folder) => openIn(folder, options));
}

async function openIn(folder: string, options: WalletsOptions): Promise<Opened<DemoWallets>> {
  const { ambient, beatMs, version, env, stderr } = options;
  const world = settle(ambient.wall().unixMs, beatMs);
  let server: ArkServer;
  try {
    server = await serveArk({ world, folder, ambient });
  } catch (error) {
    return { ok: false, exit: exits.failed, says: `no stand-in Ark: ${(error as Error).message}` };
  }
  const read = settingsOf(options, server);
  if (!read.ok) {
    await server.close();
    const says = read.broken.map((one) => `${one.keys.join(", ")}: ${one.says}`).join("; ");
    return { ok: false, exit: exits.usage, says };
  }
  const log = logOf(options, read.settings.config.logLevel);
  const started = await start({
    settings: read.settings, folder: join(folder, "ark"), ambient, log, version, env, stderr,
  });
  if (!started.ok) {
    await server.close();
    return { ok: false, exit: started.exit, says: started.says };
  }
  return { ok: true, resident: residentIn(started.daemon, server, options) };
}

/** Blocks that VTXOs of rounds live; those of the wallet that is in use are due after some. */
const lifeBlocks = 40;
/** From this many before its expiry on a refresh is due; with room for an outage. */
const dueBlocks = 30;
const failingBlocks = 18;

/** Two wallets with coins: one that lies still, and one in which something is due soon. */
function settle(startMs: number, beatMs: number): World {
  const phaseMs = Math.ceil(beatMs / 20);
  const world = create({
    ...worlds.defaults, startMs,
    server: {
      ...servers.defaults, roundMs: 2 * beatMs, submitMs: phaseMs, signMs: phaseMs,
      lifetimeBlocks: lifeBlocks, exitDeltaBlocks: 3, treeDepth: 2,
    },
  });
  for (const wallet of ["savings", "daily"]) {
    addWallet(world, wallet);
    deposit(world, wallet, 150_000n);
  }
  block(world);
  endow(world, "savings", [2_500_000n, 800_000n], 4_000, 2);
  endow(world, "daily", [120_000n, 45_000n], dueBlocks + 2, 2);
  return world;
}

function settingsOf(
  { settings: { parsed }, env, beatMs }: WalletsOptions, server: ArkServer,
): ReturnType<typeof arkOf> {
  const wallets = [...server.world.barkds.keys()].map((wallet) => ({
    name: wallet, url: server.url(wallet), token_file: server.tokenFile(wallet),
    server: server.server,
  }));
  const plain = schema.parse({ ark: { wallet: wallets } });
  const loaded = arkOf({
    ...parsed, tor: plain.tor, notify: plain.notify,
    ark: { ...parsed.ark, wallet: plain.ark.wallet },
  }, env);
  if (!loaded.ok) return loaded;
  return { ok: true, settings: hastened(loaded.settings, beatMs) };
}

/** What no setting reaches, in the measure of the demo. */
function hastened(settings: ArkSettings, beatMs: number): ArkSettings {
  const { config } = settings;
  const quick: ArkConfig = quickened(config);
  return {
    ...settings,
    config: {
      ...quick, logLevel: config.logLevel === "debug" ? "debug" : "info",
      watch: { ...quick.watch, graceMs: { program: beatMs, server: beatMs, chain: beatMs } },
      wallets: quick.wallets.map((one) => short(one, beatMs)),
    },
  };
}

function short(wallet: WalletConfig, beatMs: number): WalletConfig {
  const { guardian } = wallet;
  const marginBlocks = 4;
  const patienceMs = marginBlocks * beatMs;
  return {
    ...wallet,
    guardian: {
      ...guardian,
      expiry: {
        ...guardian.expiry, refreshBlocks: dueBlocks, failingBlocks, leadBlocks: failingBlocks,
        marginBlocks, perLevelBlocks: 1, fastMs: beatMs, slowMs: 2 * beatMs,
        jumpMs: Math.ceil(beatMs / 2), proofMs: 2 * beatMs,
      },
      refresh: { ...guardian.refresh, patienceMs, unsureMs: patienceMs },
    },
  };
}

function logOf({ ambient, tell }: WalletsOptions, level: LogLevel): Log {
  return createLog({
    ambient, level, format: "json", isTerminal: false, sentences, repeatMs: 1,
    write: (line) => {
      const { code, msg } = JSON.parse(line) as { code: string; msg: string };
      const kind = code.slice(code.indexOf(".") + 1);
      tell({ kind, peer: name, nick: "", text: msg });
    },
  });
}

function residentIn(
  daemon: ArkDaemon, server: ArkServer, { ambient, beatMs, tell }: WalletsOptions,
): DemoWallets {
  let story: Story | undefined;
  const ended = daemon.ended.then(async (code) => {
    story?.stop();
    await server.close();
    return code;
  });
  return {
    http: daemon.http, status: daemon.status, stop: daemon.stop, ended,
    play: () => void (story ??= begin({ ambient, server, beatMs, tell })),
  };
}
