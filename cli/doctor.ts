/**
 * `dogwatch doctor`: looks at everything that a maker, or the daemon of Ark wallets, needs, and
 * says what to do about what is missing. Those that are configured are looked at; or else a maker.
 *
 * Rule 1: all at once, each within a limit of its own: the whole takes no longer than the slowest.
 * Rule 2: it changes nothing: a small file in the data directory is written and removed, and the
 * lock is taken for a moment if it is free.
 * @module
 */
import { type Ambient, createAmbient } from "../adapters/ambient.ts";
import type { ArkSettings } from "../adapters/config/ark-settings.ts";
import type { MakerSettings } from "../adapters/config/maker-settings.ts";
import type { Parsed } from "../adapters/config/schema.ts";
import { arkWallets } from "./doctor/ark.ts";
import { type Evidence, clock } from "./doctor/clock.ts";
import { type ControlSpec, controlPort } from "./doctor/control.ts";
import { directories } from "./doctor/directories.ts";
import { server } from "./doctor/esplora.ts";
import { type Check, type Finding, within } from "./doctor/finding.ts";
import { node, type NodeTime } from "./doctor/node.ts";
import { notices } from "./doctor/notices.ts";
import { place } from "./doctor/place.ts";
import { socksPort } from "./doctor/socks.ts";
import { table } from "./doctor/table.ts";
import { exits } from "./exit.ts";
import { arkIn, type Flags, loadFlags, makerIn, tellProblems } from "./flags.ts";
import { arkFolder, makerFolder } from "./history-file.ts";
import type { Io } from "./io.ts";

/** How long a look may take, in ms. Tor may need a minute for a circuit to an onion. */
export type Limits = {
  readonly localMs: number;
  readonly viaTorMs: number;
};

export const limits: Limits = { localMs: 15_000, viaTorMs: 90_000 };

export type Patient = {
  readonly settings: MakerSettings;
  readonly folder: string;
  readonly secrets: readonly (readonly [key: string, value: string])[];
  readonly control: ControlSpec | undefined;
  /** Where programs are looked for. */
  readonly path?: string | undefined;
};

export type ArkPatient = {
  readonly settings: ArkSettings;
  readonly folder: string;
  readonly secrets: Patient["secrets"];
  readonly path?: string | undefined;
  /** Nobody else looks at what this daemon shares with a maker: Tor and notices. */
  readonly isAlone: boolean;
};

/** The exit code: 0 if nothing failed, 1 if something did, 2 if there is no configuration. */
export async function doctor(flags: Flags, io: Io): Promise<number> {
  const patients = read(flags, io);
  if (patients === undefined) return exits.usage;
  const ambient = createAmbient();
  const say = (text: string): void => io.err(`${text}\n`);
  const { maker, ark } = patients;
  const findings = (await Promise.all([
    maker === undefined ? [] : examine(maker, ambient, limits, say),
    ark === undefined ? [] : examineArk(ark, ambient, limits, say),
  ])).flat();
  const isWell = findings.every(({ state }) => state !== "fail");
  const json = (): string => `${JSON.stringify({ ok: isWell, findings: findings.map(plain) })}\n`;
  io.out(flags.json === true ? json() : table(findings));
  return isWell ? exits.ok : exits.failed;
}

function plain({ what, state, seen, fix }: Finding): object {
  return { what, state, seen, fix: fix ?? null };
}

/** Who is configured; `undefined`, and everything said, if that is not right. */
function read(
  flags: Flags, io: Io,
): { readonly maker: Patient | undefined; readonly ark: ArkPatient | undefined } | undefined {
  const loaded = loadFlags(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return undefined;
  }
  const { parsed, dataDir } = loaded.settings;
  const hasArk = parsed.ark.wallet.length > 0;
  const maker = parsed.maker.directories.length > 0 || !hasArk ? makerIn(loaded, io) : undefined;
  const ark = hasArk ? arkIn(loaded, io) : undefined;
  const problems = [maker, ark].flatMap((one) => (one?.ok === false ? one.problems : []));
  if (problems.length > 0) {
    tellProblems(io, [...new Set(problems)]);
    return undefined;
  }
  return {
    maker: maker?.ok !== true ? undefined : {
      settings: maker.settings, folder: makerFolder(dataDir), secrets: secretsOf(parsed),
      control: controlOf(parsed, maker.settings), path: io.env["PATH"],
    },
    ark: ark?.ok !== true ? undefined : {
      settings: ark.settings, folder: arkFolder(dataDir), path: io.env["PATH"],
      secrets: [
        ...parsed.ark.wallet.map(({ name, token_file }) => [`${name}: token file`, token_file]),
        ...(maker === undefined ? noticeSecretsOf(parsed) : []),
      ] as ArkPatient["secrets"],
      isAlone: maker === undefined,
    },
  };
}

