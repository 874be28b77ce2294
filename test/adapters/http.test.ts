import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import test from "node:test";
import type { Address } from "../../adapters/address.ts";
import { createAmbient } from "../../adapters/ambient.ts";
import {
  getJson, openHttp, type HttpOptions, type HttpServer, type Readiness,
} from "../../adapters/http.ts";
import { anywhere, dial, once, withFolder } from "../support/sockets.ts";

const ambient = createAmbient();
const csp = "default-src 'none'; script-src 'sha256-x'";

type Answer = {
  readonly code: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
};

function options(changes: Partial<HttpOptions>): HttpOptions {
  return {
    address: anywhere,
    allowRemote: false,
    live: () => ({ uptimeMs: 5 }),
    ready: () => ({ ready: true, reasons: [] }),
    status: () => ({ peers: 3 }),
    page: () => ({ html: "<!doctype html><p>hello", csp }),
    metrics: { contentType: "text/plain; version=0.0.4", text: () => Promise.resolve("up 1\n") },
    ...changes,
  };
}

async function withServer(
  changes: Partial<HttpOptions>,
  use: (server: HttpServer) => Promise<void>,
): Promise<void> {
  const opened = await openHttp(options(changes));
  assert.ok(opened.ok);
  try {
    await use(opened.server);
  } finally {
    opened.server.close();
  }
}

function ask(address: Address, path: string, more: http.RequestOptions = {}): Promise<Answer> {
  const where =
    address.kind === "unix"
      ? { socketPath: address.path }
      : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...where, path, agent: false, ...more }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += String(part)));
      response.on("end", () =>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}

test("adapters: http: each path answers what it should", async () => {
  await withServer({}, async ({ address }) => {
    const jsonOf = async (path: string): Promise<unknown> =>
      JSON.parse((await ask(address, path)).body);
    assert.deepEqual(await jsonOf("/livez"), { status: "ok", uptimeMs: 5 });
    assert.deepEqual(await jsonOf("/readyz"), { ready: true, reasons: [] });
    assert.deepEqual(await jsonOf("/status?x=1"), { peers: 3 });
    const metrics = await ask(address, "/metrics");
    assert.equal(metrics.body, "up 1\n");
    assert.equal(metrics.headers["content-type"], "text/plain; version=0.0.4");
    const page = await ask(address, "/");
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.equal(page.headers["content-security-policy"], csp);
    const missing = await ask(address, "/nothing");
    assert.deepEqual([missing.code, JSON.parse(missing.body)], [404, { error: "no such path" }]);
    for (const answer of [metrics, page, missing]) {
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      assert.match(String(answer.headers["content-security-policy"]), /default-src 'none'/);
    }
  });
});

test("adapters: http: not ready is 503 with the reasons", async () => {
  const state: Readiness = { ready: false, reasons: ["draining"] };
  await withServer({ ready: () => state }, async ({ address }) => {
    const answer = await ask(address, "/readyz");
    assert.deepEqual([answer.code, JSON.parse(answer.body)], [503, state]);
  });
});

test("adapters: http: HEAD has no body, other methods are refused", async () => {
  await withServer({}, async ({ address }) => {
    const head = await ask(address, "/status", { method: "HEAD" });
    assert.deepEqual([head.code, head.body], [200, ""]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await ask(address, "/status", { method });
      assert.deepEqual([answer.code, answer.headers.allow], [405, "GET, HEAD"]);
    }
  });
});

test("adapters: http: a foreign host name gets nothing", async () => {
  await withServer({}, async ({ address }) => {
    const codeFor = async (host: string): Promise<number> =>
      (await ask(address, "/status", { headers: { host } })).code;
    for (const host of ["127.0.0.1:9105", "localhost", "LOCALHOST:1", "[::1]:9105", "127.0.0.2"]) {
      assert.equal(await codeFor(host), 200, host);
    }
    for (const host of ["evil.example", "evil.example:9105", "127.0.0.1.evil.example"]) {
      assert.equal(await codeFor(host), 403, host);
    }
  });
});

test("adapters: http: what breaks behind a path is 500 and no more", async () => {
  const status = (): unknown => {
    throw new Error("private detail");
  };
  await withServer({ status }, async ({ address }) => {
    const answer = await ask(address, "/status");
    assert.deepEqual([answer.code, JSON.parse(answer.body)], [500, { error: "internal error" }]);
    assert.equal((await ask(address, "/livez")).code, 200);
  });
});

const idleClients = "silent clients block nobody, row 10/T20-http-idle-client";
test(`adapters: http: ${idleClients}`, async () => {
  await withServer({}, async ({ address }) => {
    const silent = Array.from({ length: 20 }, () => dial(address));
    await Promise.all(silent.map((client) => once(client, "connect")));
    const garbage = dial(address);
    garbage.resume();
    garbage.write("\u0000\u0001 what\r\n\r\n");
    await once(garbage, "close");
    assert.equal((await ask(address, "/livez")).code, 200);
    for (const client of silent) client.destroy();
  });
});

test("adapters: http: an address beyond this machine needs a word", async () => {
  const address: Address = { kind: "tcp", host: "0.0.0.0", port: 0 };
  const refused = await openHttp(options({ address }));
  assert.ok(!refused.ok && refused.failure.reason === "remote");
  await withServer({ address, allowRemote: true }, async (server) => {
    assert.equal(server.address.kind, "tcp");
  });
});

test("adapters: http: a port in use says so", async () => {
  await withServer({}, async ({ address }) => {
    const opened = await openHttp(options({ address }));
    assert.ok(!opened.ok && opened.failure.reason === "in-use");
  });
});

test("adapters: http: a Unix socket serves any host name, mode 0600", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/http.sock`;
    await withServer({ address: { kind: "unix", path } }, async ({ address }) => {
      assert.equal(fs.statSync(path).mode & 0o777, 0o600);
      const answer = await ask(address, "/livez", { headers: { host: "whatever" } });
      assert.equal(answer.code, 200);
      assert.deepEqual(await getJson(address, "/status", 1_000, ambient), {
        ok: true, code: 200, body: { peers: 3 },
      });
    });
  });
});

test("adapters: http: the client tells unreachable, silent and odd servers apart", async () => {
  await withServer({}, async ({ address }) => {
    const answer = await getJson(address, "/readyz", 1_000, ambient);
    assert.deepEqual(answer, { ok: true, code: 200, body: { ready: true, reasons: [] } });
    const odd = await getJson(address, "/metrics", 1_000, ambient);
    assert.ok(!odd.ok && odd.reason === "not-json");
  });
  const mute = net.createServer(() => undefined);
  mute.listen({ host: "127.0.0.1", port: 0 });
  await once(mute, "listening");
  const { port } = mute.address() as net.AddressInfo;
  const address: Address = { kind: "tcp", host: "127.0.0.1", port };
  const held: net.Socket[] = [];
  mute.on("connection", (socket) => held.push(socket));
  const silent = await getJson(address, "/", 20, ambient);
  assert.ok(!silent.ok && silent.reason === "timeout");
  for (const socket of held) socket.destroy();
  mute.close();
  await once(mute, "close");
  const gone = await getJson(address, "/", 1_000, ambient);
  assert.ok(!gone.ok && gone.reason === "unreachable");
});

test("adapters: http: the client reads no answer without end", async () => {
  const server = http.createServer((_request, response) => {
    response.on("error", () => undefined);
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const answer = await getJson({ kind: "tcp", host: "127.0.0.1", port }, "/", 5_000, ambient);
  assert.ok(!answer.ok && /too long/.test(answer.text));
  server.close();
  server.closeAllConnections();
});
