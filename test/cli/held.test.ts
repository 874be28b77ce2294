/**
 * The log of a daemon that is still starting.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../../adapters/log.ts";
import { holdLog } from "../../cli/held.ts";

function log(lines: string[]): Log {
  return {
    log: (_, code) => void lines.push(code),
    setLevel: () => {},
    close: () => void lines.push("closed"),
    counts: { error: 0, warn: 0, info: 0, debug: 0 },
  };
}

test("held: lines wait, keep their order, and go straight on after the release", () => {
  const lines: string[] = [];
  const held = holdLog(log(lines));
  held.log.log("info", "a", {});
  held.log.log("warn", "b", {});
  assert.deepEqual(lines, []);
  held.release();
  held.log.log("info", "c", {});
  held.release();
  assert.deepEqual(lines, ["a", "b", "c"]);
});

test("held: a daemon that does not start says nothing; an error never waits", () => {
  const lines: string[] = [];
  const held = holdLog(log(lines));
  held.log.log("info", "a", {});
  held.log.close();
  assert.deepEqual(lines, ["closed"]);
  const others: string[] = [];
  const wrong = holdLog(log(others));
  wrong.log.log("info", "a", {});
  wrong.log.log("error", "b", {});
  wrong.log.log("info", "c", {});
  assert.deepEqual(others, ["a", "b", "c"]);
});
