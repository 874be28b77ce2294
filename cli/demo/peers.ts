/**
 * The simple peers of the demo world and what they do: makers that announce and answer, a taker
 * that asks and fills, a watcher that only listens, and one that falls silent on purpose.
 *
 * Rule 1: peers know each other only through the directory.
 * Rule 2: every timer is one of `Ambient`; `stop` ends them all.
 * @module
 */
import type { Address } from "../../adapters/address.ts";
import type { Ambient, Timer } from "../../adapters/ambient.ts";
import { primitives } from "../../adapters/primitives.ts";
import type { Command, Line } from "../../core/joinmarket/command.ts";
import * as features from "../../core/joinmarket/features.ts";
import * as offer from "../../core/joinmarket/offer.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import * as signed from "../../core/joinmarket/signed.ts";
import { after } from "../../core/time.ts";
import { type Client, connect } from "./client.ts";
import * as identity from "./identity.ts";

/** What a peer did or saw, in plain words. `kind` is stable, for programs. */
export type Happening = {
  readonly kind: string;
  readonly peer: string;
  readonly nick: string;
  readonly text: string;
};

export type World = {
  readonly ambient: Ambient;
  readonly address: Address;
  readonly network: string;
  /** Between two rounds of the taker; also how long the silent one stays away. */
  readonly roundMs: number;
  readonly tell: (happening: Happening) => void;
};

export interface Peer {
  readonly name: string;
  readonly role: string;
  readonly nick: string;
  readonly about: string;
  readonly isConnected: () => boolean;
  readonly stop: () => void;
}

type Habits = {
  readonly name: string;
  readonly role: "maker" | "taker";
  readonly about: string;
  readonly features: readonly string[];
  /** The handshake is over: greet. */
  readonly ready: (self: Self) => void;
  readonly line: (self: Self, line: Line, text: string) => void;
  /** Does it answer this PING? */
  readonly answers: (self: Self) => boolean;
  /** Between two of its own actions; 0 for none. */
  readonly everyMs: number;
  readonly act: (self: Self) => void;
  /** What it waited for, by `waiting`, is over. */
  readonly waited: (self: Self) => void;
};

type Self = {
  readonly world: World;
  readonly habits: Habits;
  readonly who: identity.Identity;
  readonly location: string;
  client: Client | undefined;
  stopped: boolean;
  readonly waiting: Timer;
  /** The lowest fee heard in the current round, by maker; only the taker listens to offers. */
  readonly heard: Map<string, bigint>;
  /** How often the taker has filled an offer, by maker. */
  readonly filled: Map<string, number>;
  connections: number;
  /** The nick of the directory. */
  directory: string;
};

/** What today's peers can. */
const modern = [features.ping, features.peerlistFeatures, features.nickAuth];

/** All peers of the demo, connecting now. */
export function populate(world: World): Peer[] {
  return [
    live(world, maker("anna", "sw0reloffer", 1, modern)),
    live(world, maker("bruno", "sw0absoffer", 2, modern)),
    live(world, maker("clara", "sw0reloffer", 3, modern)),
    live(world, maker("old-otto", "sw0reloffer", 4, [])),
    live(world, taker("tina", world.roundMs)),
    live(world, watcher("walt")),
    live(world, sleeper("sleepy-sam")),
  ];
}

function live(world: World, habits: Habits): Peer {
  const location = habits.role === "maker" ? identity.onionAddress() : notServing;
  const self: Self = {
    world, habits, who: identity.create(), location, client: undefined, stopped: false,
    waiting: world.ambient.timer(() => habits.waited(self)),
    heard: new Map(), filled: new Map(), connections: 0, directory: "",
  };
  const timer = world.ambient.timer(() => open(self));
  const { everyMs } = habits;
  const round = everyMs === 0 ? undefined : world.ambient.every(everyMs, () => act(self));
  open(self);
  function open(peer: Self): void {
    enter(peer, () => timer.arm(after(world.ambient.now(), world.roundMs)));
  }
  return {
    name: habits.name,
    role: habits.role,
    nick: self.who.nick,
    about: habits.about,
    isConnected: () => self.client !== undefined,
    stop: () => {
      self.stopped = true;
      timer.disarm();
      self.waiting.disarm();
      round?.();
      self.client?.end();
    },
  };
}

function enter(self: Self, again: () => void): void {
  const { world, habits } = self;
  const back = self.connections > 0;
  self.connections += 1;
  const client = connect({
    address: world.address,
    who: self.who,
    network: world.network,
    location: self.location,
    features: habits.features,
    ready: (proved, directory) => {
      self.client = client;
      self.directory = directory;
      const came = back ? "is back under its nick" : `connected as a ${habits.role}`;
      tell(self, back ? "returned" : "connected", proved ? `${came} and proved its nick` : came);
      habits.ready(self);
    },
    line: (line, text) => habits.line(self, line, text),
    peers: () => {},
    pinged: () => pinged(self),
    closed: (why) => {
      self.client = undefined;
      if (self.stopped) return;
      tell(self, "disconnected", `lost its connection: ${why}`);
      again();
    },
  });
}

function pinged(self: Self): boolean {
  const answers = self.habits.answers(self);
  if (answers) tell(self, "answered", "was asked for a sign of life (PING) and answered (PONG)");
  else tell(self, "ignored", "was asked for a sign of life (PING) and keeps silent");
  return answers;
}

function act(self: Self): void {
  if (self.client !== undefined) self.habits.act(self);
}

