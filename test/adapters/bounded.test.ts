import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readBytes, readText } from "../../adapters/bounded.ts";
import { withFolder } from "../support/sockets.ts";

const codeOf = (read: ReturnType<typeof readText>): string => (read.ok ? "ok" : read.code);

test("adapters: bounded: as much as may be is read, and not one byte more", async () => {
  await withFolder((folder) => {
    const file = join(folder, "file");
    for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
      writeFileSync(file, "x".repeat(size));
      const read = readBytes(file, size);
      assert.ok(read.ok && read.bytes.length === size, `${size}`);
      if (size > 0) assert.equal(codeOf(readText(file, size - 1)), "TOO_LARGE");
    }
  });
});

test("adapters: bounded: a file larger than memory is refused at once", async () => {
  await withFolder((folder) => {
    const file = join(folder, "huge");
    writeFileSync(file, "");
    truncateSync(file, 10_000_000_000);
    const read = readBytes(file, 1_000);
    assert.ok(!read.ok && read.code === "TOO_LARGE");
    assert.equal(read.says, "it is longer than 1000 bytes; is it the right file?");
  });
});

test("adapters: bounded: a device has no end and a pipe nobody behind it", async () => {
  assert.equal(codeOf(readText("/dev/zero", 100)), "NOT_REGULAR");
  assert.equal(codeOf(readText("/dev/zero", 100_000, "any")), "TOO_LARGE");
  await withFolder((folder) => {
    const pipe = join(folder, "pipe");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
    assert.equal(codeOf(readText(pipe, 100)), "NOT_REGULAR");
    // A writer is waited for where the operator named a pipe.
    spawn("sh", ["-c", `printf "a b" > '${pipe}'`]);
    assert.deepEqual(readText(pipe, 100, "any"), { ok: true, text: "a b" });
  });
});

test("adapters: bounded: what the system says is told, and text is UTF-8", async () => {
  await withFolder((folder) => {
    assert.equal(codeOf(readText(join(folder, "none"), 100)), "ENOENT");
    assert.equal(codeOf(readText(folder, 100)), "EISDIR");
    const file = join(folder, "file");
    writeFileSync(file, Uint8Array.of(0xff, 0xfe));
    assert.equal(codeOf(readText(file, 100)), "NOT_UTF8");
    writeFileSync(file, "\ufeffnick");
    assert.deepEqual(readText(file, 100), { ok: true, text: "nick" });
  });
});
