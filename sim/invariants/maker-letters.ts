/**
 * M7 and M12 of a maker daemon: its notices, as durable records and those who get them have them.
 *
 * Rule 1: a letter that says that it is durable is so, before it leaves; one about a transaction
 * has the record of what it tells before it.
 * Rule 2: a transaction's confirmation has one letter, whatever happens in between.
 * Rule 3: that all directories are down is told once for each time they all are, and so is their
 * return; of the own onion no more losses than there were.
 * Rule 4: a letter leaves again only if its first leaving may not have arrived: no answer, or a
 * process that died.
 * @module
 */
import { violation, type Violation } from "./violation.ts";

/** The last time that a letter left, and when it was taken; then its delivery is to be recorded. */
type Sent = { readonly life: number; readonly takenUs: number | undefined };

export type Letters = {
  /** Ids of letters in durable records; and kinds with what they are about. */
  readonly recorded: Set<number>;
  readonly told: Map<string, number>;
  /** Of each letter the last time it left. */
  readonly sent: Map<number, Sent>;
  /** Letters whose delivery a durable record tells, or should tell. */
  readonly closed: Set<number>;
  /** Requests under way. */
  readonly leaving: Map<number, number>;
  /** Durable records that letters are about: `confirmed` and the like, by kind. */
  readonly facts: Map<string, number>;
  life: number;
  /** Letters that a later process has sent again. */
  resent: number;
  /** Times that the own onion service was lost. */
  onionLosses: number;
  /** Times that all directories were down, and came back, in all processes. */
  downs: number;
  backs: number;
  isDown: boolean;
  /** Since when, in true time, without a pause of the process; and what was recorded last of it. */
  downSinceUs: number;
  lastTold: string;
};

/** Nothing was told. */
export function create(): Letters {
  return {
    recorded: new Set(), told: new Map(), sent: new Map(), closed: new Set(), leaving: new Map(),
    facts: new Map(), life: 0, resent: 0, onionLosses: 0, downs: 0, backs: 0, isDown: false,
    downSinceUs: 0, lastTold: "",
  };
}

/** A process begins. */
export function booted(m: Letters): void {
  m.life += 1;
  m.isDown = false;
  m.leaving.clear();
}

/** Within this an outage is on record, in microseconds: flapping subjects wait for their turn. */
const toldUs = 900_000_000;

/**
 * Whether any directory is up, after a step of a process whose start is over. `wellUs`: since when
 * it runs, and its disk is well.
 */
export function directories(
  m: Letters, isAnyUp: boolean, wellUs: number, nowUs: number, out: Violation[],
): void {
  if (m.isDown === isAnyUp) {
    m.isDown = !isAnyUp;
    m.downSinceUs = nowUs;
    if (m.isDown) m.downs += 1;
    else m.backs += 1;
  }
  if (!m.isDown || m.lastTold === "all-down") return;
  const sinceUs = wellUs > m.downSinceUs ? wellUs : m.downSinceUs;
  if (nowUs - sinceUs < toldUs) return;
  out.push(violation("M7", "that all directories are down is not told"));
}

/** A record is durable. */
export function durable(m: Letters, body: string, out: Violation[]): void {
  const change = /^\{"v":1,"k":"([a-z-]+)","of":/.exec(body)?.[1];
  if (change !== undefined) m.facts.set(change, (m.facts.get(change) ?? 0) + 1);
  const found = /^\{"type":"notice","id":([0-9]+),.*?"kind":"([a-z-]+)",.*?"subject":"([^"]*)"/
    .exec(body);
  if (found === null) return;
  const [, id = "", kind = "", subject = ""] = found;
  m.recorded.add(Number(id));
  if (subject === "directories") m.lastTold = kind;
  const count = (m.told.get(`${kind} ${subject}`) ?? 0) + 1;
  m.told.set(`${kind} ${subject}`, count);
  if (count > 1 && (kind === "tx-confirmed" || kind === "tx-seen")) {
    out.push(violation("M12", `${kind} is told twice of one transaction`));
  }
  if (kind === "all-down" && count > m.downs) {
    out.push(violation("M7", `told ${count} times that all are down, which was ${m.downs} times`));
  }
  if (kind === "onion-down" && count > m.onionLosses) {
    out.push(violation("M15", `told ${count} times of a loss that was ${m.onionLosses} times`));
  }
  if (kind === "all-back" && count > m.backs) {
    out.push(violation("M7", `told ${count} times that one is back, which was ${m.backs} times`));
  }
}

/** What a letter's record must come after. */
const factOf: { readonly [kind: string]: string | undefined } = {
  "tx-confirmed": "confirmed", "tx-seen": "seen", "tx-given-up": "given-up", "tx-back": "returned",
};

/** A letter leaves. */
export function leaves(m: Letters, req: number, body: string, out: Violation[]): void {
  const found = /^\{"id":([0-9]+),"kind":"([a-z-]+)",.*"durable":(true|false)\}$/.exec(body);
  if (found === null) return void out.push(violation("M12", "a letter that cannot be read"));
  const [, text = "", kind = "", isDurable] = found;
  const id = Number(text);
  if (isDurable === "true" && !m.recorded.has(id)) {
    out.push(violation("M13", `${kind} is told as durable, and is in no durable record`));
  }
  const fact = factOf[kind];
  if (fact !== undefined && !m.facts.has(fact)) {
    out.push(violation("M13", `${kind} is told before it is durable`));
  }
  if (id === 0) return;
  const before = m.sent.get(id);
  const isTaken = before?.takenUs !== undefined && before.life === m.life;
  if (isTaken || m.closed.has(id)) {
    out.push(violation("M12", `${kind} is sent again to one who has taken it`));
  }
  if (before !== undefined && before.life < m.life) m.resent += 1;
  m.leaving.set(req, id);
  m.sent.set(id, { life: m.life, takenUs: undefined });
}

/** Its answer. */
export function answered(m: Letters, req: number, isTaken: boolean, nowUs: number): void {
  const id = m.leaving.get(req);
  m.leaving.delete(req);
  if (id !== undefined) m.sent.set(id, { life: m.life, takenUs: isTaken ? nowUs : undefined });
}

/** Within this a delivery is recorded, in microseconds, by a disk that does not fail. */
const recordUs = 180_000_000;

/** The process is gone; the disk was well since `wellUs`. */
export function crashed(m: Letters, wellUs: number, nowUs: number): void {
  for (const [id, { life, takenUs }] of m.sent) {
    if (life !== m.life || takenUs === undefined) continue;
    if (takenUs >= wellUs && nowUs - takenUs >= recordUs) m.closed.add(id);
  }
}

/** A record of a letter's delivery is durable: no later process sends it. */
export function delivered(m: Letters, body: string): void {
  const id = /^\{"type":"notice-sent","id":([0-9]+)/.exec(body)?.[1];
  if (id !== undefined) m.closed.add(Number(id));
}
