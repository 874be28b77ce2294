/**
 * Questions over HTTP: carries out `req.start`, and tells the one answer.
 *
 * Rule 1: decides nothing: no retry, no time-out, no redirect. `req.drop` ends a question at once.
 * Rule 2: a target that is not this machine is reached through its proxy or not at all; names are
 * resolved there, never here.
 * Rule 3: credentials are read from their source when a target is first asked, and again when the
 * core says so. They are in no event, no message and no log.
 * Rule 4: to this machine, what only reads, or names nothing, keeps its connection for the next
 * question. One that the other side has closed by then was none: the same question is asked on a
 * connection of its own. What carries a body may move money, and always has its own.
 * @module
 */
import * as http from "node:http";
import { isIP, type Socket } from "node:net";
import * as tls from "node:tls";
import type { RequestEffect, RequestEvent, RequestFailure } from "../core/kernel/io.ts";
import type { Credentials as ProxyUser } from "../core/tor/socks.ts";
import type { Address } from "./address.ts";
import type { SecretSource } from "./secretfile.ts";
import { askProxy, connectTo, type Outcome, sharedSays } from "./socks.ts";

/** How a target knows us. `path`: the secret stands for `{secret}` in the request's path. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "basic" | "bearer" | "gotify" | "path"; readonly source: SecretSource };

export type Proxy = {
  readonly at: Address;
  /** Tor keeps connections with another name and password apart. */
  readonly as: ProxyUser;
};

export type Target = {
  /** `http:` or `https:`, with a path that all requests begin with. */
  readonly url: URL;
  readonly credentials: Credentials;
  readonly proxy: Proxy | undefined;
};

export type Requests = {
  readonly start: (effect: Extract<RequestEffect, { type: "req.start" }>) => void;
  readonly drop: (effect: Extract<RequestEffect, { type: "req.drop" }>) => void;
  readonly closeAll: () => void;
  /** Under way. */
  readonly open: () => number;
};

/** `refused`: its proxy would mix it with other connections. */
export type Report = "requests.no-secret" | "requests.no-target" | "requests.refused";

export type RequestsOptions = {
  readonly targets: ReadonlyMap<string, Target>;
  readonly push: (event: RequestEvent) => void;
  /** Something about a target that only its operator can mend. */
  readonly report: (code: Report, says: string) => void;
  /** The largest answer in bytes; 16 MiB. */
  readonly bytesMax?: number;
};

/** No answer that the core asks for is larger; in bytes. 16 MiB. */
const answerBytesMax = 16_777_216;

/** So long an idle connection is kept, in ms. */
const keptMs = 600_000;

type Hub = RequestsOptions & {
  readonly under: Map<number, AbortController>;
  /** By target. */
  readonly secrets: Map<string, string>;
  /** Connections that nobody uses just now (rule 4). */
  readonly kept: http.Agent;
};

/** Carries out questions to `targets`. */
export function createRequests(options: RequestsOptions): Requests {
  const kept = new http.Agent({ keepAlive: true, maxFreeSockets: 1, timeout: keptMs });
  const hub: Hub = { ...options, under: new Map(), secrets: new Map(), kept };
  return {
    start: (effect) => start(hub, effect),
    drop: ({ req }) => drop(hub, req),
    closeAll: () => {
      for (const req of hub.under.keys()) drop(hub, req);
      kept.destroy();
    },
    open: () => hub.under.size,
  };
}

function drop(hub: Hub, req: number): void {
  const under = hub.under.get(req);
  hub.under.delete(req);
  under?.abort();
}

function start(hub: Hub, effect: Extract<RequestEffect, { type: "req.start" }>): void {
  const control = new AbortController();
  hub.under.set(effect.req, control);
  // Answers never come while the effect is being carried out.
  Promise.resolve().then(() => ask(hub, effect, control.signal)).then(
    (event) => answer(hub, event),
    () => answer(hub, { type: "req.failed", req: effect.req, reason: "malformed" }),
  );
}

function answer(hub: Hub, event: RequestEvent): void {
  if (hub.under.delete(event.req)) hub.push(event);
}

