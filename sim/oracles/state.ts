/**
 * What the oracles of one run know: of each node, of the lines that were said (`model.ts`), of what
 * is due after the heal (`liveness.ts`) and of the goals that were reached (`goals.ts`).
 *
 * Rule 1: plain data with one owner each, the module that is named; all of it lives and dies with
 * its world.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import type { Prng } from "../../core/prng.ts";
import type { Mono } from "../../core/time.ts";
import type { Observer as ArkObserver } from "../invariants/ark.ts";
import type { Observer } from "../invariants/directory.ts";
import type { Kept, Pulse } from "../invariants/cross.ts";
import type { Observer as JournalObserver } from "../invariants/journal.ts";
import type { Observer as MakerObserver } from "../invariants/maker.ts";
import type { Shadow } from "./shadow.ts";

/** What is known of one node. */
export type Watched = {
  /** Of the running process of a directory. */
  observer: Observer | undefined;
  /** A second process that is fed the same bytes, cut differently. */
  shadow: Shadow | undefined;
  /** Of a bot, over all its processes. */
  maker: MakerObserver | undefined;
  /** Of a fleet, over all its processes. */
  ark: ArkObserver | undefined;
  /** Of a journal, over all its processes. */
  journal: JournalObserver | undefined;
  readonly pulse: Pulse;
  /** Effects of a step that was looked at closely, until the next one. */
  kept: Kept | undefined;
  /** The step of this node after which its tables are looked through. */
  auditAt: number;
  steps: number;
};

export type Oracles = {
  readonly draws: Prng;
  /** By node index. */
  readonly watched: Watched[];
  /** Steps of the run between two that are looked at closely, on average. */
  readonly closeEvery: number;
  closeAt: number;
  /** The step under way is looked at closely. */
  isClose: boolean;
  /** Directories have shadows. */
  readonly isShadowed: boolean;
  /** Peers are to tell of every public line that they get (`PeerConfig.tells`). */
  readonly isListening: boolean;
  readonly model: Model;
  readonly liveness: Liveness;
  readonly goals: Goals;
};

/** A public line: who sent it, on which connection. */
export type Said = { readonly tag: number; readonly node: number; readonly conn: ConnId };

/** What one nick published at one directory; `items[0]` is number `from`. */
export type Voice = { readonly items: Said[]; from: number };

/** The last line that one connection got from one nick: its number, or -1. */
export type Ear = { at: number };

export type Model = {
  /** By directory and nick. */
  readonly voices: Map<string, Voice>;
  /** By node and connection, then by nick. */
  readonly ears: Map<string, Map<string, Ear>>;
  /** Makers' offers by nick: sizes by tag. */
  readonly offers: Map<string, Map<number, number>>;
  /** Requests of each node by tag: whom it asked. */
  readonly asked: Map<string, string>;
  /** Answers that were given: by whom, to whom, to what. */
  readonly given: Set<string>;
  /** Nicks that one honest peer has and nobody takes; `undefined` before they are asked for. */
  honest: ReadonlySet<string> | undefined;
};

export type LawId = "L1" | "L2" | "L3" | "L4" | "L5" | "L6" | "L7" | "L8";

/** One law at its instant; `isLate`: for peers that come back late (`core.ts`). */
export type Law = {
  readonly id: LawId; readonly isLate: boolean; readonly isSecond: boolean;
  /** The bot that it is about; of other nodes if there is none. */
  readonly bot?: number;
};

/** How much there is of what must not grow. */
export type Sizes = Map<string, number>;

export type Liveness = {
  healedUs: number;
  readonly laws: Law[];
  /** Pending at the first look, by law. */
  readonly first: Map<string, Set<string>>;
  /** When each node's process started last, and until when it was asked to stay away. */
  readonly bootedUs: Map<number, number>;
  readonly awayUs: Map<number, number>;
  /** L4: questions that await their answer: by node and tag. */
  readonly questions: Map<string, Question>;
  /** Who was let go for silence and has not heard of it: node and directory. */
  readonly silenced: Set<string>;
  early: Sizes | undefined;
  /** Somebody takes nicks of others; `undefined` before it is asked for. */
  hasThieves: boolean | undefined;
};

/** Who asks whom, by index, and where. */
export type Question = {
  readonly says: string; readonly node: number; readonly to: number; readonly directory: string;
  readonly atUs: number;
};

/** Connections of one directory process by the nick that they said, oldest first. */
export type Generations = {
  readonly byNick: Map<string, ConnId[]>;
  readonly nicks: Map<ConnId, string>;
};

/** What is remembered of the running process of one directory. */
export type Place = {
  generations: Generations;
  /** Nicks with more than one connection. */
  doubles: number;
  /** When connections ended lately. */
  readonly endedAt: Mono[];
  pings: number;
  displaced: number;
  isCut: boolean;
};

/** What is remembered of one bot between its steps. */
export type Trail = {
  readonly wasUp: Set<string>;
  downSince: Mono | undefined;
  wasDenied: boolean;
  wasPublic: boolean;
};

export type Goals = {
  /** The step of the first hit. */
  readonly hits: Map<string, number>;
  readonly gauges: Map<string, number>;
  readonly places: Map<number, Place>;
  /** Parts of goals that take two. */
  readonly parts: Set<string>;
  /** Nodes whose process crashed and has not recovered. */
  readonly crashed: Set<number>;
  /** Of bots, by node. */
  readonly trails: Map<number, Trail>;
};
