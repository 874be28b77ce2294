/**
 * Real sockets on loopback for adapter tests, driven by what happens and never by waiting.
 * @module
 */
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { ConnId } from "../../core/ids.ts";
import type { ConnEvent } from "../../core/kernel/io.ts";
import type { Address } from "../../adapters/address.ts";
import { createSockets, type Sockets } from "../../adapters/sockets.ts";

export type Hub = {
  readonly sockets: Sockets;
  readonly events: ConnEvent[];
  readonly reports: string[];
  readonly address: Address;
  /** The next event of this type that nobody has taken yet. */
  next<T extends ConnEvent["type"]>(type: T): Promise<Extract<ConnEvent, { type: T }>>;
  /** Resolves once `holds` does; asked at each event. */
  until(holds: () => boolean): Promise<void>;
};

export const anywhere: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

export async function hubOn(address: Address, connsMax = 100): Promise<Hub> {
  const events: ConnEvent[] = [];
  const reports: string[] = [];
  const taken = new Set<ConnEvent>();
  const waiting = new Set<() => void>();
  const push = (event: ConnEvent): void => {
    events.push(event);
    for (const look of waiting) look();
  };
  const report = (code: string): void => {
    reports.push(code);
    for (const look of waiting) look();
  };
  const sockets = createSockets({ push, connsMax, unixMode: 0o600, report });
  const listening = await sockets.listen(address);
  if (!listening.ok) throw new Error(listening.failure.text);

  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  }

  async function next<T extends ConnEvent["type"]>(
    type: T,
  ): Promise<Extract<ConnEvent, { type: T }>> {
    const found = (): ConnEvent | undefined =>
      events.find((event) => event.type === type && !taken.has(event));
    await until(() => found() !== undefined);
    const event = found() as Extract<ConnEvent, { type: T }>;
    taken.add(event);
    return event;
  }

  return { sockets, events, reports, address: listening.address, next, until };
}

export function dial(address: Address): net.Socket {
  const socket =
    address.kind === "unix"
      ? net.connect({ path: address.path })
      : net.connect({ host: address.host, port: address.port });
  socket.on("error", () => undefined);
  return socket;
}

/** Resolves with the first argument of the next `name` event. */
export function once(emitter: net.Socket | net.Server, name: string): Promise<unknown> {
  return new Promise((resolve) => emitter.once(name, resolve));
}

export function send(hub: Hub, conn: ConnId, bytes: Uint8Array): void {
  hub.sockets.send({ type: "conn.send", conn, bytes });
}

export function close(hub: Hub, conn: ConnId, how: "abort" | "flush"): void {
  hub.sockets.close({ type: "conn.close", conn, how, reason: "test" });
}

/** A folder that is gone after `use`. */
export async function withFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "dogwatch-"));
  try {
    await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
