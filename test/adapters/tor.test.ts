import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { secretSource } from "../../adapters/secretfile.ts";
import { carryOut, type TorFiles } from "../../adapters/tor.ts";
import { secret, type Secret } from "../../core/secret.ts";

type Order = Parameters<typeof carryOut>[1];
type Answer = Parameters<TorFiles["hear"]>[0];

const folder = fs.mkdtempSync(join(tmpdir(), "dogwatch-tor-"));

function ask(order: Order, over: Partial<TorFiles> = {}): Promise<Answer> {
  return new Promise((hear) => carryOut({
    keyFile: join(folder, "key"), password: undefined, entropy: (size) => new Uint8Array(size),
    hear, ...over,
  }, order));
}

test("tor: a cookie has its size, or is none", async () => {
  const path = join(folder, "cookie");
  fs.writeFileSync(path, Buffer.alloc(32, 7));
  const given = await ask({ type: "cookie.want", req: 1, path });
  assert.ok(given.type === "cookie.given" && given.cookie.secret.length === 32);
  for (const size of [0, 31, 33, 5_000]) {
    fs.writeFileSync(path, Buffer.alloc(size, 7));
    const failed = await ask({ type: "cookie.want", req: 2, path });
    assert.deepEqual(failed, { type: "cookie.failed", req: 2, reason: "malformed" });
  }
  const absent = await ask({ type: "cookie.want", req: 3, path: join(folder, "none") });
  assert.deepEqual(absent, { type: "cookie.failed", req: 3, reason: "absent" });
});

test("tor: a password comes from its source; without one there is none", async () => {
  const path = join(folder, "password");
  fs.writeFileSync(path, "open sesame\n");
  const given = await ask({ type: "password.want", req: 1 }, { password: secretSource(path, {}) });
  assert.ok(given.type === "password.given");
  assert.equal(Buffer.from(given.password.secret).toString(), "open sesame");
  const absent = await ask({ type: "password.want", req: 2 });
  assert.deepEqual(absent, { type: "password.failed", req: 2, reason: "absent" });
  const nonce = await ask({ type: "nonce.want", req: 3, size: 5 });
  assert.ok(nonce.type === "nonce.given" && nonce.bytes.length === 5);
});

test("tor: a key is made once, kept for us only, and never replaced", async () => {
  const keyFile = join(folder, "own.key");
  const mine = secret(new Uint8Array(Buffer.from("ED25519-V3:abc")));
  assert.equal((await ask({ type: "key.load", req: 1 }, { keyFile })).type, "key.absent");
  const save = async (req: number, file: Secret): Promise<string> =>
    (await ask({ type: "key.save", req, file }, { keyFile })).type;
  assert.equal(await save(2, mine), "key.saved");
  assert.equal(fs.statSync(keyFile).mode & 0o777, 0o600);
  assert.equal(await save(3, mine), "key.saved");
  const other = secret(new Uint8Array(Buffer.from("ED25519-V3:xyz")));
  assert.equal(await save(4, other), "key.failed");
  const loaded = await ask({ type: "key.load", req: 5 }, { keyFile });
  assert.ok(loaded.type === "key.loaded");
  assert.equal(Buffer.from(loaded.file.secret).toString(), "ED25519-V3:abc");
  assert.deepEqual(fs.readdirSync(folder).filter((name) => name.endsWith(".part")), []);
  const lost = await ask({ type: "key.save", req: 6, file: mine }, {
    keyFile: join(folder, "none", "key"),
  });
  assert.deepEqual(lost, { type: "key.failed", req: 6, reason: "failed" });
});

test("tor: a key is written once at a time", async () => {
  const keyFile = join(folder, "twice.key");
  const file = secret(new Uint8Array(Buffer.from("ED25519-V3:abc")));
  const answers = await Promise.all([1, 2].map((req) =>
    ask({ type: "key.save", req, file }, { keyFile })));
  assert.deepEqual(answers.map(({ type }) => type), ["key.saved", "key.failed"]);
  assert.equal((await ask({ type: "key.save", req: 3, file }, { keyFile })).type, "key.saved");
});

test("tor: the address in torrc's care is read as it stands, and not far", async () => {
  const hostnameFile = join(folder, "hostname");
  const want = { type: "hostname.want", req: 4 } as const;
  assert.deepEqual(await ask(want), { type: "hostname.failed", req: 4, reason: "absent" });
  assert.deepEqual(await ask(want, { hostnameFile }), {
    type: "hostname.failed", req: 4, reason: "absent",
  });
  fs.writeFileSync(hostnameFile, "somewhere.onion\n");
  assert.deepEqual(await ask(want, { hostnameFile }), {
    type: "hostname.given", req: 4, text: "somewhere.onion\n",
  });
  fs.writeFileSync(hostnameFile, "x".repeat(5_000));
  const long = await ask(want, { hostnameFile });
  assert.ok(long.type === "hostname.given" && long.text.length === 1_024);
  const failed = await ask(want, { hostnameFile: folder });
  assert.deepEqual(failed, { type: "hostname.failed", req: 4, reason: "failed" });
});
