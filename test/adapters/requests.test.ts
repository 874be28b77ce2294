import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createRequests, isHere, type Requests, type Target } from "../../adapters/requests.ts";
import { secretSource } from "../../adapters/secretfile.ts";
import type { RequestEffect, RequestEvent } from "../../core/kernel/io.ts";
import { secret } from "../../core/secret.ts";
import { withFolder } from "../support/sockets.ts";
import { socks5, type Socks5 } from "../support/socks5.ts";
import { bytesOf } from "../support/toy.ts";

type Start = Extract<RequestEffect, { type: "req.start" }>;

type Bench = {
  readonly requests: Requests;
  readonly ask: (over?: Partial<Start>) => Promise<RequestEvent>;
  readonly heard: RequestEvent[];
  readonly reports: string[];
};

function bench(target: Partial<Target> & { readonly url: URL }, bytesMax?: number): Bench {
  const waiting = new Map<number, (event: RequestEvent) => void>();
  const heard: RequestEvent[] = [];
  const reports: string[] = [];
  const requests = createRequests({
    targets: new Map([["t", { credentials: { kind: "none" }, proxy: undefined, ...target }]]),
    push: (event) => {
      heard.push(event);
      waiting.get(event.req)?.(event);
    },
    report: (code, says) => reports.push(`${code}: ${says}`),
    ...(bytesMax === undefined ? {} : { bytesMax }),
  });
  let reqs = 0;
  const ask = (over: Partial<Start> = {}): Promise<RequestEvent> => {
    reqs += 1;
    const effect: Start = {
      type: "req.start", req: reqs, to: "t", method: "POST", path: "/x", headers: [], body: "ask",
      renew: false, ...over,
    };
    const answer = new Promise<RequestEvent>((done) => waiting.set(effect.req, done));
    requests.start(effect);
    return answer;
  };
  return { requests, ask, heard, reports };
}

const servers: (http.Server | net.Server)[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function opened(server: http.Server | net.Server): Promise<URL> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return new URL(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`);
}

const raw = (text: string): Promise<URL> => opened(net.createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end(text));
}));

test("requests: an answer comes back with its status and text, whatever the status", async () => {
  const seen: string[] = [];
  const url = await opened(http.createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += String(part)));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${String(request.headers["x-a"])} ${body}`);
      response.writeHead(500, { "content-type": "text/plain" }).end("né");
    });
  }));
  const { ask, requests } = bench({ url: new URL("/base/", url) });
  const answer = await ask({ headers: [["x-a", "b"]], path: "/q?z=1", body: "ü" });
  assert.deepEqual(answer, { type: "req.done", req: 1, status: 500, body: "né" });
  assert.deepEqual(seen, ["POST /base/q?z=1 b ü"]);
  assert.equal(requests.open(), 0);
});

test("requests: credentials are read once, and again when the core says so", async () => {
  const file = join(fs.mkdtempSync(join(tmpdir(), "dogwatch-req-")), ".cookie");
  fs.writeFileSync(file, "__cookie__:one");
  const source = secretSource(file, {});
  assert.ok(source !== undefined);
  const url = await opened(http.createServer((request, response) => {
    const [, sent = ""] = (request.headers.authorization ?? "").split(" ");
    response.end(Buffer.from(sent, "base64").toString());
  }));
  const { ask, reports } = bench({ url, credentials: { kind: "basic", source } });
  const bodyOf = (event: RequestEvent): string => (event.type === "req.done" ? event.body : "");
  assert.equal(bodyOf(await ask()), "__cookie__:one");
  fs.writeFileSync(file, "__cookie__:two");
  assert.equal(bodyOf(await ask()), "__cookie__:one");
  assert.equal(bodyOf(await ask({ renew: true })), "__cookie__:two");
  fs.rmSync(file);
  const lost = await ask({ renew: true });
  assert.ok(lost.type === "req.failed" && lost.reason === "denied");
  assert.match(reports.join("\n"), /requests\.no-secret: t: cannot read .*\.cookie/);
});

test("requests: a secret stands in the path, in a header, and never in an event", async () => {
  const file = join(fs.mkdtempSync(join(tmpdir(), "dogwatch-req-")), "token");
  fs.writeFileSync(file, "12:ab/c");
  const source = secretSource(file, {});
  assert.ok(source !== undefined);
  const seen: string[] = [];
  const url = await opened(http.createServer((request, response) => {
    const { authorization, "x-gotify-key": key } = request.headers;
    seen.push(`${request.url} ${authorization} ${String(key)}`);
    response.end();
  }));
  for (const kind of ["path", "bearer", "gotify"] as const) {
    const { ask, heard } = bench({ url, credentials: { kind, source } });
    await ask({ path: "/bot{secret}/send" });
    assert.ok(!JSON.stringify(heard).includes("ab"));
  }
  assert.deepEqual(seen, [
    "/bot12:ab%2Fc/send undefined undefined", "/bot{secret}/send Bearer 12:ab/c undefined",
    "/bot{secret}/send undefined 12:ab/c",
  ]);
});

