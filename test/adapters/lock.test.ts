/**
 * The lock of a data directory, held and lost by real processes.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createAmbient } from "../../adapters/ambient.ts";
import { askLock, lockPath, takeLock } from "../../adapters/lock.ts";

const temp = mkdtempSync(join(tmpdir(), "dogwatch-lock-"));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(temp, { recursive: true, force: true });
});

let folders = 0;
function folder(): string {
  const path = join(temp, `data-${folders += 1}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

const ambient = createAmbient();
const take = (path: string, name = "maker") =>
  takeLock({ folder: path, name, command: "dogwatch test", ambient });

const isCompiled = import.meta.url.endsWith(".js");
const extension = isCompiled ? "js" : "ts";
const here = (path: string) =>
  JSON.stringify(new URL(`../../${path}.${extension}`, import.meta.url));

const script = `
  import { takeLock } from ${here("adapters/lock")};
  import { createAmbient } from ${here("adapters/ambient")};
  const [path] = process.argv.slice(-1);
  const wants = { folder: path, name: "maker", command: "a child", ambient: createAmbient() };
  const taken = await takeLock(wants);
  console.log(taken.ok ? "taken" : taken.why);
  if (taken.ok) setInterval(() => {}, 1_000);
`;

type Holding = { process: ChildProcess; says: Promise<string>; gone: Promise<void> };

/** A process that takes the lock, says so, and stays if it has it. */
function child(path: string): Holding {
  const loader = isCompiled ? [] : ["--import", import.meta.resolve("tsx")];
  const args = [...loader, "--input-type=module", "-e", script, path];
  const made = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_OPTIONS: "" },
  });
  children.add(made);
  const says = new Promise<string>((resolve) => {
    made.stdout.once("data", (bytes: Buffer) => resolve(bytes.toString().trim()));
  });
  const gone = new Promise<void>((resolve) => made.once("close", () => resolve()));
  return { process: made, says, gone };
}

test("lock: hazard 10: one holder at a time, free again after its release", async () => {
  const path = folder();
  const first = await take(path);
  assert.ok(first.ok);
  const second = await take(path);
  assert.ok(!second.ok && second.why === "held");
  assert.equal(second.holder?.pid, process.pid);
  assert.equal(second.holder?.command, "dogwatch test");
  await first.lock.release();
  await first.lock.release();
  const third = await take(path);
  assert.ok(third.ok);
  await third.lock.release();
  assert.equal(statSync(lockPath(path, "maker")).mode & 0o777, 0o600);
});

test("lock: another name or a copy of the folder is another lock, a path is not", async () => {
  const path = folder();
  const mine = await take(path);
  const other = await take(path, "directory");
  const alias = join(temp, "alias");
  symlinkSync(path, alias);
  const same = await take(alias);
  assert.ok(mine.ok && other.ok && !same.ok);
  cpSync(path, join(temp, "copy"), { recursive: true });
  const copy = await take(join(temp, "copy"));
  assert.ok(copy.ok);
  for (const one of [mine, other, copy]) await one.lock.release();
});

test("lock: who is killed holds nothing, and there is nothing to clean up", async () => {
  const path = folder();
  const holder = child(path);
  assert.equal(await holder.says, "taken");
  const held = await take(path);
  assert.ok(!held.ok && held.why === "held");
  assert.deepEqual([held.holder?.pid, held.holder?.command], [holder.process.pid, "a child"]);
  const second = child(path);
  assert.equal(await second.says, "held");
  await second.gone;
  holder.process.kill("SIGKILL");
  await holder.gone;
  const mine = await take(path);
  assert.ok(mine.ok, "freed by the kernel");
  await mine.lock.release();
});

test("lock: of many processes that start at once one gets it", async () => {
  const path = folder();
  const all = Array.from({ length: 4 }, () => child(path));
  const said = await Promise.all(all.map(({ says }) => says));
  assert.deepEqual(said.sort(), ["held", "held", "held", "taken"]);
  for (const { process: one, gone } of all) {
    one.kill("SIGKILL");
    await gone;
  }
});

