/**
 * JSON-RPC as Bitcoin Core speaks it over HTTP: bodies of requests, and what came back.
 *
 * Rule 1: several calls travel as one batch. Core answers them one after the other, so that they
 * are close together in time, but not at one instant: whoever needs one tip asks for it twice.
 * Rule 2: an id is the request's serial and the call's place. An answer with another id is somebody
 * else's (a gateway that mixes up connections) and none is taken from it.
 * Rule 3: the body decides, not the status: Core sends errors with 500, 404, 400 or, as JSON-RPC
 * 2.0, with 200. Without a body that is JSON, the status tells who spoke instead of the node.
 * Rule 4: a fault holds no text of the server: numbers of errors and our own words only.
 * @module
 */
import { assert } from "../assert.ts";
import { isFields, parse, type Fields, type Json, type Limits } from "../joinmarket/json.ts";
import { unavailable, type Reason, type Unavailable } from "./chain.ts";
import { field, integerOf, listOf, textOf } from "./fields.ts";

export type Param =
  | null | boolean | number | string | readonly Param[] | { readonly [key: string]: Param };

/** A method and its positional parameters. */
export type Call = readonly [method: string, ...params: Param[]];

/** What one call came to. */
export type Outcome =
  | { readonly ok: true; readonly result: Json }
  | { readonly ok: false; readonly code: number; readonly message: string };

export type Reply =
  | { readonly ok: true; readonly outcomes: readonly Outcome[] }
  | Unavailable;

/** The numbers of Core's errors that mean something to us (`src/rpc/protocol.h`). */
export const codes = {
  misc: -1, wallet: -4, unknown: -5, notConnected: -9, initialDownload: -10, walletMissing: -18,
  warmUp: -28, walletLoaded: -35, noMethod: -32601,
} as const;

/** The body of a request; a batch when there are several calls. */
export function encode(calls: readonly Call[], serial: number): string {
  assert(calls.length > 0, "a request asks for something");
  const [first, ...rest] = calls.map(([method, ...params], place) => (
    { jsonrpc: "1.0", id: idOf(serial, place), method, params }
  ));
  return JSON.stringify(rest.length === 0 ? first : [first, ...rest]);
}

function idOf(serial: number, place: number): string {
  return `${serial}.${place}`;
}

/** What came back for the `count` calls of request `serial`, in their order. */
export function decode(
  status: number, body: string, serial: number, count: number, limits: Limits,
): Reply {
  const foreign = ofStatus(status);
  if (foreign !== undefined) return foreign;
  const parsed = parse(body, limits);
  if (!parsed.ok) return notJson(status, body);
  const whole = outcomeOf(parsed.value);
  if (count === 1) {
    if (whole === undefined) return nonsense("rpc-shape", "neither a result nor an error");
    return isOurs(parsed.value, serial, 0) || isWholesale(parsed.value, whole)
      ? { ok: true, outcomes: [whole] } : nonsense("rpc-id", "the answer to another request");
  }
  // A batch that could not even be read gets one error for all of it.
  if (whole !== undefined && !whole.ok && isWholesale(parsed.value, whole)) {
    return { ok: true, outcomes: Array.from({ length: count }, () => whole) };
  }
  return batch(parsed.value, serial, count);
}

/** Statuses that no node sends with an answer; `undefined`: the body is to be read. */
function ofStatus(status: number): Unavailable | undefined {
  switch (status) {
    case 200: case 400: case 404: case 500: return undefined;
    case 401: return unavailable("credentials", "rpc-unauthorized", unauthorizedText);
    case 403: return unavailable("refused", "rpc-forbidden", forbiddenText);
    case 429: case 503: return unavailable("busy", "rpc-busy", "the node has too much to do");
    case 502: case 504:
      return unavailable("unreachable", "rpc-gateway", "a gateway answers, the node does not");
    default: return nonsense("rpc-status", `no node answers with HTTP status ${status}`);
  }
}

const unauthorizedText = "wrong user or password; is this the cookie file of the running node?";
const forbiddenText = "the node forbids it: see rpcallowip and rpcwhitelist";

function notJson(status: number, body: string): Unavailable {
  if (body.trim() === "") return nonsense("rpc-empty", `HTTP status ${status} without a body`);
  if (/^\s*</.test(body)) return nonsense("rpc-html", "a page of HTML: no node listens there");
  return nonsense("rpc-json", "not JSON, or cut off");
}

function nonsense(code: string, text: string): Unavailable {
  return unavailable("nonsense", code, text);
}

function isOurs(j: Json, serial: number, place: number): boolean {
  return field(j, "id") === idOf(serial, place);
}

/** An error that is about the request as a whole names no call. */
function isWholesale(j: Json, outcome: Outcome): boolean {
  return !outcome.ok && (field(j, "id") ?? null) === null;
}

function batch(j: Json, serial: number, count: number): Reply {
  const items = listOf(j);
  if (items === undefined) return nonsense("rpc-shape", "one answer to a batch of calls");
  if (items.length !== count) return nonsense("rpc-shape", "too few or too many answers");
  const outcomes: Outcome[] = [];
  for (let place = 0; place < count; place += 1) {
    // In order, as Core sends them, or looked for: JSON-RPC lets a server answer in any order.
    const at = isOurs(items[place]!, serial, place) ? items[place]!
      : items.find((item) => isOurs(item, serial, place));
    if (at === undefined) return nonsense("rpc-id", "the answer to another request");
    const outcome = outcomeOf(at);
    if (outcome === undefined) return nonsense("rpc-shape", "neither a result nor an error");
    outcomes.push(outcome);
  }
  return { ok: true, outcomes };
}

/** One answer, in the style of JSON-RPC 1.0 (both members) or 2.0 (one of them). */
function outcomeOf(j: Json): Outcome | undefined {
  if (!isFields(j)) return undefined;
  const error = j.fields.get("error") ?? null;
  return error === null ? resultOf(j) : errorOf(j, error);
}

function resultOf(j: Fields): Outcome | undefined {
  const result = j.fields.get("result");
  return result === undefined ? undefined : { ok: true, result };
}

function errorOf(j: Fields, error: Json): Outcome | undefined {
  const code = integerOf(field(error, "code"));
  if (code === undefined || (j.fields.get("result") ?? null) !== null) return undefined;
  return { ok: false, code, message: textOf(field(error, "message")) ?? "" };
}

/** What an error of a call means when the sequence it belongs to has no use for it. */
export function ofError(code: number, message: string): Unavailable {
  const name = `rpc-error-${code < 0 ? -code : code}`;
  return unavailable(reasonOf(code, message), name, textOfCode(code));
}

/** `-4` and `-1` stand for many things that only the message tells apart. */
function reasonOf(code: number, message: string): Reason {
  switch (code) {
    case codes.warmUp: return "warming-up";
    case codes.walletMissing: case codes.walletLoaded: return "wallet";
    case codes.notConnected: case codes.initialDownload: return "syncing";
    case codes.noMethod: return "too-old";
    case codes.wallet: case codes.misc:
      if (/already loading/i.test(message)) return "wallet-loading";
      if (/rescanning|another rescan/i.test(message)) return "rescanning";
      if (/prune/i.test(message)) return "pruned";
      return code === codes.wallet ? "wallet" : "refused";
    default: return "refused";
  }
}

function textOfCode(code: number): string {
  switch (code) {
    case codes.warmUp: return "the node is starting";
    case codes.walletMissing: return "the node has no such wallet loaded";
    case codes.noMethod: return "the node lacks this call, or was built without wallets";
    default: return `the node answers with error ${code}`;
  }
}
