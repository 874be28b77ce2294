/**
 * The state of one simulated world.
 *
 * Rule 1: one owner, the runner; every part gets what it needs of it as an argument.
 * Rule 2: true time (`nowUs`) is known here and to oracles only; nodes have clocks (`clocks.ts`).
 * @module
 */
import type { DirectoryConfig } from "../core/directory/config.ts";
import type { ConnId } from "../core/ids.ts";
import type { Primitives } from "../core/primitives.ts";
import type { Key, Prng } from "../core/prng.ts";
import type { Ground } from "./bot/chain.ts";
import type { Host } from "./bot/state.ts";
import type { Clock } from "./clocks.ts";
import type { Digest } from "./digest.ts";
import type { Disk } from "./disk.ts";
import type { FleetHost } from "./fleet/state.ts";
import type { Town } from "./fleet/town.ts";
import type { Item, NodeItem, Notice } from "./items.ts";
import type { NetWatch, Network, Socket } from "./network.ts";
import type { Oracles } from "./oracles/oracles.ts";
import type { Finding } from "./outcome.ts";
import type { Queue } from "./queue.ts";
import type { Fault, Harm, Mark, NodeId, NodeSpec, Scenario } from "./scenario.ts";
import type { SimEffect, SimEvent, SimKernel } from "./vocabulary.ts";

export type { Notice } from "./items.ts";
export type { SimEffect, SimEvent, SimKernel, SimState } from "./vocabulary.ts";

/** What kind of machine runs on a node. */
export type Kind = "directory" | "peer" | "hostile" | "journal" | "bot" | "chain" | "fleet" | "ark";

/** Who a node is on the wire; equal for twins. */
export type Identity = {
  readonly nick: string;
  /** `<56>.onion:port`; takers have none. */
  readonly location: string | undefined;
  /** For nick-auth. */
  readonly secret: Uint8Array | undefined;
};

export type Node = {
  readonly index: number;
  readonly id: NodeId;
  readonly spec: NodeSpec;
  readonly kind: Kind;
  readonly identity: Identity;
  /** For directories: with the scenario's settings. */
  readonly config: DirectoryConfig | undefined;
  readonly clock: Clock;
  readonly costs: Prng;
  readonly disk: Disk | undefined;
  /** For bots: what surrounds the process. */
  readonly host: Host | undefined;
  /** For chains: the blocks, which outlive the node's process. */
  readonly ground: Ground | undefined;
  /** For fleets: what surrounds the process. */
  readonly fleet: FleetHost | undefined;
  /** For arks: the little world, which outlives the node's process. */
  readonly town: Town | undefined;
  /** The process; `undefined` while it is down. */
  kernel: SimKernel | undefined;
  /** Processes so far; the running one's number. */
  incarnation: number;
  /** What stands in the queue for it, made once: the same says the same. */
  run: NodeItem;
  wake: NodeItem;
  entropy: Prng;
  readonly inbox: Notice[];
  /** The first entry of `inbox` that was not looked at. */
  inboxAt: number;
  /** The node is in `ready` or has a `run` item in the queue. */
  isListed: boolean;
  /** It works until then. */
  busyUntilUs: number;
  /** It was put to sleep until then. */
  pausedUntilUs: number;
  /** When its armed timer fires. */
  armedUs: number;
  /** It reads nothing while this is above 0. */
  stalls: number;
  /** Dies in its next step with so many effects. */
  crash: Extract<Harm, { kind: "crash" }> | undefined;
  /** Asked to stop; starts again this long after it has. */
  restartMs: number | undefined;
  readonly sockets: Map<ConnId, Socket>;
  nextConn: number;
  /** How often each mark was seen. */
  readonly marks: Map<Mark, number>;
  /** Connections that the process believes open. */
  sessions: number;
};

/** A fault that has begun. */
export type Active = {
  readonly id: number;
  readonly harm: Harm;
  readonly fromUs: number;
  readonly toUs: number;
};

export type World = {
  readonly scenario: Scenario;
  readonly key: Key;
  readonly primitives: Primitives;
  readonly nodes: readonly Node[];
  readonly byId: ReadonlyMap<NodeId, Node>;
  /** Node index by dialled address. */
  readonly byAddress: ReadonlyMap<string, number>;
  /** Nicks of honest peers. */
  readonly nicks: ReadonlyMap<NodeId, string>;
  /** Public keys of honest peers, by nick: who attacks them knows as much. */
  readonly keys: ReadonlyMap<string, string>;
  readonly queue: Queue<Item>;
  readonly net: Network;
  readonly oracles: Oracles;
  readonly digest: Digest;
  /** Nodes with an inbox that may be looked at now. */
  readonly ready: Node[];
  /** The first entry of `ready` that was not looked at. */
  readyAt: number;
  nowUs: number;
  endUs: number;
  steps: number;
  readonly checkpoints: string[];
  finding: Finding | undefined;
  /** Faults and fired triggers, in the order of their beginning. */
  readonly plan: Fault[];
  readonly active: Map<number, Active>;
  /** Nodes whose first bytes are looked at for marks. */
  readonly marked: ReadonlySet<number>;
  healed: boolean;
  /** In a core: healed for good. By index. */
  readonly core: ReadonlySet<number>;
  readonly fired: Map<string, { fired: number; active: number }>;
  readonly idle: Set<number>;
  readonly watch: Watch | undefined;
  readonly checks: boolean;
  /** Due ticks and events at one instant until it is asked whether one step does the same. */
  untilMerged: number;
};

/**
 * What one may be told while a world runs: for pictures, traces and people who step through it.
 * Absent in a hunt, so that it costs nothing there.
 */
export type Watch = {
  /** A step was made; `w.steps` is its number plus one. */
  readonly stepped?: (
    w: World, node: Node, event: SimEvent, effects: readonly SimEffect[],
  ) => void;
  /** A fault began, or one that had begun is over. */
  readonly began?: (w: World, active: Active) => void;
  readonly ended?: (w: World, active: Active) => void;
  /** A process died or started. */
  readonly died?: (w: World, node: Node) => void;
  readonly booted?: (w: World, node: Node) => void;
  readonly healed?: (w: World) => void;
  /** What the network tells; absent means that nobody listens. */
  readonly net?: NetWatch;
};
