/**
 * One process for each data directory: a lock that the kernel frees when its holder dies.
 *
 * The lock is a listening socket that has a name and no file: the abstract namespace on Linux, the
 * pipe namespace on Windows. To take such a name is atomic, one process has it at a time, and it is
 * gone with the process, however that ends: there is nothing stale to remove, ever. On macOS and
 * the BSDs, which have no such names, the system's own lock-while-open (`O_EXLOCK`) does the same.
 *
 * The name is a hash of the folder's device and inode: the same by whichever path the folder is
 * reached, another for a copy of the folder, and the same though somebody removed the lock file,
 * as people do with files of that name. The price: another user of the machine who may look at the
 * folder's inode can take the name first and keep us from starting. He cannot make us start twice.
 *
 * Abstract names belong to a network namespace, so two containers that share a folder do not see
 * each other's. Against that, the lock file itself is locked with `flock`, by the small program of
 * that name (util-linux, BusyBox): it locks the open file that it inherits from us, and the lock
 * stays with the file until we die. Where there is no such program the socket stands alone.
 *
 * Rule 1: the holder writes into the file who it is, for the message of who comes second. Nobody
 * decides by it.
 * Not known here: what is done in the folder.
 * @module
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Ambient } from "./ambient.ts";

/** Who holds a lock, as it wrote itself. */
export type Holder = {
  readonly pid: number;
  readonly command: string;
  readonly sinceUnixMs: number;
};

export type Lock = {
  /** Frees it. Harmless when repeated. */
  readonly release: () => Promise<void>;
};

export type Taken =
  | { readonly ok: true; readonly lock: Lock }
  /** Another process has it; `holder` as far as it can be told. */
  | { readonly ok: false; readonly why: "held"; readonly holder: Holder | undefined }
  | { readonly ok: false; readonly why: "failed"; readonly text: string };

/** Whose the lock is at this moment. */
export type Holding =
  | { readonly state: "free" }
  | { readonly state: "held"; readonly holder: Holder | undefined }
  | { readonly state: "unknown"; readonly text: string };

type Which = {
  readonly folder: string;
  /** What the lock is of; letters. The file is `NAME.lock`. */
  readonly name: string;
};

type Wants = Which & {
  /** What this process is, for people. */
  readonly command: string;
  readonly ambient: Pick<Ambient, "wall">;
};

const fileBytesMax = 4_096;
/** `open` takes the lock, or fails with `EAGAIN`: the numbers of macOS and all BSDs. */
const exclusiveLock = 0x20;
const hasLockFlag = ["darwin", "freebsd", "openbsd", "netbsd"].includes(process.platform);

/** The path of the lock file. */
export function lockPath(folder: string, name: string): string {
  return join(folder, `${name}.lock`);
}

/** Takes the lock of a folder that exists, or says who has it. Never throws. */
export async function takeLock(wants: Wants): Promise<Taken> {
  const opened: Opened = {};
  try {
    const isTaken = await take(wants, opened, constants.O_CREAT);
    if (isTaken && opened.file !== undefined) {
      await sign(opened.file, wants);
      return { ok: true, lock: { release: () => release(opened) } };
    }
    const holder = await holderOf(wants);
    await release(opened);
    return { ok: false, why: "held", holder };
  } catch (error) {
    await release(opened);
    return { ok: false, why: "failed", text: (error as Error).message };
  }
}

/**
 * Who has the lock? Only who tries to take it learns that: if it is free it is taken for a moment,
 * and nothing is written. Never throws.
 */
export async function askLock(which: Which): Promise<Holding> {
  const opened: Opened = {};
  try {
    if (await take(which, opened, 0)) return { state: "free" };
    return { state: "held", holder: await holderOf(which) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // In a folder that does not exist nobody holds anything.
    return code === "ENOENT" ? { state: "free" } : { state: "unknown", text: message };
  } finally {
    await release(opened);
  }
}

/** What holds a lock. */
type Opened = { file?: fs.FileHandle; server?: Server };

async function release(opened: Opened): Promise<void> {
  const { file, server } = opened;
  delete opened.file;
  delete opened.server;
  server?.close();
  await file?.close().catch(() => {});
}

/** False if somebody else has it. Without `O_CREAT` among `flags` a missing file is not made. */
async function take({ folder, name }: Which, opened: Opened, flags: number): Promise<boolean> {
  const file = await openLocked(lockPath(folder, name), flags);
  if (file === "held") return false;
  if (file !== undefined) opened.file = file;
  if (hasLockFlag) return true;
  const { dev, ino } = await fs.stat(folder, { bigint: true });
  const server = await listen(`${name} ${dev} ${ino}`);
  if (server === undefined) return false;
  opened.server = server;
  return process.platform !== "linux" || file === undefined || flock(file.fd);
}

/** Writes down who holds the lock. A full disk cannot keep anybody from it. */
async function sign(file: fs.FileHandle, wants: Wants): Promise<void> {
  const me: Holder = {
    pid: process.pid, command: wants.command, sinceUnixMs: wants.ambient.wall().unixMs,
  };
  const bytes = Buffer.from(`${JSON.stringify(me)}\n`);
  try {
    await file.truncate(0);
    await file.write(bytes, 0, bytes.length, 0);
  } catch {
    // Who comes second hears less.
  }
}

/** `undefined`: there is no such file, and none was to be made. */
async function openLocked(
  path: string, more: number,
): Promise<fs.FileHandle | "held" | undefined> {
  const flags = constants.O_RDWR | more | (constants.O_NONBLOCK ?? 0);
  try {
    return await fs.open(path, hasLockFlag ? flags | exclusiveLock : flags, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (hasLockFlag && code === "EAGAIN") return "held";
    if (more === 0 && code === "ENOENT") return undefined;
    throw error;
  }
}

/** A server on the name of `what`; `undefined` if somebody has that name. */
async function listen(what: string): Promise<Server | undefined> {
  const name = `dogwatch-${createHash("sha256").update(what).digest("hex").slice(0, 40)}`;
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : `\0${name}`;
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      // Windows says EACCES of a pipe that somebody has.
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    server.listen({ path, exclusive: true }, () => {
      server.on("error", () => {});
      server.unref();
      resolve(server);
    });
  });
}

/** The exit code of `flock -n` when somebody else has the lock. */
const flockHeld = 1;

/** Locks the open file `fd`; true also where there is no program to do so. */
function flock(fd: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-n", "-x", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", () => resolve(true));
    child.once("exit", (code) => resolve(code !== flockHeld));
  });
}

async function holderOf({ folder, name }: Which): Promise<Holder | undefined> {
  let file: fs.FileHandle | undefined;
  try {
    file = await fs.open(lockPath(folder, name), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const said = JSON.parse((await textOf(file)).split("\n")[0] ?? "") as Partial<Holder> | null;
    const { pid, command, sinceUnixMs } = said ?? {};
    if (!Number.isSafeInteger(pid) || !Number.isSafeInteger(sinceUnixMs)) return undefined;
    return { pid: pid as number, command: String(command), sinceUnixMs: sinceUnixMs as number };
  } catch {
    return undefined;
  } finally {
    await file?.close().catch(() => {});
  }
}

async function textOf(file: fs.FileHandle): Promise<string> {
  const bytes = Buffer.alloc(fileBytesMax);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.toString("latin1", 0, bytesRead);
}
