/**
 * The flags that commands share, and the settings they stand for.
 *
 * Rule 1: a flag that sets a key goes through the same schema as the file; it has no checks of its
 * own.
 * @module
 */
import { Option } from "commander";
import { type FlagSetting, load, type Loaded, relationText } from "../adapters/config.ts";
import { defaultConfigFile } from "../adapters/config/files.ts";
import { keysByName } from "../adapters/config/keys.ts";
import { arkOf, type ArkSettings } from "../adapters/config/ark-settings.ts";
import { makerOf, type MakerSettings } from "../adapters/config/maker-settings.ts";
import type { Raw } from "../adapters/config/schema.ts";
import type { Relation } from "../adapters/config/targets.ts";
import type { Io } from "./io.ts";

/** What commander parsed. Every field is absent unless given. */
export type Flags = {
  readonly config?: string;
  readonly listen?: readonly string[];
  readonly http?: string;
  readonly network?: string;
  readonly dataDir?: string;
  readonly logLevel?: string;
  readonly json?: boolean;
  readonly record?: string;
};

const networks = ["mainnet", "testnet", "signet", "regtest"];
const levels = ["error", "warn", "info", "debug"];

/** The shared flags by name. Choices are for help and completion; the schema refuses the rest. */
export function flag(name: keyof typeof makers): Option {
  return makers[name]();
}

const makers = {
  config: () => new Option("--config <FILE>", "read settings from this TOML file"),
  listen: () =>
    new Option("--listen <HOST:PORT>", "where peers connect, or unix:PATH; port 0 chooses one")
      .argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
  http: () =>
    new Option("--http <HOST:PORT>", "the daemon's HTTP address, or unix:PATH; port 0 chooses"),
  network: () => new Option("--network <NAME>", `the network: ${networks.join(", ")}`),
  dataDir: () => new Option("--data-dir <DIR>", "where the daemon notes its addresses"),
  logLevel: () =>
    new Option("--log-level <LEVEL>", `the least important lines: ${levels.join(", ")}`),
  json: () => new Option("--json", "JSON instead of text"),
  record: () =>
    new Option("--record <FILE>", "record every step to a new file, for dogwatch replay"),
};

/** The words that a flag takes, for shell completion. */
export const flagWords: ReadonlyMap<string, readonly string[]> = new Map([
  ["--network", networks],
  ["--log-level", levels],
]);

type Choose = (flags: Flags) => Raw | undefined;

const settings: readonly (readonly [flag: string, key: string, choose: Choose])[] = [
  ["--listen", "directory.listen", ({ listen }) => (listen?.length === 1 ? listen[0] : listen)],
  ["--http", "directory.http", ({ http }) => http],
  ["--network", "network", ({ network }) => network],
  ["--data-dir", "data_dir", ({ dataDir }) => dataDir],
  ["--log-level", "log.level", ({ logLevel }) => logLevel],
];

/** The settings that the given flags stand for. */
export function flagSettings(flags: Flags): FlagSetting[] {
  return settings.flatMap(([name, key, read]) => {
    const raw = read(flags);
    return raw === undefined || !keysByName.has(key) ? [] : [{ key, flag: name, raw }];
  });
}

/** The file that these flags make Dogwatch read, if any. */
export function configFile(flags: Flags, io: Io): string | undefined {
  return flags.config ?? defaultConfigFile(io.env);
}

/** Settings from file, environment and flags. */
export function loadFlags(flags: Flags, io: Io): Loaded {
  return load({ file: configFile(flags, io), env: io.env, flags: flagSettings(flags) });
}

/** A configuration without a fault. */
export type Read = Extract<Loaded, { ok: true }>;

/** The settings of one daemon, or everything that is wrong with them. */
export type Made<Settings> =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The maker that a configuration makes, or what keeps it from being one. */
export function makerIn(read: Read, io: Io): Made<MakerSettings> {
  return madeOf(makerOf(read.settings.parsed, io.env), read);
}

/** The daemon of Ark wallets that a configuration makes, or what keeps it from being one. */
export function arkIn(read: Read, io: Io): Made<ArkSettings> {
  return madeOf(arkOf(read.settings.parsed, io.env), read);
}

type Broken = { readonly ok: false; readonly broken: readonly Relation[] };

function madeOf<Settings>(
  made: { readonly ok: true; readonly settings: Settings } | Broken, { entries }: Read,
): Made<Settings> {
  if (made.ok) return made;
  return {
    ok: false, problems: made.broken.map(({ keys, says }) => relationText(entries, keys, says)),
  };
}

/** Tells every problem of a configuration, one a line. */
export function tellProblems(io: Io, problems: readonly string[]): void {
  for (const problem of problems) io.err(`dogwatch: ${problem}\n`);
}
