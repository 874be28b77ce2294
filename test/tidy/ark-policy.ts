/**
 * The page of all policies of an Ark wallet's background: what each value means, which it may be,
 * what it is by default and in the profile `source`, and why.
 *
 * Rule 1: values come from `core/ark/policy.ts`; only what they mean and why is written here.
 * Rule 2: a value without words, and words without a value, are findings.
 * @module
 */
import assert from "node:assert/strict";
import type { Rest, Wait } from "../../core/ark/pause.ts";
import { defaults, source, type Policy } from "../../core/ark/policy.ts";
import type { Step } from "../../core/ark/rota.ts";

/** `is`: meaning and range, with the unit. */
type Words = { readonly is: string; readonly why: string };

const span = (what: string, low = "1 s"): string => `${what}; a rest of ${low} to a day`;

const streamWords: { readonly [name: string]: Words } = {
  first: {
    is: span("from the start to the first try", "0"),
    why: "wallets that start together do not come together",
  },
  openMs: {
    is: "a try without an outcome is given up after so many ms; from 1",
    why: "nobody waits for a connection for minutes",
  },
  silentMs: {
    is: "an open stream without an item is closed after so many ms; 0: never",
    why: "two rounds of an hour without a word are a dead line; mail may rest for days",
  },
  healthyMs: {
    is: "so many ms make a session healthy; from 1",
    why: "longer than a proxy keeps a silent line; the document stays 1 s below that",
  },
  timedFrom: {
    is: "its time counts from the `try` or from the `open` stream",
    why: "H9: a failure that takes long is no health",
  },
  proof: {
    is: "what else makes it healthy: nothing (`time`), or an item that is new (`time-and-news`)",
    why: "H12: what the server repeats for everybody proves nothing",
  },
  afterHealthy: {
    is: "after a healthy session a try `at-once`, or the first `wait`",
    why: "H8: otherwise all wallets of a server that restarts come in one instant",
  },
  canErrorBeHealthy: {
    is: "may a session that ended with an error have been healthy; yes or no",
    why: "H11: how it ended says nothing about the hours before",
  },
  atOnceMax: {
    is: "so many short sessions in a row are followed by a try at once; from 0",
    why: "H10: a server that closes is not asked in a loop",
  },
  resetBy: {
    is: "what makes waits short again: `health`, or `any-item`",
    why: "H12: an item that is repeated does not",
  },
  wait: {
    is: "before the next try; a wait of 1 s to a day",
    why: "a server that is away is asked less and less; half of each wait is chance",
  },
  gate: {
    is: "`connected`: no try unless the server counts as connected; for rounds always `none`",
    why: "H5: whoever waits for a flag is late",
  },
  hurryGapMs: {
    is: "tries that news of the server bring forward lie so many ms apart; 0: none is",
    why: "a server that comes back is used at once, one that comes and goes is not stormed",
  },
};

const rotaWords: { readonly [name: string]: Words } = {
  steps: {
    is: "1 to 16 calls in their order, what each waits for, how long it is waited for",
    why: "H6, H20, H34: nothing waits for what it does not need; what receives waits for the chain",
  },
  first: {
    is: span("from the start to the first pass", "0"),
    why: "H19: not in step with other wallets",
  },
  rest: {
    is: span("between passes"),
    why: "blocks, news, rounds and what the guard did wake a pass; this is for what they missed",
  },
  retry: {
    is: "a failed step is tried again by itself after a wait; `none`: with the next pass",
    why: "H25: what failed is tried again, and holds up no other step",
  },
  wake: {
    is: "a pass comes forward to so soon after a block or other news; `none`: never",
    why: "H24: a block is followed by its work",
  },
  gapMs: {
    is: "woken passes lie so many ms apart; from 1",
    why: "bursts of news make one pass",
  },
  behindMs: {
    is: "without a moment at which all had succeeded for so many ms it is told; from 1",
    why: "work that is not done must not be silent",
  },
};

