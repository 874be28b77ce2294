/**
 * Weaker kinds of the same trouble: a partition becomes a cut of one link, both ways become one,
 * a power loss becomes a crash, a crash becomes a pause.
 *
 * Rule 1: each step is weaker by a fixed order, so that weakening ends.
 * @module
 */
import { unreachable } from "../../core/assert.ts";
import type { Harm, Link, NodeId, Scenario } from "../scenario.ts";
import { replaced } from "./edit.ts";
import type { Best, Choice } from "./pass.ts";

type Linked = Extract<Harm, { readonly link: Link }>;
type Partition = Extract<Harm, { readonly kind: "partition" }>;

/** No more single links than this are tried in place of a broader fault. */
const linksMax = 8;
const bytesPerSecMax = 1_000_000;

/** Each weaker form of each fault and trigger. */
export function weaken(best: Best): Choice[] {
  const s = best.scenario;
  const faults = s.faults.flatMap((fault, i) =>
    weaker(fault, s).map((harm) => () => {
      const { id, at } = fault;
      return { ...s, faults: replaced(s.faults, i, { ...harm, id, at }) };
    }));
  const triggers = s.triggers.flatMap((trigger, i) =>
    weaker(trigger.do, s).map((harm) => () =>
      ({ ...s, triggers: replaced(s.triggers, i, { ...trigger, do: harm }) })));
  return [...faults, ...triggers];
}

/** Weaker harms, weakest first where one implies another. */
export function weaker(h: Harm, s: Scenario): Harm[] {
  switch (h.kind) {
    case "partition": return [...links(h, s), ...ways(h), ...sides(h)];
    case "halfOpen":
      return [cutLike(h.link, h.way, h.forMs), ...narrower(h, s), ...ways(h)];
    case "cut": return [...narrower(h, s), ...ways(h)];
    case "hang": return [{ ...h, kind: "refuse" }, ...narrower(h, s)];
    case "narrow": return [...wider(h), ...narrower(h, s)];
    case "chop": return [...rougher(h), ...narrower(h, s)];
    case "slow":
    case "lateEnd":
    case "reset":
    case "refuse":
    case "lateDial": return narrower(h, s);
    case "restart": return [pauseOf(h.node, h.forMs)];
    case "crash": return crashes(h);
    case "pause": return [{ kind: "stall", node: h.node, forMs: h.forMs }];
    case "diskTorn": return crashes(powerOf(h.node, h.forMs)).concat(powerOf(h.node, h.forMs));
    case "jump": return h.ms < 0 ? [{ ...h, ms: -h.ms }] : [];
    case "drift": return h.ppm < 0 ? [{ ...h, ppm: -h.ppm }] : [];
    case "stall":
    case "diskSlow":
    case "diskFull":
    case "diskFails":
    case "rpcWrong":
    case "hookDown": return [];
    case "barkdWrong":
    case "sourceWrong": return ofOneWallet(h, s);
    case "serverWrong": return [];
    case "tor": return [{ kind: "refuse", link: [h.node, "*"], forMs: h.forMs }];
    default: return unreachable(h);
  }
}

/** One wallet in place of all. */
function ofOneWallet<H extends Extract<Harm, { readonly wallet: string }>>(
  h: H, s: Scenario,
): H[] {
  if (h.wallet !== "*") return [];
  const names = s.nodes.flatMap((one) => (
    one.kind === "fleet" ? one.wallets.map(({ name }) => name) : []
  ));
  return names.slice(0, linksMax).map((wallet) => ({ ...h, wallet }));
}

function cutLike(link: Link, way: "both" | "there" | "back", forMs: number): Harm {
  return { kind: "cut", link, way, forMs };
}

function pauseOf(node: NodeId, forMs: number): Harm {
  return { kind: "pause", node, forMs };
}

function powerOf(node: NodeId, forMs: number): Extract<Harm, { kind: "crash" }> {
  return { kind: "crash", node, effect: 0, power: true, forMs };
}

function crashes(h: Extract<Harm, { kind: "crash" }>): Harm[] {
  const plain: Harm[] = h.power ? [{ ...h, power: false }] : [];
  return [pauseOf(h.node, h.forMs), ...plain];
}

function ways<H extends Harm & { readonly way: string }>(h: H): H[] {
  return h.way === "both" ? [{ ...h, way: "there" }, { ...h, way: "back" }] : [];
}

/** One far end in place of all. */
function narrower<H extends Linked>(h: H, s: Scenario): H[] {
  if (h.link[1] !== "*") return [];
  const far = farEnds(s, [h.link[0]]);
  return far.map((id) => ({ ...h, link: [h.link[0], id] }));
}

/** Directories first: nearly all links have one at an end. */
function farEnds(s: Scenario, near: readonly NodeId[]): NodeId[] {
  const others = s.nodes.filter((node) => !near.includes(node.id));
  const directories = others.filter((node) => node.kind === "directory");
  const rest = others.filter((node) => node.kind !== "directory");
  return [...directories, ...rest].slice(0, linksMax).map((node) => node.id);
}

function links(h: Partition, s: Scenario): Harm[] {
  const far = farEnds(s, h.side);
  const cuts = h.side.flatMap((id) => far.map((end) => cutLike([id, end], h.way, h.forMs)));
  return cuts.slice(0, linksMax);
}

/** Fewer on this side. */
function sides(h: Partition): Harm[] {
  if (h.side.length < 2) return [];
  return h.side.map((_, i) => ({ ...h, side: h.side.filter((__, at) => at !== i) }));
}

function wider(h: Extract<Harm, { kind: "narrow" }>): Harm[] {
  const bytesPerSec = h.bytesPerSec * 10;
  return h.bytesPerSec > 0 && bytesPerSec <= bytesPerSecMax ? [{ ...h, bytesPerSec }] : [];
}

function rougher(h: Extract<Harm, { kind: "chop" }>): Harm[] {
  return h.as === "tiny" || h.as === "joined" ? [{ ...h, as: "split" }] : [];
}
