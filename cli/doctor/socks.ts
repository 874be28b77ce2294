/**
 * Is Tor's SocksPort where the configuration says?
 *
 * Rule 1: only the greeting is spoken (RFC 1928 §3): whether Tor reaches anybody is shown by the
 * directories behind it.
 * Rule 2: it must ask for user and password, or it would not keep circuits apart.
 * @module
 */
import type { Socket } from "node:net";
import { addressText, type Address } from "../../adapters/address.ts";
import { connectTo } from "../../adapters/socks.ts";
import { type Check, fail, type Finding, ok, skipped } from "./finding.ts";
import { connectFailure } from "./socket.ts";

const what = "Tor SOCKS";
const greeting = Uint8Array.of(5, 1, 2);

export function socksPort(address: Address | undefined, limitMs: number): Check {
  let socket: Socket | undefined;
  return {
    what, limitMs,
    look: () => {
      if (address === undefined) {
        const seen = "tor.socks is not set: only this machine is talked to";
        return Promise.resolve([skipped(what, seen)]);
      }
      socket = connectTo(address);
      return ask(socket, address).then((finding) => [finding]);
    },
    end: () => socket?.destroy(),
  };
}

function ask(socket: Socket, address: Address): Promise<Finding> {
  const where = addressText(address);
  return new Promise((resolve) => {
    let heard = Buffer.alloc(0);
    socket.on("error", (error) => resolve(
      fail(what, `${where}: ${connectFailure(error)}`, "start Tor, or correct tor.socks"),
    ));
    socket.once("connect", () => socket.write(greeting));
    socket.on("data", (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length >= 2) resolve(judged(where, heard));
    });
    const silent = fail(what, `${where}: it closed without an answer`, foreignFix);
    socket.on("close", () => resolve(silent));
  });
}

const foreignFix = "set tor.socks to the SocksPort of torrc, 9050 by default";

function judged(where: string, [version, method]: Uint8Array): Finding {
  if (version !== 5) return fail(what, `${where}: what answers is no SOCKS5 proxy`, foreignFix);
  if (method === 2) return ok(what, `${where} answers and keeps connections apart`);
  return fail(what, `${where}: this proxy does not take user and password: it is not Tor`,
    `${foreignFix}, and leave IsolateSOCKSAuth on`);
}
