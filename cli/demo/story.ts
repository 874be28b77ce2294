/**
 * What happens on the demo's chain by itself: blocks, payments, and now and then trouble.
 *
 * Rule 1: one thing at each beat, in an order that repeats; so an operator who watches has seen
 * all of it after one round.
 * Rule 2: only the node fails, never the chain: blocks come while nobody can be asked about them.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import { mine, reorg } from "../../sim/chain/blocks.ts";
import { heightOf, tipOf, type Ledger } from "../../sim/chain/ledger.ts";
import { pay } from "../../sim/chain/till.ts";
import { counted } from "../status-text.ts";
import type { ChainServer } from "./chain.ts";
import type { Happening } from "./peers.ts";

export type StoryOptions = {
  readonly ambient: Pick<Ambient, "every">;
  readonly server: ChainServer;
  /** The clock of the chain: Unix time in ms. */
  readonly nowMs: () => number;
  readonly beatMs: number;
  /** Where the maker is paid next. */
  readonly address: () => string;
  /** The maker's name. */
  readonly maker: string;
  readonly tell: (happening: Happening) => void;
};

export interface Story {
  /** Ends it, when what is under way is over. */
  readonly stop: () => Promise<void>;
}

type Beat = "block" | "payment" | "outage" | "return" | "slowness" | "reorganisation";

const beats: readonly Beat[] = [
  "block", "payment", "block", "outage", "block", "return", "payment", "block", "reorganisation",
  "block", "slowness",
];

const paymentsSat: readonly bigint[] = [25_000_000n, 8_000_000n, 61_000_000n];

/** How long the node takes for an answer while it is slow: a part of a beat. */
const slowParts = 4;

type Told = StoryOptions & { at: number; payments: number; underWay: Promise<void> };

/** Begins with a block, one beat from now. */
export function begin(options: StoryOptions): Story {
  const s: Told = { ...options, at: 0, payments: 0, underWay: Promise.resolve() };
  const stop = options.ambient.every(options.beatMs, () => {
    s.underWay = s.underWay.then(() => beat(s));
  });
  return { stop: () => {
    stop();
    return s.underWay;
  } };
}

async function beat(s: Told): Promise<void> {
  const what = beats[s.at % beats.length]!;
  s.at += 1;
  switch (what) {
    case "block": return found(s);
    case "payment": return paid(s);
    case "outage":
      await s.server.halt("bitcoind");
      return tell(s, "halted", "the node is stopped: nobody can ask it anything");
    case "return": return returned(s);
    case "slowness": return slow(s);
    case "reorganisation": return reorganised(s);
  }
}

function tell(s: Told, kind: string, text: string): void {
  s.tell({ kind, peer: "bitcoin", nick: "", text });
}

function found(s: Told): void {
  const { ledger } = s.server.chain;
  mine(ledger, 1, s.nowMs());
  const payments = paymentsAt(ledger);
  const held = payments === 0 ? "" : ` with ${counted(payments, "payment")}`;
  tell(s, "block", `block ${heightOf(ledger)} was found${held}`);
}

/** In the newest block. */
function paymentsAt(ledger: Ledger): number {
  return tipOf(ledger).txs.length - 1;
}

function paid(s: Told): void {
  const amountSat = paymentsSat[s.payments % paymentsSat.length]!;
  s.payments += 1;
  if (pay(s.server.chain.ledger, s.address(), amountSat, s.nowMs()) === undefined) return;
  tell(s, "payment", `somebody pays ${s.maker} ${btc(amountSat)}; it waits for a block`);
}

/** A node that has just been started says so for a while. */
async function returned(s: Told): Promise<void> {
  const fromMs = s.nowMs();
  const untilMs = fromMs + Math.ceil(s.beatMs / 2);
  s.server.suffer([{ face: "bitcoind", fault: { kind: "warm-up" }, fromMs, untilMs }]);
  try {
    await s.server.resume("bitcoind");
  } catch (error) {
    s.at -= 1;
    return tell(s, "halted", `the node does not start: ${(error as Error).message}`);
  }
  tell(s, "started", "the node is started again and verifies its blocks");
}

function slow(s: Told): void {
  const fromMs = s.nowMs();
  const ms = Math.ceil(s.beatMs / slowParts);
  const fault = { kind: "slow", ms } as const;
  s.server.suffer([{ face: "bitcoind", fault, fromMs, untilMs: fromMs + s.beatMs }]);
  tell(s, "slow", `the node is busy: each answer takes ${(ms / 1_000).toFixed(1)} s`);
}

/** Two blocks in place of one; what that one held waits again. */
function reorganised(s: Told): void {
  const { ledger } = s.server.chain;
  const height = heightOf(ledger);
  const payments = paymentsAt(ledger);
  const again = payments === 0 ? "" : `: ${counted(payments, "payment")} must wait again`;
  reorg(ledger, 1, 2, s.nowMs(), { leave: "all" });
  tell(s, "reorganisation", `block ${height} is left behind for two others${again}`);
}

/** Satoshis as people write them. */
export function btc(sat: bigint): string {
  const whole = sat / 100_000_000n;
  const part = (sat % 100_000_000n).toString().padStart(8, "0").replace(/0+$/, "");
  return `${whole}${part === "" ? "" : `.${part}`} BTC`;
}
