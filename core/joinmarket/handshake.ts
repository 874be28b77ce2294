/**
 * The handshake: a peer introduces itself (793), the directory answers (795). Both directions.
 *
 * Rule 1: `parsePeer` reads the form, `checkPeer` judges what it says; the first rule that is
 * broken is the answer, and its text goes back to the peer as the reason of the refusal. It never
 * repeats what the peer sent.
 * Rule 2: every field of a 795 is always there: deployed clients fail silently if one is missing.
 * Rule 3: nothing is decided here about who may stay: duplicates, capacity and proofs are the
 * directory's business.
 * @module
 */
import { assert } from "../assert.ts";
import { wellFormed } from "../bytes.ts";
import { bad, good } from "../fault.ts";
import type { Decoded } from "../fault.ts";
import type { Primitives } from "../primitives.ts";
import * as features from "./features.ts";
import { integer, parseObject, quote } from "./json.ts";
import type { Fields } from "./json.ts";
import { isNick } from "./nick.ts";
import * as onion from "./onion.ts";

export const appName = "joinmarket";
/** The one protocol version in use. */
export const protoVer = 5;

/** A 793 whose fields have the right types. */
export type PeerHello = {
  readonly appName: string;
  readonly directory: boolean;
  /** The location string as it was sent. */
  readonly location: string;
  readonly protoVer: number;
  /** The names whose value is `true`, sorted. */
  readonly features: readonly string[];
  readonly nick: string;
  readonly network: string;
};

/** A peer that may come in. */
export type Checked = {
  readonly nick: string;
  readonly location: onion.Location;
  readonly features: readonly string[];
  /** As the peer spelled it; the answer repeats it, because deployed clients compare it as text. */
  readonly network: string;
};

/**
 * Reads the text of a 793. `directory` and `features` may be missing (false and none); all else
 * must be there, with its type, once. Faults: `json`, `fields`, `features`.
 */
export function parsePeer(line: string): Decoded<PeerHello> {
  const object = parseObject(line);
  if (!object.ok) return object;
  const { fields } = object.value;
  if (object.value.duplicates) return bad("fields", "a handshake field appears twice");
  const texts = strings(object.value, ["app-name", "location-string", "nick", "network"]);
  if (!texts.ok) return texts;
  const [name, location, nick, network] = texts.value as [string, string, string, string];
  const directory = fields.has("directory") ? fields.get("directory") : false;
  if (typeof directory !== "boolean") return bad("fields", "directory is not true or false");
  const version = integer(fields.get("proto-ver"));
  if (version === undefined) return bad("fields", "proto-ver is missing or not an integer");
  const listed = features.parse(fields.get("features"));
  if (!listed.ok) return listed;
  const hello: PeerHello = {
    appName: name, directory, location, protoVer: version, features: listed.value, nick, network,
  };
  return good(hello);
}

/** The named fields, each of which must be a string. */
function strings(object: Fields, names: readonly string[]): Decoded<readonly string[]> {
  const out: string[] = [];
  for (const name of names) {
    const value = object.fields.get(name);
    if (typeof value !== "string") return bad("fields", `${name} is missing or not a string`);
    out.push(value);
  }
  return good(out);
}

/**
 * Judges a 793 by the rules of this directory, in this order. Faults: `app-name`, `directory`,
 * `proto-ver`, `network`, `nick`, `location`.
 */
export function checkPeer(
  hello: PeerHello, ours: { readonly network: string }, sha3: Primitives["sha3"],
): Decoded<Checked> {
  if (lowered(hello.appName) !== appName) return bad("app-name", "the app-name must be joinmarket");
  if (hello.directory) return bad("directory", "a directory does not connect to a directory");
  if (hello.protoVer !== protoVer) return bad("proto-ver", "the protocol version must be 5");
  if (!isOurNetwork(hello.network, ours.network)) {
    return bad("network", `this directory serves ${ours.network}`);
  }
  if (!isNick(hello.nick)) return bad("nick", "the nick is malformed");
  const location = onion.parse(hello.location, sha3);
  if (!location.ok) return location;
  return good({
    nick: hello.nick, location: location.value, features: hello.features, network: hello.network,
  });
}

/**
 * Regtest deployments say `testnet` on the wire, so a regtest directory takes both. Case does not
 * matter.
 */
function isOurNetwork(theirs: string, ours: string): boolean {
  const named = lowered(theirs);
  return named === ours || (ours === "regtest" && named === "testnet");
}

/** Lower case for ASCII letters only: the Kelvin sign is no `k`. Anything else becomes empty. */
function lowered(name: string): string {
  return /^[A-Za-z]{1,16}$/.test(name) ? name.toLowerCase() : "";
}

