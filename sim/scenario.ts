/**
 * A scenario: everything that makes one run what it is, as one plain JSON value.
 *
 * Rule 1: no functions, no bytes, no fractions; instants and durations are whole milliseconds of
 * true time from the beginning of the run.
 * Rule 2: every entry of `nodes`, `workload`, `faults` and `triggers` has an `id` of its own,
 * unique in the scenario, and a generator stream named by it: removing one changes no draw of
 * another.
 * Rule 3: a reference to something that is not there makes its entry do nothing; it never fails.
 * Rule 4: the smallest value of each field is the boring one, so that a shrunk scenario reads as
 * "everything is normal, except".
 * Not known here: how scenarios are drawn (`generate.ts`), run (`runner.ts`) or checked when they
 * come from a file (`cli/sim/files.ts`).
 * @module
 */
import { arkHarmKinds, type ArkHarm, type ArkSpec, type ArkWork, type FleetSpec } from
  "./fleet/spec.ts";

export type { ArkHarm, ArkSpec, ArkWork, FleetSpec } from "./fleet/spec.ts";

/** Changes whenever the same scenario may run differently. */
export const simVersion = 1;

/** The name of a node, such as `dir0`, `maker3`, `flood1`. */
export type NodeId = string;

export type Scenario = {
  readonly simVersion: number;
  /** What it is called in reports: `std20`, a profile, or the name of a kept case. */
  readonly name: string;
  /** For what the rest leaves open: latencies, costs, ties, random bytes. `0x` and 16 digits. */
  readonly seed: string;
  readonly nodes: readonly NodeSpec[];
  readonly net: Net;
  readonly host: HostSpec;
  readonly workload: readonly Task[];
  readonly faults: readonly Fault[];
  readonly triggers: readonly Trigger[];
  readonly phases: Phases;
};

/** First faults, then the heal of a core, then time to converge. */
export type Phases = {
  /** When the heal comes. */
  readonly faultyMs: number;
  /** Healed for good; everything else stays as broken as it was. Directories and peers by name. */
  readonly core: readonly NodeId[];
  /** How long the healed core is watched; liveness bounds lie within. 0: no second phase. */
  readonly convergeMs: number;
  /** What becomes of nodes outside the core; `cut` for those not named. */
  readonly fates: readonly { readonly node: NodeId; readonly fate: Fate }[];
};

/**
 * `cut`: reaches nobody any more. `silent`: its connections die untold, and it is cut. `dead`: its
 * machine loses power for ever. `free`: goes on as it is; for hostile ones.
 */
export const fates = ["cut", "silent", "dead", "free"] as const;
export type Fate = (typeof fates)[number];

/** Old peers know neither `ping` nor `peerlist_features`; new ones know both. */
export type Speaks = "old" | "new";

export type NodeSpec =
  | DirectorySpec
  | PeerSpec
  | HostileSpec
  /** A process that only writes a journal: the subject of disk faults. */
  | { readonly id: NodeId; readonly kind: "journal"; readonly settings?: JournalSettings }
  | BotSpec
  /** The Bitcoin node that bots ask, with its block chain. Its password changes at each start. */
  | { readonly id: NodeId; readonly kind: "chain" }
  /** Somebody whom bots take for a directory. */
  | { readonly id: NodeId; readonly kind: "trap"; readonly as: TrapKind }
  | FleetSpec
  | ArkSpec;

/**
 * `shut`: accepts and closes. `mute`: says nothing. `drip`: says something all the time, and never
 * what is waited for. `welcomes`: lets in and closes. `refuses`: says no, and stays. `forges`: its
 * handshake is of another kind or network. `chatters`: lets in and relays lines that are none.
 * `replays`: lets in and brings signed lines of a taker, each again and again.
 */
export const trapKinds = [
  "shut", "mute", "drip", "welcomes", "refuses", "forges", "chatters", "replays",
] as const;
export type TrapKind = (typeof trapKinds)[number];

export type DirectorySpec = {
  readonly id: NodeId;
  readonly kind: "directory";
  /** Over the defaults of the daemon; times in ms, sizes in bytes. */
  readonly settings?: DirectorySettings;
};

