/**
 * What the doctor's tests need: settings from keys, a real directory, a node over HTTP, servers
 * that answer what a test says.
 * @module
 */
import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { createAmbient } from "../../../adapters/ambient.ts";
import { load } from "../../../adapters/config.ts";
import type { Raw } from "../../../adapters/config/schema.ts";
import { makerOf, type MakerSettings } from "../../../adapters/config/maker-settings.ts";
import { createLog } from "../../../adapters/log.ts";
import { type Check, type Finding, within } from "../../../cli/doctor/finding.ts";
import { type Daemon, start } from "../../../cli/run.ts";
import { type Node, replyOf } from "../../support/bitcoind.ts";

export const ambient = createAmbient();

export type Keys = { readonly [key: string]: Raw };

function loaded(keys: Keys) {
  const flags = Object.entries(keys).map(([key, raw]) => ({ key, flag: key, raw }));
  const read = load({ file: undefined, env: {}, flags });
  assert.ok(read.ok, read.ok ? "" : read.problems.join());
  return read.settings;
}

/** A maker's settings. */
export function settingsOf(keys: Keys): MakerSettings {
  const made = makerOf(loaded({ network: "regtest", ...keys }).parsed, {});
  assert.ok(made.ok, made.ok ? "" : made.broken.map(({ says }) => says).join());
  return made.settings;
}

/** A real directory node on a port of its own. */
export async function directoryAt(keys: Keys, dataDir: string): Promise<Daemon> {
  const log = createLog({
    ambient, level: "error", format: "json", isTerminal: false, sentences: {}, write: () => {},
  });
  const started = await start({
    settings: loaded({
      network: "regtest", data_dir: dataDir, "directory.listen": "127.0.0.1:0",
      "directory.http": "127.0.0.1:0", ...keys,
    }),
    ambient, log, version: "test", record: undefined, note: false, stderr: () => {},
  });
  assert.ok(started.ok, started.ok ? "" : started.says);
  return started.daemon;
}

export type Served = { readonly port: number; readonly close: () => void };

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as net.AddressInfo).port;
}

/** A node over real HTTP, by its table of methods. `heard`: the methods that were called. */
export async function nodeAt(
  node: Node, heard: string[] = [], status?: number,
): Promise<Served> {
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      heard.push(...[...body.matchAll(/"method":"([a-z]+)"/g)].map(([, method = ""]) => method));
      const reply = replyOf(node, {
        type: "request", token: 1, to: "bitcoind", method: "POST", path: request.url ?? "",
        headers: [], body, renew: false, timeoutMs: 1,
      });
      response.writeHead(status ?? reply.status);
      response.end(reply.body);
    });
  });
  const port = await listening(server);
  return {
    port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A server whose connections are served by `serve`. */
export async function serverAt(serve: (socket: net.Socket) => void): Promise<Served> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  const port = await listening(server);
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const { port, close } = await serverAt(() => {});
  close();
  return port;
}

/** The one finding of a check. */
export async function only(check: Check): Promise<Finding> {
  const [finding, ...more] = await within(check, ambient);
  assert.ok(finding !== undefined);
  assert.deepEqual(more, []);
  return finding;
}
