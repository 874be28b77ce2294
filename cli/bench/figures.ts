/**
 * From what the generator reported to the figures that were promised: what was measured, and
 * whether it is reached.
 *
 * Rule 1: a figure is the median over its repetitions.
 * Rule 2: a row in which a line was missing, repeated or damaged, or a peer was lost, holds
 * nothing.
 * @module
 */
import { median } from "./histogram.ts";
import type { Report } from "./load.ts";

export type Figure = {
  readonly row: string;
  readonly name: string;
  readonly n: number;
  readonly measured: string;
  readonly target: string;
  /** Undefined where nothing was promised. */
  readonly holds: boolean | undefined;
};

type Rule = {
  readonly row: string;
  readonly name: string;
  /** The sizes for which something was promised. */
  readonly promisedAt: "all" | readonly number[];
  readonly target: string;
  readonly value: (r: Report, bare: Report | undefined) => number;
  readonly text: (value: number, r: Report, bare: Report | undefined) => string;
  readonly holds: (value: number) => boolean;
};

/** The middle of a value's repetitions. */
export function middle(r: Report | undefined, name: string): number {
  return median(r?.values[name] ?? []);
}

const worst = (r: Report | undefined, name: string): number =>
  Math.max(...(r?.values[name] ?? [0]));

/** `1234567.8` as `1,234,568`; small numbers keep two decimals. */
export function amount(value: number): string {
  if (value < 100) return value.toFixed(2).replace(/\.?0+$/, "");
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

const share = (r: Report): string =>
  `generator ${Math.round(middle(r, "generatorShare") * 100)} % of a core`;

/** The rules. `flushMs` is the server's flush window. */
export function rules(flushMs: number): readonly Rule[] {
  return [...joining, ...publicLines, ...privateLines(flushMs), ...disturbances];
}

const joining: readonly Rule[] = [
  {
    row: "handshake",
    name: "handshakes/s",
    promisedAt: [1_000],
    target: ">= 10,000",
    value: (r) => middle(r, "handshakesPerSec"),
    text: (v, r, bare) =>
      `${amount(v)} (server CPU ${amount(middle(r, "cpuUsPerHandshake"))} µs each; ` +
      `bare server ${amount(middle(bare, "handshakesPerSec"))}/s; ${share(r)})`,
    holds: (v) => v >= 10_000,
  },
  {
    row: "memory",
    name: "handshakes/s, fresh server and generator",
    promisedAt: [],
    target: "-",
    value: (r) => middle(r, "handshakesPerSec"),
    text: (v) => amount(v),
    holds: () => true,
  },
  {
    row: "memory",
    name: "RSS per idle peer, bytes",
    promisedAt: [15_000],
    target: "<= 7,000",
    value: (r) => middle(r, "rssPerPeerBytes"),
    text: (v, r) =>
      `${amount(v)} (${amount(middle(r, "rssEmptyMb"))} to ${amount(middle(r, "rssFullMb"))} MB)`,
    holds: (v) => v <= 7_000,
  },
];

const publicLines: readonly Rule[] = [
  {
    row: "one",
    name: "one broadcast, times a bare loop",
    promisedAt: [15_000],
    target: "<= 1.3",
    value: (r, bare) => middle(r, "broadcastMs") / middle(bare, "broadcastMs"),
    text: (v, r, bare) =>
      `${v.toFixed(2)} (${amount(middle(r, "broadcastMs"))} ms, worst ` +
      `${amount(worst(r, "broadcastMs"))}; bare ${amount(middle(bare, "broadcastMs"))} ms, worst ` +
      `${amount(worst(bare, "broadcastMs"))})`,
    holds: (v) => v <= 1.3,
  },
  ...[
    { n: 1_000, least: 1_000_000 },
    { n: 15_000, least: 600_000 },
  ].map(deliveries),
  {
    row: "broadcast",
    name: "server CPU per delivery, µs",
    promisedAt: "all",
    target: "<= 1.5",
    value: (r) => middle(r, "cpuUsPerDelivery"),
    text: (v) => v.toFixed(3),
    holds: (v) => v <= 1.5,
  },
];

function deliveries({ n, least }: { n: number; least: number }): Rule {
  return {
    row: "broadcast",
    name: "broadcast deliveries/s",
    promisedAt: [n],
    target: `>= ${amount(least)}`,
    value: (r) => middle(r, "perSecDelivery"),
    text: (v, r) =>
      `${amount(v)} (server ${Math.round(middle(r, "serverShare") * 100)} %, ${share(r)})`,
    holds: (v) => v >= least,
  };
}

function privateLines(flushMs: number): readonly Rule[] {
  return ["private", "hinted"].flatMap((row): Rule[] => {
    const who = row === "private" ? "no hint" : "with hints";
    return [
      {
        row,
        name: `private lines/s, ${who}`,
        promisedAt: [200, 1_000],
        target: ">= 110,000",
        value: (r) => middle(r, "perSecPrivate"),
        text: (v, r) =>
          `${amount(v)} (server CPU ${middle(r, "cpuUsPerPrivate").toFixed(2)} µs each)`,
        holds: (v) => v >= 110_000,
      },
      {
        row,
        name: `delay at a tenth of it, ${who}, windows of ${flushMs} ms`,
        promisedAt: [200, 1_000],
        target: "<= 2",
        value: (r) => middle(r, "delayMedianMs") / flushMs,
        text: (v, r) =>
          `${v.toFixed(2)} (median ${amount(middle(r, "delayMedianMs"))} ms, p99 ` +
          `${amount(middle(r, "delayP99Ms"))} ms at ${amount(middle(r, "delayRatePerSec"))}/s)`,
        holds: (v) => v <= 2 && flushMs <= 20,
      },
    ];
  });
}

const disturbances: readonly Rule[] = [
  {
    row: "burst",
    name: "peers lost in a burst of 1,000 lines",
    promisedAt: "all",
    target: "0",
    value: (r) => worst(r, "lost"),
    text: (v, r) => `${v} (lines missing ${worst(r, "missing")}; ${amount(worst(r, "ms"))} ms)`,
    holds: (v) => v === 0,
  },
  {
    row: "leave",
    name: "takers lost when 600 makers leave",
    promisedAt: "all",
    target: "0",
    value: (r) => worst(r, "lost"),
    text: (v, r) =>
      `${v} (notices ${amount(worst(r, "noticesReceived"))} of ${amount(worst(r, "expected"))}, ` +
      `last after ${amount(worst(r, "ms"))} ms)`,
    holds: (v) => v === 0,
  },
  {
    row: "stuck",
    name: "others' p99 beside a stuck peer, times without",
    promisedAt: "all",
    target: "<= 1.2",
    value: (r) => middle(r, "p99Ratio"),
    text: (v, r) =>
      `${v.toFixed(2)} (p99 ${amount(middle(r, "p99StuckMs"))} ms and ` +
      `${amount(middle(r, "p99FreeMs"))} ms; kernel held ${amount(middle(r, "heldMb"))} MB)`,
    holds: (v) => v <= 1.2,
  },
];

/** All figures of one row. `bare` is the yardstick's report, where there is one. */
export function figures(
  all: readonly Rule[],
  r: Report,
  bare: Report | undefined,
): readonly Figure[] {
  const mine = all.filter((rule) => rule.row === r.row);
  const names = [...new Set(mine.map((rule) => rule.name))];
  return names.map((name) => {
    const same = mine.filter((rule) => rule.name === name);
    const promised = same.find((x) => x.promisedAt === "all" || x.promisedAt.includes(r.n));
    const rule = promised ?? (same[0] as Rule);
    const value = rule.value(r, bare);
    return {
      row: r.row,
      name,
      n: r.n,
      measured: rule.text(value, r, bare) + faultText(r),
      target: promised === undefined ? "-" : rule.target,
      holds: promised === undefined ? undefined : rule.holds(value) && faultText(r) === "",
    };
  });
}

/** What went wrong, as a tail for the measured text; empty when nothing did. */
export function faultText(r: Report): string {
  const { missing, repeated, damaged, lost } = r.faults;
  const hintsMissing = r.values["hintsMissing"]?.[0] ?? 0;
  const all = { missing, repeated, damaged, "peers lost": lost, "hints missing": hintsMissing };
  const wrong = Object.entries(all).filter(([, count]) => count !== 0);
  return wrong.map(([name, count]) => ` [${name}: ${amount(count)}]`).join("");
}
