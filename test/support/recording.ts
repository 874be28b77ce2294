/**
 * Hand-made recordings for pictures: the story of a lost WELCOME, and a long run of small talk.
 * @module
 */
import type {
  Band, Flag, Life, Message, Recording, StepRecord,
} from "../../sim/recording.ts";
import type { Outcome } from "../../sim/outcome.ts";
import type { Fault, NodeSpec, Scenario } from "../../sim/scenario.ts";
import { harmText } from "../../sim/words.ts";
import { changesOf, treeOf, type Change, type Tree } from "../../sim/picture/tree.ts";

/** A state of a made-up node: enough to have something to look at. */
export type ToyState = { [name: string]: unknown };

export type Draft = {
  readonly nodes: readonly NodeSpec[];
  readonly steps: StepRecord[];
  readonly messages: Message[];
  readonly lives: Life[];
  readonly flags: Flag[];
  readonly states: ToyState[];
  readonly changes: { step: number; changes: readonly Change[] }[];
  readonly trees: Tree[];
  atUs: number;
};

export function draft(nodes: readonly NodeSpec[]): Draft {
  const states = nodes.map((node): ToyState => ({ id: node.id, links: new Map(), lines: 0 }));
  return {
    nodes, steps: [], messages: [], lives: [], flags: [], states, changes: [],
    trees: states.map(treeOf), atUs: 0,
  };
}

/** A step of `node` now; answers its number. `change` alters the node's state. */
export function step(
  d: Draft, node: number, event: string, says: string, life = -1,
  change: (state: ToyState) => void = () => undefined, effects: readonly string[] = [],
): number {
  const i = d.steps.length;
  d.steps.push({ atUs: d.atUs, node, event, life, says, effects });
  const state = d.states[node] as ToyState;
  state["now"] = Math.floor(d.atUs / 1_000);
  change(state);
  const tree = treeOf(state);
  d.changes.push({ step: i, changes: changesOf(d.trees[node], tree) });
  d.trees[node] = tree;
  return i;
}

/** Sends something in a step of its own, and reads it `ms` later unless it is lost. */
export function say(
  d: Draft, life: number, isBack: boolean, says: string, ms: number | "lost",
): void {
  const { from: dialer, to: acceptor } = d.lives[life] as Life;
  const [from, to] = isBack ? [acceptor, dialer] : [dialer, acceptor];
  const target = d.nodes[to]?.id ?? "";
  const sent = step(d, from, "tick", `sends ${says} to ${target}`, life, counted, [
    `conn.send ${target} ${says}`, "wake",
  ]);
  const sentUs = d.atUs;
  const base = { life, from, to, sentUs, sentStep: sent, says, bytes: 60 + says.length };
  if (ms === "lost") {
    d.messages.push({ ...base, gotUs: -1, gotStep: -1 });
    return;
  }
  d.atUs += ms * 1_000;
  const got = step(d, to, "conn.received", `${says} from ${d.nodes[from]?.id}`, life, counted);
  d.messages.push({ ...base, gotUs: d.atUs, gotStep: got });
}

function counted(state: ToyState): void {
  state["lines"] = Number(state["lines"]) + 1;
}

/** A connection that opens at both ends. */
export function dial(d: Draft, from: number, to: number, ms = 20): number {
  const [dialer, acceptor] = [d.nodes[from]?.id ?? "", d.nodes[to]?.id ?? ""];
  const life = d.lives.length;
  const generation = 1 + d.lives.filter((l) => l.from === from && l.to === to).length;
  const dialedUs = d.atUs;
  step(d, from, "tick", `dials ${acceptor}`, life, setLink(acceptor, "dialing"), ["conn.dial"]);
  d.atUs += ms * 1_000;
  step(d, to, "conn.opened", `accepts ${dialer}`, life, setLink(dialer, "handshaking"));
  const toOpenUs = d.atUs;
  d.atUs += ms * 1_000;
  step(d, from, "conn.dialed", `is connected to ${acceptor}`, life, setLink(acceptor, "shaking"));
  d.lives.push({
    from, to, dialedUs, fromOpenUs: d.atUs, fromEndUs: -1, toOpenUs, toEndUs: -1, generation,
  });
  return life;
}

function setLink(peer: string, phase: string): (state: ToyState) => void {
  return (state) => void (state["links"] as Map<string, object>).set(peer, { phase, pings: 0 });
}

/** One end learns that a connection is over. */
export function end(d: Draft, life: number, node: number, reason: string): void {
  const old = d.lives[life] as Life;
  const own = node === old.from ? { fromEndUs: d.atUs } : { toEndUs: d.atUs };
  d.lives[life] = { ...old, ...own };
  const partner = d.nodes[node === old.from ? old.to : old.from]?.id ?? "";
  step(d, node, "conn.closed", `loses ${partner}: ${reason}`, life, (state) => {
    (state["links"] as Map<string, object>).delete(partner);
  });
}

