/**
 * The stand-in chain over real HTTP: a Bitcoin Core node with a cookie, and an Esplora server.
 *
 * Rule 1: on this machine only; another address is refused, since who knows the cookie commands
 * the chain, and who asks the Esplora needs not even that.
 * Rule 2: as Core does, each start writes a new cookie (user and password, mode 0600) and each stop
 * removes it. Without the right one the answer is 401 and nothing is done.
 * Rule 3: what goes wrong is said by outages (`sim/chain/faults.ts`). Here they become real: broken
 * connections, answers that come late or never.
 * @module
 */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { Ambient, Timer } from "../../adapters/ambient.ts";
import { isHere } from "../../adapters/requests.ts";
import { hex } from "../../core/bytes.ts";
import { after } from "../../core/time.ts";
import { restart as restartNode, type Chain, type Face } from "../../sim/chain/chain.ts";
import type { Outage, Reply } from "../../sim/chain/faults.ts";
import { ask } from "../../sim/chain/serve.ts";

export type ChainServerOptions = {
  readonly chain: Chain;
  /** Where the node writes its cookie. */
  readonly cookieFile: string;
  readonly ambient: Pick<Ambient, "now" | "wall" | "timer" | "entropy">;
  /** Unix time in ms, which blocks and wallets bear; the wall clock's at the start, moved on. */
  readonly nowMs?: () => number;
  /** A loopback address; 127.0.0.1 by default. */
  readonly host?: string;
  /** 0, the default: any that is free. A restart keeps it. */
  readonly bitcoindPort?: number;
  readonly esploraPort?: number;
};

export type ChainServer = {
  readonly chain: Chain;
  /** `http://127.0.0.1:PORT`, while it runs and after. */
  readonly url: (face: Face) => string;
  /** What goes wrong from now on; on the clock of `nowMs`. */
  readonly suffer: (outages: readonly Outage[]) => void;
  /** Nobody listens any more; open connections break. The node's cookie is gone. */
  readonly halt: (face: Face) => Promise<void>;
  /** Listens again, on the same port; the node has lost what a process loses. */
  readonly resume: (face: Face) => Promise<void>;
  /** Requests that were answered, by server. */
  readonly answered: (face: Face) => number;
  readonly close: () => Promise<void>;
};

type Door = {
  readonly face: Face;
  port: number;
  server: http.Server | undefined;
  answered: number;
  readonly waits: Set<Timer>;
};

type Hall = {
  readonly options: ChainServerOptions;
  readonly nowMs: () => number;
  readonly host: string;
  readonly doors: Readonly<Record<Face, Door>>;
  outages: readonly Outage[];
  cookie: string;
};

/** A request with a longer body is refused; in bytes. 4 MiB. */
const bodyBytesMax = 4_194_304;

/** Serves `chain` until it is closed. Rejects an address that is not loopback. */
export async function serveChain(options: ChainServerOptions): Promise<ChainServer> {
  const host = options.host ?? "127.0.0.1";
  if (!isHere(host) && host !== "::1") throw new Error(`${host} is not an address of loopback`);
  const door = (face: Face, port = 0): Door => (
    { face, port, server: undefined, answered: 0, waits: new Set() }
  );
  const doors = {
    bitcoind: door("bitcoind", options.bitcoindPort), esplora: door("esplora", options.esploraPort),
  };
  const nowMs = options.nowMs ?? clockOf(options.ambient);
  const hall: Hall = { options, nowMs, host, doors, outages: [], cookie: "" };
  await open(hall, doors.bitcoind);
  try {
    await open(hall, doors.esplora);
  } catch (error) {
    await shut(hall, doors.bitcoind);
    throw error;
  }
  return {
    chain: options.chain,
    url: (face) => `http://${host === "::1" ? "[::1]" : host}:${doors[face].port}`,
    suffer: (outages) => { hall.outages = outages; },
    halt: (face) => shut(hall, doors[face]),
    resume: (face) => reopen(hall, doors[face]),
    answered: (face) => doors[face].answered,
    close: async () => {
      await shut(hall, doors.bitcoind);
      await shut(hall, doors.esplora);
    },
  };
}

