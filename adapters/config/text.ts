/**
 * The schema and the settings as text: the template file, the effective file, the table of the
 * documentation.
 *
 * Rule 1: what is written here parses back, by the same loader, to the values it shows.
 * @module
 */
import { type Entry, originText } from "../config.ts";
import { envName, type Key, keys } from "./keys.ts";
import type { Member, Raw, RawTable } from "./setting.ts";

/** A value as TOML writes it. Strings of JSON are strings of TOML. */
export function tomlValue(raw: Raw): string {
  if (!Array.isArray(raw)) return JSON.stringify(raw);
  return `[${raw.map(oneValue).join(", ")}]`;
}

function oneValue(one: string | RawTable): string {
  if (typeof one === "string") return JSON.stringify(one);
  const members = Object.entries(one).map(([name, raw]) => `${name} = ${tomlValue(raw)}`);
  return `{ ${members.join(", ")} }`;
}

/**
 * The file that `dogwatch config init` writes: every key with its documentation, commented out at
 * its default, except those in `chosen`, which are set.
 */
export function template(chosen: ReadonlyMap<string, Raw>): string {
  const lines = [
    "# Configuration of Dogwatch. Every key is optional; what is commented out shows the default.",
    "# Precedence: this file < environment (DOGWATCH__DIRECTORY__PEERS_MAX=500) < flags.",
    "# Keys marked [reload] are applied by SIGHUP; the others need a restart.",
    "# Check a changed file with: dogwatch config check --config FILE",
  ];
  grouped((table, list) => {
    if (table !== "") lines.push("", `[${table}]`);
    for (const key of list) lines.push("", ...documented(key, chosen.get(key.key)));
  });
  return `${lines.join("\n")}\n`;
}

function documented(key: Key, chosen: Raw | undefined): string[] {
  const reload = key.reload ? " [reload]" : "";
  const setting = chosen === undefined
    ? `#${key.name} = ${tomlValue(key.initial)}`
    : `${key.name} = ${tomlValue(chosen)}`;
  const about = [`# ${key.doc}${reload}`, `# Accepts ${key.accepts}.`, setting];
  return key.members === undefined ? about : [...about, ...sample(key, key.members)];
}

/** How one of its tables looks; with a blank, so that it is more than a key commented out. */
function sample(key: Key, members: readonly Member[]): string[] {
  return [
    "", `# One of them, in place of the line above:`, `# [[${key.key}]]`,
    ...members.flatMap(({ name, doc, accepts, initial }) => [
      `#   ${doc}`, `#   Accepts ${accepts}.`, `# ${name} = ${tomlValue(initial)}`,
    ]),
  ];
}

/**
 * The effective settings as a valid file; with `origins`, each line says where its value came from.
 */
export function effective(entries: readonly Entry[], origins: boolean): string {
  const byKey = new Map(entries.map((entry) => [entry.key.key, entry]));
  const lines: string[] = [];
  grouped((table, list) => {
    if (table !== "") lines.push("", `[${table}]`);
    for (const key of list) {
      const entry = byKey.get(key.key);
      if (entry === undefined) continue;
      const line = `${key.name} = ${tomlValue(entry.raw)}`;
      lines.push(origins ? `${line.padEnd(44)} # ${originText(entry.origin)}` : line);
    }
  });
  return `${lines.join("\n")}\n`;
}

/** The effective settings for programs; `schema` counts incompatible changes of this shape. */
export function effectiveJson(entries: readonly Entry[], origins: boolean): string {
  const settings: Record<string, unknown> = {};
  for (const { key, raw, origin } of entries) {
    settings[key.key] = origins ? { value: raw, origin: originText(origin) } : raw;
  }
  return `${JSON.stringify({ schema: 1, settings })}\n`;
}

/** The reference of every key, in Markdown. */
export function markdown(): string {
  const lines = [
    "# Configuration",
    "",
    "Generated from the schema. A key is set in the TOML file, by its environment variable, or by",
    "a flag where there is one; the later wins. Keys with a tick under *reload* are applied by",
    "SIGHUP, the others need a restart. `dogwatch config init` writes a commented file,",
    "`dogwatch config check` checks one, `dogwatch config show --origin` shows what is in force.",
    "",
    "A rate of `10/s burst 200` adds ten tokens a second to a bucket that holds 200; without",
    "`burst` it holds the tokens of one period. Tokens and burst are at most 100000000, a period",
    "at most a day. A token is one line, or one byte where the key says so.",
  ];
  grouped((table, list) => {
    lines.push("", table === "" ? "## Top level" : `## \`[${table}]\``, "");
    lines.push("| key | default | accepts | reload | what it is |");
    lines.push("| --- | --- | --- | --- | --- |");
    lines.push(...list.map(row));
    for (const key of list) if (key.members !== undefined) lines.push(...memberTable(key));
  });
  lines.push("", `The environment name of a key: \`${envName("directory.peers_max")}\`.`);
  return `${lines.join("\n")}\n`;
}

function row(key: Key): string {
  const { name, initial, accepts, reload, doc } = key;
  return cells(`\`${name}\``, `\`${tomlValue(initial)}\``, accepts, reload ? "✓" : "", doc);
}

/** What each table of an array of them holds. */
function memberTable(key: Key): string[] {
  return [
    "", `### \`[[${key.key}]]\``, "", "| key | default | accepts | what it is |",
    "| --- | --- | --- | --- |",
    ...(key.members ?? []).map(({ name, initial, accepts, doc }) => (
      cells(`\`${name}\``, `\`${tomlValue(initial)}\``, accepts, doc)
    )),
  ];
}

function cells(...all: readonly string[]): string {
  return `| ${all.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function grouped(each: (table: string, list: readonly Key[]) => void): void {
  const byTable = new Map<string, Key[]>();
  for (const key of keys) {
    const list = byTable.get(key.table) ?? [];
    list.push(key);
    byTable.set(key.table, list);
  }
  // The keys of a table come before its subtables: TOML has no way back to a table.
  for (const [table, list] of byTable) each(table, list);
}
