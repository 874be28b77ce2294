/**
 * Visits to real directories, and to what is none.
 * @module
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { addressText } from "../../../adapters/address.ts";
import { directories } from "../../../cli/doctor/directories.ts";
import type { Finding } from "../../../cli/doctor/finding.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";
import { directoryHello } from "../../../core/joinmarket/handshake.ts";
import { socks5 } from "../../support/socks5.ts";
import { folder } from "../capture.ts";
import {
  ambient, closedPort, directoryAt, type Keys, only, serverAt, settingsOf,
} from "./bench.ts";

const temp = folder();
after(temp.remove);
const onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:5222";

async function visit(to: string, keys: Keys = {}, limitMs = 5_000): Promise<Finding> {
  const settings = settingsOf({ "maker.directories": [to], ...keys });
  const [check] = directories(settings, ambient, { viaTorMs: limitMs, localMs: limitMs });
  assert.ok(check !== undefined);
  return only(check);
}

test("doctor: directory: a real one lets us in, and nobody stays behind", async () => {
  const daemon = await directoryAt({ "directory.motd": "hello" }, temp.path);
  const to = addressText(daemon.listen[0]!);
  const { state, seen, what } = await visit(to);
  assert.equal(what, `directory ${to}`);
  assert.equal(state, "ok", seen);
  assert.match(seen, /^dialled in \d+ ms, let in after \d+ ms, answers PING, says "hello"$/);
  assert.equal(daemon.status().handshakes["ok"], 1);
  daemon.stop("test");
  assert.equal(await daemon.ended, 0);
});

test("doctor: directory: one of another network refuses, and says why", async () => {
  const daemon = await directoryAt({ network: "signet" }, temp.path);
  const { state, seen, fix } = await visit(addressText(daemon.listen[0]!));
  assert.equal(state, "fail");
  assert.match(seen, /^it (refuses us|serves another network)/);
  assert.match(fix ?? "", /operator|network/);
  daemon.stop("test");
  await daemon.ended;
});

test("doctor: directory: a proof is required that this directory does not ask for", async () => {
  const daemon = await directoryAt({}, temp.path);
  const to = addressText(daemon.listen[0]!);
  const { state, fix } = await visit(to, { "maker.directory_auth": "require" });
  assert.equal(state, "fail");
  assert.match(fix ?? "", /directory_auth/);
  daemon.stop("test");
  await daemon.ended;
});

test("doctor: directory: nobody there, a closed door, silence, another program", async () => {
  const nobody = await visit(`127.0.0.1:${await closedPort()}`);
  assert.equal(nobody.seen, "nobody listens there");
  assert.match(nobody.fix ?? "", /start it/);

  const closing = await serverAt((socket) => socket.end());
  assert.match((await visit(`127.0.0.1:${closing.port}`)).seen, /closed before it answered/);
  closing.close();

  const silent = await serverAt(() => {});
  const late = await visit(`127.0.0.1:${silent.port}`, {}, 50);
  assert.equal(late.seen, "no result within 0.05 s");
  silent.close();

  for (const said of ["HTTP/1.1 400 Bad Request\r\n", "x".repeat(50_000)]) {
    const web = await serverAt((socket) => void socket.write(said));
    assert.match((await visit(`127.0.0.1:${web.port}`)).seen, /is no directory/);
    web.close();
  }
});

test("doctor: directory: refusals of any kind are told apart, texts included", async () => {
  const hello = {
    nick: "J5Ckon1LuuapPSBM", network: "regtest", motd: "full", features: [], accepted: true,
  };
  const answers: readonly (readonly [text: string, seen: RegExp, state: string])[] = [
    [directoryHello({ ...hello, accepted: false }), /refuses us: "full"/, "fail"],
    [directoryHello({ ...hello, network: "mainnet" }), /another network than regtest/, "fail"],
    [directoryHello(hello), /does not answer PING, says "full"/, "warn"],
    [directoryHello(hello).replace("ver-min\": 5", "ver-min\": 6"), /version 5/, "fail"],
    ["{}", /malformed/, "fail"],
  ];
  for (const [text, seen, state] of answers) {
    const server = await serverAt((socket) => {
      socket.write(envelope.encode(envelope.types.PING, ""));
      socket.write(envelope.encode(envelope.types.DN_HANDSHAKE, text));
    });
    const found = await visit(`127.0.0.1:${server.port}`);
    assert.match(found.seen, seen);
    assert.equal(found.state, state);
    server.close();
  }
});

test("doctor: directory: an onion by way of SOCKS, each on a circuit of its own", async () => {
  const daemon = await directoryAt({}, temp.path);
  const at = daemon.listen[0]!;
  assert.ok(at.kind === "tcp");
  const tor = await socks5();
  tor.route = () => ({ port: at.port });
  const through = { "tor.socks": `127.0.0.1:${tor.port}` };
  const found = await visit(onion, through);
  assert.equal(found.state, "ok", found.seen);
  assert.equal(`${tor.asked[0]?.host}:${tor.asked[0]?.port}`, onion);
  assert.match(tor.asked[0]?.user ?? "", /directory:2gzyx/);
  await visit(onion, through);
  assert.notEqual(tor.asked[0]?.password, tor.asked[1]?.password);
  tor.route = () => ({ code: 4 });
  const away = await visit(onion, through);
  assert.equal(away.seen, "Tor did not reach it");
  tor.method = 0;
  tor.route = () => ({ port: at.port });
  assert.match((await visit(onion, through)).seen, /no permitted way/);
  tor.close();
  daemon.stop("test");
  await daemon.ended;
});
