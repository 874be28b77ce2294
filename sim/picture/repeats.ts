/**
 * What comes again and again: hours of PING and PONG are told once.
 *
 * Rule 1: a group is what happens without a long gap. Of equal groups in a row the first and the
 * last stay, and the stop after those that go says how many they were.
 * Rule 2: groups are equal when the same nodes do the same things in the same order; instants do
 * not count. A group with a flag or the edge of a fault is like no other.
 * @module
 */
import type { Recording } from "../recording.ts";

/** Something that is drawn at an instant. */
export type Stop = {
  readonly atUs: number;
  /** -1: no step but an edge of a fault. */
  readonly step: number;
  /** How often what came before was left out here because it came again and again. */
  readonly repeats: number;
};

/** Gaps of 5 s or more are folded. */
export const foldUs = 5_000_000;

/** Fewer equal groups than this in a row all stay. */
const groupsMin = 4;

/** The stops without what repeats itself; `isPlain`: may this step go? */
export function withoutRepeats(
  r: Recording, list: readonly Stop[], isPlain: (step: number) => boolean,
): Stop[] {
  const groups = groupsOf(list);
  const signs = groups.map((group) => signOf(r, group, isPlain));
  const kept: Stop[] = [];
  let i = 0;
  while (i < groups.length) {
    let end = i + 1;
    while (end < groups.length && signs[i] !== "" && signs[end] === signs[i]) end += 1;
    if (end - i < groupsMin) {
      for (; i < end; i += 1) for (const stop of groups[i] as Stop[]) kept.push(stop);
      continue;
    }
    for (const stop of groups[i] as Stop[]) kept.push(stop);
    (groups[end - 1] as Stop[]).forEach((stop, at) => {
      kept.push(at === 0 ? { ...stop, repeats: end - i - 2 } : stop);
    });
    i = end;
  }
  return kept;
}

function groupsOf(list: readonly Stop[]): Stop[][] {
  const groups: Stop[][] = [];
  let before = -foldUs;
  for (const stop of list) {
    const last = groups[groups.length - 1];
    if (last === undefined || stop.atUs - before >= foldUs) groups.push([stop]);
    else last.push(stop);
    before = stop.atUs;
  }
  return groups;
}

/** Empty for a group that is like no other. */
function signOf(
  r: Recording, group: readonly Stop[], isPlain: (step: number) => boolean,
): string {
  const parts: string[] = [];
  for (const { step } of group) {
    const record = r.steps[step];
    if (record === undefined || !isPlain(step)) return "";
    parts.push(`${record.node} ${record.life} ${record.event} ${record.says}`);
  }
  return parts.join("\n");
}
