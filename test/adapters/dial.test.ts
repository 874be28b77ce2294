import assert from "node:assert/strict";
import * as net from "node:net";
import test from "node:test";
import fc from "fast-check";
import type { ConnId } from "../../core/ids.ts";
import { secret } from "../../core/secret.ts";
import type { Address } from "../../adapters/address.ts";
import {
  createDialer, type Dialer, type DialerEvent, type DialerOptions,
} from "../../adapters/dial.ts";
import { ear, type Ear, once, withFolder } from "../support/sockets.ts";
import { socks5, type Socks5 } from "../support/socks5.ts";
import { bytesOf } from "../support/toy.ts";

const mebi = 1024 * 1024;
const onion = `${"a".repeat(56)}.onion`;

type Bench = Ear<DialerEvent> & { readonly dialer: Dialer; readonly reports: string[] };

function bench(options: Partial<DialerOptions> = {}): Bench {
  const heard = ear<DialerEvent>();
  const reports: string[] = [];
  const dialer = createDialer({
    push: heard.push, socks: undefined, key: secret(new Uint8Array(16).fill(1)), dialsMax: 32,
    connsMax: 100, report: (code) => void reports.push(code), ...options,
  });
  return { ...heard, dialer, reports };
}

function dial(b: Bench, conn: number, to: string, isolation?: string, isSecret = false): void {
  const effect = { type: "conn.dial" as const, conn: conn as ConnId, to, isSecret };
  b.dialer.dial(isolation === undefined ? effect : { ...effect, isolation });
}

const send = (b: Bench, conn: number, bytes: Uint8Array): void =>
  b.dialer.send({ type: "conn.send", conn: conn as ConnId, bytes });
const close = (b: Bench, conn: number, how: "abort" | "flush"): void =>
  b.dialer.close({ type: "conn.close", conn: conn as ConnId, how, reason: "test" });

/** Each dial has one outcome at most; each open connection closes once, and nothing comes after. */
function assertLives(events: readonly DialerEvent[]): void {
  const open = new Map<ConnId, boolean>();
  for (const event of events) {
    const isOutcome = event.type === "conn.dialed" || event.type === "conn.failed";
    if (isOutcome) assert.ok(!open.has(event.conn), `two outcomes of ${event.conn}`);
    else assert.equal(open.get(event.conn), true, `${event.type} for ${event.conn}`);
    open.set(event.conn, event.type !== "conn.closed" && event.type !== "conn.failed");
  }
  assert.ok([...open.values()].every((isOpen) => !isOpen), "a connection is left");
}

type Echo = { readonly port: number; readonly sockets: net.Socket[]; close(): void };

/** A server that keeps what connects; with `echo` it says back what it hears. */
async function listener(echo = true): Promise<Echo> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    if (echo) socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    port, sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function finish(b: Bench, ...servers: readonly { close(): void }[]): Promise<void> {
  b.dialer.closeAll();
  await b.until(() => b.dialer.open() === 0);
  assert.equal(b.dialer.pending(), 0);
  for (const server of servers) server.close();
  assertLives(b.events);
}

const proxyOf = (proxy: Socks5): Address => ({ kind: "tcp", host: "127.0.0.1", port: proxy.port });

/** A port of loopback on which nobody listens. */
async function freePort(): Promise<number> {
  const held = await listener();
  held.close();
  return held.port;
}

test("adapters: dial: directly, bytes go both ways", async () => {
  const echo = await listener();
  const b = bench();
  for (const [conn, host] of [[2, "127.0.0.1"], [4, "localhost"]] as const) {
    dial(b, conn, `${host}:${echo.port}`);
    assert.equal((await b.next("conn.dialed")).conn, conn);
    send(b, conn, bytesOf("hello"));
    const { bytes } = await b.next("conn.received");
    assert.deepEqual([...bytes], [...bytesOf("hello")]);
  }
  await finish(b, echo);
});

