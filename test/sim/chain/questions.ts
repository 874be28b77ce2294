/**
 * The core's own backends asking the stand-in chain, without a network between.
 * @module
 */
import assert from "node:assert/strict";
import type { Answer, Effect, Question, Wish } from "../../../core/chain/chain.ts";
import * as esplora from "../../../core/chain/esplora.ts";
import { mono } from "../../../core/time.ts";
import { mine } from "../../../sim/chain/blocks.ts";
import * as chains from "../../../sim/chain/chain.ts";
import type { Chain, Config, Face } from "../../../sim/chain/chain.ts";
import type { Outage } from "../../../sim/chain/faults.ts";
import { answer } from "../../../sim/chain/rpc.ts";
import { ask } from "../../../sim/chain/serve.ts";
import { askOver, config as bitcoindConfig, watch, type Asking } from "../../support/bitcoind.ts";

/** A morning of 2026, in ms. */
export const startMs = 1_795_298_700_000;
export const dayMs = 86_400_000;

/** A small keypool: what is watched has to be derived first. */
export const config: Config = { ...chains.defaults, keypool: 25 };

/** Of the recorded wallet, as far as this chain derives. */
export const asking = { ...bitcoindConfig, indexMax: 20 };

/** A chain of `blocks` blocks, one every ten minutes, the last of them at `startMs`. */
export function chainOf(blocks = 130, other: Partial<Config> = {}): Chain {
  const c = chains.create({ ...config, ...other }, startMs);
  for (let i = blocks - 1; i >= 0; i -= 1) mine(c.ledger, 1, startMs - i * 600_000);
  return c;
}

/** The address of ours at this place. */
export function ours(index: number, mixdepth = 0, branch: 0 | 1 = 0): string {
  const at = watch.find((one) => one.mixdepth === mixdepth && one.branch === branch)!;
  return config.addressOf(at.descriptor, index);
}

export type Life = { nowMs: number; outages: readonly Outage[] };

/** A Bitcoin Core backend's question, through what is wrong at each instant. */
export function core(
  c: Chain, question: Question, life: Life = { nowMs: startMs, outages: [] },
): Asking {
  return askOver(asking, question, (wish) => {
    const reply = replyTo(c, "bitcoind", wish, life);
    return reply.type === "timeout" || reply.type === "failed" ? "timeout" : reply;
  });
}

type Got =
  | { readonly type: "replied"; readonly status: number; readonly body: string }
  | { readonly type: "timeout" }
  | { readonly type: "failed"; readonly reason: "refused" | "reset" };

function replyTo(c: Chain, face: Face, wish: Wish, life: Life): Got {
  const reply = ask(c, life.outages, face, wish, life.nowMs);
  switch (reply.type) {
    case "silent": return { type: "timeout" };
    case "failed":
      assert.ok(reply.reason === "refused" || reply.reason === "reset");
      return { type: "failed", reason: reply.reason };
    case "replied": break;
  }
  if (reply.afterMs >= wish.timeoutMs) {
    life.nowMs += wish.timeoutMs;
    return { type: "timeout" };
  }
  life.nowMs += reply.afterMs;
  const { status, body } = reply;
  return { type: "replied", status, body };
}

export const light: esplora.Config = {
  ...esplora.defaults, network: "regtest", gapMax: 5,
  branches: watch.map(({ mixdepth, branch }) => ({ mixdepth, branch })),
};

/** An Esplora backend's question; the host derives as the chain does. */
export function lite(
  c: Chain, question: Question, life: Life = { nowMs: startMs, outages: [] },
): Answer {
  const m = esplora.create(light);
  const out: Effect[] = [];
  esplora.step(m, { type: "asked", token: 3, question }, mono(0), out);
  for (let round = 0; round < 1_000; round += 1) {
    const effects = out.splice(0);
    for (const effect of effects) {
      switch (effect.type) {
        case "answered": return effect.answer;
        case "derive": {
          const { mixdepth, branch, from, count } = effect;
          const addresses = Array.from({ length: count }, (_, i) => (
            ours(from + i, mixdepth, branch)
          ));
          esplora.step(m, { type: "given", token: 3, addresses }, mono(0), out);
          break;
        }
        case "request": {
          const got = replyTo(c, "esplora", effect, life);
          if (got.type === "replied") {
            const { status, body } = got;
            esplora.step(m, { type: "replied", token: 3, status, body }, mono(0), out);
          } else {
            const reason = got.type === "timeout" ? "timeout" : got.reason;
            esplora.step(m, { type: "failed", token: 3, reason }, mono(0), out);
          }
          break;
        }
        case "progress": case "withdraw": break;
      }
    }
  }
  return assert.fail("no answer after a thousand requests");
}

/** One call as an operator types it; its result, or the error's number. */
export function call(
  c: Chain, method: string, params: readonly unknown[] = [], wallet = "", nowMs = startMs,
): unknown {
  const path = wallet === "" ? "/" : `/wallet/${wallet}`;
  const body = JSON.stringify({ jsonrpc: "1.0", id: "t", method, params });
  const told = JSON.parse(answer(c, path, body, nowMs).body) as {
    result: unknown; error: { code: number } | null;
  };
  return told.error === null ? told.result : told.error.code;
}

/** One fault of one server, for ever. */
export function only(face: Face, fault: Outage["fault"]): Life {
  const untilMs = Number.MAX_SAFE_INTEGER;
  return { nowMs: startMs, outages: [{ face, fault, fromMs: 0, untilMs }] };
}