function controlOf({ tor }: Parsed, { password }: MakerSettings): ControlSpec | undefined {
  const { control: address, control_cookie: cookie } = tor;
  if (address === undefined) return undefined;
  return { address, password, cookiePath: cookie === "" ? undefined : cookie };
}

function secretsOf(parsed: Parsed): Patient["secrets"] {
  const { bitcoind, tor } = parsed;
  return [
    ["bitcoind.auth", bitcoind.auth], ["tor.control_password", tor.control_password],
    ...noticeSecretsOf(parsed),
  ];
}

function noticeSecretsOf({ notify }: Parsed): Patient["secrets"] {
  return [
    ["notify.webhook_auth", notify.webhook_auth],
    ["notify.ntfy_topic", notify.ntfy_topic], ["notify.gotify_token", notify.gotify_token],
    ["notify.telegram_token", notify.telegram_token],
  ];
}

/** Looks at everything; `say` hears of each look that is over. Never rejects. */
export async function examine(
  patient: Patient, ambient: Ambient, { localMs, viaTorMs }: Limits, say: (text: string) => void,
): Promise<readonly Finding[]> {
  const { settings } = patient;
  const told = nothingTold();
  const limitOf = (target: string): number =>
    settings.targets.get(target)?.isolation === undefined ? localMs : viaTorMs;
  const tell = (time: NodeTime): void => void Object.assign(told, time);
  const checks: readonly Check[] = [
    ...place(patient, ambient, localMs),
    socksPort(settings.socks, localMs),
    controlPort(patient.control, ambient, localMs, (consensus) => (told.consensus = consensus)),
    ...directories(settings, ambient, { viaTorMs, localMs }),
    server(settings, ambient, limitOf("esplora"), tell)
      ?? node(settings, ambient, limitOf("bitcoind"), tell),
    ...notices(settings, ambient, limitOf, patient.path),
  ];
  const found = await all(checks, ambient, say);
  return [...found, clock({ ...told, wallMs: ambient.wall().unixMs })];
}

/** The same for Ark wallets. */
export async function examineArk(
  patient: ArkPatient, ambient: Ambient, { localMs, viaTorMs }: Limits,
  say: (text: string) => void,
): Promise<readonly Finding[]> {
  const { settings, folder, secrets, isAlone } = patient;
  const limitOf = (target: string): number =>
    settings.targets.get(target)?.isolation === undefined ? localMs : viaTorMs;
  const isFar = [...settings.targets.values(), ...settings.servers.values()]
    .some(({ isolation }) => isolation !== undefined);
  return all([
    ...place({ folder, secrets, daemon: "ark" }, ambient, localMs),
    ...(isAlone && isFar ? [socksPort(settings.socks, localMs)] : []),
    ...arkWallets(settings, ambient, limitOf, patient.path),
    ...(isAlone ? notices(settings, ambient, limitOf, patient.path) : []),
  ], ambient, say);
}

async function all(
  checks: readonly Check[], ambient: Ambient, say: (text: string) => void,
): Promise<readonly Finding[]> {
  let over = 0;
  const found = await Promise.all(checks.map(async (check) => {
    const findings = await within(check, ambient);
    over += 1;
    say(`dogwatch: ${over} of ${checks.length}: ${check.what}`);
    return findings;
  }));
  return found.flat();
}

type Told = { -readonly [name in keyof Omit<Evidence, "wallMs">]: Evidence[name] };

/** What others may come to say of the time. */
function nothingTold(): Told {
  return { blockMs: undefined, peersAheadS: undefined, consensus: undefined };
}
