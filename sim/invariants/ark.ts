/**
 * The safety of an Ark daemon (A1 to A12, E1 to E5), seen from outside: what it asks for, the bytes
 * that its disk has promised to keep, and the truth of the little world around it.
 *
 * | id  | what must always hold                                          | where           |
 * |-----|----------------------------------------------------------------|-----------------|
 * | A1  | what came into a wallet is what it has, paid, claimed and lost | `sim/ark/audit` |
 * | A2  | a VTXO is in one action at most; no two calls of one kind      | here, and there |
 * | A3  | no message is passed that was not processed                    | `sim/ark/audit` |
 * | A4  | nothing is booked twice                                        | `sim/ark/audit` |
 * | A5  | durable before asked; rejected rests; what must not be cut     | here            |
 * |     | is not                                                         |                 |
 * | A6  | nothing is refreshed at a server that shows another key        | here            |
 * | A7  | exits go on after a reorganisation, at equal height too        | `ark-exits.ts`  |
 * | A8  | exits go on whatever else is stuck                             | `ark-exits.ts`  |
 * | A9  | subscriptions of an hour are bounded                           | here            |
 * | A10 | what has expired, as far as it can know, is not refreshed      | here            |
 * | A11 | what may be given up is not waited for without end             | `ark-habits.ts` |
 * | A12 | nothing leaves without permission                              | `ark-habits.ts` |
 * | E1  | no stage comes later than its deadline                         | `ark-stages.ts` |
 * | E2  | what enters a stage is told at once                            | `ark-stages.ts` |
 * | E3  | a height that is true is not doubted                           | here            |
 * | E4  | no VTXO is lost that could have been saved                     | `ark-exits.ts`  |
 * | E5  | what the wallet lists is watched                               | `ark-habits.ts` |
 * | M13 | what was durable stays                                         | `maker-file.ts` |
 *
 * Rule 1: what lives with the process is made anew with it (`Life`); files, intents and the truth
 * outlive it. Instants are the process's own, in ms, unless they end in `Us`: those are true.
 * @module
 */
import * as ledger from "../../core/ark/ledger.ts";
import type { Ark } from "../../core/ark/node.ts";
import type { StoreEvent } from "../../core/history/store.ts";
import type { LogEffect, Tick } from "../../core/kernel/io.ts";
import type { Mono } from "../../core/time.ts";
import { heightOf } from "../ark/chain.ts";
import { isWork, walletIn } from "../fleet/config.ts";
import type { Town } from "../fleet/town.ts";
import type { FleetEvent } from "../vocabulary.ts";
import * as noted from "./ark-noted.ts";
import * as files from "./maker-file.ts";
import { violation, type InvariantId, type Violation } from "./violation.ts";

/** A call that was made and not answered. */
export type Asked = {
  readonly at: Mono; readonly wallet: string; readonly method: string;
  /** Without what follows the question mark. */
  readonly path: string; readonly body: string;
};

/** The highest that it was told, and when first. */
export type Heard = { readonly height: number; readonly at: Mono };

/** A height as it is written, by which wall clock, and whether it lacks proof. */
type Tip = { readonly height: number; readonly at: number; readonly is?: string };

/** What is known of one process. */
export type Life = {
  readonly bornAt: Mono;
  readonly open: Map<number, Asked>;
  /** `wallet path` of each of them. */
  readonly busy: Set<string>;
  /** What it was told of the chain, by wallet. */
  readonly heard: Map<string, Heard>;
  /** What it has read of that in its journal, and when; `undefined`: not yet. */
  read: Map<string, Heard> | undefined;
  /** What of that had proof, by a stamp that is past: the rest gives nothing up. */
  proven: Map<string, Heard>;
  /** The wall clock at 0 of the process's own. */
  wallMs: number;
  /** Streams that were opened in the last hour, by wallet. */
  readonly dials: Map<string, Mono[]>;
  /** Single VTXOs that were rejected, and when. */
  readonly rejected: Map<string, Mono>;
  /** When exits were last made to go on, or there was a reason why not. */
  readonly progress: Map<string, Mono>;
  /** Logs of stages: `wallet stage`, and when last. */
  readonly staged: Map<string, Mono>;
  readonly stages: Map<string, string>;
  /** Since when a stage is behind the chain as it is. */
  readonly late: Map<string, Mono>;
  readonly noted: noted.Noted;
  checkAt: Mono;
  checkedHeight: number;
};

