/**
 * A wallet as its owner's port: every call of `core/ark/wallet.ts`, answered in the same process.
 *
 * Rule 1: the same wallet and the same faults as behind the REST face, without the detour through
 * text; also what REST has not, so that the source document's own daemon can run on it.
 * Rule 2: what is asked is done at once, and the answer is known `afterMs` later. `waiting`: it
 * comes by `drain`.
 * @module
 */
import {
  done, type Answer, type Done, type Exit as ToldExit, type Op,
} from "../../core/ark/wallet.ts";
import { heldSat, coinOf } from "./books.ts";
import * as exits from "./exits.ts";
import * as faults from "./faults.ts";
import type { BarkdFault } from "./faults.ts";
import { look, nextRound, reach, refreshServer } from "./link.ts";
import * as mail from "./mail.ts";
import * as news from "./news.ts";
import * as refresh from "./refresh.ts";
import { advance } from "./run.ts";
import {
  barkdOf, unavailable, type Barkd, type Exit, type Info, type Said, type Wallet, type World,
} from "./state.ts";
import * as sync from "./sync.ts";
import { claimableHeight, inRoundSat, isAllDone, isConfirmed, sum } from "./views.ts";

export type Called =
  | { readonly type: "answered"; readonly answer: Answer; readonly afterMs: number }
  /** Nobody will ever answer. */
  | { readonly type: "silent" }
  | { readonly type: "waiting"; readonly wait: number };

/** One call to a wallet at `nowMs`. */
export function call(w: World, name: string, op: Op, nowMs: number): Called {
  advance(w, nowMs);
  const b = barkdOf(w, name);
  const found = faults.ofBarkd(w.outages, name, w.nowMs);
  const called = heard(w, b, found, op);
  const isSilent = b.process === "running" && found.some(({ kind }) => kind === "silent");
  if (!isSilent) return called;
  if (called.type === "waiting") w.waits.delete(called.wait);
  return { type: "silent" };
}

function heard(w: World, b: Barkd, found: readonly BarkdFault[], op: Op): Called {
  const slowMs = found.reduce((sumMs, one) => sumMs + (one.kind === "slow" ? one.ms : 0), 0);
  const answered = (told: Said<Done>): Called => ({
    type: "answered", answer: answerOf(told), afterMs: told.afterMs + slowMs,
  });
  const away = awayOf(w, b, found, op);
  if (away !== undefined) return answered(away);
  if (op.op === "notifications" && !hasNews(b, op.since)) return waiting(w, b, op.since);
  const told = toldOf(w, b, op);
  // What was done is done; only the answer is lost. Where nothing is to be said nothing is missing.
  const isLost = found.some(({ kind }) => kind === "empty" || kind === "truncated")
    && op.op !== "sync" && op.op !== "sync-onchain";
  return answered(isLost ? unavailable("malformed", "no answer to this call", told.afterMs) : told);
}

function toldOf(w: World, b: Barkd, op: Op): Said<Done> {
  const { localMs } = w.config;
  switch (op.op) {
    case "alive": return good({ op: "alive" }, localMs);
    case "identity": return good({ op: "identity", fingerprint: b.wallet?.fingerprint }, localMs);
    case "notifications":
      return good(news.doneOf(news.after(b, op.since) ?? [], op.since), localMs);
    case "probe": case "ark-info": case "tip": case "vtxos": case "balance": case "exits":
    case "pending": case "exit-fee": case "sync": case "sync-onchain": case "sync-mailbox":
    case "progress-exits":
    case "refresh": case "exit": case "claim": case "refresh-server": case "fee-rates":
    case "sync-boards": case "sync-offboards": case "sync-rounds": case "sync-exits":
    case "progress-rounds": case "maintain":
      return asked(w, b, b.wallet!, op);
  }
}

function hasNews(b: Barkd, since: string | undefined): boolean {
  return (news.after(b, since) ?? []).length > 0;
}

function waiting(w: World, b: Barkd, since: string | undefined): Called {
  const wait = news.wait(w, b, since);
  if (wait !== undefined) return { type: "waiting", wait: wait.id };
  const answer = answerOf(unavailable("busy", "too many wait", w.config.localMs));
  return { type: "answered", answer, afterMs: w.config.localMs };
}

