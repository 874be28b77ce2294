/**
 * What the core's onion service reads and writes on this machine: the control port's cookie and
 * password, random bytes, the service's key, the address of a service that torrc looks after.
 *
 * Rule 1: decides nothing; every order has one answer, never from inside the order.
 * Rule 2: the key file is made once, readable by us only, and never replaced: a key that is lost is
 * an address that is lost.
 * @module
 */
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { equal } from "../core/bytes.ts";
import { secret, type Secret } from "../core/secret.ts";
import { cookieBytes } from "../core/tor/auth.ts";
import type { NoSecret } from "../core/tor/faults.ts";
import type { FileFailure } from "../core/tor/keeper.ts";
import type { HostEffect, HostEvent } from "../core/tor/onion.ts";
import { fileBytesMax } from "../core/tor/service.ts";
import type { SecretSource } from "./secretfile.ts";

type Order = Exclude<
  HostEffect, { readonly type: "dial" | "send" | "hangup" | "visit" | "leave" }
>;
type Answer = Exclude<
  Extract<HostEvent, { readonly req: number }>, { readonly type: "visited" }
>;

export type TorFiles = {
  readonly keyFile: string;
  /** The `hostname` file in torrc's HiddenServiceDir; `undefined`: torrc looks after none. */
  readonly hostnameFile?: string | undefined;
  readonly password: SecretSource | undefined;
  readonly entropy: (size: number) => Uint8Array;
  readonly hear: (event: Answer) => void;
};

/** Carries out one order; its answer comes later. */
export function carryOut(files: TorFiles, order: Order): void {
  void answerOf(files, order).then(files.hear);
}

async function answerOf(files: TorFiles, order: Order): Promise<Answer> {
  const { req } = order;
  switch (order.type) {
    case "cookie.want": return cookie(order.path, req);
    case "password.want": return password(files.password, req);
    case "nonce.want": return { type: "nonce.given", req, bytes: files.entropy(order.size) };
    case "key.load": return load(files.keyFile, req);
    case "key.save": return save(files.keyFile, order.file, req);
    case "hostname.want": return hostname(files.hostnameFile, req);
  }
}

async function cookie(path: string, req: number): Promise<Answer> {
  try {
    const bytes = await head(path, cookieBytes + 1);
    if (bytes.length !== cookieBytes) {
      return { type: "cookie.failed", req, reason: "malformed" };
    }
    return { type: "cookie.given", req, cookie: secret(bytes) };
  } catch (error) {
    return { type: "cookie.failed", req, reason: noSecret(error) };
  }
}

function password(source: SecretSource | undefined, req: number): Answer {
  const read = source?.read();
  if (read?.ok !== true) return { type: "password.failed", req, reason: "absent" };
  return { type: "password.given", req, password: secret(new Uint8Array(Buffer.from(read.text))) };
}

async function load(path: string, req: number): Promise<Answer> {
  try {
    return { type: "key.loaded", req, file: secret(await head(path, fileBytesMax + 1)) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { type: "key.absent", req };
    return { type: "key.failed", req, reason: failureOf(error) };
  }
}

/** Files that are being written: who waits for a disk that hangs asks again, and gets no second. */
const underWay = new Set<string>();

async function save(path: string, file: Secret, req: number): Promise<Answer> {
  if (underWay.has(path)) return { type: "key.failed", req, reason: "failed" };
  underWay.add(path);
  try {
    await written(path, file.secret);
    return { type: "key.saved", req };
  } catch (error) {
    return { type: "key.failed", req, reason: failureOf(error) };
  } finally {
    underWay.delete(path);
  }
}

async function hostname(path: string | undefined, req: number): Promise<Answer> {
  if (path === undefined) return { type: "hostname.failed", req, reason: "absent" };
  try {
    const text = Buffer.from(await head(path, hostnameBytesMax)).toString("latin1");
    return { type: "hostname.given", req, text };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { type: "hostname.failed", req, reason: "absent" };
    return { type: "hostname.failed", req, reason: failureOf(error) };
  }
}

/** An address and a line end have 63. */
const hostnameBytesMax = 1_024;

/** Makes the file durable; one that is there already must hold the very same. */
async function written(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`;
  await fs.rm(part, { force: true });
  const mode = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = await fs.open(part, mode, 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // A name that is taken is not taken over.
    await fs.link(part, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    if (!equal(await head(path, fileBytesMax + 1), bytes)) throw error;
  } finally {
    await fs.rm(part, { force: true });
  }
  const folder = await fs.open(dirname(path), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The first `most` bytes of a file. */
async function head(path: string, most: number): Promise<Uint8Array> {
  const handle = await fs.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const buffer = new Uint8Array(most);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, size, most - size, size);
      size += bytesRead;
      if (bytesRead === 0 || size === most) return buffer.slice(0, size);
    }
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}

function noSecret(error: unknown): NoSecret {
  const code = codeOf(error);
  if (code === "ENOENT") return "absent";
  return code === "EACCES" || code === "EPERM" ? "denied" : "failed";
}

function failureOf(error: unknown): FileFailure {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  return code === "EACCES" || code === "EPERM" || code === "EROFS" ? "denied" : "failed";
}
