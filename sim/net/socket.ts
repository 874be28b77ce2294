/**
 * The state of the network: what each end of each connection is to its process and to its system.
 *
 * Rule 1: a process sees only what `Told` says and what it reads; the rest is the system's.
 * Rule 2: what leaves an end is a line of segments in order: `head` up to `sent` fly, the others
 * wait in the send buffer. What arrives waits in the other end's `unread`.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import * as prng from "../../core/prng.ts";
import type { Queue } from "../queue.ts";
import type { Net, Segmentation } from "../scenario.ts";
import { neverUs } from "./law.ts";

/**
 * What the system tells a process about one of its sockets. The last five end it: one of them,
 * once, and nothing after.
 */
export type Told =
  | "opened" | "dialed" | "refused" | "timeout" | "unreachable"
  /** There is something to read: bytes, an end, or a failure. `read` finds out which. */
  | "readable"
  | "congested" | "drained"
  | "eof" | "reset" | "error" | "aborted" | "closed";

export type Ending = Extract<Told, "eof" | "reset" | "error" | "aborted" | "closed">;

/** Who runs the processes: queues what is told, and calls nothing of the network meanwhile. */
export type Host = { readonly told: (socket: Socket, what: Told) => void };

/** From one node to another. Faults change it; see `clear`. */
export type Path = {
  /** One way: at least, and on average. */
  latencyMinUs: number;
  latencyMeanUs: number;
  /** On top of it. */
  slowUs: number;
  /** 0: no bound. */
  bytesPerSec: number;
  /** How many faults cut it; nothing arrives unless 0. */
  cut: number;
  /** Dials are refused, or get no answer. */
  refuse: boolean;
  hang: boolean;
  /** Dials succeed, and ends arrive, so much later. */
  lateDialUs: number;
  lateEndUs: number;
  chop: Segmentation | undefined;
  /** When the bytes that were given to a narrow path have passed. */
  freeUs: number;
  /** Dials so far. */
  dials: number;
};

/** `open`: the third packet of a dial, which opens it at the other end. */
export type Segment = {
  readonly what: "data" | "fin" | "rst" | "open";
  readonly bytes: Uint8Array;
  /** When it arrives. */
  atUs: number;
};

/** One end of a connection. Only `conn` belongs to the host. */
export type Socket = {
  readonly node: number;
  /** Number of the connection, the same at both ends. */
  readonly life: number;
  readonly isDialer: boolean;
  /** Of dials from the one node to the other, which. */
  readonly nth: number;
  conn: ConnId;
  peer: Socket;
  /** The way out. */
  readonly path: Path;
  readonly prng: prng.Prng;
  readonly arrival: NetItem;
  readonly timer: NetItem;

  /** For the process: `nascent`: it knows nothing of it yet; `ended`: no more. */
  phase: "dialing" | "nascent" | "open" | "ended";
  /** For the system: `orphan`: its process let go, the rest goes out; `gone`: forgotten. */
  system: "live" | "orphan" | "gone";
  dialedUs: number;
  synsSent: number;
  answer: "accept" | "refuse" | "timeout";

  /** Why it ends, once the process has said so. */
  ending: Ending | undefined;
  /** What the process gave and the system did not take. */
  waiting: Uint8Array[];
  waitingBytes: number;
  isCongested: boolean;
  /** The process sends no more; `finTaken`: and all it sent was taken. */
  finWanted: boolean;
  finTaken: boolean;
  finWantedUs: number;

  line: Segment[];
  head: number;
  sent: number;
  /** In the send buffer: not sent, flying or not acknowledged. */
  heldBytes: number;
  flyingBytes: number;
  /** Arrived, but the acknowledgement was lost. */
  unackedBytes: number;
  /** The same for something without bytes. */
  isUnacked: boolean;
  /** Nothing passes from here any more, untold. */
  isDead: boolean;
  /** What flew was lost, and waits for its repetition. */
  isLost: boolean;
  /** No segment arrives before an earlier one. */
  lastUs: number;
  backoff: number;
  unanswered: number;
  arrivalUs: number;
  timerUs: number;
  retryUs: number;
  windowUs: number;
  drainUs: number;

  unread: Uint8Array[];
  unreadHead: number;
  unreadBytes: number;
  isReadableTold: boolean;
  finIn: boolean;
  finRead: boolean;
  /** The connection failed; the process learns it after what it can still read. */
  brokenBy: "reset" | "error" | undefined;

  /** Bytes that its process has sent and read, from the beginning. */
  sentBytes: number;
  readBytes: number;
};

