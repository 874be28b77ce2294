/**
 * The dialect of joinmarket-ng's table: comma-separated, quotes only where needed, CRLF.
 *
 * Rule 1: reading takes CRLF, LF and CR as the end of a row, and keeps them inside quotes. A row
 * that is not in the dialect is a fault of that row and of no other.
 * Rule 2: writing quotes a field that holds a comma, a quote or a line end, and no other.
 * Not known here: what columns mean.
 * @module
 */

export type Line = {
  /** Where the row begins, from 1. */
  readonly line: number;
  /** `undefined`: it is not in the dialect. */
  readonly fields: readonly string[] | undefined;
};

type Reader = { readonly text: string; at: number; line: number };

/** The rows of a text, empty ones left out. */
export function read(text: string): readonly Line[] {
  const r: Reader = { text, at: text.startsWith("\ufeff") ? 1 : 0, line: 1 };
  const lines: Line[] = [];
  while (r.at < text.length) {
    const { line } = r;
    const from = r.at;
    const fields = row(r);
    if (fields === undefined) skip(r, from, line);
    if (fields?.length === 1 && fields[0] === "") continue;
    lines.push({ line, fields });
  }
  return lines;
}

/** One row, with its line end. */
function row(r: Reader): string[] | undefined {
  const fields: string[] = [];
  for (;;) {
    const field = r.text[r.at] === '"' ? quoted(r) : plain(r);
    if (field === undefined) return undefined;
    fields.push(field);
    const next = r.text[r.at];
    if (next === ",") r.at += 1;
    else if (next === undefined || isEnd(next)) break;
    else return undefined;
  }
  endLine(r);
  return fields;
}

function plain(r: Reader): string | undefined {
  const from = r.at;
  for (; r.at < r.text.length; r.at += 1) {
    const c = r.text[r.at] as string;
    if (c === '"') return undefined;
    if (c === "," || isEnd(c)) break;
  }
  return r.text.slice(from, r.at);
}

function quoted(r: Reader): string | undefined {
  let field = "";
  r.at += 1;
  while (r.at < r.text.length) {
    const c = r.text[r.at] as string;
    if (c === '"') {
      r.at += 1;
      if (r.text[r.at] !== '"') return field;
    }
    if (isEnd(c)) {
      const from = r.at;
      endLine(r);
      field += r.text.slice(from, r.at);
    } else {
      field += c;
      r.at += 1;
    }
  }
  return undefined;
}

/** Behind a broken row: the next one begins at the next line. */
function skip(r: Reader, from: number, line: number): void {
  r.at = from;
  r.line = line;
  while (r.at < r.text.length && !isEnd(r.text[r.at] as string)) r.at += 1;
  endLine(r);
}

function endLine(r: Reader): void {
  if (r.at >= r.text.length) return;
  r.at += r.text.startsWith("\r\n", r.at) ? 2 : 1;
  r.line += 1;
}

function isEnd(c: string): boolean {
  return c === "\n" || c === "\r";
}

/** One row as text, with its line end. */
export function write(fields: readonly string[]): string {
  return `${fields.map(quote).join(",")}\r\n`;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
