/**
 * Where to listen and whom to ask: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`; and what the operator
 * reads when that fails.
 * @module
 */
import * as net from "node:net";

export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export type ListenFailure = {
  readonly reason: "syntax" | "in-use" | "denied" | "unavailable" | "not-a-socket" | "other";
  readonly text: string;
};

/** `sun_path` of Linux, with its terminating zero byte. */
export const unixPathBytesMax = 107;

/** Reads an address; `undefined` if it is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    const fits = path !== "" && Buffer.byteLength(path) <= unixPathBytesMax;
    return fits && !path.includes("\0") ? { kind: "unix", path } : undefined;
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, six, name, digits] = match;
  const port = Number(digits);
  if (port > 65_535 || (six !== undefined && !net.isIPv6(six))) return undefined;
  return { kind: "tcp", host: six ?? name ?? "", port };
}

/** The text that `parseAddress` reads back. */
export function addressText(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Where a listening server really is: the system has filled in port 0. */
export function boundAddress(server: net.Server, asked: Address): Address {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return asked;
  return { kind: "tcp", host: bound.address, port: bound.port };
}

/** Is this a name or address of this machine only? Unix sockets are. */
export function isLoopback(address: Address): boolean {
  if (address.kind === "unix") return true;
  const host = address.host.toLowerCase();
  if (host === "localhost" || host === "::1") return true;
  return net.isIPv4(host) && host.startsWith("127.");
}

/** What the operator reads when a listener does not open. */
export function listenFailure(address: Address, error: unknown): ListenFailure {
  const where = addressText(address);
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  switch (code) {
    case "EADDRINUSE": return { reason: "in-use", text: `${where} is already in use` };
    case "EACCES":
    case "EPERM": return { reason: "denied", text: `no right to listen on ${where}` };
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return { reason: "unavailable", text: `this machine has no address ${where}` };
    case "ENOENT":
    case "ENOTDIR": return { reason: "unavailable", text: `the folder of ${where} does not exist` };
    default: return { reason: "other", text: `cannot listen on ${where}: ${code}` };
  }
}