test("adapters: dial: a Unix socket is on this machine", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/control`;
    const server = net.createServer((socket) => socket.end("hi"));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const b = bench();
    dial(b, 2, `unix:${path}`);
    await b.next("conn.received");
    assert.equal((await b.next("conn.closed")).reason, "eof");
    dial(b, 4, `unix:${folder}/nobody`);
    assert.equal((await b.next("conn.failed")).reason, "unreachable");
    await finish(b, server);
  });
});

test("adapters: dial: nothing leaves around Tor, and nothing is looked up", async () => {
  const proxy = await socks5();
  const b = bench({ socks: proxyOf(proxy) });
  const wrong: readonly [string, string?][] = [
    ["192.0.2.1:80"], ["example.org:80"], [`${onion}:5222`], ["[2001:db8::1]:80"], ["10.0.0.1:1"],
    ["127.0.0.1.example.org:80"], ["localhost.example.org:80"], ["0.0.0.0:80"], ["[::]:80"],
    ["nonsense"], ["127.0.0.1:0"], ["127.0.0.1"], ["unix:/run/x", "probe"],
    [`${onion}:5222`, "not a label"], [`${onion}:5222`, ""], [`${"a".repeat(256)}:1`, "probe"],
    [`${onion}:0`, "probe"],
  ];
  for (const [i, [to, isolation]] of wrong.entries()) {
    dial(b, 2 * i + 2, to, isolation);
    const last = b.events.at(-1);
    assert.deepEqual(last, { type: "conn.failed", conn: 2 * i + 2, reason: "denied" }, to);
  }
  assert.equal(b.dialer.counts.denied, wrong.length);
  assert.equal(proxy.asked.length, 0);
  const none = bench();
  dial(none, 2, `${onion}:5222`, "probe");
  assert.equal((await none.next("conn.failed")).reason, "denied");
  await finish(b, proxy);
});

test("adapters: dial: the proxy gets the name as it stands, and credentials by label", async () => {
  const echo = await listener();
  const proxy = await socks5();
  proxy.route = () => ({ port: echo.port });
  const b = bench({ socks: proxyOf(proxy) });
  const dials = [
    [`${onion}:5222`, "directory:x:5222"], [`${onion}:5222`, "directory:y:5222"],
    ["example.org:443", "notify"], ["127.0.0.1:1", "probe"],
  ] as const;
  for (const [i, [to, isolation]] of dials.entries()) {
    const conn = 2 * i + 2;
    dial(b, conn, to, isolation);
    assert.equal((await b.next("conn.dialed")).conn, conn);
    send(b, conn, bytesOf(`n${i}`));
    assert.equal(Buffer.from((await b.next("conn.received")).bytes).toString(), `n${i}`);
  }
  assert.deepEqual(proxy.asked.map(({ host, port, user }) => [host, port, user]), [
    [onion, 5222, "dogwatch-directory:x:5222"], [onion, 5222, "dogwatch-directory:y:5222"],
    ["example.org", 443, "dogwatch-notify"], ["127.0.0.1", 1, "dogwatch-probe"],
  ]);
  assert.ok(proxy.asked.every(({ password }) => password === "01".repeat(16)));
  await finish(b, echo, proxy);
});

test("adapters: dial: a proxy on a Unix socket", async () => {
  await withFolder(async (folder) => {
    const echo = await listener();
    const path = `${folder}/socks`;
    const proxy = await socks5({ path });
    proxy.route = () => ({ port: echo.port });
    const b = bench({ socks: { kind: "unix", path } });
    dial(b, 2, `${onion}:5222`, "probe");
    await b.next("conn.dialed");
    await finish(b, echo, proxy);
  });
});

test("adapters: dial: bytes that come with the proxy's answer are not lost", async () => {
  const echo = await listener();
  const proxy = await socks5();
  proxy.route = () => ({ port: echo.port });
  proxy.greeting = "at once";
  const b = bench({ socks: proxyOf(proxy) });
  dial(b, 2, `${onion}:5222`, "probe");
  await b.next("conn.dialed");
  assert.equal(Buffer.from((await b.next("conn.received")).bytes).toString(), "at once");
  // And closed at once, what the proxy had read ahead comes no more.
  dial(b, 4, `${onion}:5222`, "probe");
  await b.until(() => b.events.some(({ type, conn }) => type === "conn.dialed" && conn === 4));
  close(b, 4, "abort");
  await b.next("conn.closed");
  await finish(b, echo, proxy);
});

test("adapters: dial: a proxy that asks for no credentials is refused: it would mix", async () => {
  const echo = await listener();
  const proxy = await socks5();
  proxy.route = () => ({ port: echo.port });
  proxy.method = 0;
  const b = bench({ socks: proxyOf(proxy) });
  dial(b, 2, `${onion}:5222`, "probe");
  assert.equal((await b.next("conn.failed")).reason, "denied");
  assert.deepEqual(b.reports, ["dial.refused"]);
  await finish(b, echo, proxy);
});

test("adapters: dial: failures have their reason, directly and through the proxy", async () => {
  const free = await freePort();
  const proxy = await socks5();
  const b = bench({ socks: proxyOf(proxy) });
  dial(b, 2, `127.0.0.1:${free}`);
  assert.equal((await b.next("conn.failed")).reason, "refused");
  const reasons: readonly [number, string][] = [
    [1, "unreachable"], [2, "unreachable"], [3, "unreachable"], [4, "unreachable"],
    [5, "refused"], [6, "timeout"], [7, "unreachable"], [8, "unreachable"], [0xf0, "unreachable"],
    [0xf6, "unreachable"],
  ];
  for (const [i, [code, reason]] of reasons.entries()) {
    proxy.route = () => ({ code });
    dial(b, 2 * i + 4, `${onion}:5222`, "probe");
    assert.equal((await b.next("conn.failed")).reason, reason, `code ${code}`);
  }
  assert.equal(b.dialer.counts.proxyDown, 0);
  const down = bench({ socks: { kind: "tcp", host: "127.0.0.1", port: free } });
  dial(down, 2, `${onion}:5222`, "probe");
  assert.equal((await down.next("conn.failed")).reason, "unreachable");
  assert.equal(down.dialer.counts.proxyDown, 1);
  await finish(down);
  await finish(b, proxy);
});

test("adapters: dial: whatever a proxy says, one outcome and nothing thrown", async () => {
  const proxy = await socks5();
  const b = bench({ socks: proxyOf(proxy) });
  let conn = 0;
  const place = fc.constantFrom("method" as const, "auth" as const, "request" as const);
  const head = fc.constantFrom([5], [5, 2], [1, 0], [5, 0, 0], [5, 0, 0, 1], [5, 0, 0, 3, 9]);
  const body = fc.uint8Array({ maxLength: 40 });
  await fc.assert(fc.asyncProperty(place, head, body, async (at, start, rest) => {
    proxy.babbleAt = at;
    proxy.babble = Uint8Array.of(...start, ...rest);
    conn += 2;
    const mine = conn;
    dial(b, mine, `${onion}:5222`, "probe");
    await b.until(() => b.events.some((event) => event.conn === mine));
    await b.until(() => b.dialer.open() === 0);
  }), { numRuns: 100 });
  assert.ok(b.dialer.counts.dialed > 0);
  assert.ok(b.dialer.counts.failed > 0);
  await finish(b, proxy);
});

test("adapters: dial: a dial that is given up has no outcome, whatever it waits for", async () => {
  const proxy = await socks5();
  const silent = await socks5();
  proxy.route = () => "silent";
  silent.babble = new Uint8Array(0);
  for (const one of [proxy, silent]) {
    const b = bench({ socks: proxyOf(one) });
    dial(b, 2, `${onion}:5222`, "probe");
    close(b, 2, "abort");
    dial(b, 4, `${onion}:5222`, "probe");
    await new Promise<void>((resolve) => one.server.once("connection", () => resolve()));
    close(b, 4, "flush");
    close(b, 4, "abort");
    assert.deepEqual([b.dialer.pending(), b.dialer.counts.abandoned], [0, 2]);
    await finish(b);
    assert.deepEqual(b.events, []);
  }
  await new Promise((resolve) => setImmediate(resolve));
  proxy.close();
  silent.close();
});

test("adapters: dial: only so many are under way, the others have their turn", async () => {
  const proxy = await socks5();
  proxy.route = () => "silent";
  const b = bench({ socks: proxyOf(proxy), dialsMax: 2 });
  const arrived: (() => void)[] = [];
  proxy.server.on("connection", () => arrived.shift()?.());
  const arrival = (): Promise<void> => new Promise((resolve) => void arrived.push(resolve));
  const first = Promise.all([arrival(), arrival()]);
  for (const conn of [2, 4, 6, 8, 10]) dial(b, conn, `${onion}:${conn}`, "probe");
  await first;
  assert.equal(b.dialer.pending(), 5);
  for (const conn of [8, 2, 4]) {
    const more = conn === 8 ? Promise.resolve() : arrival();
    close(b, conn, "abort");
    await more;
  }
  assert.equal(proxy.openMax <= 3, true, `${proxy.openMax} at once`);
  assert.equal(b.dialer.pending(), 2);
  await finish(b, proxy);
  assert.deepEqual(b.events, []);
});

test("adapters: dial: a slot is free again after every outcome", async () => {
  const echo = await listener();
  const free = await freePort();
  const b = bench({ dialsMax: 1 });
  for (let i = 1; i <= 20; i += 1) {
    dial(b, 2 * i, i % 2 === 0 ? `127.0.0.1:${echo.port}` : `127.0.0.1:${free}`);
  }
  await b.until(() => b.dialer.pending() === 0);
  assert.deepEqual([b.dialer.counts.dialed, b.dialer.counts.failed], [10, 10]);
  const order = b.events.filter(({ type }) => type === "conn.dialed" || type === "conn.failed");
  assert.deepEqual(order.map(({ conn }) => conn), Array.from({ length: 20 }, (_, i) => 2 * i + 2));
  await finish(b, echo);
});

test("adapters: dial: connections and dials together have a bound", async () => {
  const echo = await listener();
  const b = bench({ connsMax: 2 });
  dial(b, 2, `127.0.0.1:${echo.port}`);
  await b.next("conn.dialed");
  dial(b, 4, `127.0.0.1:${echo.port}`);
  dial(b, 6, `127.0.0.1:${echo.port}`);
  assert.deepEqual(b.events.at(-1), { type: "conn.failed", conn: 6, reason: "unreachable" });
  close(b, 2, "abort");
  await b.next("conn.closed");
  dial(b, 8, `127.0.0.1:${echo.port}`);
  await b.until(() => b.dialer.open() === 2);
  await finish(b, echo);
});

test("adapters: dial: what is marked secret is secret in both directions", async () => {
  const echo = await listener();
  const b = bench();
  dial(b, 2, `127.0.0.1:${echo.port}`, undefined, true);
  await b.next("conn.dialed");
  b.dialer.send({ type: "conn.confide", conn: 2 as ConnId, bytes: secret(bytesOf("a key")) });
  const { bytes } = await b.next("conn.confided");
  assert.equal(Buffer.from(bytes.secret).toString(), "a key");
  assert.ok(b.events.every(({ type }) => type !== "conn.received"));
  await finish(b, echo);
});

test("adapters: dial: as for accepted ones: congestion, drain and reasons", async () => {
  const server = await listener(false);
  const b = bench();
  const open = async (conn: number): Promise<net.Socket> => {
    dial(b, conn, `127.0.0.1:${server.port}`);
    await b.next("conn.dialed");
    await b.until(() => true);
    while (server.sockets.length < conn / 2) await new Promise((r) => setImmediate(r));
    return server.sockets[conn / 2 - 1] as net.Socket;
  };
  const slow = await open(2);
  slow.pause();
  send(b, 2, new Uint8Array(16 * mebi));
  await b.next("conn.congested");
  let heard = 0;
  slow.on("data", (part: Buffer) => (heard += part.length));
  slow.resume();
  await b.next("conn.drained");
  close(b, 2, "flush");
  await once(slow, "end");
  assert.equal(heard, 16 * mebi);
  assert.equal((await b.next("conn.closed")).reason, "closed");
  send(b, 2, bytesOf("late"));
  assert.equal(b.dialer.counts.lateSends, 1);
  const ends = await open(4);
  ends.end();
  assert.equal((await b.next("conn.closed")).reason, "eof");
  const resets = await open(6);
  resets.resetAndDestroy();
  assert.equal((await b.next("conn.closed")).reason, "reset");
  const aborted = await open(8);
  aborted.resume();
  const failure = once(aborted, "error");
  close(b, 8, "abort");
  assert.equal(((await failure) as NodeJS.ErrnoException).code, "ECONNRESET");
  assert.equal((await b.next("conn.closed")).reason, "aborted");
  await finish(b, server);
});
