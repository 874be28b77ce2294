/**
 * Tor's control port: does it let us in, has Tor found the network, and what time does it think?
 *
 * Rule 1: asks only; nothing of Tor is changed.
 * Rule 2: secrets are read for the machine that proves us, and are in no finding.
 * @module
 */
import type { Socket } from "node:net";
import { addressText, type Address } from "../../adapters/address.ts";
import type { Ambient } from "../../adapters/ambient.ts";
import { primitives } from "../../adapters/primitives.ts";
import type { SecretSource } from "../../adapters/secretfile.ts";
import { connectTo } from "../../adapters/socks.ts";
import { carryOut, type TorFiles } from "../../adapters/tor.ts";
import { ascii } from "../../core/bytes.ts";
import { dayOf } from "../../core/history/zone.ts";
import { secret } from "../../core/secret.ts";
import * as control from "../../core/tor/control.ts";
import * as reply from "../../core/tor/reply.ts";
import { type Check, fail, type Finding, ok, skipped, warn } from "./finding.ts";
import { connectFailure } from "./socket.ts";

export type ControlSpec = {
  readonly address: Address;
  /** Where the cookie is, if not where Tor says. */
  readonly cookiePath: string | undefined;
  readonly password: SecretSource | undefined;
};

/** Between these times, in unix ms, Tor's view of the network is valid. */
export type Consensus = { readonly fromMs: number; readonly untilMs: number };

const what = "Tor control";
const questions = [
  "GETINFO status/bootstrap-phase", "GETINFO consensus/valid-after consensus/valid-until",
] as const;

type Talk = {
  readonly spec: ControlSpec;
  readonly ambient: Pick<Ambient, "entropy" | "now">;
  readonly machine: control.Control;
  readonly replies: reply.Reply[];
  version: string;
  socket: Socket | undefined;
  /** Why there was no connection. */
  trouble: string;
  /** Told once, when it is over, with the fault if there was one. */
  readonly done: (fault: string | undefined) => void;
};

/** `tell` hears once what Tor knows of the time. */
export function controlPort(
  spec: ControlSpec | undefined, ambient: Pick<Ambient, "entropy" | "now">, limitMs: number,
  tell: (consensus: Consensus | undefined) => void,
): Check {
  let talk: Talk | undefined;
  const look = async (): Promise<readonly Finding[]> => {
    if (spec === undefined) return [skipped(what, "no control port is configured")];
    const fault = await new Promise<string | undefined>((done) => {
      talk = begin(spec, ambient, done);
    });
    if (talk === undefined) return [];
    const [phase, times] = talk.replies;
    if (fault === undefined) tell(consensusOf(times));
    return [judged(talk, fault, phase)];
  };
  return {
    what, limitMs, look,
    end: () => void talk?.socket?.destroy(),
  };
}

function begin(
  spec: ControlSpec, ambient: Talk["ambient"], done: Talk["done"],
): Talk {
  const { cookiePath } = spec;
  const hasPassword = spec.password !== undefined;
  const config = { ...control.defaults, hasPassword, cookiePath };
  const talk: Talk = {
    spec, ambient, machine: control.create(config), replies: [], version: "",
    socket: undefined, trouble: "", done,
  };
  step(talk, { type: "wanted" });
  return talk;
}

function step(talk: Talk, event: control.Event): void {
  const effects: control.Effect[] = [];
  control.step(talk.machine, event, talk.ambient.now(), primitives, effects);
  for (const effect of effects) perform(talk, effect);
}

function perform(talk: Talk, effect: control.Effect): void {
  switch (effect.type) {
    case "dial": return dial(talk, effect.link);
    case "send": return void talk.socket?.write(effect.bytes.secret);
    case "hangup": return void talk.socket?.destroy();
    case "cookie.want": case "password.want": case "nonce.want": {
      const { spec: { password }, ambient: { entropy } } = talk;
      return carryOut({
        password, entropy, keyFile: "", hear: (event) => given(talk, event),
      }, effect);
    }
    case "ready":
      talk.version = effect.version;
      for (const [token, question] of questions.entries()) {
        step(talk, { type: "asked", token, command: secret(ascii(question)) });
      }
      return;
    case "answered":
      talk.replies.push(effect.reply);
      if (talk.replies.length === questions.length) talk.done(undefined);
      return;
    case "ended": return talk.done(effect.fault.text);
    case "told": return;
  }
}

function dial(talk: Talk, link: number): void {
  const socket = connectTo(talk.spec.address);
  talk.socket = socket;
  socket.on("connect", () => step(talk, { type: "dialed", link }));
  socket.on("data", (bytes) => step(talk, { type: "received", link, bytes: secret(bytes) }));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    talk.trouble = connectFailure(error);
    step(talk, { type: "undialed", link, reason: "failed" });
  });
  socket.on("close", () => step(talk, { type: "closed", link }));
}

/** What was read on this machine. */
function given(talk: Talk, event: Parameters<TorFiles["hear"]>[0]): void {
  switch (event.type) {
    case "cookie.given": case "cookie.failed": case "password.given": case "password.failed":
    case "nonce.given":
      return step(talk, event);
    // Nothing of the service itself is asked for.
    case "key.absent": case "key.failed": case "key.loaded": case "key.saved":
    case "hostname.given": case "hostname.failed":
      return;
  }
}

function judged(talk: Talk, fault: string | undefined, phase: reply.Reply | undefined): Finding {
  const where = addressText(talk.spec.address);
  if (fault !== undefined) {
    const seen = talk.trouble === "" ? "it does not let us in" : talk.trouble;
    return fail(what, `${where}: ${seen}`, fault);
  }
  const text = phase === undefined ? undefined : reply.valueOf(phase, "status/bootstrap-phase");
  const percent = /PROGRESS=([0-9]{1,3})/.exec(text ?? "")?.[1];
  const seen = `${where}: Tor ${talk.version}`;
  if (percent === "100") return ok(what, `${seen}, connected to the network`);
  const summary = /SUMMARY="([^"]*)"/.exec(text ?? "")?.[1] ?? "no word of it";
  return warn(what, `${seen}, ${percent ?? 0} % connected to the network: ${summary}`,
    "wait; if it stays so, Tor's own log says what keeps it");
}

/** Times of the consensus, which are in UTC. */
function consensusOf(times: reply.Reply | undefined): Consensus | undefined {
  if (times?.code !== 250) return undefined;
  const fromMs = timeOf(reply.valueOf(times, "consensus/valid-after"));
  const untilMs = timeOf(reply.valueOf(times, "consensus/valid-until"));
  return fromMs === undefined || untilMs === undefined ? undefined : { fromMs, untilMs };
}

function timeOf(text: string | undefined): number | undefined {
  const parts = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})$/
    .exec(text ?? "");
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    parts.slice(1).map(Number);
  const days = dayOf(year, month, day);
  if (days === undefined) return undefined;
  return days * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1_000;
}
