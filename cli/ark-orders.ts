/**
 * What the operator trusts, on its way to the daemon that runs: a small file in its folder, and a
 * signal. Who may write there is the operator; its HTTP address has no access control.
 *
 * Rule 1: an order names what was looked at, so that it means nothing once something else is shown.
 * Rule 2: an order is taken once, and is gone then, whatever came of it.
 * @module
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../adapters/bounded.ts";
import type { Shown } from "../core/ark/intents.ts";

/** The path of the order for a wallet. */
export function orderPath(folder: string, wallet: string): string {
  return join(folder, `trust-${wallet}.json`);
}

/** Leaves an order in one piece. Throws where it cannot be written. */
export function leaveOrder(folder: string, wallet: string, { wallet: is, server }: Shown): void {
  const path = orderPath(folder, wallet);
  const fresh = `${path}.${process.pid}`;
  // The daemon may be another user's than the operator is just now; nothing in it is secret.
  writeFileSync(fresh, `${JSON.stringify({ wallet: is ?? null, server: server ?? null })}\n`, {
    mode: 0o644,
  });
  renameSync(fresh, path);
}

/** Takes an order away that nobody took. */
export function dropOrder(folder: string, wallet: string): void {
  rmSync(orderPath(folder, wallet), { force: true });
}

const orderBytesMax = 4_096;

/** Takes the order for a wallet; `undefined`: there is none that can be read, or taken away. */
export function takeOrder(folder: string, wallet: string): Shown | undefined {
  const path = orderPath(folder, wallet);
  const read = readText(path, orderBytesMax);
  if (!read.ok) return undefined;
  try {
    rmSync(path);
    const { wallet: is, server } = (JSON.parse(read.text) ?? {}) as Record<string, unknown>;
    return { wallet: textOf(is), server: textOf(server) };
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
