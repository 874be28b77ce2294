/**
 * The stand-in Ark server: who owns which VTXO, and what it was asked to refresh.
 *
 * Rule 1: this is the truth about coins; a wallet's own books (`wallet.ts`) may lag behind it and
 * are compared with it (`audit.ts`).
 * Rule 2: a VTXO goes one way: live, then forfeited, exited or swept. An input of a refresh stays
 * live until its owner fetches what the round issued.
 * Rule 3: a refusal names the VTXOs that are the reason.
 *
 * Time and rounds are in `rounds.ts`, messages in `mailbox.ts`.
 * @module
 */
import { assert } from "../../core/assert.ts";
import type { RoundEvent } from "../../core/ark/wallet.ts";
import type { Key } from "../../core/prng.ts";
import { heightOf, placeOf, submit, type Chain } from "./chain.ts";
import * as mailboxes from "./mailbox.ts";
import type { Kind, Mailbox } from "./mailbox.ts";
import { hashOf, pubkeyOf } from "./marks.ts";

export type Config = {
  readonly network: string;
  /** From one round's beginning to the next; a submit and a sign phase fit into it. In ms. */
  readonly roundMs: number;
  readonly submitMs: number;
  readonly signMs: number;
  /** Tries of one round before it is given up; at least 1. */
  readonly attemptsMax: number;
  readonly lifetimeBlocks: number;
  readonly exitDeltaBlocks: number;
  readonly maxExitDepth: number;
  /** Transactions of an exit out of a round. */
  readonly treeDepth: number;
  readonly boardConfirmations: number;
  /** A refresh costs so much, and so many millionths of its amount. */
  readonly refreshFeeSat: bigint;
  readonly refreshPpm: bigint;
  /** Smaller inputs are refused by name; smaller outputs are none. */
  readonly inputFloorSat: bigint;
  readonly dustSat: bigint;
  /** Blocks after its expiry at which the server takes a VTXO. */
  readonly sweepBlocks: number;
  /** A VTXO that waits for a round is refused by name; the real one was seen to take it twice. */
  readonly refusesDoubles: boolean;
  /** Hazard H36. */
  readonly truncates: boolean;
  readonly versionMin: number;
  readonly versionMax: number;
};

/** As on a small mainnet server, with rounds every hour. */
export const defaults: Config = {
  network: "regtest", roundMs: 3_600_000, submitMs: 2_000, signMs: 2_000, attemptsMax: 3,
  lifetimeBlocks: 4_320, exitDeltaBlocks: 12, maxExitDepth: 5, treeDepth: 3, boardConfirmations: 3,
  refreshFeeSat: 100n, refreshPpm: 1_000n, inputFloorSat: 0n, dustSat: 330n, sweepBlocks: 0,
  refusesDoubles: false, truncates: false, versionMin: 4, versionMax: 5,
};

export type Fate = "live" | "forfeited" | "exited" | "swept";

export type Coin = {
  readonly id: string;
  readonly owner: string;
  readonly amountSat: bigint;
  readonly expiryHeight: number;
  readonly exitDepth: number;
  readonly anchor: string;
  readonly serverPubkey: string;
  fate: Fate;
};

/** `gone`: the server knows nothing of it any more. */
export type Status = "pending" | "issued" | "released" | "gone";

export type Participation = {
  readonly id: string;
  readonly owner: string;
  readonly inputs: readonly string[];
  readonly outputSat: bigint;
  readonly isDelegated: boolean;
  /** Not before the tip is here. */
  readonly fromHeight: number;
  /** An interactive owner followed the proposal. */
  isSigned: boolean;
  status: Status;
  txid: string | undefined;
  output: string | undefined;
};

export type Round =
  | { readonly phase: "idle"; readonly dueMs: number }
  | { readonly phase: "attempt" | "proposal"; readonly dueMs: number; readonly attempt: number };

export type Server = {
  readonly config: Config;
  readonly key: Key;
  /** Counts changes of its key. */
  generation: number;
  readonly coins: Map<string, Coin>;
  /** Coins that may still be swept, which is what each block looks at. */
  readonly live: Set<string>;
  readonly participations: Map<string, Participation>;
  /** Those that wait for a round or for their owner. */
  readonly open: Set<Participation>;
  readonly mailboxes: Map<string, Mailbox>;
  /** Refused whatever happens. */
  readonly refused: Set<string>;
  round: Round;
  /** When the last round began. */
  beganMs: number;
  seq: number;
  /** Who takes part in the round under way. */
  joined: string[];
  last: RoundEvent | undefined;
  minted: number;
};

