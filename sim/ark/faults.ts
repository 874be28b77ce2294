/**
 * What goes wrong around an Ark wallet, as data.
 *
 * Rule 1: a fault is a plain value with a place: the wallet's program, its chain source, or the Ark
 * server. It holds from one instant to another; nothing is drawn by lot here.
 * Rule 2: faults of the server and of the chain source change what happens; faults of the program
 * spoil an answer that was right (`spoil`), or keep it from being asked.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { RequestFailure } from "../../core/kernel/io.ts";

/** Of a wallet's program, as its host sees it over HTTP. */
export type BarkdFault =
  /** Nobody listens. At the end a new process starts, without what the old one had in memory. */
  | { readonly kind: "refusing" | "restarting" }
  /** The connection is taken and broken; no answer ever comes; it comes late. */
  | { readonly kind: "closing" | "silent" }
  | { readonly kind: "slow"; readonly ms: number }
  /** The token is another one; the program runs without a wallet. */
  | { readonly kind: "denied" | "no-wallet" }
  /** A gateway speaks; the body is empty; only its first thousandths arrive. */
  | { readonly kind: "html"; readonly status: number }
  | { readonly kind: "empty" }
  | { readonly kind: "truncated"; readonly permille: number }
  /** A version to come: more members, states that nobody knows. */
  | { readonly kind: "newer" }
  /** A version gone by: a member is not there. */
  | { readonly kind: "without"; readonly member: string }
  /** Every list has many times as many items. */
  | { readonly kind: "bloated"; readonly times: number };

/** Of the Ark server. */
export type ServerFault =
  /** Nobody listens; packets vanish; connections are taken and closed; answers come late. */
  | { readonly kind: "down" | "black-hole" | "closing" }
  | { readonly kind: "slow"; readonly ms: number }
  /** What it says of itself is not what a wallet can take. */
  | { readonly kind: "version"; readonly min: number; readonly max: number }
  | { readonly kind: "network"; readonly network: string }
  | { readonly kind: "fees" | "key" }
  /** Rounds fail; no round begins any more; everything is refused. */
  | { readonly kind: "failing-rounds" | "no-rounds" | "rejecting" }
  /** Hostile: replays and closes; delivers one message and closes; says nothing on streams. */
  | { readonly kind: "replay-close" | "one-and-close" | "mute" }
  /** Hostile: this many round events every second, at most 100; numbers that mean nothing. */
  | { readonly kind: "storm"; readonly perSecond: number }
  | { readonly kind: "wild-numbers" }
  /** Hostile: a page of the mailbox always has another one after it. */
  | { readonly kind: "endless-mailbox" };

/** Of a wallet's chain source. */
export type ChainFault =
  | { readonly kind: "down" | "html" }
  | { readonly kind: "slow"; readonly ms: number }
  /** It hears of nothing new; it tells of an older chain than it knows. */
  | { readonly kind: "stale" }
  | { readonly kind: "backwards"; readonly blocks: number };

/** From the first instant to just before the second, in ms. Without a wallet: of all. */
export type Outage = { readonly fromMs: number; readonly untilMs: number } & (
  | { readonly on: "barkd"; readonly wallet?: string; readonly fault: BarkdFault }
  | { readonly on: "server"; readonly fault: ServerFault }
  | { readonly on: "chain"; readonly wallet?: string; readonly fault: ChainFault }
);

function isActive({ fromMs, untilMs }: Outage, nowMs: number): boolean {
  return nowMs >= fromMs && nowMs < untilMs;
}

const none: readonly never[] = Object.freeze([]);

/** What is wrong with a wallet's program, in the order in which the scenario names it. */
export function ofBarkd(
  outages: readonly Outage[], wallet: string, nowMs: number,
): readonly BarkdFault[] {
  if (outages.length === 0) return none;
  const found: BarkdFault[] = [];
  for (const one of outages) {
    if (one.on !== "barkd" || !isActive(one, nowMs)) continue;
    if (one.wallet === undefined || one.wallet === wallet) found.push(one.fault);
  }
  return found;
}

