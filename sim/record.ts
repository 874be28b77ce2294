/**
 * Watches a run and writes down what it looked like.
 *
 * Rule 1: what is recorded changes nothing: the run has the digest that it has without.
 * Rule 2: a write is found again where its last byte is read; a write that nobody reads stays lost.
 * @module
 */
import { unreachable } from "../core/assert.ts";
import * as fleets from "./fleet/words.ts";
import { shownTypes } from "./lines.ts";
import type { NetWatch } from "./network.ts";
import type { Outcome } from "./outcome.ts";
import type { Band, Flag, Life, Message, Recording, StepRecord } from "./recording.ts";
import * as calls from "./record-calls.ts";
import * as runner from "./runner.ts";
import type { Scenario } from "./scenario.ts";
import { harmText } from "./words.ts";
import type { Active, Node, SimEffect, SimEvent, Watch, World } from "./world.ts";

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Writes of one direction that are under way. */
type Under = { readonly message: Open<Message>; readonly end: number };

type Recorder = {
  readonly steps: StepRecord[];
  readonly messages: Open<Message>[];
  readonly lives: Open<Life>[];
  readonly bands: Open<Band>[];
  readonly flags: Flag[];
  /** By life and sending node. */
  readonly under: Map<string, Under[]>;
  readonly open: Map<Active, Open<Band>>;
  readonly generations: Map<string, number>;
  readonly calls: calls.Calls;
  world: World | undefined;
};

/** Runs a scenario to its end, or to a step, and records all of it. */
export function record(scenario: Scenario, options: Partial<runner.Options> = {}): Recording {
  const r = recorder();
  const run = runner.begin(scenario, { ...options, watch: watchOf(r) });
  r.world = run.world;
  while (runner.advance(run));
  return recordingOf(r, scenario, runner.outcome(run));
}

/** A recorder that has seen nothing. */
function recorder(): Recorder {
  return {
    steps: [], messages: [], lives: [], bands: [], flags: [], under: new Map(), open: new Map(),
    generations: new Map(), calls: calls.create(), world: undefined,
  };
}

/** What was recorded, with what the run came to. */
function recordingOf(r: Recorder, scenario: Scenario, outcome: Outcome): Recording {
  for (const band of r.open.values()) band.toUs = outcome.virtualMs * 1_000;
  return {
    scenario, outcome, steps: r.steps, messages: r.messages, lives: r.lives, bands: r.bands,
    flags: [...r.flags, ...flagsOf(r, outcome)].sort((a, b) => a.atUs - b.atUs || a.step - b.step),
  };
}

/** Goals and the violation, at the steps where they were seen. */
function flagsOf(r: Recorder, outcome: Outcome): readonly Flag[] {
  const out: Flag[] = [];
  for (const [goal, step] of Object.entries(outcome.goals)) {
    const at = r.steps[step] ?? r.steps[r.steps.length - 1];
    if (at === undefined) continue;
    out.push({ kind: "goal", atUs: at.atUs, step, node: at.node, says: goal });
  }
  const { finding } = outcome;
  if (finding === undefined) return out;
  const node = r.world?.byId.get(finding.node)?.index ?? 0;
  const says = `${finding.id}: ${finding.says}`;
  out.push({ kind: "violation", atUs: finding.atUs, step: finding.step, node, says });
  return out;
}

/** Hooks that write into `r`. */
function watchOf(r: Recorder): Watch {
  return {
    stepped: (w, node, event, effects) => stepped(r, w, node, event, effects),
    began: (w, active) => began(r, w, active),
    ended: (w, active) => {
      const band = r.open.get(active);
      if (band !== undefined) band.toUs = w.nowUs;
      r.open.delete(active);
    },
    died: (w, node) => flag(r, w, node.index, "mark", `${node.id} is down`),
    booted: (w, node) => flag(r, w, node.index, "mark", `${node.id} starts`),
    healed: (w) => flag(r, w, 0, "heal", "the core is healed"),
    net: netWatch(r),
  };
}

/** `back`: how many steps ago; in a step that is being told, `w.steps` counts it already. */
function flag(
  r: Recorder, w: World, node: number, kind: Flag["kind"], says: string, back = 0,
): void {
  r.flags.push({ kind, atUs: w.nowUs, step: w.steps - back, node, says });
}

