/**
 * An onion service in the words of the control port: the commands, and how their answers are read.
 *
 * Rule 1: what Tor says is checked: an address has its checksum, a key its size, before either is
 * shown or kept.
 * Rule 2: a kept key is read in three forms: ours, a bare `ED25519-V3:…` line, and the file
 * `hs_ed25519_secret_key` of a service that torrc managed. What cannot be read is never replaced:
 * with the key goes the address.
 * Rule 3: holds no state.
 * @module
 */
import { assert } from "../assert.ts";
import { ascii, base64, concat, equal, text, unbase64 } from "../bytes.ts";
import { bad, good, type Decoded } from "../fault.ts";
import * as onion from "../joinmarket/onion.ts";
import type { Primitives } from "../primitives.ts";
import { secret, type Secret } from "../secret.ts";
import { type Reply, valueOf } from "./reply.ts";

export type Config = {
  /** The port of the onion address. 5,222. */
  readonly port: number;
  /** Where Tor connects to for a visitor: `host:port` or `unix:path`, as Tor sees it. */
  readonly target: string;
  /** Streams at once on one circuit; beyond, Tor closes the circuit. 0: no limit. 64. */
  readonly streamsMax: number;
  /** Visitors solve a puzzle while many come at once, where Tor can do that. true. */
  readonly isPowWanted: boolean;
  /** Rendezvous requests a second before the puzzle gets harder, 0 to 4,294,967,295. 25. */
  readonly powQueueRate: number;
  /** And at once, at least `powQueueRate`. 250. */
  readonly powQueueBurst: number;
};

export const defaults: Config = {
  port: 5_222, target: "127.0.0.1:5222", streamsMax: 64, isPowWanted: true, powQueueRate: 25,
  powQueueBurst: 250,
};

/** A key to keep, and the address that it is, once that is known. */
export type Kept = {
  /** ASCII: `ED25519-V3:` and base64 of 64 bytes. */
  readonly key: Secret;
  /** 56 characters and `.onion`. */
  readonly host: string | undefined;
};

