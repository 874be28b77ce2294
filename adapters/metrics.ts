/**
 * The snapshot of a directory node as Prometheus metrics.
 *
 * Rule 1: filled on scrape from the same snapshot that /status serves, and from what the sockets
 * count of connections that never reached the node; nothing is counted here.
 * Rule 2: labels come from the core's closed lists (reasons, results, roles, states). No nick,
 * address or transaction is ever a label.
 * Rule 3: names carry the `jm_` prefix and base units, so that dashboards of other directory nodes
 * carry over.
 * Rule 4: what is not known is `NaN`, so that no alarm takes it for nothing.
 * @module
 */
import type { Counter, Registry } from "prom-client";
import type { Status } from "../core/directory/status.ts";
import { names } from "../core/tor/shown.ts";
import * as registries from "./registry.ts";
import { counter, gauge, setTotal, setTotals } from "./registry.ts";
import type { SocketCounts } from "./sockets.ts";

/** One registry for the life of the process. */
export type Metrics = {
  readonly contentType: string;
  /** The exposition text for one scrape. */
  readonly text: (status: Status, sockets?: Refusals) => Promise<string>;
};

/** Connections that the node never heard of. */
type Refusals = Pick<SocketCounts, "refused" | "acceptErrors">;

type Read = (status: Status) => number;

/** A map of the snapshot that is counted by reason. */
type Counted = {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly read: (status: Status) => { readonly [label: string]: number };
};

const counted: readonly Counted[] = [
  {
    name: "jm_handshakes_total", help: "Handshakes by how they ended.", label: "result",
    read: (s) => s.handshakes,
  },
  {
    name: "jm_dropped_total", help: "Lines that had no effect, by reason.", label: "reason",
    read: (s) => s.drops,
  },
  {
    name: "jm_connections_closed_total", help: "Connections that ended, by reason.",
    label: "reason", read: (s) => s.closes,
  },
];

const levels: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["jm_peers_max", "Peers that may register.", (s) => s.peers.max],
  ["jm_peers_ping_capable", "Registered peers that answer PING.", (s) => s.peers.pingCapable],
  ["jm_peers_verified", "Registered peers that proved their nick.", (s) => s.peers.verified],
  ["jm_heartbeat_running", "1 while silent peers are probed.", (s) => Number(s.heartbeat.running)],
  ["jm_heartbeat_pending", "Peers probed and not yet heard of.", (s) => s.heartbeat.pending],
  ["jm_outbound_queue_bytes", "Bytes queued for all peers.", (s) => s.outbox.queuedBytes],
  ["jm_outbound_queue_bytes_max", "The bound of the queued bytes.", (s) => s.outbox.queuedBytesMax],
  ["jm_congested_peers", "Peers that do not take what is sent.", (s) => s.outbox.congested],
  ["jm_unfinished_line_bytes", "Bytes of lines without their end yet.", (s) => s.inputBytes],
  ["jm_nick_contests", "Nicks that two connections claim.", (s) => s.contests],
  ["jm_uptime_seconds", "Time since the node started.", (s) => s.uptimeMs / 1_000],
  ["jm_draining", "1 while the node is stopping.", (s) => Number(s.draining)],
  ["jm_onion_up", "1 while the own onion service is served; not a number without one.",
    ({ onion: { state } }) => (state === "none" ? Number.NaN : Number(state === "up"))],
  ["jm_onion_reachable", "1 while visits to the own onion service succeed.",
    ({ onion: { isReachable } }) => (isReachable === null ? Number.NaN : Number(isReachable))],
  ["jm_onion_reached_age_seconds", "Since a visit to the own onion last succeeded.",
    ({ onion: { reachedMs } }) => (reachedMs === null ? Number.NaN : reachedMs / 1_000)],
];

/** Totals with a name and a help text of their own; the others get a derived name. */
const named: ReadonlyMap<string, readonly [name: string, help: string]> = new Map([
  ["opened", ["jm_connections_opened_total", "Connections accepted."]],
  ["closed", ["jm_connections_ended_total", "Connections that ended."]],
  ["bytesReceived", ["jm_received_bytes_total", "Bytes received from peers."]],
  ["bytesSent", ["jm_sent_bytes_total", "Bytes given to the system for peers."]],
  ["linesReceived", ["jm_lines_received_total", "Complete lines received from peers."]],
  ["publicRelayed", ["jm_messages_broadcast_total", "Public lines relayed, each once."]],
  ["privateRelayed", ["jm_messages_private_total", "Private messages relayed."]],
  ["registered", ["jm_peers_registered_total", "Peers that registered."]],
  ["heartbeatPings", ["jm_heartbeat_pings_total", "PINGs sent to silent peers."]],
  ["heartbeatProbes", ["jm_heartbeat_probes_total", "!orderbook probes sent to makers."]],
  ["heartbeatEvictions", ["jm_heartbeat_evictions_total", "Silent peers evicted."]],
]);

const refusals: readonly (readonly [name: string, help: string, read: keyof Refusals])[] = [
  [
    "jm_connections_refused_total",
    "Connections cut at once because the limit of open files was near.", "refused",
  ],
  ["jm_accept_errors_total", "Connections that the system could not hand over.", "acceptErrors"],
];

/** Creates the registry, with the metrics of the process itself. */
export function create(version: string): Metrics {
  const registry = registries.create("jm_build_info", version);
  const fill = filler(registry);
  const refused = refusals.map(([name, help, read]) => {
    return { metric: counter(registry, name, help, []), read };
  });
  const text: Metrics["text"] = async (status, sockets) => {
    fill(status);
    for (const { metric, read } of refused) setTotal(metric, sockets?.[read] ?? 0);
    return registry.metrics();
  };
  return { contentType: registry.contentType, text };
}

function filler(registry: Registry): (status: Status) => void {
  const roles = gauge(registry, "jm_peers_active", "Registered peers by role.", ["role"]);
  const states = gauge(registry, "jm_connections", "Open connections by state.", ["state"]);
  const wrong = gauge(registry, "jm_degraded", "1 while the node is in this degraded state.",
    ["state"]);
  const gauges = levels.map(([name, help, read]) => {
    return { metric: gauge(registry, name, help, []), read };
  });
  const byReason = counted.map(({ name, help, label, read }) => {
    return { metric: counter(registry, name, help, [label]), label, read };
  });
  const plain = new Map<string, Counter>();
  return (status) => {
    roles.set({ role: "maker" }, status.peers.makers);
    roles.set({ role: "taker" }, status.peers.takers);
    states.set({ state: "registered" }, status.peers.registered);
    states.set({ state: "handshaking" }, status.peers.handshaking);
    for (const state of names) {
      wrong.set({ state }, Number(status.degraded.some(({ name }) => name === state)));
    }
    for (const { metric, read } of gauges) metric.set(read(status));
    for (const { metric, label, read } of byReason) setTotals(metric, label, read(status));
    for (const [name, value] of Object.entries(status.totals)) {
      let metric = plain.get(name);
      if (metric === undefined) plain.set(name, (metric = plainCounter(registry, name)));
      setTotal(metric, value);
    }
  };
}

function plainCounter(registry: Registry, name: string): Counter {
  const full = `jm_${registries.snake(name)}_total`;
  const [known, help] = named.get(name) ?? [full, `The node's counter ${name}.`];
  return counter(registry, known, help, []);
}
