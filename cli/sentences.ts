/**
 * What people read for each log code. A code without a sentence is shown as it is, with its fields.
 * @module
 */
import type { Sentences } from "../adapters/log.ts";

export const sentences: Sentences = {
  "directory.named": (f) => `this node is ${f["nick"]} on ${f["network"]}`,
  "directory.no-location": () =>
    "directory.location is not set: no own peerlist entry, and nick authentication is off",
  "directory.located": (f) => `this node's address is ${f["location"]}`,
  "directory.onion-down": (f) =>
    `the onion address is not served: ${f["why"]}; whoever is connected is served on, ` +
    "and Tor is asked again and again",
  "onion.control-ready": (f) => `Tor ${f["version"]} lets us in at its control port`,
  "onion.up": () => "the onion address is served",
  "onion.failed": (f) => `the onion address is not as it should be: ${f["says"]}`,
  "onion.no-pow": (f) =>
    `Tor ${f["version"]} takes no proof of work over its control port: the service goes without`,
  "onion.reachable": () => "a visit to the own onion address has succeeded",
  "onion.unreachable": (f) =>
    `visits to the own onion address fail: ${f["reason"]}; it is tried on`,
  "directory.draining": (f) => `stopping; ${f["connections"]} connections are being closed`,
  "directory.reloaded": (f) => `settings applied; up to ${f["peersMax"]} peers`,
  "peer.registered": (f) =>
    `${f["nick"]} registered as a ${f["maker"] === true ? "maker" : "taker"}`,
  "peer.ended": (f) => `connection ${f["conn"]} ended: ${f["reason"]}`,
  "peer.evicted": (f) => `${f["nick"]} was evicted: ${f["reason"]}`,
  "peer.shed": (f) => f["reason"] === "handshake-slots"
    ? `a connection that had not shaken hands made room for a newcomer: ${f["reason"]}`
    : `a peer that did not read was closed: ${f["reason"]}`,
  "peer.flooding": (f) => `connection ${f["conn"]} was closed for flooding: ${f["reason"]}`,
  "handshake.refused": (f) => `connection ${f["conn"]} was refused: ${f["result"]}`,
  "sockets.refused": (f) => `a connection was refused: ${f["says"]}`,
  "sockets.accept-failed": (f) =>
    `the system could not accept a connection: ${f["says"]}; connected peers are served on`,
  "host.backstop-rescue": (f) =>
    `a forgotten deadline was rescued (${f["effect"]}); this is a fault of Dogwatch, please report`,
  "host.recording-stopped": (f) =>
    `recording stopped: ${f["text"]}; the daemon goes on without it`,
  "host.broken-invariant": (f) =>
    `Dogwatch found itself to be wrong and ends: ${f["message"]}; ` +
    `the last steps are in ${f["crash"]}`,
  "run.ready": (f) => `peers connect to ${f["listen"]}; status page at ${f["http"]}`,
  "run.ready-lost": (f) =>
    `the ready line could not be written to stdout: ${f["says"]}; peers are served all the same`,
  "run.listens-remote": (f) =>
    `${f["listen"]} can be reached without Tor; peers' addresses become visible to this machine`,
  "run.no-note": (f) =>
    `the data directory ${f["folder"]} cannot be used: ${f["says"]}; ` +
    "peers are served all the same, `dogwatch status` needs --http",
  "run.stopping": (f) =>
    `${f["signal"]}: stopping within ${f["seconds"]} s; a second signal ends at once`,
  "run.overran": (f) => `the drain did not end within ${f["seconds"]} s; ending now`,
  "run.stopped": () => "stopped",
  "reload.rejected": (f) => `the new configuration was rejected, the old one stays: ${f["says"]}`,
  "reload.unchanged": () => "the configuration was read again; nothing has changed",
  "reload.applied": (f) => `applied from the new configuration: ${f["keys"]}`,
  "reload.restart": (f) => `changed, but only a restart applies it: ${f["keys"]}`,
};
