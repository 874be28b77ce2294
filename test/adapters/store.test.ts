/**
 * The journal's file on a real disk, and the journal's own machine on it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync,
  symlinkSync, truncateSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createStore, failureOf } from "../../adapters/store.ts";
import { ascii } from "../../core/bytes.ts";
import * as journal from "../../core/history/journal.ts";
import * as record from "../../core/history/record.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";
import { mono } from "../../core/time.ts";

const temp = mkdtempSync(join(tmpdir(), "dogwatch-store-"));
after(() => rmSync(temp, { recursive: true, force: true }));
let files = 0;
const fresh = () => join(temp, `journal-${files += 1}`);

/** A store and its answers, in the order of asking. */
function open(path: string) {
  const events: StoreEvent[] = [];
  let wake = (): void => {};
  const store = createStore(path, (event) => {
    events.push(event);
    wake();
  });
  let req = 0;
  const ask = async (...orders: readonly object[]): Promise<readonly StoreEvent[]> => {
    const from = events.length;
    for (const order of orders) store.order({ ...order, req: req += 1 } as StoreEffect);
    assert.equal(events.length, from, "no answer comes from inside an order");
    while (events.length < from + orders.length) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
    return events.slice(from);
  };
  return { store, ask, events };
}

const load = { type: "store.load" };
const sync = { type: "store.sync" };
const append = (text: string) => ({ type: "store.append", bytes: ascii(text) });
const truncate = (size: number) => ({ type: "store.truncate", size });
const types = (events: readonly StoreEvent[]) => events.map(({ type }) => type);

test("store: a file comes into being, grows, is cut and read, and is nobody else's", async () => {
  const path = fresh();
  const { ask, store } = open(path);
  const first = await ask(load, append("one\n"), sync, append("two\n"), truncate(6), sync, load);
  assert.deepEqual(types(first), [
    "store.loaded", "store.appended", "store.synced", "store.appended", "store.truncated",
    "store.synced", "store.loaded",
  ]);
  assert.deepEqual(first.map(({ req }) => req), [1, 2, 3, 4, 5, 6, 7]);
  const [none, , , , , , last] = first;
  assert.ok(none?.type === "store.loaded" && last?.type === "store.loaded");
  assert.equal(none.bytes.length, 0);
  assert.equal(Buffer.from(last.bytes).toString(), "one\ntw");
  await ask(append("!"));
  assert.equal(readFileSync(path, "utf8"), "one\ntw!", "after a cut it grows at its end");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await store.close();
});

test("store: loading makes no file, and a second store finds what the first left", async () => {
  const path = fresh();
  const one = open(path);
  await one.ask(load);
  assert.ok(!existsSync(path));
  await one.ask(append("x".repeat(200_000)), sync);
  await one.store.close();
  const two = open(path);
  const [found] = await two.ask(load);
  assert.equal(found?.type === "store.loaded" ? found.bytes.length : 0, 200_000);
  await two.store.close();
});

test("store: failures are answers, and what can be done after them is done", async () => {
  const folder = fresh();
  mkdirSync(folder);
  const inFolder = open(folder);
  assert.deepEqual(types(await inFolder.ask(load, append("x"), sync, truncate(0))), [
    "store.failed", "store.failed", "store.failed", "store.failed",
  ]);
  assert.notEqual(inFolder.store.says(), "");
  const nowhere = open(join(temp, "no", "such", "folder"));
  assert.deepEqual(types(await nowhere.ask(load, append("x"))), ["store.loaded", "store.failed"]);
  const pipe = fresh();
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
  const onPipe = open(pipe);
  const [piped] = await onPipe.ask(load);
  assert.equal(piped?.type, "store.failed");
  const loop = fresh();
  symlinkSync(loop, loop);
  const [looped] = await open(loop).ask(load);
  assert.deepEqual(looped, { type: "store.failed", req: 1, reason: "io" });
  for (const { store } of [inFolder, nowhere, onPipe]) await store.close();
});

test("store: no room, a quota and a size limit are all full; anything else is not", async () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  for (const code of ["ENOSPC", "EDQUOT", "EFBIG"]) assert.equal(failureOf(error(code)), "full");
  for (const code of ["EIO", "EROFS", "EACCES"]) assert.equal(failureOf(error(code)), "io");
  assert.equal(failureOf(new Error("x")), "io");
});

