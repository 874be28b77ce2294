/**
 * What is kept about the surroundings of a fleet's process.
 * @module
 */
import type { ArkConfig } from "../../core/ark/config.ts";

export type FleetHost = {
  readonly config: ArkConfig;
  /** Index of the ark that it asks; -1: there is none. */
  readonly ark: number;
  /** By wallet: what was read last. */
  readonly tokens: Map<string, string>;
  /** Questions and streams that the process waits for. */
  readonly open: Set<number>;
  /** With the instant before which nothing more of it arrives: nothing overtakes. */
  readonly streams: Map<number, number>;
};

/** Of a fleet that has not begun. */
export function create(config: ArkConfig, ark: number): FleetHost {
  return { config, ark, tokens: new Map(), open: new Set(), streams: new Map() };
}
