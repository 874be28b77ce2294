/**
 * What every daemon's metrics have in common.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as registries from "../../adapters/registry.ts";

test("registry: what runs, and the process itself, are told", async () => {
  const registry = registries.create("x_build_info", "1.2.3");
  const text = await registry.metrics();
  assert.match(text, /^x_build_info\{version="1\.2\.3",node="[0-9.]+"\} 1$/m);
  assert.match(text, /^process_cpu_seconds_total [0-9.e-]+$/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
});

test("registry: a counter takes totals, again and again", async () => {
  const registry = registries.create("x_build_info", "1.2.3");
  const plain = registries.counter(registry, "x_all_total", "All.", []);
  const byReason = registries.counter(registry, "x_some_total", "Some.", ["reason"]);
  for (const total of [3, 5]) {
    registries.setTotal(plain, total);
    registries.setTotals(byReason, "reason", { slow: total, gone: 0 });
    const text = await registry.metrics();
    assert.match(text, new RegExp(`^x_all_total ${total}$`, "m"));
    assert.match(text, new RegExp(`^x_some_total\\{reason="slow"\\} ${total}$`, "m"));
    assert.match(text, /^x_some_total\{reason="gone"\} 0$/m);
  }
});

test("registry: names are told in the manner of metrics", () => {
  assert.equal(registries.snake("heartbeatProbes"), "heartbeat_probes");
  assert.equal(registries.snake("sent"), "sent");
});