/** What each value is, by its path; `*` stands for any one name. */
const words: { readonly [path: string]: Words } = {
  "isManual": {
    is: "only the connection is checked; yes or no",
    why: "a wallet that runs its own daemon is watched, not driven",
  },
  "startup.calls": {
    is: "calls in a row before anything else begins",
    why: "H19, H17: nothing has to come first, so nothing can hold up the start",
  },
  "startup.connectedBy": {
    is: "connected after an `answer` only, or when a connection was `made`",
    why: "H1: a connection to a wrong server is none",
  },
  "startup.madeBefore": {
    is: "failures that a connection comes before; reasons of the port",
    why: "only with `made`",
  },
  "startup.waitMs": {
    is: "each call is waited for so many ms; from 1",
    why: "the document has no limit but that of a request",
  },
  "connected.owner": {
    is: "`evidence`, derived from what was seen; or `writers`, of whom the last is right",
    why: "H2, H4: nobody sets a fact",
  },
  "connected.agesMs.*": {
    is: "believed to be up so many ms after it was last heard of; 0: until it is denied",
    why: "H3: what is not heard of is not known; the server's outlives a question and its answer",
  },
  "probe.op": {
    is: "`probe`, a live question; or `refresh-server`, which barkd's REST has not",
    why: "the wallet cannot answer a live question from memory",
  },
  "probe.first": { is: span("from the start to the first question", "0"), why: "at once, spread" },
  "probe.rest": { is: span("after a good answer"), why: "as often as the document, and spread" },
  "probe.retry": {
    is: "after a failure; a wait of 1 s to a day",
    why: "a short outage is over quickly, a long one is asked once a minute",
  },
  "probe.waitMs": {
    is: "an answer is waited for so many ms; from 1",
    why: "a server that vanished is noticed in less than a minute and a half",
  },
  "probe.whileUp": {
    is: "while connected: `probe` on, or `skip`",
    why: "H3, H7: who does not ask does not notice",
  },
  "probe.gapMs": {
    is: "questions that a doubt brings forward lie so many ms apart; from 1",
    why: "many doubts are one question",
  },
  "rounds.stream.*": { is: "", why: "" },
  "rounds.queueMax": {
    is: "so many calls for events wait; 1 to 64",
    why: "H13: a slow wallet falls behind, is told of, and a sync makes up for it",
  },
  "rounds.isInline": {
    is: "is nothing read while an event is handled; yes or no",
    why: "H13: what is not read is lost at the server",
  },
  "rounds.isRepeatHandled": {
    is: "are events that were seen before handled again; yes or no",
    why: "every subscription begins with one",
  },
  "rounds.maintain": {
    is: "is the wallet asked to join a round: `never`, or with its `first-attempt`",
    why: "H14, H15, H16: the guard has coins refreshed by delegation, by heights",
  },
  "rounds.isProgressed": {
    is: "is the wallet given each event; yes or no",
    why: "rounds that somebody else joined go on; barkd's REST has no such call, and is asked once",
  },
  "rounds.waitMs": {
    is: "handling is waited for so many ms; from 1",
    why: "then it is told; the call goes on",
  },
  "mailbox.stream.*": { is: "", why: "" },
  "mailbox.first": { is: span("from the start to the first read", "0"), why: "spread" },
  "mailbox.poll": { is: span("between reads"), why: "as often as the document, and spread" },
  "mailbox.retry": {
    is: "after a failed read; a wait of 1 s to a day",
    why: "a message is not a minute late for a short failure",
  },
  "mailbox.isStreamTrusted": {
    is: "is there no poll behind a stream; yes or no",
    why: "H15, H18: what is pushed can be lost, or never open",
  },
  "mailbox.isHintRead": {
    is: "does an item of the stream lead to a read; yes or no",
    why: "only the wallet says how far it has read",
  },
  "mailbox.isHurried": {
    is: "do news of the wallet, and a server that is back, bring a read forward; yes or no",
    why: "what was paid in is seen at once over REST, too",
  },
  "mailbox.needsChain": {
    is: "is nothing received while the chain source is known to fail; yes or no",
    why: "H34: some programs drop for good what they cannot check",
  },
  "mailbox.gate": {
    is: "`connected`: a read that is due waits for another interval without the flag",
    why: "H5: whoever waits for a flag is late",
  },
  "mailbox.again": {
    is: span("after a read that moved", "1 ms"),
    why: "H36: a server cuts its pages short",
  },
  "mailbox.againMax": {
    is: "so many of those in a row; from 0",
    why: "a mailbox that has always more is read at its interval",
  },
  "mailbox.waitMs": {
    is: "a read is waited for so many ms; from 1",
    why: "then it is told; the call goes on",
  },
  "mailbox.stuckMax": {
    is: "so many reads that stand below an item are told as stuck; from 1",
    why: "H33: a message that blocks the mailbox must not be silent; the document says nothing",
  },
  "mailbox.stillMs": {
    is: "without motion for so many ms, with news, it is told as still; from 1",
    why: "without a stream nothing else shows that mail does not come",
  },
  "mailbox.stillNewsMin": {
    is: "so much news of the wallet is needed for that; from 1",
    why: "a wallet to which nothing happens has no mail",
  },
  "sync.*": { is: "", why: "" },
  "exits.isOwn": {
    is: "have exits a lane of their own, or are they steps of the sync; yes or no",
    why: "H20: nothing may hold up an exit",
  },
  "exits.rota.*": { is: "", why: "" },
  "exits.idle": {
    is: span("between passes while no exit is under way"),
    why: "a wallet without exits is hardly asked; one that begins brings the next pass forward",
  },
  "stopping.stopMs": {
    is: "calls that must not be cut are waited for so many ms; 0: as long as they take",
    why: "H17, H31: the end is bounded, and says what still runs",
  },
  "stopping.isCutting": {
    is: "are calls that may be cut given up at once; yes or no",
    why: "nobody needs the answer to a question any more",
  },
  "stopping.isFinishing": {
    is: "is what had begun gone through with, step by step; yes or no",
    why: "H17: nothing new is asked after a stop; the next start asks for it",
  },
};

