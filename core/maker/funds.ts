/**
 * The maker's coins and what it offers of them: the tip, the looks at the wallet, the view, the
 * offers.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Answer, Progress, Unavailable } from "../chain/chain.ts";
import * as tip from "../chain/tip.ts";
import * as directories from "./directories.ts";
import { log, say, unixMsAt, type Maker, type Turn } from "./node.ts";
import * as offermath from "./offermath.ts";
import * as offers from "./offers.ts";
import * as rescan from "./rescan.ts";
import * as wallet from "./wallet.ts";
import * as words from "./words.ts";

/** The backend's name in notices. */
const nameOf = (d: Maker): string => d.chain?.kind ?? "the backend";

/** Something for the watch over the tip. */
export function tipped(d: Maker, event: tip.Event, t: Turn): void {
  const wishes: tip.Effect[] = [];
  tip.step(d.tip, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "ask": {
        const asker = { who: "tip", token: wish.token } as const;
        t.todo.push({ do: "ask", asker, question: wish.question });
        break;
      }
      case "found":
        log(d, "info", "maker.tip-found", { height: wish.tip.height }, t);
        break;
      case "advanced":
        log(d, "debug", "maker.tip-advanced", { height: wish.tip.height }, t);
        looked(d, { type: "active" }, t);
        break;
      case "reorganised":
        log(d, "warn", "maker.tip-reorganised", {
          height: wish.tip.height, from: wish.from.height,
        }, t);
        looked(d, { type: "asked" }, t);
        break;
      case "failed": failed(d, "tip", wish.answer, t); break;
      case "answered": case "fresh":
        if (tip.isFresh(d.tip)) seen(d, t);
        break;
      case "stale": {
        const text = wish.why === "silent" ? "the backend has not answered for too long"
          : "the newest block is old: the backend may be cut off";
        viewed(d, {
          type: "failed", part: "tip", reason: "stale", fault: { code: `tip-${wish.why}`, text },
        }, t);
        break;
      }
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

/** The tip is well; if it was not, the coins are looked at before anything is offered of them. */
function seen(d: Maker, t: Turn): void {
  const wasTroubled = d.wallet.parts.tip.trouble !== undefined;
  const wasReliable = wallet.isReliable(d.wallet);
  viewed(d, { type: "seen", part: "tip" }, t);
  const isBack = !wasReliable && wallet.isReliable(d.wallet);
  if (wasTroubled || isBack) looked(d, { type: "asked" }, t);
}

function failed(d: Maker, part: wallet.Part, { reason, fault }: Unavailable, t: Turn): void {
  viewed(d, { type: "failed", part, reason, fault }, t);
}

/** Something for the looks at the wallet. */
export function looked(d: Maker, event: rescan.Event, t: Turn): void {
  const wishes: rescan.Effect[] = [];
  rescan.step(d.rescan, event, t.now, wishes);
  for (const wish of wishes) translate(d, wish, t);
}

function translate(d: Maker, wish: rescan.Effect, t: Turn): void {
  switch (wish.type) {
    case "ask": {
      const asker = { who: "rescan", token: wish.token } as const;
      return void t.todo.push({ do: "ask", asker, question: wish.question });
    }
    case "drop": {
      const asker = { who: "rescan", token: wish.token } as const;
      return void t.todo.push({ do: "drop", asker });
    }
    case "listed": {
      const { coins, tip: at, foreign } = wish;
      d.progress = undefined;
      log(d, "debug", "maker.coins-listed", { coins: coins.length, height: at.height, foreign }, t);
      viewed(d, { type: "listed", coins, tip: at }, t);
      return offerable(d, t);
    }
    case "failed": {
      const { reason, fault, failures, retryMs } = wish;
      d.progress = undefined;
      log(d, failures > 1 ? "debug" : "warn", "maker.rescan-failed",
        { reason, fault: fault.text, failures, retryMs }, t);
      return viewed(d, { type: "failed", part: "coins", reason, fault }, t);
    }
    case "waiting": {
      const { reason, fault } = wish;
      log(d, "info", "maker.rescan-waiting", { reason, fault: fault.text }, t);
      return viewed(d, { type: "failed", part: "coins", reason, fault }, t);
    }
    case "progress": return progressed(d, wish.progress, t);
    case "searched": {
      const { fromHeight, toHeight } = wish;
      return log(d, "info", "maker.rescan-searched", { fromHeight, toHeight }, t);
    }
    case "slow": return log(d, "warn", "maker.rescan-slow", { phase: wish.phase }, t);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function progressed(d: Maker, progress: Progress, t: Turn): void {
  const { permille, atHeight } = progress;
  d.progress = progress;
  const fields = { permille, ...(atHeight === undefined ? {} : { atHeight }) };
  log(d, "info", "maker.rescan-progress", fields, t);
}

/** The first look at the coins ends no outage: nobody was told of one. */
function backendUp(d: Maker, downMs: number, t: Turn): void {
  if (!d.isBackendMissed) return;
  d.isBackendMissed = false;
  t.todo.push({ do: "notice", notice: { kind: "backend-up", backend: nameOf(d), downMs } });
}

/** Something for the view of the coins. */
export function viewed(d: Maker, event: wallet.Event, t: Turn): void {
  const wishes: wallet.Effect[] = [];
  wallet.step(d.wallet, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "changed": {
        const notice = { kind: "coins-changed", ...holdings(d) } as const;
        t.todo.push({ do: "notice", notice });
        break;
      }
      case "up":
        log(d, "info", "maker.backend-up", { downMs: wish.downMs }, t);
        backendUp(d, wish.downMs, t);
        break;
      case "down": {
        const { reason, fault: { text: why } } = wish.trouble;
        log(d, "error", "maker.backend-down", { reason, why }, t);
        d.isBackendMissed = true;
        t.todo.push({ do: "notice", notice: { kind: "backend-down", backend: nameOf(d), why } });
        break;
      }
      case "aged": log(d, "warn", "maker.coins-aged", {}, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
  reckon(d, t);
}

/** Tells the offers whether they may stand on the view, whatever has changed that. */
function reckon(d: Maker, t: Turn): void {
  const isUp = wallet.isReliable(d.wallet);
  if (isUp === d.isBackendUp) return;
  d.isBackendUp = isUp;
  offered(d, { type: "backend", isUp }, t);
}

/** What could be offered, all mixdepths together. */
export function holdings(d: Maker): { readonly balanceSat: bigint; readonly coins: number } {
  const coins = wallet.spendable(d.wallet);
  return { balanceSat: coins.reduce((sum, one) => sum + one.valueSat, 0n), coins: coins.length };
}

/** What can be offered of the coins, as they were just seen. */
function offerable(d: Maker, t: Turn): void {
  const balances = offermath.balances(wallet.spendable(d.wallet), d.config.coins);
  const type = wallet.isReliable(d.wallet) ? "coins" : "glimpsed";
  offered(d, { type, balances }, t);
}

/** Something for the offers. */
export function offered(d: Maker, event: offers.Event, t: Turn): void {
  const wishes: offers.Effect[] = [];
  offers.step(d.offers, event, t.now, wishes);
  for (const wish of wishes) {
    switch (wish.type) {
      case "announce": {
        const { version, lines: change } = wish;
        const current = offers.publicLines(d.offers);
        directories.tell(d, { type: "offered", offers: { version, change, current } }, t);
        told(d, t);
        break;
      }
      case "log": say(d, wish, t); break;
      default: unreachable(wish); /* c8 ignore next */
    }
  }
}

function told(d: Maker, t: Turn): void {
  const all = offers.current(d.offers);
  let [minSat, maxSat] = [0n, 0n];
  for (const one of all) {
    if (minSat === 0n || one.minsizeSat < minSat) minSat = one.minsizeSat;
    if (one.maxsizeSat > maxSat) maxSat = one.maxsizeSat;
  }
  const block = offers.blockOf(d.offers);
  const none = all.length === 0 ? "no coins suffice" : "";
  const why = block === undefined ? none : words.blocked(block).why;
  const notice = { kind: "offers-changed", offers: all.length, minSat, maxSat, why } as const;
  t.todo.push({ do: "notice", notice });
}

/** An answer of the chain for the tip's watch or the looks at the wallet. */
export function answered(
  d: Maker, who: "tip" | "rescan", token: number, answer: Answer, t: Turn,
): void {
  if (who === "tip") return tipped(d, { type: "answered", token, answer }, t);
  looked(d, { type: "answered", token, answer }, t);
}

/** The daemon runs: the tip is watched, and the coins are looked at, if there is a backend. */
export function started(d: Maker, t: Turn): void {
  if (d.chain === undefined) return;
  tipped(d, { type: "started", unixMs: unixMsAt(d, t.now) }, t);
  looked(d, { type: "started" }, t);
}