/** What was seen in one step that goals are about. */
export type Seen = Set<string>;

export type Observer = {
  readonly town: Town;
  readonly file: files.File;
  /** The VTXOs of each intent that is open by what is durable, by wallet. */
  readonly intents: Map<string, Map<number, readonly string[]>>;
  /** Each wallet's last record of a height, by what is durable. */
  readonly tips: Map<string, Tip>;
  /** Intents that were asked for: wallet and number (`ark-habits.ts`). */
  readonly asked: Set<string>;
  life: Life;
  /** Faults between it and its wallets, and of its own process, are over by then. */
  awayUntilUs: number;
  /** And those of its disk. */
  brokenUntilUs: number;
  /** Heights that came while nothing of that was wrong. */
  readonly good: Set<number>;
  /** Losses that were judged. */
  losses: number;
  auditUs: number;
  /** How late a stage came at worst against the chain as it was, which no source had told. */
  lateMaxMs: number;
  readonly seen: Seen;
};

/** What one step has to do with. */
export type Step = {
  readonly event: FleetEvent | Tick;
  readonly effects: readonly { readonly type: string }[];
  readonly state: Ark;
  readonly now: Mono;
  readonly nowUs: number;
};

export function create(town: Town): Observer {
  return {
    town, file: files.create(), intents: new Map(), tips: new Map(), asked: new Set(),
    life: lifeOf(0 as Mono),
    awayUntilUs: 0, brokenUntilUs: 0, good: new Set(), losses: 0, auditUs: 0, lateMaxMs: 0,
    seen: new Set(),
  };
}

function lifeOf(bornAt: Mono): Life {
  return {
    bornAt, open: new Map(), busy: new Set(), heard: new Map(), read: undefined,
    proven: new Map(), wallMs: 0, dials: new Map(),
    rejected: new Map(), progress: new Map(), staged: new Map(), stages: new Map(),
    late: new Map(), noted: noted.create(), checkAt: bornAt, checkedHeight: 0,
  };
}

/** A process of the node has begun. */
export function booted(o: Observer, now: Mono): void {
  o.life = lifeOf(now);
}

/** The process is gone. */
export function crashed(o: Observer): void {
  o.seen.clear();
  o.seen.add(o.life.open.size > 0 ? "died-asking" : "died");
  files.crashed(o.file);
}

/** One step of the process, with what it ordered. */
export function observe(o: Observer, s: Step, out: Violation[]): void {
  o.seen.clear();
  const { event, effects } = s;
  if (event.type === "req.done") answered(o, s, event.req, event.status, event.body, out);
  else if (event.type === "req.failed") close(o, event.req);
  else if (event.type.startsWith("store.")) stored(o, event as StoreEvent, out);
  else if (event.type === "clock.anchored") o.life.wallMs = event.unixMs - s.now;
  if (o.life.read === undefined && s.state.isRestored) {
    o.life.read = readIn(o, s.now, () => true);
    const nowUnixMs = o.life.wallMs + s.now;
    o.life.proven = readIn(o, s.now, ({ at, is }) => is === undefined && at < nowUnixMs);
  }
  for (let i = 0; i < effects.length; i += 1) ordered(o, s, effects[i] as { type: string }, out);
}

function readIn(o: Observer, now: Mono, counts: (tip: Tip) => boolean): Map<string, Heard> {
  const read = new Map<string, Heard>();
  for (const [wallet, tip] of o.tips) {
    if (counts(tip)) read.set(wallet, { height: tip.height, at: now });
  }
  return read;
}

function stored(o: Observer, event: StoreEvent, out: Violation[]): void {
  for (const body of files.answered(o.file, event, out)) {
    const found = ledger.split(body);
    if (found === undefined) continue;
    const one = JSON.parse(found.body) as {
      readonly type: string; readonly id: number; readonly vtxos: readonly string[];
      readonly height: number; readonly at: number; readonly is?: string;
    };
    let open = o.intents.get(found.wallet);
    if (open === undefined) {
      open = new Map();
      o.intents.set(found.wallet, open);
    }
    if (one.type === "ark-tip") o.tips.set(found.wallet, one);
    if (one.type === "ark-intent") open.set(one.id, one.vtxos);
    if (one.type === "ark-intent-settled") open.delete(one.id);
  }
}