/**
 * The text of a 793, for a peer that connects to a directory. `location` is `NOT-SERVING-ONION` or
 * an address.
 */
export function peerHello(hello: {
  readonly nick: string;
  readonly network: string;
  readonly location: string;
  readonly features: readonly string[];
}): string {
  return object([
    ["app-name", quote(appName)],
    ["directory", "false"],
    ["location-string", quote(hello.location)],
    ["proto-ver", String(protoVer)],
    ["features", flags(hello.features)],
    ["nick", quote(hello.nick)],
    ["network", quote(hello.network)],
  ]);
}

/** The text of a 795. `location` is the directory's own address, left out while it has none. */
export function directoryHello(hello: {
  readonly nick: string;
  readonly network: string;
  readonly motd: string;
  readonly features: readonly string[];
  readonly accepted: boolean;
  readonly location?: string | undefined;
}): string {
  assert(wellFormed(hello.motd), "handshake: the motd has a lone surrogate");
  const members: [string, string][] = [
    ["app-name", quote(appName)],
    ["directory", "true"],
    ["proto-ver-min", String(protoVer)],
    ["proto-ver-max", String(protoVer)],
    ["features", flags(hello.features)],
    ["accepted", String(hello.accepted)],
    ["nick", quote(hello.nick)],
    ["network", quote(hello.network)],
    ["motd", quote(hello.motd)],
  ];
  if (hello.location !== undefined) members.push(["location-string", quote(hello.location)]);
  return object(members);
}

function object(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([key, value]) => `${quote(key)}: ${value}`).join(", ")}}`;
}

function flags(names: readonly string[]): string {
  return object(features.sorted(names).map((name) => [name, "true"] as const));
}

/** A 795 whose fields have the right types. */
export type DirectoryHello = {
  readonly appName: string;
  readonly directory: boolean;
  readonly protoVerMin: number;
  readonly protoVerMax: number;
  readonly features: readonly string[];
  readonly accepted: boolean;
  readonly nick: string;
  readonly network: string;
  /** Free text of the operator; empty if there is none. Escape it before a person sees it. */
  readonly motd: string;
  /** The directory's own location string, if it sent one. Not checked. */
  readonly location: string | undefined;
};

/**
 * Reads the text of a 795. Only `motd` and `location-string` may be missing. Faults: `json`,
 * `fields`, `features`.
 */
export function parseDirectory(line: string): Decoded<DirectoryHello> {
  const object = parseObject(line);
  if (!object.ok) return object;
  const { fields } = object.value;
  if (object.value.duplicates) return bad("fields", "a handshake field appears twice");
  const texts = strings(object.value, ["app-name", "nick", "network"]);
  if (!texts.ok) return texts;
  const [name, nick, network] = texts.value as [string, string, string];
  const directory = fields.get("directory");
  const accepted = fields.get("accepted");
  if (typeof directory !== "boolean") return bad("fields", "directory is not true or false");
  if (typeof accepted !== "boolean") return bad("fields", "accepted is not true or false");
  const protoVerMin = integer(fields.get("proto-ver-min"));
  const protoVerMax = integer(fields.get("proto-ver-max"));
  if (protoVerMin === undefined) return bad("fields", "proto-ver-min is not an integer");
  if (protoVerMax === undefined) return bad("fields", "proto-ver-max is not an integer");
  const motd = fields.has("motd") ? fields.get("motd") : "";
  if (typeof motd !== "string") return bad("fields", "motd is not a string");
  const location = fields.get("location-string");
  if (location !== undefined && typeof location !== "string") {
    return bad("fields", "location-string is not a string");
  }
  if (!fields.has("features")) return bad("fields", "features is missing");
  const listed = features.parse(fields.get("features"));
  if (!listed.ok) return listed;
  return good({
    appName: name, directory, protoVerMin, protoVerMax, features: listed.value, accepted, nick,
    network, motd, location,
  });
}

/**
 * May a peer on `ours.network` stay with this directory? Faults: `app-name`, `directory`,
 * `refused`, `proto-ver`, `network`.
 */
export function checkDirectory(
  hello: DirectoryHello, ours: { readonly network: string },
): Decoded<DirectoryHello> {
  if (hello.appName !== appName) return bad("app-name", "the directory speaks for another program");
  if (!hello.directory) return bad("directory", "the other side is not a directory");
  if (!hello.accepted) return bad("refused", "the directory refused us");
  if (hello.protoVerMin > protoVer || hello.protoVerMax < protoVer) {
    return bad("proto-ver", "the directory does not speak version 5");
  }
  if (!isOurNetwork(hello.network, ours.network)) {
    return bad("network", "the directory serves another network");
  }
  return good(hello);
}
