/**
 * The file of a journal: carries out the orders of `core/history/store.ts`, one after the other.
 *
 * Rule 1: nothing here blocks the event loop or throws; every order gets one answer, later.
 * Rule 2: the file is opened for appending and with mode 0600, and made by the first append. The
 * first sync syncs its folder too: until then its name may be lost with the power.
 * Rule 3: a file that was taken away or replaced under a running process is found out at the next
 * sync, which fails: what is written to it would be on no path that anybody reads. `store.load`
 * opens what is there then.
 * Not known here: what the bytes mean, and whether to try again.
 * @module
 */
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { unreachable } from "../core/assert.ts";
import type { StoreEffect, StoreEvent, StoreFailure } from "../core/history/store.ts";

export interface Store {
  /** Carries out `effect` after those before it. */
  order(effect: StoreEffect): void;
  /** What the system said of the last order that failed, for people; "" if none has. */
  says(): string;
  /** Carries out what was ordered, closes the file, and answers no more. */
  close(): Promise<void>;
}

/** A larger file is not read: it is none of ours. 2 GiB. */
export const loadBytesMax = 2_147_483_648;
/** One read, so that others get their turn. */
const pieceBytes = 16_777_216;
const modes = constants.O_RDWR | constants.O_APPEND;

/** The file as it is held. */
type Held = { readonly path: string; file: fs.FileHandle | undefined; isNamed: boolean };

/** The store at `path`. `hear` gets the answers, never from inside `order`. */
export function createStore(path: string, hear: (event: StoreEvent) => void): Store {
  const held: Held = { path, file: undefined, isNamed: false };
  let isClosed = false;
  let said = "";
  let queue: Promise<void> = Promise.resolve();

  async function answer(effect: StoreEffect): Promise<void> {
    let event: StoreEvent;
    try {
      event = await carryOut(held, effect);
    } catch (error) {
      said = (error as Error).message;
      event = { type: "store.failed", req: effect.req, reason: failureOf(error) };
    }
    if (!isClosed) hear(event);
  }

  async function end(): Promise<void> {
    isClosed = true;
    await leave(held);
  }

  return {
    order: (effect) => {
      if (!isClosed) queue = queue.then(() => answer(effect));
    },
    says: () => said,
    close: () => (queue = queue.then(end)),
  };
}

function carryOut(held: Held, effect: StoreEffect): Promise<StoreEvent> {
  switch (effect.type) {
    case "store.load": return load(held, effect.req);
    case "store.append": return append(held, effect.req, effect.bytes);
    case "store.sync": return sync(held, effect.req);
    case "store.truncate": return truncate(held, effect.req, effect.size);
    default: return unreachable(effect);
  }
}

async function load(held: Held, req: number): Promise<StoreEvent> {
  await leave(held);
  held.file = await openIfThere(held.path);
  const bytes = held.file === undefined ? new Uint8Array(0) : await readAll(held.file);
  return { type: "store.loaded", req, bytes };
}

async function append(held: Held, req: number, bytes: Uint8Array): Promise<StoreEvent> {
  held.file ??= await fs.open(held.path, modes | constants.O_CREAT, 0o600);
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await held.file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
  return { type: "store.appended", req };
}

async function sync(held: Held, req: number): Promise<StoreEvent> {
  const file = fileOf(held);
  await file.sync();
  const [mine, there] = await Promise.all([file.stat(), fs.stat(held.path)]);
  if (mine.ino !== there.ino || mine.dev !== there.dev) {
    throw new Error(`${held.path} was replaced by another file`);
  }
  if (!held.isNamed) await syncFolder(dirname(held.path));
  held.isNamed = true;
  return { type: "store.synced", req };
}

async function truncate(held: Held, req: number, size: number): Promise<StoreEvent> {
  await fileOf(held).truncate(size);
  return { type: "store.truncated", req };
}

function fileOf(held: Held): fs.FileHandle {
  if (held.file === undefined) throw new Error(`${held.path} does not exist`);
  return held.file;
}

async function leave(held: Held): Promise<void> {
  const old = held.file;
  held.file = undefined;
  held.isNamed = false;
  // What it says of a close is about bytes that were synced, or that are read again.
  await old?.close().catch(() => {});
}

/** Which kind of failure the system means: no room, in whatever sense, or anything else. */
export function failureOf(error: unknown): StoreFailure {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" ? "full" : "io";
}

async function openIfThere(path: string): Promise<fs.FileHandle | undefined> {
  try {
    // Without waiting, so that a pipe in its place cannot stop us.
    return await fs.open(path, modes | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readAll(file: fs.FileHandle): Promise<Uint8Array> {
  const about = await file.stat();
  if (!about.isFile()) throw new Error("it is not a regular file");
  if (about.size > loadBytesMax) throw new Error(`it has more than ${loadBytesMax} bytes`);
  const bytes = new Uint8Array(about.size);
  let done = 0;
  while (done < bytes.length) {
    const size = Math.min(bytes.length - done, pieceBytes);
    const { bytesRead } = await file.read(bytes, done, size, done);
    if (bytesRead === 0) return bytes.slice(0, done);
    done += bytesRead;
  }
  return bytes;
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders and needs no such sync.
  if (process.platform === "win32") return;
  const folder = await fs.open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
