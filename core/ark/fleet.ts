/**
 * Many wallets at one Ark server: how they are kept from coming all at once.
 *
 * Rule 1: what dials a server, or may make a wallet's program dial it, takes its turn among all
 * wallets that share it: in no second more than `permille` of them, and always one. Turns are apart
 * by a fixed gap, so that this holds of every second, wherever it begins.
 * Rule 2: turns are given in the order of asking. This comes before each wallet's own backoff, and
 * makes none of it longer than the queue.
 * Rule 3: wallets start one after the other, `startTurns` turns apart: so much does each dial when
 * it starts.
 * Not known here: what dials, and how servers are reached.
 * @module
 */
import { assert } from "../assert.ts";
import { after, mono, NEVER, soonest, type Mono } from "../time.ts";

export type Config = {
  /** Of the wallets that share a server, in a second. 25. */
  readonly permille: number;
  /** Turns between the starts of two wallets. 3. */
  readonly startTurns: number;
};

export const defaults: Config = { permille: 25, startTurns: 3 };

type Server<T> = {
  readonly members: number;
  readonly gapMs: number;
  /** Before this nobody has a turn. */
  openAt: Mono;
  /** Who waits, by key, the longest first. */
  readonly queue: Map<string, T>;
};

export type Fleet<T> = {
  readonly config: Config;
  readonly servers: Map<string, Server<T>>;
  /** Those that somebody waits for. */
  readonly waiting: Set<Server<T>>;
};

type Member = { readonly name: string; readonly server: string };

/** Nobody has dialled. Asserts the ranges of `config`. */
export function create<T>(config: Config, wallets: readonly Member[]): Fleet<T> {
  const { permille, startTurns } = config;
  assert(Number.isSafeInteger(permille) && permille >= 1 && permille <= 1_000, "fleet: a part");
  assert(Number.isSafeInteger(startTurns) && startTurns >= 1, "fleet: starts take turns");
  const counts = new Map<string, number>();
  for (const { server } of wallets) counts.set(server, (counts.get(server) ?? 0) + 1);
  const servers = new Map<string, Server<T>>();
  for (const [server, count] of counts) {
    servers.set(server, {
      members: count, gapMs: gapMsOf(config, count), openAt: mono(0), queue: new Map(),
    });
  }
  return { config, servers, waiting: new Set() };
}

/** From one turn to the next where so many share a server. */
export function gapMsOf(config: Config, count: number): number {
  const turns = Math.floor((count * config.permille) / 1_000);
  return Math.ceil(1_000 / (turns > 1 ? turns : 1));
}

/** How long after the first each wallet starts, in ms, in the order given. */
export function startsOf<T>(f: Fleet<T>, wallets: readonly Member[]): readonly number[] {
  const before = new Map<string, number>();
  return wallets.map(({ server }) => {
    const nth = before.get(server) ?? 0;
    before.set(server, nth + 1);
    return nth * serverOf(f, server).gapMs * f.config.startTurns;
  });
}

/** Takes a turn now, if one is free and nobody waits. */
export function take<T>(f: Fleet<T>, server: string, now: Mono): boolean {
  const s = serverOf(f, server);
  if (s.queue.size > 0 || now < s.openAt) return false;
  s.openAt = after(now, s.gapMs);
  return true;
}

/** Waits for a turn; `key` is the asker's, each once at a server. */
export function hold<T>(f: Fleet<T>, server: string, key: string, what: T): void {
  const s = serverOf(f, server);
  assert(!s.queue.has(key), "fleet: nobody waits twice");
  s.queue.set(key, what);
  f.waiting.add(s);
}

/** Whoever waited under this key has left: what it waited with. */
export function leave<T>(f: Fleet<T>, server: string, key: string): T | undefined {
  const s = serverOf(f, server);
  const what = s.queue.get(key);
  s.queue.delete(key);
  if (s.queue.size === 0) f.waiting.delete(s);
  return what;
}

/** How long the last of all wallets of a server waits if all ask at once. */
export function roundMs<T>(f: Fleet<T>, server: string): number {
  const { gapMs, members } = serverOf(f, server);
  return gapMs * (members - 1);
}

/** Those whose turn it is. */
export function due<T>(f: Fleet<T>, now: Mono): readonly T[] {
  const found: T[] = [];
  for (const s of [...f.waiting]) {
    if (now < s.openAt) continue;
    for (const [key, what] of s.queue) {
      s.queue.delete(key);
      found.push(what);
      break;
    }
    s.openAt = after(now, s.gapMs);
    if (s.queue.size === 0) f.waiting.delete(s);
  }
  return found;
}

/** How many wait. */
export function held<T>(f: Fleet<T>): number {
  let count = 0;
  for (const s of f.waiting) count += s.queue.size;
  return count;
}

/** When the next turn is given to one who waits. */
export function deadline<T>(f: Fleet<T>): Mono {
  let at = NEVER;
  for (const s of f.waiting) at = soonest(at, s.openAt);
  return at;
}

function serverOf<T>(f: Fleet<T>, server: string): Server<T> {
  const found = f.servers.get(server);
  assert(found !== undefined, "fleet: a server of a wallet");
  return found;
}
