/**
 * The habits of an Ark daemon: what it repeats, what it waits for, and what it acts on.
 *
 * Rule 1: A5: an intent is asked for once, by all processes together; again only if the wallet's
 * program turned it away at its door. It rests on what the wallet listed within `sightMs`.
 * Rule 2: A6: a server that named another key is asked for no refresh. A12: nothing leaves without
 * permission, or while a round of its own may still take it; nothing is claimed but what the wallet
 * listed last as claimable (it may have been taken back since then), or to anywhere else.
 * Rule 3: A9: nothing is asked for all the time, and in no second do more wallets dial than share a
 * turn. A11: what may be given up is not waited for without end.
 * Rule 4: E2: a stage is not told of again and again. E5: what the wallet listed is watched.
 * @module
 */
import { assert } from "../../core/assert.ts";
import { heightOf, tip } from "../../core/ark/expiry.ts";
import type { LogEffect } from "../../core/kernel/io.ts";
import { home, isWork, walletIn } from "../fleet/config.ts";
import type { WalletSpec } from "../fleet/spec.ts";
import type { Observer, Step } from "./ark.ts";
import { violation, type Violation } from "./violation.ts";

const hourMs = 3_600_000;
/** News come again and again, and are fetched; not oftener than every three seconds on the mean. */
const askedMax = 1_200;
/** Of a stage of a wallet, in an hour: there are few VTXOs. */
const toldMax = 15;
/** A question is waited for two minutes at most; its asker may be asleep meanwhile. */
const openMs = 300_000;

type Specs = readonly WalletSpec[];
type Typed = { readonly type: string };
type Start = Typed & {
  readonly req: number; readonly to: string; readonly method: string; readonly path: string;
  readonly body: string;
};

/** One step of the process; after `ark.observe`, which knows what is durable. */
export function observe(o: Observer, s: Step, specs: Specs, out: Violation[]): void {
  const { event } = s;
  if (event.type === "req.done") answered(o, s, event.req, event.status, event.body);
  else if (event.type === "req.failed") o.life.noted.open.delete(event.req);
  else if (event.type === "operator.trust") trusted(o, event.wallet);
  for (const effect of s.effects) ordered(o, s, effect, specs, out);
}

function trusted({ life: { noted } }: Observer, wallet: string): void {
  noted.keys.delete(wallet);
  noted.strangers.delete(wallet);
}

function ordered(o: Observer, s: Step, effect: Typed, specs: Specs, out: Violation[]): void {
  switch (effect.type) {
    case "req.start": return asks(o, s, effect as Start, specs, out);
    case "req.drop": return void o.life.noted.open.delete((effect as Start).req);
    case "stream.open": {
      const { stream } = effect as Typed & { readonly stream: number };
      return dials(o, s, s.state.streams.get(stream)?.node.config.name ?? "", out);
    }
    case "log": return logged(o, s, effect as LogEffect, out);
    default: return;
  }
}

function count({ life: { noted } }: Observer, { now }: Step, what: string): number {
  const hour = Math.floor(now / hourMs);
  if (hour !== noted.hour) noted.counts.clear();
  noted.hour = hour;
  const times = (noted.counts.get(what) ?? 0) + 1;
  noted.counts.set(what, times);
  return times;
}

function asks(o: Observer, s: Step, effect: Start, specs: Specs, out: Violation[]): void {
  const wallet = walletIn(effect.to);
  if (wallet === undefined) return;
  const { req, method, body } = effect;
  const path = effect.path.split("?")[0] ?? effect.path;
  const intent = isWork(path) ? intentOf(o, wallet, body) : undefined;
  o.life.noted.open.set(req, { at: s.now, wallet, method, path, intent });
  if (count(o, s, `${wallet} ${path}`) > askedMax) {
    out.push(violation("A9", `${wallet} is asked all the time: ${path}`));
  }
  if (!isWork(path)) return;
  works(o, s, wallet, path, intent, out);
  const spec = specs.find(({ name }) => name === wallet);
  if (path.endsWith("/start/vtxos")) exits(s, wallet, spec, body, out);
  if (path.endsWith("/claim/vtxos")) claims(o, wallet, spec, body, out);
}

/** The open intent whose VTXOs a call names: its wallet and number. */
function intentOf(o: Observer, wallet: string, body: string): string | undefined {
  const ids = (JSON.parse(body) as { readonly vtxos: readonly string[] }).vtxos.join();
  for (const [id, list] of o.intents.get(wallet) ?? []) {
    if (list.join() === ids) return `${wallet} ${id}`;
  }
  return undefined;
}

function works(
  o: Observer, s: Step, wallet: string, path: string, intent: string | undefined,
  out: Violation[],
): void {
  const { noted } = o.life;
  if (intent !== undefined && o.asked.has(intent)) {
    out.push(violation("A5", `${wallet}: asked for twice: ${path}`));
  }
  if (intent !== undefined) o.asked.add(intent);
  const sightMs = s.state.nodes.find((one) => one.config.name === wallet)?.config.guardian.sightMs;
  assert(sightMs !== undefined, "who asks is a wallet of the daemon's");
  if (s.now - (noted.listedAt.get(wallet) ?? -sightMs) > sightMs) {
    out.push(violation("A5", `${wallet}: acts on what was seen long ago: ${path}`));
  }
  if (path.endsWith("/delegated/vtxos") && noted.strangers.has(wallet)) {
    out.push(violation("A6", `${wallet}: a refresh at a server with another key`));
  }
}

