/**
 * Wires one maker: settings -> kernel -> host -> connections, requests, journal, key -> log.
 *
 * Rule 1: nothing is decided here that the core or the settings can decide.
 * Rule 2: what can come back does not end a daemon: directories, Bitcoin Core, Tor and the disk may
 * all be away when it starts. What only the operator can mend does, with a sentence.
 * @module
 */
import { join } from "node:path";
import { addressText, type Address } from "../adapters/address.ts";
import type { MakerSettings } from "../adapters/config/maker-settings.ts";
import { addressesOf } from "../adapters/derive.ts";
import { createDialer, type Dialer } from "../adapters/dial.ts";
import { createHost, type Host } from "../adapters/host.ts";
import { openHttp, type HttpServer, type Readiness } from "../adapters/http.ts";
import * as makerMetrics from "../adapters/maker-metrics.ts";
import { page } from "../adapters/maker-page.ts";
import { createIdentity } from "../adapters/identity.ts";
import type { Lock } from "../adapters/lock.ts";
import * as commands from "../adapters/notify.ts";
import { primitives } from "../adapters/primitives.ts";
import { createRequests, type Requests, type Target } from "../adapters/requests.ts";
import { createSockets, type Sockets } from "../adapters/sockets.ts";
import { createStore } from "../adapters/store.ts";
import { targetOf } from "../adapters/target.ts";
import { carryOut } from "../adapters/tor.ts";
import { hex } from "../core/bytes.ts";
import * as kernel from "../core/kernel/kernel.ts";
import type { MakerConfig } from "../core/maker/config.ts";
import type { MakerEffect, MakerEvent } from "../core/maker/events.ts";
import * as maker from "../core/maker/maker.ts";
import type { Maker } from "../core/maker/node.ts";
import { status, type Status } from "../core/maker/status.ts";
import * as prng from "../core/prng.ts";
import { secret, type Secret } from "../core/secret.ts";
import * as socks from "../core/tor/socks.ts";
import { exits } from "./exit.ts";
import { lockName } from "./history-file.ts";
import {
  abandon, beginStop, leaveNote, letGo, type Locked, type RunOptions, type Started, takeFolder,
} from "./run-locked.ts";

export type MakerDaemon = {
  readonly http: Address;
  readonly listen: Address | undefined;
  readonly status: () => Status;
  readonly reload: (settings: MakerSettings) => void;
  /** Looks at the coins now. */
  readonly rescan: () => void;
  /** Stops within the drain deadline. Harmless when repeated. */
  readonly stop: (signal: string) => void;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number>;
};

type Parts = Locked<MakerSettings> & {
  readonly kernel: kernel.Kernel<Maker, MakerEvent, MakerEffect>;
  readonly host: Host<MakerEvent>;
  readonly sockets: Sockets;
  readonly dialer: Dialer;
  readonly requests: Requests;
  readonly commands: commands.Commands;
  http: HttpServer | undefined;
  listening: Address | undefined;
};

/** Direct connections at once, those that the core is about to refuse included. */
const guestsMax = 256;
const dialsMax = 32;
const dialedMax = 256;

/** Starts a maker; resolves when it runs or has failed to start. */
export async function start(
  options: RunOptions<MakerSettings>,
): Promise<Started<MakerDaemon>> {
  const taken = await takeFolder(options, lockName);
  if (!taken.ok) return taken;
  const parts = assemble(options, taken.lock);
  const failure = await openFaces(parts);
  if (failure !== undefined) return abandon(parts, failure);
  parts.host.start();
  parts.host.push({ type: "operator.started" });
  const daemon = daemonOf(parts);
  leaveNote(options, lockName, {
    listen: daemon.listen === undefined ? [] : [addressText(daemon.listen)],
    http: addressText(daemon.http), nick: daemon.status().nick,
  });
  return { ok: true, daemon };
}

