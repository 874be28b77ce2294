import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii, concat, equal, text } from "../../core/bytes.ts";
import type { StoreEffect, StoreEvent } from "../../core/history/store.ts";
import * as prng from "../../core/prng.ts";
import * as disk from "../../sim/disk.ts";

type Answered = { readonly atUs: number; readonly event: StoreEvent };

function made(seed: string, capacityBytes?: number): disk.Disk {
  return disk.create(capacityBytes, prng.stream(prng.key(seed)));
}

/** Gives an order and returns its answer, if it has one. */
function order(d: disk.Disk, effect: StoreEffect, nowUs = d.busyUntilUs): Answered | undefined {
  let answer: Answered | undefined;
  disk.order(d, effect, nowUs, (atUs, event) => {
    answer = { atUs, event };
  });
  return answer;
}

const append = (d: disk.Disk, bytes: string): Answered | undefined =>
  order(d, { type: "store.append", req: 1, bytes: ascii(bytes) });
const sync = (d: disk.Disk): Answered | undefined => order(d, { type: "store.sync", req: 2 });
const cut = (d: disk.Disk, size: number): Answered | undefined =>
  order(d, { type: "store.truncate", req: 3, size });

function seen(d: disk.Disk): string {
  const answer = order(d, { type: "store.load", req: 4 });
  assert.ok(answer?.event.type === "store.loaded");
  return text(answer.event.bytes);
}

/** The power fails when nothing is under way. */
function powerFails(d: disk.Disk): void {
  disk.crash(d, true, d.busyUntilUs);
}

test("disk: orders are answered in order, each later than it was given", () => {
  const d = made("a");
  const first = append(d, "one ");
  assert.deepEqual(first?.event, { type: "store.appended", req: 1 });
  assert.ok(first.atUs > 0);
  const second = order(d, { type: "store.append", req: 9, bytes: ascii("two") }, 0);
  assert.ok(second !== undefined && second.atUs > first.atUs);
  assert.equal(seen(d), "one two");
  assert.deepEqual(sync(d)?.event, { type: "store.synced", req: 2 });
  assert.deepEqual(cut(d, 3)?.event, { type: "store.truncated", req: 3 });
  assert.equal(seen(d), "one");
});

test("disk: what a reader was given never changes", () => {
  const d = made("a");
  append(d, "one");
  const bytes = disk.contents(d);
  cut(d, 0);
  append(d, "two");
  assert.equal(text(bytes), "one");
  assert.equal(seen(d), "two");
});

test("disk: it grows", () => {
  const d = made("a");
  const line = "x".repeat(700);
  for (let i = 0; i < 20; i += 1) append(d, line);
  assert.equal(seen(d), line.repeat(20));
});

test("disk: crash: a process that dies loses nothing that was written", () => {
  const d = made("a");
  append(d, "written");
  disk.crash(d, false, d.busyUntilUs);
  assert.equal(seen(d), "written");
});

test("disk: crash: what is synced survives a power failure, and so does what is left", () => {
  for (let i = 0; i < 100; i += 1) {
    const d = made(`power ${i}`);
    append(d, "synced ");
    sync(d);
    append(d, "or not");
    powerFails(d);
    const left = seen(d);
    assert.ok(left.startsWith("synced "));
    powerFails(d);
    assert.equal(seen(d), left);
  }
});

test("disk: crash: what is not synced is lost, kept, cut, or followed by rubbish", () => {
  const kinds = new Set<string>();
  for (let i = 0; i < 300; i += 1) {
    const d = made(`torn ${i}`);
    append(d, "abcdefgh");
    powerFails(d);
    const left = disk.contents(d);
    assert.ok(left.length <= 8);
    const whole = [...left].findIndex((byte, at) => byte !== 0x61 + at);
    if (left.length === 0) kinds.add("lost");
    else if (whole < 0) kinds.add(left.length === 8 ? "kept" : "cut");
    else if (left.at(-1) === 0x68) kinds.add("hole");
    else kinds.add(left[whole] === 0 ? "zeros" : "noise");
  }
  assert.deepEqual([...kinds].toSorted(), ["cut", "hole", "kept", "lost", "noise", "zeros"]);
});