test("lock: removing the file frees nothing", { skip: process.platform !== "linux" }, async () => {
  const path = folder();
  const mine = await take(path);
  assert.ok(mine.ok);
  rmSync(lockPath(path, "maker"));
  const second = await take(path);
  assert.ok(!second.ok && second.why === "held");
  await mine.lock.release();
});

test("lock: the file itself is locked too", { skip: process.platform !== "linux" }, async () => {
  const path = folder();
  const mine = await take(path);
  assert.ok(mine.ok);
  const flock = () => new Promise<number | null>((resolve) => {
    spawn("flock", ["-n", lockPath(path, "maker"), "true"]).once("exit", resolve);
  });
  assert.equal(await flock(), 1);
  // Nobody who was started meanwhile keeps it.
  const bystander = spawn("sleep", ["30"], { stdio: "ignore" });
  children.add(bystander);
  await mine.lock.release();
  assert.equal(await flock(), 0);
  bystander.kill("SIGKILL");
});

test("lock: without the program the socket stands alone", async () => {
  const path = folder();
  const before = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    const mine = await take(path);
    const second = await take(path);
    assert.ok(mine.ok && !second.ok);
    await mine.lock.release();
  } finally {
    process.env["PATH"] = before;
  }
});

test("lock: a missing folder is a failure, a spoiled note is none", async () => {
  const gone = await take(join(temp, "none"));
  assert.ok(!gone.ok && gone.why === "failed");
  const path = folder();
  const mine = await take(path);
  assert.ok(mine.ok);
  const note = readFileSync(lockPath(path, "maker"), "utf8");
  assert.match(note, /^\{"pid":[0-9]+,"command":"dogwatch test","sinceUnixMs":[0-9]+\}\n$/);
  for (const spoiled of ["", "{", "null", `{"pid":"x"}`, "\0".repeat(9_000)]) {
    writeFileSync(lockPath(path, "maker"), spoiled);
    const second = await take(path);
    assert.ok(!second.ok && second.why === "held" && second.holder === undefined, spoiled);
  }
  await mine.lock.release();
});

test("lock: who holds it can be asked, which neither takes it nor leaves anything", async () => {
  const path = folder();
  const ask = () => askLock({ folder: path, name: "maker" });
  assert.deepEqual(await ask(), { state: "free" });
  assert.ok(!existsSync(lockPath(path, "maker")));
  const taken = await take(path);
  assert.ok(taken.ok);
  const before = readFileSync(lockPath(path, "maker"), "utf8");
  const held = await ask();
  assert.ok(held.state === "held" && held.holder?.pid === process.pid);
  assert.equal(held.holder.command, "dogwatch test");
  assert.equal(readFileSync(lockPath(path, "maker"), "utf8"), before);
  await taken.lock.release();
  assert.deepEqual(await ask(), { state: "free" });
  const again = await take(path);
  assert.ok(again.ok, "free is free");
  await again.lock.release();
});

test("lock: another process holds it, though somebody removed its file", async () => {
  const path = folder();
  const other = child(path);
  assert.equal(await other.says, "taken");
  const ask = () => askLock({ folder: path, name: "maker" });
  const held = await ask();
  assert.ok(held.state === "held" && held.holder?.pid === other.process.pid);
  if (process.platform === "linux") {
    rmSync(lockPath(path, "maker"));
    assert.deepEqual(await ask(), { state: "held", holder: undefined });
  }
  other.process.kill("SIGKILL");
  await other.gone;
  assert.deepEqual(await ask(), { state: "free" });
});

test("lock: a folder that is not there is held by nobody; what is no folder is told", async () => {
  const ask = (path: string) => askLock({ folder: path, name: "maker" });
  assert.deepEqual(await ask(join(temp, "nowhere")), { state: "free" });
  const file = join(temp, "a-file");
  writeFileSync(file, "");
  assert.equal((await ask(file)).state, "unknown");
});
