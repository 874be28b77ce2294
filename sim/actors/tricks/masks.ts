/**
 * Handshakes that a directory has to refuse: names, addresses and networks that are none.
 *
 * Rule 1: each is wrong by the way it is made, not by what the core thinks of it.
 * @module
 */
import * as onion from "../../../core/joinmarket/onion.ts";
import * as prng from "../../../core/prng.ts";
import { nickFor, onionFor } from "../../primitives.ts";
import * as crew from "../crew.ts";
import type { Wrong } from "../told.ts";

type Hostile = crew.Hostile;

/** Numbers of people who do not exist. */
const nobody = 2_500_000_000;

/** The fields of a handshake as they stand in it. */
type Fields = {
  readonly nick: string;
  readonly location: string;
  readonly network?: string;
  readonly features?: string;
  /** More members, in front of the others. */
  readonly more?: string;
  readonly app?: string;
  readonly directory?: string;
  readonly version?: string;
};

export type Mask = { readonly nick: string; readonly line: string; readonly wrong: Wrong };

/** One of them. */
export function wrong(h: Hostile): Mask {
  const nick = nickFor(nobody + crew.choice(h, 1_000));
  const location = crew.choice(h, 3) === 0 ? onion.notServing : onionFor(nobody + h.config.index);
  switch (crew.choice(h, 8)) {
    case 0: case 1: case 2: return mask({ nick: badNick(h, nick), location }, "nick");
    case 3: case 4: return mask({ nick, location: badOnion(h, location) }, "onion");
    case 5: case 6:
      return mask({ nick, location, network: prng.pick(h.chance, networks) }, "network");
    default: return mask({ nick, location, ...prng.pick(h.chance, oddities) }, "hello");
  }
}

function mask(f: Fields, wrong: Wrong): Mask {
  const { nick, location, network = "regtest", features = `{"ping": true}`, more = "" } = f;
  const { app = "joinmarket", directory = "false", version = "5" } = f;
  const line = `{${more}"app-name": "${app}", "directory": ${directory}, ` +
    `"location-string": "${location}", "proto-ver": ${version}, "features": ${features}, ` +
    `"nick": "${nick}", "network": "${network}"}`;
  return { nick, line, wrong };
}

/** `regtest` and `testnet` are the same for a regtest directory, in any case. */
const networks: readonly string[] = [
  "mainnet", "signet", "bitcoin", "testnet3", "testnet4", "main", "regtest2", "regtest ", "",
];

const oddities: readonly Partial<Fields>[] = [
  { directory: "true" }, { version: "4" }, { version: "6" }, { version: "\"5\"" },
  { app: "joinmarkets" }, { app: "" }, { directory: "1" }, { features: "[]" },
  { more: `"nick": "${nickFor(nobody)}", ` }, { more: `"location-string": "", ` },
];

/** What no nick has: separators of lines and lists, and what is not base58. */
const foreign = ";,!:.-_ 0Il#~";

function badNick(h: Hostile, nick: string): string {
  switch (crew.choice(h, 8)) {
    case 0: return `${nick}1`;
    case 1: return nick.slice(0, 15);
    case 2: return `x,${crew.victim(h)};${onion.notServing};D`;
    case 3: return "PUBLIC";
    case 4: return `K${nick.slice(1)}`;
    case 5: return `${nick}\\u0000`;
    default: return replaced(nick, 2 + crew.choice(h, 14), foreign.charAt(crew.choice(h, 13)));
  }
}

function replaced(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1);
}

/** Of the 56 characters, 52 and 53 belong to the checksum alone and the last to the version. */
function badOnion(h: Hostile, location: string): string {
  const known = location === onion.notServing ? onionFor(nobody) : location;
  const host = known.slice(0, known.indexOf(":"));
  switch (crew.choice(h, 10)) {
    case 0: return `${known};D,${crew.victim(h)}`;
    case 1: return host;
    case 2: return `${host}:0`;
    case 3: return `${host}:65536`;
    case 4: return "expyuzz4wqqyqhjn.onion:5222";
    case 5: return "127.0.0.1:5222";
    case 6: return replaced(known, 55, "a");
    default: {
      const at = 52 + crew.choice(h, 2);
      return replaced(known, at, known.charAt(at) === "a" ? "b" : "a");
    }
  }
}
