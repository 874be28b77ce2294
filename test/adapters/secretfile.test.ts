import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { secretBytesMax, secretSource, type SecretRead } from "../../adapters/secretfile.ts";

const folder = (): string => fs.mkdtempSync(join(tmpdir(), "dogwatch-secret-"));

function read(text: string, env = {}): SecretRead {
  const source = secretSource(text, env);
  assert.ok(source !== undefined, text);
  return source.read();
}

test("secretfile: a file gives its line, and a new one after it was written anew", () => {
  const file = join(folder(), "cookie");
  fs.writeFileSync(file, "__cookie__:abc\n");
  const source = secretSource(file, {});
  assert.deepEqual(source?.read(), { ok: true, text: "__cookie__:abc" });
  fs.writeFileSync(file, "__cookie__:def\r\n");
  assert.deepEqual(source?.read(), { ok: true, text: "__cookie__:def" });
});

test("secretfile: what goes wrong names the place and not the content", () => {
  const dir = folder();
  const cases: [string, string, RegExp][] = [
    ["empty", "\n", /empty/], ["two", "a\nnot:told\n", /more than one line/],
    ["long", "x".repeat(secretBytesMax + 1), /longer than any secret/],
  ];
  for (const [name, content, expected] of cases) {
    const file = join(dir, name);
    fs.writeFileSync(file, content);
    const got = read(file);
    assert.ok(!got.ok);
    assert.match(got.says, expected);
    assert.ok(got.says.startsWith(file));
    assert.ok(!got.says.includes("not:told"), got.says);
  }
  fs.writeFileSync(join(dir, "most"), "x".repeat(secretBytesMax));
  assert.ok(read(join(dir, "most")).ok);
  assert.ok(!read(join(dir, "missing")).ok);
  assert.ok(!read(dir).ok);
});

test("secretfile: a descriptor is read once and remembered", () => {
  const file = join(folder(), "token");
  fs.writeFileSync(file, "abc\n");
  const fd = fs.openSync(file, "r");
  const source = secretSource(`fd:${fd}`, {});
  assert.deepEqual(source?.read(), { ok: true, text: "abc" });
  assert.deepEqual(source?.read(), { ok: true, text: "abc" });
  fs.closeSync(fd);
});

test("secretfile: a credential lies where systemd says", () => {
  const dir = folder();
  fs.writeFileSync(join(dir, "rpc"), "user:pass");
  assert.deepEqual(read("credential:rpc", { CREDENTIALS_DIRECTORY: dir }),
    { ok: true, text: "user:pass" });
  const got = read("credential:rpc");
  assert.ok(!got.ok);
  assert.match(got.says, /LoadCredential=rpc:PATH/);
});

test("secretfile: what names nothing is refused", () => {
  for (const text of ["", "fd:", "fd:x", "fd:1234567", "credential:", "credential:../x", "a\0b"]) {
    assert.equal(secretSource(text, {}), undefined, text);
  }
});

test("secretfile: neither a pipe nor a device keeps a daemon waiting", () => {
  const pipe = join(folder(), "pipe");
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  assert.deepEqual(read(pipe), { ok: false, says: `${pipe}: a pipe; give it as fd:N` });
  assert.deepEqual(read("/dev/zero"), { ok: false, says: "/dev/zero: longer than any secret" });
});
