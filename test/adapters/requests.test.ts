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
