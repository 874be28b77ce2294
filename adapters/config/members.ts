/**
 * What is wrong in an array of tables: which table, which member, on which line.
 * @module
 */
import type * as z from "zod";
import type { Key } from "./keys.ts";
import { nearest } from "./nearest.ts";
import { valueText } from "./values.ts";

/** One fault: where it is, as a dotted path for the line, and what to say of it. */
export type MemberFault = { readonly path: string; readonly says: string };

/** The faults of `issue` if it lies within a table of `key`. */
export function memberFaults(
  key: Key, issue: z.core.$ZodIssue, raw: unknown,
): readonly MemberFault[] | undefined {
  const depth = key.key.split(".").length;
  const [at, name] = issue.path.slice(depth);
  const members = key.members;
  if (members === undefined || typeof at !== "number") return undefined;
  const table = Array.isArray(raw) ? (raw as readonly unknown[])[at] : undefined;
  const place = `${key.key}[${at}]`;
  const path = `${key.key}.${at}`;
  if (issue.code === "unrecognized_keys") {
    const names = members.map((one) => one.name);
    return issue.keys.map((one) => {
      const meant = nearest(one, names);
      const hint = meant === undefined ? `it has ${names.join(", ")}` : `did you mean ${meant}?`;
      return { path: `${path}.${one}`, says: `${place}.${valueText(one)}: no such key; ${hint}` };
    });
  }
  const member = members.find((one) => one.name === name);
  if (member === undefined) {
    return [{ path, says: `${place} = ${valueText(table)}: expected a table` }];
  }
  const given = (table as { readonly [name: string]: unknown } | undefined)?.[member.name];
  const what = given === undefined ? "is not set" : `= ${valueText(given)}`;
  const says = `${place}.${member.name} ${what}: expected ${member.accepts}`;
  return [{ path: `${path}.${member.name}`, says }];
}
