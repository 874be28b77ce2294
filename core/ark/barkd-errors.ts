/**
 * What it means when barkd does not do what it was asked: status, then its message.
 *
 * Rule 1: a refusal is told as one only where the words say so. A failure with other words says
 * nothing about the wallet and is `unavailable`; it is never "not there".
 * Rule 2: barkd's own words and those that it quotes from the Ark server are read apart. What a
 * server says in a quotation cannot pass for the wallet's finding that its key has changed.
 * Rule 3: of the VTXOs that a message names only those count that were asked about.
 * Rule 4: `busy` says that nothing was done, and only a status that turns away at the door does.
 * A database or a server that was too busy may have been so in the midst of the work.
 * Rule 5: a fault holds none of the reply's text, however short.
 * @module
 */
import { unreachable } from "../assert.ts";
import { field, listOf, textOf } from "../chain/fields.ts";
import { parse, type Json } from "../joinmarket/json.ts";
import type { RequestFailure } from "../kernel/io.ts";
import type { Config } from "./barkd-config.ts";
import { idOf, idsIn } from "./barkd-fields.ts";
import { unavailable, type Answer, type Op } from "./wallet.ts";

/** The answer to `op` when the reply was not a good one. */
export function ofStatus(config: Config, op: Op, status: number, body: string): Answer {
  switch (status) {
    case 401: return unavailable("auth", "barkd-unauthorized", unauthorizedText);
    case 403: return unavailable("auth", "barkd-forbidden", "something before barkd forbids it");
    case 429: case 503: return unavailable("busy", "barkd-busy", "barkd has too much to do");
    case 502: case 504:
      return unavailable("unreachable", "barkd-gateway", "a gateway answers, barkd does not");
    case 405: return noPath(op);
    case 400: case 404: case 422: case 500: break;
    default: return odd("barkd-status", `barkd does not answer with HTTP status ${status}`);
  }
  const parsed = parse(body, config.json);
  if (!parsed.ok) return notJson(status, body);
  if (status === 404 && typeof parsed.value === "string") return noPath(op);
  const message = textOf(field(parsed.value, "message"))?.slice(0, config.messageMax);
  if (message === undefined) return odd("barkd-shape", `status ${status} without a message`);
  switch (status) {
    case 400: return ofBadRequest(config, op, message);
    case 404: return ofNotFound(config, op, message, parsed.value);
    case 422: return ofUnprocessable(message);
    case 500: return ofInternal(config, op, message);
    default: return unreachable(status); /* c8 ignore next */
  }
}

const unauthorizedText = "wrong token; is the token file the one of this barkd?";

/** A reply that is none. */
export function odd(code: string, text: string): Answer {
  return unavailable("malformed", code, text);
}

/** A body that must have been JSON. */
export function notJson(status: number, body: string): Answer {
  if (body.trim() === "") return odd("barkd-empty", `HTTP status ${status} without a body`);
  if (/^\s*</.test(body)) return odd("barkd-html", "a page of HTML: no barkd listens there");
  // The framework that barkd stands on refuses what it cannot read in plain words.
  if (status === 422) return unavailable("version", "barkd-body", bodyText);
  return odd("barkd-json", "not JSON, or cut off");
}

const bodyText = "barkd does not understand the request: it is of another version";

/** barkd knows no such path; only what came with a later version may be missing. */
function noPath(op: Op): Answer {
  if (op.op === "exit-fee") return { ok: false, why: "unsupported" };
  return unavailable("version", "barkd-path", "barkd has no such call: it is of another version");
}

/** What became of a request without a reply. */
export function ofFailure(failure: RequestFailure): Answer {
  switch (failure) {
    case "refused":
      return unavailable("unreachable", "barkd-refused", "nobody listens at this address");
    case "unreachable":
      return unavailable("unreachable", "barkd-unreachable", "no way leads to this address");
    case "reset":
      return unavailable("unreachable", "barkd-reset", "the connection broke before the answer");
    case "denied":
      return unavailable("unreachable", "barkd-denied", "no connection or no token is to be had");
    case "timeout": return unavailable("timeout", "barkd-timeout", "no answer in time");
    case "too-large": return odd("barkd-too-large", "the answer is larger than the host takes");
    case "malformed": return odd("barkd-malformed", "the answer is not HTTP");
    default: return unreachable(failure); /* c8 ignore next */
  }
}

/** The VTXOs that `op` is about. */
function askedBy(op: Op): readonly string[] {
  return "vtxos" in op ? op.vtxos : [];
}

