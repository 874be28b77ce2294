/**
 * What is kept about the surroundings of a bot's process.
 * @module
 */
import type { MakerConfig } from "../../core/maker/config.ts";

export type Host = {
  readonly config: MakerConfig;
  /** Index of the chain that it asks; -1: there is none. */
  readonly chain: number;
  /** Of which process of the chain's node the password is that it has read; 0: of none. */
  cookie: number;
};
