import assert from "node:assert/strict";
import test from "node:test";
import FakeTimers from "@sinonjs/fake-timers";
import { createAmbient, createJumpWatcher, timerMsMax } from "../../adapters/ambient.ts";
import { after, NEVER, type Mono } from "../../core/time.ts";

const ambient = createAmbient();

function withClock(use: (clock: FakeTimers.Clock) => void): void {
  const clock = FakeTimers.install({ now: 1_700_000_000_000 });
  try {
    use(clock);
  } finally {
    clock.uninstall();
  }
}

test("adapters: ambient: monotonic time is in whole milliseconds and does not go back", () => {
  let last = ambient.now();
  for (let i = 0; i < 10_000; i += 1) {
    const now = ambient.now();
    assert.ok(Number.isSafeInteger(now) && now >= last);
    last = now;
  }
});

test("adapters: ambient: a timer calls back once, at the instant and not before", () => {
  withClock((clock) => {
    const calls: number[] = [];
    const timer = ambient.timer(() => calls.push(ambient.now()));
    const due = after(ambient.now(), 50);
    timer.arm(due);
    clock.tick(49);
    assert.deepEqual(calls, []);
    clock.tick(1);
    assert.deepEqual(calls, [due]);
    clock.tick(10_000);
    assert.equal(calls.length, 1);
  });
});

test("adapters: ambient: a later instant waits, an earlier one is first, a past one is due", () => {
  withClock((clock) => {
    const calls: number[] = [];
    const timer = ambient.timer(() => calls.push(ambient.now()));
    const start = ambient.now();
    timer.arm(after(start, 50));
    timer.arm(after(start, 80));
    clock.tick(79);
    assert.deepEqual(calls, []);
    clock.tick(1);
    assert.deepEqual(calls, [start + 80]);
    timer.arm(after(start, 500));
    timer.arm(after(start, 90));
    clock.tick(10);
    assert.deepEqual(calls, [start + 80, start + 90]);
    timer.arm(start);
    clock.tick(1);
    assert.equal(calls.length, 3);
  });
});

test("adapters: ambient: disarming, or never, stops it", () => {
  withClock((clock) => {
    const timer = ambient.timer(() => assert.fail("a disarmed timer fired"));
    timer.arm(after(ambient.now(), 5));
    timer.disarm();
    timer.disarm();
    clock.tick(10);
    timer.arm(after(ambient.now(), 5));
    timer.arm(NEVER);
    clock.tick(10);
    timer.arm(NEVER);
    assert.equal(clock.countTimers(), 0);
  });
});

test("adapters: ambient: an instant beyond 2^31 ms is no hot loop", () => {
  withClock((clock) => {
    let calls = 0;
    const timer = ambient.timer(() => (calls += 1));
    timer.arm(after(ambient.now(), 2 * timerMsMax + 10));
    for (let piece = 0; piece < 2; piece += 1) {
      assert.equal(clock.countTimers(), 1);
      clock.next();
      assert.equal(calls, 0);
      assert.equal(ambient.now(), (piece + 1) * timerMsMax);
    }
    clock.next();
    assert.equal(calls, 1);
    assert.equal(clock.countTimers(), 0);
  });
});

test("adapters: ambient: a platform timer that fires early is armed again", () => {
  withClock((clock) => {
    let calls = 0;
    const timer = ambient.timer(() => (calls += 1));
    const real = performance.now.bind(performance);
    timer.arm(after(ambient.now(), 5));
    performance.now = () => real() - 1;
    clock.tick(5);
    assert.equal(calls, 0);
    clock.tick(1);
    assert.equal(calls, 1);
    performance.now = real;
  });
});

test("adapters: ambient: a regular call goes on until it is stopped", () => {
  withClock((clock) => {
    let calls = 0;
    const stop = ambient.every(60_000, () => (calls += 1));
    clock.tick(180_000);
    stop();
    clock.tick(180_000);
    assert.equal(calls, 3);
    assert.equal(clock.countTimers(), 0);
  });
});

test("adapters: ambient: entropy has the size asked for and differs", () => {
  const [a, b] = [ambient.entropy(32), ambient.entropy(32)];
  assert.equal(a.length, 32);
  assert.equal(Object.getPrototypeOf(a), Uint8Array.prototype);
  assert.notDeepEqual(a, b);
});

test("adapters: ambient: an expiry aborts", async () => {
  const signal = ambient.expiry(1);
  // The signal holds no process, so something else must until it comes.
  const stop = ambient.every(1_000, () => undefined);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  stop();
  assert.ok(signal.aborted);
});

test("adapters: ambient: the wall clock is told at first and after jumps, not for drift", () => {
  let at = 0;
  let wall = 1_000_000;
  const watcher = createJumpWatcher({ now: () => at as Mono, wall: () => ({ unixMs: wall }) });
  assert.deepEqual(watcher.look(), { unixMs: 1_000_000 });
  at += 60_000;
  wall += 61_000;
  assert.equal(watcher.look(), undefined);
  wall += 1;
  assert.deepEqual(watcher.look(), { unixMs: wall });
  assert.equal(watcher.look(), undefined);
  wall -= 3_600_000;
  assert.deepEqual(watcher.look(), { unixMs: wall });
});
