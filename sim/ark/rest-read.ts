/**
 * Calls of barkd that read: what is there, as the wallet or its sources tell it.
 * @module
 */
import * as exits from "./exits.ts";
import { look, nextRound, reach } from "./link.ts";
import { dateOf } from "./marks.ts";
import * as news from "./news.ts";
import { failed, plain, told, wrong, type Call, type OpenCall } from "./rest-call.ts";
import type { Exit } from "./state.ts";
import * as views from "./views.ts";

/** Calls that need no wallet. */
export const open: Readonly<Record<string, OpenCall>> = {
  "GET /api/v1/wallet": ({ w, b }) => (
    told({ fingerprint: b.wallet?.fingerprint ?? null }, w.config.localMs)
  ),
};

export const calls: Readonly<Record<string, Call>> = {
  "GET /api/v1/wallet/connected": ({ w, b }) => (
    told({ connected: b.session !== undefined }, w.config.localMs)
  ),
  "GET /api/v1/wallet/ark-info": (context) => {
    const { w, b } = context;
    if (b.session === undefined) reach(w, b);
    if (b.session === undefined) return neverConnected(w.config.localMs);
    return told(views.infoView(w, b.session.info), w.config.localMs);
  },
  "GET /api/v1/wallet/next-round": (context) => {
    const { w, b } = context;
    const wasConnected = b.session !== undefined;
    const next = nextRound(w, b);
    if (next.ok) return told({ start_time: dateOf(next.value) }, next.afterMs);
    const isPlain = next.why === "unavailable" && next.reason === "server-down";
    return !wasConnected && isPlain ? neverConnected(next.afterMs) : failed(context, next);
  },
  "GET /api/v1/wallet/balance": ({ w, b }, wallet) => (
    told(views.balanceView(w, b, wallet), w.config.localMs)
  ),
  "GET /api/v1/wallet/vtxos": ({ w, query }, wallet) => {
    const all = [...wallet.vtxos.values()];
    const shown = query.get("all") === "true" ? all : all.filter(({ state }) => state !== "spent");
    return told(shown.map((held) => views.vtxoView(w, held)), w.config.localMs);
  },
  "GET /api/v1/wallet/vtxos/{}": (context, wallet) => {
    const { w, named } = context;
    const held = wallet.vtxos.get(named);
    if (held !== undefined) return told(views.vtxoView(w, held), w.config.localMs);
    if (!isId(named)) return wrong(400, "invalid VTXO id", w.config.localMs);
    return failed(context, {
      ok: false, why: "absent", ids: [named], text: "", afterMs: w.config.localMs,
    });
  },
  "GET /api/v1/wallet/rounds": ({ w }, wallet) => (
    told([...wallet.rounds.values()].map((one) => views.roundView(w, one)), w.config.localMs)
  ),
  "GET /api/v1/history": ({ w }, wallet) => (
    told(wallet.movements.map(views.movementView), w.config.localMs)
  ),
  "GET /api/v1/bitcoin/tip": (context) => {
    const view = look(context.w, context.b);
    if (!view.ok) return failed(context, view);
    return told({ tip_height: view.value.height }, view.afterMs);
  },
  "GET /api/v1/boards/pending": ({ w }, wallet) => (
    told([...wallet.boards.values()].map(views.boardView), w.config.localMs)
  ),
  "GET /api/v1/onchain/balance": ({ w }, wallet) => (
    told(views.onchainView(wallet), w.config.localMs)
  ),
  "GET /api/v1/fees/onchain": ({ w }, { rate }) => (
    told({ fast_sat_per_vb: rate, regular_sat_per_vb: rate, slow_sat_per_vb: 1 },
      w.config.localMs)
  ),
  "GET /api/v1/exits/status/all": (context, wallet) => exitList(context, wallet, () => true),
  "GET /api/v1/exits/status/live": (context, wallet) => (
    exitList(context, wallet, (exit) => !exits.isOver(exit))
  ),
  "GET /api/v1/exits/status/finished": (context, wallet) => (
    exitList(context, wallet, exits.isOver)
  ),
  "GET /api/v1/exits/status/vtxo/{}": exitStatus,
  "GET /api/v1/exits/status/{}": exitStatus,
  "GET /api/v1/exits/fee": (context, wallet) => {
    const { w, query } = context;
    const rate = query.get("fee_rate_sat_per_vb");
    if (rate !== undefined && !/^[0-9]{1,6}$/.test(rate)) {
      return wrong(400, "invalid fee rate", w.config.localMs);
    }
    const ids = (query.get("vtxo_ids") ?? "").split(",").filter((id) => id !== "");
    const cost = rate === undefined ? exits.cost(w, wallet, ids)
      : exits.cost(w, wallet, ids, Number(rate));
    return cost.ok ? told(views.costView(cost.value), cost.afterMs) : failed(context, cost);
  },
  "GET /api/v1/notifications/wait": ({ w, b, query }) => {
    const since = query.get("since");
    const found = news.after(b, since);
    if (found === undefined) return wrong(400, "invalid `since`", w.config.localMs);
    if (found.length > 0) {
      return plain(200, views.newsBody(found, news.lastOf(found, since)), w.config.localMs);
    }
    const wait = news.wait(w, b, since);
    return wait === undefined ? wrong(500, "too many wait", w.config.localMs)
      : { type: "waiting", wait: wait.id };
  },
};

function neverConnected(afterMs: number): ReturnType<Call> {
  const body = "{\"message\":\"Wallet not connected to an Ark server\",\"resources\":[]}";
  return plain(404, body, afterMs);
}

function isId(text: string): boolean {
  return /^[0-9a-f]{64}:[0-9]+$/.test(text);
}

type Context = Parameters<Call>[0];

function wantedBy({ query }: Context): views.Wanted {
  return {
    history: query.get("history") === "true", transactions: query.get("transactions") === "true",
  };
}

function exitList(
  context: Context, wallet: Parameters<Call>[1], isShown: (exit: Exit) => boolean,
): ReturnType<Call> {
  const { w, b } = context;
  const shown = b.hasForgottenExits ? [] : [...wallet.exits.values()].filter(isShown);
  const view = tipOf(context);
  return told(shown.map((exit) => views.exitView(w, exit, view, wantedBy(context))),
    w.config.localMs);
}

function exitStatus(context: Context, wallet: Parameters<Call>[1]): ReturnType<Call> {
  const { w, named } = context;
  const exit = wallet.exits.get(named);
  if (exit !== undefined) {
    const view = views.exitView(w, exit, tipOf(context), wantedBy(context));
    return told(view, w.config.localMs);
  }
  return failed(context, {
    ok: false, why: "absent", ids: [named], text: "", afterMs: w.config.localMs,
  });
}

/** What the wallet saw last; a source that fails now is not asked for a list. */
function tipOf({ w, b }: Context): Parameters<typeof views.exitView>[2] {
  const view = look(w, b);
  return view.ok ? view.value : { height: w.config.baseHeight, hash: "" };
}
