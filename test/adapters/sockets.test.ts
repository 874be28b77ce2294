import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import test from "node:test";
import type { ConnId } from "../../core/ids.ts";
import type { ConnEvent } from "../../core/kernel/io.ts";
import {
  anywhere, close, dial, hubOn, once, send, withFolder, type Hub,
} from "../support/sockets.ts";
import { bytesOf } from "../support/toy.ts";

const mebi = 1024 * 1024;

/** Each opened connection closes exactly once, and nothing comes after. */
function assertLives(events: readonly ConnEvent[]): void {
  const open = new Map<ConnId, boolean>();
  for (const event of events) {
    if (event.type === "conn.opened") assert.ok(!open.has(event.conn));
    else assert.equal(open.get(event.conn), true, `${event.type} for ${event.conn}`);
    open.set(event.conn, event.type !== "conn.closed");
  }
  assert.ok([...open.values()].every((isOpen) => !isOpen));
}

async function finish(hub: Hub, ...clients: net.Socket[]): Promise<void> {
  hub.sockets.closeAll();
  for (const client of clients) client.destroy();
  await hub.until(() => hub.sockets.open() === 0);
  assertLives(hub.events);
}

test("adapters: sockets: bytes go both ways, ids are odd and never reused", async () => {
  const hub = await hubOn(anywhere);
  const clients: net.Socket[] = [];
  for (const want of [1, 3, 5]) {
    const client = dial(hub.address);
    clients.push(client);
    const { conn } = await hub.next("conn.opened");
    assert.equal(conn, want);
    client.write("hello");
    const received = await hub.next("conn.received");
    assert.deepEqual([received.conn, [...received.bytes]], [want, [...bytesOf("hello")]]);
    send(hub, conn, bytesOf("bonjour"));
    assert.equal(String(await once(client, "data")), "bonjour");
    client.destroy();
    await hub.next("conn.closed");
  }
  await finish(hub, ...clients);
});

test("adapters: sockets: one array sent to many arrives whole at each", async () => {
  const hub = await hubOn(anywhere);
  const clients = [dial(hub.address), dial(hub.address), dial(hub.address)];
  const conns = [];
  for (const _ of clients) conns.push((await hub.next("conn.opened")).conn);
  const backing = bytesOf("..to all..");
  const shared = backing.subarray(2, 8);
  const heard = clients.map((client) => once(client, "data"));
  for (const conn of conns) send(hub, conn, shared);
  for (const one of heard) assert.equal(String(await one), "to all");
  await finish(hub, ...clients);
});

test("adapters: sockets: the end of a connection has its reason", async () => {
  const hub = await hubOn(anywhere);
  const reasonOf = async (act: (client: net.Socket, conn: ConnId) => void): Promise<string> => {
    const client = dial(hub.address);
    client.resume();
    const [{ conn }] = await Promise.all([hub.next("conn.opened"), once(client, "connect")]);
    act(client, conn);
    const { reason } = await hub.next("conn.closed");
    client.destroy();
    return reason;
  };
  assert.equal(await reasonOf((client) => client.end()), "eof");
  assert.equal(await reasonOf((client) => client.resetAndDestroy()), "reset");
  assert.equal(await reasonOf((_client, conn) => close(hub, conn, "abort")), "aborted");
  assert.equal(await reasonOf((_client, conn) => close(hub, conn, "flush")), "closed");
  await finish(hub);
});

test("adapters: sockets: abort resets, flush delivers and ends", async () => {
  const hub = await hubOn(anywhere);
  const aborted = dial(hub.address);
  const first = await hub.next("conn.opened");
  aborted.on("data", () => assert.fail("an aborted connection delivered"));
  const failure = once(aborted, "error");
  close(hub, first.conn, "abort");
  assert.equal(((await failure) as NodeJS.ErrnoException).code, "ECONNRESET");

  const flushed = dial(hub.address);
  const second = await hub.next("conn.opened");
  let heard = 0;
  flushed.on("data", (part: Buffer) => (heard += part.length));
  send(hub, second.conn, new Uint8Array(8 * mebi));
  close(hub, second.conn, "flush");
  send(hub, second.conn, bytesOf("too late"));
  assert.equal(hub.sockets.counts.lateSends, 1);
  await once(flushed, "end");
  assert.equal(heard, 8 * mebi);
  await finish(hub, aborted, flushed);
});

test("adapters: sockets: abort after flush ends a peer that does not read", async () => {
  const hub = await hubOn(anywhere);
  const clients: net.Socket[] = [];
  for (const size of [0, 5, 16 * mebi]) {
    const client = dial(hub.address);
    clients.push(client);
    const { conn } = await hub.next("conn.opened");
    if (size > 0) send(hub, conn, new Uint8Array(size));
    close(hub, conn, "flush");
    close(hub, conn, "flush");
    close(hub, conn, "abort");
    assert.equal((await hub.next("conn.closed")).reason, "closed");
  }
  await finish(hub, ...clients);
});

