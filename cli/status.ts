/**
 * `dogwatch status` and `dogwatch healthcheck`: ask a running daemon over its HTTP address.
 *
 * Rule 1: the address is the flag's or the configuration's; where that is the default or lets the
 * system choose, the note in the data directory is asked first.
 * @module
 */
import { addressText, parseAddress, type Address } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { load, type Loaded } from "../adapters/config.ts";
import { type Asked, getJson } from "../adapters/http.ts";
import { cleanText } from "../adapters/log.ts";
import { exits } from "./exit.ts";
import { configFile, type Flags, flagSettings, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { readNote } from "./runtime.ts";
import { readinessIn, statusIn } from "./status-check.ts";
import { statusText } from "./status-text.ts";

const answerMsMax = 5_000;

/** Prints what the daemon says of itself. */
export async function status(flags: Flags, io: Io): Promise<number> {
  const where = addressOf(flags, io);
  if (where === undefined) return exits.usage;
  const asked = await getJson(where, "/status", answerMsMax, createAmbient());
  if (!asked.ok) return unreachable(where, asked, io);
  const told = statusIn(asked.code, asked.body);
  if (told === undefined) return foreign(where, io);
  io.out(flags.json === true ? `${JSON.stringify(told)}\n` : statusText(told));
  return exits.ok;
}

/** One line: 0 ready, 1 not ready, 3 no answer. */
export async function healthcheck(flags: Flags, io: Io): Promise<number> {
  const where = addressOf(flags, io);
  if (where === undefined) return exits.usage;
  const asked = await getJson(where, "/readyz", answerMsMax, createAmbient());
  if (!asked.ok) return unreachable(where, asked, io);
  const told = readinessIn(asked.code, asked.body);
  if (told === undefined) return foreign(where, io);
  const { ready, reasons } = told;
  const why = reasons.map(cleanText).join("; ");
  const line = [ready ? "ready" : "not ready", why].filter((s) => s !== "").join(": ");
  io.out(flags.json === true ? `${JSON.stringify({ ready, reasons })}\n` : `${line}\n`);
  return ready ? exits.ok : exits.failed;
}

/** The address to ask; says why there is none. */
function addressOf(flags: Flags, io: Io): Address | undefined {
  // Asking a daemon elsewhere is not listening there: `http_remote` has no say in it.
  const asking = { key: "directory.http_remote", flag: "of the question", raw: true };
  const loaded = load({
    file: configFile(flags, io), env: io.env, flags: [...flagSettings(flags), asking],
  });
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return undefined;
  }
  const { http } = loaded.settings;
  if (flags.http === undefined || http.kind === "unix" || http.port !== 0) return chosen(loaded);
  io.err(
    `dogwatch: --http ${flags.http}: port 0 cannot be asked, it lets a daemon choose its port; ` +
      "name that port, or the daemon's --data-dir\n",
  );
  return undefined;
}

function chosen({ settings, entries }: Extract<Loaded, { ok: true }>): Address {
  const { http, dataDir } = settings;
  const origin = entries.find((entry) => entry.key.key === "directory.http")?.origin;
  const isOpen = origin?.from === "default" || (http.kind === "tcp" && http.port === 0);
  const noted = isOpen ? readNote(dataDir)?.http : undefined;
  return (noted === undefined ? undefined : parseAddress(noted)) ?? http;
}

function unreachable(where: Address, asked: Extract<Asked, { ok: false }>, io: Io): number {
  io.err(
    `dogwatch: no directory answers at ${addressText(where)} (${cleanText(asked.text)}); ` +
      "is it running? Name its address with --http, or its --data-dir or --config\n",
  );
  return exits.unreachable;
}

function foreign(where: Address, io: Io): number {
  io.err(
    `dogwatch: ${addressText(where)} answers, but not as a Dogwatch directory; ` +
      "another program may hold the address: name the daemon's with --http\n",
  );
  return exits.unreachable;
}
