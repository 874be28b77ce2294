/**
 * What is planned for each VTXO: when it expires, how far it has come, what is done next and when,
 * and what stands in the way. For an operator to read.
 *
 * Rule 1: a plain value, and JSON: amounts are satoshis in decimal text, spans are milliseconds,
 * and what is not known or does not apply is `null`. Making it changes nothing.
 * Rule 2: spans are at worst: as if blocks came every `fastMs` (`height.ts`).
 * Rule 3: what expires first comes first; at most `rowsMax` rows, the others are counted.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { count, exactly, grouped, line, span, words } from "../notify/format.ts";
import { NEVER, type Mono } from "../time.ts";
import { byExpiry, heightOf, isAtLeast, reaches, type Coin, type Stage } from "./expiry.ts";
import { sight, type Guardian, type Sight } from "./guardian.ts";
import { isSaid } from "./height.ts";
import * as refresh from "./refresh.ts";
import * as shepherd from "./shepherd.ts";
import type { Exit, VtxoState } from "./wallet.ts";

/** `operator`: nothing, unless the operator does it. */
export type Next = "refresh" | "exit" | "exit-progress" | "claim" | "operator" | "nothing";

export type Row = {
  readonly vtxo: string; readonly amountSat: string; readonly state: VtxoState;
  readonly stage: Stage;
  readonly expiryHeight: number;
  /** From this height on an exit is due. */
  readonly exitHeight: number;
  readonly blocksLeft: number | null; readonly leftMs: number | null;
  readonly next: Next;
  /** When, as a height where there is one, and from now, at worst; 0: at once. */
  readonly nextHeight: number | null; readonly nextMs: number | null;
  /** Why not now; a word of a closed list. */
  readonly blocked: string | null;
  /** Why no exit begins, from `exit-now` on. */
  readonly exitBlocked: string | null;
  /** The open intent that it is in. */
  readonly intent: number | null;
  readonly exit: Exit["state"] | null;
  readonly failures: number;
};

export type Plan = {
  readonly schema: 1;
  readonly wallet: string;
  readonly tip: {
    readonly height: number | null;
    /** Is it counted on by clock, and may it bear an exit? */
    readonly isEstimate: boolean; readonly isProven: boolean;
    readonly saidHeight: number | null; readonly saidMs: number | null;
    /** A height that is not believed yet. */
    readonly doubted: number | null;
  };
  readonly seenMs: number | null;
  readonly isFresh: boolean;
  /** What exits of so many VTXOs would cost together: of what is due, and what is under way. */
  readonly fee: {
    readonly isFundable: boolean; readonly feeSat: string; readonly count: number;
  } | null;
  readonly intents: readonly {
    readonly id: number; readonly aim: string; readonly phase: string; readonly vtxos: number;
    readonly unixMs: number; readonly isSent: boolean; readonly failures: number;
  }[];
  readonly rows: readonly Row[];
  readonly more: number;
};

/** The plan at `now`. */
export function plan(m: Guardian, now: Mono, rowsMax = 1_000): Plan {
  assert(rowsMax >= 0, "a count");
  const s = sight(m, now);
  const { latest, doubt } = m.expiry.height;
  const { fee } = m.shepherd.funds;
  const coins = [...m.expiry.coins.values()].toSorted((a, b) => byExpiry(a.vtxo, b.vtxo));
  return {
    schema: 1, wallet: m.config.expiry.wallet,
    tip: {
      height: s.tip ?? null, isProven: s.isProven,
      isEstimate: latest !== undefined && !isSaid(m.expiry.height, now),
      saidHeight: latest?.height ?? null,
      saidMs: latest === undefined ? null : now - latest.at + latest.agoMs,
      doubted: doubt?.height ?? null,
    },
    seenMs: m.vtxosFrom === undefined ? null : now - m.vtxosFrom, isFresh: s.isFresh,
    fee: fee === undefined ? null : { ...fee, feeSat: `${fee.feeSat}` },
    intents: intentsOf(m),
    rows: coins.slice(0, rowsMax).map((coin) => rowOf(m, s, coin, now)),
    more: (coins.length > rowsMax ? coins.length - rowsMax : 0) + m.expiry.dropped,
  };
}

