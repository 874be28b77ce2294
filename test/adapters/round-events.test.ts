import assert from "node:assert/strict";
import * as net from "node:net";
import { after, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import type { Server } from "../../adapters/grpc-channel.ts";
import {
  createRoundEvents, defaults, type Config, type RoundEvents,
} from "../../adapters/round-events.ts";
import type { StreamEvent } from "../../core/ark/streams.ts";
import { secret } from "../../core/secret.ts";
import { arkRounds, eventBytes, type ArkRounds } from "../support/ark-rounds.ts";
import { socks5 } from "../support/socks5.ts";
import { bytesOf } from "../support/toy.ts";

const closing: (() => void)[] = [];
after(() => closing.forEach((close) => close()));

type Bench = {
  readonly streams: RoundEvents;
  readonly heard: readonly string[];
  readonly reports: readonly string[];
  readonly open: (stream?: number, to?: string) => void;
  /** Resolves once so many events were heard. */
  readonly until: (count: number) => Promise<void>;
};

function bench(server: Server, over: Partial<Config> = {}): Bench {
  const heard: string[] = [];
  const reports: string[] = [];
  const waiting: { readonly count: number; readonly done: () => void }[] = [];
  const streams = createRoundEvents({
    servers: new Map([["ark", server]]), config: { ...defaults, agent: "test/1", ...over },
    ambient: createAmbient(),
    push: (event) => {
      heard.push(shown(event));
      for (const { count, done } of waiting) if (heard.length >= count) done();
    },
    report: (code, says) => reports.push(`${code}: ${says}`),
  });
  closing.push(streams.closeAll);
  return {
    streams, heard, reports,
    open: (stream = 2, to = "ark") => streams.open({ type: "stream.open", stream, to }),
    until: (count) => new Promise((done) => {
      if (heard.length >= count) done();
      else waiting.push({ count, done });
    }),
  };
}

function shown(event: StreamEvent): string {
  switch (event.type) {
    case "stream.subscribed": return `${event.stream} subscribed`;
    case "stream.item": {
      const { kind, roundSeq, attemptSeq } = event.event;
      return `${event.stream} ${kind} ${roundSeq}.${attemptSeq}`;
    }
    case "stream.ended": return `${event.stream} ${event.reason} ${event.fault.code}`;
  }
}

async function ark(services = true): Promise<ArkRounds> {
  const server = await arkRounds(services);
  closing.push(server.kill);
  return server;
}

const asUs = { user: "u", password: secret(bytesOf("p")) };
const here = (port: number): Server => (
  { url: new URL(`http://127.0.0.1:${port}`), proxy: undefined }
);

async function raw(serve: (socket: net.Socket) => void): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as net.AddressInfo).port;
}

test("round events: versions are agreed on, then events come until the server ends", async () => {
  const server = await ark();
  server.replay = [eventBytes(5, 7n, 0n)];
  const { open, until, heard, streams } = bench(here(server.port));
  open();
  assert.deepEqual(heard, []);
  await until(2);
  server.send(eventBytes(1, 8n, 0n));
  server.send(eventBytes(2, 8n, 0n));
  server.send(eventBytes(4, 8n, 1n));
  await until(5);
  server.end();
  await until(6);
  assert.deepEqual(server.heard, ["handshake test/1", "subscribe test/1 5"]);
  assert.deepEqual(heard, [
    "2 subscribed", "2 failed 7.0", "2 attempt 8.0", "2 proposal 8.0", "2 finished 8.1",
    "2 clean rounds-closed",
  ]);
  assert.equal(streams.count(), 0);
});

test("round events: the highest version that both speak, or none", async () => {
  const server = await ark();
  const cases: readonly (readonly [readonly [bigint, bigint], string])[] = [
    [[1n, 3n], "subscribe test/1 3"], [[5n, 9n], "subscribe test/1 5"],
    [[6n, 9n], "2 refused rounds-version"], [[5n, 4n], "2 refused rounds-version"],
    [[0n, 0n], "2 refused rounds-version"],
  ];
  for (const [versions, expected] of cases) {
    server.versions = versions;
    const { open, until, heard, streams } = bench(here(server.port));
    open();
    await until(1);
    assert.ok([...server.heard, ...heard].includes(expected), expected);
    streams.closeAll();
    server.heard.length = 0;
  }
});

