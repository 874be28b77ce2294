/**
 * How one setting is described: what it accepts, its default, its documentation.
 *
 * Rule 1: input is what TOML holds; output is what the core takes.
 * @module
 */
import * as z from "zod";
import type { Rate } from "../../core/directory/config.ts";
import { parseRate, rateForm, rateText, secondsToMs } from "./values.ts";

/** A table of an array of tables. */
export type RawTable = {
  readonly [member: string]: string | number | boolean | readonly string[];
};

/** What TOML, the environment and a flag can hold for one key. */
export type Raw = string | number | boolean | readonly string[] | readonly RawTable[];

/** One member of the tables that a key holds. */
export type Member = Pick<KeyMeta, "doc" | "accepts" | "initial"> & { readonly name: string };

/** What is known of one key beyond its type. */
export type KeyMeta = {
  /** One sentence. */
  readonly doc: string;
  /** The accepted values, in words, with the unit. */
  readonly accepts: string;
  /** The default as TOML holds it. */
  readonly initial: Raw;
  /** Does SIGHUP apply a change? Otherwise it needs a restart. */
  readonly reload: boolean;
  /** The dotted path in `DirectoryConfig`, where the core may name it in a broken relation. */
  readonly core?: string;
  /** What each table of an array of tables holds; in the environment such a key is JSON. */
  readonly members?: readonly Member[];
};

/** The documentation of each leaf schema; a schema without an entry is a table. */
export const keyMeta = z.registry<KeyMeta>();

/** A key: what it gives, and that it may be left out. */
export type Setting<T> = z.ZodPrefault<z.ZodType<T, Raw>>;

/** Doc, reload and core path of a key; helpers below add the rest. */
export type Told = { readonly doc: string; readonly reload?: boolean; readonly core?: string };

export function meta(told: Told, accepts: string, initial: Raw): KeyMeta {
  const { doc, core, reload = false } = told;
  const about = { doc, accepts, initial, reload };
  return core === undefined ? about : { ...about, core };
}

/** Seconds with fractions, turned into whole milliseconds. `initialMs` is the core's default. */
export function seconds(min: number, max: number, initialMs: number, told: Told): Setting<number> {
  const initial = initialMs / 1_000;
  const schema = z.number().min(min).max(max).transform(secondsToMs).prefault(initial);
  return described(schema, meta(told, `seconds, ${min} to ${max}, fractions allowed`, initial));
}

export function whole(
  min: number,
  max: number,
  unit: string,
  initial: number,
  told: Told,
): Setting<number> {
  const schema = z.number().int().min(min).max(max).prefault(initial);
  return described(schema, meta(told, `a whole number of ${unit}, ${min} to ${max}`, initial));
}

export function rate(initial: Rate, told: Told): Setting<Rate> {
  const text = rateText(initial);
  const read = z.string().transform((value, context) => parsed(parseRate(value), context));
  const schema = read.prefault(text);
  return described(schema, meta(told, rateForm, text));
}

export function oneOf<const T extends string>(
  values: readonly T[], initial: T, told: Told,
): Setting<T> {
  const schema = z.enum(values).prefault(initial as never);
  return described(schema, meta(told, `one of ${values.join(", ")}`, initial));
}

export function text(
  pattern: RegExp,
  accepts: string,
  initial: string,
  told: Told,
): Setting<string> {
  return described(z.string().regex(pattern).prefault(initial), meta(told, accepts, initial));
}

/**
 * Files the documentation and forgets how the schema was built: only its output type matters from
 * here on.
 */
export function described<T>(schema: z.ZodType<T>, about: KeyMeta): Setting<T> {
  keyMeta.add(schema, about);
  return schema as Setting<T>;
}

export function parsed<T>(value: T | undefined, context: z.RefinementCtx): T {
  if (value !== undefined) return value;
  context.addIssue({ code: "custom", message: "not readable" });
  return z.NEVER;
}

/** True or false. */
export function flag(initial: boolean, told: Told): Setting<boolean> {
  return described(z.boolean().prefault(initial), meta(told, "true or false", initial));
}

/** Several texts of one form, none by default; a single one needs no brackets. */
export function list(
  pattern: RegExp, accepts: string, most: number, told: Told,
): Setting<readonly string[]> {
  const one = z.string().regex(pattern);
  const all = z.union([one.transform((text) => [text]), z.array(one).max(most)]).prefault([]);
  return described(all, meta(told, `${accepts}; or an array of up to ${most}`, []));
}

/** An array of tables, `[[TABLE.KEY]]`, none by default; each member is a setting of its own. */
export function tables<T extends z.ZodRawShape>(
  shape: T, accepts: string, most: number, told: Told,
): Setting<readonly z.output<z.ZodObject<T>>[]> {
  const members = Object.entries(shape).map(([name, setting]): Member => {
    const about = keyMeta.get(setting as z.ZodType);
    if (about === undefined) throw new Error(`${name} is described nowhere`);
    return { name, doc: about.doc, accepts: about.accepts, initial: about.initial };
  });
  const read = z.array(z.strictObject(shape)).max(most).prefault([]);
  const about = { ...meta(told, accepts, []), members };
  return described(read as unknown as z.ZodType<readonly z.output<z.ZodObject<T>>[]>, about);
}
