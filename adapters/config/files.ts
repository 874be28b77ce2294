/**
 * Paths and operating-system limits that a configuration depends on.
 * @module
 */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The environment as a program sees it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Files of the process itself: standard streams, listeners, 64 of HTTP, trace, event loop. */
const filesReserved = 128;

/** Descriptors that a node with these bounds can hold open at once. */
export function filesNeeded(bounds: { peersMax: number; handshakingMax: number }): number {
  return bounds.peersMax + bounds.handshakingMax + filesReserved;
}

/**
 * Connections that may be open at once under this limit of open files. One more than the system
 * gives would be accepted and closed below us, without a counter.
 */
export function connsMax(limit: number | undefined): number {
  return limit === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, limit - filesReserved);
}

/**
 * The soft limit of open files of this process, or `undefined` when there is none or it is not
 * known.
 */
export function filesMax(): number | undefined {
  if (process.report === undefined) return undefined;
  // Naming the network interfaces can take seconds where the resolver is slow.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  const limit = typeof soft === "string" ? Number(soft) : soft;
  return typeof limit === "number" && Number.isInteger(limit) ? limit : undefined;
}

/** What to tell an operator whose peers do not fit the limit, or `undefined` when they fit. */
export function filesAdvice(
  bounds: { peersMax: number; handshakingMax: number },
  limit: number | undefined,
): string | undefined {
  const needed = filesNeeded(bounds);
  if (limit === undefined || needed <= limit) return undefined;
  return (
    `directory.peers_max = ${bounds.peersMax} and directory.handshaking_max = ` +
    `${bounds.handshakingMax} need ${needed} open files, but this process may open ${limit}; ` +
    `raise the limit (ulimit -n ${needed}, or LimitNOFILE=${needed} in the systemd unit) ` +
    "or lower these keys"
  );
}

/** `$XDG_STATE_HOME/dogwatch`, or `~/.local/state/dogwatch`. */
export function defaultDataDir(env: Env): string {
  return join(xdg(env["XDG_STATE_HOME"], ".local/state"), "dogwatch");
}

/**
 * The file that is read when none is named: the user's own, else the system's, else none. The first
 * that exists is the only one read.
 */
export function defaultConfigFile(env: Env): string | undefined {
  const own = join(xdg(env["XDG_CONFIG_HOME"], ".config"), "dogwatch", "dogwatch.toml");
  return [own, "/etc/dogwatch/dogwatch.toml"].find(exists);
}

function xdg(value: string | undefined, fallback: string): string {
  // The specification tells programs to ignore a relative path here.
  return value?.startsWith("/") === true ? value : join(homedir(), fallback);
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}
