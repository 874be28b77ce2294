/**
 * A wallet reads its mailbox.
 *
 * Rule 1: in order, from its own checkpoint on. A message that cannot be processed stops the
 * reading, and the checkpoint stays before it; the call succeeds all the same.
 * Rule 2: what was received before is not booked again. What the wallet does not know is passed.
 * Rule 3: `Quirks` are the ways in which programs have broken these rules.
 * @module
 */
import * as books from "./books.ts";
import * as faults from "./faults.ts";
import { look, reach } from "./link.ts";
import * as mailboxes from "./mailbox.ts";
import type { Message } from "./mailbox.ts";
import * as refresh from "./refresh.ts";
import { mailboxOf } from "./server.ts";
import { said, type Barkd, type Said, type Wallet, type World } from "./state.ts";

/** Reads until there is nothing more, or something stands in the way; the new checkpoint. */
export function read(w: World, b: Barkd, wallet: Wallet): Said<number> {
  const reached = reach(w, b);
  if (!reached.ok) return reached;
  let { afterMs } = reached;
  let from = wallet.checkpoint;
  for (let i = 0; i < w.config.pagesMax; i += 1) {
    const page = pageOf(w, b.name, from);
    if (i > 0) afterMs += w.config.remoteMs;
    for (const message of page.messages) {
      from = message.checkpoint;
      if (!process(w, b, wallet, message) && !w.config.quirks.buries) {
        return said(wallet.checkpoint, afterMs);
      }
    }
    if (!page.hasMore) break;
  }
  return said(wallet.checkpoint, afterMs);
}

/** A page as the server gives it. */
export function pageOf(w: World, name: string, after: number): mailboxes.Page {
  const isEndless = faults.ofServer(w.outages, w.nowMs)
    .some(({ kind }) => kind === "endless-mailbox");
  const { truncates } = w.config.server;
  const page = mailboxes.read(mailboxOf(w.server, name), after, mailboxes.rowsMax, truncates);
  return isEndless ? { messages: page.messages, hasMore: true } : page;
}

/** False: it stays, and will come again. */
export function process(w: World, b: Barkd, wallet: Wallet, message: Message): boolean {
  const isDone = !message.isPoison && handled(w, b, wallet, message);
  if (isDone && message.checkpoint > wallet.checkpoint) wallet.checkpoint = message.checkpoint;
  return isDone;
}

function handled(w: World, b: Barkd, wallet: Wallet, message: Message): boolean {
  switch (message.kind) {
    case "arkoor": return received(w, b, wallet, message);
    case "round-completed":
      refresh.sync(w, b, wallet);
      return true;
    case "lightning-received": case "unknown": return true;
  }
}

function received(w: World, b: Barkd, wallet: Wallet, { vtxos }: Message): boolean {
  const { booksTwice, dropsUnchecked } = w.config.quirks;
  const news = vtxos.filter((id) => booksTwice || !wallet.vtxos.has(id));
  if (news.length === 0) return true;
  if (!look(w, b).ok) {
    // Without the chain nobody can tell a coin from a promise.
    if (dropsUnchecked) for (const id of news) wallet.dropped.add(id);
    return dropsUnchecked;
  }
  for (const id of news) {
    const coin = books.coinOf(w, id);
    if (!wallet.vtxos.has(id)) books.take(wallet, coin);
    wallet.books.receivedSat += coin.amountSat;
  }
  const effectSat = news.reduce((sum, id) => sum + books.coinOf(w, id).amountSat, 0n);
  books.record(w, b, wallet, {
    what: "receive", status: "successful", inputs: [], outputs: news, effectSat, feeSat: 0n,
  });
  return true;
}
