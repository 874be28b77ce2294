import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { createLines } from "../../adapters/stderr.ts";

const temp = mkdtempSync(join(tmpdir(), "dogwatch-stderr-"));
after(() => rmSync(temp, { recursive: true, force: true }));

const lostLine = (lost: number): string => `lost ${lost}\n`;

/** A descriptor that does as it is told: takes so many bytes at most, or fails with a code. */
function script(): { next: (number | string)[]; text: string; some: (b: Uint8Array) => number } {
  const it = {
    next: [] as (number | string)[],
    text: "",
    some: (bytes: Uint8Array): number => {
      const does = it.next.shift() ?? bytes.length;
      if (typeof does === "string") throw Object.assign(new Error(does), { code: does });
      const taken = Math.min(does, bytes.length);
      it.text += Buffer.from(bytes.subarray(0, taken)).toString("latin1");
      return taken;
    },
  };
  return it;
}

test("adapters: stderr: a line that is not taken is lost whole, and told before the next", () => {
  const fd = script();
  const lines = createLines(fd.some, lostLine);
  fd.next = ["EAGAIN", "ENOSPC", "EPIPE", "EIO", 0];
  for (let i = 0; i < 5; i += 1) lines.write(`line ${i}\n`);
  assert.equal(fd.text, "");
  lines.write("line 5\n");
  lines.write("line 6\n");
  assert.equal(fd.text, "lost 5\nline 5\nline 6\n");
});

test("adapters: stderr: a line that was begun is finished before another begins", () => {
  const fd = script();
  const lines = createLines(fd.some, lostLine);
  fd.next = [3, "EAGAIN", 2];
  for (let i = 0; i < 4; i += 1) lines.write(`line ${i}\n`);
  assert.equal(fd.text, "line 0\nlost 2\nline 3\n");
});

test("adapters: stderr: what was lost is told by a look, without another line", () => {
  const fd = script();
  const lines = createLines(fd.some, lostLine);
  fd.next = [2, "EAGAIN", "EAGAIN"];
  lines.write("half\n");
  lines.write("gone\n");
  lines.look();
  assert.equal(fd.text, "ha");
  lines.look();
  lines.look();
  assert.equal(fd.text, "half\nlost 1\n");
});

test("adapters: stderr: the end of a line is not for who did not read its begin", () => {
  const fd = script();
  const lines = createLines(fd.some, lostLine);
  fd.next = [3, "EPIPE"];
  lines.write("one\n");
  lines.write("two\n");
  assert.equal(fd.text, "onelost 1\ntwo\n");
});

test("adapters: stderr: one attempt for each line, lines whole, none missing untold", () => {
  const answer = fc.oneof(
    fc.nat(12), fc.constantFrom("EAGAIN", "ENOSPC", "EIO"), fc.constant(1_000),
  );
  fc.assert(fc.property(fc.array(answer, { maxLength: 60 }), (answers) => {
    const fd = script();
    fd.next = [...answers];
    let calls = 0;
    const lines = createLines((bytes) => {
      calls += 1;
      return fd.some(bytes);
    }, lostLine);
    for (let i = 0; i < 30; i += 1) {
      const before = calls;
      lines.write(`line ${i}\n`);
      // The end of the last, the news of the lost, and the line itself.
      assert.ok(calls - before <= 3);
    }
    fd.next = [];
    lines.write("last\n");
    let at = 0;
    for (const line of fd.text.trimEnd().split("\n")) {
      const [what, number] = line.split(" ");
      if (what === "lost") at += Number(number);
      else if (what === "line") assert.equal(Number(number), at++);
      else assert.deepEqual([line, at], ["last", 30]);
    }
  }), { numRuns: 200 });
});

test("adapters: stderr: a pipe that nobody reads costs lines, and no time", () => {
  const path = join(temp, "pipe");
  execFileSync("mkfifo", [path]);
  const reads = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writes = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const lines = createLines((bytes) => writeSync(writes, bytes), lostLine);
  // More than the largest pipe of an ordinary user holds.
  const size = 2 ** 15;
  for (let i = 0; i < 80; i += 1) lines.write(`${"x".repeat(size)}\n`);
  const bytes = Buffer.alloc(2 ** 22);
  const read = readSync(reads, bytes);
  assert.ok(read > size && read < 80 * size);
  lines.look();
  const text = bytes.toString("latin1", 0, read + readSync(reads, bytes, read, size * 2, null));
  const whole = text.split("\n").filter((line) => line.length === size).length;
  assert.ok(text.endsWith(`\nlost ${80 - whole}\n`));
  closeSync(reads);
  lines.write("nobody is there\n");
  closeSync(writes);
  lines.write("not even a descriptor\n");
});

test("adapters: stderr: a full disk costs lines", () => {
  const full = openSync("/dev/full", "w");
  const lines = createLines((bytes) => writeSync(full, bytes), lostLine);
  lines.write("x\n");
  lines.look();
  closeSync(full);
});