/** Asserts the relations of `config`. The first round begins after one interval. */
export function create(config: Config, key: Key, nowMs: number): Server {
  assert(config.submitMs >= 1 && config.signMs >= 1, "phases that take no time");
  const longestMs = config.attemptsMax * (config.submitMs + config.signMs);
  assert(config.roundMs > longestMs, "a round ends before the next one begins");
  assert(config.attemptsMax >= 1, "a round without a try");
  assert(config.lifetimeBlocks >= 1 && config.exitDeltaBlocks >= 1, "blocks");
  assert(config.treeDepth >= 1, "an exit has a transaction");
  return {
    config, key, generation: 0, coins: new Map(), live: new Set(), participations: new Map(),
    open: new Set(), mailboxes: new Map(), refused: new Set(),
    round: { phase: "idle", dueMs: nowMs + config.roundMs }, beganMs: nowMs,
    // Seconds since an instant of its own, so that it jumps up when the server starts anew.
    seq: Math.floor(nowMs / 1_000) % 1_000_000_000, joined: [], last: undefined, minted: 0,
  };
}

export function pubkey(s: Server): string {
  return pubkeyOf(s.key, "server", s.generation);
}

/** The one that it shows when nothing is wrong. */
export function rightPubkey(s: Server): string {
  return pubkeyOf(s.key, "server", 0);
}

export function mailboxPubkey(s: Server): string {
  return pubkeyOf(s.key, "mailbox", s.generation);
}

export function mailboxOf(s: Server, owner: string): Mailbox {
  let found = s.mailboxes.get(owner);
  if (found === undefined) {
    found = mailboxes.create();
    s.mailboxes.set(owner, found);
  }
  return found;
}

/** Leaves a message for a wallet. */
export function post(
  s: Server, owner: string, kind: Kind, vtxos: readonly string[], nowMs: number, isPoison = false,
): number {
  return mailboxes.post(mailboxOf(s, owner), kind, vtxos, nowMs, isPoison);
}

export type NewCoin = Pick<Coin, "owner" | "amountSat" | "exitDepth" | "expiryHeight"> & {
  /** The transaction on the chain that it hangs on. */
  readonly txid?: string;
};

/** A VTXO comes into being. */
export function mint(s: Server, wanted: NewCoin): Coin {
  const { owner, amountSat, exitDepth, expiryHeight, txid } = wanted;
  assert(amountSat > 0n, "a coin is worth something");
  assert(exitDepth >= 1, "an exit has a transaction");
  s.minted += 1;
  const id = `${hashOf(s.key, "vtxo", s.minted)}:0`;
  const coin: Coin = {
    id, owner, amountSat, exitDepth, expiryHeight, serverPubkey: pubkey(s), fate: "live",
    anchor: `${txid ?? hashOf(s.key, "anchor", s.minted)}:0`,
  };
  s.coins.set(id, coin);
  s.live.add(id);
  return coin;
}

export function feeSat(config: Config, amountSat: bigint): bigint {
  return config.refreshFeeSat + amountSat * config.refreshPpm / 1_000_000n;
}

/** What waits for a round or for its owner, and has this VTXO among its inputs. */
export function holderOf(s: Server, vtxo: string): Participation | undefined {
  for (const one of s.open) if (one.inputs.includes(vtxo)) return one;
  return undefined;
}

export type Asked = {
  readonly owner: string; readonly inputs: readonly string[]; readonly feeSat: bigint;
  readonly isDelegated: boolean; readonly fromHeight: number;
};

export type Taken =
  | { readonly ok: true; readonly participation: Participation }
  | { readonly ok: false; readonly ids: readonly string[]; readonly text: string };

/**
 * Somebody wants VTXOs refreshed. The very same wish, while it is open, is the one that is known
 * already.
 */
export function participate(s: Server, chain: Chain, asked: Asked): Taken {
  const wrong = asked.inputs.filter((id) => !isFit(s, chain, id, asked));
  if (wrong.length > 0) {
    return { ok: false, ids: wrong, text: `input(s) not accepted: ${wrong.join(", ")}` };
  }
  const same = openLike(s, asked);
  if (same !== undefined) return { ok: true, participation: same };
  const total = asked.inputs.reduce((sum, id) => sum + s.coins.get(id)!.amountSat, 0n);
  const outputSat = total - asked.feeSat;
  if (outputSat < s.config.dustSat || asked.feeSat < feeSat(s.config, total)) {
    return { ok: false, ids: [], text: "the output is below dust or the fee is too low" };
  }
  s.minted += 1;
  const participation: Participation = {
    id: hashOf(s.key, "participation", s.minted), owner: asked.owner, inputs: asked.inputs,
    outputSat, isDelegated: asked.isDelegated, fromHeight: asked.fromHeight, isSigned: false,
    status: "pending", txid: undefined, output: undefined,
  };
  s.participations.set(participation.id, participation);
  s.open.add(participation);
  return { ok: true, participation };
}

