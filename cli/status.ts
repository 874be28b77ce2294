/**
 * `dogwatch status` and `dogwatch healthcheck`: ask the running daemons over their HTTP addresses.
 *
 * Rule 1: with `--http` that address is asked, whatever daemon it is.
 * Rule 2: otherwise those daemons are asked that have left a note in the data directory; without
 * any, those of maker and Ark wallets that are configured, else the directory. `--only` names one.
 * Rule 3: a daemon's address is the configuration's; where that is the default or lets the system
 * choose, its note is asked first.
 * Rule 4: all must answer, and all be ready: the worst of them makes the exit code.
 * @module
 */
import { addressText, parseAddress, type Address } from "../adapters/address.ts";
import { createAmbient } from "../adapters/ambient.ts";
import { load, type Loaded } from "../adapters/config.ts";
import { type Asked, getJson, type Readiness } from "../adapters/http.ts";
import { cleanText } from "../adapters/log.ts";
import { exits } from "./exit.ts";
import { configFile, type Flags, flagSettings, tellProblems } from "./flags.ts";
import type { Io } from "./io.ts";
import { type DaemonName, folderOf, readNote } from "./runtime.ts";
import { arkText } from "./status-ark.ts";
import { arkStatusIn, makerStatusIn, readinessIn, statusIn } from "./status-check.ts";
import { makerText } from "./status-maker.ts";
import { statusText } from "./status-text.ts";

const answerMsMax = 5_000;
const names: readonly DaemonName[] = ["directory", "maker", "ark"];

/** With `--only NAME` one daemon is asked. */
export type StatusFlags = Flags & { readonly only?: string };

/** Somebody to ask; `name` is undefined where only the address is known. */
type Where = { readonly name: DaemonName | undefined; readonly address: Address };

/** What one of them said: its body for programs and its text for people. */
type Answer = {
  readonly ok: true; readonly where: Where; readonly body: unknown; readonly text: string;
  readonly exit: number;
};
type Said = Answer | { readonly ok: false; readonly exit: number };

/** Prints what the daemons say of themselves. */
export async function status(flags: StatusFlags, io: Io): Promise<number> {
  return askAll(flags, io, "/status", (where, asked) => {
    const { code, body } = asked;
    const ark = where.name === undefined || where.name === "ark" ? arkStatusIn(code, body)
      : undefined;
    if (ark !== undefined) {
      return { ok: true, where, body: ark, text: arkText(ark), exit: exits.ok };
    }
    const isMaker = where.name === undefined || where.name === "maker";
    const maker = isMaker ? makerStatusIn(code, body) : undefined;
    if (maker !== undefined) {
      return { ok: true, where, body: maker, text: makerText(maker), exit: exits.ok };
    }
    const isOther = where.name === "maker" || where.name === "ark";
    const directory = isOther ? undefined : statusIn(code, body);
    if (directory === undefined) return foreign(where, io);
    return { ok: true, where, body: directory, text: statusText(directory), exit: exits.ok };
  });
}

/** One line for each daemon: 0 ready, 1 not ready, 3 no answer. */
export async function healthcheck(flags: StatusFlags, io: Io): Promise<number> {
  return askAll(flags, io, "/readyz", (where, asked, isAlone) => {
    const told = readinessIn(asked.code, asked.body);
    if (told === undefined) return foreign(where, io);
    const { ready, reasons } = told;
    const name = isAlone || where.name === undefined ? "" : `${where.name}: `;
    const exit = ready ? exits.ok : exits.failed;
    return { ok: true, where, body: { ready, reasons }, text: `${name}${line(told)}\n`, exit };
  });
}

function line({ ready, reasons }: Readiness): string {
  const why = reasons.map(cleanText).join("; ");
  return [ready ? "ready" : "not ready", why].filter((part) => part !== "").join(": ");
}

type Judge = (
  where: Where, asked: Extract<Asked, { ok: true }>, isAlone: boolean,
) => Said;

/** Asks everybody at once and prints the answers, the directory's first. */
async function askAll(
  flags: StatusFlags, io: Io, path: string, judge: Judge,
): Promise<number> {
  const all = everybody(flags, io);
  if (all === undefined) return exits.usage;
  const isAlone = all.length === 1;
  const ambient = createAmbient();
  const asked = await Promise.all(all.map(
    ({ address }) => getJson(address, path, answerMsMax, ambient),
  ));
  const said = all.map((where, at): Said => {
    const one = asked[at];
    return one?.ok === true ? judge(where, one, isAlone) : unreachable(where, one, io);
  });
  print(said.filter((one) => one.ok), flags.json === true, isAlone, io);
  return Math.max(...said.map(({ exit }) => exit));
}

