/**
 * The bars of connections beside the lanes: each end of a connection as that end knew it.
 *
 * Rule 1: a bar stands on the side of its partner, the nearest partner outermost, so that messages
 * cross as few bars as can be.
 * Rule 2: two connections of one pair that overlap stand side by side: an old generation that is
 * still believed in is seen.
 * @module
 */
import type { Life, Recording } from "../recording.ts";
import type { Lanes } from "./lanes.ts";

/** One end of one connection. */
export type End = {
  readonly life: number;
  /** `2 * life`, plus 1 for the end that accepted it. */
  readonly key: number;
  readonly node: number;
  readonly partner: number;
  readonly fromUs: number;
  /** -1: it never learns of an end. */
  readonly toUs: number;
  readonly generation: number;
};

export type Slots = {
  readonly ends: readonly End[];
  /** By the key of an end: pixels from the middle of its lane. */
  readonly offsets: ReadonlyMap<number, number>;
  /** The most that any offset is away from its lane. */
  readonly widest: number;
};

const firstPx = 0;
const spacingPx = 9;
const widestPx = 54;

/** The bars of all connections between shown nodes that last into the time from..to. */
export function slotsOf(r: Recording, lanes: Lanes, fromUs: number, toUs: number): Slots {
  const ends: End[] = [];
  r.lives.forEach((life, i) => {
    if (placeOf(lanes, life.from) < 0 || placeOf(lanes, life.to) < 0) return;
    for (const end of endsOf(life, i)) {
      if (end.fromUs <= toUs && (end.toUs < 0 || end.toUs >= fromUs)) ends.push(end);
    }
  });
  const offsets = new Map<number, number>();
  let widest = 0;
  for (const node of lanes.nodes) {
    const own = ends.filter((end) => end.node === node);
    for (const side of [-1, 1]) widest = Math.max(widest, place(lanes, own, side, offsets));
  }
  return { ends, offsets, widest };
}

/** The key of the end of a connection at `node`. */
export function keyOf(lives: readonly Life[], life: number, node: number): number {
  return 2 * life + (lives[life]?.to === node ? 1 : 0);
}

function endsOf(life: Life, i: number): End[] {
  const { from, to, generation } = life;
  const ends: End[] = [];
  if (life.fromOpenUs >= 0) {
    const [fromUs, toUs] = [life.fromOpenUs, life.fromEndUs];
    ends.push({ life: i, key: 2 * i, node: from, partner: to, fromUs, toUs, generation });
  }
  if (life.toOpenUs >= 0) {
    const [fromUs, toUs] = [life.toOpenUs, life.toEndUs];
    ends.push({ life: i, key: 2 * i + 1, node: to, partner: from, fromUs, toUs, generation });
  }
  return ends;
}

/** Places the ends of one node on one side; answers how far out the outermost is. */
function place(
  lanes: Lanes, own: readonly End[], side: number, offsets: Map<number, number>,
): number {
  const distance = (end: End): number => {
    return side * (placeOf(lanes, end.partner) - placeOf(lanes, end.node));
  };
  const there = own.filter((end) => distance(end) > 0);
  const partners = [...new Set(there.map((end) => end.partner))];
  partners.sort((a, b) => side * (placeOf(lanes, b) - placeOf(lanes, a)));
  const columns: End[][] = [];
  for (const partner of partners) {
    columns.push(...columnsOf(there.filter((end) => end.partner === partner)));
  }
  const room = Math.floor(widestPx / Math.max(1, columns.length));
  const spacing = Math.max(2, Math.min(spacingPx, room));
  columns.forEach((column, i) => {
    for (const end of column) offsets.set(end.key, side * (firstPx + i * spacing));
  });
  return columns.length === 0 ? 0 : firstPx + (columns.length - 1) * spacing;
}

/** Ends of one pair in as few columns as hold them without two at once in one. */
function columnsOf(ends: readonly End[]): End[][] {
  const columns: End[][] = [];
  for (const end of ends) {
    const free = columns.find((column) => {
      const last = column[column.length - 1] as End;
      return last.toUs >= 0 && last.toUs <= end.fromUs;
    });
    if (free === undefined) columns.push([end]);
    else free.push(end);
  }
  return columns;
}

function placeOf(lanes: Lanes, node: number): number {
  return lanes.places[node] ?? -1;
}