/** Asserts that no part of the configuration can end a command early. */
export function assertConfig(config: Config): void {
  assert(Number.isInteger(config.port), "onion: the port is whole");
  assert(config.port >= 1 && config.port <= 65_535, "onion: the port is from 1 to 65535");
  assert(/^[\x21-\x7e]{1,200}$/.test(config.target), "onion: the target is one printable word");
  assert(!/[",\\]/.test(config.target), "onion: the target has no quote, comma or backslash");
  assert(Number.isInteger(config.streamsMax), "onion: streamsMax is whole");
  assert(config.streamsMax >= 0 && config.streamsMax <= 65_535, "onion: streamsMax up to 65535");
  assert(Number.isInteger(config.powQueueRate), "onion: powQueueRate is whole");
  assert(Number.isInteger(config.powQueueBurst), "onion: powQueueBurst is whole");
  assert(config.powQueueRate >= 0, "onion: powQueueRate is not negative");
  assert(config.powQueueBurst >= config.powQueueRate, "onion: powQueueBurst holds powQueueRate");
  assert(config.powQueueBurst <= 0xffff_ffff, "onion: powQueueBurst is a 32-bit number");
}

/** `ADD_ONION` for a kept key, or for a new one. Without `Detach`: the service ends with us. */
export function add(config: Config, kept: Kept | undefined, isPow: boolean): Secret {
  const words: string[] = [];
  if (config.streamsMax > 0) {
    words.push("Flags=MaxStreamsCloseCircuit", `MaxStreams=${config.streamsMax}`);
  }
  if (isPow) {
    words.push(
      "PoWDefensesEnabled=1", `PoWQueueRate=${config.powQueueRate}`,
      `PoWQueueBurst=${config.powQueueBurst}`,
    );
  }
  words.push(`Port=${config.port},${config.target}`);
  const key = kept === undefined ? ascii("NEW:ED25519-V3") : kept.key.secret;
  return secret(concat([ascii("ADD_ONION "), key, ascii(` ${words.join(" ")}`)]));
}

/** `DEL_ONION` for an address. */
export function remove(host: string): Secret {
  return secret(ascii(`DEL_ONION ${idOf(host)}`));
}

/** Which of our services Tor runs, and how far it is with its own start. */
export const check: Secret = secret(ascii("GETINFO onions/current status/bootstrap-phase"));

/** From now on Tor says what it does with descriptors. */
export const listen: Secret = secret(ascii("SETEVENTS HS_DESC"));

/** What Tor calls the service: the address without `.onion`. */
function idOf(host: string): string {
  return host.slice(0, -".onion".length);
}

/**
 * Reads a good answer to `ADD_ONION`. `kept` is the key that was sent, if one was. Faults:
 * `onion-answer`.
 */
export function added(
  reply: Reply, config: Config, kept: Kept | undefined, sha3: Primitives["sha3"],
): Decoded<Kept & { readonly host: string }> {
  const id = valueOf(reply, "ServiceID") ?? "";
  const at = onion.parse(`${id}.onion:${config.port}`, sha3);
  if (!at.ok || !at.value.serving) {
    return bad("onion-answer", "Tor gave no valid onion address");
  }
  const { host } = at.value;
  if (kept !== undefined && kept.host !== undefined && kept.host !== host) {
    return bad("onion-answer", "Tor made another address of our key than the one kept with it");
  }
  if (kept !== undefined) return good({ key: kept.key, host });
  const key = valueOf(reply, "PrivateKey") ?? "";
  if (!isKey(key)) return bad("onion-answer", "Tor gave no key to keep");
  return good({ key: secret(ascii(key)), host });
}

/** Does Tor's answer to `check` name the service? An answer that cannot say so is a yes. */
export function isListed(reply: Reply, host: string): boolean {
  const current = valueOf(reply, "onions/current");
  return current === undefined || current.split("\n").includes(idOf(host));
}

/** How far Tor is with its start, 0 to 100; `undefined` if it did not say. */
export function progress(reply: Reply): number | undefined {
  const phase = valueOf(reply, "status/bootstrap-phase") ?? "";
  const percent = / PROGRESS=([0-9]{1,3})(?: |$)/.exec(phase)?.[1];
  return percent === undefined ? undefined : Number(percent);
}

/** Does this event say that the descriptor of the service is where visitors look for it? */
export function isUploaded(lines: readonly string[], host: string): boolean {
  return lines.some((line) => line.startsWith(`HS_DESC UPLOADED ${idOf(host)} `));
}

function isKey(key: string): boolean {
  const parts = /^ED25519-V3:([A-Za-z0-9+/]{86}==)$/.exec(key);
  return parts !== null && unbase64(parts[1] as string)?.length === 64;
}

/** What stands at the top of a kept key. */
const title = "# The key of an onion address. Who has it has the address. Keep a copy.";

/** The file that keeps a key. */
export function encode(kept: Kept & { readonly host: string }): Secret {
  const head = ascii(`${title}\n`);
  return secret(concat([head, kept.key.secret, ascii(`\n${kept.host}\n`)]));
}

/** Tor's own file: 32 bytes of title, then the 64 of the key. */
const torTitle = concat([ascii("== ed25519v1-secret: type0 =="), new Uint8Array(3)]);

/** Files larger than this hold no key, in bytes. */
export const fileBytesMax = 1_024;

/** Reads a kept key in any of its three forms. Faults: `onion-key`. */
export function decode(file: Secret, sha3: Primitives["sha3"]): Decoded<Kept> {
  const bytes = file.secret;
  if (bytes.length > fileBytesMax) return bad("onion-key", "the file is too large for a key");
  if (bytes.length === 96 && equal(bytes.subarray(0, 32), torTitle)) {
    const blob = base64(bytes.subarray(32));
    return good({ key: secret(ascii(`ED25519-V3:${blob}`)), host: undefined });
  }
  if (bytes.some((byte) => byte >= 0x80)) return bad("onion-key", "the file is no onion key");
  const lines = text(bytes).split("\n").map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [key = "", host] = lines;
  if (lines.length > 2 || !isKey(key)) return bad("onion-key", "the file is no onion key");
  if (host !== undefined && !isHost(host, sha3)) {
    return bad("onion-key", "the address in the file of the key is damaged");
  }
  return good({ key: secret(ascii(key)), host });
}

function isHost(host: string, sha3: Primitives["sha3"]): boolean {
  const at = onion.parse(`${host}:1`, sha3);
  return at.ok && at.value.serving && at.value.host === host;
}

/**
 * The address in the `hostname` file of a service that torrc manages. Faults: `onion-hostname`.
 */
export function hostname(content: string, sha3: Primitives["sha3"]): Decoded<string> {
  const host = /^([a-z2-7]{56}\.onion)\r?\n?$/.exec(content)?.[1];
  if (host === undefined || !isHost(host, sha3)) {
    return bad("onion-hostname", "the hostname file holds no version 3 onion address");
  }
  return good(host);
}
