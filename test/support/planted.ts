/**
 * Scenarios and toy runs with planted failures, to test what comes after a failure.
 * @module
 */
import * as prng from "../../core/prng.ts";
import { hashText } from "../../sim/canonical.ts";
import { shapeOf, type Finding, type Outcome } from "../../sim/outcome.ts";
import {
  simVersion, type Fault, type Harm, type NodeSpec, type Scenario, type Task,
} from "../../sim/scenario.ts";

export const minute = 60_000;
export const span = 120 * minute;

/** A scenario with `faults` random faults, and nodes and tasks as std20 has. */
export function scenario(seed: string, faults: number, makers = 20): Scenario {
  const p = prng.stream(prng.key(seed), "toy");
  const nodes: NodeSpec[] = [{ id: "dir0", kind: "directory", settings: { peersMax: 9 } }];
  for (let i = 1; i <= makers; i += 1) {
    nodes.push({ id: `maker${i}`, kind: "maker", speaks: "new", auth: true, joinsAt: i * 777 });
  }
  for (let i = 1; i <= 5; i += 1) nodes.push({ id: `taker${i}`, kind: "taker", speaks: "old" });
  return {
    simVersion, name: "toy", seed: "0x00000000000000aa", nodes,
    net: {
      latencyMinUs: 20_000, latencyMeanUs: 90_000, segment: "split", sendBufferBytes: 65_536,
      receiveBufferBytes: 65_536,
    },
    host: { stepUs: 20, effectUs: 5, timerLateUs: 900 },
    workload: Array.from({ length: 40 }, (_, i) => task(p, i + 1_000)),
    faults: Array.from({ length: faults }, (_, i) => fault(p, i + 1, makers)),
    triggers: [],
    phases: { faultyMs: span, convergeMs: 35 * minute, core: ["dir0", "maker1"], fates: [] },
  };
}

function task(p: prng.Prng, id: number): Task {
  return { id, at: prng.below(p, span), node: `taker${prng.between(p, 1, 5)}`, op: "orderbook" };
}

function fault(p: prng.Prng, id: number, makers: number): Fault {
  return { id, at: prng.below(p, span), ...harm(p, makers) };
}

function harm(p: prng.Prng, makers: number): Harm {
  const node = `maker${prng.between(p, 1, makers)}`;
  const forMs = prng.between(p, 1_000, 20 * minute);
  switch (prng.below(p, 6)) {
    case 0:
    case 1: return { kind: "halfOpen", link: [node, "dir0"], way: "both", forMs };
    case 2: return { kind: "crash", node, effect: prng.below(p, 3), power: true, forMs };
    case 3: return { kind: "slow", link: [node, "dir0"], ms: prng.below(p, 20_000), forMs };
    case 4: return { kind: "jump", node, ms: prng.between(p, 1_000, 3_600_000) };
    default: return { kind: "pause", node, forMs };
  }
}

/** An outcome of nothing, or of a failure. */
export function outcome(s: Scenario, finding?: Finding): Outcome {
  const digest = hashText(`${s.seed}${s.faults.length}${s.workload.length}`);
  return {
    verdict: finding === undefined ? "pass" : verdictOf(finding.id), finding, digest,
    checkpoints: [digest], steps: 1_000 + s.faults.length, virtualMs: s.phases.faultyMs,
    goals: {}, faults: {}, gauges: {}, idle: [],
  };
}

function verdictOf(id: string): "liveness" | "crash" | "safety" {
  if (id.startsWith("L")) return "liveness";
  return id === "crash" ? "crash" : "safety";
}

export function finding(id: string, says: string, atMs: number, node = "dir0"): Finding {
  return {
    id, node, says, shape: shapeOf(id, says), step: Math.trunc(atMs / 10), atUs: atMs * 1_000,
    pending: [],
  };
}

/**
 * Fails iff a half-open of at least 600 s on a node, a crash of the same node inside it, and then a
 * jump of at least 10 s of another node; all three nodes must be there.
 */
export function planted(s: Scenario): Outcome {
  for (const half of s.faults) {
    if (half.kind !== "halfOpen" || half.forMs < 600_000) continue;
    const node = half.link[0];
    if (!has(s, node)) continue;
    const crash = s.faults.find((f) =>
      f.kind === "crash" && f.node === node && f.at > half.at && f.at < half.at + half.forMs);
    if (crash === undefined) continue;
    const jump = s.faults.find((f) => f.kind === "jump" && f.ms >= 10_000 && f.node !== node
      && f.at > crash.at && has(s, f.node) && f.at <= s.phases.faultyMs);
    if (jump !== undefined) {
      return outcome(s, finding("D2", `${node} acted for a stale life`, jump.at, node));
    }
  }
  return outcome(s);
}

function has(s: Scenario, id: string): boolean {
  return s.nodes.some((node) => node.id === id);
}

/** The `n`th seed from 0 whose scenario fails when planted. */
export function failing(n: number, faults: number): Scenario {
  let found = -1;
  for (let i = 0; i < 10_000; i += 1) {
    const s = scenario(`seed ${i}`, faults);
    if (planted(s).finding !== undefined) found += 1;
    if (found === n) return s;
  }
  throw new Error("no seed fails");
}
