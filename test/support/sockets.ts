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

/** What came of sockets, in order, for who waits for it. */
export type Ear<E extends { readonly type: string }> = {
  readonly events: E[];
  readonly push: (event: E) => void;
  /** The next event of this type that nobody has taken yet. */
  next<T extends E["type"]>(type: T): Promise<Extract<E, { type: T }>>;
  /** Resolves once `holds` does; asked at each event, and at each `look`. */
  until(holds: () => boolean): Promise<void>;
  readonly look: () => void;
};

export function ear<E extends { readonly type: string }>(): Ear<E> {
  const events: E[] = [];
  const taken = new Set<E>();
  const { until, look } = watched();
  async function next<T extends E["type"]>(type: T): Promise<Extract<E, { type: T }>> {
    const found = (): E | undefined =>
      events.find((event) => event.type === type && !taken.has(event));
    await until(() => found() !== undefined);
    const event = found() as Extract<E, { type: T }>;
    taken.add(event);
    return event;
  }
  const push = (event: E): void => {
    events.push(event);
    look();
  };
  return { events, push, next, until, look };
}

/** `until` resolves once `holds` does, which is asked at each `look`. */
export function watched(): Pick<Ear<never>, "until" | "look"> {
  const waiting = new Set<() => void>();
  const until = (holds: () => boolean): Promise<void> => new Promise((resolve) => {
    const ask = (): void => {
      if (!holds()) return;
      waiting.delete(ask);
      resolve();
    };
    waiting.add(ask);
    ask();
  });
  const look = (): void => {
    for (const ask of waiting) ask();
  };
  return { until, look };
}

export type Hub = Ear<ConnEvent> & {
  readonly sockets: Sockets;
  readonly reports: string[];
  readonly address: Address;
};

export const anywhere: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

export async function hubOn(address: Address, connsMax = 100): Promise<Hub> {
  const heard = ear<ConnEvent>();
  const reports: string[] = [];
  const report = (code: string): void => {
    reports.push(code);
    heard.look();
  };
  const sockets = createSockets({ push: heard.push, connsMax, unixMode: 0o600, report });
  const listening = await sockets.listen(address);
  if (!listening.ok) throw new Error(listening.failure.text);
  return { ...heard, sockets, reports, address: listening.address };
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