test("round events: whatever fails before is a refusal, without the server's words", async () => {
  const server = await ark();
  server.failing = 16;
  const first = bench(here(server.port));
  first.open();
  await first.until(1);
  assert.deepEqual(first.heard, ["2 refused rounds-unauthenticated"]);
  server.failing = undefined;
  server.versions = Uint8Array.from([0x08]);
  const second = bench(here(server.port));
  second.open();
  await second.until(1);
  assert.deepEqual(second.heard, ["2 refused rounds-malformed"]);
  const other = await ark(false);
  const third = bench(here(other.port));
  third.open();
  await third.until(1);
  assert.deepEqual(third.heard, ["2 refused rounds-unimplemented"]);
});

test("round events: nobody, a black hole, a web server and one that hangs up", async () => {
  const closed = await raw(() => undefined);
  closing.pop()?.();
  const hole = await raw(() => undefined);
  const page = await raw((socket) => void socket.end("HTTP/1.1 400 Bad\r\n\r\n<html>secret"));
  const cut = await raw((socket) => void socket.destroy());
  const cases: readonly (readonly [number, RegExp])[] = [
    [closed, /^2 refused rounds-unavailable$/], [hole, /^2 refused rounds-deadline-exceeded$/],
    [page, /^2 refused rounds-unavailable$/], [cut, /^2 refused rounds-unavailable$/],
  ];
  for (const [port, expected] of cases) {
    const { open, until, heard } = bench(here(port), { connectMs: 300 });
    open();
    await until(1);
    assert.match(heard[0] ?? "", expected);
    assert.equal(heard.length, 1);
  }
});

test("round events: a stream that breaks, or says nonsense, ends with an error", async () => {
  const cases: readonly (readonly [(server: ArkRounds) => void, string])[] = [
    [(server) => server.kill(), "2 error rounds-cancelled"],
    [(server) => server.send(Uint8Array.from([0x0a])), "2 error rounds-malformed"],
    [(server) => server.send(eventBytes(1, 2n ** 60n, 0n)), "2 error rounds-malformed"],
    [(server) => server.send(new Uint8Array(2_000)), "2 error rounds-resource-exhausted"],
  ];
  for (const [happens, expected] of cases) {
    const server = await ark();
    const { open, until, heard, streams } = bench(here(server.port), { messageBytesMax: 1_000 });
    open();
    await until(1);
    happens(server);
    await until(2);
    assert.deepEqual(heard, ["2 subscribed", expected]);
    assert.equal(streams.count(), 0);
  }
});

test("round events: nothing follows a close, and the server hears of it", async () => {
  const server = await ark();
  const { open, until, heard, streams } = bench(here(server.port));
  open();
  await until(1);
  const [call] = server.calls;
  const gone = new Promise<void>((done) => void call?.on("cancelled", () => done()));
  streams.close(2);
  streams.close(2);
  server.send(eventBytes(1, 1n, 0n));
  await gone;
  // One that is closed at once is never asked for.
  open(4);
  streams.close(4);
  open(6);
  await until(2);
  assert.deepEqual(heard, ["2 subscribed", "6 subscribed"]);
  assert.equal(server.heard.filter((line) => line.startsWith("subscribe")).length, 2);
});

test("round events: it is asked once, however it ends", async () => {
  let connections = 0;
  const port = await raw((socket) => {
    connections += 1;
    socket.destroy();
  });
  const { open, until } = bench(here(port));
  open();
  await until(1);
  const seen = connections;
  await new Promise((done) => setTimeout(done, 1_500));
  assert.equal(connections, seen);
  assert.equal(seen, 1);
});

