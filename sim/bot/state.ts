/**
 * What is kept about the surroundings of a bot's process.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import type { MakerConfig } from "../../core/maker/config.ts";

export type Host = {
  readonly config: MakerConfig;
  /** Index of the chain that it asks; -1: there is none. */
  readonly chain: number;
  readonly tor: Tor;
  /** Of which process of the chain's node the password is that it has read; 0: of none. */
  cookie: number;
};

/** One control connection. */
export type Session = {
  /** What came of a line that has not ended. */
  rest: string;
  /** The proof that is asked for; empty: none. */
  proof: string;
  isProven: boolean;
  /** Addresses (`host:port`) that it has asked for. */
  readonly services: Set<string>;
};

export type Tor = {
  isUp: boolean;
  /** Which process of Tor this is. */
  life: number;
  readonly sessions: Map<ConnId, Session>;
  /** Keys that were made. */
  keys: number;
  /** The bot's file; `undefined`: there is none. */
  file: Uint8Array | undefined;
  /** What Tor has said last arrives then: nothing overtakes it. */
  saidUs: number;
};
