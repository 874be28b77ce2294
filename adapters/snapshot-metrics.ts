/**
 * Tables of what a snapshot tells, as metrics of a registry.
 *
 * Rule 1: filled on scrape; nothing is counted here.
 * Not known here: what the snapshot is of.
 * @module
 */
import type { Counter, Registry } from "prom-client";
import type { Counts } from "../core/notify/events.ts";
import { counter, gauge, setTotal, setTotals, snake } from "./registry.ts";

export type Metrics<Status> = {
  readonly contentType: string;
  /** The exposition text for one scrape. */
  readonly text: (status: Status) => Promise<string>;
};

type Table = { readonly [label: string]: number };
type Labelled<Status> = readonly [
  name: string, help: string, label: string, read: (status: Status) => Table,
];

export type Tables<Status> = {
  /** Who counts, as the help of its counters says. */
  readonly who: string;
  /** Gauges without a label. */
  readonly levels: readonly (readonly [
    name: string, help: string, read: (status: Status) => number,
  ])[];
  /** Gauges with one label. */
  readonly states: readonly Labelled<Status>[];
  /** Counters with one label. */
  readonly byReason: readonly Labelled<Status>[];
  /** Counters by the table that holds them; names follow from theirs. */
  readonly totals: readonly (readonly [prefix: string, read: (status: Status) => Table])[];
};

/** Makes the metrics of these tables; what it gives fills them. */
export function filler<Status>(
  registry: Registry, { who, levels, states, byReason, totals }: Tables<Status>,
): (status: Status) => void {
  const gauges = levels.map(([name, help, read]) => (
    { metric: gauge(registry, name, help, []), read }
  ));
  const sets = states.map(([name, help, label, read]) => (
    { metric: gauge(registry, name, help, [label]), label, read }
  ));
  const reasons = byReason.map(([name, help, label, read]) => (
    { metric: counter(registry, name, help, [label]), label, read }
  ));
  const plain = new Map<string, Counter>();
  const fillTotal = (prefix: string, name: string, value: number): void => {
    const full = `${prefix}_${snake(name)}_total`;
    const metric = plain.get(full)
      ?? counter(registry, full, `The ${who}'s counter ${name}.`, []);
    plain.set(full, metric);
    setTotal(metric, value);
  };
  return (status) => {
    for (const { metric, read } of gauges) metric.set(read(status));
    for (const { metric, label, read } of sets) {
      for (const [key, value] of Object.entries(read(status))) metric.set({ [label]: key }, value);
    }
    for (const { metric, label, read } of reasons) setTotals(metric, label, read(status));
    for (const [prefix, read] of totals) {
      for (const [name, value] of Object.entries(read(status))) fillTotal(prefix, name, value);
    }
  };
}

/** The counters of notices that are not themselves tables. */
export function plainOf(
  { told, off, same, held, suppressed, sent, unrecorded }: Counts,
): Table {
  return { told, off, same, held, suppressed, sent, unrecorded };
}

/** As Prometheus wants a time; what is not known is `NaN`. */
export function seconds(ms: number | null): number {
  return ms === null ? Number.NaN : ms / 1_000;
}
