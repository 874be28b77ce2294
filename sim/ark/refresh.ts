/**
 * How a wallet refreshes: delegated, by the server alone, or interactive, with the round's events.
 *
 * Rule 1: the inputs of a delegated refresh stay spendable until the wallet fetches the outcome;
 * those of an interactive one are locked. Only the interactive kind can be given up.
 * Rule 2: what a round issued is fetched once its transaction is in a block: then inputs are spent
 * and the output is there, in one step.
 * Rule 3: the program refuses nothing that its server takes, such as a VTXO that is in an exit.
 * That somebody asked for it is noted (`breaches`).
 * @module
 */
import type { RoundEvent } from "../../core/ark/wallet.ts";
import * as books from "./books.ts";
import { coinOf } from "./books.ts";
import { heightOf, seenAt } from "./chain.ts";
import * as faults from "./faults.ts";
import { look, reach } from "./link.ts";
import * as rounds from "./rounds.ts";
import * as servers from "./server.ts";
import type { Asked, Taken } from "./server.ts";
import {
  no, said, type Barkd, type Info, type RoundWork, type Said, type Violation, type Wallet,
  type World,
} from "./state.ts";
import { chancesOf } from "./watch.ts";

/** The server is to refresh these in a round to come, not below `fromHeight`. */
export function delegate(
  w: World, b: Barkd, wallet: Wallet, ids: readonly string[], fromHeight: number,
): Said<RoundWork> {
  const wrong = unfit(w, wallet, ids);
  if (wrong !== undefined) return wrong;
  judge(w, b, wallet, ids);
  for (const id of ids) chancesOf(w, id).refreshAskedAt ??= heightOf(w.chain);
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  const asked = { owner: b.name, inputs: ids, isDelegated: true, fromHeight };
  return submitted(w, b, wallet, asked, reached.value, reached.afterMs);
}

function unfit(w: World, wallet: Wallet, ids: readonly string[]): Said<RoundWork> | undefined {
  const { localMs } = w.config;
  if (ids.length === 0) return no("bad", "no VTXO ids provided", [], localMs);
  const absent = ids.filter((id) => !wallet.vtxos.has(id));
  if (absent.length > 0) return no("absent", "VTXO not found", absent, localMs);
  const spent = ids.filter((id) => wallet.vtxos.get(id)!.state !== "spendable");
  if (spent.length === 0) return undefined;
  return no("rejected", `VTXO is not spendable: ${spent.join(", ")}`, spent, localMs);
}

/** Was it asked for what nobody should ask for? */
function judge(w: World, b: Barkd, wallet: Wallet, ids: readonly string[]): void {
  for (const id of ids) {
    const other = [...wallet.rounds.values()].find((one) => one.inputs.includes(id));
    const isSame = other !== undefined && other.inputs.length === ids.length
      && ids.every((one) => other.inputs.includes(one));
    if (other !== undefined && !isSame) breach(w, b, "A2", `${id} is in two refreshes`);
    const stage = wallet.exits.get(id)?.stage.at;
    if (stage !== undefined && stage !== "canceled" && stage !== "already-spent") {
      breach(w, b, "A2", `${id} is refreshed while it exits`);
    }
  }
}

function breach(w: World, b: Barkd, law: Violation["law"], text: string): void {
  if (w.breaches.some((one) => one.text === text)) return;
  w.breaches.push({ law, wallet: b.name, text, blame: "daemon" });
}

type Wish = Omit<Asked, "feeSat">;

function submitted(
  w: World, b: Barkd, wallet: Wallet, wish: Wish, info: Info, afterMs: number,
): Said<RoundWork> {
  const total = wish.inputs.reduce((sum, id) => sum + coinOf(w, id).amountSat, 0n);
  const feeSat = info.refreshFeeSat + total * info.refreshPpm / 1_000_000n;
  if (!info.hasFees || total - feeSat < w.config.server.dustSat) {
    return no("rejected", "the fee leaves less than dust", [], afterMs);
  }
  const asked: Asked = { ...wish, feeSat };
  const isRejecting = faults.ofServer(w.outages, w.nowMs).some(({ kind }) => kind === "rejecting");
  const taken: Taken = isRejecting
    ? { ok: false, ids: wish.inputs, text: `input(s) not accepted: ${wish.inputs.join(", ")}` }
    : wish.isDelegated ? servers.participate(w.server, w.chain, asked)
      : rounds.join(w.server, w.chain, asked);
  if (!taken.ok) return no("rejected", taken.text, taken.ids, afterMs);
  const { id: participation } = taken.participation;
  const known = [...wallet.rounds.values()].find((one) => one.participation === participation);
  return said(known ?? begun(w, b, wallet, wish, participation, feeSat), afterMs);
}

