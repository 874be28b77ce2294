/**
 * `dogwatch maker`: one maker in the foreground. SIGUSR2 looks at the coins now.
 * @module
 */
import { addressText } from "../adapters/address.ts";
import type { Log } from "../adapters/log.ts";
import { type Flags, makerIn } from "./flags.ts";
import { foreground } from "./foreground.ts";
import type { Io } from "./io.ts";
import { type MakerDaemon, start } from "./run-maker.ts";
import { sentences } from "./sentences-maker.ts";

/** Runs until a signal ends it; the exit code. */
export function maker(flags: Flags, io: Io): Promise<number> {
  return foreground({
    name: "maker", settingsIn: makerIn, sentences, start, tellReady,
    look: (daemon) => daemon.rescan(),
  }, flags, io);
}

function tellReady(daemon: MakerDaemon, io: Io, log: Log): void {
  const http = addressText(daemon.http);
  const { nick } = daemon.status();
  const listen = daemon.listen === undefined ? null : addressText(daemon.listen);
  io.out(`${JSON.stringify({ event: "maker.ready", nick, http, listen })}\n`);
  log.log("info", "run.maker-ready", { nick, http });
}
