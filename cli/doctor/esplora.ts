/**
 * An Esplora server: does it answer, on our network, with a tip of today? It is asked what the
 * daemon asks first, by the daemon's own machine.
 *
 * Rule 1: no address is asked about: that would tell the server what we watch.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { MakerSettings } from "../../adapters/config/maker-settings.ts";
import { createRequests, type Requests } from "../../adapters/requests.ts";
import type { Answer, Effect, Event, Question } from "../../core/chain/chain.ts";
import * as esplora from "../../core/chain/esplora.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";
import type { NodeTime } from "./node.ts";
import { visitTo } from "./target.ts";

const what = "esplora";

type Talk = {
  readonly machine: esplora.Esplora;
  readonly requests: Requests;
  readonly ambient: Pick<Ambient, "now">;
  answered: (answer: Answer) => void;
};

/** `undefined`: none is configured. `tell` hears once what it knows of the time. */
export function server(
  settings: MakerSettings, ambient: Pick<Ambient, "entropy" | "now">, limitMs: number,
  tell: (time: NodeTime) => void,
): Check | undefined {
  const { config: { esplora: config, network } } = settings;
  const spec = settings.targets.get("esplora");
  if (config === undefined || spec === undefined) return undefined;
  const talk: Talk = {
    machine: esplora.create(config), ambient, answered: () => {},
    requests: createRequests({
      targets: new Map([["esplora", visitTo(spec, settings, ambient)]]),
      push: (event) => step(talk, told(event)), report: () => {},
    }),
  };
  const look = async (): Promise<readonly Finding[]> => {
    // To a server that keeps nothing for us this is the question which network it is on.
    const prepared = await ask(talk, 1, { ask: "prepare" });
    const answer = prepared.ok ? await ask(talk, 2, { ask: "tip" }) : prepared;
    if (answer.ok && answer.ask === "tip" && network !== "regtest") {
      tell({ blockMs: answer.tip.timeS * 1_000, peersAheadS: undefined });
    }
    return [judged(spec.url.host, answer)];
  };
  return { what, limitMs, look, end: talk.requests.closeAll };
}

function ask(talk: Talk, token: number, question: Question): Promise<Answer> {
  return new Promise((resolve) => {
    talk.answered = resolve;
    step(talk, { type: "asked", token, question });
  });
}

function step(talk: Talk, event: Event): void {
  const effects: Effect[] = [];
  esplora.step(talk.machine, event, talk.ambient.now(), effects);
  for (const effect of effects) {
    if (effect.type === "answered") talk.answered(effect.answer);
    if (effect.type !== "request") continue;
    const { token: req, to, method, path, headers, body, renew } = effect;
    talk.requests.start({ type: "req.start", req, to, method, path, headers, body, renew });
  }
}

function told(event: RequestEvent): Event {
  const { req: token } = event;
  if (event.type === "req.failed") return { type: "failed", token, reason: event.reason };
  return { type: "replied", token, status: event.status, body: event.body };
}

function judged(where: string, answer: Answer): Finding {
  if (answer.ok && answer.ask === "tip") {
    const seen = `${where}: block ${answer.tip.height}`;
    return answer.tip.isSynced ? ok(what, seen)
      : warn(what, `${seen}, and more are missing`, "wait, or choose another server");
  }
  const text = !answer.ok && answer.why === "unavailable" ? answer.fault.text : "no tip is known";
  return fail(what, `${where}: ${text}`,
    "correct esplora.url; through Tor, look at SOCKS (above); or choose another server");
}
