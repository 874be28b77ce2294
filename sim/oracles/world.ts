/**
 * What oracles see of a world: a part of `World`, so that neither file needs the other.
 * @module
 */
import type { DirectoryConfig } from "../../core/directory/config.ts";
import type { ConnId } from "../../core/ids.ts";
import type { Kernel } from "../../core/kernel/kernel.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import type { Key } from "../../core/prng.ts";
import type { Primitives } from "../../core/primitives.ts";
import type { Ground } from "../bot/chain.ts";
import type { Clock } from "../clocks.ts";
import type { FleetHost } from "../fleet/state.ts";
import type { Town } from "../fleet/town.ts";
import type { Finding } from "../outcome.ts";
import type { Queue } from "../queue.ts";
import type { Harm, NodeId, NodeSpec, Scenario, Work } from "../scenario.ts";
import type { Oracles } from "./state.ts";

export type Typed = { readonly type: string };

/** One end of a connection; `peer` is the other. */
export type OracleSocket = {
  readonly node: number;
  readonly conn: ConnId;
  readonly peer: OracleSocket;
  /** Given to the system and not acknowledged; arrived and not read. */
  readonly heldBytes: number;
  readonly unreadBytes: number;
};

/** Something that a peer is to be asked now. */
export type Asked = { readonly node: number; readonly task: Work };

/** What surrounds a bot's process. */
export type OracleHost = { readonly config: MakerConfig; readonly chain: number };

export type OracleNode = {
  readonly index: number;
  readonly id: NodeId;
  readonly spec: NodeSpec;
  readonly kind: "directory" | "peer" | "hostile" | "journal" | "bot" | "chain" | "fleet" | "ark";
  readonly identity: {
    readonly nick: string; readonly location: string | undefined;
    readonly secret: Uint8Array | undefined;
  };
  readonly config: DirectoryConfig | undefined;
  readonly host: OracleHost | undefined;
  readonly ground: Ground | undefined;
  readonly fleet: FleetHost | undefined;
  readonly town: Town | undefined;
  readonly clock: Clock;
  /** The process; `undefined` while it is down. */
  readonly kernel: Kernel<object, Typed, Typed> | undefined;
  readonly incarnation: number;
  readonly stalls: number;
  readonly pausedUntilUs: number;
  readonly sockets: ReadonlyMap<ConnId, OracleSocket>;
};

/** A fault that has begun. */
export type OracleActive = {
  readonly id: number; readonly harm: Harm; readonly fromUs: number; readonly toUs: number;
};

export type OracleWorld = {
  readonly scenario: Scenario;
  readonly key: Key;
  readonly primitives: Primitives;
  readonly nodes: readonly OracleNode[];
  readonly byId: ReadonlyMap<NodeId, OracleNode>;
  readonly oracles: Oracles;
  /** Checks that are due later go in here, as items of kind `check`. */
  readonly queue: Queue<{ readonly kind: string }>;
  readonly nowUs: number;
  readonly endUs: number;
  readonly steps: number;
  finding: Finding | undefined;
  readonly healed: boolean;
  readonly core: ReadonlySet<number>;
  readonly active: ReadonlyMap<number, OracleActive>;
  /** How often each fault kind began, and how often while a session was open. */
  readonly fired: ReadonlyMap<string, { readonly fired: number; readonly active: number }>;
};
