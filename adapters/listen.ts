/**
 * Opens a listener, TCP or Unix, and says what went wrong when it does not open.
 *
 * Rule 1: a socket file left behind by a killed run is removed only after a connection to it was
 * refused: nobody listens there. Files that are no sockets are never touched.
 * Rule 2: a socket file never exists with wider rights than asked for.
 * @module
 */
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { addressText, boundAddress, listenFailure } from "./address.ts";
import type { Address, ListenFailure } from "./address.ts";

export type Listening =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly failure: ListenFailure };

/** Connections that the system completes before we accept them; it caps this itself. */
const backlog = 4_096;

/** Makes `server` listen. `unixMode` are the rights of a socket file. Never rejects. */
export async function listenOn(
  server: net.Server,
  address: Address,
  unixMode: number,
): Promise<Listening> {
  if (address.kind === "unix") {
    const failure = await clearStale(address);
    if (failure !== undefined) return { ok: false, failure };
  }
  return new Promise((resolve) => {
    const refused = (error: Error): void => {
      server.off("listening", opened);
      resolve({ ok: false, failure: listenFailure(address, error) });
    };
    const opened = (): void => {
      server.off("error", refused);
      resolve({ ok: true, address: boundAddress(server, address) });
    };
    server.once("error", refused);
    server.once("listening", opened);
    begin(server, address, unixMode);
  });
}

function begin(server: net.Server, address: Address, unixMode: number): void {
  if (address.kind === "tcp") {
    server.listen({ host: address.host, port: address.port, backlog });
    return;
  }
  // The file appears inside `listen`, so the mask is in force for that call only.
  const before = process.umask(0o777 & ~unixMode);
  try {
    server.listen({ path: address.path, backlog });
  } finally {
    process.umask(before);
  }
}

async function clearStale(
  address: Address & { readonly kind: "unix" },
): Promise<ListenFailure | undefined> {
  let about: fs.Stats | undefined;
  try {
    about = fs.lstatSync(address.path, { throwIfNoEntry: false });
  } catch (error) {
    return listenFailure(address, error as NodeJS.ErrnoException);
  }
  if (about === undefined) {
    // libuv reports a missing folder as a missing right.
    const isThere = fs.existsSync(path.dirname(address.path));
    return isThere ? undefined : listenFailure(address, { code: "ENOENT" });
  }
  const where = addressText(address);
  if (!about.isSocket()) {
    return { reason: "not-a-socket", text: `${where} exists and is not a socket` };
  }
  const answer = await knock(address.path);
  if (answer === "open") return { reason: "in-use", text: `${where} is already in use` };
  if (answer !== "ECONNREFUSED") return listenFailure(address, { code: answer });
  fs.rmSync(address.path, { force: true });
  return undefined;
}

function knock(file: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: file });
    socket.once("connect", () => {
      socket.destroy();
      resolve("open");
    });
    socket.once("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? "unknown"));
  });
}
