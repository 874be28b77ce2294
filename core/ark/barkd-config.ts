/**
 * How much of barkd's replies is read, and how much it is asked for at once.
 *
 * Rule 1: every list, text and nesting has a limit; beyond it a reply is no reply, never a shorter
 * list.
 * @module
 */
import type { Limits } from "../joinmarket/json.ts";

export type Config = {
  /** VTXOs, or exits, in one reply; a wallet that serves payments has hundreds. 10,000. */
  readonly listMax: number;
  /** Entries in one reply to the long poll; barkd keeps ten minutes of them. 10,000. */
  readonly newsMax: number;
  /** VTXOs named in one request; each takes 67 characters, some of them in a path. 200. */
  readonly askedMax: number;
  /** Characters of an error's message that are looked at; the rest changes nothing. 16,384. */
  readonly messageMax: number;
  /**
   * The depth of an exit that barkd does not tell: the schema lets it be left out. Too low a number
   * makes an exit late, too high a one early and dear. 10 transactions.
   */
  readonly exitDepthUnknown: number;
  /** A movement's metadata nests as its author liked. */
  readonly json: Limits;
};

export const defaults: Config = {
  listMax: 10_000, newsMax: 10_000, askedMax: 200, messageMax: 16_384, exitDepthUnknown: 10,
  json: { depthMax: 32, nodesMax: 400_000 },
};
