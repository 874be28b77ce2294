/**
 * The instants at which a picture has something to show, in order.
 *
 * Rule 1: a stop is a step of a shown node that sent or got something between shown nodes, opened
 * or ended a connection, is flagged, or did more than wake and log; or the edge of a fault, or the
 * heal. What happens between two stops is not relevant, and the time between them may be folded.
 * Rule 2: steps keep their order; an edge comes before the steps of its instant.
 * @module
 */
import type { Band, Flag, Message, Recording } from "../recording.ts";
import { marks } from "../scenario.ts";
import type { Lanes } from "./lanes.ts";
import { withoutRepeats, type Stop } from "./repeats.ts";

export type Stops = {
  readonly list: readonly Stop[];
  /** For each step of the run its place in `list`, or that of the last step before; -1: none. */
  readonly places: readonly number[];
  /** Messages between shown nodes, by the step that sent them and by the step that read them. */
  readonly sent: ReadonlyMap<number, readonly Message[]>;
  readonly got: ReadonlyMap<number, readonly Message[]>;
};

/** Every stop of a run, for these lanes; what repeats itself is left out unless `whole`. */
export function stopsOf(r: Recording, lanes: Lanes, whole = false): Stops {
  const sent = new Map<number, Message[]>();
  const got = new Map<number, Message[]>();
  for (const message of r.messages) {
    if (!isShown(lanes, message.from) || !isShown(lanes, message.to)) continue;
    put(sent, message.sentStep, message);
    if (message.gotStep >= 0) put(got, message.gotStep, message);
  }
  const flagged = new Set(notable(r).map((flag) => flag.step));
  const list: Stop[] = [];
  const edges = edgesOf(r, lanes);
  let edge = 0;
  r.steps.forEach((step, i) => {
    for (; edge < edges.length && (edges[edge] as Stop).atUs <= step.atUs; edge += 1) {
      list.push(edges[edge] as Stop);
    }
    const shown = isShown(lanes, step.node)
      && (sent.has(i) || got.has(i) || flagged.has(i) || isTelling(r, lanes, i));
    if (shown) list.push({ atUs: step.atUs, step: i, repeats: 0 });
  });
  for (; edge < edges.length; edge += 1) list.push(edges[edge] as Stop);
  const kept = whole ? list : withoutRepeats(r, list, (i) => !flagged.has(i));
  return { list: kept, places: placesOf(r, kept), sent, got };
}

function placesOf(r: Recording, list: readonly Stop[]): number[] {
  const places: number[] = [];
  let [place, next] = [-1, 0];
  for (let i = 0; i < r.steps.length; i += 1) {
    while (next < list.length && (list[next] as Stop).step <= i) {
      if ((list[next] as Stop).step >= 0) place = next;
      next += 1;
    }
    places.push(place);
  }
  return places;
}

/** Is there a lane for this node? */
export function isShown(lanes: Lanes, node: number): boolean {
  return (lanes.places[node] ?? -1) >= 0;
}

/** The faults that concern a shown node. */
export function bandsOf(r: Recording, lanes: Lanes): Band[] {
  return r.bands.filter((band) => band.nodes.some((node) => isShown(lanes, node)));
}

/** Does this step say something without a message between shown nodes? */
function isTelling(r: Recording, lanes: Lanes, i: number): boolean {
  const step = r.steps[i];
  if (step === undefined) return false;
  const life = r.lives[step.life];
  const foreign = life !== undefined && !(isShown(lanes, life.from) && isShown(lanes, life.to));
  if (foreign) return false;
  if (/^conn\.(opened|closed|dialed|failed)$/.test(step.event)) return true;
  if (step.life < 0 && /^(asked|operator\.|store\.)/.test(step.event)) return true;
  return step.effects.some((effect) => !quiet.test(effect));
}

/** Effects that say nothing by themselves: a message does, or a flag. */
const quiet = /^(wake|log|conn\.send|entropy\.want|mark|told)\b/;

/** Marks of the protocol that tell the story; the others are its every day. */
const notableMarks = new Set(["registered", "refused", "evicted", "congested"]);

/**
 * The flags that are worth a note: all, but not every mark of the protocol, and of processes that
 * start only those that were down.
 */
export function notable(r: Recording): Flag[] {
  const down = new Set<number>();
  return r.flags.filter((flag) => {
    if (flag.kind !== "mark") return true;
    if (flag.says.endsWith(" is down")) down.add(flag.node);
    if (flag.says.endsWith(" starts")) return down.delete(flag.node);
    return notableMarks.has(flag.says) || !(marks as readonly string[]).includes(flag.says);
  });
}

function edgesOf(r: Recording, lanes: Lanes): Stop[] {
  const edges = new Set<number>();
  const endUs = r.outcome.virtualMs * 1_000;
  for (const band of bandsOf(r, lanes)) {
    edges.add(band.fromUs);
    if (band.toUs > band.fromUs && band.toUs < endUs) edges.add(band.toUs);
  }
  for (const flag of notable(r)) if (flag.step < 0) edges.add(flag.atUs);
  const instants = [...edges].sort((a, b) => a - b);
  return instants.map((atUs) => ({ atUs, step: -1, repeats: 0 }));
}

function put(map: Map<number, Message[]>, step: number, message: Message): void {
  const list = map.get(step);
  if (list === undefined) map.set(step, [message]);
  else list.push(message);
}
