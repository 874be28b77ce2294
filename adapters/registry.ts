/**
 * A Prometheus registry with the metrics of the process itself, and what fills it.
 *
 * Rule 1: the delay of the event loop is sampled ten times a second. The library's own choice, a
 * hundred times, was most of what a daemon at rest costs; a stall of 0.1 s is seen either way.
 * @module
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

const loopSampleMs = 100;

/** A registry; `build` is the name of the gauge that tells what runs. */
export function create(build: string, version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopSampleMs });
  const what = gauge(registry, build, "What runs; always 1.", ["version", "node"]);
  what.set({ version, node: process.versions.node }, 1);
  return registry;
}

/** A new gauge of the registry. */
export function gauge(
  registry: Registry, name: string, help: string, labelNames: string[],
): Gauge {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

/** A new counter of the registry. */
export function counter(
  registry: Registry, name: string, help: string, labelNames: string[],
): Counter {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

/** A core's totals only grow: a reset and one step is how a counter takes a total. */
export function setTotals(
  metric: Counter, label: string, values: { readonly [key: string]: number },
): void {
  metric.reset();
  for (const [key, value] of Object.entries(values)) metric.inc({ [label]: key }, value);
}

/** The same of one that has no labels. */
export function setTotal(metric: Counter, value: number): void {
  metric.reset();
  metric.inc(value);
}

/** `heartbeatProbes` as `heartbeat_probes`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
