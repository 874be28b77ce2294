/**
 * A connection to a server of the operator's own, for a few bytes there and back.
 * @module
 */
import * as net from "node:net";
import type { Address } from "../../adapters/address.ts";

/** Why there is no connection, in words. */
export function connectFailure(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "unknown";
  switch (code) {
    case "ECONNREFUSED": return "nobody listens there";
    case "ENOENT": return "there is no such socket file";
    case "EACCES": case "EPERM": return "no right to connect there";
    case "ENOTFOUND": case "EAI_AGAIN": return "no machine has this name";
    default: return `no connection: ${code}`;
  }
}

/** A socket on its way to `address`. */
export function connect(address: Address): net.Socket {
  if (address.kind === "unix") return net.connect({ path: address.path });
  return net.connect({ host: address.host, port: address.port, noDelay: true });
}
