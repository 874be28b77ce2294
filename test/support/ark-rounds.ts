/**
 * A small real Ark server on loopback for tests of round events: the gRPC of the library, messages
 * put together byte by byte, so that nobody's schema is trusted.
 * @module
 */
import {
  Metadata, Server, ServerCredentials, type handleUnaryCall, type ServerWritableStream,
  type ServiceError,
} from "@grpc/grpc-js";

type Call = ServerWritableStream<Uint8Array, Uint8Array>;

export type ArkRounds = {
  readonly port: number;
  /** The lowest and highest version that it says it speaks, or the bytes that it says instead. */
  versions: readonly [bigint, bigint] | Uint8Array;
  /** Fails the next calls with this code of gRPC. */
  failing: number | undefined;
  /** Sent to whoever subscribes, before anything else. */
  replay: readonly Uint8Array[];
  /** Accepts subscriptions without saying so. */
  isMute: boolean;
  /** The metadata of each call, `handshake` or `subscribe` first. */
  readonly heard: string[];
  readonly calls: Set<Call>;
  readonly send: (bytes: Uint8Array) => void;
  /** Ends every stream politely. */
  readonly end: () => void;
  readonly kill: () => void;
};

const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const asIs = (bytes: Buffer): Uint8Array => bytes;

/** A protobuf field of a whole number. */
export function varintField(field: number, value: bigint): number[] {
  return [field << 3, ...varint(value)];
}

/** A protobuf field that holds bytes. */
export function bytesField(field: number, bytes: readonly number[]): number[] {
  return [(field << 3) | 2, ...varint(BigInt(bytes.length)), ...bytes];
}

function varint(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return [...out, Number(rest)];
}

/** A round's event as the server writes it: `field` is that of the kind. */
export function eventBytes(field: number, round: bigint, attempt: bigint): Uint8Array {
  const numbers = [...varintField(1, round), ...(attempt === 0n ? [] : varintField(2, attempt))];
  return Uint8Array.from(bytesField(field, [...numbers, ...bytesField(3, [1, 2, 3])]));
}

/** Listens until `kill`. Without `services` it knows no call at all. */
export async function arkRounds(services = true): Promise<ArkRounds> {
  const server = new Server();
  const calls = new Set<Call>();
  const ark: Omit<ArkRounds, "port"> = {
    versions: [4n, 5n], failing: undefined, replay: [], isMute: false, heard: [], calls,
    send: (bytes) => calls.forEach((call) => call.write(bytes)),
    end: () => calls.forEach((call) => call.end()),
    kill: () => server.forceShutdown(),
  };
  if (services) serve(server, ark);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return Object.assign(ark, { port });
}

function serve(server: Server, ark: Omit<ArkRounds, "port">): void {
  const says = (name: string, metadata: Metadata): void => {
    const [agent, version] = ["x-user-agent", "pver"].map((key) => metadata.get(key).join(","));
    ark.heard.push(`${name} ${agent} ${version}`.trim());
  };
  const handshake: handleUnaryCall<Uint8Array, Uint8Array> = (call, answer) => {
    says("handshake", call.metadata);
    if (ark.failing !== undefined) return answer({ code: ark.failing, details: "secret" });
    const { versions } = ark;
    if (versions instanceof Uint8Array) return answer(null, versions);
    const [min, max] = versions;
    answer(null, Uint8Array.from([...varintField(1, min), ...varintField(2, max)]));
  };
  const subscribe = (call: Call): void => {
    says("subscribe", call.metadata);
    if (ark.failing !== undefined) {
      const error: Partial<ServiceError> = { code: ark.failing, details: "secret" };
      return void call.emit("error", error);
    }
    ark.calls.add(call);
    call.on("cancelled", () => ark.calls.delete(call));
    if (!ark.isMute) call.sendMetadata(new Metadata());
    for (const bytes of ark.replay) call.write(bytes);
  };
  const how = {
    requestStream: false, requestSerialize: asBytes, requestDeserialize: asIs,
    responseSerialize: asBytes, responseDeserialize: asIs,
  };
  const paths = "/bark_server.ArkService";
  server.addService({
    handshake: { path: `${paths}/Handshake`, responseStream: false, ...how },
    subscribe: { path: `${paths}/SubscribeRounds`, responseStream: true, ...how },
  }, { handshake, subscribe });
}
