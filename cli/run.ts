/**
 * Wires one directory node: settings -> kernel -> host -> sockets -> HTTP -> log.
 *
 * Rule 1: nothing is decided here that the core or the settings can decide.
 * Rule 2: every way to fail to start is answered with a sentence that says what happened and what
 * to do.
 * Rule 3: the daemon ends in one place, `finish`, whatever the cause; exit codes come from here
 * alone.
 * @module
 */
import { addressText, isLoopback, type Address } from "../adapters/address.ts";
import type { Ambient } from "../adapters/ambient.ts";
import type { Settings } from "../adapters/config.ts";
import type { OnionSettings } from "../adapters/config/directory-onion.ts";
import { connsMax, filesAdvice, filesMax } from "../adapters/config/files.ts";
import { createHost, type Host, type Recording } from "../adapters/host.ts";
import { openHttp, type HttpServer, type Readiness } from "../adapters/http.ts";
import type { Log } from "../adapters/log.ts";
import * as metrics from "../adapters/metrics.ts";
import { page } from "../adapters/page.ts";
import { primitives } from "../adapters/primitives.ts";
import { createSockets, type Sockets } from "../adapters/sockets.ts";
import * as tracefile from "../adapters/tracefile.ts";
import { check, type DirectoryConfig } from "../core/directory/config.ts";
import * as directory from "../core/directory/directory.ts";
import type { DirectoryEvent } from "../core/directory/events.ts";
import { anonymous, status, type Status } from "../core/directory/status.ts";
import * as kernel from "../core/kernel/kernel.ts";
import type { Mono } from "../core/time.ts";
import { exits } from "./exit.ts";
import { holdLog } from "./held.ts";
import { limitStop } from "./overrun.ts";
import { type DoorwayHandle, openDoorway } from "./run-doorway.ts";
import * as runtime from "./runtime.ts";

export type RunOptions = {
  readonly settings: Settings;
  readonly ambient: Ambient;
  /** Closed when the node ends or does not start. */
  readonly log: Log;
  readonly version: string;
  /** Record every step to this new file. */
  readonly record: string | undefined;
  /** Leave a note of the addresses in the data directory? */
  readonly note: boolean;
  readonly stderr: (text: string) => void;
  /** The limit of open files; the process's own if it is not given. */
  readonly filesMax?: number;
};

export type Daemon = {
  readonly listen: readonly Address[];
  readonly http: Address;
  readonly status: () => Status;
  /** The configuration in force. */
  readonly config: () => DirectoryConfig;
  /** Applies what may change while running; returns the broken relation if there is one. */
  readonly reload: (settings: Settings) => string | undefined;
  /** Stops within the drain deadline. Harmless when repeated. */
  readonly stop: (signal: string) => void;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number>;
};

export type Started =
  | { readonly ok: true; readonly daemon: Daemon }
  | { readonly ok: false; readonly exit: number; readonly says: string };

type DirectoryKernel = kernel.Kernel<
  directory.Directory,
  DirectoryEvent,
  Parameters<ReturnType<typeof directory.root>["step"]>[3][number]
>;

/** What has to be closed at the end, in the order of its making. */
type Parts = {
  readonly options: RunOptions;
  readonly kernel: DirectoryKernel;
  readonly host: Host<DirectoryEvent>;
  readonly sockets: Sockets;
  http: HttpServer | undefined;
  doorway: DoorwayHandle | undefined;
  isReady: boolean;
  /** It ended, maybe while it started. */
  isOver: boolean;
  finish: (code: number) => void;
  readonly ended: Promise<number>;
};

/** Starts a node; resolves when it is ready for peers or has failed to start. */
export async function start(given: RunOptions): Promise<Started> {
  const held = holdLog(given.log);
  const options = { ...given, log: held.log };
  const advice = filesAdvice(options.settings.directory, filesOf(options));
  if (advice !== undefined) return refuse(options, exits.usage, advice);
  prepareDataDir(options);
  const recording = openRecording(options);
  if (typeof recording === "string") return refuse(options, exits.failed, recording);
  const parts = assemble(options, recording);
  parts.host.start();
  const { onion } = options.settings;
  const awaited = onion === undefined ? {} : { isAwaited: true };
  parts.host.push({ type: "operator.started", ...awaited });
  const listen = await openListeners(parts);
  if (typeof listen === "string") return abandon(parts, listen);
  const failure = await openFace(parts);
  if (failure !== undefined) return abandon(parts, failure);
  if (parts.isOver) return abandon(parts, "it ended while it started; the log says why");
  parts.isReady = true;
  held.release();
  if (onion !== undefined) parts.doorway = doorwayOf(parts, onion, listen);
  const daemon = daemonOf(parts, listen);
  await leaveNote(parts, daemon);
  return { ok: true, daemon };
}