/** What scenarios may change about a directory: the keys of `DirectoryConfig`, one level flat. */
export type DirectorySettings = {
  readonly peersMax?: number;
  readonly handshakingMax?: number;
  readonly handshakeMs?: number;
  readonly lineMs?: number;
  readonly contestPingMs?: number;
  readonly contestMakerMs?: number;
  readonly leaveMs?: number;
  readonly peerlistBytesMax?: number;
  readonly peerlistLinesPerFlush?: number;
  readonly inputBytesTotalMax?: number;
  /** Without an own address there is no nick-auth. Default: it has one. */
  readonly location?: boolean;
  readonly sweepMs?: number;
  readonly idleMs?: number;
  readonly hardMs?: number;
  readonly pongMs?: number;
  readonly outboxBytesMax?: number;
  readonly outboxBytesTotalMax?: number;
  readonly flushMs?: number;
  readonly flushBytes?: number;
  readonly congestedMsMax?: number;
  /** Everything is logged, as an operator may want it. */
  readonly verbose?: boolean;
};

export type JournalSettings = {
  /** The disk, in bytes. */
  readonly diskBytes?: number;
};

/** Our own maker daemon, with a disk, a wallet in a chain, and somebody who gets its notices. */
export type BotSpec = {
  readonly id: NodeId;
  readonly kind: "bot";
  /** Directories it keeps connections to; all when absent. */
  readonly directories?: readonly NodeId[];
  /** The chain that it asks; the first one when absent. */
  readonly chain?: NodeId;
  readonly joinsAt?: number;
  /** It has an onion service, which its Tor runs. */
  readonly onion?: boolean;
  /** Transactions that wait in its history when it starts first. 0. */
  readonly rows?: number;
  /** Over the defaults of the daemon; times in ms, sizes in bytes. */
  readonly settings?: BotSettings;
};

/** What scenarios may change about a bot: keys of `MakerConfig`, flat. */
export type BotSettings = {
  readonly startupMs?: number;
  readonly dialMs?: number;
  readonly handshakeMs?: number;
  readonly idleMs?: number;
  readonly pongMs?: number;
  readonly retriesMax?: number;
  readonly spentMs?: number;
  readonly announceDelayMaxMs?: number;
  readonly backendGraceMs?: number;
  readonly downMs?: number;
  readonly pollMs?: number;
  readonly intervalMs?: number;
  readonly checkMs?: number;
  readonly timeoutMs?: number;
  readonly warnMs?: number;
  readonly lateCheckMs?: number;
  readonly settledMin?: number;
  /** How far sizes are drawn away from what could be offered, in millionths. 100,000. */
  readonly sizeSpreadPpm?: number;
  /** The disk. */
  readonly diskBytes?: number;
  /** Everything is logged. */
  readonly verbose?: boolean;
};

export type PeerSpec = {
  readonly id: NodeId;
  readonly kind: "maker" | "taker" | "watcher";
  readonly speaks: Speaks;
  /** Proves its nick with a key. */
  readonly auth?: boolean;
  /** Of the same person: shares nick (and key) with this node. Two live ones contest the nick. */
  readonly twinOf?: NodeId;
  /** Directories it keeps connections to; all when absent. */
  readonly directories?: readonly NodeId[];
  /** When it first dials. 0. */
  readonly joinsAt?: number;
};

/**
 * Hostile ones, each from `joinsAt` on, against `directories`.
 * `flood`: as many lines as it can send. `squatter`: takes nicks of others without proof.
 * `drip`: a byte now and then, lines and handshakes never finished. `garbage`: bytes of all sorts.
 * `forger`: other people's nicks in its lines, forged answers, notices and injected JSON.
 * `mute`: joins, asks for much and never reads. `churn`: comes and goes. `crowd`: opens many
 * connections and says nothing.
 */
export type HostileSpec = {
  readonly id: NodeId;
  readonly kind: HostileKind;
  readonly directories?: readonly NodeId[];
  readonly joinsAt?: number;
  /** How hard it tries: 1 (boring) to 10. */
  readonly zeal?: number;
};
export const hostileKinds = [
  "flood", "squatter", "drip", "garbage", "forger", "mute", "churn", "crowd",
] as const;
export type HostileKind = (typeof hostileKinds)[number];

/** How every link behaves when nothing is wrong. */
export type Net = {
  /** One way, in microseconds: at least and on average; the tail is at most 16 times the mean. */
  readonly latencyMinUs: number;
  readonly latencyMeanUs: number;
  /** How writes arrive: `whole`, cut at random places, byte by byte at times, or run together. */
  readonly segment: Segmentation;
  /** Buffers of the two systems, in bytes, per connection and direction. */
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
};
export const segmentations = ["whole", "split", "tiny", "joined"] as const;
export type Segmentation = (typeof segmentations)[number];

