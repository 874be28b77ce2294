/**
 * The contract of every kernel in a world (X1, X2, X4, X5, X6), cheap for each step and in full for
 * steps that are looked at closely.
 *
 * | id | after every step                       | closely                                     |
 * |----|----------------------------------------|---------------------------------------------|
 * | X1 |                                        | the step runs on a copy too; its effects    |
 * |    |                                        | are what they were at the node's next step  |
 * | X2 | every effect is of a kind that the     | and plain to its leaves                     |
 * |    | host carries out                       |                                             |
 * | X4 | at most one wake, ahead                | and it is the deadline of the state         |
 * | X5 | steps at one instant                   |                                             |
 * | X6 | log lines of a node with a secret      | the text of the whole step                  |
 * @module
 */
import * as trace from "../../core/kernel/trace.ts";
import type { WakeEffect } from "../../core/kernel/io.ts";
import type { Kernel } from "../../core/kernel/kernel.ts";
import type { Mono } from "../../core/time.ts";
import * as cross from "../invariants/cross.ts";
import { violation, type Violation } from "../invariants/violation.ts";
import type { Watched } from "./state.ts";
import type { OracleNode, Typed } from "./world.ts";

/** Steps of one process at one instant of its clock. */
const stepsMax = 50_000;

const kinds: { readonly [kind in OracleNode["kind"]]: ReadonlySet<string> } = {
  directory: new Set(["wake", "conn.send", "conn.close", "entropy.want", "log", "stopped"]),
  peer: new Set(["wake", "conn.send", "conn.close", "conn.dial", "log", "mark", "told"]),
  hostile: new Set(["wake", "conn.send", "conn.close", "conn.dial", "log", "mark", "told"]),
  bot: new Set([
    "wake", "conn.send", "conn.close", "conn.dial", "req.start", "req.drop", "sign.want",
    "store.load", "store.append", "store.sync", "store.truncate", "exec.start", "derive.want",
    "log", "stopped", "conn.confide", "cookie.want", "nonce.want", "key.load", "key.save",
  ]),
  chain: new Set(["wake", "rpc.answered"]),
  fleet: new Set([
    "wake", "req.start", "req.drop", "stream.open", "stream.close", "store.load", "store.append",
    "store.sync", "store.truncate", "exec.start", "log", "stopped",
  ]),
  ark: new Set(["wake", "ark.answered", "ark.failed", "ark.streamed"]),
  journal: new Set([
    "wake", "store.load", "store.append", "store.sync", "store.truncate", "log", "mark", "told",
  ]),
};

/** What every step must keep. */
export function glance(
  node: OracleNode, m: Watched, effects: readonly Typed[], now: Mono, out: Violation[],
): void {
  const known = kinds[node.kind];
  let last = "";
  let wakes = 0;
  for (let i = 0; i < effects.length; i += 1) {
    const { type } = effects[i] as Typed;
    if (type === "wake") wakes += 1;
    // Most effects of a long list are of one kind.
    if (type === last) continue;
    last = type;
    if (!known.has(type)) out.push(violation("X2", `an effect of kind ${type}`));
    if (type === "log") unsaid(node, effects[i] as Typed, out);
  }
  if (wakes > 1) out.push(violation("X4", `${wakes} wakes in one step`));
  for (const one of cross.pulse(m.pulse, now, stepsMax)) out.push(one);
  if (m.kept === undefined) return;
  out.push(...cross.unchanged(m.kept));
  m.kept = undefined;
}

function unsaid(node: OracleNode, effect: Typed, out: Violation[]): void {
  // A field that is an object may change behind the line's back.
  const { fields = {} } = effect as { readonly fields?: { readonly [name: string]: unknown } };
  for (const value of Object.values(fields)) {
    if (typeof value === "object") out.push(violation("X2", "a log line holds a live object"));
  }
  const { secret } = node.identity;
  if (secret !== undefined) out.push(...cross.secrecy([secret], trace.effectText(effect)));
}

/** What a step must keep that is looked at closely. `kernel` is the process after it. */
export function look(
  node: OracleNode, m: Watched, kernel: Kernel<object, Typed, Typed>,
  event: Typed, effects: readonly Typed[], now: Mono, out: Violation[],
): void {
  out.push(...cross.plain(effects, kinds[node.kind]));
  out.push(...cross.wakes(kernel, effects as readonly (Typed | WakeEffect)[], now));
  m.kept = cross.keep(effects);
  told(node, event, effects, out);
}

/** X6: nothing of the secret stands in what a trace would hold. */
export function told(
  node: OracleNode, event: Typed, effects: readonly Typed[], out: Violation[],
): void {
  const { secret } = node.identity;
  if (secret === undefined) return;
  const texts = [trace.tailText(0, 0 as Mono, event, [])];
  for (const effect of effects) texts.push(trace.effectText(effect));
  out.push(...cross.secrecy([secret], texts.join("\n")));
}