async function ask(
  hub: Hub, effect: Extract<RequestEffect, { type: "req.start" }>, signal: AbortSignal,
): Promise<RequestEvent> {
  const { req, to } = effect;
  const failed = (reason: RequestFailure): RequestEvent => ({ type: "req.failed", req, reason });
  const target = hub.targets.get(to);
  if (target === undefined) {
    hub.report("requests.no-target", `nothing is configured for ${to}`);
    return failed("denied");
  }
  const secret = secretOf(hub, to, target, effect.renew);
  if (secret === undefined) return failed("denied");
  const { url, proxy } = target;
  if (proxy === undefined && !isHere(url.hostname)) return failed("denied");
  // Given up before it began: nobody hears this.
  if (signal.aborted) return failed("reset");
  const bytesMax = hub.bytesMax ?? answerBytesMax;
  if (mayKeep(effect, target)) {
    const event = await again(effect, target, { secret, signal, bytesMax, agent: hub.kept });
    if (event !== "stale") return event;
  }
  const socket = connectTo(proxy?.at ?? addressOf(url));
  const cut = (): void => void socket.destroy();
  signal.addEventListener("abort", cut);
  try {
    const outcome = await reach(socket, target);
    if (outcome === "shared") hub.report("requests.refused", `${to}: ${sharedSays}`);
    if (outcome !== "open") return failed(outcome === "shared" ? "denied" : outcome);
    return await exchange(effect, target, { secret, socket, signal, bytesMax });
  } catch (error) {
    return failed(reasonOf(error as NodeJS.ErrnoException));
  } finally {
    signal.removeEventListener("abort", cut);
    socket.destroy();
  }
}

function mayKeep({ method, body }: Asked, { url, proxy }: Target): boolean {
  return (method === "GET" || body === "") && proxy === undefined && url.protocol === "http:";
}

/** Over a kept connection, or one to be kept. `stale`: it was closed before it was asked. */
async function again(effect: Asked, target: Target, how: How): Promise<RequestEvent | "stale"> {
  try {
    return await exchange(effect, target, how);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === staleCode) return "stale";
    const reason = reasonOf(error as NodeJS.ErrnoException);
    return { type: "req.failed", req: effect.req, reason };
  }
}

/** The target's secret, "" where it has none; `undefined` if there is none and it needs one. */
function secretOf(
  hub: Hub, to: string, { credentials }: Target, renew: boolean,
): string | undefined {
  if (credentials.kind === "none") return "";
  const known = renew ? undefined : hub.secrets.get(to);
  if (known !== undefined) return known;
  const read = credentials.source.read();
  if (!read.ok) {
    hub.report("requests.no-secret", `${to}: cannot read ${read.says}`);
    return undefined;
  }
  hub.secrets.set(to, read.text);
  return read.text;
}

/** Does this name mean this machine, without asking anybody? */
export function isHere(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]"
    || /^127(\.[0-9]{1,3}){3}$/.test(hostname);
}

/** Resolves also when the socket is destroyed. Rejects if it fails without a proxy. */
function reach(socket: Socket, { url, proxy }: Target): Promise<Outcome> {
  const { host, port } = addressOf(url);
  return new Promise((resolve, reject) => {
    // For good: the proxy's client takes its own listener away when it has failed.
    socket.on("error", (error) => {
      if (proxy === undefined) reject(error);
      else resolve("unreachable");
    });
    socket.once("close", () => resolve("unreachable"));
    socket.once("connect", () => {
      if (proxy === undefined) resolve("open");
      else askProxy(socket, { host, port, as: proxy.as }, resolve);
    });
  });
}

type Host = Extract<Address, { kind: "tcp" }>;