function intentsOf(m: Guardian): Plan["intents"] {
  return [...m.drive.book.open.values()].map(({ id, aim, vtxos, unixMs, isSent }) => {
    const held = m.drive.held.get(id);
    return {
      id, aim, phase: held?.phase.is ?? "recorded", vtxos: vtxos.length, unixMs, isSent,
      failures: held?.failures ?? 0,
    };
  });
}

function rowOf(m: Guardian, s: Sight, coin: Coin, now: Mono): Row {
  const { vtxo, stage, failures } = coin;
  const { id, expiryHeight, amountSat, state } = vtxo;
  const left = s.tip === undefined ? null : expiryHeight - s.tip;
  const isLast = isAtLeast(coin, "exit-now") && !refresh.isLeaving(s, coin);
  return {
    vtxo: id, amountSat: `${amountSat}`, state, stage, expiryHeight,
    exitHeight: heightOf(m.config.expiry, vtxo, "exit-now"),
    blocksLeft: left === null || left > 0 ? left : 0, leftMs: untilHeight(m, expiryHeight, now),
    ...nextOf(m, s, coin, now),
    exitBlocked: isLast ? exitBlockOf(m, s, coin) ?? null : null,
    intent: m.drive.book.byVtxo.get(id) ?? null, exit: s.exits.get(id)?.state ?? null, failures,
  };
}

type What = Pick<Row, "next" | "nextHeight" | "nextMs" | "blocked">;

function what(
  next: Next, nextHeight: number | null, nextMs: number | null, blocked: string | undefined,
): What {
  return { next, nextHeight, nextMs, blocked: blocked ?? null };
}

function nextOf(m: Guardian, s: Sight, coin: Coin, now: Mono): What {
  const { vtxo } = coin;
  const exit = s.exits.get(vtxo.id);
  if (exit !== undefined && refresh.isLeaving(s, coin)) return exitOf(m, exit, now);
  if (vtxo.state === "exited") return what("exit-progress", null, null, undefined);
  const intent = m.drive.book.byVtxo.get(vtxo.id);
  const aim = intent === undefined ? undefined : m.drive.book.open.get(intent)?.aim;
  if (aim !== undefined) return what(aim, null, 0, undefined);
  if (isAtLeast(coin, "exit-now") && exitBlockOf(m, s, coin) === undefined) {
    return what("exit", null, gapMs(m.shepherd.openAt, now), s.isFresh ? undefined : "blind");
  }
  if (refresh.isOver(s, coin)) {
    return what("operator", null, null, exitBlockOf(m, s, coin));
  }
  const blocked = refresh.blockOf(m.refresh, m.drive, s, m.shepherd.leaving, coin);
  if (!refresh.isMust(coin, s)) {
    const due = heightOf(m.config.expiry, vtxo, "due");
    const isLater = blocked === "blind" || blocked === "rejected";
    return what("refresh", due, untilHeight(m, due, now), isLater ? undefined : blocked);
  }
  if (blocked === "rejected") {
    const until = refresh.restsUntil(m.refresh, vtxo.id);
    return what("refresh", null, until > now ? until - now : 0, blocked);
  }
  return what("refresh", null, gapMs(m.refresh.openAt, now), blocked);
}

function exitBlockOf(m: Guardian, s: Sight, coin: Coin): string | undefined {
  const why = shepherd.blockOf(m.shepherd, s, coin);
  if (why !== undefined) return why;
  if (s.isStrange) return s.isElsewhere ? "another-network" : "another-wallet";
  return s.isProven ? shepherd.heldBy(m.drive, coin.vtxo.id) : "height-unproven";
}

