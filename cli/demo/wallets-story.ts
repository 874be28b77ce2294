/**
 * What happens to the demo's Ark by itself: a block at each beat, payments, and now and then a
 * server that is away. What comes due, and what is done about it, is the daemon's affair.
 *
 * Rule 1: in an order that repeats; so an operator who watches has seen all of it after one round.
 * Rule 2: an outage is shorter than what a wallet can do without its server.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import { pay } from "../../sim/ark/acts.ts";
import { block } from "../../sim/ark/run.ts";
import type { ArkServer } from "./ark.ts";
import type { Happening } from "./peers.ts";

export type StoryOptions = {
  readonly ambient: Pick<Ambient, "every">;
  readonly server: ArkServer;
  readonly beatMs: number;
  readonly tell: (happening: Happening) => void;
};

export interface Story {
  readonly stop: () => void;
}

type Beat = "nothing" | "payment" | "outage" | "return";

const beats: readonly Beat[] = [
  "nothing", "payment", "nothing", "nothing", "nothing", "outage", "nothing", "nothing", "nothing",
  "nothing", "nothing", "return", "nothing", "nothing", "nothing", "nothing",
];

/** What a payment to the wallet in use brings, and how long it lives: as if from a round. */
const paymentSat = 21_000n;
const paymentBlocks = 38;

/** Begins one beat from now. */
export function begin({ ambient, server, beatMs, tell }: StoryOptions): Story {
  let at = 0;
  const say = (kind: string, text: string): void => {
    tell({ kind, peer: "ark server", nick: "", text });
  };
  const stop = ambient.every(beatMs, () => {
    const beat = beats[at % beats.length]!;
    at += 1;
    server.act((world) => {
      block(world);
      if (beat !== "payment") return;
      pay(world, "daily", { amountsSat: [paymentSat], lifeBlocks: paymentBlocks, exitDepth: 3 });
    });
    switch (beat) {
      case "nothing": return;
      case "payment": return say("paid", `somebody pays daily ${paymentSat} sat over the Ark`);
      case "outage":
        server.suffer([{
          on: "server", fault: { kind: "down" }, fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER,
        }]);
        return say("halted", "the Ark server is stopped: no round, no refresh until it is back");
      case "return":
        server.suffer([]);
        return say("resumed", "the Ark server is started again");
    }
  });
  return { stop };
}
