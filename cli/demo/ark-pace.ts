/**
 * The daemon of Ark wallets at the pace of the demo and of tests: what no setting reaches.
 * @module
 */
import type { ArkConfig, WalletConfig } from "../../core/ark/config.ts";
import { growing, type Rest } from "../../core/ark/pause.ts";
import type { Policy } from "../../core/ark/policy.ts";

const soon: Rest = { ms: 0, spreadMs: 200 };
const often: Rest = { ms: 1_000, spreadMs: 500 };

/** Whoever was away is back within a moment. */
const soonAgain = growing(1_000, 2_000);

/** The same wallets, which are looked after every second or two. */
export function quickened(config: ArkConfig): ArkConfig {
  const fleet = { ...config.fleet, permille: 1_000 };
  const books = { ...config.books, everyMs: 2_000, soonMs: 1_000 };
  const news = { ...config.news, calmMs: config.news.gapMs };
  return { ...config, fleet, books, news, wallets: config.wallets.map(quick) };
}

function quick(w: WalletConfig): WalletConfig {
  return { ...w, policy: quickPolicy(w.policy), guardian: { ...w.guardian, infoMs: 2_000 } };
}

function quickPolicy(p: Policy): Policy {
  const { probe, rounds, mailbox, sync, exits } = p;
  const first = soon;
  // Where there is no call for a part, the whole is asked for: that is how rounds are fetched.
  const steps = sync.steps.map((one) => ({ ...one, everyMs: one.everyMs > 0 ? 2_000 : 0 }));
  return {
    ...p,
    probe: { ...probe, first, rest: often, retry: soonAgain, gapMs: 1_000 },
    rounds: { ...rounds, stream: { ...rounds.stream, first, wait: soonAgain } },
    mailbox: { ...mailbox, first, poll: often },
    sync: { ...sync, steps, first, rest: often, gapMs: 1_000 },
    exits: { ...exits, rota: { ...exits.rota, first, rest: often, gapMs: 1_000 } },
  };
}