export function flag(d: Draft, kind: Flag["kind"], node: number, says: string): void {
  d.flags.push({ kind, node, says, atUs: d.atUs, step: d.steps.length - 1 });
}

/** What the picture's page takes in place of running the scenario. */
export type Made = {
  readonly recording: Recording;
  readonly states: {
    readonly firsts: readonly Tree[];
    readonly changes: readonly { readonly step: number; readonly changes: readonly Change[] }[];
  };
};

export function finish(
  d: Draft, faults: readonly Fault[], bands: readonly Band[], outcome: Partial<Outcome>,
  name = "std",
): Made {
  const endMs = Math.ceil(d.atUs / 1_000);
  const scenario: Scenario = {
    simVersion: 1, name, seed: "0x0000000000000094", nodes: d.nodes,
    net: {
      latencyMinUs: 10_000, latencyMeanUs: 20_000, segment: "whole", sendBufferBytes: 65_536,
      receiveBufferBytes: 65_536,
    },
    host: { stepUs: 20, effectUs: 5, timerLateUs: 100 },
    workload: [], faults, triggers: [],
    phases: { faultyMs: endMs, fates: [], core: [], convergeMs: 0 },
  };
  const firsts = d.nodes.map((node) => treeOf({ id: node.id, links: new Map(), lines: 0 }));
  return {
    recording: {
      scenario, steps: d.steps, messages: d.messages, lives: d.lives, bands, flags: d.flags,
      outcome: {
        verdict: "pass", finding: undefined, digest: "00ff00ff00ff00ff", checkpoints: [],
        steps: d.steps.length, virtualMs: endMs, goals: {}, faults: {}, gauges: {}, idle: [],
        ...outcome,
      },
    },
    states: { firsts, changes: d.changes },
  };
}

export const min = 60_000_000;

export const faults: readonly Fault[] = [
  { id: 1, at: 3_382_000, kind: "halfOpen", link: ["maker1", "dir0"], way: "both", forMs: 934_000 },
  { id: 2, at: 4_318_000, kind: "slow", link: ["maker1", "dir0"], ms: 20_000, forMs: 201_000 },
  { id: 3, at: 4_345_000, kind: "halfOpen", link: ["maker1", "dir0"], way: "back", forMs: 310_000 },
];

export function bandsOf(list: readonly Fault[], nodes: readonly number[] = [0, 1]): Band[] {
  return list.map((fault) => ({
    id: fault.id, kind: fault.kind, says: harmText(fault), nodes, isLink: true,
    fromUs: fault.at * 1_000, toUs: (fault.at + ("forMs" in fault ? fault.forMs : 0)) * 1_000,
  }));
}

const people: readonly NodeSpec[] = [
  { id: "dir0", kind: "directory" },
  { id: "maker1", kind: "maker", speaks: "new" },
  { id: "maker2", kind: "maker", speaks: "old" },
  { id: "taker1", kind: "taker", speaks: "new" },
];

function shake(d: Draft, life: number): void {
  say(d, life, false, "HANDSHAKE", 20);
  say(d, life, true, "DN_HANDSHAKE", 20);
}

/** Everything well until the first fault: three peers join and talk. */
function opening(d: Draft): number {
  d.atUs = 40_000;
  const one = dial(d, 1, 0);
  shake(d, one);
  flag(d, "goal", 1, "S1 a maker is registered");
  const two = dial(d, 2, 0);
  shake(d, two);
  d.atUs += 2_000_000;
  const three = dial(d, 3, 0);
  shake(d, three);
  flag(d, "task", 3, "taker1 asks for the orderbook");
  say(d, three, false, "PUBMSG", 20);
  say(d, one, true, "PUBMSG", 20);
  say(d, one, false, "PRIVMSG", 20);
  say(d, three, true, "PRIVMSG", 20);
  for (let i = 1; i < 5; i += 1) {
    d.atUs = i * 11 * min;
    say(d, one, true, "PING", 20);
    say(d, one, false, "PONG", 20);
  }
  return one;
}

/** The first connection ends unseen, and the maker dials once more; answers that connection. */
function comeback(d: Draft, welcomeMs: number | "lost"): number {
  const first = opening(d);
  d.atUs = 3_600_000_000;
  say(d, first, true, "PING", "lost");
  d.atUs += 30_000_000;
  end(d, first, 0, "no pong");
  d.atUs = 4_300_000_000;
  end(d, first, 1, "idle");
  d.atUs = 4_332_000_000;
  const again = dial(d, 1, 0, 11);
  say(d, again, false, "HANDSHAKE", 20_000);
  say(d, again, true, "DN_HANDSHAKE", welcomeMs);
  return again;
}