function began(r: Recorder, w: World, active: Active): void {
  const { harm } = active;
  const band: Open<Band> = {
    id: active.id, kind: harm.kind, says: harmText(harm), nodes: touched(w, active),
    isLink: "link" in harm || harm.kind === "partition", fromUs: active.fromUs, toUs: active.toUs,
  };
  r.bands.push(band);
  r.open.set(active, band);
}

function touched(w: World, { harm }: Active): readonly number[] {
  const names = "node" in harm ? [harm.node] : harm.kind === "partition" ? harm.side : harm.link;
  const known = names.map((name) => w.byId.get(name)?.index);
  return known.filter((index): index is number => index !== undefined);
}

function stepped(
  r: Recorder, w: World, node: Node, event: SimEvent, effects: readonly SimEffect[],
): void {
  const life = "conn" in event ? node.sockets.get(event.conn)?.life : undefined;
  const record: StepRecord = {
    atUs: w.nowUs, node: node.index, event: event.type, life: life ?? lastLife(r, node, event),
    says: eventText(w, node, event), effects: effects.map((one) => effectText(w, node, one)),
  };
  r.steps.push(record);
  const at = { us: w.nowUs, step: r.steps.length - 1 };
  r.messages.push(...calls.stepped(r.calls, node.index, event, effects, at));
  for (const effect of effects) {
    if (effect.type === "mark") flag(r, w, node.index, "mark", effect.mark, 1);
  }
  if (event.type === "asked") flag(r, w, node.index, "task", event.task.op, 1);
}

/** An ended connection is out of the node's table when its end is told: the youngest that ended. */
function lastLife(r: Recorder, node: Node, event: SimEvent): number {
  if (event.type !== "conn.closed" && event.type !== "conn.failed") return -1;
  for (let i = r.lives.length - 1; i >= 0; i -= 1) {
    const life = r.lives[i] as Life;
    if (life.from === node.index && life.fromEndUs >= 0) return i;
    if (life.to === node.index && life.toEndUs >= 0) return i;
  }
  return -1;
}

function netWatch(r: Recorder): NetWatch {
  return {
    dialed: (life, from, to) => {
      const pair = `${from} ${to}`;
      const generation = (r.generations.get(pair) ?? 0) + 1;
      r.generations.set(pair, generation);
      r.lives[life] = {
        from, to, dialedUs: nowUs(r), fromOpenUs: -1, fromEndUs: -1, toOpenUs: -1, toEndUs: -1,
        generation,
      };
    },
    opened: (life, node) => {
      const one = r.lives[life];
      if (one === undefined) return;
      if (node === one.from) one.fromOpenUs = nowUs(r);
      else one.toOpenUs = nowUs(r);
    },
    ended: (life, node) => {
      const one = r.lives[life];
      if (one === undefined) return;
      if (node === one.from) one.fromEndUs = nowUs(r);
      else one.toEndUs = nowUs(r);
    },
    sent: (life, from, to, bytes, end) => sent(r, life, from, to, bytes, end),
    read: (life, by, end) => read(r, life, by, end),
  };
}

function nowUs(r: Recorder): number {
  return r.world?.nowUs ?? 0;
}

function sent(
  r: Recorder, life: number, from: number, to: number, bytes: Uint8Array, end: number,
): void {
  const message: Open<Message> = {
    life, from, to, sentUs: nowUs(r), sentStep: (r.world?.steps ?? 1) - 1, gotUs: -1, gotStep: -1,
    says: shownTypes(bytes), bytes: bytes.length,
  };
  r.messages.push(message);
  const key = `${life} ${to}`;
  const under = r.under.get(key);
  if (under === undefined) r.under.set(key, [{ message, end }]);
  else under.push({ message, end });
}

/** What `by` has read up to `end` has arrived: the step that reads it is the next one. */
function read(r: Recorder, life: number, by: number, end: number): void {
  const under = r.under.get(`${life} ${by}`);
  while (under !== undefined && under.length > 0) {
    const first = under[0] as Under;
    if (first.end > end) return;
    first.message.gotUs = nowUs(r);
    first.message.gotStep = r.world?.steps ?? 0;
    under.shift();
  }
}

