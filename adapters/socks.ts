/**
 * How a connection goes out: to an address of the operator's, and from a SOCKS5 proxy there onwards
 * (RFC 1928, 1929).
 *
 * Rule 1: the name goes to the proxy as it stands, and is never looked up here.
 * Rule 2: user and password keep connections apart. A proxy that does not ask for them would let
 * them share a circuit: it is refused.
 * Not known here: what may go where, and how long it may take. Who gives up destroys the socket.
 * @module
 */
import * as net from "node:net";
import { SocksClient } from "socks";
import type { DialFailure } from "../core/kernel/io.ts";
import type { Credentials } from "../core/tor/socks.ts";
import type { Address } from "./address.ts";

/** SOCKS5 gives the size of a name in one byte. */
export const hostBytesMax = 255;

/** Where the proxy is to lead, and as whom we ask. */
export type Onward = {
  readonly host: string;
  readonly port: number;
  readonly as: Credentials;
};

/** `shared`: the proxy does not keep connections apart. */
export type Outcome = "open" | "shared" | DialFailure;

/** What to tell the operator of a `shared` one. */
export const sharedSays = "the proxy does not keep connections apart: is it Tor?";

/** A socket on its way to `address`. */
export function connectTo(address: Address): net.Socket {
  if (address.kind === "unix") return net.connect({ path: address.path });
  return net.connect({ host: unlooked(address.host), port: address.port, noDelay: true });
}

/** No name of this machine is looked up: not every resolver keeps it to itself. */
export function unlooked(host: string): string {
  return host.toLowerCase() === "localhost" ? "127.0.0.1" : host;
}

/**
 * A proxy that has not answered by then never will; every deadline of the core is shorter. The
 * client insists on a limit, and keeps its timer, which holds no process, until then.
 */
const backstopMs = 600_000;

/**
 * Asks the proxy that `socket` is connected to, and tells once what came of it; `unreachable` also
 * when the socket is destroyed before. Whatever it tells, the socket stays the caller's to destroy.
 */
export function askProxy(
  socket: net.Socket, { host, port, as }: Onward, tell: (outcome: Outcome) => void,
): void {
  if (Buffer.byteLength(host) > hostBytesMax) return tell("denied");
  const client = new SocksClient({
    command: "connect",
    destination: { host, port },
    proxy: {
      // Not connected to from here: the socket is.
      host: "proxy", port: 0, type: 5,
      userId: as.user, password: Buffer.from(as.password.secret).toString("latin1"),
    },
    existing_socket: socket,
    timeout: backstopMs,
  });
  const isAsked = watchForQuestion(socket);
  client.once("established", () => tell(isAsked() ? "open" : "shared"));
  client.once("error", (error) => tell(reasonOf(error.message)));
  client.connect(socket);
}

/** Has the proxy chosen user and password? Its first two bytes say so (RFC 1928 §3). */
function watchForQuestion(socket: net.Socket): () => boolean {
  const first: number[] = [];
  const look = (bytes: Buffer): void => {
    for (const byte of bytes) if (first.push(byte) >= 2) break;
    if (first.length >= 2) socket.off("data", look);
  };
  socket.on("data", look);
  return () => first[1] === 2;
}

/** The client tells the proxy's answer (RFC 1928 §6) as a word at the end of a text. */
function reasonOf(text: string): DialFailure {
  if (text.endsWith("ConnectionRefused")) return "refused";
  if (text.endsWith("TTLExpired") || text.endsWith("timed out")) return "timeout";
  return "unreachable";
}
