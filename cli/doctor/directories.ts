/**
 * Is a directory there, and would it let us in? Each is visited as a taker would: dial, handshake,
 * goodbye.
 *
 * Rule 1: a visitor has a nick of its own, made for this one visit, and a circuit of its own: no
 * directory learns which others we use, or who the maker is.
 * Rule 2: nothing is proved and nothing announced.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { MakerSettings } from "../../adapters/config/maker-settings.ts";
import { createDialer, type Dialer, type DialerEvent } from "../../adapters/dial.ts";
import { createIdentity } from "../../adapters/identity.ts";
import { primitives } from "../../adapters/primitives.ts";
import { hex } from "../../core/bytes.ts";
import type { ConnId } from "../../core/ids.ts";
import * as envelope from "../../core/joinmarket/envelope.ts";
import * as features from "../../core/joinmarket/features.ts";
import * as handshake from "../../core/joinmarket/handshake.ts";
import * as lines from "../../core/joinmarket/lines.ts";
import { nickOf } from "../../core/joinmarket/nick.ts";
import { notServing } from "../../core/joinmarket/onion.ts";
import type { DialFailure } from "../../core/kernel/io.ts";
import * as greet from "../../core/maker/greet.ts";
import { secret } from "../../core/secret.ts";
import * as socks from "../../core/tor/socks.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";

type Configured = MakerSettings["config"]["directories"][number];

/** One visit. */
type Visit = {
  readonly what: string;
  readonly to: Configured;
  readonly identity: greet.Identity;
  readonly mode: greet.AuthMode;
  readonly startedMs: number;
  dialedMs: number;
  readonly lines: lines.Lines;
  readonly envelope: envelope.Envelope;
  readonly done: (finding: Finding) => void;
};

type Hub = {
  readonly settings: MakerSettings;
  readonly ambient: Pick<Ambient, "entropy" | "now">;
  readonly visits: Map<ConnId, Visit>;
  readonly dialer: Dialer;
};

/** Visits at once, as many as a maker may have directories. */
const visitsMax = 64;

/** A check of each directory. Limits are `viaTorMs` for onions and `localMs` for the rest. */
export function directories(
  settings: MakerSettings, ambient: Pick<Ambient, "entropy" | "now">,
  limits: { readonly viaTorMs: number; readonly localMs: number },
): readonly Check[] {
  const visits = new Map<ConnId, Visit>();
  const hub: Hub = {
    settings, ambient, visits,
    dialer: createDialer({
      push: (event) => heard(hub, event), socks: settings.socks,
      key: secret(ambient.entropy(socks.keyBytes)), dialsMax: visitsMax, connsMax: visitsMax,
      report: () => {},
    }),
  };
  return settings.config.directories.map((to, place) => {
    const conn = 2 * (place + 1) as ConnId;
    return {
      what: `directory ${to.to}`,
      limitMs: to.isolation === undefined ? limits.localMs : limits.viaTorMs,
      look: async () => [await visit(hub, conn, to)],
      end: () => leave(hub, conn),
    };
  });
}

function visit(hub: Hub, conn: ConnId, to: Configured): Promise<Finding> {
  const { settings: { config }, ambient } = hub;
  const pubkey = hex(createIdentity(ambient.entropy).pubkey);
  const identity: greet.Identity = {
    nick: nickOf(pubkey, 5, primitives.sha256), pubkey, network: config.network,
    features: [features.ping], auth: "disabled",
  };
  return new Promise((done) => {
    hub.visits.set(conn, {
      what: `directory ${to.to}`, to, identity, mode: config.auth, startedMs: ambient.now(),
      dialedMs: 0, lines: lines.create(), envelope: envelope.create(), done,
    });
    const dial = { type: "conn.dial" as const, conn, to: to.to };
    const { isolation } = to;
    hub.dialer.dial(isolation === undefined ? dial : { ...dial, isolation });
  });
}

function leave({ visits, dialer }: Hub, conn: ConnId): void {
  visits.delete(conn);
  dialer.close({ type: "conn.close", conn, how: "flush", reason: "visited" });
}

