/**
 * The small HTTP face of a daemon for its operator, and the client that asks it.
 *
 * Rule 1: reads only, on loopback or a Unix socket; another address needs the operator's word.
 * Rule 2: no client can hold it up: every wait has an end and connections are few.
 * Rule 3: answers nobody who came by a foreign host name (DNS rebinding), and lets a browser run
 * nothing but what the page itself holds.
 * @module
 */
import * as http from "node:http";
import { isLoopback, type Address, type ListenFailure } from "./address.ts";
import type { Ambient } from "./ambient.ts";
import { listenOn } from "./listen.ts";

export type Readiness = { readonly ready: boolean; readonly reasons: readonly string[] };

export type HttpOptions = {
  readonly address: Address;
  /** Lets the server listen beyond this machine. */
  readonly allowRemote: boolean;
  readonly live: () => { readonly [name: string]: unknown };
  readonly ready: () => Readiness;
  readonly status: () => unknown;
  /** More paths that answer JSON, such as `/plan`. */
  readonly more?: ReadonlyMap<string, () => unknown>;
  /** What `/` shows, and the policy that lets a browser run nothing but its own script. */
  readonly page: () => { readonly html: string; readonly csp: string };
  /** The text of one scrape in the format of Prometheus. */
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
};

export type HttpServer = {
  /** The real address. */
  readonly address: Address;
  close(): void;
};

export type HttpOpened =
  | { readonly ok: true; readonly server: HttpServer }
  | { readonly ok: false; readonly failure: ListenFailure | RemoteRefusal };

export type RemoteRefusal = { readonly reason: "remote"; readonly text: string };

const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
} as const;
const connsMax = 64;
const unixMode = 0o600;

type Answer = {
  readonly code: number;
  readonly kind: string;
  readonly body: string;
  readonly policy?: string;
};

const nothingAllowed = "default-src 'none'; frame-ancestors 'none'";

/** Opens the server. Never rejects. */
export async function openHttp(options: HttpOptions): Promise<HttpOpened> {
  if (!options.allowRemote && !isLoopback(options.address)) {
    const text = "the HTTP address is reachable from other machines; it has no access control";
    return { ok: false, failure: { reason: "remote", text } };
  }
  const server = http.createServer({ ...limits }, (request, response) => {
    void respond(options, request, response);
  });
  server.maxConnections = connsMax;
  server.on("clientError", (_error, socket) => socket.destroy());
  const listening = await listenOn(server, options.address, unixMode);
  if (!listening.ok) return listening;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { ok: true, server: { address: listening.address, close } };
}

async function respond(
  options: HttpOptions,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const answer = await answerOrFault(options, request);
  response.writeHead(answer.code, {
    "Content-Type": answer.kind,
    "Content-Length": Buffer.byteLength(answer.body),
    "Cache-Control": "no-store",
    "Content-Security-Policy": answer.policy ?? nothingAllowed,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    ...(answer.code === 405 ? { Allow: "GET, HEAD" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function answerOrFault(
  options: HttpOptions,
  request: http.IncomingMessage,
): Promise<Answer> {
  try {
    return await answer(options, request);
  } catch {
    return json(500, { error: "internal error" });
  }
}

async function answer(options: HttpOptions, request: http.IncomingMessage): Promise<Answer> {
  if (!isOurHost(options.address, request.headers.host)) {
    return json(403, { error: "unknown host name" });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return json(405, { error: "only GET and HEAD" });
  }
  const path = (request.url ?? "").replace(/\?.*$/s, "");
  switch (path) {
    case "/livez": return json(200, { status: "ok", ...options.live() });
    case "/readyz": return readiness(options.ready());
    case "/status": return json(200, options.status());
    case "/metrics": return metrics(options);
    case "/": return page(options.page());
    default: break;
  }
  const more = options.more?.get(path);
  return more === undefined ? json(404, { error: "no such path" }) : json(200, more());
}

function readiness(state: Readiness): Answer {
  return json(state.ready ? 200 : 503, { ready: state.ready, reasons: state.reasons });
}

async function metrics(options: HttpOptions): Promise<Answer> {
  const { metrics: registry } = options;
  return { code: 200, kind: registry.contentType, body: await registry.text() };
}

function page({ html, csp }: ReturnType<HttpOptions["page"]>): Answer {
  return { code: 200, kind: "text/html; charset=utf-8", body: html, policy: csp };
}

function json(code: number, value: unknown): Answer {
  return { code, kind: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

/** A foreign page can reach us through a name that it lets point here, but under no other name. */
function isOurHost(address: Address, host: string | undefined): boolean {
  if (address.kind === "unix" || host === undefined) return true;
  const name = host.replace(/:[0-9]*$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return isLoopback({ kind: "tcp", host: name, port: 0 }) || name === address.host.toLowerCase();
}

export type Asked =
  | { readonly ok: true; readonly code: number; readonly body: unknown }
  | {
      readonly ok: false;
      readonly reason: "unreachable" | "timeout" | "not-json";
      readonly text: string;
    };

/** The longest answer that the client reads, in bytes. */
const answerBytesMax = 4 * 1024 * 1024;

/** Asks a daemon's HTTP face for JSON, within `timeoutMs` in all. Never rejects. */
export function getJson(
  address: Address,
  path: string,
  timeoutMs: number,
  ambient: Pick<Ambient, "expiry">,
): Promise<Asked> {
  const where =
    address.kind === "unix"
      ? { socketPath: address.path, host: "localhost" }
      : { host: address.host, port: address.port };
  const signal = ambient.expiry(timeoutMs);
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      const reason = signal.aborted ? "timeout" : "unreachable";
      const text = signal.aborted ? `no answer within ${timeoutMs} ms` : error.message;
      resolve({ ok: false, reason, text });
    };
    const request = http.get({ ...where, path, agent: false, signal }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on("error", failed);
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size <= answerBytesMax) parts.push(part);
        else response.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve(parsed(response.statusCode ?? 0, parts)));
    });
    request.on("error", failed);
  });
}

function parsed(code: number, parts: readonly Buffer[]): Asked {
  try {
    return { ok: true, code, body: JSON.parse(Buffer.concat(parts).toString("utf8")) as unknown };
  } catch {
    return { ok: false, reason: "not-json", text: `the answer (${code}) is not JSON` };
  }
}
