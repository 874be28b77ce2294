/**
 * Wires the daemon of Ark wallets: settings -> kernel -> host -> requests, streams, journal -> log.
 *
 * Rule 1: nothing is decided here that the core or the settings can decide.
 * Rule 2: one process for each data directory: the lock is taken first and goes with the process.
 * Rule 3: what can come back does not end the daemon: wallets' programs, Ark servers, Tor and the
 * disk may all be away when it starts. What only the operator can mend does, with a sentence.
 * Rule 4: a request has no end but its answer: what a wallet's program does must not be cut short.
 * @module
 */
import { join } from "node:path";
import { addressText, type Address } from "../adapters/address.ts";
import type { Ambient } from "../adapters/ambient.ts";
import * as arkMetrics from "../adapters/ark-metrics.ts";
import { page } from "../adapters/ark-page.ts";
import * as output from "../adapters/child-output.ts";
import { type Children, createChildren } from "../adapters/children.ts";
import type { ArkSettings } from "../adapters/config/ark-settings.ts";
import type { Server } from "../adapters/grpc-channel.ts";
import { createHost, type Host } from "../adapters/host.ts";
import { openHttp, type HttpServer, type Readiness } from "../adapters/http.ts";
import { type Lock, takeLock } from "../adapters/lock.ts";
import type { Log } from "../adapters/log.ts";
import * as commands from "../adapters/notify.ts";
import { createRequests, type Requests, type Target } from "../adapters/requests.ts";
import { createRoundEvents, defaults as roundDefaults, type RoundEvents }
  from "../adapters/round-events.ts";
import { createStore, type Store } from "../adapters/store.ts";
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
import { limitStop } from "./overrun.ts";
import * as runtime from "./runtime.ts";

export type RunOptions = {
  readonly settings: ArkSettings;
  /** The folder of this daemon; made if it is not there. */
  readonly folder: string;
  readonly ambient: Ambient;
  /** Closed when the daemon ends or does not start. */
  readonly log: Log;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => void;
};

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

export type Started =
  | { readonly ok: true; readonly daemon: ArkDaemon }
  | { readonly ok: false; readonly exit: number; readonly says: string };

type Parts = {
  readonly options: RunOptions;
  readonly kernel: kernel.Kernel<Ark, ArkEvent, ArkEffect>;
  readonly host: Host<ArkEvent>;
  readonly requests: Requests;
  readonly rounds: RoundEvents;
  readonly commands: commands.Commands;
  readonly children: Children;
  readonly store: Store;
  readonly lock: Lock;
  http: HttpServer | undefined;
  finish: (code: number) => void;
  readonly ended: Promise<number>;
};

/** What this daemon's lock and note are called. */
const name = "ark";
const journalName = "ark.journal";

/** Starts the daemon; resolves when it runs or has failed to start. */
export async function start(options: RunOptions): Promise<Started> {
  const { folder, ambient } = options;
  const says = runtime.makeDataDir(folder);
  if (says !== undefined) {
    return refuse(options, `the data directory ${folder} cannot be used: ${says}; ` +
      "nothing was started; choose another one with --data-dir");
  }
  const lock = await takeLock({ folder, name, command: "dogwatch ark", ambient });
  if (!lock.ok) return refuse(options, lockAdvice(folder, lock));
  await shrink(join(folder, journalName), options.settings.config, options.log);
  const parts = assemble(options, lock.lock);
  const failure = await openFace(parts);
  if (failure !== undefined) {
    parts.finish(exits.failed);
    await parts.ended;
    return { ok: false, exit: exits.failed, says: failure };
  }
  parts.host.start();
  parts.host.push({ type: "operator.started" });
  const daemon = daemonOf(parts);
  leaveNote(parts, daemon);
  return { ok: true, daemon };
}

function refuse({ log }: RunOptions, says: string): Started {
  log.close();
  return { ok: false, exit: exits.failed, says };
}

function lockAdvice(
  folder: string, taken: Exclude<Awaited<ReturnType<typeof takeLock>>, { ok: true }>,
): string {
  if (taken.why === "failed") return `cannot lock ${folder}: ${taken.text}; nothing was started`;
  const who = taken.holder === undefined ? "another process"
    : `${taken.holder.command} with process number ${taken.holder.pid}`;
  return `${who} uses ${folder}; nothing was started; give each its own --data-dir`;
}

function assemble(options: RunOptions, lock: Lock): Parts {
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
  const { options, host, requests, rounds, store, lock } = parts;
  parts.finish = () => {};
  host.stop();
  requests.closeAll();
  rounds.closeAll();
  parts.commands.closeAll();
  parts.children.closeAll();
  parts.http?.close();
  runtime.removeNote(options.folder, process.pid, name);
  await store.close();
  await lock.release();
  if (code === exits.ok) options.log.log("info", "run.stopped", {});
  options.log.close();
  return code;
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

/** For `dogwatch status` and `dogwatch ark plan`; the lock keeps others away. */
function leaveNote({ options }: Parts, { http }: ArkDaemon): void {
  const says = runtime.writeNote(options.folder, {
    pid: process.pid, listen: [], http: addressText(http), nick: "",
  }, name);
  if (says !== undefined) options.log.log("warn", "run.no-note", { folder: options.folder, says });
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
  const { options: { ambient, log }, kernel: { state }, ended } = parts;
  if (state.phase === "draining" || state.phase === "stopped") return;
  const finishWith = (code: number): void => parts.finish(code);
  const { drainMs } = state.config;
  limitStop(signal, { ambient, log, drainMs, finish: finishWith, ended });
  parts.host.push({ type: "operator.stop" });
}
