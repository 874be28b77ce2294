/**
 * Findings as text for people.
 *
 * Rule 1: texts of others are made safe to print.
 * @module
 */
import { cleanText } from "../../adapters/log.ts";
import type { Finding, State } from "./finding.ts";

/** Names longer than this have their finding on the next line. */
const nameLengthMax = 30;
const stateWidth = 9;

/** One line for each finding, its fix below it, and a line with the sum. */
export function table(findings: readonly Finding[]): string {
  const names = findings.map(({ what }) => cleanText(what).length);
  const width = Math.max(...names.filter((length) => length <= nameLengthMax), 4) + 2;
  return `${findings.map((finding) => row(finding, width)).join("")}${sum(findings)}\n`;
}

function row({ what, state, seen, fix }: Finding, width: number): string {
  const name = cleanText(what);
  const indent = " ".repeat(stateWidth + width);
  const gap = name.length <= nameLengthMax ? name.padEnd(width) : `${name}\n${indent}`;
  const advice = fix === undefined ? "" : `${indent}-> ${cleanText(fix)}\n`;
  return `${state.padEnd(stateWidth)}${gap}${cleanText(seen)}\n${advice}`;
}

function sum(findings: readonly Finding[]): string {
  const count = (state: State): number => findings.filter((one) => one.state === state).length;
  const parts = [`${count("ok")} ok`];
  if (count("warn") > 0) parts.push(`${count("warn")} to look at`);
  if (count("fail") > 0) parts.push(`${count("fail")} failed`);
  if (count("skipped") > 0) parts.push(`${count("skipped")} skipped`);
  return parts.join(", ");
}
