/**
 * Wires the daemon of Ark wallets: settings -> kernel -> host -> requests, streams, journal -> log.
 *
 * Rule 1: nothing is decided here that the core or the settings can decide.
 * Rule 2: what can come back does not end the daemon: wallets' programs, Ark servers, Tor and the
 * disk may all be away when it starts. What only the operator can mend does, with a sentence.
 * Rule 3: a request has no end but its answer: what a wallet's program does must not be cut short.
 * @module
 */
import { join } from "node:path";
import { addressText, type Address } from "../adapters/address.ts";
import * as arkMetrics from "../adapters/ark-metrics.ts";
import { page } from "../adapters/ark-page.ts";
import * as output from "../adapters/child-output.ts";
import { type Children, createChildren } from "../adapters/children.ts";
import type { ArkSettings } from "../adapters/config/ark-settings.ts";
import type { Server } from "../adapters/grpc-channel.ts";
import { createHost, type Host } from "../adapters/host.ts";
import { openHttp, type HttpServer, type Readiness } from "../adapters/http.ts";
import type { Lock } from "../adapters/lock.ts";
import * as commands from "../adapters/notify.ts";
import { createRequests, type Requests, type Target } from "../adapters/requests.ts";
import { createRoundEvents, defaults as roundDefaults, type RoundEvents }
  from "../adapters/round-events.ts";
import { createStore } from "../adapters/store.ts";
import { proxyOf, targetOf } from "../adapters/target.ts";
import * as ark from "../core/ark/ark.ts";
import type { Ark } from "../core/ark/node.ts";
import type { ArkConfig } from "../core/ark/config.ts";
import type { ArkEffect, ArkEvent } from "../core/ark/events.ts";
import { status, type Status } from "../core/ark/status.ts";
import { hex } from "../core/bytes.ts";
import * as kernel from "../core/kernel/kernel.ts";
import * as prng from "../core/prng.ts";
import { secret, type Secret } from "../core/secret.ts";
import * as socks from "../core/tor/socks.ts";
import { shrink } from "./ark-journal.ts";
import { takeOrder } from "./ark-orders.ts";
import { plansOf, type Plans } from "./ark-plan.ts";
import { exits } from "./exit.ts";
import {
  abandon, beginStop, leaveNote, letGo, type Locked, type RunOptions, type Started, takeFolder,
} from "./run-locked.ts";

export type ArkDaemon = {
  readonly http: Address;
  readonly status: () => Status;
  readonly plans: () => Plans;
  readonly reload: (settings: ArkSettings) => void;
  /** Takes what the operator trusts (`ark-orders.ts`), and looks at all wallets now. */
  readonly look: () => void;
  /** Stops within the drain deadline. Harmless when repeated. */
  readonly stop: (signal: string) => void;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number>;
};

type Parts = Locked<ArkSettings> & {
  readonly kernel: kernel.Kernel<Ark, ArkEvent, ArkEffect>;
  readonly host: Host<ArkEvent>;
  readonly requests: Requests;
  readonly rounds: RoundEvents;
  readonly commands: commands.Commands;
  readonly children: Children;
  http: HttpServer | undefined;
};

/** What this daemon's lock and note are called. */
const name = "ark";
const journalName = "ark.journal";

/** Starts the daemon; resolves when it runs or has failed to start. */
export async function start(
  options: RunOptions<ArkSettings>,
): Promise<Started<ArkDaemon>> {
  const taken = await takeFolder(options, name);
  if (!taken.ok) return taken;
  await shrink(join(options.folder, journalName), options.settings.config, options.log);
  const parts = assemble(options, taken.lock);
  const failure = await openFace(parts);
  if (failure !== undefined) return abandon(parts, failure);
  parts.host.start();
  parts.host.push({ type: "operator.started" });
  const daemon = daemonOf(parts);
  leaveNote(options, name, { listen: [], http: addressText(daemon.http), nick: "" });
  return { ok: true, daemon };
}

