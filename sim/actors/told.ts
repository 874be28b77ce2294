/**
 * What honest peers tell the oracles: facts about themselves that nobody could see from outside.
 *
 * Rule 1: a fact is told in the step in which it becomes true, and is never taken back but by the
 * fact that ends it. Nothing in the world acts on it.
 * Rule 2: each public line, offer and private request of a peer has a tag, a whole number that is
 * unique among all lines of that nick's node: `incarnation * tagSpan + n`. On the wire it stands
 * behind `#`: `!orderbook #1000001`, `!chat #1000002 ...`, `!fill 0 100000 #1000003 ...`, in the
 * answer `!pubkey #1000003`, and at the end of an announcement: `!note #1000005`.
 * Rule 3: a maker's offers have a tag too, new whenever they change: the digits of the fee behind
 * `0.000`, `!sw0reloffer 0 27300 2500000000 0 0.0001000004`, in public and in private. An
 * announcement is complete: it cancels the ids that are not in it.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import type { NodeId } from "../scenario.ts";

/** Tags of one process. */
export const tagSpan = 1_000_000;

/** Why a link is down. The last five are what the system said. */
export type Down =
  | "refused" | "dial-timeout" | "dial-failed" | "handshake-timeout" | "protocol" | "no-pong"
  | "silent" | "stuck" | "away"
  | "eof" | "reset" | "error" | "aborted" | "closed";

export type Told =
  /** Registered, as far as the peer knows: lines go out on `conn` from here on. */
  | { readonly fact: "up"; readonly directory: NodeId; readonly conn: ConnId }
  /** `conn`, which was up, is given up. What was held of that directory is forgotten. */
  | {
    readonly fact: "down"; readonly directory: NodeId; readonly conn: ConnId;
    readonly why: Down;
  }
  /** A maker's offers from now on: `size` of them, with the ids 0 to `size - 1`. */
  | { readonly fact: "offers"; readonly tag: number; readonly size: number }
  /** A maker sends its offers to everybody: a public line with the tag `tag`. */
  | { readonly fact: "announced"; readonly directory: NodeId; readonly conn: ConnId;
      readonly tag: number; readonly offers: number }
  /** A taker or watcher holds these offers of `maker` at `directory`, in place of earlier ones. */
  | {
    readonly fact: "held"; readonly directory: NodeId; readonly maker: string;
    readonly tag: number; readonly size: number;
  }
  /** It holds none any more: the maker left, or withdrew them. */
  | {
    readonly fact: "dropped"; readonly directory: NodeId; readonly maker: string;
    readonly why: "left" | "cancelled";
  }
  /** A public line other than an announcement goes out. */
  | { readonly fact: "said"; readonly directory: NodeId; readonly conn: ConnId;
      readonly tag: number }
  /** Only with `tells`: a public line arrived. Tag -1: it has none. */
  | {
    readonly fact: "heard"; readonly directory: NodeId; readonly conn: ConnId;
    readonly from: string; readonly tag: number;
  }
  /** A private request goes out. */
  | {
    readonly fact: "asked"; readonly directory: NodeId; readonly conn: ConnId;
    readonly to: string; readonly tag: number;
  }
  /** A task could not be done: there is no directory to ask. */
  | { readonly fact: "unasked"; readonly to: string }
  /** A maker answers the request `tag` of `to`. */
  | {
    readonly fact: "answering"; readonly directory: NodeId; readonly conn: ConnId;
    readonly to: string; readonly tag: number;
  }
  /** The answer to one of its requests, on the same directory, from whom it asked. */
  | {
    readonly fact: "answered"; readonly directory: NodeId; readonly conn: ConnId;
    readonly from: string; readonly tag: number;
  }
  /** No answer came in time, or the link went down before. */
  | { readonly fact: "unanswered"; readonly directory: NodeId; readonly tag: number }
  /** The directory sent what it should not have. `from`: the nick that it is about. */
  | {
    readonly fact: "odd"; readonly directory: NodeId; readonly conn: ConnId;
    readonly what: Odd; readonly from?: string;
  }
  /** Told by hostile peers: the directory let them in with what it has to refuse. */
  | {
    readonly fact: "admitted"; readonly directory: NodeId; readonly conn: ConnId;
    readonly nick: string; readonly wrong: Wrong;
  };

export type Odd =
  /** A private line for somebody else. */
  | "misdirected"
  /** An answer that came twice or was never asked for. Anybody may send those. */
  | "unexpected"
  /** Not an envelope. */
  | "malformed"
  /** An envelope with more than `type` and `line`. */
  | "keys"
  /** A public or private line whose head is not `nick!PUBLIC!` or `nick!nick!`. */
  | "head"
  /** A line of `from` in another spelling than honest peers write. Hostile ones may. */
  | "respelled"
  /** A public line in the peer's own nick. */
  | "echo"
  /** A line in the directory's own nick that is not its question for offers. */
  | "impostor"
  /** A line in the nick `from` that somebody else wrote (its tag is one of `stolenTags`). */
  | "stolen"
  /** An entry of a peerlist that is malformed, or whose onion has a wrong checksum. */
  | "entry"
  /** One line of a peerlist names `from` twice. */
  | "twice"
  /** A list begins that was not asked for: more lists than questions. */
  | "unasked"
  /** A relayed line, a list or a PING before the registration. */
  | "early";

/** What a directory has to refuse: the nick, the address, the network, the rest; a false proof. */
export type Wrong = "nick" | "onion" | "network" | "hello" | "directory-nick" | "proof";

/**
 * Tags of lines that hostile peers write in the nicks of others begin here, above all tags of
 * honest ones: a directory relays none of them.
 */
export const stolenTags = 800_000_000_000;
