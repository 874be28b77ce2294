/**
 * Wires the onion service of a directory node: kernel -> host -> Tor's ports, files -> log.
 *
 * Rule 1: nothing is decided here that the core or the settings can decide.
 * Rule 2: the node hears its address and nothing else; it runs whether Tor does or not.
 * @module
 */
import { join, resolve } from "node:path";
import { addressText, type Address } from "../adapters/address.ts";
import type { Ambient } from "../adapters/ambient.ts";
import type { OnionSettings } from "../adapters/config/directory-onion.ts";
import { createDialer } from "../adapters/dial.ts";
import { createHost, type Host } from "../adapters/host.ts";
import type { Log } from "../adapters/log.ts";
import { primitives } from "../adapters/primitives.ts";
import { carryOut } from "../adapters/tor.ts";
import { hex } from "../core/bytes.ts";
import type { Network } from "../core/directory/config.ts";
import * as doorway from "../core/directory/doorway.ts";
import * as kernel from "../core/kernel/kernel.ts";
import * as prng from "../core/prng.ts";
import { secret } from "../core/secret.ts";
import * as socks from "../core/tor/socks.ts";

export type DoorwayOptions = {
  readonly settings: OnionSettings;
  readonly network: Network;
  readonly nick: string;
  /** Where the node listens: Tor connects there for a visitor. */
  readonly listen: Address;
  /** The key is kept there. */
  readonly folder: string;
  readonly ambient: Ambient;
  readonly log: Log;
  /** The node is to know its address; called again if it changes. */
  readonly located: (location: string) => void;
  readonly crashFolder: string | undefined;
  readonly stderr: (text: string) => void;
  /** Must end the process. */
  readonly onFatal: () => void;
};

export type DoorwayHandle = {
  readonly view: () => doorway.View;
  /** The service ends; connections through it stay. */
  readonly stop: () => void;
  /** Everything ends at once. */
  readonly close: () => void;
};

/** The control port, a visit, and one of each that is being closed, with room. */
const connsMax = 8;

/** Opens the service; it is kept up until it is stopped. */
export function openDoorway(options: DoorwayOptions): DoorwayHandle {
  const { settings, network, ambient, log } = options;
  const now = ambient.now();
  const config: doorway.Config = {
    network, control: settings.control,
    onion: { ...settings.config, target: targetOf(options.listen) },
  };
  const state = doorway.create(config, prng.key(hex(ambient.entropy(32))), now);
  const machine = kernel.create(doorway.root(primitives), state, now, false);
  const push = (event: doorway.DoorwayEvent): void => host.push(event);
  const dialer = createDialer({
    push, socks: settings.socks, key: secret(ambient.entropy(socks.keyBytes)),
    dialsMax: connsMax, connsMax, report: (code, says) => log.log("warn", code, { says }),
  });
  const files = {
    keyFile: join(options.folder, "onion.key"), hostnameFile: settings.hostnameFile,
    password: settings.password, entropy: ambient.entropy, hear: push,
  };
  const tor = (order: Parameters<typeof carryOut>[1]): void => carryOut(files, order);
  const { crashFolder } = options;
  const host: Host<doorway.DoorwayEvent> = createHost<
    doorway.Doorway, doorway.DoorwayEvent, doorway.DoorwayEffect
  >({
    kernel: machine, ambient,
    perform: {
      "conn.dial": dialer.dial, "conn.confide": dialer.send, "conn.send": dialer.send,
      "conn.close": dialer.close,
      "cookie.want": tor, "password.want": tor, "nonce.want": tor, "key.load": tor,
      "key.save": tor, "hostname.want": tor,
      "log": ({ level, code, fields }) => log.log(level, code, fields),
      "onion.located": ({ location }) => options.located(location),
    },
    anchored: (wall): doorway.DoorwayEvent => ({ type: "clock.anchored", unixMs: wall.unixMs }),
    log: log.log, stderr: options.stderr, onFatal: options.onFatal,
    ...(crashFolder === undefined ? {} : { crashFolder }),
  });
  host.start();
  host.push({ type: "operator.started", nick: options.nick });
  return {
    view: () => doorway.view(state, ambient.now()),
    stop: () => host.push({ type: "operator.stop" }),
    close: () => {
      host.stop();
      dialer.closeAll();
    },
  };
}

/** Who listens everywhere is reached on this machine. Tor does not know our working directory. */
function targetOf(listen: Address): string {
  if (listen.kind === "unix") return `unix:${resolve(listen.path)}`;
  const isEverywhere = listen.host === "0.0.0.0" || listen.host === "::";
  return isEverywhere ? `127.0.0.1:${listen.port}` : addressText(listen);
}