function filesOf(options: RunOptions): number | undefined {
  return options.filesMax ?? filesMax();
}

/** The log is closed whenever `start` fails. */
function refuse({ log }: RunOptions, exit: number, says: string): Started {
  log.close();
  return { ok: false, exit, says };
}

function prepareDataDir({ settings, log, note }: RunOptions): void {
  const says = note ? runtime.makeDataDir(settings.dataDir) : undefined;
  if (says !== undefined) log.log("warn", "run.no-note", { folder: settings.dataDir, says });
}

/** The open file, `undefined` when nothing is to be recorded, or why it cannot be. */
function openRecording(options: RunOptions): FileLater | string | undefined {
  if (options.record === undefined) return undefined;
  const later: FileLater = { file: undefined, failed: undefined };
  const opened = tracefile.open(options.record, (failure) => later.failed?.(failure));
  if (!opened.ok) {
    const { text } = opened.failure;
    return `cannot record: ${text}; nothing was started; name a new file with --record`;
  }
  later.file = opened.file;
  return later;
}

/** The file is opened before the host exists that is to hear of its failures. */
type FileLater = {
  file: tracefile.TraceFile | undefined;
  failed: ((failure: tracefile.WriteFailure) => void) | undefined;
};

function assemble(options: RunOptions, recording: FileLater | undefined): Parts {
  const { settings, ambient, log } = options;
  const now = ambient.now();
  const traced = recording?.file !== undefined;
  const state = directory.create(settings.directory, now);
  const machine = kernel.create(directory.root(primitives), state, now, traced);
  let resolve: (code: number) => void = () => {};
  const ended = new Promise<number>((done) => (resolve = done));
  const sockets = createSockets({
    push: (event) => parts.host.push(event),
    connsMax: connsMax(filesOf(options)),
    unixMode: 0o600,
    report: (code, says) => log.log("warn", code, { says }),
  });
  const host = createHost({
    kernel: machine,
    ambient,
    perform: {
      "conn.send": sockets.send,
      "conn.close": sockets.close,
      "entropy.want": ({ req, size }) =>
        parts.host.push({ type: "entropy.given", req, bytes: ambient.entropy(size) }),
      "log": ({ level, code, fields }) => log.log(level, code, fields),
      "stopped": () => parts.finish(exits.ok),
    },
    anchored: (wall): DirectoryEvent => ({ type: "clock.anchored", unixMs: wall.unixMs }),
    log: log.log,
    ...(recording?.file === undefined ? {} : { trace: traceOf(options, recording.file, now) }),
    ...(options.note ? { crashFolder: settings.dataDir } : {}),
    stderr: options.stderr,
    onFatal: () => parts.finish(exits.invariant),
  });
  const parts: Parts = {
    options, kernel: machine, host, sockets, http: undefined, doorway: undefined, isReady: false,
    isOver: false,
    ended,
    finish: (code) => finish(parts, code, resolve),
  };
  if (recording !== undefined) recording.failed = host.traceFailed;
  return parts;
}

function traceOf(options: RunOptions, file: tracefile.TraceFile, now: Mono): Recording {
  const header = {
    kind: "directory",
    version: options.version,
    node: process.versions.node,
    config: options.settings.directory,
    // The node draws nothing from a generator of its own; what it needs comes as events.
    seed: new Uint8Array(32),
    startedAt: now,
    startedUnixMs: options.ambient.wall().unixMs,
  };
  return { file, header };
}

function finish(parts: Parts, code: number, resolve: (code: number) => void): void {
  const { options, host, sockets } = parts;
  parts.finish = () => {};
  parts.isReady = false;
  parts.isOver = true;
  parts.doorway?.close();
  host.stop();
  sockets.closeAll();
  parts.http?.close();
  if (options.note) runtime.removeNote(options.settings.dataDir, process.pid);
  if (code === exits.ok) options.log.log("info", "run.stopped", {});
  options.log.close();
  resolve(code);
}

/** Where it listens, or why it does not. */
async function openListeners(parts: Parts): Promise<Address[] | string> {
  const { settings, log } = parts.options;
  const opened: Address[] = [];
  for (const address of settings.listen) {
    const listening = await parts.sockets.listen(address);
    if (!listening.ok) return listenAdvice(listening.failure, "--listen (directory.listen)");
    opened.push(listening.address);
    if (isLoopback(address)) continue;
    log.log("warn", "run.listens-remote", { listen: addressText(listening.address) });
  }
  return opened;
}

function listenAdvice(
  failure: { readonly reason: string; readonly text: string },
  flag: string,
): string {
  return `${failure.text}; nothing was started; ${whatToDo(failure.reason, flag)}`;
}