function addressOf(url: URL): Host {
  return { kind: "tcp", host: url.hostname.replace(/^\[|\]$/g, ""), port: portOf(url) };
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

type Asked = Extract<RequestEffect, { type: "req.start" }>;

type How = {
  readonly secret: string; readonly signal: AbortSignal; readonly bytesMax: number;
  /** Over this one, which is closed afterwards, or over one of those that are kept. */
} & ({ readonly socket: Socket } | { readonly agent: http.Agent });

function exchange(effect: Asked, target: Target, how: How): Promise<RequestEvent> {
  const { req, method, body } = effect;
  const { url } = target;
  const { secret, signal, bytesMax } = how;
  const base = url.pathname.replace(/\/$/, "");
  const path = target.credentials.kind === "path"
    ? effect.path.replace("{secret}", encodeURIComponent(secret).replaceAll("%3A", ":"))
    : effect.path;
  const bytes = Buffer.from(body, "utf8");
  return new Promise((resolve, reject) => {
    let isHeard = false;
    const asked = http.request({
      // A target without a path of its own is what the operator wrote.
      method, path: path === "/" && base !== "" ? base : `${base}${path}`,
      signal, ...connectionOf(how, url), setHost: false, maxHeaderSize: 65_536,
      headers: { host: url.host, "content-length": bytes.length,
        connection: "agent" in how ? "keep-alive" : "close",
        ...Object.fromEntries(effect.headers), ...authorization(target.credentials, secret) },
    }, (response) => {
      isHeard = true;
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size <= bytesMax) return void parts.push(part);
        resolve({ type: "req.failed", req, reason: "too-large" });
        response.destroy();
      });
      response.on("error", reject);
      response.on("end", () => {
        if (!response.complete) return reject(Object.assign(new Error("cut"), cut));
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(parts).toString("utf8");
        const { "retry-after": retryAfter } = response.headers;
        const wait = retryAfter === undefined ? {} : { retryAfter };
        resolve({ type: "req.done", req, status, body: text, ...wait });
      });
    });
    asked.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = asked.reusedSocket && !isHeard && reasonOf(error) === "reset";
      reject(isStale ? Object.assign(error, { code: staleCode }) : error);
    });
    // Nobody asked for another protocol (101), and what was said before the end is no answer.
    asked.on("upgrade", (_, upgraded) => {
      upgraded.destroy();
      reject(Object.assign(new Error("upgrade"), { code: "HPE_UPGRADE" }));
    });
    asked.on("close", () => reject(Object.assign(new Error("closed"), cut)));
    asked.end(bytes);
  });
}

const cut = { code: "ECONNRESET" };
const staleCode = "STALE";

function connectionOf(how: How, url: URL): http.RequestOptions {
  const { host, port } = addressOf(url);
  if ("agent" in how) return { agent: how.agent, host, port };
  const { socket } = how;
  // No agent, not even `false`: that is one too, and would dial by itself, around the proxy.
  const dial = (): Socket => url.protocol === "https:" ? encrypted(socket, url) : socket;
  return { createConnection: dial, host: url.hostname, port };
}

function encrypted(socket: Socket, url: URL): Socket {
  const { host } = addressOf(url);
  // The certificate is checked against either; only names are said aloud (RFC 6066 §3).
  return tls.connect(isIP(host) === 0 ? { socket, host, servername: host } : { socket, host });
}

function authorization(credentials: Credentials, secret: string): Record<string, string> {
  switch (credentials.kind) {
    case "basic": return { authorization: `Basic ${Buffer.from(secret).toString("base64")}` };
    case "bearer": return { authorization: `Bearer ${secret}` };
    case "gotify": return { "x-gotify-key": secret };
    case "none": case "path": return {};
  }
}

const reasons: ReadonlyMap<string, RequestFailure> = new Map([
  ["ECONNREFUSED", "refused"], ["ETIMEDOUT", "timeout"], ["ECONNRESET", "reset"],
  ["EPIPE", "reset"], ["EHOSTUNREACH", "unreachable"], ["ENETUNREACH", "unreachable"],
]);

function reasonOf({ code, message }: NodeJS.ErrnoException): RequestFailure {
  const known = reasons.get(code ?? "");
  if (known !== undefined) return known;
  if (code?.startsWith("HPE_") === true) return "malformed";
  return /aborted|hang up/.test(message) ? "reset" : "unreachable";
}
