/**
 * What is the matter with Ark wallets, in the words of people: for pages, notices and the log.
 *
 * Rule 1: an operator is never shown a name that only this program knows.
 * @module
 */
import { unreachable } from "../assert.ts";
import type { Ordered, PhaseName } from "../history/journal.ts";
import type { StoreFailure } from "../history/store.ts";
import type { Evidence } from "./facts.ts";
import type { Exit } from "./supervisor.ts";

/** Why records do not become durable: what was the matter, and what was being done. */
export function diskTrouble(phase: Ordered, reason: StoreFailure): string {
  return `${reason === "full" ? "no room is left" : "the disk failed"} while ${diskWork(phase)}`;
}

/** What a journal in this phase is about. */
export function diskWork(phase: PhaseName): string {
  switch (phase) {
    case "loading": return "the journal is read";
    case "creating": return "the journal is begun";
    case "cutting": return "the journal is cut back";
    case "settling": return "the journal is made safe";
    case "appending": return "records are written";
    case "syncing": return "records are made safe";
    case "closed": case "idle": case "broken": case "waiting": return "nothing is asked of it";
    default: return unreachable(phase); /* c8 ignore next */
  }
}

/** How a run of a wallet's program came to its end. */
export function exit({ code, signal, failure }: Exit): string {
  switch (failure) {
    case undefined: return code === undefined ? `ended by ${signal}` : `exit code ${code}`;
    case "missing": return "there is no such program";
    case "denied": return "it may not be run";
    case "scarce": return "the system has no room for it";
    case "other": return "it cannot be started";
    default: return unreachable(failure); /* c8 ignore next */
  }
}

/** What a fact rests on. */
export function evidence(of: Evidence): string {
  switch (of) {
    case "none": return "it has not answered yet";
    case "answered": return "it answers";
    case "stream-open": case "stream-news": return "its stream is open";
    case "stream-ended": return "its stream ended";
    case "probe-failed": return "the question whether it is there failed";
    case "aged": return "it was not heard of for too long";
    case "unreachable": return "nobody answers at its address";
    case "timeout": return "no answer in time";
    case "auth": return "the token is refused";
    case "no-wallet": return "the program runs without a wallet";
    case "server-down": return "the wallet does not reach its server";
    case "server-key": return "the server has another key than the wallet knows";
    case "version": return "they have no version of the protocol in common";
    case "network": return "the server is of another network";
    case "chain": return "the chain source fails";
    case "malformed": return "what answers is not what was asked for";
    case "busy": return "too much is under way";
    case "unasked": return "it was not asked";
    case "other": return "it failed for a reason of its own";
    default: return unreachable(of); /* c8 ignore next */
  }
}