test("disk: crash: an order without an answer is done, undone, or done in part", () => {
  const sizes = new Set<number>();
  const cuts = new Set<string>();
  const syncs = new Set<string>();
  for (let i = 0; i < 200; i += 1) {
    const d = made(`flight ${i}`);
    append(d, "ab");
    const nowUs = d.busyUntilUs;
    append(d, "cdef");
    disk.crash(d, false, nowUs + 1);
    sizes.add(disk.contents(d).length);
    const e = made(`flight ${i}`);
    append(e, "abcdef");
    const cutUs = e.busyUntilUs;
    cut(e, 2);
    disk.crash(e, false, cutUs);
    cuts.add(seen(e));
    const f = made(`flight ${i}`);
    append(f, "ab");
    const syncUs = f.busyUntilUs;
    sync(f);
    disk.crash(f, true, syncUs);
    syncs.add(seen(f));
  }
  assert.deepEqual([...sizes].toSorted((a, b) => a - b), [2, 3, 4, 5, 6]);
  assert.deepEqual([...cuts].toSorted(), ["ab", "abcdef"]);
  assert.ok(syncs.has("ab"));
  assert.ok(syncs.has(""));
});

test("disk: crash: an answered order is not undone", () => {
  for (let i = 0; i < 50; i += 1) {
    const d = made(`answered ${i}`);
    append(d, "ab");
    const answer = sync(d);
    assert.ok(answer !== undefined);
    disk.crash(d, true, answer.atUs);
    assert.equal(seen(d), "ab");
  }
});

test("disk: crash: a cut that is not synced may come undone, beneath what came after", () => {
  const found = new Set<string>();
  for (let i = 0; i < 300; i += 1) {
    const d = made(`undone ${i}`);
    append(d, "abcdef");
    sync(d);
    cut(d, 4);
    cut(d, 2);
    append(d, "XY");
    powerFails(d);
    found.add(seen(d));
  }
  for (const one of ["ab", "abXY", "abcdef", "abXdef", "abXYef"]) assert.ok(found.has(one), one);
  for (const one of found) assert.ok(one.startsWith("ab"));
});

test("disk: crash: a cut that is synced stays", () => {
  const d = made("a");
  append(d, "abcdef");
  sync(d);
  cut(d, 2);
  sync(d);
  powerFails(d);
  assert.equal(seen(d), "ab");
});

test("disk: a failed sync: what was written is seen, and never kept by a later sync", () => {
  const d = made("a");
  append(d, "ab");
  sync(d);
  append(d, "cd");
  disk.failNext(d, "store.sync", "io");
  assert.deepEqual(sync(d)?.event, { type: "store.failed", req: 2, reason: "io" });
  append(d, "ef");
  disk.failNext(d, "store.sync", "io");
  sync(d);
  append(d, "gh");
  assert.equal(sync(d)?.event.type, "store.synced");
  assert.equal(seen(d), "abcdefgh");
  powerFails(d);
  assert.equal(seen(d), "ab\0\0\0\0gh");
});

test("disk: a failed sync: what is cut off and written again is kept", () => {
  for (const size of [2, 3, 1]) {
    const d = made("a");
    append(d, "ab");
    sync(d);
    append(d, "cd");
    disk.failNext(d, "store.sync", "io");
    sync(d);
    cut(d, size);
    append(d, "efgh");
    sync(d);
    powerFails(d);
    assert.equal(seen(d), size === 3 ? "ab\0efgh" : `${"ab".slice(0, size)}efgh`);
  }
});

test("disk: full: a part of a write is taken, a cut gives room, and it still syncs", () => {
  const d = made("a", 10);
  append(d, "12345678");
  assert.deepEqual(append(d, "abcd")?.event, { type: "store.failed", req: 1, reason: "full" });
  assert.equal(seen(d), "12345678ab");
  assert.equal(sync(d)?.event.type, "store.synced");
  assert.equal(append(d, "x")?.event.type, "store.failed");
  cut(d, 8);
  assert.equal(append(d, "ab")?.event.type, "store.appended");
});

test("disk: full: as long as one fault says so", () => {
  const d = made("a");
  disk.full(d, true);
  disk.full(d, true);
  disk.full(d, false);
  assert.equal(append(d, "abcd")?.event.type, "store.failed");
  assert.ok(disk.contents(d).length < 4);
  cut(d, 0);
  disk.full(d, false);
  assert.equal(append(d, "abcd")?.event.type, "store.appended");
});

test("disk: full: a disk without any room takes nothing", () => {
  const d = made("a", 0);
  assert.equal(append(d, "x")?.event.type, "store.failed");
  assert.equal(seen(d), "");
});