function print(answers: readonly Answer[], isJson: boolean, isAlone: boolean, io: Io): void {
  if (answers.length === 0) return;
  if (isJson) return io.out(`${JSON.stringify(whole(answers, isAlone))}\n`);
  // An empty line between reports, none between single lines.
  const isLong = answers.some(({ text }) => text.indexOf("\n") < text.length - 1);
  io.out(answers.map(({ text }) => text).join(isLong ? "\n" : ""));
}

/** One answer stands for itself; several are told apart by the daemon's name. */
function whole(answers: readonly Answer[], isAlone: boolean): unknown {
  if (isAlone) return answers[0]?.body;
  return Object.fromEntries(answers.map(({ where, body }) => [where.name, body]));
}

/** Whom to ask; says why there is nobody. */
function everybody(flags: StatusFlags, io: Io): readonly Where[] | undefined {
  if (flags.only !== undefined && !names.some((name) => name === flags.only)) {
    io.err(`dogwatch: --only ${cleanText(flags.only)}: name one of ${names.join(", ")}\n`);
    return undefined;
  }
  const loaded = loadAsking(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return undefined;
  }
  if (flags.http === undefined) {
    return expected(flags.only, loaded).map((name) => ({ name, address: chosen(loaded, name) }));
  }
  const { http: address } = loaded.settings;
  const name = names.find((one) => one === flags.only);
  if (address.kind === "unix" || address.port !== 0) return [{ name, address }];
  io.err(
    `dogwatch: --http ${flags.http}: port 0 cannot be asked, it lets a daemon choose its port; ` +
      "name that port, or the daemon's --data-dir\n",
  );
  return undefined;
}

/** The settings by which a daemon is asked. */
export function loadAsking(flags: Flags, io: Io): Loaded {
  // Asking a daemon elsewhere is not listening there: `http_remote` has no say in it.
  const asking = { key: "directory.http_remote", flag: "of the question", raw: true };
  return load({
    file: configFile(flags, io), env: io.env, flags: [...flagSettings(flags), asking],
  });
}

type Good = Extract<Loaded, { ok: true }>;

function expected(only: string | undefined, { settings }: Good): readonly DaemonName[] {
  const { dataDir, parsed } = settings;
  if (only !== undefined) return names.filter((name) => name === only);
  const noted = names.filter((name) => readNote(folderOf(dataDir, name), name) !== undefined);
  if (noted.length > 0) return noted;
  const { maker, ark } = parsed;
  const configured = names.filter((name) => (name === "maker" && maker.directories.length > 0)
    || (name === "ark" && ark.wallet.length > 0));
  return configured.length > 0 ? configured : ["directory"];
}

/** Where a daemon of this configuration is asked. */
export function chosen({ settings, entries }: Good, name: DaemonName): Address {
  const { dataDir, parsed } = settings;
  const http = name === "directory" ? settings.http : parsed[name].http;
  const origin = entries.find((entry) => entry.key.key === `${name}.http`)?.origin;
  const isOpen = origin?.from === "default" || (http.kind === "tcp" && http.port === 0);
  const noted = isOpen ? readNote(folderOf(dataDir, name), name)?.http : undefined;
  return (noted === undefined ? undefined : parseAddress(noted)) ?? http;
}

function unreachable(where: Where, asked: Asked | undefined, io: Io): Said {
  const why = asked?.ok === false ? cleanText(asked.text) : "no answer";
  io.err(
    `dogwatch: no ${where.name ?? "directory"} answers at ${addressText(where.address)} ` +
      `(${why}); is it running? ` +
      "Name its address with --http, or its --data-dir or --config\n",
  );
  return { ok: false, exit: exits.unreachable };
}

function foreign(where: Where, io: Io): Said {
  io.err(
    `dogwatch: ${addressText(where.address)} answers, but not as a Dogwatch ` +
      `${where.name ?? "directory"}; ` +
      "another program may hold the address: name the daemon's with --http\n",
  );
  return { ok: false, exit: exits.unreachable };
}
