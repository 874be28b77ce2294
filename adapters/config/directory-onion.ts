/**
 * From the checked values of the file to the onion service of a directory node.
 *
 * Rule 1: relations between values are told with their keys.
 * Rule 2: the place where peers arrive is not known here: the system may choose the port.
 * @module
 */
import { resolve } from "node:path";
import * as onion from "../../core/tor/onion.ts";
import { type Address, addressText } from "../address.ts";
import type { SecretSource } from "../secretfile.ts";
import { passwordOf } from "./maker-settings.ts";
import type { Parsed } from "./schema.ts";
import type { Relation } from "./targets.ts";

export type OnionSettings = {
  /** All but `target`, which is where the node listens. */
  readonly config: Omit<onion.Config, "target">;
  /** Tor's control port, `host:port` or `unix:path`; not dialled for a service of torrc. */
  readonly control: string;
  readonly socks: Address;
  /** The password of Tor's control port. */
  readonly password: SecretSource | undefined;
  readonly hostnameFile: string | undefined;
};

type Env = Readonly<Record<string, string | undefined>>;

/** The service of these values, if there is to be one; what is wrong goes to `broken`. */
export function onionOf(
  parsed: Parsed, env: Env, broken: Relation[],
): OnionSettings | undefined {
  const { directory: { onion: o }, tor } = parsed;
  if (o.managed === "off") return unused(o.hostname_file, broken);
  const before = broken.length;
  relations(parsed, broken);
  const password = passwordOf(parsed, env, broken);
  if (broken.length > before || tor.socks === undefined) return undefined;
  const { target: _, ...common } = onion.defaults;
  return {
    config: {
      ...common, managed: o.managed, port: o.port, streamsMax: o.streams_max, isPowWanted: o.pow,
      control: {
        ...common.control, hasPassword: password !== undefined,
        cookiePath: tor.control_cookie === "" ? undefined : tor.control_cookie,
      },
    },
    control: tor.control === undefined ? "" : addressText(tor.control), socks: tor.socks,
    password, hostnameFile: o.hostname_file === "" ? undefined : o.hostname_file,
  };
}

function unused(hostnameFile: string, broken: Relation[]): undefined {
  if (hostnameFile === "") return;
  const keys = ["directory.onion.hostname_file", "directory.onion.managed"];
  broken.push({ keys, says: 'the file is read with managed = "torrc" only' });
}

/** What stands in one word of a command to Tor. */
const pathForTor = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,190}$/;

function relations({ directory: d, tor }: Parsed, broken: Relation[]): void {
  const { managed, hostname_file: hostnameFile } = d.onion;
  const key = "directory.onion.managed";
  const isOurs = managed === "control";
  if (d.location !== "") {
    broken.push({
      keys: ["directory.location", key], says: "the address is one of them, not both",
    });
  }
  if (tor.socks === undefined) {
    const says = "the node visits its own address, and nothing leaves around Tor";
    broken.push({ keys: [key, "tor.socks"], says });
  }
  if (isOurs && tor.control === undefined) {
    const says = "a service of our own needs Tor's control port";
    broken.push({ keys: [key, "tor.control"], says });
  }
  if (isOurs && d.circuit_header) {
    const says = "Tor names circuits only for services of torrc: every connection would be closed";
    broken.push({ keys: [key, "directory.circuit_header"], says });
  }
  const [listen] = d.listen;
  if (isOurs && listen?.kind === "unix" && !pathForTor.test(resolve(listen.path))) {
    const says = "Tor takes no path that is long, or has spaces, quotes, commas or backslashes";
    broken.push({ keys: [key, "directory.listen"], says });
  }
  if (isOurs === (hostnameFile === "")) return;
  const says = isOurs ? 'the file is read with managed = "torrc" only'
    : "a service of torrc has its address in that file";
  broken.push({ keys: ["directory.onion.hostname_file", key], says });
}
