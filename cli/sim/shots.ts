/**
 * Steps, states and sockets in words.
 *
 * Rule 1: bytes of peers reach the terminal escaped and cut; secrets as their length only.
 * @module
 */
import { cleanText } from "../../adapters/log.ts";
import { isSecret } from "../../core/secret.ts";
import * as trace from "../../core/kernel/trace.ts";
import { timeText } from "../../sim/words.ts";
import type { Shot } from "./film.ts";

const valueMax = 60;

/** A step on one line. */
export function shotLine(shot: Shot): string {
  const kinds = trace.kindsOf(shot.effects);
  const effects = kinds.length === 0 ? "" : `  -> ${kinds.join(", ")}`;
  return `#${shot.i}  ${timeText(shot.atMs)}  ${shot.node}  ${partLine(shot.event)}${effects}`;
}

/** The effects of a step, a line each. */
export function effectLines(shot: Shot): string[] {
  if (shot.effects.length === 0) return ["no effects"];
  return shot.effects.map((effect) => `  ${partLine(effect)}`);
}

/** An event or effect: its type and its fields. */
function partLine(part: { readonly type: string }): string {
  const fields = Object.entries(part).filter(([name]) => name !== "type")
    .map(([name, value]) => `${name}=${valueText(value)}`);
  return [part.type, ...fields].join(" ");
}

/** A value in a few characters. */
export function valueText(value: unknown): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (isSecret(value)) return `(a secret of ${value.secret.length} bytes)`;
  if (typeof value === "object" && value !== null) return objectText(value);
  return cut(cleanText(typeof value === "string" ? JSON.stringify(value) : String(value)));
}

function objectText(value: object): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (value instanceof Map || value instanceof Set) return `(${value.size} entries)`;
  const parts = Object.entries(value).map(([name, item]) => `${name}: ${
    typeof item === "object" && item !== null ? "{…}" : valueText(item)}`);
  return cut(`{${parts.join(", ")}}`);
}

function bytesText(bytes: Uint8Array): string {
  const head = bytes.subarray(0, valueMax);
  const text = Buffer.from(head).toString("utf8").replace(/\ufffd$/, "").trimEnd();
  const isText = !text.includes("\ufffd") && !hasControls(text);
  return `${bytes.length} bytes ${isText ? cut(`'${cleanText(text)}'`) : hexText(head)}`;
}

function hasControls(text: string): boolean {
  return /[\p{Cc}]/u.test(text.replaceAll(/[\r\n]/g, ""));
}

function hexText(bytes: Uint8Array): string {
  return cut(Buffer.from(bytes).toString("hex"));
}

function cut(text: string): string {
  return text.length > valueMax ? `${text.slice(0, valueMax)}…` : text;
}
