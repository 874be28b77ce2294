import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import test from "node:test";
import { open, readLines, writeCrash, type WriteFailure } from "../../adapters/tracefile.ts";
import { withFolder } from "../support/sockets.ts";

function unexpected(failure: WriteFailure): void {
  assert.fail(failure.text);
}

test("adapters: tracefile: lines come back as written, footer last, mode 0600", async () => {
  await withFolder((folder) => {
    const path = `${folder}/run.trace`;
    const opened = open(path, unexpected);
    assert.ok(opened.ok);
    assert.equal(fs.statSync(path).mode & 0o777, 0o600);
    const lines = Array.from({ length: 3_000 }, (_, i) => `${i} ${"x".repeat(i % 100)}`);
    for (const line of lines) assert.ok(opened.file.write(line));
    opened.file.close("end");
    opened.file.close("again");
    opened.file.flush();
    assert.ok(!opened.file.write("late"));
    assert.deepEqual([...readLines(path)], [...lines, "end"].map((line) => `${line}\n`));
  });
});

test("adapters: tracefile: flush makes visible what was written so far", async () => {
  await withFolder((folder) => {
    const opened = open(`${folder}/run.trace`, unexpected);
    assert.ok(opened.ok);
    opened.file.write("one");
    assert.equal(fs.statSync(opened.file.path).size, 0);
    opened.file.flush();
    assert.equal(fs.readFileSync(opened.file.path, "latin1"), "one\n");
    opened.file.close();
  });
});

test("adapters: tracefile: a file that must not be written is refused with a reason", async () => {
  await withFolder((folder) => {
    fs.writeFileSync(`${folder}/old`, "a record");
    const reasonOf = (path: string): string => {
      const opened = open(path, unexpected);
      if (!opened.ok) return opened.failure.reason;
      opened.file.close();
      return "opened";
    };
    assert.equal(reasonOf(`${folder}/old`), "exists");
    assert.equal(reasonOf(folder), "is-folder");
    assert.equal(reasonOf(`${folder}/no/run.trace`), "missing-folder");
    assert.equal(reasonOf(`${folder}/old/run.trace`), "missing-folder");
    assert.equal(reasonOf(`${folder}/${"x".repeat(300)}`), "other");
    assert.equal(fs.readFileSync(`${folder}/old`, "utf8"), "a record");
    fs.writeFileSync(`${folder}/empty`, "");
    assert.equal(reasonOf(`${folder}/empty`), "opened");
  });
});

test("adapters: tracefile: a full disk is told once and ends the recording", (t) => {
  if (!fs.existsSync("/dev/full")) return t.skip("no /dev/full here");
  const failures: WriteFailure[] = [];
  const opened = open("/dev/full", (failure) => failures.push(failure));
  assert.ok(opened.ok);
  assert.ok(opened.file.write("held back"));
  assert.ok(!opened.file.write("x".repeat(70_000)));
  assert.ok(!opened.file.write("more"));
  opened.file.flush();
  opened.file.close("end");
  assert.deepEqual(failures.map((failure) => failure.reason), ["no-space"]);
});

test("adapters: tracefile: the limit on file sizes is a failure like any other", async (t) => {
  if (process.platform === "win32") return t.skip("no limits here");
  await withFolder((folder) => {
    // The shell sets the limit, about a thousand bytes, for the child only.
    const path = `${folder}/run.trace`;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const module = new URL(`../../adapters/tracefile.${extension}`, import.meta.url);
    const script = `
      import { open } from ${JSON.stringify(module.href)};
      const { file } = open(${JSON.stringify(path)}, (failure) => console.log(failure.reason));
      for (let i = 0; i < 9; i += 1) { file.write("x".repeat(599)); file.flush(); }`;
    const node = [process.execPath, ...process.execArgv, "--input-type=module", "-e", script];
    const run = spawnSync("sh", ["-c", `ulimit -f 2 && exec "$@"`, "sh", ...node], {
      encoding: "utf8",
    });
    assert.equal(run.stdout.trim(), "too-big");
  });
});

test("adapters: tracefile: a torn last line and damaged bytes are read as they are", async () => {
  await withFolder((folder) => {
    const path = `${folder}/torn`;
    fs.writeFileSync(path, Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x0a, 0x62]));
    assert.deepEqual([...readLines(path)], ["a\n", "\u00ff\n", "\n", "b"]);
    fs.writeFileSync(path, "");
    assert.deepEqual([...readLines(path)], []);
    assert.throws(() => [...readLines(`${folder}/no`)], /ENOENT/);
  });
});

test("adapters: tracefile: a line without an end is an error, and no stand-still", async () => {
  await withFolder((folder) => {
    const path = `${folder}/endless`;
    fs.writeFileSync(path, "a\n");
    fs.truncateSync(path, 10_000_000_000);
    const lines = readLines(path);
    assert.equal(lines.next().value, "a\n");
    assert.throws(() => lines.next(), /a line of more than 134217728 characters/);
  });
});

test("adapters: tracefile: a crash report is written once, or not at all", async () => {
  await withFolder((folder) => {
    const path = writeCrash(folder, "17", ["a", "b"]);
    assert.equal(path, `${folder}/crash-17.trace`);
    assert.equal(fs.readFileSync(`${folder}/crash-17.trace`, "utf8"), "a\nb\n");
    assert.equal(writeCrash(folder, "17", ["c"]), undefined);
    assert.equal(writeCrash(`${folder}/no`, "17", ["c"]), undefined);
  });
});