/** The asked ones among those that `text` names. */
function namedIn(config: Config, op: Op, text: string): readonly string[] {
  const asked = new Set(askedBy(op));
  return idsIn(text, config.listMax).filter((id) => asked.has(id));
}

function rejected(code: string, text: string, ids: readonly string[]): Answer {
  return { ok: false, why: "rejected", fault: { code, text }, ids };
}

const other = (code: string, text: string): Answer => unavailable("other", code, text);

/** barkd found the request wrong before it did anything. */
function ofBadRequest(config: Config, op: Op, message: string): Answer {
  const ids = namedIn(config, op, message);
  if (op.op === "exit-fee" && ids.length > 0) {
    return rejected("barkd-no-exit", "a VTXO is unknown, dust, exited or spent", ids);
  }
  if (op.op === "claim" && /destination address|configured network/i.test(message)) {
    return rejected("barkd-destination", "no address of the wallet's network", []);
  }
  if (op.op === "claim" && /unspendable vtxo/i.test(message)) return notClaimable();
  if (op.op === "refresh" && /no vtxos? to refresh/i.test(message)) {
    return rejected("barkd-nothing", "the wallet finds nothing to refresh in these", []);
  }
  return other("barkd-400", "barkd calls the request wrong");
}

/** Not now, which may change with a block. */
function notClaimable(): Answer {
  return other("barkd-not-claimable", "an exit is not claimable, or no longer");
}

/** The wallet's own finding that it has no such VTXO, not that it could not look. */
const unknownVtxo = /the VTXO with id \S+ cannot be found|vtxo with id \S+ not found/i;

function ofNotFound(config: Config, op: Op, message: string, j: Json): Answer {
  if (/not connected to an ark server/i.test(message)) {
    return unavailable("server-down", "barkd-never-connected", neverText);
  }
  const listed = new Set((listOf(field(j, "resources")) ?? []).map((item) => idOf(item)));
  const ids = askedBy(op).filter((id) => listed.has(id));
  if (ids.length > 0 && unknownVtxo.test(message)) return gone(op, ids);
  return other("barkd-404", "barkd does not find what it was asked for, and not why");
}

const neverText = "the wallet has not reached its Ark server since barkd started";

/** Alone it is simply not there; of several the others may be fine. */
function gone(op: Op, ids: readonly string[]): Answer {
  if (ids.length === askedBy(op).length) return { ok: false, why: "absent" };
  return rejected("barkd-unknown-vtxo", "the wallet does not have every VTXO that was named", ids);
}

function ofUnprocessable(message: string): Answer {
  if (/^no wallet set$/i.test(message)) {
    return unavailable("no-wallet", "barkd-no-wallet", "barkd runs, but without a wallet");
  }
  if (/no onchain wallet/i.test(message)) {
    return other("barkd-no-onchain", "barkd has no on-chain wallet");
  }
  return other("barkd-422", "barkd cannot do this as it is set up");
}

/** A message of barkd taken apart: its own words, and the call to the server that it quotes. */
type Words = {
  readonly own: string;
  /** What kind of failure the server's reply was, in the words of the gRPC library. */
  readonly kind: string;
  /** The server's own words. */
  readonly quoted: string;
};

function wordsOf(message: string): Words {
  const found = /code: '([^'\n]{1,100})'(?:, message: "((?:[^"\\]|\\.)*)"?)?/.exec(message);
  if (found === null) return { own: message, kind: "", quoted: "" };
  return {
    own: message.slice(0, found.index), kind: found[1] ?? "", quoted: found[2] ?? "",
  };
}

/** Something failed on the way; the message is all there is. */
function ofInternal(config: Config, op: Op, message: string): Answer {
  const words = wordsOf(message);
  return ofServer(words) ?? ofCoins(config, op, words) ?? ofReach(op, words)
    ?? other("barkd-500", "barkd failed, in words that are not known here");
}

/** Between the wallet and its server something does not fit, and will not by itself. */
function ofServer({ own, quoted }: Words): Answer | undefined {
  if (/server (?:mailbox )?public key has changed/i.test(own)) {
    return unavailable("server-key", "barkd-server-key", keyText);
  }
  if (/version mismatch\. client/i.test(own)) {
    return unavailable("version", "barkd-server-version", versionText);
  }
  if (/network mismatch\. expected/i.test(own)) {
    return unavailable("network", "barkd-server-network", "the Ark server is of another network");
  }
  if (/invalid fee schedule|invalid ark info/i.test(own)) {
    return unavailable("server-down", "barkd-server-nonsense", "the Ark server tells nonsense");
  }
  if (/client version is too old/i.test(quoted)) {
    return unavailable("version", "barkd-server-version", versionText);
  }
  return undefined;
}

