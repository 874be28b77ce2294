/**
 * The Ark server's public stream of round events, over gRPC: carries out `stream.open`.
 *
 * Rule 1: decides nothing. A stream is asked for once, on a connection of its own; whatever ends it
 * is told, and trying again is the core's business.
 * Rule 2: first the two agree on a version, within `connectMs`; then comes the subscription, which
 * carries it. How long the server may take to accept that, and be silent, the core decides.
 * Rule 3: no text of the server gets further than here; only codes of gRPC do.
 * Rule 4: a server that sends events without end is read at most once in `paceMs`; the rest waits
 * on its side, where old events are dropped.
 * @module
 */
import {
  Client, Metadata, status as codes, type ClientReadableStream, type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import type { StreamEffect, StreamEnd, StreamEvent } from "../core/ark/streams.ts";
import { after } from "../core/time.ts";
import type { Ambient, Timer } from "./ambient.ts";
import { firstStop, Onwards, quiet, type Server } from "./grpc-channel.ts";
import { isHere } from "./requests.ts";
import { eventOf, paths, versionsOf, type Versions } from "./round-proto.ts";
import { sharedSays } from "./socks.ts";

export type Config = {
  /** Connecting and agreeing on a version take no longer, in ms. 30,000. */
  readonly connectMs: number;
  /** A silent connection is asked for a sign of life after this many ms. 20,000. */
  readonly keepaliveMs: number;
  /** Without one within this many ms it is broken. 20,000. */
  readonly keepaliveAnswerMs: number;
  /** The largest event, in bytes; those of a round with many coins are large. 16 MiB. */
  readonly messageBytesMax: number;
  /** Streams at once; another one is refused. 256. */
  readonly streamsMax: number;
  /** Between two events of one stream, in ms. 10. */
  readonly paceMs: number;
  /** Versions of the protocol in which the events are what is read here. 1 to 5. */
  readonly versions: Versions;
  /** How we call ourselves: `name/version`. */
  readonly agent: string;
};

export const defaults: Omit<Config, "agent"> = {
  connectMs: 30_000, keepaliveMs: 20_000, keepaliveAnswerMs: 20_000, messageBytesMax: 16_777_216,
  streamsMax: 256, paceMs: 10, versions: { min: 1, max: 5 },
};

/** `unknown`: an event of a kind that is not known here. */
export type Report = "rounds.no-target" | "rounds.refused" | "rounds.unknown";

export type RoundEventsOptions = {
  readonly servers: ReadonlyMap<string, Server>;
  readonly config: Config;
  readonly ambient: Pick<Ambient, "now" | "wall" | "timer">;
  readonly push: (event: StreamEvent) => void;
  readonly report: (code: Report, says: string) => void;
};

export interface RoundEvents {
  /** Nothing is told within the call. */
  open(effect: Extract<StreamEffect, { type: "stream.open" }>): void;
  close(stream: number): void;
  closeAll(): void;
  /** Streams under way. */
  readonly count: () => number;
}

type Stream = {
  readonly id: number;
  readonly to: string;
  client: Client | undefined;
  call: ClientReadableStream<Uint8Array> | undefined;
  timer: Timer | undefined;
  isSubscribed: boolean;
};

type Hub = RoundEventsOptions & { readonly streams: Map<number, Stream> };

export function createRoundEvents(options: RoundEventsOptions): RoundEvents {
  const hub: Hub = { ...options, streams: new Map() };
  return {
    open: (effect) => open(hub, effect),
    close: (stream) => close(hub, stream),
    closeAll: () => {
      for (const stream of hub.streams.keys()) close(hub, stream);
    },
    count: () => hub.streams.size,
  };
}

function open(hub: Hub, effect: Extract<StreamEffect, { type: "stream.open" }>): void {
  const { stream: id, to } = effect;
  const stream: Stream = {
    id, to, client: undefined, call: undefined, timer: undefined, isSubscribed: false,
  };
  const isFull = hub.streams.size >= hub.config.streamsMax;
  hub.streams.set(id, stream);
  // Answers never come while the effect is being carried out.
  void Promise.resolve().then(() => {
    if (!isOpen(hub, stream)) return;
    if (isFull) return ended(hub, stream, "refused", "rounds-full", "too many streams at once");
    begin(hub, stream);
  });
}

function begin(hub: Hub, stream: Stream): void {
  const { id, to } = stream;
  const server = hub.servers.get(to);
  if (server === undefined) {
    hub.report("rounds.no-target", `nothing is configured for ${to}`);
    return ended(hub, stream, "refused", "rounds-denied", deniedText);
  }
  if (server.proxy === undefined && !isHere(server.url.hostname)) {
    return ended(hub, stream, "refused", "rounds-denied", deniedText);
  }
  const { config } = hub;
  const shared = (): void => {
    if (hub.streams.has(id)) hub.report("rounds.refused", `${to}: ${sharedSays}`);
  };
  stream.client = new Client(firstStop(server), new Onwards(server, shared), {
    ...quiet(server),
    "grpc.keepalive_time_ms": config.keepaliveMs,
    "grpc.keepalive_timeout_ms": config.keepaliveAnswerMs,
    "grpc.max_receive_message_length": config.messageBytesMax,
  });
  const deadline = hub.ambient.wall().unixMs + config.connectMs;
  stream.client.makeUnaryRequest(
    paths.handshake, asBytes, asIs, nothing, metadata(config), { deadline },
    (error, reply) => greeted(hub, stream, error, reply),
  );
}

const deniedText = "nothing leads to this server: it is neither here nor behind a proxy";
const nothing = new Uint8Array(0);
const asIs = (bytes: Buffer): Uint8Array => bytes;
const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

function metadata(config: Config, version?: number): Metadata {
  const found = new Metadata();
  found.set("x-user-agent", config.agent);
  if (version !== undefined) found.set("pver", String(version));
  return found;
}

function greeted(
  hub: Hub, stream: Stream, error: ServiceError | null, reply: Uint8Array | undefined,
): void {
  if (!isOpen(hub, stream)) return;
  if (error !== null) return failed(hub, stream, error.code);
  const theirs = versionsOf(reply ?? nothing);
  if (theirs === undefined) return garbled(hub, stream);
  const { min, max } = hub.config.versions;
  const version = Math.min(max, theirs.max);
  if (version < min || version < theirs.min) {
    return ended(hub, stream, "refused", "rounds-version", versionText);
  }
  subscribe(hub, stream, version);
}

const versionText = "the server and this program have no version in common";

function subscribe(hub: Hub, stream: Stream, version: number): void {
  const call = stream.client?.makeServerStreamRequest(
    paths.subscribe, asBytes, asIs, nothing, metadata(hub.config, version), {},
  );
  if (call === undefined) return;
  stream.call = call;
  stream.timer = hub.ambient.timer(() => void call.resume());
  // The status says it all, and comes besides.
  call.on("error", () => undefined);
  call.on("metadata", () => {
    if (!isOpen(hub, stream) || stream.isSubscribed) return;
    stream.isSubscribed = true;
    hub.push({ type: "stream.subscribed", stream: stream.id });
  });
  call.on("data", (bytes: Uint8Array) => received(hub, stream, call, bytes));
  call.on("status", ({ code }: StatusObject) => {
    if (isOpen(hub, stream)) failed(hub, stream, code);
  });
}

function received(
  hub: Hub, stream: Stream, call: ClientReadableStream<Uint8Array>, bytes: Uint8Array,
): void {
  if (!isOpen(hub, stream)) return;
  const event = eventOf(bytes);
  if (event === undefined) return garbled(hub, stream);
  call.pause();
  stream.timer?.arm(after(hub.ambient.now(), hub.config.paceMs));
  if (event !== "unknown") return hub.push({ type: "stream.item", stream: stream.id, event });
  hub.report("rounds.unknown", `${stream.to}: an event of a kind that is not known`);
}

function garbled(hub: Hub, stream: Stream): void {
  const reason = stream.isSubscribed ? "error" : "refused";
  ended(hub, stream, reason, "rounds-malformed", "what the server sent is no message of rounds");
}

/** The call ended with a status of gRPC. */
function failed(hub: Hub, stream: Stream, code: codes): void {
  if (code === codes.OK && stream.isSubscribed) {
    return ended(hub, stream, "clean", "rounds-closed", "the server closed the stream");
  }
  const reason = stream.isSubscribed ? "error" : "refused";
  const name = (codes[code] as string | undefined)?.toLowerCase().replaceAll("_", "-") ?? "none";
  ended(hub, stream, reason, `rounds-${name}`, texts.get(code) ?? "the server ended the call");
}

const texts: ReadonlyMap<codes, string> = new Map([
  [codes.UNAVAILABLE, "the server is not there, or the connection broke"],
  [codes.DEADLINE_EXCEEDED, "no answer in time"],
  [codes.UNIMPLEMENTED, "the server has no such call: is it an Ark server?"],
  [codes.RESOURCE_EXHAUSTED, "the server has too much to do, or said too much"],
]);

function isOpen(hub: Hub, stream: Stream): boolean {
  return hub.streams.get(stream.id) === stream;
}

function close(hub: Hub, id: number): void {
  const stream = hub.streams.get(id);
  hub.streams.delete(id);
  stream?.timer?.disarm();
  stream?.call?.cancel();
  stream?.client?.close();
}

function ended(hub: Hub, stream: Stream, reason: StreamEnd, code: string, text: string): void {
  close(hub, stream.id);
  hub.push({ type: "stream.ended", stream: stream.id, reason, fault: { code, text } });
}