/** A clock that nobody can set back. */
function clockOf({ now, wall }: Pick<Ambient, "now" | "wall">): () => number {
  const anchorMs = wall().unixMs - now();
  return () => anchorMs + now();
}

async function reopen(hall: Hall, door: Door): Promise<void> {
  if (door.server !== undefined) return;
  if (door.face === "bitcoind") restartNode(hall.options.chain, hall.nowMs());
  await open(hall, door);
}

async function open(hall: Hall, door: Door): Promise<void> {
  const server = http.createServer((request, response) => void take(hall, door, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(door.port, hall.host, resolve);
  });
  door.port = (server.address() as AddressInfo).port;
  door.server = server;
  if (door.face === "bitcoind") bake(hall);
}

/** The new cookie is there at once or not at all. */
function bake(hall: Hall): void {
  const { cookieFile, ambient } = hall.options;
  hall.cookie = `__cookie__:${hex(ambient.entropy(32))}`;
  fs.writeFileSync(`${cookieFile}.tmp`, hall.cookie, { mode: 0o600 });
  fs.renameSync(`${cookieFile}.tmp`, cookieFile);
}

async function shut(hall: Hall, door: Door): Promise<void> {
  const { server } = door;
  if (server === undefined) return;
  door.server = undefined;
  for (const wait of door.waits) wait.disarm();
  door.waits.clear();
  if (door.face === "bitcoind") fs.rmSync(hall.options.cookieFile, { force: true });
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function take(
  hall: Hall, door: Door, request: http.IncomingMessage, response: http.ServerResponse,
): Promise<void> {
  let body: string | undefined;
  try {
    body = await bodyOf(request);
  } catch {
    // Whoever asked has gone.
    return;
  }
  // The server may have been halted meanwhile.
  if (door.server === undefined) return void request.destroy();
  if (body === undefined) return finish(door, response, 413, "text/html; charset=ISO-8859-1", "");
  if (door.face === "bitcoind" && !isKnown(hall, request)) {
    response.setHeader("www-authenticate", "Basic realm=\"jsonrpc\"");
    return finish(door, response, 401, "text/html; charset=ISO-8859-1", "");
  }
  const { method = "", url = "" } = request;
  const asked = { method, path: url.split("?")[0] ?? "", body };
  const { chain } = hall.options;
  give(hall, door, request, response, ask(chain, hall.outages, door.face, asked, hall.nowMs()));
}

function isKnown(hall: Hall, request: http.IncomingMessage): boolean {
  const right = `Basic ${Buffer.from(hall.cookie).toString("base64")}`;
  return request.headers.authorization === right;
}

/** The body as text; `undefined`: too long. */
async function bodyOf(request: http.IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= bodyBytesMax) parts.push(part);
  }
  return size <= bodyBytesMax ? Buffer.concat(parts).toString("utf8") : undefined;
}

function give(
  { options: { ambient } }: Hall, door: Door, request: http.IncomingMessage,
  response: http.ServerResponse, reply: Reply,
): void {
  switch (reply.type) {
    case "silent": return;
    case "failed": return void request.socket.resetAndDestroy();
    case "replied": break;
  }
  const { status, body, isHtml, afterMs } = reply;
  const type = isHtml ? "text/html; charset=ISO-8859-1" : typeOf(door.face, body);
  if (afterMs <= 0) return finish(door, response, status, type, body);
  const wait = ambient.timer(() => {
    door.waits.delete(wait);
    finish(door, response, status, type, body);
  });
  door.waits.add(wait);
  wait.arm(after(ambient.now(), afterMs));
}

function typeOf(face: Face, body: string): string {
  return face === "bitcoind" || /^[[{]/.test(body) ? "application/json" : "text/plain";
}

function finish(
  door: Door, response: http.ServerResponse, status: number, type: string, body: string,
): void {
  door.answered += 1;
  response.writeHead(status, { "content-type": type });
  response.end(body);
}