function heard(hub: Hub, event: DialerEvent): void {
  const visit = hub.visits.get(event.conn);
  if (visit === undefined) return;
  const { what, done } = visit;
  switch (event.type) {
    case "conn.dialed": return greeting(hub, event.conn, visit);
    case "conn.failed": return done(undialed(visit, event.reason));
    case "conn.received": return received(hub, visit, event.bytes);
    case "conn.closed": return done(fail(what, "it closed before it answered", closedFix));
    case "conn.opened": case "conn.confided": case "conn.congested": case "conn.drained": return;
  }
}

const closedFix = "another program may listen there, or the directory is full; ask its operator";

function undialed({ what, to }: Visit, reason: DialFailure): Finding {
  const isLocal = to.isolation === undefined;
  switch (reason) {
    case "refused":
      return fail(what, isLocal ? "nobody listens there" : "Tor reached it; nobody listens there",
        "start it, or correct its port in maker.directories");
    case "timeout":
      return fail(what, "no connection in time", "it may be down; try again in some minutes");
    case "unreachable":
      return fail(what, isLocal ? "no way leads there" : "Tor did not reach it",
        isLocal ? "correct maker.directories"
          : "is SOCKS well (above)? Then it is down, or its address is wrong: maker.directories");
    case "denied":
      return fail(what, "there is no permitted way there",
        "set tor.socks to Tor's SocksPort: nothing leaves this machine around Tor");
  }
}

function greeting(hub: Hub, conn: ConnId, visit: Visit): void {
  visit.dialedMs = hub.ambient.now();
  const hello = greet.introduction(visit.identity, undefined, notServing);
  const bytes = envelope.encode(envelope.types.HANDSHAKE, hello);
  hub.dialer.send({ type: "conn.send", conn, bytes });
}

function received(hub: Hub, visit: Visit, bytes: Uint8Array): void {
  const cut: lines.Cut = { at: 0, line: undefined };
  for (;;) {
    const isWhole = lines.next(visit.lines, bytes, envelope.lineBytesMax, cut);
    if (!isWhole) return visit.done(foreign(visit));
    if (cut.line === undefined) return;
    if (envelope.scan(cut.line, visit.envelope) !== undefined) return visit.done(foreign(visit));
    if (visit.envelope.type !== envelope.types.DN_HANDSHAKE) continue;
    return visit.done(judged(hub, visit, envelope.content(cut.line, visit.envelope)));
  }
}

function foreign({ what }: Visit): Finding {
  return fail(what, "what answers there is no directory", "correct maker.directories");
}

function judged(hub: Hub, visit: Visit, line: string): Finding {
  const { what, identity, mode } = visit;
  const answer = greet.welcome(line, identity, undefined);
  const hello = handshake.parseDirectory(line);
  if (!answer.ok || !hello.ok) return refused(visit, answer.ok ? undefined : answer);
  const asksProof = hello.value.features.includes(features.nickAuth);
  const took = (fromMs: number, toMs: number): string => `${toMs - fromMs} ms`;
  const seen = [
    `dialled in ${took(visit.startedMs, visit.dialedMs)}`,
    `let in after ${took(visit.dialedMs, hub.ambient.now())}`,
    answer.answersPing ? "answers PING" : "does not answer PING",
    ...(asksProof ? ["asks makers to prove their nick"] : []),
    ...(answer.motd === "" ? [] : [`says "${answer.motd}"`]),
  ].join(", ");
  if (mode === "require" && !asksProof) {
    return fail(what, `${seen}; it asks for no proof, so a maker would leave it`,
      'set maker.directory_auth = "prefer", or remove this directory');
  }
  return answer.answersPing ? ok(what, seen)
    : warn(what, seen, "a dead connection to it is noticed after half an hour only");
}

function refused({ what, identity }: Visit, no: greet.No | undefined): Finding {
  const said = no === undefined || no.says === "" ? "" : `: "${no.says}"`;
  const why: string = no?.why ?? "handshake";
  switch (why) {
    case "refused":
      return fail(what, `it refuses us${said}`, "do what it says, or ask its operator");
    case "network":
      return fail(what, `it serves another network than ${identity.network}${said}`,
        "correct maker.directories or network");
    case "proto-ver":
      return fail(what, `it does not speak version 5${said}`, "choose another directory");
    default:
      return fail(what, `its answer is malformed${said}`,
        "choose another directory, and tell its operator");
  }
}