/** What work costs a simulated host, drawn per step and effect around these means. */
export type HostSpec = {
  readonly stepUs: number;
  readonly effectUs: number;
  /** How late timers may be. */
  readonly timerLateUs: number;
};

/** Something a peer is asked to do, such as a person or its wallet would ask. */
export type Task = {
  readonly id: number;
  readonly at: number;
  readonly node: NodeId;
} & Work;

export type Work =
  /** A maker changes its offers and announces them. `size` offers, 1 to 5. */
  | { readonly op: "announce"; readonly size: number }
  /** A taker asks all makers for offers. */
  | { readonly op: "orderbook" }
  /** A taker asks `maker` to join; the maker answers. The body has `bytes` bytes. */
  | { readonly op: "fill"; readonly maker: NodeId; readonly bytes: number }
  /** Asks for the peerlist. */
  | { readonly op: "peerlist" }
  /** Sends PING to its directories. */
  | { readonly op: "ping" }
  /** A public line of so many bytes, outside ASCII in part. */
  | { readonly op: "chat"; readonly bytes: number }
  /** Closes its connections in good order and dials again `forMs` later. */
  | { readonly op: "away"; readonly forMs: number }
  /** Sends PUBMSG and the like `count` times at once. */
  | { readonly op: "burst"; readonly count: number; readonly bytes: number }
  /** A journal appends `count` records of `bytes` bytes. */
  | { readonly op: "append"; readonly count: number; readonly bytes: number }
  /** The chain grows by `blocks`, of what waits. */
  | { readonly op: "mine"; readonly blocks: number }
  /**
   * Of the chain the newest `blocks` are left behind for one more. What they held waits again, or
   * with `isDropped` is in no memory pool any more.
   */
  | { readonly op: "reorg"; readonly blocks: number; readonly isDropped: boolean }
  /** Somebody sends the transaction that row `row` of a bot waits for, or replaces it. */
  | { readonly op: "send" | "replace" | "evict"; readonly bot: NodeId; readonly row: number }
  /** A bot is paid `kSat` thousand satoshis, or its largest coin is spent. */
  | { readonly op: "fund"; readonly bot: NodeId; readonly kSat: number }
  | { readonly op: "drain"; readonly bot: NodeId }
  | ArkWork;

/** A fault: an interval, or an instant where `forMs` is absent. */
export type Fault = { readonly id: number; readonly at: number } & Harm;

/** A fault that begins `delayMs` after a mark is seen for the `nth` time (from 1) on `node`. */
export type Trigger = {
  readonly id: number;
  readonly on: { readonly mark: Mark; readonly node: NodeId; readonly nth: number };
  readonly delayMs: number;
} & { readonly do: Harm };

/** Moments of the protocol, seen at the node that sends or does it. */
export const marks = [
  "dial", "hello.sent", "proof.sent", "welcome.sent", "registered", "refused", "ping.sent",
  "pong.sent", "evicted", "closed", "list.sent", "congested", "restarted", "appended", "synced",
  "ordered",
] as const;
export type Mark = (typeof marks)[number];

/** A link: the two nodes, in any order. `*` as the second: all others. */
export type Link = readonly [NodeId, NodeId];
/** `there`: from the first node to the second is broken; `back`: the other way. */
export type Way = "both" | "there" | "back";

