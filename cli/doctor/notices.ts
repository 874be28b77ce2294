/**
 * Would notices arrive? Each server is reached, each secret is there, the command can be run.
 *
 * Rule 1: nothing is sent that a person would get: a server is asked for a page of its own that
 * needs no secret, and none is shown to it. Any answer is one.
 * Rule 2: the command is looked for where the daemon would find it, and not run.
 * @module
 */
import * as fs from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { Address } from "../../adapters/address.ts";
import type { Ambient } from "../../adapters/ambient.ts";
import type { TargetSpec } from "../../adapters/config/targets.ts";
import { createRequests } from "../../adapters/requests.ts";
import type { RequestEvent, RequestFailure } from "../../core/kernel/io.ts";
import { type Check, fail, type Finding, ok, skipped, warn } from "./finding.ts";
import { visitTo } from "./target.ts";

const what = "notices";

/** Of a daemon that sends notices. */
type Settings = {
  readonly socks: Address | undefined;
  readonly targets: ReadonlyMap<string, TargetSpec>;
  readonly exec: readonly string[];
  readonly config: { readonly notify: { readonly targets: readonly unknown[] } };
};

/** What everybody may ask of each kind of server, and of the one that tells versions. */
const pages: ReadonlyMap<string, string> = new Map([
  ["webhook", "/"], ["ntfy", "/v1/health"], ["gotify", "/health"], ["telegram", "/"],
  ["update", "/"],
]);

/** A check of each target. `limitOf`: how long one may take. `path`: where programs are. */
export function notices(
  settings: Settings, ambient: Pick<Ambient, "entropy">,
  limitOf: (target: string) => number, path: string | undefined,
): readonly Check[] {
  const found = [...pages].flatMap(([name, page]) => {
    const spec = settings.targets.get(name);
    return spec === undefined ? [] : [server(name, page, spec, settings, ambient, limitOf(name))];
  });
  const [program] = settings.exec;
  const key = "notify.exec";
  if (program !== undefined) found.push(simple(key, () => command(key, program, path)));
  if (settings.config.notify.targets.length > 0) return found;
  const nobody = skipped(what, "no target is configured: look at the log and the status page");
  return [...found, simple(what, () => Promise.resolve(nobody))];
}

function simple(name: string, look: () => Promise<Finding>): Check {
  return { what: name, limitMs: 1_000, look: async () => [await look()], end: () => {} };
}

function server(
  name: string, page: string, spec: TargetSpec, settings: Settings,
  ambient: Pick<Ambient, "entropy">, limitMs: number,
): Check {
  const key = name === "update" ? "notify.updates" : `notify.${name}`;
  let heard: (event: RequestEvent) => void = () => {};
  // Its own page, whatever path and secret the configuration names.
  const origin = { ...spec, url: new URL(spec.url.origin), credentials: { kind: "none" } } as const;
  const requests = createRequests({
    targets: new Map([[name, visitTo(origin, settings, ambient)]]),
    push: (event) => heard(event), report: () => {}, bytesMax: 1_048_576,
  });
  const look = async (): Promise<readonly Finding[]> => {
    const secret = missing(key, spec);
    if (secret !== undefined) return [secret];
    const event = await new Promise<RequestEvent>((resolve) => {
      heard = resolve;
      requests.start({
        type: "req.start", req: 1, to: name, method: "GET", path: page,
        headers: [["user-agent", "dogwatch"]], body: "", renew: false,
      });
    });
    return [judged(key, spec, event)];
  };
  return { what: key, limitMs, look, end: requests.closeAll };
}

/** A secret that cannot be read. */
function missing(key: string, { credentials }: TargetSpec): Finding | undefined {
  if (credentials.kind === "none") return undefined;
  const read = credentials.source.read();
  return read.ok ? undefined
    : fail(key, `its secret cannot be read: ${read.says}`, "put it there, readable by the daemon");
}

function judged(key: string, { url, isolation }: TargetSpec, event: RequestEvent): Finding {
  const way = isolation === undefined ? "" : " through Tor";
  if (event.type === "req.failed") {
    return fail(key, `${url.host}${way}: ${wordsOf(event.reason)}`,
      `correct ${key}, or start what it names`);
  }
  const seen = `${url.host} answers${way}; nothing was sent`;
  return event.status < 500 ? ok(key, seen)
    : warn(key, `${url.host} answers${way} with status ${event.status}`, "look at that server");
}

function wordsOf(reason: RequestFailure): string {
  switch (reason) {
    case "refused": return "nobody listens there";
    case "reset": return "the connection broke";
    case "timeout": return "no answer in time";
    case "malformed": return "what answers does not speak HTTP";
    // A page of any size is a sign of life, and this one is not to be read.
    case "too-large": return "it sends more than a page";
    case "denied": case "unreachable": return "no way leads there";
  }
}

/** May this program be run? It is not. `path`: where names without a folder are looked for. */
export async function command(
  key: string, program: string, path: string | undefined,
): Promise<Finding> {
  const places = program.includes("/") ? [program]
    : (path ?? "").split(delimiter).filter(isAbsolute).map((folder) => join(folder, program));
  for (const place of places) {
    if (!(await fs.stat(place).then((found) => found.isFile(), () => false))) continue;
    const mayRun = await fs.access(place, fs.constants.X_OK).then(() => true, () => false);
    if (mayRun) return ok(key, `${place} can be run; it was not`);
    return fail(key, `${place} may not be run`, `chmod +x ${place}, or name another program`);
  }
  const seen = program.includes("/") ? `${program} is not there` : `no ${program} in PATH`;
  return fail(key, seen, "install it, or name it by its whole path");
}