const keyText = "the Ark server's key is not the one that the wallet knows: exit is the way";
const versionText = "the wallet and its Ark server have no version in common";

/** What the wallet or the server finds wrong with the coins that were named. */
function ofCoins(config: Config, op: Op, words: Words): Answer | undefined {
  if (op.op === "refresh") return ofRefresh(config, op, words);
  if (op.op === "exit") return ofExit(config, op, words);
  return op.op === "claim" ? ofClaim(words) : undefined;
}

function ofExit(config: Config, op: Op, { own }: Words): Answer | undefined {
  if (!/dust limit error|non-standard vtxo|vtxo already (?:exited|spent)/i.test(own)) {
    return undefined;
  }
  const text = "a VTXO is too small to be exited, or was already";
  return rejected("barkd-no-exit", text, namedIn(config, op, own));
}

function ofClaim({ own }: Words): Answer | undefined {
  if (/vtxo not spendable error/i.test(own)) return notClaimable();
  if (!/claim fee exceeds output/i.test(own)) return undefined;
  return other("barkd-claim-fee", "a claim would cost more than it brings at this fee rate");
}

function ofRefresh(config: Config, op: Op, { own, kind, quoted }: Words): Answer | undefined {
  if (unknownVtxo.test(own)) {
    const ids = namedIn(config, op, own);
    return ids.length === 0 ? undefined : gone(op, ids);
  }
  if (/vtxo amount must be at least|exceeds amount|below dust limit/i.test(own)) {
    return rejected("barkd-dust", "too little to pay for a refresh", []);
  }
  if (!/submitting round participation|register input vtxo/i.test(own)) return undefined;
  if (!refusals.test(kind)) return undefined;
  return rejected("barkd-refused", "the Ark server refuses it", namedIn(config, op, quoted));
}

/** gRPC's codes 3 and 5, in the words of the wallet's library. */
const refusals =
  /^(?:client specified an invalid argument|some requested entity was not found)$/i;

const noServer = new RegExp([
  "failed to connect to ark server", "handshake request failed", "error getting ark info",
  "should be connected to ark server", "server not available",
].join("|"), "i");
const noChain = new RegExp([
  "chain source error", "error syncing on-chain wallet", "tip retrieval failure",
  "transaction retrieval failure", "block retrieval failure", "not a blockhash", "esplora",
  "bitcoind", "reqwest\\(", "httpresponse \\{", "parseinterror",
].join("|"), "i");

/** Somebody whom the wallet needs was not there. */
function ofReach(op: Op, { own, kind, quoted }: Words): Answer | undefined {
  if (noServer.test(own)) return unavailable("server-down", "barkd-server-down", downText);
  const isOfChain = kind === "" && (op.op === "tip" || op.op === "sync-onchain");
  if (isOfChain || noChain.test(own)) {
    return unavailable("chain", "barkd-chain", "the wallet's chain source fails");
  }
  if (/insufficient confirmed funds|insufficient funds/i.test(own)) {
    return other("barkd-funds", "the wallet's confirmed on-chain funds do not suffice");
  }
  if (/database is locked|already in progress/i.test(own)) {
    return other("barkd-locked", "the wallet is at work on the same thing");
  }
  if (/authorization expired/i.test(quoted)) {
    return other("barkd-clock", "the wallet's clock is not that of its Ark server");
  }
  return ofKind(kind);
}

/** What the gRPC library calls the failure of a call to the Ark server. */
function ofKind(kind: string): Answer | undefined {
  switch (kind) {
    case "The service is currently unavailable": case "The operation was cancelled":
    case "Deadline expired before operation could complete":
      return unavailable("server-down", "barkd-server-down", downText);
    case "Internal error": case "Unknown error":
      return unavailable("server-down", "barkd-server-failed", "the Ark server fails");
    case "Some resource has been exhausted":
      return unavailable("server-down", "barkd-server-busy", "the Ark server has too much to do");
    case "Operation is not implemented or not supported":
      return unavailable("version", "barkd-server-version", versionText);
    default: return undefined;
  }
}

const downText = "the wallet does not reach its Ark server";
