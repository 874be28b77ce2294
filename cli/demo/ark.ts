/**
 * The stand-in Ark over real HTTP: a program like barkd for each wallet, on a port of its own and
 * with its token in a file; and the Ark server's public round events, over gRPC.
 *
 * Rule 1: on this machine only; another address is refused.
 * Rule 2: as barkd does, a program without the right token of its file answers 401 and does
 * nothing. A program that was stopped leaves its port to nobody: connections are refused.
 * Rule 3: what goes wrong is said by outages (`sim/ark/faults.ts`). Here they become real: broken
 * connections, answers that come late or never.
 * Rule 4: the world's clock is the wall clock's of the start, moved on; `skip` moves it further.
 * @module
 */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Ambient, Timer } from "../../adapters/ambient.ts";
import { isHere } from "../../adapters/requests.ts";
import { after } from "../../core/time.ts";
import { restartBarkd, stopBarkd } from "../../sim/ark/acts.ts";
import type { Outage, Reply } from "../../sim/ark/faults.ts";
import { ask, hangUp } from "../../sim/ark/rest.ts";
import { advance, drain, dueMs, suffer } from "../../sim/ark/run.ts";
import { barkdOf, type Output, type World } from "../../sim/ark/state.ts";
import { serveRounds, type RoundServer } from "./ark-rounds.ts";

export type ArkServerOptions = {
  readonly world: World;
  /** Where each program's token is written, as `NAME.token` (mode 0600). It must exist. */
  readonly folder: string;
  readonly ambient: Pick<Ambient, "now" | "timer">;
  /** A loopback address; 127.0.0.1 by default. */
  readonly host?: string;
};

export type ArkServer = {
  readonly world: World;
  /** `http://127.0.0.1:PORT` of a wallet's program, while it runs and after. */
  readonly url: (wallet: string) => string;
  readonly tokenFile: (wallet: string) => string;
  /** `http://127.0.0.1:PORT` of the Ark server's gRPC. */
  readonly server: string;
  /** The world at this instant; what `act` brings about happens. */
  readonly act: <T>(act: (world: World, nowMs: number) => T) => T;
  /** The world's clock is so much later. */
  readonly skip: (ms: number) => void;
  /** What goes wrong from now on. */
  readonly suffer: (outages: readonly Outage[]) => void;
  /** Nobody listens any more at a wallet's port; open connections break. */
  readonly halt: (wallet: string) => Promise<void>;
  /** Its program starts anew, on the same port, with the token that it has by now. */
  readonly resume: (wallet: string) => Promise<void>;
  /** Requests of a wallet that were answered. */
  readonly answered: (wallet: string) => number;
  readonly close: () => Promise<void>;
};

type Door = {
  readonly wallet: string;
  port: number;
  server: http.Server | undefined;
  answered: number;
  readonly waits: Set<Timer>;
};

type Hall = {
  readonly options: ArkServerOptions;
  readonly host: string;
  readonly doors: ReadonlyMap<string, Door>;
  /** Who waits for an answer that time or news bring. */
  readonly waiting: Map<number, (reply: Reply) => void>;
  readonly timer: Timer;
  rounds: RoundServer | undefined;
  /** The world's time less the process's. */
  aheadMs: number;
  isClosed: boolean;
};

/** A request with a longer body is refused; in bytes. 4 MiB. */
const bodyBytesMax = 4_194_304;

/** Serves every wallet of `world` until it is closed. Rejects an address that is not loopback. */
export async function serveArk(options: ArkServerOptions): Promise<ArkServer> {
  const { world, ambient } = options;
  const host = options.host ?? "127.0.0.1";
  if (!isHere(host) && host !== "::1") throw new Error(`${host} is not an address of loopback`);
  const doors = new Map([...world.barkds.keys()].map((wallet) => (
    [wallet, { wallet, port: 0, server: undefined, answered: 0, waits: new Set<Timer>() } as Door]
  )));
  const hall: Hall = {
    options, host, doors, waiting: new Map(), rounds: undefined, isClosed: false,
    aheadMs: world.nowMs - ambient.now(), timer: ambient.timer(() => settle(hall)),
  };
  try {
    hall.rounds = await serveRounds({
      host: authorityOf(host), act: (act) => acted(hall, act), ambient,
    });
    for (const door of doors.values()) await open(hall, door);
  } catch (error) {
    await close(hall);
    throw error;
  }
  settle(hall);
  return facade(hall, hall.rounds);
}

function facade(hall: Hall, rounds: RoundServer): ArkServer {
  const { options: { world }, host } = hall;
  return {
    world,
    url: (wallet) => `http://${authorityOf(host)}:${doorOf(hall, wallet).port}`,
    tokenFile: (wallet) => tokenFile(hall, wallet),
    server: `http://${authorityOf(host)}:${rounds.port}`,
    act: (act) => acted(hall, act),
    skip: (ms) => {
      hall.aheadMs += ms;
      settle(hall);
    },
    suffer: (outages) => acted(hall, () => suffer(world, outages)),
    halt: async (wallet) => {
      acted(hall, () => stopBarkd(world, wallet));
      await shut(doorOf(hall, wallet));
    },
    resume: async (wallet) => {
      const door = doorOf(hall, wallet);
      if (door.server !== undefined) await shut(door);
      acted(hall, () => restartBarkd(world, wallet));
      await open(hall, door);
    },
    answered: (wallet) => doorOf(hall, wallet).answered,
    close: () => close(hall),
  };
}

