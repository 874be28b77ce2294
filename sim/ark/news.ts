/**
 * News of a wallet for those who wait for them.
 *
 * Rule 1: who names the instant of the last answer gets what came after it; who names none gets
 * all that is remembered. Nothing in time: an empty answer with the same instant.
 * @module
 */
import { done, type Done } from "../../core/ark/wallet.ts";
import { dateOf, instantOf } from "./marks.ts";
import { barkdOf, type Barkd, type News, type Wait, type World } from "./state.ts";
import { newsBody } from "./views.ts";

/** What came after `since`, oldest first; `undefined`: `since` is no instant. */
export function after(b: Barkd, since: string | undefined): readonly News[] | undefined {
  if (since === undefined) return b.news;
  const atMs = instantOf(since);
  return atMs === undefined ? undefined : b.news.filter((one) => one.atMs > atMs);
}

/** What an answer says next time; the same as asked when there was nothing. */
export function lastOf(found: readonly News[], since: string | undefined): string | undefined {
  const last = found.at(-1);
  return last === undefined ? since : dateOf(last.atMs);
}

/** News as the port tells them. */
export function doneOf(found: readonly News[], since: string | undefined): Done {
  const news = found.map(({ kind }) => (
    { kind: kind === "channel-lagging" ? "lagging" as const : "movement" as const }
  ));
  return { op: "notifications", news, last: lastOf(found, since) };
}

/** Somebody waits; its number. `undefined`: too many do. */
export function wait(w: World, b: Barkd, since: string | undefined): Wait | undefined {
  if (w.waits.size >= w.config.waitsMax) return undefined;
  const made: Wait = {
    id: w.nextId, wallet: b.name, untilMs: w.nowMs + w.config.pollMs, sinceMs: w.nowMs, since,
  };
  w.nextId += 1;
  w.waits.set(made.id, made);
  return made;
}

/** When the first of those who wait has waited long enough. */
export function dueMs(w: World): number | undefined {
  for (const { untilMs } of w.waits.values()) return untilMs;
  return undefined;
}

/** Those who waited long enough, or for something, are answered. */
export function settle(w: World): void {
  const untilMs = dueMs(w);
  if (w.newsSeen === w.newsTold && (untilMs === undefined || untilMs > w.nowMs)) return;
  w.newsSeen = w.newsTold;
  for (const one of [...w.waits.values()]) {
    if (one.untilMs > w.nowMs && isIdle(barkdOf(w, one.wallet), one)) continue;
    const found = after(barkdOf(w, one.wallet), one.since) ?? [];
    if (found.length === 0 && one.untilMs > w.nowMs) continue;
    w.waits.delete(one.id);
    const body = newsBody(found, lastOf(found, one.since));
    w.out.push({
      type: "answered", wait: one.id, answer: done(doneOf(found, one.since)),
      reply: { type: "replied", status: 200, body, isHtml: false, afterMs: w.config.localMs },
    });
  }
}

/** Nothing has come since it began to wait, and then there was nothing for it: quickly told. */
function isIdle(b: Barkd, { sinceMs }: Wait): boolean {
  return b.newsAtMs < sinceMs;
}