function openLike(s: Server, { inputs, isDelegated }: Asked): Participation | undefined {
  const held = holderOf(s, inputs[0] ?? "");
  if (held === undefined || held.isDelegated !== isDelegated) return undefined;
  const isSame = held.inputs.length === inputs.length
    && inputs.every((id) => held.inputs.includes(id));
  return isSame ? held : undefined;
}

function isFit(s: Server, chain: Chain, id: string, asked: Asked): boolean {
  const coin = s.coins.get(id);
  if (coin === undefined || coin.owner !== asked.owner || coin.fate !== "live") return false;
  if (s.refused.has(id) || coin.amountSat < s.config.inputFloorSat) return false;
  if (coin.serverPubkey !== pubkey(s) || coin.expiryHeight <= heightOf(chain)) return false;
  if (!s.config.refusesDoubles) return true;
  return holderOf(s, id) === undefined || openLike(s, asked) !== undefined;
}

/** Can this still go into a round? Otherwise the server forgets it. */
export function isReady(s: Server, chain: Chain, one: Participation): boolean {
  return one.inputs.every((id) => {
    const coin = s.coins.get(id)!;
    const isLeaving = placeOf(chain, leafOf(coin)) !== undefined || chain.pool.has(leafOf(coin));
    return coin.fate === "live" && !isLeaving && coin.expiryHeight > heightOf(chain)
      && !isIssued(s, id);
  });
}

function isIssued(s: Server, id: string): boolean {
  for (const one of s.open) {
    if (one.status === "issued" && one.inputs.includes(id)) return true;
  }
  return false;
}

/** The owner gives the inputs and gets the output; false: it is not to be had. */
export function release(s: Server, chain: Chain, id: string): boolean {
  const one = s.participations.get(id);
  if (one?.status !== "issued") return false;
  const coins = one.inputs.map((input) => s.coins.get(input)!);
  const isLate = coins.some((coin) => coin.fate !== "live"
    || placeOf(chain, leafOf(coin)) !== undefined);
  if (isLate) {
    conclude(s, one, "gone");
    return false;
  }
  for (const coin of coins) end(s, coin, "forfeited");
  conclude(s, one, "released");
  return true;
}

/** Nothing more will come of it. */
export function conclude(s: Server, one: Participation, status: "gone" | "released"): void {
  one.status = status;
  s.open.delete(one);
  // What nobody gave anything for stays with the server.
  if (status === "gone" && one.output !== undefined) end(s, s.coins.get(one.output)!, "forfeited");
}

/** A coin goes its way, once. */
export function end(s: Server, coin: Coin, fate: Exclude<Fate, "live">): void {
  coin.fate = fate;
  s.live.delete(coin.id);
}

/** The transactions of an exit, from the tree's root to the coin's own. */
export function exitTxids(coin: Coin): readonly string[] {
  const stem = coin.id.slice(0, 60);
  return Array.from({ length: coin.exitDepth }, (_, at) => (
    `${stem}${(at + 1).toString(16).padStart(4, "0")}`
  ));
}

/** The last one, which puts the coin on the chain. */
export function leafOf(coin: Coin): string {
  return `${coin.id.slice(0, 60)}${coin.exitDepth.toString(16).padStart(4, "0")}`;
}

/** What an exit's last transaction and the server's sweep both want. */
export function leafCoin(coin: Coin): string {
  return `leaf ${coin.id}`;
}

/** After a block: what has left, and what has expired. `isUp`: it can take what has expired. */
export function afterBlock(s: Server, chain: Chain, isUp: boolean): readonly Coin[] {
  const swept: Coin[] = [];
  const tip = heightOf(chain);
  for (const id of [...s.live]) {
    const coin = s.coins.get(id)!;
    if (placeOf(chain, leafOf(coin)) !== undefined) end(s, coin, "exited");
    else if (placeOf(chain, sweepOf(coin)) !== undefined) {
      end(s, coin, "swept");
      swept.push(coin);
    } else if (isUp && coin.expiryHeight + s.config.sweepBlocks <= tip && !isIssued(s, id)) {
      submit(chain, {
        txid: sweepOf(coin), takes: [leafCoin(coin)], needs: [], fromHeight: tip + 1,
        rate: 1_000_000,
      });
    }
  }
  return swept;
}

function sweepOf(coin: Coin): string {
  return `${coin.id.slice(0, 60)}ffff`;
}
