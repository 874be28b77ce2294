/**
 * Lines of text in columns and within a width.
 *
 * Rule 1: widths count UTF-16 units; every sign that reports use is one unit wide, or several plain
 * characters.
 * @module
 */

/** Words of a text in lines of at most `width`; a longer word stands alone and is not cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** `head` in front of the first line and as much space in front of the others. */
export function hanging(head: string, text: string, width: number): string[] {
  const lines = wrap(text, width - head.length);
  return lines.map((line, i) => `${i === 0 ? head : " ".repeat(head.length)}${line}`.trimEnd());
}

/** Rows with their columns aligned, two spaces apart; `right`: columns that end in line. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (let i = 0; i < row.length; i += 1) {
      const width = (row[i] as string).length;
      if (width > (widths[i] ?? 0)) widths[i] = width;
    }
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return right.includes(i) ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join("  ").trimEnd();
  });
}

/** At most `width` wide, with `more` at the end of what was cut. */
export function cut(line: string, width: number, more: string): string {
  return line.length <= width ? line : `${line.slice(0, width - more.length)}${more}`;
}

/** The text at the left and the other at the right edge if both fit, otherwise on two lines. */
export function edges(left: string, right: string, width: number): string[] {
  if (right === "") return [left];
  const gap = width - left.length - right.length;
  return gap >= 2 ? [`${left}${" ".repeat(gap)}${right}`] : [left, `  ${right}`];
}

/** `1, 2 and 3`. */
export function listing(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}
