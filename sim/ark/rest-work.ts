/**
 * Calls of barkd that do something: synchronise, refresh, exit, claim, board.
 * @module
 */
import * as exits from "./exits.ts";
import { look, reach } from "./link.ts";
import * as mail from "./mail.ts";
import * as refresh from "./refresh.ts";
import {
  failed, memberOf, optionalOf, plain, refused, textsOf, told, wrong, type Call, type OpenCall,
} from "./rest-call.ts";
import { walletFor } from "./state.ts";
import * as sync from "./sync.ts";
import * as views from "./views.ts";

/** Calls that need no wallet. */
export const open: Readonly<Record<string, OpenCall>> = {
  "POST /api/v1/wallet/create": create,
  "POST /api/v1/wallet": create,
};

export const calls: Readonly<Record<string, Call>> = {
  "POST /api/v1/wallet/sync": ({ w, b }, wallet) => plain(200, "", sync.all(w, b, wallet)),
  "POST /api/v1/wallet/sync/mailbox": (context, wallet) => {
    const read = mail.read(context.w, context.b, wallet);
    return read.ok ? told({ checkpoint: read.value }, read.afterMs) : failed(context, read);
  },
  "POST /api/v1/onchain/sync": (context, wallet) => {
    const done = sync.onchain(context.w, context.b, wallet);
    return done.ok ? plain(200, "", done.afterMs) : failed(context, done);
  },
  "POST /api/v1/wallet/refresh/delegated/vtxos": (context, wallet) => {
    const { w, b, body } = context;
    const vtxos = textsOf(memberOf(body, "vtxos"));
    const height = optionalOf(memberOf(body, "height"));
    if (vtxos === undefined || height === "wrong") return unreadable(w.config.localMs);
    const asked = refresh.delegate(w, b, wallet, vtxos, height ?? 0);
    if (!asked.ok) return refused(context, asked);
    return told(views.roundView(w, asked.value), asked.afterMs);
  },
  "POST /api/v1/exits/start/vtxos": (context, wallet) => {
    const { w, b, body } = context;
    const vtxos = textsOf(memberOf(body, "vtxos"));
    if (vtxos === undefined) return unreadable(w.config.localMs);
    return message(context, exits.start(w, b, wallet, vtxos), "Exit started");
  },
  "POST /api/v1/exits/start/all": (context, wallet) => {
    const { w, b } = context;
    const ids = [...wallet.vtxos.values()].filter(({ state }) => state === "spendable")
      .map(({ id }) => id);
    if (ids.length === 0) return told({ message: "Exit started" }, w.config.localMs);
    return message(context, exits.start(w, b, wallet, ids), "Exit started");
  },
  "POST /api/v1/exits/cancel/{}": (context, wallet) => (
    message(context, exits.cancel(context.w, context.b, wallet, context.named), "Exit canceled")
  ),
  "POST /api/v1/exits/progress": (context, wallet) => {
    const { w, b, body } = context;
    if (body === undefined) return unreadable(w.config.localMs);
    const done = exits.progress(w, b, wallet);
    if (!done.ok) return failed(context, done);
    const view = look(w, b);
    if (!view.ok) return failed(context, view);
    const answer = told(views.progressView(w, done.value, view.value), done.afterMs);
    return answer.type === "told" ? { ...answer, isProgress: true } : answer;
  },
  "POST /api/v1/exits/claim/vtxos": (context, wallet) => {
    const { w, b, body } = context;
    const vtxos = textsOf(memberOf(body, "vtxos"));
    const destination = memberOf(body, "destination");
    if (vtxos === undefined || typeof destination !== "string") {
      return unreadable(w.config.localMs);
    }
    return message(context, exits.claim(w, b, wallet, vtxos, destination), "Exit claimed");
  },
  "POST /api/v1/exits/claim/all": (context, wallet) => {
    const { w, b, body } = context;
    const destination = memberOf(body, "destination");
    if (typeof destination !== "string") return unreadable(w.config.localMs);
    const ids = [...wallet.exits.values()].filter(({ stage }) => stage.at === "claimable")
      .map(({ vtxo }) => vtxo);
    return message(context, exits.claim(w, b, wallet, ids, destination), "Exit claimed");
  },
  "POST /api/v1/boards/board-amount": (context, wallet) => {
    const { w, b, body } = context;
    const amount = optionalOf(memberOf(body, "amount_sat"));
    if (amount === undefined || amount === "wrong") return unreadable(w.config.localMs);
    const made = sync.board(w, b, wallet, BigInt(amount));
    return made.ok ? told(views.boardView(made.value), made.afterMs) : failed(context, made);
  },
};

type Context = Parameters<Call>[0];

function message(
  context: Context, outcome: ReturnType<typeof exits.claim>, text: string,
): ReturnType<Call> {
  return outcome.ok ? told({ message: text }, outcome.afterMs) : failed(context, outcome);
}

/** The framework's own refusal of a body, in plain words. */
function unreadable(afterMs: number): ReturnType<Call> {
  return plain(422, "Failed to deserialize the JSON body into the target type", afterMs);
}

function create(context: Context): ReturnType<OpenCall> {
  const { w, b, body } = context;
  if (b.wallet !== undefined) return wrong(500, "a wallet is loaded already", w.config.localMs);
  const network = memberOf(body, "network");
  if (typeof network !== "string") return unreadable(w.config.localMs);
  if (network !== w.config.server.network) {
    return wrong(500, `network mismatch. expected ${w.config.server.network}`, w.config.localMs);
  }
  const reached = reach(w, b);
  if (!reached.ok && memberOf(body, "force") !== true) return failed(context, reached);
  const known = w.shelf.get(b.name);
  b.wallet = known ?? walletFor(w, b.name);
  w.shelf.delete(b.name);
  return told({ fingerprint: b.wallet.fingerprint }, reached.afterMs);
}
