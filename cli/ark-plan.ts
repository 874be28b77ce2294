/**
 * What is planned for every VTXO of every wallet: as the daemon serves it, and as text for people.
 * @module
 */
import { cleanText } from "../adapters/log.ts";
import type { Ark } from "../core/ark/node.ts";
import { lines, plan, type Plan } from "../core/ark/plan.ts";
import type { Mono } from "../core/time.ts";

export type Plans = { readonly schema: 1; readonly wallets: readonly Plan[] };

/** Rows of all wallets together: what a client reads is bounded, and a row is a third of a KiB. */
const rowsMax = 8_000;
const rowsOfWalletMax = 1_000;
const rowsOfWalletMin = 8;

/** The plans of all wallets at `now`; what expires last is left out where there is too much. */
export function plansOf(root: Ark, now: Mono): Plans {
  const { nodes } = root;
  const share = Math.floor(rowsMax / Math.max(1, nodes.length));
  const rows = Math.max(rowsOfWalletMin, Math.min(rowsOfWalletMax, share));
  return { schema: 1, wallets: nodes.map(({ guardian }) => plan(guardian, now, rows)) };
}

/** The answer to `/plan`, or `undefined` when it is none. */
export function plansIn(code: number, body: unknown): Plans | undefined {
  const { schema, wallets } = (body ?? {}) as Partial<Plans>;
  if (code !== 200 || schema !== 1 || !Array.isArray(wallets)) return undefined;
  return wallets.every(isPlan) ? { schema, wallets } : undefined;
}

/** Is it one that `lines` can read? A daemon of another version is told from none by that. */
function isPlan(one: unknown): one is Plan {
  try {
    const { wallet } = one as Plan;
    return typeof wallet === "string" && lines(one as Plan).length > 0;
  } catch {
    return false;
  }
}

/** All plans, an empty line between two wallets. */
export function plansText({ wallets }: Plans): string {
  return wallets.map((one) => lines(one).map((line) => `${cleanText(line)}\n`).join("")).join("\n");
}