type Start = {
  readonly type: "req.start"; readonly req: number; readonly to: string; readonly method: string;
  readonly path: string; readonly body: string;
};

function ordered(
  o: Observer, s: Step, effect: { readonly type: string }, out: Violation[],
): void {
  switch (effect.type) {
    case "req.start": return asks(o, s, effect as Start, out);
    case "req.drop": return drops(o, (effect as { readonly req: number } & typeof effect).req, out);
    case "stream.open":
      return dials(o, s, (effect as { readonly stream: number } & typeof effect).stream, out);
    case "log": return logged(o, s, effect as LogEffect);
    case "store.load": case "store.append": case "store.sync": case "store.truncate":
      return files.ordered(o.file, effect as Parameters<typeof files.ordered>[1], s.now, out);
    case "stopped": return void o.seen.add("stopped");
    default: return;
  }
}

/** It is answered, or left. */
function close(o: Observer, req: number): Asked | undefined {
  const one = o.life.open.get(req);
  if (one === undefined) return undefined;
  o.life.open.delete(req);
  o.life.busy.delete(`${one.wallet} ${one.path}`);
  return one;
}

const uncuttable = /\/(sync|sync\/mailbox|progress|delegated\/vtxos|start\/vtxos|claim\/vtxos)$/;

function asks(o: Observer, s: Step, effect: Start, out: Violation[]): void {
  const wallet = walletIn(effect.to);
  if (wallet === undefined) return;
  const { method, body } = effect;
  const mark = effect.path.indexOf("?");
  const path = mark < 0 ? effect.path : effect.path.slice(0, mark);
  const key = `${wallet} ${path}`;
  if (o.life.busy.has(key)) blame(out, "A2", `${wallet} is asked twice at once: ${path}`);
  o.life.busy.add(key);
  o.life.open.set(effect.req, { at: s.now, wallet, method, path, body });
  if (path.endsWith("/exits/progress")) o.life.progress.set(wallet, s.now);
  if (isWork(path)) works(o, s, wallet, path, vtxosOf(body), out);
}

function works(
  o: Observer, s: Step, wallet: string, path: string, ids: readonly string[], out: Violation[],
): void {
  const open = openIntents(o, wallet);
  const all = open.flat();
  if (new Set(all).size < all.length) {
    blame(out, "A2", `${wallet}: a VTXO is in two open intents`);
  }
  if (!open.some((list) => list.join() === ids.join())) {
    blame(out, "A5", `${wallet}: asked for what is not durable: ${path}`);
  }
  if (path.includes("refresh")) refreshes(o, s, wallet, ids, out);
  else o.seen.add(path.includes("start") ? "exit" : "claim");
}

function refreshes(
  o: Observer, s: Step, wallet: string, ids: readonly string[], out: Violation[],
): void {
  o.seen.add("refresh");
  const node = s.state.byName.get(wallet);
  if (node?.daemon.facts.isBarred === true) {
    blame(out, "A6", `${wallet}: a refresh at a barred server`);
  }
  const fastMs = node?.config.guardian.expiry.fastMs ?? 1;
  const tip = knowable(o, wallet, fastMs, s.now, o.life.proven);
  for (const id of ids) {
    const coin = o.town.world.server.coins.get(id);
    if (coin === undefined) blame(out, "A10", `${wallet}: a refresh of what is no VTXO`);
    else if (coin.expiryHeight <= tip) blame(out, "A10", `${wallet}: a refresh of what expired`);
  }
  const [only] = ids;
  const since = ids.length === 1 && only !== undefined ? o.life.rejected.get(only) : undefined;
  const restMs = node?.config.guardian.refresh.restMs ?? 0;
  if (since !== undefined && s.now - since < restMs) {
    blame(out, "A5", `${wallet}: asked again for what was rejected ${s.now - since} ms ago`);
  }
}

/** The VTXOs of each intent that is open by what is durable. */
export function openIntents(o: Observer, wallet: string): readonly (readonly string[])[] {
  return [...o.intents.get(wallet)?.values() ?? []];
}