function exits(
  s: Step, wallet: string, spec: WalletSpec | undefined, body: string, out: Violation[],
): void {
  if (spec?.autoExit !== true) {
    out.push(violation("A12", `${wallet}: an exit that nobody allowed`));
  }
  const { expiry: m } = s.state.nodes.find((one) => one.config.name === wallet)!.guardian;
  for (const id of (JSON.parse(body) as { readonly vtxos: readonly string[] }).vtxos) {
    const vtxo = m.coins.get(id)?.vtxo;
    if (vtxo?.state !== "locked") continue;
    const bare = heightOf(m.config, vtxo, "exit-now") + m.config.marginBlocks;
    if ((tip(m, s.now) ?? bare) >= bare) continue;
    out.push(violation("A12", `${wallet}: an exit of what a round holds`));
  }
}

function claims(
  o: Observer, wallet: string, spec: WalletSpec | undefined, body: string, out: Violation[],
): void {
  const claim = JSON.parse(body) as {
    readonly vtxos: readonly string[]; readonly destination: string;
  };
  if (spec?.autoClaim !== true || claim.destination !== home) {
    out.push(violation("A12", `${wallet}: a claim that nobody allowed`));
  }
  const told = o.life.noted.exits.get(wallet);
  for (const id of claim.vtxos) {
    const at = told?.get(id) ?? "not there";
    if (at !== "claimable") out.push(violation("A12", `${wallet}: a claim of what is ${at}`));
  }
}

const listed = /\{"id":"([0-9a-f]+:\d+)",[^[\]]*?"expiry_height":\d+,[^[\]]*?"type":"(\w+)"/g;

function answered(o: Observer, s: Step, req: number, status: number, body: string): void {
  const { noted } = o.life;
  const one = noted.open.get(req);
  if (one === undefined) return;
  noted.open.delete(req);
  const { wallet, path, intent } = one;
  const isAway = status === 401 || (status === 422 && body.includes("No wallet"));
  if (intent !== undefined && isAway) o.asked.delete(intent);
  if (status !== 200) return;
  if (path.endsWith("/ark-info")) named(o, wallet, body);
  if (path.endsWith("/exits/status/all")) stands(o, wallet, body);
  if (!path.endsWith("/wallet/vtxos")) return;
  noted.listedAt.set(wallet, s.now);
  if (!body.endsWith("]")) return;
  const found = [...body.matchAll(listed)].filter(([, , state]) => state !== "spent");
  noted.listed.set(wallet, found.map(([, id = ""]) => id));
}

type Row = {
  readonly vtxo_id?: unknown;
  readonly state?: {
    readonly type?: unknown; readonly claimable_height?: unknown;
    readonly claimable_since?: { readonly height?: unknown };
  };
};

/** Keeps where the exits are. An answer that lacks what it must tell tells nothing. */
function stands({ life: { noted } }: Observer, wallet: string, body: string): void {
  const rows = listIn(body);
  if (rows === undefined) return;
  const found = new Map<string, string>();
  for (const { vtxo_id: id, state } of rows) {
    const at = state?.type;
    if (typeof id !== "string" || typeof at !== "string" || found.has(id)) return;
    const height = at === "awaiting-delta" ? state?.claimable_height
      : at === "claimable" || at === "claim-in-progress" ? state?.claimable_since?.height : 0;
    if (typeof height !== "number") return;
    found.set(id, at);
  }
  noted.exits.set(wallet, found);
}

function listIn(body: string): readonly Row[] | undefined {
  try {
    const found: unknown = JSON.parse(body);
    return Array.isArray(found) ? found as readonly Row[] : undefined;
  } catch {
    return undefined;
  }
}

function named({ life: { noted } }: Observer, wallet: string, body: string): void {
  const key = /"server_pubkey":"([0-9a-f]+)"/.exec(body)?.[1];
  if (key === undefined || !body.endsWith("}")) return;
  const first = noted.keys.get(wallet) ?? key;
  noted.keys.set(wallet, first);
  if (first !== key) noted.strangers.add(wallet);
}

function dials(o: Observer, s: Step, wallet: string, out: Violation[]): void {
  const { dials: list } = o.life.noted;
  while (list[0] !== undefined && s.now - list[0].at >= 1_000) list.shift();
  list.push({ wallet, at: s.now });
  const most = Math.floor((s.state.nodes.length * 25) / 1_000);
  if (new Set(list.map((one) => one.wallet)).size <= (most > 1 ? most : 1)) return;
  out.push(violation("A9", `${wallet} dials together with others`));
}

function logged(o: Observer, s: Step, { code, fields }: LogEffect, out: Violation[]): void {
  if (!code.startsWith("ark.expiry-")) return;
  const what = `${String(fields["wallet"])} ${code}`;
  if (count(o, s, what) > toldMax) out.push(violation("E2", `told again and again: ${what}`));
}

/** When a block has come, and once a minute. */
export function look(o: Observer, s: Step, out: Violation[]): void {
  const { noted } = o.life;
  for (const { at, wallet, method, path } of noted.open.values()) {
    if (method !== "GET" || s.now - at <= openMs) continue;
    out.push(violation("A11", `${wallet}: ${path} is waited for without end`));
  }
  for (const { config: { name }, guardian } of s.state.nodes) {
    const held = o.town.world.barkds.get(name)?.wallet?.vtxos;
    for (const id of noted.listed.get(name) ?? []) {
      const state = held?.get(id)?.state;
      if (state === undefined || state === "spent" || guardian.expiry.coins.has(id)) continue;
      out.push(violation("E5", `${name}: a VTXO is out of sight`));
    }
  }
}
