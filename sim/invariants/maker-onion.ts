/**
 * M15 of a maker daemon: its own onion service, from its control connection and what directories
 * hear.
 *
 * Rule 1: the address is one for good, over all processes, and nobody hears of it before the host
 * has said that its key is kept.
 * Rule 2: served is what Tor has said on a connection that is open; not to be served is a named
 * state, from the step that learns of it on, and to be served is none.
 * Not known here: keys, and whether anybody gets through.
 * @module
 */
import { text as textOf } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import type { Tick } from "../../core/kernel/io.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import type { BotEffect, BotEvent } from "../vocabulary.ts";
import { violation, type Violation } from "./violation.ts";

const { types } = envelope;

export type Onion = {
  readonly config: MakerConfig;
  /** What directories were told; empty: nothing yet. */
  location: string;
  /** The host has said that the key is in its file. */
  isKept: boolean;
  control: ConnId | undefined;
  isServed: boolean;
  /** It was served by this process, and is not. */
  isLost: boolean;
  /** Times that it was served no more, or again, in one process. */
  losses: number;
  backs: number;
};

/** Of a maker that has never run. */
export function create(config: MakerConfig): Onion {
  return {
    config, location: "", isKept: false, control: undefined, isServed: false, isLost: false,
    losses: 0, backs: 0,
  };
}

/** A process begins. */
export function booted(m: Onion): void {
  ended(m);
  m.isLost = false;
}

/** The control connection is no more, and the service with it. */
function ended(m: Onion): void {
  m.control = undefined;
  m.isServed = false;
}

type Effects = readonly { readonly type: string }[];

/** May this step have changed how the service stands? */
export function isTouched(m: Onion, event: BotEvent | Tick, effects: Effects): boolean {
  if (m.config.onion === undefined) return false;
  if (event.type === "conn.confided" || event.type.startsWith("key.")) return true;
  if ("conn" in event && event.conn === m.control) return true;
  for (const effect of effects) {
    const { type, isSecret, conn } = effect as { type: string; isSecret?: boolean; conn?: ConnId };
    if (type === "conn.dial" && isSecret === true) return true;
    if (type === "conn.close" && conn === m.control) return true;
  }
  return false;
}

/** One such step. `names`: the states that the process says it is in; `undefined`: it stops. */
export function observe(
  m: Onion, event: BotEvent | Tick, effects: Effects, names: readonly string[] | undefined,
  out: Violation[],
): void {
  const wasServed = m.isServed && m.isKept;
  happened(m, event);
  for (const effect of effects) ordered(m, effect as BotEffect);
  const isServed = m.isServed && m.isKept;
  if (wasServed && !isServed) {
    m.losses += 1;
    m.isLost = true;
  }
  if (isServed && m.isLost) {
    m.backs += 1;
    m.isLost = false;
  }
  if (names === undefined) return;
  const isNamed = names.includes("onion-down");
  if (!isServed && !isNamed) out.push(violation("M15", "a lost onion service is no named state"));
  if (isServed && isNamed) out.push(violation("M15", "a service that is up is said to be down"));
}

function happened(m: Onion, event: BotEvent | Tick): void {
  if (event.type === "key.loaded" || event.type === "key.saved") m.isKept = true;
  if (!("conn" in event) || event.conn !== m.control) return;
  if (event.type === "conn.closed" || event.type === "conn.failed") return ended(m);
  if (event.type !== "conn.confided") return;
  if (textOf(event.bytes.secret).includes("250-ServiceID=")) m.isServed = true;
}

function ordered(m: Onion, effect: BotEffect): void {
  if (effect.type === "conn.dial" && effect.isSecret === true) {
    m.control = effect.conn;
    m.isServed = false;
  }
  if (effect.type === "conn.close" && effect.conn === m.control) ended(m);
}

/** The process says something by way of a directory. */
export function said(m: Onion, type: number, text: string, out: Violation[]): void {
  if (type !== types.HANDSHAKE || m.config.onion === undefined) return;
  const location = /"location-string": ?"([^"]*)"/.exec(text)?.[1] ?? "";
  if (location === notServing) return;
  if (!m.isKept) out.push(violation("M15", "an address is told whose key is not kept"));
  if (m.location !== "" && m.location !== location) {
    out.push(violation("M15", "directories hear of another address than before"));
  }
  m.location = location;
}
