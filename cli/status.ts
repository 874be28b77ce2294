/**
 * `dogwatch status` and `dogwatch healthcheck`: ask a running daemon over its HTTP address.
 *
 * Rule 1: the address is the flag's or the configuration's; where that is the default or lets the
 * system choose, the note in the data directory is asked first.
 * @module
 */
import { addressText, parseAddress, type Address } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import type { Loaded } from "../adapters/config.ts";
import { type Asked, getJson } from "../adapters/http.ts";
import type { Status } from "../core/directory/status.ts";
import { exits } from "./exit.ts";
import { type Flags, loadFlags, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { readNote } from "./runtime.ts";
import { statusText } from "./status-text.ts";

const answerMsMax = 5_000;

/** Prints what the daemon says of itself. */
export async function status(flags: Flags, io: Io): Promise<number> {
  const where = addressOf(flags, io);
  if (where === undefined) return exits.usage;
  const asked = await getJson(where, "/status", answerMsMax, createAmbient());
  if (!asked.ok) return unreachable(where, asked, io);
  const { body } = asked;
  if (asked.code !== 200 || !isStatus(body)) {
    io.err(`dogwatch: ${addressText(where)} answers, but not as a Dogwatch directory\n`);
    return exits.unreachable;
  }
  io.out(flags.json === true ? `${JSON.stringify(body)}\n` : statusText(body));
  return exits.ok;
}

/** One line: 0 ready, 1 not ready, 3 no answer. */
export async function healthcheck(flags: Flags, io: Io): Promise<number> {
  const where = addressOf(flags, io);
  if (where === undefined) return exits.usage;
  const asked = await getJson(where, "/readyz", answerMsMax, createAmbient());
  if (!asked.ok) return unreachable(where, asked, io);
  const { ready, reasons } = asked.body as { ready?: unknown; reasons?: unknown };
  if (typeof ready !== "boolean") {
    io.err(`dogwatch: ${addressText(where)} answers, but not as a Dogwatch directory\n`);
    return exits.unreachable;
  }
  const why = Array.isArray(reasons) ? reasons.map(String) : [];
  const line = [ready ? "ready" : "not ready", why.join("; ")].filter((s) => s !== "").join(": ");
  io.out(flags.json === true ? `${JSON.stringify({ ready, reasons: why })}\n` : `${line}\n`);
  return ready ? exits.ok : exits.failed;
}

function addressOf(flags: Flags, io: Io): Address | undefined {
  const loaded = loadFlags(flags, io);
  if (loaded.ok) return chosen(loaded);
  tellProblems(io, loaded.problems);
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
    `dogwatch: no directory answers at ${addressText(where)} (${asked.text}); ` +
      "is it running? Name its address with --http, or its --data-dir or --config\n",
  );
  return exits.unreachable;
}

function isStatus(body: unknown): body is Status {
  const { schema, peers } = body as { schema?: unknown; peers?: unknown };
  return schema === 1 && typeof peers === "object" && peers !== null;
}
