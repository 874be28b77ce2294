/**
 * An Ark wallet's program: does it answer, does it take our token, is there a wallet in it, and
 * does that reach its Ark server and its chain source?
 *
 * Rule 1: only what changes nothing is asked, and each question has its own time: a server that
 * hangs hides nothing of what was found out before.
 * Rule 2: the token is shown to nobody who has not answered as a barkd does.
 * Rule 3: a program that Dogwatch runs may be away while no daemon of ours is there; it must be one
 * that can be run.
 * @module
 */
import type { Ambient } from "../../adapters/ambient.ts";
import type { ArkSettings } from "../../adapters/config/ark-settings.ts";
import type { TargetSpec } from "../../adapters/config/targets.ts";
import { createRequests, type Requests } from "../../adapters/requests.ts";
import * as barkd from "../../core/ark/barkd.ts";
import { targetOf } from "../../core/ark/config.ts";
import { unavailable, type Answer, type Op } from "../../core/ark/wallet.ts";
import { evidence as words } from "../../core/ark/words.ts";
import type { RequestEvent } from "../../core/kernel/io.ts";
import { after } from "../../core/time.ts";
import { span } from "../status-text.ts";
import { type Check, fail, type Finding, ok, skipped, warn } from "./finding.ts";
import { command } from "./notices.ts";
import { visitTo } from "./target.ts";

type Talk = {
  readonly name: string;
  readonly ambient: Pick<Ambient, "now" | "timer" | "wall">;
  readonly requests: Requests;
  readonly waiting: Map<number, (event: RequestEvent) => void>;
  /** Of one question. */
  readonly limitMs: number;
  /** What Dogwatch runs for it; `undefined`: somebody else does. */
  readonly runs: string | undefined;
  /** Where programs are looked for. */
  readonly path: string | undefined;
  asked: number;
};

/** The program without, and with the token. */
const [stranger, known] = ["stranger", "known"] as const;

/**
 * A check of each wallet. `limitOf`: how long all its questions may take. `path`: where programs
 * are looked for.
 */
export function arkWallets(
  settings: ArkSettings, ambient: Pick<Ambient, "entropy" | "now" | "timer" | "wall">,
  limitOf: (target: string) => number, path: string | undefined,
): readonly Check[] {
  return settings.config.wallets.flatMap(({ name }) => {
    const spec = settings.targets.get(targetOf(name));
    return spec === undefined ? [] : [
      walletCheck(name, spec, settings, ambient, limitOf(targetOf(name)), path),
    ];
  });
}

function walletCheck(
  name: string, spec: TargetSpec, settings: ArkSettings,
  ambient: Pick<Ambient, "entropy" | "now" | "timer" | "wall">, limitMs: number,
  path: string | undefined,
): Check {
  const waiting: Talk["waiting"] = new Map();
  const requests = createRequests({
    targets: new Map([
      [stranger, visitTo({ ...spec, credentials: { kind: "none" } }, settings, ambient)],
      [known, visitTo(spec, settings, ambient)],
    ]),
    push: (event) => waiting.get(event.req)?.(event), report: () => {}, bytesMax: 1_048_576,
  });
  const talk: Talk = {
    name, ambient, requests, waiting, limitMs: Math.floor(limitMs / 4), asked: 0,
    runs: settings.programs.get(name)?.run[0], path,
  };
  return {
    what: `wallet ${name}`, limitMs, look: () => lookAll(talk, spec), end: requests.closeAll,
  };
}

const whats = ["program", "token", "wallet", "Ark server", "chain source"] as const;

async function lookAll(talk: Talk, spec: TargetSpec): Promise<readonly Finding[]> {
  const { name, runs, path } = talk;
  if (runs === undefined) return look(talk, spec);
  return [await command(`${name}: run`, runs, path), ...await look(talk, spec)];
}

