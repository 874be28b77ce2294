/**
 * What was kept of a recorded trace, written as a recording: lanes, connections, messages, words.
 * @module
 */
import type { ConnId } from "../../core/ids.ts";
import type { Outcome } from "../outcome.ts";
import { shapeOf } from "../outcome.ts";
import type { Flag, Life, Message, Recording, StepRecord } from "../recording.ts";
import { simVersion, type NodeSpec, type Scenario } from "../scenario.ts";
import type { Written } from "./source.ts";
import type { Kept, KeptEffect, Seen, Story, Who } from "./story.ts";

/** The daemon's lane. */
const daemon = "directory";
/** A peer on paper needs a kind; one that never said what it is only watches. */
const unknownKind = "watcher";

type Cast = {
  readonly nodes: NodeSpec[];
  /** By connection: its place in `lives`, and its node. */
  readonly lives: Map<ConnId, number>;
  readonly nodeOf: Map<ConnId, number>;
  readonly list: Life[];
};

/** The recording, and the states of the directory in it. */
export function compose(s: Story): { readonly recording: Recording; readonly states: Written } {
  const cast = castOf(s);
  const steps = s.kept.map((kept): StepRecord => stepOf(cast, kept));
  const messages = s.kept.flatMap((kept, i) => messagesOf(cast, kept, i));
  const outcome = outcomeOf(s, steps);
  const flags = flagsOf(s, cast, outcome);
  const recording: Recording = {
    scenario: scenarioOf(s, cast), outcome, steps, messages, lives: cast.list, bands: [], flags,
  };
  const firsts = cast.nodes.map((_, node) => (node === 0 ? s.first : undefined));
  return { recording, states: { firsts, changes: s.changes } };
}

/** A lane for each nick and for each connection without one, in order of their coming. */
function castOf(s: Story): Cast {
  const cast: Cast = {
    nodes: [{ id: daemon, kind: "directory" }], lives: new Map(), nodeOf: new Map(), list: [],
  };
  const wanted = new Set<ConnId>();
  for (const kept of s.kept) {
    if (kept.conn !== undefined) wanted.add(kept.conn);
    for (const { conn } of kept.effects) if (conn !== undefined) wanted.add(conn);
  }
  const byName = new Map<string, number>();
  const generations = new Map<number, number>();
  for (const seen of s.seen.values()) {
    if (!wanted.has(seen.conn)) continue;
    const name = seen.who?.nick ?? `connection ${seen.conn}`;
    const node = byName.get(name) ?? cast.nodes.push(specOf(name, seen.who)) - 1;
    byName.set(name, node);
    const generation = (generations.get(node) ?? 0) + 1;
    generations.set(node, generation);
    cast.nodeOf.set(seen.conn, node);
    cast.lives.set(seen.conn, cast.list.push(lifeOf(seen, node, generation)) - 1);
  }
  return cast;
}

function specOf(id: string, who: Who | undefined): NodeSpec {
  const speaks = who?.features.includes("ping") === true ? "new" : "old";
  const kind = who === undefined ? unknownKind : who.maker ? "maker" : "taker";
  return { id, kind, speaks };
}

/** The far end is not known: it is drawn as the directory saw its own. */
function lifeOf(seen: Seen, node: number, generation: number): Life {
  const openUs = seen.openedMs * 1_000;
  const endUs = seen.endedMs < 0 ? -1 : seen.endedMs * 1_000;
  return {
    from: node, to: 0, dialedUs: openUs, fromOpenUs: openUs, fromEndUs: endUs, toOpenUs: openUs,
    toEndUs: endUs, generation,
  };
}

function stepOf(cast: Cast, kept: Kept): StepRecord {
  const { conn } = kept;
  return {
    atUs: kept.atMs * 1_000, node: 0, event: kept.event,
    life: conn === undefined ? -1 : cast.lives.get(conn) ?? -1, says: saysOf(cast, kept),
    effects: kept.effects.map((effect) => effectText(cast, effect)),
  };
}

function saysOf(cast: Cast, kept: Kept): string {
  const who = nameOf(cast, kept.conn);
  switch (kept.event) {
    case "conn.received": return `${kept.what} from ${who}, ${kept.bytes} B`;
    case "conn.opened": return `accepts connection ${kept.conn} of ${who}`;
    case "conn.closed": return `connection ${kept.conn} of ${who} is over: ${kept.what}`;
    case "conn.congested": return `${who} takes no more`;
    case "conn.drained": return `${who} takes again`;
    case "tick": return "a deadline";
    default: return kept.event;
  }
}