test("requests: each way to fail has its reason", async () => {
  const cases: [string, string][] = [
    ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", "reset"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "reset"],
    ["HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "malformed"],
    ["", "reset"], ["no http at all\r\n\r\n", "malformed"],
    [`HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n${"x".repeat(101)}`, "too-large"],
  ];
  for (const [text, reason] of cases) {
    const { ask } = bench({ url: await raw(text) }, 100);
    const answer = await ask();
    assert.deepEqual(answer, { type: "req.failed", req: 1, reason }, text.slice(0, 40));
  }
  const most = await bench({
    url: await raw(`HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${"x".repeat(100)}`),
  }, 100).ask();
  assert.equal(most.type, "req.done");
  const server = net.createServer();
  const free = await opened(server);
  await new Promise((done) => server.close(done));
  const refused = await bench({ url: free }).ask();
  assert.ok(refused.type === "req.failed" && refused.reason === "refused");
});

test("requests: nothing but this machine is reached without a proxy", async () => {
  for (const url of ["http://192.0.2.1/", "https://example.org/", "http://127.example.org/"]) {
    const answer = await bench({ url: new URL(url) }).ask();
    assert.ok(answer.type === "req.failed" && answer.reason === "denied", url);
  }
  assert.ok(isHere("localhost") && isHere("127.0.0.1") && isHere("[::1]"));
  const { ask, reports } = bench({ url: new URL("http://127.0.0.1/") });
  const answer = await ask({ to: "other" });
  assert.ok(answer.type === "req.failed" && answer.reason === "denied");
  assert.match(reports[0] ?? "", /nothing is configured for other/);
});

test("requests: what was dropped is never answered", async () => {
  let arrived: () => void = () => {};
  const arrival = new Promise<void>((done) => (arrived = done));
  const url = await opened(http.createServer(() => arrived()));
  const { ask, requests, heard } = bench({ url });
  void ask();
  await arrival;
  void ask({ path: "/second" });
  requests.drop({ type: "req.drop", req: 1 });
  requests.drop({ type: "req.drop", req: 2 });
  requests.drop({ type: "req.drop", req: 9 });
  await new Promise((done) => setImmediate(done));
  await new Promise((done) => setImmediate(done));
  assert.equal(requests.open(), 0);
  assert.deepEqual(heard, []);
});

/** Tells of each question over which connection it came; answers as it is told to. */
async function counting(answers: (nth: number, socket: net.Socket) => string): Promise<{
  readonly url: URL; readonly over: number[];
}> {
  const over: number[] = [];
  let connections = 0;
  const url = await opened(net.createServer((socket) => {
    connections += 1;
    const mine = connections;
    socket.on("error", () => {});
    socket.on("data", () => {
      over.push(mine);
      const text = answers(over.length, socket);
      if (text !== "") socket.write(text);
    });
  }));
  return { url, over };
}

const short = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const get = { method: "GET", body: "" } as const;

test("requests: what names nothing shares a connection, what says more has its own", async () => {
  const { url, over } = await counting(() => short);
  const { ask, requests } = bench({ url });
  for (const what of [get, get, {}, get, {}, { method: "POST", body: "" } as const]) {
    assert.equal((await ask(what)).type, "req.done");
    // The connection is free once its answer has gone by.
    await new Promise((done) => setImmediate(done));
  }
  assert.deepEqual(over, [1, 1, 2, 1, 3, 1]);
  requests.closeAll();
});

test("requests: a kept connection that was closed meanwhile was none", async () => {
  const { url, over } = await counting((nth, socket) => {
    if (nth === 2) socket.destroy();
    return nth === 2 ? "" : short;
  });
  const { ask, requests, heard } = bench({ url });
  for (let i = 0; i < 2; i += 1) {
    assert.equal((await ask(get)).type, "req.done");
    await new Promise((done) => setImmediate(done));
  }
  assert.deepEqual(over, [1, 1, 2], "asked again, on another one");
  assert.equal(heard.length, 2);
  requests.closeAll();
});

test("requests: half an answer over a kept connection fails, as does a new one's end", async () => {
  const half = await counting((nth, socket) => {
    if (nth === 2) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nha");
    return nth === 2 ? "" : short;
  });
  const one = bench({ url: half.url });
  assert.equal((await one.ask(get)).type, "req.done");
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(await one.ask(get), { type: "req.failed", req: 2, reason: "reset" });
  assert.deepEqual(half.over, [1, 1]);
  const never = await counting((_, socket) => {
    socket.destroy();
    return "";
  });
  const two = bench({ url: never.url });
  assert.deepEqual(await two.ask(get), { type: "req.failed", req: 1, reason: "reset" });
  assert.deepEqual(never.over, [1], "nothing was kept, so nothing is asked again");
});

test("requests: a read that is dropped takes its connection along", async () => {
  let arrived: () => void = () => {};
  const arrival = new Promise<void>((done) => (arrived = done));
  let ended: () => void = () => {};
  const end = new Promise<void>((done) => (ended = done));
  const url = await opened(http.createServer((request) => {
    request.socket.once("close", () => ended());
    arrived();
  }));
  const { ask, requests, heard } = bench({ url });
  void ask(get);
  await arrival;
  requests.drop({ type: "req.drop", req: 1 });
  await end;
  assert.deepEqual([requests.open(), heard], [0, []]);
});

const away = new URL("http://example.org/base");
const as = { user: "dogwatch-notify", password: secret(bytesOf("key")) };
const through = ({ port }: Socks5): Partial<Target> =>
  ({ proxy: { at: { kind: "tcp", host: "127.0.0.1", port }, as } });

test("requests: elsewhere is reached through the proxy, which hears the name", async () => {
  const proxy = await socks5();
  servers.push(proxy.server);
  const url = await opened(http.createServer((request, response) => {
    response.end(`${request.headers.host} ${request.url}`);
  }));
  proxy.route = () => ({ port: Number(url.port) });
  const { ask } = bench({ url: away, ...through(proxy) });
  assert.deepEqual(await ask(), {
    type: "req.done", req: 1, status: 200, body: "example.org /base/x",
  });
  assert.deepEqual(proxy.asked, [
    { user: "dogwatch-notify", password: "key", host: "example.org", port: 80 },
  ]);
  await proxy.until(() => proxy.open === 0);
});

test("requests: the proxy's answers have their reason; one that shares is refused", async () => {
  const proxy = await socks5();
  servers.push(proxy.server);
  const { ask, reports, heard } = bench({ url: away, ...through(proxy) });
  for (const [code, reason] of [[5, "refused"], [6, "timeout"], [4, "unreachable"]] as const) {
    proxy.route = () => ({ code });
    const answer = await ask();
    assert.ok(answer.type === "req.failed" && answer.reason === reason, `${code}`);
  }
  const url = await opened(http.createServer((_, response) => response.end("no")));
  proxy.route = () => ({ port: Number(url.port) });
  proxy.method = 0;
  await ask();
  assert.deepEqual(heard.at(-1), { type: "req.failed", req: 4, reason: "denied" });
  assert.match(reports.join("\n"), /^requests\.refused: t: .*is it Tor\?$/);
  await proxy.until(() => proxy.open === 0);
  proxy.close();
  await ask();
  assert.deepEqual(heard.at(-1), { type: "req.failed", req: 5, reason: "unreachable" });
});

test("requests: a name too long for the proxy is denied, the longest is asked", async () => {
  const proxy = await socks5();
  servers.push(proxy.server);
  const hosts = [`${"a.".repeat(126)}org`, `${"a.".repeat(126)}orgs`];
  const answers = hosts.map((host) =>
    bench({ url: new URL(`http://${host}/`), ...through(proxy) }).ask());
  const reasons = (await Promise.all(answers)).map((one) =>
    one.type === "req.failed" ? one.reason : "done");
  assert.deepEqual(reasons, ["unreachable", "denied"]);
  assert.deepEqual(proxy.asked.map(({ host }) => host), [hosts[0]]);
});

test("requests: a proxy may be a socket file", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "socks");
    const proxy = await socks5({ path });
    const url = await opened(http.createServer((_, response) => response.end("far")));
    proxy.route = () => ({ port: Number(url.port) });
    const answer = await bench({ url: away, proxy: { at: { kind: "unix", path }, as } }).ask();
    assert.ok(answer.type === "req.done" && answer.body === "far");
    proxy.close();
  });
});

