/**
 * What goes wrong between a question and its answer, as data.
 *
 * Rule 1: a fault is a plain value. Some say what is wrong with the node (`stateOf`): its answers
 * are true then, and are about that. The others spoil an answer that was right (`spoil`).
 * Rule 2: an outage is a fault of one server from one instant to another; nothing is drawn by lot
 * here, so that a scenario tells all.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import { genesis } from "../../core/chain/esplora-says.ts";
import type { RequestFailure } from "../../core/kernel/io.ts";
import { healthy, type Config, type Face, type State } from "./chain.ts";

export type Fault =
  /** Nobody listens; the connection breaks; no answer ever comes; it comes late. */
  | { readonly kind: "refusing" | "reset" | "silent" }
  | { readonly kind: "slow"; readonly ms: number }
  /** The password is not the right one; a gateway or a web server speaks instead. */
  | { readonly kind: "denied" | "busy" | "empty" }
  | { readonly kind: "html"; readonly status: number }
  /** Only the first part of the answer arrives, in thousandths. */
  | { readonly kind: "truncated"; readonly permille: number }
  /** The answer to somebody else's question; amounts as a computer's floats; amounts as `50.0`. */
  | { readonly kind: "wrong-id" | "float-amounts" | "short-amounts" | "other-network" }
  /** The server hears of nothing new. Takes effect by `serve.update`. */
  | { readonly kind: "stale" }
  /** The node starts; has no peers; reads its old mempool; has not looked at all blocks. */
  | { readonly kind: "warm-up" | "alone" | "mempool-loading" | "initial" }
  | { readonly kind: "syncing"; readonly headersAhead: number }
  | { readonly kind: "pruned"; readonly below: number }
  /** Wallets are being loaded; or the node was built without. */
  | { readonly kind: "wallet-loading" | "no-wallets" };

export type Outage = {
  readonly face: Face; readonly fault: Fault;
  /** From the first instant to just before the second, in ms. */
  readonly fromMs: number; readonly untilMs: number;
};

/** `silent`: whoever waits, waits for ever. */
export type Reply =
  | {
    readonly type: "replied"; readonly status: number; readonly body: string;
    readonly isHtml: boolean; readonly afterMs: number;
  }
  | { readonly type: "failed"; readonly reason: RequestFailure }
  | { readonly type: "silent" };

/** The faults of a server at an instant, in the order in which the scenario names them. */
export function activeAt(
  outages: readonly Outage[], face: Face, nowMs: number,
): readonly Fault[] {
  return outages.filter((one) => one.face === face && nowMs >= one.fromMs && nowMs < one.untilMs)
    .map(({ fault }) => fault);
}

/** The next instant after `nowMs` at which a fault begins or ends. */
export function nextChangeMs(outages: readonly Outage[], nowMs: number): number | undefined {
  let next: number | undefined;
  for (const atMs of outages.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs])) {
    if (atMs > nowMs && (next === undefined || atMs < next)) next = atMs;
  }
  return next;
}

/** What the node says of itself under these faults. */
export function stateOf(config: Config, faults: readonly Fault[]): State {
  let state = healthy(config);
  for (const fault of faults) state = worsened(state, fault);
  return state;
}

function worsened(state: State, fault: Fault): State {
  switch (fault.kind) {
    case "warm-up": return { ...state, warmUp: "Verifying blocks…" };
    case "alone": return { ...state, peers: 0 };
    case "mempool-loading": return { ...state, isMempoolLoaded: false };
    case "initial": return { ...state, isInitial: true };
    case "syncing": return { ...state, headersAhead: fault.headersAhead };
    case "pruned": return { ...state, prunedBelow: fault.below };
    case "wallet-loading": return { ...state, isLoading: true };
    case "no-wallets": return { ...state, hasWallets: false };
    case "refusing": case "reset": case "silent": case "slow": case "denied": case "busy":
    case "empty": case "html": case "truncated": case "wrong-id": case "float-amounts":
    case "short-amounts": case "other-network": case "stale":
      return state;
    default: return unreachable(fault);
  }
}

/** The answer as it arrives. */
export function spoil(fault: Fault, reply: Reply): Reply {
  if (reply.type !== "replied") return reply;
  const { body, status, afterMs } = reply;
  const page = (code: number, text: string): Reply => (
    { type: "replied", status: code, body: text, isHtml: true, afterMs }
  );
  switch (fault.kind) {
    case "refusing": return { type: "failed", reason: "refused" };
    case "reset": return { type: "failed", reason: "reset" };
    case "silent": return { type: "silent" };
    case "slow": return { ...reply, afterMs: afterMs + fault.ms };
    case "denied": return page(401, "");
    case "busy": return page(503, "Work queue depth exceeded");
    case "empty": return page(status, "");
    case "html": return page(fault.status, htmlOf(fault.status));
    case "truncated":
      return { ...reply, body: body.slice(0, Math.floor(body.length * fault.permille / 1_000)) };
    case "wrong-id": return { ...reply, body: body.replaceAll(/"id":"/g, "\"id\":\"other-") };
    case "float-amounts": return { ...reply, body: floated(body) };
    case "short-amounts": return { ...reply, body: shortened(body) };
    case "other-network": return { ...reply, body: ofMainnet(body) };
    case "stale": case "warm-up": case "alone": case "mempool-loading": case "initial":
    case "syncing": case "pruned": case "wallet-loading": case "no-wallets":
      return reply;
    default: return unreachable(fault);
  }
}

function htmlOf(status: number): string {
  const title = `${status} Bad Gateway`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1>`
    + "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
}

const AMOUNT = /(:-?[0-9]+)\.([0-9]{8})(?=[,}])/g;
const WHOLE = /("value":[0-9]+)(?=[,}])/g;

/** What remains of an amount in the hands of somebody who adds tenths in binary. */
function floated(body: string): string {
  return body.replaceAll(AMOUNT, "$1.$200000004").replaceAll(WHOLE, "$1.0000000298");
}

function shortened(body: string): string {
  return body.replaceAll(AMOUNT, (_, whole: string, fraction: string) => (
    `${whole}.${fraction[0] ?? "0"}${fraction.slice(1).replace(/0+$/, "")}`
  ));
}

function ofMainnet(body: string): string {
  return body.replace("\"chain\":\"regtest\"", "\"chain\":\"main\"")
    .replaceAll(genesis.regtest, genesis.mainnet);
}