function effectText(cast: Cast, effect: KeptEffect): string {
  const who = effect.conn === undefined ? "" : ` ${nameOf(cast, effect.conn)}`;
  const what = effect.what === "" ? "" : ` ${effect.what}`;
  return `${effect.type}${who}${what}${effect.bytes > 0 ? `, ${effect.bytes} B` : ""}`;
}

function nameOf(cast: Cast, conn: ConnId | undefined): string {
  const node = conn === undefined ? undefined : cast.nodeOf.get(conn);
  return cast.nodes[node ?? -1]?.id ?? `connection ${conn}`;
}

/** What came in with a step, then what went out. */
function messagesOf(cast: Cast, kept: Kept, i: number): Message[] {
  const atUs = kept.atMs * 1_000;
  const whole = { sentUs: atUs, sentStep: i, gotUs: atUs, gotStep: i };
  const out: Message[] = [];
  const add = (conn: ConnId | undefined, isIn: boolean, says: string, bytes: number): void => {
    const life = conn === undefined ? undefined : cast.lives.get(conn);
    const node = conn === undefined ? undefined : cast.nodeOf.get(conn);
    if (life === undefined || node === undefined) return;
    const [from, to] = isIn ? [node, 0] : [0, node];
    out.push({ life, from, to, ...whole, says, bytes });
  };
  if (kept.event === "conn.received") add(kept.conn, true, kept.what, kept.bytes);
  for (const effect of kept.effects) {
    if (effect.type === "conn.send") add(effect.conn, false, effect.what, effect.bytes);
  }
  return out;
}

function outcomeOf(s: Story, steps: readonly StepRecord[]): Outcome {
  const atUs = steps[steps.length - 1]?.atUs ?? 0;
  const says = s.wrong === undefined || s.wrong.says === "" ? undefined : s.wrong.says;
  const finding = says === undefined ? undefined : {
    id: "replay", node: daemon, says, shape: shapeOf("replay", says), atUs, pending: [],
    step: Math.max(0, Math.min(steps.length - 1, (s.wrong?.step ?? 0) - s.from)),
  };
  return {
    verdict: finding === undefined ? "pass" : "crash", finding, digest: s.digest, checkpoints: [],
    steps: steps.length, virtualMs: Math.ceil(atUs / 1_000), goals: {}, faults: {}, gauges: {},
    idle: [],
  };
}

/** Who was registered, and whom the directory sent away. */
function flagsOf(s: Story, cast: Cast, outcome: Outcome): Flag[] {
  const flags: Flag[] = [];
  s.kept.forEach((kept, step) => {
    const add = (conn: ConnId | undefined, says: string): void => {
      const node = conn === undefined ? 0 : cast.nodeOf.get(conn) ?? 0;
      const text = `${nameOf(cast, conn)} ${says}`;
      flags.push({ kind: "mark", atUs: kept.atMs * 1_000, step, node, says: text });
    };
    if (kept.registers) add(kept.conn, "is registered");
    for (const effect of kept.effects) {
      if (effect.type === "conn.close") add(effect.conn, `is sent away: ${effect.what}`);
    }
  });
  const { finding } = outcome;
  if (finding !== undefined) {
    const { atUs, step, says } = finding;
    flags.push({ kind: "violation", atUs, step, node: 0, says });
  }
  return flags;
}

/** Nothing was drawn for it: a scenario in form only. */
function scenarioOf(s: Story, cast: Cast): Scenario {
  const none = { latencyMinUs: 0, latencyMeanUs: 0, sendBufferBytes: 0, receiveBufferBytes: 0 };
  return {
    simVersion, seed: "0x0000000000000000",
    name: `recorded by ${s.header.kind} ${s.header.version}`,
    nodes: cast.nodes, net: { ...none, segment: "whole" },
    host: { stepUs: 0, effectUs: 0, timerLateUs: 0 }, workload: [], faults: [], triggers: [],
    phases: { faultyMs: 0, fates: [], core: [], convergeMs: 0 },
  };
}
