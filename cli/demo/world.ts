/**
 * The demo's world: the real node in this process, peers as real socket clients, a real maker with
 * its chain and real Ark wallets with theirs beside them, and one stream of what happens.
 *
 * Rule 1: the node runs the same path as `dogwatch directory`; only its default settings differ,
 * and are shorter. So do the maker (`maker.ts`) and the wallets' daemon (`wallets.ts`).
 * Rule 2: what the node did is read from its snapshot, what peers did is told by them.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { Raw } from "../../adapters/config/schema.ts";
import type { Status as ArkStatus } from "../../core/ark/status.ts";
import type { Status } from "../../core/directory/status.ts";
import type { Status as MakerStatus } from "../../core/maker/status.ts";
import type { Daemon } from "../run.ts";
import { onionAddress } from "./identity.ts";
import * as maker from "./maker.ts";
import { type Happening, type Peer, populate } from "./peers.ts";
import * as wallets from "./wallets.ts";

/** An event of the demo; `atMs` after its start. */
export type Event = Happening & { readonly atMs: number };

/**
 * What replaces the node's defaults: short times, free ports, few peers, an address that nobody
 * serves.
 */
export function preset(): Record<string, Raw> {
  return {
    "network": "regtest",
    "log.level": "warn",
    "directory.listen": "127.0.0.1:0",
    "directory.http": "127.0.0.1:0",
    "directory.location": onionAddress(),
    "directory.motd": "Dogwatch demo",
    "directory.peers_max": 100,
    "directory.handshaking_max": 50,
    "directory.drain_sec": 2,
    "directory.leave_window_sec": 0.5,
    "directory.heartbeat.sweep_interval_sec": 2,
    "directory.heartbeat.idle_threshold_sec": 6,
    "directory.heartbeat.hard_evict_sec": 20,
    "directory.heartbeat.pong_wait_sec": 3,
    "directory.limits.orderbook": "1/s burst 5",
    ...maker.preset(),
    ...wallets.preset(),
  };
}

/** What there is to see. The last event is the newest. */
export type Scene = {
  readonly status: Status;
  /** There is none on a network that the stand-in chain is not of. */
  readonly maker: MakerStatus | undefined;
  readonly ark: ArkStatus | undefined;
  readonly peers: readonly Peer[];
  readonly events: readonly Event[];
  /** Relayed messages per second, oldest first, one for each look. */
  readonly rates: readonly number[];
  readonly elapsedMs: number;
};

/** Who is there beside the directory; nobody on a network that stand-in chains are not of. */
export type Cast = { readonly maker?: maker.DemoMaker; readonly ark?: wallets.DemoWallets };

export interface Demo {
  readonly scene: () => Scene;
  /** Reads the node's snapshot; call it some times a second. */
  readonly look: () => void;
  /** Something from outside the world, such as a line of the log. */
  readonly say: (text: string) => void;
  /** What somebody tells who is not one of the peers. */
  readonly tell: (happening: Happening) => void;
  readonly stop: () => void;
}

const eventsMax = 50;
const ratesMax = 60;

/** Lets peers loose on `daemon`, beside its residents. `told` hears each event once. */
export function open(
  daemon: Daemon, { maker: resident, ark }: Cast, ambient: Ambient, told: (event: Event) => void,
): Demo {
  const startedAt = ambient.now();
  const events: Event[] = [];
  const rates: number[] = [];
  const record = (happening: Happening): void => {
    const event = { ...happening, atMs: ambient.now() - startedAt };
    events.push(event);
    if (events.length > eventsMax) events.shift();
    told(event);
  };
  const { network, heartbeat } = daemon.config();
  const [address] = daemon.listen;
  if (address === undefined) throw new Error("the node listens nowhere");
  const roundMs = Math.ceil(heartbeat.idleMs * 1.5);
  // What the node did comes before what a peer says that it saw of it.
  const tell = (happening: Happening): void => {
    watch(daemon.status());
    record(happening);
  };
  const others = populate({ ambient, address, network, roundMs, tell });
  const peers = resident === undefined ? others : [resident.peer, ...others];
  const watch = watcher(peers, record);
  let last = { relayed: 0, at: startedAt as number };
  const look = (): void => {
    const status = daemon.status();
    watch(status);
    const relayed = status.totals.publicRelayed + status.totals.privateRelayed;
    const now = ambient.now();
    if (now - last.at < 1_000) return;
    rates.push((relayed - last.relayed) * 1_000 / (now - last.at));
    if (rates.length > ratesMax) rates.shift();
    last = { relayed, at: now };
  };
  const scene = (): Scene => ({
    status: daemon.status(), maker: resident?.status(), ark: ark?.status(), peers, events, rates,
    elapsedMs: ambient.now() - startedAt,
  });
  const stop = (): void => {
    for (const peer of peers) peer.stop();
  };
  const say = (text: string): void => tell({ kind: "log", peer: "directory", nick: "", text });
  return { scene, look, say, tell, stop };
}

const words: ReadonlyMap<string, readonly [kind: string, text: string]> = new Map([
  ["peer.pinged", ["ping", "has been silent: the directory sends it a PING"]],
  ["peer.probed", ["probe", "has been silent and knows no PING: the directory sends !orderbook"]],
  ["peer.evicted", ["eviction", "did not answer and was evicted"]],
  ["peer.displaced", ["displaced", "proved its nick; its old connection was closed"]],
]);

/** Tells what is new in the snapshot's list of recent events. */
function watcher(
  peers: readonly Peer[],
  tell: (happening: Happening) => void,
): (status: Status) => void {
  // The list holds spans before now; as instants of the node's own time they name an event for
  // good.
  let seenAt = -1;
  let seenThen = 0;
  return (status) => {
    let then = 0;
    let lastAt = -1;
    for (const { agoMs, code, nick } of status.recent) {
      const at = status.uptimeMs - agoMs;
      then = at === lastAt ? then + 1 : 1;
      lastAt = at;
      if (at < seenAt || (at === seenAt && then <= seenThen)) continue;
      seenAt = at;
      seenThen = then;
      const [kind, text] = words.get(code) ?? [];
      if (kind === undefined || text === undefined) continue;
      tell({ kind, peer: peers.find((peer) => peer.nick === nick)?.name ?? nick, nick, text });
    }
  };
}