/** Queue items of the network. */
export type NetItem =
  /** The first segment that flies from this socket arrives. */
  | { readonly kind: "net.arrival"; readonly socket: Socket }
  /** Something that this socket's system waits for is due. */
  | { readonly kind: "net.timer"; readonly socket: Socket }
  /** A dial reaches the other node; its answer comes back. */
  | { readonly kind: "net.dial"; readonly socket: Socket }
  | { readonly kind: "net.answer"; readonly socket: Socket };

/** For recordings; offsets count the bytes of one direction of a connection. */
export type NetWatch = {
  readonly dialed?: (life: number, from: number, to: number) => void;
  /** The process of `node` is told that it is open, or over. */
  readonly opened?: (life: number, node: number) => void;
  readonly ended?: (life: number, node: number, what: Told) => void;
  readonly sent?: (
    life: number, from: number, to: number, bytes: Uint8Array, endOffset: number,
  ) => void;
  readonly read?: (life: number, by: number, endOffset: number) => void;
};

export type Network = {
  readonly net: Net;
  key: prng.Key;
  readonly nodes: number;
  readonly host: Host;
  readonly queue: Queue<unknown>;
  /** By `from * nodes + to`. */
  readonly paths: Map<number, Path>;
  /** By node: those that its system or its process knows. */
  readonly sockets: Set<Socket>[];
  readonly isListening: boolean[];
  /** The machine has power. */
  readonly isUp: boolean[];
  /** Its processes read nothing. */
  readonly isStalled: boolean[];
  /** Connections so far, and whoever failed to become one. */
  lives: number;
  watch: NetWatch | undefined;
};

const nothing = new Uint8Array(0);

/** The marks between and after the data. */
export function mark(what: "fin" | "rst" | "open"): Segment {
  return { what, bytes: nothing, atUs: 0 };
}

/** Both ends of a new connection: the dialer's, whose `peer` is the other. */
export function pair(
  key: prng.Key, life: number, from: number, to: number, there: Path, back: Path,
): Socket {
  const nth = there.dials;
  const dialer = end(from, life, nth, there, streamOf(key, from, to, nth, true), true);
  const acceptor = end(to, life, nth, back, streamOf(key, from, to, nth, false), false);
  dialer.peer = acceptor;
  acceptor.peer = dialer;
  return dialer;
}

/** The draws of one direction of one connection. */
export function streamOf(
  key: prng.Key, from: number, to: number, nth: number, isThere: boolean,
): prng.Prng {
  return prng.stream(key, "link", from, to, nth, isThere ? 0 : 1);
}

function end(
  node: number, life: number, nth: number, path: Path, stream: prng.Prng, isDialer: boolean,
): Socket {
  const arrival = { kind: "net.arrival", socket: undefined as unknown as Socket } as const;
  const timer = { kind: "net.timer", socket: undefined as unknown as Socket } as const;
  const s: Socket = {
    node, life, isDialer, nth, conn: 0 as ConnId, peer: undefined as unknown as Socket, path,
    prng: stream, arrival, timer,
    phase: isDialer ? "dialing" : "nascent", system: isDialer ? "live" : "gone",
    dialedUs: 0, synsSent: 0, answer: "timeout",
    ending: undefined, waiting: [], waitingBytes: 0, isCongested: false,
    finWanted: false, finTaken: false, finWantedUs: 0,
    line: [], head: 0, sent: 0, heldBytes: 0, flyingBytes: 0, unackedBytes: 0, isUnacked: false,
    isDead: false, isLost: false, lastUs: 0, backoff: 0, unanswered: 0,
    arrivalUs: neverUs, timerUs: neverUs, retryUs: neverUs, windowUs: neverUs, drainUs: neverUs,
    unread: [], unreadHead: 0, unreadBytes: 0, isReadableTold: false,
    finIn: false, finRead: false, brokenBy: undefined, sentBytes: 0, readBytes: 0,
  };
  own(arrival, s);
  own(timer, s);
  return s;
}

function own(item: { socket: Socket }, s: Socket): void {
  item.socket = s;
}