test("disk: slow: every order takes so much longer", () => {
  const d = made("a");
  disk.slow(d, 500);
  const kinds: readonly StoreEffect[] = [
    { type: "store.append", req: 1, bytes: ascii("x") }, { type: "store.sync", req: 2 },
    { type: "store.truncate", req: 3, size: 0 }, { type: "store.load", req: 4 },
  ];
  for (const effect of kinds) {
    const nowUs = d.busyUntilUs;
    const answer = order(d, effect, nowUs);
    assert.ok(answer !== undefined && answer.atUs - nowUs > 500_000);
  }
  disk.slow(d, 0);
  const nowUs = d.busyUntilUs;
  assert.ok((append(d, "x")?.atUs ?? 0) - nowUs < 100_000);
});

test("disk: torn: the next write is cut short and never answered, and its part is kept", () => {
  const sizes = new Set<number>();
  for (let i = 0; i < 60; i += 1) {
    const d = made(`tear ${i}`);
    append(d, "ab");
    sync(d);
    disk.tear(d);
    assert.equal(sync(d)?.event.type, "store.synced");
    assert.equal(disk.isTorn(d), false);
    assert.equal(append(d, "cdef"), undefined);
    assert.equal(disk.isTorn(d), true);
    const nowUs = d.busyUntilUs - 1;
    disk.crash(d, true, nowUs);
    assert.equal(disk.isTorn(d), false);
    const left = seen(d);
    assert.ok("abcdef".startsWith(left) && left.length >= 2 && left.length < 6);
    sizes.add(left.length);
    assert.equal(append(d, "x")?.event.type, "store.appended");
  }
  assert.equal(sizes.size, 4);
});

test("disk: failNext: one order of its type fails and changes nothing beyond a part", () => {
  const d = made("a");
  append(d, "abcd");
  for (const type of ["store.load", "store.truncate"] as const) {
    disk.failNext(d, type, "io");
    const effect: StoreEffect = type === "store.load" ? { type, req: 5 }
      : { type, req: 5, size: 0 };
    assert.deepEqual(order(d, effect)?.event, { type: "store.failed", req: 5, reason: "io" });
    assert.equal(seen(d), "abcd");
  }
  disk.failNext(d, "store.append", "io");
  assert.equal(append(d, "efgh")?.event.type, "store.failed");
  assert.ok("abcdefg".startsWith(seen(d)));
});

test("disk: mend: nothing that was told to fail does, and no write to come is cut short", () => {
  const d = made("a");
  disk.failNext(d, "store.sync", "io");
  disk.tear(d);
  disk.mend(d);
  assert.equal(append(d, "abcd")?.event.type, "store.appended");
  assert.equal(sync(d)?.event.type, "store.synced");
  assert.equal(disk.isTorn(d), false);
  // What was cut short already has done its harm.
  disk.tear(d);
  append(d, "efgh");
  disk.mend(d);
  assert.equal(disk.isTorn(d), true);
});

type Move = { readonly type: "append" | "sync" | "cut" | "power" | "process"; readonly n: number };

test("disk: property: synced bytes survive everything but a cut", () => {
  const moves = fc.array(fc.record({
    type: fc.constantFrom<Move["type"]>("append", "append", "sync", "cut", "power", "process"),
    n: fc.nat(40),
  }), { maxLength: 40 });
  fc.assert(fc.property(fc.integer(), moves, (seed, script) => {
    const [a, b] = [made(`${seed}`), made(`${seed}`)];
    let synced = new Uint8Array(0);
    for (const { type, n } of script) {
      for (const d of [a, b]) play(d, type, n);
      if (type === "sync") synced = disk.contents(a) as Uint8Array<ArrayBuffer>;
      if (type === "cut") synced = synced.slice(0, n);
      assert.ok(equal(disk.contents(a), disk.contents(b)));
      assert.ok(equal(disk.contents(a).subarray(0, synced.length), synced), type);
    }
  }), { numRuns: 200 });
});

function play(d: disk.Disk, type: Move["type"], n: number): void {
  switch (type) {
    case "append": {
      const bytes = concat([ascii("<"), new Uint8Array(n).fill(n), ascii(">")]);
      return void order(d, { type: "store.append", req: 1, bytes });
    }
    case "sync": return void sync(d);
    case "cut": return void cut(d, Math.min(n, disk.contents(d).length));
    case "power": return powerFails(d);
    case "process": return disk.crash(d, false, d.busyUntilUs);
  }
}