for (const scheme of ["http", "https"]) {
  test(`requests: what was dropped leaves the proxy at once: ${scheme}`, async () => {
    const proxy = await socks5();
    servers.push(proxy.server);
    const mute = net.createServer((socket) => void socket.on("error", () => {}));
    const { port } = await opened(mute);
    const url = new URL(`${scheme}://example.org/`);
    const { ask, requests, heard } = bench({ url, ...through(proxy) });
    const heardBytes = (): Promise<unknown> => new Promise((done) =>
      mute.once("connection", (socket) => socket.once("data", done)));
    const asked = (count: number) => (): Promise<void> =>
      proxy.until(() => proxy.asked.length === count);
    const stages: readonly [route: () => void, reached: () => Promise<unknown>][] = [
      [() => (proxy.babble = new Uint8Array(0)), () => proxy.until(() => proxy.open === 1)],
      [() => {
        proxy.babble = undefined;
        proxy.route = () => "silent";
      }, asked(1)],
      [() => (proxy.route = () => ({ port: Number(port) })), heardBytes],
    ];
    for (const [i, [route, reached]] of stages.entries()) {
      route();
      const there = reached();
      void ask();
      await there;
      requests.drop({ type: "req.drop", req: i + 1 });
      await proxy.until(() => proxy.open === 0);
    }
    assert.deepEqual([heard, requests.open()], [[], 0]);
  });
}

test("requests: what was dropped before it began asks nobody", async () => {
  const proxy = await socks5();
  servers.push(proxy.server);
  const { ask, requests } = bench({ url: away, ...through(proxy) });
  void ask();
  requests.drop({ type: "req.drop", req: 1 });
  await ask();
  assert.deepEqual([proxy.openMax, proxy.asked.length], [1, 1]);
});
