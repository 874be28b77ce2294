/**
 * The machine under a maker: rights, disk, lock.
 * @module
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { takeLock } from "../../../adapters/lock.ts";
import { type Finding, within } from "../../../cli/doctor/finding.ts";
import { place, type Place } from "../../../cli/doctor/place.ts";
import { folder } from "../capture.ts";
import { ambient } from "./bench.ts";

const temp = folder();
after(temp.remove);

async function look(given: Place): Promise<ReadonlyMap<string, Finding>> {
  const all = await Promise.all(place(given, ambient, 5_000).map((one) => within(one, ambient)));
  return new Map(all.flat().map((finding) => [finding.what, finding]));
}

function fresh(name: string, mode = 0o700): string {
  const path = join(temp.path, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

test("doctor: place: a folder that is not there yet is no fault, and stays so", async () => {
  const path = join(temp.path, "not", "yet");
  const found = await look({ folder: path, secrets: [] });
  assert.equal(found.get("disk sync")?.state, "skipped");
  for (const what of ["disk", "data directory", "lock"]) {
    assert.notEqual(found.get(what)?.state, "fail", found.get(what)?.seen);
  }
  assert.ok(!readdirSync(temp.path).includes("not"));
});

test("doctor: place: a folder of our own is well, and nothing is left in it", async () => {
  const path = fresh("own");
  const found = await look({ folder: path, secrets: [] });
  for (const what of ["disk sync", "data directory", "lock"]) {
    assert.equal(found.get(what)?.state, "ok", found.get(what)?.seen);
  }
  assert.match(found.get("disk sync")?.seen ?? "", /^a record is safe after \d+ ms$/);
  assert.match(found.get("lock")?.seen ?? "", /^free/);
  assert.deepEqual(readdirSync(path), []);
});

test("doctor: place: others may look into the folder, or write there", async () => {
  const read = await look({ folder: fresh("read", 0o755), secrets: [] });
  assert.equal(read.get("data directory")?.state, "warn");
  const write = await look({ folder: fresh("write", 0o770), secrets: [] });
  assert.equal(write.get("data directory")?.state, "fail");
  assert.match(write.get("data directory")?.fix ?? "", /^chmod 700 /);
});

test("doctor: place: what cannot be written to is told with what to do", async () => {
  const path = join(temp.path, "file");
  writeFileSync(path, "");
  const found = await look({ folder: path, secrets: [] });
  assert.equal(found.get("disk sync")?.state, "fail");
  assert.match(found.get("disk sync")?.seen ?? "", /ENOTDIR/);
  assert.match(found.get("disk sync")?.fix ?? "", /--data-dir/);
});

test("doctor: place: secrets: rights by file; descriptors and credentials have none", async () => {
  const path = fresh("secrets");
  const secret = (name: string, mode: number): string => {
    const file = join(path, name);
    writeFileSync(file, "user:password");
    chmodSync(file, mode);
    return file;
  };
  const found = await look({
    folder: path, secrets: [
      ["a", secret("a", 0o600)], ["b", secret("b", 0o640)], ["c", secret("c", 0o644)],
      ["d", join(path, "absent")], ["e", "fd:9"], ["f", "credential:x"], ["g", ""],
    ],
  });
  const state = (key: string): string | undefined => found.get(key)?.state;
  assert.deepEqual(["a", "b", "c", "d", "e", "f", "g"].map(state),
    ["ok", "warn", "fail", "fail", undefined, undefined, undefined]);
  assert.doesNotMatch(JSON.stringify([...found.values()]), /password/);
});

test("doctor: place: lock: who holds it is named", async () => {
  const path = fresh("held");
  const taken = await takeLock({ folder: path, name: "maker", command: "dogwatch maker", ambient });
  assert.ok(taken.ok);
  const { seen = "", state } = (await look({ folder: path, secrets: [] })).get("lock") ?? {};
  assert.equal(seen, `held by dogwatch maker, process number ${process.pid}`);
  assert.equal(state, "ok");
  await taken.lock.release();
});

test("doctor: place: open files: a low limit is told", async () => {
  const path = fresh("files");
  const low = (await look({ folder: path, secrets: [], filesMax: 256 })).get("open files");
  assert.equal(low?.state, "warn");
  assert.match(low?.fix ?? "", /^ulimit -n 704/);
  const high = (await look({ folder: path, secrets: [], filesMax: 1_024 })).get("open files");
  assert.equal(high?.state, "ok");
});
