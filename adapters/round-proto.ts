/**
 * The part of an Ark server's public gRPC interface that tells everybody about rounds: a schema of
 * our own with nothing but the fields that are read, and the messages of it.
 *
 * Rule 1: a number beyond 2^53 - 1, or a message that is cut or garbled, is none: `undefined`.
 * Rule 2: an event of a kind that the schema does not have is told as such.
 * @module
 */
import protobuf from "protobufjs";
import type { RoundEvent } from "../core/ark/wallet.ts";

/**
 * Names of packages, services and fields are the server's; so are the numbers. The message for a
 * round's step stands for several of the server's, which agree in the two fields that are read.
 */
export const schema = `
  syntax = "proto3";
  package bark_server;

  message Empty {}

  message HandshakeResponse {
    uint64 min_protocol_version = 1;
    uint64 max_protocol_version = 2;
  }

  message Step {
    uint64 round_seq = 1;
    uint64 attempt_seq = 2;
  }

  message RoundEvent {
    oneof event {
      Step attempt = 1;
      Step vtxo_proposal = 2;
      Step finished = 4;
      Step failed = 5;
    }
  }

  service ArkService {
    rpc Handshake(Empty) returns (HandshakeResponse);
    rpc SubscribeRounds(Empty) returns (stream RoundEvent);
  }
`;

const root = protobuf.parse(schema, { keepCase: true }).root;
const handshakeType = root.lookupType("bark_server.HandshakeResponse");
const eventType = root.lookupType("bark_server.RoundEvent");
const options = { longs: String, defaults: true, oneofs: true } as const;

export const paths = {
  handshake: "/bark_server.ArkService/Handshake",
  subscribe: "/bark_server.ArkService/SubscribeRounds",
} as const;

/** Versions of the protocol that a server speaks. */
export type Versions = { readonly min: number; readonly max: number };

export function versionsOf(bytes: Uint8Array): Versions | undefined {
  const plain = plainOf(handshakeType, bytes);
  const min = countOf(plain?.["min_protocol_version"]);
  const max = countOf(plain?.["max_protocol_version"]);
  return min === undefined || max === undefined ? undefined : { min, max };
}

/** `"unknown"`: an event, but of a kind that is not known here. */
export function eventOf(bytes: Uint8Array): RoundEvent | "unknown" | undefined {
  const plain = plainOf(eventType, bytes);
  if (plain === undefined) return undefined;
  const name: unknown = plain["event"];
  const kind = typeof name === "string" ? kinds.get(name) : undefined;
  if (kind === undefined) return "unknown";
  const step = plain[name as string] as { [field: string]: unknown } | undefined;
  const roundSeq = countOf(step?.["round_seq"]);
  const attemptSeq = countOf(step?.["attempt_seq"]);
  if (roundSeq === undefined || attemptSeq === undefined) return undefined;
  return { kind, roundSeq, attemptSeq };
}

const kinds: ReadonlyMap<string, RoundEvent["kind"]> = new Map([
  ["attempt", "attempt"], ["vtxo_proposal", "proposal"], ["finished", "finished"],
  ["failed", "failed"],
]);

function plainOf(type: protobuf.Type, bytes: Uint8Array): { [key: string]: unknown } | undefined {
  try {
    return type.toObject(type.decode(bytes), options);
  } catch {
    // What the library says of foreign bytes may quote them.
    return undefined;
  }
}

function countOf(text: unknown): number | undefined {
  const value = typeof text === "string" ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
