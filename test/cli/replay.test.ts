/**
 * `dogwatch replay` of files that are no recordings, and of damaged ones.
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { headerText } from "../../core/kernel/trace.ts";
import { mono } from "../../core/time.ts";
import { folder, run } from "./capture.ts";

const temp = folder();
after(temp.remove);

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(temp.path, name);
  writeFileSync(path, bytes);
  return path;
}

test("replay: a file that is missing, empty, foreign or no file: exit 1, and why", async () => {
  assert.equal((await run(["replay", join(temp.path, "none")])).code, 1);
  const pipe = join(temp.path, "pipe");
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  const cases: [string, RegExp][] = [
    [file("empty", ""), /is not a recording: it is empty; name a file written with --record/],
    [file("text", "hello\n"), /is not a recording: it begins with something else/],
    [file("noise", Buffer.alloc(300_000, 0x1b)), /is not a recording: it begins with/],
    [pipe, /is not a regular file/],
    ["/dev/zero", /is not a regular file/],
  ];
  for (const [path, expected] of cases) {
    for (const more of [[], ["--json"]]) {
      const { code, out, err } = await run(["replay", path, ...more]);
      assert.equal(code, 1, path);
      assert.equal(out, "");
      assert.match(err, expected);
      assert.ok(err.length < 300, "no bytes of the file are shown");
    }
  }
});

test("replay: a recording of another daemon or version: exit 2, and which", async () => {
  const header = {
    version: "9.8.7", node: "20", config: {}, seed: new Uint8Array(32), startedAt: mono(1),
    startedUnixMs: 1,
  };
  const cases = [["maker", /trace of "maker"/], ["directory", /9\.8\.7/]] as const;
  for (const [kind, expected] of cases) {
    const path = file("other.trace", `${headerText({ ...header, kind })}\n`);
    const { code, err } = await run(["replay", path]);
    assert.equal(code, 2, err);
    assert.match(err, expected);
  }
});

test("replay: a damaged recording: escaped, cut, and shown where it differs", async () => {
  const path = join(temp.path, "run.trace");
  assert.equal((await run(["demo", "--for", "0.3", "--json", "--record", path])).code, 0);
  const good = readFileSync(path);
  const header = Buffer.from(good);
  header[40] = 0x1b;
  const escaped = await run(["replay", file("header.trace", header)]);
  assert.equal(escaped.code, 1);
  assert.match(escaped.out, /^DIFFERENT at step 0 \(line 1\): header/);

  const longest = good.toString("latin1").split("\n").slice(1)
    .reduce((a, b) => (b.length > a.length ? b : a));
  const at = good.indexOf(longest) + longest.length - 30;
  for (const byte of [0x1b, 0x9b, 0x07]) {
    const bad = Buffer.from(good);
    bad[at] = byte;
    const { code, out } = await run(["replay", file("bad.trace", bad)]);
    assert.equal(code, 1);
    assert.match(out, /^DIFFERENT at step \d+/);
    assert.ok(out.includes(`\\u{${byte.toString(16)}}`), out);
    assert.doesNotMatch(out, /[^\n\x20-\x7e…]/);
    for (const line of out.split("\n")) assert.ok(line.length <= 280, line);
  }
});