/** Who is at the other end of a node's connection. */
function farEnd(w: World, node: Node, conn: SimEvent | SimEffect): string {
  if (!("conn" in conn) || conn.conn === undefined) return "";
  const socket = node.sockets.get(conn.conn);
  return socket === undefined ? "" : ` ${(w.nodes[socket.peer.node] as Node).id}`;
}

function eventText(w: World, node: Node, event: SimEvent): string {
  const who = farEnd(w, node, event);
  switch (event.type) {
    case "conn.received": return `${shownTypes(event.bytes)} from${who}, ${event.bytes.length} B`;
    case "conn.opened": return `connection ${event.conn} from${who}`;
    case "conn.dialed": return `connection ${event.conn} to${who} is open`;
    case "conn.failed": return `dial ${event.conn} failed: ${event.reason}`;
    case "conn.closed": return `connection ${event.conn} is over: ${event.reason}`;
    case "conn.congested": case "conn.drained": return `${event.type.slice(5)}${who}`;
    case "clock.anchored": return `wall clock ${event.unixMs}`;
    case "asked": return `asked to ${event.task.op}`;
    case "tick": return "a deadline";
    case "entropy.given": case "key.given": case "onion.located": case "operator.reload":
    case "operator.started": case "operator.stop": case "started": case "store.appended":
    case "store.failed": case "store.loaded": case "store.synced": case "store.truncated":
    case "sign.given": case "derive.given": case "operator.rescan":
    case "cookie.given": case "nonce.given": case "key.loaded": case "key.absent":
    case "key.saved": case "key.failed": return event.type;
    case "conn.confided": return `its Tor says something on connection ${event.conn}`;
    case "req.done": return `answer ${event.req}: ${event.status}, ${sizeText(event.body)}`;
    case "req.failed": return `no answer ${event.req}: ${event.reason}`;
    case "stream.subscribed": case "stream.item": case "stream.ended": case "operator.trust":
    case "ark.asked": case "ark.dropped": case "ark.opened": case "ark.left": case "ark.gone":
    case "ark.suffers": case "ark.healed":
      return fleets.eventText(w, event);
    case "rpc.asked": return `asked over HTTP by ${w.nodes[event.question.asker]?.id ?? "nobody"}`;
    default: unreachable(event);
  }
}

function effectText(w: World, node: Node, effect: SimEffect): string {
  const who = farEnd(w, node, effect);
  switch (effect.type) {
    case "conn.send":
      return `conn.send${who} ${shownTypes(effect.bytes)}, ${effect.bytes.length} B`;
    case "conn.close": return `conn.close${who} ${effect.how}: ${effect.reason}`;
    case "conn.dial": return `conn.dial ${effect.conn}`;
    case "wake": return `wake ${effect.at}`;
    case "log": return `log ${effect.level} ${effect.code}`;
    case "mark": return `mark ${effect.mark}`;
    case "told": return `told ${"fact" in effect.what ? effect.what.fact : effect.what.type}`;
    case "entropy.want": case "stopped": case "store.append": case "store.load":
    case "store.sync": case "store.truncate": case "sign.want":
    case "derive.want": case "cookie.want": case "nonce.want": case "key.load":
    case "key.save": return effect.type;
    case "conn.confide": return `says something to its Tor on connection ${effect.conn}`;
    case "req.start": return `question ${effect.req} to ${effect.to}: ${calls.says(effect)}`;
    case "req.drop": return `question ${effect.req} is dropped`;
    case "exec.start": return `runs ${effect.to}`;
    case "child.start": return `runs the program of ${effect.wallet}`;
    case "child.signal": return `ends the program of ${effect.wallet}`;
    case "stream.open": case "stream.close": case "ark.answered": case "ark.failed":
    case "ark.streamed":
      return fleets.effectText(w, effect);
    case "rpc.answered":
      return `answers ${w.nodes[effect.asker]?.id ?? "nobody"}: ${effect.status}`;
    default: unreachable(effect);
  }
}

function sizeText({ length }: string): string {
  return length === 0 ? "empty" : `${length} characters`;
}
