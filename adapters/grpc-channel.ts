/**
 * How gRPC gets to a server: on this machine directly, and from anywhere else through the proxy of
 * its target, with TLS where the address says so.
 *
 * Rule 1: what is not on this machine is reached through its proxy or not at all. The library
 * connects to the proxy; the name goes there as it stands and is never looked up here. Neither are
 * the proxies of the environment asked.
 * Rule 2: a proxy that would let connections share a circuit is refused.
 * Rule 3: one client connects once. Trying again is not the library's business.
 * @module
 */
import {
  CallCredentials, ChannelCredentials, type ChannelOptions, type experimental,
} from "@grpc/grpc-js";
import { isIP, type Socket } from "node:net";
import * as tls from "node:tls";
import type { Address } from "./address.ts";
import type { Proxy } from "./requests.ts";
import { askProxy, unlooked } from "./socks.ts";

/** A server by its address, `http:` or `https:`; with a proxy unless it is on this machine. */
export type Server = { readonly url: URL; readonly proxy: Proxy | undefined };

type Connector = experimental.SecureConnector;

/** The address that the library is to connect to first. */
export function firstStop({ url, proxy }: Server): string {
  const at: Address = proxy?.at ?? { kind: "tcp", host: hostOf(url), port: portOf(url) };
  if (at.kind === "unix") return `unix:${at.path}`;
  const host = unlooked(at.host);
  switch (isIP(host)) {
    case 4: return `ipv4:${host}:${at.port}`;
    case 6: return `ipv6:[${host}]:${at.port}`;
    default: return `dns:///${host}:${at.port}`;
  }
}

/** What keeps the library from doing more than it was asked to. */
export function quiet(server: Server): ChannelOptions {
  return {
    "grpc.default_authority": server.url.host,
    "grpc.enable_http_proxy": 0, "grpc.enable_retries": 0, "grpc.enable_channelz": 0,
    "grpc.service_config_disable_resolution": 1, "grpc.use_local_subchannel_pool": 1,
  };
}

/** The rest of the way from the first stop. `shared` is told when the proxy was refused. */
export class Onwards extends ChannelCredentials {
  readonly server: Server;
  readonly shared: () => void;

  constructor(server: Server, shared: () => void) {
    super();
    this.server = server;
    this.shared = shared;
  }

  override compose(): ChannelCredentials {
    return this;
  }

  override _isSecure(): boolean {
    return this.server.url.protocol === "https:";
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(): Connector {
    const { server, shared } = this;
    let isSpent = false;
    return {
      connect: async (socket) => {
        if (server.proxy !== undefined) await beyond(socket, server.url, server.proxy, shared);
        if (!this._isSecure()) return { socket, secure: false };
        return { socket: await encrypted(socket, server.url), secure: true };
      },
      // Asked before each connection. The library makes a second one by itself when the first
      // fails, even if the client was closed meanwhile.
      waitForReady: () => {
        if (isSpent) return Promise.reject(new Error("one connection"));
        isSpent = true;
        return Promise.resolve();
      },
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}

function beyond(socket: Socket, url: URL, proxy: Proxy, shared: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error("the proxy is gone"));
    socket.on("error", lost);
    socket.once("close", lost);
    askProxy(socket, { host: hostOf(url), port: portOf(url), as: proxy.as }, (outcome) => {
      if (outcome === "shared") shared();
      if (outcome === "open") keepEarly(socket, resolve);
      else reject(new Error(`the proxy says ${outcome}`));
    });
  });
}

/**
 * What a server sends at once may have come in one piece with the proxy's answer. The client of the
 * proxy emits it a moment later and lets the socket flow, when HTTP/2 no longer listens there.
 */
function keepEarly(socket: Socket, then: () => void): void {
  const early: Buffer[] = [];
  const hold = (bytes: Buffer): void => void early.push(bytes);
  socket.on("data", hold);
  socket.once("resume", () => {
    socket.pause();
    socket.off("data", hold);
    if (early.length > 0) socket.unshift(Buffer.concat(early));
    then();
  });
}

function encrypted(socket: Socket, url: URL): Promise<tls.TLSSocket> {
  const host = hostOf(url);
  // The certificate is checked against either; only names are said aloud (RFC 6066 §3).
  const name = isIP(host) === 0 ? { host, servername: host } : { host };
  return new Promise((resolve, reject) => {
    const wrapped = tls.connect({ socket, ...name, ALPNProtocols: ["h2"] }, () => resolve(wrapped));
    wrapped.on("error", reject);
  });
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}
