/**
 * One call of Bitcoin Core's interface: what a method is, what it can come to, and how its
 * parameters are read.
 * @module
 */
import { isHash } from "../../core/chain/fields.ts";
import { isFields, isNumeral, type Json } from "../../core/joinmarket/json.ts";
import type { Chain, State } from "./chain.ts";
import type { Value } from "./json.ts";
import type { Ledger } from "./ledger.ts";
import type { Wallet } from "./wallets.ts";

/** `afterMs`: how long the node needs for it. */
export type Said =
  | { readonly ok: true; readonly value: Value; readonly afterMs: number }
  | { readonly ok: false; readonly code: number; readonly message: string };

export type Context = {
  readonly chain: Chain;
  /** What the node shows. */
  readonly view: Ledger;
  readonly state: State;
  readonly nowMs: number;
};

export type Args = readonly Json[];

/**
 * `params`: `name:type`, and `name?:type` for those that may be missing; types as in JSON, and
 * `any`.
 */
export type Method = {
  readonly params: readonly string[];
  readonly run: (context: Context, args: Args) => Said;
};
export type WalletMethod = {
  readonly params: readonly string[];
  readonly run: (context: Context, args: Args, wallet: Wallet) => Said;
};

export function said(value: Value, afterMs = 0): Said {
  return { ok: true, value, afterMs };
}

export function no(code: number, message: string): Extract<Said, { ok: false }> {
  return { ok: false, code, message };
}

type Spec = { readonly name: string; readonly type: string; readonly isNeeded: boolean };

function specOf(param: string): Spec {
  const [name = "", type = "any"] = param.split(":");
  const isNeeded = !name.endsWith("?");
  return { name: isNeeded ? name : name.slice(0, -1), type, isNeeded };
}

/** Positional arguments, be they given by name; or what is wrong with them. */
export function argsOf(
  method: string, params: readonly string[], given: Json | undefined,
): { readonly ok: true; readonly args: Args } | Extract<Said, { ok: false }> {
  const specs = params.map(specOf);
  const args = placed(specs, given);
  if (args === undefined) return no(-8, "Unknown named parameter");
  const wrong: string[] = [];
  for (const [i, { name, type }] of specs.entries()) {
    const is = typeOf(args[i] ?? null);
    if (is === "null" || type === "any" || type === is) continue;
    const why = `JSON value of type ${is} is not of expected type ${type}`;
    wrong.push(`    "Position ${i + 1} (${name})": ${JSON.stringify(why)}`);
  }
  if (wrong.length > 0) return no(-3, `Wrong type passed:\n{\n${wrong.join(",\n")}\n}`);
  const isShort = specs.some(({ isNeeded }, i) => isNeeded && (args[i] ?? null) === null);
  if (isShort || args.length > specs.length) {
    return no(-1, [method, ...specs.map(usage)].join(" "));
  }
  return { ok: true, args };
}

function usage({ name, isNeeded }: Spec): string {
  return isNeeded ? name : `( ${name} )`;
}

function placed(specs: readonly Spec[], given: Json | undefined): Args | undefined {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given as Args;
  if (!isFields(given)) return [];
  const args: Json[] = specs.map(() => null);
  for (const [name, value] of given.fields) {
    const at = specs.findIndex((spec) => spec.name === name);
    if (at < 0) return undefined;
    args[at] = value;
  }
  return args;
}

function typeOf(j: Json): string {
  if (j === null) return "null";
  if (typeof j === "boolean") return "bool";
  if (typeof j === "string") return "string";
  if (isNumeral(j)) return "number";
  return Array.isArray(j) ? "array" : "object";
}

/** Why this is no hash, in the node's words; `undefined`: it is one. */
export function hashFault(name: string, j: Json | undefined): Said | undefined {
  const given = text(j);
  if (isHash(given.toLowerCase())) return undefined;
  if (given.length !== 64) {
    return no(-8, `${name} must be of length 64 (not ${given.length}, for '${given}')`);
  }
  return no(-8, `${name} must be hexadecimal string (not '${given}')`);
}

/** Verbosity is a number, or was once a flag. */
export function levelOf(j: Json | undefined, otherwise: number): number {
  if (typeof j === "boolean") return j ? 1 : 0;
  return isNumeral(j) ? Number(j.numeral) : otherwise;
}

/** A text whose type `argsOf` has checked; "" if it was left out. */
export function text(j: Json | undefined): string {
  return typeof j === "string" ? j : "";
}