function awayOf(
  w: World, b: Barkd, found: readonly BarkdFault[], op: Op,
): Said<Done> | undefined {
  const { localMs } = w.config;
  if (b.process !== "running") return unavailable("unreachable", "nobody listens", localMs);
  for (const fault of found) {
    switch (fault.kind) {
      case "refusing": case "restarting": case "closing":
        return unavailable("unreachable", "nobody listens", localMs);
      case "denied":
        if (op.op !== "alive") return unavailable("auth", "another token is wanted", localMs);
        break;
      case "html": {
        const isGateway = fault.status === 502 || fault.status === 504;
        const reason = isGateway ? "unreachable" : "malformed";
        return unavailable(reason, "somebody else answers", localMs);
      }
      case "empty": case "truncated": case "no-wallet": case "slow": case "newer": case "without":
      case "bloated": case "silent":
        break;
    }
  }
  const isWithout = b.wallet === undefined || found.some(({ kind }) => kind === "no-wallet");
  const isOpen = op.op === "alive" || op.op === "identity";
  return isWithout && !isOpen ? unavailable("no-wallet", "no wallet is loaded", localMs)
    : undefined;
}

function good(value: Done, afterMs: number): Said<Done> {
  return { ok: true, value, afterMs };
}

function answerOf(told: Said<Done>): Answer {
  if (told.ok) return done(told.value);
  const { text } = told;
  switch (told.why) {
    case "absent": return { ok: false, why: "absent" };
    case "bad": case "rejected":
      return { ok: false, why: "rejected", fault: { code: "refused", text }, ids: told.ids };
    case "unavailable":
      return {
        ok: false, why: "unavailable", reason: told.reason, fault: { code: told.reason, text },
      };
  }
}

type Asked = Exclude<Op, { op: "alive" | "identity" | "notifications" }>;

function asked(w: World, b: Barkd, wallet: Wallet, op: Asked): Said<Done> {
  const { localMs } = w.config;
  switch (op.op) {
    case "probe":
      return map(nextRound(w, b), (nextRoundUnixMs) => ({ op: "probe", nextRoundUnixMs }));
    case "ark-info":
      return map(b.session === undefined ? reach(w, b) : fine(b.session.info, localMs), (info) => (
        { op: "ark-info", info: infoOf(w, info) }
      ));
    case "tip": return map(look(w, b), ({ height }) => ({ op: "tip", height }));
    case "vtxos": return good({ op: "vtxos", vtxos: vtxosOf(w, wallet) }, localMs);
    case "balance": return good(balanceOf(w, b, wallet), localMs);
    case "exits": {
      const told = b.hasForgottenExits ? [] : [...wallet.exits.values()].map(exitOf);
      return good({ op: "exits", exits: told }, localMs);
    }
    case "pending": {
      const open = wallet.movements.filter(({ status }) => status === "pending");
      return good({ op: "pending", vtxos: open.flatMap(({ inputs }) => inputs) }, localMs);
    }
    case "exit-fee":
      return map(exits.cost(w, wallet, op.vtxos), ({ isFundable, broadcastSat, claimSat, txs }) => (
        { op: "exit-fee", isFundable, feeSat: broadcastSat + claimSat, txs }
      ));
    case "refresh":
      return map(refresh.delegate(w, b, wallet, op.vtxos, 0), (work) => (
        { op: "refresh", roundId: work.id, isConfirmed: isConfirmed(w, work) }
      ));
    case "progress-exits":
      return map(exits.progress(w, b, wallet), (live) => ({
        op: "progress-exits", isDone: isAllDone(live), claimableHeight: claimableHeight(live),
        exits: live.map(exitOf),
      }));
    case "sync-mailbox":
      return map(mail.read(w, b, wallet), (checkpoint) => ({ op: "sync-mailbox", checkpoint }));
    case "sync": return good({ op: "sync" }, sync.all(w, b, wallet));
    case "sync-onchain": case "exit": case "claim": case "refresh-server": case "fee-rates":
    case "sync-boards": case "sync-offboards": case "sync-rounds": case "sync-exits":
    case "progress-rounds": case "maintain":
      return map(worked(w, b, wallet, op), () => ({ op: op.op }));
  }
}

