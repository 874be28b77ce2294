/**
 * One call of barkd's REST interface: how it is read, what it can come to, and in which words.
 *
 * Rule 1: the words of errors are those by which the real one can be told from others; a caller
 * sees a status and a message, nothing more.
 * @module
 */
import { integer, isFields, parse, type Json } from "../../core/joinmarket/json.ts";
import { write, type Value } from "../chain/json.ts";
import type { Barkd, Trouble, Wallet, World } from "./state.ts";

/** `wait`: the answer comes by `drain`, under this number. */
export type Told =
  | {
    readonly type: "told"; readonly status: number; readonly body: string;
    readonly afterMs: number; readonly isProgress?: boolean;
  }
  | { readonly type: "waiting"; readonly wait: number };

export type Context = {
  readonly w: World; readonly b: Barkd;
  readonly query: ReadonlyMap<string, string>;
  /** What stands where the path has a name in braces. */
  readonly named: string;
  readonly body: Json | undefined;
};

export type Call = (context: Context, wallet: Wallet) => Told;
export type OpenCall = (context: Context) => Told;

export function told(value: Value, afterMs: number): Told {
  return { type: "told", status: 200, body: write(value), afterMs };
}

/** A text, without quotation marks around it. */
export function plain(status: number, body: string, afterMs: number): Told {
  return { type: "told", status, body, afterMs };
}

export function wrong(status: number, message: string, afterMs: number): Told {
  return { type: "told", status, body: write({ message }), afterMs };
}

/** What a wallet could not do, as barkd says it. */
export function failed({ b }: Context, trouble: Trouble): Told {
  const { text, afterMs } = trouble;
  switch (trouble.why) {
    case "absent": {
      const message = `VTXO with id ${trouble.ids[0] ?? ""} not found`;
      return plain(404, write({ message, resources: trouble.ids }), afterMs);
    }
    case "bad": return wrong(400, text, afterMs);
    case "rejected": return wrong(500, text, afterMs);
    case "unavailable": return wrong(500, unavailableText(b, trouble), afterMs);
  }
}

/** As `failed`, of a refresh: what the server said stands in quotation marks. */
export function refused(context: Context, trouble: Trouble): Told {
  if (trouble.ok || trouble.why !== "rejected") return failed(context, trouble);
  const { ids, text, afterMs } = trouble;
  const isOwn = text.startsWith("VTXO");
  if (isOwn) return wrong(500, text, afterMs);
  if (ids.length === 0) return wrong(500, `output is below dust limit: ${text}`, afterMs);
  return wrong(500, `Error submitting round participation: ${quoted("Client specified an "
    + "invalid argument", text)}`, afterMs);
}

function quoted(code: string, text: string): string {
  return `status: code: '${code}', message: ${JSON.stringify(text)}`;
}

function unavailableText(b: Barkd, trouble: Trouble & { why: "unavailable" }): string {
  const { reason, text } = trouble;
  switch (reason) {
    case "server-down":
      if (b.session === undefined) return `Failed to connect to Ark server: ${text}`;
      return `rpc failed: ${quoted("The service is currently unavailable", text)}`;
    case "server-key": return "The server public key has changed";
    case "version": return `version mismatch. client 4 to 5, ${text}`;
    case "network": return `network mismatch. expected regtest, ${text}`;
    case "chain": return `chain source error: ${text}`;
    case "busy": return `already in progress: ${text}`;
    case "unreachable": case "timeout": case "auth": case "no-wallet": case "malformed":
    case "unasked": case "other":
      return text;
  }
}

/** The member of a body, if it is an object that has it. */
export function memberOf(body: Json | undefined, name: string): Json | undefined {
  return isFields(body) ? body.fields.get(name) : undefined;
}

/** The texts of a list; `undefined`: it is none. */
export function textsOf(j: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(j)) return undefined;
  const list = j as readonly Json[];
  const texts = list.filter((one) => typeof one === "string");
  return texts.length === list.length ? texts : undefined;
}

/** A whole number that may be missing or null; `"wrong"`: something else. */
export function optionalOf(j: Json | undefined): number | undefined | "wrong" {
  return j === undefined || j === null ? undefined : integer(j) ?? "wrong";
}

const bodyLimits = { depthMax: 10, nodesMax: 20_000 };

/** A body that is JSON, or none. */
export function bodyOf(text: string): { readonly ok: boolean; readonly body: Json | undefined } {
  if (text === "") return { ok: true, body: undefined };
  const parsed = parse(text, bodyLimits);
  return parsed.ok ? { ok: true, body: parsed.value } : { ok: false, body: undefined };
}

const noQuery: ReadonlyMap<string, string> = new Map();

/** A path and its query, with `%XX` resolved in the latter. */
export function targetOf(target: string): {
  readonly path: string; readonly query: ReadonlyMap<string, string>;
} {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: noQuery };
  const [path = "", rest = ""] = target.split("?", 2);
  const query = new Map<string, string>();
  for (const pair of rest.split("&")) {
    const at = pair.indexOf("=");
    if (at > 0) query.set(pair.slice(0, at), plainOf(pair.slice(at + 1)));
  }
  return { path, query };
}

function plainOf(text: string): string {
  return text.replaceAll("+", " ").replaceAll(/%[0-9A-Fa-f]{2}/g, (code) => (
    String.fromCharCode(Number(`0x${code.slice(1)}`))
  ));
}
