/**
 * `dogwatch doctor`: looks at everything a maker needs, and says what to do about what is missing.
 *
 * Rule 1: all at once, each within a limit of its own: the whole takes no longer than the slowest.
 * Rule 2: it changes nothing: a small file in the data directory is written and removed, and the
 * lock is taken for a moment if it is free.
 * @module
 */
import { type Ambient, createAmbient } from "../adapters/ambient.ts";
import type { MakerSettings } from "../adapters/config/maker-settings.ts";
import type { Parsed } from "../adapters/config/schema.ts";
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
import { type Flags, loadMaker, tellProblems } from "./flags.ts";
import { makerFolder } from "./history-file.ts";
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

/** The exit code: 0 if nothing failed, 1 if something did, 2 if there is no configuration. */
export async function doctor(flags: Flags, io: Io): Promise<number> {
  const patient = read(flags, io);
  if (patient === undefined) return exits.usage;
  const findings = await examine(patient, createAmbient(), limits, (text) => io.err(`${text}\n`));
  const isWell = findings.every(({ state }) => state !== "fail");
  const json = (): string => `${JSON.stringify({ ok: isWell, findings: findings.map(plain) })}\n`;
  io.out(flags.json === true ? json() : table(findings));
  return isWell ? exits.ok : exits.failed;
}

function plain({ what, state, seen, fix }: Finding): object {
  return { what, state, seen, fix: fix ?? null };
}

function read(flags: Flags, io: Io): Patient | undefined {
  const loaded = loadMaker(flags, io);
  if (!loaded.ok) {
    tellProblems(io, loaded.problems);
    return undefined;
  }
  const { settings, read: { settings: { parsed, dataDir } } } = loaded;
  return {
    settings, folder: makerFolder(dataDir), secrets: secretsOf(parsed),
    control: controlOf(parsed, settings), path: io.env["PATH"],
  };
}

function controlOf({ tor }: Parsed, { password }: MakerSettings): ControlSpec | undefined {
  const { control: address, control_cookie: cookie } = tor;
  if (address === undefined) return undefined;
  return { address, password, cookiePath: cookie === "" ? undefined : cookie };
}

function secretsOf({ bitcoind, notify, tor }: Parsed): Patient["secrets"] {
  return [
    ["bitcoind.auth", bitcoind.auth], ["tor.control_password", tor.control_password],
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
  let over = 0;
  const found = await Promise.all(checks.map(async (check) => {
    const findings = await within(check, ambient);
    over += 1;
    say(`dogwatch: ${over} of ${checks.length}: ${check.what}`);
    return findings;
  }));
  return [...found.flat(), clock({ ...told, wallMs: ambient.wall().unixMs })];
}

type Told = { -readonly [name in keyof Omit<Evidence, "wallMs">]: Evidence[name] };

/** What others may come to say of the time. */
function nothingTold(): Told {
  return { blockMs: undefined, peersAheadS: undefined, consensus: undefined };
}
