/**
 * The machine under a daemon: its disk, the rights of its files, its open files, its lock.
 *
 * Rule 1: one small file is written, made durable, timed and removed; nothing else is changed, and
 * no folder is made.
 * Rule 2: secrets are not read here, only their rights.
 * @module
 */
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Ambient } from "../../adapters/ambient.ts";
import { filesMax } from "../../adapters/config/files.ts";
import { askLock } from "../../adapters/lock.ts";
import { lockName } from "../history-file.ts";
import { size } from "../status-text.ts";
import { type Check, fail, type Finding, ok, skipped, warn } from "./finding.ts";

export type Place = {
  /** Whose it is: the name of its lock; a maker's without one. */
  readonly daemon?: string;
  /** The daemon's own folder; it need not exist. */
  readonly folder: string;
  /** Settings that name secrets, with their values. */
  readonly secrets: readonly (readonly [key: string, value: string])[];
  /** The limit of open files; the process's own if it is not given. */
  readonly filesMax?: number;
};

/** Below this a journal of years may not fit; below the second one, not that of today. */
const freeBytesWarn = 1_073_741_824;
const freeBytesFail = 67_108_864;
/** A record waits this long until it is safe; offers wait for records. */
const syncMsWarn = 1_000;
/** Direct connections, dialled ones, HTTP, and the files of the process itself. */
const filesNeeded = 256 + 256 + 64 + 128;
const othersMayWrite = 0o022;
const othersMayRead = 0o044;

/** All checks of the machine. */
export function place(
  given: Place, ambient: Pick<Ambient, "now">, limitMs: number,
): readonly Check[] {
  const { folder, daemon = lockName } = given;
  const check = (what: string, look: () => Promise<Finding>): Check => (
    { what, limitMs, look: async () => [await look()], end: () => {} }
  );
  return [
    check("disk", () => disk(folder)),
    check("disk sync", () => sync(folder, ambient)),
    check("data directory", () => rights(folder, daemon)),
    ...given.secrets.filter(([, value]) => isPath(value))
      .map(([key, value]) => check(key, () => secretFile(key, value))),
    check("open files", () => Promise.resolve(files(given.filesMax ?? filesMax()))),
    check("lock", () => lock(folder, daemon)),
  ];
}

async function exists(path: string): Promise<boolean> {
  return fs.stat(path).then(() => true, () => false);
}

/** The folder, or the nearest one above it that exists. */
async function nearest(folder: string): Promise<string> {
  let at = folder;
  while (!await exists(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

async function disk(folder: string): Promise<Finding> {
  const { bavail, bsize, ffree, files: inodes } = await fs.statfs(await nearest(folder));
  const free = bavail * bsize;
  const seen = free < freeBytesWarn ? `${size(free)} free`
    : `${Math.floor(free / freeBytesWarn)} GiB free`;
  const fix = "free some space: records must find room";
  // Some file systems count no files at all.
  if (inodes > 0 && ffree === 0) return fail("disk", "no room for another file", fix);
  if (free < freeBytesFail) return fail("disk", seen, fix);
  return free < freeBytesWarn ? warn("disk", seen, fix) : ok("disk", seen);
}

async function sync(folder: string, { now }: Pick<Ambient, "now">): Promise<Finding> {
  const what = "disk sync";
  if (!await exists(folder)) return skipped(what, `${folder} does not exist yet`);
  const path = join(folder, `.doctor.${process.pid}`);
  try {
    const file = await fs.open(path, "wx", 0o600);
    try {
      const beganAt = now();
      await file.write("a record\n");
      await file.sync();
      const tookMs = now() - beganAt;
      const seen = `a record is safe after ${tookMs} ms`;
      return tookMs < syncMsWarn ? ok(what, seen)
        : warn(what, seen, "the disk is slow or busy; the daemon waits for it");
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(what, `nothing can be written to ${folder}: ${code ?? message}`, writeFix(code));
  } finally {
    await fs.rm(path, { force: true }).catch(() => {});
  }
}

function writeFix(code = "unknown"): string {
  switch (code) {
    case "ENOSPC": case "EDQUOT": return "free some space";
    case "EROFS": return "mount it for writing";
    default: return "run as the user who owns it, or choose another with --data-dir";
  }
}

async function rights(folder: string, daemon: string): Promise<Finding> {
  const what = "data directory";
  if (!await exists(folder)) return ok(what, `${folder} is made when ${calledOf(daemon)} starts`);
  const { mode, uid } = await fs.stat(folder);
  const seen = `${folder}, mode ${modeText(mode)}`;
  const me = process.getuid?.();
  if (me !== undefined && uid !== me && me !== 0) {
    return fail(what, `${seen}, of another user`, "run as that user, or choose another --data-dir");
  }
  const fix = `chmod 700 ${folder}`;
  if ((mode & othersMayWrite) !== 0) return fail(what, `${seen}: others may write there`, fix);
  return (mode & othersMayRead) === 0 ? ok(what, seen)
    : warn(what, `${seen}: others may look into it`, fix);
}

/** Descriptors and credentials of systemd have no rights of their own. */
function isPath(value: string): boolean {
  return value !== "" && !/^(fd|credential):/.test(value);
}

async function secretFile(key: string, path: string): Promise<Finding> {
  try {
    const { mode } = await fs.stat(path);
    const seen = `${path}, mode ${modeText(mode)}`;
    const fix = `chmod 600 ${path}`;
    if ((mode & 0o007) !== 0) return fail(key, `${seen}: every user may read the secret`, fix);
    await fs.access(path, fs.constants.R_OK);
    // A cookie is shared with a group on purpose, where node and maker are two users.
    return (mode & 0o070) === 0 ? ok(key, seen)
      : warn(key, `${seen}: its group may read the secret`, `${fix}, unless that group is meant`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      return fail(key, `${path} is not there`, "put it there, or correct its path in the settings");
    }
    return fail(key, `${path} may not be read: ${code ?? message}`,
      "run as a user who may, or join the group of that file");
  }
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

function files(limit: number | undefined): Finding {
  const what = "open files";
  if (limit === undefined) return ok(what, "no limit");
  if (limit >= filesNeeded) return ok(what, `${limit} allowed, ${filesNeeded} needed`);
  return warn(what, `${limit} allowed, ${filesNeeded} may be needed`,
    `ulimit -n ${filesNeeded}, or LimitNOFILE=${filesNeeded} in the systemd unit`);
}

async function lock(folder: string, daemon: string): Promise<Finding> {
  const what = "lock";
  const asked = await askLock({ folder, name: daemon });
  switch (asked.state) {
    case "free": return ok(what, `free: ${calledOf(daemon)} does not run here`);
    case "unknown":
      return fail(what, `it cannot be taken: ${asked.text}`, "make the data directory writable");
    case "held": {
      const { holder } = asked;
      return ok(what, holder === undefined ? `held: ${calledOf(daemon)} runs here`
        : `held by ${holder.command}, process number ${holder.pid}`);
    }
  }
}

function calledOf(daemon: string): string {
  return daemon === lockName ? "a maker" : "the daemon of Ark wallets";
}