type Worked = Extract<Asked, {
  op: "sync-onchain" | "exit" | "claim" | "refresh-server" | "fee-rates" | "sync-boards"
    | "sync-offboards" | "sync-rounds" | "sync-exits" | "progress-rounds" | "maintain";
}>;

/** What answers nothing but that it is done. */
function worked(w: World, b: Barkd, wallet: Wallet, op: Worked): Said<undefined> {
  switch (op.op) {
    case "sync-onchain": return sync.onchain(w, b, wallet);
    case "exit": return exits.start(w, b, wallet, op.vtxos);
    case "claim": return later(exits.claim(w, b, wallet, op.vtxos, op.destination));
    case "refresh-server": return refreshServer(w, b);
    case "fee-rates": return sync.rates(w, b, wallet);
    case "sync-boards": return sync.boards(w, b, wallet);
    // Nobody leaves the Ark in an orderly way here: there is never one under way.
    case "sync-offboards": return fine(undefined, w.config.localMs);
    case "sync-rounds": return refresh.sync(w, b, wallet);
    case "sync-exits": return exits.check(w, b);
    case "progress-rounds": return refresh.progress(w, b, wallet, op.event);
    case "maintain": return refresh.maintain(w, b, wallet);
  }
}

/** What is not claimable yet may be with the next block: that is no refusal. */
function later(told: Said<undefined>): Said<undefined> {
  const isEarly = !told.ok && told.why === "bad" && told.ids.length > 0;
  return isEarly ? unavailable("other", told.text, told.afterMs) : told;
}

function fine<T>(value: T, afterMs: number): Said<T> {
  return { ok: true, value, afterMs };
}

function map<T>(told: Said<T>, to: (value: T) => Done): Said<Done> {
  return told.ok ? { ok: true, value: to(told.value), afterMs: told.afterMs } : told;
}

function infoOf(w: World, info: Info): Extract<Done, { op: "ark-info" }>["info"] {
  const { config } = w.server;
  return {
    network: info.network, serverPubkey: info.serverPubkey, mailboxPubkey: info.mailboxPubkey,
    roundIntervalS: Math.floor(config.roundMs / 1_000), exitDeltaBlocks: config.exitDeltaBlocks,
    expiryDeltaBlocks: config.lifetimeBlocks, maxExitDepth: config.maxExitDepth,
  };
}

function vtxosOf(w: World, wallet: Wallet): Extract<Done, { op: "vtxos" }>["vtxos"] {
  return [...wallet.vtxos.values()].filter(({ state }) => state !== "spent").map((held) => {
    const { amountSat, expiryHeight, exitDepth } = coinOf(w, held.id);
    const exitDeltaBlocks = w.config.server.exitDeltaBlocks;
    return { id: held.id, amountSat, expiryHeight, exitDeltaBlocks, exitDepth, state: held.state };
  });
}

function balanceOf(w: World, b: Barkd, wallet: Wallet): Done {
  const live = [...wallet.exits.values()].filter((exit) => !exits.isOver(exit));
  const exitSat = b.exitsBusyUntilMs > w.nowMs ? undefined
    : sum(live.map(({ vtxo }) => coinOf(w, vtxo).amountSat));
  const balance = {
    spendableSat: heldSat(w, wallet, ["spendable"]), inRoundSat: inRoundSat(w, wallet),
    lightningSendSat: 0n, lightningReceiveSat: 0n,
    boardSat: sum([...wallet.boards.values()].map(({ amountSat }) => amountSat)), exitSat,
  };
  return { op: "balance", balance };
}

function exitOf({ vtxo, stage }: Exit): ToldExit {
  const claimableHeight = stage.at === "awaiting-delta" ? stage.claimableAt
    : stage.at === "claimable" || stage.at === "claim-in-progress" ? stage.since : undefined;
  return { vtxo, state: stage.at, claimableHeight };
}