async function look(talk: Talk, spec: TargetSpec): Promise<readonly Finding[]> {
  const [program, token, wallet, server, chain] = whats.map((what) => `${talk.name}: ${what}`) as
    [string, string, string, string, string];
  const rest = (all: readonly string[]): readonly Finding[] => (
    all.map((what) => skipped(what, "it could not be asked"))
  );
  const alive = aliveOf(talk, program, spec, await ask(talk, stranger, { op: "alive" }));
  if (alive.state !== "ok") return [alive, ...rest([token, wallet, server, chain])];
  const secret = secretOf(token, spec);
  if (secret !== undefined) return [alive, secret, ...rest([wallet, server, chain])];
  const identity = await ask(talk, known, { op: "identity" });
  const [taken, found] = identityOf(token, wallet, identity);
  if (found.state !== "ok") return [alive, taken, found, ...rest([server, chain])];
  const [probe, tip] = await Promise.all([
    ask(talk, known, { op: "probe" }, 2), ask(talk, known, { op: "tip" }, 2),
  ]);
  const nowMs = talk.ambient.wall().unixMs;
  return [alive, taken, found, serverOf(server, probe, nowMs), chainOf(chain, tip)];
}

function ask(talk: Talk, to: string, op: Op, times = 1): Promise<Answer> {
  const { ambient, requests, waiting } = talk;
  const request = barkd.requestOf(barkd.defaults, op);
  if (request === undefined) return Promise.resolve({ ok: false, why: "unsupported" });
  talk.asked += 1;
  const req = talk.asked;
  return new Promise((resolve) => {
    const timer = ambient.timer(() => {
      waiting.delete(req);
      requests.drop({ type: "req.drop", req });
      resolve(unavailable("timeout", "doctor-late", "no answer in time"));
    });
    waiting.set(req, (event) => {
      timer.disarm();
      waiting.delete(req);
      resolve(event.type === "req.failed" ? barkd.ofFailure(event.reason)
        : barkd.answerOf(barkd.defaults, op, event.status, event.body));
    });
    timer.arm(after(ambient.now(), talk.limitMs * times));
    requests.start({ type: "req.start", req, to, ...request, renew: false });
  });
}

/** Why there is no answer, for people. */
function whyOf(answer: Answer): string {
  if (answer.ok) return "";
  switch (answer.why) {
    case "unavailable": return words(answer.reason);
    case "rejected": return answer.fault.text;
    case "absent": case "unsupported": return "it does not know this question";
  }
}

function aliveOf(
  { runs }: Talk, what: string, { url, isolation }: TargetSpec, answer: Answer,
): Finding {
  const at = `${url.host}${isolation === undefined ? "" : " through Tor"}`;
  if (answer.ok) return ok(what, `${at} answers as a barkd`);
  const seen = `${at}: ${whyOf(answer)}`;
  if (runs === undefined) return fail(what, seen, "start barkd, or correct its url");
  return warn(what, seen, "dogwatch ark starts it; where that runs already, look at its log");
}

function secretOf(what: string, { credentials }: TargetSpec): Finding | undefined {
  if (credentials.kind === "none") return undefined;
  const read = credentials.source.read();
  return read.ok ? undefined
    : fail(what, `it cannot be read: ${read.says}`, "put it there, readable by this daemon");
}

function identityOf(
  token: string, wallet: string, answer: Answer,
): readonly [token: Finding, wallet: Finding] {
  if (answer.ok && answer.done.op === "identity") {
    const { fingerprint } = answer.done;
    return [ok(token, "it is taken"), fingerprint === undefined
      ? fail(wallet, "there is none in this program yet", "create one in barkd")
      : ok(wallet, `there is one, ${fingerprint}`)];
  }
  const isRefused = !answer.ok && answer.why === "unavailable" && answer.reason === "auth";
  if (isRefused) {
    const fix = "write barkd's own token into the file that token_file names";
    return [fail(token, "barkd refuses it", fix), skipped(wallet, "it could not be asked")];
  }
  return [
    ok(token, "it was not refused"), fail(wallet, whyOf(answer), "look at barkd's log"),
  ];
}

function serverOf(what: string, answer: Answer, nowMs: number): Finding {
  if (answer.ok && answer.done.op === "probe") {
    const { nextRoundUnixMs: at } = answer.done;
    if (at === undefined) return ok(what, "it answers");
    return ok(what, at <= nowMs ? "it answers; a round is due"
      : `it answers; the next round begins in ${span(at - nowMs)}`);
  }
  return fail(what, whyOf(answer), "see whether others reach it; coins are safe until they expire");
}

function chainOf(what: string, answer: Answer): Finding {
  if (answer.ok && answer.done.op === "tip") return ok(what, `block ${answer.done.height}`);
  return warn(what, whyOf(answer), "look at the node or the server that this barkd asks");
}
