import assert from "node:assert/strict";
import { test } from "node:test";
import { rush } from "../../../cli/bench/ark-time.ts";

test("bench: ark: whoever connects when a server is back is counted, and few do at once", () => {
  const { wallets, mostInSecond, lastMs } = rush(80);
  assert.equal(wallets, 80);
  assert.ok(mostInSecond >= 1 && mostInSecond <= 2, `${mostInSecond} of 80 in one second`);
  // A turn every half second: 80 of them take 40 s, less those that had come just before.
  assert.ok(lastMs > 20_000 && lastMs < 120_000, `from first to last ${lastMs} ms`);
});
