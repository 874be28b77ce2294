/**
 * A Bitcoin Core node as a table of methods, and the recorded answers of a real one.
 * @module
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as bitcoind from "../../core/chain/bitcoind.ts";
import type { Answer, Effect, Question, Wish } from "../../core/chain/chain.ts";
import { mono } from "../../core/time.ts";

/** One recorded exchange. */
export type Exchange = {
  readonly name: string;
  readonly path: string;
  readonly request: Asked | readonly Asked[] | null | undefined;
  readonly status: number;
  readonly responseText: string | undefined;
};
type Asked = { readonly id: string; readonly method: string; readonly params: readonly unknown[] };

export function recorded(file: string): readonly Exchange[] {
  const path = `test/vectors/bitcoind/${file}.json`;
  return (JSON.parse(fs.readFileSync(path, "utf8")) as { exchanges: Exchange[] }).exchanges;
}

/** The recorded result of the exchange of this name, as JSON text. */
export function resultOf(file: string, name: string): string {
  const found = recorded(file).find((exchange) => exchange.name === name);
  const text = found?.responseText ?? "";
  const at = text.lastIndexOf(",\"error\":null");
  assert.ok(text.startsWith("{\"result\":") && at > 0, `no result of ${name}`);
  return text.slice("{\"result\":".length, at);
}

const tpub84 = "tpubDCk3o4ZbqTFzAcvCwYZrToUfRjZzJLzKNbU5em9k96ceTacFHLHXcbWWmzjceLCTqptMyC16N" +
  "mSxKE4EiWgyNx4U6EYDaJffg28d4sY6U4V";
const tpub86 = "tpubDDnFzULJf7UykSUAHXXH1cKQYe1WseJaEMcbEW3WLbvy2i9MB3MmeVp3Lw5jfk9EV9noi91P3" +
  "5gvnEAxWSpusTatiC5ez5cHFHYJ2WPENnr";

/** The accounts of the recorded wallet, without checksums. */
export const accounts = {
  wpkh: `wpkh([67a47aff/84h/1h/0h]${tpub84}/<0;1>/*)`,
  tr: `tr([67a47aff/86h/1h/0h]${tpub86}/<0;1>/*)`,
};

export const watch = [
  { mixdepth: 0, branch: 0, descriptor: `wpkh([67a47aff/84h/1h/0h]${tpub84}/0/*)#sjd6lf05` },
  { mixdepth: 0, branch: 1, descriptor: `wpkh([67a47aff/84h/1h/0h]${tpub84}/1/*)#pxgmzulv` },
  { mixdepth: 1, branch: 0, descriptor: `tr([67a47aff/86h/1h/0h]${tpub86}/0/*)#w2mjfmlq` },
  { mixdepth: 1, branch: 1, descriptor: `tr([67a47aff/86h/1h/0h]${tpub86}/1/*)#l77n5w0c` },
] as const;

export const config: bitcoind.Config = {
  ...bitcoind.defaults, wallet: "watch", network: "regtest", watch, peersMin: 0, scanBlocks: 50,
};

/** What a method comes to: JSON text, or an error. */
export type Said = string | { readonly code: number; readonly message: string };
/** `undefined`: the method is not there. */
export type Node = {
  readonly [method: string]: Said | ((...params: readonly unknown[]) => Said);
};

export const error = (code: number, message = ""): Said => ({ code, message });

/** The body with which `node` answers. */
export function replyOf(node: Node, wish: Wish): { status: number; body: string } {
  const asked = JSON.parse(wish.body) as Asked | readonly Asked[];
  if (Array.isArray(asked)) {
    const all = (asked as readonly Asked[]).map((one) => memberOf(node, one).body);
    return { status: 200, body: `[${all.join(",")}]` };
  }
  return memberOf(node, asked as Asked);
}

function memberOf(node: Node, { id, method, params }: Asked): { status: number; body: string } {
  const known = Object.hasOwn(node, method) ? node[method] : undefined;
  const said = typeof known === "function" ? known(...params)
    : known ?? { code: -32601, message: "Method not found" };
  const isError = typeof said !== "string";
  const result = isError ? "null" : said;
  const trouble = isError ? JSON.stringify(said) : "null";
  return {
    status: isError ? (said.code === -32601 ? 404 : 500) : 200,
    body: `{"result":${result},"error":${trouble},"id":${JSON.stringify(id)}}`,
  };
}

