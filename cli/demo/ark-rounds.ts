/**
 * The stand-in Ark server's public round events over real gRPC.
 *
 * Rule 1: whoever asks agrees on a version first, as with a real server; a server that is down
 * refuses both calls, and ends the streams that it has.
 * @module
 */
import {
  Metadata, Server, ServerCredentials, status as codes, type handleUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import protobuf from "protobufjs";
import type { Ambient } from "../../adapters/ambient.ts";
import { paths, schema } from "../../adapters/round-proto.ts";
import type { RoundEvent } from "../../core/ark/wallet.ts";
import { after } from "../../core/time.ts";
import * as faults from "../../sim/ark/faults.ts";
import { subscribe, unsubscribe } from "../../sim/ark/streams.ts";
import type { Said, World } from "../../sim/ark/state.ts";

export type RoundServerOptions = {
  /** A loopback address as a URL has it. */
  readonly host: string;
  readonly act: <T>(act: (world: World) => T) => T;
  readonly ambient: Pick<Ambient, "now" | "timer">;
};

export type RoundServer = {
  readonly port: number;
  /** What the world tells a subscriber. */
  readonly item: (sub: number, event: RoundEvent) => void;
  readonly ended: (sub: number, reason: "clean" | "error") => void;
  readonly close: () => void;
};

type Call = ServerWritableStream<Uint8Array, Uint8Array>;

/** A subscriber; what comes before its call is known waits. */
type Reader = { call: Call | undefined; readonly early: Uint8Array[]; end: "clean" | "error" | "" };

type Desk = RoundServerOptions & { readonly readers: Map<number, Reader> };

const root = protobuf.parse(schema, { keepCase: true }).root;
const greeting = root.lookupType("bark_server.HandshakeResponse");
const eventType = root.lookupType("bark_server.RoundEvent");
const names = {
  attempt: "attempt", proposal: "vtxo_proposal", finished: "finished", failed: "failed",
} as const;

const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const asIs = (bytes: Buffer): Uint8Array => bytes;
const unary = {
  requestStream: false, requestSerialize: asBytes, requestDeserialize: asIs,
  responseSerialize: asBytes, responseDeserialize: asIs,
};
const away = { code: codes.UNAVAILABLE, details: "the server is down" };

/** Listens on a free port until it is closed. */
export async function serveRounds(options: RoundServerOptions): Promise<RoundServer> {
  const desk: Desk = { ...options, readers: new Map() };
  const server = new Server();
  const handshake: handleUnaryCall<Uint8Array, Uint8Array> = (_, answer) => {
    const versions = options.act(versionsOf);
    if (versions === undefined) return answer(away);
    const { min, max } = versions;
    const told = { min_protocol_version: min, max_protocol_version: max };
    answer(null, greeting.encode(told).finish());
  };
  server.addService({
    handshake: { path: paths.handshake, responseStream: false, ...unary },
    subscribe: { path: paths.subscribe, responseStream: true, ...unary },
  }, { handshake, subscribe: (call: Call) => admit(desk, call) });
  const port = await new Promise<number>((resolve, reject) => {
    const at = `${options.host}:0`;
    server.bindAsync(at, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    item: (sub, event) => told(desk, sub, event),
    ended: (sub, reason) => {
      const reader = desk.readers.get(sub);
      if (reader === undefined) return;
      reader.end = reason;
      finish(desk, sub, reader);
    },
    close: () => server.forceShutdown(),
  };
}

function versionsOf(w: World): faults.ServerFault & { kind: "version" } | undefined {
  const { versionMin: min, versionMax: max } = w.config.server;
  let found: faults.ServerFault & { kind: "version" } = { kind: "version", min, max };
  for (const fault of faults.ofServer(w.outages, w.nowMs)) {
    if (fault.kind === "down" || fault.kind === "closing") return undefined;
    if (fault.kind === "version") found = fault;
  }
  return found;
}

function admit(desk: Desk, call: Call): void {
  const reader: Reader = { call: undefined, early: [], end: "" };
  const asked = desk.act((w): Said<number> => {
    const said = subscribe(w, "rounds", undefined);
    if (said.ok) desk.readers.set(said.value, reader);
    return said;
  });
  if (!asked.ok) return void call.emit("error", away);
  const { value: sub, afterMs } = asked;
  call.on("cancelled", () => {
    desk.readers.delete(sub);
    desk.act((w) => unsubscribe(w, sub));
  });
  const wait = desk.ambient.timer(() => {
    reader.call = call;
    call.sendMetadata(new Metadata());
    for (const bytes of reader.early.splice(0)) call.write(bytes);
    finish(desk, sub, reader);
  });
  wait.arm(after(desk.ambient.now(), afterMs));
}

function told({ readers }: Desk, sub: number, event: RoundEvent): void {
  const reader = readers.get(sub);
  if (reader === undefined) return;
  const { kind, roundSeq, attemptSeq } = event;
  const step = { round_seq: roundSeq, attempt_seq: attemptSeq };
  const bytes = eventType.encode({ [names[kind]]: step }).finish();
  if (reader.call === undefined) reader.early.push(bytes);
  else reader.call.write(bytes);
}

/** Ends a stream once it has begun. */
function finish({ readers }: Desk, sub: number, reader: Reader): void {
  const { call, end } = reader;
  if (call === undefined || end === "") return;
  readers.delete(sub);
  if (end === "clean") call.end();
  else call.emit("error", away);
}