/** A maker whose WELCOME is lost in a half-open window, and that waits for it for ever. */
export function lostWelcome(): Made {
  const d = draft(people);
  const again = comeback(d, "lost");
  for (let i = 0; i < 20; i += 1) {
    d.atUs = 4_980_000_000 + i * 11 * min;
    say(d, again, true, "PING", 18);
    say(d, again, false, "PONG", 22);
    if (i === 2) flag(d, "heal", 0, "heal: dir0, maker1");
  }
  d.atUs += 100_000_000;
  const at = step(d, 0, "tick", "looks at who is silent");
  flag(d, "violation", 1, "maker1 is not usable at dir0");
  const says = "maker1 is not usable at dir0 2,100 s after the heal: "
    + "maker1@dir0 = handshaking since 72:12 (2,868 s)";
  return finish(d, faults, bandsOf(faults), {
    verdict: "liveness",
    finding: {
      id: "L1", node: "maker1", says, shape: "L1: NODE is not usable at NODE", step: at,
      atUs: d.atUs, pending: ["maker1@dir0 = handshaking since 72:12 (2,868 s)"],
    },
  });
}

/** The same without the third fault: WELCOME arrives. */
export function passingNeighbour(): Made {
  const d = draft(people);
  const again = comeback(d, 20_000);
  flag(d, "goal", 1, "S3 a maker is back");
  for (let i = 0; i < 20; i += 1) {
    d.atUs = 4_980_000_000 + i * 11 * min;
    say(d, again, true, "PING", 18);
    say(d, again, false, "PONG", 22);
  }
  const two = faults.slice(0, 2);
  return finish(d, two, bandsOf(two), {});
}

/** The failing run as it was found: more faults, more nodes. */
export function original(): Made {
  const more: NodeSpec[] = [];
  for (let i = 3; i < 14; i += 1) more.push({ id: `maker${i}`, kind: "maker", speaks: "new" });
  const d = draft([...people, ...more]);
  const first = opening(d);
  const lives = more.map((_, i) => dial(d, 4 + i, 0));
  for (const life of lives) shake(d, life);
  for (let i = 0; i < 12; i += 1) {
    const life = lives[i % lives.length] as number;
    say(d, life, false, "PUBMSG", 15);
    for (const other of lives) if (other !== life) say(d, other, true, "PUBMSG", 1);
    say(d, first, true, "PUBMSG", 9);
    d.atUs += 40_000_000;
  }
  const at = step(d, 0, "tick", "looks at who is silent");
  flag(d, "violation", 1, "maker1 is not usable at dir0");
  const all: Fault[] = [...faults];
  const odd: Fault[] = [
    { id: 4, at: 60_000, kind: "pause", node: "maker2", forMs: 60_000 },
    { id: 5, at: 90_000, kind: "crash", node: "dir0", effect: 0, power: false, forMs: 20_000 },
    { id: 6, at: 100_000, kind: "jump", node: "maker1", ms: -3_600_000 },
    { id: 7, at: 120_000, kind: "reset", link: ["maker2", "dir0"] },
  ];
  all.push(...odd);
  const bands = bandsOf(faults);
  odd.forEach((fault, i) => {
    const nodes = [[2], [0], [1], [2, 0]][i] as number[];
    bands.push(...bandsOf([fault], nodes).map((band) => ({ ...band, isLink: nodes.length > 1 })));
  });
  return finish(d, all, bands, {
    verdict: "liveness",
    finding: {
      id: "L1", node: "maker1", says: "maker1 is not usable at dir0", shape: "L1", step: at,
      atUs: d.atUs, pending: [],
    },
  });
}

/** `count` messages between a directory and `makers` makers. */
export function smallTalk(count: number, makers: number): Made {
  const nodes: NodeSpec[] = [{ id: "dir0", kind: "directory" }];
  for (let i = 1; i <= makers; i += 1) {
    nodes.push({ id: `maker${i}`, kind: "maker", speaks: "new" });
  }
  const d = draft(nodes);
  const lives: number[] = [];
  for (let i = 1; i <= makers; i += 1) lives.push(dial(d, i, 0));
  for (let i = 0; i < count; i += 1) {
    say(d, lives[(i * 7) % makers] as number, i % 3 !== 0, i % 3 === 0 ? "PUBMSG" : "PRIVMSG", 20);
    d.atUs += i % 50 === 0 ? 30_000_000 : 150_000;
  }
  return finish(d, [], [], {}, "small talk");
}