test("store: a file that was replaced or removed is found out at the next sync", async () => {
  for (const harm of ["replaced", "removed"] as const) {
    const path = fresh();
    const { ask, store } = open(path);
    await ask(load, append("mine"), sync);
    renameSync(path, `${path}.old`);
    if (harm === "replaced") writeFileSync(path, "theirs");
    const [, synced] = await ask(append("more"), sync);
    assert.equal(synced?.type, "store.failed", harm);
    const [found] = await ask(load);
    const text = found?.type === "store.loaded" ? Buffer.from(found.bytes).toString() : "";
    assert.equal(text, harm === "replaced" ? "theirs" : "", "what is there now");
    await store.close();
  }
});

test("store: after close nothing is answered, what was ordered before is", async () => {
  const path = fresh();
  const { store, events } = open(path);
  store.order({ type: "store.append", req: 1, bytes: ascii("a") });
  await store.close();
  store.order({ type: "store.append", req: 2, bytes: ascii("b") });
  await store.close();
  assert.deepEqual(types(events), ["store.appended"]);
});

test("store: orders do not hold up the event loop", async () => {
  const { ask, store } = open(fresh());
  let turns = 0;
  const count = setInterval(() => (turns += 1), 1);
  await ask(append("x".repeat(20_000_000)), sync, load);
  clearInterval(count);
  assert.ok(turns > 2, `${turns} turns of others meanwhile`);
  await store.close();
});

/** The journal's machine on a real file, until nothing is under way. */
async function journalOn(path: string, bodies: readonly string[], config = journal.defaults) {
  const m = journal.create(config);
  const seen: journal.Effect[] = [];
  let wake = (): void => {};
  const store = createStore(path, (event) => {
    step(event);
    wake();
  });
  function step(event: journal.Event): void {
    const out: journal.Effect[] = [];
    journal.step(m, event, mono(0), out);
    for (const effect of out) {
      seen.push(effect);
      if (effect.type.startsWith("store.")) store.order(effect as StoreEffect);
    }
  }
  step({ type: "opened" });
  bodies.forEach((body, token) => step({ type: "asked", token, body }));
  while (!journal.isQuiet(m) && m.at.phase !== "broken" && m.at.phase !== "waiting") {
    await new Promise<void>((resolve) => (wake = resolve));
  }
  await store.close();
  return seen;
}

test("store: a journal lives on it: written, torn, repaired, refused when damaged", async () => {
  const path = fresh();
  const written = await journalOn(path, ["a", "b", "c"]);
  assert.equal(written.filter(({ type }) => type === "durable").length, 3);
  appendFileSync(path, "96d0dba5 4 3 15 {\"type");
  const again = await journalOn(path, ["d"]);
  const ready = again.find((effect) => effect.type === "ready");
  assert.deepEqual([ready?.count, ready?.tornBytes], [3, 22]);
  const scanned = record.scan(readFileSync(path), 1_000_000);
  assert.equal(scanned.ok && scanned.value.count, 4);
  const bytes = readFileSync(path);
  bytes[30] = 0x21;
  writeFileSync(path, bytes);
  const broken = await journalOn(path, ["e"]);
  assert.ok(broken.some((effect) => effect.type === "broken"));
  assert.deepEqual(readFileSync(path), bytes, "damage is left as it is");
  truncateSync(path, 5);
  const short = await journalOn(path, ["f"]);
  assert.ok(short.some((effect) => effect.type === "durable"), "a header that was cut short");
});

test("store: a real size limit of the system is a full disk, and nothing durable is lost", () => {
  const path = fresh();
  const from = JSON.stringify(new URL("../../adapters/store.ts", import.meta.url));
  const script = `
    import { createStore } from ${from};
    process.on("SIGXFSZ", () => {});
    const hear = (event) => console.log(event.type, event.reason);
    const store = createStore(${JSON.stringify(path)}, hear);
    const bytes = new Uint8Array(40_000).fill(120);
    for (let req = 1; req <= 3; req += 1) store.order({ type: "store.append", req, bytes });
    store.order({ type: "store.truncate", req: 4, size: 40_000 });
    store.order({ type: "store.sync", req: 5 });
  `;
  const isCompiled = import.meta.url.endsWith(".js");
  const run = isCompiled ? script.replaceAll("store.ts", "store.js") : script;
  const file = join(temp, "limited.mjs");
  writeFileSync(file, run);
  const loader = isCompiled ? "" : `--import ${import.meta.resolve("tsx")}`;
  const command = `ulimit -f 64; exec "${process.execPath}" ${loader} ${file}`;
  const { stdout, stderr } = spawnSync("bash", ["-c", command], {
    encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" },
  });
  assert.deepEqual(stdout.trim().split("\n"), [
    "store.appended undefined", "store.failed full", "store.failed full",
    "store.truncated undefined", "store.synced undefined",
  ], stderr);
  assert.equal(statSync(path).size, 40_000);
});
