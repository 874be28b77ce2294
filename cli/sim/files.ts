/**
 * Scenarios on disk: alone, or kept with what is known of them.
 *
 * Rule 1: whatever is in a file is checked before it is run; a problem names file, path, value and
 * what is accepted.
 * Rule 2: written in one piece, with keys in a fixed order, so that a diff shows what changed.
 * @module
 */
import { lstatSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { readText } from "../../adapters/bounded.ts";
import { makeFolder } from "../../adapters/folder.ts";
import { cleanText } from "../../adapters/log.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { simVersion } from "../../sim/scenario.ts";
import { scenarioSchema } from "./schema.ts";
import type { Read } from "./seeds.ts";

/** A scenario with its story. */
export type Kept = {
  readonly kept: 1;
  /** What it failed with when it was found. Since the fix it passes. */
  readonly finding?: {
    readonly id: string; readonly shape: string; readonly says: string; readonly step: number;
    readonly atUs: number;
  };
  readonly found?: {
    readonly seed: string; readonly profile: string; readonly flags: readonly string[];
    readonly commit: string; readonly version: string;
  };
  /** How it became so small. */
  readonly shrunk?: {
    readonly runs: number; readonly ms?: number; readonly from: number; readonly to: number;
  };
  /** The digest of its run when it was written. */
  readonly digest?: string;
  /** Free text: what it was, and what fixed it. */
  readonly note?: string;
  readonly scenario: Scenario;
  /** As it was before shrinking. */
  readonly original?: Scenario;
};

export type Loaded =
  | { readonly ok: true; readonly kept: Kept }
  | { readonly ok: false; readonly problems: readonly string[] };

const fileBytesMax = 64 * 1024 * 1024;
const problemsMax = 10;

const text = z.string().max(4_000);
const count = z.int().min(0);
const keptSchema = z.strictObject({
  kept: z.literal(1),
  finding: z.strictObject({ id: text, shape: text, says: text, step: count, atUs: count })
    .optional(),
  found: z.strictObject({
    seed: text, profile: text, flags: z.array(text), commit: text, version: text,
  }).optional(),
  shrunk: z.strictObject({ runs: count, ms: count.optional(), from: count, to: count }).optional(),
  digest: text.optional(),
  note: text.optional(),
  scenario: scenarioSchema,
  original: scenarioSchema.optional(),
});

/** Reads and checks a file: a scenario, or one that was kept. */
export function loadFile(file: string): Loaded {
  const raw = readJson(file);
  return raw.ok ? check(file, raw.value) : bad(raw.says);
}

/** Reads what a file holds, as JSON; says the file and what is wrong with it. */
export function readJson(file: string): Read<unknown> {
  const read = readText(file, fileBytesMax, "any");
  if (!read.ok) return { ok: false, says: `${file}: ${cleanText(read.says)}` };
  try {
    return { ok: true, value: JSON.parse(read.text) };
  } catch (error) {
    return { ok: false, says: `${file}: ${cleanText((error as Error).message)}` };
  }
}

/** Checks what was read from `file`. */
export function check(file: string, raw: unknown): Loaded {
  const isKept = typeof raw === "object" && raw !== null && "kept" in raw;
  const parsed = isKept
    ? keptSchema.safeParse(raw)
    : z.strictObject({ kept: z.literal(1), scenario: scenarioSchema })
      .safeParse({ kept: 1, scenario: raw });
  if (parsed.success) return { ok: true, kept: parsed.data as Kept };
  const cut = isKept ? 0 : 1;
  const whole = isKept ? raw : { scenario: raw };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(file, whole, issue, cut));
  const rest = problems.length - problemsMax;
  const more = rest > 0 ? [`${file}: and ${rest} more problems`] : [];
  return { ok: false, problems: [...problems.slice(0, problemsMax), ...more] };
}

function bad(says: string): Loaded {
  return { ok: false, problems: [says] };
}

type Issue = z.core.$ZodIssue;

