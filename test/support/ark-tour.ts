/**
 * A tour through a wallet's whole life as its host sees it over REST: boards, receipts, refreshes,
 * exits, claims, and all that goes wrong.
 * @module
 */
import * as acts from "../../sim/ark/acts.ts";
import * as run from "../../sim/ark/run.ts";
import type { World } from "../../sim/ark/state.ts";
import { replies } from "./ark-openapi.ts";
import * as worlds from "./ark-world.ts";

/** One reply on the way. */
export type Seen = { readonly route: string; readonly status: number; readonly body: string };
let seen: Seen[] = [];

function routeOf(method: string, path: string): string {
  const plain = `${method} ${path.split("?")[0]}`;
  return replies.has(plain) ? plain : `${plain.slice(0, plain.lastIndexOf("/") + 1)}{}`;
}

/** Asks, and keeps the reply. */
function ask(w: World, method: string, path: string, body?: unknown): string {
  const reply = worlds.ask(w, method, path, body);
  seen.push({ route: routeOf(method, path), status: reply.status, body: reply.body });
  return reply.body;
}

const api = "/api/v1";
const reads = [
  "/wallet", "/wallet/connected", "/wallet/ark-info", "/wallet/next-round", "/wallet/balance",
  "/wallet/vtxos", "/wallet/vtxos?all=true", "/wallet/rounds", "/history", "/bitcoin/tip",
  "/boards/pending", "/onchain/balance", "/fees/onchain",
  "/exits/status/all?history=true&transactions=true", "/exits/status/live",
  "/exits/status/finished?history=true", "/exits/fee",
];

function look(w: World): void {
  ask(w, "GET", "/ping");
  for (const path of reads) ask(w, "GET", api + path);
  if (w.barkds.get("alice")!.news.length > 0) ask(w, "GET", `${api}/notifications/wait`);
}

/** What its host does at every turn. */
function turn(w: World): void {
  ask(w, "POST", `${api}/wallet/sync`);
  ask(w, "POST", `${api}/wallet/sync/mailbox`);
  ask(w, "POST", `${api}/onchain/sync`);
  ask(w, "POST", `${api}/exits/progress`, {});
  look(w);
}

/** Its first VTXO of a state. */
function vtxoOf(w: World, state: string): string {
  const found = [...w.barkds.get("alice")!.wallet!.vtxos.values()];
  return found.find((one) => one.state === state)!.id;
}

function life(w: World): void {
  turn(w);
  acts.deposit(w, "alice", 1_000_000n);
  worlds.blocks(w, 1);
  turn(w);
  ask(w, "POST", `${api}/boards/board-amount`, { amount_sat: 200_000 });
  look(w);
  worlds.blocks(w, 2);
  turn(w);
  acts.pay(w, "alice", { amountsSat: [40_000n, 50_000n], lifeBlocks: 30, exitDepth: 4 });
  turn(w);
  const first = vtxoOf(w, "spendable");
  ask(w, "POST", `${api}/wallet/refresh/delegated/vtxos`, { vtxos: [first], height: null });
  look(w);
  worlds.blocks(w, 2);
  look(w);
  turn(w);
  worlds.sound(w);
}

function leaving(w: World): void {
  const [canceled, left] = [...w.barkds.get("alice")!.wallet!.vtxos.values()]
    .filter(({ state }) => state === "spendable").map(({ id }) => id) as [string, string];
  ask(w, "POST", `${api}/exits/start/vtxos`, { vtxos: [canceled] });
  ask(w, "POST", `${api}/exits/cancel/${canceled}`);
  ask(w, "POST", `${api}/exits/start/vtxos`, { vtxos: [left] });
  for (let i = 0; i < 13; i += 1) {
    look(w);
    ask(w, "GET", `${api}/exits/status/vtxo/${left}?history=true`);
    ask(w, "GET", `${api}/exits/status/${left}?transactions=true`);
    ask(w, "GET", `${api}/wallet/vtxos/${left}`);
    turn(w);
    worlds.blocks(w, 1);
  }
  turn(w);
  ask(w, "POST", `${api}/exits/claim/vtxos`, { vtxos: [left], destination: worlds.home });
  turn(w);
  worlds.blocks(w, 1);
  turn(w);
  ask(w, "POST", `${api}/exits/claim/vtxos`, { vtxos: [left], destination: worlds.home });
  ask(w, "POST", `${api}/exits/claim/vtxos`, { vtxos: [left], destination: "nowhere" });
  ask(w, "POST", `${api}/exits/cancel/${left}`);
  ask(w, "POST", `${api}/wallet/refresh/delegated/vtxos`, { vtxos: [left] });
  ask(w, "POST", `${api}/wallet/refresh/delegated/vtxos`, { vtxos: [] });
  ask(w, "POST", `${api}/exits/start/vtxos`, { vtxos: [left] });
  ask(w, "POST", `${api}/exits/start/all`);
  turn(w);
  ask(w, "POST", `${api}/exits/claim/all`, { destination: worlds.home });
  for (let i = 0; i < 12; i += 1) {
    worlds.blocks(w, 1);
    turn(w);
  }
  ask(w, "POST", `${api}/exits/claim/all`, { destination: worlds.home });
}

function trouble(w: World): void {
  const unknown = `${"0".repeat(64)}:1`;
  for (const path of ["/wallet/vtxos/", "/exits/status/vtxo/"]) ask(w, "GET", api + path + unknown);
  ask(w, "GET", `${api}/wallet/vtxos/nonsense`);
  ask(w, "GET", `${api}/exits/fee?vtxo_ids=${unknown}`);
  ask(w, "GET", `${api}/notifications/wait?since=never`);
  ask(w, "POST", `${api}/exits/start/vtxos`, { vtxos: [unknown] });
  for (const fault of [{ kind: "down" }, { kind: "black-hole" }, { kind: "fees" }] as const) {
    worlds.fault(w, { on: "server", fault });
    turn(w);
    run.boot(w, w.barkds.get("alice")!);
    turn(w);
    worlds.heal(w);
  }
  run.suffer(w, []);
  worlds.fault(w, { on: "chain", fault: { kind: "html" } });
  turn(w);
  worlds.heal(w);
  run.boot(w, w.barkds.get("alice")!);
  acts.shelve(w, "alice", true);
  look(w);
  ask(w, "POST", `${api}/wallet/create`, { network: "mainnet" });
  ask(w, "POST", `${api}/wallet/create`, { network: "regtest", force: true });
  acts.shelve(w, "alice", true);
  ask(w, "POST", `${api}/wallet`, { network: "regtest" });
  turn(w);
}

/** What was seen, in its order. */
export function tour(): readonly Seen[] {
  seen = [];
  const w = worlds.world();
  life(w);
  leaving(w);
  trouble(w);
  const poor = worlds.world();
  const [coin] = acts.endow(poor, "alice", [9_000n], 20, 2);
  ask(poor, "POST", `${api}/exits/start/vtxos`, { vtxos: [coin!.id] });
  turn(poor);
  return seen;
}