export function ofServer(outages: readonly Outage[], nowMs: number): readonly ServerFault[] {
  if (outages.length === 0) return none;
  const found: ServerFault[] = [];
  for (const one of outages) {
    if (one.on === "server" && isActive(one, nowMs)) found.push(one.fault);
  }
  return found;
}

/** With the instant from which it holds. */
export function ofChain(
  outages: readonly Outage[], wallet: string, nowMs: number,
): readonly (ChainFault & { readonly fromMs: number })[] {
  if (outages.length === 0) return none;
  const found: (ChainFault & { readonly fromMs: number })[] = [];
  for (const one of outages) {
    if (one.on !== "chain" || !isActive(one, nowMs)) continue;
    const isHere = one.wallet === undefined || one.wallet === wallet;
    if (isHere) found.push({ ...one.fault, fromMs: one.fromMs });
  }
  return found;
}

/** The next instant after `nowMs` at which a fault begins or ends. */
export function nextChangeMs(outages: readonly Outage[], nowMs: number): number | undefined {
  let next: number | undefined;
  for (const { fromMs, untilMs } of outages) {
    if (fromMs > nowMs && (next === undefined || fromMs < next)) next = fromMs;
    if (untilMs > nowMs && (next === undefined || untilMs < next)) next = untilMs;
  }
  return next;
}

/** `silent`: whoever waits, waits for ever. */
export type Reply =
  | {
    readonly type: "replied"; readonly status: number; readonly body: string;
    readonly isHtml: boolean; readonly afterMs: number;
  }
  | { readonly type: "failed"; readonly reason: RequestFailure }
  | { readonly type: "silent" };

/** Does the question never arrive? What it asks for is not done then. */
export function isUnheard(fault: BarkdFault): boolean {
  const { kind } = fault;
  return kind === "refusing" || kind === "restarting" || kind === "closing" || kind === "html";
}

/** The answer as it arrives. `denied` and `no-wallet` were seen to before. */
export function spoil(fault: BarkdFault, reply: Reply): Reply {
  if (reply.type !== "replied") return reply;
  const { body, status, afterMs } = reply;
  switch (fault.kind) {
    case "refusing": case "restarting": return { type: "failed", reason: "refused" };
    case "closing": return { type: "failed", reason: "reset" };
    case "silent": return { type: "silent" };
    case "slow": return { ...reply, afterMs: afterMs + fault.ms };
    case "html":
      return {
        type: "replied", status: fault.status, body: page(fault.status), isHtml: true, afterMs,
      };
    case "empty": return { ...reply, body: "" };
    case "truncated":
      return { ...reply, body: body.slice(0, Math.floor(body.length * fault.permille / 1_000)) };
    case "newer": return status === 200 ? { ...reply, body: newer(body) } : reply;
    case "without": return { ...reply, body: without(body, fault.member) };
    case "bloated": return { ...reply, body: bloated(body, fault.times) };
    case "denied": case "no-wallet": return reply;
    default: return unreachable(fault);
  }
}

function page(status: number): string {
  return `<html>\r\n<head><title>${status}</title></head>\r\n<body><h1>${status}</h1></body>\r\n`
    + "</html>\r\n";
}

const LOCKED = /\{"type":"locked"[^}]*\}/g;

/** As a newer version says it; it says nothing twice, though two faults ask for it. */
function newer(body: string): string {
  if (body.includes("\"since_9\"")) return body;
  return body.replaceAll("{\"", "{\"since_9\":{\"of\":[1,null]},\"")
    .replaceAll(LOCKED, "{\"type\":\"reserved\",\"until\":7}")
    .replaceAll("\"type\":\"awaiting-delta\"", "\"type\":\"resting\"")
    .replaceAll("\"type\":\"movement-updated\"", "\"type\":\"vtxo-renewed\"");
}

/** Takes a member with a plain value out of every object. */
function without(body: string, member: string): string {
  const plain = "(\"[^\"]*\"|[^,{}\\[\\]\"]+)";
  return body.replaceAll(new RegExp(`"${member}":${plain},`, "g"), "")
    .replaceAll(new RegExp(`,"${member}":${plain}`, "g"), "");
}

function bloated(body: string, times: number): string {
  if (!body.startsWith("[{")) return body;
  return `[${Array.from({ length: times }, () => body.slice(1, -1)).join(",")}]`;
}
