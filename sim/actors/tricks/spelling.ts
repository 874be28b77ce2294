/**
 * The same envelope in other spellings: readers of text and readers of bytes must agree on them.
 * @module
 */
import { quote } from "../../../core/joinmarket/json.ts";
import * as crew from "../crew.ts";

type Hostile = crew.Hostile;

/** A frame with this line: another order, other spaces, escapes where none are needed. */
export function spelled(h: Hostile, type: number, line: string): Uint8Array {
  const text = crew.choice(h, 4) === 0 ? quote(line) : escaped(h, line);
  switch (crew.choice(h, 7)) {
    case 0: return crew.raw(`{"type":${type},"line":${text}}`);
    case 1: return crew.raw(`{"line": ${text}, "type": ${type}}`);
    case 2: return crew.raw(`{"type": ${type}, "lin\\u0065": ${text}}`);
    case 3: return crew.raw(`{"\\u0074ype": ${type}, "line": ${text}}`);
    case 4: return crew.raw(` { "type" : ${type} ,\t"line" : ${text} } `);
    default: return crew.raw(`{"type": ${type}, "line": ${text}}`);
  }
}

/** Some characters as escapes such as `\u0041`: one in the names, at times one behind them. */
function escaped(h: Hostile, line: string): string {
  const names = line.length < 40 ? line.length : 40;
  const at = crew.choice(h, names);
  const further = crew.choice(h, 2) === 0 ? crew.choice(h, line.length) : at;
  let out = "";
  let from = 0;
  for (const one of at < further ? [at, further] : [further, at]) {
    if (one < from) continue;
    const code = line.charCodeAt(one).toString(16).padStart(4, "0");
    out += inner(line.slice(from, one)) + `\\u${code}`;
    from = one + 1;
  }
  return `"${out}${inner(line.slice(from))}"`;
}

function inner(text: string): string {
  return quote(text).slice(1, -1);
}

/** Envelopes that are none, or that carry more than they should. `own` may be said, `other` not. */
export function twofold(h: Hostile, own: string, other: string): Uint8Array {
  const line = `"line": ${quote(own)}`;
  const also = `"line": ${quote(other)}`;
  const deep = 1 + crew.choice(h, 12);
  switch (crew.choice(h, 12)) {
    case 0: return crew.raw(`{"type": 687, ${line}, ${also}}`);
    case 1: return crew.raw(`{"type": 687, ${line}, "type": 789}`);
    case 2: return crew.raw(`{"type": 687, ${line}, "x": {${also}}}`);
    case 3: return crew.raw(`{${line},"type":687}`);
    case 4: return crew.raw(`{"type": 687, ${line}} {"type": 687, ${also}}`);
    case 5: return crew.raw(`{"type": 687, ${line}, "\\u006cine": ${quote(other)}}`);
    case 6: return crew.raw(`{"x": 1, "type": 687, ${line}, "Line": ${quote(other)}}`);
    case 7: return crew.raw(`{"type": 687, ${line}, "x": ${"[".repeat(deep)}${"]".repeat(deep)}}`);
    case 8: return crew.raw(`{"type": "\\u0036\\u0038\\u0037", ${line}}`);
    case 9: return crew.raw(`{"type": 687, "line": {"line": ${quote(own)}}}`);
    case 10: return crew.raw(`[{"type": 687, ${line}}]`);
    default: return crew.raw(`{"type": 687,\r ${line}\r}`);
  }
}
