/**
 * The configuration files that the measured directory gets.
 * @module
 */

/** Rates that no row reaches, for rows that measure throughput. */
const raised = `
[directory.limits]
public = "1000000/s burst 1000000"
private = "1000000/s burst 1000000"
other = "1000000/s burst 1000000"
public_bytes = "100000000/s burst 100000000"
private_bytes = "100000000/s burst 100000000"
`;

/** Newcomers that the server may hold beside the registered ones. */
const handshakingMax = 2_000;
/** The handshake row warms up with this many. */
const peersMin = 6_000;
/**
 * Files that a process needs besides its sockets, and senders and stuck peers beside the idle
 * ones.
 */
const spare = 300;

/** Open files that a server for `n` idle peers needs; the generator needs fewer. */
export function filesFor(n: number): number {
  return n + handshakingMax + 2 * spare;
}

/** TOML. With `defaults`, nothing that decides about peers is set. */
export function toml(limits: "raised" | "defaults", n: number, dataDir: string): string {
  const head = `data_dir = ${JSON.stringify(dataDir)}\n`;
  if (limits === "defaults") return head;
  const peersMax = Math.max(n, peersMin) + spare;
  const sizes = `peers_max = ${peersMax}\nhandshaking_max = ${handshakingMax}\n`;
  return `${head}[directory]\n${sizes}${raised}`;
}
