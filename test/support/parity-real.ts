/**
 * Runs a script on real loopback sockets: the server's are those of the daemon, the client is a
 * plain one in this process or, where it is to be killed, in one of its own.
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import * as net from "node:net";
import { createSockets, type Sockets } from "../../adapters/sockets.ts";
import type { ConnId } from "../../core/ids.ts";
import type { ConnEvent } from "../../core/kernel/io.ts";
import { Client } from "./parity-client.ts";
import {
  note, pattern, type Command, type Heard, type Observed, type Script, type Step,
} from "./parity.ts";

/** For anything that is waited for; loopback needs a thousandth of it. */
const patienceMs = 10_000;

type Real = {
  readonly sockets: Sockets;
  readonly port: number;
  readonly server: Heard;
  readonly client: Heard;
  readonly looks: Set<() => void>;
  conn: ConnId | undefined;
  serverSent: number;
  serverGot: number;
  plain: Client | undefined;
  child: ChildProcess | undefined;
};

export async function runReal(script: Script): Promise<Observed> {
  const server: Heard = [];
  const looks = new Set<() => void>();
  const sockets = createSockets({
    push: (event) => hear(r, event), connsMax: 10, unixMode: 0o600, report: () => undefined,
  });
  const listening = await sockets.listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
  if (!listening.ok || listening.address.kind !== "tcp") throw new Error("no loopback");
  const r: Real = {
    sockets, port: listening.address.port, server, client: [], looks, conn: undefined,
    serverSent: 0, serverGot: 0, plain: undefined, child: undefined,
  };
  try {
    for (const step of script.steps) await take(r, step, script.isForked === true);
    return { client: r.client, server: r.server };
  } finally {
    sockets.closeAll();
    r.plain?.destroy();
    r.child?.kill("SIGKILL");
  }
}

function hear(r: Real, event: ConnEvent): void {
  switch (event.type) {
    case "conn.opened":
      r.conn = event.conn;
      note(r.server, "open", 0);
      break;
    case "conn.received":
      note(r.server, event.bytes, r.serverGot);
      r.serverGot += event.bytes.length;
      break;
    case "conn.congested": note(r.server, "congested", 0); break;
    case "conn.drained": note(r.server, "drained", 0); break;
    case "conn.closed": note(r.server, `end ${event.reason}`, 0); break;
  }
  for (const look of r.looks) look();
}

/** Steps that wait for nothing run in one go, as the effects of one step of a daemon do. */
function take(r: Real, step: Step, isForked: boolean): Promise<void> | undefined {
  switch (step.do) {
    case "open": return open(r, isForked);
    case "openClosed": return openClosed(r);
    case "send":
      if (step.end === "client") return command(r, { do: "send", bytes: step.bytes });
      r.sockets.send({
        type: "conn.send", conn: r.conn as ConnId, bytes: pattern(r.serverSent, step.bytes),
      });
      r.serverSent += step.bytes;
      return undefined;
    case "hold": case "release": return command(r, { do: step.do });
    case "flush": case "abort":
      if (step.end === "client") return command(r, { do: step.do });
      r.sockets.close({
        type: "conn.close", conn: r.conn as ConnId, how: step.do, reason: "script",
      });
      return undefined;
    case "kill":
      r.child?.kill("SIGKILL");
      return undefined;
    // The system carries bytes over loopback before the call that sends them returns.
    case "wire": return undefined;
    case "got": return until(r, () => gotAt(r, step.end) >= step.bytes);
    case "told": {
      const heard = step.end === "client" ? r.client : r.server;
      const isIt = (one: string | number): boolean =>
        step.what === "end" ? String(one).startsWith("end ") : one === step.what;
      return until(r, () => heard.some(isIt));
    }
  }
}

function gotAt(r: Real, end: "client" | "server"): number {
  if (end === "server") return r.serverGot;
  return r.client.reduce<number>((sum, one) => typeof one === "number" ? sum + one : sum, 0);
}

function until(r: Real, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      r.looks.delete(look);
      reject(new Error(`in vain: client ${r.client.join()}, server ${r.server.join()}`));
    }, patienceMs);
    const look = (): void => {
      if (!holds()) return;
      r.looks.delete(look);
      clearTimeout(timer);
      resolve();
    };
    r.looks.add(look);
    look();
  });
}

async function open(r: Real, isForked: boolean): Promise<void> {
  const seen = (): void => { for (const look of r.looks) look(); };
  if (isForked) {
    const isCompiled = import.meta.url.endsWith(".js");
    const child = new URL(isCompiled ? "./parity-child.js" : "./parity-child.ts", import.meta.url);
    const execArgv = isCompiled ? [] : ["--import", "tsx"];
    r.child = fork(child, [String(r.port)], { execArgv });
    r.child.on("message", (message) => {
      r.client.splice(0, r.client.length, ...message as Heard);
      seen();
    });
  } else {
    r.plain = new Client(r.port, r.client, seen);
  }
  await until(r, () => r.client.includes("open") && r.server.includes("open"));
}

async function openClosed(r: Real): Promise<void> {
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  r.plain = new Client(port, r.client, () => { for (const look of r.looks) look(); });
  await until(r, () => r.client.length > 0);
}

function command(r: Real, order: Command): undefined {
  if (r.child !== undefined) r.child.send(order);
  else r.plain?.obey(order);
}