export type Harm =
  /** Nothing passes; what was sent is kept and sent again, as TCP does, until it gives up. */
  | { readonly kind: "cut"; readonly link: Link; readonly way: Way; readonly forMs: number }
  /** Nobody of `side` reaches anybody else, nor the other way (`way` seen from `side`). */
  | { readonly kind: "partition"; readonly side: readonly NodeId[]; readonly way: Way;
      readonly forMs: number }
  /**
   * Connections that are open now lose everything from here on, for ever, and no end is told; new
   * ones work after `forMs`.
   */
  | { readonly kind: "halfOpen"; readonly link: Link; readonly way: Way; readonly forMs: number }
  /** `ms` more in each direction. */
  | { readonly kind: "slow"; readonly link: Link; readonly ms: number; readonly forMs: number }
  /** At most this many bytes in a second, each way. */
  | { readonly kind: "narrow"; readonly link: Link; readonly bytesPerSec: number;
      readonly forMs: number }
  /** Ends (FIN, RST) towards the second node come `ms` later than they should. */
  | { readonly kind: "lateEnd"; readonly link: Link; readonly ms: number; readonly forMs: number }
  /** Open connections are reset: both ends are told. */
  | { readonly kind: "reset"; readonly link: Link }
  /** Dials fail at once, get no answer, or succeed `ms` late. */
  | { readonly kind: "refuse"; readonly link: Link; readonly forMs: number }
  | { readonly kind: "hang"; readonly link: Link; readonly forMs: number }
  | { readonly kind: "lateDial"; readonly link: Link; readonly ms: number; readonly forMs: number }
  /** Writes arrive cut or joined like this. */
  | { readonly kind: "chop"; readonly link: Link; readonly as: Segmentation;
      readonly forMs: number }
  /** The node reads nothing. */
  | { readonly kind: "stall"; readonly node: NodeId; readonly forMs: number }
  /** The process sees and does nothing, then goes on with what has piled up. */
  | { readonly kind: "pause"; readonly node: NodeId; readonly forMs: number }
  /**
   * The process dies after `effect` effects of its next step that has as many (0: between steps)
   * and starts again `forMs` later with what is durable. `power`: the machine too, so that no end
   * is told and unsynced writes are lost.
   */
  | { readonly kind: "crash"; readonly node: NodeId; readonly effect: number;
      readonly power: boolean; readonly forMs: number }
  /** The directory is asked to stop in good order, and starts again `forMs` later. */
  | { readonly kind: "restart"; readonly node: NodeId; readonly forMs: number }
  /** The wall clock jumps by `ms`, back if negative. */
  | { readonly kind: "jump"; readonly node: NodeId; readonly ms: number }
  /** The monotonic clock runs fast (or slow) by so many parts in a million. */
  | { readonly kind: "drift"; readonly node: NodeId; readonly ppm: number;
      readonly forMs: number }
  /** The disk takes `ms` longer for each order. */
  | { readonly kind: "diskSlow"; readonly node: NodeId; readonly ms: number;
      readonly forMs: number }
  /** The disk takes no more bytes. */
  | { readonly kind: "diskFull"; readonly node: NodeId; readonly forMs: number }
  /** The next write is cut short, and the power fails. */
  | { readonly kind: "diskTorn"; readonly node: NodeId; readonly forMs: number }
  /** The disk's next order of this kind fails; what a failed sync was about is on no disk. */
  | { readonly kind: "diskFails"; readonly node: NodeId; readonly order: DiskOrder }
  /**
   * The node's Tor dies: its connections to directories are reset, new ones are refused, and its
   * onion service is gone.
   */
  | { readonly kind: "tor"; readonly node: NodeId; readonly forMs: number }
  /** The chain answers wrongly, or what it answers does not arrive whole. */
  | { readonly kind: "rpcWrong"; readonly node: NodeId; readonly as: RpcWrong;
      readonly forMs: number }
  /** Who gets a bot's notices cannot be reached. */
  | { readonly kind: "hookDown"; readonly node: NodeId; readonly forMs: number }
  | ArkHarm;

/**
 * `denied`: 401, whatever the password. `html`: an error page. `cut`: half of the answer. `busy`:
 * 503. `warming`: the node says that it starts. `alone`: it has no peers. `silent`: never.
 */
export const rpcWrongs = [
  "denied", "html", "cut", "busy", "warming", "alone", "silent",
] as const;
export type RpcWrong = (typeof rpcWrongs)[number];

export const diskOrders = ["load", "append", "sync", "truncate"] as const;
export type DiskOrder = (typeof diskOrders)[number];

export type HarmKind = Harm["kind"];
/** Kinds that need a bot, or the chain that it asks. */
export const botHarms: ReadonlySet<HarmKind> = new Set(["tor", "rpcWrong", "hookDown"]);
/** Kinds that need an ark. */
export const arkHarms: ReadonlySet<HarmKind> = new Set(arkHarmKinds);
export const harmKinds = [
  "cut", "partition", "halfOpen", "slow", "narrow", "lateEnd", "reset", "refuse", "hang",
  "lateDial", "chop", "stall", "pause", "crash", "restart", "jump", "drift", "diskSlow",
  "diskFull", "diskTorn", "tor", "rpcWrong", "hookDown", "diskFails", ...arkHarmKinds,
] as const satisfies readonly HarmKind[];
