import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "../../adapters/folder.ts";

function within(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "dogwatch-folder-"));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("folder: it is made with those above it, and may be there already", () => {
  within((folder) => {
    const path = join(folder, "a", "b", "c");
    makeFolder(path, 0o700);
    assert.ok(statSync(path).isDirectory());
    assert.equal(statSync(join(folder, "a")).mode & 0o777, 0o700);
    makeFolder(path, 0o700);
    makeFolder(folder);
  });
});

test("folder: what is there and no folder is an error", () => {
  within((folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    assert.throws(() => makeFolder(file), { code: "EEXIST" });
    assert.throws(() => makeFolder(join(file, "a")), { code: "ENOTDIR" });
    const link = join(folder, "link");
    symlinkSync(join(folder, "nothing"), link);
    assert.throws(() => makeFolder(link), { code: "EEXIST" });
    assert.throws(() => makeFolder(join(link, "a")), { code: "EEXIST" });
  });
});

test("folder: where nothing can be made it ends", () => {
  if (process.platform !== "linux") return;
  // In a process of its own, so that one that does not end is told as such.
  const run = spawnSync(process.execPath, [
    "--import", "tsx", "--input-type=module", "-e",
    "import { makeFolder } from './adapters/folder.ts';"
      + "try { makeFolder('/proc/nothing/there'); } catch (e) { console.log(e.code); }",
  ], { encoding: "utf8", timeout: 60_000 });
  assert.equal(run.stdout, "ENOENT\n", run.stderr);
});