test("adapters: sockets: a slow reader is told once, and drained when all is taken", async () => {
  const hub = await hubOn(anywhere);
  const client = dial(hub.address);
  client.pause();
  const { conn } = await hub.next("conn.opened");
  let sent = 0;
  const isCongested = (): boolean => hub.events.some((event) => event.type === "conn.congested");
  // Below the stream's high-water mark: its own `drain` would not come.
  const piece = new Uint8Array(4_096);
  while (!isCongested() && sent < 64 * mebi) {
    send(hub, conn, piece);
    sent += piece.length;
  }
  assert.ok(isCongested());
  assert.ok(!hub.events.some((event) => event.type === "conn.drained"));
  // A core that does not listen: what it sends counts too before it is told `drained`.
  for (let i = 0; i < 10; i += 1) send(hub, conn, piece);
  sent += 10 * piece.length;
  let heard = 0;
  client.on("data", (part: Buffer) => (heard += part.length));
  client.resume();
  await hub.next("conn.drained");
  send(hub, conn, bytesOf("!"));
  close(hub, conn, "flush");
  await hub.next("conn.closed");
  client.destroy();
  assert.equal(heard, sent + 1);
  const types = hub.events.map((event) => event.type);
  const told = types.filter((type) => type === "conn.congested" || type === "conn.drained");
  assert.deepEqual(told, ["conn.congested", "conn.drained"]);
  await finish(hub, client);
});

test("adapters: sockets: every congestion has its drain, again and again", async () => {
  const hub = await hubOn(anywhere);
  const client = dial(hub.address);
  const { conn } = await hub.next("conn.opened");
  client.resume();
  for (let round = 0; round < 3; round += 1) {
    send(hub, conn, new Uint8Array(16 * mebi));
    await hub.next("conn.congested");
    await hub.next("conn.drained");
  }
  await finish(hub, client);
});

test("adapters: sockets: a peer that dies while congested closes once, undrained", async () => {
  const hub = await hubOn(anywhere);
  const client = dial(hub.address);
  client.pause();
  const { conn } = await hub.next("conn.opened");
  send(hub, conn, new Uint8Array(16 * mebi));
  await hub.next("conn.congested");
  client.resetAndDestroy();
  assert.equal((await hub.next("conn.closed")).reason, "reset");
  assert.ok(!hub.events.some((event) => event.type === "conn.drained"));
  send(hub, conn, bytesOf("late"));
  close(hub, conn, "abort");
  close(hub, conn, "flush");
  assert.equal(hub.sockets.counts.lateSends, 1);
  await finish(hub);
});

test("adapters: sockets: connections beyond the bound are refused, counted and told", async () => {
  const hub = await hubOn(anywhere, 1);
  const first = dial(hub.address);
  await hub.next("conn.opened");
  const second = dial(hub.address);
  await once(second, "close");
  assert.deepEqual(hub.reports, ["sockets.refused"]);
  assert.deepEqual([hub.sockets.counts.refused, hub.sockets.counts.accepted], [1, 1]);
  first.end();
  await hub.next("conn.closed");
  const third = dial(hub.address);
  assert.equal((await hub.next("conn.opened")).conn, 3);
  await finish(hub, third);
});

test("adapters: sockets: no more are accepted once listening has stopped", async () => {
  const hub = await hubOn(anywhere);
  const client = dial(hub.address);
  const { conn } = await hub.next("conn.opened");
  hub.sockets.stopListening();
  const late = dial(hub.address);
  assert.equal(((await once(late, "error")) as NodeJS.ErrnoException).code, "ECONNREFUSED");
  send(hub, conn, bytesOf("still here"));
  assert.equal(String(await once(client, "data")), "still here");
  await finish(hub, client);
});

test("adapters: sockets: IPv6 loopback", async (t) => {
  const hub = await hubOn({ kind: "tcp", host: "::1", port: 0 }).catch(() => undefined);
  if (hub === undefined) return t.skip("no IPv6 here");
  const client = dial(hub.address);
  await hub.next("conn.opened");
  await finish(hub, client);
});

test("adapters: sockets: a Unix socket has narrow rights and is gone after use", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/node.sock`;
    const hub = await hubOn({ kind: "unix", path });
    assert.equal(fs.statSync(path).mode & 0o777, 0o600);
    const client = dial(hub.address);
    const { conn } = await hub.next("conn.opened");
    client.write("x");
    await hub.next("conn.received");
    close(hub, conn, "abort");
    assert.equal((await hub.next("conn.closed")).reason, "aborted");
    await finish(hub, client);
    assert.ok(!fs.existsSync(path));
  });
});

test("adapters: sockets: a listener that does not open says why", async () => {
  await withFolder(async (folder) => {
    const hub = await hubOn({ kind: "unix", path: `${folder}/a.sock` });
    const tcp = await hubOn(anywhere);
    fs.writeFileSync(`${folder}/plain`, "precious");
    const reasonOf = async (address: Parameters<typeof hubOn>[0]): Promise<string> => {
      const listening = await hub.sockets.listen(address);
      return listening.ok ? "opened" : listening.failure.reason;
    };
    assert.equal(await reasonOf({ kind: "unix", path: `${folder}/a.sock` }), "in-use");
    assert.equal(await reasonOf({ kind: "unix", path: `${folder}/plain` }), "not-a-socket");
    assert.equal(await reasonOf({ kind: "unix", path: `${folder}/no/b.sock` }), "unavailable");
    assert.equal(await reasonOf(tcp.address), "in-use");
    assert.equal(await reasonOf({ kind: "tcp", host: "192.0.2.1", port: 0 }), "unavailable");
    assert.equal(fs.readFileSync(`${folder}/plain`, "utf8"), "precious");
    await finish(hub);
    await finish(tcp);
  });
});

test("adapters: sockets: a socket file that a killed run left is taken over", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/stale.sock`;
    const left = net.createServer();
    left.listen(`${folder}/first.sock`);
    await once(left, "listening");
    // Under another name the file outlives its server.
    fs.renameSync(`${folder}/first.sock`, path);
    left.close();
    await once(left, "close");
    const hub = await hubOn({ kind: "unix", path });
    await finish(hub);
  });
});
