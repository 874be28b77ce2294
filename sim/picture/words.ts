/**
 * Small texts of pictures: instants, gaps, what is cut, what is escaped.
 * @module
 */
import { spanText, timeText } from "../words.ts";

/** An instant in microseconds, to the millisecond: `72:12.031`. */
export function clockText(us: number): string {
  return timeText(Math.floor(us / 1_000));
}

/** A gap in microseconds as one would say it: `11 min`, `2 h 05 min`, `34 s`, `450 ms`, `80 µs`. */
export function gapText(us: number): string {
  if (us < 1_000) return `${us} µs`;
  const ms = Math.round(us / 1_000);
  if (ms < 10_000) return spanText(ms);
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** At most `max` characters, the last of them an ellipsis when something is missing. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, Math.max(1, max - 1)).trimEnd()}…`;
}

/** Letters of the names of lanes by how wide they are, in pixels; those of nicks are mixed. */
const wideLetters = "mwMW@%";
const thinLetters = "iljtfrIJ.,:;!|'()[]- ";
const [widePx, letterPx, smallPx, thinPx] = [14, 11, 10, 6] as const;

function letterWidth(letter: string): number {
  if (wideLetters.includes(letter) || letter > "\u00ff") return widePx;
  if (thinLetters.includes(letter)) return thinPx;
  return letter >= "A" && letter <= "Z" ? letterPx : smallPx;
}

/**
 * A lane's name in `px` pixels, in the widest font it may be drawn in; with an ellipsis at its end
 * when something is missing.
 */
export function fitted(name: string, px: number): string {
  const letters = Array.from(name);
  let used = 0;
  let room = 0;
  for (let i = 0; i < letters.length; i += 1) {
    used += letterWidth(letters[i] as string);
    if (used <= px - widePx) room = i + 1;
    if (used > px) return `${letters.slice(0, room > 0 ? room : 1).join("").trimEnd()}…`;
  }
  return name;
}

/** Text as it may stand in markup and in quoted attributes; control characters become `·`. */
export function escaped(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f\ufffe\uffff]/g, "·")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** Words in lines of at most `max` characters, `lines` lines at most. */
export function wrapped(text: string, max: number, lines: number): string[] {
  const done: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= max) {
      line = longer;
      continue;
    }
    if (line !== "") done.push(line);
    line = word;
  }
  if (line !== "") done.push(line);
  if (done.length <= lines) return done.map((one) => cutText(one, max));
  const rest = done.slice(lines - 1).join(" ");
  return [...done.slice(0, lines - 1).map((one) => cutText(one, max)), cutText(rest, max)];
}
