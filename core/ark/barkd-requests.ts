/**
 * Which request asks barkd for what: the table of operations of an external daemon.
 *
 * Rule 1: only calls without a side effect that nobody asked for. `wallet/connected` is not asked,
 * as it never turns false again; nor is `wallet/rounds`, which takes locks and runs rounds; nor the
 * refresh that locks its coins until somebody feeds it round events.
 * Rule 2: a reader asks with GET and no body; what changes something is a POST. Nothing is asked
 * twice by itself.
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import type { Config } from "./barkd-config.ts";
import { isInstant, isVtxoId } from "./barkd-fields.ts";
import type { Op } from "./wallet.ts";

/** Path and body as they go to the target that the operator named; its token is the host's. */
export type Request = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
};

const accepts: readonly [string, string] = ["accept", "application/json"];
const api = "/api/v1";

/** The request for `op`; `undefined` for what only a daemon inside the wallet can do. */
export function requestOf(config: Config, op: Op): Request | undefined {
  switch (op.op) {
    case "alive": return read("/ping");
    case "identity": return read(`${api}/wallet`);
    case "probe": return read(`${api}/wallet/next-round`);
    case "ark-info": return read(`${api}/wallet/ark-info`);
    case "tip": return read(`${api}/bitcoin/tip`);
    case "vtxos": return read(`${api}/wallet/vtxos`);
    case "balance": return read(`${api}/wallet/balance`);
    case "exits": return read(`${api}/exits/status/all`);
    case "pending": return read(`${api}/history`);
    case "exit-fee": return read(feePath(config, op.vtxos));
    case "notifications": return read(newsPath(op.since));
    case "sync": return write(`${api}/wallet/sync`, undefined);
    case "sync-onchain": return write(`${api}/onchain/sync`, undefined);
    case "sync-mailbox": return write(`${api}/wallet/sync/mailbox`, undefined);
    case "progress-exits": return write(`${api}/exits/progress`, {});
    case "refresh": {
      const vtxos = named(config, op.vtxos);
      return write(`${api}/wallet/refresh/delegated/vtxos`, { vtxos });
    }
    case "exit": return write(`${api}/exits/start/vtxos`, { vtxos: named(config, op.vtxos) });
    case "claim": return write(`${api}/exits/claim/vtxos`, claim(config, op));
    case "refresh-server": case "fee-rates": case "sync-boards": case "sync-offboards":
    case "sync-rounds": case "sync-exits": case "progress-rounds": case "maintain":
      return undefined;
    default: return unreachable(op); /* c8 ignore next */
  }
}

function read(path: string): Request {
  return { method: "GET", path, headers: [accepts], body: "" };
}

function write(path: string, body: Body | undefined): Request {
  if (body === undefined) return { method: "POST", path, headers: [accepts], body: "" };
  const headers = [accepts, ["content-type", "application/json"]] as const;
  return { method: "POST", path, headers, body: JSON.stringify(body) };
}

type Body = { readonly [key: string]: string | number | readonly string[] };

/** Those that a request may name: at least one, each once. */
function named(config: Config, vtxos: readonly string[]): readonly string[] {
  assert(vtxos.length >= 1, "a call that names nothing");
  assert(vtxos.length <= config.askedMax, "more VTXOs than one call may name");
  assert(vtxos.every(isVtxoId), "a VTXO's id is txid:vout");
  assert(new Set(vtxos).size === vtxos.length, "a VTXO is named once");
  return vtxos;
}

/** Nobody named: what an exit of the whole wallet would cost. */
function feePath(config: Config, vtxos: readonly string[]): string {
  const path = `${api}/exits/fee`;
  return vtxos.length === 0 ? path : `${path}?vtxo_ids=${named(config, vtxos).join(",")}`;
}

function newsPath(since: string | undefined): string {
  const path = `${api}/notifications/wait`;
  if (since === undefined) return path;
  assert(isInstant(since), "`since` is what the answer before said");
  return `${path}?since=${encodeURIComponent(since)}`;
}

function claim(config: Config, op: Extract<Op, { op: "claim" }>): Body {
  assert(/^[A-Za-z0-9]{14,100}$/.test(op.destination), "coins are claimed to an address");
  return { vtxos: named(config, op.vtxos), destination: op.destination };
}
