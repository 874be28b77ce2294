/**
 * `dogwatch status` and `healthcheck` against servers that are no Dogwatch.
 * @module
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { readinessIn, statusIn } from "../../cli/status-check.ts";
import { statusText } from "../../cli/status-text.ts";
import { defaults } from "../../core/directory/config.ts";
import * as directory from "../../core/directory/directory.ts";
import { status, type Status } from "../../core/directory/status.ts";
import { mono } from "../../core/time.ts";
import { folder, run } from "./capture.ts";

const temp = folder();
after(temp.remove);

const told: Status = status(directory.create(defaults, mono(0)), mono(5_000));

/** Lets `use` ask a server that gives this answer to everything. */
async function serving(
  code: number,
  body: string,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const server = http.createServer((_, response) => {
    response.writeHead(code, { location: "http://127.0.0.1:1/" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  server.closeAllConnections();
  server.close();
}

test("status: a foreign answer of any shape: exit 3 with a sentence, no fault", async () => {
  const bodies = [
    "null", "{}", "[1]", "7", '"x"', '{"schema":1}', '{"schema":1,"peers":{}}',
    '{"ready":null}', JSON.stringify({ ...told, totals: null }),
  ];
  for (const body of bodies) {
    await serving(200, body, async (address) => {
      for (const command of ["status", "healthcheck"]) {
        const { code, out, err } = await run([command, "--http", address]);
        assert.equal(code, 3, `${command} ${body}`);
        assert.equal(out, "");
        assert.match(err, /answers, but not as a Dogwatch directory; another program may/);
      }
    });
  }
});

test("status: check: the real snapshot passes; without any one shown field it does not", () => {
  assert.equal(statusIn(200, told), told);
  assert.equal(statusIn(404, told), undefined);
  const unused = new Set(["startedUnixMs", "inputBytes", "contests", "recent"]);
  for (const name of Object.keys(told)) {
    if (unused.has(name)) continue;
    assert.equal(statusIn(200, { ...told, [name]: undefined }), undefined, name);
    assert.equal(statusIn(200, { ...told, [name]: { x: "y" } }), undefined, name);
  }
});

test("status: text: the own onion service, and what is wrong", () => {
  const { onion } = told;
  assert.match(statusText(told), /^location +not set/m);
  assert.doesNotMatch(statusText(told), /^(onion|wrong)/m);
  const down = statusText({
    ...told, onion: { ...onion, state: "down", sinceMs: 5_000, why: "no \u001b[31mTor" },
    degraded: [{ name: "onion-down", why: "no Tor", does: "it is asked again", sinceMs: 5_000 }],
  });
  assert.match(down, /^location +not known yet$/m);
  assert.match(down, /^wrong +onion-down: no Tor, for 5 s\n +it is asked again$/m);
  assert.match(down, /^onion +down for 5 s: no .*Tor$/m);
  assert.ok(!down.includes("\u001b"), "made safe to print");
  const up = statusText({
    ...told, location: "abc.onion:5222",
    onion: { ...onion, state: "up", sinceMs: 5_000, isReachable: true, reachedMs: 1_000 },
  });
  assert.match(up, /^onion +up for 5 s\n +reached by ourselves, last reached 1 s ago$/m);
});

test("healthcheck: only 200 with ready and 503 without are answers", async () => {
  assert.deepEqual(readinessIn(200, { ready: true, reasons: [] }), { ready: true, reasons: [] });
  for (const code of [200, 302, 404, 500, 503]) {
    for (const ready of [true, false]) {
      await serving(code, JSON.stringify({ ready, reasons: [] }), async (address) => {
        const expected = code === 200 && ready ? 0 : code === 503 && !ready ? 1 : 3;
        assert.equal((await run(["healthcheck", "--http", address])).code, expected, `${code}`);
      });
    }
  }
  assert.equal(readinessIn(503, { ready: false, reasons: [1] }), undefined);
  assert.equal(readinessIn(503, { ready: false }), undefined);
});

test("status and healthcheck: texts of the answer reach the terminal escaped", async () => {
  const evil = "\u001b[31mred\u0007\u202e";
  const answer = { ...told, nick: evil, network: evil, location: evil, drops: { [evil]: 2 } };
  await serving(200, JSON.stringify(answer), async (address) => {
    const { code, out } = await run(["status", "--http", address]);
    assert.equal(code, 0);
    assert.doesNotMatch(out, /[^\n\x20-\x7e]/);
    assert.match(out, /^dropped +2 \\u\{1b\}\[31mred/m);
  });
  await serving(503, JSON.stringify({ ready: false, reasons: [evil] }), async (address) => {
    const { code, out } = await run(["healthcheck", "--http", address]);
    assert.equal(code, 1);
    assert.equal(out, "not ready: \\u{1b}[31mred\\u{7}\\u{202e}\n");
  });
});

test("status: port 0 cannot be asked, exit 2; a remote address can", async () => {
  const dataDir = join(temp.path, "state");
  mkdirSync(dataDir);
  const note = { pid: 1, listen: [], http: "127.0.0.1:1", nick: "J5x" };
  writeFileSync(join(dataDir, "directory.json"), JSON.stringify(note));
  for (const command of ["status", "healthcheck"]) {
    const args = [command, "--http", "127.0.0.1:0", "--data-dir", dataDir];
    const { code, err } = await run(args);
    assert.equal(code, 2);
    assert.match(err, /--http 127\.0\.0\.1:0: port 0 cannot be asked/);
  }
  const env = { DOGWATCH__DIRECTORY__HTTP_REMOTE: "false" };
  assert.equal((await run(["status", "--http", "0.0.0.0:1"], env)).code, 3);
});
