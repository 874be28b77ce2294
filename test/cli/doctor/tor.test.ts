/**
 * Tor's two ports: real sockets, and a Tor that proves cookies and passwords for real.
 * @module
 */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseAddress } from "../../../adapters/address.ts";
import { secretSource } from "../../../adapters/secretfile.ts";
import { type Consensus, controlPort, type ControlSpec } from "../../../cli/doctor/control.ts";
import type { Finding } from "../../../cli/doctor/finding.ts";
import { socksPort } from "../../../cli/doctor/socks.ts";
import { socks5 } from "../../support/socks5.ts";
import { type FakeTor, fakeTor, talk } from "../../support/tor.ts";
import { folder } from "../capture.ts";
import { ambient, closedPort, only, type Served, serverAt } from "./bench.ts";

const temp = folder();
after(temp.remove);

function addressOf(port: number) {
  const address = parseAddress(`127.0.0.1:${port}`);
  assert.ok(address !== undefined);
  return address;
}

test("doctor: SOCKS: not set is skipped; Tor's is well", async () => {
  assert.equal((await only(socksPort(undefined, 1_000))).state, "skipped");
  const tor = await socks5();
  const found = await only(socksPort(addressOf(tor.port), 1_000));
  assert.equal(found.state, "ok", found.seen);
  tor.close();
});

test("doctor: SOCKS: nobody, another protocol, a proxy that is not Tor, silence", async () => {
  const nobody = await only(socksPort(addressOf(await closedPort()), 1_000));
  assert.match(nobody.seen, /nobody listens there$/);
  assert.match(nobody.fix ?? "", /start Tor/);
  const unix = await only(socksPort({ kind: "unix", path: join(temp.path, "none") }, 1_000));
  assert.match(unix.seen, /no such socket file$/);
  const says: readonly (readonly [bytes: string | Uint8Array, seen: RegExp])[] = [
    ["514 Authentication required.\r\n", /no SOCKS5 proxy/],
    [Uint8Array.of(5, 255), /not Tor/], [Uint8Array.of(5, 0), /not Tor/],
  ];
  for (const [bytes, seen] of says) {
    const server = await serverAt((socket) => void socket.write(bytes));
    const found = await only(socksPort(addressOf(server.port), 1_000));
    assert.match(found.seen, seen);
    assert.equal(found.state, "fail");
    server.close();
  }
  const closing = await serverAt((socket) => socket.end());
  assert.match((await only(socksPort(addressOf(closing.port), 1_000))).seen, /without an answer/);
  closing.close();
  const silent = await serverAt(() => {});
  assert.match((await only(socksPort(addressOf(silent.port), 30))).seen, /no result within/);
  silent.close();
});

/** A control port that also knows of the consensus and how far Tor has come. */
async function torAt(tor: FakeTor, percent = 100): Promise<Served> {
  return serverAt((socket) => {
    const { say } = talk(tor);
    let held = "";
    let isIn = false;
    socket.on("data", (bytes) => {
      held += bytes.toString("latin1");
      const end = held.lastIndexOf("\r\n");
      if (end < 0) return;
      const lines = held.slice(0, end).split("\r\n");
      held = held.slice(end + 2);
      for (const line of lines) socket.write(answer(line));
    });
    const answer = (line: string): string => {
      if (!isIn || !line.startsWith("GETINFO")) {
        const said = say(`${line}\r\n`);
        isIn ||= line.startsWith("AUTHENTICATE") && said.startsWith("250");
        return said;
      }
      if (line.includes("bootstrap")) {
        return `250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=${percent} TAG=x ` +
          `SUMMARY="Loading relays"\r\n250 OK\r\n`;
      }
      return "250-consensus/valid-after=2026-02-28 23:00:00\r\n" +
        "250-consensus/valid-until=2026-03-01 02:00:00\r\n250 OK\r\n";
    };
  });
}

async function ask(
  port: number, more: Partial<ControlSpec> = {},
): Promise<{ readonly finding: Finding; readonly told: Consensus | undefined }> {
  let told: Consensus | undefined;
  const spec = { address: addressOf(port), cookiePath: undefined, password: undefined, ...more };
  const finding = await only(controlPort(spec, ambient, 2_000, (one) => (told = one)));
  return { finding, told };
}

test("doctor: control: by cookie, and what Tor knows of the time", async () => {
  const cookiePath = join(temp.path, "cookie");
  const tor = fakeTor();
  writeFileSync(cookiePath, tor.cookie);
  const server = await torAt(tor);
  const { finding, told } = await ask(server.port, { cookiePath });
  assert.equal(finding.state, "ok", finding.seen);
  assert.match(finding.seen, /Tor 0\.4\.9\.11, connected to the network$/);
  assert.equal(told?.fromMs, Date.UTC(2026, 1, 28, 23));
  assert.equal(told?.untilMs, Date.UTC(2026, 2, 1, 2));
  server.close();
});

test("doctor: control: by password; a Tor that is on its way", async () => {
  const path = join(temp.path, "password");
  writeFileSync(path, "pass word\n");
  const tor = fakeTor();
  tor.methods = "HASHEDPASSWORD";
  tor.password = "pass word";
  const server = await torAt(tor, 45);
  const { finding } = await ask(server.port, { password: secretSource(path, {}) });
  assert.equal(finding.state, "warn", finding.seen);
  assert.match(finding.seen, /45 % connected to the network: Loading relays$/);
  tor.password = "another";
  const refused = await ask(server.port, { password: secretSource(path, {}) });
  assert.equal(refused.finding.state, "fail");
  assert.match(refused.finding.fix ?? "", /refuses our password/);
  assert.doesNotMatch(JSON.stringify(refused), /pass word/);
  const gone = await ask(server.port, { password: secretSource(join(temp.path, "no"), {}) });
  assert.match(gone.finding.fix ?? "", /password .* cannot be read/);
  server.close();
});

test("doctor: control: nobody, no cookie, a cookie that is none, not configured", async () => {
  const nobody = await ask(await closedPort());
  assert.match(nobody.finding.seen, /nobody listens there$/);
  assert.match(nobody.finding.fix ?? "", /ControlPort/);
  const server = await torAt(fakeTor());
  const absent = await ask(server.port, { cookiePath: join(temp.path, "absent") });
  assert.match(absent.finding.fix ?? "", /is not there/);
  const short = join(temp.path, "short");
  writeFileSync(short, "x");
  const malformed = await ask(server.port, { cookiePath: short });
  assert.match(malformed.finding.fix ?? "", /32 bytes/);
  if (process.getuid?.() !== 0) {
    chmodSync(short, 0o000);
    assert.match((await ask(server.port, { cookiePath: short })).finding.fix ?? "", /group/);
  }
  server.close();
  const none = await only(controlPort(undefined, ambient, 1_000, () => {}));
  assert.equal(none.state, "skipped");
});