type Value = string | number | boolean | readonly unknown[] | Rest | Wait | undefined;
type Leaf = { readonly path: string; readonly value: Value };

const isObject = (value: unknown): value is Record<string, unknown> => (
  typeof value === "object" && value !== null && !Array.isArray(value)
);
const isLeaf = (value: unknown): boolean => (
  !isObject(value) || "spreadMs" in value || "kind" in value
);

/** Every value of a policy, with its path, in its order. */
export function leaves(value: unknown, path = ""): readonly Leaf[] {
  if (isLeaf(value)) return [{ path, value: value as Value }];
  return Object.entries(value as Record<string, unknown>).flatMap(([name, one]) => (
    leaves(one, path === "" ? name : `${path}.${name}`)
  ));
}

/** The words for a path; `undefined`: there are none. */
export function wordsOf(path: string): Words | undefined {
  const at = path.lastIndexOf(".");
  const [parent, name] = [path.slice(0, at), path.slice(at + 1)];
  if (parent.endsWith(".stream")) return streamWords[name];
  if (parent === "sync" || parent === "exits.rota") return rotaWords[name];
  return words[path] ?? words[`${parent}.*`];
}

/** Words that no value has. */
export function unused(paths: readonly string[]): readonly string[] {
  const stands = (path: string): boolean => paths.some((one) => (
    one === path || (path.endsWith(".*") && one.startsWith(path.slice(0, -1)))
  ));
  const named = (of: string, all: typeof words): readonly string[] => (
    Object.keys(all).map((name) => `${of}.${name}`)
  );
  return [...Object.keys(words), ...named("rounds.stream", streamWords),
    ...named("sync", rotaWords)].filter((path) => !stands(path));
}

function shown(path: string, value: Value): string {
  if (value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return path.endsWith("Ms") || path.includes(".agesMs.")
    ? time(value) : String(value);
  if (typeof value === "string") return `\`${value}\``;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(part).join(", ");
  if ("kind" in value) return waitOf(value);
  return restOf(value as Rest);
}

function part(one: Step | string): string {
  if (typeof one === "string") return `\`${one}\``;
  const notes = [
    ...(one.gate === "none" ? [] : [`waits for the ${one.gate === "chain" ? "chain" : "flag"}`]),
    time(one.waitMs), ...(one.everyMs === 0 ? [] : [`every ${time(one.everyMs)}`]),
  ];
  return `\`${one.op}\` (${notes.join("; ")})`;
}

function restOf({ ms, spreadMs }: Rest): string {
  return spreadMs === 0 ? time(ms) : `${time(ms)} to ${time(ms + spreadMs)}`;
}

function waitOf(wait: Wait): string {
  if (wait.kind === "even") return `always ${restOf(wait.rest)}`;
  const { baseMs, maxMs } = wait.backoff;
  return `${time(baseMs)}, doubled up to ${time(maxMs)}, half of it by chance`;
}

function time(ms: number): string {
  if (ms === 0) return "0";
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}

const titles: { readonly [first: string]: string } = {
  isManual: "All", startup: "The start", connected: "Who counts as connected",
  probe: "The check of the connection", rounds: "Round events", mailbox: "The mailbox",
  sync: "The sync", exits: "Exits", stopping: "The end",
};

/** The whole page. */
export function page(): string {
  const lines = [
    "# Policies of the background of an Ark wallet",
    "",
    "Made from `core/ark/policy.ts` by `REWRITE=1 npm test`; do not edit.",
    "",
    "Everything that the document's daemon does in one way, and might be done in another. The",
    "profile `source` is the document's way, kept for comparison and held by",
    "`test/core/ark/source.test.ts`; H1 to H36 are rows of [ark-hazards.md](ark-hazards.md). A",
    "rest of two values is drawn anew each time, each wallet for itself.",
  ];
  const given: readonly (readonly [Leaf, Leaf])[] = pairs(defaults, source);
  for (const [first, title] of Object.entries(titles)) {
    lines.push("", `## ${title}`, "", "| value | meaning and range | default | `source` | why |",
      "| --- | --- | --- | --- | --- |");
    for (const [mine, theirs] of given) {
      const { path } = mine;
      const found = wordsOf(path);
      if (path.split(".")[0] !== first || found === undefined) continue;
      const values = [shown(path, mine.value), shown(path, theirs.value)];
      lines.push(`| \`${path}\` | ${found.is} | ${values.join(" | ")} | ${found.why} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function pairs(a: Policy, b: Policy): readonly (readonly [Leaf, Leaf])[] {
  const others = new Map(leaves(b).map((leaf) => [leaf.path, leaf]));
  return leaves(a).filter(({ path }) => path !== "name").map((leaf) => {
    const other = others.get(leaf.path);
    assert.ok(other !== undefined, `${leaf.path} is no value of the other`);
    return [leaf, other];
  });
}
