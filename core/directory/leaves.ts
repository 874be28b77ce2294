/**
 * Leave notices: who has gone, told once and together.
 *
 * Rule 1: one notice for each maker generation that ended, and none for a nick that has a newer
 * owner: a nick that is back before the window ends takes its notice with it (D13).
 * Rule 2: notices are collected for `leaveMs`, so that six hundred makers lost with one Tor circuit
 * cost a few lines.
 * Rule 3: it does not know who is told.
 * @module
 */
import { assert } from "../assert.ts";
import { after, NEVER, type Mono } from "../time.ts";

export type Leaves = {
  /**
   * Peerlist entries with `;D`, by nick, in order of leaving. Beyond `noticesMax` the window ends 1
   * ms later, so there are never more than that and one for each connection.
   */
  readonly gone: Map<string, string>;
  readonly leaveMs: number;
  readonly lineBytesMax: number;
  dueAt: Mono;
};

export type Effect = { readonly type: "notice"; readonly line: string };

/** Beyond this many the window ends at once. */
const noticesMax = 4_096;

export function create(leaveMs: number, lineBytesMax: number): Leaves {
  assert(leaveMs >= 1, "leaves: leaveMs is at least 1");
  assert(lineBytesMax >= 1, "leaves: a line holds at least one byte");
  return { gone: new Map(), leaveMs, lineBytesMax, dueAt: NEVER };
}

/** A maker left; `entry` is its peerlist entry with `;D` (ASCII). */
export function left(m: Leaves, nick: string, entry: string, now: Mono): void {
  m.gone.delete(nick);
  m.gone.set(nick, entry);
  if (m.dueAt === NEVER) m.dueAt = after(now, m.leaveMs);
  if (m.gone.size >= noticesMax) m.dueAt = after(now, 1);
}

/** The nick has an owner again. Returns whether a notice was taken back. */
export function back(m: Leaves, nick: string): boolean {
  return m.gone.delete(nick);
}

export function tick(m: Leaves, now: Mono, out: Effect[]): void {
  if (now < m.dueAt) return;
  m.dueAt = NEVER;
  let line = "";
  for (const entry of m.gone.values()) {
    if (line !== "" && line.length + 1 + entry.length > m.lineBytesMax) {
      out.push({ type: "notice", line });
      line = "";
    }
    line = line === "" ? entry : `${line},${entry}`;
  }
  if (line !== "") out.push({ type: "notice", line });
  m.gone.clear();
}

export function deadline(m: Leaves): Mono {
  return m.dueAt;
}