function tell(self: Self, kind: string, text: string): void {
  self.world.tell({ kind, peer: self.habits.name, nick: self.who.nick, text });
}

const nothing = (): void => {};

function maker(
  name: string,
  kind: offer.Offer["kind"],
  size: number,
  able: readonly string[],
): Habits {
  const command = offer.encode(offerOf(kind, size));
  const old = able.length === 0;
  return {
    name,
    role: "maker",
    about: old ? "maker of the old kind, cannot answer PING" : "maker, answers PING",
    features: able,
    ready: (self) => {
      self.client?.publish([command]);
      tell(self, "announced", `announced an offer: ${command}`);
    },
    line: (self, line) => {
      for (const said of line.commands) serve(self, line, said, command);
    },
    answers: () => true,
    everyMs: 0,
    act: nothing,
    waited: nothing,
  };
}

function offerOf(kind: offer.Offer["kind"], size: number): offer.Offer {
  const terms = {
    oid: 0, minsizeSat: 100_000n, maxsizeSat: BigInt(size) * 250_000_000n, txfeeSat: 0n,
  };
  const text = `0.000${size}`;
  const cjfee = { text, units: BigInt(size), scale: 4 };
  return offer.isAbsolute(kind)
    ? { kind, ...terms, cjfeeSat: BigInt(size) * 500n }
    : { kind: kind as offer.RelativeKind, ...terms, cjfee };
}

function serve(self: Self, line: Line, said: Command, command: string): void {
  if (said.word === "orderbook") {
    self.client?.tell(line.from, [identity.signed(self.who, command)]);
    // A question from the directory itself is how it probes a maker that cannot answer PING.
    if (line.from !== self.directory) return;
    tell(self, "answered", "was probed with !orderbook and answered with its offer");
  } else if (said.word === "fill") {
    self.client?.tell(line.from, [identity.signed(self.who, `pubkey ${identity.opaque(32)}`)]);
    tell(self, "pubkey", "got !fill and answered with !pubkey");
  }
}

function taker(name: string, roundMs: number): Habits {
  return {
    name,
    role: "taker",
    about: "taker, asks for the order book and fills an offer",
    features: modern,
    ready: nothing,
    line: heard,
    answers: () => true,
    everyMs: roundMs,
    act: (self) => {
      self.heard.clear();
      self.client?.publish(["orderbook"]);
      tell(self, "orderbook", "asked everybody for the order book");
      const { ambient } = self.world;
      self.waiting.arm(after(ambient.now(), Math.ceil(roundMs / listenParts)));
    },
    waited: fill,
  };
}

/** The taker listens to offers for this part of a round. */
const listenParts = 6;
const amountSat = 1_000_000n;

function heard(self: Self, line: Line, text: string): void {
  if (line.to !== self.who.nick) return;
  for (const said of line.commands) {
    if (offer.isOffer(said.word)) offered(self, line.from, said);
    if (said.word === "pubkey") {
      tell(self, "filled", `got !pubkey from ${line.from}: they may begin`);
    }
    if (said.word === "error") refused(self, line.from, text);
  }
}

function offered(self: Self, from: string, said: Command): void {
  const read = offer.parse(said);
  if (!read.ok || read.value.minsizeSat > amountSat || read.value.maxsizeSat < amountSat) return;
  const feeSat = feeOf(read.value);
  const before = self.heard.get(from);
  if (before === undefined || feeSat < before) self.heard.set(from, feeSat);
}

function feeOf(o: offer.Offer): bigint {
  return "cjfee" in o ? amountSat * o.cjfee.units / 10n ** BigInt(o.cjfee.scale) : o.cjfeeSat;
}

/** Of those it has filled least, the cheapest: so the partner changes from round to round. */
function fill(self: Self): void {
  const times = ([nick]: readonly [string, bigint]): number => self.filled.get(nick) ?? 0;
  const [best] = [...self.heard].sort((a, b) => times(a) - times(b) || Number(a[1] - b[1]));
  if (best === undefined || self.client === undefined) return;
  const [maker] = best;
  self.filled.set(maker, times(best) + 1);
  const words = `fill 0 ${amountSat} ${identity.opaque(32)} P${identity.opaque(32)}`;
  self.client.tell(maker, [identity.signed(self.who, words)]);
  tell(self, "fill", `got offers of ${self.heard.size} makers and sent !fill to ${maker}`);
}

function refused(self: Self, from: string, text: string): void {
  const read = signed.read(text, self.who.nick, primitives.sha256);
  if (!read.ok || !signed.verify(read.value, primitives)) return;
  tell(self, "refused", `got !error from ${from}, well signed: ${read.value.data}`);
}

function watcher(name: string): Habits {
  return {
    name,
    role: "taker",
    about: "watcher, only listens",
    features: [features.ping, features.peerlistFeatures],
    ready: (self) => self.client?.askPeers(),
    line: nothing,
    answers: () => true,
    everyMs: 0,
    act: nothing,
    waited: nothing,
  };
}

function sleeper(name: string): Habits {
  return {
    name,
    role: "maker",
    about: "maker that falls silent on purpose",
    features: modern,
    ready: (self) => {
      self.client?.publish([offer.encode(offerOf("sw0reloffer", 5))]);
      tell(self, "silent", "announced an offer and will now say nothing more");
    },
    line: nothing,
    answers: () => false,
    everyMs: 0,
    act: nothing,
    waited: nothing,
  };
}
