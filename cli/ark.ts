/**
 * `dogwatch ark`: the daemon of Ark wallets in the foreground; and `dogwatch ark plan`, which asks
 * the one that runs. SIGUSR2 takes what the operator trusts and looks at all wallets now.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { getJson } from "../adapters/http.ts";
import { cleanText, type Log } from "../adapters/log.ts";
import { plansIn, plansText } from "./ark-plan.ts";
import { exits } from "./exit.ts";
import { arkIn, type Flags, tellProblems } from "./flags.ts";
import { foreground } from "./foreground.ts";
import type { Io } from "./io.ts";
import { type ArkDaemon, start } from "./run-ark.ts";
import { sentences } from "./sentences-ark.ts";
import { chosen, loadAsking } from "./status.ts";

/** Runs until a signal ends it; the exit code. */
export function ark(flags: Flags, io: Io): Promise<number> {
  return foreground({
    name: "ark", settingsIn: arkIn, sentences, start, tellReady, look: (daemon) => daemon.look(),
  }, flags, io);
}

function tellReady(daemon: ArkDaemon, io: Io, log: Log): void {
  const http = addressText(daemon.http);
  const wallets = daemon.status().total;
  io.out(`${JSON.stringify({ event: "ark.ready", wallets, http })}\n`);
  log.log("info", "run.ark-ready", { wallets, http });
}

/** A thousand wallets' plans take a moment to write down. */
const answerMsMax = 10_000;

/** Prints what is planned for each VTXO, of the named wallet or of all. */
export async function plan(
  wallet: string | undefined, flags: Flags, io: Io,
): Promise<number> {
  const loaded = loadAsking(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return exits.usage;
  }
  const at = flags.http === undefined ? chosen(loaded, "ark") : loaded.settings.http;
  const asked = await getJson(at, "/plan", answerMsMax, createAmbient());
  const plans = asked.ok ? plansIn(asked.code, asked.body) : undefined;
  if (plans === undefined) {
    const why = asked.ok ? "it answers, but not as this daemon" : cleanText(asked.text);
    io.err(`dogwatch: no daemon of Ark wallets answers at ${addressText(at)} (${why}); is it ` +
      "running? Name its address with --http, or its --data-dir or --config\n");
    return exits.unreachable;
  }
  const wallets = plans.wallets.filter((one) => wallet === undefined || one.wallet === wallet);
  if (wallet !== undefined && wallets.length === 0) {
    const names = plans.wallets.map((one) => cleanText(one.wallet)).join(", ");
    io.err(`dogwatch: no wallet ${cleanText(wallet)}; there is ${names}\n`);
    return exits.usage;
  }
  const shown = { ...plans, wallets };
  io.out(flags.json === true ? `${JSON.stringify(shown)}\n` : plansText(shown));
  return exits.ok;
}