function begun(
  w: World, b: Barkd, wallet: Wallet, { inputs, isDelegated }: Wish, participation: string,
  feeSat: bigint,
): RoundWork {
  const movement = books.record(w, b, wallet, {
    what: "refresh", status: "pending", inputs, outputs: [], effectSat: -feeSat, feeSat,
  });
  const work: RoundWork = { id: wallet.nextId, participation, inputs, isDelegated, movement };
  wallet.nextId += 1;
  wallet.rounds.set(work.id, work);
  if (!isDelegated) {
    for (const id of inputs) lock(wallet, id, work.id);
  }
  return work;
}

function lock(wallet: Wallet, id: string, by: number): void {
  const held = wallet.vtxos.get(id)!;
  held.state = "locked";
  held.lockedBy = by;
}

/** The wallet joins the round that just began with what is near its expiry. */
export function maintain(w: World, b: Barkd, wallet: Wallet): Said<undefined> {
  const view = look(w, b);
  if (!view.ok) return view;
  const { height } = view.value;
  const ids: string[] = [];
  for (const { id, state } of wallet.vtxos.values()) {
    const { expiryHeight } = coinOf(w, id);
    const isDue = expiryHeight - b.ownBlocks < height && expiryHeight > height;
    const isBusy = [...wallet.rounds.values()].some((one) => one.inputs.includes(id));
    if (state === "spendable" && isDue && !isBusy) ids.push(id);
  }
  if (ids.length === 0) return said(undefined, view.afterMs);
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  const wish = { owner: b.name, inputs: ids, isDelegated: false, fromHeight: 0 };
  const first = submitted(w, b, wallet, wish, reached.value, reached.afterMs);
  if (first.ok) return said(undefined, first.afterMs);
  if (first.why !== "rejected") return first;
  const refused = first.ids;
  // Those that were named stay out; the others may still come in.
  const rest = ids.filter((id) => !refused.includes(id));
  if (rest.length === 0 || rest.length === ids.length) return first;
  const second = submitted(w, b, wallet, { ...wish, inputs: rest }, reached.value,
    reached.afterMs);
  return second.ok ? said(undefined, second.afterMs) : second;
}

/** An event of a round is shown to the wallet; then it looks after all its rounds. */
export function progress(
  w: World, b: Barkd, wallet: Wallet, event: RoundEvent | undefined,
): Said<undefined> {
  const shown = event ?? w.server.last;
  if (shown !== undefined) {
    for (const work of wallet.rounds.values()) {
      if (!work.isDelegated) rounds.sign(w.server, work.participation, shown);
    }
  }
  return sync(w, b, wallet);
}

/** Looks after all rounds. What cannot be done now is left for the next time, without a word. */
export function sync(w: World, b: Barkd, wallet: Wallet): Said<undefined> {
  if (wallet.rounds.size === 0) return said(undefined, w.config.localMs);
  const reached = reach(w, b);
  const view = look(w, b);
  const afterMs = reached.afterMs + view.afterMs;
  if (!reached.ok) return said(undefined, afterMs);
  for (const work of [...wallet.rounds.values()]) {
    const one = w.server.participations.get(work.participation)!;
    if (one.status === "gone") drop(w, b, wallet, work);
    const isThere = one.status === "issued" && view.ok
      && seenAt(w.chain, view.value, one.txid!) !== undefined;
    if (!isThere) continue;
    if (servers.release(w.server, w.chain, one.id)) fetch(w, b, wallet, work, one.output!);
    else drop(w, b, wallet, work);
  }
  return said(undefined, afterMs);
}

function fetch(w: World, b: Barkd, wallet: Wallet, work: RoundWork, output: string): void {
  let feeSat = -coinOf(w, output).amountSat;
  for (const id of work.inputs) {
    const held = wallet.vtxos.get(id)!;
    held.state = "spent";
    held.lockedBy = undefined;
    feeSat += coinOf(w, id).amountSat;
  }
  books.take(wallet, coinOf(w, output));
  wallet.books.feesSat += feeSat;
  books.conclude(w, b, wallet, work.movement, "successful", { outputs: [output], feeSat });
  wallet.rounds.delete(work.id);
}

function drop(w: World, b: Barkd, wallet: Wallet, work: RoundWork): void {
  for (const id of work.inputs) {
    const held = wallet.vtxos.get(id)!;
    if (held.lockedBy !== work.id) continue;
    held.lockedBy = undefined;
    if (held.state === "locked") held.state = "spendable";
  }
  books.conclude(w, b, wallet, work.movement, "failed", { feeSat: 0n });
  wallet.rounds.delete(work.id);
}