test("round events: a flood is read at its pace, and unknown kinds are told", async () => {
  const server = await ark();
  const events = Array.from({ length: 200 }, (_, i) => eventBytes(1, BigInt(i + 1), 0n));
  server.replay = [eventBytes(9, 0n, 0n), ...events];
  const { open, until, heard, reports } = bench(here(server.port), { paceMs: 20 });
  const begun = performance.now();
  open();
  await until(11);
  assert.ok(performance.now() - begun >= 10 * 19);
  assert.equal(heard[1], "2 attempt 1.0");
  assert.match(reports[0] ?? "", /^rounds\.unknown: ark/);
});

test("round events: no more streams than are wanted at once", async () => {
  const server = await ark();
  const { open, until, heard, streams } = bench(here(server.port), { streamsMax: 2 });
  open(2);
  open(4);
  open(6);
  await until(3);
  assert.deepEqual([...heard].sort(), ["2 subscribed", "4 subscribed", "6 refused rounds-full"]);
  assert.equal(streams.count(), 2);
});

test("round events: what is elsewhere has a proxy or is not reached", async () => {
  const away: Server = { url: new URL("http://ark.example:3535"), proxy: undefined };
  const { open, until, heard, reports } = bench(away);
  open();
  open(4, "nobody");
  await until(2);
  assert.deepEqual(heard, ["2 refused rounds-denied", "4 refused rounds-denied"]);
  assert.deepEqual(reports, ["rounds.no-target: nothing is configured for nobody"]);
});

test("round events: through the proxy by name, on a circuit of its own", async () => {
  const [server, proxy] = [await ark(), await socks5()];
  closing.push(proxy.close);
  proxy.route = () => ({ port: server.port });
  const away: Server = {
    url: new URL("http://ark.example:3535"),
    proxy: {
      at: { kind: "tcp", host: "localhost", port: proxy.port }, as: asUs,
    },
  };
  const { open, until, heard } = bench(away);
  open();
  await until(1);
  server.end();
  await until(2);
  assert.deepEqual(heard, ["2 subscribed", "2 clean rounds-closed"]);
  assert.deepEqual(proxy.asked, [{ user: "u", password: "p", host: "ark.example", port: 3_535 }]);
});

test("round events: a proxy that mixes connections, or leads nowhere, is refused", async () => {
  const [server, proxy] = [await ark(), await socks5()];
  closing.push(proxy.close);
  const away: Server = {
    url: new URL("https://ark.example"),
    proxy: { at: { kind: "tcp", host: "127.0.0.1", port: proxy.port }, as: asUs },
  };
  const { open, until, heard, reports } = bench(away);
  open();
  await until(1);
  assert.equal(proxy.asked[0]?.port, 443);
  proxy.method = 0;
  proxy.route = () => ({ port: server.port });
  open(4);
  await until(2);
  assert.deepEqual(heard, ["2 refused rounds-unavailable", "4 refused rounds-unavailable"]);
  assert.match(reports[0] ?? "", /^rounds\.refused: ark: the proxy/);
});

test("round events: what comes in one piece with the proxy's answer is not lost", async () => {
  const [server, proxy] = [await ark(), await socks5()];
  closing.push(proxy.close);
  proxy.route = () => ({ port: server.port });
  proxy.greeting = "this is no frame of settings";
  const away: Server = {
    url: new URL("http://ark.example:3535"),
    proxy: { at: { kind: "tcp", host: "127.0.0.1", port: proxy.port }, as: asUs },
  };
  const { open, until, heard } = bench(away);
  open();
  await until(1);
  assert.deepEqual(heard, ["2 refused rounds-unavailable"]);
});

test("round events: proxies of the environment are not asked", async () => {
  const server = await ark();
  const names = ["grpc_proxy", "https_proxy", "http_proxy"];
  for (const name of names) process.env[name] = "http://127.0.0.1:1";
  try {
    const { open, until, heard } = bench(here(server.port));
    open();
    await until(1);
    assert.deepEqual(heard, ["2 subscribed"]);
  } finally {
    for (const name of names) delete process.env[name];
  }
});

test("round events: with TLS only to whom the certificate is of", async () => {
  const server = await ark();
  const { open, until, heard } = bench({
    url: new URL(`https://127.0.0.1:${server.port}`), proxy: undefined,
  });
  open();
  await until(1);
  assert.deepEqual(heard, ["2 refused rounds-unavailable"]);
});