/** `cut`: path elements at the front that the file itself does not have. */
function problemsOf(file: string, raw: unknown, issue: Issue, cut: number): string[] {
  const path = pathText(issue.path.slice(cut));
  const where = path === "" ? file : `${file}: ${path}`;
  const value = valueAt(raw, issue.path);
  if (issue.path.at(-1) === "simVersion" && typeof value === "number") {
    return [`${where} = ${value}: this build runs version ${simVersion}; ` +
      "a scenario of another version may run differently"];
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${where}: unknown field "${cleanText(key)}"`);
  }
  if (value === undefined && issue.path.length > 0) {
    return [`${where}: missing; ${expected(issue)}`];
  }
  return [`${where} = ${shown(value)}: ${expected(issue)}`];
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case "too_small": return `expected at least ${issue.minimum}${unit(issue.origin)}`;
    case "too_big": return `expected at most ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_value": return `expected ${issue.values.map((v) => shown(v)).join(", ")}`;
    case "invalid_type": return `expected ${article(issue.expected)}`;
    case "invalid_format": return `expected ${issue.message}`;
    case "invalid_union": return `expected one of the known kinds${kindsOf(issue)}`;
    case "not_multiple_of": case "unrecognized_keys": case "invalid_key": case "invalid_element":
    case "custom": return issue.message;
  }
}

function article(what: string): string {
  const words: Readonly<Record<string, string>> = {
    int: "a whole number", number: "a whole number", object: "an object", array: "a list",
    tuple: "a list", string: "a text", boolean: "true or false",
  };
  return words[what] ?? what;
}

function kindsOf(issue: Issue): string {
  const options = "options" in issue ? issue.options : undefined;
  return Array.isArray(options) ? `: ${options.map(String).join(", ")}` : "";
}

function unit(origin: string): string {
  if (origin === "array") return " entries";
  return origin === "string" ? " characters" : "";
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, i) => {
    if (typeof part === "number") return `[${part}]`;
    return i === 0 ? String(part) : `.${cleanText(String(part))}`;
  }).join("");
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

const shownMax = 60;

function shown(value: unknown): string {
  const json = cleanText(JSON.stringify(value) ?? "nothing");
  return json.length > shownMax ? `${json.slice(0, shownMax)}…` : json;
}

/** A file that the system would not take: which, and why. */
export class Unwritten extends Error {}

/** Does the writing of a file. Throws `Unwritten` for what the system throws. */
export function writing<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new Unwritten(`cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Writes text to a file in one piece; makes its folder. What is no plain file, such as
 * `/dev/stdout` or a link, is written to and not replaced. Throws `Unwritten`.
 */
export function writeWhole(file: string, content: string): void {
  if (!isPlain(file)) return writing(file, () => writeFileSync(file, content));
  const part = `${file}.part`;
  try {
    writing(file, () => {
      makeFolder(dirname(file));
      writeFileSync(part, content);
      renameSync(part, file);
    });
  } catch (error) {
    removeQuietly(part);
    throw error;
  }
}

/** A plain file, or one that is not there yet. Throws `Unwritten` where there can be none. */
export function isPlain(file: string): boolean {
  return writing(file, () => lstatSync(file, { throwIfNoEntry: false })?.isFile() !== false);
}

/** Half a file on a full disk only takes more of its room. */
export function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It stays; what was wrong is told by whoever wrote it.
  }
}

/** Writes a kept scenario, an entry a line. Throws `Unwritten`. */
export function writeKept(file: string, kept: Kept): void {
  writeWhole(file, `${pretty(kept, "")}\n`);
}

const lineMax = 98;

/** JSON with what is short on one line. `taken`: columns that are used on the line already. */
export function pretty(value: unknown, indent: string, taken = indent.length): string {
  const flat = spaced(value);
  if (typeof value !== "object" || value === null || taken + flat.length <= lineMax) return flat;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + pretty(item, inner)).join(",\n")}\n${indent}]`;
  }
  const lines = Object.entries(value).filter(([, item]) => item !== undefined)
    .map(([key, item]) => {
      const head = `${inner}${JSON.stringify(key)}: `;
      return head + pretty(item, inner, head.length);
    });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

/** JSON on one line, with blanks. */
export function spaced(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return "{}";
  const parts = entries.map(([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`);
  return `{ ${parts.join(", ")} }`;
}
