/**
 * Does everything add up? To be asked at any time, between any two acts.
 *
 * Rule 1: A1: what came into a wallet is what it has, what it paid for, what it claimed and what it
 * knows to be lost; and what it has is what the server knows it to have.
 * Rule 2: A2: a VTXO is in one action at most, and locks belong to somebody. A3: no message that
 * was not processed lies behind the checkpoint. A4: nothing is booked twice. The rest of A2
 * was noted when it was asked for (`breaches`).
 * Rule 3: a VTXO that the server took is a loss, with whom to blame.
 * @module
 */
import { heldSat } from "./books.ts";
import { grouped } from "./mailbox.ts";
import { mailboxOf } from "./server.ts";
import type { Barkd, Blame, Violation, Wallet, World } from "./state.ts";

/** What is wrong at this instant, and all losses so far. */
export function audit(w: World): readonly Violation[] {
  const found: Violation[] = [...w.breaches];
  for (const { wallet, vtxo, amountSat, height, blame } of w.losses) {
    const text = `${vtxo} of ${amountSat} sat expired and was taken at ${height}`;
    found.push({ law: "loss", wallet, text, blame });
  }
  for (const b of w.barkds.values()) {
    const wallet = b.wallet ?? w.shelf.get(b.name);
    if (wallet !== undefined) examine(w, b, wallet, found);
  }
  delivered(w, found);
  doubles(w, found);
  return found;
}

type Say = (law: Violation["law"], text: string, blame: Blame) => void;

function examine(w: World, b: Barkd, wallet: Wallet, found: Violation[]): void {
  const say: Say = (law, text, blame) => {
    found.push({ law, wallet: b.name, text, blame });
  };
  conserved(w, wallet, say);
  known(w, wallet, say);
  locks(wallet, say);
  read(w, b, wallet, say);
  booked(wallet, say);
}

function conserved(w: World, wallet: Wallet, say: Say): void {
  const { books } = wallet;
  const cameSat = books.depositedSat + books.receivedSat;
  const onchainSat = books.depositedSat - wallet.spentSat;
  const hereSat = onchainSat + heldSat(w, wallet, ["spendable", "locked", "exited"]);
  const goneSat = books.feesSat + books.claimedSat + books.lostSat;
  if (cameSat === hereSat + goneSat) return;
  say("A1", `${cameSat} sat came, ${hereSat} are here, ${goneSat} are gone`, "barkd");
}

/** What the wallet has is what the server knows it to have. */
function known(w: World, wallet: Wallet, say: Say): void {
  for (const { id, state } of wallet.vtxos.values()) {
    const { fate } = w.server.coins.get(id)!;
    const isHere = state === "spendable" || state === "locked";
    if (isHere && fate === "forfeited") say("A1", `${id} was given away and is here`, "barkd");
    if (state === "spent" && fate === "live") say("A1", `${id} is forgotten alive`, "barkd");
  }
}

/** What the server has for somebody is there, or on its way. */
function delivered(w: World, found: Violation[]): void {
  const blame = w.config.server.truncates ? "server" : "barkd";
  for (const id of w.server.live) {
    const { owner } = w.server.coins.get(id)!;
    const wallet = w.barkds.get(owner)?.wallet ?? w.shelf.get(owner);
    if (wallet === undefined || wallet.vtxos.has(id) || isComing(w, owner, wallet, id)) continue;
    found.push({ law: "A3", wallet: owner, text: `${id} will never be delivered`, blame });
  }
}

/** Will the wallet hear of it, or is it lost in a way that is told elsewhere? */
function isComing(w: World, owner: string, wallet: Wallet, id: string): boolean {
  if (wallet.dropped.has(id)) return true;
  for (const { output } of w.server.open) if (output === id) return true;
  // What is ahead of the checkpoint stands at the end.
  const { rows } = mailboxOf(w.server, owner);
  for (let i = rows.length - 1; i >= 0 && rows[i]!.checkpoint > wallet.checkpoint; i -= 1) {
    if (rows[i]!.vtxo === id) return true;
  }
  return false;
}

function locks(wallet: Wallet, say: Say): void {
  const movements = new Set([...wallet.boards.values()].map(({ movement }) => movement));
  for (const { id, state, lockedBy } of wallet.vtxos.values()) {
    if (state !== "locked") continue;
    const isOwned = lockedBy !== undefined
      && (movements.has(lockedBy) || wallet.rounds.get(lockedBy)?.inputs.includes(id) === true);
    if (!isOwned) say("A2", `${id} is locked by nobody`, "barkd");
  }
}

/** Messages behind the checkpoint that were not processed. */
function read(w: World, b: Barkd, wallet: Wallet, say: Say): void {
  const { rows } = mailboxOf(w.server, b.name);
  const behind = rows.filter(({ checkpoint }) => checkpoint <= wallet.checkpoint);
  for (const { checkpoint, isPoison } of grouped(behind)) {
    if (isPoison) say("A3", `the message at ${checkpoint} was passed`, "barkd");
  }
  for (const id of wallet.dropped) say("A3", `${id} was received and dropped`, "barkd");
}

function booked(wallet: Wallet, say: Say): void {
  const seen = new Set<string>();
  for (const { what, outputs } of wallet.movements) {
    if (what !== "receive") continue;
    for (const id of outputs) {
      if (seen.has(id)) say("A4", `${id} was received twice`, "barkd");
      seen.add(id);
    }
  }
}

/** Two that want one coin. */
function doubles(w: World, found: Violation[]): void {
  const seen = new Set<string>();
  for (const { owner, inputs } of w.server.open) {
    for (const id of inputs) {
      if (seen.has(id)) {
        const text = `${id} waits for two rounds`;
        found.push({ law: "A2", wallet: owner, text, blame: "daemon" });
      }
      seen.add(id);
    }
  }
}
