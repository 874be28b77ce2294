/**
 * What exits would cost, and which of them the wallet can pay.
 *
 * Rule 1: a question names what is under way first: its money is spoken for, and an exit that is
 * paid by half saves nothing.
 * Rule 2: if all together cannot be paid, it is asked which can: what is under way at once, or
 * where that cannot be paid one after the other; then what is to leave, one after the other in the
 * order given; each beside those before it that could be. What could not be is passed over: one
 * that is dear keeps none back that is cheap, also if it is under way. Is more under way than one
 * question holds, nothing is begun beside it.
 * Rule 3: it is asked by the hour; more often while all cannot be paid, and after each block: coins
 * that are sent to the wallet count when they stand in one.
 * Rule 4: no answer is no news. Of what nobody knows nothing is in the way of an exit.
 * Not known here: which VTXOs are to leave, and in which order (`shepherd.ts`).
 * @module
 */
import { assert } from "../assert.ts";
import type { ArkNotice } from "../notify/ark.ts";
import { after, mono, NEVER, type Mono } from "../time.ts";
import type { Drive } from "./drive.ts";
import type { Sight } from "./guardian-events.ts";
import { isText } from "./intents.ts";
import type { Op } from "./wallet.ts";

export type Config = {
  /** Costs are asked for so often, in ms. 3,600,000. */
  readonly feeMs: number;
  /** And while the wallet cannot pay them. 300,000. */
  readonly feeShortMs: number;
  /** Then a block lets it be asked at once, but so long after the last time, in ms. 60,000. */
  readonly feeGapMs: number;
};

export const defaults: Config = { feeMs: 3_600_000, feeShortMs: 300_000, feeGapMs: 60_000 };

/** What exits of `count` VTXOs would cost together. */
export type Fee = {
  readonly isFundable: boolean; readonly feeSat: bigint; readonly count: number;
};

/** Rule 2, under way. */
type Trial = {
  /** No question names more. */
  readonly max: number;
  readonly spoken: readonly string[];
  /** What can be paid, and is asked about with each. */
  readonly sure: string[];
  /** Of these the last question was. */
  at: readonly string[];
  readonly rest: (readonly string[])[];
};

export type Funds = {
  /** What the wallet said of all together; `undefined`: not asked, or not answered. */
  fee: Fee | undefined;
  /** When it was asked last, at which height, and about what; `NEVER`: not yet. */
  askedAt: Mono;
  height: number | undefined;
  asked: readonly string[];
  isTold: boolean;
  trial: Trial | undefined;
  /** What can be paid although not all can. */
  payable: ReadonlySet<string>;
};

/** Nothing was asked. Asserts the ranges of `config`. */
export function create({ feeMs, feeShortMs, feeGapMs }: Config): Funds {
  for (const ms of [feeMs, feeShortMs, feeGapMs]) {
    assert(Number.isSafeInteger(ms) && ms >= 1, "a time is a whole number of milliseconds");
  }
  return {
    fee: undefined, askedAt: NEVER, height: undefined, asked: [], isTold: false, trial: undefined,
    payable: new Set(),
  };
}

/** Is it time to ask, at this height? */
export function isDue(f: Funds, c: Config, height: number | undefined, now: Mono): boolean {
  return now >= from(f, c, height);
}

function from({ askedAt: at, height: old, isTold }: Funds, c: Config, height?: number): Mono {
  if (at === NEVER) return mono(0);
  if (!isTold) return after(at, c.feeMs);
  return after(at, height === old ? c.feeShortMs : c.feeGapMs);
}

/** Asks about these together. */
export function ask(
  f: Funds, vtxos: readonly string[], height: number | undefined, now: Mono,
): readonly Op[] {
  f.askedAt = now;
  f.height = height;
  f.asked = vtxos;
  f.trial = undefined;
  return [{ op: "exit-fee", vtxos }];
}

/** What the wallet said; nothing, if it did not say. */
export type Said = { readonly isFundable: boolean; readonly feeSat: bigint } | undefined;

export type News = Extract<ArkNotice["kind"], "ark-exit-unfundable" | "ark-exit-fundable">;

/** What exits are about, in the order in which they are to be paid. */
export type Exits = {
  /** Under way. */
  readonly spoken: readonly string[];
  /** To leave. */
  readonly wanted: readonly string[];
  /** A question names no more than so many. */
  readonly max: number;
};

/** Takes an answer, and says what is to be told of it. Not all can be paid: rule 2 (`next`). */
export function heard(f: Funds, said: Said, { spoken, wanted, max }: Exits): News | undefined {
  const { trial } = f;
  if (trial !== undefined) {
    if (said === undefined) trial.rest.length = 0;
    else if (said.isFundable) trial.sure.push(...trial.at);
    else split(trial);
    return undefined;
  }
  f.fee = said === undefined ? undefined : { ...said, count: f.asked.length };
  f.payable = new Set();
  if (said === undefined) return undefined;
  if (!said.isFundable) {
    const rest = spoken.length > max ? [] : wanted.slice(0, max).map((id) => [id]);
    if (rest.length > 0 && spoken.length > 0) rest.unshift([...spoken]);
    f.trial = { max, spoken, sure: [], at: [], rest };
  }
  if (said.isFundable === !f.isTold) return undefined;
  f.isTold = !said.isFundable;
  return f.isTold ? "ark-exit-unfundable" : "ark-exit-fundable";
}

/** They cannot be paid together. */
function split({ at, rest }: Trial): void {
  if (at.length > 1) rest.unshift(...at.map((id) => [id]));
}

/** The next question of rule 2; empty: there is none (more), and what can be paid is known. */
export function next(f: Funds): readonly Op[] {
  const { trial } = f;
  if (trial === undefined) return [];
  for (;;) {
    const at = trial.rest.shift();
    if (at === undefined) break;
    trial.at = at;
    const vtxos = [...trial.sure, ...at];
    // What has no room beside the others waits.
    if (vtxos.length > trial.max) continue;
    const isAll = vtxos.length === f.asked.length && vtxos.every((id) => f.asked.includes(id));
    if (!isAll) return [{ op: "exit-fee", vtxos }];
    // That was answered.
    split(trial);
  }
  f.payable = new Set([...trial.spoken, ...trial.sure]);
  f.trial = undefined;
  return [];
}

/** Is it known that this one cannot be paid? */
export function isShort(f: Funds, vtxo: string): boolean {
  return f.fee?.isFundable === false && !f.payable.has(vtxo);
}

/**
 * What exits that are begun, or may be as far as anybody knows, still have to pay for; what expires
 * first before the rest.
 */
export function underWay(d: Drive, s: Sight): readonly string[] {
  const found = new Set<string>();
  for (const { vtxo, state } of s.exits.values()) {
    const isPaying = state === "start" || state === "processing";
    if (isPaying && isText(vtxo) && s.coins.get(vtxo)?.vtxo.state !== "spent") found.add(vtxo);
  }
  for (const { id, isAsked } of d.held.values()) {
    const intent = d.book.open.get(id);
    if (!isAsked || intent?.aim !== "exit") continue;
    for (const vtxo of intent.vtxos) {
      if (!s.exits.has(vtxo) && s.coins.has(vtxo)) found.add(vtxo);
    }
  }
  const at = (id: string): number => s.coins.get(id)?.vtxo.expiryHeight ?? Infinity;
  return [...found].toSorted((a, b) => {
    const [one, other] = [at(a), at(b)];
    return one < other || (one === other && a < b) ? -1 : 1;
  });
}
