/**
 * The journal of all wallets: who wanted which record, and what everybody learns of the file when
 * it has been read.
 *
 *     {"wallet":"savings","type":"ark-intent",...}
 *
 * Rule 1: a record of a wallet begins with the wallet's name; what follows is the wallet's own. A
 * record of a wallet that is not configured is kept, counted, and told of: it may hold an intent.
 * Rule 2: an intent's record is durable before its call is made: the guard waits for `durable`, and
 * without a journal that takes records there is no refresh, no exit and no claim.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import * as journal from "../history/journal.ts";
import * as record from "../history/record.ts";
import type { StoreEvent } from "../history/store.ts";
import * as letters from "../notify/letter.ts";
import { NEVER } from "../time.ts";
import { isName } from "./config.ts";
import { log, named, unixMsAt, type Ark, type Recorder, type Turn } from "./node.ts";
import * as telling from "./telling.ts";
import * as words from "./words.ts";

/** A body as it stands in the file. Asserts that the name can. */
export function bodyOf(wallet: string, body: string): string {
  assert(isName(wallet), "ledger: a name that needs no escapes");
  assert(body.startsWith("{\""), "ledger: an object");
  return `{"wallet":"${wallet}",${body.slice(1)}`;
}

const shape = /^\{"wallet":"([A-Za-z0-9._-]{1,40})",/;

/** Whose record it is, and what it says; `undefined`: no wallet's. */
export function split(body: string): { readonly wallet: string; readonly body: string }
  | undefined {
  const found = shape.exec(body);
  const wallet = found?.[1];
  if (found === null || wallet === undefined) return undefined;
  return { wallet, body: `{${body.slice(found[0].length)}` };
}

/** Something is to be recorded. */
export function write(d: Ark, recorder: Recorder, t: Turn): void {
  d.counts.records += 1;
  d.records += 1;
  d.recorded.set(d.records, recorder);
  const body = recorder.who === "guardian" ? bodyOf(recorder.wallet, recorder.body)
    : recorder.body;
  tell(d, { type: "asked", token: d.records, body }, t);
}

/** Something for the journal. */
export function tell(d: Ark, event: journal.Event | StoreEvent, t: Turn): void {
  const wishes: journal.Effect[] = [];
  journal.step(d.journal, event, t.now, wishes);
  for (const wish of wishes) translate(d, wish, t);
  // The order that was late may be the first of several for the same records.
  if (!("slowAt" in d.journal.at)) d.isDiskSlow = false;
}

function translate(d: Ark, wish: journal.Effect, t: Turn): void {
  switch (wish.type) {
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return void t.out.push(wish);
    case "ready": return ready(d, wish, t);
    case "durable":
      d.isDiskSlow = false;
      return void t.todo.push({ do: "durable", recorder: take(d, wish.token) });
    case "refused":
      d.counts.recordsRefused += 1;
      t.todo.push({ do: "refused", recorder: take(d, wish.token) });
      return wish.why === "file-full" ? full(d, t) : undefined;
    case "failing": return failing(d, words.diskTrouble(wish.phase, wish.reason), t);
    case "recovered": return recovered(d, wish.failures, t);
    case "slow":
      d.isDiskSlow = true;
      return log(d, "warn", "ark.disk-slow", { phase: wish.phase }, t);
    case "broken":
      log(d, "error", "ark.journal-broken", { fault: wish.fault.text }, t);
      return failing(d, wish.fault.text, t);
    default: return unreachable(wish); /* c8 ignore next */
  }
}

function take(d: Ark, token: number): Recorder {
  const recorder = d.recorded.get(token);
  assert(recorder !== undefined, "the journal answers what it was asked, once");
  d.recorded.delete(token);
  return recorder;
}

function failing(d: Ark, why: string, t: Turn): void {
  if (d.diskFailingAt === NEVER) d.diskFailingAt = t.now;
  d.diskTrouble = why;
  log(d, "error", "ark.disk-failing", { why }, t);
  t.todo.push({ do: "notice", notice: { kind: "disk-failing", why } });
}

/** No record has room any more, and no time makes any. */
function full(d: Ark, t: Turn): void {
  if (d.isFileFull) return;
  d.isFileFull = true;
  failing(d, "the journal has its largest size; a restart makes it smaller", t);
}

function recovered(d: Ark, failures: number, t: Turn): void {
  log(d, "info", "ark.disk-recovered", { failures }, t);
  t.todo.push({ do: "notice", notice: { kind: "disk-recovered", failures } });
  if (d.isFileFull) return;
  d.diskFailingAt = NEVER;
  d.diskTrouble = "";
}

/** The file was read: everybody hears what concerns it, and then that this was all. */
function ready(d: Ark, wish: Extract<journal.Effect, { type: "ready" }>, t: Turn): void {
  const { bytes, end, count, tornBytes } = wish;
  const others = new Set<string>();
  record.each(bytes, end, (_, body) => {
    if (letters.owns(body)) return telling.tell(d, { type: "replayed", body }, t);
    const found = split(body);
    const node = found === undefined ? undefined : d.byName.get(found.wallet);
    if (node !== undefined && found !== undefined) {
      const replayed = { type: "replayed", body: found.body } as const;
      return void t.todo.push({ do: "guardian", node, event: replayed });
    }
    d.counts.recordsOfOthers += 1;
    if (found !== undefined) others.add(found.wallet);
  });
  d.isRestored = true;
  telling.tell(d, { type: "opened", unixMs: unixMsAt(d, t.now) }, t);
  for (const node of d.nodes) t.todo.push({ do: "guardian", node, event: { type: "opened" } });
  if (tornBytes > 0) log(d, "warn", "ark.journal-torn", { bytes: tornBytes }, t);
  if (others.size > 0) log(d, "warn", "ark.journal-others", { wallets: others.size }, t);
  log(d, "info", "ark.journal-ready", { records: count }, t);
}

/** A record survives whatever comes, or is not in the file: whoever wanted it hears of it. */
export function recorded(
  d: Ark, recorder: Recorder, type: "durable" | "refused", t: Turn,
): void {
  const { token } = recorder;
  if (recorder.who === "notify") return telling.tell(d, { type, token }, t);
  t.todo.push({ do: "guardian", node: named(d, recorder.wallet), event: { type, token } });
}
