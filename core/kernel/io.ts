/**
 * The vocabulary that every host understands: facts that come in, orders that go out.
 *
 * Rule 1: events are facts in the past; effects are orders. Both are plain data, never mutated once
 * they exist.
 * Rule 2: effects of one step run in order per resource (one connection, one file); there is no
 * order between resources, and a completion is an event.
 * Rule 3: an effect never holds a reference into state that changes; bytes that nobody writes to
 * again may be shared.
 * @module
 */
import type { ConnId } from "../ids.ts";
import type { Secret } from "../secret.ts";
import type { Mono } from "../time.ts";

/** The kernel's own event: a deadline may be due. */
export type Tick = { readonly type: "tick" };

/** Why the host says that a connection ended. */
export type Ended = "eof" | "reset" | "error" | "aborted" | "closed";

export type ConnEvent =
  /** A listener accepted a connection. */
  | { readonly type: "conn.opened"; readonly conn: ConnId }
  /** Bytes arrived. The host gives the array away: nobody writes to it again. */
  | { readonly type: "conn.received"; readonly conn: ConnId; readonly bytes: Uint8Array }
  /** The operating system did not take all that was sent: send no more until `conn.drained`. */
  | { readonly type: "conn.congested"; readonly conn: ConnId }
  | { readonly type: "conn.drained"; readonly conn: ConnId }
  /** The connection is gone. Comes exactly once for each `conn.opened`, also after `conn.close`. */
  | { readonly type: "conn.closed"; readonly conn: ConnId; readonly reason: Ended };

export type ConnEffect =
  /**
   * One write. At most one for each connection and flush; the same `bytes` may serve many
   * connections.
   */
  | { readonly type: "conn.send"; readonly conn: ConnId; readonly bytes: Uint8Array }
  /**
   * `abort`: discard what is queued and reset (RST). `flush`: write what is queued, then FIN; the
   * core aborts later  if the peer does not take it.
   */
  | {
    readonly type: "conn.close"; readonly conn: ConnId;
    readonly how: "abort" | "flush"; readonly reason: string;
  };

/** Connections that a node opens itself. It chooses their ids: even ones, never used twice. */
export type DialEvent =
  /** The dialled connection is open; from here on it is like an accepted one. */
  | { readonly type: "conn.dialed"; readonly conn: ConnId }
  /** It never opened. Comes instead of `conn.dialed`; no `conn.closed` follows. */
  | { readonly type: "conn.failed"; readonly conn: ConnId; readonly reason: DialFailure };

/**
 * Why a dial failed: nobody listens, nobody answered in the system's own time, no way there, or the
 * host does not permit it.
 */
export type DialFailure = "refused" | "timeout" | "unreachable" | "denied";

/** What comes and goes on a connection that was dialled as a secret one: a trace seals it. */
export type ConfidedEvent = {
  readonly type: "conn.confided"; readonly conn: ConnId; readonly bytes: Secret;
};
export type ConfideEffect = {
  readonly type: "conn.confide"; readonly conn: ConnId; readonly bytes: Secret;
};

export type DialEffect =
  /**
   * Opens a connection to `to`, `host:port`. A `conn.close` before the outcome gives up: nothing
   * follows. With `isolation` it goes through Tor, apart from all connections with another label;
   * without, directly, which a host permits to itself only.
   */
  {
    readonly type: "conn.dial"; readonly conn: ConnId; readonly to: string;
    readonly isolation?: string;
    /** Its bytes are secrets: `conn.confided` and `conn.confide` instead of the plain ones. */
    readonly isSecret?: boolean;
  };

/**
 * Questions over HTTP to a target that the host's configuration knows, with its address, its
 * credentials and its proxy. One answer each; the core owns the time-out and drops late answers.
 */
export type RequestEffect =
  | {
    readonly type: "req.start"; readonly req: number; readonly to: string;
    readonly method: "GET" | "POST"; readonly path: string;
    readonly headers: readonly (readonly [string, string])[]; readonly body: string;
    /** The credentials of the target are read again first. */
    readonly renew: boolean;
  }
  /** Nobody waits any more: the host may cut it short, and its answer is dropped. */
  | { readonly type: "req.drop"; readonly req: number };

/** `too-large`: the answer has more bytes than the host takes. `denied`: nothing leads there. */
export type RequestFailure =
  "refused" | "timeout" | "unreachable" | "reset" | "too-large" | "malformed" | "denied";

export type RequestEvent =
  | {
    readonly type: "req.done"; readonly req: number; readonly status: number;
    readonly body: string;
    /** The header of that name, if the answer had one. */
    readonly retryAfter?: string;
  }
  | { readonly type: "req.failed"; readonly req: number; readonly reason: RequestFailure };

/** The nick's key stays with the host. `digest`: 32 bytes, the message hashed twice. */
export type SignEffect = {
  readonly type: "sign.want"; readonly req: number; readonly digest: Uint8Array;
};
/** ECDSA over secp256k1 (RFC 6979), DER, low s. */
export type SignEvent = {
  readonly type: "sign.given"; readonly req: number; readonly signature: Uint8Array;
};

/**
 * Random bytes from the operating system, asked for by request id. These become public (challenge,
 * nick): a trace  records them in clear.
 */
export type EntropyEvent = {
  readonly type: "entropy.given"; readonly req: number; readonly bytes: Uint8Array;
};
export type EntropyEffect = {
  readonly type: "entropy.want"; readonly req: number; readonly size: number;
};

/** Wall time, told at start and after jumps; monotonic time is an argument and not an event. */
export type ClockEvent = { readonly type: "clock.anchored"; readonly unixMs: number };

export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogField = string | number | boolean;
/** The host builds the text from the code. Fields hold no secret and, above `debug`, no address. */
export type LogEffect = {
  readonly type: "log";
  readonly level: LogLevel;
  readonly code: string;
  readonly fields: { readonly [name: string]: LogField };
};

/** Emitted by the kernel only, at most one a step: call `step` with a tick at or after `at`. */
export type WakeEffect = { readonly type: "wake"; readonly at: Mono };