function authorityOf(host: string): string {
  return host === "::1" ? "[::1]" : host;
}

function doorOf({ doors }: Hall, wallet: string): Door {
  const door = doors.get(wallet);
  if (door === undefined) throw new Error(`no wallet ${wallet}`);
  return door;
}

function tokenFile({ options: { folder } }: Hall, wallet: string): string {
  return join(folder, `${wallet}.token`);
}

function nowMs({ options: { ambient }, aheadMs }: Hall): number {
  return ambient.now() + aheadMs;
}

function acted<T>(hall: Hall, act: (world: World, nowMs: number) => T): T {
  const { options: { world } } = hall;
  advance(world, nowMs(hall));
  const result = act(world, world.nowMs);
  settle(hall);
  return result;
}

/** Brings the world to the present, tells what it has to tell, and waits for what is next. */
function settle(hall: Hall): void {
  if (hall.isClosed) return;
  const { options: { world, ambient }, timer } = hall;
  advance(world, nowMs(hall));
  for (const output of drain(world)) deliver(hall, output);
  const leftMs = dueMs(world) - nowMs(hall);
  timer.arm(after(ambient.now(), leftMs < 1 ? 1 : leftMs));
}

function deliver(hall: Hall, output: Output): void {
  switch (output.type) {
    case "answered": {
      const give = hall.waiting.get(output.wait);
      hall.waiting.delete(output.wait);
      return give?.(output.reply);
    }
    case "item":
      if (output.item.stream === "rounds") hall.rounds?.item(output.sub, output.item.event);
      return;
    case "ended": return hall.rounds?.ended(output.sub, output.reason);
  }
}

async function open(hall: Hall, door: Door): Promise<void> {
  // Barkd closes no connection that is idle.
  const server = http.createServer({ keepAliveTimeout: 0 }, (request, response) =>
    void take(hall, door, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(door.port, hall.host, resolve);
  });
  door.port = (server.address() as AddressInfo).port;
  door.server = server;
  bake(hall, door.wallet);
}

/** The token is there at once or not at all. */
function bake(hall: Hall, wallet: string): void {
  const { token } = barkdOf(hall.options.world, wallet);
  const path = tokenFile(hall, wallet);
  fs.writeFileSync(`${path}.tmp`, `${token}\n`, { mode: 0o600 });
  fs.renameSync(`${path}.tmp`, path);
}

async function shut(door: Door): Promise<void> {
  const { server } = door;
  if (server === undefined) return;
  door.server = undefined;
  for (const wait of door.waits) wait.disarm();
  door.waits.clear();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function close(hall: Hall): Promise<void> {
  hall.isClosed = true;
  hall.timer.disarm();
  hall.rounds?.close();
  for (const door of hall.doors.values()) {
    await shut(door);
    fs.rmSync(tokenFile(hall, door.wallet), { force: true });
  }
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
  // The program may have been stopped meanwhile.
  if (door.server === undefined) return void request.destroy();
  if (body === undefined) return finish(door, response, 413, "");
  const { method = "", url = "" } = request;
  const headers = Object.entries(request.headers).flatMap(([name, value]) => (
    value === undefined ? [] : [value].flat().map((one) => [name, one] as const)
  ));
  const asked = acted(hall, (world, now) => (
    ask(world, door.wallet, { method, path: url, body, headers }, now)
  ));
  const give = (reply: Reply): void => answer(hall, door, request, response, reply);
  const number = asked.type === "waiting" ? asked.wait
    : asked.type === "replied" ? asked.ticket : undefined;
  response.once("close", () => {
    if (number === undefined || response.writableFinished || hall.isClosed) return;
    hall.waiting.delete(number);
    acted(hall, (world, now) => hangUp(world, number, now));
  });
  if (asked.type === "waiting") hall.waiting.set(asked.wait, give);
  else give(asked);
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

function answer(
  { options: { ambient } }: Hall, door: Door, request: http.IncomingMessage,
  response: http.ServerResponse, reply: Reply,
): void {
  switch (reply.type) {
    case "silent": return;
    case "failed": return void request.socket.resetAndDestroy();
    case "replied": break;
  }
  const { status, body, isHtml, afterMs } = reply;
  const type = isHtml ? "text/html; charset=utf-8" : typeOf(body);
  if (afterMs <= 0) return finish(door, response, status, body, type);
  const wait = ambient.timer(() => {
    door.waits.delete(wait);
    finish(door, response, status, body, type);
  });
  door.waits.add(wait);
  wait.arm(after(ambient.now(), afterMs));
}

function typeOf(body: string): string {
  return /^[[{"]|^null$/.test(body) ? "application/json" : "text/plain; charset=utf-8";
}

function finish(
  door: Door, response: http.ServerResponse, status: number, body: string, type = "text/plain",
): void {
  door.answered += 1;
  response.writeHead(status, { "content-type": type });
  response.end(body);
}
