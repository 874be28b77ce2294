/**
 * The doctor looks at notice targets, and sends nothing.
 * @module
 */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Finding, within } from "../../../cli/doctor/finding.ts";
import { notices } from "../../../cli/doctor/notices.ts";
import { socks5 } from "../../support/socks5.ts";
import { folder } from "../capture.ts";
import { ambient, closedPort, type Keys, serverAt, settingsOf } from "./bench.ts";

const temp = folder();
after(temp.remove);

const file = (name: string, text: string): string => {
  const path = join(temp.path, name);
  writeFileSync(path, text);
  return path;
};

async function look(keys: Keys, path?: string): Promise<readonly Finding[]> {
  const settings = settingsOf({ "maker.directories": ["127.0.0.1:1"], ...keys });
  const all = notices(settings, ambient, () => 5_000, path);
  return (await Promise.all(all.map((check) => within(check, ambient)))).flat();
}

async function one(keys: Keys, path?: string): Promise<Finding> {
  const [found, ...more] = await look(keys, path);
  assert.ok(found !== undefined);
  assert.deepEqual(more, []);
  return found;
}

test("doctor: notices: no target is no fault", async () => {
  const { what, state } = await one({});
  assert.deepEqual([what, state], ["notices", "skipped"]);
});

test("doctor: notices: each server is reached, without secret and without a notice", async () => {
  const asked: string[] = [];
  const server = http.createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url} ${headers.authorization ?? ""}${String(headers["x-gotify-key"])}`);
    response.writeHead(url === "/health" ? 503 : 404).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secret = file("secret", "s3cret");
  const found = await look({
    "notify.webhook": `${base}/private/hook`, "notify.webhook_auth": secret,
    "notify.ntfy": base, "notify.ntfy_topic": secret,
    "notify.gotify": base, "notify.gotify_token": secret,
    "notify.updates": `${base}/repos/o/n/releases/latest`,
  });
  assert.deepEqual(found.map(({ what, state }) => `${what} ${state}`), [
    "notify.webhook ok", "notify.ntfy ok", "notify.gotify warn", "notify.updates ok",
  ]);
  assert.deepEqual(asked.sort(), [
    "GET / undefined", "GET / undefined", "GET /health undefined", "GET /v1/health undefined",
  ]);
  server.close();
});

test("doctor: notices: nobody there, no HTTP, no secret: what to do", async () => {
  const gone = await one({ "notify.webhook": `http://127.0.0.1:${await closedPort()}` });
  assert.deepEqual([gone.state, gone.seen.includes("nobody listens there")], ["fail", true]);
  assert.match(gone.fix ?? "", /notify\.webhook/);
  const odd = await serverAt((socket) => socket.end("SSH-2.0-x\r\n"));
  const { state, seen } = await one({ "notify.webhook": `http://127.0.0.1:${odd.port}` });
  assert.deepEqual([state, seen.includes("does not speak HTTP")], ["fail", true]);
  odd.close();
  const absent = await one({
    "notify.ntfy": "http://127.0.0.1:1", "notify.ntfy_topic": join(temp.path, "absent"),
  });
  assert.match(absent.seen, /^its secret cannot be read: .*ENOENT/);
});

test("doctor: notices: what is not on this machine is reached through Tor", async () => {
  const server = http.createServer((_, response) => response.end("hello"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const tor = await socks5();
  tor.route = () => ({ port: (server.address() as AddressInfo).port });
  const found = await one({
    "notify.webhook": "http://hook.example/x", "tor.socks": `127.0.0.1:${tor.port}`,
  });
  tor.close();
  server.close();
  assert.deepEqual([found.state, found.seen],
    ["ok", "hook.example answers through Tor; nothing was sent"]);
  assert.deepEqual(tor.asked.map(({ host, port }) => [host, port]), [["hook.example", 80]]);
});

test("doctor: notices: the command is there and may be run, and is not", async () => {
  const trace = join(temp.path, "trace");
  const program = file("tell", `#!/bin/sh\ntouch ${trace}\n`);
  chmodSync(program, 0o755);
  for (const name of [program, "tell"]) {
    const { state, seen } = await one({ "notify.exec": [name, "x"] }, temp.path);
    assert.deepEqual([state, seen], ["ok", `${program} can be run; it was not`]);
  }
  assert.throws(() => chmodSync(trace, 0o600), /ENOENT/);
  chmodSync(program, 0o644);
  const closed = await one({ "notify.exec": [program] });
  assert.deepEqual([closed.state, closed.seen], ["fail", `${program} may not be run`]);
  for (const name of [join(temp.path, "absent"), "absent"]) {
    assert.equal((await one({ "notify.exec": [name] }, temp.path)).state, "fail");
  }
});
