/**
 * One line of a history: the JSON that a command printed, with what it was and when.
 *
 * `node .ci/line.mjs KIND EXIT <result.json >>history.jsonl`; the kinds are those of `sim dashboard`.
 */
import { readFileSync } from "node:fs";

const [kind, exit] = process.argv.slice(2);
const text = readFileSync(0, "utf8").trim();
// The canary prints lines; its last one says it.
const result = text.startsWith("{") ? JSON.parse(text) : { canary: text.split("\n").at(-1) };
const at = Date.now();
console.log(JSON.stringify({ kind, at, exit: Number(exit), node: process.version, result }));
