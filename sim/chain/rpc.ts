/**
 * The stand-in node's interface: JSON-RPC 1.0 and 2.0, single and in batches, as Bitcoin Core 30
 * answers it.
 *
 * Rule 1: an answer depends on the chain, the request and the time, and on nothing else. Whoever
 * asks twice at one instant hears the same.
 * Rule 2: who may ask is decided before (`cli/demo/chain.ts`); what goes wrong on the way, after
 * (`faults.ts`).
 *
 * Not served: what needs keys or parses raw transactions, and named wallets' own money: payments
 * come from the miner (`sendtoaddress`).
 * @module
 */
import { field, textOf } from "../../core/chain/fields.ts";
import { isFields, isNumeral, parse, type Json } from "../../core/joinmarket/json.ts";
import { healthy, settle, viewOf, type Chain, type State } from "./chain.ts";
import { write, type Value } from "./json.ts";
import { argsOf, no, said, type Context, type Said } from "./rpc-call.ts";
import * as coins from "./rpc-coins.ts";
import * as node from "./rpc-node.ts";
import * as wallet from "./rpc-wallet.ts";
import * as wallets from "./rpc-wallets.ts";
import type { Wallet } from "./wallets.ts";

/** `afterMs`: how long the node needs before it answers. */
export type Answered = {
  readonly status: number; readonly body: string; readonly afterMs: number;
};

const nodeMethods = new Map(Object.entries({ ...node.methods }));
const fileMethods = new Map(Object.entries({ ...wallets.methods }));
const tillMethods = new Map(Object.entries({ ...wallets.tillMethods }));
const walletMethods = new Map(Object.entries({ ...wallet.methods, ...coins.methods }));

/** All that can be called, in the order of the alphabet. */
export const methodNames: readonly string[] = [
  ...nodeMethods.keys(), ...fileMethods.keys(), ...tillMethods.keys(), ...walletMethods.keys(),
  "stop", "help",
].toSorted((a, b) => (a < b ? -1 : 1));

/** More of anything than one request has. */
const requestLimits = { depthMax: 10, nodesMax: 100_000 };

/** What the node answers to this body at `nowMs`; `state`: what is wrong with it. */
export function answer(
  chain: Chain, path: string, body: string, nowMs: number, state: State = healthy(chain.config),
): Answered {
  settle(chain, nowMs);
  const named = walletNameOf(path);
  if (named === undefined) return { status: 404, body: "", afterMs: 0 };
  const parsed = parse(body, requestLimits);
  if (!parsed.ok) return single({ id: null, isNew: false }, no(-32700, "Parse error"));
  const context: Context = { chain, view: viewOf(chain, "bitcoind"), state, nowMs };
  const { value } = parsed;
  if (!Array.isArray(value)) {
    const one = call(context, named, value);
    return single(one, one.said);
  }
  const all = (value as readonly Json[]).map((item) => call(context, named, item));
  const told = all.filter(({ isSilent }) => !isSilent);
  const afterMs = all.reduce((sum, one) => sum + (one.said.ok ? one.said.afterMs : 0), 0);
  if (told.length === 0 && all.length > 0) return { status: 204, body: "", afterMs };
  const members = told.map((one) => write(memberOf(one, one.said)));
  return { status: 200, body: `[${members.join(",")}]\n`, afterMs };
}

/** The wallet that a path names, "" for none; `undefined`: no such path. */
function walletNameOf(path: string): string | undefined {
  if (path === "/" || path === "") return "";
  return path.startsWith("/wallet/") ? path.slice("/wallet/".length) : undefined;
}

/** `isNew`: version 2.0 of JSON-RPC. */
type Asker = { readonly id: Json; readonly isNew: boolean };
type Called = Asker & { readonly said: Said; readonly isSilent: boolean };

function call(context: Context, named: string, request: Json): Called {
  const isNew = field(request, "jsonrpc") === "2.0";
  const id = field(request, "id");
  const asker = { id: id ?? null, isNew, isSilent: isNew && id === undefined };
  if (!isFields(request)) return { ...asker, said: no(-32600, "Invalid Request object") };
  const method = textOf(field(request, "method"));
  if (method === undefined) return { ...asker, said: no(-32600, "Method must be a string") };
  return { ...asker, said: run(context, named, method, field(request, "params")) };
}

function run(context: Context, named: string, name: string, params: Json | undefined): Said {
  const { state } = context;
  if (state.warmUp !== undefined) return no(-28, state.warmUp);
  if (name === "stop") return said("Bitcoin Core stopping");
  if (name === "help") return said(methodNames.join("\n"));
  const ofNode = nodeMethods.get(name) ?? tillMethods.get(name);
  const ofFile = state.hasWallets ? fileMethods.get(name) : undefined;
  const ofWallet = state.hasWallets ? walletMethods.get(name) : undefined;
  const method = ofNode ?? ofFile ?? ofWallet;
  if (method === undefined) return no(-32601, "Method not found");
  const read = argsOf(name, method.params, params);
  if (!read.ok) return read;
  if (tillMethods.has(name) && isKeyless(context, named)) {
    return no(-4, "Error: Private keys are disabled for this wallet");
  }
  const simple = ofNode ?? ofFile;
  if (simple !== undefined) return simple.run(context, read.args);
  const one = walletFor(context, named);
  return "code" in one ? one : ofWallet!.run(context, read.args, one);
}

function isKeyless({ chain }: Context, named: string): boolean {
  return named !== "" && chain.wallets.get(named)?.hasKeys === false;
}

function walletFor(
  { chain, state }: Context, named: string,
): Wallet | Extract<Said, { ok: false }> {
  const loaded = state.isLoading ? []
    : [...chain.wallets.values()].filter(({ isLoaded }) => isLoaded);
  if (named !== "") {
    return loaded.find(({ name }) => name === named) ?? no(-18, wallets.notLoaded);
  }
  const [only] = loaded;
  if (only === undefined) {
    return no(-18, "No wallet is loaded. Load a wallet using loadwallet or create a new one with "
      + "createwallet. (Note: A default wallet is no longer automatically created)");
  }
  if (loaded.length === 1) return only;
  return no(-19, "Multiple wallets are loaded. Please select which wallet to use by requesting "
    + "the RPC through the /wallet/<walletname> URI path.");
}

function single(asker: Asker & { isSilent?: boolean }, outcome: Said): Answered {
  const afterMs = outcome.ok ? outcome.afterMs : 0;
  if (asker.isSilent === true) return { status: 204, body: "", afterMs };
  const body = `${write(memberOf(asker, outcome))}\n`;
  return { status: asker.isNew || outcome.ok ? 200 : statusOf(outcome.code), body, afterMs };
}

function statusOf(code: number): number {
  switch (code) {
    case -32600: return 400;
    case -32601: return 404;
    default: return 500;
  }
}

function memberOf({ id, isNew }: Asker, outcome: Said): Value {
  const error = outcome.ok ? null : { code: outcome.code, message: outcome.message };
  const result = outcome.ok ? outcome.value : null;
  if (!isNew) return { result, error, id: echoed(id) };
  return outcome.ok ? { jsonrpc: "2.0", result, id: echoed(id) }
    : { jsonrpc: "2.0", error, id: echoed(id) };
}

/** An id comes back as it was sent; one that is a list or an object is none. */
function echoed(id: Json): Value {
  if (id === null || typeof id === "string" || typeof id === "boolean") return id;
  return isNumeral(id) ? id : null;
}
