/**
 * Is what answered a directory node? Another program may hold the address that is asked.
 *
 * Rule 1: every field that is shown is checked; others may come and go with versions.
 * @module
 */
import type { Readiness } from "../adapters/http.ts";
import type { Status } from "../core/directory/status.ts";

type Table = { readonly [name: string]: unknown };

/** The numbers that people are shown, by table; "" is the top. */
const numbers: readonly (readonly [table: string, names: readonly string[]])[] = [
  ["", ["uptimeMs"]],
  ["peers", [
    "registered", "max", "makers", "takers", "pingCapable", "verified", "handshaking",
  ]],
  ["totals", [
    "publicRelayed", "privateRelayed", "heartbeatPings", "heartbeatProbes", "heartbeatEvictions",
  ]],
  ["heartbeat", ["pending"]],
  ["outbox", ["queuedBytes", "congested"]],
];

/** Tables whose every value is a count. */
const counts = ["drops", "closes", "handshakes"];

/** The answer to `/status`, or `undefined` when it is none. */
export function statusIn(code: number, body: unknown): Status | undefined {
  const top = tableOf(body);
  if (code !== 200 || top?.["schema"] !== 1) return undefined;
  const { nick, network, location, draining } = top;
  if (typeof nick !== "string" || typeof network !== "string") return undefined;
  if (location !== null && typeof location !== "string") return undefined;
  if (typeof draining !== "boolean") return undefined;
  if (typeof tableOf(top["heartbeat"])?.["running"] !== "boolean") return undefined;
  const isWhole = numbers.every(([name, names]) => {
    const table = name === "" ? top : tableOf(top[name]);
    return names.every((one) => Number.isFinite(table?.[one]));
  });
  const isCounted = counts.every((name) => {
    const table = tableOf(top[name]);
    return table !== undefined && Object.values(table).every(Number.isFinite);
  });
  return isWhole && isCounted ? (body as Status) : undefined;
}

/** The answer to `/readyz`: 200 says ready and 503 says not; anything else is no answer. */
export function readinessIn(code: number, body: unknown): Readiness | undefined {
  const { ready, reasons } = tableOf(body) ?? {};
  const isMeant = (code === 200 && ready === true) || (code === 503 && ready === false);
  if (!isMeant || !Array.isArray(reasons)) return undefined;
  const texts = reasons.filter((one) => typeof one === "string");
  return texts.length === reasons.length ? { ready: code === 200, reasons: texts } : undefined;
}

function tableOf(value: unknown): Table | undefined {
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
  return isTable ? (value as Table) : undefined;
}