export type Asking = {
  readonly answer: Answer;
  /** Each request as `path method,method`, with ` renewed` where credentials were read again. */
  readonly sent: readonly string[];
  readonly told: readonly Effect[];
};

type Reply = { readonly status: number; readonly body: string } | "timeout";
type Wire = (wish: Wish, round: number) => Reply;

/** Puts one question and lets `wire` answer each request, up to a hundred. */
export function askOver(cfg: bitcoind.Config, question: Question, wire: Wire): Asking {
  const m = bitcoind.create(cfg);
  const out: Effect[] = [];
  const sent: string[] = [];
  const told: Effect[] = [];
  bitcoind.step(m, { type: "asked", token: 7, question }, mono(0), out);
  for (let round = 1; round <= 100; round += 1) {
    const wish = out.find((effect) => effect.type === "request");
    const answered = out.find((effect) => effect.type === "answered");
    told.push(...out.filter((effect) => effect.type === "progress"));
    assert.ok((wish === undefined) !== (answered === undefined), "one request or the answer");
    if (answered !== undefined) {
      assert.equal(bitcoind.isQuiet(m), true);
      return { answer: answered.answer, sent, told };
    }
    assert.equal(wish!.token, 7);
    sent.push(lineOf(wish!));
    out.length = 0;
    const reply = wire(wish!, round);
    if (reply === "timeout") {
      bitcoind.step(m, { type: "failed", token: 7, reason: "timeout" }, mono(0), out);
    } else bitcoind.step(m, { type: "replied", token: 7, ...reply }, mono(0), out);
  }
  return assert.fail("no answer after a hundred requests");
}

export function ask(question: Question, node: Node, cfg: bitcoind.Config = config): Asking {
  return askOver(cfg, question, (wish) => replyOf(node, wish));
}

function lineOf(wish: Wish): string {
  const asked = JSON.parse(wish.body) as Asked | readonly Asked[];
  const all = Array.isArray(asked) ? asked as readonly Asked[] : [asked as Asked];
  return `${wish.path} ${all.map(({ method }) => method).join(",")}${wish.renew ? " renewed" : ""}`;
}

/** Why nothing could be said, or what was said instead. */
export function reasonOf(answer: Answer): string {
  if (answer.ok) return `found ${answer.ask}`;
  return answer.why === "absent" ? "absent" : answer.reason;
}

export const hashAt = (height: number, branch = 0): string =>
  `${branch.toString(16).padStart(8, "0")}${height.toString(16).padStart(56, "0")}`;

/** `getblockchaininfo` at a height, with what is to be different. */
export function chainAt(height: number, other: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    chain: "regtest", blocks: height, headers: height, bestblockhash: hashAt(height),
    time: 1_795_298_712, mediantime: 1_795_298_711, initialblockdownload: false, pruned: false,
    ...other,
  });
}

const address0 = "bcrt1qrqfavdzrhxsnnxwz6ck0035mrm96qpap0srxh9";

/** A node at height 130 with the recorded wallet, nothing in it. */
export const quiet: Node = {
  getblockchaininfo: chainAt(130),
  getbestblockhash: JSON.stringify(hashAt(130)),
  getnetworkinfo: "{\"version\":300000,\"connections\":8}",
  getmempoolinfo: "{\"loaded\":true}",
  getindexinfo: "{\"txindex\":{\"synced\":true,\"best_block_height\":130}}",
  getwalletinfo: "{\"private_keys_enabled\":false,\"descriptors\":true,\"scanning\":false}",
  listwallets: "[\"watch\"]",
  listwalletdir: "{\"wallets\":[{\"name\":\"watch\"}]}",
  listdescriptors: JSON.stringify({
    descriptors: watch.map(({ descriptor }) => ({ desc: descriptor, range: [0, 999] })),
  }),
  deriveaddresses: JSON.stringify([address0]),
  getaddressinfo: "{\"ismine\":true,\"labels\":[]}",
  listunspent: "[]",
  listlockunspent: "[]",
  listreceivedbyaddress: "[]",
  gettransaction: error(-5, "Invalid or non-wallet transaction id"),
  getrawtransaction: error(-5, "No such mempool or blockchain transaction."),
};