function assemble(options: RunOptions<ArkSettings>, lock: Lock): Parts {
  const { settings, ambient, log, folder, version } = options;
  const config: ArkConfig = { ...settings.config, version };
  const now = ambient.now();
  const state = ark.create(config, prng.key(hex(ambient.entropy(32))), now);
  const machine = kernel.create(ark.root, state, now, false);
  const key = secret(ambient.entropy(socks.keyBytes));
  let resolve: (code: number) => void = () => {};
  const ended = new Promise<number>((done) => (resolve = done));
  const push = (event: ArkEvent): void => parts.host.push(event);
  const requests = createRequests({
    targets: targetsOf(settings, key), push,
    report: (code, says) => log.log("error", code, { says }),
  });
  const rounds = createRoundEvents({
    servers: serversOf(settings, key), ambient, push,
    // A stream that is closed and its successor may be there at once.
    config: {
      ...roundDefaults, agent: `dogwatch/${version}`,
      streamsMax: roundDefaults.streamsMax + 2 * config.wallets.length,
    },
    report: (code, says) => log.log("warn", code, { says }),
  });
  const run = commands.createCommands({
    ...commands.defaults, env: options.env, commands: commandsOf(settings.exec),
  }, ambient, push);
  const children = createChildren({
    programs: settings.programs, env: options.env, output: output.defaults,
  }, ambient, {
    push, said: (wallet, says) => log.log("info", "child.said", { wallet, says }),
    left: (wallet, lines) => log.log("info", "child.quiet", { wallet, lines }),
  });
  const store = createStore(join(folder, journalName), push);
  const host = createHost<Ark, ArkEvent, ArkEffect>({
    kernel: machine, ambient,
    perform: {
      "req.start": requests.start,
      "req.drop": (effect) => {
        requests.drop(effect);
        run.drop(effect.req);
      },
      "exec.start": run.start,
      "child.start": children.start, "child.signal": children.signal,
      "stream.open": rounds.open, "stream.close": ({ stream }) => rounds.close(stream),
      "store.load": store.order, "store.append": store.order, "store.sync": store.order,
      "store.truncate": store.order,
      "log": ({ level, code, fields }) => log.log(level, code, fields),
      "stopped": () => parts.finish(exits.ok),
    },
    anchored: (wall): ArkEvent => ({ type: "clock.anchored", unixMs: wall.unixMs }),
    log: log.log, crashFolder: folder, stderr: options.stderr,
    onFatal: () => parts.finish(exits.invariant),
  });
  const parts: Parts = {
    options, kernel: machine, host, requests, rounds, commands: run, children, store, lock,
    http: undefined, ended, finish: (code) => void finish(parts, code).then(resolve),
  };
  return parts;
}

function commandsOf([command, ...args]: readonly string[]): Map<string, commands.Command> {
  return new Map(command === undefined ? [] : [["exec", { command, args }]]);
}

/** What is not on this machine goes through Tor, apart from everything else. */
function targetsOf({ targets, socks: at }: ArkSettings, key: Secret): Map<string, Target> {
  return new Map([...targets].map(([to, spec]) => [to, targetOf(spec, at, key)]));
}

function serversOf({ servers, socks: at }: ArkSettings, key: Secret): Map<string, Server> {
  return new Map([...servers].map(([to, { url, isolation }]) => (
    [to, { url, proxy: proxyOf(isolation, at, key) }]
  )));
}

async function finish(parts: Parts, code: number): Promise<number> {
  const { host, requests, rounds } = parts;
  parts.finish = () => {};
  host.stop();
  requests.closeAll();
  rounds.closeAll();
  parts.commands.closeAll();
  parts.children.closeAll();
  parts.http?.close();
  return letGo(parts, name, code);
}

/** Opens the HTTP face; says why it did not. */
async function openFace(parts: Parts): Promise<string | undefined> {
  const { options: { settings, version } } = parts;
  const registry = arkMetrics.create(version);
  const opened = await openHttp({
    address: settings.http, allowRemote: settings.httpRemote,
    live: () => ({ version, pid: process.pid }), ready: () => readiness(statusOf(parts)),
    status: () => statusOf(parts), page: () => page,
    more: new Map([["/plan", () => plansIn(parts)]]),
    metrics: { contentType: registry.contentType, text: () => registry.text(statusOf(parts)) },
  });
  if (!opened.ok) return `${opened.failure.text}; nothing was started; choose another ark.http`;
  parts.http = opened.server;
  return undefined;
}

function statusOf(parts: Parts): Status {
  return status(parts.kernel.state, parts.options.ambient.now());
}

function plansIn(parts: Parts): Plans {
  return plansOf(parts.kernel.state, parts.options.ambient.now());
}

/** Ready: nothing is degraded, neither here nor in any wallet. */
function readiness({ degraded, wallets }: Status): Readiness {
  const reasons = [
    ...degraded.map(({ name: state, why }) => `${state}: ${why}`),
    ...wallets.flatMap((wallet) => wallet.degraded.map((one) => (
      `${wallet.name}: ${one.name}: ${one.why}`
    ))),
  ];
  return { ready: reasons.length === 0, reasons };
}

function daemonOf(parts: Parts): ArkDaemon {
  const { options } = parts;
  return {
    http: parts.http?.address ?? options.settings.http,
    status: () => statusOf(parts),
    plans: () => plansIn(parts),
    reload: ({ config: { notify, logLevel } }) => {
      options.log.setLevel(logLevel);
      parts.host.push({ type: "operator.reload", settings: { notify, logLevel } });
    },
    look: () => {
      for (const { name: wallet } of options.settings.config.wallets) {
        const looked = takeOrder(options.folder, wallet);
        if (looked !== undefined) parts.host.push({ type: "operator.trust", wallet, looked });
      }
      parts.host.push({ type: "operator.look" });
    },
    stop: (signal) => stop(parts, signal),
    ended: parts.ended,
  };
}

function stop(parts: Parts, signal: string): void {
  if (beginStop(parts, signal)) parts.host.push({ type: "operator.stop" });
}
