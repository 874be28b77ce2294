/**
 * Which network a wallet is of, against the one that the operator has configured.
 *
 * Rule 1: networks have the names that wallets give them, such as `bitcoin`. Where none is
 * configured, any is right; and nobody is of another network before it was said.
 * @module
 */
import type { Effect } from "./guardian-events.ts";
import type { ArkInfo } from "./wallet.ts";

/** Is it another one? `expected`: "" for any. */
export function differs(expected: string, info: ArkInfo | undefined): boolean {
  return expected !== "" && info !== undefined && info.network !== expected;
}

/** The same, of whoever looks after a wallet. */
export function isElsewhere(m: {
  readonly config: { readonly network: string }; readonly info: ArkInfo | undefined;
}): boolean {
  return differs(m.config.network, m.info);
}

/** The wallet has said so: told, where it is news that it is another one. */
export function heard(
  wallet: string, expected: string, before: ArkInfo | undefined, { network }: ArkInfo,
  out: Effect[],
): void {
  if (expected === "" || network === expected || before?.network === network) return;
  out.push({ type: "notice", notice: { kind: "ark-network", wallet, network, expected } });
  out.push({
    type: "log", level: "error", code: "ark.other-network", fields: { network, expected },
  });
}
