/**
 * What many Ark wallets do in hours, in virtual time: who connects after their server was away, and
 * how fast a day goes by.
 *
 * Rule 1: the worlds are the simulator's own; a day is one of profile `ark24`, judges included.
 * Rule 2: who connects is seen where effects leave the daemon: a stream of rounds that is opened,
 * or a call that makes a program dial a server that is not known to be up.
 * @module
 */
import * as facts from "../../core/ark/facts.ts";
import type { Ark } from "../../core/ark/node.ts";
import { generate } from "../../sim/generate.ts";
import { run } from "../../sim/runner.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { ownCpuUs } from "./proc.ts";

export type Rush = {
  readonly wallets: number;
  /** Wallets that connect within one second, wherever it begins. */
  readonly mostInSecond: number;
  /** From the first of them to the last, when the server is back. */
  readonly lastMs: number;
};

export type Day = {
  readonly wallets: number; readonly hours: number; readonly steps: number;
  /** What it takes of a core. */
  readonly cpuMs: number;
};

const minute = 60_000;
const hour = 60 * minute;
const seed = "0x0000000000000001";

/** Calls that a wallet's program answers with the server's help. */
const serverPaths = /\/wallet\/(next-round|sync|sync\/mailbox|refresh\/delegated\/vtxos)$/;

/** `at`: by the clock of the process, in ms. */
type Dial = { readonly at: number; readonly isBack: boolean; readonly wallet: string };
type Effect = {
  readonly type: string; readonly stream?: number; readonly to?: string; readonly path?: string;
};

/** So many wallets at one server, which is away from minute 10 to 13. */
export function rush(count: number): Rush {
  const [awayMs, backMs, untilMs] = [10 * minute, 13 * minute, 20 * minute];
  const dials: Dial[] = [];
  run(rushing(count, awayMs, backMs - awayMs, untilMs), {
    checks: false,
    watch: {
      stepped: (w, { kernel, fleet }, _, effects) => {
        if (fleet === undefined || kernel === undefined || w.nowUs < awayMs * 1_000) return;
        for (const effect of effects) {
          const wallet = dialler(kernel.state as Ark, effect as Effect);
          if (wallet === undefined) continue;
          dials.push({ at: kernel.now, isBack: w.nowUs >= backMs * 1_000, wallet });
        }
      },
    },
  });
  const back = dials.filter(({ isBack }) => isBack);
  const firsts = new Map(back.toReversed().map(({ at, wallet }) => [wallet, at]));
  // Some had asked just before, and were answered when it was back.
  if (firsts.size < count * 0.95) {
    throw new Error(`only ${firsts.size} of ${count} wallets connected`);
  }
  const lastMs = Math.max(...firsts.values()) - Math.min(...firsts.values());
  return { wallets: count, mostInSecond: mostOf(dials), lastMs };
}

function rushing(count: number, at: number, forMs: number, faultyMs: number): Scenario {
  const like = generate("ark24", seed);
  return {
    ...like, name: "rush", workload: [], triggers: [],
    phases: { ...like.phases, faultyMs, convergeMs: 0 },
    faults: [{ id: 1, at, kind: "serverWrong", node: "ark0", as: "down", size: 0, forMs }],
    nodes: [
      {
        id: "fleet0", kind: "fleet", wallets: Array.from({ length: count }, (_, i) => ({
          name: `wallet${i}`, fundsSat: 500_000, autoExit: true, hasRounds: true,
          coins: [{ sat: 70_000, blocks: 4_320, levels: 1 }],
        })),
      },
      ...like.nodes.filter(({ kind }) => kind === "ark"),
    ],
  };
}

function dialler(d: Ark, { type, stream, to = "", path = "" }: Effect): string | undefined {
  if (type === "stream.open") return d.streams.get(stream ?? 0)?.node.config.name;
  if (type !== "req.start" || !to.startsWith("barkd:") || !serverPaths.test(path)) return undefined;
  const name = to.slice("barkd:".length);
  const node = d.byName.get(name);
  if (node === undefined) return undefined;
  return facts.factOf(node.daemon.facts, "server").state === "up" ? undefined : name;
}

/** In any second: how many wallets, each counted once. */
function mostOf(dials: readonly Dial[]): number {
  const inside = new Map<string, number>();
  let from = 0;
  let most = 0;
  for (const { at, wallet } of dials) {
    inside.set(wallet, (inside.get(wallet) ?? 0) + 1);
    for (let old = dials[from]; old !== undefined && old.at <= at - 1_000; old = dials[from]) {
      const left = (inside.get(old.wallet) ?? 0) - 1;
      if (left === 0) inside.delete(old.wallet);
      else inside.set(old.wallet, left);
      from += 1;
    }
    if (inside.size > most) most = inside.size;
  }
  return most;
}

/** The first so many hours of a day of 100 wallets. */
export function day(hours: number): Day {
  const like = generate("ark24", seed);
  const { phases } = like;
  const faultyMs = hours * hour < phases.faultyMs ? hours * hour : phases.faultyMs;
  const fromUs = ownCpuUs();
  const { verdict, steps } = run({ ...like, phases: { ...phases, faultyMs } });
  if (verdict !== "pass") throw new Error(`a day of ${like.name} ends with ${verdict}`);
  const wallets = like.nodes.reduce((sum, one) => (
    sum + (one.kind === "fleet" ? one.wallets.length : 0)
  ), 0);
  return { wallets, hours, steps, cpuMs: (ownCpuUs() - fromUs) / 1_000 };
}