/**
 * The height that nobody can blame the daemon for knowing: the chain's own, but no more than what
 * it was told in this life and one block every `fastMs` since it was first told that. What an
 * earlier life has written down counts from when it was read, until it is told as much.
 */
export function knowable(
  o: Observer, wallet: string, fastMs: number, now: Mono, from = o.life.read,
): number {
  const [heard, read] = [o.life.heard.get(wallet), from?.get(wallet)];
  const known = heard === undefined || heard.height < (read?.height ?? 0) ? read : heard;
  if (known === undefined) return 0;
  const counted = known.height + Math.floor((now - known.at) / fastMs);
  const height = heightOf(o.town.world.chain);
  return counted < height ? counted : height;
}

function drops(o: Observer, req: number, out: Violation[]): void {
  const one = close(o, req);
  if (one === undefined) return;
  if (one.method === "POST" && uncuttable.test(one.path)) {
    blame(out, "A5", `${one.wallet}: cut off: ${one.path}`);
  }
}

const hour = 3_600_000;
/** By the law of `kept`: 30 s between failures at its cap, and a hurried try between any two. */
const dialsMax = 260;

function dials(o: Observer, s: Step, stream: number, out: Violation[]): void {
  const wallet = s.state.streams.get(stream)?.node.config.name ?? "";
  let list = o.life.dials.get(wallet);
  if (list === undefined) {
    list = [];
    o.life.dials.set(wallet, list);
  }
  list.push(s.now);
  while ((list[0] ?? s.now) < s.now - hour) list.shift();
  if (list.length > dialsMax) {
    blame(out, "A9", `${wallet}: ${list.length} subscriptions in an hour`);
  }
}

function logged(o: Observer, s: Step, { code, fields }: LogEffect): void {
  if (code === "ark.journal-torn" || code === "ark.server-key") o.seen.add(code.slice(4));
  if (!code.startsWith("ark.expiry-")) return;
  const stage = code.slice("ark.expiry-".length);
  o.seen.add(stage);
  o.life.staged.set(`${String(fields["wallet"])} ${stage}`, s.now);
}

function answered(
  o: Observer, s: Step, req: number, status: number, body: string, out: Violation[],
): void {
  const one = close(o, req);
  if (one === undefined) return;
  if (one.path.endsWith("/bitcoin/tip")) told(o, s, one.wallet, status, body, out);
  else if (status >= 400 && one.path.endsWith("/refresh/delegated/vtxos")) {
    refused(o, s, one, body);
  }
}

function refused(o: Observer, s: Step, one: Asked, body: string): void {
  o.seen.add("refresh-failed");
  if (!rejection.test(body)) return;
  const ids = vtxosOf(one.body);
  if (ids.length === 1 && ids[0] !== undefined) o.life.rejected.set(ids[0], s.now);
  else o.seen.add("batch-rejected");
}

/** What barkd says when the server takes none of these, or they are worth too little. */
const rejection = /submitting round participation.*invalid argument|below dust limit/i;

/** A reorganisation may take so many. */
const leapBlocks = 6;

const tip = /"tip_height":(\d{1,9})[,}]/;

/** What the chain source says has reached the daemon. */
function told(
  o: Observer, s: Step, wallet: string, status: number, body: string, out: Violation[],
): void {
  if (status !== 200 || !body.endsWith("}")) return;
  const found = tip.exec(body);
  if (found === null) return;
  const height = Number(found[1]);
  const before = o.life.heard.get(wallet);
  if (s.state.byName.get(wallet)?.guardian.expiry.height.doubt !== undefined) {
    if (height <= heightOf(o.town.world.chain)) blame(out, "E3", `${wallet}: the truth is doubted`);
    return;
  }
  if (before !== undefined && height > before.height + leapBlocks) o.seen.add("tip-leaps");
  if (before === undefined || height > before.height) {
    o.life.heard.set(wallet, { height, at: s.now });
  } else if (height < before.height) o.seen.add("tip-went-back");
  else if (s.now - before.at > 3 * hour) o.seen.add("tip-stale");
}

function blame(out: Violation[], id: InvariantId, says: string): void {
  out.push(violation(id, says));
}

function vtxosOf(body: string): readonly string[] {
  return (JSON.parse(body) as { readonly vtxos: readonly string[] }).vtxos;
}