function assemble(options: RunOptions<MakerSettings>, lock: Lock): Parts {
  const { settings, ambient, log } = options;
  const identity = createIdentity(ambient.entropy);
  const updates = { ...settings.config.updates, version: options.version };
  const config: MakerConfig = { ...settings.config, updates, pubkey: hex(identity.pubkey) };
  const now = ambient.now();
  const seed = prng.key(hex(ambient.entropy(32)));
  const state = maker.create(config, seed, primitives, now);
  const machine = kernel.create(maker.root(primitives), state, now, false);
  const key = secret(ambient.entropy(socks.keyBytes));
  let resolve: (code: number) => void = () => {};
  const ended = new Promise<number>((done) => (resolve = done));
  const push = (event: MakerEvent): void => parts.host.push(event);
  const sockets = createSockets({
    push, connsMax: guestsMax, unixMode: 0o600,
    report: (code, says) => log.log("warn", code, { says }),
  });
  const dialer = createDialer({
    push,
    socks: settings.socks, key, dialsMax, connsMax: dialedMax,
    report: (code, says) => log.log("warn", code, { says }),
  });
  const requests = createRequests({
    targets: targetsOf(settings, key), push,
    report: (code, says) => log.log("error", code, { says }),
  });
  const run = commands.createCommands({
    ...commands.defaults, env: options.env,
    commands: commandsOf(settings.exec),
  }, ambient, push);
  const store = createStore(join(options.folder, "history.journal"), push);
  const files = {
    keyFile: join(options.folder, "onion.key"), password: settings.password,
    entropy: ambient.entropy, hear: push,
  };
  const tor = (order: Parameters<typeof carryOut>[1]): void => carryOut(files, order);
  const host = createHost<Maker, MakerEvent, MakerEffect>({
    kernel: machine, ambient,
    perform: {
      "conn.dial": (effect) => dialer.dial(effect),
      "conn.confide": (effect) => dialer.send(effect),
      "cookie.want": tor, "password.want": tor, "nonce.want": tor, "key.load": tor,
      "key.save": tor, "hostname.want": tor,
      "conn.send": (effect) => (effect.conn % 2 === 0 ? dialer : sockets).send(effect),
      "conn.close": (effect) => (effect.conn % 2 === 0 ? dialer : sockets).close(effect),
      "req.start": requests.start,
      "req.drop": (effect) => {
        requests.drop(effect);
        run.drop(effect.req);
      },
      "exec.start": run.start,
      "sign.want": ({ req, digest }) =>
        push({ type: "sign.given", req, signature: identity.sign(digest) }),
      "derive.want": (effect) => push(derive(settings, effect)),
      "store.load": store.order, "store.append": store.order, "store.sync": store.order,
      "store.truncate": store.order,
      "log": ({ level, code, fields }) => log.log(level, code, fields),
      "stopped": () => parts.finish(exits.ok),
    },
    anchored: (wall): MakerEvent => ({ type: "clock.anchored", unixMs: wall.unixMs }),
    log: log.log, crashFolder: options.folder, stderr: options.stderr,
    onFatal: () => parts.finish(exits.invariant),
  });
  const parts: Parts = {
    options, kernel: machine, host, sockets, dialer, requests, commands: run, store, lock,
    http: undefined, listening: undefined, ended,
    finish: (code) => void finish(parts, code).then(resolve),
  };
  return parts;
}

/** What a descriptor's key gives; nothing for a mixdepth without one. */
function derive(
  { accounts, config: { network } }: MakerSettings,
  { req, mixdepth, branch, from, count }: Extract<MakerEffect, { type: "derive.want" }>,
): MakerEvent {
  const account = accounts[mixdepth];
  const addresses = account === undefined ? undefined
    : addressesOf(account, network, branch, from, count);
  return { type: "derive.given", req, addresses };
}

function commandsOf([command, ...args]: readonly string[]): Map<string, commands.Command> {
  return new Map(command === undefined ? [] : [["exec", { command, args }]]);
}

/** What is not on this machine goes through Tor, apart from everything else. */
function targetsOf({ targets, socks: at }: MakerSettings, key: Secret): Map<string, Target> {
  return new Map([...targets].map(([name, spec]) => [name, targetOf(spec, at, key)]));
}

async function finish(parts: Parts, code: number): Promise<number> {
  const { host, sockets, dialer, requests } = parts;
  parts.finish = () => {};
  host.stop();
  sockets.closeAll();
  dialer.closeAll();
  requests.closeAll();
  parts.commands.closeAll();
  parts.http?.close();
  return letGo(parts, lockName, code);
}

/** Opens the HTTP face and the place where direct connections arrive; says why it did not. */
async function openFaces(parts: Parts): Promise<string | undefined> {
  const { options: { settings, version } } = parts;
  const registry = makerMetrics.create(version);
  const opened = await openHttp({
    address: settings.http, allowRemote: settings.httpRemote,
    live: () => ({ version, pid: process.pid }), ready: () => readiness(parts),
    status: () => statusOf(parts), page: () => page,
    metrics: { contentType: registry.contentType, text: () => registry.text(statusOf(parts)) },
  });
  if (!opened.ok) return `${opened.failure.text}; nothing was started; choose another maker.http`;
  parts.http = opened.server;
  if (settings.listen === undefined) return undefined;
  const listening = await parts.sockets.listen(settings.listen);
  if (!listening.ok) {
    return `${listening.failure.text}; nothing was started; choose another maker.listen`;
  }
  parts.listening = listening.address;
  return undefined;
}

function statusOf(parts: Parts): Status {
  return status(parts.kernel.state, parts.options.ambient.now());
}

/** Ready: it announces what it has, or has nothing to announce, and nothing is degraded. */
function readiness(parts: Parts): Readiness {
  const { degraded, offers } = statusOf(parts);
  // That nothing is announced on mainnet is no fault of this machine.
  const faults = degraded.filter(({ name }) =>
    name !== "not-announcing" || offers.block !== "mainnet");
  return { ready: faults.length === 0, reasons: faults.map(({ name, why }) => `${name}: ${why}`) };
}

function daemonOf(parts: Parts): MakerDaemon {
  return {
    http: parts.http?.address ?? parts.options.settings.http,
    listen: parts.listening,
    status: () => statusOf(parts),
    reload: ({ config }) => {
      const { directories, offers, guard, notify, reports, logLevel } = config;
      parts.options.log.setLevel(logLevel);
      const settings = { directories, offers, guard, notify, reports, logLevel };
      parts.host.push({ type: "operator.reload", settings });
    },
    rescan: () => parts.host.push({ type: "operator.rescan", fromHeight: undefined }),
    stop: (signal) => stop(parts, signal),
    ended: parts.ended,
  };
}

function stop(parts: Parts, signal: string): void {
  if (!beginStop(parts, signal)) return;
  parts.sockets.stopListening();
  parts.host.push({ type: "operator.stop" });
}