function exitOf(m: Guardian, { vtxo, state, claimableHeight }: Exit, now: Mono): What {
  switch (state) {
    case "claimable":
      return what("claim", null, 0, shepherd.claimBlockOf(m.shepherd, vtxo));
    case "claimed": case "already-spent": return what("nothing", null, null, undefined);
    case "start": case "processing": case "awaiting-delta": case "claim-in-progress":
    case "canceled": case "unknown": {
      if (claimableHeight === undefined) return what("exit-progress", null, null, undefined);
      const untilMs = untilHeight(m, claimableHeight, now);
      return what("exit-progress", claimableHeight, untilMs, undefined);
    }
    default: return unreachable(state); /* c8 ignore next */
  }
}

function untilHeight(m: Guardian, height: number, now: Mono): number | null {
  const at = reaches(m.expiry, height);
  if (at === NEVER) return null;
  return at > now ? at - now : 0;
}

function gapMs(openAt: Mono, now: Mono): number {
  return openAt === NEVER || openAt <= now ? 0 : openAt - now;
}

/** The plan as lines of text, for a terminal: a head, then a line or two for each VTXO. */
export function lines(p: Plan): string[] {
  const out = [line(`Wallet ${p.wallet === "" ? "(unnamed)" : p.wallet}: ${tipText(p.tip)}`, 300)];
  if (!p.isFresh) out.push("The wallet does not answer just now: nothing is begun until it does.");
  if (p.fee !== null && !p.fee.isFundable) {
    out.push(unpaidText(p.fee));
  }
  for (const { id, aim, phase, vtxos } of p.intents) {
    out.push(`Intent ${id}: ${aim} of ${count(vtxos, "VTXO")}, ${words(phase)}.`);
  }
  if (p.rows.length === 0) out.push("No VTXO is known.");
  for (const row of p.rows) out.push(...rowText(row));
  if (p.more > 0) out.push(`... and ${grouped(p.more)} more.`);
  return out;
}

function unpaidText({ count: vtxos, feeSat }: NonNullable<Plan["fee"]>): string {
  const cost = `${exactly(BigInt(feeSat))} in fees`;
  return vtxos === 1 ? `The exit of one VTXO could not be paid: it takes ${cost}.`
    : `Exits of ${count(vtxos, "VTXO")} could not all be paid: together they take ${cost}.`;
}

function tipText(tip: Plan["tip"]): string {
  if (tip.height === null) return "no height is known.";
  const how = tip.isEstimate ? `about ${grouped(tip.height)} at worst` : grouped(tip.height);
  const said = tip.isEstimate && tip.saidHeight !== null && tip.saidMs !== null
    ? `; ${grouped(tip.saidHeight)} was said ${span(tip.saidMs)} ago` : "";
  const doubted = tip.doubted === null ? "" : `; ${grouped(tip.doubted)} is in doubt`;
  return `height ${how}${said}${doubted}${tip.isProven ? "" : "; not proven yet"}.`;
}

function rowText(row: Row): string[] {
  const { blocksLeft, leftMs, stage } = row;
  const left = stage === "expired" ? "expired"
    : blocksLeft === null ? `expires at ${grouped(row.expiryHeight)}`
    : `expires at ${grouped(row.expiryHeight)}, ${count(blocksLeft, "block")}`
      + (leftMs === null ? "" : `, at least ${span(leftMs)}`);
  const amount = exactly(BigInt(row.amountSat));
  const head = `${line(row.vtxo, 100)}  ${amount}  ${words(stage)}  ${left}`;
  const out = [head, `  next: ${nextText(row)}`];
  if (row.exitBlocked !== null) out.push(`  no exit: ${words(row.exitBlocked)}`);
  return out;
}

function nextText({ next, nextHeight, nextMs, blocked, intent }: Row): string {
  const at = nextHeight === null ? "" : ` at height ${grouped(nextHeight)}`;
  const when = nextMs === null ? "" : nextMs === 0 ? " now" : ` in ${span(nextMs)}`;
  const under = intent === null ? "" : ` (intent ${intent} is under way)`;
  const why = blocked === null ? "" : `; in the way: ${words(blocked)}`;
  return `${words(next)}${at}${intent === null ? when : ""}${under}${why}`;
}
