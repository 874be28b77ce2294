/**
 * What a maker in its rig has said: in public, in its log, and to its operator.
 * @module
 */
import { defaults } from "../../core/maker/config.ts";
import type { Maker } from "../../core/maker/node.ts";
import * as rig from "./maker.ts";
import * as rules from "./maker-rules.ts";

export const { target } = rig;
export const notify = { ...defaults.notify, targets: [target] };

/** A maker that has announced what it has. */
export function running(options: rig.Options = {}): rig.Rig {
  const r = rig.start(options);
  rig.pass(r, 1_000);
  rules.settled(r.rules, r.kernel.state);
  return r;
}

export const stateOf = (r: rig.Rig): Maker => r.kernel.state;

/** Every public line, over all connections and lives. */
export const said = (r: rig.Rig): string[] => r.rules.lines.map(({ text }) => text);

export const codes = (r: rig.Rig): string[] => r.logs.map(({ code }) => code);

export type Told = { readonly id: number; readonly kind: string; readonly durable: boolean };

/** Notices of one kind, each as often as it was sent. */
export function kinds(r: rig.Rig, kind: string): readonly Told[] {
  return r.notices.flatMap(({ body }) => {
    const told = JSON.parse(body) as Told;
    return told.kind === kind ? [told] : [];
  });
}