function whatToDo(reason: string, flag: string): string {
  switch (reason) {
    case "in-use": return `stop the program that holds it, or choose another address with ${flag}`;
    case "denied": return `choose a port above 1023 or a path that you may write, with ${flag}`;
    case "not-a-socket": return `name a path that is free, with ${flag}`;
    case "remote":
      return "choose a loopback address or a Unix socket, or set directory.http_remote";
    default: return `choose an address of this machine with ${flag}`;
  }
}

/** Opens the HTTP face; returns why it did not. */
async function openFace(parts: Parts): Promise<string | undefined> {
  const { options: { settings, version } } = parts;
  const registry = metrics.create(version);
  const opened = await openHttp({
    address: settings.http,
    allowRemote: settings.httpRemote,
    live: () => ({ version, pid: process.pid }),
    ready: () => readiness(parts),
    status: () => anonymous(statusOf(parts)),
    page: () => page,
    metrics: {
      contentType: registry.contentType,
      text: () => registry.text(statusOf(parts), parts.sockets.counts),
    },
  });
  if (!opened.ok) return listenAdvice(opened.failure, "--http (directory.http)");
  parts.http = opened.server;
  return undefined;
}

/** The service whose visitors arrive at the first listener. */
function doorwayOf(
  parts: Parts, settings: OnionSettings, listen: readonly Address[],
): DoorwayHandle {
  const { options: { settings: { dataDir, directory: { network } }, ambient, log, note, stderr } }
    = parts;
  return openDoorway({
    settings, network, nick: parts.kernel.state.nick, listen: listen[0] as Address,
    folder: dataDir, ambient, log, stderr, crashFolder: note ? dataDir : undefined,
    located: (location) => parts.host.push({ type: "onion.located", location }),
    onFatal: () => parts.finish(exits.invariant),
  });
}

function abandon(parts: Parts, says: string): Started {
  parts.finish(exits.failed);
  return { ok: false, exit: exits.failed, says };
}

function statusOf(parts: Parts): Status {
  return status(parts.kernel.state, parts.options.ambient.now(), parts.doorway?.view());
}

function readiness(parts: Parts): Readiness {
  const { peers, draining, degraded } = statusOf(parts);
  const reasons: string[] = [];
  if (!parts.isReady && !draining) reasons.push("starting: not all listeners are open");
  if (draining) reasons.push("stopping: no new peers are taken");
  for (const { name, why } of degraded) reasons.push(`${name}: ${why}`);
  const ready = reasons.length === 0;
  // A full node serves all its peers: restarting it would help nobody.
  if (peers.registered >= peers.max) reasons.push(`full: all ${peers.max} places are taken`);
  return { ready, reasons };
}

function daemonOf(parts: Parts, listen: readonly Address[]): Daemon {
  return {
    listen,
    http: parts.http?.address ?? parts.options.settings.http,
    status: () => statusOf(parts),
    config: () => parts.kernel.state.config,
    reload: (settings) => reload(parts, settings),
    stop: (signal) => stop(parts, signal),
    ended: parts.ended,
  };
}

async function leaveNote(parts: Parts, { listen, http }: Daemon): Promise<void> {
  const { options: { settings, log, note, ambient } } = parts;
  if (!note) return;
  const other = await runtime.otherDaemon(settings.dataDir, process.pid, ambient);
  if (!parts.isReady) return;
  const says = other ?? runtime.writeNote(settings.dataDir, {
    pid: process.pid,
    listen: listen.map(addressText),
    http: addressText(http),
    nick: parts.kernel.state.nick,
  });
  if (says !== undefined) log.log("warn", "run.no-note", { folder: settings.dataDir, says });
}

function reload(parts: Parts, settings: Settings): string | undefined {
  const { motd, logLevel, peersMax, limits, heartbeat } = settings.directory;
  const next: DirectoryConfig = {
    ...parts.kernel.state.config, motd, logLevel, peersMax, limits, heartbeat,
  };
  const broken = check(next)?.says ?? filesAdvice(next, filesOf(parts.options));
  if (broken !== undefined) return broken;
  parts.options.log.setLevel(logLevel);
  parts.host.push({
    type: "operator.reload", settings: { motd, logLevel, peersMax, limits, heartbeat },
  });
  return undefined;
}

function stop(parts: Parts, signal: string): void {
  const { options: { ambient, log }, kernel: { state }, ended } = parts;
  if (statusOf(parts).draining) return;
  const finish = (code: number): void => parts.finish(code);
  limitStop(signal, { ambient, log, drainMs: state.config.drainMs, finish, ended });
  parts.doorway?.stop();
  parts.sockets.stopListening();
  parts.host.push({ type: "operator.stop" });
}
